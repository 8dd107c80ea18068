/**
 * Which entries order applies, which command follows, and what is then emitted.
 *
 * A checkout, seen from here: perhaps *submitted*, then *checking-out* → *paid* or *failed*, or at its deadline *cancelling* →
 * *closed* once payment has undone it, and with it had stock undo it. The first of the two ways that reaches this Redis is the
 * decision. An entry that finds the saga decided is a repetition and changes nothing, with two exceptions: money captured for a
 * saga that is unknown here (this Redis came back older) is adopted or cancelled, and what was paid and is refused or undone all
 * the same is a contradiction, told apart, which a person resolves: *paid* stays so, or becomes *cancelling* and is undone.
 *
 * A refund is decided when it is granted, and never undone: *granted* → *settled* once payment has paid it. Money that is back for a
 * refund that is unknown here proves that it was granted: it is booked as if this Redis had never lost it.
 *
 * What payment has drafted for an order is noted. If it is not of the order as it is known here (this Redis came back older), it is to be
 * drafted anew.
 */
import type { Reactions } from '../shared/log/apply.ts'

/**
 * What is emitted when a request submits a checkout, or begins it, when its deadline passes, when a person has resolved a
 * contradiction, when a refund is granted, and now and then of all that are unfinished.
 */
export const emits = {
  submitted: 'CheckoutSubmitted',
  'checking-out': 'CheckoutStarted',
  cancelling: 'CheckoutCancelled',
  contradicted: 'CheckoutContradicted',
  resolved: 'CheckoutResolved',
  granted: 'RefundGranted',
  surveyed: 'CheckoutsSurveyed',
} as const

export const reactions = {
  payment: {
    CreditCaptured: { command: 'complete', emits: { paid: 'OrderPaid', cancelling: 'CheckoutCancelled' } },
    CreditRefused: { command: 'fail', emits: { failed: 'CheckoutFailed', contradicted: 'CheckoutContradicted' } },
    CreditVoided: { command: 'fail', emits: { failed: 'CheckoutFailed', contradicted: 'CheckoutContradicted' } },
    CreditReleased: { command: 'close', emits: { closed: 'CheckoutClosed', contradicted: 'CheckoutContradicted' } },
    CreditRefunded: {
      command: 'settle',
      emits: { granted: 'RefundGranted', settled: 'RefundSettled', contradicted: 'CheckoutContradicted' },
    },
    InvoiceDrafted: { command: 'note-draft', emits: {} },
    DraftVoided: { command: 'note-void', emits: {} },
    SurveyEnded: { command: 'end-survey', emits: {} },
  },
} as const satisfies Reactions<'order'>
