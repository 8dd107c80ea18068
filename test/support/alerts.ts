/** What the alerts and the dashboard ask of Prometheus. */
import { readFileSync } from 'node:fs'

export const RULES = new URL('../../env/prometheus/rules.yml', import.meta.url)
const DASHBOARD = new URL('../../env/grafana/saga-shop.json', import.meta.url)

export type Asked = { readonly where: string; readonly expr: string }

/** The rules as far as they are looked at here: each alert and its expression, over one line or several. */
export const alerts = (text = readFileSync(RULES, 'utf8')): readonly Asked[] => {
  const [, ...each] = text.split(/^ {6}- alert: /m)
  return each.map((alert) => {
    const where = alert.split('\n')[0] ?? ''
    const [, block = '', inline = ''] = /^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)/m.exec(alert) ?? []
    return { where, expr: (inline || block).replaceAll(/\s+/g, ' ').trim() }
  })
}

type Panel = { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }

/** The expressions of the dashboard, by the titles of their panels. */
export const panels = (text = readFileSync(DASHBOARD, 'utf8')): readonly Asked[] =>
  (JSON.parse(text) as { readonly panels: readonly Panel[] }).panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ where: title, expr })),
  )

/** Words of PromQL that are no metrics: functions, aggregations, and what stands between. */
const WORDS = new Set(
  ['by', 'and', 'on', 'sum', 'min', 'max', 'topk', 'rate', 'increase', 'scalar', 'time', 'histogram_quantile'].concat([
    'unless',
    'or',
    'absent',
  ]),
)

/** The names of the metrics in an expression, and the labels that are asked for of each or grouped by. */
export const namesIn = (expr: string): { readonly metrics: readonly string[]; readonly labels: readonly string[] } => {
  const selectors = [...expr.matchAll(/\{([^}]*(?:\{[^}]*\}[^}]*)*)\}/g)].map(([, inside = '']) => inside)
  const grouped = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(','))
  const bare = expr
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(?:by|on) \([^)]*\)/g, '')
  const metrics = [...bare.matchAll(/[a-zA-Z_:][a-zA-Z0-9_:]*/g)]
    .map(([name]) => name)
    .filter((name) => !WORDS.has(name))
  const matched = selectors.flatMap((inside) =>
    [...inside.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label),
  )
  return { metrics, labels: [...matched, ...grouped.map((label) => label.trim())] }
}
