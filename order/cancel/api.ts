/** What can be asked to cancel an order? Clients of an older back end delete it, and read in `error` why that was refused. */
import * as v from 'valibot'
import { exactly, identifier } from '../../shared/contract/fields.ts'
import { keyReused, stale } from '../../shared/http/problems.ts'
import type { Rows } from '../../shared/http/route.ts'
import { noSuchOrder } from '../problems.ts'
import { orderContradicted } from '../refunds/problems.ts'
import { reason } from '../schemas.ts'

const wish = exactly({
  reason: v.optional(reason, ''),
  restock: v.optional(v.boolean('be true or false'), true),
})

const cancelled = v.object({
  status: v.picklist(['cancelled', 'cancelling']),
  refunded: v.number(),
  credit_note: v.nullable(v.string()),
})

export const cancels = {
  cancelOrder: {
    method: 'POST',
    path: '/orders/{order}/cancel',
    summary: 'Cancels an order for good, from the version that is named, if one is; what was paid for it goes back',
    params: { order: identifier },
    ifMatch: 'optional',
    body: { fields: wish, optional: true },
    answers: { 200: { json: cancelled }, 202: { json: cancelled } },
    fenced: true,
    problems: [noSuchOrder, orderContradicted, stale, keyReused],
    endsThings: true,
    repeatable: 'as-it-is',
    scope: 'customer',
    shownAt: '/orders/{order}',
  },
  deleteOrder: {
    method: 'DELETE',
    path: '/orders/{order}',
    summary: 'Cancels an order for good, from the version that is named, if one is',
    params: { order: identifier },
    ifMatch: 'optional',
    answers: { 204: { empty: true }, 202: { json: cancelled } },
    fenced: true,
    problems: [noSuchOrder, orderContradicted, stale, keyReused],
    error: 'word',
    repeatable: 'as-it-is',
    scope: 'customer',
    shownAt: '/orders/{order}',
  },
} as const satisfies Rows
