/** A person ends a contradiction before payment has undone the checkout. */
import test from 'ava'
import { openStore } from '../../order/store.ts'
import { openBench, plainly, teller } from '../support/shop/open-store.ts'

test('a checkout that is still being undone stays unfinished when a person ends its contradiction', async (t) => {
  const bench = await openBench()
  t.teardown(() => bench[Symbol.asyncDispose]())
  const store = openStore(bench.instruments)
  await store.create('cart', 'anna', plainly)
  await store.addItem({ order: 'cart', item: 'tea', quantity: 2, price: 15 }, plainly)
  await store.begin({ log_id: 'it', order: 'cart', user: 'anna', token: '', patience_ms: 60_000 }, plainly)
  await store.cancel('it')
  const told = { log_id: 'it', order: 'cart', user: 'anna', total: 30, told: 'paid' }
  t.deepEqual((await store.log.act('uphold', told)).slice(0, 1), ['contradicted'])
  t.deepEqual(await store.resolve('it', { by: 'accept', why: 'paid back by hand' }, plainly), [
    'resolved',
    'cancelling',
  ])
  const { findings } = await store.recovery(() => undefined).survey(10)
  t.deepEqual(
    findings.map(({ log_id, facts }) => [log_id, facts.state]),
    [['it', 'cancelling']],
  )
  const facts = { order: 'cart', user: 'anna', total: 30, lines: 'tea:2', reason: '', item: '' }
  t.deepEqual(await teller(store.log)('payment', 'CreditReleased', 'it', facts), ['closed'])
  t.is((await store.find('cart'))?.status, 'open')
})
