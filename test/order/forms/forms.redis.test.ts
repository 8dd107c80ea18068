/** What form clients are shown, by their routes over a real Redis. */
import test from 'ava'
import { formRoutes } from '../../../order/forms/forms.ts'
import { openStore } from '../../../order/store.ts'
import { beginCart, LINE, MONEY, openCart } from '../../support/shop/cart.ts'
import { openBench, plainly, teller } from '../../support/shop/open-store.ts'

const bench = await openBench()
const store = openStore(bench.dependencies)
const routes = formRoutes(store, () => Promise.reject(new Error()))
test.after.always(() => bench[Symbol.asyncDispose]())
test.serial.beforeEach(() => bench.redis.flushall())

/** Asks a route, named by the beginning of its path. */
const ask = async (path: string, about: string, query: Readonly<Record<string, string>> = {}): Promise<unknown> => {
  const route = routes.find((one) => one.path.startsWith(path))
  if (route === undefined) throw new Error(`there is no ${path}`)
  const answer = await route.handler({
    ...plainly,
    parameter: () => about,
    header: () => undefined,
    query: new URLSearchParams(query),
    body: undefined,
    caller: undefined,
    lockToken: undefined,
    authorization: undefined,
    requestId: '',
    isGone: () => false,
    closing: new AbortController().signal,
  })
  return 'json' in answer ? answer.json : answer
}
const show = (order: string) => ask('/api/order/', order)
const list = (user: string, query = {}) => ask('/api/orders/', user, query)

const paid = { order: 'whole', user: 'anna', total: 1000, lines: 'tea:2', costs: 'tea:1000' }

test.serial('an order has its total as a text, and the number of instalments in which it is paid', async (t) => {
  await store.place({ ...paid, method: 'credit_card', installments: 10 }, plainly)
  t.deepEqual(await show('whole'), {
    id: 'whole',
    value: '1000',
    user_id: 'anna',
    installment: 10,
    status: 'OPEN',
    method: 'credit_card',
  })
  await openCart(store)
  t.like(await show('cart'), { value: '30', installment: null, status: 'OPEN', method: null })
  t.like(await show('none'), { problem: { status: 404 } })
})

test.serial('an order is OPEN, PROCESSING, APPROVED or CANCELED', async (t) => {
  const tell = teller(store.log)
  await openCart(store)
  const seen: unknown[] = []
  const look = async (): Promise<void> => {
    const { status } = (await show('cart')) as { status: string }
    seen.push(status)
  }
  await look()
  await beginCart(store, 'one')
  await look()
  await tell('payment', 'CreditRefused', 'one', { ...MONEY, reason: 'out-of-credit' })
  await look()
  await beginCart(store, 'two')
  await store.cancel('two')
  await look()
  await tell('payment', 'CreditReleased', 'two', MONEY)
  await look()
  await beginCart(store, 'three')
  await tell('payment', 'CreditCaptured', 'three', MONEY)
  await look()
  t.deepEqual(seen, ['OPEN', 'PROCESSING', 'CANCELED', 'CANCELED', 'CANCELED', 'APPROVED'])
  for (const status of ['cancelled', 'expired']) {
    await bench.redis.hset('order:cart', { status })
    t.like(await show('cart'), { status: 'CANCELED' })
  }
})

test.serial('pages are in order, and tell how many orders there are, however many they have', async (t) => {
  for (let at = 0; at < 103; at += 1) await store.place({ ...paid, order: `o${at}` }, plainly)
  await store.addItem({ ...LINE, order: 'o1' }, plainly)
  const idsOf = (page: unknown) => (page as { orders: { id: string }[] }).orders.map(({ id }) => id)
  const first = await list('anna')
  t.like(first, { offset: 0, limit: 100, total: 103 })
  t.deepEqual([idsOf(first).length, idsOf(first)[0], idsOf(first)[99]], [100, 'o102', 'o3'])
  const last = await list('anna', { offset: '100', limit: '1000' })
  t.like(last, { offset: 100, limit: 100, total: 103 })
  t.deepEqual(idsOf(last), ['o2', 'o1', 'o0'])
  t.like(await list('anna', { offset: '1', limit: '1' }), { offset: 1, limit: 1, total: 103 })
  t.deepEqual(await list('anna', { offset: '103' }), { offset: 103, limit: 100, total: 103, orders: [] })
  t.deepEqual(await list('nobody'), { offset: 0, limit: 100, total: 0, orders: [] })
  for (const query of [{ limit: '0' }, { limit: 'ten' }, { offset: '-1' }])
    await t.throwsAsync(list('anna', query), { name: 'MalformedError' })
})

test.serial('there are fifteen rows of methods', async (t) => {
  const rows = (await ask('/api/methods', '')) as object[]
  t.is(rows.length, 15)
  t.deepEqual(rows[2], { id: 3, method: 'credit_card', installments: 3, min: 15, max: 100_000_000 })
})
