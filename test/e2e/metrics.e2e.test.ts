/**
 * What a running shop tells in numbers, on every port: true ones, under names that the alerts know, and nothing that tells one
 * customer from another. What an alert is about is caused here, and seen in the number that the alert looks at.
 */

import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import { metrics as catalogue } from '../support/catalogue.ts'
import { eventually } from '../support/eventually.ts'
import { type Line, parseExposition, toldOf } from '../support/exposition.ts'
import { behind } from '../support/shop/behind.ts'
import { whenPaid } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const TOKEN = 'a-token-of-the-operator'
const operator = { Authorization: `Bearer ${TOKEN}` }
const PORTS = ['gateway', 'ids-1', 'order-1', 'payment-1', 'stock-1'] as const
type Port = (typeof PORTS)[number]
const opened = shareShop(test, {
  env: { all: { OPERATOR_TOKEN: TOKEN, LOG_PARSER_CRON: '0 0 0 1 1 *', LOG_REQUESTS: '1/1' } },
})

/** A scrape alone takes some milliseconds, but the machine may be busy; one that waits for a peer takes longer than this. */
const SCRAPE_MS = 2_000
const SEEN_MS = 10_000

const ask = (port: Port, headers: Record<string, string> = operator): Promise<Response> =>
  fetch(`${opened().shop.part(port).url}/metrics`, { headers })

const scrape = async (port: Port): Promise<readonly Line[]> => {
  const begun = performance.now()
  const response = await ask(port)
  const text = await response.text()
  assert.equal(response.status, 200, text)
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  const tookMs = performance.now() - begun
  assert.ok(tookMs < SCRAPE_MS, `${port} took ${tookMs} ms`)
  return parseExposition(text)
}

/** Waits until a number is what is expected, whatever it was before. */
const whenTold = (
  port: Port,
  name: string,
  labels: Readonly<Record<string, string>>,
  isIt: (value: number | undefined) => boolean,
): Promise<void> =>
  eventually(async () => {
    const value = toldOf(await scrape(port), name, labels)
    assert.ok(isIt(value), `${name} of ${port} is ${value}`)
  }, SEEN_MS)

const JSON_TYPE = { 'Content-Type': 'application/json' }

test.serial('each port tells operators, and nobody else', async (t) => {
  for (const port of PORTS) {
    t.is((await ask(port)).status, 200, port)
    const without = await ask(port, {})
    t.deepEqual([without.status, without.headers.get('www-authenticate')], [401, 'Bearer'], port)
    t.is((await ask(port, { Authorization: 'Bearer another' })).status, 403, port)
    const posted = await fetch(`${opened().shop.part(port).url}/metrics`, { method: 'POST', headers: operator })
    t.is(posted.status, port === 'gateway' ? 405 : 404, port)
  }
})

/** What is known of this shop's customers. */
const secrets = new Set<string>()

const sell = async (credit: number, stock: number): Promise<string> => {
  const { client } = opened()
  const user = await client.createUser(credit)
  const item = await client.createItem(5, stock)
  const order = await client.createOrder(user, [[item, 2]])
  for (const one of [user, item, order]) secrets.add(one)
  return order
}

test.serial('checkouts are counted by their outcomes, once each, also if they are asked for again', async (t) => {
  const { client } = opened()
  const key = { 'Idempotency-Key': 'the-same-key' }
  const paid = await sell(100, 5)
  for (let times = 0; times < 3; times += 1) t.is((await client.checkout(paid, key)).status, 200)
  t.is((await client.checkout(paid)).status, 200)
  t.is((await client.checkout(await sell(9, 5))).status, 402)
  t.is((await client.checkout(await sell(100, 1))).status, 409)
  const told = await scrape('order-1')
  const total = (outcome: string, reason: string) => toldOf(told, 'shop_checkouts_total', { outcome, reason })
  t.deepEqual([total('paid', ''), total('refused', 'out-of-credit'), total('refused', 'out-of-stock')], [1, 1, 1])
  t.is(toldOf(told, 'shop_checkout_duration_seconds_count', { outcome: 'paid' }), 1)
  t.is(toldOf(told, 'shop_checkout_duration_seconds_count', { outcome: 'refused' }), 2)
  t.is(toldOf(told, 'shop_commands_total', { command: 'begin', result: 'begun' }), 3)
  t.is(toldOf(told, 'shop_commands_total', { command: 'complete', result: 'paid' }), 1)
  t.is(toldOf(told, 'shop_sagas_open', { state: 'checking-out' }), 0)
  const locks = { purpose: 'request', result: 'held' }
  t.true((toldOf(told, 'shop_lock_acquisitions_total', locks) ?? 0) >= 3)
  const payment = await scrape('payment-1')
  t.is(toldOf(payment, 'shop_commands_total', { command: 'capture', result: 'captured' }), 1)
  t.true((toldOf(payment, 'shop_log_reader_batch_entries_count', { publisher: 'order' }) ?? 0) >= 1)
})

test.serial('refunds and amendments are counted by their kinds', async (t) => {
  const { client } = opened()
  const order = await sell(100, 9)
  await whenPaid(client, order)
  const { items } = await client.order(order)
  const [[item = ''] = []] = items
  const amend = await client.request(
    'PATCH',
    `/orders/${order}`,
    { ...JSON_TYPE, 'If-Match': '*', 'Idempotency-Key': 'less' },
    JSON.stringify({ lines: [{ item_id: item, quantity: 1 }] }),
  )
  t.is(amend.status, 204, amend.text)
  const refund = () =>
    client.request('POST', `/orders/${order}/refunds`, { ...JSON_TYPE, 'Idempotency-Key': 'back' }, '{}')
  t.deepEqual([(await refund()).status, (await refund()).status], [201, 201])
  const told = await scrape('order-1')
  t.is(toldOf(told, 'shop_amendments_total', { outcome: 'made' }), 1)
  t.is(toldOf(told, 'shop_refunds_total', { kind: 'amended' }), 1)
  t.is(toldOf(told, 'shop_refunds_total', { kind: 'returned' }), 1)
})

test.serial('requests are measured by the path of their row, at the gateway and at the service', async (t) => {
  const labels = {
    http_request_method: 'POST',
    http_route: '/orders/checkout/{order}',
    http_response_status_code: '402',
  }
  const count = async (port: Port) => toldOf(await scrape(port), 'http_server_request_duration_seconds_count', labels)
  t.deepEqual([await count('gateway'), await count('order-1')], [1, 1])
  t.is((await opened().client.get('/nowhere')).status, 404)
  const unknown = { http_request_method: 'GET', http_route: '', http_response_status_code: '404' }
  t.is(toldOf(await scrape('gateway'), 'http_server_request_duration_seconds_count', unknown), 1)
})

test.serial(
  'a stream of the console is measured by its path, apart from what takes no longer than it must',
  async (t) => {
    const opening = new AbortController()
    const url = `${opened().shop.url}/events`
    const stream = await fetch(url, { headers: operator, signal: opening.signal })
    t.is(stream.status, 200)
    opening.abort()
    const labels = { http_request_method: 'GET', http_route: '/events', http_response_status_code: '200' }
    await whenTold('gateway', 'http_server_request_duration_seconds_count', labels, (value) => value === 1)
  },
)

test.serial(
  'the requests that are to be logged name their route and never their path, and lead to the entries',
  async (t) => {
    const { client, shop } = opened()
    const order = await sell(100, 5)
    const reply = await client.checkout(order, { 'x-request-id': 'logged-1' })
    for (const [port, more] of [
      ['gateway', {}],
      ['order-1', { log_id: reply.headers['x-log-id'] }],
    ] as const) {
      const line = await eventually(async () => {
        const lines = (await shop.part(port).tail(200)).split('\n').filter((one) => one.includes('"logged-1"'))
        return JSON.parse(lines[0] ?? assert.fail('nothing is logged')) as Record<string, unknown>
      }, SEEN_MS)
      t.like(line, {
        level: 30,
        msg: 'answered',
        method: 'POST',
        route: '/orders/checkout/{order}',
        status: 200,
        ...more,
      })
      t.is(line.replica, port)
      t.is(typeof line.ms, 'number')
      t.false(JSON.stringify(line).includes(order))
    }
  },
)

test.serial('every metric is told by some port, each under its own labels, and no label has an id', async (t) => {
  await opened().client.get('/audit', operator)
  const all = (await Promise.all(PORTS.map(scrape))).flat()
  const base = ({ name }: Line): string => name.replace(/_(bucket|sum|count)$/, '')
  const names = new Set(all.map(base))
  // What nothing was counted of has no line yet, unless it has no labels.
  const silent = ['shop_log_parser_repairs_total', 'shop_gateway_resends_total', 'shop_webhook_deliveries_total']
  t.deepEqual(
    catalogue.map(({ name }) => name).filter((name) => !names.has(name) && !silent.includes(name)),
    [],
  )
  const known = new Map(catalogue.map(({ name, labels }) => [name, [...labels].toSorted()]))
  for (const line of all) {
    const labels = known.get(base(line)) ?? known.get(line.name)
    if (labels === undefined) assert.match(line.name, /^(process|nodejs)_/)
    else
      t.deepEqual(
        Object.keys(line.labels)
          .filter((label) => label !== 'le')
          .toSorted(),
        labels,
        line.name,
      )
  }
  const values = new Set(all.flatMap(({ labels }) => Object.values(labels)))
  const { log_ids } = (await opened().client.get(`/orders/checkouts/${[...secrets][2]}`, operator)).json as {
    log_ids: string[]
  }
  for (const secret of [...secrets, ...log_ids])
    t.false(
      [...values].some((value) => value.includes(secret)),
      secret,
    )
})

test.serial('a dead letter is counted until it is dismissed', async (t) => {
  const { shop, client } = opened()
  await behind(shop.part('order-redis'), (redis) =>
    redis.xadd('log:order', '*', 'CheckoutStarted', 'version=1 log_id=forged'),
  )
  await whenTold('payment-1', 'shop_dead_letters', {}, (value) => value === 1)
  const { letters } = (await client.get('/payment/dead_letters', operator)).json as { letters: { id: string }[] }
  await client.post(`/payment/dismiss_dead_letter/${letters[0]?.id}`, operator)
  await whenTold('payment-1', 'shop_dead_letters', {}, (value) => value === 0)
  t.pass()
})

test.serial('a saga is overdue that nobody decides', async (t) => {
  const { shop } = opened()
  const masters = ['order', 'payment', 'stock'] as const
  // Another replica has the lease of the log parser, and does nothing.
  for (const master of masters)
    await behind(shop.part(`${master}-redis`), (redis) => redis.set('lock:parser:order', 'another', 'PX', 60_000))
  await behind(shop.part('order-redis'), async (redis) => {
    await redis.zadd('sagas:open', Date.now(), 'late')
    await redis.zadd('sagas:deadlines', Date.now() - 5_000, 'late')
  })
  await whenTold('order-1', 'shop_sagas_overdue', {}, (value) => value === 1)
  for (const master of masters) await behind(shop.part(`${master}-redis`), (redis) => redis.del('lock:parser:order'))
  await whenTold('order-1', 'shop_sagas_overdue', {}, (value) => value === 0)
  await whenTold('order-1', 'shop_log_parser_repairs_total', { repair: 'drop' }, (value) => value === 1)
  t.pass()
})

test.serial('an audit is told that does not balance, and then one that does', async (t) => {
  const { shop, client } = opened()
  const user = await client.createUser(100)
  const steal = (by: number) =>
    behind(shop.part('payment-redis'), (redis) => redis.hincrby(`user:${user}`, 'credit', by))
  const audited = async (): Promise<readonly (number | undefined)[]> => {
    t.is((await client.get('/audit', operator)).status, 200)
    const told = await scrape('order-1')
    const at = toldOf(told, 'shop_audit_timestamp_seconds') ?? 0
    t.true(Math.abs(Date.now() / 1_000 - at) < 60)
    const [added, wallets, paid] = ['added', 'wallets', 'paid'].map((part) => toldOf(told, 'shop_money', { part }) ?? 0)
    return [toldOf(told, 'shop_audit_balanced'), (wallets ?? 0) + (paid ?? 0) - (added ?? 0)]
  }
  await steal(-7)
  t.deepEqual(await audited(), [0, -7])
  await steal(7)
  t.deepEqual(await audited(), [1, 0])
})

test.serial('an order that is contradicted is counted until it is resolved', async (t) => {
  const orders = opened().shop.part('order-redis')
  await behind(orders, (redis) => redis.sadd('contradictions', 'an-order'))
  await whenTold('order-1', 'shop_contradictions_unresolved', {}, (value) => value === 1)
  await behind(orders, (redis) => redis.srem('contradictions', 'an-order'))
  await whenTold('order-1', 'shop_contradictions_unresolved', {}, (value) => value === 0)
  t.pass()
})

const isUp = (value: number | undefined): boolean => value === 1
const isDown = (value: number | undefined): boolean => value === 0

test.serial(
  'a reader lags whose publisher hangs; no scrape hangs with it, and what cannot be told is missing',
  async (t: ExecutionContext) => {
    const { shop } = opened()
    const frozen = shop.part('order-redis')
    frozen.freeze()
    await whenTold('order-1', 'shop_redis_up', { redis: 'own' }, isDown)
    await whenTold('order-1', 'shop_metrics_source_missing', { source: 'log' }, isUp)
    await whenTold('stock-1', 'shop_redis_up', { redis: 'master-order' }, isDown)
    await whenTold('payment-1', 'shop_log_reader_lag_seconds', { publisher: 'order' }, (value) => (value ?? 0) > 5)
    t.is(toldOf(await scrape('payment-1'), 'shop_log_reader_lag_seconds', { publisher: 'stock' }), 0)
    t.truthy((await scrape('gateway')).length)
    frozen.thaw()
    await whenTold('order-1', 'shop_redis_up', { redis: 'own' }, isUp)
    await whenTold('order-1', 'shop_metrics_source_missing', { source: 'log' }, isDown)
    await whenTold('payment-1', 'shop_log_reader_lag_seconds', { publisher: 'order' }, (value) => value === 0)
  },
)

test.serial('the gateway tells how its replicas are, and a replica that has died is scraped in vain', async (t) => {
  const part = opened().shop.part('stock-1')
  const ready = { service: 'stock', condition: 'ready' }
  await whenTold('gateway', 'shop_gateway_replicas', ready, isUp)
  await part.stop()
  await whenTold('gateway', 'shop_gateway_replicas', ready, isDown)
  await whenTold('gateway', 'shop_gateway_replicas', { service: 'stock', condition: 'away' }, isUp)
  await t.throwsAsync(ask('stock-1'))
  await part.start()
  await whenTold('gateway', 'shop_gateway_replicas', ready, isUp)
})
