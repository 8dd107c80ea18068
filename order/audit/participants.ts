/**
 * What can a peer be asked in an audit?
 *
 * Its routes for operators, as order uses them: on behalf of the client that asked for the audit. What a peer refuses (its
 * operators' token is another one) is passed on as it is.
 */
import { type Cut, inParts, type RecordedSaga, type SagaAt } from '../../shared/audit/auditor.ts'
import { parseLines } from '../../shared/contract/events.ts'
import { type logQueries, payment, type recordQueries, stock } from '../../shared/contract/queries.ts'
import type { Peer, Requester } from '../../shared/http/client.ts'
import type { Problem } from '../../shared/http/problem.ts'
import type { LogEntry } from '../../shared/log/entry.ts'
import type { Holdings } from './ledger.ts'

/** The facts that a peer tells, all text. */
export type Facts = Readonly<Record<string, string>>

/** Something that does not add up, in words, and the orders that it concerns, as far as they are known. */
export type Mismatch = {
  readonly what: string
  readonly detail: string
  readonly orders: readonly string[]
  readonly user_id?: string | undefined
  readonly item_id?: string | undefined
}

export type Counted = Holdings & {
  readonly at: string
  readonly left: bigint
  readonly mismatches: readonly Mismatch[]
}
export type ParticipantCut = Holdings & Pick<Cut, 'at' | 'heard' | 'hears'>

export type Participant = {
  readonly name: 'payment' | 'stock'
  /** Counts all it owns: seconds, if there is much. */
  readonly count: () => Promise<Counted>
  readonly cut: () => Promise<ParticipantCut>
  /** What it had done for each of these checkouts when that entry was its newest: money captured, or pieces taken. */
  readonly done: (at: string, ids: readonly string[]) => Promise<ReadonlyMap<string, bigint>>
  /** A page of its log. */
  readonly page: (after: string, limit: number) => Promise<readonly LogEntry[]>
  /** What it has recorded of these checkouts. */
  readonly records: (ids: readonly string[]) => Promise<ReadonlyMap<string, Facts>>
  readonly recordsPage: (
    cursor: string,
  ) => Promise<{ readonly next: string; readonly records: readonly RecordedSaga[] }>
  /** Which of these users, or items, it does not know. */
  readonly absent: (ids: readonly string[]) => Promise<ReadonlySet<string>>
}

/** What a peer answers that has not what was asked for. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly problem: Problem
  constructor(document: Problem) {
    super(document.title)
    this.problem = document
  }
}

/** Counting gives up by itself before that. */
const COUNT_TIMEOUT_MS = 27_000
const TIMEOUT_MS = 3_000

/** Pieces of `item:quantity,item:quantity`. */
const pieces = (lines: string): bigint => parseLines(lines).reduce((sum, [, quantity]) => sum + BigInt(quantity), 0n)

/** The queries that both answer alike. */
type Queries = ReturnType<typeof recordQueries> & ReturnType<typeof logQueries>

/** In which each has words of its own: for what it has left, what has gone from it, and its part of a checkout. */
type Own = Pick<Participant, 'count' | 'cut'> & {
  /** The kind of entry that says that its part is done. */
  readonly kind: string
  readonly amount: (facts: Facts) => bigint
}

/** What was asked for. @throws Refused */
const granted = <Json>(answer: { readonly json: Json } | { readonly problem: Problem }): Json => {
  if ('problem' in answer) throw new Refused(answer.problem)
  return answer.json
}

const participant = (
  name: Participant['name'],
  peer: Peer,
  queries: Queries,
  own: Own,
  requester: Requester,
): Participant => {
  const by = { ...requester, timeoutMs: TIMEOUT_MS }
  return {
    name,
    count: own.count,
    cut: own.cut,
    done: async (at, ids) => {
      const sagas = await inParts(ids, async (part) => {
        const query = { at, log_ids: part.join() }
        return granted(await peer.ask(queries.sagasAt, { ...by, query })).sagas
      })
      return new Map(
        sagas.filter(({ kind }) => kind === own.kind).map(({ log_id, facts }) => [log_id, own.amount(facts)]),
      )
    },
    page: async (after, limit) =>
      granted(await peer.ask(queries.listEntries, { ...by, query: { after, limit: String(limit) } })).logs,
    records: async (ids) => {
      const records = await inParts(ids, async (part) => {
        const query = { log_ids: part.join() }
        return granted(await peer.ask(queries.readRecords, { ...by, query })).records
      })
      return new Map(records.map(({ log_id, fields }) => [log_id, fields]))
    },
    recordsPage: async (cursor) => {
      const { next = '0', records } = granted(await peer.ask(queries.readRecords, { ...by, query: { cursor } }))
      return { next, records }
    },
    absent: async (ids) =>
      new Set(
        await inParts(ids, async (part) => {
          const query = { ids: part.join() }
          return granted(await peer.ask(queries.findAbsent, { ...by, query })).absent
        }),
      ),
  }
}

export const paymentAsked = (peer: Peer, requester: Requester): Participant => {
  const { audit, cutAudit } = payment
  const holdings = ({ added, charged }: { readonly added: string; readonly charged: string }): Holdings => ({
    added: BigInt(added),
    gone: BigInt(charged),
  })
  const own: Own = {
    kind: 'CreditCaptured',
    amount: ({ total = '0' }) => BigInt(total),
    count: async () => {
      const told = granted(await peer.ask(audit, { ...requester, timeoutMs: COUNT_TIMEOUT_MS }))
      return { ...holdings(told), at: told.at, left: BigInt(told.wallets), mismatches: told.mismatches }
    },
    cut: async () => {
      const { at, heard, hears, ...books } = granted(await peer.ask(cutAudit, { ...requester, timeoutMs: TIMEOUT_MS }))
      return { ...holdings(books), at, heard, hears }
    },
  }
  return participant('payment', peer, payment, own, requester)
}

export const stockAsked = (peer: Peer, requester: Requester): Participant => {
  const { audit, cutAudit } = stock
  const holdings = ({ added, taken }: { readonly added: string; readonly taken: string }): Holdings => ({
    added: BigInt(added),
    gone: BigInt(taken),
  })
  const own: Own = {
    kind: 'StockTaken',
    amount: ({ lines = '' }) => pieces(lines),
    count: async () => {
      const told = granted(await peer.ask(audit, { ...requester, timeoutMs: COUNT_TIMEOUT_MS }))
      return { ...holdings(told), at: told.at, left: BigInt(told.shelf), mismatches: told.mismatches }
    },
    cut: async () => {
      const { at, heard, hears, ...books } = granted(await peer.ask(cutAudit, { ...requester, timeoutMs: TIMEOUT_MS }))
      return { ...holdings(books), at, heard, hears }
    },
  }
  return participant('stock', peer, stock, own, requester)
}

/**
 * Did order's books have this as paid when it was said last of a checkout? Not if only its customer was told so; and what a
 * person has accepted that was undone, they have taken off again.
 */
const isPaid = ({ kind, facts }: SagaAt, { state, contradicted }: Facts): boolean => {
  if (kind === 'CheckoutContradicted') return facts.by !== 'told-paid'
  if (kind === 'CheckoutResolved') return state === 'paid' && contradicted?.startsWith('told-') === true
  return kind === 'OrderPaid'
}

/** What order itself had done for a checkout, by what it had said of it last: money and pieces, once it is paid. */
export const paidBy = (
  said: readonly SagaAt[],
  records: ReadonlyMap<string, Facts>,
): ReadonlyMap<string, { paid: bigint; sold: bigint }> =>
  new Map(
    said
      .filter((saga) => isPaid(saga, records.get(saga.log_id) ?? {}))
      .map(({ log_id, facts }) => [
        log_id,
        { paid: BigInt(facts.total ?? '0'), sold: pieces(records.get(log_id)?.lines ?? '') },
      ]),
  )
