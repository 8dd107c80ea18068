/**
 * Which entries stock applies, which command follows, and what is then emitted.
 *
 * A checkout, seen from here: none → *taken* or *refused*; this is the pivot, for what was taken will be captured. What
 * was taken is *returned* when its money is let go: by a cancellation, which payment applies first, or because a Redis lost
 * what had been decided. An entry that finds the saga decided is a repetition: it changes nothing, and the recorded
 * answer is emitted again.
 */
import type { Reactions } from '../shared/log/apply.ts'

export const reactions = {
  payment: {
    CreditHeld: { command: 'take', emits: { taken: 'StockTaken', refused: 'StockRefused' } },
    CreditRefused: { command: 'give-back', emits: { returned: 'StockReturned' } },
    CreditVoided: { command: 'give-back', emits: { returned: 'StockReturned' } },
    CreditReleased: { command: 'give-back', emits: { returned: 'StockReturned' } },
    CreditsSurveyed: { command: 'turn-survey', emits: { surveyed: 'GoodsSurveyed' } },
  },
} as const satisfies Reactions<'stock'>
