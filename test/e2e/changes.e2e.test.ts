/** Orders that are changed, over the whole shop with two replicas of each service: among each other, and against checkouts. */
import assert from 'node:assert/strict'
import test from 'ava'
import { proveInvariants, type Told } from '../support/checker/invariants.ts'
import { eventually } from '../support/eventually.ts'
import { inParallel } from '../support/load/jobs.ts'
import { type Headers, problemOf, type Reply } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test, { replicas: 2 })

const ROUNDS = 100
const AT_ONCE = 10

const told: Told[] = []
const JSON_TYPE = { 'Content-Type': 'application/json' }
const change = (order: string, body: object, headers: Headers): Promise<Reply> =>
  opened().client.request('PATCH', `/orders/${order}`, { ...JSON_TYPE, ...headers }, JSON.stringify(body))
const pieces = (item: string, quantity: number) => ({ lines: [{ item_id: item, quantity }] })
const show = (order: string): Promise<Reply> => opened().client.get(`/orders/${order}`)
const etagOf = ({ headers }: Reply): string => String(headers.etag)
const kindOf = (reply: Reply): string => problemOf(reply).type.replace('urn:shop:problem:', `${reply.status} `)

const checkOut = async (order: string): Promise<Reply> => {
  const reply = await opened().client.checkout(order)
  told.push({ order, status: reply.status })
  return reply
}

test.serial('an order is changed from the version that was seen, and is paid as it was changed', async (t) => {
  const { client } = opened()
  const { user, item, order } = await client.createCart({ credit: 100, price: 5, quantity: 2 })
  const seen = await show(order)
  const first = await change(order, pieces(item, 3), { 'If-Match': etagOf(seen) })
  t.deepEqual([first.status, first.text], [204, ''])
  const stale = await change(order, pieces(item, 4), { 'If-Match': etagOf(seen) })
  t.is(kindOf(stale), '412 stale')
  t.is(etagOf(stale), etagOf(first))
  const dry = await opened().client.request(
    'PATCH',
    `/orders/${order}?dry_run=true`,
    { ...JSON_TYPE, 'If-Match': etagOf(first) },
    JSON.stringify(pieces(item, 9)),
  )
  t.like(dry.json, { total_cost: 45 })
  t.is(etagOf(await show(order)), etagOf(first))
  t.is((await checkOut(order)).status, 200)
  t.is(await client.credit(user), 85)
  t.is((await change(order, pieces(item, 1), { 'If-Match': '*' })).status, 204, 'it is amended')
  t.is(await client.credit(user), 95)
})

test.serial('clients of an older back end change their orders in their words', async (t) => {
  const { client } = opened()
  const user = await client.createUser(100)
  const item = await client.createItem(5, 10)
  const placed = await client.request(
    'POST',
    '/orders',
    JSON_TYPE,
    JSON.stringify({ user_id: user, item_id: item, quantity: 2, value: 5 }),
  )
  const { id } = placed.json as { id: string }
  t.is((await change(id, { quantity: 3, update_time: '2999-01-01T00:00:00Z' }, {})).status, 204)
  const outdated = await change(id, { quantity: 4, update_time: '2020-01-01T00:00:00Z' }, {})
  t.is(kindOf(outdated), '409 event-outdated')
  t.is((outdated.json as { error: string }).error, 'event_outdated')
  t.is((await change(id, { quantity: 4, value: 5, update_time: '2999-01-01T00:00:00Z' }, {})).status, 204)
  t.like((await show(id)).json, { total_cost: 20, status: 'open' })
})

test.serial('a change whose draft cannot follow yet is made, and says where to look whether it has', async (t) => {
  const { client, shop } = opened()
  const user = await client.createUser(100)
  const item = await client.createItem(5, 10)
  const body = JSON.stringify({ user_id: user, item_id: item, quantity: 3 })
  const placed = await client.request('POST', '/orders', JSON_TYPE, body)
  const { id } = placed.json as { id: string }
  t.is(etagOf(placed), '"1"')
  t.like(placed.json, { lines_version: 1, invoice: { number: null, status: 'draft', total: 15, order_version: 1 } })

  const payments = [shop.part('payment-1'), shop.part('payment-2')]
  for (const payment of payments) payment.freeze()
  const changed = await change(id, pieces(item, 2), { 'If-Match': etagOf(placed) })
  t.is(changed.status, 202)
  t.is(changed.headers.location, `/orders/${id}`)
  t.regex(etagOf(changed), /^"\d+\+"$/)
  t.like(changed.json, { total_cost: 10, invoice: { total: 15, order_version: 1 } })
  for (const payment of payments) payment.thaw()

  await eventually(async () => {
    const { status } = await client.get(`/orders/${id}`, { 'If-None-Match': etagOf(changed) })
    assert.equal(status, 200, 'its draft has not followed')
  }, 10_000)
  const { json, headers } = await show(id)
  const { lines_version, invoice } = json as { lines_version: number; invoice: object }
  t.like(invoice, { status: 'draft', total: 10, order_version: lines_version })
  t.is(headers.etag, etagOf(changed).replace('+', ''))
  const draftOf = async () => {
    const { documents } = (await client.get(`/payment/invoices?order=${id}`)).json as { documents: readonly object[] }
    return documents
  }
  t.like(await draftOf(), [{ number: null, status: 'draft', order_id: id, total: 10, order_version: lines_version }])
  t.is(
    (await change(id, pieces(item, 1), { 'If-Match': etagOf(changed) })).status,
    204,
    'the tag counts as its version',
  )
  t.is((await checkOut(id)).status, 200)
  t.like(await draftOf(), [{ status: 'issued', total: 5 }])
})

test.serial('of several changes from one version one is made, wherever they arrive', async (t) => {
  const { client } = opened()
  const { item, order } = await client.createCart({ price: 1, quantity: 1 })
  for (let round = 0; round < AT_ONCE; round += 1) {
    const seen = etagOf(await show(order))
    const from = { 'If-Match': seen }
    const replies = await inParallel(AT_ONCE, AT_ONCE, (index) => change(order, pieces(item, 2 + round + index), from))
    const made = replies.filter(({ status }) => status === 204)
    // One that wants what there is already changes nothing, so the others are made from the version that is there still.
    t.true(made.length >= 1)
    const etags = new Set(made.map(etagOf))
    etags.delete(seen)
    t.deepEqual(
      [...etags],
      [etagOf(await show(order))],
      replies.map(({ status, text }) => `${status} ${text}`).join('; '),
    )
    for (const reply of replies) if (reply.status !== 204) t.is(kindOf(reply), '412 stale')
  }
})

test.serial('under a key a change is made once, however often and wherever it is asked for', async (t) => {
  const { client } = opened()
  const { item, order } = await client.createCart({ price: 1, quantity: 1 })
  const seen = etagOf(await show(order))
  const asked = { 'If-Match': seen, 'Idempotency-Key': `change-of-${order}` }
  const replies = await inParallel(AT_ONCE, AT_ONCE, () => change(order, pieces(item, 7), asked))
  await change(order, pieces(item, 8), { 'If-Match': '*' })
  replies.push(await change(order, pieces(item, 7), asked))
  t.deepEqual([...new Set(replies.map(({ status }) => status))], [204], replies.map(({ text }) => text).join('; '))
  t.is(new Set(replies.map(etagOf)).size, 1)
  t.like(await client.order(order), { total_cost: 8 })
})

test.serial('a change and a checkout at once: what is charged is what the order is, to the unit', async (t) => {
  t.timeout(60_000)
  const { client } = opened()
  const item = await client.createItem(3, 1_000)
  let changed = 0
  await inParallel(ROUNDS, AT_ONCE, async (index) => {
    const user = await client.createUser(20)
    const order = await client.createOrder(user, [[item, 2]])
    const changing = (): Promise<Reply> => change(order, pieces(item, 3), { 'If-Match': '*' })
    const [reply, paid] = await (index % 2 === 0
      ? Promise.all([changing(), checkOut(order)])
      : Promise.all([checkOut(order), changing()]).then(([one, other]) => [other, one] as const))
    t.is(paid.status, 200, paid.text)
    const isChanged = reply.status === 204
    if (isChanged) changed += 1
    else t.is(kindOf(reply), '423 locked')
    t.is(await client.credit(user), isChanged ? 11 : 14)
    t.like(await client.order(order), { paid: true, items: [[item, isChanged ? 3 : 2]], total_cost: isChanged ? 9 : 6 })
  })
  t.log(`${changed} of ${ROUNDS} were changed before they were checked out, or right after`)
  t.is(await client.stock(item), 1_000 - 2 * ROUNDS - changed)
})

test.serial('all invariants hold', (t) => proveInvariants(t, opened(), { told }))
