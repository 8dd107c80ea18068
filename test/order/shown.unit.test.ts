/** What an order shows, of all that may be recorded of it, and of what an older version has not recorded. */
import test from 'ava'
import { headersOf, type OrderRecord, shownOf } from '../../order/shown.ts'

const open: OrderRecord = {
  order: 'cart',
  user: 'anna',
  status: 'open',
  total: '37',
  lines: 'tea:2,cup:1',
  costs: 'tea:30,cup:7',
  number: '1042',
  version: '3',
  at: '1700000000000',
  updated: '1700000000001',
  saga: undefined,
  state: undefined,
  reason: undefined,
  item: undefined,
}
const THEN = 1_700_000_000_000
const before = { costs: undefined, number: undefined, version: undefined, at: undefined, updated: undefined }

test('an order shows all that is recorded of it', (t) => {
  t.deepEqual(shownOf(open), {
    order_id: 'cart',
    number: 1042,
    version: 3,
    lines_version: null,
    user_id: 'anna',
    status: 'open',
    payment_status: 'unpaid',
    total_cost: 37,
    paid: false,
    items: [
      ['tea', 2],
      ['cup', 1],
    ],
    lines: [
      { item_id: 'tea', quantity: 2, cost: 30, returned: 0, refunded: 0 },
      { item_id: 'cup', quantity: 1, cost: 7, returned: 0, refunded: 0 },
    ],
    paid_amount: 0,
    refunded_amount: 0,
    method: null,
    installments: null,
    plan: null,
    invoice: null,
    credit_notes: [],
    checkout: null,
    amendment: null,
    created_at: '2023-11-14T22:13:20.000Z',
    updated_at: '2023-11-14T22:13:20.001Z',
  })
})

test('an invoice over nothing is credited once all pieces are back', (t) => {
  const given = { ...open, status: 'paid', total: '0', costs: 'tea:0,cup:0', refunded: '0', invoices: 'I1-17:0' }
  const statusOf = (returned: string, notes: string) => shownOf({ ...given, returned, notes }).invoice?.status
  t.is(statusOf('', ''), 'issued')
  t.is(statusOf('tea:1', 'C1-3:0'), 'partly-credited')
  t.is(statusOf('tea:2,cup:1', 'C1-3:0,C1-4:0'), 'credited')
})

test('a paid order shows its invoice, how much of it was credited, and which number payment has lost', (t) => {
  const paid = { ...open, status: 'paid', invoices: 'I1-17:37' }
  const invoice = { number: 'I1-17', status: 'issued', total: 37, order_version: null, replaces: [] }
  t.deepEqual(shownOf(paid).invoice, invoice)
  const partly = shownOf({ ...paid, notes: 'C1-3:5,C1-4:31' })
  t.deepEqual([partly.invoice, partly.credit_notes], [{ ...invoice, status: 'partly-credited' }, ['C1-3', 'C1-4']])
  t.deepEqual(shownOf({ ...paid, notes: 'C1-3:37' }).invoice, { ...invoice, status: 'credited' })
  // Of one that was changed the last invoice is shown: all of them count.
  const supplemented = { ...paid, invoices: 'I1-17:37,I1-20:3', notes: 'C1-3:37' }
  t.deepEqual(shownOf(supplemented).invoice, {
    number: 'I1-20',
    status: 'partly-credited',
    total: 3,
    order_version: null,
    replaces: [],
  })
  const anew = shownOf({ ...paid, invoices: 'I3-1:37', replaced: 'I1-17:37,I2-2:37' })
  t.deepEqual(anew.invoice, {
    number: 'I3-1',
    status: 'issued',
    total: 37,
    order_version: null,
    replaces: ['I1-17', 'I2-2'],
  })
})

test('an order that is not paid shows the draft of its invoice, and whether that is whole by its ETag', (t) => {
  const drafted = { ...open, billed: '3', draft: '3:37' }
  const draft = { number: null, status: 'draft', total: 37, order_version: 3, replaces: [] }
  t.like(shownOf(drafted), { version: 3, lines_version: 3, invoice: draft })
  t.deepEqual(shownOf({ ...drafted, status: 'expired' }).invoice, { ...draft, status: 'void' })
  const etag = (record: OrderRecord) => headersOf(shownOf(record)).ETag
  t.is(etag(drafted), '"3"')
  t.is(etag({ ...drafted, version: '4' }), '"4"')
  t.is(etag({ ...drafted, version: '4', billed: '4' }), '"4+"')
  t.is(etag({ ...open, billed: '3' }), '"3+"')
  t.is(etag(open), '"3"')
  // What was captured for it before was given back.
  t.deepEqual(shownOf({ ...drafted, invoices: 'I1-17:37', notes: 'C1-3:37' }).invoice, draft)
  const paid = { ...drafted, status: 'paid', invoices: 'I1-17:37' }
  t.deepEqual(shownOf(paid).invoice, { ...draft, number: 'I1-17', status: 'issued' })
  t.is(etag({ ...paid, draft: undefined }), '"3"')
})

const LINE = { item_id: 'tea', quantity: 2, cost: 30 }
const CUP = { item_id: 'cup', quantity: 3, cost: 10 }
const paid: OrderRecord = { ...open, status: 'paid', total: '40', lines: 'tea:2,cup:3', costs: 'tea:30,cup:10' }
for (const [returned, refunded, payment_status, lines] of [
  [
    undefined,
    undefined,
    'paid',
    [
      { ...LINE, returned: 0, refunded: 0 },
      { ...CUP, returned: 0, refunded: 0 },
    ],
  ],
  [
    'cup:2',
    '6',
    'partially-refunded',
    [
      { ...LINE, returned: 0, refunded: 0 },
      { ...CUP, returned: 2, refunded: 6 },
    ],
  ],
  [
    'tea:2,cup:3',
    '40',
    'refunded',
    [
      { ...LINE, returned: 2, refunded: 30 },
      { ...CUP, returned: 3, refunded: 10 },
    ],
  ],
] as const)
  test(`a paid order of which ${returned ?? 'nothing'} went back is ${payment_status}`, (t) => {
    const shown = shownOf({ ...paid, returned, refunded })
    t.like(shown, { payment_status, paid_amount: 40, refunded_amount: Number(refunded ?? 0), paid: true })
    t.deepEqual(shown.lines, lines)
  })

test('what a line has cost that went back may be unknown, as may be that it was paid at all', (t) => {
  const { lines, payment_status } = shownOf({ ...paid, costs: undefined, returned: 'tea:2,cup:3', refunded: '40' })
  t.deepEqual([payment_status, lines[0]?.refunded], ['refunded', null])
  const cancelled = shownOf({ ...paid, status: 'cancelled', returned: 'tea:2,cup:3', refunded: '40' })
  t.like(cancelled, { paid: false, payment_status: 'refunded', paid_amount: 40, refunded_amount: 40 })
  t.like(shownOf({ ...paid, status: 'cancelled' }), { payment_status: 'unpaid', paid_amount: 0 })
})

test('an order that says how it is to be paid shows what is due with each instalment', (t) => {
  const { method, installments, plan } = shownOf({ ...open, method: 'credit_card', installments: '3' })
  t.deepEqual([method, installments, plan], ['credit_card', 3, [13, 12, 12]])
  const refunded = shownOf({
    ...open,
    status: 'paid',
    method: 'credit_card',
    installments: '3',
    returned: 'tea:1',
    refunded: '15',
  })
  t.deepEqual(refunded.plan, [13, 9, 0], 'a refund reduces the last ones first')
})

test('an order over a value has no lines, and is paid or refunded as a whole', (t) => {
  const value = { ...open, status: 'paid', total: '1000', lines: '', costs: '' }
  t.like(shownOf(value), { lines: [], items: [], payment_status: 'paid', paid_amount: 1000, refunded_amount: 0 })
  t.like(shownOf({ ...value, returned: '', refunded: '1000' }), { payment_status: 'refunded', refunded_amount: 1000 })
})

test('an order that never changed was changed last when it was made, and is in its first version', (t) => {
  const { version, created_at, updated_at } = shownOf({ ...open, version: undefined, updated: undefined })
  t.deepEqual([version, created_at, updated_at], [1, '2023-11-14T22:13:20.000Z', '2023-11-14T22:13:20.000Z'])
})

test('an order was changed when its version says, or when is recorded beside one that is a count', (t) => {
  const changed = (recorded: Partial<OrderRecord>) => shownOf({ ...open, ...recorded }).updated_at
  const shown = (ms: number) => new Date(ms).toISOString()
  t.is(changed({ version: String(THEN + 5), updated: undefined }), shown(THEN + 5))
  t.is(changed({ version: String(THEN + 5), updated: String(THEN + 1) }), shown(THEN + 5))
  t.is(changed({ version: '7', updated: String(THEN + 1) }), shown(THEN + 1))
  t.is(changed({ version: String(THEN), at: undefined, updated: undefined }), shown(THEN))
})

test('what an older version has not recorded is null', (t) => {
  const { number, version, lines, created_at, updated_at } = shownOf({ ...open, ...before })
  t.deepEqual([number, version, created_at, updated_at], [null, 1, null, null])
  t.deepEqual(
    lines.map(({ cost }) => cost),
    [null, null],
  )
  t.deepEqual(
    shownOf({ ...open, costs: 'cup:7' }).lines.map(({ cost }) => cost),
    [null, 7],
  )
})

test('an order is paid in full, or not at all', (t) => {
  const paid = shownOf({ ...open, status: 'paid', saga: 'it', state: 'paid' })
  t.deepEqual([paid.paid, paid.payment_status, paid.paid_amount], [true, 'paid', 37])
  const cancelling = shownOf({ ...open, status: 'cancelling', saga: 'it', state: 'cancelling' })
  t.deepEqual([cancelling.paid, cancelling.payment_status, cancelling.paid_amount], [false, 'unpaid', 0])
})

const CHECKOUTS: readonly (readonly [what: string, recorded: Partial<OrderRecord>, shown: object | null])[] = [
  [
    'under way',
    { status: 'checking-out', state: 'checking-out' },
    { state: 'checking-out', reason: null, item_id: null },
  ],
  ['paid', { status: 'paid', state: 'paid' }, { state: 'paid', reason: null, item_id: null }],
  [
    'refused for want of stock',
    { state: 'failed', reason: 'out-of-stock', item: 'tea' },
    { state: 'failed', reason: 'out-of-stock', item_id: 'tea' },
  ],
  [
    'refused for want of credit',
    { state: 'failed', reason: 'out-of-credit', item: '' },
    { state: 'failed', reason: 'out-of-credit', item_id: null },
  ],
  [
    'cancelled at its deadline',
    { status: 'cancelling', state: 'cancelling', reason: 'deadline' },
    { state: 'cancelling', reason: 'deadline', item_id: null },
  ],
  [
    'cancelled by an operator',
    { state: 'closed', reason: 'operator' },
    { state: 'closed', reason: 'operator', item_id: null },
  ],
  ['paid so long ago that nothing is recorded', { status: 'paid' }, { state: 'paid', reason: null, item_id: null }],
  ['refused so long ago that nothing is recorded', {}, null],
]
for (const [what, recorded, shown] of CHECKOUTS)
  test(`the last checkout of an order is ${what}`, (t) => {
    const { checkout } = shownOf({ ...open, saga: 'it', ...recorded })
    t.deepEqual(checkout, shown && { log_id: 'it', ...shown })
  })
