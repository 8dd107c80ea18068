/**
 * What is a word of an operator?
 *
 * It is given what to do it with, asks the shop, and has a result: lines for people, the same for machines, and an exit code.
 */
import { type Ask, UnknownError } from './ask-shop.ts'
import { findSubject } from './explain.ts'

export const REFUSED = 1
export const FAILED = 2

export type Result = { readonly lines: readonly string[]; readonly json: unknown; readonly code?: number }
export type Given = { readonly all: boolean; readonly refund: boolean; readonly accept?: string; readonly why?: string }
export type Verb = (ask: Ask, what: string, given: Given) => Promise<Result>

/** The checkout that is meant. @throws UnknownError if the order has none, or there is no such order. */
export const logIdOf = async (ask: Ask, id: string): Promise<string> => {
  const { log_id } = await findSubject(ask, id)
  if (log_id === null) throw new UnknownError(`order "${id}" has no checkout`)
  return log_id
}
