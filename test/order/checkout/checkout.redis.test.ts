import assert from 'node:assert/strict'
import test from 'ava'
import { admission } from '../../../order/checkout/admission.ts'
import { type CheckoutsOptions, checkouts } from '../../../order/checkout/checkout.ts'
import { openLinger } from '../../../order/checkout/linger.ts'
import { openStore } from '../../../order/store.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { packedIn } from '../../support/checker/records.ts'
import { eventually } from '../../support/eventually.ts'
import { MONEY, openCart } from '../../support/shop/cart.ts'
import { openBench, plainly, teller } from '../../support/shop/open-store.ts'

const DEADLINE_MS = 300

const bench = await openBench()
const store = openStore(bench.dependencies)
const { redLock, identifiers } = bench.dependencies

test.serial.beforeEach(() => bench.redis.flushall())
test.after.always(async () => bench[Symbol.asyncDispose]())

const plenty = () => admission({ most: 256, targetMs: 1_000, timeoutMs: 1_000 })

const open = (others: Partial<CheckoutsOptions> = {}) => {
  const opened = checkouts({
    store,
    redLock,
    nextLogId: identifiers.next,
    admission: plenty(),
    linger: openLinger(),
    deadlineMs: DEADLINE_MS,
    lockTtlMs: 3_000,
    asyncDeadlineMs: DEADLINE_MS,
    submittedMax: 100,
    shutdown: new AbortController().signal,
    ...others,
  })
  opened.start()
  return { ...opened, [Symbol.dispose]: opened.stop }
}

test.serial(
  'a checkout that the Redis has forgotten is not waited for beyond the deadline: 503, and where to ask',
  async (t) => {
    using shop = open()
    await openCart(store)
    await bench.redis.hset('order:cart', 'status', 'checking-out', 'saga', 'ghost')
    const error = await t.throwsAsync(shop.checkout('cart', plainly), { instanceOf: UnavailableError })
    t.is(error?.location, '/orders/find/cart')
  },
)

test.serial(
  'a checkout that is given up because an earlier one proves to have paid is told that it is paid',
  async (t) => {
    using shop = open()
    await openCart(store)
    const told = shop.checkout('cart', plainly)
    await eventually(async () => assert.equal((await store.find('cart'))?.status, 'checking-out'), DEADLINE_MS)
    t.is((await teller(store.log)('payment', 'CreditCaptured', 'earlier', MONEY))[0], 'adopted')
    t.like(await told, { state: 'paid' })
  },
)

test.serial(
  'a Redis that goes away between the lock and the end of the deadline is told as 503, and ends nobody',
  async (t) => {
    const away = (): Promise<never> => Promise.reject(new UnavailableError('the Redis of order does not answer'))
    using shop = open({ store: { ...store, begin: away, cancel: away, saga: away } })
    await openCart(store)
    await t.throwsAsync(shop.checkout('cart', plainly), { instanceOf: UnavailableError })
    t.is((await store.find('cart'))?.status, 'open')
  },
)

test.serial(
  'a Redis that freezes is told as 503 within 2 s of the deadline, also if it was asked before that',
  async (t) => {
    const deadlineMs = 800
    using shop = open({ deadlineMs })
    await openCart(store)
    const startedAt = performance.now()
    const told = shop.checkout('cart', plainly)
    await eventually(async () => assert.equal((await store.find('cart'))?.status, 'checking-out'), deadlineMs)
    bench.server.freeze()
    await t.throwsAsync(told, { instanceOf: UnavailableError })
    const waitedMs = performance.now() - startedAt
    bench.server.thaw()
    t.true(waitedMs < deadlineMs + 2_000, `waited ${Math.round(waitedMs)} ms`)
  },
)

test.serial("one user's checkouts take turns, and none of them asks for the lock in vain", async (t) => {
  const carts = ['first', 'second', 'third', 'fourth', 'fifth']
  for (const cart of carts) {
    await openCart(store, cart, 'anna')
  }
  let asked = 0
  const counting: typeof redLock = {
    ...redLock,
    tryAcquire: (resources, ttlMs) => {
      asked += 1
      return redLock.tryAcquire(resources, ttlMs)
    },
  }
  using shop = open({ deadlineMs: 20_000, redLock: counting })
  const told = carts.map((cart) => shop.checkout(cart, plainly))
  const tell = teller(store.log)
  for (const cart of carts) {
    const saga = await eventually(async () => {
      const { status, saga = '' } = (await store.readForCheckout(cart)) ?? {}
      assert.equal(status, 'checking-out')
      return saga
    }, DEADLINE_MS)
    const underWay = await Promise.all(carts.map(async (one) => (await store.readForCheckout(one))?.status))
    t.is(underWay.filter((status) => status === 'checking-out').length, 1)
    const reply = await tell('payment', 'CreditCaptured', saga, { ...MONEY, order: cart })
    const decided = store.decidedBy(reply)
    if (decided) shop.onDecided(decided)
  }
  for (const outcome of await Promise.all(told)) t.like(outcome, { state: 'paid' })
  t.is(asked, carts.length)
})

test.serial(
  'a checkout that finds no slot is not begun, takes no lock, and is told so; what begins nothing needs none',
  async (t) => {
    using shop = open({ admission: admission({ most: 1, targetMs: 1_000, timeoutMs: 20 }) })
    await openCart(store)
    await openCart(store, 'other', 'berta')
    const told = shop.checkout('cart', plainly)
    await eventually(async () => assert.equal((await store.find('cart'))?.status, 'checking-out'), DEADLINE_MS)

    t.deepEqual(await shop.checkout('other', plainly), { state: 'overloaded' })
    t.is((await store.find('other'))?.status, 'open')
    t.is((await packedIn(bench.redis)).size, 1)
    t.deepEqual(await bench.redis.keys('lock:order:other'), [])

    await store.create('paid', 'carl', plainly)
    await bench.redis.hset('order:paid', 'status', 'paid')
    const keyed = { idempotencyKey: 'again', fingerprint: 'POST /orders/checkout/paid' }
    t.like(await shop.checkout('paid', keyed), { state: 'paid' })
    t.like(await told, { state: 'cancelled' })
    t.not((await shop.checkout('other', plainly)).state, 'overloaded')
  },
)

test.serial('the linger learns of each checkout that is over, however it ended', async (t) => {
  const linger = openLinger()
  let underWay = 0
  const counting: typeof linger = {
    join: () => {
      underWay += 1
      return linger.join()
    },
    count: linger.count,
    over: () => {
      underWay -= 1
      linger.over()
    },
  }
  await openCart(store)
  await store.create('empty', 'berta', plainly)
  await store.create('paid', 'anna', plainly)
  await bench.redis.hset('order:paid', 'status', 'paid')

  using shop = open({ linger: counting })
  const orders = ['cart', 'empty', 'paid', 'nobody has this one']
  const told = orders.map((order) => shop.checkout(order, plainly))
  t.is(underWay, orders.length)
  t.deepEqual(
    (await Promise.all(told)).map(({ state }) => state),
    ['cancelled', 'empty', 'paid', 'unknown'],
  )
  t.is(underWay, 0)

  const away = (): Promise<never> => Promise.reject(new UnavailableError('the Redis of order does not answer'))
  using cutOff = open({ linger: counting, store: { ...store, readForCheckout: away } })
  await t.throwsAsync(cutOff.checkout('cart', plainly), { instanceOf: UnavailableError })
  t.is(underWay, 0)
})

test.serial('what is locked for a checkout is free at its end, also if nobody was told of that', async (t) => {
  using shop = open({ lockTtlMs: 60_000 })
  await openCart(store)
  const told = shop.checkout('cart', plainly)
  const { saga = '' } = await eventually(async () => {
    const view = await store.readForCheckout('cart')
    assert.equal(view?.status, 'checking-out')
    return view ?? assert.fail()
  }, DEADLINE_MS)
  await teller(store.log)('payment', 'CreditCaptured', saga, MONEY) // and the reply is lost
  t.like(await told, { state: 'paid' })
  await eventually(async () => assert.deepEqual(await bench.redis.keys('lock:*'), []), 5_000)
})
