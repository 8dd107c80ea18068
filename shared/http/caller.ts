/**
 * Who asks, and may it ask this?
 *
 * Where tokens are wanted (`AUTH=jwt`) the gateway verifies who asks, and hands it on in a header that it takes from no client; beside
 * it stands the secret that only the gateway and the services know, without which no service listens. Each row names the scope that
 * it wants at least. Scopes are steps: each may ask what those before it may.
 *
 * | scope      | who                            | for whom                                      |
 * | ---------- | ------------------------------ | --------------------------------------------- |
 * | `anybody`  | a client without a token       |                                               |
 * | `customer` | the subject of a token         | for itself: another's thing is not there: 404 |
 * | `merchant` | who sells                      | for everybody                                 |
 * | `operator` | who runs the shop              | for everybody                                 |
 * | `service`  | a peer, never a client         | for whom it was asked                         |
 */

/** From what may least to what may most. */
export const SCOPES = ['anybody', 'customer', 'merchant', 'operator', 'service'] as const
export type Scope = (typeof SCOPES)[number]

export type Caller = {
  readonly scope: Scope
  /** By what name it is known; `''` for anybody and for a service. */
  readonly subject: string
}

/** In lower case: `customer anna`, the subject percent-encoded. */
export const CALLER_HEADER = 'shop-caller'
/** Bears the secret. */
export const GATEWAY_HEADER = 'shop-gateway'
/** From which address a client asks, as the gateway says of each that it asks for. */
export const ADDRESS_HEADER = 'x-forwarded-for'

export const ANYBODY: Caller = { scope: 'anybody', subject: '' }
export const SERVICE: Caller = { scope: 'service', subject: '' }

const isScope = (word: string): word is Scope => SCOPES.some((scope) => scope === word)

/** @throws URIError if the subject is not well-formed */
export const callerText = ({ scope, subject }: Caller): string =>
  subject === '' ? scope : `${scope} ${encodeURIComponent(subject)}`

const FORM = /^([a-z]+)(?: ([\w.!~*'()%-]+))?$/

/** Who asks, as `callerText` says it; undefined if it says nobody, or more than one. */
export const callerIn = (text: string): Caller | undefined => {
  const [, scope = '', subject = ''] = FORM.exec(text) ?? []
  if (!isScope(scope)) return undefined
  try {
    return { scope, subject: decodeURIComponent(subject) }
  } catch {
    return undefined // not percent-encoded
  }
}

/** May it ask what wants this scope? */
export const reaches = (caller: Caller, scope: Scope): boolean => SCOPES.indexOf(caller.scope) >= SCOPES.indexOf(scope)
