/**
 * How is all that a service owns added up, while it changes?
 *
 * The *books* say what there should be: running sums that the commands enter in the step in which they move something
 * (`shared/audit/lua/books.lua`). A *count* says what there is. It reads every thing, page after page, while commands go on, so
 * that each was read at a moment of its own; then it reads again whatever the log says was touched since the count began, and
 * again what was touched meanwhile, until nothing follows (a fuzzy snapshot made sharp by the log). A thing's last reading
 * follows the last entry that touched it, so what is then known is the state at one moment, with the books of that same
 * moment. A thing met twice or changed in any way is only read once more; nothing is stopped.
 *
 * Memory is the bound: one number per thing. Redis is held up by no script for more than a few milliseconds. Counts that
 * are asked for while one runs share it.
 *
 * A *cut* is the books alone at one moment, named by the newest entry; `sagasAt` tells what was last said of a saga then.
 * Where things and books disagree, `strays` names the things that are not what the log says, as far as the log reaches.
 */
import { fieldsOf, type Service } from '../contract/events.ts'
import { SAGAS_MAX } from '../contract/queries.ts'
import { UnavailableError } from '../errors.ts'
import { compareIds, type LogEntry } from '../log/entry.ts'
import type { Log } from '../log/log.ts'
import { type Runner, runner } from '../log/runner.ts'
import type { SagaRecord } from '../log/saga-record.ts'
import { fields, headed, list, query, text, tuple } from '../redis/reply.ts'

/** What an account of the books says; 0 if nothing was ever entered. */
export type Books = (account: string) => bigint

export type Cut = {
  /** The newest entry of the log at that moment. */
  readonly at: string
  readonly books: Books
  /** The log ids of sagas that were unfinished. */
  readonly open: readonly string[]
  /** Up to where the log of each peer that is followed here had been applied. */
  readonly heard: { readonly [Publisher in Service]?: string }
  /** Which kinds of their entries are acted on here. */
  readonly hears: Log['handledKinds']
}

export type Count = {
  readonly at: string
  readonly books: Books
  /** The things that were worth something, by their ids, and what each was worth, as its service words it. */
  readonly worth: ReadonlyMap<string, string | number>
}

/** What was last said of a saga at a moment: a kind, `''` if nothing was, and its facts. */
export type SagaAt = {
  readonly log_id: string
  readonly kind: string
  readonly facts: Readonly<Record<string, string>>
}

/** What is recorded of a saga now; nothing if it is unknown. */
export type RecordedSaga = Pick<SagaRecord, 'log_id' | 'fields'>

/** What an entry does to a thing: makes it worth so much, or so much more or less. */
export type Move = { readonly id: string } & ({ readonly is: bigint } | { readonly by: bigint })

/** A thing that is not what the log says: what it is worth, what it should be, and what is recorded of sagas that moved it. */
export type Stray = {
  readonly id: string
  readonly is: string | number
  readonly expected: bigint
  readonly movers: readonly RecordedSaga[]
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
   * Of the things whose making the log still tells, those that are not as it says, up to `STRAYS_MAX`.
   * @param moves what an entry does, told each in order
   */
  readonly strays: (count: Count, moves: (entry: LogEntry) => readonly Move[]) => Promise<readonly Stray[]>
}

/** A page of this size keeps Redis for about a millisecond. */
const PAGE = 1_000
const ENTRIES = 250
/** Below the time-out of the gateway. */
const COUNT_MAX_MS = 25_000
/** A Redis of 1 GB holds fewer. */
const THINGS_MAX = 10_000_000
/** More sagas than this are in flight only just after a long outage. */
const OPEN_MAX = 20_000
/** The most things that an audit names. */
const STRAYS_MAX = 100
/** How many sagas that moved a thing are told, the last ones. */
const MOVERS = 5

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

const booksOf = (accounts: Readonly<Record<string, string>>): Books => {
  const limb = (name: string): bigint => BigInt(accounts[name] ?? '0')
  return (account) => limb(`${account}:high`) * LIMB + limb(account)
}

/** Keeps what a thing is worth: as a number where it is one, and not at all if it is nothing, for that takes less room. */
const keep = (worth: Map<string, string | number>, id: string, is: string): void => {
  if (is === '' || is === '0') worth.delete(id)
  else worth.set(id, is.length <= DIGITS_MAX && /^\d+$/.test(is) ? Number(is) : is)
}

/** What the making of numbered things does: each, from the first to the last, is worth the same. */
export const madeAlike = ({ first, last }: LogEntry['facts'], is: bigint): readonly Move[] =>
  Array.from({ length: Number(last) - Number(first) + 1 }, (_, at) => ({ id: String(Number(first) + at), is }))

/** Those that are worth less than nothing, which nothing may ever be, up to `STRAYS_MAX`. */
export const belowZero = (worth: Count['worth']): readonly (readonly [id: string, is: string | number])[] =>
  [...worth].filter(([, is]) => String(is).startsWith('-')).slice(0, STRAYS_MAX)

/** Adds up exactly what is worth so much each. */
export const sumOf = (worth: Iterable<string | number>): bigint => {
  let sum = 0n
  let small = 0
  for (const one of worth) {
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
    const worth = new Map<string, string | number>()
    const read = (ids: string, worths: string): void => {
      const each = worths.split('\n')
      if (ids !== '') for (const [at, id] of ids.split('\n').entries()) keep(worth, id, each[at] ?? '')
      if (worth.size > THINGS_MAX) throw new UnavailableError(`${log.service} holds too much to be counted`)
      if (performance.now() > deadline) throw new UnavailableError(`${log.service} could not be counted in time`)
    }
    let [after] = await ask(cut, { open_max: 0 })
    for (let cursor = '0', done = false; !done; done = cursor === '0') {
      const [next, ids, worths] = await ask(count, { cursor, page: PAGE })
      cursor = next
      read(ids, worths)
    }
    for (;;) {
      const [last, newest, accounts, ids, worths] = await ask(recount, { after, entries: ENTRIES, things: PAGE })
      if (compareIds(newest, after) < 0) throw new UnavailableError(`the Redis of ${log.service} came back older`)
      read(ids, worths)
      // The newest entries may have been trimmed: then nothing follows either.
      if (last === newest || last === after) return { at: newest, books: booksOf(accounts), worth }
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

type Expected = { worth: bigint; sagas: readonly string[] }

/** Every thing whose making the log still tells: what it should be after the entry `at`, and the sagas that moved it last. */
const byLog = async (
  log: Log,
  at: string,
  moves: (entry: LogEntry) => readonly Move[],
): Promise<ReadonlyMap<string, Expected>> => {
  const things = new Map<string, Expected>()
  const apply = (move: Move, saga: string): void => {
    const thing = things.get(move.id)
    if ('is' in move) things.set(move.id, { worth: move.is, sagas: [] })
    else if (thing) {
      thing.worth += move.by
      thing.sagas = [saga, ...thing.sagas].slice(0, MOVERS)
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

const straysBy =
  (log: Log, recordsNamed: Auditor['records']): Auditor['strays'] =>
  async ({ at, worth }, moves) => {
    const expected = await byLog(log, at, moves)
    const isOf = (id: string): string | number => worth.get(id) ?? 0
    const differing = [...expected].filter(([id, thing]) => thing.worth !== BigInt(isOf(id)))
    return Promise.all(
      differing.slice(0, STRAYS_MAX).map(async ([id, thing]) => ({
        id,
        is: isOf(id),
        expected: thing.worth,
        movers: await recordsNamed(thing.sagas),
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
      return { at, books: booksOf(accounts), open, heard, hears: log.handledKinds }
    },
    sagasAt: (at, logIds) =>
      inParts(logIds, async (part) => {
        const found = await ask(sagasAt, { at, log_ids: part.join(' ') })
        return found.map(([log_id, said]) => {
          const { kind = '', ...facts }: Record<string, string> = Object.fromEntries(fieldsOf(['', said]))
          return { log_id, kind, facts }
        })
      }),
    ...recorded,
    absent: (ids) => inParts(ids, (part) => ask(absent, { ids: part.join(' ') })),
    strays: straysBy(log, recorded.records),
  }
}
