import test from 'ava'
import { disagreement, showing, shownByLedger, shownOf, surplus, totals } from '../../../order/audit/totals.ts'

const spending = (spent: bigint) => ({ spent, accepted: 0n })
const NONE = { writtenOff: 0n }
const MOST = BigInt(Number.MAX_SAFE_INTEGER)

test('what was added is left, spent or in flight, at the moment of the cut', (t) => {
  // 100 were added, 10 charged when it was counted; 5 more added and 20 more charged until the cut, 15 of them in flight.
  const sums = totals(
    { left: 90n, added: 100n, gone: 10n, ...NONE },
    { added: 105n, gone: 30n, ...NONE },
    spending(15n),
    [7n, 8n],
  )
  t.deepEqual(sums, { added: 105n, left: 75n, spent: 15n, accepted: 0n, inFlight: 15n, ...NONE })
  t.is(surplus(sums), 0n)
})

test('a unit too much or too little anywhere is seen', (t) => {
  const balanced = { added: 13n, left: 5n, spent: 4n, accepted: 1n, inFlight: 2n, writtenOff: 3n }
  t.is(surplus(balanced), 0n)
  t.is(surplus({ ...balanced, added: 14n }), -1n)
  for (const name of ['left', 'spent', 'inFlight', 'writtenOff'] as const)
    t.is(surplus({ ...balanced, [name]: 6n }), 6n - balanced[name])
  t.is(surplus({ ...balanced, accepted: 0n }), 1n)
})

test('what order called paid before a peer applied it again is taken off, and sums beyond a number are exact', (t) => {
  const counted = { left: 4n * MOST, added: 4n * MOST, gone: 0n, ...NONE }
  const cut = { added: 4n * MOST, gone: 0n, ...NONE }
  t.is(surplus(totals(counted, cut, spending(7n), [-7n])), 0n)
  t.is(surplus(totals(counted, cut, spending(7n), [-6n])), 1n)
})

test('goods of a refund are in flight, then on the shelf or written off', (t) => {
  // Of 10 pieces 4 were sold, and 1 of these goes back.
  const counted = { left: 6n, added: 10n, gone: 4n, ...NONE }
  for (const [cut, inFlight] of [
    [{ added: 10n, gone: 4n, ...NONE }, 1n],
    [{ added: 10n, gone: 3n, ...NONE }, 0n],
    [{ added: 10n, gone: 4n, writtenOff: 1n }, 0n],
  ] as const) {
    t.is(surplus(totals(counted, cut, spending(3n), [inFlight])), 0n)
    t.is(surplus(totals(counted, cut, spending(3n), [1n - inFlight])), 1n - 2n * inFlight)
  }
})

test('an order is shown as paid with its money and pieces, as nothing, or as inconsistent', (t) => {
  t.deepEqual(shownOf(''), { paid: 0n, sold: 0n, inconsistent: false })
  t.deepEqual(shownOf('30 2+3'), { paid: 30n, sold: 5n, inconsistent: false })
  t.deepEqual(shownOf(`30 ${MOST}+${MOST}`), { paid: 30n, sold: 2n * MOST, inconsistent: false })
  t.deepEqual(shownOf('30  ?'), { paid: 30n, sold: 0n, inconsistent: true })
  t.deepEqual(shownOf(' ?'), { paid: 0n, sold: 0n, inconsistent: true })
})

test('all orders show what the ledger says was paid and sold, but for what was replaced', (t) => {
  const shown = showing(
    new Map([
      ['a', '30 2'],
      ['b', '5 1 ?'],
      ['c', ' ?'],
    ]),
  )
  t.like(shown, { paid: 35n, sold: 3n, inconsistent: true })
  t.deepEqual(shown.inconsistentOnes, ['b', 'c'])
  const ledger: Readonly<Record<string, bigint>> = { paid: 40n, sold: 4n, 'replaced-paid': 5n, 'replaced-sold': 1n }
  t.deepEqual(
    shownByLedger((account) => ledger[account] ?? 0n),
    { paid: 35n, sold: 3n },
  )
})

const paid = { state: 'paid', total: '30', lines: 'tea:2' }
const captured = { state: 'captured', total: '30', lines: 'tea:2' }
const taken = { state: 'taken', lines: 'tea:2' }

test('a checkout that is decided agrees with payment and stock, or is told to disagree', (t) => {
  t.is(disagreement(paid, captured, taken), undefined)
  t.is(disagreement({ state: 'failed' }, { state: 'voided', total: '30' }, { state: 'refused' }), undefined)
  t.is(disagreement({ state: 'closed' }, { state: 'released' }, {}), undefined)
  for (const [order, payment, stock] of [
    [paid, { ...captured, total: '31' }, taken],
    [paid, { ...captured, state: 'released' }, taken],
    [paid, {}, taken],
    [paid, captured, { ...taken, lines: 'tea:3' }],
    [paid, captured, { ...taken, state: 'returned' }],
    [{ state: 'failed' }, captured, {}],
    [{ state: 'closed' }, {}, taken],
    [{}, captured, {}],
  ] as const)
    t.regex(disagreement(order, payment, stock) ?? '', /^order says /, JSON.stringify([order, payment, stock]))
})

const settled = { state: 'settled', total: '15', lines: 'tea:1' }
const concluded = { state: 'concluded', total: '15', lines: 'tea:1' }
test('a refund that is settled was paid and its goods are back, or payment waits for them', (t) => {
  for (const state of ['restocked', 'written-off'])
    t.is(disagreement(settled, concluded, { state, lines: 'tea:1' }), undefined)
  t.is(disagreement(settled, { ...concluded, state: 'refunded' }, {}), undefined)
  t.is(disagreement({ ...settled, state: 'granted' }, {}, {}), undefined)
  for (const [payment, stock] of [
    [{}, {}],
    [concluded, {}],
    [
      { ...concluded, total: '14' },
      { state: 'restocked', lines: 'tea:1' },
    ],
    [concluded, { state: 'restocked', lines: 'tea:2' }],
    [concluded, { state: 'taken', lines: 'tea:1' }],
  ] as const)
    t.regex(disagreement(settled, payment, stock) ?? '', /^order says settled, 15 for tea:1/)
})

test('a checkout that is not decided disagrees with nobody', (t) => {
  for (const state of ['checking-out', 'cancelling']) {
    t.is(disagreement({ state }, captured, taken), undefined)
    t.is(disagreement({ state }, {}, taken), undefined)
  }
})
