/** Which commands order has by which an order ends without being paid: what each wants and returns, as its Lua file says. */
import { command } from '../../shared/redis/command.ts'
import { decision } from '../commands.ts'

export const cancelOrder = command(
  'cancel-order',
  ['log_id', 'order', 'versions', 'refund', 'restock', 'why?', 'user?'],
  {
    cancelled: [],
    'given-up': decision,
    cancelling: [],
    refunded: ['refund', 'order', 'user', 'total', 'lines', 'restock', 'entry'],
    unknown: [],
    stale: ['version'],
  },
  { contradicted: [] },
)
export const expireOrder = command('expire-order', ['log_id', 'order', 'since_ms'], { expired: [], kept: [] })
