/**
 * Was each change of an order made once, from the version that was seen, and as it was asked for?
 *
 * A change that is acknowledged names the version that it has made; the log has it with the lines from then on, and perhaps an earlier
 * version, for what an amendment gives back is documented after it. Of two changes from one version one is made.
 */
import { parseLines } from '../../../shared/contract/lines.ts'
import type { LogEntry } from '../../../shared/log/entry.ts'
import type { Anomaly } from './anomaly.ts'
import { groupedBy, type Operation } from './history.ts'

type Wish = { readonly item_id: string; readonly quantity: number }

/** Is this what the client of a change asked for, made between the version that it saw and the one that it was told? */
const isAsAsked = ({ facts: asked, value }: Operation, { facts }: LogEntry): boolean => {
  const version = Number(facts.order_version)
  if (facts.order !== asked.order || version > Number(value.version) || version <= Number(asked.from)) return false
  const there = new Map(parseLines(facts.lines ?? ''))
  return (JSON.parse(asked.lines ?? '[]') as readonly Wish[]).every(
    ({ item_id, quantity }) => (there.get(item_id) ?? 0) === quantity,
  )
}

/** Everything that acknowledged changes contradict; what a Redis has lost is listed among its actions. */
export const changedOtherwise = (
  history: readonly Operation[],
  log: readonly LogEntry[],
  lossy: boolean,
): Anomaly[] => {
  const changed = log.filter(({ kind }) => kind === 'OrderChanged' || kind === 'OrderAmended')
  // What is so already is no change, and from any version nobody knows whether it was.
  const made = history.filter(
    ({ does, told, facts, value }) =>
      does === 'change' && told === 'ok' && facts.from !== '*' && facts.from !== value.version,
  )
  const twice = [...groupedBy(made, ({ facts }) => `${facts.order} ${facts.from}`)].flatMap(([, all]): Anomaly[] => {
    const [first] = all
    const actions = new Set(all.map(({ idempotencyKey }, index) => idempotencyKey ?? index))
    const says = `from ${first?.facts.from} to ${all.map(({ value }) => value.version)}`
    return actions.size > 1 ? [{ name: 'changed-twice', about: `order:${first?.facts.order}`, says }] : []
  })
  if (lossy) return twice
  const wrong = made.flatMap((operation): Anomaly[] => {
    const { order, lines, from } = operation.facts
    if (changed.some((entry) => isAsAsked(operation, entry))) return []
    const says = `${lines} was asked for from ${from}, and version ${operation.value.version} is of no such change`
    return [{ name: 'changed-otherwise', about: `order:${order}`, says }]
  })
  return [...twice, ...wrong]
}
