/**
 * Who is heard by stock, which deed follows, and what is then said.
 *
 * A checkout, seen from here: none → *taken* or *refused*; this is the pivot, for what was taken will be captured. A
 * cancellation makes any of them *returned*: the goods are back, or will never be taken. Goods are also put back when
 * their money was refused or let go, in case a Redis lost what had been decided. An entry that finds the saga decided is
 * a repetition: it changes nothing, and the recorded answer is said again.
 */
import type { Reactions } from '../shared/log.ts'

export const reactions = {
  payment: {
    CreditHeld: { deed: 'take', says: { taken: 'StockTaken', refused: 'StockRefused' } },
    CreditRefused: { deed: 'give-back-if-taken', says: { returned: 'StockReturned' } },
    CreditVoided: { deed: 'give-back-if-taken', says: { returned: 'StockReturned' } },
    CreditReleased: { deed: 'give-back-if-taken', says: { returned: 'StockReturned' } },
  },
  order: {
    CheckoutCancelled: { deed: 'give-back', says: { returned: 'StockReturned' } },
  },
} as const satisfies Reactions<'stock'>
