/**
 * Which entries payment applies, which command follows, and what is then emitted.
 *
 * A checkout, seen from here: none → *held* or *refused* (or *waiting*, while money that another checkout holds would
 * decide) → *captured* or *voided*. A cancellation makes any of them *released*: nothing held, nothing captured, and
 * nothing to come; so do goods that were put back, in case order lost the cancellation. An entry that finds another state
 * than it needs is a repetition: it changes nothing, and the recorded answer is emitted again, which heals an answer that was
 * lost. Goods taken for a checkout that is unknown here (this Redis came back older) prove that its money was held: it is
 * held again. A survey of what is unfinished is passed on, and has ended when it comes back: see `shared/saga/lua/survey.lua`.
 *
 * A refund, which order has granted and nobody can refuse: none → *refunded*, the money is back → *concluded*, the goods are
 * as well. Goods that are back for a refund that is unknown here prove that it was granted: it is paid then, if never again.
 *
 * The invoice of an order that was placed whole, or changed: none → *draft*, anew for each version of the order → issued by the capture,
 * or *void* when the order ends without being paid.
 */
import type { Reactions } from '../shared/log/apply.ts'

export const reactions = {
  order: {
    CheckoutStarted: { command: 'hold', emits: { held: 'CreditHeld', refused: 'CreditRefused' } },
    CheckoutCancelled: { command: 'release', emits: { released: 'CreditReleased' } },
    OrderPlaced: { command: 'draft', emits: { drafted: 'InvoiceDrafted' } },
    OrderChanged: { command: 'draft', emits: { drafted: 'InvoiceDrafted' } },
    DraftRequested: { command: 'draft', emits: { drafted: 'InvoiceDrafted' } },
    OrderCancelled: { command: 'cancel-draft', emits: { 'draft-voided': 'DraftVoided' } },
    OrderExpired: { command: 'void-draft', emits: { 'draft-voided': 'DraftVoided' } },
    OrderForgotten: { command: 'void-draft', emits: { 'draft-voided': 'DraftVoided' } },
    OrdersInitialised: { command: 'drop-drafts', emits: {} },
    RefundGranted: { command: 'refund', emits: { refunded: 'CreditRefunded' } },
    CheckoutsSurveyed: { command: 'pass-survey', emits: { surveyed: 'CreditsSurveyed' } },
  },
  stock: {
    StockTaken: {
      command: 'capture',
      emits: { captured: 'CreditCaptured', held: 'CreditHeld', refused: 'CreditRefused' },
    },
    StockRefused: { command: 'void', emits: { voided: 'CreditVoided' } },
    StockReturned: { command: 'release-if-held', emits: { released: 'CreditReleased' } },
    StockRestocked: { command: 'conclude', emits: { refunded: 'CreditRefunded', concluded: 'CreditRefunded' } },
    StockWrittenOff: { command: 'conclude', emits: { refunded: 'CreditRefunded', concluded: 'CreditRefunded' } },
    GoodsSurveyed: { command: 'end-survey', emits: { 'survey-ended': 'SurveyEnded' } },
  },
} as const satisfies Reactions<'payment'>
