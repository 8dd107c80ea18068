import test from 'ava'
import { recovery, type saga } from '../../payment/recovery.ts'
import type { UnfinishedOf } from '../../shared/log/saga-table.ts'
import { type Conditions, type Repair, repairFor, rowsOf } from '../../shared/saga/recovery.ts'

const rows = rowsOf(recovery)
type Facts = Omit<Conditions<UnfinishedOf<typeof saga>>, 'deadline'>
type Combination = readonly [Facts['state'], silent: 'talking' | 'silent', heard: 'unheard' | 'heard']

/** Every combination of facts, each with the repair that a person would choose for it. */
const EXPECTED: readonly (readonly [...Combination, Repair])[] = [
  // It has no record: nobody can finish it.
  ['absent', 'talking', 'unheard', 'drop'],
  ['absent', 'talking', 'heard', 'drop'],
  ['absent', 'silent', 'unheard', 'drop'],
  ['absent', 'silent', 'heard', 'drop'],
  // It is refused, captured, voided, released or concluded: nothing is left to do.
  ['decided', 'talking', 'unheard', 'drop'],
  ['decided', 'talking', 'heard', 'drop'],
  ['decided', 'silent', 'unheard', 'drop'],
  ['decided', 'silent', 'heard', 'drop'],
  // Nothing was said of it that stock could hear: whether stock reads does not matter.
  ['waiting', 'talking', 'unheard', 'wait'],
  ['waiting', 'talking', 'heard', 'wait'],
  ['waiting', 'silent', 'unheard', 'tell-again'],
  ['waiting', 'silent', 'heard', 'tell-again'],
  // Stock must answer; only its silence after hearing is worth a word.
  ['held', 'talking', 'unheard', 'wait'],
  ['held', 'talking', 'heard', 'wait'],
  ['held', 'silent', 'unheard', 'wait'],
  ['held', 'silent', 'heard', 'tell-again'],
  // So must it take the goods of a refund back.
  ['refunded', 'talking', 'unheard', 'wait'],
  ['refunded', 'talking', 'heard', 'wait'],
  ['refunded', 'silent', 'unheard', 'wait'],
  ['refunded', 'silent', 'heard', 'tell-again'],
]

const factsOf = ([state, silent, heard]: readonly [...Combination, ...unknown[]]): Facts => ({
  state,
  silent: silent === 'silent' ? 'yes' : 'no',
  heard: heard === 'heard' ? 'yes' : 'no',
})

for (const row of EXPECTED) {
  const [state, silent, heard, repair] = row
  test(`an unfinished saga that is ${state}, ${silent}, ${heard}: ${repair}`, (t) => {
    t.is(repairFor(rows, factsOf(row)), repair)
  })
}

test('the expectations are complete: every combination once', (t) => {
  t.is(new Set(EXPECTED.map((row) => row.slice(0, 3).join())).size, 5 * 2 * 2)
  t.is(EXPECTED.length, 5 * 2 * 2)
})

test('every row of the table is the first to hold for some combination', (t) => {
  const reached = EXPECTED.map((row) => {
    const facts: Readonly<Record<string, string>> = factsOf(row)
    return rows.findIndex(([wanted]) => Object.entries(wanted).every(([name, value]) => facts[name] === value))
  })
  t.deepEqual(
    [...new Set(reached)].toSorted((a, b) => a - b),
    rows.map((_row, index) => index),
  )
})
