/** Checkouts that nobody waits for: submitted through the gateway, begun by whichever replica, and asked for by and by. */
import assert from 'node:assert/strict'
import test from 'ava'
import { proveInvariants } from '../support/checker/invariants.ts'
import { eventually } from '../support/eventually.ts'
import { inParallel } from '../support/load/jobs.ts'
import { type Client, problemOf, type Reply } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test, { replicas: { order: 2 } })

const ORDERS = 300
const AT_ONCE = 32
const TIMEOUT_MS = 60_000
const ASYNC = { Prefer: 'respond-async' }

type Shown = {
  readonly order_id: string
  readonly log_id: string
  readonly state: string
  readonly reason: string | null
  readonly item_id: string | null
  readonly deadline: string | null
  readonly decided_at: string | null
}

const submit = (client: Client, order: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> =>
  client.post(`/orders/checkout/${order}`, { ...ASYNC, ...headers })
/** On a busy machine payment or stock may not say in time what there is. */
const placeFor = (client: Client, user: string, item: string): Promise<string> =>
  eventually(() => client.createOrder(user, [[item, 1]]), TIMEOUT_MS)
const shownIn = ({ json }: Reply): Shown => json as Shown
const look = async (client: Client, order: string, prefer = 'wait=20'): Promise<Shown> =>
  shownIn(await client.get(`/orders/checkout/${order}`, { Prefer: prefer }))
const whenDecided = (client: Client, order: string): Promise<Shown> =>
  eventually(async () => {
    const shown = await look(client, order)
    assert.ok(shown.decided_at !== null, `order ${order} is ${shown.state}`)
    return shown
  }, TIMEOUT_MS)

test.serial('is told at once where to ask, and asks there until it is decided', async (t) => {
  const { client } = opened()
  const { order } = await client.createCart()
  const reply = await submit(client, order)
  t.is(reply.status, 202)
  t.like(reply.headers, {
    location: `/orders/checkout/${order}`,
    'preference-applied': 'respond-async',
    'retry-after': '1',
    'x-log-id': shownIn(reply).log_id,
  })
  t.like(shownIn(reply), { order_id: order, reason: null, item_id: null, decided_at: null })
  const end = await whenDecided(client, order)
  t.like(end, { order_id: order, log_id: shownIn(reply).log_id, state: 'paid', deadline: shownIn(reply).deadline })
  t.true((end.decided_at ?? '') <= (end.deadline ?? ''))
  t.true((await client.order(order)).paid)
  t.is((await submit(client, order)).status, 200, 'what is decided is answered as ever')
})

test.serial('waits for a while if it is asked to, and is told the end if there is one by then', async (t) => {
  const { client } = opened()
  const paid = await client.createCart()
  const poor = await client.createCart({ credit: 1, price: 5 })
  const reply = await submit(client, paid.order, { Prefer: 'respond-async, wait=20' })
  t.deepEqual([reply.status, reply.text], [200, 'paid'])
  const refused = await submit(client, poor.order, { Prefer: 'respond-async, wait=20' })
  t.is(problemOf(refused).type, 'urn:shop:problem:out-of-credit')
  t.like(await look(client, poor.order), { state: 'refused', reason: 'out-of-credit' })
  const empty = await client.createOrder(paid.user, [])
  t.is(problemOf(await submit(client, empty)).type, 'urn:shop:problem:order-empty')
})

test.serial('is asked for: of an order that there is not, or that was never checked out', async (t) => {
  const { client } = opened()
  const { order } = await client.createCart()
  t.is(problemOf(await client.get('/orders/checkout/nobody')).type, 'urn:shop:problem:no-such-order')
  t.is(problemOf(await client.get(`/orders/checkout/${order}`)).type, 'urn:shop:problem:no-such-checkout')
  t.is(problemOf(await submit(client, 'nobody')).type, 'urn:shop:problem:no-such-order')
})

test.serial('under a key the same checkout is told of', async (t) => {
  const { client } = opened()
  const { order } = await client.createCart()
  const key = { 'Idempotency-Key': `of-${order}` }
  const first = await submit(client, order, key)
  const { log_id } = await whenDecided(client, order)
  t.is(shownIn(first).log_id, log_id)
  const again = await submit(client, order, key)
  t.deepEqual([again.status, again.headers['x-log-id']], [200, log_id])
})

test.serial('a burst is absorbed: all are decided, as if each had waited for its own', async (t) => {
  t.timeout(2 * TIMEOUT_MS)
  const { client } = opened()
  const item = await client.createItem(1, ORDERS)
  const users = await inParallel(30, 8, () => client.createUser(8))
  const orders = await inParallel(ORDERS, 8, (index) => placeFor(client, users[index % 30] ?? '', item))
  const replies = await inParallel(ORDERS, AT_ONCE, (index) => submit(client, orders[index] ?? ''))
  t.deepEqual(
    replies.filter(({ status }) => status !== 202 && status !== 200 && status !== 402).map(({ text }) => text),
    [],
  )
  const ends = await inParallel(ORDERS, AT_ONCE, (index) => whenDecided(client, orders[index] ?? ''))
  const count = (state: string): number => ends.filter((end) => end.state === state).length
  t.deepEqual([count('paid'), count('refused')], [240, 60], 'each of 30 users has money for 8 of 10')
  await proveInvariants(t, opened())
})

test.serial('what a replica has taken and not begun is begun by the other one when it dies', async (t) => {
  t.timeout(2 * TIMEOUT_MS)
  const { client, shop } = opened()
  const item = await client.createItem(1, ORDERS)
  const user = await client.createUser(ORDERS)
  const orders = await inParallel(60, 8, () => placeFor(client, user, item))
  await inParallel(60, AT_ONCE, (index) => submit(client, orders[index] ?? ''))
  await shop.part('order-1').kill()
  const ends = await inParallel(60, AT_ONCE, (index) => whenDecided(client, orders[index] ?? ''))
  await shop.part('order-1').start()
  t.deepEqual(
    ends.filter(({ state }) => state !== 'paid'),
    [],
  )
  await proveInvariants(t, opened())
})
