/**
 * The alerts and the dashboard ask for nothing that the shop does not tell. Whether they ask it well, promtool knows: `npm run
 * test:alerts`.
 */
import { readFileSync } from 'node:fs'
import test from 'ava'
import { type Asked, alerts, namesIn, panels } from '../../support/alerts.ts'
import { metrics } from '../../support/catalogue.ts'

/** What prom-client tells of each process, and what Prometheus itself tells and adds. */
const OTHERS = [
  'up',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_gc_duration_seconds_sum',
]
const ADDED = ['job', 'instance', 'le']

const told = new Map<string, readonly string[]>(
  metrics.flatMap(({ kind, name, labels }) =>
    (kind === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map((part) => [`${name}${part}`, labels] as const),
  ),
)

/** What is asked for that nothing tells. */
const unknownIn = ({ where, expr }: Asked): readonly string[] => {
  const { metrics: names, labels } = namesIn(expr)
  const known = [...ADDED, ...names.flatMap((name) => told.get(name) ?? [])]
  return [
    ...(names.length === 0 ? [`${where} asks for nothing`] : []),
    ...names.filter((name) => !told.has(name) && !OTHERS.includes(name)).map((name) => `${where}: ${name}`),
    ...labels.filter((label) => !known.includes(label)).map((label) => `${where}: the label ${label}`),
  ]
}

test('every metric and every label in an alert is told by some process', (t) => {
  t.is(alerts().length, 15)
  t.deepEqual(alerts().flatMap(unknownIn), [])
})

test('every metric and every label in the dashboard is told by some process', (t) => {
  t.true(panels().length > 30)
  t.deepEqual(panels().flatMap(unknownIn), [])
})

test('what is asked for in vain is found', (t) => {
  const find = (expr: string) => unknownIn({ where: 'it', expr })
  t.deepEqual(find('sum by (job) (rate(shop_checkout_total[5m])) > 0'), ['it: shop_checkout_total'])
  t.deepEqual(find('sum by (outcom) (shop_checkouts_total{reson="a b", job=~"x"})'), [
    'it: the label reson',
    'it: the label outcom',
  ])
  t.deepEqual(find('max(shop_checkout_duration_seconds)'), ['it: shop_checkout_duration_seconds'])
  t.deepEqual(find('3 > 2'), ['it asks for nothing'])
})

test('every metric has a place in the dashboard', (t) => {
  const shown = new Set(panels().flatMap(({ expr }) => namesIn(expr).metrics))
  t.deepEqual(
    metrics
      .map(({ name }) => name)
      .filter((name) => !['', '_bucket', '_sum', '_count'].some((part) => shown.has(`${name}${part}`))),
    [],
  )
})

test('names are as Prometheus wants them, each of its own, and their labels tell no id', (t) => {
  t.is(new Set(metrics.map(({ name }) => name)).size, metrics.length)
  for (const { name, kind, help, labels } of metrics) {
    t.regex(name, /^(shop|http_server)_[a-z_]+$/)
    t.is(kind === 'counter', name.endsWith('_total'), name)
    if (kind === 'histogram') t.regex(name, /_(seconds|entries)$/)
    t.true(help.length > 10 && !help.endsWith('.'), name)
    for (const label of labels) t.notRegex(label, /(^|_)(id|user|item|order|key|path|url)$/, name)
  }
})

test('the README has every metric, with its labels, and no other', (t) => {
  const readme = readFileSync(new URL('../../../shared/metrics/README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| `([a-z_]+)(?:\{([^}]*)\})?` \|/gm)].map(
    ([, name, labels = '']) => `${name}{${labels}}`,
  )
  t.deepEqual(rows.toSorted(), metrics.map(({ name, labels }) => `${name}{${labels.join(', ')}}`).toSorted())
})
