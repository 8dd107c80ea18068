/** What a checkout answers when somebody it depends on is away, and what becomes of it afterwards. */

import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import type { Part } from '../../env/local/managed-process.ts'
import type { Service } from '../../shared/contract/services.ts'
import { proveInvariants } from '../support/checker/invariants.ts'
import { eventually } from '../support/eventually.ts'
import {
  answerIfAny,
  type Cart,
  type Client,
  type Headers,
  problemOf,
  type Reply,
  whenPaid,
  whenSaid,
  whenStatus,
} from '../support/shop/client.ts'
import { type OpenShop, shareShop } from '../support/shop/shop.ts'

const DEADLINE_MS = 1_500
/** What a deadline may be late by: the sweep that finds it, and a busy machine. */
const LATE_MS = 1_000
/** Within this time whoever depends on a Redis that is away says so. */
const UNAVAILABLE_MS = 2_000
const SETTLE_MS = 5_000
/** A deadline that nobody waits for is seen within a second, by whoever may have to get a lease of 2 s first. */
const PARSED_MS = 5_000

const opened = shareShop(test, { env: { order: { CHECKOUT_DEADLINE_MS: String(DEADLINE_MS) } } })

const only = (service: Service): Part => opened().shop.part(`${service}-1`)

const timed = async <Result>(work: Promise<Result>): Promise<{ result: Result; ms: number }> => {
  const startedAt = performance.now()
  const result = await work
  return { result, ms: performance.now() - startedAt }
}

const seed = (client: Client): Promise<Cart> => client.createCart({ credit: 10, price: 4, stock: 3, quantity: 2 })

/** A checkout that payment, which is down, does not hear. */
const beginUnheard = async (headers?: Headers) => {
  const { client } = opened()
  const wanted = await seed(client)
  await only('payment').stop()
  const checkout = timed(answerIfAny(client.checkout(wanted.order, headers)))
  await whenStatus(client, wanted.order, 'checking-out', DEADLINE_MS)
  return { wanted, checkout }
}

/** The log id of the only checkout that an order has had. */
const onlyLogId = async (client: Client, order: string): Promise<string | undefined> => {
  const { log_ids } = (await client.get(`/orders/checkouts/${order}`)).json as { log_ids: readonly string[] }
  assert.equal(log_ids.length, 1)
  return log_ids[0]
}

/** A refusal at the deadline: neither before it, nor much later. It bears the log id of the checkout that is cancelled. */
const assertCancelled = async (
  t: ExecutionContext,
  order: string,
  { result, ms }: { result: Reply | undefined; ms: number },
): Promise<void> => {
  t.is(result?.status, 424)
  if (result === undefined) return
  t.is(result.headers['x-log-id'], await onlyLogId(opened().client, order))
  t.is(problemOf(result).type, 'urn:shop:problem:checkout-cancelled')
  t.is(result.headers['retry-after'], '1')
  t.true(ms >= DEADLINE_MS - 50 && ms < DEADLINE_MS + LATE_MS, `answered after ${Math.round(ms)} ms`)
}

/** Once everybody is back the order is open again, as if nothing had been, and can be paid. */
const assertUndoneAndPayable = async (
  t: ExecutionContext,
  shop: OpenShop,
  { user, item, order }: Cart,
): Promise<void> => {
  const { client } = shop
  const { ms } = await timed(whenStatus(client, order, 'open', SETTLE_MS))
  t.log(`open again ${Math.round(ms)} ms after the return`)
  t.is(await client.credit(user), 10)
  t.is(await client.stock(item), 3)
  await proveInvariants(t, shop, { told: [{ order, status: 424 }] })
  t.is((await client.checkout(order)).status, 200)
  t.is(await client.credit(user), 2)
  t.is(await client.stock(item), 1)
  await proveInvariants(t, shop)
}

test.serial('cancels at its deadline a checkout that payment does not read of, and undoes it', async (t) => {
  const { client } = opened()
  const { wanted, checkout } = await beginUnheard()
  const { order, item } = wanted
  t.is((await client.post(`/orders/addItem/${order}/${item}/1`)).status, 409)
  await assertCancelled(t, order, await checkout)

  t.is((await client.order(order)).status, 'cancelling')
  const again = await client.checkout(order)
  t.is(again.status, 409)
  t.is(problemOf(again).type, 'urn:shop:problem:checkout-cancelling')
  t.is(again.headers['retry-after'], '1')
  t.is((await client.post(`/orders/addItem/${order}/${item}/1`)).status, 409)

  await only('payment').start()
  await assertUndoneAndPayable(t, opened(), wanted)
})

test.serial('cancels at its deadline a checkout that stock does not read of, and undoes it', async (t) => {
  const { client } = opened()
  const wanted = await seed(client)
  const { order, user } = wanted
  await only('stock').stop()
  const checkout = timed(client.checkout(order))
  await whenSaid(client, 'payment', 'CreditHeld', order)
  await assertCancelled(t, order, await checkout)
  await whenSaid(client, 'payment', 'CreditReleased', order)
  t.is((await client.post(`/payment/pay/${user}/10`)).status, 200, 'nothing is held any more')
  t.is((await client.post(`/payment/add_funds/${user}/10`)).status, 200)
  await whenStatus(client, order, 'open', SETTLE_MS)

  await only('stock').start()
  await assertUndoneAndPayable(t, opened(), wanted)
})

test.serial('gives many checkouts of one order the same true answer at the deadline', async (t) => {
  const { client } = opened()
  const keyed = { 'Idempotency-Key': 'answered-at-the-deadline' }
  const { wanted, checkout } = await beginUnheard(keyed)
  const first = checkout.then(({ result }) => result)
  const replies = await Promise.all([first, ...Array.from({ length: 5 }, () => client.checkout(wanted.order))])
  const logId = await onlyLogId(client, wanted.order)
  t.deepEqual(
    replies.map((reply) => [reply?.status, reply?.headers['x-log-id']]),
    Array.from({ length: 6 }, () => [424, logId]),
  )
  await only('payment').start()
  await whenStatus(client, wanted.order, 'open', SETTLE_MS)
  const again = await client.checkout(wanted.order, keyed)
  t.deepEqual([again.status, again.headers['x-log-id']], [424, logId], 'what was answered under a key stays the answer')
  await assertUndoneAndPayable(t, opened(), wanted)
})

test.serial('has the log parser cancel a checkout whose order process was killed while it waited', async (t) => {
  const { client } = opened()
  const { wanted, checkout } = await beginUnheard()
  await only('order').kill()
  const { result: answer } = await checkout
  t.true(answer === undefined || answer.status >= 500, 'nobody knew')
  await only('order').start()
  await whenStatus(client, wanted.order, 'cancelling', PARSED_MS)
  await only('payment').start()
  await assertUndoneAndPayable(t, opened(), wanted)
})

test.serial('answers 503 within 2 s while its own Redis is away, and recovers without a restart', async (t) => {
  const { client, shop } = opened()
  const wanted = await seed(client)
  const { pid } = only('order')
  await shop.part('order-redis').kill()
  for (const attempt of ['first', 'second']) {
    const checkout = await timed(client.checkout(wanted.order))
    t.is(checkout.result.status, 503)
    t.is(checkout.result.headers['retry-after'], '1')
    t.is(checkout.result.headers.location, `/orders/find/${wanted.order}`)
    t.true(checkout.ms < UNAVAILABLE_MS, `the ${attempt} was answered after ${Math.round(checkout.ms)} ms`)
    const find = await timed(client.get(`/orders/find/${wanted.order}`))
    t.is(find.result.status, 503)
    t.is(find.result.headers['retry-after'], '1')
    t.true(find.ms < UNAVAILABLE_MS, `the ${attempt} was answered after ${Math.round(find.ms)} ms`)
  }
  t.is(await client.credit(wanted.user), 10, 'the other services go on')
  await shop.part('order-redis').start()
  const { ms } = await timed(whenPaid(client, wanted.order, SETTLE_MS))
  t.log(`works again ${Math.round(ms)} ms after the return`)
  t.is(only('order').pid, pid)
  await proveInvariants(t, opened(), { locksMs: 5_000 })
})

for (const service of ['ids', 'order', 'payment', 'stock'] as const)
  test.serial(
    `answers 503 within 2 s while the Redis of ${service} is frozen, and recovers without a restart`,
    async (t) => {
      const { client, shop } = opened()
      const { user, item, order } = await seed(client)
      const ask = {
        order: () => client.checkout(order),
        ids: () => client.get('/ids/create', { 'Idempotency-Key': `${user}-frozen` }),
        payment: () => client.post(`/payment/add_funds/${user}/1`, { 'Idempotency-Key': `${user}-frozen` }),
        stock: () => client.post(`/stock/add/${item}/1`, { 'Idempotency-Key': `${item}-frozen` }),
      }[service]
      shop.part(`${service}-redis`).freeze()
      const { result, ms } = await timed(ask())
      t.is(result.status, 503)
      t.is(result.headers['retry-after'], '1')
      t.true(ms < UNAVAILABLE_MS, `answered after ${Math.round(ms)} ms`)
      shop.part(`${service}-redis`).thaw()
      await eventually(async () => assert.equal((await ask()).status, 200), SETTLE_MS)
      if (service === 'order') t.is(await client.credit(user), 2, 'one effect')
      if (service === 'payment') t.is(await client.credit(user), 11, 'one effect')
      if (service === 'stock') t.is(await client.stock(item), 4, 'one effect')
      await proveInvariants(t, opened())
    },
  )

test.serial('answers 503 with the place to ask when its own Redis goes away while it waits', async (t) => {
  const { client, shop } = opened()
  const { wanted, checkout } = await beginUnheard()
  await shop.part('order-redis').kill()
  const { result, ms } = await checkout
  t.is(result?.status, 503)
  t.is(result?.headers.location, `/orders/find/${wanted.order}`)
  // Until then the Redis may be back, and the answer a definite one.
  t.true(ms >= DEADLINE_MS - 50 && ms < DEADLINE_MS + UNAVAILABLE_MS, `answered after ${Math.round(ms)} ms`)
  await shop.part('order-redis').start()
  await whenStatus(client, wanted.order, 'cancelling', PARSED_MS)
  await only('payment').start()
  await assertUndoneAndPayable(t, opened(), wanted)
})
