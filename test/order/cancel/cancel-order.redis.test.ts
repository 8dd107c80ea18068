/** An order that is given up, in each state that it may be in, and what comes of its checkout. */
import test, { type ExecutionContext } from 'ava'
import { reactions } from '../../../order/reactions.ts'
import { openStore } from '../../../order/store.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { ledgerOf } from '../../support/checker/ledgers.ts'
import { LINE, MONEY, openCart } from '../../support/shop/cart.ts'
import { plainly, saidIn, under } from '../../support/shop/open-store.ts'
import { openStoreForTests } from '../../support/shop/store-rules.ts'

const { bench, store, tell, emitted, emittedDuring, holdEveryResult } = await openStoreForTests(
  openStore,
  reactions,
  'cancel',
)
const { log } = store
const facts = { ...MONEY, reason: 'out-of-stock', item: 'tea' }
const begin = (id: string, once = plainly) =>
  store.begin({ log_id: id, order: 'cart', user: 'anna', token: `token-of-${id}`, timeout_ms: 60_000 }, once)
const giveUp = (once = plainly, reason?: string) =>
  store.cancelOrder({ order: 'cart', from: 'any', restock: 'shelf', reason }, once)
const statusOf = async (): Promise<string | undefined> => (await store.find('cart'))?.status
const fieldOf = (name: string) => bench.redis.hget('order:cart', name)

/** @param refunded how much of it was refunded in all, if anything was */
const assertCancelled = async (
  t: ExecutionContext,
  entries: readonly string[] = ['OrderCancelled'],
  refunded?: string,
): Promise<void> => {
  t.is(await statusOf(), 'cancelled')
  t.deepEqual((await emitted()).slice(-entries.length), entries)
  const { log_id, facts: said } = (await saidIn(log)).find(({ kind }) => kind === 'OrderCancelled') ?? {}
  t.deepEqual(said, { order: 'cart', user: 'anna', ...(refunded && { refunded }) })
  t.like(await store.cancellation('cart'), { status: 'cancelled', id: log_id })
  const again = await emittedDuring(async () => t.deepEqual(await giveUp(), ['cancelled']))
  t.deepEqual(again, [], 'again it is the same')
  t.is((await begin('another'))[0], 'order-cancelled')
  const account = await ledgerOf(bench.redis)
  t.deepEqual([account('paid'), account('sold')], [0n, 0n])
}

test.serial('an open order is cancelled at once, and says why', async (t) => {
  await openCart(store)
  const version = (await store.show('cart'))?.version ?? 0
  t.deepEqual(await giveUp(plainly, 'too slow, 100 %'), ['cancelled'])
  const [entry] = (await saidIn(log)).slice(-1)
  t.deepEqual(entry?.facts, { order: 'cart', user: 'anna', why: encodeURIComponent('too slow, 100 %') })
  t.true(((await store.show('cart'))?.version ?? 0) > version)
})

test.serial(
  'an order is not cancelled for a client that has gone, which another replica may have refused since',
  async (t) => {
    await openCart(store)
    const isGone = (): boolean => true
    for (const once of [plainly, under('a')])
      await t.throwsAsync(giveUp({ ...once, isGone }), { instanceOf: UnavailableError })
    t.is(await statusOf(), 'open')
    t.deepEqual(await giveUp({ ...plainly, isGone: () => false }), ['cancelled'])
  },
)

test.serial('an order that was never checked out, or whose checkout is over, is cancelled at once', async (t) => {
  await openCart(store)
  t.deepEqual(await giveUp(), ['cancelled'])
  await assertCancelled(t)
  for (const end of ['failed', 'closed']) {
    await bench.redis.flushall()
    await openCart(store)
    await begin('it')
    if (end === 'closed') await store.cancel('it')
    await tell('payment', end === 'closed' ? 'CreditReleased' : 'CreditVoided', 'it', facts)
    t.deepEqual(await giveUp(), ['cancelled'])
    await assertCancelled(t)
  }
})

test.serial('a checkout that is under way is cancelled, its client is told, and then the order is', async (t) => {
  await openCart(store)
  await begin('it')
  const [result, decision] = await giveUp()
  t.is(result, 'given-up')
  t.like(decision, { id: 'it', state: 'cancelling', by: 'customer', order: 'cart', token: 'token-of-it' })
  t.is(await statusOf(), 'cancelling')
  t.deepEqual(await giveUp(), ['cancelling'])
  t.is((await begin('another'))[0], 'cancelling')
  t.is(store.cancelledBy(await tell('payment', 'CreditReleased', 'it', facts)), 'cart')
  await assertCancelled(t, ['CheckoutCancelled', 'OrderCancelled', 'CheckoutClosed'])
  t.like((await store.show('cart'))?.checkout, { state: 'closed', reason: 'customer' })
})

test.serial('an order whose checkout waits to be begun is cancelled at once, and that is never begun', async (t) => {
  await openCart(store)
  await store.submit({ log_id: 'it', order: 'cart', timeout_ms: 60_000, most: 10 }, plainly)
  const [result, decision] = await giveUp()
  t.is(result, 'given-up')
  t.like(decision, { id: 'it', state: 'failed', reason: 'customer' })
  await assertCancelled(t, ['CheckoutSubmitted', 'OrderCancelled', 'CheckoutFailed'])
  t.like((await store.show('cart'))?.checkout, { state: 'failed', reason: 'customer' })
  t.is(await bench.redis.zcard('submitted'), 0)
  t.like(
    await tell('payment', 'CreditCaptured', 'it', facts),
    { 0: 'cancelled' },
    'a Redis had forgotten that it was begun',
  )
  t.is(await statusOf(), 'cancelled')
})

test.serial('an order is cancelled whose checkout was given up before, once that is undone', async (t) => {
  await openCart(store)
  await begin('it')
  await store.cancel('it')
  t.deepEqual(await giveUp(), ['cancelling'])
  t.is((await store.cancellation('cart'))?.status, 'cancelling')
  t.is(store.cancelledBy(await tell('payment', 'CreditReleased', 'it', facts)), 'cart')
  await assertCancelled(t, ['CancellationRequested', 'OrderCancelled', 'CheckoutClosed'])
})

test.serial('an order that nobody gave up is open again', async (t) => {
  await openCart(store)
  await begin('it')
  await store.cancel('it')
  t.is(store.cancelledBy(await tell('payment', 'CreditReleased', 'it', facts)), undefined)
  t.is(await statusOf(), 'open')
})

test.serial('the race with the payment has one winner: whoever comes first', async (t) => {
  await openCart(store)
  await begin('it')
  await giveUp()
  t.is((await tell('payment', 'CreditCaptured', 'it', facts))[0], 'repeated')
  t.is(await statusOf(), 'cancelling')
  await tell('payment', 'CreditReleased', 'it', facts)
  await assertCancelled(t, ['OrderCancelled', 'CheckoutClosed'])
  await bench.redis.flushall()
  await openCart(store)
  await begin('it')
  await tell('payment', 'CreditCaptured', 'it', facts)
  const [result, refund, ...granted] = await giveUp()
  t.is(result, 'refunded')
  const [entry] = await log.entriesOf(String(refund))
  t.deepEqual(granted, ['cart', 'anna', '30', 'tea:2', 'shelf', entry?.id])
  await assertCancelled(t, ['RefundGranted', 'OrderCancelled'], '30')
  t.like(await store.cancellation('cart'), { refund: { id: refund, amount: 30, state: 'granted' }, refunded: 30 })
  t.is((await tell('payment', 'CreditRefunded', String(refund), { ...facts, restock: 'shelf' }))[0], 'settled')
  t.like(await store.cancellation('cart'), { refund: { state: 'settled' }, refunded: 30 })
})

test.serial('of an order of which a part was refunded, the rest is, or nothing if all was', async (t) => {
  for (const part of ['tea:1', '']) {
    await bench.redis.flushall()
    await openCart(store)
    await begin('it')
    await tell('payment', 'CreditCaptured', 'it', facts)
    const wish = { order: 'cart', from: 'any', lines: part, restock: 'none', reason: '' } as const
    t.is((await store.refund(wish, plainly))[0], 'granted')
    const [result, , ...granted] = await giveUp()
    t.is(result, part === '' ? 'cancelled' : 'refunded')
    t.deepEqual(granted.slice(0, 4), part === '' ? [] : ['cart', 'anna', '15', 'tea:1'])
    await assertCancelled(t, part === '' ? ['OrderCancelled'] : ['RefundGranted', 'OrderCancelled'], '30')
    t.is((await store.cancellation('cart'))?.refunded, 30)
  }
})

test.serial(
  'what was paid, and then cancelled, was paid by its checkout, also when its record has ended',
  async (t) => {
    await openCart(store)
    await begin('it')
    await tell('payment', 'CreditCaptured', 'it', facts)
    await giveUp()
    t.is((await tell('payment', 'CreditCaptured', 'it', facts))[0], 'repeated')
    for (const key of await bench.redis.keys('sagas:packed:*')) await bench.redis.del(key)
    t.is((await tell('payment', 'CreditCaptured', 'it', facts))[0], 'repeated')
    t.is((await tell('payment', 'CreditCaptured', 'another', facts))[0], 'cancelled')
    t.is(await statusOf(), 'cancelled')
  },
)

test.serial('the count agrees with the ledger, whether what was paid is refunded or accepted', async (t) => {
  await openCart(store)
  await begin('it')
  await tell('payment', 'CreditCaptured', 'it', facts)
  await giveUp()
  t.deepEqual([...(await store.auditor.count()).balances], [['cart', '0 0']])
  await bench.redis.flushall()
  await openCart(store)
  await begin('it')
  await tell('payment', 'CreditCaptured', 'it', facts)
  await tell('payment', 'CreditReleased', 'it', facts)
  t.deepEqual(await giveUp(), ['contradicted'])
  await store.resolve('it', { by: 'accept', why: 'so' }, plainly)
  t.deepEqual(await giveUp(), ['cancelled'], 'its money is back already')
  t.deepEqual([...(await store.auditor.count()).balances], [['cart', '30 2']])
  const account = await ledgerOf(bench.redis)
  t.deepEqual(['paid', 'accepted-paid'].map(account), [30n, 30n])
})

test.serial('what is upheld refunds nothing by itself: then the order is left to a person', async (t) => {
  await openCart(store)
  await begin('it')
  await tell('payment', 'CreditCaptured', 'it', facts)
  const uphold = () =>
    log.run('cancel-order', { log_id: 'told', order: 'cart', versions: 'any', user: 'anna', refund: '', restock: '' })
  t.deepEqual(await uphold(), ['contradicted'])
  await store.refund({ order: 'cart', from: 'any', lines: '', restock: 'shelf', reason: '' }, plainly)
  t.deepEqual(await uphold(), ['cancelled'])
  t.is(await statusOf(), 'cancelled')
})

test.serial('an end of payment that is not applied yet comes first', async (t) => {
  await openCart(store)
  await begin('it')
  const late = openStore({
    ...bench.dependencies,
    catchUp: async () => {
      await tell('payment', 'CreditCaptured', 'it', facts)
      return true
    },
  })
  const [result] = await late.cancelOrder({ order: 'cart', from: 'any', restock: 'shelf', reason: undefined }, plainly)
  t.is(result, 'refunded')
})

test.serial('money of a checkout that is unknown here is given back, and the order stays cancelled', async (t) => {
  await openCart(store)
  await giveUp()
  t.is((await tell('payment', 'CreditCaptured', 'unknown', facts))[0], 'cancelled')
  t.is((await tell('payment', 'CreditReleased', 'unknown', facts))[0], 'closed')
  await assertCancelled(t, ['CheckoutCancelled', 'CheckoutClosed'])
})

test.serial('nor is an order paid by one while it waits to be cancelled', async (t) => {
  await openCart(store)
  await begin('it')
  await giveUp()
  t.is((await tell('payment', 'CreditCaptured', 'unknown', facts))[0], 'cancelled')
  await tell('payment', 'CreditReleased', 'unknown', facts)
  t.is(await statusOf(), 'cancelling')
  await tell('payment', 'CreditReleased', 'it', facts)
  await assertCancelled(t, ['OrderCancelled', 'CheckoutClosed'])
})

test.serial('money of a checkout that was refused is given back, and the order stays cancelled', async (t) => {
  await openCart(store)
  await begin('it')
  await tell('payment', 'CreditVoided', 'it', facts)
  await giveUp()
  t.is((await tell('payment', 'CreditCaptured', 'it', facts))[0], 'cancelled')
  t.is(await statusOf(), 'cancelled')
  t.deepEqual(await tell('payment', 'CreditReleased', 'it', facts), ['closed'])
  await assertCancelled(t, ['OrderCancelled', 'CheckoutCancelled', 'CheckoutClosed'])
})

test.serial('it is given up from a version that the client has seen', async (t) => {
  await openCart(store)
  const { version = 0 } = (await store.show('cart')) ?? {}
  const from = (versions: readonly number[]) =>
    store.cancelOrder({ order: 'cart', from: versions, restock: 'shelf', reason: undefined }, plainly)
  t.deepEqual(await from([version + 1, version + 2]), ['stale', `${version}`])
  t.deepEqual(await from([]), ['stale', `${version}`])
  t.is(await statusOf(), 'open')
  t.deepEqual(await from([version + 1, version]), ['cancelled'])
  t.deepEqual(await from([version]), ['cancelled'], 'sent again it is the same')
  t.deepEqual(await store.cancelOrder({ order: 'none', from: 'any', restock: 'shelf', reason: undefined }, plainly), [
    'unknown',
  ])
})

test.serial(
  'it is given up once, though it is sent again while its checkout is being undone, from the version of before',
  async (t) => {
    const beginCart = async () => {
      await openCart(store)
      await begin('it')
      const { version = 0 } = (await store.show('cart')) ?? {}
      return () => store.cancelOrder({ order: 'cart', from: [version], restock: 'shelf', reason: undefined }, plainly)
    }
    const giveUpAsSeen = await beginCart()
    t.is((await giveUpAsSeen())[0], 'given-up')
    t.deepEqual(await giveUpAsSeen(), ['cancelling'])
    await bench.redis.flushall()
    const giveUpLate = await beginCart()
    await store.cancel('it')
    t.is((await giveUpLate())[0], 'stale', 'its checkout was cancelled, and nobody has given it up')
  },
)

test.serial('under a key it is done once, and a cancellation is that of its order only', async (t) => {
  await store.initOrders({ first: 0, last: 0, items: 1, users: 1, price: 4, seed: 1 }, plainly)
  const cancelZero = () => store.cancelOrder({ order: '0', from: 'any', restock: 'shelf', reason: 'r' }, under('a'))
  t.deepEqual(await cancelZero(), ['cancelled'])
  await store.initOrders({ first: 0, last: 0, items: 1, users: 1, price: 4, seed: 1 }, plainly)
  t.deepEqual(await cancelZero(), ['cancelled'])
  t.is((await store.find('0'))?.status, 'open', 'an order that is made anew is another one')
  t.is(await bench.redis.hget('order:0', 'give_up'), null)
  t.is(await bench.redis.hget('order:0', 'why'), null)
})

test.serial('what was told of a cancellation is upheld, also of an order that is forgotten', async (t) => {
  const uphold = (user = 'anna') =>
    log.run('cancel-order', {
      log_id: 'told',
      order: 'cart',
      versions: 'any',
      why: 'so',
      user,
      refund: '',
      restock: '',
    })
  t.deepEqual(await uphold(), ['cancelled'])
  t.like(await store.show('cart'), { status: 'cancelled', user_id: 'anna', total_cost: 0, items: [] })
  t.is((await tell('payment', 'CreditCaptured', 'unknown', facts))[0], 'cancelled')
  await tell('payment', 'CreditReleased', 'unknown', facts)
  await assertUpheld(t)
  await bench.redis.flushall()
  await openCart(store)
  await begin('it')
  t.is((await uphold())[0], 'given-up')
  await tell('payment', 'CreditReleased', 'it', facts)
  await assertUpheld(t)
})

const assertUpheld = async (t: ExecutionContext): Promise<void> => {
  t.is(await statusOf(), 'cancelled')
  const said = (await log.entriesOf('told')).map(({ kind, facts: { order, why } }) => [kind, order, why])
  t.deepEqual(said, [['OrderCancelled', 'cart', 'so']])
}

const expire = async (order: string, since_ms: number) =>
  (await log.run('expire-order', { log_id: `end-of-${order}`, order, since_ms }))[0]

test.serial('an open order that nobody touches expires, and can still be cancelled', async (t) => {
  await openCart(store)
  const touchedMs = Number(await fieldOf('version'))
  t.is(await expire('cart', touchedMs), 'kept')
  t.is(await expire('cart', touchedMs + 1), 'expired')
  t.is(await expire('cart', touchedMs + 1), 'kept')
  t.is(await statusOf(), 'expired')
  t.is((await begin('it'))[0], 'order-expired')
  t.deepEqual(await store.addItem(LINE, plainly), ['closed', 'expired'])
  t.deepEqual((await saidIn(log)).at(-1)?.facts, { order: 'cart', user: 'anna' })
  t.deepEqual(await giveUp(), ['cancelled'])
  await assertCancelled(t, ['OrderExpired', 'OrderCancelled'])
})

test.serial('money proves that an order was paid before it has expired', async (t) => {
  await openCart(store)
  await expire('cart', Date.now() + 9_000)
  t.is((await tell('payment', 'CreditCaptured', 'forgotten', facts))[0], 'adopted')
  t.is(await statusOf(), 'paid')
})

test.serial('an order that has expired stays so when a checkout of it is undone', async (t) => {
  await openCart(store)
  await begin('it')
  await tell('payment', 'CreditVoided', 'it', facts)
  await expire('cart', Date.now() + 9_000)
  t.is((await tell('payment', 'CreditCaptured', 'it', facts))[0], 'cancelled')
  await tell('payment', 'CreditReleased', 'it', facts)
  t.is(await statusOf(), 'expired')
})

test.serial('only open orders expire, of which it is known when they were touched', async (t) => {
  await openCart(store)
  await begin('it')
  t.is(await expire('cart', Date.now() + 9_000), 'kept')
  t.is(await expire('none', Date.now() + 9_000), 'kept')
  await bench.redis.hset('order:old', { user: 'anna', status: 'open', total: '0', lines: '' })
  t.is(await expire('old', Date.now() + 9_000), 'kept')
})

/** Goes once through all orders. @returns how many have expired, and in how many steps */
const walk = async (): Promise<{ readonly expired: number; readonly steps: number }> => {
  let expired = 0
  for (let steps = 1; ; steps += 1) {
    expired += await store.expireSome(1_000)
    if ((await bench.redis.get('orders:expiry')) === '0') return { expired, steps }
  }
}

test.serial('the walk through all orders comes to each, in bounded steps, and begins anew', async (t) => {
  const MAKE = `for n = 1, 2500 do
    redis.call('HSET', 'order:' .. n, 'user', 'u', 'status', n % 50 == 0 and 'open' or 'paid', 'at', 1)
  end`
  await bench.redis.eval(MAKE, 0)
  await bench.redis.hset('order:new', { user: 'u', status: 'open', at: 1, version: Date.now() + 60_000 })
  const { expired, steps } = await walk()
  t.is(expired, 50)
  t.true(steps > 1 && steps < 10, String(steps))
  t.is(await bench.redis.hget('order:new', 'status'), 'open')
  await bench.redis.hset('order:late', { user: 'u', status: 'open', at: 1 })
  t.is((await walk()).expired, 1)
})

holdEveryResult()
