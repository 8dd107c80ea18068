import test from 'ava'
import { Remembered } from '../../../gateway/auth/remembered.ts'

test('what was kept is known until it ends, and then no more', (t) => {
  const remembered = new Remembered(3)
  const one = { untilMs: 10 }
  remembered.keep('one', one)
  t.is(remembered.get('one', 9), one)
  t.is(remembered.get('one', 10), undefined)
  t.is(remembered.count, 0)
  t.is(remembered.get('other', 0), undefined)
})

test('the one that was not asked for longest makes room', (t) => {
  const remembered = new Remembered(2)
  const [one, two, three] = [{ untilMs: 10 }, { untilMs: 10 }, { untilMs: 10 }]
  remembered.keep('one', one)
  remembered.keep('two', two)
  t.is(remembered.get('one', 0), one)
  remembered.keep('three', three)
  t.is(remembered.count, 2)
  t.deepEqual([remembered.get('one', 0), remembered.get('two', 0), remembered.get('three', 0)], [one, undefined, three])
})

test('everything can be forgotten', (t) => {
  const remembered = new Remembered(2)
  remembered.keep('one', { untilMs: 10 })
  remembered.forget()
  t.is(remembered.get('one', 0), undefined)
})
