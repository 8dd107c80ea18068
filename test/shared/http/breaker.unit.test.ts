/** When is a replica asked that was silent? */
import test from 'ava'
import { openBreaker } from '../../../shared/http/breaker.ts'

/** A breaker, and a clock that is set by hand. */
const opened = () => {
  const clock = { ms: 0 }
  const { enter } = openBreaker(() => clock.ms)
  const ask = (wasSilent: boolean): boolean => {
    const end = enter()
    end?.(wasSilent)
    return end !== undefined
  }
  const silences = (count: number): boolean => Array.from({ length: count }, () => ask(true)).every(Boolean)
  return { clock, enter, ask, silences }
}

test('one that was silent five times in a row is left alone for a second', (t) => {
  const { clock, ask, silences } = opened()
  t.true(silences(4))
  t.true(ask(false))
  t.true(silences(5))
  t.false(ask(false))
  clock.ms = 999
  t.false(ask(false))
  clock.ms = 1_000
  t.true(ask(false))
  t.true(silences(5), 'an answer ends the row')
})

test('then one asks, and the others go on to leave it alone until that one is answered', (t) => {
  const { clock, enter, ask, silences } = opened()
  silences(5)
  clock.ms = 1_000
  const end = enter()
  t.not(end, undefined)
  clock.ms = 2_400
  t.false(ask(false))
  end?.(true)
  t.false(ask(false), 'silent again, it is left alone for another second')
  clock.ms = 3_400
  t.true(ask(false))
  t.true(ask(false))
})

test('what was asked before and is answered late shows that it is there', (t) => {
  const { enter, ask, silences } = opened()
  const late = enter()
  silences(5)
  t.false(ask(false))
  late?.(false)
  t.true(ask(false))
})

test('an old question that ends in the middle of a trial does not let a second one in', (t) => {
  const { clock, enter, ask, silences } = opened()
  const old = enter()
  silences(5)
  clock.ms = 1_000
  const trial = enter()
  old?.(true)
  clock.ms = 5_000
  t.false(ask(false))
  trial?.(false)
  t.true(ask(false))
})
