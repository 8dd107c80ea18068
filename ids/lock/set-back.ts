/**
 * Was the clock of ids' Redis set back?
 *
 * Leases end by it. If it is set back, by a person or because the machine has lost the time, all that hold or wait would go on for as much
 * longer, and what a dead process holds is nobody's for an hour. So it is held against the clock of this process that never goes back. What
 * was before this process began is not known, so that the first look is taken for such a case.
 */

/** A step of less than this changes less than leases may be late anyhow; and two clocks never run alike. */
const TOLERATED_MS = 1_000

export type Look = {
  /** What the clock of the Redis said. */
  readonly clockMs: number
  /** When it was asked, and when it had answered, by `performance.now()`. */
  readonly askedAt: number
  readonly answeredAt: number
}

/** `unknown` at the first look. */
export type SetBack = 'no' | 'yes' | 'unknown'

export const openSetBack = () => {
  let last: Look | undefined
  return (look: Look): SetBack => {
    const before = last
    last = look
    if (before === undefined) return 'unknown'
    const leastMs = before.clockMs + (look.askedAt - before.answeredAt)
    return look.clockMs < leastMs - TOLERATED_MS ? 'yes' : 'no'
  }
}
