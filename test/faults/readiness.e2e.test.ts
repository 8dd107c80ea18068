/**
 * Who cannot do what a customer needs says so: `/ready` names it, the log tells why, and the gateway goes elsewhere if it
 * can. What can still be done is done, and at once; and when it is mended, nobody has to be started again.
 */

import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import { Redis } from 'ioredis'
import { eventually } from '../support/eventually.ts'
import { during, FAULTS } from '../support/faults/catalogue.ts'
import { lookInto } from '../support/shop/behind.ts'
import { type Client, isReady, problemOf, whenPaid } from '../support/shop/client.ts'
import { directTo, shareShop } from '../support/shop/shop.ts'

const WITHIN_MS = 15_000
/** Less than the gateway waits for a ready replica. */
const AT_ONCE_MS = 1_000
const LINES = 200

/** Longer than it takes until a subscriber has reported how far it has read. */
const opened = shareShop(test, { env: { order: { CHECKOUT_DEADLINE_MS: '6000' } } })

/** Resolves once a service says that it lacks this. */
const lacks = (client: Client, what: RegExp): Promise<void> =>
  eventually(async () => {
    const reply = await client.get('/ready')
    assert.equal(reply.status, 503)
    const { type, detail } = problemOf(reply)
    assert.equal(type, 'urn:shop:problem:impaired')
    assert.match(detail, what)
  }, WITHIN_MS)

const isAtOnce = async (t: ExecutionContext, client: Client, path: string): Promise<void> => {
  const startedAt = performance.now()
  t.is((await client.get(path)).status, 200)
  t.true(performance.now() - startedAt < AT_ONCE_MS, path)
}

/** What the log of order says of a checkout that was decided at its deadline. */
const lateLine = (order: string): Promise<unknown> =>
  eventually(async () => {
    const lines = (await opened().shop.part('order-1').tail(LINES)).split('\n')
    return JSON.parse(lines.find((line) => line.includes('its deadline has passed') && line.includes(order)) ?? '')
  }, WITHIN_MS)

test.serial('another password for one visitor is told by /ready and, again and again, by the log', async (t) => {
  t.timeout(60_000)
  const { client, shop } = opened()
  const { order } = await client.createCart()
  const direct = directTo(t, shop.part('order-1'))
  await isReady(direct)
  const operator = lookInto(shop.part('payment-redis'), t)
  const { username, password } = new URL(shop.part('payment-redis').visitorUrl('order'))
  await operator.call('ACL', 'SETUSER', username, 'resetpass', '>another')
  await operator.call('CLIENT', 'KILL', 'USER', username)

  await lacks(direct, /it has not reached the log of payment for \d+ s/)
  await eventually(async () => assert.equal((await client.get('/ready')).status, 503), WITHIN_MS)
  const listed = problemOf(await direct.get('/ready?verbose')).checks as { name: string; wrong: string | null }[]
  t.deepEqual(
    listed.filter(({ wrong }) => wrong !== null).map(({ name }) => name),
    ['log-of-payment', 'lock-masters'],
  )
  await isAtOnce(t, client, `/orders/find/${order}`)
  // A promise is kept nevertheless: it is decided at its deadline, and the log says what became of it.
  t.is((await client.checkout(order)).status, 424)
  t.like(await lateLine(order), { order, waitedFor: 'the log of payment is out of reach' })
  const tail = await shop.part('order-1').tail(LINES)
  const reasons = tail.split('\n').filter((line) => /log of payment: cannot be reached/.test(line))
  t.true(reasons.length >= 3, `${reasons.length} lines`)
  for (const line of reasons) t.regex(line, /WRONGPASS/)

  await operator.call('ACL', 'SETUSER', username, `>${password}`)
  await isReady(direct)
  await whenPaid(client, order)
})

const becomesReplica = `a service of which ${FAULTS.demote.means} is not ready, and does what it can`
test.serial(becomesReplica, async (t) => {
  t.timeout(60_000)
  const { client, shop } = opened()
  const { item, order } = await client.createCart()
  const direct = directTo(t, shop.part('stock-1'))
  await during('demote', [{ part: shop.part('stock-redis') }], async () => {
    await lacks(direct, /its own Redis runs no commands: READONLY/)
    await isAtOnce(t, client, `/stock/find/${item}`)
    t.is((await client.checkout(order)).status, 424)
    const waitedFor = 'payment has read of it; it or stock has not answered'
    t.like(await lateLine(order), { order, level: 40, waitedFor })
  })
  await isReady(direct)
  await whenPaid(client, order)
})

const hasNoMemory = `a service of which ${FAULTS['out-of-memory'].means} is not ready, and order begins nothing that it could not end`
test.serial(hasNoMemory, async (t) => {
  t.timeout(60_000)
  const { client, shop } = opened()
  const { user, order } = await client.createCart()
  const [payment, ofOrder] = [directTo(t, shop.part('payment-1')), directTo(t, shop.part('order-1'))]
  await during('out-of-memory', [{ part: shop.part('payment-redis') }], async () => {
    await lacks(payment, /its own Redis runs no commands: OOM/)
    await lacks(ofOrder, /nothing new is begun: the Redis of payment is 100 % full/)
    await isAtOnce(t, client, `/payment/find_user/${user}`)
    t.is(problemOf(await client.checkout(order)).type, 'urn:shop:problem:no-room')
  })
  await isReady(payment)
  await isReady(ofOrder)
  await whenPaid(client, order)
})

test.serial('a script that a visitor does not end is ended by the owner', async (t) => {
  t.timeout(60_000)
  const { client, shop } = opened()
  const { order } = await client.createCart()
  const visitor = new Redis(shop.part('payment-redis').visitorUrl('stock'), { disableClientInfo: true })
  t.teardown(() => visitor.disconnect())
  await t.throwsAsync(visitor.eval('while true do end', 0), { message: /killed by user/i })
  await isReady(directTo(t, shop.part('payment-1')))
  await whenPaid(client, order)
  t.regex(await shop.part('payment-1').tail(LINES), /a script keeps the own Redis busy/)
})
