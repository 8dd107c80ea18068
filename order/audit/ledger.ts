/**
 * Are money and goods conserved over the whole shop, at a moment when checkouts are under way?
 *
 * A *cut* is taken without stopping anything: first of order, then of payment and stock. In flight are the checkouts that
 * were open in order's cut, and those that order said more of since. Every other one was decided before order's cut, and
 * payment and stock did their part of it before that: what order calls paid was captured, and taken before; what it calls
 * failed was refused or let go; what it calls closed was undone by both. So nothing but what is in flight can differ:
 *
 *     added to payment = in wallets     + paid in order + captured in payment's cut of what is in flight
 *     added to stock   = on the shelves + sold in order + taken in stock's cut of what is in flight
 *
 * to the unit, at every moment. Only a Redis that came back older breaks that order: until it has applied again what it had
 * applied, a checkout that was decided may be undone in it, or done and not decided. So whatever one of the three has still to
 * apply is then in flight too, for what the peers had done of it less what order had called paid and sold. If that is
 * below zero, what was decided is gone.
 *
 * What a person has accepted, an order that stays paid although its money was given back and its goods as well, is paid in
 * order and nowhere else: it is taken off again.
 *
 * That wallets and shelves are what they should be is each service's own equation, at a moment of its own; its books carry
 * the sum from there to the cut.
 */
import type { Books } from '../../shared/audit/auditor.ts'

/** One kind of thing that is conserved: money, or goods. */
export type Ledger = {
  readonly added: bigint
  /** What is left: in wallets, or on shelves. */
  readonly left: bigint
  /** What order's books say of it: paid, or sold. */
  readonly spent: bigint
  /** The part of that for which nothing was charged or taken, and which a person has accepted. */
  readonly accepted: bigint
  readonly inFlight: bigint
}

/** What a peer's books say at a moment: what was added to it and what has gone from it. */
export type Holdings = { readonly added: bigint; readonly gone: bigint }

/**
 * Puts a ledger together.
 * @param counted what the peer had left, and what its books said at that moment
 * @param cut what they said in the cut
 * @param spent what order's books say of it
 */
export const ledger = (
  counted: Holdings & { readonly left: bigint },
  cut: Holdings,
  spent: Pick<Ledger, 'spent' | 'accepted'>,
  inFlight: readonly bigint[],
): Ledger => ({
  added: cut.added,
  left: counted.left + (cut.added - cut.gone) - (counted.added - counted.gone),
  ...spent,
  inFlight: inFlight.reduce((sum, one) => sum + one, 0n),
})

/** By how much more is there than was added; 0 if it is conserved. */
export const surplus = ({ added, left, spent, accepted, inFlight }: Ledger): bigint =>
  left + spent - accepted + inFlight - added

/** What order's books say was paid, or sold. */
export const spentBy = (books: Books, account: 'paid' | 'sold'): Pick<Ledger, 'spent' | 'accepted'> => ({
  spent: books(account),
  accepted: books(`accepted-${account}`),
})

/** Each order as it was counted: what is paid of it, how many pieces, and whether its checkout says otherwise. */
export type Shown = { readonly paid: bigint; readonly sold: bigint; readonly odd: boolean }

/** Reads what an order is worth as the count tells it: `''`, or money, a space, and pieces; with ` ?` if it is odd. */
export const shownOf = (worth: string | number): Shown => {
  const [money = '', pieces = '', mark = ''] = String(worth).split(' ')
  if (money === '') return { paid: 0n, sold: 0n, odd: pieces === '?' }
  const sold = pieces === '' ? 0n : pieces.split('+').reduce((sum, one) => sum + BigInt(one), 0n)
  return { paid: BigInt(money), sold, odd: mark === '?' }
}

export type Orders = Shown & { readonly orders: number; readonly oddOnes: readonly string[] }

/** Adds up what all orders show. */
export const showing = (worth: ReadonlyMap<string, string | number>): Orders => {
  let paid = 0n
  let sold = 0n
  const oddOnes: string[] = []
  for (const [order, one] of worth) {
    if (one === '') continue
    const shown = shownOf(one)
    paid += shown.paid
    sold += shown.sold
    if (shown.odd) oddOnes.push(order)
  }
  return { paid, sold, odd: oddOnes.length > 0, orders: worth.size, oddOnes }
}

/** The orders that show that they are paid. */
export const paidOnes = (worth: ReadonlyMap<string, string | number>): readonly string[] =>
  [...worth].filter(([, one]) => /^\d/.test(String(one))).map(([order]) => order)

/** What of the books orders should show: all that was paid, but for what was replaced. */
export const shownByBooks = (books: Books): { paid: bigint; sold: bigint } => ({
  paid: books('paid') - books('replaced-paid'),
  sold: books('sold') - books('replaced-sold'),
})

type Recorded = Readonly<Record<string, string>>

/**
 * What is wrong with a checkout by what the three have recorded of it, in words; nothing while order has not decided, nor
 * where a person has.
 */
export const disagreement = (order: Recorded, payment: Recorded, stock: Recorded): string | undefined => {
  const { state = 'unknown', total = '0', lines = '' } = order
  if (state === 'checking-out' || state === 'cancelling' || order.resolved === 'accept') return undefined
  const charged = payment.state === 'captured' ? payment.total : undefined
  const taken = stock.state === 'taken' ? stock.lines : undefined
  const isWhole = state === 'paid' ? charged === total && taken === lines : charged === undefined && taken === undefined
  if (isWhole) return undefined
  const expected = state === 'paid' ? `paid, ${total} for ${lines}` : state
  return `order says ${expected}; payment ${payment.state ?? 'nothing'}, charged ${charged ?? 'nothing'}; stock ${stock.state ?? 'nothing'}, taken ${taken ?? 'nothing'}`
}
