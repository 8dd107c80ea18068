/**
 * What is recorded of a checkout ends when nobody will ever speak of it again, and never by its age: here entries may be
 * dropped at once, so that only what was applied keeps them.
 */

import test from 'ava'
import { PARTICIPANTS, type Participant } from '../../../shared/contract/services.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { logKey } from '../../../shared/log/entry.ts'
import { packedIn, packOf, recordsIn, unpackRecord } from '../../support/checker/records.ts'
import { type FinishedCheckouts, finishedCheckouts } from '../../support/shop/finished.ts'
import { plainly } from '../../support/shop/open-store.ts'

/** Whatever is said by now is old enough. */
const AT_ONCE = -60_000
const WHILE_MS = 3_600_000
/** So many that what is kept of them is more than what connections and scripts take and give back. */
const MANY = 1_500

const recorded = async ({ redis }: FinishedCheckouts, participant: Participant): Promise<readonly string[]> =>
  [...(await recordsIn(redis[participant], participant)).keys()].toSorted()
const kept = async (shop: FinishedCheckouts) =>
  Object.fromEntries(
    await Promise.all(
      PARTICIPANTS.map(async (participant) => [participant, await recorded(shop, participant)] as const),
    ),
  )
/** A survey goes around, and whatever may be dropped is. */
const surveyed = async (shop: FinishedCheckouts): Promise<void> => {
  await shop.trim(AT_ONCE)
  await shop.applyAll()
  await shop.trim(AT_ONCE)
}

test('surveys are begun with a pause between them, and none where all that was said is young', async (t) => {
  await using shop = await finishedCheckouts(1)
  const { log } = shop.order
  const begin = async (): Promise<string | undefined> =>
    (await log.run('begin-survey', { pause_ms: WHILE_MS, open_max: 10 }))[0]
  t.is(await begin(), 'early', 'all is young')
  const redis = shop.redis.order
  await redis.del('log:order')
  await redis.xadd('log:order', '1-0', 'OrderCreated', 'version=1 log_id=old order=old user=anna')
  t.is(await begin(), 'surveyed')
  t.is(await begin(), 'early', 'one was begun a moment ago')
  t.is(await redis.hlen('sagas:survey'), 1)
})

test('nothing goes before it is old, however often it was surveyed', async (t) => {
  await using shop = await finishedCheckouts(20)
  await shop.pay(0, 10)
  await shop.trim(WHILE_MS)
  await shop.applyAll()
  t.deepEqual(await shop.trim(WHILE_MS), { order: 0, payment: 0, stock: 0 })
  for (const participant of PARTICIPANTS) t.is((await recorded(shop, participant)).length, 10)
})

test('out of memory, what surveys allow goes still, and makes room', async (t) => {
  await using shop = await finishedCheckouts(MANY + 2)
  await shop.pay(0, MANY)
  const hung = await shop.begin(MANY)
  await shop.trim(AT_ONCE)
  await shop.applyAll()
  for (const participant of PARTICIPANTS) {
    const redis = shop.redis[participant]
    await redis.config('SET', 'maxmemory', (await shop.usedBy(participant)).all - 10_000)
    await t.throwsAsync(redis.set('more', 'than there is room for'), { message: /^OOM / }, participant)
  }
  await t.throwsAsync(shop.begin(MANY + 1), { instanceOf: UnavailableError })
  for (const dropped of Object.values(await shop.trim(AT_ONCE))) t.true(dropped >= MANY, String(dropped))
  t.deepEqual(await kept(shop), { order: [hung], payment: [hung], stock: [hung] }, 'the survey names it')
  for (const participant of PARTICIPANTS)
    t.is(await shop.redis[participant].set('more', 'for which there is room'), 'OK')
  await shop.begin(MANY + 1)
  await shop.applyAll()
  t.is((await shop.order.find(String(MANY + 1)))?.status, 'paid')
})

test('a checkout that hangs is kept everywhere, while those that came after it go', async (t) => {
  await using shop = await finishedCheckouts(40)
  const id = await shop.begin(0)
  await shop.apply('payment', 'order')
  await shop.apply('stock', 'payment')
  await shop.apply('payment', 'stock')
  // It is captured, and order cannot apply that: it hangs there.
  const redis = shop.redis.order
  await unpackRecord(redis, 'order', id)
  const record = await redis.hgetall(`saga:${id}`)
  await redis.del(`saga:${id}`)
  await redis.set(`saga:${id}`, 'not a hash')
  await shop.applyAll()
  await redis.del(`saga:${id}`)
  await redis.hset(`saga:${id}`, record)
  await shop.pay(10, 5)
  for (let round = 0; round < 3; round += 1) {
    await surveyed(shop)
    t.deepEqual(await kept(shop), { order: [id], payment: [id], stock: [id] })
    await shop.pay(20 + round, 1)
  }
  await shop.order.cancel(id)
  await shop.applyAll()
  t.is((await shop.order.find('0'))?.status, 'open')
  const payment = await recordsIn(shop.redis.payment, 'payment')
  const stock = await recordsIn(shop.redis.stock, 'stock')
  t.deepEqual([payment.get(id)?.state, stock.get(id)?.state], ['released', 'returned'])
  await surveyed(shop)
  t.deepEqual(await kept(shop), { order: [], payment: [], stock: [] })
})

/** Begins a checkout of order 0 that stock cannot apply, so that it stays as it is; its log id. */
const hang = async ({ redis: { order, stock }, begin, applyAll }: FinishedCheckouts): Promise<string> => {
  const [item = ''] = (await order.hget('order:0', 'lines'))?.split(':') ?? []
  await stock.rename(`item:${item}`, 'aside')
  await stock.set(`item:${item}`, 'not a hash')
  const id = await begin(0)
  await applyAll()
  return id
}

test('what is unfinished outlives the entries that told all of it, also if order has forgotten it', async (t) => {
  await using shop = await finishedCheckouts(1)
  const { order, payment } = shop.redis
  const id = await hang(shop)
  await order.del(packOf(id), 'sagas:open', 'sagas:deadlines')
  for (let round = 0; round < 3; round += 1) await surveyed(shop)
  t.deepEqual(await kept(shop), { order: [], payment: [id], stock: [] })
  const lines = await order.hget('order:0', 'lines')
  t.like((await recordsIn(payment, 'payment')).get(id), { state: 'held', order: '0', lines })
  t.is((await shop.logs.payment.run('tell-again', { log_id: id }))[0], 'told')
})

test('what is unfinished outlives the entries that told all of it, and goes on from there', async (t) => {
  await using shop = await finishedCheckouts(1)
  const { order, payment } = shop.redis
  const id = await hang(shop)
  for (const [redis, service] of [
    [order, 'order'],
    [payment, 'payment'],
  ] as const) {
    t.true((await packedIn(redis)).has(id), `${service} has packed it at once`)
    t.truthy(await redis.zscore('sagas:open', id))
  }
  for (let round = 0; round < 3; round += 1) await surveyed(shop)
  t.deepEqual(await kept(shop), { order: [id], payment: [id], stock: [] })
  for (const [redis, service] of [
    [order, 'order'],
    [payment, 'payment'],
  ] as const) {
    const [record] = (await recordsIn(redis, service)).values()
    t.deepEqual(await redis.xrange(logKey(service), record?.entries ?? '', record?.entries ?? ''), [])
    t.like(record, { order: '0', lines: await order.hget('order:0', 'lines') }, 'it has a record of its own now')
  }
  const { deadline, token } = (await recordsIn(order, 'order')).get(id) ?? {}
  t.deepEqual([token, Number(deadline)], [id, Number(await order.zscore('sagas:deadlines', id))])
  await shop.order.cancel(id)
  await shop.applyAll()
  t.is((await shop.order.find('0'))?.status, 'open')
  const user = (await shop.order.find('0'))?.user_id ?? ''
  t.is((await recordsIn(payment, 'payment')).get(id)?.state, 'released')
  t.is(await payment.hget(`user:${user}`, 'held'), '0')
})

test('surveys are begun now and then, also while order says nothing', async (t) => {
  await using shop = await finishedCheckouts(10)
  const { run } = shop.logs.order
  await shop.pay(0, 1)
  const often = { pause_ms: 0, open_max: 10 }
  t.is((await run('begin-survey', often))[0], 'surveyed')
  t.is((await run('begin-survey', often))[0], 'surveyed', 'the others may have said much since')
  await shop.begin(1)
  t.is((await run('begin-survey', { pause_ms: 60_000, open_max: 10 }))[0], 'early')
  t.is((await run('begin-survey', { pause_ms: -1_000, open_max: 0 }))[0], 'too-many')
  t.is((await run('begin-survey', { pause_ms: -1_000, open_max: 1 }))[0], 'surveyed')
})

test('of surveys that do not end only so many are remembered', async (t) => {
  await using shop = await finishedCheckouts(10)
  const redis = shop.redis.order
  for (let round = 0; round < 70; round += 1) {
    await redis.xadd('log:order', '*', 'kind', 'OrderPaid')
    await shop.logs.order.run('begin-survey', { pause_ms: -1_000, open_max: 10 })
  }
  t.true((await redis.hlen('sagas:survey')) <= 64)
})

/** A checkout whose beginning payment could not apply, given up since: its letter, and its log id. */
const deadLettered = async (shop: FinishedCheckouts): Promise<{ letter: string; id: string }> => {
  const redis = shop.redis.payment
  const user = (await shop.order.find('0'))?.user_id ?? ''
  await redis.rename(`user:${user}`, 'aside')
  await redis.set(`user:${user}`, 'of the wrong type')
  const id = await shop.begin(0)
  await shop.apply('payment', 'order')
  await redis.del(`user:${user}`)
  await redis.rename('aside', `user:${user}`)
  const [letter] = await shop.logs.payment.dead.page('0-0', 1)
  return { letter: letter?.id ?? '', id }
}

test('a dead letter whose checkout can no longer be judged is refused, and nothing is charged', async (t) => {
  await using shop = await finishedCheckouts(10)
  const { letter, id } = await deadLettered(shop)
  await shop.order.cancel(id)
  await shop.applyAll()
  t.deepEqual(await recorded(shop, 'payment'), [id])
  await surveyed(shop)
  t.deepEqual(await recorded(shop, 'payment'), [])
  t.deepEqual(await shop.logs.payment.dead.retry(letter, plainly), [
    'failed',
    `nothing is known of ${id} any more, so it can no longer be judged`,
  ])
  await shop.applyAll()
  t.is((await shop.order.find('0'))?.status, 'open')
  t.deepEqual(await recorded(shop, 'payment'), [])
  t.is(await shop.logs.payment.dead.count(), 1, 'it stays, until it is dismissed')
})

test('a dead letter that is younger than whatever was forgotten is applied', async (t) => {
  await using shop = await finishedCheckouts(20)
  await shop.pay(10, 3)
  const { letter, id } = await deadLettered(shop)
  await surveyed(shop)
  t.deepEqual(await shop.logs.payment.dead.retry(letter, plainly), ['applied', 'held'])
  await shop.applyAll()
  t.is((await shop.order.saga(id))?.state, 'paid')
})
