/**
 * Does what clients were told, and what lies in the four Redis, keep the shop's promises?
 *
 * `anomalies` is given a history (see `history.ts`) and the evidence that was read at rest, and names everything that
 * contradicts the promises; it reads nothing itself. Each question is a function of its own: conservation, nothing
 * negative, paid once, answers true now and later, refusals justified, logs whole, at rest. The logs are read as accounts
 * (`accounts.ts`), with all movements (`returns.ts`), and what clients were told must fit these in real time
 * (`real-time-check.ts`, `asked.ts`, `answers.ts`, `prices.ts`). The history may tell of a part of what was done: only a thing that was
 * created in it is taken to have been touched by nobody else.
 *
 * After a Redis came back older (`lossy`) the shop lists the orders that no rule can mend, and the actions that nobody can say
 * again. These are excused, and nothing else: an order that is listed counts as its peers have it, and an acknowledged
 * action that is missing and not listed is still an anomaly. What a client was shown meanwhile is not asked then, for what is
 * rebuilt stands later in the log than when it happened.
 */

import { parseLines } from '../../../shared/contract/lines.ts'
import { PARTICIPANTS, type Participant, type Service } from '../../../shared/contract/services.ts'
import { compareIds, type LogEntry } from '../../../shared/log/entry.ts'
import {
  type Accounts,
  type Clocks,
  closing,
  countActions,
  linesOf,
  orderAccount,
  payAccount,
  stockAccount,
} from './accounts.ts'
import type { Anomaly, AnomalyName } from './anomaly.ts'
import { disagreements } from './answers.ts'
import { unaskedCheckouts } from './asked.ts'
import { changedOtherwise } from './changes.ts'
import { brokenDocuments, type DocumentsEvidence, overdrawn } from './documents.ts'
import { brokenDrafts } from './drafts.ts'
import { groupedBy, type Operation } from './history.ts'
import { pricedOtherwise } from './prices.ts'
import { realTimeAnomalies } from './real-time-check.ts'
import { brokenRefunds, idsOf, refundsIn } from './refunds.ts'
import { type Judged, refusedForNothing, returnsOf } from './returns.ts'
import { untrueEnds } from './submitted.ts'

type Fields = Readonly<Record<string, string>>

/** A log in full. */
export type LogEvidence = {
  readonly entries: readonly LogEntry[]
  /** How many entries were ever added. */
  readonly added: number
  /** The id of the newest entry there ever was. */
  readonly newest: string
}

export type CursorEvidence = {
  readonly subscriber: Participant
  readonly publisher: Participant
  readonly at: string
  /** The kinds of entries that the subscriber acts on. */
  readonly handled: readonly string[]
}

/** The running sums that a service keeps, by account. */
export type Ledger = (account: string) => bigint

/** What was read in the four Redis of a shop at rest: hashes as they are, by what follows their prefix. */
export type Evidence = {
  readonly logs: Readonly<Record<Service, LogEvidence>>
  readonly wallets: ReadonlyMap<string, Fields>
  readonly shelves: ReadonlyMap<string, Fields>
  readonly orders: ReadonlyMap<string, Fields>
  readonly sagas: Readonly<Record<Participant, ReadonlyMap<string, Fields>>>
  readonly ledgers: Readonly<Record<Participant, Ledger>>
  readonly documents: DocumentsEvidence
  /** What payment has drafted, by the order. */
  readonly drafts: ReadonlyMap<string, Fields>
  readonly open: Readonly<Record<Participant, readonly string[]>>
  readonly cursors: readonly CursorEvidence[]
  /** Keys of locks on orders and users. */
  readonly locks: readonly string[]
  /** Keys of queues of checkouts that wait for held money. */
  readonly waiting: readonly string[]
  /** What is wrong with each dead letter. */
  readonly dead: Readonly<Record<Participant, readonly string[]>>
  /** Orders that are listed as contradicted. */
  readonly contradictions: readonly string[]
  /** Has a Redis come back older? */
  readonly lossy: boolean
  /** Entries that are listed as lost. */
  readonly lost: readonly LogEntry[]
  /** How far each Redis' clock is ahead of the clients' (`performance.now()`), as far as that is known. */
  readonly clocks: Clocks
  /** What the clients say they added in all, if they know. */
  readonly seeded: { readonly credit: number; readonly stock: number } | undefined
}

type Case = { readonly history: readonly Operation[]; readonly evidence: Evidence; readonly accounts: Accounts }
type Question = (the: Case) => Anomaly[]

const anomaly = (name: AnomalyName, about: string, says: string): Anomaly => ({ name, about, says })

const sum = (numbers: Iterable<string | undefined>): bigint => {
  let total = 0n
  for (const number of numbers) total += BigInt(number ?? '0')
  return total
}
const piecesOf = (lines: string | undefined): bigint =>
  sum(parseLines(lines ?? '').map(([, quantity]) => String(quantity)))
const rangeOf = ({ first = '0', last = '-1' }: Fields): bigint => BigInt(last) - BigInt(first) + 1n

/** What each kind of entry adds, given its facts; what is not here adds nothing. */
type Adding = Readonly<Record<string, (facts: Fields) => bigint>>
const CREDIT_ADDED: Adding = {
  FundsAdded: ({ amount }) => sum([amount]),
  CreditSpent: ({ amount }) => -sum([amount]),
  UsersInitialised: (facts) => rangeOf(facts) * sum([facts.credit]) - sum([facts.replaced]),
}
const STOCK_ADDED: Adding = {
  StockAdded: ({ amount }) => sum([amount]),
  StockSubtracted: ({ amount }) => -sum([amount]),
  ItemsInitialised: (facts) => rangeOf(facts) * sum([facts.stock]) - sum([facts.replaced]),
}
const addedBy = ({ entries }: LogEvidence, adding: Adding): bigint =>
  entries.reduce((total, { kind, facts }) => total + (adding[kind]?.(facts) ?? 0n), 0n)

/** The records of checkouts in this state. */
const recordsIn = (sagas: ReadonlyMap<string, Fields>, wanted: string): Fields[] =>
  [...sagas.values()].filter(({ state }) => state === wanted)
const totalsOf = (records: readonly Fields[]): bigint => sum(records.map(({ total }) => total))
const linesIn = (records: readonly Fields[]): bigint =>
  records.reduce((pieces, { lines }) => pieces + piecesOf(lines), 0n)

/** What was refunded of checkouts before payment undid them, and was not given back once more. */
const refundedBefore = (payment: ReadonlyMap<string, Fields>): bigint =>
  sum([...payment.values()].flatMap(({ state, refunded }) => (state === 'captured' ? [] : (refunded ?? []))))

/** The records of checkouts that were paid; a contradicted order counts as its peers have it. */
const soldIn = ({ sagas, contradictions }: Evidence, participant: 'payment' | 'stock'): Fields[] => {
  const done = participant === 'payment' ? 'captured' : 'taken'
  return [...sagas.order].flatMap(([id, saga]) => {
    if (saga.state !== 'paid') return []
    const isListed = contradictions.includes(saga.order ?? '')
    return isListed && sagas[participant].get(id)?.state !== done ? [] : [saga]
  })
}

/** Credit added = left + spent, stock added = left + sold, less what was refunded, to the unit, in the whole shop. */
const conserved: Question = ({ evidence }) => {
  const { logs, wallets, shelves, sagas, seeded } = evidence
  const balances = [
    {
      name: 'money-not-conserved',
      about: 'log:payment',
      added: addedBy(logs.payment, CREDIT_ADDED),
      left: sum([...wallets.values()].map(({ credit }) => credit)),
      sold:
        totalsOf(soldIn(evidence, 'payment')) -
        totalsOf(refundsIn(sagas.payment, 'payment')) +
        refundedBefore(sagas.payment),
      claimed: seeded?.credit,
    },
    {
      name: 'goods-not-conserved',
      about: 'log:stock',
      added: addedBy(logs.stock, STOCK_ADDED),
      left: sum([...shelves.values()].map(({ stock }) => stock)),
      // What is written off is gone as well.
      sold: linesIn(soldIn(evidence, 'stock')) - linesIn(recordsIn(sagas.stock, 'restocked')),
      claimed: seeded?.stock,
    },
  ] as const
  return balances.flatMap(({ name, about, added, left, sold, claimed }) => [
    ...(added === left + sold ? [] : [anomaly(name, about, `${added} added, but ${left} left and ${sold} sold`)]),
    ...(claimed === undefined || added === BigInt(claimed)
      ? []
      : [anomaly(name, about, `${added} added by the log, ${claimed} by the clients`)]),
  ])
}

/** The services' own ledgers say what their logs and records say. */
const posted: Question = ({ evidence: { ledgers, logs, sagas } }) => {
  const paid = recordsIn(sagas.order, 'paid')
  const granted = refundsIn(sagas.order, 'order')
  const rows = [
    ['payment', 'added', addedBy(logs.payment, CREDIT_ADDED)],
    [
      'payment',
      'charged',
      totalsOf(recordsIn(sagas.payment, 'captured')) -
        totalsOf(refundsIn(sagas.payment, 'payment')) +
        refundedBefore(sagas.payment),
    ],
    ['stock', 'added', addedBy(logs.stock, STOCK_ADDED)],
    ['stock', 'taken', linesIn(recordsIn(sagas.stock, 'taken')) - linesIn(refundsIn(sagas.stock, 'stock'))],
    ['stock', 'written-off', linesIn(recordsIn(sagas.stock, 'written-off'))],
    ['order', 'paid', totalsOf(paid) - totalsOf(granted)],
    ['order', 'sold', linesIn(paid) - linesIn(granted)],
  ] as const
  return rows.flatMap(([participant, account, found]) => {
    const entered = ledgers[participant](account)
    return entered === found
      ? []
      : [anomaly('misposted', `ledger:${participant}`, `${account}: ${entered}, but it is ${found}`)]
  })
}

/** Every movement of captured money has its document. A note may name an invoice that payment has lost. */
const documented: Question = ({ evidence: { documents, logs, ledgers, lossy } }) => [
  ...brokenDocuments(documents, logs.payment.entries, ledgers.payment),
  ...(lossy ? [] : overdrawn(documents)),
]

const drafted: Question = ({ evidence: { drafts, orders } }) => brokenDrafts(drafts, orders)

const AMOUNTS_SHOWN = ['credit', 'stock', 'price', 'total'] as const

/** No amount is below zero, at rest and in whatever a client was shown. (The accounts see to the logs.) */
const neverNegative: Question = ({ history, evidence }) => {
  const live = [
    ...[...evidence.wallets].map(([id, { credit, held }]) => ({ about: `user:${id}`, amounts: [credit, held] })),
    ...[...evidence.shelves].map(([id, { stock, price }]) => ({ about: `item:${id}`, amounts: [stock, price] })),
    ...[...evidence.orders].map(([id, { total }]) => ({ about: `order:${id}`, amounts: [total] })),
  ]
  const shown = history.map(({ facts, value }) => ({
    about: `${facts.order ? 'order' : facts.user ? 'user' : 'item'}:${facts.order ?? facts.user ?? facts.item}`,
    amounts: AMOUNTS_SHOWN.map((name) => value[name]),
  }))
  return [...live, ...shown].flatMap(({ about, amounts }) =>
    amounts.some((amount) => amount?.startsWith('-')) ? [anomaly('negative', about, amounts.join(' '))] : [],
  )
}

/** What payment and stock may say of a checkout, by how it ended: the first word is payment's, the second stock's. */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  paid: ['captured taken'],
  failed: ['refused none', 'voided refused'],
  closed: ['released returned', 'released refused', 'released none'],
}

/** Why a checkout ends that was submitted and not begun: then the others have nothing of it. */
const WITHDRAWN: ReadonlySet<string | undefined> = new Set(['deadline', 'operator', 'customer'])

/** Every checkout ended alike in all three services, and charged and took what it was begun for. */
const wholeCheckouts: Question = ({ evidence: { sagas, lossy } }) =>
  idsOf(sagas).checkouts.flatMap((id) => {
    const [ours, payment, stock] = [sagas.order.get(id), sagas.payment.get(id), sagas.stock.get(id)]
    const together = `${payment?.state ?? 'none'} ${stock?.state ?? 'none'}`
    const about = `order:${ours?.order ?? payment?.order ?? stock?.order}`
    const isUndone = ['captured', 'taken'].every((done) => !together.includes(done))
    // A loss may leave many ways in which nothing was done in the end.
    const isWithdrawn = ours?.state === 'failed' && WITHDRAWN.has(ours.reason) && together === 'none none'
    const mayBe =
      isWithdrawn ||
      TOGETHER[ours?.state ?? 'none']?.includes(together) ||
      (lossy && ours?.state !== 'paid' && isUndone)
    if (!mayBe) return [anomaly('half-a-checkout', about, `${ours?.state} by ${id}, but ${together}`)]
    if (ours?.state !== 'paid') return []
    const charged = `${payment?.total} by ${payment?.user}`
    const takenOtherwise = stock?.lines !== ours.lines && !(lossy && ours.lines === '')
    if (charged !== `${ours.total} by ${ours.user}` || takenOtherwise)
      return [
        anomaly('charged-otherwise', about, `${charged} for ${stock?.lines}, not ${ours.total} for ${ours.lines}`),
      ]
    return []
  })

/** Every refund is whole, and shown by its order. */
const wholeRefunds: Question = ({ evidence: { sagas, orders, logs } }) =>
  brokenRefunds(sagas, orders, logs.order.entries)

/** Was an order paid, whatever became of it then? One that is cancelled once it is paid is refunded. */
const wasPaid = ({ status, total, refunded }: Fields = {}): boolean =>
  status === 'paid' || status === 'changing' || (status === 'cancelled' && refunded !== undefined && refunded === total)
const SETTLED: readonly string[] = ['open', 'paid', 'cancelled', 'expired']

/** What is kept of an order that was amended is what was paid and taken for it, less what went back. */
const isSettled = (order: string, { total, lines, returned, refunded }: Fields, sagas: Evidence['sagas']): boolean => {
  const isItsOwn = (record: Fields): boolean => record.order === order
  const paid = recordsIn(sagas.order, 'paid').filter(isItsOwn)
  const granted = refundsIn(sagas.order, 'order').filter(isItsOwn)
  return (
    sum([total]) - sum([refunded]) === totalsOf(paid) - totalsOf(granted) &&
    piecesOf(lines) - piecesOf(returned) === linesIn(paid) - linesIn(granted)
  )
}

/** Each order was paid at most once, is what its checkout and its amendments made of it, and stays so once it is paid. */
const paidOnce: Question = ({ evidence: { orders, sagas, lossy } }) => {
  const paidBy = new Map<string, string[]>()
  for (const [id, { state, order = '', amends }] of sagas.order)
    if (state === 'paid' && amends === undefined) paidBy.set(order, [...(paidBy.get(order) ?? []), id])
  return [...orders].flatMap(([id, fields]) => {
    const { status = '', saga = '', total, lines } = fields
    const about = `order:${id}`
    const paid = paidBy.get(id) ?? []
    if (paid.length > 1) return [anomaly('paid-twice', about, `by ${paid}`)]
    if (wasPaid(fields) !== (paid.length === 1) || !SETTLED.includes(status))
      return [anomaly('status-untrue', about, `${status}, paid by ${paid}`)]
    const isAmended = fields.amendments !== undefined
    if (isAmended && !lossy && !isSettled(id, fields, sagas))
      return [anomaly('changed-while-closed', about, `it has ${lines} for ${total}, and that was not paid`)]
    const by = sagas.order.get(saga)
    const changed = by?.total !== total || (by?.lines !== lines && !(lossy && by?.lines === ''))
    return wasPaid(fields) && changed && !isAmended ? [anomaly('changed-while-closed', about, 'after it was paid')] : []
  })
}

/** 200 is never contradicted, and an order that was only ever refused is not paid. */
const answersStayTrue: Question = ({ history, evidence: { orders } }) => {
  const checkouts = history.filter(({ does }) => does === 'checkout' || does === 'submit')
  return [...groupedBy(checkouts, ({ facts }) => facts.order ?? '')].flatMap(([order, asked]) => {
    const isPaid = wasPaid(orders.get(order))
    const answers = asked.map(({ status, problem }) => `${status} ${problem}`.trim()).join(', ')
    if (!isPaid && asked.some(({ told }) => told === 'ok'))
      return [anomaly('told-paid-untrue', `order:${order}`, answers)]
    if (isPaid && asked.every(({ told }) => told === 'refused'))
      return [anomaly('refusal-became-payment', `order:${order}`, answers)]
    return []
  })
}

/** What was said of a checkout that had not to be waited for is true, and each that was submitted is decided. */
const submittedAreDecided: Question = ({ history, evidence, accounts }) => untrueEnds(history, evidence, accounts.order)

/** Of two changes from one version one is made, and it makes of the order what was asked for. */
const changedOnce: Question = ({ history, evidence: { logs, lossy } }) =>
  changedOtherwise(history, logs.order.entries, lossy)

/** Under one key, the same request is given the same answer; and no identifier is given to two things. */
const answersAgree: Question = ({ history, evidence: { clocks }, accounts }) => disagreements(history, accounts, clocks)

/** Every checkout began while somebody asked for it who was not refused; after a loss, what is told again is begun later. */
const askedFor: Question = ({ history, evidence: { clocks, lossy }, accounts }) =>
  lossy || clocks.order === undefined ? [] : unaskedCheckouts(history, accounts.order, clocks.order)

/** Every line costs what its item did. After a loss a price may be known no more that a line was added at. */
const pricedRightly: Question = ({ history, evidence: { clocks, logs, lossy }, accounts }) =>
  lossy ? [] : pricedOtherwise(history, logs.order.entries, accounts.stock, clocks)

/** The accounts of the logs hold, no checkout was refused for nothing, and what clients were told fits in real time. */
const justified = ({ history, evidence: { lossy, lost, clocks }, accounts }: Case): Judged => {
  const returns = returnsOf(accounts)
  const refused = lossy ? { found: [], excused: [] } : refusedForNothing(accounts, returns)
  const told = realTimeAnomalies(history, accounts, { returns, clocks, lost: lossy ? countActions(lost) : undefined })
  return {
    found: [...PARTICIPANTS.flatMap((participant) => accounts[participant].faults), ...refused.found, ...told.found],
    excused: [...refused.excused, ...told.excused],
  }
}

/** The logs hold every action once, in order: no entry is missing, and records name what the logs first say, and last again. */
const logsWhole: Question = ({ evidence: { logs, sagas } }) => {
  const gaps = Object.entries(logs).flatMap(([service, { entries, added }]) => {
    const about = `log:${service}`
    const back = entries.find(({ id }, index) => index > 0 && compareIds(entries[index - 1]?.id ?? '', id) >= 0)
    if (back) return [anomaly('log-not-contiguous', about, `${back.id} does not come after the entry before it`)]
    if (added !== entries.length)
      return [anomaly('log-not-contiguous', about, `${added} entries were added, ${entries.length} are there`)]
    return []
  })
  const records = PARTICIPANTS.flatMap((participant) => {
    // What an order was amended to is told beside the entries of the amendment.
    const entries = logs[participant].entries.filter(({ kind }) => kind !== 'OrderAmended')
    const said = groupedBy(entries, ({ log_id }) => log_id)
    return [...sagas[participant]].flatMap(([id, { entries = '', again = '' }]) => {
      const logged = said.get(id) ?? []
      const isFirst = ({ kind }: LogEntry, index: number): boolean => kind !== logged[index - 1]?.kind
      const firsts = logged.filter(isFirst).map((entry) => entry.id)
      const last = logged.findLast((entry, index) => !isFirst(entry, index))?.id ?? ''
      return firsts.join(' ') === entries && last === again
        ? []
        : [
            anomaly(
              'record-not-logged',
              `saga:${id}`,
              `${participant} records ${entries}, again ${again}; logged ${firsts.join(' ')}, again ${last}`,
            ),
          ]
    })
  })
  return [...gaps, ...records]
}

type Rows = readonly (readonly [thing: string, state: string])[]

/** What two lists of states do not agree on. */
const differences = (replayed: Rows, live: Rows): Anomaly[] => {
  const there = new Map(live)
  const logged = new Map(replayed)
  return [...new Set([...there.keys(), ...logged.keys()])].flatMap((thing) =>
    there.get(thing) === logged.get(thing)
      ? []
      : [anomaly('replay-differs', thing, `${logged.get(thing)} by the log, ${there.get(thing)} in fact`)],
  )
}

/** Each log, read from its start, gives the live state to the unit. */
const replayed: Question = ({ evidence: { wallets, shelves, orders, sagas }, accounts }) => [
  ...differences(
    [...closing(accounts.payment)].map(([user, { credit, held }]) => [user, `${credit} ${held}`]),
    [...wallets].map(([id, { credit, held }]) => [`user:${id}`, `${credit} ${held}`]),
  ),
  ...differences(
    [...closing(accounts.stock)].map(([item, { stock, price, withdrawn, version }]) => [
      item,
      `${stock} ${price} ${withdrawn ? 'yes' : 'no'} ${version}`,
    ]),
    [...shelves].map(([id, { stock, price, withdrawn = 'no', version = '1' }]) => [
      `item:${id}`,
      `${stock} ${price} ${withdrawn} ${version}`,
    ]),
  ),
  ...differences(
    [...closing(accounts.order)].map(([order, { user, status, saga, total, lines }]) => [
      order,
      `${user} ${status} ${saga} ${total} ${lines}`,
    ]),
    [...orders].map(([id, { user, status, saga = '', total, lines }]) => [
      `order:${id}`,
      `${user} ${status} ${saga} ${total} ${lines}`,
    ]),
  ),
  ...PARTICIPANTS.flatMap((participant) =>
    differences(
      [...accounts[participant].sagas].map(([id, { state }]) => [`saga:${id}`, `${state} in ${participant}`]),
      // Nothing is said of a refund that is concluded but that its money is back.
      [...sagas[participant]].map(([id, { state = '' }]) => [
        `saga:${id}`,
        `${state === 'concluded' ? 'refunded' : state} in ${participant}`,
      ]),
    ),
  ),
]

/** What a refund cannot be given back to, because its Redis has lost that there is such a thing: a person is to see to that. */
const isForForgotten = ({ lossy, shelves, wallets }: Evidence, why: string): boolean => {
  const [, things, thing = ''] = /: there is no (item|user) (\S+)$/.exec(why) ?? []
  return lossy && things !== undefined && !(things === 'item' ? shelves : wallets).has(thing)
}

/** Nothing is locked, held, waited for, open, unapplied or a dead letter. */
const atRest: Question = ({ evidence }) => {
  const { logs, wallets, open, cursors, locks, waiting, dead, contradictions, lossy } = evidence
  return [
    ...locks.map((key) => anomaly('lock-left', key.replace('lock:', ''), key)),
    ...waiting.map((key) => anomaly('hold-left', key.replace('waiting:', 'user:'), key)),
    ...[...wallets].flatMap(([id, { held = '0' }]) =>
      held === '0' ? [] : [anomaly('hold-left', `user:${id}`, `${held} held`)],
    ),
    ...PARTICIPANTS.flatMap((participant) =>
      open[participant].map((id) => anomaly('checkout-open', `saga:${id}`, `in ${participant}`)),
    ),
    ...cursors.flatMap(({ subscriber, publisher, at, handled }) => {
      const { entries, newest } = logs[publisher]
      const link = `${subscriber} of ${publisher}`
      if (compareIds(at, newest) > 0)
        return [anomaly('cursor-ahead', `log:${publisher}`, `${link}: ${at} of ${newest}`)]
      return entries
        .filter(({ id, kind }) => compareIds(id, at) > 0 && handled.includes(kind))
        .map(({ id, kind }) => anomaly('unapplied', `log:${publisher}`, `${link}: ${kind} ${id}`))
    }),
    ...PARTICIPANTS.flatMap((participant) =>
      dead[participant]
        .filter((why) => !isForForgotten(evidence, why))
        .map((why) => anomaly('dead-letter', `dead:${participant}`, why)),
    ),
    ...(lossy ? [] : contradictions.map((order) => anomaly('contradicted', `order:${order}`, 'listed'))),
  ]
}

const QUESTIONS: readonly Question[] = [
  conserved,
  posted,
  documented,
  drafted,
  neverNegative,
  wholeCheckouts,
  wholeRefunds,
  paidOnce,
  answersStayTrue,
  submittedAreDecided,
  changedOnce,
  answersAgree,
  askedFor,
  pricedRightly,
  (the) => [...justified(the).found],
  logsWhole,
  replayed,
  atRest,
]

const accountsOf = ({ logs, lossy }: Evidence): Accounts => ({
  payment: payAccount(logs.payment.entries, { lossy }),
  stock: stockAccount(logs.stock.entries, linesOf(logs.order.entries)),
  order: orderAccount(logs.order.entries, lossy ? linesOf(logs.payment.entries, 'CreditCaptured') : undefined),
})

/** A contradiction that a person has resolved is excused like one that waits for it. */
const withResolved = (evidence: Evidence): Evidence => ({
  ...evidence,
  contradictions: [
    ...evidence.contradictions,
    ...evidence.logs.order.entries.flatMap(({ kind, facts }) =>
      kind === 'CheckoutResolved' ? (facts.order ?? []) : [],
    ),
  ],
})

/** Everything that contradicts the promises; none is the proof. */
export const anomalies = (history: readonly Operation[], read: Evidence): readonly Anomaly[] => {
  const evidence = read.lossy ? withResolved(read) : read
  const the: Case = { history, evidence, accounts: accountsOf(evidence) }
  const listed = new Set(evidence.lossy ? evidence.contradictions.map((order) => `order:${order}`) : [])
  return QUESTIONS.flatMap((question) => question(the)).filter(({ about }) => !listed.has(about))
}

/** What would contradict them, but for a checkout that was cancelled meanwhile: a sale and its return. */
export const excused = (history: readonly Operation[], evidence: Evidence): readonly Anomaly[] =>
  justified({ history, evidence, accounts: accountsOf(evidence) }).excused
