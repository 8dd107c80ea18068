/**
 * How is a checkout submitted, for a client that does not wait for its end?
 *
 * It is recorded that it is to be begun (`lua/submit.lua`), and the client is told where to ask; from then on it will be decided, by its
 * deadline. A request that finds the order submitted or checked out already is told of that checkout, and under a key of the one
 * that it was told of before. As with a begin, a request whose client has gone submits nothing, nor does one that read the time
 * too long ago (`shared/log/fence.ts`).
 */
import { UnavailableError, unreachable } from '../../shared/errors.ts'
import type { Once } from '../../shared/redis/script.ts'
import { checkoutAnswers, type Submitted } from '../commands.ts'
import { isUndecided, type Outcome, type Undecided } from '../order.ts'
import type { CheckoutStatus } from '../store/checkout-status.ts'
import type { Store } from '../store.ts'
import type { Dispatcher } from './dispatcher.ts'
import { inTime } from './in-time.ts'
import { outcomeOf } from './outcomes.ts'
import type { Waiting, Watchers } from './watchers.ts'

/** A checkout that will be decided, as it stands now. */
export type UnderWay = CheckoutStatus & { readonly state: Undecided }

export type SubmitOptions = {
  readonly store: Pick<Store, 'recall' | 'readMs' | 'submit' | 'checkoutOf'>
  readonly nextLogId: () => string
  readonly dispatcher: Dispatcher
  readonly watchers: Watchers
  /** How long a submitted checkout may take until it is decided, and how many may wait to be begun. */
  readonly deadlineMs: number
  readonly most: number
}

/** Submits the checkout of an order, and waits for up to so long for its end. @throws UnavailableError */
export type Submit = (order: string, requester: Once & Waiting, waitMs: number) => Promise<Outcome | UnderWay>

export const isUnderWay = (found: Outcome | CheckoutStatus): found is UnderWay => isUndecided(found.state)

export const openSubmit = (options: SubmitOptions): Submit => {
  const { store, nextLogId, dispatcher, watchers, deadlineMs, most } = options

  const submitNow = async (order: string, requester: Once): Promise<Submitted> => {
    const log_id = nextLogId()
    const args = { log_id, order, timeout_ms: deadlineMs, most }
    const result = await inTime(store, requester, (once) => store.submit(args, once))
    if (result[0] === 'submitted' && result[1] === log_id)
      dispatcher.offer({ id: log_id, order, deadline: performance.now() + deadlineMs })
    return result
  }

  /** How the checkout stands that the client is told of: with its end, if it has one after a while. */
  const follow = async (
    order: string,
    saga: string,
    requester: Waiting,
    waitMs: number,
  ): Promise<Outcome | UnderWay> => {
    await watchers.watch(saga, waitMs, requester)
    const found = await store.checkoutOf(order, { saga, isTold: true })
    if (found === undefined || found === 'unknown')
      throw new UnavailableError('the order service does not know this checkout')
    if (isUnderWay(found)) return found
    const outcome = outcomeOf(found)
    if (outcome.state !== 'cancelled') return outcome
    // It is given up as well if its order proves to have been paid by an earlier one, which a Redis had forgotten.
    const last = await store.checkoutOf(order)
    return typeof last === 'object' && last.state === 'paid' ? { state: 'paid', logId: last.id } : outcome
  }

  return async (order, requester, waitMs) => {
    const known = await store.recall(checkoutAnswers, requester)
    const result = known ?? (await submitNow(order, requester))
    switch (result[0]) {
      case 'begun':
      case 'submitted':
      case 'checking-out':
      case 'joined':
        return follow(order, result[1], requester, waitMs)
      case 'paid':
        return { state: 'paid', logId: result[1] ?? '' }
      case 'full':
        return { state: 'overloaded' }
      case 'cancelling':
      case 'empty':
      case 'order-changing':
      case 'order-cancelled':
      case 'order-expired':
      case 'unknown':
      case 'key-reused':
        return { state: result[0] }
      default:
        return unreachable('order.submit', result)
    }
  }
}
