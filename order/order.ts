/**
 * What is an order, and what can become of its checkout?
 *
 * An order is *open* (lines may be added), *checking-out*, *paid* (and never changes again), or *cancelling*: its
 * checkout was given up at the deadline and is being undone. A checkout request ends in one `Outcome`.
 */
import type { Line } from '../shared/contract/events.ts'

export type Status = 'open' | 'checking-out' | 'paid' | 'cancelling'

/** An order as it is shown. */
export type Order = {
  readonly order_id: string
  readonly paid: boolean
  readonly items: readonly Line[]
  readonly user_id: string
  readonly total_cost: number
  readonly status: Status
}

/** What became of a checkout request. Whatever is not `paid` was not charged, and will not be by this request. */
export type Outcome =
  | { readonly state: 'paid'; readonly logId: string }
  | {
      readonly state: 'refused'
      readonly reason: 'out-of-credit' | 'out-of-stock' | 'no-such-user'
      readonly item: string
      readonly logId: string
    }
  /** Not decided by the deadline, therefore cancelled; or an operator gave it up before. */
  | { readonly state: 'cancelled'; readonly by: 'deadline' | 'operator'; readonly logId: string }
  /** An earlier checkout of the order is still being undone. */
  | { readonly state: 'cancelling' }
  /** The lock could not be had in time. */
  | { readonly state: 'locked' }
  /** More checkouts are under way than can end in time: nothing was begun. */
  | { readonly state: 'overloaded' }
  | { readonly state: 'empty' }
  | { readonly state: 'unknown' }
  | { readonly state: 'key-reused' }
