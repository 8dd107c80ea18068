/** What does order refuse? */
import type { Offer } from '../shared/contract/methods.ts'
import { problemKind } from '../shared/http/problem.ts'
import { malformedBody } from '../shared/http/problems.ts'
import type { Refusal } from './order.ts'

/** This field of a body would make a sum that a number cannot hold exactly. */
export const sumTooLargeIn = (field: string) =>
  malformedBody(field, `"${field}" makes a sum beyond ${Number.MAX_SAFE_INTEGER}`)

/** A method that there is not comes from outside, and may be as long as a body. */
const METHOD_SHOWN = 64

export const noSuchOrder = problemKind(404, 'no-such-order', 'Unknown order', (order: string) => ({
  detail: `there is no order "${order}"`,
  order_id: order,
}))

export const noSuchUser = problemKind(404, 'no-such-user', 'Unknown user', (user: string) => ({
  detail: `there is no user "${user}"`,
  user_id: user,
}))

export const noSuchItem = problemKind(404, 'no-such-item', 'Unknown item', (item: string) => ({
  detail: `there is no item "${item}"`,
  item_id: item,
}))

/** The customer has seen another price. */
export const priceChanged = problemKind(
  409,
  'price-changed',
  'The price has changed',
  (item: string, price: number) => ({
    detail: `item "${item}" costs ${price} now`,
    item_id: item,
    price,
  }),
)

/** A method takes neither too little nor too much, nor instalments that are too small. */
export const methodLimits = problemKind(
  409,
  'method-limits',
  'The method does not allow it',
  ({ method, installments, min, max }: Offer, total: number) => ({
    detail: `by "${method}" in ${installments} instalments from ${min} to ${max} can be paid, and the order costs ${total}`,
    method,
    installments,
    min,
    max,
    total,
  }),
)

/** There is no such method, or it has not so many instalments. */
export const methodInvalid = problemKind(
  400,
  'method-invalid',
  'The method is unknown',
  (method: string, installment: number) => ({
    detail: `nothing is paid by "${method.slice(0, METHOD_SHOWN)}" in ${installment} instalments`,
    field: 'method',
  }),
)

export const orderInvalid = problemKind(
  400,
  'order-invalid',
  'The method does not allow it',
  ({ method, installments, min, max }: Offer) => ({
    detail: `by "${method}" in ${installments} instalments from ${min} to ${max} can be paid`,
    field: 'value',
    min,
    max,
  }),
)

/** Orders that hold it already are still paid. */
export const itemWithdrawn = problemKind(409, 'item-withdrawn', 'The item is withdrawn', (item: string) => ({
  detail: `item "${item}" can be added to no order any more`,
  item_id: item,
}))

/** Lines can be added to an open order only. */
export const notOpen = problemKind(409, 'order-not-open', 'The order is not open', (order: string, status: string) => ({
  detail: `order "${order}" is ${status}`,
  order_id: order,
  order_status: status,
}))

export const orderCancelled = problemKind(409, 'order-cancelled', 'The order is cancelled', (order: string) => ({
  detail: `order "${order}" was cancelled; place another one`,
  order_id: order,
}))

/** It was left open for too long. */
export const orderExpired = problemKind(409, 'order-expired', 'The order has expired', (order: string) => ({
  detail: `order "${order}" was left open for too long; place another one`,
  order_id: order,
}))

/** The same to clients of an older back end, which call it deleted. */
export const orderDeleted = problemKind(422, 'order-deleted', 'The order is deleted', (order: string) => ({
  detail: `order "${order}" is cancelled or has expired; place another one`,
  order_id: order,
}))

/** What is being checked out cannot be changed. */
export const beingCheckedOut = problemKind(423, 'locked', 'Locked', (order: string) => ({
  detail: `order "${order}" is being checked out; it was not changed`,
  order_id: order,
}))

/** A change that was made before the order was changed last. */
export const eventOutdated = problemKind(
  409,
  'event-outdated',
  'The change is outdated',
  (order: string, version: number) => ({
    detail: `order "${order}" was changed since: look at it again before you change it`,
    order_id: order,
    version,
  }),
)

export const orderFull = problemKind(409, 'order-full', 'The order is full', (order: string, most: number) => ({
  detail: `order "${order}" has ${most} lines, the most there may be`,
  order_id: order,
}))

/** An older version has added the line, and another one, without saying at which price. */
export const linePricesUnknown = problemKind(
  409,
  'line-prices-unknown',
  'It is unknown what the line has cost',
  (order: string, item: string) => ({
    detail: `nobody knows what the pieces of "${item}" in order "${order}" have cost one by one`,
    order_id: order,
    item_id: item,
  }),
)

export const orderEmpty = problemKind(409, 'order-empty', 'The order is empty', (order: string) => ({
  detail: `order "${order}" has no lines`,
  order_id: order,
}))

/** A paid order is to keep something: else it is cancelled, or refunded. */
export const nothingKept = problemKind(409, 'order-empty', 'Nothing would be left', (order: string) => ({
  detail: `order "${order}" is paid, and would have no lines: cancel it, or have it refunded`,
  order_id: order,
}))

/** What went back before would not be known of what is left. */
export const partlyRefunded = problemKind(409, 'partly-refunded', 'Some of it was refunded', (order: string) => ({
  detail: `of order "${order}" something was refunded: have the rest refunded, and place another one`,
  order_id: order,
}))

export const tooManyAmendments = problemKind(
  409,
  'too-many-amendments',
  'The order was changed too often',
  (order: string, most: number) => ({
    detail: `order "${order}" was changed ${most} times since it is paid, the most there may be`,
    order_id: order,
  }),
)

/** It is undone, or was not begun. */
export const changeCancelled = problemKind(424, 'change-cancelled', 'The change was cancelled', (order: string) => ({
  detail: `payment and stock had not answered when the change was given up; order "${order}" is as it was`,
  order_id: order,
}))

export const outOfCredit = problemKind(402, 'out-of-credit', 'Out of credit', (order: string) => ({
  detail: `the user of order "${order}" has not enough credit`,
  order_id: order,
}))

export const outOfStock = problemKind(409, 'out-of-stock', 'Out of stock', (order: string, item: string) => ({
  detail: `order "${order}" wants more of item "${item}" than there is`,
  order_id: order,
  item_id: item,
}))

export const userGone = problemKind(404, 'no-such-user', 'Unknown user', (order: string) => ({
  detail: `the user of order "${order}" does not exist`,
  order_id: order,
}))

/** What a checkout or an amendment is refused with, by the reason. */
export const REFUSALS = {
  'out-of-credit': outOfCredit,
  'out-of-stock': outOfStock,
  'no-such-user': userGone,
} satisfies Record<Refusal, unknown>

export const cancelledAtDeadline = problemKind(
  424,
  'checkout-cancelled',
  'Cancelled at the deadline',
  (order: string) => ({
    detail: `payment or stock did not answer in time; order "${order}" was not charged`,
    order_id: order,
  }),
)

export const cancelledByOperator = problemKind(
  424,
  'checkout-cancelled',
  'Cancelled by an operator',
  (order: string) => ({
    detail: `the checkout was given up before payment and stock had answered; order "${order}" was not charged`,
    order_id: order,
  }),
)

export const beingUndone = problemKind(
  409,
  'checkout-cancelling',
  'An earlier checkout is being undone',
  (order: string) => ({ detail: `order "${order}" can be checked out once that is done`, order_id: order }),
)

export const locked = problemKind(423, 'locked', 'Locked', (order: string) => ({
  detail: `another checkout of this user or order did not end in time; order "${order}" was not charged`,
  order_id: order,
}))

/** More checkouts are under way than can end in time: nothing was begun. */
export const overloaded = problemKind(503, 'overloaded', 'Too many checkouts are waiting', (order: string) => ({
  detail: `more checkouts are wanted than can be ended in time; nothing was done, check order "${order}" out again later`,
  order_id: order,
}))

/** The same of an order that would be placed and checked out in one. */
export const tooManySubmitted = problemKind(503, 'overloaded', 'Too many checkouts are waiting', () => ({
  detail: 'more checkouts wait than can be begun in time; nothing was done, place it again later',
}))

/** One more would be too many for this replica, or of one user. */
export const tooManyListeners = problemKind(503, 'too-many-listeners', 'Too many clients listen', () => ({
  detail:
    'this replica sends events to as many clients as it may, in all or of this user; come again later, or ask for the order now and then',
}))

export const noCheckout = problemKind(404, 'no-such-checkout', 'No checkout', (order: string) => ({
  detail: `of order "${order}" no checkout is recorded`,
  order_id: order,
}))

export const noSuchCheckout = problemKind(404, 'no-such-saga', 'Unknown saga', (logId: string) => ({
  detail: `order knows no saga "${logId}"`,
}))

/** What was decided before cannot be cancelled. */
export const alreadyDecided = problemKind(
  409,
  'checkout-decided',
  'The checkout is decided',
  (logId: string, state: string) => ({
    detail: `checkout "${logId}" was decided before: it is ${state}`,
    log_id: logId,
    state,
  }),
)

/** Only what is contradicted can be resolved. */
export const notContradicted = problemKind(
  409,
  'checkout-consistent',
  'Nothing is to be resolved',
  (logId: string, state: string) => ({
    detail: `checkout "${logId}" is ${state}, and nothing contradicts that (any more)`,
    log_id: logId,
    state,
  }),
)

/** Where it is unknown what was done, it cannot be undone. */
export const cannotRefund = problemKind(
  409,
  'checkout-forgotten',
  'It cannot be refunded any more',
  (logId: string, why: string) => ({
    detail: `${why}: give what is due by "add_funds" and "add", and accept checkout "${logId}"`,
    log_id: logId,
  }),
)
