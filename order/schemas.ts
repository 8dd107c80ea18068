/** Of what form is an order that is asked for, or shown? */
import * as v from 'valibot'
import { exactly, identifier, integer, units } from '../shared/contract/fields.ts'
import { INSTALLMENTS_MAX, METHOD_NAMES, offerOf } from '../shared/contract/methods.ts'
import { LINES_MAX, PAYMENT_STATUSES, STATUSES, UNDECIDED } from './order.ts'

/** An order as `find` shows it. */
export const order = v.object({
  order_id: v.string(),
  paid: v.boolean(),
  items: v.array(v.tuple([v.string(), v.number()])),
  user_id: v.string(),
  total_cost: v.number(),
  status: v.picklist(STATUSES),
})

const saga = v.object({
  log_id: v.string(),
  state: v.picklist([...UNDECIDED, 'paid', 'failed', 'cancelling', 'closed']),
  reason: v.nullable(v.string()),
  item_id: v.nullable(v.string()),
})

/** The same with all that is known of it. */
export const shownOrder = v.object({
  ...order.entries,
  number: v.nullable(v.number()),
  version: v.number(),
  lines_version: v.nullable(v.number()),
  payment_status: v.picklist(PAYMENT_STATUSES),
  lines: v.array(
    v.object({
      item_id: v.string(),
      quantity: v.number(),
      cost: v.nullable(v.number()),
      returned: v.number(),
      refunded: v.nullable(v.number()),
    }),
  ),
  paid_amount: v.number(),
  refunded_amount: v.number(),
  method: v.nullable(v.string()),
  installments: v.nullable(v.number()),
  plan: v.nullable(v.array(v.number())),
  invoice: v.nullable(
    v.object({
      number: v.nullable(v.string()),
      status: v.picklist(['draft', 'void', 'issued', 'partly-credited', 'credited']),
      total: v.number(),
      order_version: v.nullable(v.number()),
      replaces: v.array(v.string()),
    }),
  ),
  credit_notes: v.array(v.string()),
  checkout: v.nullable(saga),
  amendment: v.nullable(saga),
  created_at: v.nullable(v.string()),
  updated_at: v.nullable(v.string()),
})

/** A checkout, for a client that asks what becomes of it. */
export const shownCheckout = v.object({
  order_id: v.string(),
  log_id: v.string(),
  state: v.picklist([...UNDECIDED, 'paid', 'refused', 'cancelled']),
  reason: v.nullable(v.string()),
  item_id: v.nullable(v.string()),
  deadline: v.nullable(v.string()),
  decided_at: v.nullable(v.string()),
})

export type ShownCheckout = Readonly<v.InferOutput<typeof shownCheckout>>

const MUST_BE_LINES = `be a list of 1 to ${LINES_MAX} lines`
export const lines = v.pipe(
  v.array(exactly({ item_id: identifier, quantity: units(1) }), MUST_BE_LINES),
  v.minLength(1, MUST_BE_LINES),
  v.maxLength(LINES_MAX, MUST_BE_LINES),
)
/** An order to be placed: all lines, or one in fields of its own, of which a client may say what price it has seen. */
export const placed = v.pipe(
  exactly({
    user_id: identifier,
    lines: v.optional(lines),
    item_id: v.optional(identifier),
    quantity: v.optional(units(1)),
    value: v.optional(units(0)),
    method: v.optional(v.picklist(METHOD_NAMES, `be one of ${METHOD_NAMES.join(', ')}`)),
    installments: v.optional(units(1, INSTALLMENTS_MAX)),
  }),
  v.forward(
    v.check(
      ({ lines, item_id }) => lines !== undefined || item_id !== undefined,
      'be given, or "item_id" and "quantity" instead',
    ),
    ['lines'],
  ),
  v.forward(
    v.check(
      ({ lines, item_id }) => lines === undefined || item_id === undefined,
      'not be given together with "item_id"',
    ),
    ['lines'],
  ),
  v.forward(
    v.check(
      ({ quantity, item_id }) => (quantity === undefined) === (item_id === undefined),
      'be given together with "item_id"',
    ),
    ['quantity'],
  ),
  v.forward(
    v.check(
      ({ value, item_id }) => value === undefined || item_id !== undefined,
      'be given together with "item_id" only',
    ),
    ['value'],
  ),
  v.forward(
    v.check(
      ({ method, installments }) => installments === undefined || method !== undefined,
      'be given together with "method" only',
    ),
    ['installments'],
  ),
  v.forward(
    v.check(
      ({ method, installments = 1 }) => method === undefined || offerOf(method, installments) !== undefined,
      'not be more than the method has',
    ),
    ['installments'],
  ),
)

/** Why something is cancelled, or refunded, in the words of who asks for it. */
const REASON_MAX = 200
const MUST_BE_REASON = `be a text of up to ${REASON_MAX} characters`
export const reason = v.pipe(
  v.string(MUST_BE_REASON),
  v.transform((text) => text.trim().toWellFormed()),
  v.string(),
  v.maxLength(REASON_MAX, MUST_BE_REASON),
)

/** The most orders of one page. */
const LISTED_MAX = 100
const MUST_BE_CURSOR = 'be one that was answered'
const cursor = v.pipe(v.string(MUST_BE_CURSOR), v.regex(/^\d{1,16}$/, MUST_BE_CURSOR))

/** Which orders of a user are wanted. */
export const ordersWanted = {
  user: v.optional(identifier),
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
