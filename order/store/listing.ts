/**
 * How is an order found that is shown with all that is known of it, and which orders has a user?
 *
 * A user's orders stand in a sorted set, which every command keeps that makes an order.
 */
import { isAnothers } from '../../shared/http/owner.ts'
import type { Log } from '../../shared/log/log.ts'
import { list, optional, type Reader, text, tuple } from '../../shared/redis/reply.ts'
import type { Dependencies } from '../../shared/service.ts'
import type { Status } from '../order.ts'
import { type ShownOrder, shownIn } from '../shown.ts'

/** Which of a user's orders are wanted. */
export type Wanted = {
  readonly user: string
  readonly status: Status | undefined
  /** The cursor of the page before. */
  readonly after: string | undefined
  readonly offset: number
  readonly limit: number
}

/** A page of a user's orders, the newest first. */
type OrderPage = {
  /** How many come before these, and how many there are; `null` where that would be too many to look at. */
  readonly offset: number | null
  readonly total: number | null
  readonly orders: readonly ShownOrder[]
  /** The cursor of the next page. */
  readonly next: string | null
}

export type ListingStore = {
  /** An order; `undefined` if there is no such order, or it is another's. @throws UnavailableError */
  readonly show: (order: string, owner?: string) => Promise<ShownOrder | undefined>
  /** Some of a user's orders; none of a user who is unknown. @throws UnavailableError */
  readonly list: (wanted: Wanted) => Promise<OrderPage>
}

const texts = list(optional(text))

const readShown: Reader<ShownOrder | undefined> = (reply) => shownIn(texts(reply))

/** Reads what `order/lua/list.lua` returns. */
const readPage = tuple(optional(text), optional(text), text, list(readShown))

/** A page takes a script of its own: it may have a hundred orders. */
const PAGES_AT_ONCE = 1

const countOf = (count: string | undefined): number | null => (count === undefined ? null : Number(count))

export type ListingStoreOptions = Pick<Dependencies, 'step'> & { readonly log: Log }

export const openListingStore = ({ log, step }: ListingStoreOptions): ListingStore => {
  const show = log.query('show', readShown)
  const page = log.query('list', readPage, PAGES_AT_ONCE)
  return {
    show: async (order, owner) => {
      const { found } = await step('show', () => show(order))
      return found && isAnothers(found.user_id, owner) ? undefined : found
    },
    list: async ({ user, status = '-', after = '-', offset, limit }) => {
      const about = [user, status, after, offset, limit].join(' ')
      const [total, before, next, found] = (await step('list', () => page(about))).found
      const orders = found.flatMap((order) => order ?? [])
      return { offset: countOf(before), total: countOf(total), orders, next: next === '' ? null : next }
    },
  }
}
