/**
 * What does a token say, and is it true?
 *
 * A token is a JWT that is signed by a key of its issuer (RFC 7519). It is verified by the algorithms of public keys only: never
 * by none, and by no shared secret, for a public key that is taken for one is known to everybody (RFC 8725, 2.1). It must name
 * its issuer, its audience, its end and its subject, who is the customer; its claim `scope` may name the scope of a merchant or
 * an operator: words in one text (RFC 8693, 4.2), or, as many issuers have it, a list of them. A scope of another form is no
 * customer's, but a mistake.
 */
import { type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { codeOf } from '../../shared/errors.ts'
import type { Caller } from '../../shared/http/caller.ts'

const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]
const SUBJECT_CHARACTERS_MAX = 256

/** What is wrong with a token, and the sentence that tells its client so. */
export const REASONS = {
  malformed: 'it is no token that this shop takes',
  unsigned: 'its algorithm is none that this shop takes',
  'unknown-key': 'its issuer has no such key',
  signature: 'its signature is wrong',
  issuer: 'it is of another issuer',
  audience: 'it is for others than this shop',
  ended: 'it has ended',
  'not-yet': 'it is not valid yet',
  claims: 'it does not name its subject and its end',
  scope: 'its scope is no text, nor a list of texts',
  'no-such-key': 'there is no such key, or it was revoked',
} as const
export type Reason = keyof typeof REASONS

export type Verified = { readonly caller: Caller; readonly untilMs: number }

/** Nothing can be said of a token, since the keys of its issuer are out of reach. */
export class KeysAwayError extends Error {
  override readonly name = 'KeysAwayError'
}

const BY_CODE: Readonly<Record<string, Reason>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'unsigned',
  ERR_JOSE_NOT_SUPPORTED: 'unsigned',
  ERR_JWKS_NO_MATCHING_KEY: 'unknown-key',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'unknown-key', // it does not say which
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
  ERR_JWS_INVALID: 'malformed',
  ERR_JWT_INVALID: 'malformed',
  ERR_JWT_EXPIRED: 'ended',
}
const BY_CLAIM: Readonly<Record<string, Reason>> = { iss: 'issuer', aud: 'audience', nbf: 'not-yet' }

/** Which claim jose did not like: its error has the payload, too, which goes no further. */
const claimOf = (error: unknown): string =>
  error instanceof Error && 'claim' in error && typeof error.claim === 'string' ? error.claim : ''

const reasonOf = (error: unknown): Reason | undefined => {
  const code = codeOf(error) ?? ''
  return code === 'ERR_JWT_CLAIM_VALIDATION_FAILED' ? (BY_CLAIM[claimOf(error)] ?? 'claims') : BY_CODE[code]
}

/** The words of a scope, in either form; undefined if it has none of the two. */
const wordsIn = (scope: unknown): readonly string[] | undefined => {
  const texts: readonly unknown[] = Array.isArray(scope) ? scope : [scope]
  return texts.every((text) => typeof text === 'string') ? texts.flatMap((text) => text.split(' ')) : undefined
}

const scopeOf = ({ scope = '' }: JWTPayload): Caller['scope'] | undefined => {
  const words = wordsIn(scope)
  if (words === undefined) return undefined
  return words.includes('operator') ? 'operator' : words.includes('merchant') ? 'merchant' : 'customer'
}

export type TokenOptions = {
  readonly keyOf: JWTVerifyGetKey
  readonly issuer: string
  readonly audience: string
  readonly clockSkewS: number
}

/** Verifies a token. @throws KeysAwayError */
export type Verify = (token: string) => Promise<Verified | Reason>

export const openVerify = ({ keyOf, issuer, audience, clockSkewS }: TokenOptions): Verify => {
  const options = {
    algorithms: ALGORITHMS,
    issuer,
    audience,
    clockTolerance: clockSkewS,
    requiredClaims: ['exp', 'sub'],
  }
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keyOf, options)
      const { sub: subject, exp } = payload
      const isNamed = typeof subject === 'string' && subject !== '' && subject.isWellFormed()
      if (!isNamed || subject.length > SUBJECT_CHARACTERS_MAX || exp === undefined) return 'claims'
      const scope = scopeOf(payload)
      if (scope === undefined) return 'scope'
      return { caller: { scope, subject }, untilMs: (exp + clockSkewS) * 1_000 }
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === undefined) throw error
      return reason
    }
  }
}
