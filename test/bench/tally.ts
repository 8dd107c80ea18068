/**
 * How did the requests of a job end?
 *
 * Each ends in one of four ways, and what it promises of its effect is counted later against the shop's books:
 *
 * | end     | what was answered                                          | was it done?                      |
 * | ------- | ---------------------------------------------------------- | --------------------------------- |
 * | ok      | 200                                                        | yes                               |
 * | shed    | 429 or 503, with `Retry-After`, and not "outcome unknown"  | it was not begun                  |
 * | refused | any other 4xx                                              | no, and it will not be            |
 * | unsure  | anything else, and no answer at all                        | that cannot be told from outside  |
 *
 * Only what is ok counts in rate and latencies.
 */
import { createHistogram } from 'node:perf_hooks'
import { EXCEPTIONS_MAX, type Exception, type Measured, type Oddity } from './load.ts'

/** How a request ended that was not answered 200. */
export type Trouble = {
  readonly is: Exception
  /** The status, or the error's name where there was no answer. */
  readonly what: string
  readonly example: string
  /** How long its sender is asked to wait. */
  readonly retryAfterMs: number
}

/** What a reply says besides its body. */
export type Head = {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly location: string | undefined
}

const HOUR_US = 3_600_000_000
const EXAMPLE_CHARACTERS = 300
/** The shop's 503 for "the outcome cannot be known", which also asks to come again. */
const OUTCOME_UNKNOWN = /"type":\s*"[^"]*:unavailable"/

/** Seconds, or a date. */
const retryAfterMs = (value: string): number => {
  const seconds = Number(value)
  const ms = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1_000
  return Math.max(0, Number.isNaN(ms) ? 0 : ms)
}

/** What an answer that is no 200 means. */
export const troubleOf = ({ status, retryAfter, location }: Head, body: string): Trouble => {
  const isShed =
    (status === 429 || status === 503) &&
    retryAfter !== undefined &&
    location === undefined &&
    !OUTCOME_UNKNOWN.test(body)
  const is = isShed ? 'shed' : status >= 400 && status < 500 ? 'refused' : 'unsure'
  return {
    is,
    what: String(status),
    example: body.slice(0, EXAMPLE_CHARACTERS),
    retryAfterMs: isShed ? retryAfterMs(retryAfter) : 0,
  }
}

export type Tally = {
  /** An answer of 200, and how long it took; not every one belongs to the measured time. */
  readonly ok: (ms: number, isMeasured: boolean) => void
  readonly trouble: (number: number, trouble: Trouble, isMeasured: boolean) => void
  readonly read: (rest: Pick<Measured, 'ms' | 'next' | 'usedUp' | 'notSent'>) => Measured
}

export const openTally = (): Tally => {
  const histogram = createHistogram({ lowest: 1, highest: HOUR_US, figures: 3 })
  const odd: Record<string, Oddity> = {}
  const shed: Record<string, Oddity> = {}
  const exceptions: Record<Exception, number[]> = { shed: [], refused: [], unsure: [] }
  let answered = 0
  let answeredInAll = 0
  let shedMeasured = 0

  const latencies = (): Measured['latencyMs'] => {
    if (answered === 0) return { p50: 0, p95: 0, p99: 0, max: 0 }
    const at = (share: number): number => histogram.percentile(share) / 1_000
    return { p50: at(50), p95: at(95), p99: at(99), max: histogram.max / 1_000 }
  }
  return {
    ok: (ms, isMeasured) => {
      answeredInAll += 1
      if (!isMeasured) return
      answered += 1
      histogram.record(Math.max(1, Math.round(ms * 1_000)))
    },
    trouble: (number, { is, what, example }, isMeasured) => {
      const kinds = is === 'shed' ? shed : odd
      const known = kinds[what]
      kinds[what] = { count: (known?.count ?? 0) + 1, example: known?.example ?? example }
      if (exceptions[is].length < EXCEPTIONS_MAX) exceptions[is].push(number)
      if (is === 'shed' && isMeasured) shedMeasured += 1
    },
    read: (rest) => ({ answered, latencyMs: latencies(), answeredInAll, odd, shed, shedMeasured, exceptions, ...rest }),
  }
}
