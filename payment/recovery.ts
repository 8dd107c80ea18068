/**
 * What does an unfinished checkout or refund mean to payment, and what repairs it?
 *
 * A checkout is unfinished here while it waits for money that another one holds, or while its own money is held and stock has not
 * answered; a refund while its money is back and stock has not answered. The table says which repair each combination of
 * conditions calls for; its test walks them all.
 */
import type { SagaTable, UnfinishedOf } from '../shared/log/saga-table.ts'
import type { RecoveryTable } from '../shared/saga/recovery.ts'

/** No entry of a checkout that is captured tells how much of it was refunded since. */
export const saga = {
  states: {
    waiting: 'unfinished',
    held: 'unfinished',
    refused: 'packed',
    captured: 'packed',
    voided: 'packed',
    released: 'packed',
    refunded: 'unfinished',
    concluded: 'packed',
  },
  fields: ['order', 'user', 'total', 'lines'],
  later: [
    'reason',
    'item',
    'restock',
    'invoice',
    'note',
    'refunded',
    'amends',
    'back',
    'costs',
    'checkouts',
    'unpaid',
    'refunds',
  ],
  untold: ['refunded'],
  passing: { held: '' },
} as const satisfies SagaTable

/** `tell-again` emits the last answer again, or looks once more whether one that waits can be answered. */
export const recovery: RecoveryTable<UnfinishedOf<typeof saga>> = {
  awaits: 'stock',
  repairs: [
    // The wallet's queue moves by itself; look once more in case it did not. There is no entry that stock could read.
    [{ state: 'waiting', silent: 'yes' }, 'tell-again'],
  ],
}
