/**
 * What becomes of the goods of a refund in stock, as data: see `shared/saga/transitions.ts`. `states.md` draws it.
 *
 * Its money is back, so that nothing refuses it. An entry that finds the goods back is a repetition: the recorded answer is emitted
 * again.
 */
import type { KindOf } from '../../shared/contract/events.ts'
import type { Alternative, Transitions } from '../../shared/saga/transitions.ts'

export type State =
  /** Nothing is recorded of it: its money is not back, or this Redis came back older. */
  | 'none'
  | 'restocked'
  /** The goods are back, and not to be sold again. */
  | 'written-off'

export type Event = KindOf<'payment'> & 'CreditRefunded'

/** For goods that go back onto the shelf. */
export const transitions: Transitions<'stock', State, Event> = {
  none: { CreditRefunded: ['restocked', 'restocked', 'StockRestocked'] },
  restocked: { CreditRefunded: ['repeated', 'restocked', 'StockRestocked'] },
  'written-off': { CreditRefunded: ['repeated', 'written-off', 'StockWrittenOff'] },
}

/** For other goods. */
export const alternatives = [
  ['none', 'CreditRefunded', 'they do not go onto the shelf', ['written-off', 'written-off', 'StockWrittenOff']],
] as const satisfies readonly Alternative<'stock', State, Event>[]
