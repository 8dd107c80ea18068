/**
 * What becomes of a checkout's money in payment, as data: see `shared/saga/transitions.ts`. `states.md` draws it.
 *
 * An entry that finds another state than it needs is a repetition: it changes nothing, and the recorded answer is emitted
 * again, which heals one that was lost. Only a checkout that waits has no answer yet.
 */
import type { KindOf } from '../shared/contract/events.ts'
import type { Alternative, Transitions } from '../shared/saga/transitions.ts'

export type State =
  /** Nothing is recorded of it: payment has not read of it, or this Redis came back older. */
  | 'none'
  /** Its total is there, but another checkout holds it. */
  | 'waiting'
  | 'held'
  | 'refused'
  | 'captured'
  /** Stock has refused the goods. */
  | 'voided'
  /** Nothing is held, nothing is captured, and nothing will be. */
  | 'released'

export type Event =
  | (KindOf<'order'> & `Checkout${'Started' | 'Cancelled'}`)
  | (KindOf<'stock'> & `Stock${'Taken' | 'Refused' | 'Returned'}`)
  /** The log parser finds that it hangs. */
  | 're-emit'

/** For a wallet in which there is enough that no other checkout holds. */
export const transitions: Transitions<'payment', State, Event> = {
  none: {
    CheckoutStarted: ['held', 'held', 'CreditHeld'],
    CheckoutCancelled: ['released', 'released', 'CreditReleased'],
    // Goods are taken only where money is held: it is held again.
    StockTaken: ['held', 'held', 'CreditHeld'],
    StockRefused: ['unknown', 'none'],
    StockReturned: ['nothing', 'none'],
    're-emit': ['unknown', 'none'],
  },
  waiting: {
    CheckoutStarted: ['repeated', 'waiting'],
    CheckoutCancelled: ['released', 'released', 'CreditReleased'],
    StockTaken: ['repeated', 'waiting'],
    StockRefused: ['repeated', 'waiting'],
    StockReturned: ['released', 'released', 'CreditReleased'],
    're-emit': ['served', 'waiting'],
  },
  held: {
    CheckoutStarted: ['repeated', 'held', 'CreditHeld'],
    CheckoutCancelled: ['released', 'released', 'CreditReleased'],
    StockTaken: ['captured', 'captured', 'CreditCaptured'],
    StockRefused: ['voided', 'voided', 'CreditVoided'],
    // Stock has read of a cancellation that order has lost since.
    StockReturned: ['released', 'released', 'CreditReleased'],
    're-emit': ['told', 'held', 'CreditHeld'],
  },
  refused: {
    CheckoutStarted: ['repeated', 'refused', 'CreditRefused'],
    CheckoutCancelled: ['released', 'released', 'CreditReleased'],
    StockTaken: ['repeated', 'refused', 'CreditRefused'],
    StockRefused: ['repeated', 'refused', 'CreditRefused'],
    StockReturned: ['nothing', 'refused'],
    're-emit': ['told', 'refused', 'CreditRefused'],
  },
  captured: {
    CheckoutStarted: ['repeated', 'captured', 'CreditCaptured'],
    CheckoutCancelled: ['released', 'released', 'CreditReleased'],
    StockTaken: ['repeated', 'captured', 'CreditCaptured'],
    // Stock has lost what it took and cannot take it again: the contradiction, which this answer brings to order.
    StockRefused: ['voided', 'voided', 'CreditVoided'],
    StockReturned: ['released', 'released', 'CreditReleased'],
    're-emit': ['told', 'captured', 'CreditCaptured'],
  },
  voided: {
    CheckoutStarted: ['repeated', 'voided', 'CreditVoided'],
    CheckoutCancelled: ['released', 'released', 'CreditReleased'],
    StockTaken: ['repeated', 'voided', 'CreditVoided'],
    StockRefused: ['repeated', 'voided', 'CreditVoided'],
    StockReturned: ['nothing', 'voided'],
    're-emit': ['told', 'voided', 'CreditVoided'],
  },
  released: {
    CheckoutStarted: ['repeated', 'released', 'CreditReleased'],
    CheckoutCancelled: ['repeated', 'released', 'CreditReleased'],
    StockTaken: ['repeated', 'released', 'CreditReleased'],
    StockRefused: ['repeated', 'released', 'CreditReleased'],
    StockReturned: ['nothing', 'released'],
    're-emit': ['told', 'released', 'CreditReleased'],
  },
}

/** For other wallets. A checkout that waits is served by the command that lets the money go, or else when the log parser looks. */
export const alternatives = [
  ['none', 'CheckoutStarted', 'too little is owned', ['refused', 'refused', 'CreditRefused']],
  ['none', 'CheckoutStarted', 'another checkout holds it', ['waiting', 'waiting']],
  ['none', 'StockTaken', 'too little is owned', ['refused', 'refused', 'CreditRefused']],
  ['none', 'StockTaken', 'another checkout holds it', ['waiting', 'waiting']],
  ['waiting', 're-emit', 'the other checkout has let it go', ['served', 'held', 'CreditHeld']],
  ['waiting', 're-emit', 'the other checkout has captured it', ['served', 'refused', 'CreditRefused']],
] as const satisfies readonly Alternative<'payment', State, Event>[]
