/**
 * Whose turn is it, among the requests of this process that want the same?
 *
 * RedLock lets one of them through at a time. Without a queue before it all others would try again with every release, and
 * all but one in vain, on three masters. Here they wait in the order in which they came, and only the first one asks.
 */
import { TransientMap } from './transient-map.ts'

export type Turns = {
  /**
   * Waits for one's turn, until the time given (of `performance.now()`).
   * @returns `taken`, or without the turn: `late` if it did not come, `scattered` if whoever had it failed.
   */
  readonly take: (name: string, until: number) => Promise<Come>
  /** Ends one's turn: it is the next one's. */
  readonly end: (name: string) => void
  /** Ends one's turn by failing: as the others may fail too, all who wait look for themselves, at once. */
  readonly scatter: (name: string) => void
}

type Come = 'taken' | 'scattered' | 'late'

export const openTurns = (): Turns => {
  /** Who waits, by name; a name that is here has its turn taken. */
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
