import test from 'ava'
import * as v from 'valibot'
import { entryId, hasMoment, identifier, identifiers, integer } from '../../../shared/contract/fields.ts'

/** What is read, or the complaint. */
const read = (field: v.GenericSchema<string, unknown>, text: string): unknown => {
  const result = v.safeParse(field, text)
  return result.success ? result.output : { must: result.issues[0].message }
}

test('an id of an entry without a sequence is the first of its millisecond', (t) => {
  t.is(read(entryId, '5'), '5-0')
  t.is(read(entryId, '5-7'), '5-7')
  t.is(read(entryId, '999999999999999-999999999999999'), '999999999999999-999999999999999')
})

for (const text of ['', 'x', '-', '1-', '-1', '+', '$', '1-2-3', '1.5', '01', '1-007', '1-18446744073709551616'])
  test(`no id of an entry is "${text}"`, (t) => {
    t.deepEqual(read(entryId, text), { must: 'be the id of an entry, as 1700000000000-0' })
  })

test('an integer is read exactly, between two bounds, both included', (t) => {
  const number = integer(2, 10)
  t.deepEqual(
    ['2', '10'].map((text) => read(number, text)),
    [2, 10],
  )
  for (const text of ['1', '11', '', ' 2', '2.0', '1e1', '+2', '02'])
    t.deepEqual(read(number, text), { must: 'be an integer from 2 to 10' }, text)
  t.is(read(integer(0), '9007199254740991'), Number.MAX_SAFE_INTEGER)
  t.deepEqual(read(integer(0), '9007199254740992'), { must: 'be an integer from 0 to 9007199254740991' })
})

test('ids are separated by commas, up to so many', (t) => {
  t.is(read(identifier, 'tea'), 'tea')
  const three = identifiers(3)
  t.deepEqual(read(three, 'tea'), ['tea'])
  t.deepEqual(read(three, 'tea,cup,milk'), ['tea', 'cup', 'milk'])
  for (const text of ['', 'tea,', 'tea,,cup', 'tea, cup', 'a,b,c,d'])
    t.deepEqual(read(three, text), { must: 'be up to 3 ids, separated by commas' }, text)
})

test('a time has a day, and an hour below 24', (t) => {
  const times = ['2026-11-28T00:00:00Z', '2024-02-29T23:59:59.999+23:59', '2026-11-28T03:00:00-00:00']
  for (const time of times) t.true(hasMoment(time), time)
  const none = ['2026-02-29T03:00:00Z', '2026-04-31T03:00:00Z', '2026-11-28T24:00:00Z', '2026-11-28T24:00:00.000-23:00']
  for (const time of none) t.false(hasMoment(time), time)
})
