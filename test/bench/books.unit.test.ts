import test from 'ava'
import { type Answers, balance, type OrderRow, type Reading } from './books.ts'
import type { Exception } from './load.ts'

const seed = { users: 2, items: 2, orders: 3, credit: 100, stock: 50, price: 3 }

const order = (number: number, state: OrderRow['state'], more: Partial<OrderRow> = {}): OrderRow => ({
  number,
  user: 0,
  state,
  total: 6,
  lines: [
    [0, 1],
    [1, 1],
  ],
  isBegun: state !== 'unpaid',
  ...more,
})

/** User 0 has paid order 0; nothing else has happened. */
const right: Reading = {
  credits: [94, 100],
  stocks: [49, 49],
  orders: [order(0, 'paid'), order(1, 'unpaid'), order(2, 'unpaid')],
  isWhole: true,
  open: 0,
}

const answers = (ends: readonly ('ok' | Exception)[], writes?: Answers['writes']): Answers => ({
  ok: ends.filter((end) => end === 'ok').length,
  unsure: ends.filter((end) => end === 'unsure').length,
  endOf: (number) => ends[number],
  writes,
})

const complaintsOf = (reading: Partial<Reading>, given: Answers): string =>
  balance({ ...right, ...reading }, seed, given).complaints.join('; ')

test('balances what was paid, refused and turned away', (t) => {
  const books = balance(right, seed, answers(['ok', 'refused', 'shed']))
  t.deepEqual(books.complaints, [])
  t.deepEqual(books.credit, { added: 200, left: 194, gone: 6 })
  t.is(books.shed, 1)
})

test('leaves room for what may have been paid, and for no more', (t) => {
  t.is(complaintsOf({}, answers(['unsure'])), '')
  t.regex(complaintsOf({}, answers([])), /1 orders are paid, 0 checkouts.*/)
})

test('finds money that is gone, also where another user has it', (t) => {
  t.regex(complaintsOf({ credits: [93, 100] }, answers(['ok'])), /credit: 200 added, 193 left, 6 gone/)
  t.regex(complaintsOf({ credits: [93, 101] }, answers(['ok'])), /^credit: 2 of 2 do not hold/)
})

test('finds an order that was begun although it was turned away', (t) => {
  const orders = [order(0, 'paid'), order(1, 'unpaid', { isBegun: true }), order(2, 'unpaid')]
  t.regex(complaintsOf({ orders }, answers(['ok', 'shed'])), /1 orders are not as their checkout ended \(shed\)/)
  t.is(complaintsOf({ orders }, answers(['ok', 'refused'])), '')
})

test('finds an order that was answered 200 and is not paid', (t) => {
  t.regex(complaintsOf({}, answers(['ok', 'ok'])), /1 orders are not as their checkout ended \(ok\)/)
})

test('finds what is negative, missing or unfinished', (t) => {
  t.regex(complaintsOf({ stocks: [-1, 49] }, answers(['ok'])), /1 numbers are negative/)
  t.regex(complaintsOf({ credits: [Number.NaN, 100] }, answers(['ok'])), /credit/)
  t.regex(complaintsOf({ open: 2 }, answers(['ok'])), /2 things are still unfinished/)
})

const untouched = { orders: [order(0, 'unpaid')], credits: [103, 100] }
const added = (sure: number[], unsure: number[]) =>
  ({ to: 'credit', adds: 1, sure, unsure }) as const satisfies Answers['writes']

test('counts what other requests added, to each user', (t) => {
  const reading = { ...untouched, stocks: [50, 50] }
  t.is(complaintsOf(reading, answers([], added([3, 0], [0, 0]))), '')
  t.is(complaintsOf(reading, answers([], added([2, 0], [1, 0]))), '')
  t.regex(complaintsOf(reading, answers([], added([2, 1], [0, 0]))), /^credit: 2 of 2 do not hold/)
  t.regex(complaintsOf(reading, answers([], added([2, 0], [0, 1]))), /^credit: 1 of 2 do not hold/)
  t.regex(complaintsOf(reading, answers([], added([4, 0], [0, 0]))), /credit: 204 added, 203 left/)
})

test('counts what other requests took, and what they perhaps took', (t) => {
  const reading = { ...untouched, credits: [100, 100], stocks: [48, 50] }
  const taken = (sure: number[], unsure: number[]) => answers([], { to: 'stock', adds: -1, sure, unsure })
  t.is(complaintsOf(reading, taken([2, 0], [0, 0])), '')
  t.is(complaintsOf(reading, taken([1, 0], [1, 0])), '')
  t.regex(complaintsOf(reading, taken([1, 0], [0, 0])), /stock: 100 added, 98 left, 1 gone/)
})

test('takes what was spent from the answers where only some orders were read', (t) => {
  const some = { orders: [order(0, 'paid')], isWhole: false }
  t.is(complaintsOf(some, answers(['ok'])), '')
  t.is(complaintsOf(some, answers(['unsure'])), '')
  t.regex(complaintsOf(some, answers(['ok', 'ok'])), /credit: 200 added, 194 left, 12 gone/)
})
