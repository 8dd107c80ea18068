/**
 * What becomes of the money of a refund in payment, as data: see `shared/saga/transitions.ts`. `states.md` draws it.
 *
 * Order has granted it, so that nothing refuses it. An entry that finds it paid is a repetition: the recorded answer is emitted
 * again. Goods that are back prove that it was granted, if this Redis has lost it.
 */
import type { KindOf } from '../../shared/contract/events.ts'
import type { Transitions } from '../../shared/saga/transitions.ts'

export type State =
  /** Nothing is recorded of it: payment has not read of it, or this Redis came back older. */
  | 'none'
  /** The money is back; stock is to take the goods back. */
  | 'refunded'
  /** The goods are back, too. */
  | 'concluded'

export type Event =
  | (KindOf<'order'> & 'RefundGranted')
  | (KindOf<'stock'> & `Stock${'Restocked' | 'WrittenOff'}`)
  /** The log parser finds that it hangs. */
  | 're-emit'

export const transitions: Transitions<'payment', State, Event> = {
  none: {
    RefundGranted: ['refunded', 'refunded', 'CreditRefunded'],
    StockRestocked: ['refunded', 'refunded', 'CreditRefunded'],
    StockWrittenOff: ['refunded', 'refunded', 'CreditRefunded'],
    're-emit': ['unknown', 'none'],
  },
  refunded: {
    RefundGranted: ['repeated', 'refunded', 'CreditRefunded'],
    StockRestocked: ['concluded', 'concluded'],
    StockWrittenOff: ['concluded', 'concluded'],
    're-emit': ['told', 'refunded', 'CreditRefunded'],
  },
  concluded: {
    RefundGranted: ['repeated', 'concluded', 'CreditRefunded'],
    StockRestocked: ['repeated', 'concluded'],
    StockWrittenOff: ['repeated', 'concluded'],
    're-emit': ['told', 'concluded', 'CreditRefunded'],
  },
}
