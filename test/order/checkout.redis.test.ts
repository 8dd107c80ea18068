import test from 'ava'
import { checkouts } from '../../order/checkout.ts'
import { openStore } from '../../order/store.ts'
import { UnavailableError } from '../../shared/errors.ts'
import { openBench, plainly } from '../support/open-store.ts'

const DEADLINE_MS = 300

const bench = await openBench()
const store = openStore(bench.instruments)
const { redLock, identifiers } = bench.instruments

test.serial.beforeEach(() => bench.redis.flushall())
test.after.always(async () => bench[Symbol.asyncDispose]())

const open = (given = store) => {
  const opened = checkouts({
    store: given,
    redLock,
    nextLogId: identifiers.next,
    deadlineMs: DEADLINE_MS,
    lockTtlMs: 3_000,
  })
  opened.start()
  return { ...opened, [Symbol.dispose]: opened.stop }
}

const openCart = async (): Promise<void> => {
  await store.create('cart', 'anna', plainly)
  await store.addItem({ order: 'cart', item: 'tea', quantity: 2, price: 15 }, plainly)
}

test.serial(
  'a checkout that the Redis has forgotten is not waited for beyond the deadline: 503, and where to ask',
  async (t) => {
    using shop = open()
    await openCart()
    await bench.redis.hset('order:cart', 'status', 'checking-out', 'saga', 'ghost')
    const error = await t.throwsAsync(shop.checkout('cart', plainly), { instanceOf: UnavailableError })
    t.is(error?.location, '/orders/find/cart')
  },
)

test.serial(
  'a Redis that goes away between the lock and the end of the deadline is told as 503, and ends nobody',
  async (t) => {
    const away = (): Promise<never> => Promise.reject(new UnavailableError('the Redis of order does not answer'))
    using shop = open({ ...store, begin: away, cancel: away, saga: away })
    await openCart()
    await t.throwsAsync(shop.checkout('cart', plainly), { instanceOf: UnavailableError })
    t.is((await store.find('cart'))?.status, 'open')
  },
)
