/**
 * How does a Koa app start, fail, answer and stop?
 *
 * Every service is one Koa app behind one `Door`. The door is *open* (requests are served), *draining* (a request that
 * comes now is turned away before it has any effect, with 503 and `X-Not-Started`, so that whoever sits in front may send
 * it to another replica whatever its method; requests already inside are finished) or *closed*. `/live` answers while the
 * process runs; `/ready` answers 200 only while the door is open and everything the service needs is reachable.
 *
 * Routes return an `Answer`; whatever they throw is told as a problem document of RFC 9457.
 */

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import Router from '@koa/router'
import Koa from 'koa'
import type { Logger } from 'pino'
import { IDENTIFIER_FORM, isIdentifier } from '../contract/events.ts'
import {
  MalformedError,
  NeighbourError,
  NOT_STARTED_HEADER,
  type Problem,
  problem,
  UnavailableError,
} from '../errors.ts'
import { connectionServer, isOver } from './connections.ts'
import { aboutRequest, openOperators, TOKEN_MARK_HEADER, tokenMark } from './operators.ts'
import { type Check, listed, notReady } from './readiness.ts'
import { openVisitors } from './visitors.ts'

/** What a route answers: a text, a JSON value, or a problem; with headers if it needs some. */
export type Answer =
  | { readonly text: string; readonly headers?: Record<string, string> }
  | { readonly json: unknown; readonly headers?: Record<string, string> }
  | { readonly problem: Problem; readonly headers?: Record<string, string> }

/** What a route is given of its request. `parameter` throws `MalformedError` where the path lacks one. */
export type Request = {
  readonly parameter: (name: string) => string
  readonly query: (name: string) => string | undefined
  /** The request in one line, as it is compared under an `Idempotency-Key`. */
  readonly fingerprint: string
  readonly idempotencyKey: string | undefined
  /** What the client authorises itself with, to be passed on to a neighbour that is asked on its behalf. */
  readonly authorization: string | undefined
  /** By what logs call the request, to be passed on likewise. */
  readonly requestId: string | undefined
  /** Has the connection ended on which the answer would be sent? Whoever asked may have asked somebody else since. */
  readonly isGone: () => boolean
}

export type Handler = (request: Request) => Promise<Answer>

/** One row of a service's routes. An operator's route wants `OPERATOR_TOKEN` as a bearer token once that is set. */
export type Route = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly handler: Handler
  readonly operator?: boolean
  /** The path that shows what this one changes, with the same parameters: there a client looks whether it was done. */
  readonly shownAt?: string
}

/** By which log id the entries of what was done are found. */
export const LOG_ID_HEADER = 'X-Log-Id'

const INTEGER = /^(0|[1-9]\d{0,15})$/
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,128}$/

/** An identifier in a path. @throws MalformedError naming the field. */
export const identifier = (request: Request, field: string): string => {
  const value = request.parameter(field)
  if (!isIdentifier(value)) throw new MalformedError(field, `"${field}" must be ${IDENTIFIER_FORM}`)
  return value
}

/** An integer in a path, never rounded. @throws MalformedError naming the field. */
export const amount = (request: Request, field: string, bounds: { min: number; max?: number }): number =>
  parseAmount(request.parameter(field), field, bounds)

/** An integer written in decimal digits, without sign, point, exponent or leading zero. @throws MalformedError */
export const parseAmount = (
  value: string,
  field: string,
  { min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number },
): number => {
  const number = Number(value)
  if (!INTEGER.test(value) || number < min || number > max)
    throw new MalformedError(field, `"${field}" must be an integer from ${min} to ${max}`)
  return number
}

/** The refusal of an `Idempotency-Key` that was used for another request. */
export const keyReused: Answer = {
  problem: problem(
    422,
    'idempotency-key-reused',
    'Idempotency-Key was used for another request',
    'send this request under a key of its own',
  ),
}

const sendProblem = (ctx: Koa.Context, document: Problem): void => {
  ctx.status = document.status
  ctx.type = 'application/problem+json'
  ctx.body = JSON.stringify(document)
}

const send = (ctx: Koa.Context, answer: Answer): void => {
  if (answer.headers) ctx.set(answer.headers)
  if ('problem' in answer) return sendProblem(ctx, answer.problem)
  ctx.status = 200
  if ('text' in answer) {
    ctx.type = 'text/plain; charset=utf-8'
    ctx.body = answer.text
  } else {
    ctx.type = 'application/json; charset=utf-8'
    ctx.body = JSON.stringify(answer.json)
  }
}

const RETRY_AFTER_S = '1'

/** How whoever asked can be sure, where it is not known whether it was done. */
const beSure = ({ method, headers }: Koa.Context): string => {
  if (method === 'GET' || method === 'HEAD') return 'ask again'
  const unknown = 'it may or may not have been done, in whole or in part'
  if (headers['idempotency-key'] !== undefined)
    return `${unknown}: send it again under the same Idempotency-Key, and it has one effect`
  return `${unknown}: look before you send it again; under an Idempotency-Key it could be sent again and have one effect`
}

/** Where to look: what the route says, with the parameters of its path. */
const whereToLook = ({ state, params }: Koa.Context & { params?: Record<string, string> }): string | undefined =>
  (state.shownAt as string | undefined)?.replace(/:(\w+)/g, (_, name) => params?.[name] ?? '')

const sendUnavailable = (ctx: Koa.Context, error: UnavailableError): void => {
  ctx.set('Retry-After', RETRY_AFTER_S)
  // Under a key it may have been done before, when it was sent first.
  if (error.nothingDone && ctx.headers['idempotency-key'] === undefined)
    return sendProblem(
      ctx,
      problem(503, 'not-done', 'Nothing was done', `${error.message}; nothing was done, send it again later`),
    )
  const where = error.location ?? whereToLook(ctx)
  if (where !== undefined) ctx.set('Location', where)
  // Who says where to ask has said how to be sure.
  const detail = error.location === undefined ? `${error.message}; ${beSure(ctx)}` : error.message
  sendProblem(ctx, problem(503, 'unavailable', 'The outcome cannot be known now', detail))
}

/** Tells what a route threw. What is none of the known kinds is a fault of the program: logged whole, told as 500. */
const sendError = (ctx: Koa.Context, error: unknown, log: Logger): void => {
  if (error instanceof MalformedError)
    return sendProblem(
      ctx,
      problem(400, 'malformed', 'The request is malformed', error.message, { field: error.field }),
    )
  if (error instanceof NeighbourError) {
    log.warn({ err: error.cause, ...aboutRequest(ctx) }, error.message)
    return sendProblem(
      ctx,
      problem(
        424,
        'neighbour-unavailable',
        'A service that had to be asked does not answer',
        `${error.message}; nothing was done`,
      ),
    )
  }
  if (error instanceof UnavailableError) {
    log.warn({ err: error.cause, ...aboutRequest(ctx) }, error.message)
    return sendUnavailable(ctx, error)
  }
  log.error({ err: error, ...aboutRequest(ctx) }, 'a route failed')
  const detail = `this is a fault of the service; it was logged; ${beSure(ctx)}`
  sendProblem(ctx, problem(500, 'internal', 'The service failed', detail))
}

/**
 * Tells what was answered: what operators had done, and what was not done in time; at the level `debug` everything. It names the
 * log id of what was begun, so that a request leads to its entries.
 */
const tellAnswer = (ctx: Koa.Context, log: Logger): void => {
  const isTold = ctx.state.isVerb === true || ctx.status === 424
  if (!isTold && !log.isLevelEnabled('debug')) return
  const log_id = ctx.response.get(LOG_ID_HEADER) || undefined
  log[isTold ? 'info' : 'debug']({ ...aboutRequest(ctx), status: ctx.status, log_id }, 'answered')
}

const DRAINING: readonly Check[] = [{ name: 'door', grade: 'blocks', wrong: 'draining' }]

const readiness = (checks: readonly Check[], isVerbose: boolean): Answer => {
  const found = notReady(checks, isVerbose)
  if (found) return { problem: found }
  return isVerbose ? { json: { ready: true, checks: listed(checks) } } : { text: 'ready' }
}

/** No route takes a body: an absent one, an empty one and an empty JSON value pass. */
const BODY_MAX_BYTES = 1_024
const refuseBody = async (ctx: Koa.Context): Promise<void> => {
  if (ctx.headers['transfer-encoding'] === undefined && (ctx.headers['content-length'] ?? '0') === '0') return
  let body = ''
  // Read to its end, or the connection breaks before the answer; kept no further than it may be long.
  for await (const chunk of ctx.req.setEncoding('utf8')) if (body.length <= BODY_MAX_BYTES) body += chunk
  if (body.length > BODY_MAX_BYTES || !/^\s*(\{\s*\}|null|""|)\s*$/.test(body))
    throw new MalformedError('body', 'this route takes no body')
}

const requestOf = (ctx: Koa.Context, parameters: Record<string, string | undefined>): Request => {
  const key = ctx.headers['idempotency-key']
  // An empty one is none, and whoever sent it counts on one. Given twice they come joined by ", ".
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

export type Door = {
  readonly port: number
  /** Stops taking requests, finishes those inside within `finishMs`, and closes. */
  readonly close: () => Promise<void>
}

export type DoorOptions = {
  readonly service: string
  readonly port: number
  readonly host: string
  readonly routes: readonly Route[]
  /** What `/ready` tells. */
  readonly checks: () => readonly Check[]
  /** `''` leaves the operators' routes open. */
  readonly operatorToken: string
  /** How long the door stays in `draining`, so that whoever sits in front has seen that it is no longer ready. */
  readonly drainMs: number
  readonly log: Logger
}

/** How long requests inside may take once the door has stopped taking new ones. */
const FINISH_MS = 8_000
/** How often connections are looked for whose last request has ended meanwhile. */
const IDLE_SWEEP_MS = 50
/** Longer than any gateway in front keeps an idle connection, or resets would race with requests. */
const KEEP_ALIVE_MS = 65_000
/** Gateways and neighbours keep some thousand connections each. */
const CONNECTIONS_MAX = 10_000

/** Opens the door of a service: resolves once it listens. @throws the listener's error, for instance EADDRINUSE. */
export const openDoor = async (options: DoorOptions): Promise<Door> => {
  const { service, routes, checks, operatorToken, drainMs, log } = options
  // Pages are let in by the gateway, if at all, which does not tell of them.
  const visitors = openVisitors(options.host)
  const mark = tokenMark(operatorToken)
  let draining = false
  let inside = 0

  const app = new Koa()
  app.on('error', (error: NodeJS.ErrnoException, ctx: Koa.Context) => {
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE' && error.code !== 'ECONNABORTED')
      log.error({ err: error, ...aboutRequest(ctx) }, 'a response failed')
  })

  app.use(async (ctx, next) => {
    const requestId = ctx.headers['x-request-id']
    if (typeof requestId === 'string') ctx.set('X-Request-Id', requestId)
    const { host = '', origin, 'sec-fetch-site': site } = ctx.headers
    const stranger = visitors.faultOf(ctx.method, { asked: host, origin, site })
    if (stranger) return sendProblem(ctx, stranger)
    if (ctx.path === '/live') return send(ctx, { text: 'live' })
    if (ctx.path === '/ready') {
      ctx.set(TOKEN_MARK_HEADER, mark)
      return send(ctx, readiness(draining ? DRAINING : checks(), ctx.query.verbose !== undefined))
    }
    if (draining) {
      ctx.set({ Connection: 'close', 'Retry-After': RETRY_AFTER_S, [NOT_STARTED_HEADER]: 'draining' })
      return sendProblem(
        ctx,
        problem(503, 'draining', 'This replica is stopping', 'nothing was done; send the request again'),
      )
    }
    inside += 1
    try {
      await next()
    } catch (error) {
      sendError(ctx, error, log)
    } finally {
      inside -= 1
      tellAnswer(ctx, log)
    }
  })

  const operators = openOperators(operatorToken, log)
  // One path, one spelling: whoever sits in front must not take it for another route.
  const router = new Router({ sensitive: true, strict: true })
  for (const { method, path, handler, operator, shownAt } of routes)
    router.register(path, [method], async (ctx: Koa.Context & { params: Record<string, string> }) => {
      const stranger = operator ? operators.refuse(ctx) : undefined
      if (stranger) return sendProblem(ctx, stranger)
      ctx.state.isVerb = operator && method === 'POST'
      await refuseBody(ctx)
      if (isOver(ctx.req)) return
      ctx.state.shownAt = shownAt
      send(ctx, await handler(requestOf(ctx, ctx.params)))
    })
  app.use(router.routes())
  app.use((ctx) => {
    const allowed = [
      ...new Set(
        routes
          .filter(({ path }) => router.match(ctx.path, 'GET').path.some((layer) => layer.path === path))
          .map(({ method }) => method),
      ),
    ]
    if (allowed.length === 0)
      return sendProblem(ctx, problem(404, 'no-such-route', 'No such route', `${service} has no ${ctx.path}`))
    ctx.set('Allow', allowed.join(', '))
    sendProblem(
      ctx,
      problem(405, 'method-not-allowed', 'Method not allowed', `${ctx.path} takes ${allowed.join(', ')}`),
    )
  })

  const server: Server = connectionServer({
    http: { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: 10_000, requestTimeout: 30_000 },
    // Whoever asks has gone when he ends the connection: `isGone` goes by it.
    halfOpen: false,
    most: CONNECTIONS_MAX,
    mostPerAddress: CONNECTIONS_MAX,
    serve: app.callback(),
    log,
  })
  server.listen(options.port, options.host)
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      draining = true
      await after(drainMs)
      const closed = once(server, 'close')
      server.close()
      const sweeper = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS)
      const patience = AbortSignal.timeout(FINISH_MS)
      patience.addEventListener('abort', () => server.closeAllConnections())
      await closed
      clearInterval(sweeper)
      log.info({ inside }, 'door closed')
    },
  }
}
