/**
 * What becomes of an amendment in order, as data: see `shared/saga/transitions.ts`. `states.md` draws it.
 *
 * The same as of a checkout, but for its order: that is *changing* while it is not decided, and paid before and after, whatever the end
 * is. So what is being undone keeps nobody waiting. One that is made has what left go back.
 */
import type { KindOf } from '../../shared/contract/events.ts'
import type { Alternative, Transitions } from '../../shared/saga/transitions.ts'
import type { Status } from '../order.ts'
import type { Event as CheckoutEvent, State as CheckoutState } from '../transitions.ts'

export type State = Exclude<CheckoutState, 'submitted'>

export type Event =
  /** A request begins it; again, under its key, it is a repetition of that request. */
  'amend' | Exclude<CheckoutEvent, 'begin' | 'submit'>

/** What an order shows while an amendment of it is in a state. */
export const statusIn: Readonly<Record<State, Status>> = {
  none: 'paid',
  'checking-out': 'changing',
  paid: 'paid',
  contradicted: 'paid',
  accepted: 'paid',
  failed: 'paid',
  cancelling: 'paid',
  closed: 'paid',
}

const made = ['OrderPaid', 'OrderAmended', 'RefundGranted'] as const satisfies readonly KindOf<'order'>[]

/** Of one with which something leaves the order, and for an order that is as it was. */
export const transitions: Transitions<'order', State, Event> = {
  none: {
    amend: ['amending', 'checking-out', 'CheckoutStarted'],
    // This Redis came back older; the others finished what it has forgotten.
    CreditCaptured: ['adopted', 'paid', 'CheckoutStarted', ...made],
    CreditRefused: ['unknown', 'none'],
    CreditVoided: ['unknown', 'none'],
    CreditReleased: ['unknown', 'none'],
    cancel: ['unknown', 'none'],
    're-emit': ['unknown', 'none'],
    refund: ['unknown', 'none'],
    accept: ['unknown', 'none'],
  },
  'checking-out': {
    amend: ['amending', 'checking-out'],
    CreditCaptured: ['paid', 'paid', ...made],
    CreditRefused: ['failed', 'failed', 'CheckoutFailed'],
    CreditVoided: ['failed', 'failed', 'CheckoutFailed'],
    CreditReleased: ['repeated', 'checking-out'],
    cancel: ['cancelled', 'cancelling', 'CheckoutCancelled'],
    're-emit': ['told', 'checking-out', 'CheckoutStarted'],
    refund: ['consistent', 'checking-out'],
    accept: ['consistent', 'checking-out'],
  },
  paid: {
    amend: ['amending', 'paid'],
    CreditCaptured: ['repeated', 'paid'],
    CreditRefused: ['contradicted', 'contradicted', 'CheckoutContradicted'],
    CreditVoided: ['contradicted', 'contradicted', 'CheckoutContradicted'],
    CreditReleased: ['contradicted', 'contradicted', 'CheckoutContradicted'],
    cancel: ['decided', 'paid'],
    're-emit': ['finished', 'paid'],
    refund: ['consistent', 'paid'],
    accept: ['consistent', 'paid'],
  },
  contradicted: {
    amend: ['amending', 'contradicted'],
    CreditCaptured: ['repeated', 'contradicted'],
    CreditRefused: ['repeated', 'contradicted'],
    CreditVoided: ['repeated', 'contradicted'],
    CreditReleased: ['repeated', 'contradicted'],
    cancel: ['decided', 'contradicted'],
    're-emit': ['finished', 'contradicted'],
    // The order is made of it.
    refund: ['amended', 'contradicted'],
    accept: ['resolved', 'accepted', 'CheckoutResolved'],
  },
  accepted: {
    amend: ['amending', 'accepted'],
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
    amend: ['amending', 'failed'],
    // It was answered with a refusal, so it must not be charged.
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
    amend: ['amending', 'cancelling'],
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
    amend: ['amending', 'closed'],
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

/** For other orders: what was captured goes back, for what it was captured for is not there any more. */
export const alternatives = [
  ['none', 'CreditCaptured', 'its order is another one by now', ['cancelled', 'cancelling', 'CheckoutCancelled']],
  [
    'checking-out',
    'CreditCaptured',
    'a refund of its order was forgotten',
    ['cancelled', 'cancelling', 'CheckoutCancelled'],
  ],
] as const satisfies readonly Alternative<'order', State, Event>[]
