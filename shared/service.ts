/**
 * What has every service, whatever it is about?
 *
 * Its own Redis, which must be durable; lock clients to the three lock masters; its log; a subscription to each peer whose log it
 * follows; its log parser; its log ids; and an HTTP server. `openService` opens them in this order and closes them in reverse:
 * the server first, so that what is in flight is finished, then the subscriptions and the log parser, which release their leases.
 * The server opens before the rest is reachable, so that `/ready` can say what is missing.
 */

import type { Redis } from 'ioredis'
import { nanoid } from 'nanoid'
import type { Logger } from 'pino'
import type { RawEntry } from './contract/raw-entry.ts'
import { LOCK_MASTERS, type LockMaster, type Service } from './contract/services.ts'
import { openDurability } from './health/durability.ts'
import { openHealth } from './health/health.ts'
import { memoryWatch, ownMemoryWatch } from './health/memory.ts'
import { openRedisGauges } from './health/redis-gauges.ts'
import { openRoom } from './health/room.ts'
import type { Route } from './http/route.ts'
import { openServer } from './http/server.ts'
import { keepLease, type Lease } from './lock/lease.ts'
import { type RedLock, redLock } from './lock/redlock.ts'
import { type Following, type Listener, openFollowing } from './log/follow.ts'
import type { Log } from './log/log.ts'
import { type Identifiers, identifiers } from './log/log-id.ts'
import { listOwnLosses } from './log/own-tail.ts'
import { openPeers, type Peers } from './log/peers.ts'
import { type Metrics, metricsFrom } from './metrics/metrics.ts'
import { featureRoutes } from './operator/feature-routes.ts'
import { type Features, openFeatures } from './operator/features.ts'
import { logRoutes } from './operator/log-routes.ts'
import { sagaRoutes } from './operator/saga-routes.ts'
import { refuseGuessable } from './process/auth.ts'
import { refuseExposed } from './process/exposure.ts'
import type { ProcessContext } from './process/lifecycle.ts'
import type { Step } from './process/step.ts'
import { connect, disconnect, tellTo } from './redis/connection.ts'
import type { Reply } from './redis/script.ts'
import { openSagaGauges } from './saga/gauges.ts'
import { logParser } from './saga/log-parser.ts'
import type { Recovery } from './saga/recovery.ts'
import { type ServiceConfig, urlVariable } from './settings.ts'

/** What a service builds its own parts from. */
export type Dependencies = {
  readonly redis: Redis
  readonly step: Step
  readonly redLock: RedLock
  readonly identifiers: Identifiers
  readonly logger: Logger
  /** A connection to a peer's Redis that does not block. */
  readonly peer: (peer: Service) => Redis
  /** Tells a listener of what is appended to the own log, by whichever replica. */
  readonly follow: (listener: Listener) => Following
  /** Keeps work running in one replica at a time; it must be safe to run twice: see `lock/lease.ts`. */
  readonly underLease: (name: string, work: (signal: AbortSignal) => Promise<void>) => Lease
  /** Resolves when what the peers have appended by now is applied, or with `false` if not all can be asked: see `log/catch-up.ts`. */
  readonly catchUp: () => Promise<boolean>
  /** Which peers have not been reached for some seconds. */
  readonly outOfReach: () => readonly Service[]
  /** How long answers under a key are kept: no longer than the log. */
  readonly retentionS: number
  readonly metrics: Metrics
}

/** What a service adds to what all have. */
export type ServiceParts = {
  readonly log: Log
  readonly routes: readonly Route[]
  /** Asks for the block of log ids of this replica. */
  readonly lease: (replica: string) => Promise<number>
  readonly recovery?: Recovery
  /** What the log parser does in each run besides. */
  readonly tidy?: () => Promise<void>
  /** Called with each entry of a peer's that is handled here, before it is known to be applied: see `shared/log/subscription.ts`. */
  readonly onHeard?: (entry: RawEntry, publisher: Service) => void
  /** Called with each reply to a peer's entry, after it was applied. */
  readonly onApplied?: (reply: Reply) => void
  /** Things of its own to start and stop with the service. */
  readonly start?: () => Promise<void> | void
  readonly stop?: () => Promise<void> | void
}

export type ServiceOptions = {
  readonly service: Service
  /** The first part of its routes. */
  readonly prefix: string
  readonly peers: Readonly<Partial<Record<LockMaster, string>>>
  /** Which services follow this log. */
  readonly subscribers: readonly Service[]
  /** Does it begin sagas? Then nothing is begun without a quorum of lock masters, nor while the Redis of a peer is nearly full. */
  readonly beginsSagas?: boolean
  readonly build: (dependencies: Dependencies) => ServiceParts
}

type Connections = {
  /** The own Redis. */
  readonly redis: Redis
  readonly masters: Readonly<Record<LockMaster, Redis>>
  readonly redLock: RedLock
  /** A connection to a peer's Redis that may block. */
  readonly blocking: (peer: Service) => Redis
}

/** Where a service stands among the others. */
type Place = Pick<ServiceOptions, 'service' | 'peers' | 'beginsSagas'>

const openConnections = (
  { config, logger, stack, step }: ProcessContext<ServiceConfig>,
  { service, peers }: Place,
  metrics: Metrics,
): Connections => {
  const urls = { ...peers, [service]: config.redisUrl } as Record<Service, string>
  const open = (url: string, kind: Parameters<typeof connect>[1], whose: string): Redis => {
    const redis = connect(url, kind, tellTo(logger, whose))
    stack.defer(() => disconnect(redis))
    return redis
  }
  const redis = open(config.redisUrl, 'command', 'own Redis')
  const masters = Object.fromEntries(
    LOCK_MASTERS.map((master) => [master, open(urls[master], 'lock', `lock master ${master}`)]),
  ) as Record<LockMaster, Redis>
  const redlock = redLock(
    LOCK_MASTERS.map((master) => masters[master]),
    step,
    metrics,
  )
  stack.defer(() => redlock.close())
  return {
    redis,
    masters,
    redLock: redlock,
    blocking: (peer) => open(urls[peer], 'blocking', `log of ${peer}`),
  }
}

const leasing =
  (ttlMs: number, redlock: RedLock, logger: Logger): Dependencies['underLease'] =>
  (name, onHeld) =>
    keepLease({ name, ttlMs, redLock: redlock.named(name), onHeld, log: logger })

/** @throws ConfigError where strangers could reach a Redis, or say that they are the gateway */
const refuseUnsafe = (config: ServiceConfig, { peers }: Place): void => {
  const ofPeers = Object.entries(peers).map(([name, url]) => [urlVariable(name), url])
  refuseExposed({ ...config, redisUrls: { REDIS_URL: config.redisUrl, ...Object.fromEntries(ofPeers) } })
  refuseGuessable(config)
}

/** What is looked at to know whether the service can do its work. */
const openChecks = (
  { config, logger, stack, step }: ProcessContext<ServiceConfig>,
  { service, peers: followed, beginsSagas = false }: Place,
  parts: Pick<Connections, 'redis' | 'masters'> & {
    readonly peers: Peers
    readonly features: Features
    readonly metrics: Metrics
  },
) => {
  const { redis, masters, peers, features, metrics } = parts
  const durability = openDurability({ redis, step, allowUnsafe: config.allowUnsafeRedis, logger })
  const memory = ownMemoryWatch({ redis, step, logger })
  const inPeers = (Object.keys(beginsSagas ? followed : {}) as LockMaster[]).map(
    (peer) => [peer, memoryWatch({ redis: masters[peer], step })] as const,
  )
  const room = openRoom({ [service]: memory, ...Object.fromEntries(inPeers) })
  const health = openHealth({
    own: redis,
    masters,
    needsQuorum: beginsSagas,
    others: () => [durability.check(), memory.check(), room.check(), features.check(), ...peers.checks()],
    probes: [peers.probe, features.refresh, room.look],
    step,
    logger,
  })
  openRedisGauges({ health, memory, metrics })
  return {
    checks: health.checks,
    memory: memory.seen,
    isFull: room.isLacking,
    whenDurable: durability.whenDurable,
    start: (): void => {
      health.start()
      stack.defer(health.stop)
    },
  }
}

/** Where a service listens, to whom, and until when. */
const listeningOf = ({ port, host, auth, gatewaySecret, operatorToken, drainMs, logOneIn }: ServiceConfig) => ({
  port,
  host,
  auth,
  gatewaySecret,
  operatorToken,
  drainMs,
  logOneIn,
})

export const openService = async (context: ProcessContext<ServiceConfig>, options: ServiceOptions): Promise<void> => {
  const { config, logger, stack, shutdown, step, tracing } = context
  const { prefix, subscribers } = options
  refuseUnsafe(config, options)
  const metrics = metricsFrom(config.metrics, logger)
  const { redis, masters, redLock: redlock, blocking } = openConnections(context, options, metrics)
  const replica = `${context.replica}-${nanoid(8)}`
  const ids = identifiers(logger)
  stack.defer(ids.stop)
  const reporting = (peer: Service): Redis => masters[peer as LockMaster]
  const common = { step, tracing, leaseTtlMs: config.leaseTtlMs, logger }
  const peers = openPeers({ blocking, reporting, redLock: redlock, ...common })
  const retentionMs = config.retentionMs || config.retentionHours * 3_600_000
  const parts = options.build({
    redis,
    step,
    redLock: redlock,
    identifiers: ids,
    logger,
    peer: reporting,
    follow: (listener) =>
      openFollowing({ service: options.service, blocking: blocking(options.service), step, logger, ...listener }),
    underLease: leasing(config.leaseTtlMs, redlock, logger),
    outOfReach: peers.outOfReach,
    catchUp: peers.catchUp,
    retentionS: retentionMs / 1_000, // a saga's record is kept for longer: as long as its last entry
    metrics,
  })
  const { log, recovery, tidy, onHeard, onApplied = () => undefined } = parts
  peers.subscribe(log, { onHeard, onApplied })
  const parser = logParser({
    log,
    recovery,
    tidy,
    subscribers,
    redLock: redlock.named('parser'),
    schedule: config.parserCron,
    retentionMs,
    metrics,
    ...common,
  })
  openSagaGauges({ log, recovery, peers, step, metrics })

  const features = openFeatures({ log, routes: parts.routes, step, identifiers: ids, offAtFirst: config.featuresOff })
  const health = openChecks(context, options, { redis, masters, peers, features, metrics })
  const server = await openServer({
    service: options.service,
    ...listeningOf(config),
    routes: [
      ...parts.routes,
      ...logRoutes(prefix, log, parser, { replica: context.replica, readers: peers.readers, memory: health.memory }),
      ...sagaRoutes(prefix, { log, parser, recovery, subscribers, onApplied }),
      ...featureRoutes(prefix, features),
    ],
    isOff: features.isOff,
    isFull: health.isFull,
    checks: health.checks,
    metrics,
    tracing,
    log: logger,
  })

  try {
    await health.whenDurable(shutdown)
    await features.refresh()
    redis.on('ready', () => listOwnLosses(log, logger, shutdown))
    health.start()
    ids.start(() => parts.lease(replica))
    await parts.start?.()
    stack.defer(() => parts.stop?.())
    stack.defer(parser.stop)
    peers.start()
    stack.defer(peers.stop)
    parser.start()
    await peers.whenReady(shutdown)
  } finally {
    stack.defer(server.close)
  }
  logger.info({ port: server.port }, 'open to requests')
}
