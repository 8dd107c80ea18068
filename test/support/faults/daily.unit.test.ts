import test from 'ava'
import { daily, FULL } from './daily.ts'

const CASES = ['a', 'b', 'c', 'd', 'e']
const tried = (day: number, count: number): string => daily(CASES, count, day).join('')

test('some cases are tried each day, and all of them before the first come again', (t) => {
  if (FULL) t.is(tried(0, 2), 'abcde')
  else
    t.deepEqual(
      [0, 1, 2, 3, 4, 5].map((day) => tried(day, 2)),
      ['ab', 'cd', 'ae', 'bc', 'de', 'ab'],
    )
})

test('all are tried where there are no more than that', (t) => {
  for (const day of [0, 1, 20_785]) t.is(tried(day, CASES.length), 'abcde')
})
