/**
 * What does a route learn of its request?
 *
 * What the path, the query and the body say, the headers that concern a route, and whether the client is still there.
 */
import { hash } from 'node:crypto'
import type { Context } from 'koa'
import { MalformedError } from '../errors.ts'
import type { Sent } from './body.ts'
import type { Caller } from './caller.ts'
import { lockTokenIn } from './lock-token.ts'
import { doneByOf, keyOf, ownerOf } from './owner.ts'
import { type Query, queryIn } from './query.ts'

/** What a route is given of its request: the fields of path and query as texts, those of the body as they were sent. */
export type Request = {
  readonly parameter: (name: string) => string
  readonly query: Query
  readonly body: unknown
  /** A header that concerns only some routes, by its name in lower case; given twice they come joined by ", ". */
  readonly header: (name: string) => string | undefined
  /** The request in one line, as it is compared under an `Idempotency-Key`. */
  readonly fingerprint: string
  readonly idempotencyKey: string | undefined
  /** Who asks; undefined where clients need not say. */
  readonly caller: Caller | undefined
  /** Whose things alone it may see and change; everybody's by default. */
  readonly owner?: string | undefined
  /** Under whose name it is done, if that is to be known. */
  readonly doneBy?: string | undefined
  /** Of which sampled trace it is, as `traceparent` has it. */
  readonly trace?: string | undefined
  /** The token of the lock under which it is to be done, in digits. */
  readonly lockToken: string | undefined
  /** What the client authorises itself with, to be passed on to a peer that is asked on its behalf. */
  readonly authorization: string | undefined
  /** By what logs call the request, to be passed on likewise. */
  readonly requestId: string | undefined
  /** Has the connection ended on which the answer would be sent? The client may have asked another replica since. */
  readonly isGone: () => boolean
  /** Aborted when the server is about to stop: what only waits is to be answered then. */
  readonly closing: AbortSignal
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,128}$/

const lineOf = ({ method, path }: Context): string => `${method} ${path}`

/**
 * What the key of a request stands for: also what its query says, in whichever order, and its body. A version that took no body has
 * remembered the line alone.
 */
const fingerprintOf = (ctx: Context, text: string | undefined): string => {
  const query = new URLSearchParams(ctx.querystring)
  query.sort()
  const line = query.size === 0 ? lineOf(ctx) : `${lineOf(ctx)}?${query}`
  return text === undefined ? line : `${line} ${hash('sha256', text)}`
}

export const requestOf = (
  ctx: Context,
  parameters: Readonly<Record<string, string | undefined>>,
  { fields, text }: Sent,
  caller: Caller | undefined,
  closing: AbortSignal,
  trace: string | undefined,
): Request => {
  const key = ctx.headers['idempotency-key']
  const token = ctx.headers['if-lock-token']
  // An empty one is none, and the client that sent it counts on one. Given twice they come joined by ", ".
  if (key !== undefined && !(typeof key === 'string' && IDEMPOTENCY_KEY.test(key)))
    throw new MalformedError(
      'Idempotency-Key',
      '"Idempotency-Key" must be 1 to 128 visible ASCII characters, and be given once',
    )
  return {
    parameter: (name) => parameters[name] ?? '',
    query: queryIn(ctx.querystring),
    body: fields,
    header: (name) => ctx.headers[name]?.toString(),
    fingerprint: key === undefined ? lineOf(ctx) : fingerprintOf(ctx, text),
    idempotencyKey: key === undefined ? undefined : keyOf(caller, key),
    lockToken: token === undefined ? undefined : lockTokenIn(token, caller),
    isGone: () => ctx.req.socket.destroyed || ctx.req.socket.readableEnded,
    closing,
    caller,
    owner: ownerOf(caller),
    doneBy: doneByOf(caller),
    trace,
    authorization: ctx.headers.authorization,
    requestId: ctx.get('x-request-id') || undefined,
  }
}
