/**
 * What does stock record of a checkout?
 *
 * Stock decides at once, so nothing is ever unfinished here, and its entries tell all.
 */
import type { SagaTable } from '../shared/log/saga-table.ts'

export const saga = {
  states: { taken: 'packed', refused: 'packed', returned: 'packed' },
  fields: ['order', 'user', 'total', 'lines', 'item'],
} as const satisfies SagaTable
