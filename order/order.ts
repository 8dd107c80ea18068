/**
 * What is an order, and what can become of its checkout?
 *
 * An order is *open* (lines may be added), *checking-out*, *paid* (and never changes again), or *cancelling*: its
 * checkout was given up at the deadline and is being undone. A checkout request ends in one `Outcome`.
 */
import type { Line } from '../shared/contract/events.ts'
import { impossible } from '../shared/errors.ts'
import { type Answer, LOG_ID_HEADER } from '../shared/http/answer.ts'
import { type Problem, problem } from '../shared/http/problem.ts'
import { keyReused } from '../shared/http/problems.ts'

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

export const noSuchOrder = (order: string): Problem =>
  problem(404, 'no-such-order', 'Unknown order', `there is no order "${order}"`, { order_id: order })

/** Lines can be added to an open order only. */
export const notOpen = (order: string, status: string): Problem =>
  problem(409, 'order-not-open', 'The order is not open', `order "${order}" is ${status}`, {
    order_id: order,
    order_status: status,
  })

export const orderFull = (order: string, most: number): Problem =>
  problem(409, 'order-full', 'The order is full', `order "${order}" has ${most} lines, the most there may be`, {
    order_id: order,
  })

const refusals = {
  'out-of-credit': (order: string) =>
    problem(402, 'out-of-credit', 'Out of credit', `the user of order "${order}" has not enough credit`, {
      order_id: order,
    }),
  'out-of-stock': (order: string, item: string) =>
    problem(409, 'out-of-stock', 'Out of stock', `order "${order}" wants more of item "${item}" than there is`, {
      order_id: order,
      item_id: item,
    }),
  'no-such-user': (order: string) =>
    problem(404, 'no-such-user', 'Unknown user', `the user of order "${order}" does not exist`, { order_id: order }),
}

const cancellations = {
  deadline: (order: string) =>
    problem(
      424,
      'checkout-cancelled',
      'Cancelled at the deadline',
      `payment or stock did not answer in time; order "${order}" was not charged`,
      { order_id: order },
    ),
  operator: (order: string) =>
    problem(
      424,
      'checkout-cancelled',
      'Cancelled by an operator',
      `the checkout was given up before payment and stock had answered; order "${order}" was not charged`,
      { order_id: order },
    ),
}

/** What was decided before cannot be cancelled. */
export const alreadyDecided = (logId: string, state: string): Problem =>
  problem(
    409,
    'checkout-decided',
    'The checkout is decided',
    `checkout "${logId}" was decided before: it is ${state}`,
    {
      log_id: logId,
      state,
    },
  )

/** Only what is contradicted can be resolved. */
export const notContradicted = (logId: string, state: string): Problem =>
  problem(
    409,
    'checkout-consistent',
    'Nothing is to be resolved',
    `checkout "${logId}" is ${state}, and nothing contradicts that (any more)`,
    { log_id: logId, state },
  )

/** Where nobody knows what was done, it cannot be undone. */
export const cannotRefund = (logId: string, why: string): Problem =>
  problem(
    409,
    'checkout-forgotten',
    'It cannot be refunded any more',
    `${why}: give what is due by "add_funds" and "add", and accept checkout "${logId}"`,
    { log_id: logId },
  )

export const noSuchCheckout = (logId: string): Problem =>
  problem(404, 'no-such-saga', 'Unknown saga', `order knows no saga "${logId}"`)

/** What was decided before keys remembered it has no log id. */
const bearing = (logId: string): Record<string, string> => (logId === '' ? {} : { [LOG_ID_HEADER]: logId })

/** What the client of a checkout is told. */
export const answerOf = (order: string, outcome: Outcome): Answer => {
  const again = { 'Retry-After': '1' }
  switch (outcome.state) {
    case 'paid':
      return { text: 'paid', headers: bearing(outcome.logId) }
    case 'refused':
      return { problem: refusals[outcome.reason](order, outcome.item), headers: bearing(outcome.logId) }
    case 'cancelled':
      return { problem: cancellations[outcome.by](order), headers: { ...again, ...bearing(outcome.logId) } }
    case 'cancelling':
      return {
        problem: problem(
          409,
          'checkout-cancelling',
          'An earlier checkout is being undone',
          `order "${order}" can be checked out once that is done`,
          { order_id: order },
        ),
        headers: again,
      }
    case 'locked':
      return {
        problem: problem(
          423,
          'locked',
          'Locked',
          `another checkout of this user or order did not end in time; order "${order}" was not charged`,
          { order_id: order },
        ),
        headers: again,
      }
    case 'overloaded':
      return {
        problem: problem(
          503,
          'overloaded',
          'Too many checkouts are waiting',
          `more checkouts are wanted than can be ended in time; nothing was done, check order "${order}" out again later`,
          { order_id: order },
        ),
        headers: again,
      }
    case 'empty':
      return {
        problem: problem(409, 'order-empty', 'The order is empty', `order "${order}" has no lines`, {
          order_id: order,
        }),
      }
    case 'unknown':
      return { problem: noSuchOrder(order) }
    case 'key-reused':
      return { problem: keyReused() }
    default:
      return impossible('order.outcome', outcome)
  }
}
