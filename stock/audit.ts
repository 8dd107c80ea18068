/**
 * Are all goods that were ever added still on the shelf, or taken?
 *
 * At every moment, whatever is in flight: added = on the shelf + taken. The books say what was added and taken, the
 * shelves are really added up. If they disagree, each item is held against what the log says of it, as far as the log
 * reaches.
 */
import { type Auditor, belowZero, type Count, type Move, madeAlike, sumOf } from '../shared/audit/auditor.ts'
import { parseLines } from '../shared/contract/events.ts'
import type { LogEntry } from '../shared/log/entry.ts'

const each = (lines: string, sign: bigint): readonly Move[] =>
  parseLines(lines).map(([id, quantity]) => ({ id, by: sign * BigInt(quantity) }))

/** What each entry does to shelves. An entry that is said again does nothing: hence the sagas whose goods are taken. */
export const movements = (): ((entry: LogEntry) => readonly Move[]) => {
  const taken = new Set<string>()
  return ({ kind, log_id, facts }) => {
    const { item: id = '', amount = '0', stock = '0', lines = '' } = facts
    switch (kind) {
      case 'ItemCreated':
        return [{ id, is: 0n }]
      case 'ItemsInitialised':
        return madeAlike(facts, BigInt(stock))
      case 'StockAdded':
        return [{ id, by: BigInt(amount) }]
      case 'StockSubtracted':
        return [{ id, by: -BigInt(amount) }]
      case 'StockTaken':
        if (taken.has(log_id)) return []
        taken.add(log_id)
        return each(lines, -1n)
      case 'StockReturned':
        return taken.delete(log_id) ? each(lines, 1n) : []
      default:
        return []
    }
  }
}

const strays = async (auditor: Auditor, count: Count) =>
  (await auditor.strays(count, movements())).map(({ id, is, expected, movers }) => {
    const orders = new Set(movers.flatMap(({ fields }) => fields.order ?? []))
    return {
      what: 'shelf',
      detail: `of item ${id} there are ${is}, but ${expected} by the log`,
      orders: [...orders],
      item_id: id,
    }
  })

/** What is told of a count: sums as text, since they may exceed what a JSON number holds. */
export const partOf = async (auditor: Auditor, count: Count) => {
  const { at, books, worth } = count
  const [added, taken, shelf] = [books('added'), books('taken'), sumOf(worth.values())]
  const balanced = added === shelf + taken
  const detail = `${added} was added, but ${shelf} is on the shelf and ${taken} was taken`
  const mismatches = [
    ...(balanced ? [] : [{ what: 'shelves', detail, orders: [] }, ...(await strays(auditor, count))]),
    ...belowZero(worth).map(([id, is]) => ({
      what: 'shelf',
      detail: `of item ${id} there are ${is}: less than nothing`,
      orders: [],
      item_id: id,
    })),
  ]
  return {
    at,
    added: String(added),
    shelf: String(shelf),
    taken: String(taken),
    balanced: mismatches.length === 0,
    mismatches,
  }
}
