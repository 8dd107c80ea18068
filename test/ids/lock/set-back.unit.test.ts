/** When is a clock taken for one that was set back? */
import test from 'ava'
import { openSetBack } from '../../../ids/lock/set-back.ts'

const MINUTE_MS = 60_000

test('what was before the first look is unknown', (t) => {
  t.is(openSetBack()({ clockMs: 5_000, askedAt: 10, answeredAt: 12 }), 'unknown')
})

test('a clock that goes on, or ahead, was not set back', (t) => {
  const wasSetBack = openSetBack()
  wasSetBack({ clockMs: 0, askedAt: 0, answeredAt: 5 })
  t.is(wasSetBack({ clockMs: 1_000, askedAt: 1_000, answeredAt: 1_001 }), 'no')
  t.is(wasSetBack({ clockMs: 60 * MINUTE_MS, askedAt: 2_000, answeredAt: 2_001 }), 'no')
  t.is(wasSetBack({ clockMs: 60 * MINUTE_MS + 1_000, askedAt: 3_000, answeredAt: 9_000 }), 'no')
  t.is(
    wasSetBack({ clockMs: 60 * MINUTE_MS + 7_000, askedAt: 9_000, answeredAt: 9_001 }),
    'no',
    'it had answered slowly',
  )
})

test('one that says less than it must was, once, also if it stood still or went on since', (t) => {
  const wasSetBack = openSetBack()
  wasSetBack({ clockMs: 60 * MINUTE_MS, askedAt: 0, answeredAt: 1 })
  t.is(wasSetBack({ clockMs: 1_000, askedAt: 1_000, answeredAt: 1_001 }), 'yes')
  t.is(wasSetBack({ clockMs: 2_000, askedAt: 2_000, answeredAt: 2_001 }), 'no')
  t.is(wasSetBack({ clockMs: 2_500, askedAt: 2 * MINUTE_MS, answeredAt: 2 * MINUTE_MS + 1 }), 'yes')
})

test('two clocks that run a little differently are no matter', (t) => {
  const wasSetBack = openSetBack()
  wasSetBack({ clockMs: 10_000, askedAt: 0, answeredAt: 1 })
  t.is(wasSetBack({ clockMs: 10_100, askedAt: 1_000, answeredAt: 1_001 }), 'no')
})
