import test from 'ava'
import { recovery, type saga } from '../../order/recovery.ts'
import type { UnfinishedOf } from '../../shared/log/saga-table.ts'
import { type Conditions, type Repair, repairFor, rowsOf } from '../../shared/saga/recovery.ts'

const rows = rowsOf(recovery)
type Facts = Conditions<UnfinishedOf<typeof saga>>
type Combination = readonly [
  Facts['state'],
  Facts['deadline'],
  silent: 'talking' | 'silent',
  heard: 'unheard' | 'heard',
]

/** Every combination of facts, each with the repair that a person would choose for it. */
const EXPECTED: readonly (readonly [...Combination, Repair | 'cancel' | 'begin'])[] = [
  // It has no record: nobody can finish it.
  ['absent', 'ahead', 'talking', 'unheard', 'drop'],
  ['absent', 'ahead', 'talking', 'heard', 'drop'],
  ['absent', 'ahead', 'silent', 'unheard', 'drop'],
  ['absent', 'ahead', 'silent', 'heard', 'drop'],
  ['absent', 'past', 'talking', 'unheard', 'drop'],
  ['absent', 'past', 'talking', 'heard', 'drop'],
  ['absent', 'past', 'silent', 'unheard', 'drop'],
  ['absent', 'past', 'silent', 'heard', 'drop'],
  // It is paid, failed, closed or settled: nothing is left to do.
  ['decided', 'ahead', 'talking', 'unheard', 'drop'],
  ['decided', 'ahead', 'talking', 'heard', 'drop'],
  ['decided', 'ahead', 'silent', 'unheard', 'drop'],
  ['decided', 'ahead', 'silent', 'heard', 'drop'],
  ['decided', 'past', 'talking', 'unheard', 'drop'],
  ['decided', 'past', 'talking', 'heard', 'drop'],
  ['decided', 'past', 'silent', 'unheard', 'drop'],
  ['decided', 'past', 'silent', 'heard', 'drop'],
  // The process in which it was submitted begins it; if that is gone, another one, once payment is there to read of it.
  ['submitted', 'ahead', 'talking', 'unheard', 'wait'],
  ['submitted', 'ahead', 'talking', 'heard', 'wait'],
  ['submitted', 'ahead', 'silent', 'unheard', 'wait'],
  ['submitted', 'ahead', 'silent', 'heard', 'begin'],
  ['submitted', 'past', 'talking', 'unheard', 'cancel'],
  ['submitted', 'past', 'talking', 'heard', 'cancel'],
  ['submitted', 'past', 'silent', 'unheard', 'cancel'],
  ['submitted', 'past', 'silent', 'heard', 'cancel'],
  // A client waits for it until the deadline; only silence of somebody who heard is worth a word.
  ['checking-out', 'ahead', 'talking', 'unheard', 'wait'],
  ['checking-out', 'ahead', 'talking', 'heard', 'wait'],
  ['checking-out', 'ahead', 'silent', 'unheard', 'wait'],
  ['checking-out', 'ahead', 'silent', 'heard', 'tell-again'],
  // The deadline decides, whatever anybody heard.
  ['checking-out', 'past', 'talking', 'unheard', 'cancel'],
  ['checking-out', 'past', 'talking', 'heard', 'cancel'],
  ['checking-out', 'past', 'silent', 'unheard', 'cancel'],
  ['checking-out', 'past', 'silent', 'heard', 'cancel'],
  // It is decided but not undone; the deadline does not matter any more.
  ['cancelling', 'ahead', 'talking', 'unheard', 'wait'],
  ['cancelling', 'ahead', 'talking', 'heard', 'wait'],
  ['cancelling', 'ahead', 'silent', 'unheard', 'wait'],
  ['cancelling', 'ahead', 'silent', 'heard', 'tell-again'],
  ['cancelling', 'past', 'talking', 'unheard', 'wait'],
  ['cancelling', 'past', 'talking', 'heard', 'wait'],
  ['cancelling', 'past', 'silent', 'unheard', 'wait'],
  ['cancelling', 'past', 'silent', 'heard', 'tell-again'],
  // A refund is decided, and has no deadline.
  ['granted', 'ahead', 'talking', 'unheard', 'wait'],
  ['granted', 'ahead', 'talking', 'heard', 'wait'],
  ['granted', 'ahead', 'silent', 'unheard', 'wait'],
  ['granted', 'ahead', 'silent', 'heard', 'tell-again'],
  ['granted', 'past', 'talking', 'unheard', 'wait'],
  ['granted', 'past', 'talking', 'heard', 'wait'],
  ['granted', 'past', 'silent', 'unheard', 'wait'],
  ['granted', 'past', 'silent', 'heard', 'tell-again'],
]

const factsOf = ([state, deadline, silent, heard]: readonly [...Combination, ...unknown[]]): Facts => ({
  state,
  deadline,
  silent: silent === 'silent' ? 'yes' : 'no',
  heard: heard === 'heard' ? 'yes' : 'no',
})

for (const row of EXPECTED) {
  const [state, deadline, silent, heard, repair] = row
  test(`an unfinished saga that is ${state}, its deadline ${deadline}, ${silent}, ${heard}: ${repair}`, (t) => {
    t.is(repairFor(rows, factsOf(row)), repair)
  })
}

test('the expectations are complete: every combination once', (t) => {
  t.is(new Set(EXPECTED.map((row) => row.slice(0, 4).join())).size, 6 * 2 * 2 * 2)
  t.is(EXPECTED.length, 6 * 2 * 2 * 2)
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
