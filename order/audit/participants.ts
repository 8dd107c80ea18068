/**
 * What can a neighbour be asked in an audit?
 *
 * Its routes for operators, as order uses them: on behalf of whoever asked for the audit. What a neighbour refuses (its
 * operators' token is another one) is passed on as it is.
 */
import { type Cut, inParts, type RecordedSaga, type SagaAt } from '../../shared/audit/auditor.ts'
import { parseLines } from '../../shared/contract/events.ts'
import type { Asker, Neighbour } from '../../shared/http/client.ts'
import type { Problem } from '../../shared/http/problem.ts'
import type { LogEntry } from '../../shared/log/entry.ts'
import type { Holdings } from './ledger.ts'

/** The facts that a neighbour tells, all text. */
export type Facts = Readonly<Record<string, string>>

/** Something that does not add up, in words, and the orders that it concerns, as far as they are known. */
export type Mismatch = { readonly what: string; readonly detail: string; readonly orders: readonly string[] }

export type Counted = Holdings & {
  readonly at: string
  readonly left: bigint
  readonly mismatches: readonly Mismatch[]
}
export type PartyCut = Holdings & Pick<Cut, 'at' | 'heard' | 'hears'>

export type Party = {
  readonly name: 'payment' | 'stock'
  /** Counts all it owns: seconds, if there is much. */
  readonly count: () => Promise<Counted>
  readonly cut: () => Promise<PartyCut>
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

/** What a neighbour answers that has not what was asked for. */
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

/** How each of them tells what it has left, what has gone from it, and that it has done its part of a checkout. */
const WORDS = {
  payment: {
    left: 'wallets',
    gone: 'charged',
    kind: 'CreditCaptured',
    amount: ({ total = '0' }: Facts): bigint => BigInt(total),
  },
  stock: { left: 'shelf', gone: 'taken', kind: 'StockTaken', amount: ({ lines = '' }: Facts): bigint => pieces(lines) },
} as const

type Told = Facts & Pick<Cut, 'heard' | 'hears'> & { readonly mismatches: readonly Mismatch[] }

export const party = (name: Party['name'], neighbour: Neighbour, asker: Asker): Party => {
  const { left, gone, kind, amount } = WORDS[name]
  const ask = async <Body>(path: string, timeoutMs = TIMEOUT_MS): Promise<Body> => {
    const { status, data } = await neighbour.ask('get', `/${name}${path}`, { ...asker, timeoutMs })
    if (status !== 200) throw new Refused(data as Problem)
    return data as Body
  }
  const holdings = (told: Facts): Holdings => ({ added: BigInt(told.added ?? ''), gone: BigInt(told[gone] ?? '') })
  return {
    name,
    count: async () => {
      const told = await ask<Told>('/audit', COUNT_TIMEOUT_MS)
      const { at = '', mismatches } = told
      return { ...holdings(told), at, left: BigInt(told[left] ?? ''), mismatches }
    },
    cut: async () => {
      const told = await ask<Told>('/audit/cut')
      return { ...holdings(told), at: told.at ?? '', heard: told.heard, hears: told.hears }
    },
    done: async (at, ids) => {
      const sagas = await inParts(
        ids,
        async (part) => (await ask<{ sagas: readonly SagaAt[] }>(`/audit/sagas?at=${at}&log_ids=${part.join()}`)).sagas,
      )
      return new Map(sagas.filter((saga) => saga.kind === kind).map(({ log_id, facts }) => [log_id, amount(facts)]))
    },
    page: async (after, limit) =>
      (await ask<{ logs: readonly LogEntry[] }>(`/logs?after=${after}&limit=${limit}`)).logs,
    records: async (ids) => {
      const records = await inParts(
        ids,
        async (part) =>
          (await ask<{ records: readonly RecordedSaga[] }>(`/audit/records?log_ids=${part.join()}`)).records,
      )
      return new Map(records.map(({ log_id, fields }) => [log_id, fields]))
    },
    recordsPage: (cursor) => ask(`/audit/records?cursor=${cursor}`),
    absent: async (ids) =>
      new Set(
        await inParts(
          ids,
          async (part) => (await ask<{ absent: readonly string[] }>(`/audit/absent?ids=${part.join()}`)).absent,
        ),
      ),
  }
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
