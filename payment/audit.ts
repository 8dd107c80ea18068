/**
 * Is all money that was ever added still in wallets, or charged for, and has each charge its document?
 *
 * Of what the log says, what moves money; the rest is `shared/audit/reconcile.ts`.
 */
import { type Auditor, type Count, type Ledger, type Move, madeAlike } from '../shared/audit/auditor.ts'
import { type Owned, reconcile } from '../shared/audit/reconcile.ts'
import type { Mismatch } from '../shared/contract/queries.ts'
import type { LogEntry } from '../shared/log/entry.ts'
import type { Series } from './documents/store.ts'

/** What each entry does to wallets. An entry that is emitted again does nothing: hence the sagas that are captured, or refunded. */
const movements = (): ((entry: LogEntry) => readonly Move[]) => {
  const captured = new Set<string>()
  const refunded = new Set<string>()
  return ({ kind, log_id, facts }) => {
    const { user: id = '', amount = '0', total = '0', credit = '0', refunded: before = '0' } = facts
    switch (kind) {
      case 'UserCreated':
        return [{ id, is: 0n }]
      case 'UsersInitialised':
        return madeAlike(facts, BigInt(credit))
      case 'FundsAdded':
        return [{ id, by: BigInt(amount) }]
      case 'CreditSpent':
        return [{ id, by: -BigInt(amount) }]
      case 'CreditCaptured':
        if (captured.has(log_id)) return []
        captured.add(log_id)
        return [{ id, by: -BigInt(total) }]
      case 'CreditRefunded':
        if (refunded.has(log_id)) return []
        refunded.add(log_id)
        return [{ id, by: BigInt(total) }]
      case 'CreditVoided':
      case 'CreditReleased':
        return captured.delete(log_id) ? [{ id, by: BigInt(total) - BigInt(before) }] : []
      default:
        return []
    }
  }
}

const wallets: Owned<Mismatch> = {
  gone: ['charged'],
  movements,
  sumsDiffer: (added, held, charged) => ({
    what: 'wallets',
    detail: `${added} was added, but ${held} is in wallets and ${charged} was charged`,
    orders: [],
  }),
  thingDiffers: (id, wrong, lastSagas) => ({
    what: 'wallet',
    detail: `user ${id} owns ${wrong}`,
    orders: [...new Set(lastSagas.flatMap(({ fields }) => fields.order ?? []))],
    user_id: id,
  }),
}

/** How many documents are missing in all series. */
const gapsIn = (series: readonly Series[]): number =>
  series
    .flatMap(({ invoices, credit_notes }) => [invoices, credit_notes])
    .reduce((gaps, one) => gaps + one.last - one.count, 0)

/** What the documents come to. What was charged before there were any is `undocumented`. */
const documentsIn = (ledger: Ledger, series: readonly Series[]) => ({
  invoiced: String(ledger('invoiced')),
  credited: String(ledger('credited')),
  undocumented: String(ledger('undocumented')),
  gaps: gapsIn(series),
})

/** What is charged must be what the documents say, and none of them may be missing. */
const misdocumented = ({ ledger }: Count, series: readonly Series[]): readonly Mismatch[] => {
  const { invoiced, credited, undocumented, gaps } = documentsIn(ledger, series)
  const charged = ledger('charged')
  // A version without documents has counted none; what it has charged is counted with the first one.
  const isDocumented =
    series.length === 0 || ledger('undocumented') + ledger('invoiced') - ledger('credited') === charged
  const before = undocumented === '0' ? '' : `, ${undocumented} was charged before there were documents`
  const details = [
    ...(isDocumented ? [] : [`${invoiced} was invoiced, ${credited} credited${before}, and ${charged} is charged`]),
    ...(gaps === 0 ? [] : [`${gaps} invoices or credit notes are missing`]),
  ]
  return details.map((detail) => ({ what: 'documents', detail, orders: [] }))
}

/** What an audit answers of a count, and of all series of documents as they were before. */
export const partOf = async (auditor: Auditor, count: Count, series: readonly Series[]) => {
  const { at, added, held, gone, ...found } = await reconcile(auditor, count, wallets)
  const mismatches = [...found.mismatches, ...misdocumented(count, series)]
  const documents = documentsIn(count.ledger, series)
  return { at, added, wallets: held, charged: gone, documents, balanced: mismatches.length === 0, mismatches }
}
