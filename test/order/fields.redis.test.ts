/** What an order's commands record besides its lines: a number, what each line cost, its version and its times. */
import test from 'ava'
import { openStore } from '../../order/store.ts'
import { beginCart, MONEY, openCart } from '../support/shop/cart.ts'
import { openBench, plainly, saidIn, type Teller, teller } from '../support/shop/open-store.ts'

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

test.serial('an order is not made later than the entry that tells of it was appended', async (t) => {
  // One in a hundred was, when the time was read after the entry was appended.
  for (let order = 0; order < 1_000; order += 1) await store.create(`order-${order}`, 'anna', plainly)
  const entries = await saidIn(store.log)
  t.is(entries.length, 1_000)
  const times = await Promise.all(entries.map(({ facts }) => redis.hget(`order:${facts.order}`, 'at')))
  t.deepEqual(
    entries.filter(({ at }, index) => Number(times[index]) > Date.parse(at)),
    [],
  )
})

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

const versionOf = async (order = 'cart'): Promise<number> => Number((await recorded(order)).version ?? 1)

test.serial('the version is another one whenever the order has changed, and only then', async (t) => {
  const refusal = { ...MONEY, reason: 'out-of-stock', item: 'tea' }
  await store.create('cart', 'anna', plainly)
  const steps: readonly (readonly [does: 'change' | 'nothing', step: () => Promise<unknown>])[] = [
    ['change', () => add('tea', 2, 15)],
    ['change', () => beginCart(store)],
    ['nothing', () => add('tea', 1, 1)],
    ['nothing', () => beginCart(store)],
    ['change', () => tell('payment', 'CreditVoided', 'it', refusal)],
    ['nothing', () => tell('payment', 'CreditVoided', 'it', refusal)],
    ['change', () => beginCart(store, 'next')],
    ['change', () => store.cancel('next')],
    ['change', () => tell('payment', 'CreditReleased', 'next', MONEY)],
    ['change', () => beginCart(store, 'last')],
    ['change', () => tell('payment', 'CreditCaptured', 'last', MONEY)],
  ]
  for (const [at, [does, step]] of steps.entries()) {
    const before = await versionOf()
    await step()
    const after = await versionOf()
    t.is(after > before, does === 'change', `step ${at}`)
    t.true(after >= before, `step ${at}`)
  }
  t.like(await recorded(), { status: 'paid', costs: 'tea:30' })
})

test.serial('a version is when the order was changed, and comes after every other that was ever shown', async (t) => {
  await store.create('cart', 'anna', plainly)
  for (const change of [
    () => add('tea', 2, 15),
    () => beginCart(store),
    () => tell('payment', 'CreditCaptured', 'it', MONEY),
  ]) {
    const [before, last] = [await nowMs(), await versionOf()]
    await change()
    const version = await versionOf()
    t.true(version >= before && version <= Math.max(await nowMs(), last + 1))
  }
  // The clock of this Redis was ahead.
  const ahead = (await nowMs()) + 100_000
  await store.create('other', 'anna', plainly)
  await redis.hset('order:other', 'version', ahead)
  await store.addItem({ order: 'other', item: 'tea', quantity: 1, price: 1 }, plainly)
  t.is(await versionOf('other'), ahead + 1)
})

test.serial('a Redis that comes back older gives no version again', async (t) => {
  await openCart(store)
  const kept = await recorded()
  await add('tea', 1, 15)
  const shown = await versionOf()
  await redis.hset('order:cart', kept)
  t.true((await versionOf()) <= shown)
  while ((await nowMs()) <= shown);
  await add('cup', 1, 7)
  t.true((await versionOf()) > shown)
})

test.serial('an order whose version is a count goes on with the time', async (t) => {
  await openCart(store)
  await redis.hset('order:cart', 'version', 7, 'updated', 1_700_000_000_000)
  t.like(await store.show('cart'), { version: 7, updated_at: '2023-11-14T22:13:20.000Z' })
  const before = await nowMs()
  await add('tea', 1, 15)
  t.true((await versionOf()) >= before)
  t.is((await store.show('cart'))?.updated_at, new Date(await versionOf()).toISOString())
})

test.serial('an order of an older version: what its lines cost stays unknown, and new ones are known', async (t) => {
  await openOldCart()
  await add('cup', 1, 7)
  t.like(await recorded(), { lines: 'tea:2,cup:1', costs: 'cup:7', total: '37' })
  await add('tea', 1, 15)
  t.like(await recorded(), { lines: 'cup:1,tea:3', costs: 'cup:7', total: '52' })
  await beginCart(store)
  const captured = { ...MONEY, total: 52, lines: 'cup:1,tea:3' }
  t.is((await tell('payment', 'CreditCaptured', 'it', captured))[0], 'paid')
  t.like(await recorded(), { status: 'paid', number: undefined, at: undefined })
})

test.serial('an order that an older version left without lines knows what all of them cost', async (t) => {
  await openOldCart('')
  await add('tea', 2, 15)
  t.is((await recorded()).costs, 'tea:30')
})

const batch = { first: 0, last: 4, items: 3, users: 2, price: 4, seed: 1 }
test.serial('orders that are made anew have numbers of their own, and later versions', async (t) => {
  await store.create('cart', 'anna', plainly)
  const start = await nowMs()
  await store.initOrders(batch, plainly)
  // This Redis may have forgotten that they were there before.
  for (const order of ['0', '4']) t.true((await versionOf(order)) >= start)
  t.deepEqual([(await recorded('0')).number, (await recorded('4')).number], ['2', '6'])
  await store.addItem({ order: '4', item: 'tea', quantity: 1, price: 1 }, plainly)
  await redis.hset('order:4', 'updated', start)
  const before = { first: await versionOf('0'), last: await versionOf('4') }
  await store.initOrders({ ...batch, seed: 2 }, plainly)
  t.true((await versionOf('0')) > before.first)
  t.true((await versionOf('4')) > before.last)
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
  t.like(await recorded(), { number: '2', status: 'paid', at: undefined, costs: 'tea:30' })
  t.deepEqual(await listed('anna'), ['other', '1', 'cart', '2'])
  await redis.del('order:cart')
  await tell('payment', 'CreditCaptured', 'two', { ...MONEY, lines: 'tea:1,cup:1' })
  t.like(await recorded(), { status: 'paid', costs: undefined }, 'of several lines it is not known what each has cost')
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
