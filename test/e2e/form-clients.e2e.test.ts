/**
 * What form clients send, to the letter, and what they expect; and each fault that the back end had which they were made for.
 */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import { nanoid } from 'nanoid'
import { proveInvariants } from '../support/checker/invariants.ts'
import { eventually } from '../support/eventually.ts'
import { problemOf, type Reply } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test)

type Form = Readonly<Record<string, string>>
type FormOrder = { readonly id: string; readonly status: string }
type Page = { readonly offset: number; readonly limit: number; readonly total: number; readonly orders: FormOrder[] }

/** As curl writes it. */
const BOUNDARY = '------------------------d74496d66958873e'
const MULTIPART = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` }
const URLENCODED = { 'Content-Type': 'application/x-www-form-urlencoded' }
const multipart = (form: Form): string =>
  `${Object.entries(form)
    .map(([name, value]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    .join('')}--${BOUNDARY}--\r\n`

const place = (form: Form, headers = {}): Promise<Reply> =>
  opened().client.request('POST', '/api/orders', { ...MULTIPART, ...headers }, multipart(form))
const placed = async (form: Form): Promise<FormOrder> => {
  const reply = await place(form)
  assert.equal(reply.status, 201, reply.text)
  return reply.json as FormOrder
}
const show = async (id: string): Promise<FormOrder> => (await opened().client.get(`/api/order/${id}`)).json as FormOrder
const list = async (user: string, query = ''): Promise<Page> =>
  (await opened().client.get(`/api/orders/${user}${query}`)).json as Page
/** "Within 1 s" on a machine that has nothing else to do. */
const BECOMES_MS = 10_000
const becomes = async (t: ExecutionContext, { id }: FormOrder, status: string): Promise<void> => {
  await eventually(async () => assert.notEqual((await show(id)).status, 'PROCESSING'), BECOMES_MS)
  t.is((await show(id)).status, status)
}
const kindOf = (reply: Reply): string => problemOf(reply).type.replace('urn:shop:problem:', `${reply.status} `)

const CREDIT = 10_000
const formOf = (user_id: string, form: Partial<Form> = {}): Form => ({
  value: '1000.00',
  user_id,
  installment: '1',
  method: 'credit_card',
  ...form,
})

test.serial('scenario 1: two orders are PROCESSING, and are listed', async (t) => {
  const user = await opened().client.createUser(CREDIT)
  for (const reply of [
    await place(formOf(user)),
    await opened().client.request('POST', '/api/orders', URLENCODED, `${new URLSearchParams(formOf(user))}`),
  ]) {
    const { id } = reply.json as FormOrder
    t.is(reply.status, 201, reply.text)
    t.deepEqual(reply.json, {
      id,
      value: '1000',
      user_id: user,
      installment: 1,
      status: 'PROCESSING',
      method: 'credit_card',
    })
    t.is(reply.headers.location, `/api/order/${id}`)
  }
  const { total, orders, ...page } = await list(user, '?offset=0&limit=100')
  t.true(total > 0)
  t.deepEqual([page, total, orders.length], [{ offset: 0, limit: 100 }, 2, 2])
})

test.serial('scenario 2: an unknown method is refused', async (t) => {
  const user = await opened().client.createUser(CREDIT)
  const reply = await place(formOf(user, { method: 'not_exist' }))
  t.is(kindOf(reply), '400 method-invalid')
  t.is(problemOf(reply).error, 'nothing is paid by "not_exist" in 1 instalments')
  t.is((await list(user)).total, 0)
})

test.serial('scenario 3: instalments by credit card, and a debit card, are APPROVED', async (t) => {
  const { client } = opened()
  const user = await client.createUser(CREDIT)
  const both = [await placed(formOf(user, { installment: '10' })), await placed(formOf(user, { method: 'debit_card' }))]
  for (const order of both) await becomes(t, order, 'APPROVED')
  t.is(await client.credit(user), CREDIT - 2_000)
  t.like((await client.get(`/orders/${both[0]?.id}`)).json, {
    status: 'paid',
    total_cost: 1_000,
    lines: [],
    plan: Array(10).fill(100),
  })
})

test.serial('scenario 4: an unknown user, and more than the user has, are CANCELED', async (t) => {
  const { client } = opened()
  const user = await client.createUser(CREDIT)
  await becomes(t, await placed(formOf('nobody')), 'CANCELED')
  const dear = await placed(formOf(user, { value: '1000000.00' }))
  await becomes(t, dear, 'CANCELED')
  t.is(await client.credit(user), CREDIT)
  t.like((await client.get(`/orders/${dear.id}`)).json, { status: 'cancelled', checkout: { reason: 'out-of-credit' } })
  const again = await client.checkout(dear.id)
  t.is(kindOf(again), '409 order-cancelled', 'there was one try')
})

test.serial('what does not bind is refused with the name of the field, and nothing is placed', async (t) => {
  const user = await opened().client.createUser(CREDIT)
  const cases: readonly (readonly [form: Form, kind: string, field: string])[] = [
    ...Object.keys(formOf(user)).map((name) => {
      const { [name]: _, ...others } = formOf(user)
      return [others as Form, '422 malformed-body', name] as const
    }),
    ...['-1', '-1000.00', '0', '10.50', '1e3', '9007199254740992', '١', '1,000', 'much', ''].map(
      (value) => [formOf(user, { value }), '422 malformed-body', 'value'] as const,
    ),
    ...['0', '-1', '1.5', 'one'].map(
      (installment) => [formOf(user, { installment }), '422 malformed-body', 'installment'] as const,
    ),
    [formOf('a:b'), '422 malformed-body', 'user_id'],
    [formOf(user, { method: '' }), '422 malformed-body', 'method'],
    [formOf(user, { colour: 'red' }), '422 malformed-body', 'colour'],
    [formOf(user, { installment: '13' }), '400 method-invalid', 'method'],
    [formOf(user, { method: 'debit_card', installment: '2' }), '400 method-invalid', 'method'],
    [formOf(user, { value: '49', installment: '10' }), '400 order-invalid', 'value'],
    [formOf(user, { value: '100000001' }), '400 order-invalid', 'value'],
  ]
  for (const [form, kind, field] of cases) {
    const reply = await place(form)
    t.deepEqual([kindOf(reply), problemOf(reply).field], [kind, field], JSON.stringify(form))
    t.is(typeof problemOf(reply).error, 'string')
  }
  const twice = multipart(formOf(user)).replace(`--${BOUNDARY}--`, multipart({ value: '1' }))
  const reply = await opened().client.request('POST', '/api/orders', MULTIPART, twice)
  t.deepEqual([kindOf(reply), problemOf(reply).field], ['422 malformed-body', 'value'])
  t.is(
    kindOf(await opened().client.request('POST', '/api/orders', { 'Content-Type': 'text/plain' }, 'value=1')),
    '415 unsupported-media-type',
  )
  t.is((await list(user)).total, 0)
})

test.serial('an unknown order is 404, and says so in `error`', async (t) => {
  const reply = await opened().client.get('/api/order/nobody')
  t.deepEqual([kindOf(reply), problemOf(reply).error], ['404 no-such-order', 'there is no order "nobody"'])
})

test.serial('there are fifteen rows of methods', async (t) => {
  const rows = (await opened().client.get('/api/methods')).json as object[]
  t.is(rows.length, 15)
  t.like(rows[0], { id: 1, method: 'credit_card', installments: 1 })
  t.like(rows[14], { id: 15, method: 'cash', installments: 1 })
})

test.serial('the old total was the length of the page, and pages had no order', async (t) => {
  const user = await opened().client.createUser(CREDIT)
  const made: string[] = []
  for (let at = 0; at < 5; at += 1) made.push((await placed(formOf(user))).id)
  const pages = await Promise.all([0, 2, 4].map((offset) => list(user, `?offset=${offset}&limit=2`)))
  t.deepEqual(
    pages.map(({ total }) => total),
    [5, 5, 5],
  )
  t.deepEqual(
    pages.flatMap(({ orders }) => orders.map(({ id }) => id)),
    made.toReversed(),
  )
})

test.serial('the old `installment` showed the row of the method', async (t) => {
  const user = await opened().client.createUser(CREDIT)
  for (const [method, installment] of [
    ['credit_card', 3],
    ['cash', 1],
  ] as const) {
    const { id } = await placed(formOf(user, { method, installment: String(installment) }))
    t.like(await show(id), { method, installment })
  }
})

test.serial('a crash used to leave an order PROCESSING for ever', async (t) => {
  const { client, shop } = opened()
  const user = await client.createUser(CREDIT)
  shop.part('payment-1').freeze()
  const order = await placed(formOf(user))
  await shop.part('order-1').kill()
  shop.part('payment-1').thaw()
  await shop.part('order-1').start()
  await becomes(t, order, 'APPROVED')
  t.is(await client.credit(user), CREDIT - 1_000)
})

test.serial('a repeated request used to place a second order: under a key it does not', async (t) => {
  const { client } = opened()
  const user = await client.createUser(CREDIT)
  const key = { 'Idempotency-Key': nanoid() }
  const replies = await Promise.all(Array.from({ length: 10 }, () => place(formOf(user), key)))
  t.is(new Set(replies.map(({ text }) => text)).size, 1)
  const [order] = replies.map(({ json }) => json as FormOrder)
  if (order === undefined) return t.fail()
  await becomes(t, order, 'APPROVED')
  t.deepEqual((await place(formOf(user), key)).json, replies[0]?.json, 'as it was')
  t.is(kindOf(await place(formOf(user, { value: '2000' }), key)), '422 idempotency-key-reused')
  t.deepEqual([(await list(user)).total, await client.credit(user)], [1, CREDIT - 1_000])
  await proveInvariants(t, opened())
})
