import test from 'ava'
import { type End, endOf, openMeter } from './meter.ts'

const meterAt = () => {
  let now = 0
  const meter = openMeter(() => now)
  const reading = () => {
    const [route] = meter.read()
    if (route === undefined) throw new Error('nothing was asked')
    return route
  }
  const to = (ms: number): void => {
    now = ms
  }
  return { meter, reading, to }
}

const ENDS: readonly (readonly [number, string, End])[] = [
  [200, '', 'ok'],
  [402, 'out-of-credit', 'refused'],
  [409, 'out-of-stock', 'refused'],
  [409, 'checkout-cancelling', 'later'],
  [423, 'locked', 'later'],
  [424, 'checkout-cancelled', 'later'],
  [424, 'neighbour-unavailable', 'later'],
  [503, 'service-unavailable', 'failed'],
  [503, 'unavailable', 'unknown'],
  [503, 'not-done', 'failed'],
  [502, 'outcome-unknown', 'unknown'],
  [500, 'internal', 'unknown'],
  [0, '', 'unknown'],
]

for (const [status, problem, end] of ENDS)
  test(`takes ${status} ${problem} for ${end}`, (t) => {
    t.is(endOf(status, problem), end)
  })

test('counts a route as unavailable from the first question to the next answer, whatever fails meanwhile', (t) => {
  const { meter, reading, to } = meterAt()
  meter.ask('checkout', true)('ok')
  to(5_000)
  const first = meter.ask('checkout', true)
  to(5_100)
  first('unknown')
  to(6_000)
  const second = meter.ask('checkout', true)
  to(6_500)
  second('later')
  t.is(reading().unavailable.ms, 1_500)
  const third = meter.ask('checkout', false)
  to(7_000)
  third('refused')
  to(9_000)
  t.deepEqual(reading().unavailable, { ms: 2_000, fromMs: 5_000 })
  t.deepEqual(reading().failures, { safe: 1, unsafe: 0 })
})

test('counts a route as available while some of many questions are answered', (t) => {
  const { meter, reading, to } = meterAt()
  const slow = meter.ask('checkout', true)
  for (let ms = 100; ms <= 3_000; ms += 100) {
    const quick = meter.ask('checkout', true)
    to(ms)
    quick('ok')
  }
  slow('ok')
  t.is(reading().unavailable.ms, 100)
  t.is(reading().slowestMs, 3_000)
})

test('counts a question that hangs alone after others were answered', (t) => {
  const { meter, reading, to } = meterAt()
  const hanging = meter.ask('checkout', true)
  const quick = meter.ask('checkout', true)
  to(100)
  quick('ok')
  to(3_000)
  hanging('ok')
  t.deepEqual(reading().unavailable, { ms: 2_900, fromMs: 100 })
})

test('counts a question that is never answered', (t) => {
  const { meter, reading, to } = meterAt()
  meter.ask('find-user', true)
  to(4_000)
  t.is(reading().unavailable.ms, 4_000)
})

test('tells rate and latency of the last seconds only', (t) => {
  const { meter, reading, to } = meterAt()
  for (let number = 0; number < 50; number += 1) {
    to(number * 10)
    const answered = meter.ask('find-item', true)
    to(number * 10 + 5)
    answered('ok')
  }
  t.true(Math.abs(reading().now.p50Ms - 5) < 0.2)
  t.true(reading().now.perSecond > 50)
  to(10_000)
  t.deepEqual(reading().now, { perSecond: 0, p50Ms: 0, p99Ms: 0 })
})
