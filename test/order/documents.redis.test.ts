/** An order shows the documents of what it was paid by, and its log has each number that it makes known. */
import test from 'ava'
import { reactions } from '../../order/reactions.ts'
import { openStore } from '../../order/store.ts'
import { plainly, saidIn } from '../support/shop/open-store.ts'
import { openStoreForTests } from '../support/shop/store-rules.ts'

const { store, tell } = await openStoreForTests(openStore, reactions)

const ORDER = { order: 'cart', user: 'anna', total: 30, lines: 'tea:2', costs: 'tea:30' }
const begin = async (log_id: string): Promise<void> => {
  await store.begin({ log_id, order: 'cart', user: 'anna', token: '', timeout_ms: 60_000 }, plainly)
}
const capture = (log_id: string, invoice?: string) =>
  tell('payment', 'CreditCaptured', log_id, invoice === undefined ? ORDER : { ...ORDER, invoice })
const pay = async (invoice?: string): Promise<void> => {
  await store.place(ORDER, plainly)
  await begin('it')
  await capture('it', invoice)
}
const shown = async () => {
  const order = await store.show('cart')
  return { invoice: order?.invoice, notes: order?.credit_notes }
}
/** The numbers that the log makes known, in their order. */
const told = async (): Promise<readonly string[]> =>
  (await saidIn(store.log)).flatMap(({ kind, facts }) =>
    [facts.invoice, facts.note].flatMap((number) => (number === undefined ? [] : [`${kind} ${number}`])),
  )
const INVOICE = { number: 'I1-17', status: 'issued', total: 30, order_version: null, replaces: [] }

test.serial('an order that is paid shows its invoice; one that an older version has captured has none', async (t) => {
  await store.place(ORDER, plainly)
  t.deepEqual(await shown(), { invoice: null, notes: [] })
  await begin('it')
  await capture('it', 'I1-17')
  t.deepEqual(await shown(), { invoice: INVOICE, notes: [] })
  t.deepEqual(await told(), ['OrderPaid I1-17'])
  const before = (await store.show('cart'))?.version
  await capture('it', 'I1-17')
  t.deepEqual(await told(), ['OrderPaid I1-17'])
  t.is((await store.show('cart'))?.version, before)
})

test.serial('without an invoice an order is paid all the same', async (t) => {
  await pay()
  t.deepEqual(await shown(), { invoice: null, notes: [] })
  t.deepEqual(await told(), [])
  t.is((await store.find('cart'))?.status, 'paid')
})

test.serial('a number that payment has lost and issued anew is told, with those before', async (t) => {
  await pay('I1-17')
  const before = (await store.show('cart'))?.version ?? 0
  t.deepEqual(await capture('it', 'I2-1'), ['repeated'])
  t.deepEqual(await capture('it', 'I2-1'), ['repeated'])
  t.deepEqual(await capture('it', 'I3-4'), ['repeated'])
  t.deepEqual((await shown()).invoice, { ...INVOICE, number: 'I3-4', replaces: ['I1-17', 'I2-1'] })
  t.deepEqual(await told(), ['OrderPaid I1-17', 'OrderPaid I2-1', 'OrderPaid I3-4'])
  t.true(((await store.show('cart'))?.version ?? 0) > before)
})

test.serial('what is given back of a checkout that was never paid is no document of the order', async (t) => {
  await store.place(ORDER, plainly)
  await begin('it')
  await store.cancel('it')
  await store.revoke('it', plainly)
  await capture('it', 'I1-17')
  await tell('payment', 'CreditReleased', 'it', { ...ORDER, note: 'C1-1' })
  t.deepEqual(await shown(), { invoice: null, notes: [] })
  t.deepEqual(await told(), [])
})

test.serial(
  'money that payment gave back of what is paid is credited, once, and after a refund by a person as well',
  async (t) => {
    await pay('I1-17')
    await tell('payment', 'CreditVoided', 'it', { ...ORDER, reason: 'out-of-stock', item: 'tea', note: 'C1-3' })
    t.deepEqual(await shown(), { invoice: { ...INVOICE, status: 'credited' }, notes: ['C1-3'] })
    await store.resolve('it', { by: 'refund', why: '' }, plainly)
    await tell('payment', 'CreditReleased', 'it', { ...ORDER, note: 'C1-3' })
    t.deepEqual(await shown(), { invoice: { ...INVOICE, status: 'credited' }, notes: ['C1-3'] })
    t.deepEqual([...new Set(await told())], ['OrderPaid I1-17', 'CheckoutContradicted C1-3', 'CheckoutClosed C1-3'])
    // The order is open again, and shows the documents of the next payment.
    await begin('next')
    await capture('next', 'I1-18')
    t.deepEqual(await shown(), { invoice: { ...INVOICE, number: 'I1-18' }, notes: [] })
  },
)

test.serial('a refund names the invoice, and is credited; a note that payment has lost is replaced', async (t) => {
  await pay('I1-17')
  const granted = async (): Promise<string> => {
    const wanted = { order: 'cart', from: 'any', lines: 'tea:1', restock: 'shelf', reason: '' } as const
    const result = await store.refund(wanted, plainly)
    t.is(result[0], 'granted')
    return result[1] ?? ''
  }
  const settle = (id: string, note: string) =>
    tell('payment', 'CreditRefunded', id, { ...ORDER, total: 15, lines: 'tea:1', restock: 'shelf', note })
  const first = await granted()
  await settle(first, 'C1-3')
  t.deepEqual(await shown(), { invoice: { ...INVOICE, status: 'partly-credited' }, notes: ['C1-3'] })
  await settle(first, 'C1-3')
  await settle(await granted(), 'C1-4')
  t.deepEqual(await shown(), { invoice: { ...INVOICE, status: 'credited' }, notes: ['C1-3', 'C1-4'] })
  t.deepEqual(await settle(first, 'C2-1'), ['repeated'])
  t.deepEqual((await shown()).notes, ['C1-4', 'C2-1'])
  t.like(await store.findRefund('cart', first), { note: 'C2-1', replaced: ['C1-3'] })
  t.deepEqual(await settle(first, 'C3-7'), ['repeated'])
  t.like(await store.findRefund('cart', first), { note: 'C3-7', replaced: ['C1-3', 'C2-1'], state: 'settled' })
  t.deepEqual((await shown()).notes, ['C1-4', 'C3-7'])
  t.deepEqual(await told(), [
    'OrderPaid I1-17',
    'RefundGranted I1-17',
    'RefundSettled C1-3',
    'RefundGranted I1-17',
    'RefundSettled C1-4',
    'RefundSettled C2-1',
    'RefundSettled C3-7',
  ])
})

test.serial('orders that are made anew have no documents', async (t) => {
  const batch = { first: 0, last: 0, items: 1, users: 1, price: 15, seed: 1 }
  await store.initOrders(batch, plainly)
  await store.begin({ log_id: 'it', order: '0', user: '0', token: '', timeout_ms: 60_000 }, plainly)
  await tell('payment', 'CreditCaptured', 'it', { ...ORDER, order: '0', user: '0', invoice: 'I1-17' })
  t.is((await store.show('0'))?.invoice?.number, 'I1-17')
  await store.initOrders(batch, plainly)
  t.is((await store.show('0'))?.invoice, null)
})
