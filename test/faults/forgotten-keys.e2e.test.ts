/** A key that names a checkout is forgotten before it is: whoever repeats his request is told what became of it, or asks anew. */

import test from 'ava'
import { lookInto } from '../support/behind.ts'
import { eventually } from '../support/eventually.ts'
import { recordsIn } from '../support/records.ts'
import { shareShop } from '../support/shop.ts'

const RETENTION_MS = 4_000
const opened = shareShop(test, {
  env: { all: { LOG_RETENTION_MS: String(RETENTION_MS), LOG_PARSER_CRON: '* * * * * *' } },
})

test.serial('a checkout is paid under a key, and repeated when its record has just ended: 200', async (t) => {
  const { client, shop } = opened()
  const { user, order } = await client.createCart()
  const key = { 'Idempotency-Key': 'paid-long-ago' }
  t.is((await client.checkout(order, key)).status, 200)
  const redis = lookInto(shop.part('order-redis'), t)
  await eventually(async () => {
    const { size } = await recordsIn(redis, 'order')
    if (size > 0) throw new Error(`${size} checkouts are remembered`)
  }, 30_000)
  t.is(await redis.exists('request:paid-long-ago'), 0)
  const askedAt = performance.now()
  t.is((await client.checkout(order, key)).status, 200)
  t.true(performance.now() - askedAt < 5_000)
  t.is(await client.credit(user), 95)
})
