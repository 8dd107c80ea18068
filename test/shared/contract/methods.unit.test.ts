import test from 'ava'
import fc from 'fast-check'
import { isWithin, METHODS, OFFERS, offerOf, planOf } from '../../../shared/contract/methods.ts'

const sumOf = (plan: readonly number[]): number => plan.reduce((sum, due) => sum + due, 0)

test('there are fifteen ways to pay, each with an id of its own', (t) => {
  t.deepEqual(
    OFFERS.map(({ id, method, installments }) => `${id} ${method} ${installments}`),
    [
      ...Array.from({ length: 12 }, (_, at) => `${at + 1} credit_card ${at + 1}`),
      ...['13 debit_card 1', '14 transfer 1', '15 cash 1'],
    ],
  )
})

test('a method has a least and a most, and each of its instalments a least', (t) => {
  for (const { method, installment_min: each, min, max } of METHODS) {
    const once = offerOf(method, 1)
    t.deepEqual([once?.min, once?.max], [min, max], method)
    t.true(min >= each, method)
  }
  const twelve = offerOf('credit_card', 12)
  if (twelve === undefined) return t.fail()
  t.deepEqual(
    [59, 60, 100_000_000, 100_000_001].map((amount) => isWithin(twelve, amount)),
    [false, true, true, false],
  )
  for (const [method, installments] of [
    ['credit_card', 13],
    ['credit_card', 0],
    ['debit_card', 2],
    ['gold', 1],
    ['toString', 1],
  ] as const)
    t.is(offerOf(method, installments), undefined, `${method} ${installments}`)
})

test('the first instalments are one unit more where the total cannot be divided', (t) => {
  t.deepEqual(planOf(1000, 3), [334, 333, 333])
  t.deepEqual(planOf(15, 3), [5, 5, 5])
  t.deepEqual(planOf(7, 1), [7])
})

test('what was given back is taken from the last instalments first', (t) => {
  t.deepEqual(planOf(1000, 3, 1), [334, 333, 332])
  t.deepEqual(planOf(1000, 3, 400), [334, 266, 0])
  t.deepEqual(planOf(1000, 3, 1000), [0, 0, 0])
})

test('a plan is exact to the unit, whatever is given back', (t) => {
  const amount = fc.oneof(fc.nat(1000), fc.nat(Number.MAX_SAFE_INTEGER))
  const cases = fc.tuple(amount, fc.integer({ min: 1, max: 12 }), amount)
  fc.assert(
    fc.property(cases, ([total, installments, given]) => {
      const whole = planOf(total, installments)
      const refunded = Math.min(given, total)
      const left = planOf(total, installments, refunded)
      t.deepEqual([sumOf(whole), sumOf(left)], [total, total - refunded])
      t.true(Math.max(...whole) - Math.min(...whole) <= 1)
      const firstLess = left.findIndex((due, at) => due < (whole[at] ?? 0))
      if (firstLess >= 0) t.true(left.slice(firstLess + 1).every((due) => due === 0))
    }),
  )
})
