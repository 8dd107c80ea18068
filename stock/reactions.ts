/**
 * Which entries stock applies, which command follows, and what is then emitted.
 *
 * A checkout, seen from here: none → *taken* or *refused*; this is the pivot, for what was taken will be captured. What
 * was taken is *returned* when its money is let go: by a cancellation, which payment applies first, or because a Redis lost
 * what had been decided. An entry that finds the saga decided is a repetition: it changes nothing, and the recorded
 * answer is emitted again.
 *
 * A refund, whose money is back: none → *restocked* or *written-off*, as it was granted.
 */
import type { Reactions } from '../shared/log/apply.ts'

export const reactions = {
  payment: {
    CreditHeld: { command: 'take', emits: { taken: 'StockTaken', refused: 'StockRefused' } },
    CreditRefused: { command: 'give-back', emits: { returned: 'StockReturned' } },
    CreditVoided: { command: 'give-back', emits: { returned: 'StockReturned' } },
    CreditReleased: { command: 'give-back', emits: { returned: 'StockReturned' } },
    CreditRefunded: { command: 'restock', emits: { restocked: 'StockRestocked', 'written-off': 'StockWrittenOff' } },
    CreditsSurveyed: { command: 'turn-survey', emits: { surveyed: 'GoodsSurveyed' } },
  },
} as const satisfies Reactions<'stock'>
