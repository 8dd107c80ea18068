/** What can be asked about refunds? */
import * as v from 'valibot'
import { exactly, identifier } from '../../shared/contract/fields.ts'
import { keyReused, stale } from '../../shared/http/problems.ts'
import type { Rows } from '../../shared/http/route.ts'
import { noSuchOrder } from '../problems.ts'
import { lines, reason } from '../schemas.ts'
import {
  linePricesUnknown,
  noSuchRefund,
  nothingToRefund,
  orderChanging,
  orderContradicted,
  orderNotPaid,
  quantityTooGreat,
  tooManyRefunds,
} from './problems.ts'
import { RESTOCKS } from './refund.ts'

/** What is to be refunded: these lines, or all that is left. */
const wish = exactly({
  lines: v.optional(lines),
  restock: v.optional(v.picklist(RESTOCKS, `be one of ${RESTOCKS.join(', ')}`), 'shelf'),
  reason: v.optional(reason, ''),
})

const refund = v.object({
  refund_id: v.string(),
  order_id: v.string(),
  status: v.picklist(['granted', 'settled']),
  amount: v.number(),
  lines: v.array(v.object({ item_id: v.string(), quantity: v.number() })),
  restock: v.picklist(RESTOCKS),
  reason: v.nullable(v.string()),
  credit_note: v.nullable(v.string()),
  replaces: v.array(v.string()),
  granted_at: v.string(),
})

export const refunds = {
  refundOrder: {
    method: 'POST',
    path: '/orders/{order}/refunds',
    summary: 'Gives pieces of a paid order back, and the money for them; all that is left, if no lines are named',
    params: { order: identifier },
    body: { fields: wish, optional: true },
    ifMatch: 'optional',
    answers: { 201: { json: refund }, 202: { json: refund } },
    fenced: true,
    problems: [
      noSuchOrder,
      orderNotPaid,
      orderChanging,
      nothingToRefund,
      quantityTooGreat,
      tooManyRefunds,
      linePricesUnknown,
      orderContradicted,
      stale,
      keyReused,
    ],
    endsThings: true,
    repeatable: 'under-a-key',
    scope: 'customer',
    shownAt: '/orders/{order}/refunds',
  },
  listRefunds: {
    method: 'GET',
    path: '/orders/{order}/refunds',
    summary: 'Shows the refunds of an order, the oldest first',
    params: { order: identifier },
    answers: { 200: { json: v.object({ order_id: v.string(), refunds: v.array(refund) }) } },
    problems: [noSuchOrder],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  showRefund: {
    method: 'GET',
    path: '/orders/{order}/refunds/{refund}',
    summary: 'Shows a refund, and whether it is settled',
    params: { order: identifier, refund: identifier },
    answers: { 200: { json: refund } },
    problems: [noSuchOrder, noSuchRefund],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
} as const satisfies Rows
