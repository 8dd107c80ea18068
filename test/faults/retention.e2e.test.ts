/**
 * Time beyond the retention, which is half a second here: what may be forgotten is, and nothing else, however long a service
 * is away.
 */

import assert from 'node:assert/strict'
import { setTimeout as after } from 'node:timers/promises'
import test from 'ava'
import { PARTICIPANTS } from '../../shared/contract/services.ts'
import { settle } from '../support/checker/invariants.ts'
import { packedIn } from '../support/checker/records.ts'
import { eventually } from '../support/eventually.ts'
import { instruct, listening } from '../support/faults/crash-points.ts'
import { inParallel } from '../support/load/jobs.ts'
import { behind } from '../support/shop/behind.ts'
import { shareShop } from '../support/shop/shop.ts'

const RETENTION_MS = 500
const DEADLINE_MS = 1_500
const opened = shareShop(test, {
  env: {
    all: { LOG_RETENTION_MS: String(RETENTION_MS), LOG_PARSER_CRON: '* * * * * *', ...listening },
    order: { CHECKOUT_DEADLINE_MS: String(DEADLINE_MS) },
  },
})

const isBalanced = async (): Promise<boolean> => {
  const { json } = await opened().client.get('/audit')
  return (json as { balanced: boolean }).balanced
}

/** How many records and entries there are in each Redis. */
const kept = (): Promise<readonly { records: number; entries: number }[]> =>
  Promise.all(
    PARTICIPANTS.map((participant) =>
      behind(opened().shop.part(`${participant}-redis`), async (redis) => {
        const own = await redis.keys('saga:*')
        return { records: (await packedIn(redis)).size + own.length, entries: await redis.xlen(`log:${participant}`) }
      }),
    ),
  )

test.serial('payment is away for many times the retention: what was taken for nothing is put back', async (t) => {
  const { client } = opened()
  const { user, item, order } = await opened().client.createCart()
  const payment = opened().shop.part('payment-1')
  await instruct(payment, { record: false, armed: [{ point: 'payment.capture.before', nth: 1, fault: 'kill' }] })
  const asked = client.checkout(order)
  await payment.exited
  t.is(await client.stock(item), 9)
  t.is((await asked).status, 424)
  // Time itself is what is tried here.
  await after(6 * RETENTION_MS)
  t.is(await client.stock(item), 9)
  await payment.start()
  await settle(opened())
  t.is((await client.order(order)).status, 'open')
  t.deepEqual([await client.credit(user), await client.stock(item)], [100, 10])
  t.true(await isBalanced())
})

test.serial('what is over is forgotten everywhere, and checkouts go on meanwhile', async (t) => {
  const { client } = opened()
  const done = await inParallel(20, 4, async () => {
    const { user, item, order } = await opened().client.createCart()
    return { user, item, status: (await client.checkout(order)).status }
  })
  for (const { user, item, status } of done)
    t.deepEqual([status, await client.credit(user), await client.stock(item)], [200, 95, 9])
  await eventually(async () => {
    // What is said of others takes surveys around; not so many that what is young is more than is to be left.
    await after(RETENTION_MS / 4)
    const { order } = await opened().client.createCart()
    assert.equal((await client.checkout(order)).status, 200)
    for (const { records, entries } of await kept()) assert.ok(records <= 12 && entries <= 60, `${records}, ${entries}`)
  }, 15_000)
  t.true(await isBalanced())
})
