/** What does the client of a checkout get as an answer? */
import { unreachable } from '../../shared/errors.ts'
import { LOG_ID_HEADER } from '../../shared/http/answer.ts'
import { RETRY_AFTER_S } from '../../shared/http/problem.ts'
import { keyReused } from '../../shared/http/problems.ts'
import type { AnswerTo } from '../../shared/http/route.ts'
import type { api } from '../api.ts'
import type { Outcome, Refusal } from '../order.ts'
import {
  beingUndone,
  cancelledAtDeadline,
  cancelledByOperator,
  locked,
  noSuchOrder,
  orderCancelled,
  orderEmpty,
  orderExpired,
  outOfCredit,
  outOfStock,
  overloaded,
  userGone,
} from '../problems.ts'

const refusals = {
  'out-of-credit': outOfCredit,
  'out-of-stock': outOfStock,
  'no-such-user': userGone,
} satisfies Record<Refusal, unknown>
const cancellations = { deadline: cancelledAtDeadline, operator: cancelledByOperator, customer: orderCancelled }

/** What was decided before keys remembered it has no log id. */
const bearing = (logId: string): Record<string, string> => (logId === '' ? {} : { [LOG_ID_HEADER]: logId })
const again = { 'Retry-After': RETRY_AFTER_S }

export const answerOf = (order: string, outcome: Outcome): AnswerTo<typeof api.checkout> => {
  switch (outcome.state) {
    case 'paid':
      return { text: 'paid', headers: bearing(outcome.logId) }
    case 'refused':
      return { problem: refusals[outcome.reason](order, outcome.item), headers: bearing(outcome.logId) }
    case 'cancelled':
      return {
        problem: cancellations[outcome.by](order),
        // An order that is given up is not to be checked out again.
        headers: { ...(outcome.by === 'customer' ? {} : again), ...bearing(outcome.logId) },
      }
    case 'cancelling':
      return { problem: beingUndone(order), headers: again }
    case 'locked':
      return { problem: locked(order), headers: again }
    case 'overloaded':
      return { problem: overloaded(order), headers: again }
    case 'empty':
      return { problem: orderEmpty(order) }
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
