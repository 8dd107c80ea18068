/**
 * How do we reach a Redis?
 *
 * Four kinds of connection, because one set of options cannot serve all uses (each rule was measured with ioredis 6):
 *
 * - *command*: fails fast and is never resent. ioredis's automatic resend after a cut connection ran a command twice, so
 *   `maxRetriesPerRequest` is 0: the outcome of a command that failed is unknown, and every deed is safe to repeat.
 *   What is asked in one turn of the event loop is one write. Not by ioredis's auto-pipelining, whose pipelines wait for
 *   each other, so that who asked a frozen Redis behind others was told after 3 s instead of 1.5; and they cost more: 64 reads
 *   at once took 8.0 us of CPU each, with a time-out that counts the wait added, and take 3.6.
 * - *blocking*: for reads that wait in the server. No `commandTimeout` (it would fire on the wait); the reader watches it.
 * - *lock*: as command, but gives up within a fraction of a second, so that a frozen node does not hold up a quorum.
 * - *subscriber*: resubscribes by itself; what it misses meanwhile must be found out otherwise.
 */
import type { Writable } from 'node:stream'
import { type Command, Redis, type RedisOptions } from 'ioredis'
import { UnavailableError } from './errors.ts'

/** How long one command may take before the caller is told that the Redis is unavailable. Must stay below 2 s. */
export const COMMAND_TIMEOUT_MS = 1_500
/** How long a lock node may take: three nodes are asked at once, and two answers are enough. */
export const LOCK_TIMEOUT_MS = 250
const CONNECT_TIMEOUT_MS = 500

const failFast = {
  lazyConnect: true,
  // Newer than Redis 7.0, and refused to visitors.
  disableClientInfo: true,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  connectTimeout: CONNECT_TIMEOUT_MS,
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
  subscriber: { ...failFast, autoResubscribe: true },
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

/** Told when a connection is lost and when it is back, once each. */
export type ConnectionWatcher = (state: 'lost' | 'back', error?: Error) => void

/**
 * Opens a connection that reconnects for ever; until it is up its commands fail at once.
 * It is returned before it is connected: `whenReady` waits.
 */
export const connect = (url: string, kind: ConnectionKind, watch: ConnectionWatcher = () => undefined): Redis => {
  const redis = new (kind === 'command' ? BatchingRedis : Redis)(url, optionsByKind[kind])
  let lost: boolean | undefined
  let lastError: Error | undefined
  redis.on('error', (error: Error) => {
    lastError = error
    if (lost !== undefined || redis.status === 'end') return
    lost = true
    watch('lost', error)
  })
  redis.on('close', () => {
    if (lost === true) return
    lost = true
    watch('lost', lastError)
  })
  redis.on('ready', () => {
    if (lost === true) watch('back')
    lost = false
  })
  redis.connect().catch((error: Error) => {
    lastError = error
  })
  return redis
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

/** The codes of replies that say "not now", as opposed to "never": the same command may succeed later. */
const TRANSIENT_REPLIES =
  /^(OOM|MISCONF|READONLY|LOADING|BUSY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|UNKILLABLE|NOAUTH|WRONGPASS|-?NOPERM)\b/

/**
 * Is this failure of a command the world's (the Redis is away, full, loading), so that it may be tried again?
 * A reply that says the command itself is wrong is not.
 */
export const isTransient = (error: unknown): boolean => {
  if (error instanceof UnavailableError) return true
  if (!(error instanceof Error)) return false
  if (error.name === 'ReplyError') return TRANSIENT_REPLIES.test(error.message)
  return (
    error.name === 'MaxRetriesPerRequestError' ||
    error.name === 'AbortError' ||
    /^(Command timed out|Connection is closed|Stream isn't writeable|connect E|read E|write E|Socket )/.test(
      error.message,
    ) ||
    'errno' in error
  )
}

/** What `assertDurable` found wrong; the process must not start on such a Redis. */
export class UnsafeRedisError extends Error {
  override readonly name = 'UnsafeRedisError'
}

/**
 * Refuses a Redis that may forget: one that evicts keys, or that keeps no append-only file.
 * @throws UnsafeRedisError naming the setting and the value it must have.
 */
export const assertDurable = async (redis: Redis): Promise<void> => {
  const info = `${await redis.info('persistence')}\n${await redis.info('memory')}`
  const value = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? 'unknown'
  const complaints: string[] = []
  if (value('maxmemory_policy') !== 'noeviction')
    complaints.push(`maxmemory-policy is "${value('maxmemory_policy')}" and must be "noeviction"`)
  if (value('aof_enabled') !== '1') complaints.push('appendonly is "no" and must be "yes"')
  if (complaints.length > 0)
    throw new UnsafeRedisError(
      `this Redis may lose what it acknowledged: ${complaints.join('; ')} (ALLOW_UNSAFE_REDIS=yes overrides this)`,
    )
}
