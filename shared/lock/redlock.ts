/**
 * Which process may touch this now?
 *
 * RedLock (https://redis.io/docs/latest/develop/use/patterns/distributed-locks/): a lock is held by the process whose token a
 * quorum of independent Redis masters keeps under the key. It saves work and keeps strangers' half-done work from being
 * seen; it does not fence, so nothing may be *correct* only because of it. Three answers are told apart:
 *
 * - *held*: a quorum voted for it. The token is all that is needed to extend or release it, from any process.
 * - *busy*: a quorum answered, but did not vote for us: another process holds it, or the votes were split.
 * - *unavailable*: fewer than a quorum of nodes answered, so it cannot be known.
 *
 * How they vote is in `ballot.ts`. A lock that a node places after its time-out stays there until its TTL ends; alone it is
 * no quorum.
 */
import type { Redis } from 'ioredis'
import { UnavailableError } from '../errors.ts'
import { counter, histogram, SECONDS } from '../metrics/metric.ts'
import { type Metrics, noMetrics } from '../metrics/metrics.ts'
import { openStep, type Step } from '../process/step.ts'
import { type Acquired, openBallots } from './ballot.ts'
import { openReleases, type Releases } from './releases.ts'

export type RedLock = {
  /** One attempt for all the resources or none; what was granted is `held` even if its validity has passed already. */
  tryAcquire(resources: readonly string[], ttlMs: number): Promise<Acquired>
  /**
   * Attempts until the lock is held and valid, or `waitMs` have passed: then the answer is that of the last attempt.
   * Below a TTL of about 10 ms it is rarely valid in time.
   */
  acquire(resources: readonly string[], ttlMs: number, waitMs: number): Promise<Acquired>
  /** Waits for a release through this instance: see `releases.ts`. */
  readonly changed: Releases['changed']
  /** Sets the TTL of a lock anew. `unavailable` leaves it as it was; when `lost`, what remains of it is released. */
  extend(
    held: { readonly resources: readonly string[]; readonly token: string },
    ttlMs: number,
  ): Promise<'held' | 'lost' | 'unavailable'>
  /**
   * Releases by token, also what another process acquired, and never what another process holds. `lost`: it had expired or
   * was released before. Whatever is asked through this instance later comes after it, so a caller need not await it.
   */
  release(resources: readonly string[], token: string): Promise<'released' | 'lost' | 'unavailable'>
  /** The same locks, whose steps are named for what is locked: `reader.lock` instead of `lock`. */
  named(what: string): RedLock
  /**
   * Lets all that wait for a change go, sends what is not sent yet, and lets the connections be; the caller
   * that opened them closes them.
   */
  close(): void
}

/** How long, at most, `acquire` waits between two attempts. */
const RETRY_MS = 50

const unanswered = (error: unknown): 'unavailable' => {
  if (!(error instanceof UnavailableError)) throw error
  return 'unavailable'
}

/** `request` where no part of the service has given its locks a name. */
export const acquisitionsTotal = counter(
  'shop_lock_acquisitions_total',
  'Attempts to acquire a lock that the lock masters keep, by what for and what came of it',
  'purpose',
  'result',
)
export const waitSeconds = histogram(
  'shop_lock_wait_seconds',
  'How long such an attempt took: until enough of the lock masters had voted',
  SECONDS,
  'purpose',
)

/** The locks that these masters keep, each reached by a connection of the kind "lock". */
export const redLock = (
  clients: readonly Redis[],
  step: Step = openStep('redlock'),
  metrics: Metrics = noMetrics,
): RedLock => {
  const acquisitions = metrics.counter(acquisitionsTotal)
  const waits = metrics.histogram(waitSeconds)
  const ballots = openBallots(clients)
  const { changed, wake, wakeAll } = openReleases()
  const close = (): void => {
    ballots.close()
    wakeAll()
  }

  /** The verbs, each a step. One that throws has lost its answer. */
  const named = (prefix: string): RedLock => {
    const steps = { lock: `${prefix}lock`, extend: `${prefix}extend`, release: `${prefix}release` }
    const purpose = prefix === '' ? 'request' : prefix.slice(0, -1)
    const attempt: RedLock['tryAcquire'] = async (resources, ttlMs) => {
      try {
        return await step(steps.lock, () => ballots.lock(resources, ttlMs))
      } catch (error) {
        return { state: unanswered(error), cause: error as Error }
      }
    }
    const tryAcquire: RedLock['tryAcquire'] = async (resources, ttlMs) => {
      const askedAt = performance.now()
      const answer = await attempt(resources, ttlMs)
      waits(purpose)((performance.now() - askedAt) / 1_000)
      acquisitions(purpose, answer.state)()
      return answer
    }
    const extend: RedLock['extend'] = ({ resources, token }, ttlMs) =>
      step(steps.extend, () => ballots.extend(resources, token, ttlMs)).catch(unanswered)
    const release: RedLock['release'] = (resources, token) =>
      step(steps.release, () => {
        const released = ballots.release(resources, token)
        wake(resources) // a request that is woken now is served after the release: each node keeps the order
        return released
      }).catch(unanswered)

    const acquire: RedLock['acquire'] = async (resources, ttlMs, waitMs) => {
      const deadline = performance.now() + waitMs
      for (;;) {
        const answer = await tryAcquire(resources, ttlMs)
        if (answer.state === 'held') {
          if (answer.validForMs > 0) return answer
          await release(resources, answer.token)
        }
        const leftMs = deadline - performance.now()
        if (leftMs <= 0) return answer.state === 'held' ? { state: 'busy' } : answer
        await changed(resources, Math.max(1, Math.min(RETRY_MS, leftMs)))
      }
    }
    return { tryAcquire, acquire, changed, extend, release, close, named: (what) => named(`${what}.`) }
  }
  return named('')
}
