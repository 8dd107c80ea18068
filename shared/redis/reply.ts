/**
 * What does a reply hold?
 *
 * A script returns texts and lists of them. The *reader* of a query knows of which form its answer is; what has another form is a
 * fault of the program, found where the reply comes in.
 */
import { impossible } from '../errors.ts'
import type { Names } from './command.ts'
import type { Reply } from './script.ts'

/** Reads a part of a reply. @throws if it has another form */
export type Reader<Value> = (reply: unknown) => Value

export const text: Reader<string> = (reply) => (typeof reply === 'string' ? reply : impossible('reply.text', reply))

/** What may be missing. */
export const optional =
  <Value>(read: Reader<Value>): Reader<Value | undefined> =>
  (reply) =>
    reply == null ? undefined : read(reply)

/** A list of things of any form. */
export const elements: Reader<readonly unknown[]> = (reply) =>
  Array.isArray(reply) ? reply : impossible('reply.list', reply)

export const list =
  <Value>(read: Reader<Value>): Reader<readonly Value[]> =>
  (reply) =>
    elements(reply).map(read)

const isResult = (reply: unknown): reply is Reply =>
  Array.isArray(reply) && reply.length > 0 && reply.every((one) => typeof one === 'string')

/** What a command returned that follows an entry: its result, and what belongs to it, all texts. */
export const result: Reader<Reply> = (reply) => (isResult(reply) ? reply : impossible('reply.result', reply))

/** A list whose first element is another thing than the rest. */
export const headed =
  <Head, Value>(readHead: Reader<Head>, read: Reader<Value>): Reader<readonly [Head, readonly Value[]]> =>
  (reply) => {
    const [head, ...rest] = elements(reply)
    return [readHead(head), rest.map(read)]
  }

type Read<Readers extends readonly Reader<unknown>[]> = {
  readonly [At in keyof Readers]: Readers[At] extends Reader<infer Value> ? Value : never
}

/** So many elements, each read in its own way. */
export const tuple =
  <const Readers extends readonly Reader<unknown>[]>(...readers: Readers): Reader<Read<Readers>> =>
  (reply) => {
    const found = elements(reply)
    return readers.map((read, at) => read(found[at])) as unknown as Read<Readers>
  }

/** Names and values in turn, by their names. */
export const fields: Reader<Readonly<Record<string, string>>> = (reply) => {
  const flat = elements(reply)
  const found: Record<string, string> = {}
  for (let at = 0; at + 1 < flat.length; at += 2) found[text(flat[at])] = text(flat[at + 1])
  return found
}

/** What a query, one Lua file that changes nothing, wants, and how what it found is read. */
export type Query<Args extends Names, Found> = {
  readonly name: string
  readonly args: Args
  readonly read: Reader<Found>
}

export const query = <const Args extends Names, Found>(
  name: string,
  args: Args,
  read: Reader<Found>,
): Query<Args, Found> => ({ name, args, read })
