/**
 * How is an order placed whose checkout is tried once, without waiting for its end?
 *
 * One command makes the order and has its checkout wait (`lua/place-and-submit.lua`), so that there is none which is never begun;
 * this process begins it in its turn, or the log parser has another one do it.
 */
import type { FormOrder, Place } from '../forms/forms.ts'
import type { Store } from '../store.ts'
import type { Dispatcher } from './dispatcher.ts'
import { inTime } from './in-time.ts'

export type PlaceAndSubmitOptions = {
  readonly store: Pick<Store, 'readMs' | 'placeAndSubmit'>
  readonly nextLogId: () => string
  readonly dispatcher: Pick<Dispatcher, 'offer'>
  /** How long a submitted checkout may take until it is decided, and how many may wait to be begun. */
  readonly deadlineMs: number
  readonly most: number
}

export const openPlaceAndSubmit =
  ({ store, nextLogId, dispatcher, deadlineMs, most }: PlaceAndSubmitOptions): Place =>
  async (placed: FormOrder, requester) => {
    const saga = nextLogId()
    const args = { ...placed, saga, timeout_ms: deadlineMs, most }
    const result = await inTime(store, requester, (once) => store.placeAndSubmit(args, once))
    if (result[0] === 'submitted' && result[3] === saga)
      dispatcher.offer({ id: saga, order: placed.order, deadline: performance.now() + deadlineMs })
    return result
  }
