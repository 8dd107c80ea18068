/**
 * Are all goods that were ever added still on the shelf, or taken, or written off?
 *
 * Of what the log says, what moves goods; the rest is `shared/audit/reconcile.ts`.
 */
import { type Auditor, type Count, type Ledger, type Move, madeAlike } from '../shared/audit/auditor.ts'
import { type Owned, reconcile } from '../shared/audit/reconcile.ts'
import { parseLines } from '../shared/contract/lines.ts'
import type { Mismatch } from '../shared/contract/queries.ts'
import type { LogEntry } from '../shared/log/entry.ts'

const each = (lines: string, sign: bigint): readonly Move[] =>
  parseLines(lines).map(([id, quantity]) => ({ id, by: sign * BigInt(quantity) }))

/** What each entry does to shelves. An entry that is emitted again does nothing: hence the sagas whose goods are taken, or back. */
const movements = (): ((entry: LogEntry) => readonly Move[]) => {
  const taken = new Set<string>()
  const restocked = new Set<string>()
  return ({ kind, log_id, facts }) => {
    const { item: id = '', amount = '0', stock = '0', lines = '', before = '', there = '' } = facts
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
        return [...each(lines, -1n), ...each(there, 1n)]
      case 'StockRestocked':
        if (restocked.has(log_id)) return []
        restocked.add(log_id)
        return [...each(lines, 1n), ...each(before, -1n)]
      case 'StockReturned':
        return taken.delete(log_id) ? [...each(lines, 1n), ...each(before, -1n)] : []
      default:
        return []
    }
  }
}

const shelves: Owned<Mismatch> = {
  gone: ['taken', 'written-off'],
  movements,
  sumsDiffer: (added, held, gone) => ({
    what: 'shelves',
    detail: `${added} was added, but ${held} is on the shelf and ${gone} was taken or written off`,
    orders: [],
  }),
  thingDiffers: (id, wrong, lastSagas) => ({
    what: 'shelf',
    detail: `of item ${id} there are ${wrong}`,
    orders: [...new Set(lastSagas.flatMap(({ fields }) => fields.order ?? []))],
    item_id: id,
  }),
}

/** What is on no shelf any more, as an audit answers it. */
export const goneBy = (ledger: Ledger) => ({
  taken: String(ledger('taken')),
  written_off: String(ledger('written-off')),
})

/** What an audit answers of a count. */
export const partOf = async (auditor: Auditor, count: Count) => {
  const { at, added, held, gone: _gone, ...found } = await reconcile(auditor, count, shelves)
  return { at, added, shelf: held, ...goneBy(count.ledger), ...found }
}
