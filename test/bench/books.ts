/**
 * Are the money and the goods all there?
 *
 * What every user, item and order holds after the runs is compared with what was put in and with what was answered. It
 * must come out to the unit, for each user and each item where all orders were read, in sum where only some were:
 * credit added = left + spent on paid orders; stock added = left + sold in paid orders; as many orders paid as there were
 * answers of 200; nothing negative; nothing still open.
 */
import type { Seed } from './seed.ts'

export type OrderRow = {
  readonly number: number
  readonly user: number
  /** `open` for every state between open and paid. */
  readonly state: 'unpaid' | 'paid' | 'open'
  readonly total: number
  /** Item and quantity. */
  readonly lines: readonly (readonly [item: number, quantity: number])[]
}

/** What the shop holds. The place of a user or item in its list is its name; NaN stands for one that is not there. */
export type Reading = {
  readonly credits: readonly number[]
  readonly stocks: readonly number[]
  /** All of them, or an even sample. */
  readonly orders: readonly OrderRow[]
  readonly isWhole: boolean
  /** How many other things are unfinished: credit that is held, sagas that are open. */
  readonly open: number
}

/** What the load generator was answered. */
export type Answers = {
  /** How many checkouts were answered 200. */
  readonly ok: number
  /** Which orders were checked out and answered 200. `undefined` if that is not known. */
  readonly isPaid: ((order: number) => boolean) | undefined
}

export type Books = {
  readonly credit: { readonly added: number; readonly left: number; readonly spent: number }
  readonly stock: { readonly added: number; readonly left: number; readonly sold: number }
  readonly paid: number
  readonly ok: number
  readonly open: number
  readonly negative: number
  readonly isWhole: boolean
  readonly ordersRead: number
  /** What does not come out, a sentence each; empty if everything does. */
  readonly complaints: readonly string[]
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** What the paid orders that were read took from each user and each item. */
const taken = ({ orders }: Reading, { users, items }: Seed) => {
  const spent = new Array<number>(users).fill(0)
  const sold = new Array<number>(items).fill(0)
  for (const { state, user, total, lines } of orders) {
    if (state !== 'paid') continue
    spent[user] = (spent[user] ?? 0) + total
    for (const [item, quantity] of lines) sold[item] = (sold[item] ?? 0) + quantity
  }
  return { spent, sold }
}

/** How many of these do not hold what is left of `added` once `gone` is taken away. */
const wrong = (left: readonly number[], added: number, gone: readonly number[]): number =>
  left.filter((number, index) => number !== added - (gone[index] ?? 0)).length

/** Every order of the benchmark costs the same: two pieces. */
const PIECES = 2

/** Compares what is there with what must be there. */
export const balance = (reading: Reading, seed: Seed, { ok, isPaid }: Answers): Books => {
  const { credits, stocks, orders, isWhole } = reading
  const { spent, sold } = taken(reading, seed)
  const paid = orders.filter(({ state }) => state === 'paid').length
  const credit = {
    added: seed.users * seed.credit,
    left: sum(credits),
    spent: isWhole ? sum(spent) : ok * PIECES * seed.price,
  }
  const stock = { added: seed.items * seed.stock, left: sum(stocks), sold: isWhole ? sum(sold) : ok * PIECES }
  const open = reading.open + orders.filter(({ state }) => state === 'open').length
  const negative = [...credits, ...stocks].filter((number) => number < 0).length
  const wrongUsers = isWhole ? wrong(credits, seed.credit, spent) : 0
  const wrongItems = isWhole ? wrong(stocks, seed.stock, sold) : 0
  const untrue = isPaid ? orders.filter(({ number, state }) => isPaid(number) !== (state === 'paid')).length : 0

  const complaints: string[] = []
  const expect = (isSo: boolean, complaint: string): void => void (isSo || complaints.push(complaint))
  expect(
    credit.added === credit.left + credit.spent,
    `credit: ${credit.added} added, ${credit.left} left, ${credit.spent} spent`,
  )
  expect(stock.added === stock.left + stock.sold, `stock: ${stock.added} added, ${stock.left} left, ${stock.sold} sold`)
  expect(wrongUsers === 0, `${wrongUsers} users have not paid exactly for their paid orders`)
  expect(wrongItems === 0, `${wrongItems} items were not sold exactly as often as paid orders say`)
  expect(!isWhole || paid === ok, `${paid} orders are paid, ${ok} checkouts were answered 200`)
  expect(untrue === 0, `${untrue} of the orders that were read are not what their checkout was answered`)
  expect(negative === 0, `${negative} numbers are negative`)
  expect(open === 0, `${open} things are still unfinished`)
  return { credit, stock, paid, ok, open, negative, isWhole, ordersRead: orders.length, complaints }
}
