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

/** A moment as RFC 9110 (5.6.7) writes it, and in its two obsolete forms, all of them in GMT. `Date` alone takes `-5` for a day of 2001. */
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, (?<day>\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>[\d:]{8}) GMT$/,
  /^[A-Z][a-z]{5,8}, (?<day>\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) (?<time>[\d:]{8}) GMT$/,
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>[\d:]{8}) (?<year>\d{4})$/,
]
const YEARS_AHEAD_MAX = 50

/** The year that two digits stand for: no more than 50 years ahead (5.6.7). */
const yearOf = (digits: string, nowMs: number): number => {
  if (digits.length > 2) return Number(digits)
  const thisYear = new Date(nowMs).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + Number(digits)
  return year > thisYear + YEARS_AHEAD_MAX ? year - 100 : year
}

/** NaN if it is no such date. */
const httpDateMs = (text: string, nowMs: number): number => {
  for (const form of HTTP_DATES) {
    const { day, month, year = '', time } = form.exec(text)?.groups ?? {}
    if (day !== undefined) return Date.parse(`${day} ${month} ${yearOf(year, nowMs)} ${time} GMT`)
  }
  return Number.NaN
}

/** How long a receiver asks to be left alone: a second at least, ten hours at most; `undefined` if it does not, or not in a known form. */
export const retryAfterMs = (header: string | undefined, nowMs: number): number | undefined => {
  if (header === undefined) return undefined
  const text = header.trim()
  const waitMs = /^\d+$/.test(text) ? Number(text) * SECOND_MS : httpDateMs(text, nowMs) - nowMs
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, SECOND_MS), LONGEST_MS)
}
