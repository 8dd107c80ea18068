/**
 * Is a replica asked that was silent a moment ago?
 *
 * After `SILENT_MAX` questions in a row that got no answer in time it is not, for `OPEN_MS`: then one asks, and the others do as long as
 * that one has no answer. So a replica that is frozen, or behind a network that swallows what is sent, costs its time-out once a while,
 * not each request. What fails at once costs nothing, and does not count: a replica that starts again is asked as soon as it is there.
 */

const SILENT_MAX = 5
const OPEN_MS = 1_000

export type Breaker = {
  /** Undefined while it is not to be asked; else it is, and how that ended is to be said, once. */
  readonly enter: () => ((wasSilent: boolean) => void) | undefined
}

/** @param now a monotonic clock, in ms */
export const openBreaker = (now: () => number = () => performance.now()): Breaker => {
  let silentInARow = 0
  let openUntil = 0
  let isTried = false
  return {
    enter: () => {
      const isTrial = silentInARow >= SILENT_MAX
      if (isTrial && (isTried || now() < openUntil)) return undefined
      isTried = isTrial
      return (wasSilent) => {
        if (isTrial) isTried = false
        silentInARow = wasSilent ? silentInARow + 1 : 0
        if (wasSilent) openUntil = now() + OPEN_MS
      }
    },
  }
}
