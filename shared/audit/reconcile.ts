/**
 * Is all that was ever added to the things of a service still in them, or gone as it should?
 *
 * At every moment, whatever is in flight: added = in the things + gone. The ledger says what was added and what is gone, the
 * things are really added up. If they disagree, each thing is held against what the log says of it, as far as the log
 * reaches.
 */
import type { LogEntry } from '../log/entry.ts'
import { type Auditor, belowZero, type Count, type Move, type RecordedSaga, sumOf } from './auditor.ts'

/** The things of a service, and how what is wrong with them is put in words. */
export type Owned<Mismatch> = {
  /** The accounts of what is gone. */
  readonly gone: readonly string[]
  /** What each entry does to the things, called with all in order. */
  readonly movements: () => (entry: LogEntry) => readonly Move[]
  readonly sumsDiffer: (added: bigint, held: bigint, gone: bigint) => Mismatch
  /** What is wrong is given as "{is}, but ..."; the sagas that moved the thing last are named if they are known. */
  readonly thingDiffers: (id: string, wrong: string, lastSagas: readonly RecordedSaga[]) => Mismatch
}

/** Sums as text, since they may exceed what a JSON number holds. */
export type Reconciled<Mismatch> = {
  readonly at: string
  readonly added: string
  readonly held: string
  readonly gone: string
  readonly balanced: boolean
  readonly mismatches: readonly Mismatch[]
}

export const reconcile = async <Mismatch>(
  auditor: Auditor,
  count: Count,
  owned: Owned<Mismatch>,
): Promise<Reconciled<Mismatch>> => {
  const { at, ledger, balances } = count
  const [added, held] = [ledger('added'), sumOf(balances.values())]
  const gone = owned.gone.reduce((sum, account) => sum + ledger(account), 0n)
  const mismatches: Mismatch[] = []
  if (added !== held + gone) {
    mismatches.push(owned.sumsDiffer(added, held, gone))
    for (const { id, is, expected, lastSagas } of await auditor.discrepancies(count, owned.movements()))
      mismatches.push(owned.thingDiffers(id, `${is}, but ${expected} by the log`, lastSagas))
  }
  for (const [id, is] of belowZero(balances)) mismatches.push(owned.thingDiffers(id, `${is}: less than nothing`, []))
  return {
    at,
    added: String(added),
    held: String(held),
    gone: String(gone),
    balanced: mismatches.length === 0,
    mismatches,
  }
}
