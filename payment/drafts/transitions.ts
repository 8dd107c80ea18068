/**
 * What becomes of the draft of an order's invoice in payment, as data: see `shared/saga/transitions.ts`. `states.md` draws it.
 *
 * Order alone decides what an order is; payment shows what that comes to. What is known of the same version of the order, or of a
 * later one, is a repetition.
 */
import type { KindOf } from '../../shared/contract/events.ts'
import type { Alternative, Transitions } from '../../shared/saga/transitions.ts'

export type State =
  /** The order was only filled line by line, or it is paid, or payment has not read of it. */
  | 'none'
  | 'draft'
  /** The order will never be paid. */
  | 'void'

export type Event =
  | (KindOf<'order'> & `Order${'Placed' | 'Changed' | 'Cancelled' | 'Expired' | 'Forgotten' | 'sInitialised'}`)
  | (KindOf<'order'> & 'DraftRequested')
  /** Its money is captured, and the invoice issued. */
  | 'capture'

/** Where a draft is there, it shows the version of the order that the event tells of, or a later one. */
export const transitions: Transitions<'payment', State, Event> = {
  none: {
    OrderPlaced: ['drafted', 'draft', 'InvoiceDrafted'],
    OrderChanged: ['drafted', 'draft', 'InvoiceDrafted'],
    DraftRequested: ['drafted', 'draft', 'InvoiceDrafted'],
    OrderCancelled: ['nothing', 'none'],
    OrderExpired: ['nothing', 'none'],
    OrderForgotten: ['nothing', 'none'],
    OrdersInitialised: ['dropped', 'none'],
    capture: ['captured', 'none', 'CreditCaptured'],
  },
  draft: {
    OrderPlaced: ['repeated', 'draft'],
    OrderChanged: ['repeated', 'draft'],
    DraftRequested: ['repeated', 'draft'],
    OrderCancelled: ['draft-voided', 'void', 'DraftVoided'],
    OrderExpired: ['draft-voided', 'void', 'DraftVoided'],
    OrderForgotten: ['draft-voided', 'void', 'DraftVoided'],
    OrdersInitialised: ['dropped', 'none'],
    capture: ['captured', 'none', 'CreditCaptured'],
  },
  void: {
    OrderPlaced: ['repeated', 'void'],
    OrderChanged: ['repeated', 'void'],
    DraftRequested: ['repeated', 'void'],
    OrderCancelled: ['nothing', 'void'],
    OrderExpired: ['nothing', 'void'],
    OrderForgotten: ['nothing', 'void'],
    OrdersInitialised: ['dropped', 'none'],
    // Money proves that the order is paid, should order have forgotten that it was not to be.
    capture: ['captured', 'none', 'CreditCaptured'],
  },
}

/** For a later version of the order than the draft shows; and of one that was invoiced and credited before it is cancelled. */
export const alternatives = [
  ['draft', 'OrderCancelled', 'it was issued', ['dropped', 'none']],
  ['void', 'OrderCancelled', 'it was issued', ['dropped', 'none']],
  ['draft', 'OrderChanged', 'it is later', ['drafted', 'draft', 'InvoiceDrafted']],
  ['draft', 'DraftRequested', 'it is later', ['drafted', 'draft', 'InvoiceDrafted']],
  ['void', 'OrderChanged', 'it is later', ['drafted', 'draft', 'InvoiceDrafted']],
  ['void', 'DraftRequested', 'it is later', ['drafted', 'draft', 'InvoiceDrafted']],
] as const satisfies readonly Alternative<'payment', State, Event>[]
