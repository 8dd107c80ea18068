/** Orders as resources, over the whole shop: placed whole, shown with a version, and listed. */
import test from 'ava'
import { proveInvariants } from '../support/checker/invariants.ts'
import { problemOf, type Reply } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test)

const JSON_TYPE = { 'Content-Type': 'application/json' }
const FORM_TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' }
/** As long as those of browsers and of curl: Node reads none of fewer than 27 characters. */
const BOUNDARY = '------------------------d74496d66958873e'
const MULTIPART = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` }
const AMOUNT_MAX = Number.MAX_SAFE_INTEGER
const PLACING = 8
const AUDITS = 20

type Shown = {
  readonly id: string
  readonly order_id: string
  readonly version: number
  readonly total_cost: number
} & {
  readonly lines: readonly object[]
  readonly checkout: object | null
}
type Listed = { readonly total: number; readonly orders: readonly Shown[]; readonly next: string | null }

const place = (body: unknown, headers = {}): Promise<Reply> =>
  opened().client.request('POST', '/orders', { ...JSON_TYPE, ...headers }, JSON.stringify(body))
const send = (body: string, type: Readonly<Record<string, string>>): Promise<Reply> =>
  opened().client.request('POST', '/orders', type, body)
const show = (order: string, headers = {}): Promise<Reply> => opened().client.get(`/orders/${order}`, headers)
const totalOf = async (user: string): Promise<number> =>
  ((await opened().client.get(`/orders?user=${user}`)).json as Listed).total
const kindOf = (reply: Reply): string => problemOf(reply).type.replace('urn:shop:problem:', `${reply.status} `)

test.serial(
  'who places an order is answered when payment has drafted it, and not when that is looked for',
  async (t) => {
    const { client } = opened()
    const user = await client.createUser(100)
    const item = await client.createItem(5, 10)
    let leastMs = Number.POSITIVE_INFINITY
    for (let order = 0; order < PLACING; order += 1) {
      const since = performance.now()
      t.is((await place({ user_id: user, item_id: item, quantity: 1 })).headers.etag, '"1"')
      leastMs = Math.min(leastMs, performance.now() - since)
    }
    t.true(leastMs < 150, `${leastMs} ms`) // it is looked after 200 ms
  },
)

test.serial('an order is placed whole, found where it is said, and paid', async (t) => {
  const { client } = opened()
  const user = await client.createUser(100)
  const [tea, cup] = [await client.createItem(5, 10), await client.createItem(7, 10)]
  const lines = [
    { item_id: tea, quantity: 2 },
    { item_id: cup, quantity: 1 },
    { item_id: tea, quantity: 1 },
  ]
  const reply = await place({ user_id: user, lines })
  const { id, ...placed } = reply.json as Shown
  t.deepEqual([reply.status, reply.headers.location, reply.headers.etag], [201, `/orders/${id}`, '"1"'])
  t.like(placed, { order_id: id, version: 1, user_id: user, status: 'open', payment_status: 'unpaid', total_cost: 22 })
  t.deepEqual(placed.lines, [
    { item_id: tea, quantity: 3, cost: 15, returned: 0, refunded: 0 },
    { item_id: cup, quantity: 1, cost: 7, returned: 0, refunded: 0 },
  ])
  const shown = await show(id)
  t.deepEqual(shown.json, placed)
  t.deepEqual([shown.headers.etag, shown.headers['cache-control']], ['"1"', 'no-store'])
  const logged = await client.get(`/orders/log/${reply.headers['x-log-id']}`)
  t.like((logged.json as { logs: readonly object[] }).logs[0], { kind: 'OrderPlaced' })

  t.is((await client.checkout(id)).status, 200)
  const paid = (await show(id)).json as Shown
  t.like(paid, { status: 'paid', payment_status: 'paid', paid: true, paid_amount: 22, lines: placed.lines })
  t.like(paid.checkout, { state: 'paid', reason: null })
  t.true(paid.version > placed.version)
  t.deepEqual(await client.order(id), {
    order_id: id,
    paid: true,
    items: [
      [tea, 3],
      [cup, 1],
    ],
    user_id: user,
    total_cost: 22,
    status: 'paid',
  })
  t.deepEqual([await client.stock(tea), await client.stock(cup), await client.credit(user)], [7, 9, 78])
})

test.serial('a client that has seen this version is told so, until the order changes', async (t) => {
  const { client } = opened()
  const { order, item } = await client.createCart()
  const etag = String((await show(order)).headers.etag)
  const seen = await show(order, { 'If-None-Match': etag })
  t.deepEqual([seen.status, seen.text, seen.headers.etag], [304, '', etag])
  await client.post(`/orders/addItem/${order}/${item}/1`)
  const changed = await show(order, { 'If-None-Match': etag })
  t.is(changed.status, 200)
  t.not(changed.headers.etag, etag)
  t.is(kindOf(await show('nobody')), '404 no-such-order')
  t.is(kindOf(await show('a:b')), '400 malformed')
})

test.serial('one line may be said in fields of its own, in JSON and in forms', async (t) => {
  const { client } = opened()
  const user = await client.createUser()
  const tea = await client.createItem(1_000)
  const parts = { user_id: user, item_id: tea, quantity: '2', value: '1000.00' }
  const multipart = Object.entries(parts).map(
    ([name, value]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  for (const reply of [
    await place({ user_id: user, item_id: tea, quantity: 2 }),
    await place({ user_id: user, item_id: tea, quantity: 2, value: 1_000 }),
    await place(parts),
    await send(`${new URLSearchParams(parts)}`, FORM_TYPE),
    await send(`${multipart.join('')}--${BOUNDARY}--\r\n`, MULTIPART),
  ]) {
    t.is(reply.status, 201, reply.text)
    t.like(reply.json, { total_cost: 2_000, user_id: user, items: [[tea, 2]] })
  }
  t.is(await totalOf(user), 5)
})

test.serial('an order says how it is paid, and shows what is due with each instalment', async (t) => {
  const { client } = opened()
  const user = await client.createUser(1_000)
  const tea = await client.createItem(1_000, 1)
  const body = { user_id: user, item_id: tea, quantity: 1, method: 'credit_card', installments: '3' }
  const { id, ...placed } = (await place(body)).json as Shown
  t.like(placed, { method: 'credit_card', installments: 3, plan: [334, 333, 333] })
  t.deepEqual((await show(id)).json, placed)
  t.is((await client.checkout(id)).status, 200)
  t.like((await show(id)).json, { status: 'paid', method: 'credit_card', plan: [334, 333, 333] })
  t.like((await place({ ...body, method: 'cash', installments: undefined })).json, { method: 'cash', plan: [1_000] })
  t.like((await place({ user_id: user, item_id: tea, quantity: 1 })).json, { method: null, plan: null })
  const few = problemOf(await place({ ...body, item_id: await client.createItem(14) }))
  t.like(few, { method: 'credit_card', installments: 3, min: 15, max: 100_000_000, total: 14 })
  t.is((await client.get('/payment/methods')).status, 200)
})

test.serial('a parameter that is missing is called so', async (t) => {
  const { client } = opened()
  for (const [path, field] of [
    ['/orders', 'user'],
    ['/payment/plan', 'amount'],
    ['/payment/plan?amount=100', 'method'],
  ] as const)
    t.is(problemOf(await client.get(path)).detail, `"${field}" must be given`)
})

test.serial('an order of which anything is wrong is not made', async (t) => {
  const { client } = opened()
  const user = await client.createUser()
  const [tea, dear] = [await client.createItem(5), await client.createItem(AMOUNT_MAX)]
  const line = { item_id: tea, quantity: 1 }
  const one = { user_id: user, ...line }
  const cases: readonly (readonly [body: unknown, kind: string, field?: string])[] = [
    [{ user_id: 'nobody', lines: [line] }, '404 no-such-user'],
    [{ user_id: user, lines: [line, { item_id: 'nothing', quantity: 1 }] }, '404 no-such-item'],
    [{ ...one, value: 4 }, '409 price-changed'],
    [{ lines: [line] }, '422 malformed-body', 'user_id'],
    [{ user_id: 'a:b', lines: [line] }, '422 malformed-body', 'user_id'],
    [{ user_id: user }, '422 malformed-body', 'lines'],
    [{ user_id: user, lines: [] }, '422 malformed-body', 'lines'],
    [{ user_id: user, lines: Array.from({ length: 101 }, () => line) }, '422 malformed-body', 'lines'],
    [{ ...one, lines: [line] }, '422 malformed-body', 'lines'],
    [{ user_id: user, item_id: tea }, '422 malformed-body', 'quantity'],
    [{ user_id: user, lines: [line], quantity: 1 }, '422 malformed-body', 'quantity'],
    [{ user_id: user, lines: [line], value: 5 }, '422 malformed-body', 'value'],
    [{ ...one, quantity: 0 }, '422 malformed-body', 'quantity'],
    [{ ...one, quantity: 1.5 }, '422 malformed-body', 'quantity'],
    [{ ...one, value: '10.50' }, '422 malformed-body', 'value'],
    [{ ...one, quantity: AMOUNT_MAX }, '422 malformed-body', 'quantity'],
    [{ user_id: user, lines: [line, { item_id: tea, quantity: AMOUNT_MAX }] }, '422 malformed-body', 'lines'],
    [{ user_id: user, lines: [line, { item_id: dear, quantity: 1 }] }, '422 malformed-body', 'lines'],
    [{ ...one, colour: 'red' }, '422 malformed-body', 'colour'],
    [{ ...one, method: 'gold' }, '422 malformed-body', 'method'],
    [{ ...one, installments: 2 }, '422 malformed-body', 'installments'],
    [{ ...one, method: 'credit_card', installments: 13 }, '422 malformed-body', 'installments'],
    [{ ...one, method: 'debit_card', installments: 2 }, '422 malformed-body', 'installments'],
    [{ ...one, method: 'credit_card', installments: 2 }, '409 method-limits'],
    [{ user_id: user, lines: [{ ...line, value: 5 }] }, '422 malformed-body', 'lines.0.value'],
    [{ user_id: user, lines: [line, { ...line, quantity: -1 }] }, '422 malformed-body', 'lines.1.quantity'],
  ]
  for (const [body, kind, field] of cases) {
    const reply = await place(body)
    t.deepEqual([kindOf(reply), problemOf(reply).field], [kind, field], JSON.stringify(body).slice(0, 200))
  }
  t.is(problemOf(await place({ ...one, value: 4 })).price, 5)
  t.is(problemOf(await place({ ...one, lines: [line] })).detail, '"lines" must not be given together with "item_id"')
  t.is(problemOf(await send(`user_id=${user}&user_id=${user}&item_id=${tea}&quantity=1`, FORM_TYPE)).field, 'user_id')
  t.is(kindOf(await send('{}', { 'Content-Type': 'application/xml' })), '415 unsupported-media-type')
  t.is(kindOf(await send(' '.repeat(65_537), JSON_TYPE)), '413 body-too-large')
  t.is(await totalOf(user), 0)
})

test.serial(
  'under a key an order is placed once, and told again to the letter, whatever has become of it',
  async (t) => {
    const { client } = opened()
    const user = await client.createUser(100)
    const tea = await client.createItem(5, 10)
    const key = { 'Idempotency-Key': `order-of-${user}` }
    const body = { user_id: user, item_id: tea, quantity: 1, value: 5 }
    const first = await place(body, key)
    const { id } = first.json as Shown
    t.is((await client.post(`/orders/addItem/${id}/${tea}/2`)).status, 200)
    t.is((await client.checkout(id)).status, 200)
    await opened().shop.part('stock-1').stop()
    const again = await place(body, key)
    t.deepEqual([again.status, again.text], [201, first.text])
    for (const name of ['location', 'etag', 'x-log-id']) t.is(again.headers[name], first.headers[name])
    t.is(kindOf(await place({ ...body, quantity: 2 }, key)), '422 idempotency-key-reused')

    const next = { 'Idempotency-Key': `another-of-${user}` }
    t.is(kindOf(await place(body, next)), '424 neighbour-unavailable')
    t.is(await totalOf(user), 1)
    await opened().shop.part('stock-1').start()
    t.is((await place(body, next)).status, 201, 'what was refused for that may be asked again')
    t.is(await totalOf(user), 2)
  },
)

test.serial('a user’s orders are listed, and the link leads through all of them', async (t) => {
  const { client } = opened()
  const user = await client.createUser(100)
  const tea = await client.createItem(5, 10)
  const made: string[] = []
  for (let index = 0; index < 5; index += 1) made.push(await client.createOrder(user, [[tea, 1]]))
  t.is((await client.checkout(made[1] ?? '')).status, 200)
  t.is((await client.checkout(made[3] ?? '')).status, 200)

  const follow = async (path: string): Promise<readonly string[]> => {
    const reply = await client.get(path)
    t.is(reply.status, 200, reply.text)
    const [, next] = /^<([^>]+)>; rel="next"$/.exec(String(reply.headers.link ?? '')) ?? []
    const ids = (reply.json as Listed).orders.map(({ order_id }) => order_id)
    return next === undefined ? ids : [...ids, ...(await follow(next))]
  }
  t.deepEqual(await follow(`/orders?user=${user}&limit=2`), made.toReversed())
  t.deepEqual(await follow(`/orders?user=${user}&limit=1&status=paid`), [made[3], made[1]])
  const page = (await client.get(`/orders?user=${user}&offset=1&limit=2&status=open`)).json
  t.like(page, { offset: 1, limit: 2, total: 3, next: (page as Listed).next })
  t.deepEqual((await client.get('/orders?user=nobody')).json, {
    offset: 0,
    limit: 100,
    total: 0,
    orders: [],
    next: null,
  })
  const [first] = ((await client.get(`/orders?user=${user}`)).json as Listed).orders
  t.deepEqual(first, (await show(made[4] ?? '')).json)
  for (const [query, field] of [
    ['', 'user'],
    ['user=a:b', 'user'],
    [`user=${user}&limit=101`, 'limit'],
    [`user=${user}&limit=0`, 'limit'],
    [`user=${user}&offset=-1`, 'offset'],
    [`user=${user}&status=lost`, 'status'],
    [`user=${user}&after=x`, 'after'],
    [`user=${user}&after=5&offset=1`, 'offset'],
    [`user=${user}&user=${user}`, 'user'],
  ] as const) {
    const refused = await client.get(`/orders?${query}`)
    t.deepEqual([kindOf(refused), problemOf(refused).field], ['400 malformed', field], query)
  }
})

test.serial('orders that are placed during an audit are no checkouts in flight', async (t) => {
  const { client } = opened()
  const user = await client.createUser()
  const item = await client.createItem(5)
  let isOver = false
  const placeOn = async (): Promise<void> => {
    while (!isOver) t.is((await place({ user_id: user, item_id: item, quantity: 1 })).status, 201)
  }
  const placing = Array.from({ length: PLACING }, placeOn)
  const inFlight: number[] = []
  for (let audits = 0; audits < AUDITS; audits += 1)
    inFlight.push(((await client.get('/audit')).json as { in_flight: number }).in_flight)
  isOver = true
  await Promise.all(placing)
  t.deepEqual(inFlight, Array(AUDITS).fill(0))
})

test.serial('no word of a route is an order', async (t) => {
  const { client } = opened()
  t.true(Array.isArray(((await client.get('/orders/logs')).json as { logs: unknown }).logs))
  t.is((await client.get('/orders/log_count')).headers['content-type'], 'text/plain; charset=utf-8')
  t.is(kindOf(await client.get('/orders/fault_tolerance')), '405 method-not-allowed')
  t.is(kindOf(await client.get('/orders/create')), '404 no-such-route')
  t.is(kindOf(await client.request('PUT', '/orders/nobody')), '405 method-not-allowed')
  await proveInvariants(t, opened())
})
