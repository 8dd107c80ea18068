/** What is taken and given back for a change of a paid order. */
import test from 'ava'
import { amendmentOf, refundIn } from '../../../order/amend/amendment.ts'
import { type Changeable, changedBy } from '../../../order/change/change.ts'
import { isIdentifier } from '../../../shared/contract/dictionary.ts'
import { logIds } from '../../../shared/log/log-id.ts'

const CART: Changeable = {
  total_cost: 37,
  lines: [
    { item_id: 'tea', quantity: 2, cost: 30 },
    { item_id: 'cup', quantity: 1, cost: 7 },
  ],
}
const amend = (wanted: object, prices: object = {}) => {
  const changed = changedBy(CART, new Map(Object.entries(wanted)), new Map(Object.entries(prices)))
  if ('unknownCost' in changed) throw new Error('all costs are known')
  const { take, back, total, costs } = amendmentOf(CART, changed)
  return { take: Object.fromEntries(take), back: Object.fromEntries(back), total, costs: Object.fromEntries(costs) }
}

test('what is added is taken, what leaves goes back, and what stays is neither', (t) => {
  t.deepEqual(amend({ tea: 3, pot: 2 }, { tea: 20, pot: 4 }), {
    take: { tea: 1, pot: 2 },
    back: {},
    total: 65,
    costs: { tea: 50, cup: 7, pot: 8 },
  })
  t.deepEqual(amend({ tea: 1, cup: 1 }), { take: {}, back: { tea: 1 }, total: 22, costs: { tea: 15, cup: 7 } })
  t.deepEqual(amend({ tea: 0, cup: 3 }, { cup: 5 }), {
    take: { cup: 2 },
    back: { tea: 2 },
    total: 17,
    costs: { cup: 17 },
  })
  t.deepEqual(amend({ tea: 2 }), { take: {}, back: {}, total: 37, costs: { tea: 30, cup: 7 } })
})

test('the refund of an amendment has a log id that follows from that, and that every service takes', (t) => {
  const id = logIds('zzzzzzzzzz')()
  t.true(isIdentifier(refundIn(id)))
  t.is(refundIn(id).slice(0, id.length), id)
  // Records of finished sagas are kept in one piece up to this.
  t.true(refundIn(id).length <= 64)
})
