/**
 * Goods that are taken for a checkout which is then cancelled at its deadline: until they are back, they are missed. Nobody
 * else may be refused for goods that come back, and the checker knows the one from the other by all movements and by the time.
 */
import assert from 'node:assert/strict'
import test from 'ava'
import { anomalies, type Evidence, excused } from '../support/checker/checker.ts'
import { openHistory } from '../support/checker/history.ts'
import { readCase, settle } from '../support/checker/invariants.ts'
import { away, eventually } from '../support/eventually.ts'
import { openFabric } from '../support/faults/proxy.ts'
import { openShop } from '../support/shop/shop.ts'

const DEADLINE_MS = 2_500
const TIMEOUT_MS = 10_000

/** The same evidence, had that checkout been refused instead of cancelled. */
const asRefused = (evidence: Evidence, order: string): Evidence => {
  const { logs } = evidence
  const entries = logs.order.entries.map((entry) =>
    entry.facts.order === order && ['CheckoutCancelled', 'CheckoutClosed'].includes(entry.kind)
      ? { ...entry, kind: 'CheckoutFailed' }
      : entry,
  )
  return { ...evidence, logs: { ...logs, order: { ...logs.order, entries } } }
}

test('goods of a checkout that is cancelled are missed until they are back, which the checker excuses, and nothing else', async (t) => {
  const fabric = openFabric()
  t.teardown(fabric.close)
  const opened = await openShop(t, {
    route: fabric.route,
    env: { order: { CHECKOUT_DEADLINE_MS: String(DEADLINE_MS) } },
  })
  const history = openHistory()
  const client = history.client(opened.shop.url, 'ann')
  t.teardown(client.close)
  const item = await client.createItem(5, 1)
  const [ann, bob] = [await client.createUser(100), await client.createUser(100)]
  const first = await client.createOrder(ann, [[item, 1]])
  const second = await client.createOrder(bob, [[item, 1]])

  // Payment does not read that the goods were taken before the deadline.
  const link = fabric.link('payment-1', 'stock-redis')
  link.suffer({ does: 'black-hole', towards: 'both', only: /xread/i })
  const cancelled = client.checkout(first)
  await eventually(async () => assert.equal(await client.stock(item), 0), TIMEOUT_MS)
  t.is((await client.post(`/stock/subtract/${item}/1`)).status, 409)
  // Asked for later, so that its own deadline is still ahead when the goods are back.
  await away(DEADLINE_MS / 2)
  const refused = client.checkout(second)
  t.is((await cancelled).status, 424)
  await eventually(async () => assert.equal(await client.stock(item), 1), TIMEOUT_MS)
  link.heal()
  t.is((await refused).status, 409)
  await settle(opened)

  const { history: operations, evidence } = await readCase(opened, { history: history.operations })
  t.deepEqual(anomalies(operations, evidence), [])
  const refusals = (all: ReturnType<typeof excused>) =>
    all.filter(({ name }) => name === 'unjustified-refusal').map(({ about }) => about)
  t.deepEqual(refusals(excused(operations, evidence)).toSorted(), [`item:${item}`, `order:${second}`].toSorted())

  const otherwise = asRefused(evidence, first)
  t.deepEqual(refusals(excused(operations, otherwise)), [])
  const found = refusals(anomalies(operations, otherwise))
  t.true(found.includes(`item:${item}`) && found.includes(`order:${second}`), 'a refused checkout excuses nobody')

  const afterwards = operations.map((one) =>
    one.does === 'subtract' && one.told === 'refused'
      ? { ...one, begunMs: one.begunMs + TIMEOUT_MS, endedMs: one.endedMs + TIMEOUT_MS }
      : one,
  )
  t.deepEqual(refusals(anomalies(afterwards, evidence)), [`item:${item}`], 'once they are back, nobody is excused')
})
