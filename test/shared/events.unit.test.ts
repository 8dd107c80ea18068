import test from 'ava'
import { events, fault, field, parseLines, type RawEntry, type Service, VERSION } from '../../shared/events.ts'

const GOOD = { id: 'Az09_-', amount: '0', lines: 'tea:1,cup:22', time: '1700000000000', text: 'anything\nat all' }
const goodOf = (fact: string): string => GOOD[fact.replace('?', '') as keyof typeof GOOD]
const AMOUNT_MAX = String(Number.MAX_SAFE_INTEGER)

type Dictionary = Readonly<Record<string, Readonly<Record<string, string>>>>

/** A faultless entry of a kind, with one field changed, or left out. */
const entry = (speaker: Service, kind: string, change: Record<string, string | undefined> = {}): RawEntry => {
  const facts = Object.entries((events[speaker] as Dictionary)[kind] ?? {}).map(([name, type]) => [name, goodOf(type)])
  const all: Record<string, string | undefined> = {
    ...{ kind, version: VERSION, log_id: 'it' },
    ...Object.fromEntries(facts),
    ...change,
  }
  return ['1-0', Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))]
}

for (const speaker of Object.keys(events) as Service[])
  for (const [kind, facts] of Object.entries(events[speaker] as Dictionary)) {
    test(`${kind} of ${speaker} is faultless with all its facts, and lacks each that is left out`, (t) => {
      t.is(fault(speaker, entry(speaker, kind)), undefined)
      for (const [name, fact] of Object.entries(facts))
        t.is(
          fault(speaker, entry(speaker, kind, { [name]: undefined })),
          fact.endsWith('?') ? undefined : `it lacks "${name}"`,
        )
    })
  }

const held = (change: Record<string, string | undefined>): string | undefined =>
  fault('payment', entry('payment', 'CreditHeld', change))

test('an entry needs a kind that its speaker may say, a version that is known and a log id', (t) => {
  t.is(fault('payment', ['1-0', []]), 'it has no kind')
  t.is(fault('payment', ['1-0', ['log_id', 'it']]), 'it has no kind')
  t.is(held({ kind: 'CreditLent' }), 'its kind "CreditLent" is unknown')
  t.is(fault('stock', entry('payment', 'CreditHeld')), 'its kind "CreditHeld" is unknown')
  t.is(held({ version: '2' }), 'its version "2" is unknown')
  t.is(held({ version: undefined }), 'its version "undefined" is unknown')
  t.is(held({ log_id: undefined }), 'it has no log_id')
  t.is(held({ log_id: 'two words' }), 'it has no log_id')
})

for (const kind of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
  test(`"${kind}" is no kind, though every object has it`, (t) => {
    t.is(fault('payment', ['1-0', ['kind', kind, 'version', VERSION, 'log_id', 'it']]), `its kind "${kind}" is unknown`)
  })

test('facts that entries of an older version do not have may be missing, but not malformed', (t) => {
  const captured = (lines: string | undefined) => fault('payment', entry('payment', 'CreditCaptured', { lines }))
  const taken = (total: string | undefined) => fault('stock', entry('stock', 'StockTaken', { total }))
  t.is(captured(undefined), undefined)
  t.is(captured('tea'), 'its "lines" is malformed')
  t.is(taken(undefined), undefined)
  t.is(taken('9007199254740992'), 'its "total" is malformed')
})

test('facts that the dictionary does not know are no fault', (t) => {
  t.is(held({ currency: 'shells' }), undefined)
})

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
for (const [name, good, bad] of types) {
  for (const value of good)
    test(`"${name}" may be ${JSON.stringify(value)}`, (t) => {
      t.is(held({ [name]: value }), undefined)
    })
  for (const value of bad)
    test(`"${name}" may not be ${JSON.stringify(value)}`, (t) => {
      t.is(held({ [name]: value }), `its "${name}" is malformed`)
    })
}

test('a deadline is a time of our age in milliseconds', (t) => {
  const started = (deadline: string): string | undefined =>
    fault('order', entry('order', 'CheckoutStarted', { deadline }))
  t.is(started('1700000000000'), undefined)
  for (const deadline of ['1700000000', '-1700000000000', 'tomorrow', ''])
    t.is(started(deadline), 'its "deadline" is malformed')
})

test('a field is found by its name, not among the values', (t) => {
  const raw: RawEntry = ['1-0', ['a', 'b', 'b', 'c']]
  t.is(field(raw, 'a'), 'b')
  t.is(field(raw, 'b'), 'c')
  t.is(field(raw, 'c'), undefined)
})

test('lines are read as items and quantities, in their order', (t) => {
  t.deepEqual(parseLines(''), [])
  t.deepEqual(parseLines(`tea:1,cup-2_x:${AMOUNT_MAX}`), [
    ['tea', 1],
    ['cup-2_x', Number.MAX_SAFE_INTEGER],
  ])
})
