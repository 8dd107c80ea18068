/**
 * Is all money that was ever added still in wallets, or charged for?
 *
 * Of what the log says, what moves money; the rest is `shared/audit/reconcile.ts`.
 */
import { type Auditor, type Count, type Move, madeAlike } from '../shared/audit/auditor.ts'
import { type Owned, reconcile } from '../shared/audit/reconcile.ts'
import type { Mismatch } from '../shared/contract/queries.ts'
import type { LogEntry } from '../shared/log/entry.ts'

/** What each entry does to wallets. An entry that is emitted again does nothing: hence the sagas that are captured, or refunded. */
const movements = (): ((entry: LogEntry) => readonly Move[]) => {
  const captured = new Set<string>()
  const refunded = new Set<string>()
  return ({ kind, log_id, facts }) => {
    const { user: id = '', amount = '0', total = '0', credit = '0' } = facts
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
        return captured.delete(log_id) ? [{ id, by: BigInt(total) }] : []
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

/** What an audit answers of a count. */
export const partOf = async (auditor: Auditor, count: Count) => {
  const { at, added, held, gone, ...found } = await reconcile(auditor, count, wallets)
  return { at, added, wallets: held, charged: gone, ...found }
}
