/** What a request is told again under its `Idempotency-Key`: what it was told, whatever has become of the shop since. */
import test from 'ava'
import { proveInvariants } from '../support/checker/invariants.ts'
import { listening, recorded } from '../support/faults/crash-points.ts'
import { problemOf } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test, { env: { order: { ...listening, CHECKOUT_DEADLINE_MS: '2000' } } })

const under = (key: string) => ({ 'Idempotency-Key': key })

test.serial('what was done is told again while the peer is away that had to be asked', async (t) => {
  const { client } = opened()
  const user = await client.createUser(10)
  const item = await client.createItem(5, 10)
  const create = () => client.post(`/orders/create/${user}`, under(`create-${user}`))
  const created = await create()
  const order = (created.json as { order_id: string }).order_id
  const add = (key: string) => client.post(`/orders/addItem/${order}/${item}/1`, under(key))
  const added = await add(`add-${order}`)
  t.deepEqual([created.status, added.status], [200, 200])

  await Promise.all([opened().shop.part('payment-1').stop(), opened().shop.part('stock-1').stop()])
  const passed = await recorded([opened().shop.part('order-1')], async () => {
    t.deepEqual((await create()).json, created.json)
    t.is((await add(`add-${order}`)).text, added.text)
  })
  t.deepEqual(
    [...passed.keys()].filter((point) => point.startsWith('order.ask-')),
    [],
    'nobody is asked',
  )
  const refused = await add(`add-another-to-${order}`)
  t.is(refused.status, 424)
  t.is((await client.post(`/orders/create/${user}`, under(`add-${order}`))).status, 422, 'the key is looked up first')
  await Promise.all([opened().shop.part('payment-1').start(), opened().shop.part('stock-1').start()])

  t.is((await add(`add-another-to-${order}`)).status, 200, 'what was refused for that may be asked again')
  t.deepEqual((await client.order(order)).items, [[item, 2]])
  t.is((await client.post(`/orders/create/${user}-nobody`, under('nobody'))).status, 404)
  await proveInvariants(t, opened())
})

test.serial('a line is told at the price at which it was added', async (t) => {
  const { client } = opened()
  const order = await client.createOrder(await client.createUser(100))
  t.is((await client.post('/stock/batch_init/1/10/5')).status, 200)
  const add = () => client.post(`/orders/addItem/${order}/0/2`, under(`line-${order}`))
  t.is((await add()).text, '2 of 0 added at 5')
  t.is((await client.post('/stock/batch_init/1/10/7')).status, 200)
  t.is((await add()).text, '2 of 0 added at 5')
  t.is((await client.order(order)).total_cost, 10)
})

test.serial('a checkout that is paid is told so while another one of its user cannot end', async (t) => {
  const { client } = opened()
  const user = await client.createUser(100)
  const item = await client.createItem(5, 10)
  const [paid = '', other = ''] = [
    await client.createOrder(user, [[item, 1]]),
    await client.createOrder(user, [[item, 1]]),
  ]
  t.is((await client.checkout(paid, under(paid))).status, 200)
  await opened().shop.part('payment-1').stop()
  const hanging = client.checkout(other)
  const again = await client.checkout(paid, under(paid))
  t.deepEqual([again.status, again.text], [200, 'paid'])
  t.is((await hanging).status, 424)
  await opened().shop.part('payment-1').start()
  await proveInvariants(t, opened())
})

test.serial('a key is known to the service that answers, and to no other', async (t) => {
  const { client } = opened()
  const user = await client.createUser(0)
  const item = await client.createItem(5, 0)
  const key = under(`shared-${user}`)
  t.is((await client.post(`/payment/add_funds/${user}/7`, key)).status, 200)
  t.is((await client.post(`/stock/add/${item}/3`, key)).status, 200)
  t.is(problemOf(await client.post(`/payment/add_funds/${user}/8`, key)).status, 422)
  t.deepEqual([await client.credit(user), await client.stock(item)], [7, 3])
})
