/**
 * How does a service's HTTP server start, serve and stop?
 *
 * It is one Koa app. The server is *open* (requests are served), *draining* (a request that comes now is turned away before it
 * has any effect, with 503 and `X-Not-Started`, so that the gateway may send it to another replica whatever its method; requests
 * in flight are finished, those that only wait at once) or *closed*. `/live` answers while the process runs; `/ready` answers 200
 * only while the server is open and everything the service needs is reachable. `/metrics` is answered as `/live` is, to
 * operators.
 */

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import Koa from 'koa'
import type { Logger } from 'pino'
import { type Metrics, noMetrics } from '../metrics/metrics.ts'
import type { Auth } from '../process/auth.ts'
import { sampledIn, type Tracing } from '../process/tracing.ts'
import { LOG_ID_HEADER, openSendError, readiness, send, sendProblem } from './answer.ts'
import { openAnswered, type Taken } from './answered.ts'
import { type Authorisation, openAuthorisation } from './authorisation.ts'
import { readBody } from './body.ts'
import { ADDRESS_HEADER } from './caller.ts'
import { connectionServer, isOver } from './connections.ts'
import { aboutRequest, SECRET_MARK_HEADER, secretMark, TOKEN_MARK_HEADER, tokenMark } from './operators.ts'
import { doneByOf } from './owner.ts'
import { NOT_STARTED_HEADER, RETRY_AFTER_S } from './problem.ts'
import { draining, featureOff, methodNotAllowed, noRoom, noSuchRoute } from './problems.ts'
import { faultOfQuery, queryIn } from './query.ts'
import type { Check } from './readiness.ts'
import { requestOf } from './request.ts'
import { type Route, takesRoom } from './route.ts'
import { type Handle, openRouting, type Routing } from './routing.ts'
import { answerScrape, isScrape } from './scrape.ts'
import { openVisitors } from './visitors.ts'

export type HttpServer = {
  readonly port: number
  /** Stops taking requests, finishes those in flight within `FINISH_MS`, and closes. */
  readonly close: () => Promise<void>
}

export type HttpServerOptions = {
  readonly service: string
  readonly port: number
  readonly host: string
  readonly routes: readonly Route[]
  /** What `/ready` tells. */
  readonly checks: () => readonly Check[]
  /** Is a feature switched off? */
  readonly isOff?: (feature: string) => boolean
  /** Is there no room for anything new? */
  readonly isFull?: () => boolean
  /** Default: open. */
  readonly auth?: Auth
  /** What the gateway and the peers bear, where tokens are wanted. */
  readonly gatewaySecret?: string
  /** `''` leaves the operators' routes open. */
  readonly operatorToken: string
  /** How long it drains before it closes, so that the gateway has seen that it is no longer ready. */
  readonly drainMs: number
  /** Default: nothing is measured. */
  readonly metrics?: Metrics
  /** One in how many requests is logged, besides what is remarkable; 0, the default: none. */
  readonly logOneIn?: number
  readonly tracing?: Tracing | undefined
  readonly log: Logger
}

/** What comes of an answer whose client has gone, as those of events always do. */
const CLIENT_GONE: readonly string[] = ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE']
/** How long requests in flight may take once no new ones are taken. */
const FINISH_MS = 8_000
/** How often connections are looked for whose last request has ended meanwhile. */
const IDLE_SWEEP_MS = 50
/** Longer than any gateway in front keeps an idle connection, or resets would race with requests. */
const KEEP_ALIVE_MS = 65_000
/** Gateways keep some ten thousand connections each, where so many clients wait. */
const CONNECTIONS_MAX = 20_000

/** There is room again when entries are trimmed, or an operator makes some. */
const NO_ROOM_RETRY_AFTER_S = '10'

const DRAINING: readonly Check[] = [{ name: 'server', grade: 'blocks', wrong: 'draining' }]

type Context = Koa.ParameterizedContext<Taken> & { readonly params?: Readonly<Record<string, string>> }

const turnAway = (ctx: Context): void => {
  ctx.set({ Connection: 'close', 'Retry-After': RETRY_AFTER_S, [NOT_STARTED_HEADER]: 'draining' })
  sendProblem(ctx, draining())
}

/** The gateway tells its clients itself which request it was, what time it is and that the connection is kept: to it this is not said. */
const head = (ctx: Context): void => {
  const { 'x-request-id': requestId, [ADDRESS_HEADER]: address } = ctx.headers
  // What is shown is its client's alone, and may be another thing a moment later: nobody keeps it, unless a route says otherwise.
  if (ctx.method === 'GET' || ctx.method === 'HEAD') ctx.res.setHeader('Cache-Control', 'no-store')
  if (address !== undefined) {
    ctx.res.sendDate = false
    ctx.res.removeHeader('Connection')
  } else if (typeof requestId === 'string') ctx.set('X-Request-Id', requestId)
}

/** Where what the request changes can be seen: the path that its route names, with the parameters of its own, which were decoded. */
const shownAt = ({ state, params }: Context): string | undefined =>
  state.route?.shownAt?.replace(/:(\w+)/g, (_, name) => encodeURIComponent(params?.[name] ?? ''))

/** A sampled request goes on with a span of this process, if anybody is told of spans. */
const traceOf = (ctx: Context, { method, path }: Route, tracing: Tracing | undefined): string | undefined => {
  const trace = sampledIn(ctx.headers.traceparent)
  if (trace === undefined || tracing === undefined) return trace
  const attributes = { 'http.request.method': method, 'http.route': path }
  ctx.state.span = tracing.start('server', `${method} ${path}`, trace, attributes)
  return ctx.state.span.trace
}

/** What a route does with its requests. */
const handling =
  (
    { isOff = () => false, isFull = () => false, tracing }: Pick<HttpServerOptions, 'isOff' | 'isFull' | 'tracing'>,
    authorisation: Authorisation,
    closing: AbortSignal,
  ) =>
  (route: Route): Handle => {
    const isNew = takesRoom(route)
    return async (ctx) => {
      const admitted = authorisation.admit(ctx, route.scope)
      if ('problem' in admitted) return sendProblem(ctx, admitted.problem)
      ctx.state.route = route
      ctx.state.doneBy = doneByOf(admitted.caller)
      if (route.feature !== undefined && isOff(route.feature)) {
        ctx.set('Retry-After', RETRY_AFTER_S)
        return sendProblem(ctx, featureOff(route.feature))
      }
      if (isNew && isFull()) {
        ctx.set('Retry-After', NO_ROOM_RETRY_AFTER_S)
        return sendProblem(ctx, noRoom())
      }
      const trace = traceOf(ctx, route, tracing)
      const sent = await readBody(ctx, route.body)
      if (isOver(ctx.req)) return
      if ('problem' in sent) return sendProblem(ctx, sent.problem)
      send(ctx, await route.handler(requestOf(ctx, ctx.params, sent, admitted.caller, closing, trace)))
    }
  }

/** Answers for paths and methods that no route takes. */
const refuseOthers =
  (service: string, { methodsOf, meantBy }: Pick<Routing, 'methodsOf' | 'meantBy'>): Koa.Middleware<Taken> =>
  (ctx) => {
    const { path } = ctx
    const allowed = methodsOf(path).join(', ')
    if (allowed === '') return sendProblem(ctx, noSuchRoute(service, path, meantBy(path)))
    ctx.set('Allow', allowed)
    sendProblem(ctx, methodNotAllowed(path, allowed))
  }

/** What the server does at the moment: requests pass `guard` first. */
type Traffic = { readonly closing: AbortController; inFlight: number }

/** Lets a request in, or answers it before it reaches a route; answers what a route throws, and has told what was answered. */
const guard = (options: HttpServerOptions, authorisation: Authorisation, traffic: Traffic): Koa.Middleware<Taken> => {
  const { host, checks, operatorToken, auth, gatewaySecret = '', metrics = noMetrics, log } = options
  const answered = openAnswered(options)
  const sendError = openSendError(log)
  // Pages are let in by the gateway, if at all, which sends no word of them.
  const visitors = openVisitors(host)
  const marks = {
    [TOKEN_MARK_HEADER]: tokenMark(operatorToken),
    [SECRET_MARK_HEADER]: secretMark(auth === 'jwt' ? gatewaySecret : ''),
  }

  const visitorFaultOf = (ctx: Context) => {
    const { host: asked = '', origin, 'sec-fetch-site': site } = ctx.headers
    return visitors.faultOf(ctx.method, { asked, origin, site })
  }
  const sendReadiness = (ctx: Context): void => {
    ctx.set(marks)
    const query = queryIn(ctx.querystring)
    const fault = faultOfQuery(query, ['verbose'])
    if (fault) return sendProblem(ctx, fault)
    send(ctx, readiness(traffic.closing.signal.aborted ? DRAINING : checks(), query.has('verbose')))
  }
  const sendLiveness = (ctx: Context): void => {
    const fault = faultOfQuery(queryIn(ctx.querystring), [])
    if (fault) sendProblem(ctx, fault)
    else send(ctx, { text: 'live' })
  }
  return async (ctx, next) => {
    head(ctx)
    const fault = visitorFaultOf(ctx)
    if (fault) return sendProblem(ctx, fault)
    if (ctx.path === '/live') return sendLiveness(ctx)
    if (ctx.path === '/ready') return sendReadiness(ctx)
    if (isScrape(ctx)) return answerScrape(ctx, authorisation, metrics)
    const refusal = authorisation.refuse(ctx)
    if (refusal) return sendProblem(ctx, refusal)
    if (traffic.closing.signal.aborted) return turnAway(ctx)
    traffic.inFlight += 1
    const beganAt = performance.now()
    try {
      await next()
    } catch (error) {
      sendError(ctx, error, shownAt(ctx))
    } finally {
      traffic.inFlight -= 1
      ctx.state.span?.end({ 'http.response.status_code': ctx.status, 'shop.log_id': ctx.response.get(LOG_ID_HEADER) })
      answered(ctx, performance.now() - beganAt)
    }
  }
}

const appOf = (options: HttpServerOptions, traffic: Traffic): Koa<Taken> => {
  const { service, routes, log } = options
  const app = new Koa<Taken>()
  app.on('error', (error: NodeJS.ErrnoException, ctx: Koa.Context) => {
    if (!CLIENT_GONE.includes(error.code ?? '')) log.error({ err: error, ...aboutRequest(ctx) }, 'a response failed')
  })
  const authorisation = openAuthorisation(options)
  const routing = openRouting(routes, handling(options, authorisation, traffic.closing.signal))
  app.use(guard(options, authorisation, traffic))
  app.use(routing.middleware)
  app.use(refuseOthers(service, routing))
  return app
}

/** Opens the server of a service: resolves once it listens. @throws the listener's error, for instance EADDRINUSE. */
export const openServer = async (options: HttpServerOptions): Promise<HttpServer> => {
  const { port, host, drainMs, log } = options
  const traffic: Traffic = { closing: new AbortController(), inFlight: 0 }
  const server: Server = connectionServer({
    http: { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: 10_000, requestTimeout: 30_000 },
    // A client has gone when it ends the connection: `isGone` goes by it.
    halfOpen: false,
    most: CONNECTIONS_MAX,
    mostPerAddress: CONNECTIONS_MAX,
    serve: appOf(options, traffic).callback(),
    log,
  })
  server.listen(port, host)
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      traffic.closing.abort()
      await after(drainMs)
      const closed = once(server, 'close')
      server.close()
      const sweeper = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS)
      const timeout = AbortSignal.timeout(FINISH_MS)
      timeout.addEventListener('abort', () => server.closeAllConnections())
      await closed
      clearInterval(sweeper)
      log.info({ inFlight: traffic.inFlight }, 'closed to requests')
    },
  }
}
