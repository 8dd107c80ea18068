/**
 * What does this process count and measure, and who is told?
 *
 * Counters and histograms are numbers in memory (`series.ts`). A gauge costs nothing until it is asked for: a *source* reads some
 * at once, at each scrape, and those that come at the same moment share it. A source has `SOURCE_MS`: what it has not told by
 * then is left out, and it is told that it is missing. So a Redis that hangs does not keep a scrape waiting, and hides nothing
 * else.
 *
 * All are written by prom-client (`exposition.ts`), which is loaded when somebody scrapes for the first time, with what it knows of the
 * process itself.
 */
import type { Logger } from 'pino'
import { impossible, UnavailableError } from '../errors.ts'
import { type Exposition, openExposition, type Sample } from './exposition.ts'
import { gauge, type Histogram, type Metric, type Values } from './metric.ts'
import { type Count, counters, type Family, histograms, type Observe } from './series.ts'

export type Gauges = Readonly<Record<string, Metric>>
/** Tells the value of a gauge, as it is now, under these values of its labels. */
export type Tell<Of extends Gauges> = {
  readonly [Name in keyof Of]: (value: number, ...values: Values<Of[Name]['labels']>) => void
}

export type Scraped = { readonly type: string; readonly text: string }

export type Metrics = {
  readonly counter: <const Labels extends readonly string[]>(metric: Metric<Labels>) => Family<Labels, Count>
  readonly histogram: <const Labels extends readonly string[]>(metric: Histogram<Labels>) => Family<Labels, Observe>
  /** Has these gauges read at each scrape. One that throws is missing, like one that is late. */
  readonly source: <const Of extends Gauges>(
    name: string,
    gauges: Of,
    read: (tell: Tell<Of>) => Promise<void> | void,
  ) => void
  /** All of it as text; undefined where nothing is counted. */
  readonly scrape: () => Promise<Scraped | undefined>
}

const SOURCE_MS = 500

export const missing = gauge(
  'shop_metrics_source_missing',
  'Whether a source of gauges did not tell them in time at this scrape',
  'source',
)

type Samples = Map<string, Sample[]>
type Source = { readonly name: string; readonly gauges: readonly Metric[]; readonly read: () => Promise<Samples> }

/** Counts nothing. */
export const noMetrics: Metrics = {
  counter: () => () => () => undefined,
  histogram: () => () => () => undefined,
  source: () => undefined,
  scrape: async () => undefined,
}

const sourceOf = <Of extends Gauges>(
  name: string,
  gauges: Of,
  read: (tell: Tell<Of>) => Promise<void> | void,
): Source => {
  let reading: Promise<Samples> | undefined
  const readAll = async (): Promise<Samples> => {
    const samples: Samples = new Map()
    const tell = Object.fromEntries(
      Object.entries(gauges).map(([key, { name: metric }]) => [
        key,
        (value: number, ...values: readonly string[]): void => {
          const told = samples.get(metric) ?? []
          told.push({ values, value })
          samples.set(metric, told)
        },
      ]),
    ) as Tell<Of>
    await read(tell)
    return samples
  }
  return {
    name,
    gauges: Object.values(gauges),
    // One that hangs is not asked a second time meanwhile.
    read: () => {
      reading ??= readAll().finally(() => {
        reading = undefined
      })
      return reading
    },
  }
}

/** What a source tells within its time; undefined if that is nothing. */
const inTime = async ({ read }: Source, onFailed: (error: unknown) => void): Promise<Samples | undefined> => {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), SOURCE_MS)
  const told = read().catch((error: unknown) => {
    onFailed(error)
    return undefined
  })
  try {
    return await Promise.race([told, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** @param onFailed called with what a source has thrown */
export const openMetrics = (onFailed: (source: string, error: unknown) => void): Metrics => {
  const names = new Set<string>()
  const sources: Source[] = []
  const samples: Samples = new Map()
  let exposition: Promise<Exposition> | undefined
  let scraping: Promise<Scraped> | undefined
  const later: ((of: Exposition) => void)[] = []

  const add = ({ name }: Metric, show: (of: Exposition) => void): void => {
    if (names.has(name)) impossible('metrics.twice', name)
    names.add(name)
    if (exposition === undefined) later.push(show)
    else void exposition.then(show)
  }
  const addGauge = (metric: Metric): void =>
    add(metric, (of) => of.showNow(metric, () => samples.get(metric.name) ?? []))
  addGauge(missing)

  const open = async (): Promise<Exposition> => {
    const opened = await openExposition()
    for (const show of later.splice(0)) show(opened)
    return opened
  }

  const readSource = async (source: Source): Promise<void> => {
    const told = await inTime(source, (error) => onFailed(source.name, error))
    for (const { name } of source.gauges) samples.set(name, told?.get(name) ?? [])
    const marks = samples.get(missing.name) ?? []
    samples.set(missing.name, [...marks, { values: [source.name], value: told === undefined ? 1 : 0 }])
  }

  const scrape = async (): Promise<Scraped> => {
    exposition ??= open()
    const opened = await exposition
    samples.delete(missing.name)
    await Promise.all(sources.map(readSource))
    return opened.text()
  }

  return {
    counter: (metric) => {
      const { find, all } = counters(metric.labels)
      add(metric, (of) => of.showNow(metric, () => all.map(({ values, count }) => ({ values, value: count[0] ?? 0 }))))
      return find
    },
    histogram: (metric) => {
      const { find, all } = histograms(metric.labels, metric.bounds)
      add(metric, (of) => of.showHistogram(metric, () => all))
      return find
    },
    source: (name, gauges, read) => {
      for (const metric of Object.values(gauges)) addGauge(metric)
      sources.push(sourceOf(name, gauges, read))
    },
    scrape: () => {
      scraping ??= scrape().finally(() => {
        scraping = undefined
      })
      return scraping
    },
  }
}

/**
 * Those of a process, if it is to have any. A source that fails for another reason than the world's ends the process, as any
 * fault does.
 */
export const metricsFrom = (isOn: boolean, logger: Logger): Metrics => {
  if (!isOn) return noMetrics
  return openMetrics((source, error) => {
    if (!(error instanceof UnavailableError))
      setImmediate(() => {
        throw error
      })
    else logger.debug({ err: error, source }, 'a source of metrics does not answer')
  })
}
