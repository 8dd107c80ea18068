/**
 * How do we reach a Redis?
 *
 * Four kinds of connection, because one set of options cannot serve all uses (each rule was measured with ioredis 6):
 *
 * - *command*: fails fast and is never resent. ioredis's automatic resend after a cut connection ran a command twice, so
 *   `maxRetriesPerRequest` is 0: the outcome of a command that failed is unknown, and every command is safe to repeat.
 *   What is asked in one turn of the event loop is one write. Not by ioredis's auto-pipelining, whose pipelines wait for
 *   each other, so that a caller of a frozen Redis behind others learned that after 3 s instead of 1.5; and they cost more: 64
 *   reads at once took 8.0 us of CPU each, with a time-out that counts the wait added, and take 3.6.
 * - *blocking*: for reads that wait in the server. No `commandTimeout` (it would fire on the wait); the reader watches it.
 * - *lock*: as command, but gives up within a fraction of a second, so that a frozen node does not hold up a quorum.
 * - *subscriber*: its user subscribes whenever it is ready; what it misses meanwhile must be found out otherwise. It is
 *   not left to ioredis, which forgets to catch: a connection that broke again while it subscribed anew ended the process.
 *
 * A node may become a replica, and a name lead to another node: a reply that shows it has the connection made anew. What was
 * asked fails like on any other connection that is lost, and is never sent again by itself.
 */
import type { Writable } from 'node:stream'
import { type Command, Redis, type RedisOptions } from 'ioredis'
import type { Logger } from 'pino'
import { UnavailableError, UnsafeRedisError } from '../errors.ts'
import { fields } from './reply.ts'

/** How long one command may take before it fails because the Redis is unavailable. Must stay below 2 s. */
export const COMMAND_TIMEOUT_MS = 1_500
/** How long a lock node may take: three nodes are asked at once, and two answers are enough. */
export const LOCK_TIMEOUT_MS = 250
const CONNECT_TIMEOUT_MS = 500
/** How long a connection that was made may take to be of use: the server that listens there may be frozen, or still be loading. */
const READY_TIMEOUT_MS = 3_000
/** How long the end of a connection is waited for, which the other side may never confirm. */
const DISCONNECT_TIMEOUT_MS = 200
/** How often it is logged, at most, why a connection cannot be made. */
const TELL_EVERY_MS = 1_000
/** How often, at most, a connection is made anew because the node said that it was the wrong one. */
const ANEW_EVERY_MS = 5_000

const failFast = {
  lazyConnect: true,
  // Newer than Redis 7.0, and refused to peers.
  disableClientInfo: true,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  keepAlive: 5_000,
  noDelay: true,
  retryStrategy: (attempt: number) => Math.min(25 * 2 ** Math.min(attempt, 5), 500),
} satisfies RedisOptions

/** What a connection is for: see the paragraph at the head of this file. */
export type ConnectionKind = 'command' | 'blocking' | 'lock' | 'subscriber'

const optionsByKind = {
  command: {
    ...failFast,
    commandTimeout: COMMAND_TIMEOUT_MS,
  },
  blocking: failFast,
  lock: { ...failFast, commandTimeout: LOCK_TIMEOUT_MS },
  subscriber: { ...failFast, autoResubscribe: false, commandTimeout: COMMAND_TIMEOUT_MS },
} satisfies Record<ConnectionKind, RedisOptions>

const uncork = (stream: Writable): void => stream.uncork()

/** Sends what is written in one turn of the event loop at once; the order of a connection stays. */
const batch = (stream: Writable): void => {
  if (stream.writableCorked > 0) return
  stream.cork()
  setImmediate(uncork, stream)
}

/** A connection that sends in batches. */
class BatchingRedis extends Redis {
  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    if (this.status === 'ready') batch(this.stream)
    return super.sendCommand(command, stream)
  }
}

/** The codes of replies by a node that is not what it was: a replica now, on the way to be one, or without this key. */
const WRONG_NODE = /^(READONLY|UNBLOCKED|MOVED|MASTERDOWN|LOADING)\b/

/** Decides whether a reply has the connection made anew. */
const anew = (): ((error: Error) => boolean) => {
  let at = Number.NEGATIVE_INFINITY
  return ({ message }) => {
    const now = performance.now()
    if (!WRONG_NODE.test(message) || now - at < ANEW_EVERY_MS) return false
    at = now
    return true
  }
}

/**
 * Told that a connection is *lost*, then that it is *away*, for each try that failed, once a second at most, and that it is
 * *back*. One that was never there is away at first. The error says why, if there is one: else the other side ended it.
 */
export type ConnectionWatcher = (state: 'lost' | 'away' | 'back', error?: Error) => void

/** Told by a connection that is given up with what is asked on it: that it closes is no loss. */
const GIVEN_UP = 'given-up'

const watched = (redis: Redis, watch: ConnectionWatcher): void => {
  let wasReady = false
  let isDown = false
  let isGivenUp = false
  let toldAt = 0
  let why: Error | undefined
  let timer: NodeJS.Timeout | undefined
  redis.on('error', (error: Error) => {
    why = error
  })
  redis.on('connect', () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      remake(redis, new Error(`was not ready ${READY_TIMEOUT_MS} ms after it was connected`))
    }, READY_TIMEOUT_MS).unref()
  })
  redis.on(GIVEN_UP, () => {
    isGivenUp = true
  })
  redis.on('close', () => {
    clearTimeout(timer)
    const now = performance.now()
    const isLoss = !isGivenUp
    isGivenUp = false
    if (!isLoss || redis.status === 'end' || (isDown && now - toldAt < TELL_EVERY_MS)) return
    watch(wasReady && !isDown ? 'lost' : 'away', why)
    isDown = true
    toldAt = now
    why = undefined
  })
  redis.on('ready', () => {
    clearTimeout(timer)
    if (isDown) watch('back')
    wasReady = true
    isDown = false
    isGivenUp = false
    why = undefined
  })
}

/**
 * Opens a connection that reconnects for ever; until it is up its commands fail at once.
 * It is returned before it is connected: `whenReady` waits.
 */
export const connect = (url: string, kind: ConnectionKind, watch: ConnectionWatcher = () => undefined): Redis => {
  const redis = new (kind === 'command' ? BatchingRedis : Redis)(url, {
    ...optionsByKind[kind],
    reconnectOnError: anew(),
  })
  watched(redis, watch)
  redis.connect().catch(() => undefined) // told as an error of the connection
  return redis
}

/** Tells a log of a connection. */
export const tellTo =
  (logger: Pick<Logger, 'info' | 'warn'>, whose: string): ConnectionWatcher =>
  (state, error) => {
    if (state === 'back') return logger.info(`${whose}: connected again`)
    const reason = error?.message ?? 'the other side ended the connection'
    logger.warn({ reason }, `${whose}: ${state === 'lost' ? 'connection lost' : 'cannot be reached'}`)
  }

/** Gives a connection up that is of no use, and has it made anew; the error is told as what it was lost by. */
export const remake = (redis: Redis, why: Error): void => {
  redis.emit('error', why)
  redis.disconnect(true)
}

/** Gives up what is asked on a connection, by having it made anew. */
export const giveUp = (redis: Redis): void => {
  redis.emit(GIVEN_UP)
  redis.disconnect(true)
}

/** Resolves once the connection is up, however often connecting fails before; a signal ends the wait with its reason. */
export const whenReady = (redis: Redis, signal?: AbortSignal): Promise<void> => {
  if (signal?.aborted) return Promise.reject(signal.reason)
  if (redis.status === 'ready') return Promise.resolve()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const abort = (): void => reject(signal?.reason)
  redis.once('ready', resolve)
  signal?.addEventListener('abort', abort, { once: true })
  return promise.finally(() => {
    redis.off('ready', resolve)
    signal?.removeEventListener('abort', abort)
  })
}

/** Closes a connection now: what is still under way on it fails. */
export const disconnect = (redis: Redis): void => redis.disconnect(false)

/** What a Redis said that reads, but refuses to write now: it is full, cannot save, or is a replica. Else undefined. */
export const refusedWrite = (error: unknown): string | undefined => {
  if (error instanceof UnavailableError) return refusedWrite(error.cause)
  const isOne = error instanceof Error && /^(OOM|MISCONF|READONLY|NOREPLICAS)\b/.test(error.message)
  return isOne ? error.message : undefined
}

/**
 * Does this failure of one command prove that it was not done? A reply that refuses it does, for a script is refused as a whole; so
 * does a connection that was not there to send it. One that broke meanwhile, or a reply that does not come, proves nothing.
 */
export const provesNothingDone = (error: unknown): boolean => {
  if (error instanceof UnavailableError) return error.nothingDone
  return error instanceof Error && (error.name === 'ReplyError' || error.message.startsWith("Stream isn't writeable"))
}

/** What each setting must be for an acknowledged write to survive. */
const DURABLE: Readonly<Record<string, string>> = {
  'maxmemory-policy': 'noeviction',
  appendonly: 'yes',
  appendfsync: 'always',
  // While the file is rewritten, "yes" syncs nothing, whatever `appendfsync` says.
  'no-appendfsync-on-rewrite': 'no',
}

/** What a Redis says of these settings, by their names; nothing of those that it keeps to itself. */
const settingsOf = async (redis: Redis): Promise<ReadonlyMap<string, string>> => {
  try {
    return new Map(Object.entries(fields(await redis.config('GET', ...Object.keys(DURABLE)))))
  } catch (error) {
    const isForbidden = error instanceof Error && /^(ERR|NOPERM)\b/.test(error.message)
    if (!isForbidden) throw error
    return new Map()
  }
}

/**
 * Refuses a Redis that may forget: one that evicts keys, that keeps no append-only file, or that acknowledges before what is
 * in it is on the disk. To be asked as its owner.
 * @throws UnsafeRedisError naming the setting and the value it must have.
 */
export const assertDurable = async (redis: Redis): Promise<void> => {
  const settings = await settingsOf(redis)
  const complaints = Object.entries(DURABLE).flatMap(([name, wanted]) => {
    const found = settings.get(name)
    if (found === wanted) return []
    return found === undefined
      ? `${name} cannot be read and must be "${wanted}"`
      : `${name} is "${found}" and must be "${wanted}"`
  })
  if (complaints.length > 0)
    throw new UnsafeRedisError(
      `this Redis may lose what it acknowledged: ${complaints.join('; ')} (ALLOW_UNSAFE_REDIS=yes overrides this)`,
    )
}
