/**
 * Was each change of an order made once, from the version that was seen, and as it was asked for?
 *
 * A change that is acknowledged names the version that it has made, which stands in the log with the lines from then on. Of two changes
 * from one version one is made, and no version comes twice.
 */
import { parseLines } from '../../../shared/contract/events.ts'
import type { LogEntry } from '../../../shared/log/entry.ts'
import type { Anomaly } from './anomaly.ts'
import { groupedBy, type Operation } from './history.ts'

type Wish = { readonly item_id: string; readonly quantity: number }

/** What the log says of a change that was acknowledged, if that is not what was asked for. */
const otherwise = (operation: Operation, entries: ReadonlyMap<string, LogEntry>): string => {
  const { order, lines = '[]' } = operation.facts
  const { version } = operation.value
  const entry = entries.get(`${order} ${version}`)
  if (entry === undefined) return `version ${version} is of no change`
  const there = new Map(parseLines(entry.facts.lines ?? ''))
  const wrong = (JSON.parse(lines) as readonly Wish[]).filter(
    ({ item_id, quantity }) => (there.get(item_id) ?? 0) !== quantity,
  )
  return wrong.length === 0 ? '' : `${lines} was asked for, and it is ${entry.facts.lines}`
}

/** Everything that acknowledged changes contradict; what a Redis has lost is listed among its actions. */
export const changedOtherwise = (
  history: readonly Operation[],
  log: readonly LogEntry[],
  lossy: boolean,
): Anomaly[] => {
  const changed = log.filter(({ kind }) => kind === 'OrderChanged')
  const entries = new Map(changed.map((entry) => [`${entry.facts.order} ${entry.facts.order_version}`, entry]))
  // What is so already is no change.
  const made = history.filter(
    ({ does, told, facts, value }) => does === 'change' && told === 'ok' && value.version !== facts.from,
  )
  const twice = [...groupedBy(made, ({ facts }) => `${facts.order} ${facts.from}`)].flatMap(([, all]): Anomaly[] => {
    const [first] = all
    const versions = new Set(all.map(({ value }) => value.version))
    return first === undefined || first.facts.from === '*' || versions.size === 1
      ? []
      : [
          {
            name: 'changed-twice',
            about: `order:${first.facts.order}`,
            says: `from ${first.facts.from} to ${[...versions]}`,
          },
        ]
  })
  if (lossy) return twice
  const wrong = made.flatMap((operation): Anomaly[] => {
    // From any version it may have been so already.
    if (operation.facts.from === '*' && !entries.has(`${operation.facts.order} ${operation.value.version}`)) return []
    const says = otherwise(operation, entries)
    return says === '' ? [] : [{ name: 'changed-otherwise', about: `order:${operation.facts.order}`, says }]
  })
  return [...twice, ...wrong]
}
