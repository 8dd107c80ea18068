/** The Redis of order comes back without what customers were told: whoever was told it remembers. */
import test, { type ExecutionContext } from 'ava'
import { openStore, type Store } from '../../order/store.ts'
import { connect, disconnect, whenReady } from '../../shared/redis/connection.ts'
import { cutTail, writtenTo } from '../support/older-redis.ts'
import { type Bench, openBench, plainly, type Teller, teller } from '../support/open-store.ts'

const PATIENCE_MS = 60_000
const money = { order: 'cart', user: 'anna', total: 30, lines: 'tea:2', reason: 'out-of-credit', item: '' }

type Scene = Bench & {
  readonly store: Store
  readonly tell: Teller
  /** What was contradicted. */
  readonly contradicted: string[]
  /** What payment said that is heard while the store catches up. */
  readonly unheard: (() => Promise<unknown>)[]
}

const open = async (t: ExecutionContext): Promise<Scene> => {
  const bench = await openBench(['--appendonly', 'yes', '--appendfsync', 'always'])
  t.teardown(() => bench[Symbol.asyncDispose]())
  const contradicted: string[] = []
  const unheard: (() => Promise<unknown>)[] = []
  const catchUp = async (): Promise<void> => {
    for (const one of unheard.splice(0)) await one()
  }
  const store = openStore({ ...bench.instruments, catchUp }, ({ order, by }) => contradicted.push(`${order} ${by}`))
  await store.create('cart', 'anna', plainly)
  await store.addItem({ order: 'cart', item: 'tea', quantity: 2, price: 15 }, plainly)
  await store.begin({ log_id: 'it', order: 'cart', user: 'anna', token: '', patience_ms: PATIENCE_MS }, plainly)
  return { ...bench, store, tell: teller(store.log), contradicted, unheard }
}

/** The Redis comes back as it was at a moment. */
const comeBack = async ({ server, redis }: Scene, position: number): Promise<void> => {
  await server.kill()
  await cutTail(server.dir, { position })
  await server.restart()
  await whenReady(redis)
}

const namesOf = (lost: Awaited<ReturnType<Store['log']['lookBack']>>) =>
  lost?.entries.map(({ kind, log_id, facts }) => `${kind} of ${log_id} for ${facts.order} ${facts.user} ${facts.total}`)

test('who was told that nothing is charged is not charged, and the loss is listed by name', async (t) => {
  const scene = await open(t)
  const { store, tell } = scene
  const moment = await writtenTo(scene.server.dir)
  t.is((await store.cancel('it'))?.state, 'cancelling')
  await comeBack(scene, moment)
  t.is((await store.saga('it'))?.state, 'checking-out')
  t.deepEqual(namesOf(await store.log.lookBack()), ['CheckoutCancelled of it for cart anna 30'])
  t.is((await tell('payment', 'CreditCaptured', 'it', money))[0], 'repeated')
  t.false((await store.find('cart'))?.paid)
  t.deepEqual(scene.contradicted, [])
  t.is(await store.log.lookBack(), undefined, 'it is noticed once')
})

test('if it is paid before anybody looks, that is a contradiction', async (t) => {
  const scene = await open(t)
  const { store, tell } = scene
  const moment = await writtenTo(scene.server.dir)
  await tell('payment', 'CreditRefused', 'it', money)
  await store.cancel('it') // whoever waits until the deadline learns of the refusal by this
  await comeBack(scene, moment)
  await tell('payment', 'CreditCaptured', 'it', money)
  t.deepEqual(namesOf(await store.log.lookBack()), ['CheckoutFailed of it for cart anna 30'])
  t.deepEqual(scene.contradicted, ['cart told-failed'])
  t.deepEqual(await store.contradictions(), ['cart'])
})

test('a checkout that is not even known any more is cancelled all the same', async (t) => {
  const scene = await open(t)
  const { store, tell } = scene
  await store.cancel('it')
  await comeBack(scene, 1)
  await store.create('another', 'anna', plainly)
  t.true(namesOf(await store.log.lookBack())?.includes('CheckoutCancelled of it for cart anna 30'))
  t.is((await store.saga('it'))?.state, 'cancelling')
  t.is((await tell('payment', 'CreditCaptured', 'it', money))[0], 'repeated')
})

test('what was paid is listed only if payment does not say so again', async (t) => {
  for (const isSaid of [true, false]) {
    const scene = await open(t)
    const { store, tell, unheard } = scene
    const moment = await writtenTo(scene.server.dir)
    await tell('payment', 'CreditCaptured', 'it', money)
    await store.cancel('it')
    await comeBack(scene, moment)
    if (isSaid) unheard.push(() => tell('payment', 'CreditCaptured', 'it', money))
    t.deepEqual(namesOf(await store.log.lookBack()), isSaid ? [] : ['OrderPaid of it for cart anna 30'])
    t.deepEqual(scene.contradicted, [])
  }
})

test('a replica that was told by the other one remembers as well', async (t) => {
  const scene = await open(t)
  const { store } = scene
  const redis = connect(scene.server.url, 'command')
  const subscribers = [connect(scene.server.url, 'subscriber'), connect(scene.server.url, 'subscriber')]
  t.teardown(() => [redis, ...subscribers].forEach(disconnect))
  const other = openStore({ ...scene.instruments, redis })
  const { promise, resolve } = Promise.withResolvers<string>()
  other.watchOutcomes(subscribers[0] as typeof redis, ({ id, state }) => {
    if (id === 'it') resolve(state)
  })
  store.watchOutcomes(subscribers[1] as typeof redis, () => undefined)
  await Promise.all([redis, ...subscribers].map((one) => whenReady(one)))
  while ((await scene.redis.publish('outcomes', 'hello open')) < 2) await store.find('cart')
  const moment = await writtenTo(scene.server.dir)
  await store.cancel('it')
  t.is(await promise, 'cancelling')
  await comeBack(scene, moment)
  await whenReady(redis)
  t.deepEqual(namesOf(await other.log.lookBack()), ['CheckoutCancelled of it for cart anna 30'])
  t.is((await store.saga('it'))?.state, 'cancelling')
})
