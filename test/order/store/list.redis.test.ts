/** Which orders a user has, over a real Redis. */
import test from 'ava'
import type { Wanted } from '../../../order/store/listing.ts'
import { openStore } from '../../../order/store.ts'
import { openCart, openCheckout } from '../../support/shop/cart.ts'
import { openBench, plainly, teller } from '../../support/shop/open-store.ts'

const bench = await openBench()
const { redis } = bench
const store = openStore(bench.dependencies)
const { list } = store
test.after.always(() => bench[Symbol.asyncDispose]())
test.serial.beforeEach(() => redis.flushall())

const wanted: Wanted = { user: 'anna', status: undefined, after: undefined, offset: 0, limit: 100 }
const names = (count: number, from = 1): readonly string[] =>
  Array.from({ length: count }, (_, index) => `o${from + index}`)
/** Orders of anna, and of somebody else in between. */
const make = async (count: number): Promise<void> => {
  for (const name of names(count)) {
    await store.create(name, 'anna', plainly)
    await store.create(`other-${name}`, 'ben', plainly)
  }
}
/** The same of which a million cost no more to make than a hundred: without what a command would write besides. */
const makeMany = async (count: number): Promise<void> => {
  const fill = `for n = 1, tonumber(ARGV[1]) do
    redis.call('HSET', 'order:o' .. n, 'user', 'anna', 'status', n % 100 == 0 and 'paid' or 'open', 'total', '0', 'lines', '')
    redis.call('ZADD', 'orders-of:anna', n, 'o' .. n)
  end`
  await redis.eval(fill, 0, String(count))
}
const page = async (more: Partial<Wanted> = {}) => {
  const { orders, ...rest } = await list({ ...wanted, ...more })
  return { ...rest, orders: orders.map(({ order_id }) => order_id) }
}

test.serial('a user without orders has none, known or not', async (t) => {
  t.deepEqual(await page(), { offset: 0, total: 0, orders: [], next: null })
  t.deepEqual(await page({ status: 'paid' }), { offset: 0, total: 0, orders: [], next: null })
})

test.serial('orders are listed as they are shown, the newest first, and nobody else’s', async (t) => {
  await make(3)
  await store.addItem({ order: 'o2', item: 'tea', quantity: 2, price: 15 }, plainly)
  const { orders, ...rest } = await list(wanted)
  t.deepEqual(rest, { offset: 0, total: 3, next: null })
  t.deepEqual(
    orders.map(({ order_id, number, total_cost }) => [order_id, number, total_cost]),
    [
      ['o3', 5, 0],
      ['o2', 3, 30],
      ['o1', 1, 0],
    ],
  )
})

test.serial('a page has its place, the true total, and leads on', async (t) => {
  await make(5)
  t.deepEqual(await page({ limit: 2 }), { offset: 0, total: 5, orders: ['o5', 'o4'], next: '7' })
  t.deepEqual(await page({ limit: 2, after: '7' }), { offset: 2, total: 5, orders: ['o3', 'o2'], next: '3' })
  t.deepEqual(await page({ limit: 2, after: '3' }), { offset: 4, total: 5, orders: ['o1'], next: null })
  t.deepEqual(await page({ limit: 2, offset: 3 }), { offset: 3, total: 5, orders: ['o2', 'o1'], next: null })
  t.deepEqual(await page({ limit: 2, offset: 9 }), { offset: 9, total: 5, orders: [], next: null })
})

test.serial('who follows the cursor meets each order once, whatever comes meanwhile', async (t) => {
  await make(5)
  const { next, orders } = await page({ limit: 2 })
  await store.create('late', 'anna', plainly)
  const rest = await page({ after: next ?? '' })
  t.deepEqual([...orders, ...rest.orders], ['o5', 'o4', 'o3', 'o2', 'o1'])
  t.deepEqual([rest.offset, rest.total], [3, 6])
})

test.serial('orders of one status have a total and pages of their own', async (t) => {
  for (const name of names(6)) await openCart(store, name, 'anna')
  const tell = teller(store.log)
  for (const [index, order] of ['o1', 'o3', 'o4', 'o6'].entries()) {
    await store.begin({ log_id: `it${index}`, order, user: 'anna', token: '', timeout_ms: 60_000 }, plainly)
    const captured = { order, user: 'anna', total: 30, lines: 'tea:2' }
    await tell('payment', 'CreditCaptured', `it${index}`, captured)
  }
  t.deepEqual(await page({ status: 'paid' }), { offset: 0, total: 4, orders: ['o6', 'o4', 'o3', 'o1'], next: null })
  t.deepEqual(await page({ status: 'open' }), { offset: 0, total: 2, orders: ['o5', 'o2'], next: null })
  const first = { offset: 0, total: 4, orders: ['o6', 'o4'], next: '4' }
  t.deepEqual(await page({ status: 'paid', limit: 2 }), first)
  const rest = { offset: 2, total: 4, orders: ['o3', 'o1'], next: null }
  t.deepEqual(await page({ status: 'paid', limit: 2, after: '4' }), rest)
  t.deepEqual(await page({ status: 'paid', limit: 2, offset: 2 }), rest)
  t.deepEqual(await page({ status: 'cancelling' }), { offset: 0, total: 0, orders: [], next: null })
})

test.serial('more orders than are looked at for a status are not counted, and all are found', async (t) => {
  await makeMany(20_500)
  const found: string[] = []
  let next: string | null | undefined
  let pages = 0
  while (next !== null) {
    const one = await page({ status: 'paid', limit: 100, after: next })
    t.is(one.total, null)
    found.push(...one.orders)
    next = one.next
    pages += 1
  }
  t.deepEqual(
    found,
    Array.from({ length: 205 }, (_, index) => `o${20_500 - 100 * index}`),
  )
  t.true(pages <= 4, String(pages))
  t.like(await page({ limit: 1 }), { total: 20_500, next: '20500' })
})

test.serial('a hundred orders of a user with many are listed with their checkouts', async (t) => {
  await openCheckout(store)
  await makeMany(2_000)
  const { orders, total } = await list({ ...wanted, offset: 1_901 })
  t.is(total, 2_001)
  t.like(orders.at(-1), { order_id: 'cart', checkout: { log_id: 'it', state: 'checking-out' } })
})
