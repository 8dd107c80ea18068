/** An order that is cancelled, whatever became of it before, with two replicas of order behind the gateway. */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import { eventually } from '../support/eventually.ts'
import { type Cart, type Headers, problemOf, type Reply } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test, { replicas: 2 })

const SETTLED_MS = 10_000
const RACES = 100
const JSON_TYPE = { 'Content-Type': 'application/json' }

type Wish = { readonly reason?: string; readonly restock?: boolean }
const cancel = (order: string, wish?: Wish, headers: Headers = {}): Promise<Reply> => {
  const { client } = opened()
  const path = `/orders/${order}/cancel`
  return wish === undefined
    ? client.request('POST', path, headers)
    : client.request('POST', path, { ...headers, ...JSON_TYPE }, JSON.stringify(wish))
}
const remove = (order: string, headers: Headers = {}): Promise<Reply> =>
  opened().client.request('DELETE', `/orders/${order}`, headers)

const shownStatus = async (order: string): Promise<string> => (await opened().client.order(order)).status

/** Whatever it was, it is cancelled, its customer owns what they owned, and the shelf is as it was. */
const assertUndone = async (t: ExecutionContext, { user, item, order }: Cart, credit = 100): Promise<void> => {
  const { client } = opened()
  t.is(await shownStatus(order), 'cancelled')
  t.is(await client.credit(user), credit)
  await eventually(async () => assert.equal(await client.stock(item), 10), SETTLED_MS)
  t.is(problemOf(await client.checkout(order)).type, 'urn:shop:problem:order-cancelled')
  t.is(await client.credit(user), credit)
}

const assertBalanced = async (t: ExecutionContext): Promise<void> => {
  await eventually(async () => {
    const { balanced, mismatches } = (await opened().client.get('/audit')).json as Record<string, unknown>
    assert.deepEqual([balanced, mismatches], [true, []])
  }, SETTLED_MS)
  t.pass()
}

test.serial('an open order is cancelled at once, and again it is the same', async (t) => {
  const cart = await opened().client.createCart()
  const done = { status: 'cancelled', refunded: 0, credit_note: null }
  for (let time = 0; time < 3; time += 1) {
    const { status, json } = await cancel(cart.order, time === 0 ? { reason: 'too slow' } : undefined)
    t.deepEqual([status, json], [200, done])
  }
  await assertUndone(t, cart)
  const added = await opened().client.post(`/orders/addItem/${cart.order}/${cart.item}/1`)
  t.is(problemOf(added).type, 'urn:shop:problem:order-cancelled')
})

test.serial('what was paid is refunded, and the goods go back, or are written off', async (t) => {
  const { client } = opened()
  const cart = await client.createCart()
  t.is((await client.checkout(cart.order)).status, 200)
  const { status, json } = await cancel(cart.order)
  t.is(status, 200)
  t.like(json, { status: 'cancelled', refunded: 5 })
  await assertUndone(t, cart)
  t.like((await cancel(cart.order)).json, json as Record<string, unknown>)
  const broken = await client.createCart()
  await client.checkout(broken.order)
  t.is((await cancel(broken.order, { restock: false })).status, 200)
  t.is(await client.credit(broken.user), 100)
  t.is(await client.stock(broken.item), 9)
  await assertBalanced(t)
})

test.serial('while a refund from before is still to be paid, cancelling says that money is on its way', async (t) => {
  const { client, shop } = opened()
  const cart = await client.createCart()
  t.is((await client.checkout(cart.order)).status, 200)
  const replicas = ['payment-1', 'payment-2'].map((name) => shop.part(name))
  for (const replica of replicas) replica.freeze()
  try {
    const refund = await client.request('POST', `/orders/${cart.order}/refunds`)
    const cancelled = await cancel(cart.order)
    t.deepEqual([refund.status, cancelled.status], [202, 202], cancelled.text)
    t.is(cancelled.headers.location, refund.headers.location)
    t.like(cancelled.json, { status: 'cancelled', refunded: 5, credit_note: null })
  } finally {
    for (const replica of replicas) replica.thaw()
  }
  await eventually(async () => assert.equal((await cancel(cart.order)).status, 200), SETTLED_MS)
  await assertUndone(t, cart)
})

test.serial('DELETE does the same, and both from the version that is named, if one is', async (t) => {
  const { client } = opened()
  const cart = await client.createCart()
  t.is((await client.checkout(cart.order)).status, 200)
  const tag = String((await client.get(`/orders/${cart.order}`)).headers.etag)
  const stale = await remove(cart.order, { 'If-Match': '"1"' })
  t.deepEqual([stale.status, stale.headers.etag], [412, tag])
  t.is(await shownStatus(cart.order), 'paid')
  const late = await client.request('POST', `/orders/${cart.order}/cancel`, { 'If-Match': '"1"' })
  t.deepEqual([late.status, late.headers.etag], [412, tag])
  t.is(await shownStatus(cart.order), 'paid')
  for (const none of ['1', '']) t.is((await remove(cart.order, { 'If-Match': none })).status, 400, none)
  const removed = await remove(cart.order, { 'If-Match': tag })
  t.deepEqual([removed.status, removed.headers.etag], [204, (await client.get(`/orders/${cart.order}`)).headers.etag])
  const again = await remove(cart.order, { 'If-Match': tag })
  t.deepEqual([again.status, again.text], [204, ''])
  t.is(again.headers.etag, (await client.get(`/orders/${cart.order}`)).headers.etag)
  await eventually(async () => assert.equal(await client.credit(cart.user), 100), SETTLED_MS)
  await assertUndone(t, cart)
})

test.serial('wrong requests change nothing', async (t) => {
  const { client } = opened()
  const { order } = await client.createCart()
  const send = (body: string, headers: Headers = JSON_TYPE) =>
    client.request('POST', `/orders/${order}/cancel`, headers, body)
  for (const [body, field] of [
    ['{"restock":"shelf"}', 'restock'],
    ['{"reason":7}', 'reason'],
    [JSON.stringify({ reason: 'r'.repeat(201) }), 'reason'],
    ['{"why":"so"}', 'why'],
  ] as const) {
    const refused = await send(body)
    t.deepEqual([refused.status, problemOf(refused).field], [422, field])
  }
  t.is((await send('restock=true', { 'Content-Type': 'application/x-www-form-urlencoded' })).status, 415)
  for (const unknown of [await cancel('nobody'), await remove('nobody')])
    t.is(problemOf(unknown).type, 'urn:shop:problem:no-such-order')
  t.is(await shownStatus(order), 'open')
})

test.serial('under a key it is done once, and the key is for that request only', async (t) => {
  const { order } = await opened().client.createCart()
  const key = { 'Idempotency-Key': `cancel-${order}` }
  const all = await Promise.all(Array.from({ length: 5 }, () => cancel(order, undefined, key)))
  t.deepEqual(new Set(all.map(({ status, text }) => `${status} ${text}`)).size, 1)
  t.is((await remove(order, key)).status, 422)
})

/** What a customer was told of both, who asks for a checkout and for its cancellation at once. */
const race = async (cart: Cart, at: number): Promise<readonly [checkout: Reply, cancelled: Reply]> => {
  const checkout = opened().client.checkout(cart.order)
  // Later and later: the checkout takes some milliseconds.
  const started = performance.now()
  while (performance.now() - started < (at % 10) * 2) await opened().client.get('/live')
  return Promise.all([checkout, at % 2 === 0 ? cancel(cart.order) : remove(cart.order)])
}

test.serial('of 100 races against a checkout each ends paid and refunded, or never charged', async (t) => {
  t.timeout(120_000)
  const { client } = opened()
  const told = new Map<string, number>()
  for (let at = 0; at < RACES; at += 10) {
    const carts = await Promise.all(Array.from({ length: 10 }, () => client.createCart()))
    await Promise.all(
      carts.map(async (cart, index) => {
        const [checkout, cancelled] = await race(cart, at + index)
        const answer = checkout.status === 200 ? 'paid' : problemOf(checkout).type.replace(/.*:/, '')
        told.set(answer, (told.get(answer) ?? 0) + 1)
        t.true(['paid', 'order-cancelled'].includes(answer), checkout.text)
        t.true([200, 202, 204].includes(cancelled.status), cancelled.text)
        if (cancelled.status === 200) {
          const { refunded } = cancelled.json as { refunded: number }
          // It may have been paid after all, but only if that is refunded.
          t.true(answer === 'paid' ? refunded === 5 : refunded === 0, `${answer}, and ${cancelled.text}`)
        }
        await eventually(async () => assert.equal(await shownStatus(cart.order), 'cancelled'), SETTLED_MS)
        await eventually(async () => assert.equal(await client.credit(cart.user), 100), SETTLED_MS)
        await assertUndone(t, cart)
      }),
    )
  }
  t.log(Object.fromEntries(told))
  await assertBalanced(t)
})
