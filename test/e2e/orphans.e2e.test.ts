/** A checkout whose process is gone is decided at its deadline all the same, and promptly, by whoever is left. */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import type { Part } from '../../env/local/managed-process.ts'
import { proveInvariants } from '../support/checker/invariants.ts'
import { eventually } from '../support/eventually.ts'
import { instruct, listening, whenHit } from '../support/faults/crash-points.ts'
import { answerIfAny, whenStatus } from '../support/shop/client.ts'
import { bringBack, directTo, shareShop } from '../support/shop/shop.ts'

const DEADLINE_MS = 2_500
const LEASE_MS = 2_000
/** The schedule has no part in this. */
const YEARLY = '0 0 0 1 1 *'
/** How long after the deadline it is decided: what is late is looked for twice a second, on a machine that is busy. */
const DECIDED_WITHIN_MS = 1_500
const SETTLE_MS = 10_000

const opened = shareShop(test, {
  replicas: { order: 3 },
  env: {
    all: { LOG_PARSER_CRON: YEARLY, LEASE_TTL_MS: String(LEASE_MS) },
    order: { ...listening, CHECKOUT_DEADLINE_MS: String(DEADLINE_MS) },
  },
})

/** A checkout that `part` began while stock is frozen, and that nobody waits for: the process is killed. */
const orphan = async (t: ExecutionContext, part: Part): Promise<string> => {
  const { client, shop } = opened()
  const { order } = await client.createCart({ credit: 10, price: 4, stock: 3, quantity: 2 })
  for (const stock of shop.services.stock) stock.freeze()
  const checkout = answerIfAny(directTo(t, part).checkout(order))
  await whenStatus(client, order, 'checking-out', DEADLINE_MS)
  await part.kill()
  await checkout
  return order
}

/** How long after its deadline a checkout was cancelled, both by the clock of order's Redis, as `part` tells. */
const latenessMs = (t: ExecutionContext, part: Part, order: string): Promise<number> => {
  const client = directTo(t, part)
  return eventually(async () => {
    const said = (await client.log('orders')).filter(({ facts }) => facts.order === order)
    const started = said.find(({ kind }) => kind === 'CheckoutStarted')
    const cancelled = said.find(({ kind }) => kind === 'CheckoutCancelled')
    assert.ok(started && cancelled, 'it is not cancelled')
    return Number.parseInt(cancelled.id, 10) - Number(started.facts.deadline)
  }, SETTLE_MS)
}

test.serial('its order process is killed while stock is frozen: another decides it within a second', async (t) => {
  const order = await orphan(t, opened().shop.part('order-1'))
  const ms = await latenessMs(t, opened().shop.part('order-2'), order)
  t.log(`decided ${ms} ms after its deadline`)
  t.true(ms > 0 && ms < DECIDED_WITHIN_MS, `it was decided ${ms} ms after its deadline`)
  await bringBack(opened())
  await proveInvariants(t, opened(), { told: [{ order, status: 424 }], settleMs: SETTLE_MS })
})

test.serial('whoever parses the log freezes at it: another decides within the lease and a second', async (t) => {
  const [second, third] = [opened().shop.part('order-2'), opened().shop.part('order-3')]
  const point = { point: 'order.parser.repair.before', nth: 1, fault: 'freeze' } as const
  await instruct(second, { record: false, armed: [point] })
  const hit = whenHit(second, point, SETTLE_MS)
  const order = await orphan(t, opened().shop.part('order-1'))
  third.freeze()
  await hit
  const frozenAt = performance.now()
  third.thaw()
  const ms = await latenessMs(t, third, order)
  t.log(`decided ${ms} ms after its deadline, ${Math.round(performance.now() - frozenAt)} ms after its parser froze`)
  t.true(ms < LEASE_MS + 2 * DECIDED_WITHIN_MS, `it was decided ${ms} ms after its deadline`)
  // Awake, it does what it was about to do: nothing, for it is done.
  second.thaw()
  await bringBack(opened())
  await proveInvariants(t, opened(), { told: [{ order, status: 424 }], settleMs: SETTLE_MS, locksMs: SETTLE_MS })
})
