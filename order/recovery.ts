/**
 * What does an unfinished checkout or refund mean to order, and what repairs it?
 *
 * A checkout is unfinished here until it is paid or failed, or cancelled and undone by payment; a refund until payment has paid it. The table says
 * which repair each combination of conditions calls for; its test walks them all.
 */
import type { SagaTable, UnfinishedOf } from '../shared/log/saga-table.ts'
import type { RecoveryTable } from '../shared/saga/recovery.ts'

/** The longest that a checkout may take until it is decided. */
export const DEADLINE_MAX_MS = 60_000

/** No entry tells who cancelled a checkout, or which one of its order was the one before. */
export const saga = {
  states: {
    'checking-out': 'due',
    paid: 'packed',
    failed: 'packed',
    cancelling: 'unfinished',
    closed: 'kept',
    granted: 'unfinished',
    settled: 'packed',
  },
  fields: ['order', 'user', 'total', 'lines', 'deadline', 'token', 'previous'],
  later: ['reason', 'item', 'restock', 'invoice', 'note'],
  untold: ['previous'],
} as const satisfies SagaTable

export const recovery: RecoveryTable<UnfinishedOf<typeof saga>, 'cancel'> = {
  awaits: 'payment',
  deadline: { maxMs: DEADLINE_MAX_MS, graceMs: 250 },
  surveys: { perAge: 8, openMax: 10_000 },
  repairs: [
    // It was not decided in time, so order decides. The replica whose request waited would have; it must be gone.
    [{ state: 'checking-out', deadline: 'past' }, 'cancel'],
  ],
}
