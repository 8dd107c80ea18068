import test from 'ava'
import fc from 'fast-check'
import { compareIds } from '../../../shared/log/entry.ts'

test('ids are compared as numbers, also where one has no sequence', (t) => {
  t.is(compareIds('5-0', '5'), 0)
  t.is(compareIds('0-0', '0-0'), 0)
  t.true(compareIds('5-1', '5') > 0)
})

test('ids of any length are in the order of their milliseconds, then of their sequence', (t) => {
  const id = fc.tuple(
    fc.oneof(fc.nat({ max: 12 }), fc.integer({ min: 1_764_464_000_000, max: 1_764_464_000_003 })),
    fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 1_200 })),
  )
  fc.assert(
    fc.property(id, id, ([aMs, aSequence], [bMs, bSequence]) => {
      const found = compareIds(`${aMs}-${aSequence}`, `${bMs}-${bSequence}`)
      t.is(Math.sign(found), Math.sign(aMs - bMs || aSequence - bSequence))
    }),
  )
})
