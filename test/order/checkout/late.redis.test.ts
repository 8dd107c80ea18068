/** Two replicas of order over one Redis: what one of them was slow to do, the other one may have been asked to do instead. */

import test from 'ava'
import { admission } from '../../../order/checkout/admission.ts'
import { type CheckoutsOptions, checkouts } from '../../../order/checkout/checkout.ts'
import { openLinger } from '../../../order/checkout/linger.ts'
import { join } from '../../../order/commands.ts'
import { openStore, type Store } from '../../../order/store.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { FRESH_MS } from '../../../shared/log/fence.ts'
import type { Once } from '../../../shared/redis/script.ts'
import { eventually } from '../../support/eventually.ts'
import { LINE, MONEY, openCart } from '../../support/shop/cart.ts'
import { openBench, plainly, saidIn, teller, under } from '../../support/shop/open-store.ts'

const bench = await openBench()
const store = openStore(bench.dependencies)
const { redLock, identifiers } = bench.dependencies
const DEADLINE_MS = 5_000
const facts = { ...MONEY, reason: 'out-of-credit' }

let tell: ReturnType<typeof teller>
test.serial.beforeEach(async () => {
  await bench.redis.flushall()
  tell = teller(store.log)
  await openCart(store)
})
test.after.always(async () => bench[Symbol.asyncDispose]())

/** A replica, whose locks last too shortly to keep another one out. */
const open = (others: Partial<CheckoutsOptions> = {}) => {
  const opened = checkouts({
    store,
    redLock,
    nextLogId: identifiers.next,
    admission: admission({ most: 256, targetMs: 1_000, timeoutMs: 1_000 }),
    linger: openLinger(),
    deadlineMs: DEADLINE_MS,
    lockTtlMs: 1,
    asyncDeadlineMs: DEADLINE_MS,
    submittedMax: 100,
    shutdown: new AbortController().signal,
    ...others,
  })
  opened.start()
  return { ...opened, [Symbol.dispose]: opened.stop }
}

const sagaOf = async (): Promise<string> => (await store.readForCheckout('cart'))?.saga ?? ''
/** How many checkouts were begun, whether or not they are over. */
const sagas = async (): Promise<number> =>
  (await saidIn(store.log)).filter(({ kind }) => kind === 'CheckoutStarted').length
/** Resolves with the checkout that is under way. */
const underWay = (): Promise<string> =>
  eventually(async () => {
    const { status, saga } = (await store.readForCheckout('cart')) ?? {}
    if (status !== 'checking-out' || saga === undefined) throw new Error(`the order is ${status}`)
    return saga
  }, DEADLINE_MS)

/** A store whose first begin waits until it is let go, and says when it has come so far. */
const held = () => {
  const came = Promise.withResolvers<void>()
  const let_go = Promise.withResolvers<void>()
  let first = true
  const begin: Store['begin'] = async (start, once) => {
    if (first) {
      first = false
      came.resolve()
      await let_go.promise
    }
    return store.begin(start, once)
  }
  return { store: { ...store, begin }, came: came.promise, letGo: let_go.resolve }
}
/** A store whose first begin comes when its reading is too old, as if this process had slept. */
const slept = (onWaking: () => void): Store => {
  let first = true
  const begin: Store['begin'] = (start, once) => {
    if (!first) return store.begin(start, once)
    first = false
    onWaking()
    return store.begin(start, { ...once, readMs: (once.readMs ?? 0) - FRESH_MS - 1 })
  }
  return { ...store, begin }
}

test.serial('a checkout that another replica saw refused is refused here too, and not begun', async (t) => {
  const slow = held()
  using first = open({ store: slow.store })
  using second = open()
  const told = first.checkout('cart', plainly)
  await slow.came
  const toldElsewhere = second.checkout('cart', plainly)
  const reply = await tell('payment', 'CreditRefused', await underWay(), facts)
  const decided = store.decidedBy(reply)
  if (decided) second.onDecided(decided)
  t.like(await toldElsewhere, { state: 'refused', reason: 'out-of-credit' })
  slow.letGo()
  t.like(await told, { state: 'refused', reason: 'out-of-credit' })
  t.is(await sagas(), 1)
  t.is((await store.find('cart'))?.status, 'open')
})

test.serial('a checkout of lines that were added since it was read is read again', async (t) => {
  const slow = held()
  using first = open({ store: slow.store })
  const told = first.checkout('cart', plainly)
  await slow.came
  await store.addItem({ ...LINE, item: 'cup' }, plainly)
  slow.letGo()
  const saga = await underWay()
  const reply = await tell('payment', 'CreditCaptured', saga, { ...facts, total: 60, lines: 'tea:2,cup:2' })
  const decided = store.decidedBy(reply)
  if (decided) first.onDecided(decided)
  t.like(await told, { state: 'paid' })
})

test.serial('who slept before a checkout does not begin it for whom is gone since', async (t) => {
  let isGone = false
  const sleepy = slept(() => {
    isGone = true
  })
  using first = open({ store: sleepy })
  const requester: Once = { ...plainly, isGone: () => isGone }
  await t.throwsAsync(first.checkout('cart', requester), { instanceOf: UnavailableError, message: /has gone/ })
  t.is(await sagas(), 0)
  t.is((await store.find('cart'))?.status, 'open')
})

test.serial('who slept before a checkout begins it after all for whoever still waits', async (t) => {
  using first = open({ store: slept(() => undefined) })
  const told = first.checkout('cart', plainly)
  const decided = store.decidedBy(await tell('payment', 'CreditCaptured', await underWay(), facts))
  if (decided) first.onDecided(decided)
  t.like(await told, { state: 'paid' })
  t.is(await sagas(), 1)
})

test.serial('an order that was read empty is not checked out with what is added later', async (t) => {
  await store.create('basket', 'anna', plainly)
  let begun = 0
  const begin: Store['begin'] = (start, once) => {
    begun += 1
    return store.begin(start, once)
  }
  using first = open({ store: { ...store, begin } })
  t.deepEqual(await first.checkout('basket', plainly), { state: 'empty' })
  t.deepEqual(await first.checkout('basket', under('a')), { state: 'empty' })
  await store.addItem({ ...LINE, order: 'basket' }, plainly)
  t.deepEqual(await first.checkout('basket', under('a')), { state: 'empty' }, 'what was answered under a key')
  t.is(begun, 0)
})

test.serial('who is to be told that nothing was done is told instead that it is paid', async (t) => {
  using first = open({ admission: admission({ most: 1, targetMs: 1_000, timeoutMs: 200 }) })
  using second = open()
  await openCart(store, 'other', 'berta')
  const occupying = first.checkout('other', plainly)
  await eventually(async () => {
    if ((await store.find('other'))?.status !== 'checking-out') throw new Error('not yet')
  }, DEADLINE_MS)
  const waiting = first.checkout('cart', plainly)
  const elsewhere = second.checkout('cart', plainly)
  const decided = store.decidedBy(await tell('payment', 'CreditCaptured', await underWay(), facts))
  if (decided) second.onDecided(decided)
  t.like(await elsewhere, { state: 'paid' })
  t.like(await waiting, { state: 'paid' })
  const other = (await store.readForCheckout('other'))?.saga ?? ''
  const last = store.decidedBy(await tell('payment', 'CreditRefused', other, { ...facts, order: 'other' }))
  if (last) first.onDecided(last)
  t.like(await occupying, { state: 'refused' })
})

test.serial('a checkout that is paid is told so under its key, whoever holds the lock of its user', async (t) => {
  using first = open({ deadlineMs: 500 })
  const told = first.checkout('cart', under('a'))
  const decided = store.decidedBy(await tell('payment', 'CreditCaptured', await underWay(), facts))
  if (decided) first.onDecided(decided)
  t.like(await told, { state: 'paid' })
  await redLock.tryAcquire(['user:anna'], 60_000)
  t.like(await first.checkout('cart', under('a')), { state: 'paid' })
  t.like(await first.checkout('cart', under('b')), { state: 'paid' }, 'also under another key')
  await store.initOrders({ first: 0, last: 0, items: 1, users: 1, price: 1, seed: 1 }, plainly)
  t.like(await first.checkout('0', under('b')), { state: 'paid' })
  t.deepEqual(await first.checkout('0', under('b', 'POST /another')), { state: 'key-reused' })
})

test.serial('who joined a checkout under a key is told its end again, and nothing new is begun', async (t) => {
  using first = open()
  using second = open()
  const began = first.checkout('cart', plainly)
  const saga = await underWay()
  const joined = second.checkout('cart', under('a'))
  await eventually(async () => {
    if ((await store.recall(join.returns, under('a'))) === undefined) throw new Error('not joined yet')
  }, DEADLINE_MS)
  const decided = store.decidedBy(await tell('payment', 'CreditRefused', saga, facts))
  if (decided) for (const replica of [first, second]) replica.onDecided(decided)
  t.like(await began, { state: 'refused' })
  t.like(await joined, { state: 'refused' })
  t.like(await second.checkout('cart', under('a')), { state: 'refused' })
  t.is(await sagaOf(), saga)
})

test.serial('begin and join under one key: each tells what was answered to the other', async (t) => {
  const start = { order: 'cart', user: 'anna', token: '', timeout_ms: DEADLINE_MS }
  t.deepEqual(await store.begin({ log_id: 'it', ...start }, under('begun')), ['begun', 'it'])
  t.deepEqual(await store.join({ order: 'cart', saga: 'it' }, under('begun')), ['begun', 'it'])
  t.deepEqual(await store.join({ order: 'cart', saga: 'it' }, under('joined')), ['joined', 'it'])
  t.deepEqual(await store.begin({ log_id: 'other', ...start }, under('joined')), ['joined', 'it'])
})
