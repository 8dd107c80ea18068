/** Which command changes an order: what it wants and returns, as its Lua file says. */
import { impossible } from '../../shared/errors.ts'
import { type Content, command } from '../../shared/redis/command.ts'
import { type ShownOrder, shownIn } from '../shown.ts'

/** An order as it was changed, and by which log id the entry of that is found; `undefined` if it was so already. */
export type ChangedOrder = { readonly logId: string | undefined; readonly shown: ShownOrder }

/** What follows `changed`: a text that is missing is empty. */
const order: Content<ChangedOrder> = {
  name: 'order',
  read: (reply) => {
    const [, logId, ...texts] = reply.map((text) =>
      typeof text === 'string' ? text || undefined : impossible('order.changed', reply),
    )
    return { logId, shown: shownIn(texts) ?? impossible('order.changed', reply) }
  },
}

export const changeOrder = command(
  'change-order',
  ['log_id', 'order', 'versions', 'since', 'read', 'total?', 'lines?', 'costs?'],
  { changed: order, unknown: [], closed: ['status'], stale: ['version'], outdated: ['version'] },
  { moved: [] },
)
