/** Locks save work, they decide nothing: the same cases with locks that are worth nothing, and with hasty deadlines. */

import test from 'ava'
import { whenSaid } from '../support/client.ts'
import { chargeOneOrderOnce, sellOneItemToTheEnd, spendOneWalletToTheEnd } from '../support/contention.ts'
import { proveInvariants } from '../support/invariants.ts'
import { inParallel } from '../support/load/jobs.ts'
import { openShop, shareShop } from '../support/shop.ts'

const opened = shareShop(test, { replicas: { order: 2 }, env: { order: { LOCK_TTL_MS: '1' } } })

test.serial('charges one order once when a lock lasts 1 ms', (t) => chargeOneOrderOnce(t, opened()))

test.serial('begins no second checkout of an order while one is under way when a lock lasts 1 ms', async (t) => {
  const { client } = opened()
  const { user, item, order } = await client.createCart({ price: 3, quantity: 2 })
  const stock = opened().shop.part('stock-1')
  stock.freeze()
  const first = client.checkout(order)
  await whenSaid(client, 'payment', 'CreditHeld', order)
  const others = inParallel(10, 10, (index) => client.checkout(order, { 'Idempotency-Key': `${order}-${index}` }))
  for (let look = 0; look < 10; look += 1) t.is((await client.order(order)).status, 'checking-out')
  stock.thaw()
  for (const { status } of [await first, ...(await others)]) t.is(status, 200)
  t.is(await client.credit(user), 94)
  t.is(await client.stock(item), 8)
  const begun = (await client.log('orders')).filter(
    ({ kind, facts }) => kind === 'CheckoutStarted' && facts.order === order,
  )
  t.is(new Set(begun.map(({ log_id }) => log_id)).size, 1)
  await proveInvariants(t, opened())
})

test.serial('sells exactly 7 of 20 orders of one user when a lock lasts 1 ms', (t) =>
  spendOneWalletToTheEnd(t, opened()),
)

test.serial('sells exactly the 50 pieces there are to 300 users when a lock lasts 1 ms', (t) =>
  sellOneItemToTheEnd(t, opened(), { many: 300, pieces: 50 }),
)

test.serial('refuses nobody for credit that a failing checkout holds when a lock lasts 1 ms', async (t) => {
  const { client } = opened()
  const user = await client.createUser(10)
  const [there, gone] = [await client.createItem(10, 5), await client.createItem(10)]
  for (let round = 0; round < 10; round += 1) {
    const failing = await inParallel(5, 5, () => client.createOrder(user, [[gone, 1]]))
    const good = await client.createOrder(user, [[there, 1]])
    const checkouts = [...failing.slice(0, 3), good, ...failing.slice(3)].map((order) => client.checkout(order))
    const statuses = (await Promise.all(checkouts)).map(({ status }) => status)
    // Whoever comes after the one that is sold finds the wallet empty; whoever comes before finds the shelf empty.
    t.is(statuses[3], round < 5 ? 200 : 409, `round ${round}: ${statuses}`)
    t.true(statuses.every((status, index) => index === 3 || status === 409 || status === 402))
    if (round < 5) {
      t.is(await client.credit(user), 0)
      t.is((await client.post(`/payment/add_funds/${user}/10`)).status, 200)
    }
  }
  await proveInvariants(t, opened())
})

test.serial('keeps its promises when most checkouts meet their deadline', async (t) => {
  t.timeout(60_000)
  const hasty = await openShop(t, { env: { order: { LOCK_TTL_MS: '1', CHECKOUT_DEADLINE_MS: '100' } } })
  const { client } = hasty
  const [plenty, scarce] = [await client.createItem(1, 10_000), await client.createItem(1, 20)]
  const user = await client.createUser(30)
  const orders = await inParallel(300, 32, async (index) => {
    const whose = index % 3 === 0 ? user : await client.createUser(2)
    return client.createOrder(whose, [[index % 2 === 0 ? plenty : scarce, 1]])
  })
  const replies = await Promise.all(orders.map((order) => client.checkout(order)))
  const counts = Object.groupBy(replies, ({ status }) => String(status))
  t.log(Object.entries(counts).map(([status, all]) => `${status}: ${all?.length}`))
  // The deadline is shorter than a lock master may take to answer, so on a busy machine it may pass before anybody knows.
  t.deepEqual(
    Object.keys(counts).filter((status) => !['200', '402', '409', '423', '424', '503'].includes(status)),
    [],
  )
  t.true((counts[424]?.length ?? 0) + (counts[423]?.length ?? 0) > 0, 'some must have met their deadline')
  const told = replies.map(({ status }, index) => ({ order: orders[index] ?? '', status }))
  await proveInvariants(t, hasty, { told, settleMs: 15_000, seededByClientOnly: true })

  const again = await inParallel(orders.length, 8, (index) => client.checkout(orders[index] ?? ''))
  for (const [index, { status }] of again.entries())
    if (replies[index]?.status === 200) t.is(status, 200, 'what was paid stays paid')
  const toldAgain = again.map(({ status }, index) => ({ order: orders[index] ?? '', status }))
  await proveInvariants(t, hasty, { told: [...told, ...toldAgain], settleMs: 15_000, seededByClientOnly: true })
})
