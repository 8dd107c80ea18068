/**
 * Kill -9 of each part in the middle of 200 checkouts, of which some are refused for stock and some for credit.
 *
 * 32 customers repeat what was not answered, or answered with "not now", as people do, until they know. Whatever was
 * killed comes back after a moment; then everything settles, each customer has the answer that is due, every answer that
 * was ever given is still true, and no write that was acknowledged is missing or there twice.
 */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import type { Part } from '../../env/part.ts'
import { SERVICES } from '../../env/wiring.ts'
import { answerIfAny, type Client, inParallel, problemOf } from '../support/client.ts'
import { away, eventually } from '../support/eventually.ts'
import { openCheckouts, proveInvariants, settle, type Told } from '../support/invariants.ts'
import { bringBack, shareShop } from '../support/shop.ts'

const opened = shareShop(test)

test.afterEach.always(() => bringBack(opened()))

const CUSTOMERS = 32
const SAVERS = 6
const ORDERS = 200
/** The part is killed once so many customers have been answered. */
const KILL_AFTER = 50
const SERVICE_AWAY_MS = 1_000
const REDIS_AWAY_MS = 2_000
/** How long a customer repeats a request. */
const PATIENCE_MS = 30_000
/** Within this time from the return all checkouts have ended, everywhere. */
const SETTLE_MS = 5_000
/** A lock whose process died before it began a checkout lasts for its TTL. */
const LOCKS_MS = 4_000

type Due = 200 | 402 | 409
type Wanted = { readonly order: string; readonly due: Due }

/** Three of five orders can be paid, one is of somebody too poor, one of something that is not there. */
const seed = async (client: Client): Promise<Wanted[]> => {
  const items = await inParallel(5, 5, () => client.createItem(2, 1_000))
  const gone = await client.createItem(2, 1)
  const rich = await inParallel(40, 16, () => client.createUser(1_000))
  const poor = await inParallel(10, 10, () => client.createUser(5))
  const pick = (list: readonly string[], index: number): string => list[index % list.length] ?? ''
  return inParallel(ORDERS, 16, async (index): Promise<Wanted> => {
    const due: Due = index % 5 < 3 ? 200 : index % 5 === 3 ? 402 : 409
    const order = await client.createOrder(pick(due === 402 ? poor : rich, index), [
      [pick(items, index), 2],
      [due === 409 ? gone : pick(items, index + 1), 2],
    ])
    return { order, due }
  })
}

/** "Not now", as opposed to an answer to the question. */
const isNotNow = (status: number, type: unknown): boolean =>
  status >= 500 || status === 423 || status === 424 || type === 'urn:shop:problem:checkout-cancelling'

/** Asks for a checkout until there is an answer to it; each answer on the way is written down. */
const insist = (client: Client, order: string, told: Told[]): Promise<number> =>
  eventually(async () => {
    const reply = await answerIfAny(client.checkout(order))
    told.push({ order, status: reply?.status ?? 0 })
    assert.ok(reply, 'no answer')
    assert.ok(!isNotNow(reply.status, reply.status === 200 ? '' : problemOf(reply).type), reply.text)
    return reply.status
  }, PATIENCE_MS)

/** Several add 1 to a wallet, again and again under ever new keys, each time until it is acknowledged. */
const startSaving = (client: Client, user: string): { stop: () => Promise<number> } => {
  let stopping = false
  let saved = 0
  const save = async (saver: number): Promise<void> => {
    for (let time = 0; !stopping; time += 1) {
      const key = { 'Idempotency-Key': `${user}-${saver}-${time}` }
      await eventually(async () => {
        assert.equal((await answerIfAny(client.post(`/payment/add_funds/${user}/1`, key)))?.status, 200)
      }, PATIENCE_MS)
      saved += 1
    }
  }
  const saving = inParallel(SAVERS, SAVERS, save)
  return {
    stop: async () => {
      stopping = true
      await saving
      return saved
    },
  }
}

const surviveCrash = async (t: ExecutionContext, victims: readonly Part[], awayMs: number): Promise<void> => {
  t.timeout(80_000)
  const { client, shop } = opened()
  const wanted = await seed(client)
  const saver = await client.createUser()
  const others = shop.parts.filter((part) => !victims.includes(part)).map(({ name, pid }) => ({ name, pid }))

  const told: Told[] = []
  const answered = Promise.withResolvers<void>()
  let answers = 0
  const saving = startSaving(client, saver)
  const customers = inParallel(ORDERS, CUSTOMERS, async (index) => {
    const { order = '', due } = wanted[index] ?? {}
    const status = await insist(client, order, told)
    answers += 1
    if (answers === KILL_AFTER) answered.resolve()
    return { status, due }
  })
  await answered.promise
  await Promise.all(victims.map((part) => part.kill()))
  await away(awayMs)
  await Promise.all(victims.map((part) => part.start()))
  const returnedAt = performance.now()
  const sinceReturn = (): number => Math.round(performance.now() - returnedAt)

  const stranded = await openCheckouts(opened())
  await eventually(async () => {
    const open = await openCheckouts(opened())
    assert.deepEqual(
      [...stranded].filter((id) => open.has(id)),
      [],
    )
  }, SETTLE_MS)
  t.log(`${stranded.size} checkouts were open at the return; ${sinceReturn()} ms later they had ended`)

  const ends = await customers
  t.log(`${sinceReturn()} ms after the return all were answered, ${told.length - ORDERS} not at their first request`)
  t.deepEqual(
    ends.filter(({ status, due }) => status !== due),
    [],
  )
  const saved = await saving.stop()
  client.added.credit += saved
  t.is(await client.credit(saver), saved)

  const again = await inParallel(ORDERS, CUSTOMERS, (index) => insist(client, wanted[index]?.order ?? '', told))
  t.deepEqual(
    again,
    wanted.map(({ due }) => due),
    'asked again, each gets the same answer',
  )
  await proveInvariants(t, opened(), { told, locksMs: 'unchecked', seededByClientOnly: true })
  t.deepEqual(
    shop.parts.filter((part) => !victims.includes(part)).map(({ name, pid }) => ({ name, pid })),
    others,
    'nobody else had to be restarted',
  )
}

for (const service of SERVICES)
  test.serial(`survives kill -9 of ${service}`, (t) =>
    surviveCrash(t, opened().shop.services[service], SERVICE_AWAY_MS),
  )

test.serial('survives kill -9 of the gateway', (t) => surviveCrash(t, [opened().shop.gateway], SERVICE_AWAY_MS))

for (const service of SERVICES)
  test.serial(`survives kill -9 of the Redis of ${service}`, (t) =>
    surviveCrash(t, [opened().shop.redis[service]], REDIS_AWAY_MS),
  )

test.serial('survives kill -9 of everything at once', (t) => surviveCrash(t, opened().shop.parts, SERVICE_AWAY_MS))

test.serial('leaves no lock behind, once those of the dead have expired', async (t) => {
  await t.notThrowsAsync(settle(opened(), { locksMs: LOCKS_MS }))
})
