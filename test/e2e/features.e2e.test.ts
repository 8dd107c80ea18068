/** Features that operators switch off and on, over a whole shop of two replicas of each service. */
import assert from 'node:assert/strict'
import test from 'ava'
import { proveInvariants } from '../support/checker/invariants.ts'
import { eventually } from '../support/eventually.ts'
import { problemOf, type Reply } from '../support/shop/client.ts'
import { directTo, shareShop } from '../support/shop/shop.ts'

const TOKEN = 'a-token-of-the-operator'
const opened = shareShop(test, { replicas: 2, env: { all: { OPERATOR_TOKEN: TOKEN } } })
/** Each replica reads once a second what is off. */
const READ_MS = 5_000

const set = (path: string, on: unknown, token = TOKEN): Promise<Reply> => {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  return opened().client.request('PUT', path, headers, JSON.stringify({ on }))
}
const kindOf = (reply: Reply): string => problemOf(reply).type.replace('urn:shop:problem:', `${reply.status} `)

test.serial('what an operator switches off is refused by every replica, also by one that starts anew', async (t) => {
  const { client, shop } = opened()
  const asked = '/api/methods'
  t.is((await client.get(asked)).status, 200)
  const reply = await set('/orders/features/listOffers', false)
  t.deepEqual(reply.json, { name: 'listOffers', route: 'GET /api/methods', on: false })
  const replicas = shop.services.order.slice(0, 2).map((part) => directTo(t, part))
  for (const replica of replicas)
    await eventually(async () => assert.equal((await replica.get(asked)).status, 503), READ_MS)
  const refused = await client.get(asked)
  t.deepEqual(
    [kindOf(refused), problemOf(refused).error],
    ['503 feature-off', '"listOffers" is switched off; nothing was done'],
  )
  t.is((await client.get('/payment/methods')).status, 200, 'nothing else is')
  await shop.part('order-1').kill()
  await shop.part('order-1').start()
  t.is(kindOf(await directTo(t, shop.part('order-1')).get(asked)), '503 feature-off')

  t.is((await set('/orders/features/listOffers', true)).status, 200)
  for (const part of shop.services.order.slice(0, 2)) {
    const replica = directTo(t, part)
    await eventually(async () => assert.equal((await replica.get(asked)).status, 200), READ_MS)
  }
})

test.serial('a peer that would have to ask what is switched off says so, and nothing is done', async (t) => {
  const { client, shop } = opened()
  const user = await client.createUser()
  await set('/payment/features/findUsers', false)
  for (const part of shop.services.payment.slice(0, 2)) {
    const replica = directTo(t, part)
    await eventually(async () => assert.equal((await replica.get(`/payment/users?ids=${user}`)).status, 503), READ_MS)
  }
  t.is(kindOf(await client.post(`/orders/create/${user}`)), '424 neighbour-unavailable')
  await set('/payment/features/findUsers', true)
  await eventually(async () => assert.equal((await client.post(`/orders/create/${user}`)).status, 200), READ_MS)
})

test.serial('only operators switch features, and only those that there are', async (t) => {
  const { client } = opened()
  t.is((await client.request('PUT', '/orders/features/listOffers', {}, '{"on":false}')).status, 401)
  t.is((await set('/orders/features/listOffers', false, 'other')).status, 403)
  for (const name of ['nothing', 'audit', 'setFeature', 'toString'])
    t.is(kindOf(await set(`/orders/features/${name}`, false)), '404 no-such-feature', name)
  for (const on of ['no', 0, null, undefined]) {
    const reply = await set('/orders/features/listOffers', on)
    t.deepEqual([kindOf(reply), problemOf(reply).field], ['422 malformed-body', 'on'], String(on))
  }
  t.is((await client.get('/api/methods')).status, 200)
  const headers = { Authorization: `Bearer ${TOKEN}` }
  const { features } = (await client.get('/orders/features', headers)).json as { features: readonly { on: boolean }[] }
  t.true(features.length > 5 && features.every(({ on }) => on))
  await proveInvariants(t, opened())
})
