/** More checkouts than the shop can end in time: what is shed was never begun, and what is let in is answered truly and soon. */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import { proveInvariants } from '../support/checker/invariants.ts'
import { eventually } from '../support/eventually.ts'
import { type Client, problemOf, type Reply } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const SLOTS = 4
const DEADLINE_MS = 16_000
/** Half of the deadline: how long one waits for a slot and then, typically, for the end. */
const ADMITTED_MS = DEADLINE_MS / 2
const SINGLE_MS = 1_000
const CUSTOMERS = 40

const opened = shareShop(test, {
  env: { order: { CHECKOUTS_MAX: String(SLOTS), CHECKOUT_DEADLINE_MS: String(DEADLINE_MS) } },
})

const seed = async (client: Client, count: number): Promise<string[]> => {
  const item = await client.createItem(1, 1_000_000)
  return Promise.all(
    Array.from({ length: count }, async () => client.createOrder(await client.createUser(10), [[item, 1]])),
  )
}

const timed = async (client: Client, order: string): Promise<{ order: string; reply: Reply; ms: number }> => {
  const startedAt = performance.now()
  const reply = await client.checkout(order)
  return { order, reply, ms: performance.now() - startedAt }
}

/** The overload is over: the next one does not wait. */
const assertServedAtOnce = async (t: ExecutionContext, order: string): Promise<void> => {
  const { reply, ms } = await timed(opened().client, order)
  t.is(reply.status, 200)
  t.true(ms < SINGLE_MS, `the first one after the overload took ${Math.round(ms)} ms`)
  await proveInvariants(t, opened())
}

test.serial('what finds no slot in time is refused unbegun, and what has one is paid', async (t) => {
  const { client } = opened()
  const orders = await seed(client, CUSTOMERS)
  const [next = ''] = await seed(client, 1)
  const stock = opened().shop.part('stock-1')
  stock.freeze()
  const all = orders.map((order) => timed(client, order))
  await eventually(async () => {
    const shown = await Promise.all(orders.map((order) => client.order(order)))
    assert.equal(shown.filter(({ status }) => status === 'checking-out').length, SLOTS)
  }, DEADLINE_MS)
  const shed = new Set(orders)
  for (const order of orders) if ((await client.order(order)).status !== 'open') shed.delete(order)
  t.is(shed.size, CUSTOMERS - SLOTS)

  for (const { reply } of await Promise.all(all.filter((_, i) => shed.has(orders[i] ?? '')))) {
    t.is(reply.status, 503)
    t.is(problemOf(reply).type, 'urn:shop:problem:overloaded')
    t.is(reply.headers['retry-after'], '1')
  }
  stock.thaw()
  const answered = await Promise.all(all)
  t.is(answered.filter(({ reply }) => reply.status === 200).length, SLOTS)
  for (const order of shed) {
    t.is((await client.order(order)).status, 'open')
    t.deepEqual((await client.get(`/orders/checkouts/${order}`)).json, { order_id: order, log_ids: [] })
  }
  await assertServedAtOnce(t, next)
})

test.serial(
  'customers who come back at once are all paid, each once, and nobody waits beyond half of the deadline',
  async (t) => {
    const { client } = opened()
    const orders = await seed(client, 10 * CUSTOMERS)
    const [next = ''] = await seed(client, 1)
    const visits = await Promise.all(
      orders.map(async (order) => {
        for (let visit = 1; ; visit++) {
          const { reply, ms } = await timed(client, order)
          if (reply.status !== 503 || visit > 100) return { reply, ms }
          assert.equal(problemOf(reply).type, 'urn:shop:problem:overloaded')
        }
      }),
    )
    t.true(visits.every(({ reply }) => reply.status === 200))
    const worstMs = Math.max(...visits.map(({ ms }) => ms))
    t.log(
      `${orders.length} at once with ${SLOTS} slots: ${Math.round(worstMs)} ms at most from the last visit to its answer`,
    )
    t.true(worstMs < ADMITTED_MS)
    await assertServedAtOnce(t, next)
  },
)
