/** An order as it is found, over a real Redis. */
import test from 'ava'
import { openStore } from '../../../order/store.ts'
import { beginCart, MONEY, openCart, openCheckout } from '../../support/shop/cart.ts'
import { openBench, type Teller, teller } from '../../support/shop/open-store.ts'

const bench = await openBench()
const { redis } = bench
const store = openStore(bench.dependencies)
const { show } = store
test.after.always(() => bench[Symbol.asyncDispose]())

let tell: Teller
test.serial.beforeEach(async () => {
  await redis.flushall()
  tell = teller(store.log)
})
const refused = { ...MONEY, reason: 'out-of-stock', item: 'tea' }

test.serial('an order that does not exist is not found', async (t) => {
  t.is(await show('cart'), undefined)
})

test.serial('an order is shown as it stands after each step of a checkout', async (t) => {
  await openCart(store)
  t.like(await show('cart'), { order_id: 'cart', number: 1, status: 'open', total_cost: 30, checkout: null })
  t.deepEqual((await show('cart'))?.lines, [{ item_id: 'tea', quantity: 2, cost: 30, returned: 0, refunded: 0 }])
  await beginCart(store)
  const under = { log_id: 'it', reason: null, item_id: null }
  t.like(await show('cart'), { status: 'checking-out', checkout: { ...under, state: 'checking-out' } })
  await tell('payment', 'CreditVoided', 'it', refused)
  const failed = { log_id: 'it', state: 'failed', reason: 'out-of-stock', item_id: 'tea' }
  t.like(await show('cart'), { status: 'open', paid: false, checkout: failed })
  await beginCart(store, 'next')
  await store.cancel('next')
  const given = { log_id: 'next', reason: 'deadline', item_id: null }
  t.like(await show('cart'), { status: 'cancelling', checkout: { ...given, state: 'cancelling' } })
  await tell('payment', 'CreditReleased', 'next', MONEY)
  t.like(await show('cart'), { status: 'open', checkout: { ...given, state: 'closed' } })
  await beginCart(store, 'last')
  await tell('payment', 'CreditCaptured', 'last', MONEY)
  t.like(await show('cart'), { status: 'paid', paid_amount: 30, checkout: { log_id: 'last', state: 'paid' } })
})

test.serial('what is found is what `find` finds, and more', async (t) => {
  await openCheckout(store)
  await tell('payment', 'CreditCaptured', 'it', MONEY)
  const found = await store.find('cart')
  t.is(found?.paid, true)
  t.like(await show('cart'), { ...found })
})

test.serial('an order of an older version is shown without what that did not record', async (t) => {
  await redis.hset('order:cart', { user: 'anna', status: 'paid', total: '30', lines: 'tea:2', saga: 'long-ago' })
  t.like(await show('cart'), { number: null, version: 1, created_at: null, updated_at: null, paid_amount: 30 })
  t.deepEqual((await show('cart'))?.checkout, { log_id: 'long-ago', state: 'paid', reason: null, item_id: null })
})
