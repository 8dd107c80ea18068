/** A replica of order freezes over a request, the gateway sends it to the other one, and what that one refused stays refused. */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import type { Part } from '../../env/local/managed-process.ts'
import { openClient, type Reply } from '../support/client.ts'
import { instruct, listening, whenHit } from '../support/crash-points.ts'
import { eventually } from '../support/eventually.ts'
import { proveInvariants } from '../support/invariants.ts'
import { type OpenShop, shareShop } from '../support/shop.ts'

const HIT_MS = 15_000
const WAKING_MS = 10_000
const TAIL_LINES = 500

const opened = shareShop(test, { replicas: { order: 2 }, env: { order: listening } })

/** Asks, and freezes whichever replica of order comes to the point first. */
const frozenAt = async (
  { shop }: OpenShop,
  point: string,
  ask: () => Promise<Reply>,
): Promise<{ frozen: Part; other: Part; asking: Promise<Reply> }> => {
  const armed = { point, nth: 1, fault: 'freeze' } as const
  const replicas = shop.services.order
  for (const part of replicas) await instruct(part, { record: false, armed: [armed] })
  const hits = replicas.map((part) => whenHit(part, armed, HIT_MS).then(() => part))
  for (const hit of hits) hit.catch(() => undefined) // only one of them is hit
  const asking = ask()
  const frozen = await Promise.race(hits)
  const other = replicas.find((part) => part !== frozen)
  if (other === undefined) throw new Error('there is one replica only')
  await instruct(other, { record: false, armed: [] })
  return { frozen, other, asking }
}

/** Wakes it; resolves once it has found that whoever asked has gone. */
const wake = async (t: ExecutionContext, frozen: Part): Promise<void> => {
  const before = (await frozen.tail(TAIL_LINES)).split('has gone').length
  frozen.thaw()
  await eventually(
    async () => assert.ok((await frozen.tail(TAIL_LINES)).split('has gone').length > before, 'it still sleeps'),
    WAKING_MS,
  )
  t.pass()
}

for (const point of ['order.glance.after', 'order.lock.after', 'order.begin.before'])
  test.serial(`a checkout that was refused is not charged later, by who froze at ${point}`, async (t) => {
    const { client } = opened()
    const { user, order } = await client.createCart({ credit: 1 })
    const { frozen, asking } = await frozenAt(opened(), point, () => client.checkout(order))
    t.is((await asking).status, 402)
    await client.post(`/payment/add_funds/${user}/9`)
    await wake(t, frozen)
    t.like(await client.order(order), { paid: false, status: 'open' })
    t.is(await client.credit(user), 10)
    await proveInvariants(t, opened(), { locksMs: 5_000 })
  })

test.serial('a line that was refused under its key is not added later', async (t) => {
  const { client, shop } = opened()
  const { item, order } = await client.createCart({ credit: 1 })
  const path = `/orders/addItem/${order}/${item}/1`
  const key = { 'Idempotency-Key': `line-${order}` }
  const { frozen, other, asking } = await frozenAt(opened(), 'order.add-item.before', () => client.post(path, key))
  shop.part('payment-1').freeze()
  const direct = openClient(other.url)
  const checkout = direct.checkout(order)
  t.is((await asking).status, 409)
  shop.part('payment-1').thaw()
  t.is((await checkout).status, 402)
  direct.close()
  await wake(t, frozen)
  t.deepEqual((await client.order(order)).items, [[item, 1]])
  t.is((await client.post(path, key)).status, 200, 'asked again, it is added')
  t.deepEqual((await client.order(order)).items, [[item, 2]])
  await proveInvariants(t, opened(), { locksMs: 5_000 })
})
