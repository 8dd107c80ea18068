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
 * | one of an address that has sent many wrong ones     | nobody finds out: 429                                            |
 * | one of an issuer whose keys are out of reach        | nobody knows: 503                                                |
 *
 * That is found out once for a token, and then known until the token ends; meanwhile it costs no promise. Whether that one may
 * ask this is known to the service that has the route. Wrong tokens are counted, and told in the log once a second at most,
 * without the token.
 */
import { hash } from 'node:crypto'
import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import { type Caller, callerText } from '../../shared/http/caller.ts'
import { type Problem, problem } from '../../shared/http/problem.ts'
import { openIsSecret } from '../../shared/process/secret.ts'
import { openTelling, type Tell } from '../../shared/process/telling.ts'
import { type ApiKey, bearerOf, isKey } from './api-keys.ts'
import { Remembered } from './remembered.ts'
import { KeysAwayError, REASONS, type Reason, type Verify } from './token.ts'
import { openWrongTokens, type TooMany } from './wrong-tokens.ts'

/** Who asks, as it is handed on to a service. */
export type Identified = { readonly caller: string; readonly untilMs: number }
/** Why nobody is let in, and what the client is to bear instead (RFC 6750). */
export type Unidentified = { readonly problem: Problem; readonly challenge?: string; readonly retryAfterS?: number }

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

const isReason = (found: unknown): found is Reason => typeof found === 'string'

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

const tooManyWrong = (waitMs: number): Unidentified => ({
  problem: problem(
    429,
    'too-many-requests',
    'Too many requests',
    'too many wrong tokens came from this address: none that is new is looked at for a while; nothing was done',
    { limit: 'wrong-tokens' },
  ),
  retryAfterS: Math.ceil(waitMs / 1_000),
})

/** Whether nobody could find out, now, what a token says. */
export const isUndecided = ({ problem: { status } }: Unidentified): boolean => status === 503 || status === 429

type Refuse = (reason: Reason, about: About) => Unidentified

/** Finds out who bears a token of the issuer, and remembers it. */
const openBearers = (verify: Verify, rememberedMost: number, tell: Tell, refuse: Refuse) => {
  const remembered = new Remembered<Identified>(rememberedMost)
  /** Those that are being verified: many requests may come at once with a token that is new. */
  const verifying = new Map<string, Promise<Identified | Reason | TooMany>>()
  const wrongTokens = openWrongTokens()
  /** Counts the times at which everything was forgotten. */
  let era = 0

  const find = async (token: string, digest: string): Promise<Identified | Reason> => {
    const begun = era
    const found = await verify(token)
    if (isReason(found)) return found
    const identified = { caller: callerText(found.caller), untilMs: found.untilMs }
    if (begun === era) remembered.keep(digest, identified)
    return identified
  }

  const findOnce = (token: string, digest: string, address: string): Promise<Identified | Reason | TooMany> => {
    const known = verifying.get(digest)
    if (known !== undefined) return known
    const finding = wrongTokens
      .unlessTooMany(address, () => find(token, digest), isReason)
      .finally(() => verifying.delete(digest))
    verifying.set(digest, finding)
    return finding
  }

  const verified = async (token: string, digest: string, about: About): Promise<Identified | Unidentified> => {
    const { requestId, address } = about
    try {
      const found = await findOnce(token, digest, address)
      if (isReason(found)) return refuse(found, about)
      if (!('waitMs' in found)) return found
      tell({ requestId, from: address, reason: 'too-many' })
      return tooManyWrong(found.waitMs)
    } catch (error) {
      // A key that the issuer shows may be none that tokens are verified by.
      if (!(error instanceof KeysAwayError)) tell({ requestId, from: address, reason: 'failed', why: messageOf(error) })
      return keysAway()
    }
  }

  return {
    of: (token: string, about: About): Identified | Unidentified | Promise<Identified | Unidentified> => {
      const digest = hash('sha256', token, 'base64')
      const known = remembered.get(digest, Date.now())
      if (known !== undefined) return known
      return TOKEN.test(token) ? verified(token, digest, about) : refuse('malformed', about)
    },
    count: () => remembered.count,
    forget: () => {
      era += 1
      remembered.forget()
    },
  }
}

export const openAuthentication = (options: AuthenticationOptions): Authentication => {
  const { verify, keys, operatorToken, log, rememberedMost = REMEMBERED_MAX } = options
  const tell = openTelling(log, 'a token was refused')
  const refuse: Refuse = (reason, { requestId, address }) => {
    tell({ requestId, from: address, reason })
    return invalidToken(reason)
  }
  const bearers = verify && openBearers(verify, rememberedMost, tell, refuse)
  const isOperators = operatorToken === '' ? () => false : openIsSecret(operatorToken)

  return {
    identify: (credentials) => {
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
      return bearers === undefined ? refuse('malformed', credentials) : bearers.of(token, credentials)
    },
    remembered: () => bearers?.count() ?? 0,
    forget: () => bearers?.forget(),
  }
}
