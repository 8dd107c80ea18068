/**
 * How are metrics written down?
 *
 * In the text format of Prometheus, by prom-client, which also tells of the process itself: CPU, memory, event loop, collections of
 * garbage. It takes 45 ms to load, so it is loaded when it is first wanted. Three of its metrics are left out, whose names say that
 * they are counters, which they are not.
 */
import type { Counter as CounterOf, Gauge as GaugeOf } from 'prom-client'
import type { Histogram as HistogramMetric, Metric } from './metric.ts'
import type { HistogramSeries } from './series.ts'

export type Sample = { readonly values: readonly string[]; readonly value: number }

export type Exposition = {
  /** Has a counter or a gauge written as it is told then. */
  readonly showNow: (metric: Metric, read: () => readonly Sample[]) => void
  readonly showHistogram: (metric: HistogramMetric, read: () => readonly HistogramSeries[]) => void
  readonly text: () => Promise<{ readonly type: string; readonly text: string }>
}

type Labels = Readonly<Record<string, string>>
/** Shared labels are written down once and remembered by their object: a scrape of many series takes half as long so. */
type Told = {
  readonly labels: Readonly<Record<string, string | number>>
  readonly sharedLabels: Labels
  readonly value: number
}

const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']
const NONE = {}

/** Remembers the labels of a series by its values, which are its own. */
const openLabels = (names: readonly string[]): ((values: readonly string[]) => Labels) => {
  const known = new WeakMap<readonly string[], Labels>()
  return (values) => {
    const labels = known.get(values) ?? Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']))
    known.set(values, labels)
    return labels
  }
}

/** How many lay at or below each bound, then their sum and their number. */
const linesOf = (
  { name, bounds }: HistogramMetric,
  { counts, sum }: HistogramSeries,
  sharedLabels: Labels,
): (Told & { readonly metricName: string })[] => {
  let below = 0
  const buckets = [...bounds, '+Inf'].map((le, at) => {
    below += counts[at] ?? 0
    return { labels: { le }, sharedLabels, value: below, metricName: `${name}_bucket` }
  })
  return [
    ...buckets,
    { labels: NONE, sharedLabels, value: sum[0] ?? 0, metricName: `${name}_sum` },
    { labels: NONE, sharedLabels, value: below, metricName: `${name}_count` },
  ]
}

export const openExposition = async (): Promise<Exposition> => {
  const { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of MISNAMED) registry.removeSingleMetric(name)

  /** Has it tell these values instead of its own, for it has none. */
  const show = <Of extends CounterOf | GaugeOf>(of: Of, { labels }: Metric, read: () => readonly Sample[]): void => {
    const described = of.get()
    const labelsOf = openLabels(labels)
    const get = async () => ({
      ...(await described),
      values: read().map(({ values, value }): Told => ({ labels: NONE, sharedLabels: labelsOf(values), value })),
    })
    registry.registerMetric(Object.assign(of, { get }))
  }

  return {
    showNow: (metric, read) => {
      const { name, help, labels } = metric
      const given = { name, help, labelNames: [...labels], registers: [] }
      if (metric.kind === 'counter') show(new Counter(given), metric, read)
      else show(new Gauge(given), metric, read)
    },
    showHistogram: (metric, read) => {
      const { name, help, labels } = metric
      const shown = new Histogram({ name, help, labelNames: [...labels], registers: [] })
      const described = shown.get()
      const labelsOf = openLabels(labels)
      const get = async () => ({
        ...(await described),
        values: read().flatMap((series) => linesOf(metric, series, labelsOf(series.values))),
      })
      registry.registerMetric(Object.assign(shown, { get, getForPromString: get }))
    },
    text: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  }
}
