/**
 * What order knows of the draft that payment makes of an order's invoice, as data: see `shared/saga/transitions.ts`. `states.md` draws it.
 *
 * Order decides what an order is, so it only notes what payment has drafted. If that is not of the order as it is known here, this
 * Redis came back older, or payment's did: it is to be drafted anew.
 */
import type { KindOf } from '../../shared/contract/events.ts'
import type { Alternative, Transitions } from '../../shared/saga/transitions.ts'

export type State =
  /** None is to be: the order was only filled line by line. */
  | 'none'
  /** Payment is told what the order is; it has not said that it has drafted that. */
  | 'awaited'
  /** The draft shows the order as it is. */
  | 'drafted'

export type Event = KindOf<'payment'> & ('InvoiceDrafted' | 'DraftVoided')

/** For an order that may be paid yet, and the version of it that payment is told of, or a version before. */
export const transitions: Transitions<'order', State, Event> = {
  none: {
    InvoiceDrafted: ['repeated', 'none'],
    DraftVoided: ['nothing', 'none'],
  },
  awaited: {
    InvoiceDrafted: ['drafted', 'drafted'],
    DraftVoided: ['requested', 'awaited', 'DraftRequested'],
  },
  drafted: {
    InvoiceDrafted: ['repeated', 'drafted'],
    DraftVoided: ['requested', 'awaited', 'DraftRequested'],
  },
}

/** What else payment may have drafted. */
export const alternatives = [
  ['none', 'InvoiceDrafted', 'the order is unknown', ['forgotten', 'none', 'OrderForgotten']],
  ['none', 'InvoiceDrafted', 'that version is unknown', ['requested', 'awaited', 'DraftRequested']],
  ['awaited', 'InvoiceDrafted', 'that version is unknown', ['requested', 'awaited', 'DraftRequested']],
  ['none', 'InvoiceDrafted', 'that version is unknown, and it is being paid', ['deferred', 'awaited']],
  ['drafted', 'InvoiceDrafted', 'that version is unknown, and it is being paid', ['deferred', 'awaited']],
  ['awaited', 'InvoiceDrafted', 'it is of a version before', ['drafted', 'awaited']],
  ['drafted', 'InvoiceDrafted', 'that version is unknown', ['requested', 'awaited', 'DraftRequested']],
  ['drafted', 'DraftVoided', 'it is being paid', ['deferred', 'awaited']],
  ['drafted', 'DraftVoided', 'the order is cancelled', ['nothing', 'drafted']],
  ['awaited', 'DraftVoided', 'it is of a version before', ['nothing', 'awaited']],
] as const satisfies readonly Alternative<'order', State, Event>[]
