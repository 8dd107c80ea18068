/**
 * What becomes of a checkout's goods in stock, as data: see `shared/saga/transitions.ts`. `states.md` draws it.
 *
 * An entry that finds the goods decided is a repetition: it changes nothing, and the recorded answer is emitted again.
 */
import type { KindOf } from '../shared/contract/events.ts'
import type { Alternative, Transitions } from '../shared/saga/transitions.ts'

export type State =
  /** Nothing is recorded of it: no money is held for it, or this Redis came back older. */
  'none' | 'taken' | 'refused' | 'returned'

export type Event = KindOf<'payment'> & `Credit${'Held' | 'Refused' | 'Voided' | 'Released'}`

/** For goods of which there are enough. */
export const transitions: Transitions<'stock', State, Event> = {
  none: {
    CreditHeld: ['taken', 'taken', 'StockTaken'],
    CreditRefused: ['nothing', 'none'],
    CreditVoided: ['nothing', 'none'],
    CreditReleased: ['nothing', 'none'],
  },
  taken: {
    CreditHeld: ['repeated', 'taken', 'StockTaken'],
    // Payment has lost that it had held the money, and has it no more.
    CreditRefused: ['returned', 'returned', 'StockReturned'],
    CreditVoided: ['returned', 'returned', 'StockReturned'],
    CreditReleased: ['returned', 'returned', 'StockReturned'],
  },
  refused: {
    CreditHeld: ['repeated', 'refused', 'StockRefused'],
    CreditRefused: ['nothing', 'refused'],
    CreditVoided: ['nothing', 'refused'],
    CreditReleased: ['nothing', 'refused'],
  },
  returned: {
    CreditHeld: ['repeated', 'returned', 'StockReturned'],
    CreditRefused: ['nothing', 'returned'],
    CreditVoided: ['nothing', 'returned'],
    CreditReleased: ['nothing', 'returned'],
  },
}

/** For other goods. */
export const alternatives = [
  ['none', 'CreditHeld', 'too few are there', ['refused', 'refused', 'StockRefused']],
] as const satisfies readonly Alternative<'stock', State, Event>[]
