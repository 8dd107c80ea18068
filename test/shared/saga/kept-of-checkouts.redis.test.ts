/** What a finished checkout takes in each Redis, for as long as it is kept. */

import test from 'ava'
import { PARTICIPANTS } from '../../../shared/contract/services.ts'
import { logIds } from '../../../shared/log/log-id.ts'
import { packedIn } from '../../support/checker/records.ts'
import { finishedCheckouts } from '../../support/shop/finished.ts'

const CHECKOUTS = 3_000
/** Paid before, so that what a Redis takes once for its first commands is no checkout's. */
const FIRST = 300
/**
 * So many begin in one millisecond, and are packed in one hash therefore: as many as are in each hash where a million are kept. How many
 * this machine begins in a millisecond would decide otherwise: alone in its hash a record takes some 80 bytes more.
 */
const PER_HASH = 30
/**
 * Bytes per checkout and Redis, besides its entries: those of the record, and of what stays for as long as there is the order. In the
 * Redis of order that is its version, the number of its invoice, and its last checkout; in that of payment the invoice itself.
 */
const KEPT_MAX = { order: 75 + 65, payment: 75 + 120, stock: 60 + 10 }

const idsOfFewMilliseconds = (): (() => string) => {
  let made = 0
  return logIds('00000000', () => Date.UTC(2027, 0) + Math.floor(made++ / PER_HASH))
}

test('a record of what is finished is its state and its entries, beside others in one small hash', async (t) => {
  await using shop = await finishedCheckouts(2 * CHECKOUTS, idsOfFewMilliseconds())
  await shop.pay(CHECKOUTS, FIRST)
  for (const participant of PARTICIPANTS) {
    const redis = shop.redis[participant]
    t.deepEqual(await redis.keys('saga:*'), [], participant)
    const [pack = ''] = await redis.keys('sagas:packed:*')
    t.is(await redis.object('ENCODING', pack), 'listpack')
  }
  const before = { order: 0, payment: 0, stock: 0 }
  for (const participant of PARTICIPANTS) {
    const { all, log } = await shop.usedBy(participant)
    before[participant] = all - log
  }
  await shop.pay(0, CHECKOUTS)
  for (const participant of PARTICIPANTS) {
    const { all, log } = await shop.usedBy(participant)
    const each = (all - log - before[participant]) / CHECKOUTS
    t.log(`${participant}: ${Math.round(each)} bytes a checkout, besides its entries`)
    t.true(each < KEPT_MAX[participant], `${participant}: ${each}`)
    t.is((await packedIn(shop.redis[participant])).size, CHECKOUTS + FIRST)
  }
})
