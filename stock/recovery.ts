/**
 * What does stock record of a checkout, and of a refund?
 *
 * Stock decides at once, so nothing is ever unfinished here, and its entries tell all; but for what is back of a checkout before its
 * money is let go.
 */
import type { SagaTable } from '../shared/log/saga-table.ts'

export const saga = {
  states: { taken: 'packed', refused: 'packed', returned: 'packed', restocked: 'packed', 'written-off': 'packed' },
  fields: ['order', 'user', 'total', 'lines', 'item'],
  later: ['restock', 'amends', 'back', 'costs', 'checkouts', 'before', 'there', 'awaited'],
  untold: ['before', 'awaited'],
} as const satisfies SagaTable
