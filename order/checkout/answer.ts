/** What does the client of a checkout get as an answer? */
import { unreachable } from '../../shared/errors.ts'
import { AGAIN, bearing } from '../../shared/http/answer.ts'
import { keyReused } from '../../shared/http/problems.ts'
import type { AnswerTo } from '../../shared/http/route.ts'
import type { api } from '../api.ts'
import type { Ended, Outcome } from '../order.ts'
import {
  beingUndone,
  cancelledAtDeadline,
  cancelledByOperator,
  locked,
  noSuchOrder,
  orderCancelled,
  orderEmpty,
  orderExpired,
  overloaded,
  REFUSALS,
} from '../problems.ts'
import { orderChanging } from '../refunds/problems.ts'
import type { ShownCheckout } from '../schemas.ts'
import type { CheckoutStatus } from '../store/checkout-status.ts'
import { outcomeOf } from './outcomes.ts'
import { isUnderWay, type UnderWay } from './submit.ts'

const cancellations = { deadline: cancelledAtDeadline, operator: cancelledByOperator, customer: orderCancelled }

const isoOf = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())

/** What has failed was refused, or given up before it was begun. */
const endOf = (ended: Ended) => {
  const outcome = outcomeOf(ended)
  switch (outcome.state) {
    case 'paid':
      return { state: outcome.state, reason: null, item_id: null }
    case 'refused':
      return { state: outcome.state, reason: outcome.reason, item_id: outcome.item || null }
    case 'cancelled':
      return { state: outcome.state, reason: outcome.by, item_id: null }
    default:
      return unreachable('order.end', outcome)
  }
}

/** A checkout as it is shown. */
export const shownAs = (status: CheckoutStatus): ShownCheckout => ({
  order_id: status.order,
  log_id: status.id,
  ...(isUnderWay(status) ? { state: status.state, reason: null, item_id: null } : endOf(status)),
  deadline: isoOf(status.deadlineMs),
  decided_at: isoOf(status.decidedMs),
})

export const answerOf = (order: string, outcome: Outcome): AnswerTo<typeof api.checkout> => {
  switch (outcome.state) {
    case 'paid':
      return { text: 'paid', headers: bearing(outcome.logId) }
    case 'refused':
      return { problem: REFUSALS[outcome.reason](order, outcome.item), headers: bearing(outcome.logId) }
    case 'cancelled':
      return {
        problem: cancellations[outcome.by](order),
        // An order that is given up is not to be checked out again.
        headers: { ...(outcome.by === 'customer' ? {} : AGAIN), ...bearing(outcome.logId) },
      }
    case 'cancelling':
      return { problem: beingUndone(order), headers: AGAIN }
    case 'locked':
      return { problem: locked(order), headers: AGAIN }
    case 'overloaded':
      return { problem: overloaded(order), headers: AGAIN }
    case 'empty':
      return { problem: orderEmpty(order) }
    case 'order-changing':
      return { problem: orderChanging(order), headers: AGAIN }
    case 'order-cancelled':
      return { problem: orderCancelled(order) }
    case 'order-expired':
      return { problem: orderExpired(order) }
    case 'unknown':
      return { problem: noSuchOrder(order) }
    case 'key-reused':
      return { problem: keyReused() }
    default:
      return unreachable('order.outcome', outcome)
  }
}

/** What a client is answered that did not want to wait. */
export const submittedAnswerOf = (order: string, found: Outcome | UnderWay): AnswerTo<typeof api.checkout> =>
  isUnderWay(found)
    ? {
        status: 202,
        json: shownAs(found),
        headers: {
          ...AGAIN,
          ...bearing(found.id),
          Location: `/orders/checkout/${order}`,
          'Preference-Applied': 'respond-async',
        },
      }
    : answerOf(order, found)
