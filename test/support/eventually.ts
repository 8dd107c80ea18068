/** Waits, within a bound, for what no event tells. */
import { setTimeout as after } from 'node:timers/promises'

const FIRST_WAIT_MS = 5
const LAST_WAIT_MS = 50

/** Repeats `check` until it does not throw, and gives what it returned; after `withinMs` its last error is thrown. */
export const eventually = async <Result>(check: () => Promise<Result>, withinMs: number): Promise<Result> => {
  const deadline = performance.now() + withinMs
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LAST_WAIT_MS)) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > deadline)
        throw new Error(`not within ${withinMs} ms: ${(error as Error).message}`, { cause: error })
      await after(waitMs)
    }
  }
}

/** How long a part stays away: the length of a fault, which is chosen and not waited for. */
export const away = (ms: number): Promise<void> => after(ms)
