/**
 * How were customers answered, route by route?
 *
 * Every request ends in one of five ways. *ok* and *refused* are answers to the question; *later* says that nothing was
 * done and that it may be asked again; so does *failed*, but as a failure; and of *unknown* it cannot be said what became.
 *
 * A route is *unavailable* from the moment somebody asks it until the next answer to a question is given there: however
 * many fail or hang meanwhile, that is one time without an answer. With nobody asking it is not.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { DOES, type Does, isDone } from '../support/checker/history.ts'

export const ENDS = ['ok', 'refused', 'later', 'failed', 'unknown'] as const
export type End = (typeof ENDS)[number]

/** The problems that say so: nothing was done, and asking again is right. */
const LATER = new Set([
  'locked',
  'credit-held',
  'checkout-cancelled',
  'checkout-cancelling',
  'order-changing',
  'neighbour-unavailable',
])
/** Of all 5xx these alone promise that nothing was done. */
const NOTHING_DONE = new Set([
  'service-unavailable',
  'keys-unavailable',
  'overloaded',
  'not-ready',
  'draining',
  'not-done',
  'too-many-connections',
])

/** What an answer means; the status is 0 if there was none. */
export const endOf = (status: number, problem: string): End => {
  if (isDone(status)) return 'ok'
  if (LATER.has(problem)) return 'later'
  if (status >= 400 && status < 500) return 'refused'
  return NOTHING_DONE.has(problem) ? 'failed' : 'unknown'
}

export type RouteReading = {
  readonly does: Does
  readonly ends: Readonly<Record<End, number>>
  /** How many of the failed and unknown could have been repeated, and were not safe to repeat. */
  readonly failures: { readonly safe: number; readonly unsafe: number }
  /** Of the last seconds: ok or refused answers per second, and how long they took. */
  readonly now: { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number }
  readonly slowestMs: number
  /** The longest time without an answer, and when it began. */
  readonly unavailable: { readonly ms: number; readonly fromMs: number }
}

export type Meter = {
  /** A request is sent; the result is told how it ended. */
  readonly ask: (does: Does, isSafe: boolean) => (end: End) => void
  readonly underWay: () => number
  /** Of each route that was ever asked. */
  readonly read: () => readonly RouteReading[]
}

/** What `now` means: so many spans of a second, the present one included. */
const SPANS = 3
const SPAN_MS = 1_000
const HOUR_US = 3_600_000_000

type Span = { readonly number: number; count: number; readonly latencies: RecordableHistogram }

const openSpan = (number: number): Span => ({
  number,
  count: 0,
  latencies: createHistogram({ lowest: 1, highest: HOUR_US, figures: 2 }),
})

const openRoute = (does: Does, clock: () => number) => {
  const ends: Record<End, number> = { ok: 0, refused: 0, later: 0, failed: 0, unknown: 0 }
  const failures = { safe: 0, unsafe: 0 }
  const startedAt = clock()
  let spans: Span[] = []
  let underWay = 0
  let slowestMs = 0
  /** Since when somebody has been asking without an answer. */
  let waitingSince: number | undefined
  let longest = { ms: 0, fromMs: 0 }

  const recent = (): Span[] => {
    const oldest = Math.floor(clock() / SPAN_MS) - SPANS + 1
    spans = spans.filter(({ number }) => number >= oldest)
    return spans
  }
  const present = (): Span => {
    const number = Math.floor(clock() / SPAN_MS)
    const last = recent().at(-1)
    if (last?.number === number) return last
    const span = openSpan(number)
    spans.push(span)
    return span
  }
  const waited = (): { ms: number; fromMs: number } =>
    waitingSince === undefined ? { ms: 0, fromMs: 0 } : { ms: clock() - waitingSince, fromMs: waitingSince }
  const longer = (one: typeof longest, other: typeof longest): typeof longest => (one.ms >= other.ms ? one : other)

  const answered = (askedAt: number, end: 'ok' | 'refused'): void => {
    const ms = clock() - askedAt
    const span = present()
    span.count += 1
    span.latencies.record(Math.max(1, Math.round(ms * 1_000)))
    slowestMs = Math.max(slowestMs, ms)
    longest = longer(longest, waited())
    waitingSince = underWay > 0 ? clock() : undefined
    ends[end] += 1
  }
  return {
    ask: (isSafe: boolean): ((end: End) => void) => {
      const askedAt = clock()
      underWay += 1
      waitingSince ??= askedAt
      return (end) => {
        underWay -= 1
        if (end === 'ok' || end === 'refused') return answered(askedAt, end)
        ends[end] += 1
        if (end !== 'later') failures[isSafe ? 'safe' : 'unsafe'] += 1
      }
    },
    underWay: () => underWay,
    read: (): RouteReading => {
      const all = recent()
      const answers = all.reduce((sum, { count }) => sum + count, 0)
      const latencies = createHistogram({ lowest: 1, highest: HOUR_US, figures: 2 })
      for (const span of all) latencies.add(span.latencies)
      const seconds = (clock() - Math.max(startedAt, (Math.floor(clock() / SPAN_MS) - SPANS + 1) * SPAN_MS)) / SPAN_MS
      const percentile = (share: number): number => (answers === 0 ? 0 : latencies.percentile(share) / 1_000)
      return {
        does,
        ends: { ...ends },
        failures: { ...failures },
        now: { perSecond: answers / Math.max(seconds, 0.1), p50Ms: percentile(50), p99Ms: percentile(99) },
        slowestMs,
        unavailable: longer(longest, waited()),
      }
    },
  }
}

/** Measures by a clock in milliseconds. */
export const openMeter = (clock: () => number = () => performance.now()): Meter => {
  const routes = new Map<Does, ReturnType<typeof openRoute>>()
  const routeOf = (does: Does): ReturnType<typeof openRoute> => {
    const route = routes.get(does) ?? openRoute(does, clock)
    routes.set(does, route)
    return route
  }
  return {
    ask: (does, isSafe) => routeOf(does).ask(isSafe),
    underWay: () => [...routes.values()].reduce((sum, route) => sum + route.underWay(), 0),
    read: () => DOES.flatMap((does) => routes.get(does)?.read() ?? []),
  }
}
