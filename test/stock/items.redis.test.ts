/** Items over HTTP: how one is shown, and on which condition it is changed. */
import test, { type ExecutionContext } from 'ava'
import { routesOf } from '../../stock/routes.ts'
import { openStore } from '../../stock/store.ts'
import { writtenTo } from '../support/faults/older-redis.ts'
import { type Client, type Headers, openClient, problemOf, type Reply } from '../support/shop/client.ts'
import { type Bench, comeBack, openBench, openDurable, plainly, saidIn } from '../support/shop/open-store.ts'
import { openServiceServer } from '../support/shop/service-server.ts'

/** A stock that is asked by HTTP, of an item `tea` at a price of 5. */
const openStock = async (bench: Bench) => {
  const store = openStore(bench.dependencies)
  const server = await openServiceServer({
    service: 'stock',
    routes: routesOf(store),
  })
  const client = openClient(`http://127.0.0.1:${server.port}`)
  const close = async (): Promise<void> => {
    client.close()
    await server.close()
  }
  return { store, client, close }
}

const bench = await openBench()
const { store, client, close } = await openStock(bench)
test.serial.beforeEach(async () => {
  await bench.redis.flushall()
  await store.createItem('tea', 5, plainly)
})
test.after.always(async () => {
  await close()
  await bench[Symbol.asyncDispose]()
})

const JSON_TYPE = { 'Content-Type': 'application/json' }
const changeBy =
  (by: Client) =>
  (ifMatch: string | undefined, change: unknown, headers: Headers = {}, item = 'tea'): Promise<Reply> =>
    by.request(
      'PATCH',
      `/stock/item/${item}`,
      { ...JSON_TYPE, ...(ifMatch === undefined ? {} : { 'If-Match': ifMatch }), ...headers },
      typeof change === 'string' ? change : JSON.stringify(change),
    )
const change = changeBy(client)
const tea = (headers?: Headers): Promise<Reply> => client.get('/stock/item/tea', headers)
const etagOf = ({ headers }: Reply): string => String(headers.etag)

const assertProblem = (t: ExecutionContext, reply: Reply, status: number, name: string, more: object = {}): void => {
  t.like(problemOf(reply), { status, type: `urn:shop:problem:${name}`, ...more }, reply.text)
  t.is(reply.status, status)
}

test.serial('many are shown at once, and of what there is not, nothing', async (t) => {
  await store.createItem('cup', 7, plainly)
  await change('*', { withdrawn: true }, {}, 'cup')
  const { status, json } = await client.get('/stock/items?ids=tea,pot,cup,tea')
  t.is(status, 200)
  const shown = { item_id: 'tea', price: 5, withdrawn: false, version: 1 }
  const cup = (await client.get('/stock/item/cup')).json
  t.like(cup, { item_id: 'cup', price: 7, withdrawn: true })
  t.deepEqual(json, { items: [shown, cup, shown] })
})

test.serial('an item is shown with its version, which is its ETag', async (t) => {
  const reply = await tea()
  t.is(reply.status, 200)
  t.deepEqual(reply.json, { item_id: 'tea', price: 5, withdrawn: false, version: 1 })
  t.is(etagOf(reply), '"1"')
  t.is(reply.headers['cache-control'], 'no-cache')
  assertProblem(t, await client.get('/stock/item/pot'), 404, 'no-such-item', { item_id: 'pot' })
})

test.serial(
  'a client that has the present version is told so, and what is sold meanwhile is no change of it',
  async (t) => {
    await store.add('tea', 3, plainly)
    for (const copy of ['"1"', 'W/"1"', '"7", "1"', '*']) {
      const reply = await tea({ 'If-None-Match': copy })
      t.deepEqual([reply.status, reply.text, etagOf(reply)], [304, '', '"1"'], copy)
    }
    await change('"1"', { price: 6 })
    t.like((await tea({ 'If-None-Match': '"1"' })).json, { price: 6 })
  },
)

test.serial('a change is told by the new ETag alone, or by the item if that is preferred', async (t) => {
  const first = await change('"1"', { price: 6 })
  t.deepEqual([first.status, first.text], [204, ''])
  const shown = await tea()
  t.is(etagOf(shown), etagOf(first))
  t.like(shown.json, { price: 6, withdrawn: false })
  const second = await change(etagOf(first), { withdrawn: true }, { Prefer: 'return=representation' })
  t.is(second.status, 200)
  t.is(second.headers['preference-applied'], 'return=representation')
  t.deepEqual(second.json, (await tea()).json)
  t.like(second.json, { price: 6, withdrawn: true })
  t.is(etagOf(second), `"${(second.json as { version: number }).version}"`)
  t.deepEqual(
    (await saidIn(store.log)).map(({ kind }) => kind),
    ['ItemCreated', 'PriceChanged', 'ItemWithdrawn'],
  )
})

test.serial('a change wants the present version, and is told which one that is', async (t) => {
  assertProblem(t, await change(undefined, { price: 6 }), 428, 'precondition-required')
  assertProblem(t, await change('', { price: 6 }), 428, 'precondition-required')
  for (const ifMatch of ['"2"', 'W/"1"', '"2", "3"']) {
    const reply = await change(ifMatch, { price: 6 })
    assertProblem(t, reply, 412, 'stale', { version: 1 })
    t.is(etagOf(reply), '"1"')
  }
  for (const ifMatch of ['1', '"a"', '"1", "a"', '"1'])
    assertProblem(t, await change(ifMatch, { price: 6 }), 400, 'malformed', { field: 'If-Match' })
  t.like((await tea()).json, { price: 5, version: 1 })
  t.is((await change('"7", "1"', { price: 6 })).status, 204)
  t.is((await change('*', { price: 7 })).status, 204)
  assertProblem(t, await change('*', { price: 7 }, {}, 'pot'), 404, 'no-such-item')
})

const MALFORMED: readonly (readonly [body: unknown, field: string])[] = [
  [{ price: -1 }, 'price'],
  [{ price: 1.5 }, 'price'],
  [{ price: '10.50' }, 'price'],
  [{ price: 2 ** 53 }, 'price'],
  [{ price: null }, 'price'],
  [{ withdrawn: 'yes' }, 'withdrawn'],
  [{ withdrawn: 1 }, 'withdrawn'],
  [{ price: 6, stock: 3 }, 'stock'],
  [{ prize: 6 }, 'prize'],
  [{}, 'body'],
  ['[]', 'body'],
  ['{"price":', 'body'],
  ['', 'body'],
]
for (const [body, field] of MALFORMED)
  test.serial(
    `a change by ${typeof body === 'string' ? `"${body}"` : JSON.stringify(body)} is refused: ${field}`,
    async (t) => {
      assertProblem(t, await change('"1"', body), 422, 'malformed-body', { field })
      t.like((await tea()).json, { price: 5, version: 1 })
      t.is(await store.log.count(), 1)
    },
  )

test.serial('a change is no form, nor too long', async (t) => {
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
  assertProblem(t, await change('"1"', 'price=6', form), 415, 'unsupported-media-type')
  assertProblem(t, await change('"1"', { price: 6, more: 'x'.repeat(70_000) }), 413, 'body-too-large')
  t.like((await tea()).json, { price: 5, version: 1 })
})

test.serial('under a key a change is made once, and answered to the letter; another one is refused', async (t) => {
  const key = { 'Idempotency-Key': 'of-the-change' }
  const first = await change('"1"', { price: 6 }, key)
  t.is(first.status, 204)
  await change('*', { price: 9 })
  const again = await change('"1"', { price: 6 }, key)
  t.deepEqual([again.status, etagOf(again)], [204, etagOf(first)])
  t.like((await tea()).json, { price: 9 })
  for (const [ifMatch, other] of [
    ['"1"', { price: 7 }],
    ['"2"', { price: 6 }],
    ['*', { price: 6 }],
  ] as const)
    assertProblem(t, await change(ifMatch, other, key), 422, 'idempotency-key-reused')
  const stale = { 'Idempotency-Key': 'of-a-stale-one' }
  const refused = await change('"1"', { price: 7 }, stale)
  assertProblem(t, refused, 412, 'stale')
  await change('*', { price: 10 })
  t.is((await change('"1"', { price: 7 }, stale)).text, refused.text)
})

test.serial('of several changes from one version one is made', async (t) => {
  const prices = [6, 7, 8, 9, 10]
  const replies = await Promise.all(prices.map((price) => change('"1"', { price })))
  const statuses = replies.map(({ status }) => status)
  t.deepEqual(statuses.toSorted(), [204, 412, 412, 412, 412])
  const shown = await tea()
  t.like(shown.json, { price: prices[statuses.indexOf(204)] })
  for (const reply of replies) t.is(etagOf(reply), etagOf(shown))
})

test('a Redis that comes back older shows what it showed before, and no version twice', async (t) => {
  const older = await openDurable(t)
  const there = await openStock(older)
  t.teardown(there.close)
  const changeThere = changeBy(there.client)
  await there.store.createItem('tea', 5, plainly)
  const kept = await changeThere('"1"', { price: 6 })
  const position = await writtenTo(older.server.dir)
  const lost = await changeThere(etagOf(kept), { price: 7 })
  await comeBack(older, position)

  const shown = await there.client.get('/stock/item/tea', { 'If-None-Match': etagOf(kept) })
  t.is(shown.status, 304)
  assertProblem(t, await changeThere(etagOf(lost), { price: 8 }), 412, 'stale')
  const next = await changeThere(etagOf(kept), { price: 9 })
  t.is(next.status, 204)
  t.true(Number(etagOf(next).slice(1, -1)) > Number(etagOf(lost).slice(1, -1)))
  assertProblem(t, await changeThere(etagOf(lost), { price: 8 }), 412, 'stale')
})
