/** What a request leaves under its Idempotency-Key, and under its log id, ends by itself. */

import test from 'ava'
import { openStore as openIds } from '../../../ids/store.ts'
import { openStore as openOrder } from '../../../order/store.ts'
import { FRESH_MS } from '../../../shared/log/fence.ts'
import { openStore as openStock } from '../../../stock/store.ts'
import { openCheckout } from '../../support/shop/cart.ts'
import { openBench, plainly, under } from '../../support/shop/open-store.ts'

const bench = await openBench()
const store = openStock(bench.dependencies)
const { redis, dependencies } = bench
test.beforeEach(async () => {
  await redis.flushall()
})
test.after.always(async () => bench[Symbol.asyncDispose]())

/** How long the answer to the only keyed request is kept. */
const keptMs = async (): Promise<number> => {
  const [key = '', ...others] = await redis.keys('request:*')
  if (others.length > 0) throw new Error('there is more than one')
  return redis.pttl(key)
}

test.serial('the answer to what was done under a key is kept for as long as repetitions may come', async (t) => {
  await store.createItem('tea', 1, plainly)
  t.deepEqual(await store.add('tea', 5, under('k')), ['added'])
  const ms = await keptMs()
  t.true(ms > (dependencies.retentionS - 10) * 1_000 && ms <= dependencies.retentionS * 1_000, `${ms}`)
})

for (const [what, request, result] of [
  ['of what is unknown', () => store.add('nothing', 5, under('k')), 'unknown'],
  ['that is refused', () => store.subtract('tea', 5, under('k')), 'out-of-stock'],
] as const)
  test.serial(`the answer to a keyed request ${what} is kept for a minute, since it changed nothing`, async (t) => {
    await store.createItem('tea', 1, plainly)
    t.deepEqual(await request(), [result])
    const ms = await keptMs()
    t.true(ms > 50_000 && ms <= 60_000, `${ms}`)
    t.deepEqual(await request(), [result], 'and given again')
  })

test.serial(
  'a refusal in passing is remembered for as long as what was asked for before it may still come',
  async (t) => {
    t.is(await store.log.refuse(under('k')), undefined)
    const ms = await keptMs()
    t.true(ms > 0 && ms <= 2 * FRESH_MS, `${ms}`)
  },
)

test.serial('no value of a request is read as another argument, and the others of its moment are done', async (t) => {
  await store.createItem('tea', 1, plainly)
  const smuggling = store.add('tea\namount=1000', 5, plainly)
  const [told, smuggled] = await Promise.allSettled([store.add('tea', 5, plainly), smuggling])
  t.like(told, { status: 'fulfilled', value: ['added'] })
  t.like(smuggled, { status: 'rejected', reason: { message: '"item" has more than one line' } })
  t.is(await redis.hget('item:tea', 'stock'), '5')
})

test.serial('a key that a batch has claimed is kept for as long as the batch may be gone on with', async (t) => {
  t.deepEqual(await store.log.claim(under('k')), ['claimed'])
  t.true((await keptMs()) > 60_000)
})

test.serial('a request that has joined a checkout is never another one', async (t) => {
  const order = openOrder(dependencies)
  await openCheckout(order)
  t.deepEqual(await order.join({ order: 'cart', saga: 'it' }, under('k')), ['joined', 'it'])
  t.true((await keptMs()) > 60_000)
})

test.serial('a dead letter that was dismissed under a key is so at any repetition', async (t) => {
  const letter = await redis.xadd('dead:stock', '*', 'speaker', 'payment', 'entry', '1-0', 'error', '-', 'fields', '[]')
  t.is((await store.log.dead.dismiss(letter ?? '', under('k')))[0], 'dismissed')
  t.true((await keptMs()) > 60_000)
})

test.serial('of two keyed requests of one moment each is kept as long as it is worth', async (t) => {
  await store.createItem('tea', 1, plainly)
  await Promise.all([store.add('tea', 5, under('done')), store.add('nothing', 5, under('refused'))])
  t.true((await redis.pttl('request:done')) > 60_000)
  t.true((await redis.pttl('request:refused')) <= 60_000)
})

test.serial('what was recorded under the log id of a single command goes with its entry', async (t) => {
  const ids = openIds(dependencies)
  await ids.lease('replica')
  await ids.give('given', under('k'))
  const keys = await redis.keys('entries:*')
  t.is(keys.length, 2)
  for (const key of keys) t.is(await redis.pttl(key), -1, 'it outlives an entry that is kept longer')
  t.is(await ids.log.trim(3_600_000, []), 0)
  t.is((await redis.keys('entries:*')).length, 2)
  t.is(await ids.log.trim(-1_000, []), 2)
  t.deepEqual(await redis.keys('entries:*'), [])
  t.true((await redis.pttl('lease:replica')) > 0)
})
