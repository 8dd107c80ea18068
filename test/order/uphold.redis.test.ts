/**
 * The Redis of order comes back without what customers were told: whoever was told it remembers, also if it comes back older
 * again while it is looked what it lost before, or tells its last while it dies.
 */

import { once } from 'node:events'
import test, { type ExecutionContext } from 'ava'
import { openStore, type Store } from '../../order/store.ts'
import { connect, disconnect, whenReady } from '../../shared/redis/connection.ts'
import { writtenTo } from '../support/faults/older-redis.ts'
import { MONEY, openCheckout } from '../support/shop/cart.ts'
import { type Bench, comeBack, entryOf, openDurable, plainly, type Teller, teller } from '../support/shop/open-store.ts'

type Scene = Bench & {
  readonly store: Store
  readonly tell: Teller
  /** What was contradicted. */
  readonly contradicted: string[]
  /** What payment emitted that is applied while the store catches up. */
  readonly unheard: (() => Promise<unknown>)[]
}

const open = async (t: ExecutionContext): Promise<Scene> => {
  const bench = await openDurable(t)
  const contradicted: string[] = []
  const unheard: (() => Promise<unknown>)[] = []
  const catchUp = async (): Promise<boolean> => {
    for (const one of unheard.splice(0)) await one()
    return true
  }
  const store = openStore({ ...bench.dependencies, catchUp }, ({ order, by }) => contradicted.push(`${order} ${by}`))
  await openCheckout(store)
  return { ...bench, store, tell: teller(store.log), contradicted, unheard }
}

const namesOf = (lost: Awaited<ReturnType<Store['log']['checkOwnTail']>>) =>
  lost?.entries.map(({ kind, log_id, facts }) => `${kind} of ${log_id} for ${facts.order} ${facts.user} ${facts.total}`)

test('if it is paid before anybody looks, that is a contradiction', async (t) => {
  const scene = await open(t)
  const { store, tell } = scene
  const moment = await writtenTo(scene.server.dir)
  await tell('payment', 'CreditRefused', 'it', { ...MONEY, reason: 'out-of-credit' })
  await store.cancel('it') // whoever waits until the deadline learns of the refusal by this
  await comeBack(scene, moment)
  await tell('payment', 'CreditCaptured', 'it', MONEY)
  t.deepEqual(namesOf(await store.log.checkOwnTail()), ['CheckoutFailed of it for cart anna 30'])
  t.deepEqual(scene.contradicted, ['cart told-failed'])
  t.deepEqual(await store.contradictions(), ['cart'])
})

test('a checkout that is not even known any more is cancelled all the same', async (t) => {
  const scene = await open(t)
  const { store, tell } = scene
  await store.cancel('it')
  await comeBack(scene, 1)
  await store.create('another', 'anna', plainly)
  t.true(namesOf(await store.log.checkOwnTail())?.includes('CheckoutCancelled of it for cart anna 30'))
  t.is((await store.saga('it'))?.state, 'cancelling')
  t.is((await tell('payment', 'CreditCaptured', 'it', MONEY))[0], 'repeated')
})

test('an order that is to be cancelled once its checkout is undone is cancelled then all the same', async (t) => {
  const scene = await open(t)
  const { store, tell } = scene
  const moment = await writtenTo(scene.server.dir)
  const [result] = await store.cancelOrder({ order: 'cart', from: 'any', restock: 'shelf', reason: undefined }, plainly)
  t.is(result, 'given-up')
  await comeBack(scene, moment)
  t.is((await store.find('cart'))?.status, 'checking-out')
  await store.log.checkOwnTail()
  t.is((await store.saga('it'))?.state, 'cancelling')
  await tell('payment', 'CreditReleased', 'it', MONEY)
  t.is((await store.find('cart'))?.status, 'cancelled')
})

test('what was paid is listed only if payment does not say so again', async (t) => {
  for (const isSaid of [true, false]) {
    const scene = await open(t)
    const { store, tell, unheard } = scene
    const moment = await writtenTo(scene.server.dir)
    await tell('payment', 'CreditCaptured', 'it', MONEY)
    await store.cancel('it')
    await comeBack(scene, moment)
    if (isSaid) unheard.push(() => tell('payment', 'CreditCaptured', 'it', MONEY))
    t.deepEqual(namesOf(await store.log.checkOwnTail()), isSaid ? [] : ['OrderPaid of it for cart anna 30'])
    t.deepEqual(scene.contradicted, isSaid ? [] : ['cart told-paid'])
    t.deepEqual(await store.contradictions(), isSaid ? [] : ['cart'])
    if (!isSaid) t.is((await tell('payment', 'CreditCaptured', 'it', MONEY))[0], 'paid')
    t.deepEqual(await store.contradictions(), [], 'payment knows it again')
  }
})

test('what was paid is not listed once its customer has cancelled the order, however far that has come', async (t) => {
  for (const isClosed of [false, true]) {
    const scene = await open(t)
    const { store, tell } = scene
    const moment = await writtenTo(scene.server.dir)
    await tell('payment', 'CreditCaptured', 'it', MONEY)
    await store.cancel('it')
    await comeBack(scene, moment)
    await store.cancelOrder({ order: 'cart', from: 'any', restock: 'shelf', reason: undefined }, plainly)
    if (isClosed) await tell('payment', 'CreditReleased', 'it', MONEY)
    t.is((await store.saga('it'))?.state, isClosed ? 'closed' : 'cancelling')
    await store.log.checkOwnTail()
    t.deepEqual(scene.contradicted, [])
    t.deepEqual(await store.contradictions(), [])
  }
})

test('a replica that was told by the other one remembers as well', async (t) => {
  const scene = await open(t)
  const { store } = scene
  const redis = connect(scene.server.url, 'command')
  const subscribers = [connect(scene.server.url, 'subscriber'), connect(scene.server.url, 'subscriber')]
  t.teardown(() => [redis, ...subscribers].forEach(disconnect))
  const other = openStore({ ...scene.dependencies, redis })
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
  const closed = once(redis, 'close')
  await comeBack(scene, moment)
  await closed
  await whenReady(redis)
  t.deepEqual(namesOf(await other.log.checkOwnTail()), ['CheckoutCancelled of it for cart anna 30'])
  t.is((await store.saga('it'))?.state, 'cancelling')
})

const kindsOf = (lost: Awaited<ReturnType<Store['log']['checkOwnTail']>>) =>
  lost?.entries.map(({ kind, facts }) => `${kind} of ${facts.order}`)

test('what was told since the first time is looked for as well, if it is lost before that is noted', async (t) => {
  const bench = await openDurable(t)
  const { server } = bench
  let moment = 0
  const catchUp = async (): Promise<boolean> => {
    await store.create('late', 'anna', plainly)
    await comeBack(bench, moment)
    return true
  }
  const store = openStore({ ...bench.dependencies, catchUp })
  await openCheckout(store)
  moment = await writtenTo(server.dir)
  await teller(store.log)('payment', 'CreditCaptured', 'it', MONEY)
  await store.saga('it') // whoever waits learns of the end by this
  await comeBack(bench, moment)
  t.deepEqual(kindsOf(await store.log.checkOwnTail()), ['OrderPaid of cart'])
  t.deepEqual(kindsOf(await store.log.checkOwnTail()), ['OrderCreated of late'])
  t.is(await store.log.checkOwnTail(), undefined)
})

test('what comes over the channel of outcomes after the other connection broke is upheld', async (t) => {
  const bench = await openDurable(t)
  const { server, redis } = bench
  const [store, other] = [openStore(bench.dependencies), openStore(bench.dependencies)]
  await openCheckout(store)
  const moment = await writtenTo(server.dir)
  const decided = await other.cancel('it')
  const [told] = (await store.log.page('0-0', 10)).filter(({ kind }) => kind === 'CheckoutCancelled')
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  redis.once('close', resolve)
  await server.kill()
  await closed
  t.is(decided?.state, 'cancelling')
  const [id, said] = entryOf('order', 'CheckoutCancelled', told?.id ?? '', 'it', MONEY)
  store.log.acknowledge(id, () => said)
  await comeBack(bench, moment)
  t.deepEqual(kindsOf(await store.log.checkOwnTail()), ['CheckoutCancelled of cart'])
  t.is((await store.saga('it'))?.state, 'cancelling')
})

test('what was lost at two times is found both times, though it is looked for once', async (t) => {
  const bench = await openDurable(t)
  const { server } = bench
  const store = openStore(bench.dependencies)
  const loseNow = async (moment: number): Promise<void> => {
    await comeBack(bench, moment)
  }
  await store.create('kept', 'anna', plainly)
  for (const name of ['one', 'two']) {
    const moment = await writtenTo(server.dir)
    await store.create(name, 'anna', plainly)
    await loseNow(moment)
    await store.create(`after-${name}`, 'anna', plainly)
  }
  t.deepEqual(kindsOf(await store.log.checkOwnTail()), ['OrderCreated of two'])
  t.deepEqual(kindsOf(await store.log.checkOwnTail()), ['OrderCreated of one'])
  t.is(await store.log.checkOwnTail(), undefined)
})
