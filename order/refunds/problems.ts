/** Why is a refund refused? */
import { problemKind } from '../../shared/http/problem.ts'

export const noSuchRefund = problemKind(404, 'no-such-refund', 'Unknown refund', (order: string, refund: string) => ({
  detail: `order "${order}" has no refund "${refund}"`,
  order_id: order,
}))

export const orderNotPaid = problemKind(
  409,
  'order-not-paid',
  'The order is not paid',
  (order: string, status: string) => ({
    detail: `order "${order}" is ${status}: there is nothing to be given back`,
    order_id: order,
    order_status: status,
  }),
)

/** A change of it is under way, and soon decided. */
export const orderChanging = problemKind(409, 'order-changing', 'The order is being changed', (order: string) => ({
  detail: `a change of order "${order}" is under way; nothing was done`,
  order_id: order,
}))

export const nothingToRefund = problemKind(409, 'nothing-to-refund', 'Nothing is left to refund', (order: string) => ({
  detail: `all of order "${order}" is refunded`,
  order_id: order,
}))

/** `left`: so many pieces of the line are not refunded yet. */
export const quantityTooGreat = problemKind(
  409,
  'quantity-too-great',
  'So many are not left',
  (order: string, item: string, left: number) => ({
    detail: `of item "${item}" order "${order}" has ${left} that are not refunded`,
    order_id: order,
    item_id: item,
    left,
  }),
)

/** An older version has not recorded it. */
export const linePricesUnknown = problemKind(
  409,
  'line-prices-unknown',
  'What the line has cost is unknown',
  (order: string, item: string) => ({
    detail: `what item "${item}" has cost in order "${order}" is not recorded: all that is left of it can be refunded, by naming no lines`,
    order_id: order,
    item_id: item,
  }),
)

export const tooManyRefunds = problemKind(
  409,
  'too-many-refunds',
  'The order has too many refunds',
  (order: string, most: number) => ({
    detail: `of order "${order}" ${most} refunds were granted: all that is left of it can be refunded, by naming no lines`,
    order_id: order,
  }),
)

/** Payment or stock says otherwise, and a person has not resolved that. */
export const orderContradicted = problemKind(
  409,
  'order-contradicted',
  'The order is contradicted',
  (order: string) => ({
    detail: `what was decided of order "${order}" was lost in part: an operator is to resolve that before anything is given back`,
    order_id: order,
  }),
)
