/** What an order's commands record besides its lines: a number, what each line cost, its version and its times. */
import test from 'ava'
import { openStore } from '../../order/store.ts'
import { beginCart, MONEY, openCart } from '../support/shop/cart.ts'
import { openBench, plainly, type Teller, teller } from '../support/shop/open-store.ts'

const bench = await openBench()
const { redis } = bench
const store = openStore(bench.dependencies)
test.after.always(() => bench[Symbol.asyncDispose]())

let tell: Teller
test.serial.beforeEach(async () => {
  await redis.flushall()
  tell = teller(store.log)
})

const recorded = (order = 'cart') => redis.hgetall(`order:${order}`)
const listed = (user: string) => redis.zrange(`orders-of:${user}`, '0', '-1', 'WITHSCORES')
const nowMs = async (): Promise<number> => {
  const [seconds, micros] = await redis.time()
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
}
const add = (item: string, quantity: number, price: number) =>
  store.addItem({ order: 'cart', item, quantity, price }, plainly)

/** As a version has left it that knew nothing of all this. */
const openOldCart = (lines = 'tea:2') => redis.hset('order:cart', { user: 'anna', status: 'open', total: '30', lines })

test.serial('each order has the next number, is listed under it, and tells when it was made', async (t) => {
  const before = await nowMs()
  await store.create('first', 'anna', plainly)
  await store.create('other', 'ben', plainly)
  await store.create('second', 'anna', plainly)
  const after = await nowMs()
  t.like(await recorded('first'), { number: '1', costs: '' })
  t.is((await recorded('second')).number, '3')
  for (const order of ['first', 'second']) {
    const at = Number((await recorded(order)).at)
    t.true(before <= at && at <= after)
  }
  t.deepEqual(await listed('anna'), ['first', '1', 'second', '3'])
  t.deepEqual(await listed('ben'), ['other', '2'])
})

test.serial('a line knows what it cost, each piece at its price when it was added', async (t) => {
  await store.create('cart', 'anna', plainly)
  await add('tea', 2, 15)
  await add('cup', 1, 7)
  await add('gift', 3, 0)
  t.like(await recorded(), { lines: 'tea:2,cup:1,gift:3', costs: 'tea:30,cup:7,gift:0', total: '37' })
  await add('tea', 1, 20)
  t.like(await recorded(), { lines: 'cup:1,gift:3,tea:3', costs: 'cup:7,gift:0,tea:50', total: '57' })
})

test.serial('costs are exact up to the largest sum', async (t) => {
  await store.create('cart', 'anna', plainly)
  await add('tea', 1, Number.MAX_SAFE_INTEGER - 1)
  await add('tea', 1, 1)
  t.is((await recorded()).costs, `tea:${Number.MAX_SAFE_INTEGER}`)
})

test.serial('the version is another one whenever the order has changed, and only then', async (t) => {
  await openCart(store)
  t.is((await recorded()).version, '2')
  await beginCart(store)
  t.is((await recorded()).version, '3')
  t.is((await add('tea', 1, 1))[0], 'closed')
  await beginCart(store)
  t.is((await recorded()).version, '3')
  await tell('payment', 'CreditVoided', 'it', { ...MONEY, reason: 'out-of-stock', item: 'tea' })
  t.is((await recorded()).version, '4')
  await tell('payment', 'CreditVoided', 'it', { ...MONEY, reason: 'out-of-stock', item: 'tea' })
  t.is((await recorded()).version, '4')
  await beginCart(store, 'next')
  await store.cancel('next')
  t.is((await recorded()).version, '6')
  await tell('payment', 'CreditReleased', 'next', MONEY)
  t.is((await recorded()).version, '7')
  await beginCart(store, 'last')
  await tell('payment', 'CreditCaptured', 'last', MONEY)
  t.like(await recorded(), { version: '9', status: 'paid', costs: 'tea:30' })
})

test.serial('a change tells when it was', async (t) => {
  await store.create('cart', 'anna', plainly)
  t.is((await recorded()).updated, undefined)
  for (const change of [
    () => add('tea', 2, 15),
    () => beginCart(store),
    () => tell('payment', 'CreditCaptured', 'it', MONEY),
  ]) {
    const before = await nowMs()
    await change()
    const updated = Number((await recorded()).updated)
    t.true(before <= updated && updated <= (await nowMs()))
  }
})

test.serial('an order of an older version: what its lines cost stays unknown, and new ones are known', async (t) => {
  await openOldCart()
  await add('cup', 1, 7)
  t.like(await recorded(), { lines: 'tea:2,cup:1', costs: 'cup:7', total: '37', version: '2' })
  await add('tea', 1, 15)
  t.like(await recorded(), { lines: 'cup:1,tea:3', costs: 'cup:7', total: '52', version: '3' })
  await beginCart(store)
  const captured = { ...MONEY, total: 52, lines: 'cup:1,tea:3' }
  t.is((await tell('payment', 'CreditCaptured', 'it', captured))[0], 'paid')
  t.like(await recorded(), { version: '5', status: 'paid', number: undefined, at: undefined })
})

test.serial('an order that an older version left without lines knows what all of them cost', async (t) => {
  await openOldCart('')
  await add('tea', 2, 15)
  t.is((await recorded()).costs, 'tea:30')
})

const batch = { first: 0, last: 4, items: 3, users: 2, price: 4, seed: 1 }
test.serial('orders that are made anew have numbers of their own, and the next version', async (t) => {
  await store.create('cart', 'anna', plainly)
  await store.initOrders(batch, plainly)
  const versions = async () => Promise.all(['0', '4'].map(async (order) => (await recorded(order)).version))
  t.deepEqual(await versions(), ['1', '1'])
  t.deepEqual([(await recorded('0')).number, (await recorded('4')).number], ['2', '6'])
  await store.addItem({ order: '4', item: 'tea', quantity: 1, price: 1 }, plainly)
  await store.initOrders({ ...batch, seed: 2 }, plainly)
  t.deepEqual(await versions(), ['2', '3'])
  t.like(await recorded('4'), { number: '11', updated: undefined })
  for (const order of ['0', '1', '2', '3', '4']) {
    const { lines = '', costs = '', total } = await recorded(order)
    const items = (list: string) => list.split(',').map((line) => line.split(':')[0])
    const amounts = costs.split(',').map((line) => Number(line.split(':')[1]))
    t.deepEqual(items(costs), items(lines))
    t.is(
      amounts.reduce((sum, one) => sum + one),
      Number(total),
    )
  }
})

test.serial('orders that are made anew are listed as their user’s, and nobody else’s', async (t) => {
  const owners = async () => {
    const users = await Promise.all(['0', '1', '2', '3', '4'].map(async (order) => (await recorded(order)).user))
    for (const user of ['0', '1', '2', '3', '4', '5'])
      t.deepEqual(
        (await redis.zrange(`orders-of:${user}`, '0', '-1')).toSorted(),
        ['0', '1', '2', '3', '4'].filter((_, order) => users[order] === user),
      )
    return users
  }
  await store.initOrders({ ...batch, users: 5 }, plainly)
  const before = await owners()
  await store.initOrders({ ...batch, users: 5, seed: 7 }, plainly)
  t.notDeepEqual(await owners(), before)
})

test.serial('an order that this Redis has lost and adopts is listed, and nobody knows when it was made', async (t) => {
  await store.create('other', 'anna', plainly)
  await tell('payment', 'CreditCaptured', 'it', MONEY)
  t.like(await recorded(), { number: '2', status: 'paid', at: undefined, costs: undefined })
  t.deepEqual(await listed('anna'), ['other', '1', 'cart', '2'])
})

test.serial('what an adopted order’s lines cost is known as far as it was sold as it stands here', async (t) => {
  await openCart(store)
  await tell('payment', 'CreditCaptured', 'it', MONEY)
  t.like(await recorded(), { number: '1', status: 'paid', costs: 'tea:30' })
  await redis.flushall()
  await openCart(store)
  await tell('payment', 'CreditCaptured', 'other', { ...MONEY, total: 47, lines: 'tea:2,cup:1' })
  t.like(await recorded(), { number: '1', lines: 'tea:2,cup:1', costs: undefined })
})

test.serial('an adopted order that is another user’s leaves the one who had it', async (t) => {
  await openCart(store, 'cart', 'ben')
  await tell('payment', 'CreditCaptured', 'it', MONEY)
  t.deepEqual([await listed('ben'), await listed('anna')], [[], ['cart', '1']])
})
