/** What was told is upheld, or ended by a person, while other things come of the same order. */

import test from 'ava'
import { openStore } from '../../order/store.ts'
import { beginCart, MONEY, openCart } from '../support/shop/cart.ts'
import { openBench, plainly, type Teller, teller, under } from '../support/shop/open-store.ts'

const bench = await openBench()
const store = openStore(bench.dependencies)
let tell: Teller
test.after.always(() => bench[Symbol.asyncDispose]())
const begin = (id: string) => beginCart(store, id)
const uphold = async (log_id: string, told: string) =>
  (await store.log.run('uphold', { log_id, order: 'cart', user: 'anna', total: 30, told }))[0]
const status = async () => (await store.find('cart'))?.status
const ledger = async () => {
  const cut = await store.auditor.cut()
  return ['paid', 'sold', 'accepted-paid', 'accepted-sold'].map((name) => Number(cut.ledger(name)))
}

test.serial.beforeEach(async () => {
  await bench.redis.flushall()
  tell = teller(store.log)
  await openCart(store)
})

for (const isKnown of [true, false])
  test.serial(
    `a cancellation that is upheld takes nothing from an order that another checkout has paid: ${isKnown}`,
    async (t) => {
      if (isKnown) {
        await begin('first')
        await tell('payment', 'CreditRefused', 'first', MONEY)
      }
      await begin('second')
      await tell('payment', 'CreditCaptured', 'second', MONEY)
      t.is(await uphold('first', 'cancelled'), isKnown ? 'kept' : 'cancelled')
      t.is(await status(), 'paid')
      if (!isKnown) t.is((await tell('payment', 'CreditReleased', 'first', MONEY))[0], 'closed')
      t.is(await status(), 'paid')
      t.deepEqual(await ledger(), [30, 2, 0, 0])
    },
  )

test.serial('a refund, then the letter that would have paid, then everything again under other keys', async (t) => {
  await begin('it')
  await tell('payment', 'CreditCaptured', 'it', MONEY)
  t.is(await uphold('it', 'cancelled'), 'contradicted')
  t.is((await store.resolve('it', { by: 'refund', why: '' }, under('a')))[0], 'resolved')
  t.is((await tell('payment', 'CreditCaptured', 'it', MONEY))[0], 'repeated')
  t.is((await store.resolve('it', { by: 'refund', why: '' }, under('b')))[0], 'repeated')
  t.is((await store.resolve('it', { by: 'accept', why: 'x' }, under('c')))[0], 'consistent')
  t.deepEqual(await ledger(), [0, 0, 0, 0])
  t.is(await status(), 'cancelling')
  t.is((await begin('other'))[0], 'cancelling')
  t.is((await tell('payment', 'CreditReleased', 'it', MONEY))[0], 'closed')
  t.is((await begin('other'))[0], 'begun')
  t.is((await store.resolve('it', { by: 'refund', why: '' }, under('d')))[0], 'repeated')
  t.is((await tell('payment', 'CreditCaptured', 'other', MONEY))[0], 'paid')
  t.is(await uphold('it', 'cancelled'), 'kept')
  t.deepEqual([await status(), await ledger()], ['paid', [30, 2, 0, 0]])
  t.deepEqual(await store.contradictions(), [])
})

test.serial(
  'accepted as told otherwise, undone afterwards: contradicted anew, accepted anew, once in the ledger',
  async (t) => {
    await begin('it')
    await tell('payment', 'CreditCaptured', 'it', MONEY)
    t.is(await uphold('it', 'failed'), 'contradicted')
    await store.resolve('it', { by: 'accept', why: 'x' }, plainly)
    t.deepEqual(await ledger(), [30, 2, 0, 0])
    t.is((await tell('payment', 'CreditReleased', 'it', MONEY))[0], 'contradicted')
    t.deepEqual(await store.contradictions(), ['cart'])
    t.is((await store.resolve('it', { by: 'accept', why: 'y' }, plainly))[0], 'resolved')
    t.deepEqual(await ledger(), [30, 2, 30, 2])
    t.is((await tell('payment', 'CreditReleased', 'it', MONEY))[0], 'repeated')
    t.deepEqual(await store.contradictions(), [])
  },
)

test.serial('of two contradictions of one order the second is listed still when the first is ended', async (t) => {
  await begin('one')
  await store.cancel('one')
  t.is(await uphold('one', 'paid'), 'contradicted')
  await tell('payment', 'CreditReleased', 'one', MONEY)
  // The second is not even known here: payment tells of its money.
  t.is((await tell('payment', 'CreditCaptured', 'two', MONEY))[0], 'adopted')
  t.deepEqual(await store.checkoutsOf('cart'), ['two', 'one'])
  t.is(await uphold('two', 'cancelled'), 'contradicted')
  t.is((await store.resolve('two', { by: 'refund', why: '' }, plainly))[0], 'resolved')
  t.like(await store.contradicted(), [{ order_id: 'cart', log_id: 'one', by: 'told-paid' }])
  t.is((await store.resolve('one', { by: 'accept', why: 'x' }, plainly))[0], 'resolved')
  t.deepEqual(await store.contradictions(), [])
})

test.serial(
  'a checkout that is still being undone stays unfinished when a person ends its contradiction',
  async (t) => {
    await begin('it')
    await store.cancel('it')
    t.is(await uphold('it', 'paid'), 'contradicted')
    const resolved = await store.resolve('it', { by: 'accept', why: 'paid back by hand' }, plainly)
    t.deepEqual(resolved, ['resolved', 'cancelling'])
    const { findings } = await store.recovery(() => undefined).survey(10)
    t.deepEqual(
      findings.map(({ log_id, facts }) => [log_id, facts.state]),
      [['it', 'cancelling']],
    )
    t.deepEqual(await tell('payment', 'CreditReleased', 'it', MONEY), ['closed'])
    t.is(await status(), 'open')
  },
)

test.serial('no more is refunded of an order than is left of it with what it does not show', async (t) => {
  await begin('it')
  await tell('payment', 'CreditCaptured', 'it', MONEY)
  const refunded = { order: 'cart', user: 'anna', total: '10', lines: 'cup:1', restock: 'shelf' }
  t.is((await tell('payment', 'CreditRefunded', 'strange', refunded))[0], 'contradicted')
  t.is((await store.resolve('it', { by: 'accept', why: 'as it is' }, plainly))[0], 'resolved')
  const giveBack = async (lines: string) =>
    (await store.refund({ order: 'cart', from: 'any', lines, restock: 'shelf', reason: '' }, plainly))[0]
  t.is(await giveBack('tea:1'), 'granted')
  t.is(await giveBack(''), 'contradicted')
  t.is(await giveBack('tea:1'), 'contradicted')
  t.is(
    (await store.cancelOrder({ order: 'cart', from: 'any', restock: 'shelf', reason: undefined }, plainly))[0],
    'contradicted',
  )
  t.is(await status(), 'paid')
})

test.serial(
  'an amendment that was told is paid, and is undone, is listed itself, and accepting it undoes nothing else',
  async (t) => {
    await begin('it')
    await tell('payment', 'CreditCaptured', 'it', MONEY)
    const strange = {
      order: 'cart',
      user: 'anna',
      total: '10',
      lines: 'cup:1',
      amends: '99',
      back: 'pot:1',
      costs: 'cup:40',
    }
    t.is((await tell('payment', 'CreditCaptured', 'more', strange))[0], 'cancelled')
    const told = { log_id: 'more', order: 'cart', user: 'anna', total: 10, told: 'paid', amends: '99' }
    t.is((await store.log.run('uphold', told))[0], 'contradicted')
    t.like(await store.contradicted(), [{ order_id: 'cart', log_id: 'more', by: 'told-paid' }])
    t.is((await store.resolve('it', { by: 'accept', why: 'x' }, plainly))[0], 'consistent')
    t.is((await store.resolve('more', { by: 'accept', why: 'x' }, plainly))[0], 'resolved')
    t.deepEqual(await store.contradictions(), [])
    t.deepEqual(await ledger(), [30, 2, 0, 0])
    const gone = await store.refund({ order: 'cart', from: 'any', lines: '', restock: 'shelf', reason: '' }, plainly)
    t.is(gone[0], 'granted', 'the order is paid as it was')
  },
)
