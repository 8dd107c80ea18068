/**
 * Is all money that was ever added still in wallets, or charged for?
 *
 * At every moment, whatever is in flight: added = in wallets + charged. The books say what was added and charged, the
 * wallets are really added up. If they disagree, each wallet is held against what the log says of it, as far as the log
 * reaches.
 */
import { type Auditor, belowZero, type Count, type Move, madeAlike, sumOf } from '../shared/audit/auditor.ts'
import type { LogEntry } from '../shared/log/entry.ts'

/** What each entry does to wallets. An entry that is said again does nothing: hence the sagas that are captured. */
export const movements = (): ((entry: LogEntry) => readonly Move[]) => {
  const captured = new Set<string>()
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
      case 'CreditVoided':
      case 'CreditReleased':
        return captured.delete(log_id) ? [{ id, by: BigInt(total) }] : []
      default:
        return []
    }
  }
}

const strays = async (auditor: Auditor, count: Count) =>
  (await auditor.strays(count, movements())).map(({ id, is, expected, movers }) => {
    const orders = new Set(movers.flatMap(({ fields }) => fields.order ?? []))
    return {
      what: 'wallet',
      detail: `user ${id} owns ${is}, but ${expected} by the log`,
      orders: [...orders],
      user_id: id,
    }
  })

/** What is told of a count: sums as text, since they may exceed what a JSON number holds. */
export const partOf = async (auditor: Auditor, count: Count) => {
  const { at, books, worth } = count
  const [added, charged, wallets] = [books('added'), books('charged'), sumOf(worth.values())]
  const balanced = added === wallets + charged
  const detail = `${added} was added, but ${wallets} is in wallets and ${charged} was charged`
  const mismatches = [
    ...(balanced ? [] : [{ what: 'wallets', detail, orders: [] }, ...(await strays(auditor, count))]),
    ...belowZero(worth).map(([id, is]) => ({
      what: 'wallet',
      detail: `user ${id} owns ${is}: less than nothing`,
      orders: [],
      user_id: id,
    })),
  ]
  return {
    at,
    added: String(added),
    wallets: String(wallets),
    charged: String(charged),
    balanced: mismatches.length === 0,
    mismatches,
  }
}
