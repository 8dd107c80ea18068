/** Every route of the shop through its gateway: what it answers to good requests, bad ones, and repeated ones. */

import test, { type ExecutionContext } from 'ava'
import type { LogEntry } from '../../shared/log/entry.ts'
import { proveInvariants } from '../support/checker/invariants.ts'
import { inParallel } from '../support/load/jobs.ts'
import { type Client, type Prefix, problemOf, type Reply } from '../support/shop/client.ts'
import { openShop, shareShop } from '../support/shop/shop.ts'

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
    const groups: Record<string, LogEntry[]> = {}
    for (const one of all) {
      groups[one.log_id] ??= []
      groups[one.log_id]?.push(one)
    }
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

const MALFORMED_IDS = ['a.b', 'a%20b', '%00', '%C3%BC', 'a:b', '%zz', 'a%2Fb', '*', 'x'.repeat(65), '%20']
const MALFORMED_AMOUNTS = [
  ...['1e3', '1.5', '1.0', '-0', '-1', '+1', '007', '00', '0x10', '9007199254740993', '9007199254740992'],
  ...['99999999999999999999', 'NaN', 'Infinity', 'null', 'one', '1,000', '%20', '1%20', '%0A1', '1_000', '%D9%A1'],
]

test.serial('refuses malformed ids and amounts, naming the field, and changes nothing', async (t) => {
  const { client } = opened()
  const { user, item, order } = await client.createCart({ credit: 10, price: 1 })
  const before = await said(client)
  const shown = await client.order(order)

  const ids: readonly (readonly [method: 'GET' | 'POST', field: string, path: (id: string) => string])[] = [
    ['POST', 'user', (id) => `/orders/create/${id}`],
    ['GET', 'order', (id) => `/orders/find/${id}`],
    ['POST', 'order', (id) => `/orders/addItem/${id}/${item}/1`],
    ['POST', 'item', (id) => `/orders/addItem/${order}/${id}/1`],
    ['POST', 'order', (id) => `/orders/checkout/${id}`],
    ['GET', 'user', (id) => `/payment/find_user/${id}`],
    ['POST', 'user', (id) => `/payment/add_funds/${id}/1`],
    ['POST', 'user', (id) => `/payment/pay/${id}/1`],
    ['GET', 'item', (id) => `/stock/find/${id}`],
    ['POST', 'item', (id) => `/stock/add/${id}/1`],
    ['POST', 'item', (id) => `/stock/subtract/${id}/1`],
    ...PREFIXES.map((prefix) => ['GET', 'log_id', (id: string) => `/${prefix}/log/${id}`] as const),
  ]
  for (const [method, field, path] of ids)
    for (const id of MALFORMED_IDS)
      assertMalformed(t, await client.request(method, path(id)), field, `${method} ${path(id)}`)

  const amounts: readonly (readonly [method: 'GET' | 'POST', field: string, path: (amount: string) => string])[] = [
    ['POST', 'quantity', (amount) => `/orders/addItem/${order}/${item}/${amount}`],
    ['POST', 'amount', (amount) => `/payment/add_funds/${user}/${amount}`],
    ['POST', 'amount', (amount) => `/payment/pay/${user}/${amount}`],
    ['POST', 'price', (amount) => `/stock/item/create/${amount}`],
    ['POST', 'amount', (amount) => `/stock/add/${item}/${amount}`],
    ['POST', 'amount', (amount) => `/stock/subtract/${item}/${amount}`],
    ['POST', 'n', (amount) => `/orders/batch_init/${amount}/1/1/1`],
    ['POST', 'n_items', (amount) => `/orders/batch_init/1/${amount}/1/1`],
    ['POST', 'n_users', (amount) => `/orders/batch_init/1/1/${amount}/1`],
    ['POST', 'item_price', (amount) => `/orders/batch_init/1/1/1/${amount}`],
    ['POST', 'n', (amount) => `/payment/batch_init/${amount}/1`],
    ['POST', 'starting_money', (amount) => `/payment/batch_init/1/${amount}`],
    ['POST', 'n', (amount) => `/stock/batch_init/${amount}/1/1`],
    ['POST', 'starting_stock', (amount) => `/stock/batch_init/1/${amount}/1`],
    ['POST', 'item_price', (amount) => `/stock/batch_init/1/1/${amount}`],
    ...PREFIXES.map((prefix) => ['GET', 'minutes', (amount: string) => `/${prefix}/sorted_logs/${amount}`] as const),
  ]
  for (const [method, field, path] of amounts)
    for (const amount of MALFORMED_AMOUNTS)
      assertMalformed(t, await client.request(method, path(amount)), field, `${method} ${path(amount)}`)

  const zeros = [
    ['quantity', `/orders/addItem/${order}/${item}/0`],
    ['amount', `/payment/add_funds/${user}/0`],
    ['amount', `/payment/pay/${user}/0`],
    ['amount', `/stock/add/${item}/0`],
    ['amount', `/stock/subtract/${item}/0`],
    ['n', '/orders/batch_init/0/1/1/1'],
    ['n_items', '/orders/batch_init/1/0/1/1'],
    ['n_users', '/orders/batch_init/1/1/0/1'],
    ['n', '/payment/batch_init/0/1'],
    ['n', '/stock/batch_init/0/1/1'],
    ['n', '/stock/batch_init/1000001/1/1'],
  ] as const
  for (const [field, path] of zeros) assertMalformed(t, await client.post(path), field, path)

  t.deepEqual(await said(client), before)
  t.deepEqual(await client.order(order), shown)
  t.is(await client.credit(user), 10)
  t.is(await client.stock(item), 10)
})

test.serial('refuses malformed queries, bodies and keys, naming them', async (t) => {
  const { client } = opened()
  const user = await client.createUser(10)
  const before = await said(client)
  for (const prefix of PREFIXES) {
    for (const limit of ['0', '-1', '1001', '1e2', 'ten', '', '1.5', '1&limit=2'])
      assertMalformed(t, await client.get(`/${prefix}/logs?limit=${limit}`), 'limit', `${prefix} limit=${limit}`)
    for (const list of ['logs', 'dead_letters'])
      for (const after of ['x', '1-2-3', '-', '1-', '+', '1-18446744073709551616', '1&after=2'])
        assertMalformed(t, await client.get(`/${prefix}/${list}?after=${after}`), 'after', `${list} after=${after}`)
  }
  for (const cursor of ['x', '-1', '18446744073709551616'])
    assertMalformed(t, await client.get(`/stock/audit/records?cursor=${cursor}`), 'cursor', `cursor=${cursor}`)
  for (const body of ['{"credit":1}', '[]', 'x', '{', '1', 'a'.repeat(5_000)])
    assertMalformed(
      t,
      await client.request('POST', `/payment/add_funds/${user}/1`, {}, body),
      'body',
      body.slice(0, 20),
    )
  for (const key of ['x'.repeat(129), 'two words', 'ümlaut'])
    assertMalformed(
      t,
      await client.post(`/payment/add_funds/${user}/1`, { 'Idempotency-Key': key }),
      'Idempotency-Key',
      key,
    )
  t.deepEqual(await said(client), before)
  for (const body of ['{}', ' { } ', 'null', '""'])
    t.is((await client.request('POST', `/payment/add_funds/${user}/1`, {}, body)).status, 200)
  t.is(await client.credit(user), 14)
})

test.serial('does not know what is not there: 404, and changes nothing', async (t) => {
  const { client } = opened()
  const user = await client.createUser(10)
  const item = await client.createItem(1, 10)
  const order = await client.createOrder(user)
  const before = await said(client)
  for (const [method, path, name] of [
    ['POST', '/orders/create/nobody', 'no-such-user'],
    ['GET', '/orders/find/nothing', 'no-such-order'],
    ['POST', `/orders/addItem/nothing/${item}/1`, 'no-such-order'],
    ['POST', `/orders/addItem/${order}/nothing/1`, 'no-such-item'],
    ['POST', '/orders/checkout/nothing', 'no-such-order'],
    ['GET', '/payment/find_user/nobody', 'no-such-user'],
    ['POST', '/payment/add_funds/nobody/1', 'no-such-user'],
    ['POST', '/payment/pay/nobody/1', 'no-such-user'],
    ['GET', '/stock/find/nothing', 'no-such-item'],
    ['POST', '/stock/add/nothing/1', 'no-such-item'],
    ['POST', '/stock/subtract/nothing/1', 'no-such-item'],
    ['GET', '/orders/log/nothing', 'no-such-log-id'],
    ['GET', '/', 'no-such-route'],
    ['GET', '/nowhere', 'no-such-route'],
    ['POST', '/payment/log/create', 'method-not-allowed'],
    ['POST', `/payment/add_funds/${user}/`, 'no-such-route'],
    ['POST', `/payment/add_funds/${user}`, 'no-such-route'],
    ['POST', '/payment/add_funds//1', 'no-such-route'],
    ['GET', '/orders/find', 'no-such-route'],
    ['GET', '/internal/lease/me', 'no-such-route'],
    ['POST', '/internal/lease/me', 'no-such-route'],
  ] as const) {
    const reply = await client.request(method, path)
    assertProblem(t, reply, name === 'method-not-allowed' ? 405 : 404, name, `${method} ${path}: ${reply.text}`)
  }
  t.deepEqual(await said(client), before)
})

test.serial('takes each route by its own method only, and names it', async (t) => {
  const { client } = opened()
  const before = await said(client)
  const routes: readonly (readonly [allowed: 'GET' | 'POST', path: string])[] = [
    ['POST', '/orders/create/x'],
    ['GET', '/orders/find/x'],
    ['POST', '/orders/addItem/x/x/1'],
    ['POST', '/orders/checkout/x'],
    ['POST', '/orders/batch_init/1/1/1/1'],
    ['POST', '/payment/create_user'],
    ['GET', '/payment/find_user/x'],
    ['POST', '/payment/add_funds/x/1'],
    ['POST', '/payment/pay/x/1'],
    ['POST', '/payment/batch_init/1/1'],
    ['POST', '/stock/item/create/1'],
    ['GET', '/stock/find/x'],
    ['POST', '/stock/add/x/1'],
    ['POST', '/stock/subtract/x/1'],
    ['POST', '/stock/batch_init/1/1/1'],
    ['GET', '/ids/create'],
    ...PREFIXES.flatMap((prefix): ['GET' | 'POST', string][] => [
      ['GET', `/${prefix}/log_count`],
      ['GET', `/${prefix}/log/x`],
      ['GET', `/${prefix}/logs`],
      ['GET', `/${prefix}/sorted_logs/1`],
      ['POST', `/${prefix}/fault_tolerance`],
    ]),
  ]
  for (const [allowed, path] of routes)
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      if (method === allowed) continue
      const reply = await client.request(method, path)
      assertProblem(t, reply, 405, 'method-not-allowed', `${method} ${path}`)
      t.is(reply.headers.allow, allowed, `${method} ${path}`)
    }
  t.deepEqual(await said(client), before)
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
  t.true(slowest < 2_000)
  t.true(latencies.length > 5)
  t.like(await client.order('0'), { status: 'open', total_cost: 10 })
  t.like(await client.order('99999'), { status: 'open', total_cost: 10 })
  t.is((await client.get('/orders/find/100000')).status, 404)
})

test.serial('wants the operator token for the routes of operators once there is one', async (t) => {
  const token = 'a-token-of-the-operator'
  const { client } = await openShop(t, { env: { all: { OPERATOR_TOKEN: token } } })
  const routes: readonly (readonly [method: 'GET' | 'POST', path: string])[] = [
    ['POST', '/orders/batch_init/1/1/1/1'],
    ['POST', '/payment/batch_init/1/1'],
    ['POST', '/stock/batch_init/1/1/1'],
    ...PREFIXES.flatMap((prefix): ['GET' | 'POST', string][] => [
      ['GET', `/${prefix}/log_count`],
      ['GET', `/${prefix}/logs`],
      ['GET', `/${prefix}/sorted_logs/1`],
      ['POST', `/${prefix}/fault_tolerance`],
    ]),
    ['GET', '/audit'],
    ...(['payment', 'stock'] as const).flatMap((prefix): ['GET', string][] => [
      ['GET', `/${prefix}/audit`],
      ['GET', `/${prefix}/audit/cut`],
      ['GET', `/${prefix}/audit/sagas?at=1-1&log_ids=a`],
      ['GET', `/${prefix}/audit/records`],
    ]),
  ]
  for (const [method, path] of routes) {
    for (const headers of [{}, { Authorization: 'Basic eDp5' }, { Authorization: token }]) {
      const stranger = await client.request(method, path, headers)
      assertProblem(t, stranger, 401, 'unauthorised', path)
      t.is(stranger.headers['www-authenticate'], 'Bearer')
    }
    for (const other of ['x', `${token}x`, token.toUpperCase(), token.slice(1)])
      assertProblem(t, await client.request(method, path, { Authorization: `Bearer ${other}` }), 403, 'forbidden', path)
    t.is((await client.request(method, path, { Authorization: `Bearer ${token}` })).status, 200, path)
  }
  assertProblem(t, await client.get('/orders/log/x'), 401, 'unauthorised')
  t.is((await client.get('/orders/log/x', { Authorization: `Bearer ${token}` })).status, 404)

  const { order } = await client.createCart({ credit: 5, stock: 1 })
  t.is((await client.checkout(order)).status, 200, 'customers need none')
})
