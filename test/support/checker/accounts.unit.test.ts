/** What an account makes of a log whose Redis has forgotten who is spoken of. */
import test from 'ava'
import type { LogEntry } from '../../../shared/log/entry.ts'
import { closing, orderAccount, payAccount, stockAccount } from './accounts.ts'

const logOf = (...kinds: readonly string[]): readonly LogEntry[] =>
  kinds.map((kind, index) => ({
    id: `${index + 1}-0`,
    at: '',
    kind,
    version: '1',
    log_id: 'it',
    facts: { order: 'cart', user: 'anna', total: '4' },
  }))

test('what was never held of an unknown customer makes no wallet when it is released', (t) => {
  for (const kinds of [['CreditReleased'], ['CreditRefused', 'CreditReleased']]) {
    const { timelines, faults } = payAccount(logOf(...kinds), { lossy: true })
    t.deepEqual([[...timelines], faults], [[], []], kinds.join())
  }
})

test('a hold in an unknown wallet is beyond its credit', (t) => {
  const { faults } = payAccount(logOf('CreditHeld', 'CreditReleased'), { lossy: true })
  t.deepEqual(
    faults.map(({ name, about }) => [name, about]),
    [['held-beyond-credit', 'user:anna']],
  )
})

test('a refusal of goods that stock does not know makes no shelf', (t) => {
  const refused = logOf('StockRefused').map((entry) => ({ ...entry, facts: { order: 'cart', item: 'tea' } }))
  const { timelines, faults } = stockAccount(refused, new Map([['it', 'tea:1']]))
  t.deepEqual([[...timelines], faults], [[], []])
})

test('what was there when its checkout was taken did not leave the shelf', (t) => {
  const facts = { order: 'cart', lines: 'tea:2', restock: 'shelf' }
  const said = [
    { log_id: 'r1', kind: 'StockRestocked', facts: { ...facts, lines: 'tea:1', before: 'tea:1' } },
    { log_id: 'it', kind: 'StockTaken', facts: { ...facts, there: 'tea:1' } },
    { log_id: 'it', kind: 'StockReturned', facts: { ...facts, before: 'tea:1' } },
  ].map((entry, index) => ({ ...entry, id: `${index + 1}-0`, at: '', version: '1' }))
  const account = stockAccount([...added, ...said], new Map())
  t.deepEqual(account.faults, [])
  t.deepEqual(
    account.timelines.get('item:tea')?.map(({ state }) => state.stock),
    [5, 4, 5],
  )
})

test('no more of an order comes back onto the shelf than was taken for it', (t) => {
  const log = (before: string): readonly LogEntry[] =>
    (
      [
        ['StockTaken', 'it', {}],
        ['StockRestocked', 'r1', { lines: 'tea:1' }],
        ['StockReturned', 'it', { before }],
      ] as const
    ).map(([kind, log_id, facts], index) => ({
      id: `${index + 1}-0`,
      at: '',
      kind,
      version: '1',
      log_id,
      facts: { order: 'cart', lines: 'tea:2', ...facts },
    }))
  t.deepEqual(stockAccount([...added, ...log('tea:1')], new Map()).faults, [])
  const { faults } = stockAccount([...added, ...log('')], new Map())
  t.deepEqual(
    faults.map(({ says }) => says),
    ['1 more of tea came back than was taken'],
  )
})
const added: readonly LogEntry[] = [
  { id: '0-1', at: '', kind: 'StockAdded', version: '1', log_id: 'a', facts: { item: 'tea', amount: '5' } },
]

const CHANGED = {
  order: 'cart',
  user: 'anna',
  total: '6',
  lines: 'cup:2',
  costs: 'cup:6',
  order_version: '1700000000000',
}
const orderLog = (...said: readonly (readonly [kind: string, facts: Record<string, string>])[]): readonly LogEntry[] =>
  said.map(([kind, facts], index) => ({
    ...{ id: `${index + 1}-0`, at: '', kind, version: '1' },
    ...{ log_id: `l${index}`, facts: { order: 'cart', user: 'anna', ...facts } },
  }))
const PLACED = ['OrderPlaced', { total: '4', lines: 'tea:1', costs: 'tea:4' }] as const

test('an order is what it was changed to, and a checkout charges that', (t) => {
  const begun = ['CheckoutStarted', { total: '6', lines: 'cup:2', deadline: '1700000000000' }] as const
  const account = orderAccount(orderLog(PLACED, ['OrderChanged', CHANGED], begun))
  t.deepEqual(account.faults, [])
  t.like(closing(account).get('order:cart'), { status: 'checking-out', total: 6, lines: 'cup:2' })
  const { faults } = orderAccount(orderLog(PLACED, begun))
  t.deepEqual(
    faults.map(({ name }) => name),
    ['charged-otherwise'],
  )
})

test('an order over a value goes back as a whole, and once', (t) => {
  const value = { total: '4', lines: '' }
  const placed = ['OrderPlaced', { ...value, costs: '' }] as const
  const begun = ['CheckoutStarted', { ...value, deadline: '1700000000000' }] as const
  const refunded = (total: string) => ['RefundGranted', { total, lines: '', restock: 'shelf' }] as const
  const faultsOf = (...refunds: readonly ReturnType<typeof refunded>[]): readonly string[] => {
    const [first, second, ...others] = orderLog(placed, begun, ...refunds)
    if (first === undefined || second === undefined) return t.fail() || []
    const paid = { ...second, id: '2-1', kind: 'OrderPaid' }
    return orderAccount([first, second, paid, ...others]).faults.map(({ name }) => name)
  }
  t.deepEqual(faultsOf(refunded('4')), [])
  t.deepEqual(faultsOf(refunded('3')), ['refunded-otherwise'])
  t.deepEqual(faultsOf(refunded('4'), refunded('4')), ['refunded-otherwise'])
})

test('what is not open is not changed, nor what is unknown', (t) => {
  const begun = ['CheckoutStarted', { total: '4', lines: 'tea:1', deadline: '1700000000000' }] as const
  for (const before of [[PLACED, begun], []])
    t.deepEqual(
      orderAccount(orderLog(...before, ['OrderChanged', CHANGED])).faults.map(({ name, about }) => [name, about]),
      [['changed-while-closed', 'order:cart']],
    )
})

test('an order does not follow a checkout that it has forgotten, unless that is under way again, or paid', (t) => {
  const faultsOf = (...kinds: readonly string[]): readonly string[] => {
    const said = kinds.map((kind) => [kind, { total: '6', lines: 'cup:2', deadline: '1700000000000' }] as const)
    const [placed, ...others] = orderLog(PLACED, ...said, ['OrderChanged', CHANGED])
    const log = others.map((entry) => (entry.kind === 'OrderChanged' ? entry : { ...entry, log_id: 'it' }))
    return orderAccount(placed ? [placed, ...log] : [], new Map([['it', 'cup:2']])).faults.map(({ name }) => name)
  }
  t.deepEqual(faultsOf('CheckoutFailed', 'CheckoutCancelled'), [])
  t.deepEqual(faultsOf('CheckoutCancelled'), [])
  t.deepEqual(faultsOf('CheckoutStarted'), ['changed-while-closed'])
})

test('a checkout that is contradicted and otherwise forgotten has failed, until it is learned what it was', (t) => {
  const readOf = (...kinds: readonly string[]) => {
    const said = kinds.map(
      (kind) => [kind, { total: '6', lines: 'cup:2', deadline: '1700000000000', by: 'told-paid' }] as const,
    )
    const [placed, ...others] = orderLog(PLACED, ...said)
    const log = others.map((entry) => ({ ...entry, log_id: 'it' }))
    const { sagas, faults } = orderAccount(placed ? [placed, ...log] : [], new Map([['it', 'cup:2']]))
    return [sagas.get('it')?.state, ...faults.map(({ name }) => name)]
  }
  t.deepEqual(readOf('CheckoutContradicted'), ['failed'])
  t.deepEqual(readOf('CheckoutContradicted', 'OrderPaid'), ['paid'])
  t.deepEqual(readOf('CheckoutFailed', 'CheckoutContradicted'), ['failed'])
  t.deepEqual(readOf('CheckoutFailed', 'CheckoutContradicted', 'OrderPaid'), ['paid', 'impossible-move'])
})

test('an answer is repeated with its document, or with one of a later series, issued anew', (t) => {
  const repeatedWith = (invoice: string) => {
    const [held, first, again] = logOf('CreditHeld', 'CreditCaptured', 'CreditCaptured')
    const named = [
      [first, 'I1-7'],
      [again, invoice],
    ] as const
    const said = named.flatMap(([entry, number]) =>
      entry ? [{ ...entry, facts: { ...entry.facts, invoice: number } }] : [],
    )
    return payAccount(held ? [held, ...said] : [], { lossy: true }).faults.filter(
      ({ name }) => name === 'repeated-otherwise',
    ).length
  }
  t.deepEqual(['I1-7', 'I2-1', 'I1-8'].map(repeatedWith), [0, 0, 1])
})

test('a refund of nothing has a credit note only if it is not known as that of an amendment any more', (t) => {
  const settledWith = (total: string) => {
    const facts = { order: 'o', user: 'u', total, lines: 'i:1' }
    const entry = { id: '1-0', at: '', kind: 'RefundSettled', version: '1', log_id: 's-back' }
    const said = [
      { ...entry, facts },
      { ...entry, id: '2-0', facts: { ...facts, note: 'C7-1' } },
    ]
    return payAccount(said, { lossy: true }).faults.filter(({ name }) => name === 'repeated-otherwise').length
  }
  t.deepEqual(['0', '4'].map(settledWith), [0, 1])
})
