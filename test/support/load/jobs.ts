/** Work that is awaited, many pieces at once. */
import { EventEmitter, once } from 'node:events'
import type { ExecutionContext } from 'ava'
import { closedLoop, type Hire } from './loops.ts'

/** Workers whose pieces are jobs; a job that fails is told, and ends nothing. */
export const doing =
  (job: (number: number) => Promise<unknown>, failed: (error: unknown) => void): Hire =>
  (free) => ({
    send: (number) =>
      void job(number)
        .catch(failed)
        .then(() => free()),
  })

/** Does `job(0)` to `job(count - 1)`, at most `width` at once; the results in their order. */
export const inParallel = async <Result>(
  count: number,
  width: number,
  job: (index: number) => Promise<Result>,
): Promise<Result[]> => {
  const results: Result[] = []
  const { promise: failed, reject } = Promise.withResolvers<never>()
  const hire = doing(async (index) => {
    results[index] = await job(index)
  }, reject)
  const loop = closedLoop({ hire, width: Math.min(width, count), count })
  try {
    await Promise.race([loop.over, failed])
  } finally {
    void loop.stop()
  }
  return results
}

export type Count = {
  readonly value: () => number
  readonly add: () => void
  /** Resolves when so many are counted; at once if they are. @throws the reason of the signal */
  readonly reached: (count: number, signal?: AbortSignal) => Promise<void>
}

export const openCount = (): Count => {
  const events = new EventEmitter().setMaxListeners(0)
  let value = 0
  return {
    value: () => value,
    add: () => {
      value += 1
      events.emit('more')
    },
    reached: async (count, signal) => {
      while (value < count) await once(events, 'more', { signal })
    },
  }
}

export type Load = {
  /** Resolves when so many more have been served, from now on. @throws if that takes more than the timeout. */
  readonly served: (count: number) => Promise<void>
  /** Sends them away. @returns what went wrong, how many were served, and the longest that one took. */
  readonly stop: () => Promise<{
    readonly failures: readonly string[]
    readonly served: number
    readonly slowestMs: number
  }>
}

const TIMEOUT_MS = 20_000
/** They go home by themselves after this time, and that is a failure. */
const LOAD_MAX_MS = 120_000

/**
 * Starts `width` customers who come without a pause until they are sent away; each does `job` again and again, with a number
 * that no other has, and whatever goes wrong for one of them is kept. A test that fails leaves none of them behind, to disturb
 * the next one.
 */
export const startLoad = (t: ExecutionContext, width: number, job: (number: number) => Promise<void>): Load => {
  const failures: string[] = []
  const count = openCount()
  let slowestMs = 0
  const serve = async (number: number): Promise<void> => {
    const startedAt = performance.now()
    try {
      await job(number)
    } finally {
      slowestMs = Math.max(slowestMs, performance.now() - startedAt)
      count.add()
    }
  }
  const fail = (error: unknown): void => void failures.push(error instanceof Error ? error.message : String(error))
  const loop = closedLoop({ hire: doing(serve, fail), width })
  const bound = setTimeout(() => {
    failures.push(`the load was still there after ${LOAD_MAX_MS} ms`)
    void loop.stop()
  }, LOAD_MAX_MS)
  const stop: Load['stop'] = async () => {
    clearTimeout(bound)
    await loop.stop()
    return { failures, served: count.value(), slowestMs }
  }
  t.teardown(stop)
  return { served: (more) => count.reached(count.value() + more, AbortSignal.timeout(TIMEOUT_MS)), stop }
}
