/** What happens to a checkout that is submitted, in the process in which that is done, and in others. */
import assert from 'node:assert/strict'
import test from 'ava'
import { admission } from '../../../order/checkout/admission.ts'
import { type CheckoutsOptions, checkouts } from '../../../order/checkout/checkout.ts'
import { openLinger } from '../../../order/checkout/linger.ts'
import { openStore } from '../../../order/store.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { writtenTo } from '../../support/faults/older-redis.ts'
import { MONEY, openCart } from '../../support/shop/cart.ts'
import { comeBack, openBench, openDurable, plainly, type Teller, teller, under } from '../../support/shop/open-store.ts'

/** For those that wait; what is submitted has more time. */
const DEADLINE_MS = 400
const ASYNC_DEADLINE_MS = 20_000
const TIMEOUT_MS = 8_000

const bench = await openBench()
const store = openStore(bench.dependencies)
const { redLock, identifiers } = bench.dependencies
const closing = new AbortController().signal
const facts = { ...MONEY, reason: 'out-of-credit' }

let tell: Teller
test.serial.beforeEach(async () => {
  await bench.redis.flushall()
  tell = teller(store.log)
  await openCart(store)
})
test.after.always(async () => bench[Symbol.asyncDispose]())

const open = (others: Partial<CheckoutsOptions> = {}) => {
  const stopping = new AbortController()
  const opened = checkouts({
    store,
    redLock,
    nextLogId: identifiers.next,
    admission: admission({ most: 256, targetMs: 1_000, timeoutMs: 50 }),
    linger: openLinger(),
    deadlineMs: DEADLINE_MS,
    lockTtlMs: 3_000,
    asyncDeadlineMs: ASYNC_DEADLINE_MS,
    submittedMax: 100,
    shutdown: stopping.signal,
    ...others,
  })
  opened.start()
  const submit = (order: string, waitMs = 0, once = plainly) => opened.submit(order, { ...once, closing }, waitMs)
  return {
    ...opened,
    submit,
    [Symbol.dispose]: () => {
      stopping.abort()
      opened.stop()
    },
  }
}

const whenBegun = (order: string): Promise<string> =>
  eventually(async () => {
    const view = await store.readForCheckout(order)
    assert.equal(view?.status, 'checking-out')
    return view?.saga ?? ''
  }, TIMEOUT_MS)

/** What payment says of a checkout, and whoever applies it. */
const decide = async (
  shop: { readonly onDecided: ReturnType<typeof open>['onDecided'] },
  saga: string,
  kind: 'CreditCaptured' | 'CreditVoided',
  order = 'cart',
): Promise<void> => {
  const decided = store.decidedBy(await tell('payment', kind, saga, { ...facts, order }))
  if (decided) shop.onDecided(decided)
}

test.serial('a checkout that is submitted is answered at once, begun at once, and locked until its end', async (t) => {
  using shop = open()
  const told = await shop.submit('cart')
  t.like(told, { order: 'cart', state: 'submitted' })
  const saga = await whenBegun('cart')
  t.is('id' in told ? told.id : '', saga)
  t.is((await bench.redis.keys('lock:*')).length, 2)
  await decide(shop, saga, 'CreditCaptured')
  t.like(await store.checkoutOf('cart'), { id: saga, state: 'paid' })
  await eventually(async () => assert.deepEqual(await bench.redis.keys('lock:*'), []), TIMEOUT_MS)
  t.deepEqual(await shop.submit('cart'), { state: 'paid', logId: saga })
})

test.serial('one that waits a while is told the end if that comes, and else that it is under way', async (t) => {
  using shop = open()
  const waiting = shop.submit('cart', TIMEOUT_MS)
  const saga = await whenBegun('cart')
  t.like(await shop.submit('cart', 50), { id: saga, state: 'checking-out' })
  await decide(shop, saga, 'CreditVoided')
  t.like(await waiting, { state: 'refused', reason: 'out-of-credit', logId: saga })
})

test.serial('an end that nobody tells is asked for by those that wait for it', async (t) => {
  using shop = open()
  const waiting = shop.submit('cart', TIMEOUT_MS)
  const saga = await whenBegun('cart')
  await tell('payment', 'CreditCaptured', saga, facts) // and the reply is lost
  t.deepEqual(await waiting, { state: 'paid', logId: saga })
})

test.serial('nobody waits on whose client has gone, or whose server stops', async (t) => {
  using shop = open()
  const stopping = new AbortController()
  let isGone = false
  const gone = shop.watch('it', 60_000, { closing, isGone: () => isGone })
  const stopped = shop.watch('it', 60_000, { closing: stopping.signal })
  isGone = true
  await gone
  stopping.abort()
  await stopped
  t.pass()
})

test.serial('under a key the same checkout is asked for again, also once it has ended', async (t) => {
  using shop = open()
  const told = await shop.submit('cart', 0, under('a'))
  const saga = await whenBegun('cart')
  t.like(told, { id: saga })
  t.like(await shop.submit('cart', 0, under('a')), { id: saga, state: 'checking-out' })
  await decide(shop, saga, 'CreditVoided')
  t.like(await shop.submit('cart', 0, under('a')), { state: 'refused', logId: saga })
  t.like(await shop.checkout('cart', under('a')), { state: 'refused', logId: saga })
  t.deepEqual(await shop.submit('cart', 0, under('a', 'another')), { state: 'key-reused' })
})

test.serial(
  'one that waits for its end joins what is submitted, and leaves it alone when it has waited enough',
  async (t) => {
    using shop = open()
    // Another process has it in hand.
    await store.submit({ log_id: 'it', order: 'cart', timeout_ms: ASYNC_DEADLINE_MS, most: 10 }, plainly)
    const error = await t.throwsAsync(shop.checkout('cart', plainly), { instanceOf: UnavailableError })
    t.regex(error?.message ?? '', /not decided yet/)
    t.like(await store.saga('it'), { state: 'submitted' })
    const joined = shop.checkout('cart', under('a'))
    await store.begin({ log_id: 'it', order: 'cart', user: 'anna', token: '', timeout_ms: 0 }, plainly)
    await decide(shop, 'it', 'CreditCaptured')
    t.deepEqual(await joined, { state: 'paid', logId: 'it' })
  },
)

test.serial(
  'one that meets what was submitted since it read the order does not keep it from being begun',
  async (t) => {
    let submitted: Promise<unknown> | undefined
    const begin: typeof store.begin = async (start, once) => {
      submitted ??= shop.submit('cart')
      await submitted
      return store.begin(start, once)
    }
    using shop = open({ store: { ...store, begin }, deadlineMs: 2 * TIMEOUT_MS })
    const told = shop.checkout('cart', plainly)
    const saga = await whenBegun('cart')
    await decide(shop, saga, 'CreditCaptured')
    t.deepEqual(await told, { state: 'paid', logId: saga })
  },
)

test.serial(
  'nor does one that has waited for the lock in its turn, and finds it submitted when it looks again',
  async (t) => {
    let submitted: Promise<unknown> | undefined
    const tryAcquire: typeof redLock.tryAcquire = async (resources, ttlMs) => {
      if (submitted !== undefined) return redLock.tryAcquire(resources, ttlMs)
      submitted = shop.submit('cart')
      await submitted
      return { state: 'busy' }
    }
    using shop = open({ redLock: { ...redLock, tryAcquire }, deadlineMs: 2 * TIMEOUT_MS })
    const told = shop.checkout('cart', plainly)
    const saga = await whenBegun('cart')
    await decide(shop, saga, 'CreditCaptured')
    t.deepEqual(await told, { state: 'paid', logId: saga })
  },
)

test.serial('what is submitted ends at its own deadline, if nothing comes of it', async (t) => {
  using shop = open({ asyncDeadlineMs: 700 })
  await shop.submit('cart')
  const saga = await whenBegun('cart')
  const end = await eventually(async () => {
    const found = await store.saga(saga)
    assert.equal(found?.state, 'cancelling')
    return found
  }, TIMEOUT_MS)
  t.like(end, { by: 'deadline' })
})

test.serial('what finds no slot is not forgotten', async (t) => {
  using shop = open({ admission: admission({ most: 1, targetMs: 1_000, timeoutMs: 20 }), deadlineMs: 5_000 })
  await openCart(store, 'other', 'berta')
  await shop.submit('cart')
  const first = await whenBegun('cart')
  t.like(await shop.submit('other', 100), { state: 'submitted' })
  await decide(shop, first, 'CreditCaptured')
  await decide(shop, await whenBegun('other'), 'CreditCaptured', 'other')
  t.is((await store.find('other'))?.status, 'paid')
})

test.serial('so many may wait to be begun; more are told to come again', async (t) => {
  using shop = open({ submittedMax: 1 })
  await store.submit({ log_id: 'it', order: 'cart', timeout_ms: ASYNC_DEADLINE_MS, most: 1 }, plainly)
  await openCart(store, 'other', 'berta')
  t.deepEqual(await shop.submit('other'), { state: 'overloaded' })
  t.is((await store.find('other'))?.status, 'open')
})

test.serial(
  'what was submitted to a process that has died is begun by another one that has nothing to do',
  async (t) => {
    await store.submit({ log_id: 'it', order: 'cart', timeout_ms: ASYNC_DEADLINE_MS, most: 10 }, plainly)
    using shop = open()
    t.is(await whenBegun('cart'), 'it')
    await decide(shop, 'it', 'CreditCaptured')
    t.is(await shop.begin('it'), 'begun')
  },
)

test.serial('of two processes that try the same, one begins it, and the other one keeps no lock', async (t) => {
  using shop = open({ lockTtlMs: 1 })
  using other = open({ lockTtlMs: 1 })
  await store.submit({ log_id: 'it', order: 'cart', timeout_ms: ASYNC_DEADLINE_MS, most: 10 }, plainly)
  t.deepEqual([await shop.begin('it'), await other.begin('it'), await other.begin('it')], ['taken', 'taken', 'waiting'])
  await whenBegun('cart')
  await decide(shop, 'it', 'CreditCaptured')
  other.onOutcome({ id: 'it', state: 'paid' })
  await eventually(async () => assert.deepEqual(await bench.redis.keys('lock:*'), []), TIMEOUT_MS)
  t.deepEqual(
    (await store.log.entriesOf('it')).map(({ kind }) => kind),
    ['CheckoutSubmitted', 'CheckoutStarted', 'OrderPaid'],
  )
})

test.serial('a request whose client has gone submits nothing, nor one whose Redis is away', async (t) => {
  using shop = open()
  const gone = { ...plainly, isGone: () => true }
  await t.throwsAsync(shop.submit('cart', 0, gone), { instanceOf: UnavailableError })
  const away = (): Promise<never> => Promise.reject(new UnavailableError('the Redis of order does not answer'))
  using cutOff = open({ store: { ...store, submit: away } })
  const error = await t.throwsAsync(cutOff.submit('cart'), { instanceOf: UnavailableError })
  t.is(error?.location, '/orders/find/cart')
  t.is((await store.find('cart'))?.status, 'open')
})

test('what a client was told is under way is so again after the Redis came back older, and an end that was told stays', async (t) => {
  const durable = await openDurable(t)
  const own = openStore(durable.dependencies)
  await openCart(own)
  await openCart(own, 'ended', 'berta')
  const submit = (order: string) =>
    own.submit({ log_id: `of-${order}`, order, timeout_ms: ASYNC_DEADLINE_MS, most: 10 }, plainly)
  const moment = await writtenTo(durable.server.dir)
  await submit('cart')
  await submit('ended')
  await own.checkoutOf('cart', { isTold: true })
  await own.checkoutOf('ended', { isTold: true })
  await own.cancel('of-ended')
  await comeBack(durable, moment)
  t.is((await own.find('cart'))?.status, 'open')
  const lost = await own.log.checkOwnTail()
  t.deepEqual(
    lost?.entries.map(({ kind }) => kind),
    ['CheckoutFailed'],
  )
  t.like(await own.checkoutOf('cart'), { id: 'of-cart', state: 'submitted' })
  t.is(await own.checkoutOf('ended'), undefined)
  t.is((await own.saga('of-ended'))?.state, 'cancelling')
})
