/**
 * The checker must be able to fail: a small sound case, of which every test breaks one thing.
 *
 * In it a user with 10 buys two of an item at 2, spends 1, and is refused once for credit, once for stock, and once
 * cancelled at the deadline. The table of breakages has a row for each name that an anomaly may have: the types see to it.
 */
import test from 'ava'
import type { Service } from '../../../shared/contract/events.ts'
import type { LogEntry } from '../../../shared/log/entry.ts'
import type { Clocks, Participant } from './accounts.ts'
import { ANOMALIES, type Anomaly, type AnomalyName } from './anomaly.ts'
import { anomalies, type Books, type CursorEvidence, type Evidence, excused } from './checker.ts'
import { type Does, type Facts, type Operation, toldBy } from './history.ts'

type Mutable<Thing> = { -readonly [Name in keyof Thing]: Thing[Name] }
type Records = Map<string, Record<string, string>>
type Entry = Mutable<LogEntry>
type Case = {
  history: Mutable<Operation>[]
  logs: Record<Service, { entries: Entry[]; added: number; newest: string }>
  wallets: Records
  shelves: Records
  orders: Records
  sagas: Record<Participant, Records>
  books: Record<Participant, Record<string, bigint>>
  open: Record<Participant, string[]>
  cursors: Mutable<CursorEvidence>[]
  locks: string[]
  waiting: string[]
  dead: Record<Participant, string[]>
  contradictions: string[]
  lossy: boolean
  lost: LogEntry[]
  clocks: Clocks
}

type Line = readonly [kind: string, log_id: string, facts: Facts]

/** By how much the clocks of the Redis are ahead of the clients'. */
const AHEAD_MS = 5_000
/** The log ids of what is asked for, one request after the other; reads and refusals outside checkouts have none. */
const TURNS = 'p1 p2 i1 i2 i3 o0 l0 o1 l1 o2 l2 o3 l3 s1 - - - - - p3 i4 s2 s3 s4 -'.split(' ')
const TURN_MS = 200
/** An action is logged in the middle of the request for it. */
const loggedAt = (log_id: string): number => AHEAD_MS + TURNS.indexOf(log_id) * TURN_MS + 50

const logOf = (lines: readonly Line[]) => {
  const entries: Entry[] = lines.map(([kind, log_id, facts], index) => ({
    id: `${loggedAt(log_id)}-${index}`,
    at: '',
    kind,
    version: '1',
    log_id,
    facts,
  }))
  return { entries, added: entries.length, newest: entries.at(-1)?.id ?? '0-0' }
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

const STATES: Readonly<Record<Participant, readonly (string | undefined)[]>> = {
  order: ['paid', 'failed', 'failed', 'closed'],
  payment: ['captured', 'refused', 'voided', 'released'],
  stock: ['taken', undefined, 'refused', 'returned'],
}

const recordsOf = (participant: Participant, entries: readonly Entry[]): Records =>
  new Map(
    ORDERS.flatMap(({ saga }, index) => {
      const state = STATES[participant][index]
      const ids = entries.filter(({ log_id }) => log_id === saga).map(({ id }) => id)
      return state === undefined ? [] : [[saga, { ...linesOf(index), state, entries: ids.join(' ') }] as const]
    }),
  )

/** Requests one after the other, each answered after half of its turn. */
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
      begunMs: index * TURN_MS,
      endedMs: index * TURN_MS + TURN_MS / 2,
      told: status === '200' ? 'ok' : 'refused',
      status: Number(status),
      problem,
      value,
      letter: '',
    }
  })

const cursor = (
  listener: Participant,
  speaker: Participant,
  at: string,
  handled: readonly string[],
): CursorEvidence => ({
  listener,
  speaker,
  at,
  handled,
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
    clocks: { order: AHEAD_MS, payment: AHEAD_MS, stock: AHEAD_MS },
  }
}

const evidenceOf = ({ history: _, books, ...read }: Case): Evidence => {
  const keptBy =
    (participant: Participant): Books =>
    (account) =>
      books[participant][account] ?? 0n
  return {
    ...read,
    books: { order: keptBy('order'), payment: keptBy('payment'), stock: keptBy('stock') },
    seeded: { credit: 9, stock: 4 },
  }
}
const found = (the: Case): readonly Anomaly[] => anomalies(the.history, evidenceOf(the))

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
/** When everything of the sound case is over, by the clients' clock. */
const AFTER_MS = 10_000
/** Says one more thing at the end of a log, and has every service apply it. */
const say = (
  the: Case,
  service: Participant,
  kind: string,
  log_id: string,
  facts: Facts,
  atMs = AFTER_MS + 15,
): void => {
  const log = the.logs[service]
  const id = `${AHEAD_MS + atMs}-${log.entries.length}`
  log.entries.push({ id, at: '', kind, version: '1', log_id, facts })
  log.added += 1
  log.newest = id
}
const repeatedLate = (the: Case, does: Does, turn: number): Mutable<Operation> => {
  const again = { ...operation(the, does, turn), begunMs: AFTER_MS, endedMs: AFTER_MS + 5 }
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
  'checkout-unasked': {
    about: 'order:dear',
    breaks: (the) => void Object.assign(operation(the, 'checkout', 1), { begunMs: 100, endedMs: 150 }),
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
  'action-lost': { about: 'user:ann', breaks: (the) => void repeatedLate(the, 'add-funds', 0) },
  'action-unasked': {
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
  unapplied: {
    about: 'log:payment',
    breaks: ({ cursors, logs }) => {
      cursors[1] = { ...(cursors[1] as CursorEvidence), at: logs.payment.entries.at(-2)?.id ?? '' }
    },
  },
  'cursor-ahead': {
    about: 'log:order',
    breaks: ({ cursors }) => {
      cursors[0] = { ...(cursors[0] as CursorEvidence), at: `${AHEAD_MS + AFTER_MS}-0` }
    },
  },
  'dead-letter': { about: 'dead:stock', breaks: ({ dead }) => void dead.stock.push('it has no kind') },
  contradicted: { about: 'order:bought', breaks: ({ contradictions }) => void contradictions.push('bought') },
}

/** Two requests at once: one adds 3, the other looks. In the log the wallet then has 8. */
const meanwhile = (the: Case, told: Operation['told'], credit: string): void => {
  const common = { client: 'bob', idempotencyKey: undefined, problem: '', letter: '' }
  const user = { user: 'ann' }
  const status = told === 'ok' ? 200 : 0
  const add = { ...common, does: 'add-funds', facts: { ...user, amount: '3' }, told, status, value: {} } as const
  const look = { ...common, does: 'find-user', facts: user, told: 'ok', status: 200, value: { credit } } as const
  the.history.push(
    { ...add, begunMs: AFTER_MS, endedMs: AFTER_MS + 20 },
    { ...look, begunMs: AFTER_MS + 10, endedMs: AFTER_MS + 30 },
  )
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
  Object.assign(repeatedLate(the, 'find-user', 1), { begunMs: AFTER_MS + 31, endedMs: AFTER_MS + 40 })
  t.deepEqual(namesOf(the), ['stale-answer'])
})

test('lets nobody see what is asked for only later', (t) => {
  const the = sound()
  meanwhile(the, 'ok', '8')
  added(the)
  Object.assign(repeatedLate(the, 'find-user', 1), {
    begunMs: AFTER_MS - 100,
    endedMs: AFTER_MS - 90,
    value: { credit: '8' },
  })
  t.deepEqual(namesOf(the), ['stale-answer'])
})

test('takes no refusal that was justified only before the request began', (t) => {
  const the = sound()
  meanwhile(the, 'ok', '8')
  added(the)
  Object.assign(repeatedLate(the, 'checkout', 1), { begunMs: AFTER_MS + 100, endedMs: AFTER_MS + 110 })
  t.deepEqual(namesOf(the), ['unjustified-refusal'])
})

test('excuses an acknowledged action that is listed as lost, and no other', (t) => {
  const the = sound()
  meanwhile(the, 'ok', '8')
  the.lossy = true
  t.deepEqual(namesOf(the), ['action-lost'])
  const facts = { user: 'ann', amount: '3' }
  the.lost.push({ id: '999-0', at: '', kind: 'FundsAdded', version: '1', log_id: 'p9', facts })
  t.deepEqual(namesOf(the), [])
  repeatedLate(the, 'add-funds', 0)
  t.deepEqual(namesOf(the), ['action-lost'])
})

test('excuses what is listed after a Redis came back older, and nothing else', (t) => {
  const the = sound()
  the.lossy = true
  the.contradictions.push('bought')
  record(the.sagas.payment, 's1').state = 'voided'
  t.true(namesOf(the).includes('money-not-conserved'), 'the money is still missing')
  t.false(namesOf(the).includes('half-a-checkout'))
})

/** The request at a turn, as somebody else makes it at another time. */
const askedAt = (one: Operation, begunMs: number, changes: Partial<Operation> = {}): Mutable<Operation> => ({
  ...one,
  client: 'bob',
  begunMs,
  endedMs: begunMs + 10,
  ...changes,
})

/** Somebody wants both pens while one is taken for the checkout that is then cancelled, and 4 of the money. */
const refusedMeanwhile = (the: Case, does: 'pay' | 'subtract', atMs: number): void => {
  const amount = does === 'pay' ? '5' : '2'
  const one = operation(the, does, 0)
  the.history.push(askedAt(one, atMs, { facts: { ...one.facts, amount } }))
}
/** The checkout `s4` takes its pen, and its money is captured, at 4,650; both come back a second later. */
const goneForASecond = (): Case => {
  const the = sound()
  say(the, 'payment', 'CreditReleased', 's4', factsOf(3), 5_650)
  const released = entry(the, 'payment', 'CreditReleased')
  Object.assign(released, { kind: 'CreditCaptured', facts: linesOf(3) })
  Object.assign(entry(the, 'stock', 'StockReturned'), { id: `${AHEAD_MS + 5_650}-9` })
  the.logs.stock.newest = `${AHEAD_MS + 5_650}-9`
  record(the.sagas.payment, 's4').entries += ` ${the.logs.payment.newest}`
  record(the.sagas.stock, 's4').entries = the.logs.stock.entries
    .filter(({ log_id }) => log_id === 's4')
    .map(({ id }) => id)
    .join(' ')
  for (const [index, kind] of ['CheckoutCancelled', 'CheckoutClosed'].entries())
    Object.assign(entry(the, 'order', kind), { id: `${AHEAD_MS + 5_600}-${index}` })
  the.logs.order.newest = the.logs.order.entries.at(-1)?.id ?? ''
  record(the.sagas.order, 's4').entries = the.logs.order.entries
    .filter(({ log_id }) => log_id === 's4')
    .map(({ id }) => id)
    .join(' ')
  Object.assign(operation(the, 'checkout', 3), { endedMs: 5_640 })
  Object.assign(operation(the, 'find-user', 1), { begunMs: 6_000, endedMs: 6_010 })
  for (const one of the.cursors) one.at = the.logs[one.speaker].newest
  return the
}
const excusedIn = (the: Case): string[] =>
  excused(the.history, evidenceOf(the)).map(({ name, about }) => `${name} of ${about}`)

test('excuses a refusal for want of what a checkout had that was then cancelled, until it is back', (t) => {
  for (const [does, thing] of [
    ['pay', 'user:ann'],
    ['subtract', 'item:pen'],
  ] as const) {
    const meanwhile = goneForASecond()
    refusedMeanwhile(meanwhile, does, 5_000)
    t.deepEqual(namesOf(meanwhile), [])
    t.deepEqual(excusedIn(meanwhile), [`unjustified-refusal of ${thing}`])
    for (const atMs of [4_400, 5_800]) {
      const outside = goneForASecond()
      refusedMeanwhile(outside, does, atMs)
      t.deepEqual(namesOf(outside), ['unjustified-refusal'], `${does} at ${atMs}`)
    }
  }
})

test('excuses no refusal for want of what a checkout had that was refused', (t) => {
  const the = goneForASecond()
  refusedMeanwhile(the, 'subtract', 5_000)
  Object.assign(entry(the, 'order', 'CheckoutCancelled'), { kind: 'CheckoutFailed' })
  Object.assign(entry(the, 'order', 'CheckoutClosed'), { kind: 'CheckoutFailed' })
  t.true(
    found(the).some(({ name, about }) => name === 'unjustified-refusal' && about === 'item:pen'),
    JSON.stringify(found(the), undefined, 2),
  )
  t.deepEqual(excusedIn(the), [])
})

test('excuses a checkout that was refused for want of the same, by the same rule', (t) => {
  const wants = (the: Case): void => {
    const facts = { order: 'other', user: 'ann', total: '0' }
    const lines = 'pen:2'
    say(the, 'order', 'CheckoutStarted', 's5', { ...facts, lines }, 5_000)
    say(the, 'order', 'CheckoutFailed', 's5', { ...facts, reason: 'out-of-stock', item: 'pen' }, 5_000)
    const returned = the.logs.stock.entries.pop()
    say(the, 'stock', 'StockRefused', 's5', { order: 'other', item: 'pen' }, 5_000)
    if (returned) the.logs.stock.entries.push({ ...returned, id: `${AHEAD_MS + 5_650}-10` })
  }
  const cancelled = goneForASecond()
  wants(cancelled)
  t.deepEqual(excusedIn(cancelled), ['unjustified-refusal of order:other'])
  const refused = goneForASecond()
  wants(refused)
  for (const kind of ['CheckoutCancelled', 'CheckoutClosed'])
    Object.assign(entry(refused, 'order', kind), { kind: 'CheckoutFailed' })
  t.deepEqual(excusedIn(refused), [])
  t.true(found(refused).some(({ name, about }) => name === 'unjustified-refusal' && about === 'order:other'))
})

test('lets a read see a sale and its return of a checkout that was cancelled, and of no other', (t) => {
  const looks = (the: Case): void => {
    the.history.push(askedAt(operation(the, 'find-item'), 5_000, { value: { stock: '1', price: '2' } }))
    the.history.push(askedAt(operation(the, 'find-user'), 5_000, { value: { credit: '3' } }))
  }
  const cancelled = goneForASecond()
  looks(cancelled)
  t.deepEqual(namesOf(cancelled), [])
  t.deepEqual(excusedIn(cancelled).toSorted(), ['stale-answer of item:pen', 'stale-answer of user:ann'])
  const refused = goneForASecond()
  looks(refused)
  for (const kind of ['CheckoutCancelled', 'CheckoutClosed'])
    Object.assign(entry(refused, 'order', kind), { kind: 'CheckoutFailed' })
  t.is(namesOf(refused).filter((name) => name === 'stale-answer').length, 2)
})

/** The customer who has paid is told this instead, and asks again when all is over; that is told 200. */
const toldInstead = (the: Case, answer: Pick<Operation, 'status' | 'problem' | 'told'>): void => {
  const paid = operation(the, 'checkout', 0)
  the.history.push(askedAt(paid, AFTER_MS))
  Object.assign(paid, answer)
}

test('finds a checkout that was paid although whoever can have begun it was refused, also if it is told 200 later', (t) => {
  for (const answer of [
    { status: 402, problem: 'out-of-credit', told: 'refused' },
    { status: 503, problem: 'overloaded', told: 'refused' },
  ] as const) {
    const the = sound()
    toldInstead(the, answer)
    t.true(namesOf(the).includes('refusal-became-payment'))
  }
  const unknown = sound()
  toldInstead(unknown, { status: 503, problem: 'unavailable', told: 'unknown' })
  t.deepEqual(namesOf(unknown), [])
})

test('takes a 503 for a refusal if it says that nothing was done, else for nothing', (t) => {
  t.is(toldBy(503, { detail: 'too many requests wait for "order"; nothing was done, send it again later' }), 'refused')
  t.is(toldBy(503, { detail: 'the outcome cannot be known' }), 'unknown')
  t.is(toldBy(503), 'unknown')
  t.is(toldBy(408, { detail: 'nothing came' }), 'unknown')
})

test('finds an action that was done after its request was refused, although it is asked for again', (t) => {
  const the = sound()
  const line = operation(the, 'add-item', 0)
  const early = { begunMs: line.begunMs - 1_000, endedMs: line.begunMs - 900, idempotencyKey: 'k' }
  the.history.push({ ...line, ...early, told: 'refused', status: 409, problem: 'order-full' })
  Object.assign(line, { begunMs: line.begunMs + 200, endedMs: line.begunMs + 250 })
  t.deepEqual(namesOf(the), ['action-unasked'])
})

test('finds a repetition under a key that is told otherwise, to the letter, or "not now" after it was done', (t) => {
  const repeated = (changes: Partial<Operation>): string[] => {
    const the = sound()
    Object.assign(operation(the, 'add-item', 0), { idempotencyKey: 'k', letter: '2 of pen added at 2' })
    Object.assign(repeatedLate(the, 'add-item', 0), changes)
    return namesOf(the)
  }
  t.deepEqual(repeated({}), [])
  t.deepEqual(repeated({ letter: '2 of pen added at 3' }), ['key-answered-otherwise'])
  const away = { status: 424, problem: 'neighbour-unavailable', told: 'refused', letter: '' } as const
  t.deepEqual(repeated(away), ['key-answered-otherwise'])
  t.deepEqual(repeated({ ...away, begunMs: 0, endedMs: 10 }), [], 'before it was done that is true')
  t.deepEqual(repeated({ status: 503, problem: 'overloaded', told: 'refused' }), [], 'the gateway keeps no keys')
})

test('finds "not now" to a creation that was done before, though its first answer was lost', (t) => {
  const the = sound()
  const created = operation(the, 'create-order', 0)
  created.idempotencyKey = 'k'
  const lost: Operation = { ...created, facts: { user: 'ann' }, told: 'unknown', status: 0 }
  const away: Operation = { ...lost, told: 'refused', status: 424, problem: 'neighbour-unavailable' }
  the.history.push(lost)
  Object.assign(created, { begunMs: AFTER_MS, endedMs: AFTER_MS + 5 })
  for (const [begunMs, names] of [
    [lost.begunMs, []],
    [lost.endedMs + 100, ['key-answered-otherwise']],
  ] as const) {
    const one = { ...the, history: [...the.history, { ...away, begunMs, endedMs: begunMs + 10 }] }
    t.deepEqual(namesOf(one), names)
  }
})

test('takes "locked" for no answer of a moment at which the order was paid, under a key neither', (t) => {
  const locked = { status: 423, problem: 'locked', told: 'refused' } as const
  const the = sound()
  Object.assign(repeatedLate(the, 'checkout', 0), locked)
  t.deepEqual(namesOf(the), ['unjustified-refusal'])
  const keyed = sound()
  operation(keyed, 'checkout', 0).idempotencyKey = 'k'
  Object.assign(repeatedLate(keyed, 'checkout', 0), locked)
  t.deepEqual(namesOf(keyed), ['key-answered-otherwise', 'unjustified-refusal'])
})

test('takes "held" for no answer of a wallet of which enough is free', (t) => {
  const the = sound()
  Object.assign(repeatedLate(the, 'pay', 1), { status: 423, problem: 'credit-held', told: 'refused' })
  t.deepEqual(namesOf(the), ['unjustified-refusal'])
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
