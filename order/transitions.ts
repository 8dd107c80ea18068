/**
 * What becomes of a checkout in order, as data: see `shared/saga/transitions.ts`. `states.md` draws it.
 *
 * The first event that decides a checkout is the decision; what comes later is a repetition, with two exceptions: what
 * payment has captured for a checkout that is unknown here is adopted, also if it has failed only because no more is known of it than that
 * it was paid once, and what contradicts a payment is told apart.
 */
import type { KindOf } from '../shared/contract/events.ts'
import type { Transitions } from '../shared/saga/transitions.ts'
import type { Status } from './order.ts'

export type State =
  /** Nothing is recorded of it: it was never begun, or this Redis came back older. */
  | 'none'
  /** Asked for without waiting, and not begun. */
  | 'submitted'
  | 'checking-out'
  | 'paid'
  /** Paid, and payment has refused it, or undone it: a person is to resolve that. */
  | 'contradicted'
  /** Paid although payment says otherwise, as a person has decided. */
  | 'accepted'
  | 'failed'
  | 'cancelling'
  | 'closed'

export type Event =
  /** A request begins it; again, under the same log id, it is a repetition of that request. */
  | 'begin'
  /** A request wants it begun later; again, under the same log id, it is a repetition of that request. */
  | 'submit'
  | (KindOf<'payment'> & `Credit${'Captured' | 'Refused' | 'Voided' | 'Released'}`)
  /** Its deadline has passed, or an operator gives it up. */
  | 'cancel'
  /** The log parser finds that it hangs. */
  | 're-emit'
  /** A person ends a contradiction, in the one way or the other. */
  | 'refund'
  | 'accept'

/** What an order shows while its last checkout is in a state. */
export const statusIn: Readonly<Record<State, Status>> = {
  none: 'open',
  submitted: 'submitted',
  'checking-out': 'checking-out',
  paid: 'paid',
  contradicted: 'paid',
  accepted: 'paid',
  failed: 'open',
  cancelling: 'cancelling',
  closed: 'open',
}

/** What a request is answered that wants another checkout of an order in a status: one begins only while it is open. */
export const anotherOf: Readonly<Record<Status, string>> = {
  open: 'begun',
  submitted: 'submitted',
  'checking-out': 'checking-out',
  paid: 'paid',
  changing: 'order-changing',
  cancelling: 'cancelling',
  cancelled: 'order-cancelled',
  expired: 'order-expired',
}

export const transitions: Transitions<'order', State, Event> = {
  none: {
    begin: ['begun', 'checking-out', 'CheckoutStarted'],
    submit: ['submitted', 'submitted', 'CheckoutSubmitted'],
    // This Redis came back older; the others finished what it has forgotten.
    CreditCaptured: ['adopted', 'paid', 'CheckoutStarted', 'OrderPaid'],
    CreditRefused: ['unknown', 'none'],
    CreditVoided: ['unknown', 'none'],
    CreditReleased: ['unknown', 'none'],
    cancel: ['unknown', 'none'],
    're-emit': ['unknown', 'none'],
    refund: ['unknown', 'none'],
    accept: ['unknown', 'none'],
  },
  submitted: {
    begin: ['begun', 'checking-out', 'CheckoutStarted'],
    submit: ['submitted', 'submitted'],
    // It was begun, and this Redis came back older.
    CreditCaptured: ['paid', 'paid', 'CheckoutStarted', 'OrderPaid'],
    CreditRefused: ['failed', 'failed', 'CheckoutFailed'],
    CreditVoided: ['failed', 'failed', 'CheckoutFailed'],
    CreditReleased: ['closed', 'closed', 'CheckoutCancelled', 'CheckoutClosed'],
    // Nothing was begun, so nothing is to be undone.
    cancel: ['cancelled', 'failed', 'CheckoutFailed'],
    're-emit': ['told', 'submitted', 'CheckoutSubmitted'],
    refund: ['consistent', 'submitted'],
    accept: ['consistent', 'submitted'],
  },
  'checking-out': {
    begin: ['begun', 'checking-out'],
    submit: ['submitted', 'checking-out'],
    CreditCaptured: ['paid', 'paid', 'OrderPaid'],
    CreditRefused: ['failed', 'failed', 'CheckoutFailed'],
    CreditVoided: ['failed', 'failed', 'CheckoutFailed'],
    CreditReleased: ['repeated', 'checking-out'],
    cancel: ['cancelled', 'cancelling', 'CheckoutCancelled'],
    're-emit': ['told', 'checking-out', 'CheckoutStarted'],
    refund: ['consistent', 'checking-out'],
    accept: ['consistent', 'checking-out'],
  },
  paid: {
    begin: ['begun', 'paid'],
    submit: ['submitted', 'paid'],
    CreditCaptured: ['repeated', 'paid'],
    CreditRefused: ['contradicted', 'contradicted', 'CheckoutContradicted'],
    CreditVoided: ['contradicted', 'contradicted', 'CheckoutContradicted'],
    // Order has lost that it had cancelled it.
    CreditReleased: ['contradicted', 'contradicted', 'CheckoutContradicted'],
    cancel: ['decided', 'paid'],
    're-emit': ['finished', 'paid'],
    refund: ['consistent', 'paid'],
    accept: ['consistent', 'paid'],
  },
  contradicted: {
    begin: ['begun', 'contradicted'],
    submit: ['submitted', 'contradicted'],
    CreditCaptured: ['repeated', 'contradicted'],
    CreditRefused: ['repeated', 'contradicted'],
    CreditVoided: ['repeated', 'contradicted'],
    CreditReleased: ['repeated', 'contradicted'],
    cancel: ['decided', 'contradicted'],
    're-emit': ['finished', 'contradicted'],
    refund: ['resolved', 'cancelling', 'CheckoutResolved', 'CheckoutCancelled'],
    accept: ['resolved', 'accepted', 'CheckoutResolved'],
  },
  accepted: {
    begin: ['begun', 'accepted'],
    submit: ['submitted', 'accepted'],
    CreditCaptured: ['repeated', 'accepted'],
    CreditRefused: ['repeated', 'accepted'],
    CreditVoided: ['repeated', 'accepted'],
    CreditReleased: ['repeated', 'accepted'],
    cancel: ['decided', 'accepted'],
    're-emit': ['finished', 'accepted'],
    refund: ['consistent', 'accepted'],
    accept: ['repeated', 'accepted'],
  },
  failed: {
    begin: ['begun', 'failed'],
    submit: ['submitted', 'failed'],
    // It was answered with a refusal, so it must not become a payment.
    CreditCaptured: ['cancelled', 'cancelling', 'CheckoutCancelled'],
    CreditRefused: ['repeated', 'failed'],
    CreditVoided: ['repeated', 'failed'],
    CreditReleased: ['repeated', 'failed'],
    cancel: ['decided', 'failed'],
    're-emit': ['finished', 'failed'],
    refund: ['consistent', 'failed'],
    accept: ['consistent', 'failed'],
  },
  cancelling: {
    begin: ['begun', 'cancelling'],
    submit: ['submitted', 'cancelling'],
    CreditCaptured: ['repeated', 'cancelling'],
    CreditRefused: ['repeated', 'cancelling'],
    CreditVoided: ['repeated', 'cancelling'],
    CreditReleased: ['closed', 'closed', 'CheckoutClosed'],
    cancel: ['decided', 'cancelling'],
    're-emit': ['told', 'cancelling', 'CheckoutCancelled'],
    refund: ['consistent', 'cancelling'],
    accept: ['consistent', 'cancelling'],
  },
  closed: {
    begin: ['begun', 'closed'],
    submit: ['submitted', 'closed'],
    CreditCaptured: ['repeated', 'closed'],
    CreditRefused: ['repeated', 'closed'],
    CreditVoided: ['repeated', 'closed'],
    CreditReleased: ['repeated', 'closed'],
    cancel: ['decided', 'closed'],
    're-emit': ['finished', 'closed'],
    refund: ['consistent', 'closed'],
    accept: ['consistent', 'closed'],
  },
}
