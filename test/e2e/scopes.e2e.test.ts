/**
 * Who may ask what? Every row of every service, asked by everybody: what a scope reaches is served, what it does not reach is refused,
 * and what is another's is answered as if there were no such thing.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { makeKey } from '../../gateway/auth/api-keys.ts'
import { field } from '../../shared/contract/raw-entry.ts'
import { CALLER_HEADER, callerText, GATEWAY_HEADER, reaches, SCOPES, type Scope } from '../../shared/http/caller.ts'
import { eventually } from '../support/eventually.ts'
import { type NamedRow, ROWS, targetOf } from '../support/rows.ts'
import { behind } from '../support/shop/behind.ts'
import { AUDIENCE, ISSUER, makeSigningKey, sign } from '../support/shop/issuer.ts'
import { entryOf } from '../support/shop/open-store.ts'
import { shareShop } from '../support/shop/shop.ts'

const SECRET = 'a-secret-of-the-gateway-alone'
const OPERATOR_TOKEN = 'a-token-of-the-operator'
const key = await makeSigningKey('a-key')
const program = makeKey('merchant', 'program', new Date())
const folder = await mkdtemp(join(tmpdir(), 'shop-test-'))
await writeFile(join(folder, 'keys'), program.line)
const tokenOf = (sub: string, scope?: string): Promise<string> => sign(key, { sub, scope })
/** Everybody, by what they bear, and as what a service knows them. */
const CALLERS = {
  nobody: { scope: 'anybody', bears: undefined },
  anna: { scope: 'customer', bears: await tokenOf('anna') },
  ben: { scope: 'customer', bears: await tokenOf('ben') },
  merchant: { scope: 'merchant', bears: await tokenOf('seller', 'merchant') },
  both: { scope: 'merchant', bears: await tokenOf('clerk', 'customer merchant') },
  program: { scope: 'merchant', bears: program.key },
  operator: { scope: 'operator', bears: OPERATOR_TOKEN },
} as const satisfies Record<string, { readonly scope: Scope; readonly bears: string | undefined }>
test.after.always(() => rm(folder, { recursive: true, force: true }))

const opened = shareShop(test, {
  env: {
    all: { AUTH: 'jwt', GATEWAY_SECRET: SECRET, OPERATOR_TOKEN },
    gateway: {
      ...{ AUTH_JWKS: JSON.stringify({ keys: [key.shown] }), AUTH_ISSUER: ISSUER, AUTH_AUDIENCE: AUDIENCE },
      AUTH_KEYS: join(folder, 'keys'),
    },
  },
})

type Name = keyof typeof CALLERS
const NAMES = Object.keys(CALLERS) as Name[]

type Answer = { readonly status: number; readonly headers: Headers; readonly json: unknown; readonly text: string }

/** Asks for a URL; a stream of events is left as soon as it begins. */
const send = async (
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<Answer> => {
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) })
  const type = response.headers.get('content-type') ?? ''
  const isStream = type.startsWith('text/event-stream')
  if (isStream) await response.body?.cancel()
  const text = isStream ? '' : await response.text()
  const json: unknown = /json\b/.test(type) ? JSON.parse(text) : undefined
  return { status: response.status, headers: response.headers, json, text }
}

const through = (target: string): string => `${opened().shop.url}${target}`
const past = (service: string, target: string): string => `${opened().shop.part(`${service}-1`).url}${target}`

const as = (name: Name): Record<string, string> => {
  const { bears } = CALLERS[name]
  return bears === undefined ? {} : { Authorization: `Bearer ${bears}` }
}

const JSON_TYPE = { 'Content-Type': 'application/json' }

type Things = Readonly<Record<'order' | 'open' | 'item' | 'refund' | 'invoice' | 'note', string>>
/** What is anna's, and what is sold. */
let things: Things

/** An id of each kind that nothing has. */
const UNKNOWN = { order: 'nothing', user: 'nobody', refund: 'nothing' }
const OWNED = ['order', 'user', 'refund', 'number']

const rowNamed = (name: string): NamedRow => {
  const row = ROWS.find((one) => one.name === name)
  assert.ok(row)
  return row
}

const bodyOf = ({ name }: NamedRow, user: string): object | undefined =>
  ({
    placeOrder: { user_id: user, lines: [{ item_id: things.item, quantity: 1 }] },
    placeFormOrder: { value: 1_000, user_id: user, installment: 1, method: 'credit_card' },
    changeItem: { price: 5 },
    cancelOrder: {},
    changeOrder: { lines: [{ item_id: things.item, quantity: 1 }] },
    refundOrder: { lines: [{ item_id: things.item, quantity: 1 }] },
    createWebhook: { url: 'http://127.0.0.1:1/', enabled: false },
    changeWebhook: { enabled: false },
    setFeature: { on: true },
  })[name]

const valuesOf = ({ name }: NamedRow, owned: Readonly<Record<string, string>>): Record<string, string> => ({
  ...{ item: things.item, quantity: '1', amount: '1', price: '5', n: '2', n_items: '2', n_users: '2', by: 'refund' },
  ...{ item_price: '5', starting_money: '5', starting_stock: '5', minutes: '1' },
  number: name === 'findInvoice' ? things.invoice : things.note,
  ...owned,
})

const queriesOf = ({ query = {} }: NamedRow, owned: Readonly<Record<string, string>>): string => {
  const known: Record<string, string> = {
    at: '1',
    ids: 'anna',
    log_ids: '1',
    amount: '12',
    method: 'credit_card',
    ...owned,
  }
  const asked = new URLSearchParams(
    Object.keys(query).flatMap((name): [string, string][] => (known[name] ? [[name, known[name]]] : [])),
  )
  return asked.size === 0 ? '' : `?${asked}`
}

type Texts = Readonly<Record<string, string>>

/** Asks a row for things of anna's, or for those instead. */
const ask = (row: NamedRow, by: Name, instead: Texts = {}, more: Texts = {}, query = ''): Promise<Answer> => {
  // What ends an order is asked for of one that nothing else is asked for.
  const order = row.name === 'refundOrder' || row.name === 'showRefund' ? things.order : things.open
  const owned = { user: 'anna', order, refund: things.refund, ...instead }
  const body = bodyOf(row, owned.user)
  const headers = { ...as(by), ...(row.body ? JSON_TYPE : {}), ...(row.ifMatch ? { 'If-Match': '*' } : {}), ...more }
  const target = `${targetOf(row, valuesOf(row, owned))}${queriesOf(row, owned)}${query}`
  return send(through(target), row.method, headers, body && JSON.stringify(body))
}

const typeOf = ({ json }: Answer): string =>
  String((json as { readonly type?: string } | undefined)?.type ?? '').replace('urn:shop:problem:', '')

/** What is answered of what there is not. */
const MISSING = /^no-such-(order|user|refund|invoice|credit-note)$/

const assertServed = (t: ExecutionContext, answer: Answer, where: string): void => {
  const { status, text } = answer
  t.false(
    [401, 403].includes(status) || status >= 500 || MISSING.test(typeOf(answer)) || typeOf(answer) === 'no-such-route',
    `${where}: ${status} ${text}`,
  )
}

/** Does a row concern something that one customer owns? */
const concerns = ({ path, query = {}, name }: NamedRow): 'a thing' | 'a list' | undefined => {
  if (name === 'placeOrder' || name === 'placeFormOrder') return 'a thing'
  if (name === 'listFormOrders' || 'user' in query) return 'a list'
  return OWNED.some((one) => path.includes(`{${one}}`)) ? 'a thing' : undefined
}

const LISTED = /"(orders|documents)":\[\]/

type Asked = [instead: Texts, headers?: Texts, query?: string]

/** What is another's is as unknown as what is nobody's. */
const assertForeign = async (t: ExecutionContext, row: NamedRow, ...[instead, ...more]: Asked): Promise<void> => {
  const where = `ben asks ${row.method} ${row.path} ${JSON.stringify([instead, ...more])}`
  const answer = await ask(row, 'ben', instead, ...more)
  if (concerns(row) === 'a list') {
    t.is(answer.status, 200, where)
    t.regex(answer.text, LISTED, where)
  } else {
    t.is(answer.status, 404, `${where}: ${answer.text}`)
    t.regex(typeOf(answer), MISSING, where)
  }
  const number = row.name === 'findInvoice' ? 'I999-1' : 'C999-1'
  const unknown = await ask(row, 'ben', { ...UNKNOWN, number }, ...more)
  const known = { anna: UNKNOWN.user, [things.open]: UNKNOWN.order, [things.order]: UNKNOWN.order }
  const numbers = { [things.invoice]: number, [things.note]: number }
  const same = Object.entries({ ...known, ...numbers }).reduce(
    (text, [one, other]) => text.replaceAll(one, other),
    answer.text,
  )
  t.is(unknown.status, answer.status, where)
  t.is(unknown.text, same, where)
}

test.serial.before(async (t) => {
  t.timeout(60_000)
  const made = async (by: Name, method: string, target: string, body?: object): Promise<Record<string, string>> => {
    const headers = { ...as(by), ...JSON_TYPE }
    const { status, json, text } = await send(through(target), method, headers, body && JSON.stringify(body))
    assert.ok(status < 300, `${method} ${target}: ${status} ${text}`)
    return (json ?? {}) as Record<string, string>
  }
  const { item_id: item = '' } = await made('merchant', 'POST', '/stock/item/create/5')
  await made('merchant', 'POST', `/stock/add/${item}/1000`)
  for (const name of ['anna', 'ben'] as const) {
    t.is((await made(name, 'POST', '/payment/create_user')).user_id, name)
    await made('merchant', 'POST', `/payment/add_funds/${name}/100000`)
  }
  const order = async (): Promise<string> =>
    (await made('anna', 'POST', '/orders', { user_id: 'anna', lines: [{ item_id: item, quantity: 9 }] })).id ?? ''
  const [paid, open] = [await order(), await order()]
  await made('anna', 'POST', `/orders/checkout/${paid}`)
  const { refund_id: refund = '', credit_note: note = '' } = await made('anna', 'POST', `/orders/${paid}/refunds`, {
    lines: [{ item_id: item, quantity: 1 }],
  })
  const listed = await send(through('/payment/invoices'), 'GET', as('anna'))
  const [invoice] = (listed.json as { documents: { number: string }[] }).documents
  things = { order: paid, open, item, refund, invoice: invoice?.number ?? '', note }
})

/** Who has lost an order cannot be asked about it: that comes last. What peers ask of each other has no way through the gateway. */
const ASKED = ROWS.filter(({ scope }) => scope !== 'service').toSorted(
  (a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'),
)

for (const row of ASKED)
  test.serial(`${row.method} ${row.path} is for ${row.scope} and whom that includes`, async (t) => {
    for (const name of ['ben', ...NAMES.filter((one) => one !== 'ben')] as const) {
      const where = `${name} asks ${row.method} ${row.path}`
      const isReached = reaches({ ...CALLERS[name], subject: name }, row.scope)
      if (isReached && name === 'ben' && concerns(row) !== undefined) {
        const orders = row.path.includes('{order}') ? [things.open, things.order] : [things.order]
        for (const order of orders) await assertForeign(t, row, { order })
        continue
      }
      const answer = await ask(row, name)
      if (isReached) assertServed(t, answer, where)
      else if (name === 'nobody') {
        t.deepEqual([answer.status, typeOf(answer)], [401, 'unauthorised'], where)
        t.regex(answer.headers.get('www-authenticate') ?? '', /^Bearer/, where)
      } else {
        t.deepEqual([answer.status, typeOf(answer)], [403, 'insufficient-scope'], where)
        t.regex(answer.headers.get('www-authenticate') ?? '', /insufficient_scope/, where)
      }
    }
  })

test.serial('an order is as unknown to another customer, in whatever way it is asked for', async (t) => {
  for (const order of [things.open, things.order]) {
    await assertForeign(t, rowNamed('checkout'), { order }, { Prefer: 'respond-async' })
    await assertForeign(t, rowNamed('checkout'), { order }, { 'Idempotency-Key': `a-key-for-${order}` })
    await assertForeign(t, rowNamed('showCheckout'), { order }, { Prefer: 'wait=1' })
    await assertForeign(t, rowNamed('showOrder'), { order }, { 'If-None-Match': '*' })
    await assertForeign(t, rowNamed('changeOrder'), { order }, {}, '?dry_run=true')
    await assertForeign(t, rowNamed('changeOrder'), { order }, { 'If-Match': '"1"' })
    await assertForeign(t, rowNamed('deleteOrder'), { order }, { 'If-Match': '"1"' })
    await assertForeign(t, rowNamed('listenToOrder'), { order }, { 'Last-Event-ID': '0-0' })
    await assertForeign(t, rowNamed('listInvoices'), { user: 'ben', order }, {}, '&limit=1')
  }
})

test.serial('what is for peers is for no client, not even past the gateway', async (t) => {
  const rows = ROWS.filter(({ scope }) => scope === 'service')
  t.not(rows.length, 0)
  for (const row of rows) {
    const target = targetOf(row, { replica: 'some' })
    t.is((await send(through(target), row.method, as('operator'))).status, 404)
    for (const scope of SCOPES) {
      const headers = { [GATEWAY_HEADER]: SECRET, [CALLER_HEADER]: callerText({ scope, subject: '' }) }
      const { status } = await send(past(row.service, target), row.method, headers)
      t.is(status, scope === 'service' ? 200 : scope === 'anybody' ? 401 : 403, scope)
    }
  }
})

test.serial('nobody reaches a service past the gateway, whatever is said of who asks', async (t) => {
  const said = { [CALLER_HEADER]: 'operator root' }
  const liars: Record<string, string>[] = [
    {},
    said,
    as('operator'),
    { ...said, [GATEWAY_HEADER]: `${SECRET}.` },
    { ...said, [GATEWAY_HEADER]: '' },
  ]
  for (const headers of liars)
    await Promise.all(
      ROWS.map(async (row) => {
        const target = targetOf(row, valuesOf(row, { user: 'anna', order: things.open }))
        const answer = await send(past(row.service, target), row.method, headers)
        t.deepEqual([answer.status, typeOf(answer)], [403, 'past-the-gateway'], `${row.method} ${row.path}`)
      }),
    )
  for (const service of ['ids', 'order', 'payment', 'stock'])
    for (const path of ['/live', '/ready']) t.is((await send(past(service, path), 'GET', {})).status, 200)
})

const placed = async (): Promise<string> => {
  const { json } = await ask(rowNamed('placeOrder'), 'anna')
  return (json as { readonly id: string }).id
}

test.serial(
  'a subject that is no id is a user all the same, made once, and sees its orders without naming itself',
  async (t) => {
    const headers = { Authorization: `Bearer ${await tokenOf('auth0|123')}`, ...JSON_TYPE }
    const create = async () =>
      (await send(through('/payment/create_user'), 'POST', headers)).json as { user_id: string }
    const user = await create()
    t.regex(user.user_id, /^sub_[\w-]{43}$/)
    t.deepEqual(await create(), { ...user, log_id: null })
    t.is((await send(through(`/orders/create/${user.user_id}`), 'POST', headers)).status, 200)
    t.like((await send(through('/orders'), 'GET', headers)).json, { total: 1, orders: [{ user_id: user.user_id }] })
    t.like((await send(through(`/orders/create/anna`), 'POST', headers)).json, { status: 404, user_id: 'anna' })
  },
)

test.serial('two callers that use the same key do not meet', async (t) => {
  const pay = (by: 'anna' | 'ben', amount: number) =>
    send(through(`/payment/pay/${by}/${amount}`), 'POST', { ...as(by), 'Idempotency-Key': 'one-and-the-same' })
  t.deepEqual([(await pay('anna', 3)).text, (await pay('ben', 4)).text], ['3 paid', '4 paid'])
  t.deepEqual([(await pay('anna', 3)).status, (await pay('anna', 5)).status], [200, 422])
})

test.serial('an order whose checkout is under way is as unknown to another customer as any', async (t) => {
  const unknown = await ask(rowNamed('checkout'), 'ben', { order: UNKNOWN.order })
  for (let time = 0; time < 10; time += 1) {
    const order = await placed()
    const askers = ['anna', 'ben', 'merchant', 'ben', 'anna'] as const
    const answers = await Promise.all(askers.map((by) => ask(rowNamed('checkout'), by, { order })))
    t.deepEqual(
      answers.map(({ status }) => status),
      [200, 404, 200, 404, 200],
    )
    for (const at of [1, 3]) t.is(answers[at]?.text, unknown.text.replaceAll(UNKNOWN.order, order))
  }
})

test.serial('an operator reads who has done what, and the customer does not', async (t) => {
  const order = await placed()
  const { headers } = await ask(rowNamed('checkout'), 'merchant', { order })
  const logged = await send(through(`/orders/log/${headers.get('x-log-id')}`), 'GET', as('operator'))
  const { logs } = logged.json as { readonly logs: readonly { readonly kind: string; readonly facts: object }[] }
  t.like(logs[0], { kind: 'CheckoutStarted', facts: { done_by: 'merchant:seller' } })
  const response = await fetch(through(`/orders/${order}/events`), { headers: as('anna') })
  let seen = ''
  for await (const chunk of response.body ?? []) {
    seen += Buffer.from(chunk).toString()
    if (seen.includes('OrderPaid')) break
  }
  t.regex(seen, /CheckoutStarted/)
  t.notRegex(seen, /done_by|seller/)
})

/** Routes that change something. */
const DEEDS = ROWS.filter(({ method, scope }) => method !== 'GET' && scope !== 'service')
/** What the log parser does at once instead of a little later, nobody has it do. */
const OF_TIME = ['parseLog']
/** It is sent to its receiver, and changes nothing here. */
const SENT = ['testWebhook']
/** A route that wants a contradiction is held against its entry in `test/order/resolve-late.redis.test.ts`. */
const ELSEWHERE = ['resolveContradiction']
/** No entry of another service is applied in ids, so it has no dead letters. */
const hasNone = ({ service, name }: NamedRow): boolean => service === 'ids' && name.endsWith('DeadLetter')

type Deed = { readonly values?: Texts; readonly body?: object; readonly headers?: Texts; readonly query?: string }

const ofNewOrder = async (): Promise<Deed> => ({ values: { order: await placed() } })
const ofPaidOrder = async (): Promise<Deed> => {
  const order = await placed()
  await ask(rowNamed('checkout'), 'anna', { order })
  return { values: { order }, body: { lines: [{ item_id: things.item, quantity: 1 }] } }
}
/** A checkout that cannot go on from stock, until the test ends: the shop is brought back then. */
const ofSlowCheckout = async (): Promise<Deed> => {
  const order = await placed()
  opened().shop.part('stock-1').freeze()
  const { json } = await ask(rowNamed('checkout'), 'anna', { order }, { Prefer: 'respond-async' })
  const log_id = String((json as { readonly log_id?: string }).log_id)
  await eventually(async () => {
    const { status } = await send(through(`/payment/saga/${log_id}`), 'GET', as('operator'))
    assert.equal(status, 200)
  }, 10_000)
  return { values: { log_id } }
}
const APPLICABLE = {
  order: ['payment', 'CreditReleased'],
  payment: ['order', 'CheckoutCancelled'],
  stock: ['payment', 'CreditReleased'],
} as const
/** Puts an entry aside as if it could not be applied before. */
const ofLetter = async ({ service }: NamedRow): Promise<Deed> => {
  if (service === 'ids') return {}
  const [publisher, kind] = APPLICABLE[service]
  const [entry, fields] = entryOf(publisher, kind as never, '5-0', `of-${kind}`, {
    order: 'none',
    user: 'anna',
    total: 1,
  })
  const letter = ['speaker', publisher, 'entry', entry, 'error', 'once', 'fields', JSON.stringify(fields)]
  const id = await behind(opened().shop.part(`${service}-redis`), (redis) =>
    redis.xadd(`dead:${service}`, '*', ...letter),
  )
  return { values: { id: String(id) } }
}
/** Nothing is sent while it is off. */
const WEBHOOK = { url: 'https://receiver.test/', enabled: false }
const ofWebhook = async (): Promise<Deed> => {
  const { json } = await askFor(rowNamed('createWebhook'), 'operator', { body: WEBHOOK })
  return { values: { webhook: (json as { readonly webhook_id: string }).webhook_id } }
}
const LEASE = { lock: 'trail', lease: 'one' }
/** None that the matrix has stood as, and resigned as: it would have to wait before it stands again. */
const CANDIDACY = { election: 'trail', candidate: 'one' }
const RUN = { job: 'trail', slot: '2026-01-01T00:00:00Z', runner: 'one' }
const TENANT = { 'User-Id': 'trail' }
const HELD = { lock: 'shared', kind: 'read-process', process: 'one' }
/** What each of them wants so that it does something; the others are asked as anybody asks them. */
const WANTED: Readonly<Record<string, (row: NamedRow) => Promise<Deed>>> = {
  acquireLease: async () => ({ values: LEASE }),
  requestLease: async () => ({ values: { lock: 'another' } }),
  renewLease: async () => ({ values: LEASE }),
  releaseLease: async () => ({ values: LEASE }),
  configureLock: async () => ({ values: { lock: 'configured' }, body: { limit: 2 } }),
  forceLock: async () => ({ values: { lock: 'another' } }),
  stand: async () => ({ values: CANDIDACY }),
  renewCandidate: async () => ({ values: CANDIDACY }),
  resign: async () => ({ values: CANDIDACY }),
  beginRun: async () => ({ values: RUN }),
  changeRun: async () => ({ values: RUN, body: { outcome: 'done' } }),
  lock: async () => ({ body: { resource: 'trail-of-another' } }),
  unlock: async () => {
    const { json } = await askFor(rowNamed('lock'), 'merchant', { body: { resource: 'unlocked' } })
    return { body: { lock_id: (json as { readonly lock_id: string }).lock_id } }
  },
  makeDistributedLock: async () => ({ values: HELD, headers: TENANT }),
  holdDistributedLock: async () => ({ values: HELD, headers: TENANT, query: '?timeout=30' }),
  refreshDistributedLock: async () => ({ values: HELD, headers: TENANT, query: '?timeout=30' }),
  releaseDistributedLock: async () => ({ values: HELD, headers: TENANT }),
  addItem: ofNewOrder,
  checkout: ofNewOrder,
  changeOrder: async () => ({ ...(await ofNewOrder()), body: { lines: [{ item_id: things.item, quantity: 2 }] } }),
  cancelOrder: ofNewOrder,
  deleteOrder: ofNewOrder,
  refundOrder: ofPaidOrder,
  cancelCheckout: ofSlowCheckout,
  retrySaga: ofSlowCheckout,
  retryDeadLetter: ofLetter,
  dismissDeadLetter: ofLetter,
  createUser: async () => ({}),
  createWebhook: async () => ({ body: WEBHOOK }),
  changeWebhook: async () => ({ ...(await ofWebhook()), body: { url: 'https://receiver.test/another' } }),
  rotateWebhookSecret: ofWebhook,
  deleteWebhook: ofWebhook,
  changeItem: async () => ({ body: { price: 7 } }),
  setFeature: async ({ service }) => ({ values: { name: FEATURES[service] }, body: { on: false } }),
}
const FEATURES = { ids: 'acquireLease', order: 'addItem', payment: 'pay', stock: 'addStock' }

const askFor = (row: NamedRow, by: Name, { values = {}, body, headers = {}, query = '' }: Deed): Promise<Answer> =>
  body === undefined
    ? ask(row, by, values, headers, query)
    : send(
        `${through(targetOf(row, valuesOf(row, values)))}${query}`,
        row.method,
        { ...as(by), ...JSON_TYPE, ...(row.ifMatch ? { 'If-Match': '*' } : {}), ...headers },
        JSON.stringify(body),
      )

const newestOf = (service: NamedRow['service']) =>
  behind(opened().shop.part(`${service}-redis`), async (redis) => {
    const [entry] = await redis.xrevrange(`log:${service}`, '+', '-', 'COUNT', 1)
    return entry?.[0] ?? '0-0'
  })

/** Deletions last but where they are needed; what is switched off comes last of all. */
const inTurn = (row: NamedRow): number => Number(row.name === 'setFeature') * 2 + Number(row.method === 'DELETE')
for (const row of DEEDS.filter(
  (one) => ![...OF_TIME, ...SENT, ...ELSEWHERE].includes(one.name) && !hasNone(one),
).toSorted((a, b) => inTurn(a) - inTurn(b)))
  test.serial(`who has asked ${row.service} to ${row.name} stands in an entry of its log`, async (t) => {
    const [by, name] =
      row.scope === 'operator'
        ? (['operator', 'operator:operator'] as const)
        : (['merchant', 'merchant:seller'] as const)
    // The test before may have left a part frozen until its end.
    await eventually(async () => assert.equal((await send(through('/ready'), 'GET', {})).status, 200), 20_000)
    const deed = (await WANTED[row.name]?.(row)) ?? {}
    const before = await newestOf(row.service)
    const { status, text } = await askFor(row, by, deed)
    t.true(status < 300, `${status} ${text}`)
    const entries = await behind(opened().shop.part(`${row.service}-redis`), (redis) =>
      redis.xrange(`log:${row.service}`, `(${before}`, '+'),
    )
    t.true(
      entries.some((entry) => field(entry, 'done_by') === name),
      JSON.stringify(entries),
    )
  })
