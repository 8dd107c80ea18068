/**
 * Who is heard by stock, which command follows, and what is then said.
 *
 * A checkout, seen from here: none → *taken* or *refused*; this is the pivot, for what was taken will be captured. What
 * was taken is *returned* when its money is let go: by a cancellation, which payment hears first, or because a Redis lost
 * what had been decided. An entry that finds the saga decided is a repetition: it changes nothing, and the recorded
 * answer is said again.
 */
import type { Reactions } from '../shared/log/apply.ts'

export const reactions = {
  payment: {
    CreditHeld: { command: 'take', says: { taken: 'StockTaken', refused: 'StockRefused' } },
    CreditRefused: { command: 'give-back', says: { returned: 'StockReturned' } },
    CreditVoided: { command: 'give-back', says: { returned: 'StockReturned' } },
    CreditReleased: { command: 'give-back', says: { returned: 'StockReturned' } },
    CreditsSurveyed: { command: 'turn-survey', says: { surveyed: 'GoodsSurveyed' } },
  },
} as const satisfies Reactions<'stock'>
