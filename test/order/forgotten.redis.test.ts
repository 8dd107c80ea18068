/**
 * What a log has dropped is over for everybody: whoever says it once more changes nothing, a Redis that comes back older
 * after a long time finds what it needs, and what waits for a person is found by its order.
 */
import { setTimeout as after } from 'node:timers/promises'
import test from 'ava'
import { recordsIn } from '../support/checker/records.ts'
import { type FinishedCheckouts, finishedCheckouts } from '../support/shop/finished.ts'
import { plainly } from '../support/shop/open-store.ts'
import { copyOf } from '../support/three-services.ts'

/** Whatever is said by now is old enough. */
const AT_ONCE = -60_000
const AGE_MS = 300

const creditOf = async ({ redis }: FinishedCheckouts, user: string | undefined): Promise<string | null> =>
  redis.payment.hget(`user:${user}`, 'credit')
/** Money is captured for the order, and order has not read of it. */
const captured = async (shop: FinishedCheckouts, order: number): Promise<string> => {
  const id = await shop.begin(order)
  await shop.apply('payment', 'order')
  await shop.apply('stock', 'payment')
  await shop.apply('payment', 'stock')
  return id
}

test('what was paid stays paid when payment says so again after order has forgotten the checkout', async (t) => {
  await using shop = await finishedCheckouts(10)
  const id = await captured(shop, 0)
  await shop.applyAll()
  await shop.trim(AT_ONCE)
  await shop.applyAll()
  await shop.logs.order.trim(AT_ONCE, ['payment'])
  t.is((await recordsIn(shop.redis.order, 'order')).size, 0)
  t.is((await shop.logs.payment.run('tell-again', { log_id: id }))[0], 'told')
  await shop.applyAll()
  const order = await shop.order.find('0')
  t.is(order?.status, 'paid')
  t.is(await creditOf(shop, order?.user_id), String(1_000_000 - (order?.total_cost ?? 0)))
})

test('a Redis that comes back older after it was away for longer than entries are kept misses nothing', async (t) => {
  await using shop = await finishedCheckouts(10)
  const redis = shop.redis.order
  await captured(shop, 0)
  await after(AGE_MS)
  const restore = await copyOf(redis, 'order')
  await shop.applyAll()
  await shop.trim(AGE_MS)
  await shop.applyAll()
  t.is((await shop.order.find('0'))?.status, 'paid')
  // Time itself is what is tried here: order is away.
  await after(2 * AGE_MS)
  await shop.logs.payment.trim(AGE_MS, ['order', 'stock'])
  await shop.logs.stock.trim(AGE_MS, ['payment'])
  await restore()
  await shop.applyAll()
  const order = await shop.order.find('0')
  t.is(order?.status, 'paid')
  t.is(await creditOf(shop, order?.user_id), String(1_000_000 - (order?.total_cost ?? 0)))
})

test('a survey that is told again speaks of no more than it did the first time', async (t) => {
  await using shop = await finishedCheckouts(10)
  const redis = shop.redis.stock
  await shop.pay(5, 1)
  await shop.order.recovery(() => undefined).beginSurvey(AT_ONCE)
  await shop.applyAll()
  const [survey = ''] = await redis.hkeys('sagas:survey')
  const id = await captured(shop, 0)
  // Payment has lost what it said, and passes the survey on anew, before what was begun since.
  await shop.logs.payment.run('pass-survey', { log_id: survey, open: '' })
  await shop.apply('stock', 'payment')
  await shop.apply('payment', 'stock')
  await shop.logs.stock.trim(AT_ONCE, ['payment'])
  t.deepEqual([...(await recordsIn(redis, 'stock')).keys()], [id])
})

test('a contradiction is found by its order, however long ago the checkouts after it were', async (t) => {
  await using shop = await finishedCheckouts(20)
  const [user_id = '', total = 0] = Object.values((await shop.order.find('0')) ?? {}).slice(3, 5) as [string, number]
  const given = async (): Promise<string> => {
    const id = await shop.begin(0)
    await shop.order.cancel(id)
    await shop.applyAll()
    return id
  }
  const id = await given()
  const facts = { log_id: id, order: '0', user: user_id, total, told: 'paid' }
  t.is((await shop.logs.order.run('uphold', facts))[0], 'contradicted')
  await given()
  for (let round = 1; round < 4; round += 1) {
    await shop.pay(round, 1)
    await shop.trim(AT_ONCE)
    await shop.applyAll()
    await shop.trim(AT_ONCE)
  }
  t.deepEqual(
    (await shop.order.contradicted()).map(({ log_id, by }) => [log_id, by]),
    [[id, 'told-paid']],
  )
  t.is((await shop.order.resolve(id, { by: 'accept', why: 'as it is' }, plainly))[0], 'resolved')
  for (let round = 4; round < 7; round += 1) {
    await shop.pay(round, 1)
    await shop.trim(AT_ONCE)
    await shop.applyAll()
    await shop.trim(AT_ONCE)
  }
  const left = [...(await recordsIn(shop.redis.order, 'order')).values()]
  t.deepEqual(
    left.filter(({ order }) => order === '0'),
    [],
  )
})

test('logs are trimmed also while order says nothing', async (t) => {
  await using shop = await finishedCheckouts(10)
  await shop.pay(0, 3)
  for (let round = 0; round < 3; round += 1) {
    await shop.trim(AT_ONCE)
    await shop.applyAll()
  }
  const redis = shop.redis.payment
  for (let count = 0; count < 10; count += 1)
    await shop.logs.payment.run('create-user', { log_id: `l${count}`, user: `new${count}` })
  for (let round = 0; round < 3; round += 1) {
    await shop.trim(AT_ONCE)
    await shop.applyAll()
  }
  await shop.trim(AT_ONCE)
  t.true((await redis.xlen('log:payment')) < 10, `${await redis.xlen('log:payment')} entries`)
})

test('a survey that is passed on is not taken for what another reader has applied', async (t) => {
  await using shop = await finishedCheckouts(10)
  const facts = { log_id: 'survey-1', open: '' }
  t.notDeepEqual(await shop.logs.payment.run('pass-survey', facts), ['passed'])
})
