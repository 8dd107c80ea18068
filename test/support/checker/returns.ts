/**
 * What was gone for a checkout that came to nothing?
 *
 * Goods are taken, and money is captured, before order has decided. A checkout that order then cancels, at its deadline or
 * for an operator, gives them back: whoever looked, or was refused, in between has seen a sale and its return, which is
 * *excused*. Nothing else is: what was gone for a checkout that was refused, or that order never read of, counts as if it
 * had been there all the time. So every moment of a wallet and of a shelf is read once more, with all movements: what was
 * there, what of it was missing for a cancelled checkout, and what for any other that was undone.
 */
import type { Account, Accounts, Moment, ShelfState, WalletState } from './accounts.ts'
import type { Anomaly } from './anomaly.ts'

/** What was gone at a moment, and came back. */
export type Gone = { readonly cancelled: number; readonly otherwise: number }

const NOTHING: Gone = { cancelled: 0, otherwise: 0 }

/** What takes for good, unless it is undone, in payment and in stock. */
const TAKES: Readonly<Record<string, string>> = { payment: 'captured', stock: 'taken' }

const heldBy = (state: Partial<WalletState & ShelfState>): number => state.credit ?? state.stock ?? 0

/** Was this checkout cancelled, as order has it? */
const isCancelled = ({ order }: Accounts, saga: string): boolean =>
  ['cancelling', 'closed'].includes(order.sagas.get(saga)?.state ?? '')

const goneIn = (
  moments: readonly Moment<Partial<WalletState & ShelfState>>[],
  takes: string,
  accounts: Accounts,
  sagas: Account<unknown>['sagas'],
): readonly Gone[] => {
  const open = new Map<string, number>()
  return moments.map(({ action, saga = '', state }, index) => {
    const before = heldBy(moments[index - 1]?.state ?? {})
    if (action === takes && sagas.get(saga)?.state !== takes) open.set(saga, before - heldBy(state))
    else if (open.has(saga) && heldBy(state) > before) open.delete(saga)
    if (open.size === 0) return NOTHING
    const gone = { cancelled: 0, otherwise: 0 }
    for (const [one, amount] of open) gone[isCancelled(accounts, one) ? 'cancelled' : 'otherwise'] += amount
    return gone
  })
}

/** What was gone from each wallet and each shelf, moment by moment. */
export type Returns = ReadonlyMap<string, readonly Gone[]>

export const returnsOf = (accounts: Accounts): Returns => {
  const returns = new Map<string, readonly Gone[]>()
  for (const participant of ['payment', 'stock'] as const)
    for (const [thing, moments] of accounts[participant].timelines)
      returns.set(thing, goneIn(moments, TAKES[participant] ?? '', accounts, accounts[participant].sagas))
  return returns
}

/** What contradicts the promises, and what would, but is excused. */
export type Judged = { readonly found: readonly Anomaly[]; readonly excused: readonly Anomaly[] }

/** Checkouts that were refused for want of what would have been there but for a checkout that was undone. */
export const refusedForNothing = (accounts: Accounts, returns: Returns): Judged => {
  const found: Anomaly[] = []
  const excused: Anomaly[] = []
  for (const participant of ['payment', 'stock'] as const) {
    const { timelines, sagas } = accounts[participant] as Account<Partial<WalletState & ShelfState>>
    for (const [thing, moments] of timelines)
      for (const [index, { wanted, state, saga = '' }] of moments.entries()) {
        const { cancelled, otherwise } = returns.get(thing)?.[index] ?? NOTHING
        const there = heldBy(state)
        if (wanted === undefined || there >= wanted || there + cancelled + otherwise < wanted) continue
        const about = `order:${sagas.get(saga)?.order}`
        const says = `${wanted} of ${thing}, where ${there} were left, ${cancelled} were gone for a checkout that was then cancelled, and ${otherwise} for another that came to nothing`
        const list = there + otherwise >= wanted ? found : excused
        list.push({ name: 'unjustified-refusal', about, says })
      }
  }
  return { found, excused }
}
