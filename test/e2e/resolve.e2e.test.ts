/**
 * What was decided can no longer be true: it is said at once, listed, and ended by a person.
 *
 * The Redis of payment comes back as it was before some customers came: their orders are paid, and payment has never known of
 * them. And the Redis of order comes back without a cancellation that a customer was told.
 */

import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import type { Explanation } from '../../env/operator/explain.ts'
import type { LostTail } from '../../shared/log/entry.ts'
import { settle } from '../support/checker/invariants.ts'
import { unpackRecord } from '../support/checker/records.ts'
import { eventually } from '../support/eventually.ts'
import { parseExposition, toldOf } from '../support/exposition.ts'
import { comeBackOlder } from '../support/faults/catalogue.ts'
import { writtenTo } from '../support/faults/older-redis.ts'
import { behind } from '../support/shop/behind.ts'
import { problemOf, whenPaid, whenStatus } from '../support/shop/client.ts'
import { operatorOf, terminal } from '../support/shop/operator.ts'
import { type OpenShop, openShop } from '../support/shop/shop.ts'

const SETTLE_MS = 20_000
const DEADLINE_MS = 2_000

type Report = { readonly lost_tails: readonly LostTail[]; readonly contradictions: readonly string[] }
const reportOf = async ({ client }: OpenShop): Promise<Report> =>
  (await client.post('/orders/fault_tolerance')).json as Report

/** A shop in which some orders are contradicted, each of a customer whom payment has forgotten. */
const contradict = async (t: ExecutionContext, count: number) => {
  const opened = await openShop(t, { env: { order: { CHECKOUT_DEADLINE_MS: String(DEADLINE_MS) } } })
  const { client, shop } = opened
  const item = await client.createItem(5, 20)
  const moment = await writtenTo(shop.part('payment-redis').dir)
  const orders: string[] = []
  for (let number = 0; number < count; number += 1)
    orders.push(await client.createOrder(await client.createUser(100), [[item, 2]]))
  for (const order of orders) await whenPaid(client, order)
  await settle(opened)
  await comeBackOlder(shop.part('payment-redis'), { position: moment })
  await eventually(async () => {
    const { contradictions } = await reportOf(opened)
    assert.deepEqual([...contradictions].toSorted(), [...orders].toSorted())
  }, SETTLE_MS)
  await settle(opened, { locksMs: 'unchecked' })
  return { opened, item, orders }
}

const audit = ({ shop }: OpenShop) => terminal('audit.ts')('--url', shop.url)

test('what is contradicted is logged as an error, listed and seen in the audit, until a person has resolved it, whoever dies on the way', async (t) => {
  t.timeout(90_000)
  const { opened, item, orders } = await contradict(t, 3)
  const { client } = opened
  const [first = '', second = '', third = ''] = orders
  const operator = operatorOf(opened, '')
  const told = parseExposition(await (await fetch(`${opened.shop.part('order-1').url}/metrics`)).text())
  t.is(toldOf(told, 'shop_contradictions_unresolved'), orders.length)
  t.true((toldOf(told, 'shop_contradictions_total') ?? 0) >= orders.length)
  t.is(toldOf(told, 'shop_lost_tails_total'), 1)
  const log = await opened.shop.part('order-1').tail(1_000)
  for (const order of orders)
    t.regex(log, new RegExp(`"level":50,[^\\n]*"order":"${order}"[^\\n]*a checkout is contradicted`))

  const listed = await operator.saga('list')
  t.is(listed.code, 0)
  for (const order of orders)
    t.regex(listed.out, new RegExp(`^\\S+ +${order} .*contradicted \\(payment says no-such-user\\)`, 'm'))
  t.regex(
    (await operator.saga('explain', first)).out,
    /^order +paid .*: contradicted \(payment says no-such-user\): npm run saga -- resolve/m,
  )
  const unbalanced = await audit(opened)
  t.is(unbalanced.code, 1)
  for (const order of orders) t.true(unbalanced.out.includes(order))
  t.is((await operator.saga('cancel', first)).code, 1)

  t.regex((await operator.saga('resolve', first)).said, /wants either --refund or --accept/)
  const refunded = await operator.saga('resolve', first, '--refund', '--why', 'her wallet is gone: 100 %')
  t.deepEqual([refunded.code, refunded.said], [0, ''])
  t.regex(refunded.out, /is refunded: what was done for it is being undone/)
  const accepted = await operator.saga('resolve', second, '--accept', 'they have paid in cash')
  t.is(accepted.code, 0)
  t.regex(accepted.out, /is accepted as it is/)
  await settle(opened, { locksMs: 'unchecked' })
  for (const service of ['payment', 'stock'] as const) await opened.shop.part(`${service}-1`).kill()
  t.is((await operator.saga('resolve', third, '--refund')).code, 0)
  await opened.shop.part('order-1').kill()
  for (const service of ['stock', 'payment', 'order'] as const) await opened.shop.part(`${service}-1`).start()
  await settle(opened, { settleMs: SETTLE_MS, locksMs: 'unchecked' })

  for (const order of [first, third]) t.like(await client.order(order), { paid: false, status: 'open' })
  t.like(await client.order(second), { paid: true, status: 'paid' })
  t.is(await client.stock(item), 20, 'nothing of any was taken')
  const { timeline } = await operator.json<Explanation>('explain', first)
  t.deepEqual(
    timeline.filter(({ service }) => service === 'order').map(({ kind }) => kind),
    [
      ...['OrderCreated', 'LineAdded', 'CheckoutStarted', 'OrderPaid'],
      ...['CheckoutContradicted', 'CheckoutResolved', 'CheckoutCancelled', 'CheckoutClosed'],
    ],
  )
  const explained = await operator.saga('explain', first)
  t.regex(explained.out, /CheckoutResolved +\S+ +by=refund why="her wallet is gone: 100 %"$/m)
  t.regex(explained.out, /^order +closed \(operator\) since .*: it was contradicted, and resolved: refund/m)
  t.regex((await operator.saga('list')).out, /^nothing hangs, and nothing is contradicted$/m)
  const balanced = await audit(opened)
  t.is(balanced.code, 0, balanced.out)
  t.regex(balanced.out, /^credit .* 10 paid - 10 accepted \+ 0 in flight$/m)
  t.regex(balanced.out, /^stock .* 2 sold - 2 accepted \+ 0 in flight$/m)

  const again = await operator.saga('resolve', first, '--refund')
  t.deepEqual([again.code, again.out.includes('was before refunded')], [0, true])
  t.regex((await operator.saga('resolve', second, '--refund')).out, /nothing contradicts that \(any more\)/)
})

test('what a customer was told not to have paid stays so, when the Redis of order comes back without it', async (t) => {
  t.timeout(90_000)
  const opened = await openShop(t, {
    // The log parser, which would cancel it as well, runs once a year.
    env: { order: { CHECKOUT_DEADLINE_MS: String(DEADLINE_MS), LOG_PARSER_CRON: '0 0 0 1 1 *' } },
  })
  const { client, shop } = opened
  const { user, item, order } = await client.createCart({ stock: 20, quantity: 2 })
  await opened.shop.part('payment-1').kill()
  const checkout = client.checkout(order)
  await whenStatus(client, order, 'checking-out', DEADLINE_MS)
  const moment = await writtenTo(shop.part('order-redis').dir)
  const reply = await checkout
  t.is(problemOf(reply).type, 'urn:shop:problem:checkout-cancelled')
  const { transactions } = await comeBackOlder(shop.part('order-redis'), { position: moment })
  t.true(
    transactions.some(({ bytes }) => bytes.includes('CheckoutCancelled')),
    'this is what is lost',
  )
  await opened.shop.part('payment-1').start()
  await settle(opened, { settleMs: SETTLE_MS, locksMs: 'unchecked' })
  t.like(await client.order(order), { paid: false, status: 'open' })
  t.deepEqual([await client.credit(user), await client.stock(item)], [100, 20])
  const { lost_tails, contradictions } = await eventually(async () => {
    const report = await reportOf(opened)
    assert.notEqual(report.lost_tails.length, 0)
    return report
  }, SETTLE_MS)
  t.deepEqual(contradictions, [])
  t.deepEqual(
    lost_tails.flatMap(({ entries }) => entries.map(({ kind, facts }) => [kind, facts.order])),
    [['CheckoutCancelled', order]],
  )
  t.is((await audit(opened)).code, 0)
})

/** As if a customer had been told that nothing is charged, before the order's Redis forgot it: it is paid. */
const tellOtherwise = ({ shop }: OpenShop, order: string): Promise<string> =>
  behind(shop.part('order-redis'), async (redis) => {
    const id = (await redis.hget(`order:${order}`, 'saga')) ?? ''
    await redis.hset(`saga:${id}`, 'contradicted', 'told-cancelled')
    await redis.sadd('contradictions', order)
    return id
  })

test('a refund of what was charged gives the money back, and is refused once payment has forgotten it', async (t) => {
  const opened = await openShop(t)
  const { client, shop } = opened
  const [user, item] = [await client.createUser(100), await client.createItem(5, 20)]
  const orders = [await client.createOrder(user, [[item, 2]]), await client.createOrder(user, [[item, 1]])]
  for (const order of orders) await whenPaid(client, order)
  await settle(opened)
  const [known = '', forgotten = ''] = orders
  await tellOtherwise(opened, known)
  const id = await tellOtherwise(opened, forgotten)
  await behind(shop.part('payment-redis'), async (payment) => {
    await unpackRecord(payment, 'payment', id)
    await payment.del(`saga:${id}`)
  })
  t.is((await client.post(`/orders/resolve/${id}/otherwise`)).status, 400)
  t.is((await client.post(`/orders/resolve/${id}/accept`)).status, 400, 'it wants a reason')
  const refused = await client.post(`/orders/resolve/${id}/refund`)
  t.is(problemOf(refused).type, 'urn:shop:problem:checkout-forgotten')
  const operator = operatorOf(opened, '')
  t.is((await operator.saga('resolve', forgotten, '--accept', 'given back by hand')).code, 0)
  t.is((await operator.saga('resolve', known, '--refund')).code, 0)
  await settle(opened)
  t.deepEqual([await client.credit(user), await client.stock(item)], [95, 19])
  t.like(await client.order(known), { paid: false, status: 'open' })
  t.like(await client.order(forgotten), { paid: true })
  t.is((await audit(opened)).code, 0)
  t.is((await client.checkout(known)).status, 200, 'it can be bought again')
})
