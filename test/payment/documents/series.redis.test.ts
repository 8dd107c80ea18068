/** No number that was told is given again, whatever the Redis of payment forgets; and a series goes on where nothing was lost. */
import test, { type ExecutionContext } from 'ava'
import type { Redis } from 'ioredis'
import { openStore, type Store } from '../../../payment/store.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { connect, disconnect, whenReady } from '../../../shared/redis/connection.ts'
import { writtenTo } from '../../support/faults/older-redis.ts'
import {
  type Bench,
  comeBack,
  entryOf,
  openBench,
  openDurable,
  plainly,
  saidIn,
  under,
} from '../../support/shop/open-store.ts'

type Scene = { readonly bench: Bench; readonly store: Store; readonly order: Redis }

const open = async (t: ExecutionContext): Promise<Scene> => {
  const bench = await openDurable(t)
  const peers = await openBench()
  t.teardown(() => peers[Symbol.asyncDispose]())
  const store = openStore({ ...bench.dependencies, peer: () => peers.redis })
  await store.createUser('anna', plainly)
  await store.addFunds('anna', 1_000_000, plainly)
  return { bench, store, order: peers.redis }
}

const about = (order: string) => ({ order, user: 'anna', total: 30, lines: 'tea:1', deadline: '1700000000000' })

/** Has orders captured, by entries that come after all that were applied. @returns the numbers of their invoices */
const sell = async ({ store }: Pick<Scene, 'store'>, orders: readonly string[]): Promise<readonly string[]> => {
  for (const [publisher, kind] of [
    ['order', 'CheckoutStarted'],
    ['stock', 'StockTaken'],
  ] as const) {
    const cursor = await store.log.cursor(publisher)
    const place = Number.parseInt(cursor, 10)
    const entries = orders.map((order, at) => entryOf(publisher, kind, `${place + at + 1}-0`, order, about(order)))
    await store.log.apply(publisher, cursor, entries)
  }
  const numbers: string[] = []
  for (const order of orders) numbers.push((await store.log.recorded(order)).invoice ?? 'none')
  return numbers
}

/** Order makes a number known, by an entry that payment has not applied. */
const tell = (order: Redis, number: string, kind = 'OrderPaid', fact = 'invoice') =>
  order.xadd('log:order', '*', kind, `version=1 log_id=s order=o user=anna total=30 ${fact}=${number}`)

/** Another process of payment, which remembers nothing. */
const another = async (t: ExecutionContext, { bench, order }: Scene): Promise<Store & { readonly redis: Redis }> => {
  const redis = connect(bench.server.url, 'command')
  t.teardown(() => disconnect(redis))
  await whenReady(redis)
  return { redis, ...openStore({ ...bench.dependencies, redis, peer: () => order }) }
}

test.serial('a series goes on after a restart of its Redis, and of its process', async (t) => {
  const scene = await open(t)
  t.deepEqual(await sell(scene, ['one', 'two']), ['I1-1', 'I1-2'])
  await tell(scene.order, 'I1-1')
  await tell(scene.order, 'I1-2')
  await comeBack(scene.bench)
  t.deepEqual(await sell(scene, ['three']), ['I1-3'])
  t.deepEqual(await sell({ store: await another(t, scene) }, ['four']), ['I1-4'])
  t.is((await scene.store.series()).length, 1)
})

test.serial('the next series begins where order has told a number that this Redis does not know', async (t) => {
  const scene = await open(t)
  await sell(scene, ['one'])
  const moment = await writtenTo(scene.bench.server.dir)
  await sell(scene, ['two', 'three'])
  for (const number of ['I1-1', 'I1-2', 'I1-3']) await tell(scene.order, number)
  await comeBack(scene.bench, moment)
  const store = await another(t, scene)
  t.deepEqual(await sell({ store }, ['four']), ['I2-1'])
  const [first, second] = await store.series()
  t.deepEqual(
    [first?.invoices, second?.invoices],
    [
      { count: 1, last: 1 },
      { count: 1, last: 1 },
    ],
  )
  t.deepEqual([first?.ended?.why, first?.ended?.told], ['told', ['I1-3']])
  // It is no reason to begin another one later.
  await comeBack(scene.bench)
  t.deepEqual(await sell({ store: await another(t, scene) }, ['five']), ['I2-2'])
})

test.serial('so it does where it is a credit note whose number was told', async (t) => {
  const scene = await open(t)
  await sell(scene, ['one'])
  await tell(scene.order, 'C1-1', 'CheckoutClosed', 'note')
  t.deepEqual(await sell({ store: await another(t, scene) }, ['two']), ['I2-1'])
})

test.serial('and where it has forgotten more than one series', async (t) => {
  const scene = await open(t)
  await sell(scene, ['one'])
  for (const number of ['I1-2', 'I3-7', 'I2-9']) await tell(scene.order, number)
  t.deepEqual(await sell({ store: await another(t, scene) }, ['two']), ['I4-1'])
})

test.serial(
  'a Redis that comes back older again and again to the same moments gives no number that was told',
  async (t) => {
    const scene = await open(t)
    const first = await writtenTo(scene.bench.server.dir)
    const told: string[] = []
    const sellAndTell = async (orders: readonly string[]): Promise<void> => {
      const store = await another(t, scene)
      const numbers = await sell({ store }, orders)
      for (const number of numbers) await tell(scene.order, number)
      told.push(...numbers)
    }
    await sellAndTell(['one', 'two'])
    const moment = await writtenTo(scene.bench.server.dir)
    await sellAndTell(['three', 'four'])
    for (const position of [moment, moment, first, first, Number.POSITIVE_INFINITY]) {
      await comeBack(scene.bench, position)
      await sellAndTell(['three', 'four', 'five'].map((order) => `${order}-${told.length}`))
    }
    t.is(told.length, 19)
    t.is(new Set(told).size, told.length)
    t.is(told.at(-1), 'I5-6')
  },
)

test.serial(
  'the next series begins where this process has seen more applied, or shown more, though order has told nothing',
  async (t) => {
    const scene = await open(t)
    await sell(scene, ['one'])
    const moment = await writtenTo(scene.bench.server.dir)
    await sell(scene, ['two'])
    await comeBack(scene.bench, moment)
    t.deepEqual(await sell(scene, ['three']), ['I2-1'])
    t.is((await scene.store.series())[0]?.ended?.why, 'applied')

    const later = await writtenTo(scene.bench.server.dir)
    const other = await another(t, scene)
    await sell(scene, ['four'])
    t.truthy(await other.invoices.find('I2-2'))
    await comeBack(scene.bench, later)
    await whenReady(other.redis)
    t.deepEqual(await sell({ store: other }, ['five']), ['I3-1'])
    const [, second] = await other.series()
    t.deepEqual([second?.ended?.why, second?.ended?.told], ['told', ['I2-2']])
  },
)

test.serial('and where the peers were told that more was read', async (t) => {
  const scene = await open(t)
  await sell(scene, ['one'])
  const [cursor] = [await scene.store.log.cursor('stock')]
  await scene.order.set('heard:stock:payment', `${Number.parseInt(cursor, 10) + 1}-0`)
  t.deepEqual(await sell({ store: await another(t, scene) }, ['two']), ['I2-1'])
})

test.serial(
  'a peer that has lost its tail has payment read on before what it reported, which is no loss of payment',
  async (t) => {
    const scene = await open(t)
    await sell(scene, ['one', 'two'])
    await scene.store.log.recordTailLoss({
      speaker: 'stock',
      noticed: '',
      after: '1-0',
      until: '2-0',
      unnamed_until: null,
      entries: [],
    })
    await scene.order.set('heard:stock:payment', '2-0')
    await comeBack(scene.bench)
    t.is(await scene.store.log.cursor('stock'), '1-0')
    t.deepEqual(await sell(scene, ['three']), ['I1-3'])
  },
)

test.serial('nothing is captured before it is known which numbers were told', async (t) => {
  const scene = await open(t)
  await sell(scene, ['one'])
  disconnect(scene.order)
  const store = await another(t, scene)
  await t.throwsAsync(sell({ store }, ['two']), { instanceOf: UnavailableError })
  t.is(await scene.bench.redis.xlen('invoices:1'), 1)
  await scene.order.connect()
  await tell(scene.order, 'I1-2')
  t.deepEqual(await sell({ store }, ['two']), ['I2-1'])
})

test.serial('what nobody knows of cannot be kept from being given again', async (t) => {
  const scene = await open(t)
  const moment = await writtenTo(scene.bench.server.dir)
  t.deepEqual(await sell(scene, ['one']), ['I1-1'])
  await comeBack(scene.bench, moment)
  t.deepEqual(await sell({ store: await another(t, scene) }, ['two']), ['I1-1'])
})

test.serial(
  'a person begins the next series, once under a key, after all of them were put back to one moment',
  async (t) => {
    const scene = await open(t)
    await sell(scene, ['one'])
    for (const doneBy of ['operator:anna', 'operator:ben'])
      t.deepEqual(await scene.store.beginSeries({ ...under('k'), doneBy }), ['raised', '2'])
    const said = (await saidIn(scene.store.log)).filter(({ kind }) => kind === 'SeriesStarted')
    t.deepEqual(
      said.map(({ log_id, facts }) => [log_id, facts]),
      [['series-2', { series: '2', done_by: 'operator:anna' }]],
    )
    t.deepEqual(await sell(scene, ['two']), ['I2-1'])
    t.is((await scene.store.series())[0]?.ended?.why, 'operator')
  },
)
