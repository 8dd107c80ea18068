/**
 * How is all that a service owns added up, while it changes?
 *
 * The *ledger* has what there should be: running sums to which the commands post in the step in which they move something
 * (`shared/audit/lua/ledger.lua`). A *count* says what there is. It reads every thing, page after page, while commands go on, so
 * that each was read at a moment of its own; then it reads again whatever the log says was touched since the count began, and
 * again what was touched meanwhile, until nothing follows (a fuzzy snapshot made sharp by the log). A thing's last reading
 * follows the last entry that touched it, so what is then known is the state at one moment, with the ledger of that same
 * moment. A thing met twice or changed in any way is only read once more; nothing is stopped.
 *
 * Memory is the bound: one number per thing. Redis is held up by no script for more than a few milliseconds. Counts that
 * are asked for while one runs share it.
 *
 * A *cut* is the ledger alone at one moment, named by the newest entry; `sagasAt` finds the last entry of a saga then.
 * Where things and ledger disagree, `discrepancies` names the things that are not what the log says, as far as the log reaches.
 */

import { SAGAS_MAX } from '../contract/queries.ts'
import { fieldsOf } from '../contract/raw-entry.ts'
import type { Service } from '../contract/services.ts'
import { UnavailableError } from '../errors.ts'
import { compareIds, type LogEntry } from '../log/entry.ts'
import type { Log } from '../log/log.ts'
import { type Runner, runner } from '../log/runner.ts'
import type { SagaRecord } from '../log/saga-record.ts'
import { fields, headed, list, query, text, tuple } from '../redis/reply.ts'

/** The sum of an account of the ledger; 0 if nothing was ever posted. */
export type Ledger = (account: string) => bigint

export type Cut = {
  /** The newest entry of the log at that moment. */
  readonly at: string
  readonly ledger: Ledger
  /** The log ids of sagas that were unfinished. */
  readonly open: readonly string[]
  /** Up to where the log of each peer that is followed here had been applied. */
  readonly heard: { readonly [Publisher in Service]?: string }
  /** Which kinds of their entries are acted on here. */
  readonly hears: Log['handledKinds']
}

export type Count = {
  readonly at: string
  readonly ledger: Ledger
  /** The things that had a balance, by their ids, and the balance of each, as its service words it. */
  readonly balances: ReadonlyMap<string, string | number>
}

/** The last entry of a saga at a moment: its kind, `''` if there was none, and its facts. */
export type SagaAt = {
  readonly log_id: string
  readonly kind: string
  readonly facts: Readonly<Record<string, string>>
}

/** What is recorded of a saga now; nothing if it is unknown. */
export type RecordedSaga = Pick<SagaRecord, 'log_id' | 'fields'>

/** What an entry does to a thing: makes its balance so much, or so much more or less. */
export type Move = { readonly id: string } & ({ readonly is: bigint } | { readonly by: bigint })

/** A thing that is not what the log says: its balance, what that should be, and what is recorded of the sagas that moved it last. */
export type Discrepancy = {
  readonly id: string
  readonly is: string | number
  readonly expected: bigint
  readonly lastSagas: readonly RecordedSaga[]
}

export type Auditor = {
  /** @throws UnavailableError if the Redis goes away meanwhile, or it takes too long. */
  readonly count: () => Promise<Count>
  readonly cut: () => Promise<Cut>
  readonly sagasAt: (at: string, logIds: readonly string[]) => Promise<readonly SagaAt[]>
  readonly records: (logIds: readonly string[]) => Promise<readonly RecordedSaga[]>
  /** Which of these things there are not. */
  readonly absent: (ids: readonly string[]) => Promise<readonly string[]>
  /** One page of all records: begins with the cursor `0`, which also ends it. */
  readonly recordsPage: (
    cursor: string,
  ) => Promise<{ readonly next: string; readonly records: readonly RecordedSaga[] }>
  /**
   * Of the things whose making the log still tells, those that are not as it says, up to `DISCREPANCIES_MAX`.
   * @param moves what an entry does, called with each in order
   */
  readonly discrepancies: (count: Count, moves: (entry: LogEntry) => readonly Move[]) => Promise<readonly Discrepancy[]>
}

/** A page of this size keeps Redis for about a millisecond. */
const PAGE = 1_000
const ENTRIES = 250
/** Below the time-out of the gateway. */
const COUNT_MAX_MS = 25_000
/** A Redis of 1 GB holds fewer. */
const COUNTED_MAX = 10_000_000
/** More sagas than this are in flight only just after a long outage. */
const OPEN_MAX = 20_000
/** The most things that an audit names. */
const DISCREPANCIES_MAX = 100
/** How many sagas that moved a thing are named, the last ones. */
const LAST_SAGAS_MAX = 5

/** Asks about sagas, or things, in as many questions as it takes. */
export const inParts = async <Found>(
  logIds: readonly string[],
  ask: (part: readonly string[]) => Promise<readonly Found[]>,
): Promise<Found[]> => {
  const found: Found[] = []
  for (let first = 0; first < logIds.length; first += SAGAS_MAX)
    found.push(...(await ask(logIds.slice(first, first + SAGAS_MAX))))
  return found
}

const LIMB = 2n ** 27n
/** Of more digits than this a number may not be exact. */
const DIGITS_MAX = 15

const records = query('records', ['cursor', 'page', 'log_ids'], headed(text, tuple(text, fields)))
const cut = query('cut', ['open_max'], tuple(text, fields, list(text), fields))
const count = query('count', ['cursor', 'page'], tuple(text, text, text))
const recount = query('recount', ['after', 'entries', 'things'], tuple(text, text, fields, text, text))
const sagasAt = query('sagas-at', ['at', 'log_ids'], list(tuple(text, list(text))))
const absent = query('absent', ['ids'], list(text))

const ledgerOf = (accounts: Readonly<Record<string, string>>): Ledger => {
  const limb = (name: string): bigint => BigInt(accounts[name] ?? '0')
  return (account) => limb(`${account}:high`) * LIMB + limb(account)
}

/** Keeps the balance of a thing: as a number where it is one, and not at all if it is nothing, for that takes less room. */
const keep = (balances: Map<string, string | number>, id: string, is: string): void => {
  if (is === '' || is === '0') balances.delete(id)
  else balances.set(id, is.length <= DIGITS_MAX && /^\d+$/.test(is) ? Number(is) : is)
}

/** What the making of numbered things does: each, from the first to the last, has the same balance. */
export const madeAlike = ({ first, last }: LogEntry['facts'], is: bigint): readonly Move[] =>
  Array.from({ length: Number(last) - Number(first) + 1 }, (_, at) => ({ id: String(Number(first) + at), is }))

/** Those with a balance below zero, which none may ever have, up to `DISCREPANCIES_MAX`. */
export const belowZero = (balances: Count['balances']): readonly (readonly [id: string, is: string | number])[] =>
  [...balances].filter(([, is]) => String(is).startsWith('-')).slice(0, DISCREPANCIES_MAX)

/** Adds balances up exactly. */
export const sumOf = (balances: Iterable<string | number>): bigint => {
  let sum = 0n
  let small = 0
  for (const one of balances) {
    if (typeof one === 'string') sum += BigInt(one)
    else small += one
    if (small > Number.MAX_SAFE_INTEGER / 2) {
      sum += BigInt(small)
      small = 0
    }
  }
  return sum + BigInt(small)
}

type Ask = Runner['ask']

/** Counts. Those that ask while a count is under way share it. */
const counting = (log: Log, ask: Ask): Auditor['count'] => {
  let running: Promise<Count> | undefined

  const countAll = async (): Promise<Count> => {
    const deadline = performance.now() + COUNT_MAX_MS
    const balances = new Map<string, string | number>()
    const read = (ids: string, balanceLines: string): void => {
      const each = balanceLines.split('\n')
      if (ids !== '') for (const [at, id] of ids.split('\n').entries()) keep(balances, id, each[at] ?? '')
      if (balances.size > COUNTED_MAX) throw new UnavailableError(`${log.service} holds too much to be counted`)
      if (performance.now() > deadline) throw new UnavailableError(`${log.service} could not be counted in time`)
    }
    let [after] = await ask(cut, { open_max: 0 })
    for (let cursor = '0', done = false; !done; done = cursor === '0') {
      const [next, ids, balanceLines] = await ask(count, { cursor, page: PAGE })
      cursor = next
      read(ids, balanceLines)
    }
    for (;;) {
      const [last, newest, accounts, ids, balanceLines] = await ask(recount, { after, entries: ENTRIES, things: PAGE })
      if (compareIds(newest, after) < 0) throw new UnavailableError(`the Redis of ${log.service} came back older`)
      read(ids, balanceLines)
      // The newest entries may have been trimmed: then nothing follows either.
      if (last === newest || last === after) return { at: newest, ledger: ledgerOf(accounts), balances }
      after = last
    }
  }

  return () => {
    running ??= countAll().finally(() => {
      running = undefined
    })
    return running
  }
}

const recordsBy = (ask: Ask): Pick<Auditor, 'records' | 'recordsPage'> => {
  const recordsOf = async (args: { cursor: string; log_ids: string }) => {
    const [next, found] = await ask(records, { ...args, page: PAGE })
    return { next, records: found.map(([log_id, recorded]) => ({ log_id, fields: recorded })) }
  }
  return {
    records: (logIds) =>
      inParts(logIds, async (part) => (await recordsOf({ cursor: '0', log_ids: part.join(' ') })).records),
    recordsPage: (cursor) => recordsOf({ cursor, log_ids: '' }),
  }
}

type Expected = { balance: bigint; sagas: readonly string[] }

/** Every thing whose making the log still tells: what it should be after the entry `at`, and the sagas that moved it last. */
const byLog = async (
  log: Log,
  at: string,
  moves: (entry: LogEntry) => readonly Move[],
): Promise<ReadonlyMap<string, Expected>> => {
  const things = new Map<string, Expected>()
  const apply = (move: Move, saga: string): void => {
    const thing = things.get(move.id)
    if ('is' in move) things.set(move.id, { balance: move.is, sagas: [] })
    else if (thing) {
      thing.balance += move.by
      thing.sagas = [saga, ...thing.sagas].slice(0, LAST_SAGAS_MAX)
    }
  }
  for (let after = '0-0', more = true; more; ) {
    const page = await log.page(after, PAGE)
    const until = page.filter(({ id }) => compareIds(id, at) <= 0)
    for (const entry of until) for (const move of moves(entry)) apply(move, entry.log_id)
    after = page.at(-1)?.id ?? after
    more = until.length === PAGE
  }
  return things
}

const discrepanciesBy =
  (log: Log, recordsNamed: Auditor['records']): Auditor['discrepancies'] =>
  async ({ at, balances }, moves) => {
    const expected = await byLog(log, at, moves)
    const isOf = (id: string): string | number => balances.get(id) ?? 0
    const differing = [...expected].filter(([id, thing]) => thing.balance !== BigInt(isOf(id)))
    return Promise.all(
      differing.slice(0, DISCREPANCIES_MAX).map(async ([id, thing]) => ({
        id,
        is: isOf(id),
        expected: thing.balance,
        lastSagas: await recordsNamed(thing.sagas),
      })),
    )
  }

export const auditor = (log: Log): Auditor => {
  const { ask } = runner(log)
  const recorded = recordsBy(ask)
  return {
    count: counting(log, ask),
    cut: async () => {
      const [at, accounts, open, cursors] = await ask(cut, { open_max: OPEN_MAX })
      if (open.length > OPEN_MAX) throw new UnavailableError(`more than ${OPEN_MAX} sagas are in flight`)
      const heard = Object.fromEntries(log.publishers.map((publisher) => [publisher, cursors[publisher] ?? '0-0']))
      return { at, ledger: ledgerOf(accounts), open, heard, hears: log.handledKinds }
    },
    sagasAt: (at, logIds) =>
      inParts(logIds, async (part) => {
        const found = await ask(sagasAt, { at, log_ids: part.join(' ') })
        return found.map(([log_id, fields]) => {
          const { kind = '', ...facts }: Record<string, string> = Object.fromEntries(fieldsOf(['', fields]))
          return { log_id, kind, facts }
        })
      }),
    ...recorded,
    absent: (ids) => inParts(ids, (part) => ask(absent, { ids: part.join(' ') })),
    discrepancies: discrepanciesBy(log, recorded.records),
  }
}
