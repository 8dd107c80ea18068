/** What becomes of an order that is changed, and of what its lines cost. */
import test from 'ava'
import { addedTo, type Changeable, changedBy, ofTheOnlyLine } from '../../../order/change/change.ts'
import { isExact } from '../../../order/costs.ts'

const MOST = Number.MAX_SAFE_INTEGER
const line = (item_id: string, quantity: number, cost: number | null) => ({ item_id, quantity, cost })
const orderOf = (total_cost: number, ...lines: readonly ReturnType<typeof line>[]): Changeable => ({
  total_cost,
  lines,
})
const CART = orderOf(37, line('tea', 2, 30), line('cup', 1, 7))

const change = (order: Changeable, wanted: object, prices: object = {}) => {
  const changed = changedBy(order, new Map(Object.entries(wanted)), new Map(Object.entries(prices)))
  if ('unknownCost' in changed) return changed
  return { lines: [...changed.lines], costs: [...changed.costs], total: changed.total }
}

test('what is added costs what it costs now, and joins its line or follows the others', (t) => {
  t.deepEqual(change(CART, { tea: 3, pot: 2 }, { tea: 20, pot: 4 }), {
    lines: [
      ['tea', 3],
      ['cup', 1],
      ['pot', 2],
    ],
    costs: [
      ['tea', 50],
      ['cup', 7],
      ['pot', 8],
    ],
    total: 65,
  })
  t.deepEqual(addedTo(CART, new Map(Object.entries({ tea: 3, cup: 1, pot: 2, jug: 0 }))), ['tea', 'pot'])
})

test('no pieces are no line, others stay, and what is not there cannot leave', (t) => {
  t.deepEqual(change(CART, { tea: 0, jug: 0 }), { lines: [['cup', 1]], costs: [['cup', 7]], total: 7 })
  t.deepEqual(change(CART, { tea: 0, cup: 0 }), { lines: [], costs: [], total: 0 })
  t.like(change(CART, {}), { total: 37 })
})

test('pieces leave at what they have cost, and all of them at the cost of their line', (t) => {
  const three = orderOf(10, line('tea', 3, 10))
  t.like(change(three, { tea: 2 }), { costs: [['tea', 7]], total: 7 })
  t.like(change(three, { tea: 1 }), { costs: [['tea', 4]], total: 4 })
  t.like(change(three, { tea: 0 }), { costs: [], total: 0 })
  t.like(change(orderOf(MOST, line('tea', MOST, MOST)), { tea: MOST - 1 }), { total: MOST - 1 })
  t.like(change(orderOf(MOST, line('tea', MOST - 1, MOST)), { tea: 1 }), { total: 2 })
})

test('however pieces leave, no unit is lost: lines and total agree, and nothing costs less than nothing', (t) => {
  let state = 1
  const random = (below: number): number => {
    state = (state * 16_807) % 2_147_483_647
    return state % below
  }
  for (let round = 0; round < 2_000; round += 1) {
    const lines = Array.from({ length: 1 + random(4) }, (_, at) => line(`i${at}`, 1 + random(50), random(1_000)))
    let order = orderOf(
      lines.reduce((sum, { cost }) => sum + (cost ?? 0), 0),
      ...lines,
    )
    for (let step = 0; step < 4; step += 1) {
      const wanted = new Map([[`i${random(5)}`, random(60)] as const])
      const changed = changedBy(order, wanted, new Map(Array.from({ length: 5 }, (_, at) => [`i${at}`, 1 + at])))
      if ('unknownCost' in changed) return t.fail()
      const costs = [...changed.costs.values()]
      t.is(
        changed.total,
        costs.reduce((sum, cost) => sum + cost, 0),
      )
      t.true(costs.every((cost) => cost >= 0))
      t.deepEqual([...changed.lines.keys()], [...changed.costs.keys()])
      t.true([...changed.lines.values()].every((quantity) => quantity > 0))
      order = orderOf(
        changed.total,
        ...Array.from(changed.lines, ([item, quantity]) => line(item, quantity, changed.costs.get(item) ?? null)),
      )
    }
  }
})

test('a sum that is too large does not look as if it were not', (t) => {
  const sums = ({ total }: { readonly total: number }) => isExact(total)
  const large = changedBy(CART, new Map([['tea', MOST]]), new Map([['tea', MOST]]))
  t.false('total' in large && sums(large))
  const just = changedBy(orderOf(1, line('tea', 1, 1)), new Map([['cup', 1]]), new Map([['cup', MOST - 1]]))
  t.true('total' in just && sums(just))
  const over = changedBy(orderOf(1, line('tea', 1, 1)), new Map([['cup', 1]]), new Map([['cup', MOST]]))
  t.false('total' in over && sums(over))
})

test('the one line of which it is unknown what it has cost has cost the rest', (t) => {
  const order = orderOf(37, line('tea', 2, null), line('cup', 1, 7))
  t.deepEqual(change(order, { tea: 1 }), {
    lines: [
      ['tea', 1],
      ['cup', 1],
    ],
    costs: [
      ['tea', 15],
      ['cup', 7],
    ],
    total: 22,
  })
})

test('of several such lines pieces can be added, and all of them removed together, but not some', (t) => {
  const order = orderOf(37, line('tea', 2, null), line('cup', 1, null), line('pot', 1, 5))
  t.deepEqual(change(order, { tea: 1 }), { unknownCost: 'tea' })
  t.deepEqual(change(order, { cup: 0 }), { unknownCost: 'cup' })
  t.deepEqual(change(order, { tea: 0, cup: 0 }), { lines: [['pot', 1]], costs: [['pot', 5]], total: 5 })
  t.like(change(order, { tea: 3, pot: 0 }, { tea: 20 }), {
    lines: [
      ['tea', 3],
      ['cup', 1],
    ],
    costs: [],
    total: 52,
  })
})

test('a quantity alone is of the one line of an order that has one', (t) => {
  const one = orderOf(30, line('tea', 2, 30))
  t.deepEqual([...(ofTheOnlyLine(one, 5) ?? [])], [['tea', 5]])
  t.deepEqual([...(ofTheOnlyLine(one, undefined) ?? [])], [['tea', 2]])
  t.is(ofTheOnlyLine(CART, 5), undefined)
  t.is(ofTheOnlyLine(orderOf(0), 5), undefined)
})
