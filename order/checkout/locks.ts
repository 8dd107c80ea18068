/**
 * What is locked for a checkout, and until when?
 *
 * The order and its user, from before the checkout begins until the process that ends it releases them. The TTL is how long the
 * customer of a process that died must wait, so it is short, and a sweep extends the locks of the checkouts that this
 * process began for as long as a request waits for them.
 */
import type { Acquired } from '../../shared/lock/ballot.ts'
import type { RedLock } from '../../shared/lock/redlock.ts'
import { TransientMap } from '../../shared/process/transient-map.ts'

export type Locks = {
  /** One attempt, as in `RedLock`. */
  readonly tryAcquire: (order: string, user: string) => Promise<Acquired>
  readonly release: (order: string, user: string, token: string) => void
  /** Resolves when either is being released, or after about `ms`. */
  readonly changed: (order: string, user: string, ms: number) => Promise<void>
  /** Extends the lock of a saga, which was acquired at `since` (of `performance.now()`), until it is let go. */
  readonly keep: (id: string, order: string, user: string, token: string, since: number) => void
  readonly letGo: (id: string) => void
  /** Releases what this process has kept for a saga, if anything. */
  readonly releaseKept: (id: string) => void
  /** Extends what is due. To be called many times in a TTL. */
  readonly sweep: (now: number) => void
}

type Kept = { readonly resources: readonly string[]; readonly token: string; extendAt: number }

const resourcesOf = (order: string, user: string): string[] => [`order:${order}`, `user:${user}`]

export const openLocks = (redLock: RedLock, ttlMs: number): Locks => {
  const kept = new TransientMap<Kept>()

  /** One that is lost belongs to another process by now, or to none: it is not asked for again. */
  const extend = async (id: string, lock: Kept): Promise<void> => {
    if ((await redLock.extend(lock, ttlMs)) === 'lost') kept.delete(id)
  }

  return {
    tryAcquire: (order, user) => redLock.tryAcquire(resourcesOf(order, user), ttlMs),
    release: (order, user, token) => void redLock.release(resourcesOf(order, user), token),
    changed: (order, user, ms) => redLock.changed(resourcesOf(order, user), ms),
    keep: (id, order, user, token, since) =>
      kept.set(id, { resources: resourcesOf(order, user), token, extendAt: since + ttlMs / 3 }),
    letGo: (id) => kept.delete(id),
    releaseKept: (id) => {
      const lock = kept.get(id)
      if (lock) void redLock.release(lock.resources, lock.token)
    },
    sweep: (now) => {
      for (const [id, lock] of kept)
        if (lock.extendAt <= now) {
          lock.extendAt = now + ttlMs / 3
          void extend(id, lock)
        }
    },
  }
}
