/**
 * What is an order, and what can become of its checkout?
 *
 * An order is *open* (its lines may change), *submitted* (its checkout waits to be begun), *checking-out*, *paid*, *changing* (paid,
 * and payment and stock are at work on an amendment of it), or *cancelling*: its checkout was given up, at its deadline or because
 * somebody cancelled it, and is being undone. Once it is *cancelled* or *expired*, it is never paid. A checkout request ends in one
 * `Outcome`.
 */

import type { Line } from '../shared/contract/lines.ts'

export const STATUSES = [
  'open',
  'submitted',
  'checking-out',
  'paid',
  'changing',
  'cancelling',
  'cancelled',
  'expired',
] as const
export type Status = (typeof STATUSES)[number]
export const isStatus = (text: string): text is Status => STATUSES.some((one) => one === text)

/** Is an order paid for? */
export const isPaid = (status: string | undefined): boolean => status === 'paid' || status === 'changing'

/** What became of the money that was paid for an order. */
export const PAYMENT_STATUSES = ['unpaid', 'paid', 'partially-refunded', 'refunded'] as const
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number]

/** The most lines of one order: all of them are taken in one script. */
export const LINES_MAX = 100

/** An order as `find` shows it. */
export type Order = {
  readonly order_id: string
  readonly paid: boolean
  readonly items: readonly Line[]
  readonly user_id: string
  readonly total_cost: number
  readonly status: Status
}

/** A checkout that is over, or is only being undone. Why it failed is what payment answered, or by what it was given up unbegun. */
export type Ended = { readonly id: string } & (
  | { readonly state: 'paid' }
  | { readonly state: 'failed'; readonly reason: string; readonly item: string }
  | { readonly state: 'cancelling' | 'closed'; readonly by: GivenUpBy }
)

const GIVEN_UP_BY = ['deadline', 'operator', 'customer'] as const
/** By what a checkout is given up that is not decided: a customer gives its order up. */
export type GivenUpBy = (typeof GIVEN_UP_BY)[number]
export const isGivenUpBy = (text: string): text is GivenUpBy => GIVEN_UP_BY.some((one) => one === text)

/** What a checkout is while it is not decided. */
export const UNDECIDED = ['submitted', 'checking-out'] as const
export type Undecided = (typeof UNDECIDED)[number]
export const isUndecided = (text: string): text is Undecided => UNDECIDED.some((one) => one === text)

/** Reads how a checkout ended; `undefined` if there is no such end. What has no reason ended at its deadline. */
export const endedOf = (recorded: { id: string; state: string; reason: string; item: string }): Ended | undefined => {
  const { id, state, reason, item } = recorded
  switch (state) {
    case 'paid':
      return { id, state }
    case 'failed':
      return { id, state, reason, item }
    case 'cancelling':
    case 'closed':
      return { id, state, by: isGivenUpBy(reason) ? reason : 'deadline' }
    default:
      return undefined
  }
}

const REFUSALS = ['out-of-credit', 'out-of-stock', 'no-such-user'] as const
/** Why a checkout may be refused. */
export type Refusal = (typeof REFUSALS)[number]
export const isRefusal = (text: string): text is Refusal => REFUSALS.some((one) => one === text)

/** How a checkout ended, for a client. */
export type End =
  | { readonly state: 'paid'; readonly logId: string }
  | {
      readonly state: 'refused'
      readonly reason: Refusal
      readonly item: string
      readonly logId: string
    }
  /** Not decided by the deadline, therefore cancelled; or it was given up before. */
  | { readonly state: 'cancelled'; readonly by: GivenUpBy; readonly logId: string }

/** What became of a checkout request. Whatever is not `paid` was not charged, and will not be by this request. */
export type Outcome =
  | End
  /** An earlier checkout of the order is still being undone. */
  | { readonly state: 'cancelling' }
  /** It is paid, and being changed. */
  | { readonly state: 'order-changing' }
  /** The order is cancelled, or has expired. */
  | { readonly state: 'order-cancelled' | 'order-expired' }
  /** The lock could not be had in time. */
  | { readonly state: 'locked' }
  /** More checkouts are under way than can end in time: nothing was begun. */
  | { readonly state: 'overloaded' }
  | { readonly state: 'empty' }
  | { readonly state: 'unknown' }
  | { readonly state: 'key-reused' }
