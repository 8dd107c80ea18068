/** What may be wrong with the shop, by name? */

/** Each name, and what it means. */
export const ANOMALIES = {
  'money-not-conserved': 'credit added is not credit left and credit spent on paid orders',
  'goods-not-conserved': 'pieces added are not pieces left and pieces sold in paid orders',
  misposted: 'the ledger of a service is not what its log and records say',
  misdocumented:
    'invoices less credit notes are not what is charged, a number is missing, a movement of captured money has not exactly one, or an ' +
    'invoice is credited beyond what it says',
  misdrafted:
    'an order that is open, and was placed whole, has no draft of its invoice, or one that is not of it as it is',
  negative: 'an amount is below zero, at rest, in the log, or as a client was shown it',
  'held-beyond-credit': 'a wallet holds more than it owns',
  'paid-twice': 'an order was paid by more than one checkout',
  'half-a-checkout': 'the services do not agree on how a checkout ended',
  'half-a-refund': 'the services do not agree on a refund, or its order does not show it',
  'refunded-otherwise':
    'a refund gave back what an order did not have (any more), or another amount than that has cost',
  'charged-otherwise': 'a checkout charged or took something else than the order wants',
  'priced-otherwise': 'a line of an order costs what its item did not, when it was asked for',
  'status-untrue': 'the status of an order is not what became of its checkouts',
  'told-paid-untrue': 'a checkout was answered 200, and the order is not paid',
  'refusal-became-payment': 'an order is paid, but those of its checkouts that can have done it were refused',
  'told-end-untrue':
    'a client was told another end of a checkout than it has, or that it will have one and it has none',
  'tried-again': 'an order that was placed by form, and not paid at its one try, is open or was tried again',
  'changed-twice': 'two changes of an order were made from one version',
  'changed-otherwise': 'a change of an order that was acknowledged is not in the log as it was asked for',
  'checkout-unasked': 'a checkout began when nobody was asking for it',
  'unjustified-refusal': 'something was refused that was there, or would have been but for a checkout that was refused',
  'stale-answer': 'a client was shown what was not so at any moment of its request',
  'key-answered-otherwise': 'the same request under the same key was given two answers, or refused after it was done',
  'identifier-given-twice': 'two things were created under one identifier',
  'action-lost': 'an action was acknowledged, and the log does not have it',
  'action-unasked':
    'an action is in the log more often than it was asked for, or when it was not, or although it was refused',
  'changed-while-closed': 'an order was changed while it was not open',
  'log-not-contiguous': 'entries of a log are out of order or missing',
  'logged-twice': 'two actions are logged under one log id',
  'impossible-move': 'the log takes a checkout or an order from one state to one that does not follow',
  'repeated-otherwise': 'an answer was repeated, and is not the first one',
  'record-not-logged': 'the record of a checkout names other entries than the log has',
  'replay-differs': 'the log, read from its start, does not give the live state',
  'lock-left': 'an order or a user is locked',
  'hold-left': 'money is held or waited for',
  'checkout-open': 'a checkout has not ended',
  unapplied: 'a subscriber has not applied what it handles',
  'cursor-ahead': 'a subscriber has applied more than was appended',
  'dead-letter': 'an entry could not be applied',
  contradicted: 'an order is listed as contradicted, though no Redis came back older',
} as const satisfies Record<string, string>
export type AnomalyName = keyof typeof ANOMALIES

/** `about` is the thing that it befell: `order:7`, `user:7`, `item:7`, `saga:{log id}`, `log:payment`, ... */
export type Anomaly = { readonly name: AnomalyName; readonly about: string; readonly says: string }

/** An anomaly in words. */
export const describe = ({ name, about, says }: Anomaly): string => `${name} of ${about} (${ANOMALIES[name]}): ${says}`
