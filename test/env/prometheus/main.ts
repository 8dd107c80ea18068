/**
 * `npm run test:alerts`: what only promtool can say.
 *
 * Whether the rules are rules and fire when they should, whether each panel of the dashboard asks in PromQL, whether the example
 * of a configuration is one, and whether what the shop tells is what Prometheus reads, under names as it wants them. promtool is
 * looked for in PROMTOOL and on the PATH; it is not part of `npm test`, for a machine may have none.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Histogram, Metric } from '../../../shared/metrics/metric.ts'
import { openMetrics } from '../../../shared/metrics/metrics.ts'
import { alerts, panels } from '../../support/alerts.ts'
import { metrics as catalogue } from '../../support/catalogue.ts'

const FOLDER = fileURLToPath(new URL('../../../env/prometheus/', import.meta.url))
const PROMTOOL = process.env.PROMTOOL ?? 'promtool'
/** What Grafana puts in its place. */
const INTERVAL = '$__rate_interval'

/** @throws in a sentence */
const promtool = (what: string, args: readonly string[], input?: string): void => {
  const { status, stdout, stderr, error } = spawnSync(PROMTOOL, [...args], { cwd: FOLDER, input, encoding: 'utf8' })
  if (error)
    throw new Error('promtool is missing: Debian has it in the package prometheus; PROMTOOL may name another place')
  const said = `${stdout}${stderr}`.trim()
  if (status !== 0 || /\b(FAILED|error)\b/.test(said)) throw new Error(`${what}: promtool finds fault\n${said}`)
  process.stdout.write(`${what}: ok\n`)
}

const isHistogram = (metric: Metric): metric is Histogram => metric.kind === 'histogram' && 'bounds' in metric

/** A process that tells every metric there is, once. */
const everything = async (): Promise<string> => {
  const metrics = openMetrics((source, error) => {
    throw new Error(`${source} fails`, { cause: error })
  })
  for (const metric of catalogue) {
    const values = metric.labels.map((label) => `some-${label}`)
    if (isHistogram(metric)) metrics.histogram(metric)(...values)(0.01)
    else if (metric.kind === 'counter') metrics.counter(metric)(...values)()
    else if (metric.name !== 'shop_metrics_source_missing')
      metrics.source(metric.name, { it: metric }, (tell) => tell.it(1, ...values))
  }
  return (await metrics.scrape())?.text ?? ''
}

/** The dashboard as rules that record, for promtool reads no dashboards. */
const asRules = (): string =>
  ['groups:', '  - name: dashboard', '    rules:']
    .concat(
      panels().map(
        ({ expr }, at) => `      - { record: "panel:${at}", expr: ${JSON.stringify(expr.replaceAll(INTERVAL, '1m'))} }`,
      ),
    )
    .join('\n')

const folder = mkdtempSync(join(tmpdir(), 'alerts-'))
try {
  promtool(`${alerts().length} alerts are rules`, ['check', 'rules', 'rules.yml'])
  promtool('each fires when it should', ['test', 'rules', 'rules.test.yml'])
  promtool('the example is a configuration', ['check', 'config', 'prometheus.yml'])
  const recorded = join(folder, 'dashboard.yml')
  writeFileSync(recorded, `${asRules()}\n`)
  promtool(`${panels().length} lines of the dashboard are PromQL`, ['check', 'rules', recorded])
  promtool('what the shop tells is what Prometheus reads', ['check', 'metrics'], await everything())
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
