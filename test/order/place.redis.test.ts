/** An order that is placed whole, by its route over a real Redis, with peers that answer over HTTP. */
import test, { type ExecutionContext } from 'ava'
import { routesOf } from '../../order/routes.ts'
import { openStore } from '../../order/store.ts'
import { field, invalidReason } from '../../shared/contract/events.ts'
import { problem } from '../../shared/http/problem.ts'
import { answeringPeer } from '../support/shop/answering-peer.ts'
import { openBench, plainly, under } from '../support/shop/open-store.ts'

const bench = await openBench()
const store = openStore(bench.dependencies)
test.after.always(() => bench[Symbol.asyncDispose]())
test.serial.beforeEach(() => bench.redis.flushall())

const noCheckouts = {
  checkout: () => Promise.reject(new Error()),
  onDecided: () => undefined,
  onOutcome: () => undefined,
  start: () => undefined,
  stop: () => undefined,
}
const KNOWN = {
  payment: { user_id: 'anna', credit: 0 },
  stock: { item_id: 'tea', price: 5, stock: 0, withdrawn: false, version: 1 },
}
const nothing = problem(404, 'nothing', 'Nothing', 'there is nothing')

/** Places an order at a replica whose peers answer with these statuses. */
const place = async (t: ExecutionContext, body: object, { payment = 200, stock = 200, once = plainly } = {}) => {
  const peers = {
    payment: (await answeringPeer(t, payment, payment === 200 ? KNOWN.payment : nothing)).peer,
    stock: (await answeringPeer(t, stock, stock === 200 ? KNOWN.stock : nothing)).peer,
  }
  const routes = routesOf(store, noCheckouts, peers, () => Promise.reject(new Error()))
  const route = routes.find(({ path, method }) => path === '/orders' && method === 'POST')
  if (route === undefined) throw new Error('there is no such route')
  return route.handler({
    ...once,
    parameter: () => '',
    header: () => undefined,
    query: () => undefined,
    body,
    authorization: undefined,
    requestId: '',
    isGone: () => false,
    closing: new AbortController().signal,
  })
}
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
    [tea, { payment: 404 }, 'no-such-user'],
    [tea, { stock: 404 }, 'no-such-item'],
    [{ ...tea, value: 4 }, {}, 'price-changed'],
    [{ ...tea, method: 'credit_card', installments: 3 }, {}, 'method-limits'],
    [{ ...tea, quantity: 200_001, method: 'cash' }, {}, 'method-limits'],
    [dear, {}, 'malformed-body'],
    [{ ...tea, quantity: 0 }, {}, 'malformed-body'],
    [{ ...tea, lines: [] }, {}, 'malformed-body'],
  ] as const)
    t.like(await place(t, body, statuses), { problem: { type: `urn:shop:problem:${kind}` } })
  await t.throwsAsync(place(t, tea, { stock: 500 }), { name: 'PeerError' })
  t.is(await bench.redis.dbsize(), 0)
})
