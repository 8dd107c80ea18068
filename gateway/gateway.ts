/**
 * What comes in at the one entrance, and where does it go?
 *
 * The first segment of the path names the service; the path goes on unchanged. `GET /live` and `GET /ready` are the gateway's own:
 * ready means that it is not stopping and that every service has a ready replica; `?verbose` lists that, and whether all services
 * want the same operator token. What can be asked is told at `/docs`, and what happens in the shop is shown at `/`.
 *
 * Bounds: a URL of 8 KiB (414), headers of 16 KiB (431), a body of 64 KiB (413), 10 s for a client to send the headers and 30 s for
 * all of a request (408); and those of `shared/http/connections.ts`. A client may end its side of the connection once it has asked: it
 * gets its answer.
 *
 * Closing: `/ready` says no at once, while everything is served for `drainMs` more, each answer with `Connection: close`, so that
 * clients go elsewhere of their own accord; then nothing new is accepted, and what is in flight is finished. Streams of events end at
 * once, and so does what waits for something to happen: see `proxy/waits.ts`.
 */

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Service } from '../shared/contract/services.ts'
import { connectionServer, type Serve } from '../shared/http/connections.ts'
import { secretMark } from '../shared/http/operators.ts'
import { openVisitors, type Visitors } from '../shared/http/visitors.ts'
import { type Metrics, noMetrics } from '../shared/metrics/metrics.ts'
import type { CrashPoints } from '../shared/process/crash-points.ts'
import type { Step } from '../shared/process/step.ts'
import { type AdmissionOptions, openAdmission, stillHoldsBy } from './admission.ts'
import { CONSOLE_PATHS } from './console/console.ts'
import type { Launcher } from './console/demo.ts'
import { isPreflight, sendPreflight, showTo } from './cors.ts'
import { contractPaths, OLD_DOCS } from './docs/docs.ts'
import { addressOf, type Proxies, proxiesIn } from './limits/address.ts'
import { type Measure, openMeasure, openResent } from './metrics.ts'
import { type Marked, openOperatorTokens } from './operator-tokens.ts'
import { openOwnRoutes } from './own-routes.ts'
import { sendProblem, uriTooLong } from './proxy/answers.ts'
import { openForward, refuseWith } from './proxy/forward.ts'
import { passRequest } from './proxy/headers.ts'
import { faultOf, targetOf } from './proxy/malformed.ts'
import { type Lookup, ReplicaSet, systemLookup } from './proxy/replica-set.ts'
import { noneSampled, type Sample } from './proxy/sampling.ts'
import { Streams } from './proxy/streams.ts'
import { openRouteNames } from './route-names.ts'

/**
 * The services, by the first segment of their paths. The service that knows the saga answers what concerns the whole shop; what
 * form clients ask under `api` is about orders. Locks are asked for by names of their own, also as clients of older lock services
 * know them.
 */
const ROUTES = {
  orders: 'order',
  payment: 'payment',
  stock: 'stock',
  ids: 'ids',
  locks: 'ids',
  elections: 'ids',
  jobs: 'ids',
  lock: 'ids',
  unlock: 'ids',
  v1: 'ids',
  audit: 'order',
  api: 'order',
} as const satisfies Readonly<Record<string, Service>>

const URL_MAX_BYTES = 8_192
const HEADERS_MAX_BYTES = 16_384
/** Like a service's: longer than any balancer in front keeps an idle connection. */
const KEEP_ALIVE_MS = 65_000
/** A connection on which nothing moves for this long beyond the longest reply is a client that does not read. */
const IDLE_CLIENT_MS = 30_000
/** How long closing may take, draining included, before what is still in flight is broken off. */
const CLOSE_MAX_MS = 9_000
const CONNECTIONS_CHECK_MS = 1_000
/**
 * How many checkouts may wait for a service, and how many others. A request waits on a connection of its own, and costs some KiB;
 * half as many of each kind as there may be connections leave room for the other kind.
 */
const WAITING_MAX = 10_000

export type GatewayOptions = AdmissionOptions & {
  readonly port: number
  readonly host: string
  /** The origins of each service's replicas. */
  readonly origins: Readonly<Record<Service, readonly string[]>>
  readonly timeoutMs: number
  readonly waitMs: number
  readonly drainMs: number
  readonly step: Step
  /** Which requests are traced; default: none. */
  readonly sample?: Sample
  /** Only in tests and drills. */
  readonly crashPoints?: CrashPoints | undefined
  readonly log: Logger
  /** Who may ask from a browser, and by which names; default: no foreign page, by every name. */
  readonly visitors?: Visitors
  /** Whose word is taken on where a client is. */
  readonly proxies?: Proxies
  readonly lookup?: Lookup
  /** What may harm the shop for show: see `console/demo.ts`. */
  readonly launcher?: Launcher | undefined
  /** For tests: how many checkouts may wait, and how many others for each service. */
  readonly waitingMax?: number
  /** For tests: how many requests that are held for long a replica may have at once. */
  readonly longMax?: number
  /** What an operator bears; `''`, the default: nothing that the gateway knows. */
  readonly operatorToken?: string
  /** Default: nothing is measured. */
  readonly metrics?: Metrics
  /** One in how many requests is logged; 0, the default: none. */
  readonly logOneIn?: number
  /** How long a client may take to send its headers. */
  readonly headersTimeoutMs?: number
  /** How long a client may take to send a whole request. */
  readonly requestTimeoutMs?: number
  /** How many connections clients may have, in all and from one address. */
  readonly connectionsMax?: number
  readonly connectionsPerAddress?: number
  /** For tests: how many pipelined requests may wait in all. */
  readonly pipelinedMost?: number
}

export type Gateway = {
  readonly port: number
  /** Drains, finishes what is in flight, and closes. */
  readonly close: () => Promise<void>
}

/** Opens the gateway: resolves once it listens. @throws the listener's error, for instance EADDRINUSE. */
export const openGateway = async (options: GatewayOptions): Promise<Gateway> => {
  const { timeoutMs, waitMs, drainMs, crashPoints, log } = options
  const { visitors = openVisitors(''), proxies = proxiesIn([]) } = options
  const placeOf = (connected: string, forwardedFor: string | undefined) => addressOf(connected, forwardedFor, proxies)
  let draining = false
  const isDraining = () => draining
  const { services, tokens } = openServices(options)
  const routes = new Map(Object.entries(ROUTES).map(([segment, name]) => [segment, services.get(name)]))
  const streams = new Streams(stillHoldsBy(options))
  const resent = openResent(options.metrics ?? noMetrics)
  const forward = openForward(
    { timeoutMs, waitMs, isDraining, streams, resent, crashPoints, log },
    options.sample ?? noneSampled,
  )
  const own = openOwnRoutes({ ...options, services, segments: new Set(routes.keys()), tokens, isDraining })
  const measure = await openMeasureOf(options)

  const serve: Serve = (request, response) => {
    const target = targetOf(request.url ?? '/')
    const passed = passRequest(request, target.authority, placeOf)
    const { requestId } = passed
    measure?.(request, response, target.path, requestId)
    const fault = faultOf(request, target, passed)
    if (fault !== undefined) return refuseWith(request, response, fault, requestId)
    const { path } = target
    const refusal = visitors.faultOf(request.method ?? '', passed)
    if (refusal !== undefined) return sendProblem(response, refusal, requestId)
    if (passed.origin !== undefined) {
      if (isPreflight(request)) return sendPreflight(response, passed.origin, visitors, requestId)
      showTo(response, passed.origin, visitors)
    }
    if (path.length > URL_MAX_BYTES) return sendProblem(response, uriTooLong(URL_MAX_BYTES), requestId)
    const service = path === OLD_DOCS ? undefined : routes.get(firstSegment(path))
    if (service !== undefined)
      return admit(path, passed, request, response, () => forward(service, request, response, path, passed))
    if (own.isJudged(request, path))
      return admit(path, passed, request, response, () => own.answerJudged(request, response, path, passed))
    own.answer(request, response, path, passed)
  }

  const admit = openAdmission(options)
  const server = openServer(options, serve)
  server.listen(options.port, options.host)
  await once(server, 'listening')
  for (const service of services.values()) service.start()

  /** What would go on for as long as nothing happens. */
  const endWaits = (): void => {
    streams.endAll()
    own.endAll()
    for (const service of services.values()) service.hurry()
  }

  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      draining = true
      endWaits()
      await after(drainMs)
      endWaits()
      await closeServer(server, Math.max(0, CLOSE_MAX_MS - drainMs))
      await Promise.all([...services.values()].map((service) => service.destroy()))
    },
  }
}

/** Counts and logs what is answered, if that is to be told. */
const openMeasureOf = async ({
  metrics = noMetrics,
  logOneIn = 0,
  log,
}: GatewayOptions): Promise<Measure | undefined> => {
  if (metrics === noMetrics && logOneIn === 0 && !log.isLevelEnabled('debug')) return undefined
  const routeNames = openRouteNames([...(await contractPaths()), ...CONSOLE_PATHS])
  return openMeasure({ metrics, routeNames, logOneIn, log })
}

/** The replicas of each service, and whether all want the same operator token. */
const openServices = (options: GatewayOptions) => {
  const { timeoutMs, step, log, lookup = systemLookup, waitingMax = WAITING_MAX, longMax } = options
  const { authentication, gatewaySecret = '' } = options
  const tokens = openOperatorTokens(log)
  const marked = (): Marked[] =>
    [...services.values()].flatMap(({ name, tokenMarks }) => tokenMarks.map((mark) => ({ service: name, mark })))
  const open = (name: Service): ReplicaSet =>
    new ReplicaSet({
      name,
      origins: options.origins[name],
      timeoutMs,
      waitingMax,
      longMax,
      secretMark: authentication && gatewaySecret !== '' ? secretMark(gatewaySecret) : undefined,
      lookup,
      step,
      changed: () => tokens.compare(marked()),
      log: log.child({ service: name }),
    })
  const services = new Map([...new Set(Object.values(ROUTES))].map((name) => [name, open(name)]))
  return { services, tokens }
}

/** Listens to nothing yet. */
const openServer = (options: GatewayOptions, serve: Serve): Server => {
  const { timeoutMs, waitMs, headersTimeoutMs = 10_000, requestTimeoutMs = 30_000, log } = options
  const { connectionsMax = 20_000, connectionsPerAddress = connectionsMax, pipelinedMost } = options
  const server = connectionServer({
    http: {
      maxHeaderSize: HEADERS_MAX_BYTES,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
      requireHostHeader: false, // it is looked at by `malformed.ts`, and its lack told as a problem
    },
    halfOpen: true,
    most: connectionsMax,
    mostPerAddress: connectionsPerAddress,
    pipelinedMost,
    serve,
    log,
  })
  server.timeout = timeoutMs + waitMs + IDLE_CLIENT_MS
  return server
}

/** Finishes what is in flight, and breaks off what takes longer than that. */
const closeServer = async (server: Server, mostMs: number): Promise<void> => {
  const closed = once(server, 'close')
  server.close()
  const timer = setTimeout(() => server.closeAllConnections(), mostMs)
  await closed
  clearTimeout(timer)
}

/** The first segment of a path: `orders` of `/orders/find/7`. */
const firstSegment = (url: string): string => {
  const slash = url.indexOf('/', 1)
  const end = slash === -1 ? url.length : slash
  const query = url.indexOf('?')
  return url.slice(1, query === -1 || query > end ? end : query)
}
