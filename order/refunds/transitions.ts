/**
 * What becomes of a refund in order, as data: see `shared/saga/transitions.ts`. `states.md` draws it.
 *
 * A request grants it, under a log id of its own, and nothing undoes that. What payment has paid and order has forgotten was
 * granted; and so was what a client was told, although payment may not have read of it.
 */
import type { KindOf } from '../../shared/contract/events.ts'
import type { Alternative, Transitions } from '../../shared/saga/transitions.ts'

export type State =
  /** Nothing is recorded of it: it was never granted, or this Redis came back older. */
  | 'none'
  /** It is decided; payment is to pay it. */
  | 'granted'
  /** Payment has paid it. */
  | 'settled'

export type Event =
  | (KindOf<'payment'> & 'CreditRefunded')
  /** A process remembers that a client was told it is granted. */
  | 'uphold'
  /** The log parser finds that it hangs. */
  | 're-emit'
  /** An operator takes it for a checkout. */
  | 'cancel'

/** For an order that is paid, and of which so much is left. */
export const transitions: Transitions<'order', State, Event> = {
  none: {
    CreditRefunded: ['rebuilt', 'settled', 'RefundGranted', 'RefundSettled'],
    uphold: ['granted', 'granted', 'RefundGranted'],
    're-emit': ['unknown', 'none'],
    cancel: ['unknown', 'none'],
  },
  granted: {
    CreditRefunded: ['settled', 'settled', 'RefundSettled'],
    uphold: ['kept', 'granted'],
    're-emit': ['told', 'granted', 'RefundGranted'],
    cancel: ['unknown', 'granted'],
  },
  settled: {
    CreditRefunded: ['repeated', 'settled'],
    uphold: ['kept', 'settled'],
    're-emit': ['finished', 'settled'],
    cancel: ['unknown', 'settled'],
  },
}

/** For other orders. What was refunded of them otherwise since is refunded all the same, which a person is to know. */
export const alternatives = [
  [
    'none',
    'CreditRefunded',
    'less is left of its order',
    ['contradicted', 'settled', 'RefundGranted', 'RefundSettled', 'CheckoutContradicted'],
  ],
  ['none', 'uphold', 'less is left of its order', ['contradicted', 'granted', 'RefundGranted', 'CheckoutContradicted']],
  ['none', 'uphold', 'its order is not paid', ['lost', 'none']],
  ['none', 'uphold', 'it is of an amendment of what only payment knows', ['early', 'none']],
] as const satisfies readonly Alternative<'order', State, Event>[]
