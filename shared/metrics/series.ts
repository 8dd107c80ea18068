/**
 * How is something counted where it happens?
 *
 * By a number in memory, at a cost of some nanoseconds: an observation of prom-client's costs 650 with three labels, and a request has
 * a dozen. A *series* is what is counted under certain values of the labels. It is found by one look into a map for each label, or kept by
 * its caller; there is no text to be put together, and nothing to be collected as garbage.
 *
 * There are no more than `SERIES_MAX` of one metric: what comes under still other values is counted as `other`, so that no mistake
 * fills the memory.
 */
import type { Values } from './metric.ts'

export type Count = (by?: number) => void
export type Observe = (value: number) => void

/** Finds the series under these values of the labels. */
export type Family<Labels extends readonly string[], Series> = (...values: Values<Labels>) => Series

export type CounterSeries = { readonly values: readonly string[]; readonly count: Float64Array }
export type HistogramSeries = {
  readonly values: readonly string[]
  /** How many lay below each bound and above the one before, and last of all how many above all bounds. */
  readonly counts: Float64Array
  readonly sum: Float64Array
}

const SERIES_MAX = 1_000
const OTHER = 'other'

type Find<Series> = (values: readonly string[], at: number) => Series

/** One level for each label that is left. */
const level = <Series>(
  left: number,
  make: (values: readonly string[]) => Series,
  isFull: () => boolean,
): Find<Series> => {
  if (left === 0) {
    let one: Series | undefined
    return (values) => {
      one ??= make(values)
      return one
    }
  }
  const known = new Map<string, Find<Series>>()
  return (values, at) => {
    const value = values[at] ?? ''
    const next = known.get(value)
    if (next !== undefined) return next(values, at + 1)
    const found = level(left - 1, make, isFull)
    if (!isFull()) known.set(value, found)
    return found(values, at + 1)
  }
}

/** All series of one metric, each made by `make` when it is first wanted. */
const family = <Labels extends readonly string[], Kept extends { readonly values: readonly string[] }, Series>(
  labels: Labels,
  make: (values: readonly string[]) => readonly [Kept, Series],
): { readonly find: Family<Labels, Series>; readonly all: readonly Kept[] } => {
  const all: Kept[] = []
  let other: Series | undefined
  const isFull = (): boolean => all.length >= SERIES_MAX
  const add = (values: readonly string[]): Series => {
    const [kept, series] = make(values)
    all.push(kept)
    return series
  }
  const find = level(
    labels.length,
    (values) => {
      if (!isFull()) return add(values)
      other ??= add(labels.map(() => OTHER))
      return other
    },
    isFull,
  )
  // One without labels is told from the beginning.
  if (labels.length === 0) find([], 0)
  return { find: (...values) => find(values, 0), all }
}

export const counters = <Labels extends readonly string[]>(labels: Labels) =>
  family<Labels, CounterSeries, Count>(labels, (values) => {
    const count = new Float64Array(1)
    return [
      { values, count },
      (by = 1) => {
        count[0] = (count[0] ?? 0) + by
      },
    ]
  })

export const histograms = <Labels extends readonly string[]>(labels: Labels, bounds: readonly number[]) =>
  family<Labels, HistogramSeries, Observe>(labels, (values) => {
    const below = Float64Array.from(bounds)
    const counts = new Float64Array(bounds.length + 1)
    const sum = new Float64Array(1)
    return [
      { values, counts, sum },
      (value) => {
        let at = 0
        while (at < below.length && value > (below[at] ?? 0)) at += 1
        counts[at] = (counts[at] ?? 0) + 1
        sum[0] = (sum[0] ?? 0) + value
      },
    ]
  })
