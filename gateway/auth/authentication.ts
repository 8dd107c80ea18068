/**
 * Who asks?
 *
 * | what a request bears                                | who asks                                                         |
 * | --------------------------------------------------- | ---------------------------------------------------------------- |
 * | nothing, or what is no bearer token                 | anybody                                                          |
 * | the operators' token                                | an operator                                                      |
 * | a key of a program (`shop_...`)                     | as which it was made                                             |
 * | a token of the issuer                               | its subject: a customer, merchant or operator                    |
 * | any other bearer token, or several                  | nobody: 401, which says what is wrong with it                    |
 * | one of an issuer whose keys are out of reach        | nobody knows: 503                                                |
 *
 * That is found out once for a token, and then known until the token ends; meanwhile it costs no promise. Whether that one may ask this is known to
 * the service that has the route. Wrong tokens are counted, and told in the log once a second at most, without the token.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import { type Caller, callerText } from '../../shared/http/caller.ts'
import { type Problem, problem } from '../../shared/http/problem.ts'
import { openTelling } from '../../shared/process/telling.ts'
import { type ApiKey, bearerOf, isKey } from './api-keys.ts'
import { Remembered } from './remembered.ts'
import { KeysAwayError, REASONS, type Reason, type Verify } from './token.ts'

/** Who asks, as it is handed on to a service. */
export type Identified = { readonly caller: string; readonly untilMs: number }
/** Why nobody is let in, and what the client is to bear instead (RFC 6750). */
export type Unidentified = { readonly problem: Problem; readonly challenge?: string }

/** What of a request says who asks. */
export type Credentials = {
  readonly authorization: string | undefined
  /** How often it was given. */
  readonly authorizations: number
  readonly requestId: string
  readonly address: string
}
type About = Pick<Credentials, 'requestId' | 'address'>

export type Authentication = {
  readonly identify: (credentials: Credentials) => Identified | Unidentified | Promise<Identified | Unidentified>
  /** How many tokens are remembered. */
  readonly remembered: () => number
  /** Other keys hold: what was verified is to be verified anew. */
  readonly forget: () => void
}

export type AuthenticationOptions = {
  /** Undefined where there is no issuer. */
  readonly verify: Verify | undefined
  readonly keys: () => ReadonlyMap<string, ApiKey>
  /** `''` if there is none. */
  readonly operatorToken: string
  readonly log: Logger
  readonly rememberedMost?: number
}

const REMEMBERED_MAX = 10_000
const BEARER = /^Bearer(?: +(.*))?$/i
/** RFC 6750, 2.1 */
const TOKEN = /^[\w.~+/-]+=*$/

const ANYBODY: Identified = { caller: 'anybody', untilMs: Number.POSITIVE_INFINITY }
const isWhat = (caller: Caller): Identified => ({ caller: callerText(caller), untilMs: Number.POSITIVE_INFINITY })

const invalidToken = (reason: Reason): Unidentified => ({
  problem: problem(401, 'invalid-token', 'The token is not valid', REASONS[reason], { reason }),
  challenge: `Bearer error="invalid_token", error_description="${REASONS[reason]}"`,
})

const severalTokens = (): Unidentified => ({
  problem: problem(400, 'malformed', 'The request is malformed', '"Authorization" may be given once'),
  challenge: 'Bearer error="invalid_request"',
})

const keysAway = (): Unidentified => ({
  problem: problem(
    503,
    'keys-unavailable',
    'Tokens cannot be verified now',
    'the issuer of the token does not show its keys; nothing was done, send it again later',
  ),
})

export const openAuthentication = (options: AuthenticationOptions): Authentication => {
  const { verify, keys, operatorToken, log, rememberedMost = REMEMBERED_MAX } = options
  const remembered = new Remembered<Identified>(rememberedMost)
  /** Those that are being verified: many requests may come at once with a token that is new. */
  const verifying = new Map<string, Promise<Identified | Reason>>()
  const tell = openTelling(log, 'a token was refused')
  const wanted = Buffer.from(operatorToken)
  /** Counts the times at which everything was forgotten. */
  let era = 0

  const isOperators = (token: string): boolean => {
    if (wanted.length === 0 || token.length !== operatorToken.length) return false
    const bytes = Buffer.from(token)
    return bytes.length === wanted.length && timingSafeEqual(bytes, wanted)
  }

  const refuse = (reason: Reason, { requestId, address }: About): Unidentified => {
    tell({ requestId, from: address, reason })
    return invalidToken(reason)
  }

  const find = async (verifyToken: Verify, token: string, digest: string): Promise<Identified | Reason> => {
    const begun = era
    const found = await verifyToken(token)
    if (typeof found === 'string') return found
    const identified = { caller: callerText(found.caller), untilMs: found.untilMs }
    if (begun === era) remembered.keep(digest, identified)
    return identified
  }

  const verified = async (
    verifyToken: Verify,
    token: string,
    digest: string,
    about: About,
  ): Promise<Identified | Unidentified> => {
    const known = verifying.get(digest)
    const finding = known ?? find(verifyToken, token, digest).finally(() => verifying.delete(digest))
    if (known === undefined) verifying.set(digest, finding)
    try {
      const found = await finding
      return typeof found === 'string' ? refuse(found, about) : found
    } catch (error) {
      // A key that the issuer shows may be none that tokens are verified by.
      if (!(error instanceof KeysAwayError))
        tell({ requestId: about.requestId, from: about.address, reason: 'failed', why: messageOf(error) })
      return keysAway()
    }
  }

  const identify: Authentication['identify'] = (credentials) => {
    const { authorization, authorizations } = credentials
    if (authorization === undefined) return ANYBODY
    if (authorizations > 1) return severalTokens()
    const [borne, token = ''] = BEARER.exec(authorization) ?? []
    if (borne === undefined) return ANYBODY
    if (isOperators(token)) return isWhat({ scope: 'operator', subject: 'operator' })
    if (isKey(token)) {
      const bearer = bearerOf(keys(), token)
      return bearer ? isWhat(bearer) : refuse('no-such-key', credentials)
    }
    if (verify === undefined || !TOKEN.test(token)) return refuse('malformed', credentials)
    const digest = hash('sha256', token, 'base64')
    return remembered.get(digest, Date.now()) ?? verified(verify, token, digest, credentials)
  }

  return {
    identify,
    remembered: () => remembered.count,
    forget: () => {
      era += 1
      remembered.forget()
    },
  }
}
