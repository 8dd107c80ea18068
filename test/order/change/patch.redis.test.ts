/** Changes of orders over HTTP, by a real stock: from which version, in whose words, and what speaks against them. */
import test, { type ExecutionContext } from 'ava'
import { changeRoutes } from '../../../order/change/patch.ts'
import { openPeers } from '../../../order/peers.ts'
import { reactions } from '../../../order/reactions.ts'
import { openStore } from '../../../order/store.ts'
import { peer } from '../../../shared/http/client.ts'
import { openStep } from '../../../shared/process/step.ts'
import { routesOf as stockRoutes } from '../../../stock/routes.ts'
import { openStore as openStock } from '../../../stock/store.ts'
import { writtenTo } from '../../support/faults/older-redis.ts'
import { beginCart, MONEY, openCart } from '../../support/shop/cart.ts'
import { type Client, type Headers, openClient, problemOf, type Reply } from '../../support/shop/client.ts'
import { drafting } from '../../support/shop/drafting.ts'
import { comeBack, openBench, openDurable, plainly, saidIn } from '../../support/shop/open-store.ts'
import { openServiceServer } from '../../support/shop/service-server.ts'
import { openStoreForTests } from '../../support/shop/store-rules.ts'

const MOST = Number.MAX_SAFE_INTEGER
/** A port at which nothing listens. */
const NOBODY = 9

const shelves = await openBench()
const stock = openStock(shelves.dependencies)
const stockServer = await openServiceServer({ service: 'stock', routes: stockRoutes(stock) })
const { bench, store, tell, emittedDuring, holdEveryResult } = await openStoreForTests(openStore, reactions, 'change')

const peerAt = (name: string, port: number) => peer(openStep('order'), name, [`http://127.0.0.1:${port}`])
/** An order whose stock is at this port. */
const openOrders = async (stockPort: number) => {
  const routes = changeRoutes({
    store,
    drafts: drafting(store, tell),
    peers: openPeers(peerAt('payment', NOBODY), peerAt('stock', stockPort)),
    answerAmendment: () => Promise.reject(new Error('nothing is amended here')),
    timeoutMs: 0,
  })
  const server = await openServiceServer({ service: 'order', routes })
  closers.push(server.close)
  return openClient(`http://127.0.0.1:${server.port}`)
}
const closers: (() => Promise<void>)[] = [stockServer.close, async () => shelves[Symbol.asyncDispose]()]
/** One is asked whose stock answers, and one whose stock does not. */
let client: Client
let lonelyClient: Client
test.serial.before(async () => {
  client = await openOrders(stockServer.port)
  lonelyClient = await openOrders(NOBODY)
})
test.after.always(async () => {
  client.close()
  lonelyClient.close()
  for (const close of closers.toReversed()) await close()
})

/** `cart` is of two of tea at 15. Tea costs 20 by now, a cup 7, and a pot is withdrawn. */
test.serial.beforeEach(async () => {
  await shelves.redis.flushall()
  for (const [item, price] of [
    ['tea', 20],
    ['cup', 7],
    ['pot', 4],
  ] as const)
    await stock.createItem(item, price, plainly)
  await stock.changeItem('pot', 'any', { withdrawn: true }, plainly)
  await openCart(store)
})

type Lines = Readonly<Record<string, number>>
const linesOf = (lines: Lines) => ({
  lines: Object.entries(lines).map(([item_id, quantity]) => ({ item_id, quantity })),
})
const JSON_TYPE = { 'Content-Type': 'application/json' }
const patch = (
  body: unknown,
  headers: Headers = {},
  { order = 'cart', query = '', by = client } = {},
): Promise<Reply> =>
  by.request(
    'PATCH',
    `/orders/${order}${query}`,
    { ...JSON_TYPE, ...headers },
    typeof body === 'string' ? body : JSON.stringify(body),
  )
const shown = async (order = 'cart') => {
  const found = await store.show(order)
  if (found === undefined) throw new Error(`there is no ${order}`)
  return found
}
const versionOf = async (): Promise<number> => (await shown()).version
const present = async () => ({ 'If-Match': `"${await versionOf()}"` })
const etagOf = ({ headers }: Reply): string => String(headers.etag)
const assertProblem = (t: ExecutionContext, reply: Reply, status: number, name: string, more: object = {}): void => {
  t.like(
    problemOf(reply),
    { status, type: `urn:shop:problem:${name}`, error: name.replaceAll('-', '_'), ...more },
    reply.text,
  )
  t.is(reply.status, status)
}
/** Does what must change nothing. */
const assertNothing = async (t: ExecutionContext, work: () => Promise<void>): Promise<void> => {
  const before = await bench.redis.hgetall('order:cart')
  t.deepEqual(await emittedDuring(work), [])
  t.deepEqual(await bench.redis.hgetall('order:cart'), before)
}

test.serial('a change is told by the new ETag alone, or by the order if that is preferred', async (t) => {
  const before = await versionOf()
  const first = await patch(linesOf({ tea: 3, cup: 2 }), await present())
  t.deepEqual([first.status, first.text], [204, ''])
  t.is(etagOf(first), `"${await versionOf()}"`)
  t.true((await versionOf()) > before)
  t.deepEqual((await shown()).lines, [
    { item_id: 'tea', quantity: 3, cost: 50, returned: 0, refunded: 0 },
    { item_id: 'cup', quantity: 2, cost: 14, returned: 0, refunded: 0 },
  ])
  const second = await patch(linesOf({ tea: 0 }), { 'If-Match': etagOf(first), Prefer: 'return=representation' })
  t.is(second.status, 200)
  t.is(second.headers['preference-applied'], 'return=representation')
  t.deepEqual(second.json, await shown())
  t.like(second.json, { total_cost: 14, items: [['cup', 2]], status: 'open' })
  const [entry] = await store.log.entriesOf(String(second.headers['x-log-id']))
  t.like(entry, { kind: 'OrderChanged' })
  t.deepEqual(entry?.facts, {
    order: 'cart',
    user: 'anna',
    total: '14',
    lines: 'cup:2',
    costs: 'cup:14',
    order_version: String(await versionOf()),
  })
})

test.serial('what is so already is no change', (t) =>
  assertNothing(t, async () => {
    for (const body of [linesOf({ tea: 2 }), linesOf({ cup: 0 }), { quantity: 2 }, { value: 20 }]) {
      const version = await versionOf()
      const reply = await patch(body, await present())
      t.deepEqual([reply.status, etagOf(reply), reply.headers['x-log-id']], [204, `"${version}"`, undefined])
    }
  }),
)

test.serial('a change wants the present version, and is told which one that is', async (t) => {
  const version = await versionOf()
  await assertNothing(t, async () => {
    assertProblem(t, await patch(linesOf({ tea: 3 })), 428, 'precondition-required')
    for (const ifMatch of ['"7"', `W/"${version}"`, '"7", "8"']) {
      const reply = await patch(linesOf({ tea: 3 }), { 'If-Match': ifMatch })
      assertProblem(t, reply, 412, 'stale', { version })
      t.is(etagOf(reply), `"${version}"`)
    }
    for (const ifMatch of [`${version}`, '"a"'])
      assertProblem(t, await patch(linesOf({ tea: 3 }), { 'If-Match': ifMatch }), 400, 'malformed', {
        field: 'If-Match',
      })
    assertProblem(t, await patch(linesOf({ tea: 3 }), { 'If-Match': '*' }, { order: 'none' }), 404, 'no-such-order')
    assertProblem(t, await patch(linesOf({ tea: 3 }), { 'If-Match': '*' }, { order: 'a:b' }), 400, 'malformed')
  })
  t.is((await patch(linesOf({ tea: 3 }), { 'If-Match': `"7", "${version}"` })).status, 204)
  t.is((await patch(linesOf({ tea: 4 }), { 'If-Match': '*' })).status, 204)
  t.is((await shown()).total_cost, 70)
})

test.serial('clients of an older back end say when they have made the change, which is never recorded', async (t) => {
  const { version } = await shown()
  assertProblem(t, await patch({ quantity: 3 }), 422, 'malformed-body', { field: 'update_time' })
  for (const before of [
    version - 1,
    new Date(version - 1).toISOString(),
    '2020-01-01T00:00:00',
    '1970-01-01T00:00:00Z',
  ]) {
    const reply = await patch({ quantity: 3, update_time: before })
    assertProblem(t, reply, 409, 'event-outdated', { version })
    t.is(etagOf(reply), `"${version}"`)
  }
  t.is(await versionOf(), version)
  const ahead = '2999-01-01T00:00:00.000Z'
  t.is((await patch({ quantity: 3, value: 20, update_time: ahead })).status, 204)
  t.like(await shown(), { items: [['tea', 3]], total_cost: 50 })
  t.true((await versionOf()) < Date.parse(ahead))
  t.is((await patch({ quantity: 1, update_time: (await shown()).updated_at })).status, 204)
  t.is(
    (await patch({ quantity: 2, update_time: `${new Date(await versionOf()).toISOString().slice(0, -1)}` })).status,
    204,
  )
  const zoned = new Date((await versionOf()) + 3_600_000).toISOString().replace('Z', '+01:00')
  t.is((await patch({ quantity: 1, update_time: zoned })).status, 204)
  t.is((await patch({ ...linesOf({ tea: 2 }), update_time: Date.now() + 1_000 })).status, 204)
  t.is((await patch({ update_time: ahead })).status, 204)
  t.is((await shown()).items[0]?.[1], 2)
  const both = await patch({ quantity: 9, update_time: ahead }, { 'If-Match': '"7"' })
  assertProblem(t, both, 412, 'stale')
  assertProblem(t, await patch({ quantity: 9, update_time: 1 }, await present()), 409, 'event-outdated')
})

test.serial('an order that was never changed was changed last when it was made', async (t) => {
  await store.place({ order: 'whole', user: 'anna', total: 20, lines: 'tea:1', costs: 'tea:20' }, plainly)
  const made = Date.parse((await shown('whole')).created_at ?? '')
  const to = { order: 'whole' }
  assertProblem(t, await patch({ quantity: 2, update_time: made - 1 }, {}, to), 409, 'event-outdated', { version: 1 })
  t.is((await patch({ quantity: 2, update_time: made }, {}, to)).status, 204)
})

test.serial('the price that the customer has seen is held against that of now', async (t) => {
  const at = (value: number, more = {}) => ({ quantity: 3, value, update_time: '2999-01-01T00:00:00Z', ...more })
  await assertNothing(t, async () => {
    assertProblem(t, await patch(at(15)), 409, 'price-changed', { item_id: 'tea', price: 20 })
    assertProblem(t, await patch(at(15, { quantity: 1 })), 409, 'price-changed')
    assertProblem(t, await patch(at(15, { quantity: undefined })), 409, 'price-changed')
  })
  t.is((await patch(at(20))).status, 204)
})

test.serial('a quantity alone is of an order with one line', async (t) => {
  await store.addItem({ order: 'cart', item: 'cup', quantity: 1, price: 7 }, plainly)
  await assertNothing(t, async () => {
    assertProblem(t, await patch({ quantity: 3 }, await present()), 422, 'malformed-body', { field: 'quantity' })
  })
  await patch(linesOf({ tea: 0, cup: 0 }), await present())
  t.like(await shown(), { total_cost: 0, items: [], lines: [], status: 'open' })
  assertProblem(t, await patch({ quantity: 3 }, await present()), 422, 'malformed-body', { field: 'quantity' })
  t.is((await patch(linesOf({ cup: 3 }), await present())).status, 204)
  t.is((await shown()).total_cost, 21)
})

test.serial('an unknown item or one that is withdrawn is not added, and what is there of it may leave', async (t) => {
  await store.addItem({ order: 'cart', item: 'pot', quantity: 3, price: 4 }, plainly)
  await assertNothing(t, async () => {
    assertProblem(t, await patch(linesOf({ jug: 1 }), await present()), 404, 'no-such-item', { item_id: 'jug' })
    assertProblem(t, await patch(linesOf({ tea: 3, pot: 4 }), await present()), 409, 'item-withdrawn', {
      item_id: 'pot',
    })
  })
  t.is((await patch(linesOf({ pot: 1 }), await present())).status, 204)
  t.like(await shown(), { total_cost: 34 })
})

test.serial('an order has no more lines than it may, nor costs more than can be counted', async (t) => {
  for (let item = 0; item < 100; item += 1) await stock.createItem(`i${item}`, 1, plainly)
  const hundred = Object.fromEntries(Array.from({ length: 100 }, (_, item) => [`i${item}`, 1]))
  await assertNothing(t, async () => {
    assertProblem(t, await patch(linesOf(hundred), await present()), 409, 'order-full')
    assertProblem(t, await patch(linesOf({ tea: MOST }), await present()), 422, 'malformed-body', { field: 'lines' })
    assertProblem(t, await patch({ quantity: MOST }, await present()), 422, 'malformed-body', { field: 'quantity' })
  })
  t.is((await patch(linesOf({ ...hundred, tea: 0 }), await present())).status, 204)
  t.is((await shown()).total_cost, 100)
})

test.serial('what its method does not allow an order does not become', async (t) => {
  const card = { method: 'credit_card', installments: 3 }
  await store.place({ order: 'whole', user: 'anna', total: 20, lines: 'tea:1', costs: 'tea:20', ...card }, plainly)
  const to = { order: 'whole' }
  assertProblem(t, await patch({ quantity: 100_000_000 }, { 'If-Match': '*' }, to), 409, 'method-limits')
  assertProblem(t, await patch(linesOf({ tea: 0, cup: 1 }), { 'If-Match': '*' }, to), 409, 'method-limits', {
    total: 7,
  })
  t.is((await patch({ quantity: 2 }, { 'If-Match': '*' }, to)).status, 204)
  t.deepEqual((await shown('whole')).plan, [14, 13, 13])
  t.is((await patch({ quantity: 0 }, { 'If-Match': '*' }, to)).status, 204)
})

test.serial('an order of an older version: what two of its lines have cost is unknown', async (t) => {
  await bench.redis.hset('order:cart', { lines: 'tea:2,cup:1', total: '37' })
  await bench.redis.hdel('order:cart', 'costs', 'version', 'at', 'number')
  assertProblem(t, await patch(linesOf({ tea: 1 }), { 'If-Match': '"1"' }), 409, 'line-prices-unknown', {
    item_id: 'tea',
  })
  t.is((await patch(linesOf({ tea: 3 }), { 'If-Match': '"1"' })).status, 204)
  t.like(await shown(), {
    total_cost: 57,
    items: [
      ['tea', 3],
      ['cup', 1],
    ],
  })
  t.is((await patch(linesOf({ tea: 0, cup: 0, pot: 0 }), await present())).status, 204)
  t.is((await shown()).total_cost, 0)
})

const GIVEN_UP = { order: 'cart', from: 'any', restock: 'shelf', reason: undefined } as const
const WAITING = { log_id: 'it', order: 'cart', timeout_ms: 60_000, most: 10 }
const expire = async (): Promise<void> => {
  while ((await store.expireSome(0)) === 0);
}
const amend = async (): Promise<void> => {
  await beginCart(store)
  await tell('payment', 'CreditCaptured', 'it', MONEY)
  const { version: read } = await shown()
  const amendment = { take: new Map([['tea', 1]]), back: new Map(), total: 50, costs: new Map([['tea', 50]]) }
  await store.amend({ order: 'cart', from: 'any', since: undefined, read, amendment, timeoutMs: 60_000 }, plainly)
}
const CLOSED: readonly (readonly [how: string, close: () => Promise<unknown>, status: number, problem: string])[] = [
  ['submitted', () => store.submit(WAITING, plainly), 423, 'locked'],
  ['being checked out', () => beginCart(store), 423, 'locked'],
  ['being changed since it is paid', amend, 409, 'order-changing'],
  ['being undone', () => beginCart(store).then(() => store.cancel('it')), 409, 'order-not-open'],
  ['cancelled', () => store.cancelOrder(GIVEN_UP, plainly), 409, 'order-cancelled'],
  ['expired', expire, 409, 'order-expired'],
]
for (const [how, close, status, problem] of CLOSED)
  test.serial(`an order that is ${how} is not changed, from whichever version: ${status} ${problem}`, async (t) => {
    const stale = await present()
    await close()
    await assertNothing(t, async () => {
      const isForGood = ['cancelled', 'expired'].includes(how)
      for (const headers of [stale, await present(), { 'If-Match': '*' }])
        for (const query of ['', '?dry_run=true']) {
          const reply = await patch(linesOf({ jug: 3 }), headers, { query, by: lonelyClient })
          assertProblem(t, reply, status, problem)
          t.is(reply.headers['retry-after'], isForGood ? undefined : '1')
        }
    })
  })

test.serial('to clients of an older back end an order that is over is deleted', async (t) => {
  for (const end of [() => store.cancelOrder(GIVEN_UP, plainly), expire]) {
    await bench.redis.hset('order:cart', { status: 'open' })
    await end()
    await assertNothing(t, async () =>
      assertProblem(t, await patch({ quantity: 3, update_time: Date.now() }), 422, 'order-deleted'),
    )
  }
})

test.serial('a change is made without stock if nothing is added, and not at all if something is', async (t) => {
  const alone = { by: lonelyClient }
  await assertNothing(t, async () =>
    assertProblem(t, await patch(linesOf({ tea: 3 }), await present(), alone), 424, 'neighbour-unavailable'),
  )
  t.is((await patch(linesOf({ tea: 1 }), await present(), alone)).status, 204)
  t.is((await shown()).total_cost, 15)
})

test.serial('a dry run shows what the order would become, and changes nothing', async (t) => {
  await assertNothing(t, async () => {
    const dry = { query: '?dry_run=true' }
    const reply = await patch(linesOf({ tea: 1, cup: 2 }), { ...(await present()), 'Idempotency-Key': 'dry' }, dry)
    t.is(reply.status, 200)
    t.deepEqual([reply.headers.etag, reply.headers['cache-control']], [undefined, 'no-store'])
    t.deepEqual(reply.json, {
      ...(await shown()),
      total_cost: 29,
      items: [
        ['tea', 1],
        ['cup', 2],
      ],
      lines: [
        { item_id: 'tea', quantity: 1, cost: 15, returned: 0, refunded: 0 },
        { item_id: 'cup', quantity: 2, cost: 14, returned: 0, refunded: 0 },
      ],
    })
    assertProblem(t, await patch(linesOf({ tea: 1 }), { 'If-Match': '"7"' }, dry), 412, 'stale')
    assertProblem(t, await patch({ quantity: 3, update_time: 1 }, {}, dry), 409, 'event-outdated')
    assertProblem(t, await patch(linesOf({ jug: 1 }), await present(), dry), 404, 'no-such-item')
    assertProblem(
      t,
      await patch(linesOf({ tea: 1 }), { 'If-Match': '*' }, { ...dry, order: 'none' }),
      404,
      'no-such-order',
    )
    assertProblem(t, await patch(linesOf({ tea: 1 }), await present(), { query: '?dry_run=yes' }), 400, 'malformed', {
      field: 'dry_run',
    })
    assertProblem(t, await patch(linesOf({ tea: 1 }), {}, dry), 428, 'precondition-required')
  })
  t.is(await bench.redis.exists('request:dry'), 0)
  const key = { 'Idempotency-Key': 'dry' }
  const made = await patch(linesOf({ tea: 1, cup: 2 }), {
    ...(await present()),
    ...key,
    Prefer: 'return=representation',
  })
  t.like(made.json, { total_cost: 29 })
})

const MALFORMED: readonly (readonly [body: unknown, field: string])[] = [
  [linesOf({}), 'lines'],
  [{ lines: 'tea:2' }, 'lines'],
  [{ lines: Array.from({ length: 201 }, (_, item) => ({ item_id: `i${item}`, quantity: 1 })) }, 'lines'],
  [{ lines: [...linesOf({ tea: 1 }).lines, ...linesOf({ tea: 2 }).lines] }, 'lines'],
  [{ lines: [{ item_id: 'tea' }] }, 'lines.0.quantity'],
  [{ lines: [{ item_id: 'a:b', quantity: 1 }] }, 'lines.0.item_id'],
  [{ lines: [{ item_id: 'tea', quantity: -1 }] }, 'lines.0.quantity'],
  [{ lines: [{ item_id: 'tea', quantity: 1.5 }] }, 'lines.0.quantity'],
  [{ lines: [{ item_id: 'tea', quantity: 1, price: 1 }] }, 'lines.0.price'],
  [{ ...linesOf({ tea: 1 }), quantity: 1 }, 'lines'],
  [{ ...linesOf({ tea: 1 }), value: 1 }, 'lines'],
  [{ quantity: '10.50' }, 'quantity'],
  [{ quantity: -1 }, 'quantity'],
  [{ quantity: 2 ** 53 }, 'quantity'],
  [{ quantity: null }, 'quantity'],
  [{ quantity: 1, value: '10.50' }, 'value'],
  [{ quantity: 1, update_time: 'yesterday' }, 'update_time'],
  [{ quantity: 1, update_time: '2026-13-01T00:00:00Z' }, 'update_time'],
  [{ quantity: 1, update_time: '2026-02-30T00:00:00Z' }, 'update_time'],
  [{ quantity: 1, update_time: '2026-02-28T24:00:00Z' }, 'update_time'],
  [{ quantity: 1, update_time: -1 }, 'update_time'],
  [{ quantity: 1, update_time: 1.5 }, 'update_time'],
  [{ quantity: 1, user_id: 'ben' }, 'user_id'],
  [{}, 'body'],
  ['[]', 'body'],
  ['{"quantity":', 'body'],
  ['', 'body'],
]
for (const [body, field] of MALFORMED)
  test.serial(`a change by ${JSON.stringify(body).slice(0, 80)} is refused: ${field}`, (t) =>
    assertNothing(t, async () =>
      assertProblem(t, await patch(body, { 'If-Match': '*' }), 422, 'malformed-body', { field }),
    ),
  )

test.serial('a change is no form, nor too long', (t) =>
  assertNothing(t, async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded', 'If-Match': '*' }
    assertProblem(t, await patch('quantity=6', form), 415, 'unsupported-media-type')
    assertProblem(t, await patch({ quantity: 6, more: 'x'.repeat(70_000) }, { 'If-Match': '*' }), 413, 'body-too-large')
  }),
)

test.serial('under a key a change is made once, and answered to the letter, though stock is away', async (t) => {
  const key = { 'Idempotency-Key': 'of-the-change', Prefer: 'return=representation' }
  const from = await present()
  const first = await patch(linesOf({ tea: 3 }), { ...from, ...key })
  t.is(first.status, 200)
  await patch(linesOf({ tea: 9 }), { 'If-Match': '*' })
  await beginCart(store)
  const again = await patch(linesOf({ tea: 3 }), { ...from, ...key }, { by: lonelyClient })
  t.deepEqual([again.status, again.text, etagOf(again)], [200, first.text, etagOf(first)])
  t.is(again.headers['x-log-id'], first.headers['x-log-id'])
  for (const [ifMatch, body] of [
    [from['If-Match'], linesOf({ tea: 4 })],
    ['*', linesOf({ tea: 3 })],
  ] as const)
    assertProblem(t, await patch(body, { ...key, 'If-Match': ifMatch }), 422, 'idempotency-key-reused')
  t.is((await shown()).items[0]?.[1], 9)
})

test.serial('under a key a refusal for what has changed is given again, and one for a checkout is not', async (t) => {
  const from = await present()
  await patch(linesOf({ tea: 3 }), from)
  const key = { 'Idempotency-Key': 'of-a-stale-one' }
  const stale = await patch(linesOf({ tea: 4 }), { ...from, ...key })
  assertProblem(t, stale, 412, 'stale')
  await patch(linesOf({ tea: 5 }), { 'If-Match': '*' })
  t.is((await patch(linesOf({ tea: 4 }), { ...from, ...key })).text, stale.text)
  const another = { 'Idempotency-Key': 'of-a-locked-one', 'If-Match': '*' }
  await beginCart(store)
  assertProblem(t, await patch(linesOf({ tea: 4 }), another), 423, 'locked')
  await tell('payment', 'CreditRefused', 'it', { ...MONEY, reason: 'out-of-credit' })
  t.is((await patch(linesOf({ tea: 4 }), another)).status, 204)
})

test.serial('of several changes from one version one is made', async (t) => {
  const from = await present()
  const quantities = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
  const replies = await Promise.all(quantities.map((tea) => patch(linesOf({ tea }), from)))
  const statuses = replies.map(({ status }) => status)
  t.deepEqual(statuses.toSorted(), [204, ...quantities.slice(1).map(() => 412)])
  t.is((await shown()).items[0]?.[1], quantities[statuses.indexOf(204)])
  for (const reply of replies) t.is(etagOf(reply), `"${await versionOf()}"`)
})

test.serial(
  'changes from any version are made one after the other, each of the order as the one before left it',
  async (t) => {
    const more = ['cup', 'tea'].flatMap((item) => [3, 4, 5, 6].map((quantity) => linesOf({ [item]: quantity })))
    // Every other one under a key: that it has to be read again is not remembered.
    const changeAll = () =>
      Promise.all(
        more.map((body, at) =>
          patch(body, { 'If-Match': '*', ...(at % 2 === 0 ? {} : { 'Idempotency-Key': `of-${at}` }) }),
        ),
      )
    const replies = await changeAll()
    t.deepEqual([...new Set(replies.map(({ status, text }) => `${status}${text}`))], ['204'])
    const { total_cost, lines } = await shown()
    t.is(lines.length, 2)
    t.is(
      total_cost,
      lines.reduce((sum, { cost }) => sum + (cost ?? 0), 0),
    )
    const changes = (await saidIn(store.log)).filter(({ kind }) => kind === 'OrderChanged')
    t.is(new Set(changes.map(({ facts }) => facts.order_version)).size, changes.length)
    const again = await changeAll()
    for (const [at, reply] of again.entries()) if (at % 2 === 1) t.is(etagOf(reply), etagOf(replies[at] ?? reply))
  },
)

test.serial(
  'a change and a checkout at once: the checkout charges what the order is then, and it is not changed after that',
  async (t) => {
    for (let round = 0; round < 20; round += 1) {
      const order = `order-${round}`
      await openCart(store, order)
      const begin = { log_id: `of-${round}`, order, user: 'anna', token: '', timeout_ms: 60_000, lines: 'tea:2' }
      const [reply, [begun]] = await Promise.all([
        patch(linesOf({ tea: 3 }), { 'If-Match': '*' }, { order }),
        store.begin(begin, plainly),
      ])
      const { status, items, total_cost } = await shown(order)
      const started = (await store.log.entriesOf(`of-${round}`)).at(-1)
      if (begun === 'moved') {
        t.deepEqual([reply.status, status, items, total_cost], [204, 'open', [['tea', 3]], 50])
        t.is(started, undefined)
      } else {
        assertProblem(t, reply, 423, 'locked')
        t.deepEqual([begun, status, items, total_cost], ['begun', 'checking-out', [['tea', 2]], 30])
        t.like(started?.facts, { lines: 'tea:2', total: '30' })
      }
    }
  },
)

test.serial('a Redis that comes back older takes no change from what it has forgotten', async (t) => {
  const older = await openDurable(t)
  const there = openStore(older.dependencies)
  await openCart(there)
  const kept = await there.show('cart')
  const change = (from: number, read: number, quantity: number) => {
    const lines = new Map([['tea', quantity]])
    return there.change(
      { order: 'cart', from: [from], since: undefined, read, changed: { lines, costs: lines, total: quantity } },
      plainly,
    )
  }
  const position = await writtenTo(older.server.dir)
  t.is((await change(kept?.version ?? 0, kept?.version ?? 0, 3))[0], 'changed')
  const lost = (await there.show('cart'))?.version ?? 0
  await comeBack(older, position)
  t.deepEqual(await there.show('cart'), kept)
  t.deepEqual(await change(lost, lost, 4), ['stale', String(kept?.version)])
  t.is((await change(kept?.version ?? 0, kept?.version ?? 0, 4))[0], 'changed')
  t.true(((await there.show('cart'))?.version ?? 0) > lost)
  t.is((await change(lost, lost, 5))[0], 'stale')
})

holdEveryResult()
