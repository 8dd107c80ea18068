/**
 * What does a route learn of its request?
 *
 * What the path and the query say, the headers that concern a route, and whether the client is still there. No route takes a
 * body.
 */
import type { Context } from 'koa'
import { MalformedError } from '../errors.ts'

/** What a route is given of its request: the fields of path and query as texts. */
export type Request = {
  readonly parameter: (name: string) => string
  /** @throws MalformedError if it is given twice */
  readonly query: (name: string) => string | undefined
  /** The request in one line, as it is compared under an `Idempotency-Key`. */
  readonly fingerprint: string
  readonly idempotencyKey: string | undefined
  /** What the client authorises itself with, to be passed on to a peer that is asked on its behalf. */
  readonly authorization: string | undefined
  /** By what logs call the request, to be passed on likewise. */
  readonly requestId: string | undefined
  /** Has the connection ended on which the answer would be sent? The client may have asked another replica since. */
  readonly isGone: () => boolean
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,128}$/

/** No route takes a body: an absent one, an empty one and an empty JSON value pass. */
const BODY_MAX_BYTES = 1_024
export const refuseBody = async (ctx: Context): Promise<void> => {
  if (ctx.headers['transfer-encoding'] === undefined && (ctx.headers['content-length'] ?? '0') === '0') return
  let body = ''
  // Read to its end, or the connection breaks before the answer; kept no further than it may be long.
  for await (const chunk of ctx.req.setEncoding('utf8')) if (body.length <= BODY_MAX_BYTES) body += chunk
  if (body.length > BODY_MAX_BYTES || !/^\s*(\{\s*\}|null|""|)\s*$/.test(body))
    throw new MalformedError('body', 'this route takes no body')
}

export const requestOf = (ctx: Context, parameters: Readonly<Record<string, string | undefined>>): Request => {
  const key = ctx.headers['idempotency-key']
  // An empty one is none, and the client that sent it counts on one. Given twice they come joined by ", ".
  if (key !== undefined && !(typeof key === 'string' && IDEMPOTENCY_KEY.test(key)))
    throw new MalformedError(
      'Idempotency-Key',
      '"Idempotency-Key" must be 1 to 128 visible ASCII characters, and be given once',
    )
  return {
    parameter: (name) => parameters[name] ?? '',
    query: (name) => {
      const value = ctx.query[name]
      if (Array.isArray(value)) throw new MalformedError(name, `"${name}" may be given once`)
      return value
    },
    fingerprint: `${ctx.method} ${ctx.path}`,
    idempotencyKey: key,
    isGone: () => ctx.req.socket.destroyed || ctx.req.socket.readableEnded,
    authorization: ctx.headers.authorization,
    requestId: ctx.get('x-request-id') || undefined,
  }
}
