/**
 * Under which lock is something done?
 *
 * The lock service numbers those who come to hold a lock: a *token* is higher than each before it. A client that sends it (`If-Lock-Token`)
 * has something done only if nobody was there with a higher one: a holder that slept until its lease had ended does no harm. The
 * command compares it with the highest token that the thing has seen: see `shared/log/lua/lock-token.lua`.
 */
import { MalformedError } from '../errors.ts'
import type { Caller } from './caller.ts'

const NAME = 'If-Lock-Token'
const TOKEN = /^[1-9]\d{0,15}$/

/**
 * The token of a request, from its header. A customer holds no locks, so it has no token: one that it made up would have its order refuse
 * all that programs do with theirs. @throws MalformedError if it is none
 */
export const lockTokenIn = (sent: string | readonly string[], caller?: Caller): string => {
  if (caller?.scope === 'customer' || caller?.scope === 'anybody')
    throw new MalformedError(NAME, `"${NAME}" is not taken of customers: they hold no locks`)
  if (typeof sent === 'string' && TOKEN.test(sent) && Number.isSafeInteger(Number(sent))) return sent
  throw new MalformedError(NAME, `"${NAME}" must be the token of a lock, as 28612916697, and be given once`)
}

/** Refuses a token where no one thing is there yet to see it. @throws MalformedError */
export const refuseLockToken = (): never => {
  throw new MalformedError(
    NAME,
    `"${NAME}" is not taken here: this is not about one thing that could have seen another`,
  )
}
