/**
 * What resource clients send, to the letter, and what they expect; and each fault that the back end had which they were made for.
 */
import test from 'ava'
import { nanoid } from 'nanoid'
import { proveInvariants } from '../support/checker/invariants.ts'
import { problemOf, type Reply } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test)

const DAY_MS = 86_400_000
/** By so much the clocks of a client and of the shop may differ. */
const SOON_MS = 1_000

type Placed = { readonly id: string; readonly order_id: string }

const send = (method: string, path: string, body: unknown, headers = {}): Promise<Reply> =>
  opened().client.request(method, path, { 'Content-Type': 'application/json', ...headers }, JSON.stringify(body))
const place = (body: unknown, headers = {}): Promise<Reply> => send('POST', '/orders', body, headers)
const kindOf = (reply: Reply): string => problemOf(reply).type.replace('urn:shop:problem:', `${reply.status} `)
const totalOf = async (user: string): Promise<number> =>
  ((await opened().client.get(`/orders?user=${user}`)).json as { total: number }).total

/** A user, an item, and the request that orders two of it. */
const wanted = async () => {
  const { client } = opened()
  const [user_id, item_id] = [await client.createUser(100), await client.createItem(5, 10)]
  return { user_id, item_id, body: { user_id, item_id, quantity: 2, value: 5 } }
}

test.serial('an order is placed, and its id answered', async (t) => {
  const { body } = await wanted()
  const reply = await place(body)
  const { id, order_id } = reply.json as Placed
  t.is(reply.status, 201)
  t.is(id, order_id)
})

test.serial('there was no way to look at an order: there is', async (t) => {
  const { body, item_id } = await wanted()
  const { id } = (await place(body)).json as Placed
  const shown = await opened().client.get(`/orders/${id}`)
  t.like(shown.json, { order_id: id, status: 'open', total_cost: 10, items: [[item_id, 2]] })
})

test.serial('an unknown order was a fault of the service: it is 404, and `error` says so in a word', async (t) => {
  const { body } = await wanted()
  t.is(kindOf(await opened().client.get('/orders/nobody')), '404 no-such-order')
  const unknown = await place({ ...body, user_id: 'nobody' })
  t.deepEqual([kindOf(unknown), problemOf(unknown).error], ['404 no-such-user', 'no_such_user'])
})

test.serial('money was a fraction: it is whole, or refused with the name of the field', async (t) => {
  const { user_id, body } = await wanted()
  for (const value of [5.5, '5.50', -5, '1e1', 0.1 + 0.2, 2 ** 53, 'five', true, null]) {
    const reply = await place({ ...body, value })
    t.deepEqual([kindOf(reply), problemOf(reply).field], ['422 malformed-body', 'value'], String(value))
  }
  t.is((await place({ ...body, value: '5.00' })).status, 201)
  t.is(await totalOf(user_id), 1)
})

test.serial('an order is changed, and deleted, once and again', async (t) => {
  const { body, item_id } = await wanted()
  const { id } = (await place(body)).json as Placed
  const path = `/orders/${id}`
  t.is((await send('PATCH', path, { quantity: 3, update_time: new Date().toISOString() })).status, 204)
  t.like((await opened().client.get(path)).json, { items: [[item_id, 3]], total_cost: 15 })
  t.is(problemOf(await send('PATCH', path, { quantity: 4 })).field, 'update_time')
  t.is((await opened().client.request('DELETE', path)).status, 204)
  t.is((await opened().client.request('DELETE', path)).status, 204)
  t.is((await send('PATCH', path, { quantity: 4, update_time: Date.now() })).status, 422)
  t.like((await opened().client.get(path)).json, { status: 'cancelled', items: [[item_id, 3]] })
  for (const reply of [
    await send('PATCH', '/orders/nobody', { quantity: 1, update_time: Date.now() }),
    await opened().client.request('DELETE', '/orders/nobody'),
  ])
    t.deepEqual([kindOf(reply), problemOf(reply).error], ['404 no-such-order', 'no_such_order'])
})

test.serial('a change from the future shut out everybody later, and an older one is still refused', async (t) => {
  const { body, item_id } = await wanted()
  const { id } = (await place(body)).json as Placed
  const change = (quantity: number, update_time: number) => send('PATCH', `/orders/${id}`, { quantity, update_time })
  const before = Date.now() - DAY_MS
  t.is((await change(3, Date.now() + DAY_MS)).status, 204)
  t.is((await change(4, Date.now() + SOON_MS)).status, 204)
  const late = await change(5, before)
  t.deepEqual([kindOf(late), problemOf(late).error], ['409 event-outdated', 'event_outdated'])
  t.like((await opened().client.get(`/orders/${id}`)).json, { items: [[item_id, 4]] })
})

test.serial('a retry made a second order: under a key it does not', async (t) => {
  const { user_id, body } = await wanted()
  const key = { 'Idempotency-Key': nanoid() }
  const replies = await Promise.all(Array.from({ length: 10 }, () => place(body, key)))
  t.deepEqual([...new Set(replies.map(({ status }) => status))], [201])
  t.is(new Set(replies.map(({ json }) => (json as Placed).id)).size, 1)
  t.is(await totalOf(user_id), 1)
  await proveInvariants(t, opened())
})
