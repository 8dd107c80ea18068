import test from 'ava'
import { MalformedError } from '../../../shared/errors.ts'
import { compareIds, parseEntryId } from '../../../shared/log/entry.ts'

test('ids are compared as numbers, also where one has no sequence', (t) => {
  t.is(compareIds('5-0', '5'), 0)
  t.is(compareIds('0-0', '0-0'), 0)
  t.true(compareIds('5-1', '5') > 0)
})

test('an id without a sequence is the first of its millisecond', (t) => {
  t.is(parseEntryId('5', 'after'), '5-0')
  t.is(parseEntryId('5-7', 'after'), '5-7')
  t.is(parseEntryId('999999999999999-999999999999999', 'after'), '999999999999999-999999999999999')
})

for (const text of ['', 'x', '-', '1-', '-1', '+', '$', '1-2-3', '1.5', '1-18446744073709551616'])
  test(`what is no id is refused, naming the field: "${text}"`, (t) => {
    const refused = t.throws(() => parseEntryId(text, 'after'), { instanceOf: MalformedError })
    t.is(refused?.field, 'after')
  })
