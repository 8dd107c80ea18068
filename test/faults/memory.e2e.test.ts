/**
 * A Redis that is nearly full: nothing new is begun, and what is under way ends, surveys go round and old entries go, so that
 * there is room again.
 *
 * And one that is full: it reads, takes away and refuses everything else. So the log parser runs, old entries go, the audit
 * answers and people look at what there is; whoever would write is told so truthfully, and once there is memory again all
 * is as it was.
 */

import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import type { Redis } from 'ioredis'
import { VERSION } from '../../shared/contract/events.ts'
import { PARTICIPANTS, type Participant } from '../../shared/contract/services.ts'
import { settle, type Told, violations } from '../support/checker/invariants.ts'
import { eventually } from '../support/eventually.ts'
import { daily, FULL } from '../support/faults/daily.ts'
import { inParallel } from '../support/load/jobs.ts'
import { lookInto } from '../support/shop/behind.ts'
import type { Client } from '../support/shop/client.ts'
import { type OpenShop, openShop } from '../support/shop/shop.ts'

const DEADLINE_MS = 1_500
/** What is left, so that it is the shop that fills it. */
const ROOM_BYTES = 150_000
const NEVER = '0 0 0 1 1 *'
const WITHIN_MS = 10_000
/** A lock whose holder could not reach its masters lasts for its TTL of 3 s. */
const LOCKS_MS = 4_000

const PREFIX = { order: 'orders', payment: 'payment', stock: 'stock' } as const
/** Entries of the log that fills are kept for so long. */
const RETENTION_MS = 1_000
/** Order begins a survey eight times in this; no test lasts for so long. */
const SURVEYED_MS = 60_000

/** An entry that nobody acts on, and older than any log is kept. */
const OLD = {
  order: ['SurveyEnded', `version=${VERSION} log_id=old open=`],
  payment: ['UserCreated', `version=${VERSION} log_id=old user=old`],
  stock: ['ItemCreated', `version=${VERSION} log_id=old item=old price=1`],
} as const

/** What customers do that is written. */
const making = {
  order: (user: string) => `/orders/create/${user}`,
  payment: () => '/payment/create_user',
  stock: () => '/stock/item/create/1',
} as const

/** Fills the Redis by what customers do until it refuses. */
const fill = async (
  participant: Participant,
  { client, shop }: OpenShop,
  operator: Redis,
  user: string,
): Promise<number> => {
  const limit = async (roomBytes: number): Promise<void> => {
    const used = Number(/^used_memory:(\d+)/m.exec(await operator.info('memory'))?.[1])
    await operator.config('SET', 'maxmemory', String(used + roomBytes))
  }
  await limit(ROOM_BYTES)
  assert.ok(shop.part(`${participant}-redis`).state === 'up')
  const refusals = await inParallel(8, 8, async () => {
    for (;;) {
      const { status } = await client.post(making[participant](user))
      if (status !== 200) return status
    }
  })
  assert.deepEqual([...new Set(refusals)], [503])
  // What connections take and give back would else make room for one now and then.
  await limit(-ROOM_BYTES)
  return refusals.length
}

type Report = {
  readonly trimmed: number
  readonly found: readonly { readonly log_id: string; readonly done: string }[]
}

const runParser = async (t: ExecutionContext, client: Client, participant: Participant): Promise<Report> => {
  const reply = await client.post(`/${PREFIX[participant]}/fault_tolerance`)
  t.is(reply.status, 200, reply.text)
  return reply.json as Report
}

/** Appends what is older than any log is kept, before the first entries. */
const age = async (t: ExecutionContext, { shop }: OpenShop, participant: Participant): Promise<void> => {
  for (const publisher of new Set(['order', participant] as const))
    await lookInto(shop.part(`${publisher}-redis`), t).xadd(`log:${publisher}`, '1-1', ...OLD[publisher])
}

/** Has two surveys go round, a retention apart: what was said before the first may be trimmed. */
const surveyed = async (t: ExecutionContext, { client, shop }: OpenShop, operator: Redis) => {
  const ofOrder = lookInto(shop.part('order-redis'), t)
  const surveysIn = async (redis: Redis) =>
    Object.entries(await redis.hgetall('sagas:survey')).map(([id, survey]) => {
      const [at = '', ended] = survey.split(' ')
      return { id, cameMs: Number.parseInt(at, 10), endedMs: Number(ended) }
    })
  const endedIn = async (wanted: (id: string) => boolean): Promise<number> =>
    eventually(async () => {
      const ended = (await surveysIn(operator)).find(({ id, endedMs }) => wanted(id) && endedMs > 0)
      assert.ok(ended, 'no survey has ended')
      return ended.endedMs
    }, WITHIN_MS)
  await runParser(t, client, 'order')
  const firstMs = await endedIn(() => true)
  const second = await eventually(async () => {
    await runParser(t, client, 'order')
    const later = (await surveysIn(ofOrder)).find(({ cameMs }) => cameMs >= firstMs + RETENTION_MS)
    assert.ok(later, 'no survey has begun')
    return later.id
  }, 2 * WITHIN_MS)
  await endedIn((id) => id === second)
}

const isBalanced = async (client: Client): Promise<void> => {
  const { status, text, json } = await client.get('/audit')
  assert.equal(status, 200, text)
  assert.equal((json as { balanced: boolean }).balanced, true, text)
}

for (const participant of daily(PARTICIPANTS, 1))
  test(`out of memory, the Redis of ${participant} is read, trimmed and audited, and refuses the rest`, async (t) => {
    t.timeout(90_000)
    const opened = await openShop(t, {
      env: {
        order: { CHECKOUT_DEADLINE_MS: String(DEADLINE_MS), LOG_RETENTION_MS: String(SURVEYED_MS) },
        ...{
          [participant]: {
            LOG_PARSER_CRON: NEVER,
            LOG_RETENTION_MS: String(RETENTION_MS),
            CHECKOUT_DEADLINE_MS: String(DEADLINE_MS),
          },
        },
      },
    })
    const { client, shop } = opened
    const operator = lookInto(shop.part(`${participant}-redis`), t)
    await age(t, opened, participant)
    await surveyed(t, opened, operator)
    const item = await client.createItem(1, 1_000)
    const users = await inParallel(FULL ? 40 : 10, 8, () => client.createUser(10))
    const orders = await inParallel(users.length, 8, (at) => client.createOrder(users[at] ?? '', [[item, 2]]))
    const [user = ''] = users
    // A thing in the index of which there is no record: nothing but to be dropped.
    if (participant !== 'stock') await operator.zadd('sagas:open', 1, 'ghost')

    const refused = await fill(participant, opened, operator, user)
    t.log(`${refused} were refused`)
    for (const path of [`/orders/find/${orders[0]}`, `/payment/find_user/${user}`, `/stock/find/${item}`])
      t.is((await client.get(path)).status, 200, path)
    const told: Told[] = []
    const checkOut = async (at: number): Promise<number> => {
      const order = orders[at] ?? ''
      const { status } = await client.checkout(order)
      told.push({ order, status })
      return status
    }
    // Order has looked by now, whose Redis ever it is.
    await eventually(async () => {
      assert.equal((await client.post(making.order(user))).status, 503)
    }, WITHIN_MS)
    t.deepEqual([...new Set(await inParallel(3, 3, checkOut))], [503])
    await eventually(() => isBalanced(client), WITHIN_MS)
    await eventually(async () => {
      assert.ok((await runParser(t, client, participant)).trimmed > 0, 'nothing was trimmed')
    }, WITHIN_MS)
    t.deepEqual(await operator.xrange(`log:${participant}`, '1-1', '1-1'), [])
    t.is((await client.post(making[participant](user))).status, 503, 'there was no memory all the while')
    if (participant !== 'stock') t.is(await operator.zscore('sagas:open', 'ghost'), null, 'it was dropped')

    await operator.config('SET', 'maxmemory', '0')
    await inParallel(orders.length, 8, (at) =>
      eventually(async () => assert.equal(await checkOut(at), 200), 2 * WITHIN_MS),
    )
    await isBalanced(client)
    await settle(opened, { settleMs: WITHIN_MS, locksMs: LOCKS_MS })
    const found = await violations(opened, { told })
    t.deepEqual(
      found.filter((one) => !one.startsWith(`log-not-contiguous of log:${participant}`)),
      [],
      'but for the entry that was trimmed, nothing is missing',
    )
  })

/** Of so much in the Redis that is filled, a twentieth is much for a test. */
const FILLING_BYTES = 40 * 1_048_576

const problemOf = ({ json }: { readonly json: unknown }): unknown => (json as { readonly type?: unknown }).type

for (const participant of daily(PARTICIPANTS, 1))
  test(`while the Redis of ${participant} is nearly full nothing new is begun, what was begun ends, and trimming goes on`, async (t) => {
    t.timeout(90_000)
    const opened = await openShop(t, {
      env: {
        order: { LOG_RETENTION_MS: String(SURVEYED_MS) },
        [participant]: { LOG_PARSER_CRON: NEVER, LOG_RETENTION_MS: String(RETENTION_MS) },
      },
    })
    const { client, shop } = opened
    const operator = lookInto(shop.part(`${participant}-redis`), t)
    await age(t, opened, participant)
    const item = await client.createItem(1, 10)
    const user = await client.createUser(10)
    const [paid, open] = await inParallel(2, 2, () => client.createOrder(user, [[item, 2]]))
    assert.ok(paid !== undefined && open !== undefined)
    await operator.setrange('filling', FILLING_BYTES, 'x')
    const held = shop.part(participant === 'payment' ? 'stock-1' : 'payment-1')
    held.freeze()
    const underWay = client.checkout(paid)
    await eventually(async () => {
      assert.equal(((await client.get(`/orders/${paid}`)).json as { status: string }).status, 'checking-out')
    }, WITHIN_MS)
    const used = Number(/^used_memory:(\d+)/m.exec(await operator.info('memory'))?.[1])
    await operator.config('SET', 'maxmemory', Math.floor(used / 0.96))

    const refused = async () => client.post(making[participant](user))
    await eventually(async () => assert.equal(problemOf(await refused()), 'urn:shop:problem:no-room'), WITHIN_MS)
    // Order has looked by now as well.
    await eventually(async () => {
      assert.equal(problemOf(await client.post(making.order(user))), 'urn:shop:problem:no-room')
    }, WITHIN_MS)
    t.is(problemOf(await client.checkout(open)), 'urn:shop:problem:no-room')
    held.thaw()
    t.is((await underWay).status, 200)
    t.is((await client.get(`/orders/${open}`)).status, 200)
    t.is((await client.post(`/orders/${open}/cancel`)).status, 200)
    await surveyed(t, opened, operator)
    await eventually(async () => {
      assert.ok((await runParser(t, client, participant)).trimmed > 0, 'nothing was trimmed')
    }, WITHIN_MS)
    t.is(problemOf(await refused()), 'urn:shop:problem:no-room', 'it was nearly full all the while')

    await operator.config('SET', 'maxmemory', '0')
    await eventually(async () => assert.equal((await refused()).status, 200), WITHIN_MS)
    await isBalanced(client)
  })
