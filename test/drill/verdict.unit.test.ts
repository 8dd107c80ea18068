import test from 'ava'
import { type Findings, oddRefusals, wordsOf, wrongs } from './verdict.ts'

const MB = 1_048_576
const usage = { pid: 1, memory: 100 * MB, kept: 25 * MB, descriptors: 30 }

const GOOD: Findings = {
  anomalies: [],
  lost: [],
  listed: [],
  noticed: 0,
  unbalanced: [],
  settled: { ms: 240 },
  deaths: [],
  internalErrors: 0,
  routes: [
    {
      does: 'checkout',
      ends: { ok: 1_200, refused: 34, later: 5, failed: 6, unknown: 7 },
      failures: { safe: 13, unsafe: 2 },
      now: { perSecond: 0, p50Ms: 0, p99Ms: 0 },
      slowestMs: 1_900,
      unavailable: { ms: 2_340, fromMs: 5_000 },
    },
  ],
  struck: [
    {
      kind: 'kill',
      parts: ['payment-1'],
      atMs: 5_000,
      awayMs: 1_000,
      lostShare: 0,
      begunMs: 5_001,
      healedMs: 6_500,
      settledMs: 900,
      overtaken: false,
    },
    {
      kind: 'black-hole',
      parts: ['order-1'],
      atMs: 9_000,
      awayMs: 1_000,
      lostShare: 0,
      begunMs: 9_001,
      healedMs: 10_000,
      settledMs: 100,
      overtaken: false,
    },
    {
      kind: 'refuse',
      parts: ['gateway'],
      atMs: 13_000,
      awayMs: 1_000,
      lostShare: 0,
      begunMs: 13_000,
      healedMs: 14_000,
      settledMs: 8_000,
      overtaken: true,
    },
  ],
  growths: [{ part: 'order-1', first: usage, kept: 24 * MB, last: { ...usage, descriptors: 41 }, grew: [] }],
  trespasses: undefined,
  turns: undefined,
  visits: 400,
  turnedAway: 0,
  ms: 60_000,
  command: 'npm run drill -- --seed 1',
}

test('finds nothing wrong with a shop that kept its promises, and says how it fared', (t) => {
  t.deepEqual(wrongs(GOOD), [])
  t.is(
    wordsOf(GOOD),
    `The shop kept its promises. 400 visits, 1,252 requests, 3 faults in 60.0 s.

Anomalies: none
Refusals without cause: none
At rest 0.2 s after the last answer.
Until settled after a fault: median 0.9 s, longest 0.9 s (3 faults, 1 not settled before the next)
    0:05  kill       payment-1: over after 1.5 s, settled 0.9 s later
    0:09  black-hole order-1: over after 1.0 s, settled 0.1 s later

   ok  refused  later  failed  unsafe  no answer  from  slowest  asked for
1,200       34      5      13       2      2.3 s  0:05    1.9 s  checkout
later: nothing was done, ask again. failed: a 5xx or no answer, of what is safe
to repeat; unsafe: of the rest. no answer: the longest time in which somebody
asked and nobody was answered. slowest: the slowest answer.

memory  at the end   kept  at the end  descriptors  at the end  flat  process
100 MB      100 MB  24 MB       25 MB           30          41   yes  order-1
kept: what is left of it when all garbage is collected, after a minute and at
the end; flat: neither that nor the descriptors grew.

Again, with the same faults and visits: npm run drill -- --seed 1`,
  )
})

const unjustified = { name: 'unjustified-refusal', about: 'order:abc', says: 'out-of-credit' } as const

const WRONG: Readonly<Record<string, readonly [Partial<Findings>, RegExp]>> = {
  'a promise that is contradicted': [
    { anomalies: [{ name: 'money-not-conserved', about: 'log:payment', says: '10 added, 9 left' }] },
    /money-not-conserved of log:payment .* 10 added, 9 left/,
  ],
  'a refusal without cause': [{ anomalies: [unjustified] }, /unjustified-refusal of order:abc/],
  'an audit that is not balanced': [{ unbalanced: ['an audit found credit: 1 too much'] }, /an audit found credit/],
  'a shop that does not come to rest': [
    { settled: { not: '2 checkouts are open' } },
    /did not come to rest: 2 checkouts/,
  ],
  'a fault after which checkouts stay open': [
    { struck: GOOD.struck.map((one) => ({ ...one, settledMs: one.kind === 'black-hole' ? 20_100 : 19_900 })) },
    /did not settle within 20\.0 s: 0:09 +black-hole +order-1/,
  ],
  'a process that dies by itself': [
    { deaths: ['stock-1 exited with code 1'] },
    /nobody did it harm, and stock-1 exited/,
  ],
  'an answer of 500': [{ internalErrors: 3 }, /3 requests were answered 500/],
  'somebody who is let in with a revoked key': [
    {
      trespasses: {
        turns: 3,
        refused: { others: 40, revoked: 2 },
        served: ['a key that was revoked was answered 404'],
      },
    },
    /a key that was revoked was answered 404/,
  ],
  'programs that did not take turns': [
    { turns: { wrong: ['a (token 1) and b (token 2) held bill at once'], words: [] } },
    /a \(token 1\) and b \(token 2\) held bill at once/,
  ],
  'a process that grows': [
    { growths: [{ part: 'order-1', first: usage, kept: 24 * MB, last: usage, grew: ['memory'] }] },
    /the memory of order-1 grew/,
  ],
}

const trespasses = { turns: 3, refused: { others: 40, revoked: 2 }, served: [] }

test('says who was not let in where clients bear tokens', (t) => {
  t.regex(
    wordsOf({ ...GOOD, trespasses }),
    /; keys changed 3 times\. Refused, as they are to be: 40 who asked for another's order, 2 with a revoked key\.$/m,
  )
})

for (const [what, [found, sentence]] of Object.entries(WRONG))
  test(`takes for an anomaly: ${what}`, (t) => {
    const findings = { ...GOOD, ...found }
    t.is(wrongs(findings).length, 1)
    t.regex(wordsOf(findings), /^THE SHOP BROKE A PROMISE\./)
    t.regex(wordsOf(findings), sentence)
  })

test('does not judge how long a fault took to settle if the next one came before', (t) => {
  t.deepEqual(
    wrongs({ ...GOOD, struck: GOOD.struck.map((one) => ({ ...one, settledMs: 60_000, overtaken: true })) }),
    [],
  )
})

test('counts refusals without cause', (t) => {
  t.regex(wordsOf(GOOD), /^Refusals without cause: none$/m)
  t.regex(wordsOf({ ...GOOD, anomalies: [unjustified, unjustified] }), /^Refusals without cause: 2$/m)
})

test('tells what was lost with a file apart from anomalies, thing by thing', (t) => {
  const lost = { name: 'action-lost', about: 'user:lost', says: 'add-funds' } as const
  const kept = { name: 'action-lost', about: 'user:kept', says: 'add-funds' } as const
  const findings: Findings = {
    ...GOOD,
    anomalies: [lost, kept],
    lost: [Buffer.from('HSET user:lost credit 1')],
    listed: ['order-9'],
    noticed: 3,
    unbalanced: ['an audit found less'],
  }
  t.deepEqual(
    wrongs(findings).map((sentence) => sentence.slice(0, 24)),
    ['action-lost of user:kept'],
  )
  t.regex(
    wordsOf(findings),
    /not to be mended: 1\n {2}order-9\nWhat nobody can know any more: 1\n {2}action-lost of user:lost/,
  )
})

test('knows what was lost also by the order that a complaint about its user speaks of', (t) => {
  const says = 'drill: checkout {"order":"lost"} was told 402 out-of-credit'
  const anomaly = { name: 'unjustified-refusal', about: 'user:undefined', says } as const
  t.is(wrongs({ ...GOOD, anomalies: [anomaly], lost: [Buffer.from('HSET order:kept status open')] }).length, 1)
  t.is(wrongs({ ...GOOD, anomalies: [anomaly], lost: [Buffer.from('HSET order:lost status open')] }).length, 0)
})

test('excuses no sum and no whole log by what was lost', (t) => {
  const anomaly = { name: 'goods-not-conserved', about: 'log:stock', says: '5 too few' } as const
  t.is(wrongs({ ...GOOD, anomalies: [anomaly], lost: [Buffer.from('XADD log:stock 1-1')] }).length, 1)
})

test('shows no more than thirty of a kind', (t) => {
  const deaths = Array.from({ length: 100 }, (_, index) => `part ${index} died`)
  t.regex(wordsOf({ ...GOOD, deaths }), /^Anomalies: 100$(\n {2}nobody.*){30}\n {2}and 70 more$/m)
})

test('takes for a refusal without cause what no visitor gives a cause for', (t) => {
  const operation = {
    client: 'drill',
    does: 'add-item',
    facts: { order: 'abc', item: 'def', quantity: '1' },
    idempotencyKey: undefined,
    begunMs: 0,
    endedMs: 1,
    told: 'refused',
    value: {},
    letter: '',
  } as const
  const told = (status: number, problem: string) => oddRefusals([{ ...operation, status, problem }])
  t.deepEqual(told(404, 'no-such-item'), [
    { name: 'unjustified-refusal', about: 'order:abc', says: 'add-item was told 404 no-such-item' },
  ])
  for (const [status, problem] of [
    [200, ''],
    [402, 'out-of-credit'],
    [409, 'out-of-stock'],
    [423, 'locked'],
    [503, 'unavailable'],
  ] as const)
    t.deepEqual(told(status, problem), [])
})
