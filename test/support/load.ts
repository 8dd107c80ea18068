/** Customers who come without a pause until they are sent away; whatever goes wrong for one of them is kept. */
import { EventEmitter, once } from 'node:events'
import type { ExecutionContext } from 'ava'

export type Load = {
  /** Resolves when so many more have been served, from now on. @throws if that takes more than the patience. */
  readonly served: (count: number) => Promise<void>
  /** Sends them away. @returns what went wrong, how many were served, and the longest that one took. */
  readonly stop: () => Promise<{
    readonly failures: readonly string[]
    readonly served: number
    readonly slowestMs: number
  }>
}

const PATIENCE_MS = 20_000
/** They go home by themselves after this time, and that is a failure. */
const LOAD_MAX_MS = 120_000

/**
 * Starts `width` customers; each does `job` again and again, with a number that no other has. A test that fails leaves none
 * of them behind, to disturb the next one.
 */
export const startLoad = (t: ExecutionContext, width: number, job: (number: number) => Promise<void>): Load => {
  const events = new EventEmitter().setMaxListeners(0)
  const failures: string[] = []
  let begun = 0
  let served = 0
  let slowestMs = 0
  let stopping = false
  const customer = async (): Promise<void> => {
    while (!stopping) {
      const startedAt = performance.now()
      try {
        await job(begun++)
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error))
      }
      slowestMs = Math.max(slowestMs, performance.now() - startedAt)
      served += 1
      events.emit('served')
    }
  }
  const customers = Array.from({ length: width }, customer)
  const bound = setTimeout(() => {
    failures.push(`the load was still there after ${LOAD_MAX_MS} ms`)
    stopping = true
  }, LOAD_MAX_MS)
  const stop: Load['stop'] = async () => {
    stopping = true
    clearTimeout(bound)
    await Promise.all(customers)
    return { failures, served, slowestMs }
  }
  t.teardown(stop)
  return {
    served: async (count) => {
      const signal = AbortSignal.timeout(PATIENCE_MS)
      for (const until = served + count; served < until; ) await once(events, 'served', { signal })
    },
    stop,
  }
}
