/**
 * The checker must be able to fail: a small sound case, of which every test changes some words.
 *
 * The case is a text (`sound.txt`). The table of breakages has a row for each name that an anomaly may have: the types see
 * to it.
 */
import { readFileSync } from 'node:fs'
import test from 'ava'
import { ANOMALIES, type AnomalyName } from './anomaly.ts'
import { type Case, type Change, caseOf, changed } from './case.ts'
import { anomalies, excused } from './checker.ts'
import { toldBy } from './history.ts'

const SOUND = readFileSync(new URL('sound.txt', import.meta.url), 'utf8')
const changedBy = (...changes: readonly Change[]): Case => caseOf(changed(SOUND, changes))

const foundIn = ({ history, evidence }: Case): readonly string[] =>
  anomalies(history, evidence).map(({ name, about }) => `${name} of ${about}`)
const excusedIn = ({ history, evidence }: Case): readonly string[] =>
  excused(history, evidence).map(({ name, about }) => `${name} of ${about}`)

test('finds nothing in a sound case', (t) => {
  t.deepEqual(foundIn(changedBy()), [])
})

/** What is found in the sound case, and after which changes. Requests from 10,000 on come when all is over. */
const BREAKAGES: Readonly<Record<AnomalyName, readonly [about: string, ...Change[]]>> = {
  'money-not-conserved': ['log:payment', ['user:ann credit=5', 'user:ann credit=6']],
  'goods-not-conserved': ['log:stock', ['item:ink stock=0', 'item:ink stock=1']],
  misposted: ['ledger:payment', ['charged=7', 'charged=8']],
  misdocumented: ['log:payment', ['invoiced=13', 'invoiced=14']],
  misdrafted: ['order:late', ['draft:late state=draft version=1', 'draft:late state=draft version=2']],
  negative: ['item:pen', ['find-item item=pen -> 200 stock=3', 'find-item item=pen -> 200 stock=-1']],
  'held-beyond-credit': [
    'user:ann',
    ['CreditHeld order=bought user=ann total=4', 'CreditHeld order=bought user=ann total=11'],
  ],
  'paid-twice': ['order:bought', ['order saga:s2 state=failed order=dear', 'order saga:s2 state=paid order=bought']],
  'half-a-checkout': ['order:dear', ['payment saga:s2 state=refused', 'payment saga:s2 state=captured']],
  'half-a-refund': ['order:gift', ['stock saga:r1 state=restocked', 'stock saga:r1 state=written-off']],
  'refunded-otherwise': [
    'order:gift',
    ['order r2 RefundGranted order=gift user=bob total=3', 'order r2 RefundGranted order=gift user=bob total=4'],
  ],
  'charged-otherwise': [
    'order:bought',
    ['state=captured order=bought user=ann total=4', 'state=captured order=bought user=ann total=3'],
  ],
  'priced-otherwise': [
    'order:late',
    ['order=late item=pen quantity=1 price=2', 'order=late item=pen quantity=1 price=3'],
  ],
  'status-untrue': ['order:late', ['order:late status=open', 'order:late status=paid']],
  'told-paid-untrue': ['order:dear', ['checkout order=dear -> 402 out-of-credit', 'checkout order=dear -> 200']],
  'refusal-became-payment': ['order:bought', ['checkout order=bought', 'checkout order=bought -> 423 locked']],
  'told-end-untrue': ['order:dear', '10000-10005 find-checkout order=dear -> 200 saga=s2 state=paid'],
  'tried-again': ['order:dear', '0-10 place-form user=ann order=dear -> 200'],
  'changed-twice': [
    'order:late',
    '10000-10010 change order=late from=1 lines=[] -> 200 version=8',
    '10000-10010 change order=late from=1 lines=[] -> 200 version=9',
  ],
  'changed-otherwise': [
    'order:late',
    '10000-10010 change order=late from=1 lines=[{"item_id":"pen","quantity":2}] -> 200 version=8',
    '  10005 order c1 OrderChanged order=late user=ann total=6 lines=pen:3 costs=pen:6 order_version=8',
  ],
  'checkout-unasked': ['order:dear', ['checkout order=dear', '100-150 checkout order=dear']],
  'unjustified-refusal': ['user:ann', ['pay user=ann amount=7', 'pay user=ann amount=6']],
  'stale-answer': ['user:ann', ['find-user user=ann -> 200 credit=6', 'find-user user=ann -> 200 credit=10']],
  'key-answered-otherwise': [
    'user:ann',
    ['pay user=ann amount=7', 'pay user=ann amount=7 key=k'],
    '10000-10005 pay user=ann amount=7 key=k -> 200',
  ],
  'identifier-given-twice': ['user:ann', '10000-10005 create-user user=ann'],
  'action-lost': ['user:ann', '10000-10005 add-funds user=ann amount=10'],
  'action-unasked': ['item:pen', ['add item=pen amount=5', 'add item=pen amount=5 -> 404 no-such-item']],
  'changed-while-closed': ['order:bought', '  10015 order l9 LineAdded order=bought item=pen quantity=1 price=2'],
  'log-not-contiguous': ['log:stock', ['stock misses 0', 'stock misses 1']],
  'logged-twice': ['saga:p2', '  10015 payment p2 FundsAdded user=ann amount=10'],
  'impossible-move': ['saga:s2', ['payment s2 CreditRefused', 'payment s2 CreditCaptured']],
  'repeated-otherwise': ['saga:s3', '  10015 stock s3 StockRefused order=scarce item=pen'],
  'record-not-logged': ['saga:s1', ['stock saga:s1 state=taken', 'stock saga:s1 entries= state=taken']],
  'replay-differs': ['item:pen', ['item:pen stock=2 price=2', 'item:pen stock=2 price=3']],
  'lock-left': ['order:late', 'lock order:late'],
  'hold-left': ['user:ann', ['user:ann credit=5 held=0', 'user:ann credit=5 held=2']],
  'checkout-open': ['saga:s4', 'open order s4'],
  unapplied: ['log:payment', ['stock reads payment: behind=0', 'stock reads payment: behind=1']],
  'cursor-ahead': ['log:order', ['payment reads order: behind=0', 'payment reads order: behind=-1']],
  'dead-letter': ['dead:stock', 'dead stock it has no kind'],
  contradicted: ['order:bought', 'contradicted bought'],
}

for (const [name, [about, ...changes]] of Object.entries(BREAKAGES))
  test(`finds ${name}: ${ANOMALIES[name as AnomalyName]}`, (t) => {
    const found = foundIn(changedBy(...changes))
    t.true(found.includes(`${name} of ${about}`), found.join('\n'))
  })

for (const [what, name, ...changes] of [
  [
    'a checkout that was submitted and never decided',
    'told-end-untrue',
    '10000-10005 submit order=late -> ? 202 saga=s9 state=submitted deadline=1970-01-01T00:00:20Z',
  ],
  [
    'a checkout that was decided too late',
    'told-end-untrue',
    '4600-4640 submit order=late -> ? 202 saga=s4 state=submitted deadline=1969-12-31T23:00:00Z',
  ],
  [
    'a change that was acknowledged and is not there',
    'action-lost',
    '10000-10010 change order=late from=1 lines=[] -> 200 version=8',
  ],
  [
    'a change of a version that was never made',
    'changed-otherwise',
    '10000-10010 change order=late from=1 lines=[] -> 200 version=8',
  ],
  [
    'an order that is shown to form clients as it is not',
    'stale-answer',
    '10000-10010 find-form order=bought -> 200 user=ann total=4 form=PROCESSING',
  ],
  [
    'a checkout that is shown as it is not',
    'stale-answer',
    '10000-10010 find-checkout order=bought -> 200 saga=s1 state=refused',
  ],
  ['an order that does not show a refund', 'half-a-refund', ['refunded=6', 'refunded=3']],
  [
    'a refund that payment has not concluded',
    'half-a-refund',
    ['payment saga:r2 state=concluded', 'payment saga:r2 state=refunded'],
  ],
  [
    'an order that was cancelled when nobody asked for it',
    'action-unasked',
    ['cancel order=dropped', '100-150 cancel order=dropped'],
  ],
  ['an order without its draft', 'misdrafted', ['payment draft:late', 'payment draft:early']],
  [
    'a draft over another amount',
    'misdrafted',
    ['draft:late state=draft version=1 user=ann total=2', 'draft:late state=draft version=1 user=ann total=3'],
  ],
  ['an order that does not know its draft', 'misdrafted', ['draft=1:2', 'draft=1:3']],
  ['a draft of an order that is unknown', 'misdrafted', ['draft:forgotten state=void', 'draft:forgotten state=draft']],
  ['a gap in a series', 'misdocumented', ['payment series:I1 last=2', 'payment series:I1 last=3']],
  [
    'a document over another amount',
    'misdocumented',
    ['I1-1 log_id=s1 order=bought user=ann total=4', 'I1-1 log_id=s1 order=bought user=ann total=5'],
  ],
  ['captured money without an invoice', 'misdocumented', [' total=4 invoice=I1-1', ' total=4']],
  ['a refund without a credit note', 'misdocumented', [' note=C1-2', '']],
  ['a document of another movement', 'misdocumented', ['C1-2 log_id=r2', 'C1-2 log_id=r1']],
  [
    'a number of which there is no document',
    'misdocumented',
    '  10015 payment s9 CreditVoided order=bought user=ann total=1 note=C1-3',
  ],
  ['one document of two movements', 'misdocumented', ['note=C1-2', 'note=C1-1']],
  [
    'an invoice that is credited beyond what it says',
    'misdocumented',
    [
      'C1-1 log_id=r1 order=gift user=bob total=3 credits=I1-2',
      'C1-1 log_id=r1 order=gift user=bob total=3 credits=I1-1',
    ],
    [
      'C1-2 log_id=r2 order=gift user=bob total=3 credits=I1-2',
      'C1-2 log_id=r2 order=gift user=bob total=3 credits=I1-1',
    ],
  ],
  ['goods that are neither on a shelf nor written off', 'misposted', ['written-off=1', 'written-off=0']],
  [
    'more pieces back than were bought',
    'refunded-otherwise',
    [
      'RefundGranted order=gift user=bob total=3 lines=cap:1 restock=none',
      'RefundGranted order=gift user=bob total=9 lines=cap:3 restock=none',
    ],
  ],
] as const)
  test(`finds ${what}: ${name}`, (t) => {
    const found = foundIn(changedBy(...(changes as readonly Change[])))
    t.true(
      found.some((one) => one.startsWith(name)),
      found.join('\n'),
    )
  })

/** Ann asks for 3 more while somebody looks at what she has. */
const meanwhile = (answer: '200' | '?', credit: number): readonly Change[] => [
  `10000-10020 add-funds user=ann amount=3 -> ${answer}`,
  `10010-10030 find-user user=ann -> 200 credit=${credit}`,
]
/** And she has them. */
const ADDED: readonly Change[] = [
  '  10015 payment p9 FundsAdded user=ann amount=3',
  ['user:ann credit=5', 'user:ann credit=8'],
  ['ledger: added=19', 'ledger: added=22'],
  ['seeded credit=19', 'seeded credit=22'],
]
/** The checkout `s4` takes its pen, and its money is captured, at 4,650; both come back a second later. */
const GONE_FOR_A_SECOND: readonly Change[] = [
  ['checkout order=late', '4600-5640 checkout order=late'],
  ['  order s4 CheckoutCancelled', '  5600 order s4 CheckoutCancelled'],
  [
    '  payment s4 CreditReleased order=late user=ann total=2',
    '  payment s4 CreditCaptured order=late user=ann total=2 invoice=I1-3',
  ],
  '  5650 payment s4 CreditReleased order=late user=ann total=2 note=C1-3',
  'payment document:I1-3 log_id=s4 order=late user=ann total=2',
  'payment document:C1-3 log_id=s4 order=late user=ann total=2',
  ['payment series:I1 last=2', 'payment series:I1 last=3'],
  ['payment series:C1 last=2', 'payment series:C1 last=3'],
  ['invoiced=13 credited=6', 'invoiced=15 credited=8'],
  ['  stock s4 StockReturned', '  5650 stock s4 StockReturned'],
  ['  order s4 CheckoutClosed', '  5600 order s4 CheckoutClosed'],
  ['find-user user=ann -> 200 credit=5', '6000-6010 find-user user=ann -> 200 credit=5'],
]
/** The same of a checkout that was refused in the end, not cancelled. */
const REFUSED_AFTER_A_SECOND: readonly Change[] = [
  ...GONE_FOR_A_SECOND,
  ['order s4 CheckoutCancelled', 'order s4 CheckoutFailed'],
  ['order s4 CheckoutClosed', 'order s4 CheckoutFailed'],
]
/** Another checkout is refused while the pen is gone. */
const WANTS_THE_SAME: readonly Change[] = [
  '  5000 order s5 CheckoutStarted order=other user=ann total=0 lines=pen:2',
  '  5000 order s5 CheckoutFailed order=other user=ann total=0 reason=out-of-stock item=pen',
  '  5000 stock s5 StockRefused order=other item=pen',
]
const LOOKS_MEANWHILE: readonly Change[] = [
  '5000-5010 find-item item=pen -> 200 stock=1 price=2',
  '5000-5010 find-user user=ann -> 200 credit=3',
]
const KEYED_LINE: Change = [
  'add-item order=bought item=pen quantity=2',
  'add-item order=bought item=pen quantity=2 key=k letter=2-of-pen',
]
const KEYED_ORDER: Change = [
  'create-order user=ann order=bought',
  '10000-10005 create-order user=ann order=bought key=k',
]

type Row = {
  readonly where?: string
  readonly changes: readonly Change[]
  /** All that is found, by name. */
  readonly found?: readonly string[]
  /** What is found among other things. */
  readonly among?: readonly string[]
  /** What is not found, as one would think. */
  readonly without?: string
  /** What would be found, but for a checkout that was cancelled meanwhile. */
  readonly excused?: readonly string[]
}

const RULES: Readonly<Record<string, readonly Row[]>> = {
  'lets a read see or miss what is done while it lasts': [
    { changes: [...meanwhile('200', 5), ...ADDED], found: [] },
    { changes: [...meanwhile('200', 8), ...ADDED], found: [] },
  ],
  'lets what is unknown be done or not': [
    { changes: [...meanwhile('?', 8), ...ADDED], found: [] },
    { changes: meanwhile('?', 5), found: [] },
  ],
  'lets nobody miss what somebody saw before': [
    {
      changes: [...meanwhile('?', 8), ...ADDED, '10031-10040 find-user user=ann -> 200 credit=5'],
      found: ['stale-answer'],
    },
  ],
  'lets nobody see what is asked for only later': [
    {
      changes: [...meanwhile('200', 8), ...ADDED, '9900-9910 find-user user=ann -> 200 credit=8'],
      found: ['stale-answer'],
    },
  ],
  'takes no refusal that was justified only before the request began': [
    {
      changes: [...meanwhile('200', 8), ...ADDED, '10100-10110 checkout order=dear -> 402 out-of-credit'],
      found: ['unjustified-refusal'],
    },
  ],
  'excuses an acknowledged action that is listed as lost, and no other': [
    { changes: ['lossy', ...meanwhile('200', 8)], found: ['action-lost'] },
    { changes: ['lossy', ...meanwhile('200', 8), 'lost p9 FundsAdded user=ann amount=3'], found: [] },
    {
      changes: [
        'lossy',
        ...meanwhile('200', 8),
        'lost p9 FundsAdded user=ann amount=3',
        '10000-10005 add-funds user=ann amount=10',
      ],
      found: ['action-lost'],
    },
  ],
  'excuses what is listed after a Redis came back older, and nothing else': [
    {
      where: 'the money is still missing',
      changes: ['lossy', 'contradicted bought', ['payment saga:s1 state=captured', 'payment saga:s1 state=voided']],
      among: ['money-not-conserved of log:payment'],
      without: 'half-a-checkout of order:bought',
    },
  ],
  'excuses a refusal for want of what a checkout had that was then cancelled, until it is back': [
    {
      changes: [...GONE_FOR_A_SECOND, '5000-5010 pay user=ann amount=5 -> 402 out-of-credit'],
      found: [],
      excused: ['unjustified-refusal of user:ann'],
    },
    {
      changes: [...GONE_FOR_A_SECOND, '5000-5010 subtract item=pen amount=2 -> 409 out-of-stock'],
      found: [],
      excused: ['unjustified-refusal of item:pen'],
    },
    ...[4_400, 5_800].flatMap((atMs) =>
      ['pay user=ann amount=5 -> 402 out-of-credit', 'subtract item=pen amount=2 -> 409 out-of-stock'].map((asked) => ({
        where: 'it is asked before or after that',
        changes: [...GONE_FOR_A_SECOND, `${atMs}-${atMs + 10} ${asked}`],
        found: ['unjustified-refusal'],
      })),
    ),
  ],
  'excuses no refusal for want of what a checkout had that was refused': [
    {
      changes: [...REFUSED_AFTER_A_SECOND, '5000-5010 subtract item=pen amount=2 -> 409 out-of-stock'],
      among: ['unjustified-refusal of item:pen'],
      excused: [],
    },
  ],
  'excuses a checkout that was refused for want of the same, by the same rule': [
    { changes: [...GONE_FOR_A_SECOND, ...WANTS_THE_SAME], excused: ['unjustified-refusal of order:other'] },
    {
      changes: [...REFUSED_AFTER_A_SECOND, ...WANTS_THE_SAME],
      among: ['unjustified-refusal of order:other'],
      excused: [],
    },
  ],
  'lets a read see a sale and its return of a checkout that was cancelled, and of no other': [
    {
      changes: [...GONE_FOR_A_SECOND, ...LOOKS_MEANWHILE],
      found: [],
      excused: ['stale-answer of user:ann', 'stale-answer of item:pen'],
    },
    {
      changes: [...REFUSED_AFTER_A_SECOND, ...LOOKS_MEANWHILE],
      among: ['stale-answer of user:ann', 'stale-answer of item:pen'],
    },
  ],
  'finds a checkout that was paid although whoever can have begun it was refused, also if it is told 200 later': [
    ...['402 out-of-credit', '503 overloaded'].map((answer) => ({
      changes: [
        ['checkout order=bought', `checkout order=bought -> ${answer}`] as const,
        '10000-10010 checkout order=bought',
      ],
      among: ['refusal-became-payment of order:bought'],
    })),
    {
      changes: [
        ['checkout order=bought', 'checkout order=bought -> ? 503 unavailable'],
        '10000-10010 checkout order=bought',
      ],
      found: [],
    },
  ],
  'takes a checkout for begun by the request that was not refused, of two at once': [
    { changes: ['2600-2650 checkout order=bought -> 423 locked'], found: [] },
  ],
  'finds an answer that is untrue, and an identifier that is given twice, among others that are right': [
    { changes: ['10000-10010 checkout order=dear'], among: ['told-paid-untrue of order:dear'] },
    {
      changes: [['create-user user=ann', 'create-user user=ann key=k'], '10000-10005 create-user user=ann key=l'],
      among: ['identifier-given-twice of user:ann'],
    },
  ],
  'finds an action that was done after its request was refused, although it is asked for again': [
    {
      changes: [
        ['add-item order=bought', '1400-1450 add-item order=bought'],
        '200-300 add-item order=bought item=pen quantity=2 key=k -> 409 order-full',
      ],
      found: ['action-unasked'],
    },
    {
      where: 'it was done in the middle of the one that was refused',
      changes: [
        ['add-item order=bought', '1400-1450 add-item order=bought'],
        '1200-1300 add-item order=bought item=pen quantity=2 key=k -> 409 order-full',
      ],
      found: ['action-unasked'],
    },
  ],
  'finds a repetition under a key that is told otherwise, to the letter, or "not now" after it was done': [
    {
      changes: [KEYED_LINE, '10000-10005 add-item order=bought item=pen quantity=2 key=k letter=2-of-pen'],
      found: [],
    },
    {
      changes: [KEYED_LINE, '10000-10005 add-item order=bought item=pen quantity=2 key=k letter=3-of-pen'],
      found: ['key-answered-otherwise'],
    },
    {
      changes: [KEYED_LINE, '10000-10005 add-item order=bought item=pen quantity=2 key=k -> 424 neighbour-unavailable'],
      found: ['key-answered-otherwise'],
    },
    {
      where: 'before it was done that is true',
      changes: [KEYED_LINE, '0-10 add-item order=bought item=pen quantity=2 key=k -> 424 neighbour-unavailable'],
      found: [],
    },
    {
      where: 'the gateway keeps no keys',
      changes: [KEYED_LINE, '10000-10005 add-item order=bought item=pen quantity=2 key=k -> 503 overloaded'],
      found: [],
    },
  ],
  'finds "not now" to a creation that was done before, though its first answer was lost': [
    {
      changes: [
        KEYED_ORDER,
        '1000-1100 create-order user=ann key=k -> ?',
        '1000-1010 create-order user=ann key=k -> 424 neighbour-unavailable',
      ],
      found: [],
    },
    {
      changes: [
        KEYED_ORDER,
        '1000-1100 create-order user=ann key=k -> ?',
        '1200-1210 create-order user=ann key=k -> 424 neighbour-unavailable',
      ],
      found: ['key-answered-otherwise'],
    },
  ],
  'takes "locked" for no answer of a moment at which the order was paid, under a key neither': [
    { changes: ['10000-10005 checkout order=bought -> 423 locked'], found: ['unjustified-refusal'] },
    {
      changes: [
        ['checkout order=bought', 'checkout order=bought key=k'],
        '10000-10005 checkout order=bought key=k -> 423 locked',
      ],
      found: ['key-answered-otherwise', 'unjustified-refusal'],
    },
  ],
  'takes "held" for no answer of a wallet of which enough is free': [
    { changes: ['10000-10005 pay user=ann amount=1 -> 423 credit-held'], found: ['unjustified-refusal'] },
  ],
}

for (const [rule, rows] of Object.entries(RULES))
  test(rule, (t) => {
    for (const { where = '', changes, found, among = [], without = '', excused } of rows) {
      const the = changedBy(...changes)
      const all = foundIn(the)
      const names = all.map((one) => one.replace(/ of .*/, ''))
      if (found) t.deepEqual(names, found, where)
      for (const one of among) t.true(all.includes(one), `${where}\n${all.join('\n')}`)
      t.false(all.includes(without))
      if (excused) t.deepEqual(excusedIn(the).toSorted(), excused.toSorted(), where)
    }
  })

test('takes a 503 for a refusal if it says that nothing was done, else for nothing', (t) => {
  t.is(toldBy(503, { detail: 'too many requests wait for "order"; nothing was done, send it again later' }), 'refused')
  t.is(toldBy(503, { detail: 'the outcome cannot be known' }), 'unknown')
  t.is(toldBy(503), 'unknown')
  t.is(toldBy(408, { detail: 'nothing came' }), 'unknown')
})

test('a line costs what its item did when it was asked for, or came to cost until it was added', (t) => {
  const isFound = (...lines: readonly string[]): boolean =>
    foundIn(
      changedBy(
        '10000-10005 set-price item=pen price=3 -> 204',
        '  10002 stock i9 PriceChanged item=pen price=3 item_version=2',
        ...lines,
      ),
    ).includes('priced-otherwise of order:new')
  const placed = (price: number) =>
    `  10215 order o9 OrderPlaced order=new user=ann total=${2 * price} lines=pen:2 costs=pen:${2 * price}`
  t.true(isFound('10200-10220 place order=new user=ann lines=pen', placed(2)))
  t.false(isFound('10200-10220 place order=new user=ann lines=pen', placed(3)))
  const later = [
    '10300-10305 set-price item=pen price=4 -> 204',
    '  10302 stock i10 PriceChanged item=pen price=4 item_version=3',
  ]
  t.true(isFound('10200-10220 place order=new user=ann lines=pen', placed(4), ...later))
  t.false(isFound('9990-10220 place order=new user=ann lines=pen', placed(2)), 'it was asked for before')
  const keyed = 'place user=ann lines=pen key=k'
  t.false(isFound(`9990-10100 ${keyed} -> ?`, `10200-10220 ${keyed} order=new`, placed(2)), 'under its key before')
  t.true(isFound(`10100-10110 ${keyed} -> ?`, `10200-10220 ${keyed} order=new`, placed(2)), 'not so long before')
  const added = '  10215 order l9 LineAdded order=new item=pen quantity=1 price=2'
  t.true(isFound('10200-10220 add-item order=new item=pen quantity=1', added))
  t.false(isFound('9990-10220 add-item order=new item=pen quantity=1 -> ?', added))
  t.true(
    isFound(
      '9000-9005 place order=new user=ann lines=ink',
      '10200-10220 add-item order=new item=pen quantity=1',
      added,
    ),
  )
})

test('an order that is cancelled is not open again, nor shown so, and keeps nothing of what was paid', (t) => {
  const found = (...changes: readonly Change[]) => foundIn(changedBy(...changes)).join(', ')
  t.is(found(['order:dropped status=cancelled', 'order:dropped status=open']), 'replay-differs of order:dropped')
  t.is(found(['lines= status=cancelled paid=false', 'lines= status=open paid=false']), 'stale-answer of order:dropped')
  t.regex(
    found(['order r2 RefundGranted', 'order o7 OrderCancelled order=gift user=bob\n  order r2 RefundGranted']),
    /^impossible-move of order:gift/,
  )
  t.regex(
    found(['o6 OrderCancelled order=dropped', 'o6 OrderExpired order=dropped']),
    /^action-lost of order:dropped, unjustified-refusal of order:dropped/,
  )
})

test('a checkout that was withdrawn before it was begun is whole without the others, and no other is', (t) => {
  const isFound = (reason: string): boolean =>
    foundIn(
      changedBy(
        ['payment saga:s7 state=refused order=draft user=bob total=12 lines=cap:4', ''],
        ['order saga:s7 state=failed', `order saga:s7 reason=${reason} state=failed`],
      ),
    ).includes('half-a-checkout of order:draft')
  t.false(isFound('customer'))
  t.false(isFound('deadline'))
  t.true(isFound('out-of-credit'))
})
