/**
 * How is a request answered?
 *
 * A route returns an `Answer`. What it throws is answered by its kind, with a problem document: `MalformedError` 400,
 * `InvalidNameError` 422, `StaleLockTokenError` 412, `PeerError` 424, `UnavailableError` 503 with how the client can be sure of
 * the outcome, and anything else 500, a fault of the program, which is logged whole.
 */
import type { Context } from 'koa'
import type { Logger } from 'pino'
import { InvalidNameError, MalformedError, PeerError, StaleLockTokenError, UnavailableError } from '../errors.ts'
import { openTellings } from '../process/telling.ts'
import { traceIdIn } from '../process/tracing.ts'
import { isSeen } from './etag.ts'
import { type EventStream, openEventStream } from './event-stream.ts'
import { aboutRequest } from './operators.ts'
import { PROBLEM_TYPE, type Problem, RETRY_AFTER_S } from './problem.ts'
import { internal, invalidName, malformed, notDone, peerUnavailable, staleLockToken, unavailable } from './problems.ts'
import { type Check, listed, notReady } from './readiness.ts'

/**
 * What a route answers: a text, a JSON value, nothing but that it is done, events as they come, or a problem; with headers if it
 * needs some. Where they have an `ETag`, a client that has seen this already is told so (304).
 */
export type Answer =
  | { readonly text: string; readonly status?: 201 | 202; readonly headers?: Record<string, string> }
  | { readonly json: unknown; readonly status?: 200 | 201 | 202; readonly headers?: Record<string, string> }
  | { readonly empty: 204; readonly headers?: Record<string, string> }
  | { readonly events: (stream: EventStream) => void; readonly headers?: Record<string, string> }
  | { readonly problem: Problem; readonly headers?: Record<string, string> }

/** By which log id the entries of what was done are found. */
export const LOG_ID_HEADER = 'X-Log-Id'
/** The headers of what was done under this log id: none, if it is not known. */
export const bearing = (logId: string): Record<string, string> => (logId === '' ? {} : { [LOG_ID_HEADER]: logId })

/** The headers of an answer whose client may soon ask again. */
export const AGAIN: { readonly 'Retry-After': string } = { 'Retry-After': RETRY_AFTER_S }

/** What is known of a request once a route has taken it: in which form its client reads what was refused. */
type Asked = { readonly route?: { readonly error?: 'sentence' | 'word' } }

const errorOf = ({ state }: Context, { type, detail }: Problem): { readonly error?: string } => {
  const { route }: Asked = state
  if (route?.error === undefined) return {}
  return { error: route.error === 'sentence' ? detail : type.replace(/^.*:/, '').replaceAll('-', '_') }
}

export const sendProblem = (ctx: Context, document: Problem): void => {
  ctx.status = document.status
  ctx.type = PROBLEM_TYPE
  // By this it is found among the traces; of what is not sampled nothing is told.
  const trace_id = traceIdIn(ctx.headers.traceparent)
  ctx.body = JSON.stringify({ ...document, ...errorOf(ctx, document), trace_id })
}

/** Answers with events, for as long as there are any and the client reads them. */
const sendEvents = (ctx: Context, begin: (stream: EventStream) => void): void => {
  const { stream, body } = openEventStream()
  ctx.set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' })
  ctx.body = body
  // One that does not read is not told: its connection ends.
  stream.onClose(() => ctx.res.writableEnded || ctx.res.destroy())
  begin(stream)
}

/** Koa's own `fresh` takes `Cache-Control: no-cache`, which `fetch` adds to `If-None-Match`, for the wish to have all of it. */
const isNotModified = ({ method, status, headers }: Context, etag: string | undefined): boolean => {
  const { 'if-none-match': ifNoneMatch } = headers
  const isRead = (method === 'GET' || method === 'HEAD') && status >= 200 && status < 300
  return isRead && etag !== undefined && ifNoneMatch !== undefined && isSeen(ifNoneMatch, etag)
}

export const send = (ctx: Context, answer: Answer): void => {
  // Koa's own way takes three times as long: it makes lists of names and values, and looks the type up.
  const { res } = ctx
  for (const name in answer.headers) res.setHeader(name, answer.headers[name] ?? '')
  if ('problem' in answer) return sendProblem(ctx, answer.problem)
  if ('events' in answer) return sendEvents(ctx, answer.events)
  if ('empty' in answer) {
    ctx.status = answer.empty
    return
  }
  ctx.status = answer.status ?? 200
  if (isNotModified(ctx, answer.headers?.ETag)) {
    ctx.status = 304
    return
  }
  if ('text' in answer) {
    res.setHeader('Content-Type', 'text/plain; charset=utf-8')
    ctx.body = answer.text
  } else {
    res.setHeader('Content-Type', 'application/json; charset=utf-8')
    ctx.body = JSON.stringify(answer.json)
  }
}

/** How the client can be sure, where it is not known whether it was done. */
const beSure = ({ method, headers }: Context): string => {
  if (method === 'GET' || method === 'HEAD') return 'ask again'
  const unknown = 'it may or may not have been done, in whole or in part'
  if (headers['idempotency-key'] !== undefined)
    return `${unknown}: send it again under the same Idempotency-Key, and it has one effect`
  return `${unknown}: look before you send it again; under an Idempotency-Key it could be sent again and have one effect`
}

const sendUnavailable = (ctx: Context, error: UnavailableError, shownAt: string | undefined): void => {
  ctx.set('Retry-After', RETRY_AFTER_S)
  // Under a key it may have been done before, when it was sent first.
  if (error.nothingDone && ctx.headers['idempotency-key'] === undefined) return sendProblem(ctx, notDone(error.message))
  const where = error.location ?? shownAt
  if (where !== undefined) ctx.set('Location', where)
  // An error that names a place has said how to be sure.
  sendProblem(ctx, unavailable(error.location === undefined ? `${error.message}; ${beSure(ctx)}` : error.message))
}

/**
 * Answers what a route threw. What is of none of the known kinds is a fault of the program: logged whole, answered 500. While
 * something is away each request fails for it: of those that say the same, one a second is logged.
 * @param shownAt the path that shows what the request changes
 */
export const openSendError = (log: Logger) => {
  const tell = openTellings(log)
  return (ctx: Context, error: unknown, shownAt: string | undefined): void => {
    if (error instanceof MalformedError) return sendProblem(ctx, malformed(error.field, error.message))
    if (error instanceof InvalidNameError) return sendProblem(ctx, invalidName(error.field, error.message))
    if (error instanceof StaleLockTokenError) return sendProblem(ctx, staleLockToken(error.newest))
    if (error instanceof PeerError) {
      tell(error.message, { err: error.cause, ...aboutRequest(ctx) })
      return sendProblem(ctx, peerUnavailable(error.message))
    }
    if (error instanceof UnavailableError) {
      tell(error.message, { err: error.cause, ...aboutRequest(ctx) })
      return sendUnavailable(ctx, error, shownAt)
    }
    log.error({ err: error, ...aboutRequest(ctx) }, 'a route failed')
    sendProblem(ctx, internal(beSure(ctx)))
  }
}

/** What `/ready` answers. */
export const readiness = (checks: readonly Check[], isVerbose: boolean): Answer => {
  const found = notReady(checks, isVerbose)
  if (found) return { problem: found }
  return isVerbose ? { json: { ready: true, checks: listed(checks) } } : { text: 'ready' }
}
