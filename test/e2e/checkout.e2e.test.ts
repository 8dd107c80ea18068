/** One checkout, and many at once, of one order, one wallet and one item. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import test from 'ava'
import { locksLeft, proveInvariants } from '../support/checker/invariants.ts'
import { away, eventually } from '../support/eventually.ts'
import { problemOf, whenSaid } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test)

/** How long a lock lasts that nobody extends, unless LOCK_TTL_MS says otherwise. */
const LOCK_TTL_MS = 3_000

/** A checkout that is under way until stock, which is frozen, may go on: its credit is held. */
const holdUp = async (order: string) => {
  const { client, shop } = opened()
  const stock = shop.part('stock-1')
  stock.freeze()
  const checkout = client.checkout(order)
  await whenSaid(client, 'payment', 'CreditHeld', order)
  return { checkout, goOn: stock.thaw }
}

test.serial('refuses for stock, then for credit, then sells, and changes nothing by a refusal', async (t) => {
  const { client } = opened()
  const user = await client.createUser(11)
  const [plenty, scarce] = [await client.createItem(2, 10), await client.createItem(3, 1)]
  const order = await client.createOrder(user, [
    [plenty, 1],
    [scarce, 3],
  ])
  const state = async () => ({
    credit: await client.credit(user),
    plenty: await client.stock(plenty),
    scarce: await client.stock(scarce),
    status: (await client.order(order)).status,
  })

  const outOfStock = await client.checkout(order)
  t.is(outOfStock.status, 409)
  t.like(problemOf(outOfStock), { type: 'urn:shop:problem:out-of-stock', order_id: order, item_id: scarce })
  t.deepEqual(await state(), { credit: 11, plenty: 10, scarce: 1, status: 'open' })

  await client.post(`/stock/add/${scarce}/2`)
  await client.post(`/payment/pay/${user}/5`)
  const outOfCredit = await client.checkout(order)
  t.is(outOfCredit.status, 402)
  t.like(problemOf(outOfCredit), { type: 'urn:shop:problem:out-of-credit', order_id: order })
  t.deepEqual(await state(), { credit: 6, plenty: 10, scarce: 3, status: 'open' })

  await client.post(`/payment/add_funds/${user}/5`)
  const paid = await client.checkout(order)
  t.is(paid.status, 200)
  t.is(paid.text, 'paid')
  t.deepEqual(await state(), { credit: 0, plenty: 9, scarce: 0, status: 'paid' })
  await proveInvariants(t, opened())
})

test.serial('sells what costs nothing to somebody who has nothing', async (t) => {
  const { client } = opened()
  const { item, order } = await client.createCart({ credit: 0, price: 0, stock: 1 })
  t.is((await client.checkout(order)).status, 200)
  t.is(await client.stock(item), 0)
  await proveInvariants(t, opened())
})

test.serial('keeps the refusal under its key and sells under another', async (t) => {
  const { client } = opened()
  const { user, order } = await client.createCart({ credit: 1, price: 4, stock: 2 })
  const first = { 'Idempotency-Key': `${order}-first` }
  t.is((await client.checkout(order, first)).status, 402)
  await client.post(`/payment/add_funds/${user}/9`)
  t.is((await client.checkout(order, first)).status, 402)
  t.is(await client.credit(user), 10)
  t.is((await client.checkout(order, { 'Idempotency-Key': `${order}-second` })).status, 200)
  t.is((await client.checkout(order, first)).status, 402)
  t.is(await client.credit(user), 6)
})

test.serial('sells all when 200 users want two of the same five items each, in any order of lines', async (t) => {
  const { client } = opened()
  const items = await Promise.all([1, 2, 3, 4, 5].map((price) => client.createItem(price, 200)))
  const orders = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const [one = '', other = ''] = [items[index % 5], items[(index + 1 + (index % 3)) % 5]]
      return client.createOrder(await client.createUser(9), [
        [one, 1],
        [other, 1],
      ])
    }),
  )
  const replies = await Promise.all(orders.map((order) => client.checkout(order)))
  t.deepEqual(
    replies.filter(({ status }) => status !== 200),
    [],
  )
  await proveInvariants(t, opened())
})

test.serial('ends the checkout of a client that disconnects', async (t) => {
  const { client, shop } = opened()
  const { user, item, order } = await client.createCart({ credit: 10, price: 4, stock: 2 })
  const stock = opened().shop.part('stock-1')
  stock.freeze()
  const left = request(`${shop.url}/orders/checkout/${order}`, { method: 'POST' }).end()
  const gone = once(left, 'error')
  await whenSaid(client, 'payment', 'CreditHeld', order)
  left.destroy()
  await gone
  stock.thaw()
  await eventually(async () => assert.ok((await client.order(order)).paid), 5_000)
  t.is(await client.credit(user), 6)
  t.is(await client.stock(item), 1)
  await proveInvariants(t, opened())
})

test.serial('shows credit that is only held as still there', async (t) => {
  const { client } = opened()
  const { user, order } = await client.createCart({ credit: 10, price: 4, stock: 1, quantity: 2 })
  const { checkout, goOn } = await holdUp(order)
  t.is(await client.credit(user), 10)
  t.is((await client.order(order)).status, 'checking-out')
  t.false((await client.order(order)).paid)
  goOn()
  t.is((await checkout).status, 409)
  t.is(await client.credit(user), 10)
})

test.serial('keeps an order and its user locked while its checkout lasts, however long', async (t) => {
  const { client } = opened()
  const { user, order } = await client.createCart({ credit: 10, price: 4, stock: 2 })
  const { checkout, goOn } = await holdUp(order)
  await away(LOCK_TTL_MS * 1.25)
  t.deepEqual(await locksLeft(opened()), [`lock:order:${order}`, `lock:user:${user}`])
  goOn()
  t.is((await checkout).status, 200)
  await proveInvariants(t, opened())
})

test.serial('lets a payment wait for held credit instead of refusing it', async (t) => {
  const { client } = opened()
  const { user, order } = await client.createCart({ credit: 10, price: 4, stock: 0, quantity: 2 })
  const { checkout, goOn } = await holdUp(order)
  t.is((await client.post(`/payment/pay/${user}/2`)).status, 200, 'of what is not held')
  t.is((await client.post(`/payment/pay/${user}/9`)).status, 402, 'of what there is not')
  const pay = client.post(`/payment/pay/${user}/8`)
  goOn()
  t.is((await checkout).status, 409)
  t.is((await pay).status, 200)
  t.is(await client.credit(user), 0)
})

test.serial('refuses no payment of a user for checkouts that fail in the meantime', async (t) => {
  const { client } = opened()
  const user = await client.createUser(40)
  const item = await client.createItem(10)
  const orders = await Promise.all(Array.from({ length: 10 }, () => client.createOrder(user, [[item, 4]])))
  const pays = Array.from({ length: 40 }, () => client.post(`/payment/pay/${user}/1`))
  const checkouts = orders.map((order) => client.checkout(order))
  t.deepEqual(
    (await Promise.all(pays)).filter(({ status }) => status !== 200),
    [],
  )
  for (const { status } of await Promise.all(checkouts)) t.true(status === 402 || status === 409)
  t.is(await client.credit(user), 0)
  await proveInvariants(t, opened())
})
