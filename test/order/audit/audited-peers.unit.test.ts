import test from 'ava'
import { type Fields, paidBy } from '../../../order/audit/audited-peers.ts'

const lines = 'tea:2,cup:1'
/** What order counts of a checkout of which this was said last. */
const counted = (kind: string, facts: Fields = {}, record: Fields = {}) =>
  paidBy(
    [{ log_id: 'it', kind, facts: { total: '30', ...facts } }],
    new Map([['it', { state: 'paid', lines, ...record }]]),
  ).get('it')
const all = { paid: 30n, sold: 3n }

test('order counts what it calls paid, also where that is contradicted', (t) => {
  t.deepEqual(counted('OrderPaid'), all)
  t.deepEqual(counted('CheckoutContradicted', { by: 'out-of-stock' }), all)
  t.deepEqual(counted('CheckoutContradicted', { by: 'told-cancelled' }), all)
  t.is(counted('CheckoutStarted'), undefined)
  t.is(counted('CheckoutCancelled'), undefined)
})

test('a refund is taken off as soon as order has granted it', (t) => {
  const back = { paid: -30n, sold: -1n }
  t.deepEqual(counted('RefundGranted', { lines: 'tea:1' }, { state: 'granted' }), back)
  t.deepEqual(counted('RefundSettled', { lines: 'tea:1' }, { state: 'settled', lines: '' }), back)
})

test('what is not paid is not counted, though a customer was told that it is', (t) => {
  t.is(counted('CheckoutContradicted', { by: 'told-paid' }, { state: 'cancelling' }), undefined)
  const resolved = { state: 'cancelling', contradicted: 'told-paid' }
  for (const by of ['accept', 'refund']) t.is(counted('CheckoutResolved', { by }, resolved), undefined)
})

test('what was accepted is counted if it was charged; what was undone is taken off as accepted', (t) => {
  t.deepEqual(counted('CheckoutResolved', { by: 'accept' }, { contradicted: 'told-failed' }), all)
  t.deepEqual(
    counted('CheckoutResolved', { by: 'accept' }, { contradicted: 'released', state: 'paid', back_before: '2' }),
    { paid: 2n, sold: 0n },
    'what was refunded before is taken off by the refund',
  )
  t.is(counted('CheckoutResolved', { by: 'accept' }, { contradicted: 'released' }), undefined)
})

test('of what was refunded before it was cancelled, the refunded part counts: the refund takes it off', (t) => {
  t.is(counted('CheckoutClosed', {}, { state: 'closed' }), undefined)
  t.deepEqual(counted('CheckoutClosed', {}, { state: 'closed', back_before: '2' }), { paid: 2n, sold: 0n })
  const accepted = { state: 'closed', contradicted: 'told-refunded', back_before: '2' }
  t.deepEqual(counted('CheckoutResolved', { by: 'accept' }, accepted), { paid: 2n, sold: 0n })
})
