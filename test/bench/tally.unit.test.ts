import test from 'ava'
import { openTally, troubleOf } from './tally.ts'

const head = (status: number, retryAfter?: string, location?: string) => ({ status, retryAfter, location })

test('takes for turned away what says when to come again', (t) => {
  const { is, what, retryAfterMs } = troubleOf(head(503, '2'), '{"type":"urn:shop:problem:service-unavailable"}')
  t.deepEqual({ is, what, retryAfterMs }, { is: 'shed', what: '503', retryAfterMs: 2_000 })
  t.is(troubleOf(head(429, '1'), '').is, 'shed')
})

test('reads a date after which to come again, and a word as at once', (t) => {
  const { retryAfterMs } = troubleOf(head(429, new Date(Date.now() + 60_000).toUTCString()), '')
  t.true(retryAfterMs > 50_000 && retryAfterMs <= 60_000)
  t.is(troubleOf(head(429, 'soon'), '').retryAfterMs, 0)
})

test('is unsure of a 503 that does not know, or that says where to ask, or not when', (t) => {
  t.is(troubleOf(head(503, '1'), '{"type":"urn:shop:problem:unavailable"}').is, 'unsure')
  t.is(troubleOf(head(503, '1', '/orders/find/7'), '').is, 'unsure')
  t.is(troubleOf(head(503), '').is, 'unsure')
  t.is(troubleOf(head(502, '1'), '').is, 'unsure')
})

test('believes any other refusal', (t) => {
  for (const status of [400, 402, 404, 409, 423, 424, 429]) t.is(troubleOf(head(status), '').is, 'refused')
})

test('counts what was turned away apart, and in rate and latency what was ok within the time', (t) => {
  const tally = openTally()
  tally.ok(5, true)
  tally.ok(900, false)
  tally.trouble(7, troubleOf(head(503, '1'), 'full'), true)
  tally.trouble(8, troubleOf(head(503, '1'), 'too full'), false)
  tally.trouble(9, troubleOf(head(409), 'out of stock'), true)
  const measured = tally.read({ ms: 1_000, next: 10, usedUp: false, notSent: 0 })
  t.is(measured.answered, 1)
  t.is(measured.answeredInAll, 2)
  t.true(measured.latencyMs.max < 6)
  t.deepEqual(measured.shed, { 503: { count: 2, example: 'full' } })
  t.is(measured.shedMeasured, 1)
  t.deepEqual(measured.odd, { 409: { count: 1, example: 'out of stock' } })
  t.deepEqual(measured.exceptions, { shed: [7, 8], refused: [9], unsure: [] })
})
