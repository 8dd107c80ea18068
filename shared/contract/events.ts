/**
 * Which entries may one service emit for another?
 *
 * The dictionary of the shop: every kind of entry a service may write into its log, with the facts it carries. A kind is
 * a noun and a past participle, and belongs to one service, its publisher. Facts are what a subscriber needs to act, or to
 * rebuild what it lost. Adding a saga means adding rows here; an entry is never changed once it was appended, so a fact that
 * changes its meaning gets a new `VERSION`.
 *
 * Any entry may say in `trace` of which sampled trace it is: `00-{trace id}-{span id}-01`, the span being that in which it was appended.
 *
 * Any entry may say in `done_by` who had it done, if that was no customer for itself: `merchant:anna`. No subscriber acts on it.
 */

import type { Service } from './services.ts'

export const VERSION = '1'

/**
 * The types of facts: `id` an identifier; `amount` an integer from 0 to 2^53-1; `lines` items and quantities as
 * `item:quantity,item:quantity`; `costs` what each of them costs, in the same form; `time` milliseconds since 1970; `word` anything
 * without a blank, or nothing.
 */
export type FactType = 'id' | 'amount' | 'lines' | 'costs' | 'time' | 'word'

/** A fact with a question mark may be missing: entries of an older version do not have it. */
export type Fact = FactType | `${FactType}?`
export type Facts = Readonly<Record<string, Fact>>

/** What every entry of a checkout bears, so that each subscriber can act on it without asking. */
const checkout = { order: 'id', user: 'id', total: 'amount' } as const satisfies Facts

/**
 * What every entry of a refund bears, to act by, and to tell others what they lost: which pieces go back, for how much, and whether
 * onto the shelf (`shelf` or `none`). Some bear more: `checkouts` are those of its order, the last one first, `unpaid` those of them
 * that are not captured, and `before` the pieces that were back before.
 */
const refund = { ...checkout, lines: 'lines', restock: 'word' } as const satisfies Facts

/**
 * What a refund that is part of an amendment bears besides: the version that was amended, and what each line of the order costs
 * from then on.
 */
const ofAmendment = { amends: 'amount?', costs: 'costs?' } as const satisfies Facts

/**
 * What an entry of a checkout that is part of an amendment bears besides: the version of the order that it was made from, the pieces that
 * leave it, and what each of its lines costs from then on. By these a service that has lost the amendment can make it once more.
 */
const amendment = { amends: 'amount?', back: 'lines?', costs: 'costs?' } as const satisfies Facts

/** What an order is, with what each of its lines costs. */
const whole = { ...checkout, lines: 'lines', costs: 'costs' } as const satisfies Facts

/** What the invoice of an order is to come to, as of a version of the order. */
const draft = { ...checkout, order_version: 'amount' } as const satisfies Facts

/** On what terms an item is sold from then on. */
const offer = { item: 'id', price: 'amount', item_version: 'amount' } as const satisfies Facts

/** What operators do with any service. A dead letter is told by its log id, and by which entry of which log it holds. */
const byOperators = {
  /** Whether a feature is on: yes or no. */
  FeatureSet: { feature: 'word', on: 'word' },
  /** Its entry was applied at last; with the result of the command. */
  DeadLetterRetried: { publisher: 'word', entry: 'word', result: 'word' },
  DeadLetterDismissed: { publisher: 'word', entry: 'word' },
} as const satisfies Record<string, Facts>

/** What every entry about a lease on a lock bears; names and owners are percent-encoded. */
const lease = { lock: 'word', mode: 'word', owner: 'word' } as const satisfies Facts
/** The same of one that holds, or held. */
const holding = { ...lease, token: 'amount', permits: 'amount' } as const satisfies Facts

/** Which sagas, separated by commas, are not over: see `shared/saga/lua/survey.lua`. */
const survey = { open: 'word' } as const satisfies Facts

export const events = {
  ids: {
    BlockLeased: { replica: 'word', block: 'amount' },
    IdentifierGiven: { identifier: 'id' },
    ...byOperators,
    LockGranted: { ...holding, until: 'time' },
    LockRenewed: { ...holding, until: 'time' },
    LockReleased: holding,
    LockExpired: { ...holding, why: 'word', delayed: 'time?' },
    LockForced: { ...holding, delayed: 'time?' },
    LockQueued: { ...lease, permits: 'amount', priority: 'word' },
    LockWaitEnded: { ...lease, why: 'word' },
    LockConfigured: { lock: 'word', limit: 'word', write: 'word', delay: 'amount' },
  },
  order: {
    OrderCreated: { order: 'id', user: 'id' },
    ...byOperators,
    OrderPlaced: { ...whole, method: 'word?', installments: 'amount?' },
    OrderChanged: { ...whole, order_version: 'amount' },
    /** What an order that was paid is from then on. */
    OrderAmended: { ...whole, order_version: 'amount' },
    LineAdded: { order: 'id', item: 'id', quantity: 'amount', price: 'amount' },
    OrdersInitialised: {
      first: 'amount',
      last: 'amount',
      items: 'amount',
      users: 'amount',
      price: 'amount',
      seed: 'amount',
    },
    /**
     * With the credit note over what a checkout of it had captured, if that was given back just now; and how much of it was
     * refunded in all.
     */
    OrderCancelled: { order: 'id', user: 'id', why: 'word?', note: 'word?', refunded: 'amount?' },
    /** It will be cancelled, once its checkout is undone, which was given up before. */
    CancellationRequested: { order: 'id', user: 'id', why: 'word?' },
    OrderExpired: { order: 'id', user: 'id' },
    /** What payment has drafted, or not, is not what the order is now. */
    DraftRequested: { ...checkout, lines: 'lines', order_version: 'amount' },
    /** Payment has drafted something for an order that order does not know. */
    OrderForgotten: { order: 'id', user: 'id' },
    /** What an operator has had done to a webhook, or that its receiver is gone; where it leads is nobody else's business. */
    WebhookSet: { webhook: 'id', done: 'word' },
    CheckoutSubmitted: { ...checkout, lines: 'lines', deadline: 'time' },
    CheckoutStarted: { ...checkout, lines: 'lines', deadline: 'time', ...amendment },
    OrderPaid: { ...checkout, invoice: 'word?' },
    CheckoutFailed: { ...checkout, reason: 'word', item: 'word' },
    CheckoutCancelled: checkout,
    CheckoutClosed: { ...checkout, note: 'word?' },
    CheckoutContradicted: { ...checkout, by: 'word?', note: 'word?' },
    CheckoutResolved: { ...checkout, by: 'word', why: 'word' },
    RefundGranted: { ...refund, invoice: 'word?', ...ofAmendment, checkouts: 'word?' },
    RefundSettled: { ...checkout, lines: 'lines', note: 'word?' },
    CheckoutsSurveyed: survey,
  },
  payment: {
    UserCreated: { user: 'id' },
    /** A person has begun the next series of documents. */
    SeriesStarted: { series: 'amount' },
    ...byOperators,
    FundsAdded: { user: 'id', amount: 'amount' },
    CreditSpent: { user: 'id', amount: 'amount' },
    UsersInitialised: { first: 'amount', last: 'amount', credit: 'amount', replaced: 'amount' },
    CreditHeld: { ...checkout, lines: 'lines', ...amendment, refunds: 'word?' },
    CreditRefused: { ...checkout, reason: 'word' },
    CreditCaptured: { ...checkout, lines: 'lines?', invoice: 'word?', ...amendment },
    CreditVoided: { ...checkout, reason: 'word', item: 'word', note: 'word?', refunded: 'amount?' },
    CreditReleased: { ...checkout, note: 'word?', refunded: 'amount?' },
    CreditRefunded: { ...refund, note: 'word?', ...ofAmendment, checkouts: 'word?', unpaid: 'word?' },
    InvoiceDrafted: draft,
    DraftVoided: draft,
    CreditsSurveyed: survey,
    SurveyEnded: survey,
  },
  stock: {
    ItemCreated: { item: 'id', price: 'amount' },
    ...byOperators,
    StockAdded: { item: 'id', amount: 'amount' },
    StockSubtracted: { item: 'id', amount: 'amount' },
    ItemsInitialised: {
      first: 'amount',
      last: 'amount',
      stock: 'amount',
      price: 'amount',
      replaced: 'amount',
      item_version: 'amount?',
    },
    PriceChanged: offer,
    ItemWithdrawn: offer,
    ItemOffered: offer,
    StockTaken: { order: 'id', user: 'id?', total: 'amount?', lines: 'lines', ...amendment, there: 'lines?' },
    StockRefused: { order: 'id', item: 'word' },
    StockReturned: { order: 'id', lines: 'lines', before: 'lines?' },
    StockRestocked: { ...refund, amends: 'amount?', checkouts: 'word?', before: 'lines?' },
    StockWrittenOff: { ...refund, amends: 'amount?', checkouts: 'word?' },
    GoodsSurveyed: survey,
  },
} as const satisfies Record<Service, Record<string, Facts>>

const singleByOperators = [
  'FeatureSet',
  'DeadLetterRetried',
  'DeadLetterDismissed',
] as const satisfies readonly (keyof typeof byOperators)[]

/**
 * Commands that are complete in themselves and part of no saga: no service could emit them again if the publisher lost them.
 */
export const single = {
  ids: [
    'BlockLeased',
    'IdentifierGiven',
    ...singleByOperators,
    'LockGranted',
    'LockRenewed',
    'LockReleased',
    'LockExpired',
    'LockForced',
    'LockQueued',
    'LockWaitEnded',
    'LockConfigured',
  ],
  order: [
    ...singleByOperators,
    'OrderCreated',
    'OrderPlaced',
    'OrderChanged',
    'OrderAmended',
    'LineAdded',
    'OrdersInitialised',
    'OrderCancelled',
    'CancellationRequested',
    'OrderExpired',
    'WebhookSet',
  ],
  payment: [...singleByOperators, 'SeriesStarted', 'UserCreated', 'FundsAdded', 'CreditSpent', 'UsersInitialised'],
  stock: [
    ...singleByOperators,
    'ItemCreated',
    'StockAdded',
    'StockSubtracted',
    'ItemsInitialised',
    'PriceChanged',
    'ItemWithdrawn',
    'ItemOffered',
  ],
} as const satisfies { readonly [Publisher in Service]: readonly (keyof (typeof events)[Publisher])[] }

/** What is said of the draft of an order's invoice, outside of sagas. Whatever of it is lost is said again. */
export const ofDrafts = {
  ids: [],
  order: ['DraftRequested', 'OrderForgotten'],
  payment: ['InvoiceDrafted', 'DraftVoided'],
  stock: [],
} as const satisfies { readonly [Publisher in Service]: readonly (keyof (typeof events)[Publisher])[] }

/** Which kinds of entries each service may emit, with the facts that they carry; `events` is that of the shop. */
export type Contract = Readonly<Partial<Record<Service, Readonly<Record<string, Facts>>>>>

/** A kind of entry that `Publisher` may emit. */
export type KindOf<Publisher extends Service, Of extends Contract = typeof events> = Publisher extends keyof Of
  ? keyof Of[Publisher] & string
  : never
export type Kind = { [Publisher in Service]: KindOf<Publisher> }[Service]
