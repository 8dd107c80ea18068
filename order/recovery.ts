/**
 * What does an unfinished checkout or refund mean to order, and what repairs it?
 *
 * A checkout is unfinished here from the moment it is submitted, or begun at once, until it is paid or failed, or cancelled and
 * undone by payment; so is an amendment, which is in the same states; a refund until payment has paid it. The table says
 * which repair each combination of conditions calls for; its test walks them all.
 */
import type { SagaTable, UnfinishedOf } from '../shared/log/saga-table.ts'
import type { RecoveryTable } from '../shared/saga/recovery.ts'

/** The longest that a checkout may take until it is decided. */
export const DEADLINE_MAX_MS = 60_000

/**
 * No entry tells who cancelled a checkout, or which one of its order was the one before. What is contradicted is looked for in its record.
 */
export const saga = {
  states: {
    submitted: 'due',
    'checking-out': 'due',
    paid: 'packed',
    failed: 'packed',
    cancelling: 'unfinished',
    closed: 'kept',
    granted: 'unfinished',
    settled: 'packed',
  },
  fields: ['order', 'user', 'total', 'lines', 'deadline', 'token', 'previous'],
  later: ['reason', 'item', 'restock', 'invoice', 'note', 'amends', 'back', 'costs', 'checkouts', 'contradicted'],
  untold: ['previous', 'contradicted'],
  passing: { 'checking-out': 'token' },
} as const satisfies SagaTable

export const recovery: RecoveryTable<UnfinishedOf<typeof saga>, 'cancel' | 'begin'> = {
  awaits: 'payment',
  deadline: { maxMs: DEADLINE_MAX_MS, graceMs: 250 },
  surveys: { perAge: 8, openMax: 10_000 },
  repairs: [
    // It was not decided in time, so order decides. The replica whose request waited would have; it must be gone.
    [{ state: 'checking-out', deadline: 'past' }, 'cancel'],
    [{ state: 'submitted', deadline: 'past' }, 'cancel'],
    // The replica that was to begin it has died, or stopped. Where payment does not read, beginning it would lead nowhere yet.
    [{ state: 'submitted', silent: 'yes', heard: 'yes' }, 'begin'],
  ],
}
