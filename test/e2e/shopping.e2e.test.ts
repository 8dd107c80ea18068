/** The shop through its gateway: what its routes answer to customers, exactly, and to requests that are repeated. */

import test, { type ExecutionContext } from 'ava'
import type { LogEntry } from '../../shared/log/entry.ts'
import { proveInvariants } from '../support/checker/invariants.ts'
import { inParallel } from '../support/load/jobs.ts'
import { type Client, type Prefix, problemOf, type Reply } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test)

const PREFIXES: readonly Prefix[] = ['orders', 'payment', 'stock', 'ids']
const MAX = Number.MAX_SAFE_INTEGER
const NANOID = /^[\w-]{21}$/
const LOG_ID = /^[0-9a-z]{18,22}$/
const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'

const assertText = (t: ExecutionContext, reply: Reply, text: string | RegExp): void => {
  t.is(reply.status, 200, reply.text)
  t.is(reply.headers['content-type'], TEXT)
  if (typeof text === 'string') t.is(reply.text, text)
  else t.regex(reply.text, text)
}

const assertJson = (t: ExecutionContext, reply: Reply, json: unknown): void => {
  t.is(reply.status, 200, reply.text)
  t.is(reply.headers['content-type'], JSON_TYPE)
  t.deepEqual(reply.json, json)
}

const assertProblem = (t: ExecutionContext, reply: Reply, status: number, name: string, what?: string): void => {
  t.is(reply.status, status, what ?? reply.text)
  t.like(problemOf(reply), { status, type: `urn:shop:problem:${name}` }, what)
}

const assertMalformed = (t: ExecutionContext, reply: Reply, field: string, what: string): void => {
  assertProblem(t, reply, 400, 'malformed', `${what}: ${reply.text}`)
  t.is(problemOf(reply).field, field, what)
}

/** How much every service has said. Whatever has an effect says so. */
const said = async (client: Client): Promise<number[]> =>
  Promise.all(PREFIXES.map(async (prefix) => Number((await client.get(`/${prefix}/log_count`)).text)))

test.serial('sells: a user, goods, an order, its checkout, through every route', async (t) => {
  const { client } = opened()
  const user = await client.post('/payment/create_user')
  const { user_id, log_id: userLog } = user.json as { user_id: string; log_id: string }
  t.regex(user_id, NANOID)
  t.regex(userLog, LOG_ID)
  assertJson(t, user, { user_id, log_id: userLog })
  assertJson(t, await client.get(`/payment/find_user/${user_id}`), { user_id, credit: 0 })
  assertText(t, await client.post(`/payment/add_funds/${user_id}/50`), '50 added')
  assertText(t, await client.post(`/payment/pay/${user_id}/8`), '8 paid')
  assertJson(t, await client.get(`/payment/find_user/${user_id}`), { user_id, credit: 42 })
  assertProblem(t, await client.post(`/payment/pay/${user_id}/43`), 402, 'out-of-credit')

  const item = await client.post('/stock/item/create/7')
  const { item_id, log_id: itemLog } = item.json as { item_id: string; log_id: string }
  t.regex(item_id, NANOID)
  t.regex(itemLog, LOG_ID)
  assertJson(t, item, { item_id, log_id: itemLog })
  assertJson(t, await client.get(`/stock/find/${item_id}`), { stock: 0, price: 7 })
  assertText(t, await client.post(`/stock/add/${item_id}/9`), '9 added')
  assertText(t, await client.post(`/stock/subtract/${item_id}/2`), '2 subtracted')
  assertJson(t, await client.get(`/stock/find/${item_id}`), { stock: 7, price: 7 })
  assertProblem(t, await client.post(`/stock/subtract/${item_id}/8`), 409, 'out-of-stock')
  const gift = await client.createItem(0, 1)

  const order = await client.post(`/orders/create/${user_id}`)
  const { order_id, log_id: orderLog } = order.json as { order_id: string; log_id: string }
  t.regex(order_id, NANOID)
  t.regex(orderLog, LOG_ID)
  assertJson(t, order, { order_id, log_id: orderLog })
  const shown = { order_id, paid: false, items: [], user_id, total_cost: 0, status: 'open' }
  assertJson(t, await client.get(`/orders/find/${order_id}`), shown)
  assertText(t, await client.post(`/orders/addItem/${order_id}/${item_id}/1`), `1 of ${item_id} added at 7`)
  assertText(t, await client.post(`/orders/addItem/${order_id}/${gift}/1`), `1 of ${gift} added at 0`)
  assertText(t, await client.post(`/orders/addItem/${order_id}/${item_id}/3`), `3 of ${item_id} added at 7`)
  const filled = await client.order(order_id)
  t.deepEqual(Object.fromEntries(filled.items), { [item_id]: 4, [gift]: 1 })
  t.deepEqual({ ...filled, items: [] }, { ...shown, total_cost: 28 })
  assertText(t, await client.post(`/orders/checkout/${order_id}`), 'paid')
  t.like(await client.order(order_id), { paid: true, status: 'paid', total_cost: 28 })
  assertJson(t, await client.get(`/payment/find_user/${user_id}`), { user_id, credit: 14 })
  assertJson(t, await client.get(`/stock/find/${item_id}`), { stock: 3, price: 7 })
  assertProblem(t, await client.post(`/orders/addItem/${order_id}/${item_id}/1`), 409, 'order-not-open')
  await proveInvariants(t, opened())
})

test.serial('keeps the price at which a line was added', async (t) => {
  const { client } = opened()
  t.is((await client.post('/stock/batch_init/1/10/5')).status, 200)
  const user = await client.createUser(100)
  const order = await client.createOrder(user, [['0', 2]])
  t.is((await client.post('/stock/batch_init/1/10/6')).status, 200)
  t.is((await client.post(`/orders/addItem/${order}/0/1`)).status, 200)
  t.is((await client.order(order)).total_cost, 16)
  t.is((await client.checkout(order)).status, 200)
  t.is(await client.credit(user), 84)
  await proveInvariants(t, opened())
})

test.serial('tells a saga under one log id in three logs', async (t) => {
  const { client } = opened()
  const { user, item, order } = await client.createCart({ credit: 9, price: 3, stock: 5, quantity: 2 })
  t.is((await client.checkout(order)).status, 200)
  const started = (await client.log('orders')).find(
    ({ kind, facts }) => kind === 'CheckoutStarted' && facts.order === order,
  )
  const saga = started?.log_id ?? ''
  const entries = async (prefix: Prefix): Promise<LogEntry[]> =>
    ((await client.get(`/${prefix}/log/${saga}`)).json as { logs: LogEntry[] }).logs
  const kinds = async (prefix: Prefix): Promise<string[]> => (await entries(prefix)).map(({ kind }) => kind)
  t.deepEqual(await kinds('orders'), ['CheckoutStarted', 'OrderPaid'])
  t.deepEqual(await kinds('payment'), ['CreditHeld', 'CreditCaptured'])
  t.deepEqual(await kinds('stock'), ['StockTaken'])
  const [entry] = await entries('payment')
  t.like(entry, { version: '1', log_id: saga, facts: { order, user, total: '6', lines: `${item}:2` } })
  t.regex(entry?.id ?? '', /^\d+-\d+$/)
  t.is(entry?.at, new Date(Number(entry?.id.split('-')[0])).toISOString())
  assertProblem(t, await client.get(`/ids/log/${saga}`), 404, 'no-such-log-id')
})

for (const prefix of PREFIXES)
  test.serial(`shows the log of ${prefix} by count, by page, by log id and by minutes, and parses it`, async (t) => {
    const { client } = opened()
    await client.createOrder(await client.createUser(1), [[await client.createItem(1, 1), 1]])
    t.is((await client.get('/ids/create', { 'Idempotency-Key': 'shown-in-the-log' })).status, 200)
    const all = await client.log(prefix)
    assertText(t, await client.get(`/${prefix}/log_count`), String(all.length))

    const first = (await client.get(`/${prefix}/logs?limit=1`)).json as { logs: LogEntry[]; next: string | null }
    t.deepEqual(first, { logs: all.slice(0, 1), next: all[0]?.id ?? null })
    const rest = await client.get(`/${prefix}/logs?after=${first.next}&limit=1000`)
    assertJson(t, rest, { logs: all.slice(1), next: null })
    t.deepEqual(((await client.get(`/${prefix}/logs`)).json as { logs: LogEntry[] }).logs, all.slice(0, 100))

    const [entry] = all
    assertJson(t, await client.get(`/${prefix}/log/${entry?.log_id}`), {
      logs: all.filter(({ log_id }) => log_id === entry?.log_id),
    })
    const groups = { ...Object.groupBy(all, ({ log_id }) => log_id) }
    assertJson(t, await client.get(`/${prefix}/sorted_logs/60`), { logs: groups, next: null })

    const service = prefix === 'orders' ? 'order' : prefix
    assertJson(t, await client.post(`/${prefix}/fault_tolerance`), {
      service,
      found: [],
      lost_tails: [],
      trimmed: 0,
      dead_letters: 0,
      contradictions: [],
    })
  })

test.serial('gives identifiers that differ and sort by time', async (t) => {
  const { client } = opened()
  const made: string[] = []
  for (let index = 0; index < 50; index += 1) made.push((await client.get('/ids/create')).text)
  for (const id of made) t.regex(id, LOG_ID)
  t.deepEqual([...new Set(made)].sort(), made)
  const atOnce = await inParallel(500, 100, async () => (await client.get('/ids/create')).text)
  t.is(new Set([...atOnce, ...made]).size, 550)
})

test.serial('counts to 2^53-1 exactly, and refuses a sum beyond it', async (t) => {
  const { client } = opened()
  const user = await client.createUser(MAX - 1)
  assertText(t, await client.post(`/payment/add_funds/${user}/1`), '1 added')
  t.is(await client.credit(user), MAX)
  assertMalformed(t, await client.post(`/payment/add_funds/${user}/1`), 'amount', 'credit')
  assertMalformed(t, await client.post(`/payment/add_funds/${user}/${MAX}`), 'amount', 'credit')
  t.is(await client.credit(user), MAX)

  const item = await client.createItem(MAX, MAX)
  assertMalformed(t, await client.post(`/stock/add/${item}/1`), 'amount', 'stock')
  assertJson(t, await client.get(`/stock/find/${item}`), { stock: MAX, price: MAX })

  const order = await client.createOrder(user)
  assertMalformed(t, await client.post(`/orders/addItem/${order}/${item}/2`), 'quantity', 'total')
  assertMalformed(t, await client.post(`/orders/addItem/${order}/${item}/${MAX}`), 'quantity', 'total')
  t.is((await client.post(`/orders/addItem/${order}/${item}/1`)).status, 200)
  assertMalformed(t, await client.post(`/orders/addItem/${order}/${item}/1`), 'quantity', 'total')
  t.like(await client.order(order), { items: [[item, 1]], total_cost: MAX })

  const free = await client.createItem(0, 1)
  const many = await client.createOrder(user, [[free, MAX]])
  assertMalformed(t, await client.post(`/orders/addItem/${many}/${free}/1`), 'quantity', 'quantity')
  t.like(await client.order(many), { items: [[free, MAX]], total_cost: 0 })

  t.is((await client.checkout(order)).status, 200)
  t.is(await client.credit(user), 0)
  t.is(await client.stock(item), MAX - 1)
  assertMalformed(t, await client.post(`/payment/batch_init/2/${MAX}`), 'starting_money', 'all credit')
  assertMalformed(t, await client.post(`/stock/batch_init/2/${MAX}/1`), 'starting_stock', 'all stock')
  assertMalformed(t, await client.post(`/orders/batch_init/1/1/1/${MAX}`), 'item_price', 'total')
  await proveInvariants(t, opened())
})

test.serial('takes up to 100 lines', async (t) => {
  const { client } = opened()
  t.is((await client.post('/stock/batch_init/101/1/1')).status, 200)
  const order = await client.createOrder(await client.createUser(100))
  for (let item = 0; item < 100; item += 1) t.is((await client.post(`/orders/addItem/${order}/${item}/1`)).status, 200)
  assertProblem(t, await client.post(`/orders/addItem/${order}/100/1`), 409, 'order-full')
  t.is((await client.order(order)).items.length, 100)
  t.is((await client.checkout(order)).status, 200)
  await proveInvariants(t, opened())
})

/** What every request that is not safe to repeat by itself promises under a key. */
test.serial('gives the same answer and one effect under one key, and 422 to another request', async (t) => {
  const { client } = opened()
  const { user, item, order } = await client.createCart({ price: 1, stock: 100 })
  const otherOrder = await client.createOrder(user, [[item, 1]])
  const poor = await client.createUser(1)
  const empty = await client.createItem(1)
  const requests: readonly (readonly [method: 'GET' | 'POST', path: string, other: string, status: number])[] = [
    ['POST', '/payment/create_user', `/payment/pay/${user}/1`, 200],
    ['POST', `/payment/add_funds/${user}/5`, `/payment/add_funds/${user}/6`, 200],
    ['POST', `/payment/pay/${user}/5`, `/payment/pay/${user}/6`, 200],
    ['POST', `/payment/pay/${poor}/2`, `/payment/pay/${poor}/1`, 402],
    ['POST', '/payment/add_funds/nobody/5', '/payment/add_funds/nobody/6', 404],
    ['POST', '/stock/item/create/5', '/stock/item/create/6', 200],
    ['POST', `/stock/add/${item}/5`, `/stock/add/${item}/6`, 200],
    ['POST', `/stock/subtract/${item}/5`, `/stock/subtract/${item}/6`, 200],
    ['POST', `/stock/subtract/${empty}/1`, `/stock/subtract/${empty}/2`, 409],
    ['POST', `/orders/create/${user}`, `/orders/create/${poor}`, 200],
    ['POST', `/orders/addItem/${order}/${item}/2`, `/orders/addItem/${order}/${item}/3`, 200],
    ['POST', `/orders/checkout/${order}`, `/orders/checkout/${otherOrder}`, 200],
    ['POST', '/payment/batch_init/2/7', '/payment/batch_init/2/8', 200],
    ['POST', '/stock/batch_init/2/7/7', '/stock/batch_init/2/7/8', 200],
    ['POST', '/orders/batch_init/2/2/2/7', '/orders/batch_init/2/2/2/8', 200],
    ['GET', '/ids/create', '/ids/create?other', 200],
  ]
  for (const [index, [method, path, other, status]] of requests.entries()) {
    const key = { 'Idempotency-Key': `one-effect-${index}` }
    const first = await client.request(method, path, key)
    t.is(first.status, status, `${path}: ${first.text}`)
    const before = await said(client)
    for (const again of await Promise.all(Array.from({ length: 5 }, () => client.request(method, path, key)))) {
      t.is(again.status, status, path)
      t.is(again.text, first.text, path)
    }
    if (method === 'POST')
      assertProblem(t, await client.request(method, other, key), 422, 'idempotency-key-reused', path)
    t.deepEqual(await said(client), before, path)
  }
  t.is(await client.credit(user), 100 - 3)
  t.is(await client.stock(item), 100 - 3)

  await client.post(`/payment/add_funds/${poor}/9`)
  const refused = await client.post(`/payment/pay/${poor}/2`, { 'Idempotency-Key': 'one-effect-3' })
  t.is(refused.status, 402, 'a refusal is kept, although it would be paid now')
  t.is(await client.credit(poor), 10)
  await proveInvariants(t, opened())
})

test.serial('replaces by batch_init what was there under the same ids', async (t) => {
  const { client } = opened()
  assertJson(t, await client.post('/payment/batch_init/3/80'), { msg: '3 users initialised' })
  assertJson(t, await client.post('/stock/batch_init/3/20/4'), { msg: '3 items initialised' })
  assertJson(t, await client.post('/orders/batch_init/10/3/3/4'), { msg: '10 orders initialised' })
  for (const id of [0, 1, 2]) {
    assertJson(t, await client.get(`/payment/find_user/${id}`), { user_id: String(id), credit: 80 })
    assertJson(t, await client.get(`/stock/find/${id}`), { stock: 20, price: 4 })
  }
  for (let id = 0; id < 10; id += 1) {
    const order = await client.order(String(id))
    t.like(order, { order_id: String(id), paid: false, status: 'open', total_cost: 8 })
    t.true(['0', '1', '2'].includes(order.user_id))
    t.is(
      order.items.reduce((sum, [item, quantity]) => sum + (['0', '1', '2'].includes(item) ? quantity : 9), 0),
      2,
    )
  }
  const paid = await inParallel(10, 10, (id) => client.checkout(String(id)))
  t.deepEqual(new Set(paid.map(({ status }) => status)), new Set([200]))
  await proveInvariants(t, opened())

  assertJson(t, await client.post('/payment/batch_init/2/7'), { msg: '2 users initialised' })
  assertJson(t, await client.post('/stock/batch_init/2/1/9'), { msg: '2 items initialised' })
  assertJson(t, await client.post('/orders/batch_init/5/2/2/9'), { msg: '5 orders initialised' })
  t.is(await client.credit('0'), 7)
  assertJson(t, await client.get('/stock/find/1'), { stock: 1, price: 9 })
  t.like(await client.order('4'), { paid: false, status: 'open', total_cost: 18 })
  t.like(await client.order('5'), { paid: true, status: 'paid', total_cost: 8 })
})

test.serial('makes 100,000 orders in seconds while others go on', async (t) => {
  t.timeout(60_000)
  const { client } = opened()
  const user = await client.createUser(1_000_000)
  const item = await client.createItem(1, 1_000_000)
  const startedAt = performance.now()
  let tookMs = 0
  const batch = client.post('/orders/batch_init/100000/1000/1000/5').then((reply) => {
    tookMs = performance.now() - startedAt
    return reply
  })
  const latencies: number[] = []
  while (tookMs === 0) {
    const begunAt = performance.now()
    const order = await client.createOrder(user, [[item, 1]])
    t.is((await client.checkout(order)).status, 200)
    latencies.push(performance.now() - begunAt)
  }
  assertJson(t, await batch, { msg: '100000 orders initialised' })
  const slowest = Math.max(...latencies)
  t.log(
    `${Math.round(tookMs)} ms; meanwhile ${latencies.length} orders were sold, the slowest in ${Math.round(slowest)} ms`,
  )
  t.true(tookMs < 30_000)
  // On a machine that has much else to do both take longer.
  t.true(slowest < Math.max(2_000, tookMs / 2))
  t.true(latencies.length > 5)
  t.like(await client.order('0'), { status: 'open', total_cost: 10 })
  t.like(await client.order('99999'), { status: 'open', total_cost: 10 })
  t.is((await client.get('/orders/find/100000')).status, 404)
})
