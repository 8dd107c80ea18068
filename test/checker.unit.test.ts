/**
 * The checker must be able to fail: a small sound case, of which every test breaks one thing.
 *
 * In it a user with 10 buys two of an item at 2, spends 1, and is refused once for credit, once for stock, and once
 * cancelled at the deadline. The table of breakages has a row for each name that an anomaly may have: the types see to it.
 */
import test from 'ava'
import type { LogEntry } from '../shared/entry.ts'
import type { Service } from '../shared/events.ts'
import { ANOMALIES, type Anomaly, type AnomalyName } from './support/anomaly.ts'
import { anomalies, type Books, type CursorEvidence, type Evidence, type Party } from './support/checker.ts'
import type { Does, Facts, Operation } from './support/history.ts'

type Mutable<Thing> = { -readonly [Name in keyof Thing]: Thing[Name] }
type Records = Map<string, Record<string, string>>
type Entry = Mutable<LogEntry>
type Case = {
  history: Mutable<Operation>[]
  logs: Record<Service, { entries: Entry[]; added: number; newest: string }>
  wallets: Records
  shelves: Records
  orders: Records
  sagas: Record<Party, Records>
  books: Record<Party, Record<string, bigint>>
  open: Record<Party, string[]>
  cursors: Mutable<CursorEvidence>[]
  locks: string[]
  waiting: string[]
  dead: Record<Party, string[]>
  contradictions: string[]
  lossy: boolean
  lost: LogEntry[]
}

type Line = readonly [kind: string, log_id: string, facts: Facts]

const idOf = (index: number): string => `${1_000 + index}-0`
const logOf = (lines: readonly Line[]) => {
  const entries: Entry[] = lines.map(([kind, log_id, facts], index) => ({
    id: idOf(index),
    at: '',
    kind,
    version: '1',
    log_id,
    facts,
  }))
  return { entries, added: entries.length, newest: idOf(entries.length - 1) }
}

const ORDERS = [
  { order: 'bought', lines: 'pen:2', total: '4', saga: 's1' },
  { order: 'dear', lines: 'pen:3', total: '6', saga: 's2' },
  { order: 'scarce', lines: 'ink:1', total: '2', saga: 's3' },
  { order: 'late', lines: 'pen:1', total: '2', saga: 's4' },
] as const
const factsOf = (index: number): Facts => {
  const { order = '', total = '' } = ORDERS[index] ?? {}
  return { order, user: 'ann', total }
}
const linesOf = (index: number): Facts => ({ ...factsOf(index), lines: ORDERS[index]?.lines ?? '' })

const orderLog: readonly Line[] = [
  ...ORDERS.flatMap(({ order, lines }, index): Line[] => {
    const [item = '', quantity = ''] = lines.split(':')
    return [
      ['OrderCreated', `o${index}`, { order, user: 'ann' }],
      ['LineAdded', `l${index}`, { order, item, quantity, price: '2' }],
    ]
  }),
  ['CheckoutStarted', 's1', linesOf(0)],
  ['OrderPaid', 's1', factsOf(0)],
  ['CheckoutStarted', 's2', linesOf(1)],
  ['CheckoutFailed', 's2', { ...factsOf(1), reason: 'out-of-credit', item: '' }],
  ['CheckoutStarted', 's3', linesOf(2)],
  ['CheckoutFailed', 's3', { ...factsOf(2), reason: 'out-of-stock', item: 'ink' }],
  ['CheckoutStarted', 's4', linesOf(3)],
  ['CheckoutCancelled', 's4', factsOf(3)],
  ['CheckoutClosed', 's4', factsOf(3)],
]
const paymentLog: readonly Line[] = [
  ['UserCreated', 'p1', { user: 'ann' }],
  ['FundsAdded', 'p2', { user: 'ann', amount: '10' }],
  ['CreditHeld', 's1', linesOf(0)],
  ['CreditCaptured', 's1', factsOf(0)],
  ['CreditSpent', 'p3', { user: 'ann', amount: '1' }],
  ['CreditRefused', 's2', { ...factsOf(1), reason: 'out-of-credit' }],
  ['CreditHeld', 's3', linesOf(2)],
  ['CreditVoided', 's3', { ...factsOf(2), reason: 'out-of-stock', item: 'ink' }],
  ['CreditHeld', 's4', linesOf(3)],
  ['CreditReleased', 's4', factsOf(3)],
]
const stockLog: readonly Line[] = [
  ['ItemCreated', 'i1', { item: 'pen', price: '2' }],
  ['StockAdded', 'i2', { item: 'pen', amount: '5' }],
  ['ItemCreated', 'i3', { item: 'ink', price: '2' }],
  ['StockTaken', 's1', { order: 'bought', lines: 'pen:2' }],
  ['StockSubtracted', 'i4', { item: 'pen', amount: '1' }],
  ['StockRefused', 's3', { order: 'scarce', item: 'ink' }],
  ['StockTaken', 's4', { order: 'late', lines: 'pen:1' }],
  ['StockReturned', 's4', { order: 'late', lines: 'pen:1' }],
]

const STATES: Readonly<Record<Party, readonly (string | undefined)[]>> = {
  order: ['paid', 'failed', 'failed', 'closed'],
  payment: ['captured', 'refused', 'voided', 'released'],
  stock: ['taken', undefined, 'refused', 'returned'],
}

const recordsOf = (party: Party, entries: readonly Entry[]): Records =>
  new Map(
    ORDERS.flatMap(({ saga }, index) => {
      const state = STATES[party][index]
      const ids = entries.filter(({ log_id }) => log_id === saga).map(({ id }) => id)
      return state === undefined ? [] : [[saga, { ...linesOf(index), state, entries: ids.join(' ') }] as const]
    }),
  )

/** Requests one after the other, 10 ms apart, each answered after 5. */
const asked = (
  rows: readonly (readonly [does: Does, facts: Facts, answer?: string, value?: Facts])[],
): Mutable<Operation>[] =>
  rows.map(([does, facts, answer = '200', value = {}], index) => {
    const [status = '', problem = ''] = answer.split(' ')
    return {
      client: 'ann',
      does,
      facts,
      idempotencyKey: undefined,
      begunMs: index * 10,
      endedMs: index * 10 + 5,
      told: status === '200' ? 'ok' : 'refused',
      status: Number(status),
      problem,
      value,
    }
  })

const cursor = (listener: Party, speaker: Party, at: string, heard: readonly string[]): CursorEvidence => ({
  listener,
  speaker,
  at,
  heard,
})

const sound = (): Case => {
  const logs = { ids: logOf([]), order: logOf(orderLog), payment: logOf(paymentLog), stock: logOf(stockLog) }
  const user = { user: 'ann' }
  const pen = { item: 'pen' }
  return {
    history: asked([
      ['create-user', user],
      ['add-funds', { ...user, amount: '10' }],
      ['create-item', { ...pen, price: '2' }],
      ['add', { ...pen, amount: '5' }],
      ['create-item', { item: 'ink', price: '2' }],
      ...ORDERS.flatMap(({ order, lines }): [Does, Facts][] => {
        const [item = '', quantity = ''] = lines.split(':')
        return [
          ['create-order', { ...user, order }],
          ['add-item', { order, item, quantity }],
        ]
      }),
      ['checkout', { order: 'bought' }],
      ['find-user', user, '200', { credit: '6' }],
      ['find-item', pen, '200', { stock: '3', price: '2' }],
      ['find-order', { order: 'bought' }, '200', { ...linesOf(0), status: 'paid', paid: 'true' }],
      ['pay', { ...user, amount: '7' }, '402 out-of-credit'],
      ['subtract', { ...pen, amount: '4' }, '409 out-of-stock'],
      ['pay', { ...user, amount: '1' }],
      ['subtract', { ...pen, amount: '1' }],
      ['checkout', { order: 'dear' }, '402 out-of-credit'],
      ['checkout', { order: 'scarce' }, '409 out-of-stock', { item: 'ink' }],
      ['checkout', { order: 'late' }, '424 checkout-cancelled'],
      ['find-user', user, '200', { credit: '5' }],
    ]),
    logs,
    wallets: new Map([['ann', { credit: '5', held: '0' }]]),
    shelves: new Map([
      ['pen', { stock: '2', price: '2' }],
      ['ink', { stock: '0', price: '2' }],
    ]),
    orders: new Map(
      ORDERS.map(({ order, saga }, index) => [
        order,
        { ...linesOf(index), status: index === 0 ? 'paid' : 'open', saga },
      ]),
    ),
    sagas: {
      order: recordsOf('order', logs.order.entries),
      payment: recordsOf('payment', logs.payment.entries),
      stock: recordsOf('stock', logs.stock.entries),
    },
    books: {
      order: { paid: 4n, sold: 2n },
      payment: { added: 9n, charged: 4n },
      stock: { added: 4n, taken: 2n },
    },
    open: { order: [], payment: [], stock: [] },
    cursors: [
      cursor('payment', 'order', logs.order.newest, ['CheckoutStarted', 'CheckoutCancelled']),
      cursor('stock', 'payment', logs.payment.newest, ['CreditHeld', 'CreditReleased']),
      cursor('order', 'payment', logs.payment.newest, ['CreditCaptured']),
    ],
    locks: [],
    waiting: [],
    dead: { order: [], payment: [], stock: [] },
    contradictions: [],
    lossy: false,
    lost: [],
  }
}

const found = ({ history, books, ...read }: Case): readonly Anomaly[] => {
  const keptBy =
    (party: Party): Books =>
    (account) =>
      books[party][account] ?? 0n
  const evidence: Evidence = {
    ...read,
    books: { order: keptBy('order'), payment: keptBy('payment'), stock: keptBy('stock') },
    seeded: { credit: 9, stock: 4 },
  }
  return anomalies(history, evidence)
}

const record = (records: Records, name: string): Record<string, string> => {
  const one = records.get(name)
  if (one === undefined) throw new Error(`there is no ${name}`)
  return one
}
const operation = (the: Case, does: Does, turn = 0): Mutable<Operation> => {
  const one = the.history.filter((each) => each.does === does)[turn]
  if (one === undefined) throw new Error(`nobody asked to ${does}`)
  return one
}
const entry = (the: Case, service: Service, kind: string, turn = 0): Entry => {
  const one = the.logs[service].entries.filter((each) => each.kind === kind)[turn]
  if (one === undefined) throw new Error(`${service} did not say ${kind}`)
  return one
}
/** Says one more thing at the end of a log, and lets everybody hear it. */
const say = (the: Case, service: Party, kind: string, log_id: string, facts: Facts): void => {
  const log = the.logs[service]
  const id = idOf(log.entries.length)
  log.entries.push({ id, at: '', kind, version: '1', log_id, facts })
  log.added += 1
  log.newest = id
}
const repeatedLate = (the: Case, does: Does, turn: number): Mutable<Operation> => {
  const again = { ...operation(the, does, turn), begunMs: 1_000, endedMs: 1_005 }
  the.history.push(again)
  return again
}

type Breakage = { readonly about: string; readonly breaks: (the: Case) => void }

const breakages: Readonly<Record<AnomalyName, Breakage>> = {
  'money-not-conserved': {
    about: 'log:payment',
    breaks: ({ wallets }) => {
      record(wallets, 'ann').credit = '6'
    },
  },
  'goods-not-conserved': {
    about: 'log:stock',
    breaks: ({ shelves }) => {
      record(shelves, 'ink').stock = '1'
    },
  },
  misbooked: {
    about: 'books:payment',
    breaks: ({ books }) => {
      books.payment.charged = 5n
    },
  },
  negative: {
    about: 'item:pen',
    breaks: (the) => {
      operation(the, 'find-item').value = { stock: '-1', price: '2' }
    },
  },
  'held-beyond-credit': {
    about: 'user:ann',
    breaks: (the) => {
      entry(the, 'payment', 'CreditHeld').facts = { ...linesOf(0), total: '11' }
    },
  },
  'paid-twice': {
    about: 'order:bought',
    breaks: ({ sagas }) => void Object.assign(record(sagas.order, 's2'), { order: 'bought', state: 'paid' }),
  },
  'half-a-checkout': {
    about: 'order:dear',
    breaks: ({ sagas }) => {
      record(sagas.payment, 's2').state = 'captured'
    },
  },
  'charged-otherwise': {
    about: 'order:bought',
    breaks: ({ sagas }) => {
      record(sagas.payment, 's1').total = '3'
    },
  },
  'status-untrue': {
    about: 'order:late',
    breaks: ({ orders }) => {
      record(orders, 'late').status = 'paid'
    },
  },
  'told-paid-untrue': {
    about: 'order:dear',
    breaks: (the) => void Object.assign(operation(the, 'checkout', 1), { status: 200, told: 'ok', problem: '' }),
  },
  'refusal-became-payment': {
    about: 'order:bought',
    breaks: (the) =>
      void Object.assign(operation(the, 'checkout', 0), { status: 423, told: 'refused', problem: 'locked' }),
  },
  'unjustified-refusal': {
    about: 'user:ann',
    breaks: (the) => {
      operation(the, 'pay', 0).facts = { user: 'ann', amount: '6' }
    },
  },
  'stale-answer': {
    about: 'user:ann',
    breaks: (the) => {
      operation(the, 'find-user', 0).value = { credit: '10' }
    },
  },
  'key-answered-otherwise': {
    about: 'user:ann',
    breaks: (the) => {
      operation(the, 'pay', 0).idempotencyKey = 'k'
      Object.assign(repeatedLate(the, 'pay', 0), { status: 200, told: 'ok', problem: '' })
    },
  },
  'identifier-given-twice': { about: 'user:ann', breaks: (the) => void repeatedLate(the, 'create-user', 0) },
  'deed-lost': { about: 'user:ann', breaks: (the) => void repeatedLate(the, 'add-funds', 0) },
  'deed-unasked': {
    about: 'item:pen',
    breaks: (the) =>
      void Object.assign(operation(the, 'add'), { status: 404, told: 'refused', problem: 'no-such-item' }),
  },
  'changed-while-closed': {
    about: 'order:bought',
    breaks: (the) => say(the, 'order', 'LineAdded', 'l9', { order: 'bought', item: 'pen', quantity: '1', price: '2' }),
  },
  'log-not-contiguous': {
    about: 'log:stock',
    breaks: ({ logs }) => {
      logs.stock.added += 1
    },
  },
  'logged-twice': {
    about: 'saga:p2',
    breaks: (the) => say(the, 'payment', 'FundsAdded', 'p2', { user: 'ann', amount: '10' }),
  },
  'impossible-move': {
    about: 'saga:s2',
    breaks: (the) => {
      entry(the, 'payment', 'CreditRefused').kind = 'CreditCaptured'
    },
  },
  'repeated-otherwise': {
    about: 'saga:s3',
    breaks: (the) => say(the, 'stock', 'StockRefused', 's3', { order: 'scarce', item: 'pen' }),
  },
  'record-not-logged': {
    about: 'saga:s1',
    breaks: ({ sagas }) => {
      record(sagas.stock, 's1').entries = ''
    },
  },
  'replay-differs': {
    about: 'item:pen',
    breaks: ({ shelves }) => {
      record(shelves, 'pen').price = '3'
    },
  },
  'lock-left': { about: 'order:late', breaks: ({ locks }) => void locks.push('lock:order:late') },
  'hold-left': {
    about: 'user:ann',
    breaks: ({ wallets }) => {
      record(wallets, 'ann').held = '2'
    },
  },
  'checkout-open': { about: 'saga:s4', breaks: ({ open }) => void open.order.push('s4') },
  unheard: {
    about: 'log:payment',
    breaks: ({ cursors }) => {
      cursors[1] = { ...(cursors[1] as CursorEvidence), at: idOf(8) }
    },
  },
  'cursor-ahead': {
    about: 'log:order',
    breaks: ({ cursors }) => {
      cursors[0] = { ...(cursors[0] as CursorEvidence), at: idOf(99) }
    },
  },
  'dead-letter': { about: 'dead:stock', breaks: ({ dead }) => void dead.stock.push('it has no kind') },
  contradicted: { about: 'order:bought', breaks: ({ contradictions }) => void contradictions.push('bought') },
}

/** Two requests at once: one adds 3, the other looks. In the log the wallet then has 8. */
const meanwhile = (the: Case, told: Operation['told'], credit: string): void => {
  const common = { client: 'bob', idempotencyKey: undefined, problem: '' }
  const user = { user: 'ann' }
  const status = told === 'ok' ? 200 : 0
  const add = { ...common, does: 'add-funds', facts: { ...user, amount: '3' }, told, status, value: {} } as const
  const look = { ...common, does: 'find-user', facts: user, told: 'ok', status: 200, value: { credit } } as const
  the.history.push({ ...add, begunMs: 1_000, endedMs: 1_020 }, { ...look, begunMs: 1_010, endedMs: 1_030 })
}
const added = (the: Case): void => {
  say(the, 'payment', 'FundsAdded', 'p9', { user: 'ann', amount: '3' })
  record(the.wallets, 'ann').credit = '8'
  the.books.payment.added = 12n
  for (const one of the.cursors) if (one.speaker === 'payment') one.at = the.logs.payment.newest
}
const SEEDED_ONLY = 'by the clients'
const namesOf = (the: Case): string[] =>
  found(the)
    .filter(({ says }) => !says.includes(SEEDED_ONLY))
    .map(({ name }) => name)

test('lets a read see or miss what is done while it lasts', (t) => {
  for (const credit of ['5', '8']) {
    const the = sound()
    meanwhile(the, 'ok', credit)
    added(the)
    t.deepEqual(namesOf(the), [])
  }
})

test('lets what is unknown be done or not', (t) => {
  const done = sound()
  meanwhile(done, 'unknown', '8')
  added(done)
  t.deepEqual(namesOf(done), [])
  const undone = sound()
  meanwhile(undone, 'unknown', '5')
  t.deepEqual(namesOf(undone), [])
})

test('lets nobody miss what somebody saw before', (t) => {
  const the = sound()
  meanwhile(the, 'unknown', '8')
  added(the)
  Object.assign(repeatedLate(the, 'find-user', 1), { begunMs: 1_031, endedMs: 1_040 })
  t.deepEqual(namesOf(the), ['stale-answer'])
})

test('lets nobody see what is asked for only later', (t) => {
  const the = sound()
  meanwhile(the, 'ok', '8')
  added(the)
  Object.assign(repeatedLate(the, 'find-user', 1), { begunMs: 900, endedMs: 910, value: { credit: '8' } })
  t.deepEqual(namesOf(the), ['stale-answer'])
})

test('takes no refusal that was justified only before the request began', (t) => {
  const the = sound()
  meanwhile(the, 'ok', '8')
  added(the)
  Object.assign(repeatedLate(the, 'checkout', 1), { begunMs: 1_100, endedMs: 1_110 })
  t.deepEqual(namesOf(the), ['unjustified-refusal'])
})

test('excuses an acknowledged deed that is listed as lost, and no other', (t) => {
  const the = sound()
  meanwhile(the, 'ok', '8')
  the.lossy = true
  t.deepEqual(namesOf(the), ['deed-lost'])
  const facts = { user: 'ann', amount: '3' }
  the.lost.push({ id: '999-0', at: '', kind: 'FundsAdded', version: '1', log_id: 'p9', facts })
  t.deepEqual(namesOf(the), [])
  repeatedLate(the, 'add-funds', 0)
  t.deepEqual(namesOf(the), ['deed-lost'])
})

test('excuses what is listed after a Redis came back older, and nothing else', (t) => {
  const the = sound()
  the.lossy = true
  the.contradictions.push('bought')
  record(the.sagas.payment, 's1').state = 'voided'
  t.true(namesOf(the).includes('money-not-conserved'), 'the money is still missing')
  t.false(namesOf(the).includes('half-a-checkout'))
})

test('finds nothing in a sound case', (t) => {
  t.deepEqual(found(sound()), [])
})

for (const [name, { about, breaks }] of Object.entries(breakages))
  test(`finds ${name}: ${ANOMALIES[name as AnomalyName]}`, (t) => {
    const the = sound()
    breaks(the)
    t.true(
      found(the).some((anomaly) => anomaly.name === name && anomaly.about === about),
      JSON.stringify(found(the), undefined, 2),
    )
  })
