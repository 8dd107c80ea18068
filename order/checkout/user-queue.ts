/**
 * Which request of one user is next, in this process?
 *
 * RedLock lets one of them through at a time. Without a queue before it all others would try again with every release, and
 * all but one in vain, on three masters. Here they wait in the order in which they came, and only the first one asks.
 */
import { TransientMap } from '../../shared/process/transient-map.ts'

export type UserQueue = {
  /**
   * Waits for a turn, until the time given (of `performance.now()`).
   * @returns `taken`, or without the turn: `late` if it did not come, `scattered` if the one that had it failed.
   */
  readonly take: (name: string, until: number) => Promise<Come>
  /** Ends a turn: it is the turn of the next one. */
  readonly end: (name: string) => void
  /** Ends a turn by failing: as the others may fail too, all that wait look for themselves, at once. */
  readonly scatter: (name: string) => void
}

type Come = 'taken' | 'scattered' | 'late'

export const openUserQueue = (): UserQueue => {
  /** What waits, by name; a name that is here has its turn taken. */
  const queues = new TransientMap<((came: Come) => void)[]>()
  return {
    take: async (name, until) => {
      const queue = queues.get(name)
      if (queue === undefined) {
        queues.set(name, [])
        return 'taken'
      }
      const { promise, resolve } = Promise.withResolvers<Come>()
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(resolve), 1)
        resolve('late')
      }, until - performance.now())
      queue.push(resolve)
      return promise.finally(() => clearTimeout(timer))
    },
    end: (name) => {
      const next = queues.get(name)?.shift()
      if (next === undefined) queues.delete(name)
      else next('taken')
    },
    scatter: (name) => {
      const queue = queues.get(name)
      queues.delete(name)
      for (const go of queue ?? []) go('scattered')
    },
  }
}
