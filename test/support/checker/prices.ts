/**
 * Did every line cost what its item did?
 *
 * A line is added, or placed, at a price that its item had at some moment from when it was first asked for to when it was logged. The
 * two logs have clocks of their own, so that moment is looked for where it is known how far each is from the clients'.
 */
import { parseLines } from '../../../shared/contract/lines.ts'
import type { LogEntry } from '../../../shared/log/entry.ts'
import type { Account, Clocks, ShelfState } from './accounts.ts'
import type { Anomaly } from './anomaly.ts'
import { SLACK_MS } from './asked.ts'
import type { Operation } from './history.ts'

/** `asked` is what was asked for: a line of an order, or the whole order. */
type Priced = { readonly order: string; readonly item: string; readonly price: number; readonly asked: string }

/** What each item costs by an entry that fills an order. */
const pricedIn = ({ kind, facts }: LogEntry): readonly Priced[] => {
  const { order = '', item = '', price, lines = '', costs = '' } = facts
  if (kind === 'LineAdded') return [{ order, item, price: Number(price), asked: `${order} ${item}` }]
  if (kind !== 'OrderPlaced') return []
  const quantities = new Map(parseLines(lines))
  return parseLines(costs).map(([name, cost]) => {
    const price = cost / (quantities.get(name) ?? 0)
    return { order, item: name, price, asked: order }
  })
}

/** When that was first asked for, if it is known; repetitions under a key are one request. */
const firstAsked = (history: readonly Operation[]): ReadonlyMap<string, number> => {
  const first = new Map<string, number>()
  const note = (name: string, ms: number): void => void first.set(name, Math.min(first.get(name) ?? ms, ms))
  const keyOf = ({ does, idempotencyKey }: Operation): string => `${does} under ${idempotencyKey}`
  const asked = history.filter(({ does }) => does === 'add-item' || does === 'place')
  for (const one of asked) if (one.idempotencyKey !== undefined) note(keyOf(one), one.begunMs)
  for (const one of asked) {
    const { order, item } = one.facts
    if (order !== undefined) note(item === undefined ? order : `${order} ${item}`, first.get(keyOf(one)) ?? one.begunMs)
  }
  return first
}

/** Lines that cost what their items did not, at any moment at which they may have been asked for. */
export const pricedOtherwise = (
  history: readonly Operation[],
  entries: readonly LogEntry[],
  { timelines }: Account<ShelfState>,
  { order: orderMs, stock: stockMs }: Clocks,
): Anomaly[] => {
  if (orderMs === undefined || stockMs === undefined) return []
  const first = firstAsked(history)
  return entries.flatMap((entry) => {
    const untilMs = Number(entry.id.split('-')[0]) - orderMs + SLACK_MS
    return pricedIn(entry).flatMap((priced): Anomaly[] => {
      const moments = timelines.get(`item:${priced.item}`)
      if (moments === undefined) return []
      const fromMs = (first.get(priced.asked) ?? Number.NEGATIVE_INFINITY) - SLACK_MS
      const isOver = (index: number): boolean => {
        const next = moments[index + 1]
        return next !== undefined && next.loggedMs - stockMs < fromMs
      }
      const prices = moments
        .filter(({ loggedMs }, index) => loggedMs - stockMs <= untilMs && !isOver(index))
        .map(({ state }) => state.price)
      if (prices.includes(priced.price)) return []
      const says = `${priced.item} at ${priced.price} by ${entry.log_id}, but it did cost ${[...new Set(prices)].join(', ')}`
      return [{ name: 'priced-otherwise', about: `order:${priced.order}`, says }]
    })
  })
}
