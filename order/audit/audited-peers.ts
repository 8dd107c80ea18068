/**
 * What can a peer be asked in an audit?
 *
 * Its routes for operators, as order uses them: on behalf of the client that asked for the audit. What a peer refuses (its
 * operators' token is another one) is passed on as it is.
 */
import { type Cut, inParts, type RecordedSaga, type SagaAt } from '../../shared/audit/auditor.ts'
import { parseLines } from '../../shared/contract/lines.ts'
import {
  type Documents,
  type logQueries,
  type Mismatch,
  payment,
  type recordQueries,
  stock,
} from '../../shared/contract/queries.ts'
import type { Peer, Requester } from '../../shared/http/client.ts'
import type { Problem } from '../../shared/http/problem.ts'
import type { LogEntry } from '../../shared/log/entry.ts'
import type { Holdings } from './totals.ts'

/** What a peer has recorded of a saga, or carries in an entry, all text. */
export type Fields = Readonly<Record<string, string>>

export type Counted = Holdings & {
  readonly at: string
  readonly left: bigint
  readonly mismatches: readonly Mismatch[]
  /** What its documents come to, if it issues any. */
  readonly documents?: Documents | undefined
}
export type PeerCut = Holdings & Pick<Cut, 'at' | 'heard' | 'hears' | 'open'>

export type AuditedPeer = {
  readonly name: 'payment' | 'stock'
  /** Counts all it owns: seconds, if there is much. */
  readonly count: () => Promise<Counted>
  readonly cut: () => Promise<PeerCut>
  /**
   * What it had done for each of these sagas when that entry was its newest: money captured, or pieces taken; less than nothing for
   * a refund.
   */
  readonly done: (at: string, ids: readonly string[]) => Promise<ReadonlyMap<string, bigint>>
  /** A page of its log. */
  readonly page: (after: string, limit: number) => Promise<readonly LogEntry[]>
  /** What it has recorded of these checkouts. */
  readonly records: (ids: readonly string[]) => Promise<ReadonlyMap<string, Fields>>
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

/** What each calls by a name of its own: what it has left, what has gone from it, and its part of a checkout. */
type Own = {
  readonly counted: (
    by: Timed,
  ) => Promise<LedgerSums & { readonly left: string } & Pick<Counted, 'mismatches' | 'documents'>>
  readonly cut: (
    by: Timed,
  ) => Promise<LedgerSums & Pick<Cut, 'heard' | 'hears'> & { readonly open?: Cut['open'] | undefined }>
  /** What is done, by the kind of entry that says so. */
  readonly done: Readonly<Record<string, (facts: Fields) => bigint>>
}
type Timed = Requester & { readonly timeoutMs: number }
type LedgerSums = {
  readonly at: string
  readonly added: string
  readonly gone: string
  readonly writtenOff?: string | undefined
}

/** What was written off has gone from it like what is taken. */
const holdings = ({ added, gone, writtenOff = '0' }: LedgerSums): Holdings => ({
  added: BigInt(added),
  gone: BigInt(gone) + BigInt(writtenOff),
  writtenOff: BigInt(writtenOff),
})

/** What was asked for. @throws Refused */
const granted = <Json>(answer: { readonly json: Json } | { readonly problem: Problem }): Json => {
  if ('problem' in answer) throw new Refused(answer.problem)
  return answer.json
}

const participant = (
  name: AuditedPeer['name'],
  peer: Peer,
  queries: Queries,
  own: Own,
  requester: Requester,
): AuditedPeer => {
  const by = { ...requester, timeoutMs: TIMEOUT_MS }
  return {
    name,
    count: async () => {
      const answer = await own.counted({ ...requester, timeoutMs: COUNT_TIMEOUT_MS })
      const { at, mismatches, documents } = answer
      return { ...holdings(answer), at, left: BigInt(answer.left), mismatches, documents }
    },
    cut: async () => {
      const answer = await own.cut(by)
      const { at, heard, hears, open = [] } = answer
      return { ...holdings(answer), at, heard, hears, open }
    },
    done: async (at, ids) => {
      const sagas = await inParts(ids, async (part) => {
        const query = { at, log_ids: part.join() }
        return granted(await peer.ask(queries.sagasAt, { ...by, query })).sagas
      })
      return new Map(
        sagas.flatMap(({ log_id, kind, facts }) => {
          const done = own.done[kind]
          return done === undefined ? [] : [[log_id, done(facts)] as const]
        }),
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

export const paymentAsked = (peer: Peer, requester: Requester): AuditedPeer =>
  participant(
    'payment',
    peer,
    payment,
    {
      counted: async (by) => {
        const { wallets: left, charged: gone, ...rest } = granted(await peer.ask(payment.audit, by))
        return { ...rest, left, gone }
      },
      cut: async (by) => {
        const { charged: gone, ...rest } = granted(await peer.ask(payment.cutAudit, by))
        return { ...rest, gone }
      },
      done: {
        CreditCaptured: ({ total = '0' }) => BigInt(total),
        CreditRefunded: ({ total = '0' }) => -BigInt(total),
        // What was refunded of it before is a movement of the refund, and was not given back once more.
        CreditVoided: ({ refunded = '0' }) => BigInt(refunded),
        CreditReleased: ({ refunded = '0' }) => BigInt(refunded),
      },
    },
    requester,
  )

export const stockAsked = (peer: Peer, requester: Requester): AuditedPeer =>
  participant(
    'stock',
    peer,
    stock,
    {
      counted: async (by) => {
        const { shelf: left, taken: gone, written_off: writtenOff, ...rest } = granted(await peer.ask(stock.audit, by))
        return { ...rest, left, gone, writtenOff }
      },
      cut: async (by) => {
        const { taken: gone, written_off: writtenOff, ...rest } = granted(await peer.ask(stock.cutAudit, by))
        return { ...rest, gone, writtenOff }
      },
      done: {
        StockTaken: ({ lines = '' }) => pieces(lines),
        StockRestocked: ({ lines = '' }) => -pieces(lines),
        StockWrittenOff: ({ lines = '' }) => -pieces(lines),
      },
    },
    requester,
  )

/**
 * Did order's ledger have this as paid when the last entry of a checkout was appended? Not if only its customer was answered so;
 * and what a person has accepted that was undone, they have taken off again.
 */
const isPaid = ({ kind, facts }: SagaAt, { state, contradicted }: Fields): boolean => {
  // More may have been refunded of an order than it shows, because it is not paid (yet).
  if (kind === 'CheckoutContradicted')
    return facts.by !== 'told-paid' && (facts.by !== 'told-refunded' || state === 'paid')
  if (kind === 'CheckoutResolved') return state === 'paid' && contradicted?.startsWith('told-') === true
  return kind === 'OrderPaid'
}

/**
 * What order itself had done for a saga, by the last entry that it had emitted: money and pieces, once a checkout is paid; less than
 * nothing once a refund is granted.
 */
export const paidBy = (
  lastEntries: readonly SagaAt[],
  records: ReadonlyMap<string, Fields>,
): ReadonlyMap<string, { paid: bigint; sold: bigint }> =>
  new Map(
    lastEntries.flatMap((saga) => {
      const { log_id, kind, facts } = saga
      const paid = BigInt(facts.total ?? '0')
      if (kind === 'RefundGranted' || kind === 'RefundSettled')
        return [[log_id, { paid: -paid, sold: -pieces(facts.lines ?? '') }] as const]
      const record = records.get(log_id) ?? {}
      if (isPaid(saga, record)) return [[log_id, { paid, sold: pieces(record.lines ?? '') }] as const]
      // What was refunded before stays charged for the checkout, and is taken off by the refund.
      const before = BigInt(record.back_before ?? '0')
      return (kind === 'CheckoutResolved' || kind === 'CheckoutClosed') && before > 0n
        ? [[log_id, { paid: before, sold: 0n }] as const]
        : []
    }),
  )
