/** What is known of the checkouts from what is appended to the logs. */
import test from 'ava'
import { type Checkouts, type Entry, openCheckouts } from '../../../gateway/console/checkouts.ts'

const entry = (kind: string, ms: number, log_id = 'saga', facts: Record<string, string> = {}): Entry => ({
  id: `${ms}-0`,
  kind,
  log_id,
  facts: { order: 'cart', user: 'anna', total: '15', ...facts },
})
const digest = (...entries: readonly Entry[]) => ({
  skipped: false,
  counts: Object.fromEntries(entries.map(({ kind }) => [kind, entries.filter((one) => one.kind === kind).length])),
  entries,
})

/** Ends a second, and gives what is told of it. */
const tick = (checkouts: Checkouts, ms: number) => {
  checkouts.tick(ms)
  const { seconds, checkouts: changed } = checkouts.news()
  return { second: seconds.at(-1), changed }
}

test('a checkout is begun, comes on, and is decided; how long that took is known', (t) => {
  const checkouts = openCheckouts()
  checkouts.take('order', digest(entry('CheckoutStarted', 1_000, 'saga', { deadline: '11000' })))
  checkouts.take('payment', digest(entry('CreditHeld', 1_010)))
  t.like(tick(checkouts, 2_000).changed, [{ state: 'started', last: 'CreditHeld', decided: null, deadline: 11_000 }])
  checkouts.take('order', digest(entry('OrderPaid', 1_040)))
  const { second, changed } = tick(checkouts, 3_000)
  t.like(changed, [{ state: 'paid', begun: 1_000, decided: 1_040, what: 'checkout', total: '15' }])
  t.like(second, { at: 3, started: 0, paid: 1, p50: 40, p99: 40 })
  t.like(tick(checkouts, 4_000), { changed: [], second: { paid: 0, p50: null } })
})

test('each way to end is one', (t) => {
  const ends = [
    [
      'CheckoutFailed',
      { reason: 'out-of-stock', item: 'tea' },
      { state: 'refused', reason: 'out-of-stock', item: 'tea' },
    ],
    ['CheckoutCancelled', {}, { state: 'cancelled' }],
    ['OrderPaid', {}, { state: 'paid' }],
  ] as const
  for (const [kind, facts, expected] of ends) {
    const checkouts = openCheckouts()
    checkouts.take('order', digest(entry('CheckoutStarted', 1), entry(kind, 9, 'saga', facts)))
    t.like(tick(checkouts, 0).changed, [{ ...expected, decided: 9 }])
  }
})

test('what is told again decides nothing anew', (t) => {
  const checkouts = openCheckouts()
  checkouts.take('order', digest(entry('CheckoutStarted', 1), entry('OrderPaid', 9), entry('OrderPaid', 5_000)))
  const { changed, second } = tick(checkouts, 0)
  t.like(changed, [{ decided: 9 }])
  t.is(second?.p99, 8)
})

test('refunds and amendments stand among them', (t) => {
  const checkouts = openCheckouts()
  checkouts.take('order', digest(entry('RefundGranted', 1, 'one'), entry('CheckoutStarted', 2, 'two', { amends: '3' })))
  checkouts.take('order', digest(entry('RefundSettled', 5, 'one')))
  t.like(tick(checkouts, 0).changed, [
    { what: 'refund', state: 'refunded', decided: 5 },
    { what: 'amendment', state: 'started' },
  ])
})

test('what other services append of no checkout, or of none that is known, is passed over', (t) => {
  const checkouts = openCheckouts()
  checkouts.take('payment', digest(entry('CreditHeld', 1)))
  checkouts.take('order', digest(entry('OrderCreated', 1), entry('CheckoutsSurveyed', 2)))
  t.deepEqual(checkouts.whole().checkouts, [])
})

test('what was counted counts, though it is not shown; and no more than some are remembered', (t) => {
  const checkouts = openCheckouts()
  checkouts.take('order', { skipped: false, counts: { OrderPaid: 700 }, entries: [] })
  for (let n = 0; n < 600; n += 1) checkouts.take('order', digest(entry('CheckoutStarted', n, `saga${n}`)))
  const { second, changed } = tick(checkouts, 0)
  t.like(second, { paid: 700, started: 600 })
  t.is(changed.length, 100)
  t.is(changed.at(-1)?.log_id, 'saga599')
  t.is(checkouts.whole().checkouts.length, 200)
})

test('after a while in which nobody looked, or something was skipped, what was open is not said to be so', (t) => {
  const checkouts = openCheckouts()
  const start = (log_id: string): void => checkouts.take('order', digest(entry('CheckoutStarted', 1, log_id)))
  start('one')
  checkouts.resume()
  t.deepEqual(checkouts.whole().checkouts, [])
  start('two')
  checkouts.take('order', { ...digest(), skipped: true })
  t.deepEqual(checkouts.whole().checkouts, [])
})

test('whoever is told less often is told of each second, and of each checkout as it is then', (t) => {
  const checkouts = openCheckouts()
  checkouts.take('order', digest(entry('CheckoutStarted', 1)))
  checkouts.tick(1_000)
  checkouts.take('order', digest(entry('OrderPaid', 9)))
  checkouts.tick(2_000)
  checkouts.tick(3_000)
  const { seconds, checkouts: changed } = checkouts.news()
  t.deepEqual(
    seconds.map(({ at, started, paid }) => [at, started, paid]),
    [
      [1, 1, 0],
      [2, 0, 1],
      [3, 0, 0],
    ],
  )
  t.like(changed, [{ state: 'paid' }])
  t.deepEqual(checkouts.news(), { seconds: [], checkouts: [] })
  checkouts.tick(4_000)
  t.is(checkouts.news().seconds.length, 1)
})
