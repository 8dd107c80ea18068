/**
 * Is a peer's Redis there?
 *
 * It is asked on a connection that may block and has no time-out of its own. An answer that does not come in time means a
 * dead connection, which is replaced; each answer, and each new connection, is a sign that the peer is there.
 */
import type { Redis } from 'ioredis'
import { UnavailableError } from '../errors.ts'
import { giveUp, remake, whenReady } from '../redis/connection.ts'

/** How long a question may block, if not for another time. */
export const BLOCK_MS = 2_000
/** A question that takes this much longer than it may block hangs on a dead connection. */
const GRACE_MS = 1_000
/** A process that has not reached the peer for so long leaves the reading to another replica, if there is one. */
export const UNREACHABLE_MS = 5_000

export type PeerConnection = {
  /** Has the peer been reached since the start? */
  readonly isReached: () => boolean
  /** For how long it has not been reached. */
  readonly unreachedMs: () => number
  /** How often it was connected: another connection may lead to a Redis that came back older. */
  readonly connections: () => number
  /** Resolves at the first connection. */
  readonly whenReached: () => Promise<void>
  /** Waits for a connection. @throws UnavailableError if none comes in time; the signal's reason */
  readonly connected: (signal: AbortSignal) => Promise<void>
  /** Asks the peer something; at the signal the question is given up with its connection. */
  readonly ask: <Answer>(question: () => Promise<Answer>, signal: AbortSignal) => Promise<Answer>
}

export const peerConnection = (redis: Redis, blockMs = BLOCK_MS): PeerConnection => {
  const ready = whenReady(redis)
  let connections = 1
  let reachedAt = Number.NEGATIVE_INFINITY
  const reached = (): void => {
    reachedAt = performance.now()
  }
  redis.on('ready', () => {
    connections += 1
    reached()
  })
  if (redis.status === 'ready') reached()

  return {
    isReached: () => reachedAt > Number.NEGATIVE_INFINITY,
    unreachedMs: () => performance.now() - reachedAt,
    connections: () => connections,
    whenReached: () => ready,
    connected: async (signal) => {
      const timeout = AbortSignal.timeout(UNREACHABLE_MS)
      try {
        await whenReady(redis, AbortSignal.any([signal, timeout]))
      } catch (error) {
        signal.throwIfAborted()
        throw new UnavailableError('it is not connected', { cause: error })
      }
    },
    ask: async (question, signal) => {
      const watchdog = setTimeout(
        () => remake(redis, new Error(`it did not answer for ${blockMs + GRACE_MS} ms`)),
        blockMs + GRACE_MS,
      )
      const abandon = (): void => giveUp(redis)
      signal.addEventListener('abort', abandon, { once: true })
      try {
        const answer = await question()
        reached()
        return answer
      } finally {
        clearTimeout(watchdog)
        signal.removeEventListener('abort', abandon)
      }
    },
  }
}
