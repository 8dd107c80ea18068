/** Of what form is an order that is shown, and a list of them? */
import * as v from 'valibot'
import { identifier, integer } from '../shared/contract/fields.ts'
import { STATUSES } from './order.ts'

/** An order as `find` shows it. */
export const order = v.object({
  order_id: v.string(),
  paid: v.boolean(),
  items: v.array(v.tuple([v.string(), v.number()])),
  user_id: v.string(),
  total_cost: v.number(),
  status: v.picklist(STATUSES),
})

/** The same with all that is known of it. */
export const shownOrder = v.object({
  ...order.entries,
  number: v.nullable(v.number()),
  version: v.number(),
  payment_status: v.picklist(['unpaid', 'paid']),
  lines: v.array(
    v.object({
      item_id: v.string(),
      quantity: v.number(),
      cost: v.nullable(v.number()),
      returned: v.number(),
      refunded: v.number(),
    }),
  ),
  paid_amount: v.number(),
  checkout: v.nullable(
    v.object({
      log_id: v.string(),
      state: v.picklist(['checking-out', 'paid', 'failed', 'cancelling', 'closed']),
      reason: v.nullable(v.string()),
      item_id: v.nullable(v.string()),
    }),
  ),
  created_at: v.nullable(v.string()),
  updated_at: v.nullable(v.string()),
})

/** The most orders of one page. */
const LISTED_MAX = 100
const MUST_BE_CURSOR = 'be one that was answered'
const cursor = v.pipe(v.string(MUST_BE_CURSOR), v.regex(/^\d{1,16}$/, MUST_BE_CURSOR))

/** Which orders of a user are wanted. */
export const ordersWanted = {
  user: identifier,
  status: v.optional(v.picklist(STATUSES, `be one of ${STATUSES.join(', ')}`)),
  after: v.optional(cursor),
  offset: v.optional(integer(0)),
  limit: v.optional(integer(1, LISTED_MAX), `${LISTED_MAX}`),
} as const

/** A page of a user's orders. */
export const orderPage = v.object({
  offset: v.nullable(v.number()),
  limit: v.number(),
  total: v.nullable(v.number()),
  orders: v.array(shownOrder),
  next: v.nullable(v.string()),
})
