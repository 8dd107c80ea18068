/** What becomes of orders when their items get another price, or are withdrawn: through the whole shop. */
import test from 'ava'
import { proveInvariants } from '../support/checker/invariants.ts'
import { problemOf, type Reply } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test)

const change = (item: string, changes: object, ifMatch = '*'): Promise<Reply> => {
  const headers = { 'Content-Type': 'application/json', 'If-Match': ifMatch }
  return opened().client.request('PATCH', `/stock/item/${item}`, headers, JSON.stringify(changes))
}
const addTo = (order: string, item: string, key?: string): Promise<Reply> =>
  opened().client.post(`/orders/addItem/${order}/${item}/1`, key === undefined ? {} : { 'Idempotency-Key': key })

test.serial('the gateway passes on a change, and what is said of versions', async (t) => {
  const { client } = opened()
  const item = await client.createItem(5)
  const shown = await client.get(`/stock/item/${item}`)
  t.deepEqual(shown.json, { item_id: item, price: 5, withdrawn: false, version: 1 })
  t.is((await client.get(`/stock/item/${item}`, { 'If-None-Match': String(shown.headers.etag) })).status, 304)
  const changed = await change(item, { price: 6 }, String(shown.headers.etag))
  t.deepEqual([changed.status, changed.text], [204, ''])
  const stale = await change(item, { price: 7 }, String(shown.headers.etag))
  t.is(problemOf(stale).type, 'urn:shop:problem:stale')
  t.is(stale.headers.etag, changed.headers.etag)
  t.deepEqual((await client.get(`/stock/find/${item}`)).json, { stock: 0, price: 6 })
})

test.serial('a line keeps the price at which it was added, and so is it paid', async (t) => {
  const { client } = opened()
  const { user, item, order } = await client.createCart({ credit: 100, price: 5, quantity: 2 })
  await change(item, { price: 9 })
  t.is((await addTo(order, item)).text, `1 of ${item} added at 9`)
  await change(item, { price: 1 })
  t.is((await client.order(order)).total_cost, 19)
  t.is((await client.checkout(order)).status, 200)
  t.is(await client.credit(user), 81)
})

test.serial('an item that is withdrawn is added to no order, and what holds it already is paid', async (t) => {
  const { client } = opened()
  const { user, item, order } = await client.createCart({ credit: 100, price: 5, stock: 10, quantity: 2 })
  t.is((await change(item, { withdrawn: true, price: 8 })).status, 204)
  const place = { user_id: user, lines: [{ item_id: item, quantity: 1 }] }
  for (const refused of [
    await addTo(order, item),
    await addTo(await client.createOrder(user), item),
    await client.request('POST', '/orders', { 'Content-Type': 'application/json' }, JSON.stringify(place)),
  ]) {
    t.is(refused.status, 409)
    t.like(problemOf(refused), { type: 'urn:shop:problem:item-withdrawn', item_id: item })
  }
  t.is((await client.checkout(order)).status, 200)
  t.is(await client.credit(user), 90)
  t.is(await client.stock(item), 8)
  t.is((await client.post(`/stock/subtract/${item}/8`)).status, 200)
  client.added.stock -= 8
})

test.serial('what is offered again can be added, also by a request that was refused before', async (t) => {
  const { client } = opened()
  const item = await client.createItem(5)
  const order = await client.createOrder(await client.createUser())
  await change(item, { withdrawn: true })
  t.is((await addTo(order, item, 'again')).status, 409)
  await change(item, { withdrawn: false })
  t.is((await addTo(order, item, 'again')).status, 200)
  await change(item, { withdrawn: true })
  t.is((await addTo(order, item, 'again')).text, `1 of ${item} added at 5`, 'it is done, and told so')
  t.deepEqual((await client.order(order)).items, [[item, 1]])
})

test.serial('all invariants hold, and the log of stock gives prices and versions as they are', async (t) => {
  await proveInvariants(t, opened())
})
