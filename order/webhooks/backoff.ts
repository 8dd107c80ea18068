/** When is an event sent again that was not taken? */

const SECOND_MS = 1_000
const HOUR_MS = 3_600 * SECOND_MS
/** After the first failure, the second, and so on; then always the last. */
const WAITS_MS = [5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000].map((seconds) => seconds * SECOND_MS)
const LONGEST_MS = 10 * HOUR_MS
/** By up to this share sooner, so that the receivers that failed together are not all asked at one moment. */
const JITTER = 0.2

/** How long to wait after so many failures, the first of which is 1. @param random from 0 to 1 */
export const backOffMs = (failures: number, random = Math.random()): number => {
  const waitMs = WAITS_MS[Math.max(failures, 1) - 1] ?? LONGEST_MS
  return Math.round(waitMs * (1 - JITTER * random))
}

/** Anything else is none, whatever `Date` makes of it: it takes `-5` and `1.5` for days of 2001. */
const HTTP_DATE = /^[A-Z][a-z]{2}, .+ GMT$/

/** How long a receiver asks to be left alone: a second at least, ten hours at most; `undefined` if it does not, or not in a known form. */
export const retryAfterMs = (header: string | undefined, nowMs: number): number | undefined => {
  if (header === undefined) return undefined
  const text = header.trim()
  const untilMs = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN
  const waitMs = /^\d+$/.test(text) ? Number(text) * SECOND_MS : untilMs - nowMs
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, SECOND_MS), LONGEST_MS)
}
