/** Which commands order has about refunds: what each wants and returns, as its Lua file says. */
import { command } from '../../shared/redis/command.ts'

export const refund = command(
  'refund',
  ['log_id', 'order', 'versions', 'lines', 'restock', 'reason'],
  {
    granted: ['refund', 'order', 'user', 'total', 'lines', 'restock', 'entry', 'at'],
    unknown: [],
    stale: ['version'],
    nothing: [],
    'too-much': ['item', 'left'],
    'prices-unknown': ['item'],
    'too-many': [],
  },
  { 'not-paid': ['status'], contradicted: [] },
)
/** What follows the entry of payment. */
export const settle = command(
  'settle',
  ['log_id', 'order', 'user', 'total', 'lines', 'restock', 'note?', 'amends?', 'costs?', 'checkouts?'],
  {
    settled: ['refund'],
    rebuilt: ['refund'],
    contradicted: ['saga', 'by', 'order'],
    repeated: [],
  },
)
export const upholdRefund = command(
  'uphold-refund',
  ['log_id', 'order', 'user', 'total', 'lines', 'restock', 'amends?', 'costs?', 'early?'],
  {
    kept: [],
    granted: [],
    lost: [],
    contradicted: ['saga', 'by', 'order'],
    early: [],
  },
)
