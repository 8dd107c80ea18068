/** What is counted is told, as Prometheus reads it, and costs next to nothing until then. */
import test from 'ava'
import { UnavailableError } from '../../../shared/errors.ts'
import { counter, gauge, histogram, SECONDS } from '../../../shared/metrics/metric.ts'
import { type Metrics, noMetrics, openMetrics } from '../../../shared/metrics/metrics.ts'
import { openRequestMeasure, requestSeconds } from '../../../shared/metrics/requests.ts'
import { parseExposition, toldOf } from '../../support/exposition.ts'

const open = (): { readonly metrics: Metrics; readonly failed: [string, unknown][] } => {
  const failed: [string, unknown][] = []
  return { metrics: openMetrics((...failure) => void failed.push(failure)), failed }
}
/** Loads what writes it down: that takes a moment, once. */
test.before(async () => {
  await open().metrics.scrape()
})

const scrape = async (metrics: Metrics) => parseExposition((await metrics.scrape())?.text ?? '')

const things = counter('things_total', 'What was counted', 'kind', 'place')

test('a counter is told under the values of its labels, and one without labels from the beginning', async (t) => {
  const { metrics } = open()
  const total = metrics.counter(things)
  metrics.counter(counter('alone_total', 'Nothing yet'))
  total('a', 'here')()
  total('a', 'here')(2)
  total('b', 'a "quoted"\nplace\\')()
  const told = await scrape(metrics)
  t.is(toldOf(told, 'things_total', { kind: 'a', place: 'here' }), 3)
  t.is(toldOf(told, 'things_total', { kind: 'b', place: 'a "quoted"\nplace\\' }), 1)
  t.is(toldOf(told, 'alone_total'), 0)
})

test('a histogram tells how many lay at or below each bound, their sum and their number', async (t) => {
  const { metrics } = open()
  const seconds = metrics.histogram(histogram('some_seconds', 'How long', [0.1, 1, 2], 'of'))
  for (const value of [0.1, 0.05, 0.5, 1, 1.5, 7]) seconds('it')(value)
  const told = await scrape(metrics)
  const below = (le: string) => toldOf(told, 'some_seconds_bucket', { of: 'it', le })
  t.deepEqual(['0.1', '1', '2', '+Inf'].map(below), [2, 4, 5, 6])
  t.is(toldOf(told, 'some_seconds_count', { of: 'it' }), 6)
  t.is(toldOf(told, 'some_seconds_sum', { of: 'it' }), 10.15)
})

test('a gauge is read at each scrape, and what it does not tell any more is gone', async (t) => {
  const { metrics } = open()
  let reads = 0
  metrics.source('s', { level: gauge('level', 'How high', 'of') } as const, async (tell) => {
    reads += 1
    if (reads === 1) tell.level(4, 'one')
    tell.level(5, 'other')
  })
  t.is(reads, 0)
  const first = await scrape(metrics)
  t.deepEqual([toldOf(first, 'level', { of: 'one' }), toldOf(first, 'level', { of: 'other' })], [4, 5])
  const second = await scrape(metrics)
  t.deepEqual([toldOf(second, 'level', { of: 'one' }), toldOf(second, 'level', { of: 'other' })], [undefined, 5])
})

test('scrapes that come at once share one reading', async (t) => {
  const { metrics } = open()
  let reads = 0
  metrics.source('s', { level: gauge('level', 'How high') } as const, async (tell) => {
    reads += 1
    tell.level(reads)
  })
  await Promise.all([scrape(metrics), scrape(metrics), scrape(metrics)])
  t.is(reads, 1)
})

test('a source that hangs or throws is missing, keeps no other from being told, and is not asked twice at once', async (t) => {
  const { metrics, failed } = open()
  const error = new UnavailableError('away')
  let asked = 0
  const hangs = Promise.withResolvers<void>()
  metrics.source('hangs', { one: gauge('one', 'One') } as const, async (tell) => {
    asked += 1
    await hangs.promise
    tell.one(1)
  })
  metrics.source('throws', { two: gauge('two', 'Two') } as const, () => {
    throw error
  })
  metrics.source('tells', { three: gauge('three', 'Three') } as const, (tell) => tell.three(3))
  const begun = performance.now()
  const told = await scrape(metrics)
  t.true(performance.now() - begun < 2_000)
  const missing = (source: string) => toldOf(told, 'shop_metrics_source_missing', { source })
  t.deepEqual(['hangs', 'throws', 'tells'].map(missing), [1, 1, 0])
  t.deepEqual([toldOf(told, 'one'), toldOf(told, 'two'), toldOf(told, 'three')], [undefined, undefined, 3])
  t.deepEqual(failed, [['throws', error]])
  const again = scrape(metrics)
  hangs.resolve()
  t.is(toldOf(await again, 'one'), 1)
  t.is(asked, 1)
})

test('a metric has a name of its own', (t) => {
  const { metrics } = open()
  metrics.counter(things)
  t.throws(() => metrics.counter(things), { message: /metrics\.twice/ })
})

test('values without end are counted under one name: they do not fill the memory', async (t) => {
  const { metrics } = open()
  const total = metrics.counter(things)
  for (let at = 0; at < 3_000; at += 1) total(`kind-${at % 1_500}`, 'here')()
  const lines = (await scrape(metrics)).filter(({ name }) => name === 'things_total')
  t.is(lines.length, 1_001)
  t.is(toldOf(lines, 'things_total', { kind: 'other', place: 'other' }), 1_000)
  t.is(
    lines.reduce((sum, { value }) => sum + value, 0),
    3_000,
  )
})

test('what a client sends as a method is no label', async (t) => {
  const { metrics } = open()
  const measure = openRequestMeasure(metrics)
  measure('GET', '/a/{b}', 200, 3)
  measure('BREW', '', 405, 3)
  const methods = (await scrape(metrics)).map(({ labels }) => labels.http_request_method)
  t.deepEqual(new Set(methods.filter((one) => one !== undefined)), new Set(['GET', '_OTHER']))
})

test('where nothing is measured nothing is told', async (t) => {
  noMetrics.counter(things)('a', 'here')()
  noMetrics.histogram(requestSeconds)('GET', '/', '200')(1)
  t.is(await noMetrics.scrape(), undefined)
})

/** What a busy service has counted: all its routes by three statuses each, and its commands by their results. */
const SETS = 240

test.serial(
  'a scrape of all that a busy service has counted costs less than 20 ms of CPU, half of that on a machine that has nothing else to do',
  async (t) => {
    const { metrics } = open()
    const measure = openRequestMeasure(metrics)
    for (let at = 0; at < SETS; at += 1) measure('GET', `/orders/${at}/{order}`, 200, at)
    const total = metrics.counter(things)
    for (let at = 0; at < SETS; at += 1) total(`command-${at}`, 'done')()
    let least = Number.POSITIVE_INFINITY
    for (let round = 0; round < 9; round += 1) {
      const begun = process.cpuUsage()
      await metrics.scrape()
      const { user, system } = process.cpuUsage(begun)
      least = Math.min(least, (user + system) / 1_000)
    }
    t.log(`${least} ms`)
    t.true(least < 20, `${least} ms`)
  },
)

/** The least of some rounds: what else the machine does only adds to it. */
const nanoseconds = (times: number, run: (at: number) => void): number => {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < 9; round += 1) {
    const begun = process.cpuUsage()
    for (let at = 0; at < times; at += 1) run(at)
    const { user, system } = process.cpuUsage(begun)
    least = Math.min(least, ((user + system) * 1_000) / times)
  }
  return least
}

test.serial(
  'a million observations cost less than 50 ns each, and so many that must be found by three labels less than 250',
  (t) => {
    const { metrics } = open()
    const values = Float64Array.from({ length: 1_024 }, () => Math.random() * 0.2)
    const value = (at: number): number => values[at & 1_023] ?? 0
    const seconds = metrics.histogram(histogram('some_seconds', 'How long', SECONDS))()
    const observed = nanoseconds(1_000_000, (at) => seconds(value(at)))
    const kept = metrics.counter(things)('a', 'here')
    const counted = nanoseconds(1_000_000, () => kept())
    const family = metrics.histogram(requestSeconds)
    const routes = Array.from({ length: 64 }, (_, at) => `/orders/${at}/{order}`)
    const found = nanoseconds(1_000_000, (at) => family('POST', routes[at & 63] ?? '', '200')(value(at)))
    t.log({ observed, counted, found })
    t.true(observed < 50, `${observed} ns an observation`)
    t.true(counted < 50, `${counted} ns a count`)
    t.true(found < 250, `${found} ns an observation that is found by its labels`)
  },
)
