/** An order that is placed whole, by its route over a real Redis, with peers that answer over HTTP. */
import test, { type ExecutionContext } from 'ava'
import { nanoid } from 'nanoid'
import { openPeers } from '../../order/peers.ts'
import { routesOf } from '../../order/routes.ts'
import { openStore } from '../../order/store.ts'
import { invalidReason } from '../../shared/contract/dictionary.ts'
import { field } from '../../shared/contract/raw-entry.ts'
import { problem } from '../../shared/http/problem.ts'
import { queryIn } from '../../shared/http/query.ts'
import type { Once } from '../../shared/redis/script.ts'
import { answeringPeer } from '../support/shop/answering-peer.ts'
import { drafting } from '../support/shop/drafting.ts'
import { openBench, plainly, teller, under } from '../support/shop/open-store.ts'

const bench = await openBench()
const store = openStore(bench.dependencies)
test.after.always(() => bench[Symbol.asyncDispose]())
let tell = teller(store.log)
test.serial.beforeEach(async () => {
  await bench.redis.flushall()
  tell = teller(store.log)
})
const NEVER_DRAFTED = { wait: async () => false }

const noCheckouts = {
  checkout: () => Promise.reject(new Error()),
  submit: () => Promise.reject(new Error()),
  place: () => Promise.reject(new Error()),
  follow: () => Promise.reject(new Error()),
  watch: () => Promise.reject(new Error()),
  begin: () => Promise.reject(new Error()),
  onDecided: () => undefined,
  onOutcome: () => undefined,
  start: () => undefined,
  stop: () => undefined,
}
const KNOWN = {
  users: [{ user_id: 'anna', credit: 0 }],
  items: ['tea', 'cup'].map((item_id) => ({ item_id, price: 5, withdrawn: false, version: 1 })),
}
const nothing = problem(404, 'nothing', 'Nothing', 'there is nothing')

type World = { readonly [what in keyof typeof KNOWN]?: readonly object[] } & {
  readonly payment?: number
  readonly stock?: number
  readonly once?: Once
  /** Whether payment drafts nothing for the time being. */
  readonly isAway?: boolean
}

/** Places an order at a replica whose peers answer with these statuses that they know this. */
const placing = async (
  t: ExecutionContext,
  body: object,
  { payment = 200, stock = 200, once = plainly, isAway = false, ...known }: World = {},
) => {
  const { users, items } = { ...KNOWN, ...known }
  const atPayment = await answeringPeer(t, payment, payment === 200 ? { users } : nothing)
  const atStock = await answeringPeer(t, stock, stock === 200 ? { items } : nothing)
  const peers = openPeers(atPayment.peer, atStock.peer)
  const routes = routesOf(store, noCheckouts, isAway ? NEVER_DRAFTED : drafting(store, tell), peers, () =>
    Promise.reject(new Error()),
  )
  const route = routes.find(({ path, method }) => path === '/orders' && method === 'POST')
  if (route === undefined) throw new Error('there is no such route')
  const answer = await route.handler({
    ...once,
    parameter: () => '',
    header: () => undefined,
    query: queryIn(''),
    body,
    caller: undefined,
    lockToken: undefined,
    authorization: undefined,
    requestId: '',
    isGone: () => false,
    closing: new AbortController().signal,
  })
  return { answer, asked: { payment: atPayment.asked, stock: atStock.asked } }
}
const place = async (...given: Parameters<typeof placing>) => (await placing(...given)).answer
const tea = { user_id: 'anna', item_id: 'tea', quantity: 2 }
const idIn = (answer: Awaited<ReturnType<typeof place>>): string =>
  'json' in answer ? (answer.json as { id: string }).id : 'none'

test.serial('an order is placed as one that was filled line by line, in one entry', async (t) => {
  const lines = [
    { item_id: 'tea', quantity: 2 },
    { item_id: 'cup', quantity: 1 },
    { item_id: 'tea', quantity: 1 },
  ]
  const answer = await place(t, { user_id: 'anna', lines })
  const id = idIn(answer)
  t.like(answer, { status: 201, headers: { Location: `/orders/${id}`, ETag: '"1"' } })
  t.like(await store.find(id), { user_id: 'anna', total_cost: 20, status: 'open' })
  t.deepEqual('json' in answer && answer.json, { id, ...(await store.show(id)) })
  t.deepEqual((await store.show(id))?.lines, [
    { item_id: 'tea', quantity: 3, cost: 15, returned: 0, refunded: 0 },
    { item_id: 'cup', quantity: 1, cost: 5, returned: 0, refunded: 0 },
  ])
  const entries = await bench.redis.xrange('log:order', '-', '+')
  t.deepEqual(
    entries.map(([, [kind]]) => kind),
    ['OrderPlaced'],
  )
  for (const [entry, fields] of entries) t.is(invalidReason('order', [entry, fields]), undefined)
  const wanted = { user: 'anna', status: undefined, after: undefined, offset: 0, limit: 1 }
  t.like(await store.list(wanted), { total: 1 })
})

test.serial('its user and all its items are asked for in one request each', async (t) => {
  const lines = ['tea', 'cup', 'tea'].map((item_id) => ({ item_id, quantity: 1 }))
  const { asked } = await placing(t, { user_id: 'anna', lines })
  t.deepEqual(asked, { payment: ['GET /payment/users?ids=anna'], stock: ['GET /stock/items?ids=tea%2Ccup'] })
})

test.serial(
  'a user whom payment had once is not asked for again, until payment has lost what it said last',
  async (t) => {
    const users = async (body: object, known?: World) => (await placing(t, body, known)).asked.payment
    const asked = ['GET /payment/users?ids=anna']
    t.deepEqual(await users(tea, { items: [] }), [], 'what cannot be placed')
    t.deepEqual(await users(tea), asked)
    t.deepEqual(await users(tea, { users: [] }), [])
    t.deepEqual(await users({ ...tea, user_id: 'otto' }, { users: [] }), ['GET /payment/users?ids=otto'])
    const tail = { noticed: '', after: '0-0', until: '9-0', unnamed_until: null, entries: [] }
    await store.log.recordTailLoss({ ...tail, speaker: 'stock' })
    t.deepEqual(await users(tea), [])
    await store.log.recordTailLoss({ ...tail, speaker: 'payment' })
    t.deepEqual(await users(tea), asked)
  },
)

/** Is an order opened without asking payment? */
const isCustomer = async (user: string) =>
  (await store.create(nanoid(), user, plainly, { customer: 'known' }))[0] === 'created'

test.serial('a user of whom payment says that there is none is asked for again', async (t) => {
  const id = idIn(await place(t, tea))
  const refuse = async (log_id: string, reason: string): Promise<void> => {
    await store.begin({ log_id, order: id, user: 'anna', token: '', timeout_ms: 60_000 }, plainly)
    await tell('payment', 'CreditRefused', log_id, { order: id, user: 'anna', total: 10, lines: 'tea:2', reason })
  }
  await refuse('poor', 'out-of-credit')
  t.true(await isCustomer('anna'))
  await refuse('gone', 'no-such-user')
  t.false(await isCustomer('anna'))
})

test.serial('who has opened an order has one placed without payment', async (t) => {
  await store.create('cart', 'anna', plainly)
  t.false(await isCustomer('anna'))
  await store.create('cup', 'anna', plainly, { customer: 'new' })
  t.true(await isCustomer('anna'))
  t.like(await place(t, tea, { payment: 500 }), { status: 201 })
})

test.serial(
  'under a key it is placed once, and answered to the letter, though it was filled since and stock is away',
  async (t) => {
    const once = under('k')
    const first = await place(t, { ...tea, value: 5 }, { once })
    const id = idIn(first)
    await store.addItem({ order: id, item: 'cup', quantity: 1, price: 7 }, plainly)
    t.deepEqual(await place(t, { ...tea, value: 5 }, { once, stock: 500 }), first)
    t.like(await place(t, tea, { once: under('k', 'POST /other') }), { problem: { status: 422 } })
    t.is((await store.show(id))?.total_cost, 17)
  },
)

test.serial('how an order is to be paid is logged and shown, if it is said', async (t) => {
  const said = { ...tea, method: 'credit_card', installments: 2 }
  const answer = await place(t, said, { once: under('k') })
  t.like('json' in answer && answer.json, { method: 'credit_card', installments: 2, plan: [5, 5] })
  t.deepEqual(await place(t, said, { once: under('k'), payment: 500 }), answer)
  t.deepEqual('json' in answer && answer.json, { id: idIn(answer), ...(await store.show(idIn(answer))) })
  t.like(await store.show(idIn(await place(t, { ...tea, method: 'cash' }))), { method: 'cash', installments: 1 })
  t.like(await store.show(idIn(await place(t, tea))), { method: null, installments: null, plan: null })
  const entries = await bench.redis.xrange('log:order', '-', '+')
  t.deepEqual(
    entries.map((entry) => [field(entry, 'method'), field(entry, 'installments'), invalidReason('order', entry)]),
    [
      ['credit_card', '2', undefined],
      ['cash', '1', undefined],
      [undefined, undefined, undefined],
    ],
  )
})

test.serial('an order against which anything speaks is not placed', async (t) => {
  const dear = { ...tea, quantity: Number.MAX_SAFE_INTEGER }
  for (const [body, statuses, kind] of [
    [tea, { users: [] }, 'no-such-user'],
    [tea, { items: [] }, 'no-such-item'],
    [tea, { items: KNOWN.items.map((item) => ({ ...item, withdrawn: true })) }, 'item-withdrawn'],
    [{ ...tea, value: 4 }, {}, 'price-changed'],
    [{ ...tea, method: 'credit_card', installments: 3 }, {}, 'method-limits'],
    [{ ...tea, quantity: 200_001, method: 'cash' }, {}, 'method-limits'],
    [dear, {}, 'malformed-body'],
    [{ ...tea, quantity: 0 }, {}, 'malformed-body'],
    [{ ...tea, lines: [] }, {}, 'malformed-body'],
  ] as const)
    t.like(await place(t, body, statuses), { problem: { type: `urn:shop:problem:${kind}` } })
  for (const statuses of [{ stock: 500 }, { payment: 500 }, { stock: 404 }, { payment: 404 }])
    await t.throwsAsync(place(t, tea, statuses), { name: 'PeerError' })
  t.is(await bench.redis.dbsize(), 0)
})
