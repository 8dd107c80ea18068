/** Of what form is an order that is shown? */
import * as v from 'valibot'
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
