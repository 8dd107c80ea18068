/** Every row of every service, asked of the service itself: what it reads, what it refuses and what it answers is what the row says. */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import * as v from 'valibot'
import { nameField } from '../../shared/contract/fields.ts'
import { BODY_MAX_BYTES } from '../../shared/http/body.ts'
import { keyReused } from '../../shared/http/problems.ts'
import { problemsOf } from '../../shared/http/route.ts'
import * as ofOperators from '../../shared/operator/api.ts'
import { eventually } from '../support/eventually.ts'
import { type NamedRow, ROWS, targetOf } from '../support/rows.ts'
import { type Client, openClient, problemOf, type Reply } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const TOKEN = 'a-token-of-the-operator'
const operator = { Authorization: `Bearer ${TOKEN}` }
const opened = shareShop(test, { env: { all: { OPERATOR_TOKEN: TOKEN } } })

/** Too long for any field, and of no form. */
const MALFORMED = '!'.repeat(300)
const NO_IDS = ['a.b', 'a b', 'a:b', 'a/b', 'ü', '\0', '*', ' ', 'x'.repeat(65)]
const NO_AMOUNTS = ['1e3', '1.0', '-0', '-1', '+1', '007', '0x10', '9007199254740992', 'NaN', 'one', '1,000', ' ', '١']
const NO_NUMBERS = [...NO_AMOUNTS, '0']
const NO_COUNTS = [...NO_NUMBERS, '1000001']
const NO_ENTRIES = ['x', '1-2-3', '-', '1-', '+', '1-18446744073709551616']
/** What a field does not take; any other does not take what is malformed. */
const NOT_TAKEN: Readonly<Record<string, readonly string[]>> = {
  ...{ lock: ['\0', 'x'.repeat(257), 'ü'.repeat(129)], lease: NO_IDS },
  ...{ token: NO_AMOUNTS, wait_ms: [...NO_AMOUNTS, '600001'], waiters: ['yes', ''], state: ['busy', ''] },
  ...{ user: NO_IDS, item: NO_IDS, order: NO_IDS, log_id: NO_IDS, refund: NO_IDS, webhook: NO_IDS },
  ...{ price: NO_AMOUNTS, item_price: NO_AMOUNTS, starting_money: NO_AMOUNTS, starting_stock: NO_AMOUNTS },
  ...{ quantity: NO_NUMBERS, amount: NO_NUMBERS, minutes: NO_NUMBERS },
  ...{ n: NO_COUNTS, n_items: NO_COUNTS, n_users: NO_COUNTS },
  ...{ method: ['gold', '', 'CASH', 'toString'], installments: [...NO_NUMBERS, '13'] },
  ...{ number: ['1-1', 'I1', 'I0-1', 'I1-0', 'I1-01', 'i1-1', 'X1-1'] },
  ...{ after: NO_ENTRIES, cursor: ['x', '-1', '18446744073709551616'], limit: ['0', '-1', '1001', '1e2', ''] },
}
/** The same of single rows: a page may be of more than is given, or begin behind a name. */
const NOT_TAKEN_BY: Readonly<Record<string, typeof NOT_TAKEN>> = {
  listFormOrders: { limit: ['0', '-1', '1e2', ''] },
  listLocks: { after: ['\0', 'x'.repeat(257)] },
}
/** What is answered of a thing that there is not, but for lists, which are empty. */
const UNKNOWN: Readonly<Record<string, RegExp>> = {
  user: /:no-such-user$/,
  item: /:no-such-item$/,
  order: /:no-such-order$/,
  log_id: /:no-such-(log-id|saga|checkout)$/,
  refund: /:no-such-(refund|order)$/,
  webhook: /:no-such-webhook$/,
  name: /:no-such-feature$/,
}
const LISTS = ['listFormOrders']
const SETTLED_MS = 15_000
/** Things are made anew up to the second, which is asked for then; and what else a field may be. */
const VALUES: Readonly<Record<string, string>> = {
  n: '3',
  n_items: '3',
  n_users: '3',
  starting_money: '1000',
  by: 'refund',
  slot: '2026-01-02T03:00:00Z',
  kind: 'read-process',
}
/** The same of single rows. */
const VALUES_OF: Readonly<Record<string, typeof VALUES>> = {
  findInvoice: { number: 'I1-1' },
  findCreditNote: { number: 'C1-1' },
}
const QUERIES: Readonly<Record<string, string>> = {
  at: '1',
  ids: '1',
  log_ids: '1',
  user: '1',
  amount: '12',
  method: 'credit_card',
}
/** The bodies of the rows that take one, by their names. */
const BODIES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  placeOrder: { user_id: '1', lines: [{ item_id: '1', quantity: 1 }] },
  changeItem: { price: 7 },
  cancelOrder: { reason: 'too slow' },
  changeOrder: { lines: [{ item_id: '1', quantity: 1 }] },
  refundOrder: { lines: [{ item_id: '1', quantity: 1 }], restock: 'none', reason: 'broken' },
  createWebhook: { url: 'http://127.0.0.1:1/', enabled: false },
  changeWebhook: { enabled: false },
  setFeature: { on: false },
  stand: { value: 'http://here' },
  renewCandidate: { value: 'http://there' },
  beginRun: { if_lost: 'again' },
  changeRun: { outcome: 'done', note: 'fine' },
  lock: { resource: 'a resource', ttl: 60 },
  unlock: { lock_id: 'a-lease.YQ' },
  acquireLease: { ttl_ms: 60_000, metadata: { bill: '7' } },
  requestLease: { mode: 'read', queue: true },
  renewLease: { ttl_ms: 60_000 },
  configureLock: { delay_ms: 5 },
  placeFormOrder: { value: 1_000, user_id: '1', installment: 1, method: 'credit_card' },
}
const JSON_TYPE = { 'Content-Type': 'application/json' }

const clients = new Map<string, Client>()
test.after.always(() => {
  for (const { close } of clients.values()) close()
})

/** Speaks to the service itself. */
const clientOf = (service: string): Client => {
  const client = clients.get(service) ?? openClient(opened().shop.part(`${service}-1`).url)
  clients.set(service, client)
  return client
}

type Ask = { readonly method?: string; readonly query?: Readonly<Record<string, string>> } & {
  readonly values?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** One that has a name in a dialect of locks. */
const tenantOf = ({ headers = {} }: NamedRow) => ('user-id' in headers ? { 'user-id': '1' } : {})

const asking = (row: NamedRow, { method = row.method, query, values, headers = operator, ...ask }: Ask = {}) => {
  const body = ask.body ?? (row.body && JSON.stringify(BODIES[row.name]))
  const fields = Object.keys(row.query ?? {}).flatMap((name) => (QUERIES[name] ? [[name, QUERIES[name]]] : []))
  const asked = new URLSearchParams({ ...Object.fromEntries(fields), ...query })
  const target = `${targetOf(row, { ...VALUES, ...VALUES_OF[row.name], ...values })}${asked.size === 0 ? '' : `?${asked}`}`
  const wanted = { ...(row.body ? JSON_TYPE : {}), ...(row.ifMatch ? { 'If-Match': '*' } : {}), ...tenantOf(row) }
  return clientOf(row.service).request(method, target, { ...wanted, ...headers }, body)
}

/** An answer that the row lists: of its form, or of one of its kinds of problems. */
const assertListed = (t: ExecutionContext, row: NamedRow, reply: Reply): void => {
  const where = `${row.method} ${row.path}: ${reply.status} ${reply.text}`
  const [, success] = Object.entries(row.answers).find(([status]) => Number(status) === reply.status) ?? []
  if (success === undefined) {
    const { type, title, status, error } = problemOf(reply)
    t.is(typeof error, row.error ? 'string' : 'undefined', where)
    const kinds = problemsOf(row).map((kind) => ({ type: kind.type, title: kind.title, status: kind.status }))
    t.true(
      kinds.some((kind) => kind.type === type && kind.title === title && kind.status === status),
      where,
    )
  } else if ('empty' in success) t.regex(String(reply.headers.etag), /^"\d+"$/, where)
  else if ('json' in success) t.deepEqual(v.parse(success.json, reply.json), reply.json, where)
  else t.is(reply.headers['content-type'], 'text/plain; charset=utf-8', where)
}

const assertKind = (t: ExecutionContext, reply: Reply, name: string, where: string): void => {
  t.is(reply.status === 200 ? reply.text : problemOf(reply).type, `urn:shop:problem:${name}`, where)
}

const assertMalformed = (t: ExecutionContext, reply: Reply, field: string, where: string): void => {
  assertKind(t, reply, 'malformed', where)
  t.is(problemOf(reply).field, field, where)
}

/** Of what is in the path, a name that somebody chose is refused as a field of a body is. */
const assertNotTaken = (
  t: ExecutionContext,
  reply: Reply,
  { params }: NamedRow,
  field: string,
  where: string,
): void => {
  const param = params?.[field]
  const name = param && nameField(param)
  if (name === undefined) return assertMalformed(t, reply, field, where)
  assertKind(t, reply, 'invalid-name', where)
  t.is(problemOf(reply).field, name, where)
}

/** A replica leases its first identifiers once it is ready, and a lease is an entry: what follows counts them. */
test.serial.before(() => eventually(async () => assert.deepEqual(await appended(), ['4', '0', '0', '0']), 5000))

test('each row stands for one route, and its parameters are those of its path', (t) => {
  const routes = ROWS.map(({ method, path }) => `${method} ${path}`)
  t.is(new Set(routes).size, routes.length)
  const every = Object.values(ofOperators).flatMap((rowsUnder) => Object.values(rowsUnder('')))
  t.deepEqual(
    every.filter(({ path }) => !ROWS.some((row) => row.path.endsWith(path))),
    [],
  )
  for (const { path, params = {}, shownAt = '' } of ROWS) {
    const named = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    t.deepEqual(named(path).sort(), Object.keys(params).sort(), path)
    t.true(
      named(shownAt).every((name) => name !== undefined && name in params),
      path,
    )
    if (shownAt !== '')
      t.true(
        ROWS.some((row) => row.method === 'GET' && row.path === shownAt),
        path,
      )
  }
})

/** How many entries are in the log of each service. */
const appended = (): Promise<string[]> =>
  Promise.all(ROWS.filter(({ name }) => name === 'countEntries').map(async (row) => (await asking(row)).text))

/** Does something that must change nothing: whatever has an effect appends an entry to a log. */
const assertNoEffect = async (t: ExecutionContext, work: () => Promise<void>): Promise<void> => {
  const before = await appended()
  await work()
  t.deepEqual(await appended(), before)
}

/** What can be asked without the operators' token. */
const OPEN = {
  anybody: ['GET /locks/-/health', 'GET /api/methods', 'GET /payment/methods', 'GET /payment/plan'],
  customer: [
    'GET /ids/create',
    'POST /orders/create/{user}',
    'GET /orders/find/{order}',
    'GET /orders/{order}',
    'DELETE /orders/{order}',
    'POST /orders/{order}/cancel',
    'GET /orders/{order}/refunds',
    'GET /orders/{order}/refunds/{refund}',
    'POST /orders/{order}/refunds',
    'POST /api/orders',
    'GET /api/order/{order}',
    'GET /api/orders/{user}',
    'GET /orders',
    'POST /orders',
    'PATCH /orders/{order}',
    'POST /orders/addItem/{order}/{item}/{quantity}',
    'POST /orders/checkout/{order}',
    'GET /orders/checkout/{order}',
    'GET /orders/{order}/events',
    'POST /payment/create_user',
    'GET /payment/find_user/{user}',
    'POST /payment/pay/{user}/{amount}',
    'GET /payment/invoices',
    'GET /payment/invoices/{number}',
    'GET /payment/credit-notes',
    'GET /payment/credit-notes/{number}',
    'GET /stock/find/{item}',
    'GET /stock/item/{item}',
    'GET /stock/items',
  ],
  merchant: [
    'PUT /locks/{lock}/leases/{lease}',
    'POST /locks/{lock}/leases',
    'GET /locks/{lock}/leases/{lease}',
    'PATCH /locks/{lock}/leases/{lease}',
    'DELETE /locks/{lock}/leases/{lease}',
    'GET /locks/{lock}',
    'GET /locks/{lock}/tokens/{token}',
    'GET /locks/{lock}/events',
    'PUT /elections/{election}/candidates/{candidate}',
    'GET /elections/{election}/candidates/{candidate}',
    'PATCH /elections/{election}/candidates/{candidate}',
    'DELETE /elections/{election}/candidates/{candidate}',
    'GET /elections/{election}',
    'GET /elections/{election}/events',
    'PUT /jobs/{job}/runs/{slot}/by/{runner}',
    'PATCH /jobs/{job}/runs/{slot}/by/{runner}',
    'GET /jobs/{job}',
    'POST /lock',
    'POST /unlock',
    'POST /v1/distributed_lock/{lock}',
    'GET /v1/distributed_lock/{lock}',
    'PUT /v1/distributed_lock/{lock}/{kind}/{process}',
    'PUT /v1/distributed_lock/{lock}/{kind}/{process}/refresh',
    'DELETE /v1/distributed_lock/{lock}/{kind}/{process}',
    'GET /payment/users',
    'POST /payment/add_funds/{user}/{amount}',
    'POST /stock/item/create/{price}',
    'PATCH /stock/item/{item}',
    'POST /stock/add/{item}/{amount}',
    'POST /stock/subtract/{item}/{amount}',
  ],
  service: ['POST /internal/lease/{replica}'],
} as const

for (const [scope, routes] of Object.entries(OPEN))
  test(`what ${scope} may ask, and those before may not, is this`, (t) => {
    const own = ROWS.filter((row) => row.scope === scope)
    t.deepEqual(own.map(({ method, path }) => `${method} ${path}`).sort(), routes.toSorted())
  })

test('everything else is for operators', (t) => {
  const others = ROWS.filter(({ scope }) => !(scope in OPEN))
  t.deepEqual([...new Set(others.map(({ scope }) => scope))], ['operator'])
})

test.serial('takes its own method only, names it, and takes a body only if it says so', (t) =>
  assertNoEffect(t, async () => {
    for (const row of ROWS) {
      const methods: string[] = ROWS.filter(({ path }) => path === row.path).map(({ method }) => method)
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((one) => !methods.includes(one))) {
        const { status, headers } = await asking(row, { method })
        t.deepEqual([status, headers.allow], [405, methods.sort().join(', ')], `${method} ${row.path}`)
      }
      if (row.method !== 'GET' && !row.body)
        assertMalformed(t, await asking(row, { body: '{"a":1}' }), 'body', row.path)
    }
  }),
)

test.serial('refuses what its fields do not take, naming the field', (t) =>
  assertNoEffect(t, async () => {
    for (const row of ROWS) {
      for (const where of ['params', 'query'] as const)
        for (const name of Object.keys(row[where] ?? {}))
          for (const value of [...({ ...NOT_TAKEN, ...NOT_TAKEN_BY[row.name] }[name] ?? []), MALFORMED]) {
            const reply = await asking(row, { [where === 'params' ? 'values' : 'query']: { [name]: value } })
            assertNotTaken(t, reply, row, name, `${row.method} ${row.path} ${name}=${value}`)
          }
      assertMalformed(t, await asking(row, { query: { dryRun: 'true' } }), 'dryRun', row.path)
      const keyed = { ...operator, 'Idempotency-Key': 'two words' }
      assertMalformed(t, await asking(row, { headers: keyed }), 'Idempotency-Key', row.path)
    }
  }),
)

test.serial('refuses a body that it does not take, naming the field', (t) =>
  assertNoEffect(t, async () => {
    const rows = ROWS.filter(({ body }) => body !== undefined)
    t.deepEqual([...new Set(rows.map(({ name }) => name))].toSorted(), Object.keys(BODIES).toSorted())
    for (const row of rows) {
      for (const [body, field] of [
        ['{', 'body'],
        ['[]', 'body'],
        [JSON.stringify({ ...BODIES[row.name], surplus: 1 }), 'surplus'],
      ] as const) {
        const reply = await asking(row, { body })
        assertKind(t, reply, 'malformed-body', row.path)
        t.is(problemOf(reply).field, field)
      }
      const typed = await asking(row, { headers: { ...operator, 'Content-Type': 'text/plain' } })
      assertKind(t, typed, 'unsupported-media-type', row.path)
      assertKind(t, await asking(row, { body: ' '.repeat(BODY_MAX_BYTES + 1) }), 'body-too-large', row.path)
    }
  }),
)

test.serial('serves operators only where it says so', async (t) => {
  const values = { n: MALFORMED, user: MALFORMED, order: MALFORMED, lock: MALFORMED, election: MALFORMED }
  for (const row of ROWS) {
    const isRefused = async (headers: Readonly<Record<string, string>>, status: number): Promise<boolean> =>
      (await asking(row, { method: row.method, headers, values })).status === status
    t.is(await isRefused({}, 401), row.scope === 'operator', row.path)
    t.is(await isRefused({ Authorization: 'Bearer other' }, 403), row.scope === 'operator', row.path)
  }
})

test.serial('answers what it lists, of what there is and of what there is not', async (t) => {
  const made = ROWS.filter(({ path }) => path.includes('/batch_init/'))
  const others = ROWS.filter((row) => !made.includes(row))
  // Events do not end: see events.e2e.test.ts.
  const ending = others.filter(({ answers }) => !(200 in answers && 'events' in answers[200]))
  for (const row of [...made, ...ending]) assertListed(t, row, await asking(row))
  // Of a thing that there is not, there are none.
  const told = others.filter((row) => ending.includes(row) || 'order' in (row.params ?? {}))
  for (const row of told) {
    const unknown = Object.fromEntries(
      ['user', 'item', 'order', 'log_id', 'refund', 'replica'].map((name) => [name, 'nobody']),
    )
    const body = row.body && { body: JSON.stringify({ ...BODIES[row.name], user_id: 'nobody' }) }
    assertListed(t, row, await asking(row, { values: unknown, ...body }))
  }
  // Orders that were placed by form are checked out now: what follows counts entries.
  const unfinished = ROWS.filter(({ name }) => name === 'listUnfinished')
  await eventually(async () => {
    for (const row of unfinished) assert.deepEqual((await asking(row)).json, { unfinished: [], more: false })
  }, SETTLED_MS)
})

test.serial('changes what has a version only from one that was shown, where it says so', (t) =>
  assertNoEffect(t, async () => {
    for (const row of ROWS.filter(({ ifMatch }) => ifMatch)) {
      // The order 2 is open still.
      const on = (ifMatch: string) =>
        asking(row, { values: { order: '2' }, headers: { ...operator, 'If-Match': ifMatch } })
      if (row.ifMatch === 'required') assertKind(t, await on(''), 'precondition-required', row.path)
      else assertMalformed(t, await on(''), 'If-Match', row.path)
      assertKind(t, await on('"7"'), 'stale', row.path)
      assertMalformed(t, await on('7'), 'If-Match', row.path)
    }
  }),
)

test.serial('takes no version of a change for which none is looked at', (t) =>
  assertNoEffect(t, async () => {
    for (const row of ROWS.filter(({ ifMatch, method }) => ifMatch === undefined && method !== 'GET')) {
      const reply = await asking(row, { values: { order: '2' }, headers: { ...operator, 'If-Match': '"7"' } })
      assertMalformed(t, reply, 'If-Match', row.path)
    }
  }),
)

test.serial('does not know what is not there: 404', (t) =>
  assertNoEffect(t, async () => {
    for (const row of ROWS)
      for (const name of Object.keys(row.params ?? {}).filter((one) => one in UNKNOWN && !LISTS.includes(row.name))) {
        // The others are there: the order 2 is open still.
        const reply = await asking(row, { values: { order: '2', [name]: 'nobody' } })
        t.is(reply.status, 404, `${row.method} ${row.path}: ${reply.text}`)
        t.regex(problemOf(reply).type, UNKNOWN[name] ?? /impossible/, row.path)
      }
  }),
)

test.serial(
  'of all that is posted only a run of the log parser keeps no key, and what services ask each other',
  async (t) => {
    // Clients of an older lock service know no keys.
    const keyless = ROWS.filter(
      ({ method, problems, path }) => method === 'POST' && !problems.includes(keyReused) && !path.startsWith('/v1/'),
    )
    t.deepEqual([...new Set(keyless.map(({ name }) => name))], ['leaseBlock', 'parseLog'])
    for (const row of keyless) {
      const headers = { ...operator, 'Idempotency-Key': `a-run-of-${row.service}` }
      t.is((await asking(row, { headers })).status, 200, row.path)
      const [keeping] = ROWS.filter((one) => one.service === row.service && one.problems.includes(keyReused))
      if (keeping === undefined) return t.fail(`${row.service} keeps no keys`)
      t.is((await asking(keeping, { headers })).status, 200, keeping.path)
      t.is((await asking(row, { headers })).status, 200, row.path)
    }
  },
)

test.serial('refuses a key that was used for another request, where it says so', async (t) => {
  for (const service of ['ids', 'order', 'payment', 'stock'] as const) {
    const headers = { ...operator, 'Idempotency-Key': `a-key-of-${service}` }
    const [first, ...others] = ROWS.filter((row) => row.service === service && row.problems.includes(keyReused))
    if (first === undefined) return t.fail(`${service} keeps no keys`)
    t.is((await asking(first, { headers })).status, 200, first.path)
    for (const row of others) assertKind(t, await asking(row, { headers }), 'idempotency-key-reused', row.path)
  }
})

test.serial(
  'takes the token of a lock where it says so, and refuses one that is lower than was seen before',
  async (t) => {
    const names = { order: 'order', payment: 'user', stock: 'item' } as const
    // Whatever became of the order 1, it sees tokens.
    const on = (row: NamedRow, token: string) => asking(row, { headers: { ...operator, 'If-Lock-Token': token } })
    let token = 1_000
    for (const row of ROWS.filter(({ fenced }) => fenced)) {
      if (row.service === 'ids') return t.fail(`${row.path} is about no thing`)
      t.true(names[row.service] in (row.params ?? {}), row.path)
      token += 10
      const seen = await on(row, String(token))
      assertListed(t, row, seen)
      t.notRegex(seen.text, /stale-lock-token/, row.path)
      await assertNoEffect(t, async () => {
        const refused = await on(row, String(token - 1))
        assertKind(t, refused, 'stale-lock-token', `${row.path}: ${refused.text}`)
        t.is(problemOf(refused).newest, token)
        assertMalformed(t, await on(row, '1e3'), 'If-Lock-Token', row.path)
      })
    }
    await assertNoEffect(t, async () => {
      for (const row of ROWS.filter(({ method, fenced }) => method !== 'GET' && !fenced))
        assertMalformed(t, await on(row, '1'), 'If-Lock-Token', row.path)
    })
    for (const row of ROWS.filter(({ name }) => name === 'findUser' || name === 'findOrder'))
      t.is((await on(row, '1')).status, 200, 'what changes nothing does not look at it')
  },
)
