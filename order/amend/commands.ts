/** Which command amends a paid order: what it wants and returns, as its Lua file says; and what a change of either kind may return. */
import { command } from '../../shared/redis/command.ts'
import { changeOrder } from '../change/commands.ts'

export const amendOrder = command(
  'amend-order',
  ['log_id', 'order', 'versions', 'since', 'read', 'timeout_ms', 'take?', 'back?', 'total?', 'costs?'],
  {
    amending: ['saga'],
    amended: ['refund', 'order', 'user', 'total', 'lines', 'restock', 'entry', 'amends'],
    unchanged: [],
    unknown: [],
    closed: ['status'],
    stale: ['version'],
    outdated: ['version'],
    'partly-refunded': [],
    'too-many': [],
  },
  { moved: [], contradicted: [], changing: ['status'] },
)

/** What may be remembered under the key of a request for a change, of an order that was open then, or paid. */
const changeAnswers = { ...changeOrder.returns, ...amendOrder.returns }
/** Under a key, each of the two commands may return what was remembered of the other. */
export const changeOnce = { ...changeOrder, returns: changeAnswers }
export const amendOnce = { ...amendOrder, returns: changeAnswers }
