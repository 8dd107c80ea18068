/** What is a webhook sent, when, and in which order? By the delivering of a replica, over a real Redis, to a receiver over HTTP. */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { Webhook } from 'standardwebhooks'
import { openDeliveryStore } from '../../../order/store/deliveries.ts'
import type { KnownWebhook } from '../../../order/store/webhooks.ts'
import { openStore, type Store } from '../../../order/store.ts'
import { openDelivering } from '../../../order/webhooks/delivering.ts'
import { EVENT_TYPES } from '../../../order/webhooks/event.ts'
import { openSender } from '../../../order/webhooks/send.ts'
import { newSecret } from '../../../order/webhooks/signature.ts'
import { keepLease } from '../../../shared/lock/lease.ts'
import { compareIds } from '../../../shared/log/entry.ts'
import { connect } from '../../../shared/redis/connection.ts'
import { eventually } from '../../support/eventually.ts'
import { writtenTo } from '../../support/faults/older-redis.ts'
import { openReceiver, type Receiver, refuse, take } from '../../support/receiver.ts'
import {
  type Bench,
  comeBack,
  openBench,
  openBenchOn,
  openDurable,
  plainly,
  resultsSeen,
  under,
} from '../../support/shop/open-store.ts'

const TIMEOUT_MS = 20_000
const LEASE_TTL_MS = 1_000
/** Half of what a receiver may take for an attempt. */
const STOP_MS = 5_000
const HOUR_MS = 3_600_000
const logger = pino({ level: 'silent' })

const bench = await openBench()
const store = openStore(bench.dependencies)
const seen = resultsSeen(store.log, {}, 'webhooks')
test.after.always(() => bench[Symbol.asyncDispose]())
test.serial.beforeEach(() => bench.redis.flushall())

type Replica = { readonly stop: () => Promise<void> }

/** A replica of order, as far as webhooks go. */
const openReplica = (
  t: ExecutionContext,
  { dependencies, server }: Bench,
  by: Pick<Store, 'hasWebhooks'> = store,
  waitMs = 20,
): Replica => {
  const { step, redLock } = dependencies
  const sender = openSender(step, true)
  const delivering = openDelivering({
    store: by,
    underLease: (name, onHeld) => keepLease({ name, ttlMs: LEASE_TTL_MS, redLock, onHeld, log: logger }),
    openDeliveries: () => openDeliveryStore({ ...dependencies, redis: connect(server.url, 'command') }),
    send: sender.send,
    measured: { attempted: () => undefined },
    logger,
    waitMs: () => waitMs,
  })
  delivering.start()
  const stop = async (): Promise<void> => {
    await delivering.stop()
    sender.close()
  }
  t.teardown(stop)
  return { stop }
}

const receiving = async (t: ExecutionContext): Promise<Receiver> => {
  const receiver = await openReceiver()
  t.teardown(receiver.close)
  return receiver
}

let made = 0
const create = async (by: Store, url: string, events: readonly string[] = EVENT_TYPES) => {
  made += 1
  const webhook = `webhook-${made}`
  const secret = newSecret()
  const wish = { webhook, url, events: events.join(','), secret, enabled: 'yes' } as const
  assert.equal((await by.createWebhook(wish, plainly))[0], 'created')
  return { webhook, secret }
}

const find = async (by: Store, webhook: string): Promise<KnownWebhook> => {
  const found = await by.findWebhook(webhook)
  assert.ok(found)
  return found
}

const whenFound = (by: Store, webhook: string, isSo: (found: KnownWebhook) => boolean): Promise<void> =>
  eventually(async () => {
    const found = await find(by, webhook)
    assert.ok(isSo(found), JSON.stringify(found))
  }, TIMEOUT_MS)

const createOrders = async (by: Store, from: number, to: number): Promise<void> => {
  for (let order = from; order <= to; order += 1) await by.create(String(order), 'anna', plainly)
}
const ordersIn = ({ received }: Receiver): readonly number[] => received.map(({ event }) => Number(event.data.order_id))
const idsIn = ({ received }: Receiver): readonly string[] => received.map(({ event }) => event.id)
const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at)

/** Of what was received twice, the first time. */
const first = (all: readonly number[]): readonly number[] => [...new Set(all)]

test.serial('events are sent in the order of the log, signed as Standard Webhooks has it', async (t) => {
  const receiver = await receiving(t)
  await createOrders(store, 0, 0) // before there is a webhook
  const { webhook, secret } = await create(store, `${receiver.url}/hook?a=b`)
  openReplica(t, bench)
  await createOrders(store, 1, 260) // more than a page
  await receiver.whenReceived(260)
  t.deepEqual(ordersIn(receiver), numbers(1, 260))
  for (const { path, headers, body, event } of receiver.received) {
    t.is(path, '/hook?a=b')
    t.is(headers['content-type'], 'application/cloudevents+json; charset=utf-8')
    t.is(headers['webhook-id'], event.id)
    t.deepEqual(new Webhook(secret).verify(body, headers as Record<string, string>), event)
  }
  const [one] = receiver.received
  const entries = await store.log.page('0-0', 10)
  const entry = entries.find(({ facts }) => facts.order === '1')
  t.deepEqual(one?.event, {
    specversion: '1.0',
    id: `order-${entry?.id}`,
    type: 'shop.order.created',
    subject: '1',
    data: { log_id: entry?.log_id, order_id: '1', user_id: 'anna' },
    source: '/orders',
    time: entry?.at,
    datacontenttype: 'application/json',
  })
  await whenFound(store, webhook, ({ isBehind }) => !isBehind)
  const deliveries = await store.deliveriesOf(webhook)
  t.is(deliveries.length, 100)
  t.like(deliveries[0], { event_id: idsIn(receiver).at(-1), attempt: 1, status: 204, error: null })
})

test.serial('only the types that are wanted are sent, and what is passed over is behind the cursor, too', async (t) => {
  const receiver = await receiving(t)
  const { webhook } = await create(store, receiver.url, ['shop.order.cancelled'])
  openReplica(t, bench)
  await createOrders(store, 1, 3)
  await store.cancelOrder({ order: '2', from: 'any', restock: 'shelf', reason: undefined }, plainly)
  await createOrders(store, 4, 5)
  await whenFound(store, webhook, ({ isBehind }) => !isBehind)
  t.deepEqual(receiver.types(), ['shop.order.cancelled'])
})

test.serial('what is not taken is sent again under its id, and what comes later waits', async (t) => {
  const receiver = await receiving(t)
  const answers = [refuse(500), refuse(302, { Location: 'http://127.0.0.1:1/' }), refuse(400)]
  receiver.respond((response, one) => (answers.shift() ?? take)(response, one))
  const { webhook } = await create(store, receiver.url)
  openReplica(t, bench)
  await createOrders(store, 1, 3)
  await receiver.whenReceived(6)
  t.deepEqual(ordersIn(receiver), [1, 1, 1, 1, 2, 3])
  t.is(new Set(idsIn(receiver)).size, 3)
  await whenFound(store, webhook, ({ failures, error, nextMs }) => failures === 0 && error === null && nextMs === null)
  const told = (await store.deliveriesOf(webhook)).map(({ attempt, status }) => [attempt, status]).toReversed()
  t.deepEqual(told, [
    [1, 500],
    [2, 302],
    [3, 400],
    [4, 204],
    [1, 204],
    [1, 204],
  ])
})

test.serial('a receiver that cannot be reached holds up no other', async (t) => {
  const [receiver, other] = [await receiving(t), await receiving(t)]
  other.close()
  const away = await create(store, other.url)
  await create(store, receiver.url)
  openReplica(t, bench)
  await createOrders(store, 1, 20)
  await receiver.whenReceived(20)
  t.deepEqual(ordersIn(receiver), numbers(1, 20))
  await whenFound(store, away.webhook, ({ failures, error }) => failures > 1 && /ECONNREFUSED/.test(error ?? ''))
})

test.serial('a receiver is left alone for as long as it says', async (t) => {
  const receiver = await receiving(t)
  const at: number[] = []
  receiver.respond((response, one) => {
    at.push(performance.now())
    const answer = at.length === 1 ? refuse(503, { 'Retry-After': '2' }) : take
    answer(response, one)
  })
  await create(store, receiver.url)
  openReplica(t, bench)
  await createOrders(store, 1, 1)
  await receiver.whenReceived(2)
  t.true((at[1] ?? 0) - (at[0] ?? 0) >= 2_000)
})

test.serial(
  'a receiver that is gone is sent no more, until it is switched on again: then from where it was',
  async (t) => {
    const receiver = await receiving(t)
    receiver.respond(refuse(410))
    const { webhook } = await create(store, receiver.url)
    openReplica(t, bench)
    await createOrders(store, 1, 2)
    await whenFound(store, webhook, ({ isEnabled, why }) => !isEnabled && why === 'gone')
    const told = (await store.log.page('0-0', 10)).filter(({ kind }) => kind === 'WebhookSet')
    t.deepEqual(
      told.map(({ facts }) => facts.done),
      ['created', 'disabled'],
    )
    t.deepEqual(ordersIn(receiver), [1])
    receiver.respond(take)
    t.deepEqual(await store.changeWebhook(webhook, { enabled: 'yes' }, plainly), ['changed'])
    await receiver.whenReceived(3)
    t.deepEqual(ordersIn(receiver), [1, 1, 2])
  },
)

test.serial('a receiver that speaks something else from now on has not taken it', async (t) => {
  const receiver = await receiving(t)
  receiver.respond((response, one) => {
    receiver.respond(take)
    response.writeHead(101, { Connection: 'upgrade', Upgrade: 'chat' }).end()
    t.is(one.event.type, 'shop.order.created')
  })
  const { webhook } = await create(store, receiver.url)
  openReplica(t, bench)
  await createOrders(store, 1, 2)
  await receiver.whenReceived(3)
  t.deepEqual(ordersIn(receiver), [1, 1, 2])
  await whenFound(store, webhook, ({ failures }) => failures === 0)
  const told = (await store.deliveriesOf(webhook)).map(({ status }) => status)
  t.is(told.at(-1), 101)
})

test.serial('a clock that was set back lets no event wait for longer than it was to', async (t) => {
  const receiver = await receiving(t)
  receiver.respond(refuse(503))
  const { webhook } = await create(store, receiver.url)
  openReplica(t, bench, store, HOUR_MS)
  await createOrders(store, 1, 1)
  await whenFound(store, webhook, ({ failures }) => failures === 1)
  receiver.respond(take)
  await bench.redis.hincrby(`webhook:${webhook}`, 'next', HOUR_MS)
  await receiver.whenReceived(2)
  t.deepEqual(ordersIn(receiver), [1, 1])
  await whenFound(store, webhook, ({ nextMs }) => nextMs === null)
})

test.serial('a change has an attempt made at once, to where it leads by then', async (t) => {
  const [receiver, other] = [await receiving(t), await receiving(t)]
  receiver.respond(refuse(500))
  const { webhook } = await create(store, receiver.url)
  openReplica(t, bench, store, HOUR_MS)
  await createOrders(store, 1, 2)
  await whenFound(store, webhook, ({ failures }) => failures === 1)
  await store.changeWebhook(webhook, { url: other.url }, plainly)
  await other.whenReceived(2)
  t.deepEqual(ordersIn(other), [1, 2])
  t.is(receiver.received.length, 1)
})

test.serial('for a day after it was replaced a secret signs beside the new one', async (t) => {
  const receiver = await receiving(t)
  const { webhook, secret } = await create(store, receiver.url)
  const [rotated, other = ''] = await store.changeWebhook(webhook, { secret: newSecret() }, plainly)
  t.is(rotated, 'rotated')
  openReplica(t, bench)
  await createOrders(store, 1, 1)
  await receiver.whenReceived(1)
  const [one] = receiver.received
  for (const by of [secret, other])
    t.truthy(new Webhook(by).verify(one?.body ?? '', one?.headers as Record<string, string>))
  t.throws(() => new Webhook(newSecret()).verify(one?.body ?? '', one?.headers as Record<string, string>))
  await bench.redis.hset(`webhook:${webhook}`, 'old_until', Date.now() - 1)
  await createOrders(store, 2, 2)
  await receiver.whenReceived(2)
  t.regex(String(receiver.received[1]?.headers['webhook-signature']), /^v1,\S+$/)
})

test.serial('of two replicas one delivers; stopped in the middle of an attempt, the other goes on there', async (t) => {
  const receiver = await receiving(t)
  const other = await openBenchOn(bench.server)
  t.teardown(() => other[Symbol.asyncDispose]())
  const { webhook } = await create(store, receiver.url)
  const replica = openReplica(t, bench)
  await createOrders(store, 1, 1)
  await receiver.whenReceived(1)
  openReplica(t, other)
  await createOrders(store, 2, 40)
  await receiver.whenReceived(40)
  t.deepEqual(ordersIn(receiver), numbers(1, 40))
  const hangs = Promise.withResolvers<void>()
  receiver.respond(() => hangs.resolve())
  await createOrders(store, 41, 60)
  await hangs.promise
  receiver.respond(take)
  const begun = performance.now()
  await replica.stop()
  t.true(performance.now() - begun < STOP_MS)
  await receiver.whenReceived(61)
  t.deepEqual(ordersIn(receiver), [...numbers(1, 41), ...numbers(41, 60)])
  const attempts = await store.deliveriesOf(webhook)
  t.true(attempts.every(({ status }) => status === 204))
})

test.serial(
  'two that deliver at once repeat, and neither skip nor reorder what is sent for the first time',
  async (t) => {
    const receiver = await receiving(t)
    const other = await openBenchOn(bench.server)
    t.teardown(() => other[Symbol.asyncDispose]())
    await create(store, receiver.url)
    // Locks of their own: each believes that it alone has the lease.
    const alone = { ...other, dependencies: { ...other.dependencies, redLock: (await lonely(t)).dependencies.redLock } }
    openReplica(t, bench)
    openReplica(t, alone)
    await createOrders(store, 1, 60)
    await eventually(async () => assert.equal(first(ordersIn(receiver)).length, 60), TIMEOUT_MS)
    t.deepEqual(first(ordersIn(receiver)), numbers(1, 60))
  },
)

const lonely = async (t: ExecutionContext): Promise<Bench> => {
  const apart = await openBench()
  t.teardown(() => apart[Symbol.asyncDispose]())
  return apart
}

test.serial('what was trimmed before it was delivered is listed as lost, and what comes then is sent', async (t) => {
  const receiver = await receiving(t)
  receiver.respond(refuse(500))
  const { webhook } = await create(store, receiver.url)
  const replica = openReplica(t, bench, store, HOUR_MS)
  await createOrders(store, 1, 4)
  await whenFound(store, webhook, ({ failures }) => failures === 1)
  await replica.stop()
  const { cursor } = await find(store, webhook)
  const ids = (await store.log.page('0-0', 10)).filter(({ kind }) => kind === 'OrderCreated').map(({ id }) => id)
  const [, , third = ''] = ids
  // As `trim` does.
  await bench.redis.xtrim('log:order', 'MINID', ids[3] ?? '')
  await bench.redis.set('sagas:trimmed', third)
  receiver.respond(take)
  await store.changeWebhook(webhook, {}, plainly)
  openReplica(t, bench)
  await receiver.whenReceived(2)
  t.deepEqual(ordersIn(receiver), [1, 4])
  await whenFound(store, webhook, ({ lost }) => lost.length === 1)
  const { lost } = await find(store, webhook)
  t.like(lost, [{ after: cursor, until: third }])
})

test.serial(
  'a Redis that comes back older has repeated what it has forgotten, and all that comes then is sent',
  async (t) => {
    const durable = await openDurable(t)
    const own = openStore(durable.dependencies)
    const receiver = await receiving(t)
    const { webhook } = await create(own, receiver.url)
    openReplica(t, durable, own)
    await createOrders(own, 1, 3)
    await receiver.whenReceived(3)
    await whenFound(own, webhook, ({ isBehind }) => !isBehind)
    const position = await writtenTo(durable.server.dir)
    await createOrders(own, 4, 6)
    await receiver.whenReceived(6)
    await whenFound(own, webhook, ({ isBehind }) => !isBehind)
    await comeBack(durable, position)
    await createOrders(own, 7, 9)
    await eventually(async () => assert.equal(ordersIn(receiver).at(-1), 9), TIMEOUT_MS)
    const sent = ordersIn(receiver)
    t.deepEqual(first(sent), numbers(1, 9))
    t.deepEqual(sent.slice(-3), [7, 8, 9])
    const newest = await own.log.newestId()
    await whenFound(own, webhook, ({ cursor }) => compareIds(cursor, newest) === 0)
  },
)

test.serial('one that has forgotten that an event was delivered has it repeated under its id', async (t) => {
  const durable = await openDurable(t)
  const own = openStore(durable.dependencies)
  const receiver = await receiving(t)
  const hangs = Promise.withResolvers<void>()
  await create(own, receiver.url)
  receiver.respond(() => hangs.resolve())
  openReplica(t, durable, own)
  await createOrders(own, 1, 1)
  await hangs.promise
  const position = await writtenTo(durable.server.dir)
  receiver.respond(take)
  await receiver.whenReceived(1)
  await comeBack(durable, position)
  await createOrders(own, 2, 2)
  await eventually(async () => assert.equal(ordersIn(receiver).at(-1), 2), TIMEOUT_MS)
  t.deepEqual(first(ordersIn(receiver)), [1, 2])
  t.is(new Set(idsIn(receiver)).size, 2)
})

test.serial('there are so many and no more, a key makes one, and one that is deleted is known no more', async (t) => {
  const wish = {
    url: 'http://127.0.0.1:1/',
    events: EVENT_TYPES.join(','),
    secret: newSecret(),
    enabled: 'no',
  } as const
  const once = under('a-key')
  const created = await store.createWebhook({ ...wish, webhook: 'one' }, once)
  t.deepEqual(await store.createWebhook({ ...wish, webhook: 'other', secret: newSecret() }, once), created)
  for (let count = 2; count <= 20; count += 1) await store.createWebhook({ ...wish, webhook: `w${count}` }, plainly)
  t.deepEqual(await store.createWebhook({ ...wish, webhook: 'w21' }, plainly), ['too-many'])
  t.deepEqual(await store.deleteWebhook('one', plainly), ['deleted'])
  t.deepEqual(await store.deleteWebhook('one', plainly), ['unknown'])
  t.deepEqual(await store.changeWebhook('one', {}, plainly), ['unknown'])
  t.is((await store.webhooks()).length, 19)
  t.deepEqual(await bench.redis.keys('*:one'), [])
})

test.serial('commands that deliver let be what was changed, or passed by another, meanwhile', async (t) => {
  const { webhook } = await create(store, 'http://127.0.0.1:1/')
  await createOrders(store, 1, 3)
  const [, one = '', two = '', three = ''] = (await store.log.page('0-0', 10)).map(({ id }) => id)
  const { cursor: from } = await find(store, webhook)
  const deliveries = openDeliveryStore({ ...bench.dependencies, redis: connect(bench.server.url, 'command') })
  t.teardown(deliveries.close)
  const note = '{}'
  const run = (name: string, args: Readonly<Record<string, string | number>>) =>
    store.log.run(name, { webhook, ...args })
  const pass = (args: Readonly<Record<string, string>>) => run('pass-webhook', args)
  const fail = (args: Readonly<Record<string, string>>) =>
    run('fail-webhook', { log_id: 'it', wait_ms: 60_000, note, error: 'why', gone: 'no', ...args })
  t.deepEqual(await pass({ from, to: one, version: '1', note }), ['passed'])
  t.deepEqual(await pass({ from, to: one, version: '1', note }), ['moved'])
  t.deepEqual(await fail({ from, version: '1' }), ['moved'])
  t.deepEqual(await fail({ from: one, version: '1' }), ['failed'])
  t.is((await find(store, webhook)).failures, 1)
  await store.changeWebhook(webhook, {}, plainly)
  t.is((await find(store, webhook)).failures, 0)
  t.deepEqual(await fail({ from: one, version: '1' }), ['moved'])
  t.deepEqual(await pass({ from: one, to: two, version: '1', note }), ['changed'])
  t.deepEqual(
    await store.changeWebhook(webhook, { secret: newSecret() }, plainly).then(([result]) => result),
    'rotated',
  )
  t.deepEqual(await fail({ from: two, version: '3', gone: 'yes' }), ['disabled'])
  t.deepEqual(await pass({ from: three, to: three, version: '3' }), ['moved'])
  t.deepEqual(await run('pass-webhook', { webhook: 'nobody', from: '0-0', to: one, version: '1' }), ['moved'])
})

test.serial('they return all that their headers promise', (t) => {
  t.deepEqual(seen.unseen(), [])
})
