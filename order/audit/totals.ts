/**
 * Are money and goods conserved over the whole shop, at a moment when checkouts are under way?
 *
 * A *cut* is taken without stopping anything: first of order, then of payment and stock. In flight are the checkouts that were open in
 * order's cut, and those of which order emitted more since. Every other one was decided before order's cut, and payment and stock did
 * their part of it before that: what order calls paid was captured, and taken before; what it calls failed was refused or let go; what
 * it calls closed was undone by both. So nothing but what is in flight can differ:
 *
 *     added to payment = in wallets     + paid in order + captured in payment's cut of what is in flight
 *     added to stock   = on the shelves + sold in order + taken in stock's cut of what is in flight + written off in stock's cut
 *
 * to the unit, at every moment. What is refunded is paid and sold no more as soon as order grants it, and in flight until payment has
 * paid it and stock has taken it back. Order knows of the first of these only; payment, which is cut before stock, knows which refunds
 * stock has still to answer: those that are unfinished there are in flight as well.
 *
 * Only a Redis that came back older breaks that order: until it has applied again what it had applied, a checkout that was decided may
 * be undone in it, or done and not decided. So whatever one of the three has still to apply is then in flight too, for what the peers
 * had done of it less what order had called paid and sold. If that is below zero, what was decided is gone.
 *
 * What a person has accepted, an order that stays paid although its money was given back and its goods as well, is paid in
 * order and nowhere else: it is taken off again.
 *
 * That wallets and shelves are what they should be is each service's own equation, at a moment of its own; its ledger carries
 * the sum from there to the cut.
 */
import type { Ledger } from '../../shared/audit/auditor.ts'
import { isUndecided } from '../order.ts'

/** One kind of thing that is conserved: money, or goods. */
export type Totals = {
  readonly added: bigint
  /** What is left: in wallets, or on shelves. */
  readonly left: bigint
  /** What order's ledger says of it: paid, or sold. */
  readonly spent: bigint
  /** The part of that for which nothing was charged or taken, and which a person has accepted. */
  readonly accepted: bigint
  readonly inFlight: bigint
  /** What came back for a refund, and is not to be sold again. */
  readonly writtenOff: bigint
}

/** What a peer's ledger says at a moment: what was added to it, what has gone from it, and what of that for good. */
export type Holdings = { readonly added: bigint; readonly gone: bigint; readonly writtenOff: bigint }

/**
 * Puts the totals together.
 * @param counted what the peer had left, and what its ledger said at that moment
 * @param cut what it said in the cut
 * @param spent what order's ledger says of it
 */
export const totals = (
  counted: Holdings & { readonly left: bigint },
  cut: Holdings,
  spent: Pick<Totals, 'spent' | 'accepted'>,
  inFlight: readonly bigint[],
): Totals => ({
  added: cut.added,
  left: counted.left + (cut.added - cut.gone) - (counted.added - counted.gone),
  ...spent,
  inFlight: inFlight.reduce((sum, one) => sum + one, 0n),
  writtenOff: cut.writtenOff,
})

/** By how much more is there than was added; 0 if it is conserved. */
export const surplus = ({ added, left, spent, accepted, inFlight, writtenOff }: Totals): bigint =>
  left + spent - accepted + inFlight + writtenOff - added

/** What order's ledger says was paid, or sold. */
export const spentBy = (ledger: Ledger, account: 'paid' | 'sold'): Pick<Totals, 'spent' | 'accepted'> => ({
  spent: ledger(account),
  accepted: ledger(`accepted-${account}`),
})

/** Each order as it was counted: what is paid of it, how many pieces, and whether its checkout says otherwise. */
export type Shown = { readonly paid: bigint; readonly sold: bigint; readonly inconsistent: boolean }

/** Reads the balance of an order as the count has it: `''`, or money, a space, and pieces; with ` ?` if it is inconsistent. */
export const shownOf = (balance: string | number): Shown => {
  const [money = '', pieces = '', mark = ''] = String(balance).split(' ')
  if (money === '') return { paid: 0n, sold: 0n, inconsistent: pieces === '?' }
  const sold = pieces === '' ? 0n : pieces.split('+').reduce((sum, one) => sum + BigInt(one), 0n)
  return { paid: BigInt(money), sold, inconsistent: mark === '?' }
}

export type Orders = Shown & { readonly orders: number; readonly inconsistentOnes: readonly string[] }

/** Adds up what all orders show. */
export const showing = (balances: ReadonlyMap<string, string | number>): Orders => {
  let paid = 0n
  let sold = 0n
  const inconsistentOnes: string[] = []
  for (const [order, one] of balances) {
    if (one === '') continue
    const shown = shownOf(one)
    paid += shown.paid
    sold += shown.sold
    if (shown.inconsistent) inconsistentOnes.push(order)
  }
  return { paid, sold, inconsistent: inconsistentOnes.length > 0, orders: balances.size, inconsistentOnes }
}

/** The orders that show that they are paid. */
export const paidOnes = (balances: ReadonlyMap<string, string | number>): readonly string[] =>
  [...balances].filter(([, one]) => /^\d/.test(String(one))).map(([order]) => order)

/** What of the ledger orders should show: all that was paid, but for what was replaced. */
export const shownByLedger = (ledger: Ledger): { paid: bigint; sold: bigint } => ({
  paid: ledger('paid') - ledger('replaced-paid'),
  sold: ledger('sold') - ledger('replaced-sold'),
})

type Recorded = Readonly<Record<string, string>>
/** States in which order has decided, and waits for the others. */
const WAITING = ['cancelling', 'granted']

/** Payment has paid a refund that order calls settled, and stock has taken its goods back, unless payment waits for that. */
const isRefundWhole = (order: Recorded, payment: Recorded, stock: Recorded): boolean => {
  const isPaid = payment.state === 'refunded' || payment.state === 'concluded'
  const isBack = stock.state === 'restocked' || stock.state === 'written-off'
  if (!isPaid || payment.total !== order.total) return false
  return isBack ? stock.lines === order.lines : payment.state === 'refunded'
}

/**
 * What is wrong with a checkout or a refund by what the three have recorded of it, in words; nothing while order has not decided, nor
 * where a person has.
 */
export const disagreement = (order: Recorded, payment: Recorded, stock: Recorded): string | undefined => {
  const { state = 'unknown', total = '0', lines = '' } = order
  if (isUndecided(state) || WAITING.includes(state) || order.resolved === 'accept') return undefined
  const charged = payment.state === 'captured' ? payment.total : undefined
  const taken = stock.state === 'taken' ? stock.lines : undefined
  const isDone = state === 'paid' ? charged === total && taken === lines : charged === undefined && taken === undefined
  if (state === 'settled' ? isRefundWhole(order, payment, stock) : isDone) return undefined
  const expected = state === 'paid' || state === 'settled' ? `${state}, ${total} for ${lines}` : state
  return `order says ${expected}; payment ${payment.state ?? 'nothing'}, charged ${charged ?? 'nothing'}; stock ${stock.state ?? 'nothing'}, taken ${taken ?? 'nothing'}`
}
