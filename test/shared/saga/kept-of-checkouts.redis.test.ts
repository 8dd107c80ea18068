/** What a finished checkout takes in each Redis, for as long as it is kept. */
import test from 'ava'
import { packedIn } from '../../support/checker/records.ts'
import { finishedCheckouts } from '../../support/shop/finished.ts'

const CHECKOUTS = 3_000
/** Paid before, so that what a Redis takes once for its first commands is no checkout's. */
const FIRST = 300
/**
 * Bytes per checkout and Redis; there are so few that most of them have a hash of their own. In the Redis of order, an order that is
 * paid has a version and the number of its invoice besides, for as long as there is the order; payment has the invoice itself,
 * in one text, which takes some thirty bytes more than its facts one by one would.
 */
const RECORD_MAX = { order: 160 + 50, payment: 160 + 70, stock: 160 }

test('a record of what is finished is its state and its entries, beside others in one small hash', async (t) => {
  await using shop = await finishedCheckouts(2 * CHECKOUTS)
  await shop.pay(CHECKOUTS, FIRST)
  for (const participant of ['order', 'payment', 'stock'] as const) {
    const redis = shop.redis[participant]
    t.deepEqual(await redis.keys('saga:*'), [], participant)
    const [pack = ''] = await redis.keys('sagas:packed:*')
    t.is(await redis.object('ENCODING', pack), 'listpack')
  }
  const before = { order: 0, payment: 0, stock: 0 }
  for (const participant of ['order', 'payment', 'stock'] as const) {
    const { all, log } = await shop.usedBy(participant)
    before[participant] = all - log
  }
  await shop.pay(0, CHECKOUTS)
  for (const participant of ['order', 'payment', 'stock'] as const) {
    const { all, log } = await shop.usedBy(participant)
    const each = (all - log - before[participant]) / CHECKOUTS
    t.log(`${participant}: ${Math.round(each)} bytes a checkout, besides its entries`)
    t.true(each < RECORD_MAX[participant], `${participant}: ${each}`)
    t.is((await packedIn(shop.redis[participant])).size, CHECKOUTS + FIRST)
  }
})
