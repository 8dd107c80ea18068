/** What can be asked of order? */
import * as v from 'valibot'
import { entryId, identifier, integer } from '../shared/contract/fields.ts'
import { documents, mismatch, sum } from '../shared/contract/queries.ts'
import { BATCH_MAX } from '../shared/http/chunks.ts'
import { patience } from '../shared/http/prefer.ts'
import { inUse, keyReused, peerUnavailable } from '../shared/http/problems.ts'
import type { Rows } from '../shared/http/route.ts'
import {
  alreadyDecided,
  beingUndone,
  cancelledAtDeadline,
  cancelledByOperator,
  cannotRefund,
  itemWithdrawn,
  locked,
  methodLimits,
  noCheckout,
  noSuchCheckout,
  noSuchItem,
  noSuchOrder,
  noSuchUser,
  notContradicted,
  notOpen,
  orderCancelled,
  orderEmpty,
  orderExpired,
  orderFull,
  outOfCredit,
  outOfStock,
  overloaded,
  priceChanged,
  tooManyListeners,
  userGone,
} from './problems.ts'
import { order, orderPage, ordersWanted, placed, shownCheckout, shownOrder } from './schemas.ts'

/** The most characters of a reason. */
const WHY_MAX = 200
export const WHY_FORM = `say in up to ${WHY_MAX} characters why it is accepted, or refunded`
const why = v.pipe(
  v.string(),
  v.trim(),
  v.transform((text) => text.toWellFormed()),
  v.string(),
  v.maxLength(WHY_MAX, WHY_FORM),
)

const contradiction = v.object({
  order_id: v.string(),
  log_id: v.nullable(v.string()),
  by: v.string(),
  since: v.nullable(v.string()),
})

const audit = v.object({
  balanced: v.boolean(),
  credit: v.object({ added: sum, wallets: sum, paid: sum, accepted: sum, in_flight: sum }),
  stock: v.object({ added: sum, shelf: sum, sold: sum, written_off: sum, accepted: sum, in_flight: sum }),
  /** What is invoiced, and charged before there were invoices, less what is credited, is what payment has charged. */
  documents: v.optional(documents),
  in_flight: v.number(),
  cut: v.object({ order: v.string(), payment: v.string(), stock: v.string() }),
  mismatches: v.array(mismatch),
})

export const api = {
  createOrder: {
    method: 'POST',
    path: '/orders/create/{user}',
    summary: 'Makes an order without lines',
    params: { user: identifier },
    answers: { 200: { json: v.object({ order_id: v.string(), log_id: v.string() }) } },
    problems: [noSuchUser, peerUnavailable, keyReused],
    repeatable: 'under-a-key',
  },
  findOrder: {
    method: 'GET',
    path: '/orders/find/{order}',
    summary: 'Shows an order',
    params: { order: identifier },
    answers: { 200: { json: order } },
    problems: [noSuchOrder],
    repeatable: 'as-it-is',
  },
  showOrder: {
    method: 'GET',
    path: '/orders/{order}',
    summary: 'Shows an order with all that is known of it; its `ETag` is its version',
    params: { order: identifier },
    answers: { 200: { json: shownOrder } },
    problems: [noSuchOrder],
    repeatable: 'as-it-is',
  },
  placeOrder: {
    method: 'POST',
    path: '/orders',
    summary: 'Makes an order with all its lines, each at the price that its item has now',
    body: { fields: placed, forms: true },
    answers: { 201: { json: v.object({ id: v.string(), ...shownOrder.entries }) } },
    problems: [noSuchUser, noSuchItem, itemWithdrawn, priceChanged, methodLimits, peerUnavailable, keyReused],
    error: 'word',
    repeatable: 'under-a-key',
  },
  listOrders: {
    method: 'GET',
    path: '/orders',
    summary: 'Shows the orders of a user, the newest first; of one status, if it is named',
    query: ordersWanted,
    answers: { 200: { json: orderPage } },
    problems: [],
    repeatable: 'as-it-is',
  },
  addItem: {
    method: 'POST',
    path: '/orders/addItem/{order}/{item}/{quantity}',
    summary: 'Adds a line to an order, at the price that the item has now',
    params: { order: identifier, item: identifier, quantity: integer(1) },
    answers: { 200: { text: 'how many of which item were added, at which price' } },
    problems: [
      noSuchOrder,
      noSuchItem,
      itemWithdrawn,
      notOpen,
      orderCancelled,
      orderExpired,
      orderFull,
      peerUnavailable,
      keyReused,
    ],
    repeatable: 'under-a-key',
    shownAt: '/orders/find/{order}',
  },
  checkout: {
    method: 'POST',
    path: '/orders/checkout/{order}',
    summary:
      'Checks an order out; it is charged once, however often this is asked for. A client that would not wait ' +
      '(`Prefer: respond-async`, or `respond-async, wait=2`) is told where to ask',
    params: { order: identifier },
    headers: { prefer: patience },
    answers: { 200: { text: '"paid"' }, 202: { json: shownCheckout } },
    problems: [
      outOfCredit,
      noSuchOrder,
      userGone,
      orderEmpty,
      orderCancelled,
      orderExpired,
      outOfStock,
      beingUndone,
      locked,
      cancelledAtDeadline,
      cancelledByOperator,
      overloaded,
      keyReused,
    ],
    repeatable: 'as-it-is',
  },
  showCheckout: {
    method: 'GET',
    path: '/orders/checkout/{order}',
    summary:
      'Shows the last checkout of an order; with `Prefer: wait=20` once that is decided, or after that many seconds',
    params: { order: identifier },
    headers: { prefer: patience },
    answers: { 200: { json: shownCheckout } },
    problems: [noSuchOrder, noCheckout],
    repeatable: 'as-it-is',
  },
  listenToOrder: {
    method: 'GET',
    path: '/orders/{order}/events',
    summary:
      'Sends what becomes of an order as it happens (server-sent events), and with `Last-Event-ID` what came after that',
    params: { order: identifier },
    headers: { 'last-event-id': v.optional(entryId) },
    answers: { 200: { events: 'the entries of the log that are about the order' } },
    problems: [noSuchOrder, tooManyListeners],
    repeatable: 'as-it-is',
  },
  listCheckouts: {
    method: 'GET',
    path: '/orders/checkouts/{order}',
    summary: 'Shows the log ids of the checkouts of an order, the last one first',
    params: { order: identifier },
    answers: { 200: { json: v.object({ order_id: v.string(), log_ids: v.array(v.string()) }) } },
    problems: [noSuchOrder],
    repeatable: 'as-it-is',
    operator: true,
  },
  cancelCheckout: {
    method: 'POST',
    path: '/orders/cancel/{log_id}',
    summary: 'Gives a checkout up that is not decided',
    params: { log_id: identifier },
    answers: { 200: { json: v.object({ log_id: v.string(), done: v.literal('cancelled') }) } },
    problems: [noSuchCheckout, alreadyDecided, keyReused],
    repeatable: 'under-a-key',
    operator: true,
  },
  listContradictions: {
    method: 'GET',
    path: '/orders/contradictions',
    summary: 'Shows the checkouts that are not what was decided of them',
    answers: { 200: { json: v.object({ contradictions: v.array(contradiction) }) } },
    problems: [],
    repeatable: 'as-it-is',
    operator: true,
  },
  resolveContradiction: {
    method: 'POST',
    path: '/orders/resolve/{log_id}/{by}',
    summary: 'Ends a contradiction, by a refund or by accepting it',
    params: { log_id: identifier, by: v.picklist(['refund', 'accept'], 'be "refund" or "accept"') },
    query: { why: v.optional(why, '') },
    answers: {
      200: {
        json: v.object({
          log_id: v.string(),
          done: v.picklist(['refund', 'accept']),
          state: v.string(),
          repeated: v.boolean(),
        }),
      },
    },
    problems: [noSuchCheckout, notContradicted, cannotRefund, peerUnavailable, keyReused],
    passesOn: true,
    repeatable: 'under-a-key',
    operator: true,
  },
  initOrders: {
    method: 'POST',
    path: '/orders/batch_init/{n}/{n_items}/{n_users}/{item_price}',
    summary: 'Makes the orders 0 to n-1 anew, each of two lines and of one of the users 0 to n_users-1',
    params: {
      n: integer(1, BATCH_MAX),
      n_items: integer(1, BATCH_MAX),
      n_users: integer(1, BATCH_MAX),
      item_price: integer(0),
    },
    answers: { 200: { json: v.object({ msg: v.string() }) } },
    problems: [inUse, keyReused],
    repeatable: 'under-a-key',
    operator: true,
  },
  audit: {
    method: 'GET',
    path: '/audit',
    summary: 'Shows whether money and goods are conserved over the whole shop',
    answers: { 200: { json: audit } },
    problems: [],
    passesOn: true,
    repeatable: 'as-it-is',
    operator: true,
  },
} as const satisfies Rows
