/**
 * What has every service, whatever it is about?
 *
 * Its own Redis, which must be durable; lock clients to the three lock masters; its log; a reader for each neighbour it
 * hears; its log parser; its log ids; and a door. `openService` opens them in this order and closes them in reverse: the
 * door first, so that what waits inside is finished, then the readers and the log parser, which give back their leases.
 * The door opens before the rest is reachable, so that `/ready` can say what is missing.
 */
import { setTimeout as after } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { nanoid } from 'nanoid'
import type { Logger } from 'pino'
import type { Service } from './contract/events.ts'
import { LOCK_MASTERS, type LockMaster } from './contract/services.ts'
import { UnavailableError, UnsafeRedisError } from './errors.ts'
import { openHealth } from './health/health.ts'
import { memoryWatch } from './health/memory.ts'
import type { Check } from './http/readiness.ts'
import type { Route } from './http/route.ts'
import { openServer } from './http/server.ts'
import { type RedLock, redLock } from './lock/redlock.ts'
import { backOffMs, type Log } from './log/log.ts'
import { type Identifiers, identifiers } from './log/log-id.ts'
import { type Reader, reader, SILENT_MS } from './log/subscription.ts'
import { tellLoss } from './log/tail-loss.ts'
import { logRoutes } from './operator/log-routes.ts'
import { sagaRoutes } from './operator/saga-routes.ts'
import { flag, headerSecret, integer, redisUrl, type Setting, text } from './process/config.ts'
import { refuseExposed } from './process/exposure.ts'
import type { Life } from './process/lifecycle.ts'
import type { Step } from './process/step.ts'
import { assertDurable, connect, disconnect, tellTo, whenReady } from './redis/connection.ts'
import type { Reply } from './redis/script.ts'
import { type LogParser, logParser, type Recovery } from './saga/log-parser.ts'
import { cronSetting } from './saga/schedule.ts'

/** The settings that every service reads. */
export const serviceSettings = {
  port: integer('PORT', { min: 0, max: 65_535 }),
  host: text('HOST', '0.0.0.0'),
  redisUrl: redisUrl('REDIS_URL'),
  operatorToken: headerSecret('OPERATOR_TOKEN', ''),
  drainMs: integer('DRAIN_MS', { min: 0, max: 5_000 }, 500),
  leaseTtlMs: integer('LEASE_TTL_MS', { min: 100, max: 60_000 }, 2_000),
  parserCron: cronSetting('LOG_PARSER_CRON', '*/5 * * * * *'),
  retentionHours: integer('LOG_RETENTION_HOURS', { min: 1, max: 24 * 365 }, 24),
  /** For tests: the same in milliseconds, so that what time destroys is seen without waiting for it. */
  retentionMs: integer('LOG_RETENTION_MS', { min: 1, max: 24 * 365 * 3_600_000 }, 0),
  allowUnsafeRedis: flag('ALLOW_UNSAFE_REDIS', false),
  allowDevPasswords: flag('ALLOW_DEV_PASSWORDS', false),
}

/** The variable that says how the Redis of another service is reached. */
const urlVariable = (service: string): string => `${service.toUpperCase()}_REDIS_URL`

/** The settings by which a service reaches the Redis of its siblings. */
export const siblingRedis = Object.fromEntries(
  LOCK_MASTERS.map((name) => [name, redisUrl(urlVariable(name))]),
) as Readonly<Record<LockMaster, Setting<string>>>

type ServiceConfig = {
  readonly [Name in keyof typeof serviceSettings]: (typeof serviceSettings)[Name] extends {
    parse: (text: string) => infer Value
  }
    ? Value
    : never
}

/** What a service is given to build its own parts from. */
export type Instruments = {
  readonly redis: Redis
  readonly step: Step
  readonly redLock: RedLock
  readonly identifiers: Identifiers
  readonly logger: Logger
  /** Resolves when what the neighbours have said by now is heard, as far as they can be asked: see `log/subscription.ts`. */
  readonly catchUp: () => Promise<void>
  /** Which neighbours have not been reached for some seconds. */
  readonly outOfReach: () => readonly Service[]
  /** How long answers under a key are kept: no longer than the log. */
  readonly retentionS: number
}

/** What a service adds to what all have. */
export type Own<Repair extends string> = {
  readonly log: Log
  readonly routes: readonly Route[]
  /** Asks for the block of log ids of this replica. */
  readonly lease: (replica: string) => Promise<number>
  readonly recovery?: Recovery<Repair>
  /** Told each reply to a neighbour's entry, after it was applied. */
  readonly onHeard?: (reply: Reply) => void
  /** Things of its own to start and stop with the service. */
  readonly start?: () => Promise<void> | void
  readonly stop?: () => Promise<void> | void
}

export type ServiceOptions<Repair extends string> = {
  readonly service: Service
  /** The first part of its routes. */
  readonly prefix: string
  readonly siblings: Readonly<Partial<Record<LockMaster, string>>>
  /** Who hears this service. */
  readonly listeners: readonly Service[]
  /** Is nothing begun without a quorum of lock masters? */
  readonly needsQuorum?: boolean
  readonly build: (instruments: Instruments) => Own<Repair>
}

/** Whether a neighbour's log can be heard. */
const subscription = ({ speaker, isReady, silentMs }: Pick<Reader, 'speaker' | 'isReady' | 'silentMs'>): Check => {
  const name = `log-of-${speaker}`
  if (!isReady()) return { name, grade: 'blocks', wrong: `it has not reached the log of ${speaker} yet` }
  const ms = silentMs()
  const wrong = ms < SILENT_MS ? undefined : `it has not reached the log of ${speaker} for ${Math.round(ms / 1_000)} s`
  return { name, grade: 'impairs', wrong }
}

export const openService = async <Repair extends string>(
  life: Life<ServiceConfig>,
  options: ServiceOptions<Repair>,
): Promise<void> => {
  const { config, logger, stack, ending, step } = life
  const { service, siblings } = options
  refuseExposed({
    ...config,
    redisUrls: {
      REDIS_URL: config.redisUrl,
      ...Object.fromEntries(Object.entries(siblings).map(([name, url]) => [urlVariable(name), url])),
    },
  })
  const retentionMs = config.retentionMs || config.retentionHours * 3_600_000

  const connection = (url: string, kind: Parameters<typeof connect>[1], whose: string): Redis => {
    const redis = connect(url, kind, tellTo(logger, whose))
    stack.defer(() => disconnect(redis))
    return redis
  }

  const redis = connection(config.redisUrl, 'command', 'own Redis')
  const urls = { ...siblings, [service]: config.redisUrl } as Record<Service, string>
  const locks = Object.fromEntries(
    LOCK_MASTERS.map((master) => [master, connection(urls[master], 'lock', `lock master ${master}`)]),
  ) as Record<LockMaster, Redis>
  const redlock = redLock(
    LOCK_MASTERS.map((master) => locks[master]),
    step,
  )
  stack.defer(() => redlock.close())
  const replica = `${life.replica}-${nanoid(8)}`
  const ids: Identifiers = identifiers(() => own.lease(replica), logger)
  stack.defer(ids.stop)

  // An answer under a key may name a saga, whose record is kept for longer: as long as its last entry.
  const own: Own<Repair> = options.build({
    redis,
    step,
    redLock: redlock,
    identifiers: ids,
    logger,
    outOfReach: () => readers.filter((one) => one.silentMs() >= SILENT_MS).map((one) => one.speaker),
    catchUp: async () => {
      await Promise.all(readers.map((one) => one.catchUp()))
    },
    retentionS: retentionMs / 1_000,
  })
  const { log, onHeard = () => undefined } = own

  const readers = log.speakers.map((speaker) =>
    reader({
      log,
      speaker,
      blocking: connection(urls[speaker], 'blocking', `log of ${speaker}`),
      reporting: locks[speaker as LockMaster],
      redLock: redlock.named(`reader-${speaker}`),
      step,
      leaseTtlMs: config.leaseTtlMs,
      onHeard,
      logger,
    }),
  )
  const parser: LogParser = logParser({
    log,
    recovery: own.recovery,
    listeners: options.listeners,
    redLock: redlock.named('parser'),
    step,
    leaseTtlMs: config.leaseTtlMs,
    schedule: config.parserCron,
    retentionMs,
    logger,
  })

  /** Lists what the own Redis has lost, if it came back without it; until that is known it is asked again. */
  const lookBack = (attempt = 1): void => {
    log.lookBack().then(
      (lost) => {
        if (lost === undefined) return
        tellLoss(logger, 'the own Redis', lost)
        lookBack()
      },
      (error: unknown) => {
        if (!(error instanceof UnavailableError)) throw error
        if (!ending.aborted) setTimeout(lookBack, backOffMs(attempt), attempt + 1).unref()
      },
    )
  }

  let durable = false
  const ownRedis = (): string | undefined => {
    if (redis.status !== 'ready') return 'its own Redis is away'
    return durable ? undefined : 'its own Redis was not checked yet'
  }
  const memory = memoryWatch({ redis, step, logger })
  stack.defer(memory.stop)
  const health = openHealth({
    own: redis,
    masters: locks,
    needsQuorum: options.needsQuorum ?? false,
    others: () => [
      { name: 'own-redis', grade: 'blocks', wrong: ownRedis() },
      memory.check(),
      ...readers.map(subscription),
    ],
    probes: readers.map((one) => one.probe),
    step,
    logger,
  })
  const door = await openServer({
    service,
    port: config.port,
    host: config.host,
    routes: [
      ...own.routes,
      ...logRoutes(options.prefix, log, parser),
      ...sagaRoutes(options.prefix, { log, parser, recovery: own.recovery, listeners: options.listeners, onHeard }),
    ],
    checks: health.checks,
    operatorToken: config.operatorToken,
    drainMs: config.drainMs,
    log: logger,
  })

  try {
    if (redis.status !== 'ready') logger.info('waiting for its own Redis')
    await whenReady(redis, ending)
    await whenDurable(redis, step, ending).catch((error: unknown) => {
      if (!config.allowUnsafeRedis || !(error instanceof UnsafeRedisError)) throw error
      logger.warn(error.message)
    })
    durable = true
    redis.on('ready', lookBack)
    memory.start()
    health.start()
    stack.defer(health.stop)
    ids.start()
    await own.start?.()
    stack.defer(() => own.stop?.())
    stack.defer(parser.stop)
    for (const one of readers) {
      one.start()
      stack.defer(one.stop)
    }
    parser.start()
    await everyReady(readers, ending, (speaker) => logger.info(`waiting for the log of ${speaker}`))
  } finally {
    stack.defer(door.close)
  }
  logger.info({ port: door.port }, 'door open')
}

/** Looks until the Redis answers: it is reached, but may be busy or freeze. @throws UnsafeRedisError */
const whenDurable = async (redis: Redis, step: Step, ending: AbortSignal): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step('durable', () => assertDurable(redis))
    } catch (error) {
      ending.throwIfAborted()
      if (!(error instanceof UnavailableError)) throw error
      await after(backOffMs(attempt), undefined, { signal: ending })
    }
  }
}

/** Resolves once every reader has reached its speaker. */
const everyReady = async (
  readers: readonly { isReady: () => boolean; speaker: Service; whenReady: () => Promise<void> }[],
  ending: AbortSignal,
  onWait: (speaker: Service) => void,
): Promise<void> => {
  for (const one of readers) {
    if (one.isReady()) continue
    const patience = setTimeout(() => onWait(one.speaker), 1_000)
    const ended = Promise.withResolvers<void>()
    const reject = (): void => ended.reject(ending.reason)
    ending.addEventListener('abort', reject, { once: true })
    try {
      ending.throwIfAborted()
      await Promise.race([one.whenReady(), ended.promise])
    } finally {
      clearTimeout(patience)
      ending.removeEventListener('abort', reject)
    }
  }
}
