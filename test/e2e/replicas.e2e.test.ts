/** Two replicas of each service: whoever comes and goes among them, customers do not notice. */

import test, { type ExecutionContext } from 'ava'
import type { Part } from '../../env/local/managed-process.ts'
import { SERVICES } from '../../shared/contract/services.ts'
import { type Expectations, proveInvariants } from '../support/checker/invariants.ts'
import { daily } from '../support/faults/daily.ts'
import { chargeOneOrderOnce, spendOneWalletToTheEnd } from '../support/load/contention.ts'
import { inParallel, type Load, startLoad } from '../support/load/jobs.ts'
import type { Client } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test, { replicas: 2, spare: { ids: 1, order: 1, payment: 1, stock: 1 } })

const CUSTOMERS = 8
/** How many are served between two happenings, so that each of them meets a working shop under load. */
const MEANWHILE = 20
/** A process that is told to end has this long. */
const EXIT_MS = 10_000

/** Two services a day. */
const someServices = async (work: (first: Part, second: Part, spare: Part) => Promise<void>): Promise<void> => {
  for (const service of daily(SERVICES, 2)) {
    const [first, second, spare] = opened().shop.services[service]
    if (!first || !second || !spare) throw new Error(`${service} has too few replicas`)
    await work(first, second, spare)
  }
}

/** A customer's whole visit, of which every request must succeed. Few of them may be repeated by the gateway. */
const visit = async (client: Client, item: string): Promise<void> => {
  const user = await client.createUser(5)
  const order = await client.createOrder(user, [[item, 1]])
  const { status, text } = await client.checkout(order)
  if (status !== 200) throw new Error(`checkout: ${status} ${text}`)
  const credit = await client.credit(user)
  if (credit !== 4) throw new Error(`${credit} is left of 5 after a sale for 1`)
  const made = await client.get('/ids/create')
  if (made.status !== 200) throw new Error(`ids: ${made.status} ${made.text}`)
}

const assertNobodyNoticed = async (t: ExecutionContext, load: Load, expectations?: Expectations): Promise<void> => {
  const { failures, served, slowestMs } = await load.stop()
  t.log(`${served} customers were served, the slowest in ${Math.round(slowestMs)} ms`)
  t.deepEqual(failures, [])
  await proveInvariants(t, opened(), expectations)
}

test.serial('charges one order once, for 50 checkouts at once, wherever they arrive', (t) =>
  chargeOneOrderOnce(t, opened()),
)

test.serial('sells exactly 7 of 20 orders at once to a user who has credit for 7, wherever they arrive', (t) =>
  spendOneWalletToTheEnd(t, opened()),
)

test.serial('fails no request when one replica after the other is told to end under load', async (t) => {
  t.timeout(80_000)
  const { client } = opened()
  const item = await client.createItem(1, 1_000_000)
  const load = startLoad(t, CUSTOMERS, () => visit(client, item))
  await load.served(MEANWHILE)
  await someServices(async (first) => {
    const startedAt = performance.now()
    const exit = await first.kill('SIGTERM')
    t.deepEqual(exit, { code: 0, signal: null }, first.name)
    t.true(performance.now() - startedAt < EXIT_MS, first.name)
    await load.served(MEANWHILE)
    await first.start()
    await load.served(MEANWHILE)
  })
  await assertNobodyNoticed(t, load)
})

test.serial('loses no checkout and no read when one replica after the other is killed under load', async (t) => {
  t.timeout(80_000)
  const { client } = opened()
  const user = await client.createUser(1_000_000)
  const item = await client.createItem(1, 1_000_000)
  const users = await inParallel(50, 16, () => client.createUser(1_000))
  const orders = await inParallel(500, 32, (index) => client.createOrder(users[index % 50] ?? user, [[item, 1]]))
  const load = startLoad(t, CUSTOMERS, async (number) => {
    const order = orders[number % orders.length] ?? ''
    const { status, text } = await client.checkout(order)
    if (status !== 200) throw new Error(`checkout: ${status} ${text}`)
    if (!(await client.order(order)).paid) throw new Error(`order ${order} is not paid after a 200`)
    await Promise.all([client.credit(user), client.stock(item), client.get('/ids/log_count')])
  })
  await load.served(MEANWHILE)
  await someServices(async (first) => {
    await first.kill()
    await load.served(MEANWHILE)
    await first.start()
    await load.served(MEANWHILE)
  })
  await assertNobodyNoticed(t, load, { locksMs: 5_000 })
})

test.serial('is served by replicas that were added later, alone if need be', async (t) => {
  const { client } = opened()
  const item = await client.createItem(1, 1_000_000)
  const load = startLoad(t, CUSTOMERS, () => visit(client, item))
  await someServices(async (first, second, spare) => {
    await spare.start()
    await load.served(1)
    await Promise.all([first.stop(), second.stop()])
    await load.served(MEANWHILE)
  })
  await assertNobodyNoticed(t, load)
})
