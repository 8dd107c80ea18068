/**
 * Faults of processes: they are told to end, they freeze and wake up with old intentions, their clocks jump, there are two
 * of what should be one, the whole shop dies at once; and requests that come 50 times. Two replicas of each service.
 */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type { Part } from '../../env/local/managed-process.ts'
import { SERVICES } from '../../shared/contract/services.ts'
import { locksLeft, proveInvariants } from '../support/checker/invariants.ts'
import { away, eventually } from '../support/eventually.ts'
import { during, strike, type Victim } from '../support/faults/catalogue.ts'
import { FULL } from '../support/faults/daily.ts'
import { survive } from '../support/faults/survive.ts'
import { inParallel, startLoad } from '../support/load/jobs.ts'
import { answerIfAny, type Client, openClient } from '../support/shop/client.ts'
import { bringBack, directTo, shareShop } from '../support/shop/shop.ts'

const DEADLINE_MS = 10_000
const SHORT_DEADLINE_MS = 3_000
const LOCK_TTL_MS = 3_000
const UNAVAILABLE_MS = 2_000
/** A replica that is unresponsive is given up after this time, and another is asked. */
const UNRESPONSIVE_MS = 3_000
const ORDERS = FULL ? 200 : 100
/** A lock whose holder froze or died lasts for its TTL. */
const LOCKS_MS = LOCK_TTL_MS + 1_000
const PREFIXES = ['orders', 'payment', 'stock', 'ids'] as const

const CLOCK = pathToFileURL(join(import.meta.dirname, '../support/faults/clock.ts')).href
/** Longer than the machine takes, under load, for a signal and two answers: whoever drains can be seen to. */
const DRAIN_MS = 2_000
const opened = shareShop(test, {
  replicas: 2,
  env: {
    all: {
      NODE_OPTIONS: [process.env.NODE_OPTIONS, `--import=${CLOCK}`].filter(Boolean).join(' '),
      DRAIN_MS: String(DRAIN_MS),
    },
    order: { CHECKOUT_DEADLINE_MS: String(FULL ? DEADLINE_MS : SHORT_DEADLINE_MS) },
  },
})

const deadlineMs = FULL ? DEADLINE_MS : SHORT_DEADLINE_MS

const masters = (): Victim[] =>
  (['order', 'payment', 'stock'] as const).map((service) => ({ part: opened().shop.part(`${service}-redis`) }))
const replicas = (): Part[] => SERVICES.flatMap((service) => [...opened().shop.services[service]])

/** The lines that a part has logged since so many bytes. */
const saidSince = async ({ logFile }: Part, bytes: number): Promise<string[]> =>
  (await readFile(logFile)).subarray(bytes).toString().split('\n')

const logBytes = async ({ logFile }: Part): Promise<number> => (await readFile(logFile)).length

// Row 2

/** What a customer does who must not fail: everything but what the gateway may not repeat is in it, and that, too. */
const visit = async (client: Client, item: string): Promise<void> => {
  const user = await client.createUser(5)
  const order = await client.createOrder(user, [[item, 1]])
  const { status, text } = await client.checkout(order)
  if (status !== 200) throw new Error(`checkout: ${status} ${text}`)
  const made = await client.get('/ids/create')
  if (made.status !== 200) throw new Error(`ids: ${made.status} ${made.text}`)
}

/** Besides the time that the machine takes, under this load, for the signal and for an answer. */
const NOT_READY_MS = 100
const ASKED = 5

for (const name of FULL ? ['ids-1', 'order-1', 'payment-1', 'stock-1'] : ['order-1'])
  test.serial(`a SIGTERM of ${name} under load fails nobody, and is seen within 100 ms`, async (t) => {
    t.timeout(60_000)
    const { client } = opened()
    const part = opened().shop.part(name)
    const direct = directTo(t, part)
    const item = await client.createItem(1, 100_000)
    const load = startLoad(t, 32, () => visit(client, item))
    await load.served(64)
    const askedAt = performance.now()
    for (let asked = 0; asked < ASKED; asked += 1) t.is((await direct.get('/ready')).status, 200)
    const startedAt = performance.now()
    const answerMs = (startedAt - askedAt) / ASKED
    const exit = part.kill('SIGTERM')
    const notReady = eventually(
      async () => assert.equal((await direct.get('/ready')).status, 503),
      NOT_READY_MS + 2 * answerMs,
    )
    await t.notThrowsAsync(notReady, 'it still says that it is ready')
    t.deepEqual(await exit, { code: 0, signal: null })
    const ms = performance.now() - startedAt
    t.true(ms < 10_000, `it took ${Math.round(ms)} ms to end`)
    await load.served(32)
    const { failures, served, slowestMs } = await load.stop()
    t.log(`${served} were served, the slowest in ${Math.round(slowestMs)} ms; it ended after ${Math.round(ms)} ms`)
    t.deepEqual(failures, [])
    await part.start()
    await proveInvariants(t, opened(), { seededByClientOnly: true })
  })

// Row 3

const LEASES = { order: 'payment', payment: 'stock', stock: 'payment' } as const
type Subscriber = keyof typeof LEASES

/** When a replica got the lease to read a peer's log, if it did not lose it since. */
const heldSince = async (part: Part, subscriber: Subscriber): Promise<number> => {
  const ofLease = `"lease":"reader:${subscriber}:${LEASES[subscriber]}"`
  const last = (await saidSince(part, 0)).filter((line) => line.includes(ofLease)).at(-1) ?? ''
  return last.includes('holds the lease') ? Number(/"time":(\d+)/.exec(last)?.[1]) : 0
}

/** The replica that got it last: one that was ended had it before. */
const findHolder = (subscriber: Subscriber): Promise<Part> =>
  eventually(async () => {
    const parts = opened().shop.services[subscriber]
    const times = await Promise.all(parts.map((part) => heldSince(part, subscriber)))
    const latest = Math.max(...times)
    assert.ok(latest > 0)
    return parts[times.indexOf(latest)] as Part
  }, 10_000)

const STALE = /lost the lease|another reader has applied this before/

const freeze = async (t: ExecutionContext, part: Part, forMs: number, isStale: boolean): Promise<void> => {
  t.timeout(120_000)
  const bytes = await logBytes(part)
  await survive(t, opened(), {
    orders: ORDERS,
    disturb: () => during('freeze', [{ part }], () => away(forMs)),
    answerMs: deadlineMs + UNAVAILABLE_MS + UNRESPONSIVE_MS + (part.name === 'gateway' ? forMs : 0),
    expectations: { locksMs: LOCKS_MS },
  })
  const stale = (await saidSince(part, bytes)).filter((line) => STALE.test(line))
  t.log(`${stale.length} stale commands of ${part.name} were refused`)
  if (isStale) t.true(stale.length > 0, 'no stale command was seen, so none was refused')
}

for (const forMs of [LOCK_TTL_MS / 2, 3 * LOCK_TTL_MS, 30_000]) {
  const name = `freezes for ${forMs / 1_000} s, and its stale commands are refused`
  for (const subscriber of Object.keys(LEASES) as Subscriber[])
    if (FULL || (subscriber === 'order' && forMs === 3 * LOCK_TTL_MS))
      test.serial(`the replica of ${subscriber} that reads and locks ${name}`, async (t) =>
        freeze(t, await findHolder(subscriber), forMs, forMs > LOCK_TTL_MS),
      )
  if (FULL) test.serial(`the gateway ${name}`, (t) => freeze(t, opened().shop.part('gateway'), forMs, false))
}

test.serial(
  'a checkout that was given up is not begun when its replica wakes up: the refusal stays true',
  async (t) => {
    const { client } = opened()
    const { user, order } = await client.createCart({ credit: 1 })
    const part = opened().shop.part('order-1')
    const direct = openClient(part.url)
    // A connection that it knows: the request lies in it when it wakes.
    t.is((await direct.get('/ready')).status, 200)
    part.freeze()
    const given = answerIfAny(direct.checkout(order))
    await away(100)
    direct.close()
    t.is(await given, undefined)
    const told = await client.checkout(order)
    t.is(told.status, 402)
    t.is((await client.post(`/payment/add_funds/${user}/9`)).status, 200)
    client.added.credit += 9
    part.thaw()
    await eventually(async () => assert.equal((await directTo(t, part).get('/ready')).status, 200), 5_000)
    await away(500)
    t.is((await client.order(order)).status, 'open')
    t.is(await client.credit(user), 10)
    await proveInvariants(t, opened(), { told: [{ order, status: 402 }], locksMs: LOCKS_MS })
  },
)

// Row 14

/** Lets the clocks of all jump: to an hour ahead, to an hour behind, and back. */
const jump = (parts: readonly Part[]): void => {
  // Not to be awaited: it survives this signal.
  for (const part of parts) void part.kill('SIGUSR2')
}

test.serial('nothing depends on the clocks of services: they jump by hours under load', async (t) => {
  t.timeout(60_000)
  const everyOther = replicas().filter((_, index) => index % 2 === 0)
  await survive(t, opened(), {
    orders: ORDERS,
    disturb: async () => {
      for (const parts of [everyOther, replicas(), everyOther, replicas()]) {
        jump(parts)
        await away(FULL ? 5_000 : 400)
      }
    },
    answerMs: deadlineMs,
  })
  // By now the first have jumped four times, to an hour ahead, and the others twice, to an hour behind.
  const { client } = opened()
  const user = await client.createUser(100)
  const item = await client.createItem(1, 100)
  const orders = await inParallel(4, 4, () => client.createOrder(user, [[item, 1]]))
  for (const part of opened().shop.services.payment) part.freeze()
  const cancelled = await Promise.all(
    orders.slice(0, 2).map(async (order, index) => {
      const startedAt = performance.now()
      const { status } = await directTo(t, opened().shop.part(`order-${index + 1}`)).checkout(order)
      return { status, ms: performance.now() - startedAt }
    }),
  )
  for (const part of opened().shop.services.payment) part.thaw()
  for (const { status, ms } of cancelled) {
    t.true(status === 424 || status === 423, `it was ${status}`)
    t.true(ms > deadlineMs - 50 && ms < deadlineMs + 1_000, `its deadline was after ${Math.round(ms)} ms`)
  }
  await eventually(async () => assert.equal((await client.checkout(orders[0] ?? '')).status, 200), 10_000)
  jump(everyOther)
  jump(everyOther)
  jump(replicas().filter((part) => !everyOther.includes(part)))
  await proveInvariants(t, opened(), { locksMs: LOCKS_MS })
})

// Row 16

/** So many that they are still being checked out while two readers believe to have the lease. */
const READ_TWICE_ORDERS = FULL ? 1_500 : 1_000

test.serial('two readers of one log and two parsers of one service have one effect', async (t) => {
  t.timeout(FULL ? 300_000 : 180_000)
  const bytes = await Promise.all(replicas().map(logBytes))
  await survive(t, opened(), {
    orders: READ_TWICE_ORDERS,
    disturb: async () => {
      for (let time = 0; time < (FULL ? 100 : 8); time += 1) {
        await strike('forget-leases', masters())
        await Promise.allSettled(
          PREFIXES.flatMap((prefix) => [
            opened().client.post(`/${prefix}/fault_tolerance`),
            opened().client.post(`/${prefix}/fault_tolerance`),
          ]),
        )
        await away(200)
      }
    },
    answerMs: deadlineMs,
    expectations: { locksMs: LOCKS_MS },
  })
  const said = await Promise.all(replicas().map((part, index) => saidSince(part, bytes[index] ?? 0)))
  const passed = said.flat().filter((line) => line.includes('another reader has applied this before')).length
  t.log(`${passed} batches were read by two readers`)
  t.true(passed > 0, 'no batch was read twice, so none was refused')
})

// Row 17

test.serial('a request that comes 50 times at once under one key has one effect, wherever it arrives', async (t) => {
  const { client } = opened()
  const { user, item, order } = await client.createCart({ credit: 10, price: 1, stock: 10 })
  const said = async (): Promise<number> => {
    const counts = PREFIXES.map(async (prefix) => Number((await client.get(`/${prefix}/log_count`)).text))
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
  }
  for (const [method, path, entries] of [
    ['POST', `/payment/add_funds/${user}/7`, 1],
    ['POST', `/payment/pay/${user}/3`, 1],
    ['POST', `/stock/add/${item}/7`, 1],
    ['POST', `/stock/subtract/${item}/3`, 1],
    ['POST', '/payment/create_user', 1],
    ['POST', '/stock/item/create/3', 1],
    ['POST', `/orders/create/${user}`, 1],
    ['GET', '/ids/create', 1],
    ['POST', `/orders/addItem/${order}/${item}/1`, 1],
    ['POST', `/orders/checkout/${order}`, 5],
  ] as const) {
    const before = await said()
    const key = { 'Idempotency-Key': `at-once-${path.replaceAll('/', '-')}` }
    const replies = await inParallel(50, 50, () => client.request(method, path, key))
    t.deepEqual([...new Set(replies.map(({ status }) => status))], [200], path)
    t.is(new Set(replies.map(({ text }) => text)).size, 1, path)
    t.is((await said()) - before, entries, path)
  }
  client.added.credit += 4
  client.added.stock += 4
  t.deepEqual([await client.credit(user), await client.stock(item)], [12, 12])
  t.deepEqual((await client.order(order)).items, [[item, 2]])
  await proveInvariants(t, opened(), { seededByClientOnly: true })
})

// Row 18

const dieAtOnce = async (t: ExecutionContext): Promise<void> => {
  t.timeout(150_000)
  const times = 6
  await survive(t, opened(), {
    orders: ORDERS * times,
    disturb: async () => {
      for (let time = 0; time < times; time += 1) {
        await Promise.all(opened().shop.parts.map((part) => part.kill()))
        await bringBack(opened())
        await away(Math.random() * 1_000)
      }
    },
    expectations: { locksMs: 'unchecked' },
  })
  await eventually(async () => assert.deepEqual(await locksLeft(opened()), []), LOCKS_MS)
}

// Once, and with more customers, is in e2e/crash.
if (FULL) test.serial('everything dies at once, again and again at any moment, and comes back whole', dieAtOnce)
