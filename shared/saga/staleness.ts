/** For how long may nothing be said of a saga, until something of it is emitted again? */

/** The last entry may be answered for this long before the saga is stale. */
const STALE_MS = 2_000
/** What hangs is emitted again at ever longer intervals: each a quarter of the time since the saga began, up to this. */
const STALE_MAX_MS = 600_000
const STALE_SHARE = 4

/** For how long nothing more may be said of a saga that began at `beganMs` and was last spoken of at `lastEventAtMs`. */
export const staleAfterMs = (lastEventAtMs: number, beganMs: number): number =>
  Math.min(Math.max(STALE_MS, (lastEventAtMs - beganMs) / STALE_SHARE), STALE_MAX_MS)

/**
 * Was no entry of a saga appended for so long that one is to be emitted again? It began at `beganMs`, and its last entry came at
 * `lastEventAtMs`, by the clock of the own Redis. If that is in the future, the clock was set back, for how long is unknown.
 */
export const isStale = (atMs: number, lastEventAtMs: number, beganMs: number): boolean =>
  Math.abs(atMs - lastEventAtMs) > staleAfterMs(lastEventAtMs, beganMs)
