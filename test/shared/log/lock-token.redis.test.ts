/** What is done under a lock: only if the thing that it is about has seen no higher token. */
import test, { type ExecutionContext } from 'ava'
import { openStore as openOrder } from '../../../order/store.ts'
import { StaleLockTokenError } from '../../../shared/errors.ts'
import type { Once } from '../../../shared/redis/script.ts'
import { openStore as openStock } from '../../../stock/store.ts'
import { beginCart, LINE, openCart } from '../../support/shop/cart.ts'
import { openBench, plainly, saidIn, under } from '../../support/shop/open-store.ts'

const bench = await openBench()
const stock = openStock(bench.dependencies)
const order = openOrder(bench.dependencies)
const { redis } = bench
test.serial.beforeEach(async () => {
  await redis.flushall()
  await stock.createItem('tea', 1, plainly)
  await openCart(order)
})
test.after.always(async () => bench[Symbol.asyncDispose]())

const by = (lockToken: string, once: Once = plainly): Once => ({ ...once, lockToken })
const seenBy = (thing: string): Promise<string | null> => redis.hget(thing, 'fence')
const shelf = async () => (await stock.find('tea'))?.stock

/** It is refused for this token, and nothing was done. */
const assertStale = async (t: ExecutionContext, newest: number, ask: () => Promise<unknown>): Promise<void> => {
  const before = await redis.xlen('log:stock')
  const error = await t.throwsAsync(ask(), { instanceOf: StaleLockTokenError })
  t.is(error?.newest, newest)
  t.is(await redis.xlen('log:stock'), before)
}

test.serial('a thing keeps the highest token that it has seen, and refuses lower ones', async (t) => {
  t.deepEqual(await stock.add('tea', 1, by('9')), ['added'])
  t.deepEqual(await stock.add('tea', 1, by('10')), ['added'])
  t.deepEqual(await stock.add('tea', 1, by('10')), ['added'])
  await assertStale(t, 10, () => stock.add('tea', 1, by('9')))
  await assertStale(t, 10, () => stock.changeItem('tea', 'any', { price: 7 }, by('9')))
  t.is(await seenBy('item:tea'), '10')
  t.is(await shelf(), 3)
})

test.serial('what bears no token is done, whatever was seen', async (t) => {
  await stock.add('tea', 1, by('10'))
  t.deepEqual(await stock.add('tea', 1, plainly), ['added'])
  t.is(await seenBy('item:tea'), '10')
})

test.serial('a thing has also seen the token of what it refuses otherwise', async (t) => {
  t.deepEqual(await stock.subtract('tea', 5, by('10')), ['out-of-stock'])
  await assertStale(t, 10, () => stock.add('tea', 1, by('9')))
})

test.serial('the largest tokens are told apart', async (t) => {
  const largest = Number.MAX_SAFE_INTEGER
  await stock.add('tea', 1, by(String(largest)))
  await assertStale(t, largest, () => stock.add('tea', 1, by(String(largest - 1))))
})

test.serial('what is not there keeps nothing', async (t) => {
  t.deepEqual(await stock.add('cup', 1, by('10')), ['unknown'])
  t.deepEqual(await redis.keys('item:*'), ['item:tea'])
})

test.serial('a caller whose thing it is not sets no token of it, and learns none', async (t) => {
  const added = (owner: string, token: string) => order.addItem(LINE, { ...by(token), owner })
  t.deepEqual(await added('stranger', '10'), ['unknown'])
  t.is(await seenBy('order:cart'), null)
  t.is((await added('anna', '5'))[0], 'added')
  t.deepEqual(await added('stranger', '4'), ['unknown'])
  await t.throwsAsync(added('anna', '4'), { instanceOf: StaleLockTokenError })
})

test.serial('of many at one moment each is compared with those before it', async (t) => {
  const tokens = ['5', '7', '6', '7', '8', '1']
  const ends = await Promise.allSettled(tokens.map((token) => stock.add('tea', 1, by(token))))
  t.deepEqual(
    ends.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'rejected'],
  )
  t.is(await shelf(), 4)
})

test.serial('things that are made anew have seen what they have', async (t) => {
  await stock.initItems(0, 1, 5, 1, plainly)
  await stock.add('0', 1, by('10'))
  await stock.initItems(0, 1, 5, 1, plainly)
  await assertStale(t, 10, () => stock.add('0', 1, by('9')))
})

test.serial('under a key the recorded answer is given, whoever has come to hold the lock since', async (t) => {
  t.deepEqual(await stock.add('tea', 1, by('9', under('k'))), ['added'])
  t.deepEqual(await stock.add('tea', 1, by('10')), ['added'])
  t.deepEqual(await stock.add('tea', 1, by('9', under('k'))), ['added'])
  t.deepEqual(await stock.add('tea', 1, under('k')), ['added'])
  t.is(await shelf(), 2)
})

test.serial('what was refused for its token may be done under the same key with a higher one', async (t) => {
  await stock.add('tea', 1, by('10'))
  await assertStale(t, 10, () => stock.add('tea', 1, by('9', under('k'))))
  t.deepEqual(await stock.add('tea', 1, by('11', under('k'))), ['added'])
  t.is(await shelf(), 2)
})

const start = (id: string) => ({ log_id: id, order: 'cart', user: 'anna', token: '', timeout_ms: 60_000 })

test.serial('an order sees the token of a checkout where that begins, is submitted, or is joined', async (t) => {
  await t.throwsAsync(
    async () => {
      await order.addItem({ order: 'cart', item: 'cup', quantity: 1, price: 1 }, by('4'))
      await order.begin(start('it'), by('3'))
    },
    { instanceOf: StaleLockTokenError },
  )
  t.is((await order.find('cart'))?.status, 'open')
  t.deepEqual(await order.begin(start('it'), by('5')), ['begun', 'it'])
  t.is(await seenBy('order:cart'), '5')
  t.deepEqual(await order.join({ order: 'cart', saga: 'it' }, by('6')), ['joined', 'it'])
  await t.throwsAsync(order.join({ order: 'cart', saga: 'it' }, by('5')), { instanceOf: StaleLockTokenError })
  await t.throwsAsync(order.submit({ log_id: 'other', order: 'cart', timeout_ms: 60_000, most: 9 }, by('5')), {
    instanceOf: StaleLockTokenError,
  })
})

test.serial('what was begun stays so, if it is begun again because its outcome was unknown', async (t) => {
  await order.begin(start('it'), by('5'))
  await order.join({ order: 'cart', saga: 'it' }, by('6'))
  t.deepEqual(await order.begin({ ...start('it'), again: 'yes' }, by('5')), ['begun', 'it'])
  t.is(await seenBy('order:cart'), '6')
})

test.serial('what was not begun is not begun again with a token that is stale by now', async (t) => {
  await order.addItem({ order: 'cart', item: 'cup', quantity: 1, price: 1 }, by('6'))
  await t.throwsAsync(order.begin({ ...start('it'), again: 'yes' }, by('5')), { instanceOf: StaleLockTokenError })
  t.is((await order.find('cart'))?.status, 'open')
  t.false((await saidIn(order.log)).some(({ kind }) => kind === 'CheckoutStarted'))
  t.deepEqual(await beginCart(order), ['begun', 'it'])
})
