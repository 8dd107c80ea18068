/**
 * Are the money and the goods all there?
 *
 * What every user, item and order holds after the runs is compared with what was put in and with what was answered. It
 * must come out to the unit, for each user and each item where all orders were read, in sum where only some were:
 * credit added = left + spent; stock added = left + sold; an order answered 200 is paid, one that was refused or turned away is
 * not, and one that was turned away has not even been begun; nothing negative; nothing still open. Where the outcome of a
 * request cannot be told by its answer (`unsure`), either outcome is right, and the books leave room for it.
 */
import type { Exception } from './load.ts'
import type { Seed } from './seed.ts'

export type OrderRow = {
  readonly number: number
  readonly user: number
  /** `open` for every state between open and paid. */
  readonly state: 'unpaid' | 'paid' | 'open'
  readonly total: number
  /** Item and quantity. */
  readonly lines: readonly (readonly [item: number, quantity: number])[]
  /** Whether a checkout of it was ever begun; undefined where that cannot be seen. */
  readonly isBegun: boolean | undefined
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

/** What requests that are no checkouts did to each user or each item: certainly, and perhaps. */
export type Writes = {
  readonly to: 'credit' | 'stock'
  readonly adds: 1 | -1
  readonly sure: readonly number[]
  readonly unsure: readonly number[]
}

/** What the load generator was answered. */
export type Answers = {
  /** How many checkouts were answered 200, and how many might have been. */
  readonly ok: number
  readonly unsure: number
  /** How the checkout of an order ended; undefined if it was not asked for. */
  readonly endOf: (order: number) => 'ok' | Exception | undefined
  readonly writes: Writes | undefined
}

/** One side of the books: money, or goods. */
export type Account = { readonly added: number; readonly left: number; readonly gone: number }

export type Books = {
  readonly credit: Account
  readonly stock: Account
  readonly paid: number
  readonly ok: number
  readonly unsure: number
  readonly shed: number
  readonly open: number
  readonly negative: number
  readonly isWhole: boolean
  readonly ordersRead: number
  /** What does not come out, a sentence each; empty if everything does. */
  readonly complaints: readonly string[]
}

/** Every order of the benchmark costs the same: two pieces. */
const PIECES = 2

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

/** What must be left of each of these: from so much to so much. */
type Expectation = {
  readonly name: string
  readonly seeded: number
  readonly left: readonly number[]
  /** What the paid orders took of each; undefined where that is known in sum only. */
  readonly taken: readonly number[] | undefined
  /** The same in sum, from what was certainly paid to what was perhaps paid. */
  readonly takenInAll: { readonly min: number; readonly max: number }
  readonly writes: Writes | undefined
}

/** Does what is missing, beyond what is known to be gone, lie within what was perhaps done? */
const isWithin = (missing: number, perhapsGone: number, perhapsAdded: number): boolean =>
  missing >= -perhapsAdded && missing <= perhapsGone

const settle = ({ name, seeded, left, taken, takenInAll, writes }: Expectation) => {
  const sure = sum(writes?.sure ?? [])
  const unsure = sum(writes?.unsure ?? [])
  const [put, drawn] = writes?.adds === 1 ? [sure, 0] : [0, sure]
  const [perhapsPut, perhapsDrawn] = writes?.adds === 1 ? [unsure, 0] : [0, unsure]
  const account: Account = {
    added: seeded * left.length + put,
    left: sum(left),
    gone: (taken ? sum(taken) : takenInAll.min) + drawn,
  }
  const perhapsTaken = taken ? 0 : takenInAll.max - takenInAll.min
  const complaints: string[] = []
  if (!isWithin(account.added - account.left - account.gone, perhapsDrawn + perhapsTaken, perhapsPut))
    complaints.push(`${name}: ${account.added} added, ${account.left} left, ${account.gone} gone`)
  const isWrong = (number: number, index: number): boolean => {
    const adds = writes?.adds ?? 1
    const missing = seeded + adds * (writes?.sure[index] ?? 0) - (taken?.[index] ?? 0) - number
    const perhaps = writes?.unsure[index] ?? 0
    return !isWithin(missing, adds === 1 ? 0 : perhaps, adds === 1 ? perhaps : 0)
  }
  const wrong = taken ? left.filter(isWrong).length : 0
  if (wrong > 0) complaints.push(`${name}: ${wrong} of ${left.length} do not hold exactly what is left to them`)
  return { account, complaints }
}

/** What may not be seen of an order, by how its checkout ended. */
const LIES: Readonly<Record<'ok' | Exception | 'not asked for', (order: OrderRow) => boolean>> = {
  ok: ({ state }) => state !== 'paid',
  refused: ({ state }) => state === 'paid',
  shed: ({ state, isBegun }) => state === 'paid' || isBegun === true,
  unsure: () => false,
  'not asked for': ({ state, isBegun }) => state !== 'unpaid' || isBegun === true,
}

/** Compares what is there with what must be there. */
export const balance = (reading: Reading, seed: Seed, { ok, unsure, endOf, writes }: Answers): Books => {
  const { credits, stocks, orders, isWhole } = reading
  const { spent, sold } = taken(reading, seed)
  /** Where no checkout was asked for, nothing was taken, whichever orders were read. */
  const isExact = isWhole || ok + unsure === 0
  const inAll = (each: number) => ({ min: ok * each, max: (ok + unsure) * each })
  const credit = settle({
    name: 'credit',
    seeded: seed.credit,
    left: credits,
    taken: isExact ? spent : undefined,
    takenInAll: inAll(PIECES * seed.price),
    writes: writes?.to === 'credit' ? writes : undefined,
  })
  const stock = settle({
    name: 'stock',
    seeded: seed.stock,
    left: stocks,
    taken: isExact ? sold : undefined,
    takenInAll: inAll(PIECES),
    writes: writes?.to === 'stock' ? writes : undefined,
  })
  const paid = orders.filter(({ state }) => state === 'paid').length
  const open = reading.open + orders.filter(({ state }) => state === 'open').length
  const negative = [...credits, ...stocks].filter((number) => number < 0).length
  const lies = Object.entries(LIES).map(([end, isLie]) => {
    const these = orders.filter((order) => (endOf(order.number) ?? 'not asked for') === end)
    return { end, of: these.length, count: these.filter(isLie).length }
  })

  const complaints = [...credit.complaints, ...stock.complaints]
  const expect = (isSo: boolean, complaint: string): void => void (isSo || complaints.push(complaint))
  for (const { end, count } of lies) expect(count === 0, `${count} orders are not as their checkout ended (${end})`)
  expect(!isWhole || (paid >= ok && paid <= ok + unsure), `${paid} orders are paid, ${ok} checkouts were answered 200`)
  expect(negative === 0, `${negative} numbers are negative`)
  expect(open === 0, `${open} things are still unfinished`)
  return {
    credit: credit.account,
    stock: stock.account,
    ...{ paid, ok, unsure, open, negative, isWhole, complaints },
    shed: lies.find(({ end }) => end === 'shed')?.of ?? 0,
    ordersRead: orders.length,
  }
}
