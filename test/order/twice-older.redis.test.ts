/** The Redis of order comes back older again, while it is looked what it lost before; or tells its last while it dies. */
import test, { type ExecutionContext } from 'ava'
import { openStore, type Store } from '../../order/store.ts'
import { whenReady } from '../../shared/redis/connection.ts'
import { cutTail, writtenTo } from '../support/older-redis.ts'
import { type Bench, entryOf, openBench, plainly, teller } from '../support/open-store.ts'

const money = { order: 'cart', user: 'anna', total: 30, lines: 'tea:2', reason: '', item: '' }

const open = async (t: ExecutionContext): Promise<Bench> => {
  const bench = await openBench(['--appendonly', 'yes', '--appendfsync', 'always'])
  t.teardown(() => bench[Symbol.asyncDispose]())
  return bench
}

const begin = async (store: Store): Promise<void> => {
  await store.create('cart', 'anna', plainly)
  await store.addItem({ order: 'cart', item: 'tea', quantity: 2, price: 15 }, plainly)
  await store.begin({ log_id: 'it', order: 'cart', user: 'anna', token: '', patience_ms: 60_000 }, plainly)
}

const comeBack = async ({ server, redis }: Bench, position: number): Promise<void> => {
  await cutTail(server.dir, { position })
  await server.restart()
  await whenReady(redis)
}

const namesOf = (lost: Awaited<ReturnType<Store['log']['lookBack']>>) =>
  lost?.entries.map(({ kind, facts }) => `${kind} of ${facts.order}`)

test('what was told since the first time is looked for as well, if it is lost before that is noted', async (t) => {
  const bench = await open(t)
  const { server } = bench
  let moment = 0
  const catchUp = async (): Promise<void> => {
    await store.create('late', 'anna', plainly)
    await server.kill()
    await comeBack(bench, moment)
  }
  const store = openStore({ ...bench.instruments, catchUp })
  await begin(store)
  moment = await writtenTo(server.dir)
  await teller(store.log)('payment', 'CreditCaptured', 'it', money)
  await store.saga('it') // whoever waits learns of the end by this
  await server.kill()
  await comeBack(bench, moment)
  t.deepEqual(namesOf(await store.log.lookBack()), ['OrderPaid of cart'])
  t.deepEqual(namesOf(await store.log.lookBack()), ['OrderCreated of late'])
  t.is(await store.log.lookBack(), undefined)
})

test('what comes over the channel of outcomes after the other connection broke is upheld', async (t) => {
  const bench = await open(t)
  const { server, redis } = bench
  const [store, other] = [openStore(bench.instruments), openStore(bench.instruments)]
  await begin(store)
  const moment = await writtenTo(server.dir)
  const decided = await other.cancel('it')
  const [told] = (await store.log.page('0-0', 10)).filter(({ kind }) => kind === 'CheckoutCancelled')
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  redis.once('close', resolve)
  await server.kill()
  await closed
  t.is(decided?.state, 'cancelling')
  const [id, said] = entryOf('order', 'CheckoutCancelled', told?.id ?? '', 'it', money)
  store.log.acknowledge(id, () => said)
  await comeBack(bench, moment)
  t.deepEqual(namesOf(await store.log.lookBack()), ['CheckoutCancelled of cart'])
  t.is((await store.saga('it'))?.state, 'cancelling')
})

test('what was lost at two times is found both times, though it is looked for once', async (t) => {
  const bench = await open(t)
  const { server } = bench
  const store = openStore(bench.instruments)
  const loseNow = async (moment: number): Promise<void> => {
    await server.kill()
    await comeBack(bench, moment)
  }
  await store.create('kept', 'anna', plainly)
  for (const name of ['one', 'two']) {
    const moment = await writtenTo(server.dir)
    await store.create(name, 'anna', plainly)
    await loseNow(moment)
    await store.create(`after-${name}`, 'anna', plainly)
  }
  t.deepEqual(namesOf(await store.log.lookBack()), ['OrderCreated of two'])
  t.deepEqual(namesOf(await store.log.lookBack()), ['OrderCreated of one'])
  t.is(await store.log.lookBack(), undefined)
})
