import test from 'ava'
import { compareIds } from '../../../shared/log/entry.ts'

test('ids are compared as numbers, also where one has no sequence', (t) => {
  t.is(compareIds('5-0', '5'), 0)
  t.is(compareIds('0-0', '0-0'), 0)
  t.true(compareIds('5-1', '5') > 0)
})
