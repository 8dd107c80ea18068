/** How long is waited before an event is sent again? */
import test from 'ava'
import { backOffMs, retryAfterMs } from '../../../order/webhooks/backoff.ts'

const HOUR_MS = 3_600_000
const now = Date.parse('2026-11-28T04:15:00Z')

test('ever longer, from 5 s to 10 h', (t) => {
  const waits = Array.from({ length: 10 }, (_, at) => backOffMs(at + 1, 0) / 1_000)
  t.deepEqual(waits, [5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 36_000, 36_000])
  t.is(backOffMs(1_000_000, 0), 10 * HOUR_MS)
})

test('by up to a fifth less', (t) => {
  t.is(backOffMs(1, 1), 4_000)
  t.is(backOffMs(99, 1), 8 * HOUR_MS)
  for (let turn = 0; turn < 100; turn += 1) {
    const waitMs = backOffMs(2)
    t.true(waitMs >= 24_000 && waitMs <= 30_000, String(waitMs))
  }
})

test('as long as the receiver says, in seconds or until a moment, within bounds', (t) => {
  t.is(retryAfterMs('120', now), 120_000)
  t.is(retryAfterMs(' 7 ', now), 7_000)
  t.is(retryAfterMs('Sat, 28 Nov 2026 04:17:00 GMT', now), 120_000)
  t.is(retryAfterMs('0', now), 1_000)
  t.is(retryAfterMs('Sat, 28 Nov 2020 04:17:00 GMT', now), 1_000)
  t.is(retryAfterMs('99999999999999999999', now), 10 * HOUR_MS)
})

test('until a moment that is written as long ago, whatever the time zone of this machine', (t) => {
  const zone = process.env.TZ
  process.env.TZ = 'Asia/Tokyo'
  t.teardown(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })
  t.is(retryAfterMs('Saturday, 28-Nov-26 04:17:00 GMT', now), 120_000)
  t.is(retryAfterMs('Sat Nov 28 04:17:00 2026', now), 120_000)
  const third = Date.parse('2026-12-03T04:15:00Z')
  t.is(retryAfterMs('Thu Dec  3 04:17:00 2026', third), 120_000)
  t.is(retryAfterMs('Sunday, 06-Nov-94 08:49:37 GMT', now), 1_000, 'of 1994, for 2094 is too far ahead')
})

test('what it says in no known form is not followed', (t) => {
  for (const text of [undefined, '', 'soon', '-1 s', '1.5 hours', '-5', '1.5', '5,5', '2026-11-28T04:17:00Z'])
    t.is(retryAfterMs(text, now), undefined, String(text))
})
