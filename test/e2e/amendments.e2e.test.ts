/** Paid orders that are changed, over the whole shop with two replicas of each service: each case, refusals, and races of many. */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import { proveInvariants, type Told } from '../support/checker/invariants.ts'
import { eventually } from '../support/eventually.ts'
import { inParallel } from '../support/load/jobs.ts'
import { type Headers, problemOf, type Reply, whenPaid } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const DEADLINE_MS = 1_500
const opened = shareShop(test, { replicas: 2, env: { order: { CHECKOUT_DEADLINE_MS: String(DEADLINE_MS) } } })

const AT_ONCE = 10
const SETTLED_MS = 10_000
const told: Told[] = []

const JSON_TYPE = { 'Content-Type': 'application/json' }
const ANY = { 'If-Match': '*' }
type Lines = Readonly<Record<string, number>>
const ofLines = (lines: Lines) => ({
  lines: Object.entries(lines).map(([item_id, quantity]) => ({ item_id, quantity })),
})
const patch = (order: string, body: object, headers: Headers = ANY, query = ''): Promise<Reply> =>
  opened().client.request('PATCH', `/orders/${order}${query}`, { ...JSON_TYPE, ...headers }, JSON.stringify(body))
const kindOf = (reply: Reply): string => problemOf(reply).type.replace('urn:shop:problem:', `${reply.status} `)

type Shown = {
  readonly status: string
  readonly total_cost: number
  readonly paid_amount: number
  readonly items: readonly unknown[]
  readonly refunded_amount: number
}
const show = async (order: string): Promise<Shown> => (await opened().client.get(`/orders/${order}`)).json as Shown
const totalsOf = async (kind: 'invoices' | 'credit-notes', order: string): Promise<readonly number[]> => {
  const { json } = await opened().client.get(`/payment/${kind}?order=${order}`)
  return Object.values(json as Record<string, unknown>)
    .filter((value): value is readonly { readonly total: number }[] => Array.isArray(value))
    .flat()
    .map(({ total }) => total)
}

/** A paid order of two of tea at 5 and one cup at 7, of a customer with so much left. */
const paidOrder = async ({ left = 100, stock = 10 } = {}) => {
  const { client } = opened()
  const user = await client.createUser(17 + left)
  const [tea, cup] = [await client.createItem(5, stock), await client.createItem(7, stock)]
  const order = await client.createOrder(user, [
    [tea, 2],
    [cup, 1],
  ])
  await whenPaid(client, order)
  return { client, user, tea, cup, order }
}
const whenStock = (t: ExecutionContext, wanted: Lines): Promise<void> =>
  eventually(async () => {
    for (const [item, stock] of Object.entries(wanted)) assert.equal(await opened().client.stock(item), stock)
    t.pass()
  }, SETTLED_MS)

test.serial('less is done at once, and what leaves is paid back and put back while the client waits', async (t) => {
  const { client, user, tea, cup, order } = await paidOrder()
  const reply = await patch(order, ofLines({ tea: 1, [tea]: 1 }))
  t.is(kindOf(reply), '404 no-such-item')
  const less = await patch(order, ofLines({ [tea]: 1 }), { ...ANY, Prefer: 'return=representation' })
  t.is(less.status, 200, less.text)
  t.like(less.json, { status: 'paid', total_cost: 12, paid_amount: 12, refunded_amount: 0 })
  t.is(await client.credit(user), 105)
  // Nothing happens to it any more, so its version stays.
  t.is((await patch(order, ofLines({ [tea]: 1 }), { 'If-Match': String(less.headers.etag) })).status, 204)
  await whenStock(t, { [tea]: 9, [cup]: 9 })
  t.deepEqual(await totalsOf('credit-notes', order), [5])
})

test.serial(
  'more is paid and taken, with an invoice of its own; what leaves at once lowers what is charged',
  async (t) => {
    const { client, user, tea, cup, order } = await paidOrder()
    const reply = await patch(order, ofLines({ [tea]: 4, [cup]: 0 }))
    t.deepEqual([reply.status, reply.text], [204, ''])
    t.like(await show(order), { status: 'paid', total_cost: 20, paid_amount: 20, items: [[tea, 4]] })
    t.is(await client.credit(user), 97)
    await whenStock(t, { [tea]: 6, [cup]: 10 })
    t.deepEqual((await totalsOf('invoices', order)).toSorted(), [17, 3])
    t.deepEqual(await totalsOf('credit-notes', order), [])
    const back = await client.post(`/orders/${order}/refunds`)
    t.like(back.json, { amount: 20 })
    t.is(await client.credit(user), 117)
    t.is(kindOf(await patch(order, ofLines({ [tea]: 1 }))), '409 partly-refunded')
  },
)

test.serial(
  'an exchange for less takes the goods without money, and pays the rest back, also to who has nothing left',
  async (t) => {
    const { client, user, tea, cup, order } = await paidOrder({ left: 0 })
    t.is((await patch(order, ofLines({ [tea]: 3, [cup]: 0 }))).status, 204)
    t.is(await client.credit(user), 2)
    await whenStock(t, { [tea]: 7, [cup]: 10 })
    t.deepEqual([await totalsOf('invoices', order), await totalsOf('credit-notes', order)], [[17], [2]])
  },
)

test.serial('what is refused leaves the order as it was, and paid', async (t) => {
  const { client, user, tea, cup, order } = await paidOrder({ left: 4, stock: 3 })
  const before = await show(order)
  t.is(kindOf(await patch(order, ofLines({ [tea]: 3 }))), '402 out-of-credit')
  const short = await patch(order, ofLines({ [tea]: 0, [cup]: 4 }))
  t.is(kindOf(short), '402 out-of-credit')
  await client.post(`/payment/add_funds/${user}/100`)
  t.is(kindOf(await patch(order, ofLines({ [tea]: 0, [cup]: 4 }))), '409 out-of-stock')
  t.is(kindOf(await patch(order, ofLines({ [tea]: 0, [cup]: 0 }))), '409 order-empty')
  t.is(kindOf(await patch(order, ofLines({ [tea]: 1 }), {})), '428 precondition-required')
  t.is(kindOf(await patch(order, ofLines({ [tea]: 1 }), { 'If-Match': '"7"' })), '412 stale')
  t.like(await show(order), { status: 'paid', total_cost: before.total_cost, items: before.items })
  t.is(await client.credit(user), 104)
  await whenStock(t, { [tea]: 1, [cup]: 2 })
})

test.serial('a dry run of each shows what the order would become, and changes nothing', async (t) => {
  const { client, user, tea, cup, order } = await paidOrder()
  const before = await show(order)
  for (const [lines, total_cost] of [
    [{ [tea]: 1 }, 12],
    [{ [tea]: 4 }, 27],
    [{ [tea]: 3, [cup]: 0 }, 15],
  ] as const)
    t.like((await patch(order, ofLines(lines), ANY, '?dry_run=true')).json, {
      status: 'paid',
      total_cost,
      paid_amount: total_cost,
    })
  t.deepEqual(await show(order), before)
  t.is(await client.credit(user), 100)
})

test.serial('clients of an older back end change what they have paid in their words', async (t) => {
  const { client } = opened()
  const user = await client.createUser(100)
  const item = await client.createItem(5, 10)
  const order = await client.createOrder(user, [[item, 2]])
  await whenPaid(client, order)
  const update_time = '2999-01-01T00:00:00Z'
  t.is(kindOf(await patch(order, { quantity: 3, value: 4, update_time }, {})), '409 price-changed')
  t.is((await patch(order, { quantity: 3, value: 5, update_time }, {})).status, 204)
  t.is((await patch(order, { quantity: 1, update_time }, {})).status, 204)
  t.is(kindOf(await patch(order, { quantity: 2, update_time: '2020-01-01T00:00:00Z' }, {})), '409 event-outdated')
  t.like(await show(order), { total_cost: 5, status: 'paid' })
  t.is(await client.credit(user), 95)
})

test.serial('under a key an amendment is made once, however often and wherever it is asked for', async (t) => {
  for (const quantity of [1, 3]) {
    const { client, user, tea, order } = await paidOrder()
    const headers = { ...ANY, 'Idempotency-Key': `amendment-of-${order}` }
    const replies = await inParallel(AT_ONCE, AT_ONCE, () => patch(order, ofLines({ [tea]: quantity }), headers))
    t.deepEqual([...new Set(replies.map(({ status }) => status))], [204], replies.map(({ text }) => text).join('; '))
    t.is(await client.credit(user), 100 - 5 * (quantity - 2))
    const repeated = await patch(order, ofLines({ [tea]: quantity }), headers)
    t.is((await patch(order, ofLines({ [tea]: 5 }))).status, 204)
    const since = await patch(order, ofLines({ [tea]: quantity }), headers)
    t.is(repeated.status, 204)
    t.is(since.status, 204)
    t.is(since.headers.etag, repeated.headers.etag, 'the version that it has made')
    t.is(kindOf(await patch(order, ofLines({ [tea]: 9 }), headers)), '422 idempotency-key-reused')
  }
})

test.serial('nothing is added while stock cannot say what it costs, and less is done all the same', async (t) => {
  const { client, user, tea, order } = await paidOrder()
  const held = [1, 2].map((replica) => opened().shop.part(`stock-${replica}`))
  for (const part of held) part.freeze()
  try {
    t.is(kindOf(await patch(order, ofLines({ [tea]: 3 }))), '424 neighbour-unavailable')
    t.is((await patch(order, ofLines({ [tea]: 1 }))).status, 204)
  } finally {
    for (const part of held) part.thaw()
  }
  t.is(await client.credit(user), 105)
  await whenStock(t, { [tea]: 9 })
})

/** What is changed while payment does not read is waited for, and undone at the deadline. */
test.serial(
  'an amendment that payment does not read of is cancelled at its deadline, and others are told to wait until then',
  async (t) => {
    const { client, user, tea, order } = await paidOrder()
    const held = [1, 2].map((replica) => opened().shop.part(`payment-${replica}`))
    for (const part of held) part.freeze()
    const amending = patch(order, ofLines({ [tea]: 3 }))
    try {
      await eventually(async () => assert.equal((await show(order)).status, 'changing'), SETTLED_MS)
      t.like(await client.order(order), { paid: true, status: 'changing', total_cost: 17 })
      for (const reply of [
        await patch(order, ofLines({ [tea]: 1 })),
        await client.post(`/orders/${order}/refunds`),
        await client.checkout(order),
      ]) {
        t.is(kindOf(reply), '409 order-changing')
        t.is(reply.headers['retry-after'], '1')
      }
      t.is(kindOf(await amending), '424 change-cancelled')
      t.like(await show(order), { status: 'paid', total_cost: 17 })
    } finally {
      for (const part of held) part.thaw()
    }
    t.is((await patch(order, ofLines({ [tea]: 3 }))).status, 204)
    t.is(await client.credit(user), 95)
  },
)

/** Races, each of ten orders with several requests at once; what is told is what is. */
const race = async (
  t: ExecutionContext,
  name: string,
  rivals: (order: string, tea: string, index: number) => readonly (() => Promise<Reply>)[],
  check: (about: {
    order: string
    user: string
    tea: string
    index: number
    replies: readonly Reply[]
  }) => Promise<void>,
): Promise<void> => {
  t.timeout(120_000)
  const outcomes = new Map<string, number>()
  await inParallel(AT_ONCE, 4, async (index) => {
    const { order, user, tea } = await paidOrder()
    const asked = rivals(order, tea, index)
    const turned = [...asked.keys()].map((at) => (at + index) % asked.length)
    const replies: Reply[] = []
    await Promise.all(
      turned.map(async (at) => {
        const reply = await asked[at]?.()
        if (reply) replies[at] = reply
      }),
    )
    const words = replies.map((reply) => (reply.status < 300 ? String(reply.status) : kindOf(reply))).join(', ')
    outcomes.set(words, (outcomes.get(words) ?? 0) + 1)
    await check({ order, user, tea, index, replies })
  })
  t.log(`${name}: ${[...outcomes].map(([words, count]) => `${count} x ${words}`).join('; ')}`)
}

test.serial('of several amendments of one order one is made, wherever they arrive', (t) =>
  race(
    t,
    'amendments',
    (order, tea) => [3, 4, 1].map((quantity) => () => patch(order, ofLines({ [tea]: quantity }), ANY)),
    async ({ order, user, tea, replies }) => {
      const made = replies.flatMap(({ status }, at) => (status === 204 ? [[3, 4, 1][at] ?? 0] : []))
      t.true(made.length >= 1)
      for (const reply of replies) if (reply.status !== 204) t.is(kindOf(reply), '409 order-changing')
      const { total_cost, items } = await show(order)
      const quantity = (total_cost - 7) / 5
      t.true(made.includes(quantity), `${made} made, ${quantity} is`)
      t.deepEqual(items[0], [tea, quantity])
      t.is(await opened().client.credit(user), 117 - total_cost)
    },
  ),
)

test.serial('an amendment and a cancellation at once: the order is cancelled, and all that was paid goes back', (t) =>
  race(
    t,
    'cancellations',
    (order, tea) => [
      () => patch(order, ofLines({ [tea]: 3 })),
      () => opened().client.request('POST', `/orders/${order}/cancel`, {}),
    ],
    async ({ order, user, tea, replies: [amended, cancelled] }) => {
      t.true([200, 202].includes(cancelled?.status ?? 0), cancelled?.text)
      if (amended && amended.status !== 204) t.is(kindOf(amended), '409 order-cancelled')
      await eventually(async () => {
        assert.equal(await opened().client.credit(user), 117)
        assert.equal(await opened().client.stock(tea), 10)
      }, SETTLED_MS)
      const shown = await show(order)
      t.like(shown, { status: 'cancelled', payment_status: 'refunded' })
      t.is(shown.refunded_amount, shown.total_cost)
    },
  ),
)

test.serial('an amendment and a refund at once: one of them is first, and the other is told so', (t) =>
  race(
    t,
    'refunds',
    (order, tea, index) => [
      // Less is wanted without asking stock, so that it may come first.
      () => patch(order, ofLines({ [tea]: index % 2 === 0 ? 3 : 1 })),
      () =>
        opened().client.request('POST', `/orders/${order}/refunds`, JSON_TYPE, JSON.stringify(ofLines({ [tea]: 1 }))),
    ],
    async ({ order, user, index, replies: [amended, refunded] }) => {
      if (amended?.status !== 204 && amended) t.is(kindOf(amended), '409 partly-refunded')
      if (refunded?.status !== 201 && refunded) t.is(kindOf(refunded), '409 order-changing')
      t.true(amended?.status === 204 || refunded?.status === 201)
      const { total_cost, refunded_amount } = await show(order)
      t.is(total_cost, amended?.status === 204 ? (index % 2 === 0 ? 22 : 12) : 17)
      t.is(refunded_amount, refunded?.status === 201 ? 5 : 0)
      await eventually(
        async () => assert.equal(await opened().client.credit(user), 117 - total_cost + refunded_amount),
        SETTLED_MS,
      )
    },
  ),
)

test.serial('all invariants hold, and the audit is balanced', async (t) => {
  await proveInvariants(t, opened(), { told })
  t.like((await opened().client.get('/audit')).json, { balanced: true })
})
