/** How is an order found that is shown with all that is known of it? */
import type { Log } from '../../shared/log/log.ts'
import { list, optional, type Reader, text } from '../../shared/redis/reply.ts'
import type { Dependencies } from '../../shared/service.ts'
import { type ShownOrder, shownOf } from '../shown.ts'

export type ListingStore = {
  /** An order; `undefined` if there is no such order. @throws UnavailableError */
  readonly show: (order: string) => Promise<ShownOrder | undefined>
}

const texts = list(optional(text))

/** Reads what `order/lua/shown.lua` returns. */
const readShown: Reader<ShownOrder | undefined> = (reply) => {
  const [order = '', user, status = '', total = '', lines = '', costs, number, version, at, updated, ...last] =
    texts(reply)
  const [saga, state, reason, item] = last
  if (user === undefined) return undefined
  const checkout = { saga, state, reason, item }
  return shownOf({ order, user, status, total, lines, costs, number, version, at, updated, ...checkout })
}

export type ListingStoreOptions = Pick<Dependencies, 'step'> & { readonly log: Log }

export const openListingStore = ({ log, step }: ListingStoreOptions): ListingStore => {
  const show = log.query('show', readShown)
  return {
    show: async (order) => (await step('show', () => show(order))).found,
  }
}
