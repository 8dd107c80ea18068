import test from 'ava'
import { invalidReason, textOf } from '../../../shared/contract/dictionary.ts'
import { events, VERSION } from '../../../shared/contract/events.ts'
import { parseLines } from '../../../shared/contract/lines.ts'
import { field, kindOf, type RawEntry } from '../../../shared/contract/raw-entry.ts'
import type { Service } from '../../../shared/contract/services.ts'

const GOOD = {
  id: 'Az09_-',
  amount: '0',
  lines: 'tea:1,cup:22',
  costs: 'tea:0,cup:22',
  time: '1700000000000',
  word: 'a:n=y,thing',
}
const goodOf = (fact: string): string => GOOD[fact.replace('?', '') as keyof typeof GOOD]
const AMOUNT_MAX = String(Number.MAX_SAFE_INTEGER)

type Dictionary = Readonly<Record<string, Readonly<Record<string, string>>>>

const types: readonly (readonly [name: string, good: readonly string[], bad: readonly string[]])[] = [
  ['order', ['a', 'Z9_-', 'x'.repeat(64)], ['', 'x'.repeat(65), 'a b', 'a:b', 'a,b', 'ä', 'a\n']],
  [
    'total',
    ['0', '1', AMOUNT_MAX],
    ['', '-1', '+1', '01', '1.5', '1e3', ' 1', '1 ', '0x1', '1\n', '12345678901234567', '9007199254740992'],
  ],
  [
    'lines',
    ['', 'tea:1', 'tea:1,cup:2', `tea:${AMOUNT_MAX}`],
    ['tea', 'tea:0', 'tea:01', ':1', 'tea:1;cup:1', 'tea:1,,cup:1', 'tea:1,', 'a b:1'],
  ],
]
type Change = Readonly<Record<string, string | undefined>>
type Form = (publisher: Service, kind: string, change?: Change) => RawEntry

/** What a faultless entry of a kind says, with one field changed, or left out. */
const said: (...of: Parameters<Form>) => [name: string, value: string][] = (publisher, kind, change = {}) => {
  const facts = Object.entries((events[publisher] as Dictionary)[kind] ?? {}).map(([name, type]) => [
    name,
    goodOf(type),
  ])
  const all: Change = { ...{ kind, version: VERSION, log_id: 'it' }, ...Object.fromEntries(facts), ...change }
  return Object.entries(all).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  )
}

/** An entry as this version says it, and as older versions did. */
const packed: Form = (...of) => {
  const [[, kind], ...rest] = said(...of) as [[string, string], ...[string, string][]]
  return ['1-0', [kind, rest.map(([name, value]) => `${name}=${value}`).join(' ')]]
}
const flat: Form = (...of) => ['1-0', said(...of).flat()]

const FORMS: readonly (readonly [form: string, entry: Form])[] = [
  ['packed', packed],
  ['flat', flat],
]

for (const [form, entry] of FORMS) {
  const of = (publisher: Service, kind: string, change?: Change) =>
    invalidReason(publisher, entry(publisher, kind, change))
  const held = (change: Change): string | undefined => of('payment', 'CreditHeld', change)

  for (const publisher of Object.keys(events) as Service[])
    for (const [kind, facts] of Object.entries(events[publisher] as Dictionary))
      test(`${form}: ${kind} of ${publisher} is faultless with all its facts, and lacks each that is left out`, (t) => {
        t.is(of(publisher, kind), undefined)
        for (const [name, fact] of Object.entries(facts))
          t.is(of(publisher, kind, { [name]: undefined }), fact.endsWith('?') ? undefined : `it lacks "${name}"`)
      })

  test(`${form}: an entry needs a kind that its publisher may say, a version that is known and a log id`, (t) => {
    t.is(held({ kind: 'CreditLent' }), 'its kind "CreditLent" is unknown')
    t.is(invalidReason('stock', entry('payment', 'CreditHeld')), 'its kind "CreditHeld" is unknown')
    t.is(held({ version: '2' }), 'its version "2" is unknown')
    t.is(held({ log_id: undefined }), 'it has no log_id')
    t.is(held({ log_id: 'two:words' }), 'it has no log_id')
  })

  for (const kind of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
    test(`${form}: "${kind}" is no kind, though every object has it`, (t) => {
      const fields = { packed: [kind, 'version=1 log_id=it'], flat: ['kind', kind, 'version', '1', 'log_id', 'it'] }
      t.is(invalidReason('payment', ['1-0', fields[form as 'packed']]), `its kind "${kind}" is unknown`)
    })

  test(`${form}: facts that entries of an older version do not have may be missing, but not malformed`, (t) => {
    const captured = (lines: string | undefined) => of('payment', 'CreditCaptured', { lines })
    const taken = (total: string | undefined) => of('stock', 'StockTaken', { total })
    t.is(captured(undefined), undefined)
    t.is(captured('tea'), 'its "lines" is malformed')
    t.is(taken(undefined), undefined)
    t.is(taken('9007199254740992'), 'its "total" is malformed')
  })

  test(`${form}: facts that the dictionary does not know are no fault`, (t) => {
    t.is(held({ currency: 'shells' }), undefined)
  })

  test(`${form}: facts may come in any order, but none twice`, (t) => {
    const [id, fields] = entry('payment', 'CreditRefused', { reason: undefined })
    const more = (name: string, value: string): RawEntry =>
      form === 'flat' ? [id, [...fields, name, value]] : [id, fields.with(1, `${fields[1]} ${name}=${value}`)]
    t.is(invalidReason('payment', more('reason', 'out-of-credit')), undefined)
    t.is(invalidReason('payment', more('total', '1')), 'it says "total" twice')
    t.is(invalidReason('payment', more('kind', 'CreditHeld')), 'it says "kind" twice')
  })

  for (const [name, good, bad] of types) {
    for (const value of good)
      test(`${form}: "${name}" may be ${JSON.stringify(value)}`, (t) => {
        t.is(held({ [name]: value }), undefined)
      })
    for (const value of bad)
      test(`${form}: "${name}" may not be ${JSON.stringify(value)}`, (t) => {
        const [, rest] = value.split(' ')
        const isTorn = form === 'packed' && rest !== undefined
        t.is(held({ [name]: value }), isTorn ? `it says "${rest}", which is no fact` : `its "${name}" is malformed`)
      })
  }

  test(`${form}: a deadline is a time of our age in milliseconds`, (t) => {
    const started = (deadline: string): string | undefined => of('order', 'CheckoutStarted', { deadline })
    t.is(started('1700000000000'), undefined)
    for (const deadline of ['1700000000', '-1700000000000', 'tomorrow', ''])
      t.is(started(deadline), 'its "deadline" is malformed')
  })

  test(`${form}: what a line costs may be nothing, and is said of each item`, (t) => {
    const placed = (costs: string): string | undefined => of('order', 'OrderPlaced', { costs })
    for (const costs of ['', 'tea:0', `tea:30,cup:${AMOUNT_MAX}`]) t.is(placed(costs), undefined)
    for (const costs of ['tea', 'tea:', 'tea:01', ':1', 'tea:1,', 'tea:-1', 'tea:1.5'])
      t.is(placed(costs), 'its "costs" is malformed')
  })

  test(`${form}: a word has no blank`, (t) => {
    t.is(of('payment', 'CreditRefused', { reason: '' }), undefined)
    t.is(of('payment', 'CreditRefused', { reason: 'out\tof' }), 'its "reason" is malformed')
  })
}

test('an entry of neither form has no kind', (t) => {
  for (const fields of [
    [],
    ['log_id', 'it'],
    ['hello', 'there'],
    ['CreditHeld', 'log_id=it version=1'],
    ['CreditHeld', ''],
  ])
    t.is(invalidReason('payment', ['1-0', fields]), 'it has no kind')
})

test('a flat entry lacks a version if it has none, and a value of it that holds a blank is malformed', (t) => {
  const held = (change: Change) => invalidReason('payment', flat('payment', 'CreditHeld', change))
  t.is(held({ version: undefined }), 'its version "undefined" is unknown')
  t.is(held({ log_id: 'two words' }), 'it has no log_id')
  t.is(held({ order: 'a total=1' }), 'its "order" is malformed')
})

test('a flat entry becomes the text that this version would have said, without what nobody knows', (t) => {
  const older = flat('payment', 'CreditHeld', { currency: 'two words' })
  t.is(textOf('payment', older), packed('payment', 'CreditHeld')[1][1] ?? '')
  const said = packed('payment', 'CreditHeld', { currency: 'shells' })
  t.is(textOf('payment', said), said[1][1] ?? '')
})

for (const [form, raw] of [
  ['packed', ['1-0', ['a', 'version=b ab=d b=c log_id=']]],
  ['flat', ['1-0', ['kind', 'a', 'version', 'b', 'ab', 'd', 'b', 'c', 'log_id', '']]],
] as readonly (readonly [string, RawEntry])[])
  test(`${form}: what is said under a name is found, not among the values, nor at the end of another name`, (t) => {
    t.is(kindOf(raw), 'a')
    t.deepEqual(
      ['kind', 'version', 'ab', 'b', 'log_id', 'a', 'c'].map((name) => field(raw, name)),
      ['a', 'b', 'd', 'c', '', undefined, undefined],
    )
  })

test('no fact is named as what every entry has, or it would be said twice', (t) => {
  const names = Object.values(events).flatMap((kinds: Dictionary) => Object.values(kinds).flatMap(Object.keys))
  t.deepEqual(
    names.filter((name) => ['kind', 'version', 'log_id'].includes(name)),
    [],
  )
})

test('lines are read as items and quantities, in their order', (t) => {
  t.deepEqual(parseLines(''), [])
  t.deepEqual(parseLines(`tea:1,cup-2_x:${AMOUNT_MAX}`), [
    ['tea', 1],
    ['cup-2_x', Number.MAX_SAFE_INTEGER],
  ])
})
