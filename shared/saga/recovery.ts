/**
 * What does an unfinished saga mean, and what repairs it?
 *
 * One engine for every saga. A service gives it tables: which states are unfinished there (`log/saga-table.ts`), and in
 * its *recovery table* which service is to answer, until when, and which repair each combination of conditions calls for.
 * The engine
 *
 * - *surveys* what is unfinished, page after page, from the indexes that the commands keep (`lua/unfinished.lua`,
 *   `lua/late.lua`), or takes one saga as it stands;
 * - *evaluates* each: the conditions that hold at a time by the own Redis, and the repair of the first row that they meet;
 * - *repairs* it: a repair is a command of the service, which checks and appends like any other, or `wait`;
 * - *retries* it when an operator asks: the same at once, and what would only wait is emitted again.
 */

import type { Service } from '../contract/services.ts'
import { impossible } from '../errors.ts'
import { compareIds } from '../log/entry.ts'
import type { Log } from '../log/log.ts'
import { runner } from '../log/runner.ts'
import type { SagaRecord } from '../log/saga-record.ts'
import { isUnfinished, type SagaTable } from '../log/saga-table.ts'
import { beginSurvey, reEmit, unindex } from '../log/shared-commands.ts'
import { refusedWrite } from '../redis/connection.ts'
import { headed, query, text, tuple } from '../redis/reply.ts'
import type { Once } from '../redis/script.ts'
import { isStale, staleAfterMs } from './staleness.ts'

/** What can be true of a saga that may be unfinished. */
export type Conditions<State extends string> = {
  /** What its record says; `decided` stands for every state that needs nothing more, `absent` for no record. */
  readonly state: State | 'decided' | 'absent'
  /** Only where a state has a deadline. */
  readonly deadline: 'ahead' | 'past'
  /** Was none of its entries appended for longer than an answer takes? */
  readonly silent: 'no' | 'yes'
  /** Has the service that is to answer read its last entry? */
  readonly heard: 'no' | 'yes'
}

/** The commands that every saga may need; a service adds its own. */
const ofEverySaga = { 'tell-again': reEmit, drop: unindex }
export type Repair = 'wait' | keyof typeof ofEverySaga

export type RecoveryTable<State extends string, Own extends string = never> = {
  /** The service whose answer all that is unfinished waits for. */
  readonly awaits: Service
  /** Where a state is due. */
  readonly deadline?: {
    /** No deadline is farther ahead: one that is was set before the clock was set back, and is over. */
    readonly maxMs: number
    /** The process that waits for the saga decides it at its deadline; the log parser, if that has not happened after this long. */
    readonly graceMs: number
  }
  /** The surveys of what is unfinished, by which all services learn what may be forgotten: see `lua/survey.lua`. */
  readonly surveys?: {
    /** How many are begun in the time for which entries are kept; the last of them is waited for in addition. */
    readonly perAge: number
    /** The most unfinished sagas that one names. */
    readonly openMax: number
  }
  /** The service's own rows. A condition that a row does not name may be either. */
  readonly repairs: readonly RepairRow<State, Own>[]
}

export type RepairRow<State extends string, Own extends string = never> = readonly [
  Partial<Conditions<State>>,
  Repair | Own,
]

/** All rows: what is true of every saga stands before and after those of its service. */
export const rowsOf = <State extends string, Own extends string>({
  repairs,
}: RecoveryTable<State, Own>): readonly RepairRow<State, Own>[] => [
  // Left in the index, but nothing is to be done: the index is what is wrong.
  [{ state: 'absent' }, 'drop'],
  [{ state: 'decided' }, 'drop'],
  ...repairs,
  // An answer may be on its way.
  [{ silent: 'no' }, 'wait'],
  // Whoever is to answer will read it: a cursor cannot be lost without going back.
  [{ heard: 'no' }, 'wait'],
  // Read, and no answer arrived: emitted again, it is answered again.
  [{ heard: 'yes' }, 'tell-again'],
]

/** The conditions of one saga, by name. */
type Holding = Readonly<Record<string, string>>

/** The repair of the first row whose conditions all hold. @throws if there is none: a table must be complete. */
export const repairFor = <Of extends string>(
  rows: readonly (readonly [Readonly<Partial<Record<string, string>>>, Of])[],
  holding: Holding,
): Of => {
  for (const [wanted, repair] of rows)
    if (Object.entries(wanted).every(([name, value]) => holding[name] === value)) return repair
  return impossible('recovery.table', holding)
}

const beganMsOf = ({ fields }: SagaRecord, lastEventAtMs: number): number =>
  Number.parseInt(fields.entries ?? String(lastEventAtMs), 10)

/** One saga that may be unfinished: its conditions, and the repair they call for. */
export type Finding = {
  readonly log_id: string
  readonly facts: Holding
  readonly repair: string
}

/** A place in an index, behind which a survey goes on, and when the survey began, by the own Redis. */
export type Place = { readonly score: number; readonly startedMs: number }

/** A page of a survey: what was found, and where to go on, unless nothing behind it can want a repair. */
export type Page = { readonly findings: readonly Finding[]; readonly next: Place | undefined }

/** Looks for about so many unfinished sagas, at the first place or behind one: the work of one script is bounded. */
export type Survey = (limit: number, behind?: Place) => Promise<Page>

export type Recovery = {
  /** The unfinished sagas, the stalest first. */
  readonly survey: Survey
  /** Those that are past their deadlines, the earliest first; `undefined` where there are none. */
  readonly late: Survey | undefined
  /** The states in which a saga is unfinished. */
  readonly unfinished: readonly string[]
  /** Where a saga may be late: by how much, and how far ahead a deadline may be. */
  readonly deadline: RecoveryTable<string>['deadline']
  /** From which moment on, by the own Redis, `late` names a saga. */
  readonly lateAtMs: (saga: SagaRecord) => number | undefined
  /** From which moment on, by the own Redis, a saga is stale, if nothing more is said of it. */
  readonly staleAtMs: (saga: SagaRecord) => number
  /** What the table says of one saga as it stands, at a time by the own Redis. */
  readonly evaluate: (saga: SagaRecord, atMs: number) => Finding
  /** Does what a finding calls for; the result of that. */
  readonly repair: (finding: Finding) => Promise<string>
  /** Does it at once, and emits again what would only wait. */
  readonly retry: (finding: Finding, once: Once) => Promise<string>
  /** What only a person can mend, by name. */
  readonly contradictions: () => Promise<readonly string[]>
  /** Begins a survey of what is unfinished, if one is due by the age until which entries are kept. */
  readonly beginSurvey: (ageMs: number) => Promise<void>
}

/** Runs a command of the service about one saga; its result. */
export type RunRepair = (args: { readonly log_id: string }, once?: Once) => Promise<string>

export type RecoveryOptions<State extends string, Own extends string> = {
  readonly log: Log
  readonly saga: SagaTable
  readonly table: RecoveryTable<State, Own>
  /** The service's own commands, by their names. */
  readonly own: Readonly<Record<Own, RunRepair>>
  readonly contradictions?: () => Promise<readonly string[]>
}

/**
 * What `lua/unfinished.lua` returns: the time, and of each saga its id, its score in the index, state, deadline, when its last
 * entry was appended, and when it began.
 */
const found = headed(text, tuple(text, text, text, text, text, text))
const unfinishedPage = query('unfinished', ['limit', 'after'], found)
const latePage = query('late', ['limit', 'after', 'grace_ms', 'max_ms'], found)

/** Whether the table leaves all that is unfinished to wait until the service that is to answer has read of it. */
const waitsUntilApplied = <State extends string>(saga: SagaTable, rows: readonly RepairRow<State, string>[]): boolean =>
  Object.keys(saga.states)
    .filter((state) => isUnfinished(saga, state))
    .every((state) =>
      ['no', 'yes'].every((silent) => repairFor(rows, { state, silent, heard: 'no', deadline: 'ahead' }) === 'wait'),
    )

/** What the tables say of a saga as it stands. */
const evaluation = <State extends string>(
  saga: SagaTable,
  { awaits, deadline }: RecoveryTable<State, string>,
  rows: readonly RepairRow<State, string>[],
): Recovery['evaluate'] => {
  const stateOf = (state: string): string => {
    if (state === '') return 'absent'
    return isUnfinished(saga, state) ? state : 'decided'
  }
  const deadlineOf = ({ fields }: SagaRecord, atMs: number): Partial<Pick<Conditions<State>, 'deadline'>> => {
    if (deadline === undefined) return {}
    const leftMs = Number(fields.deadline ?? '0') - atMs
    return { deadline: leftMs < 0 || leftMs > deadline.maxMs ? 'past' : 'ahead' }
  }
  return (record, atMs) => {
    const { log_id, fields, lastEventAtMs = 0, acked } = record
    const facts = {
      state: stateOf(fields.state ?? ''),
      ...deadlineOf(record, atMs),
      silent: isStale(atMs, lastEventAtMs, beganMsOf(record, lastEventAtMs)) ? 'yes' : 'no',
      heard: compareIds(acked[awaits] ?? '0-0', String(lastEventAtMs)) >= 0 ? 'yes' : 'no',
    }
    return { log_id, facts, repair: repairFor(rows, facts) }
  }
}

/** The surveys of a service's indexes. */
const openSurveys = <State extends string, Own extends string>(
  { log, saga, table }: Pick<RecoveryOptions<State, Own>, 'log' | 'saga' | 'table'>,
  evaluate: Recovery['evaluate'],
): Pick<Recovery, 'survey' | 'late'> => {
  const { awaits, deadline } = table
  const { ask } = runner(log)
  const canOnlyWaitUnapplied = waitsUntilApplied(saga, rowsOf(table))

  /** What a page of an index means, and up to when the service that is to answer has read. */
  const pageOf = async (
    [now, sagas]: ReturnType<typeof found>,
    limit: number,
    behind: Place | undefined,
  ): Promise<Page & { readonly ackedMs: number }> => {
    const acked = await log.ackedBy([awaits])
    const findings = sagas.map(([log_id, , state, until, lastMs, began]) =>
      evaluate(
        { log_id, fields: { state, deadline: until, entries: began }, lastEventAtMs: Number(lastMs), acked },
        Number(now),
      ),
    )
    const startedMs = behind?.startedMs ?? Number(now)
    const next = sagas.length < limit ? undefined : { score: Number(sagas.at(-1)?.[1]), startedMs }
    return { findings, next, ackedMs: Number.parseInt(acked[awaits] ?? '0', 10) }
  }
  const lateUntil =
    ({ graceMs, maxMs }: { readonly graceMs: number; readonly maxMs: number }): Survey =>
    async (limit, behind) => {
      const args = { limit, after: behind?.score ?? 0, grace_ms: graceMs, max_ms: maxMs }
      return pageOf(await ask(latePage, args), limit, behind)
    }

  return {
    /** What was emitted since the survey began is not looked at again; nor, where it can only wait, what was not read yet. */
    survey: async (limit, behind) => {
      const page = await ask(unfinishedPage, { limit, after: behind?.score ?? 0 })
      const { findings, next, ackedMs } = await pageOf(page, limit, behind)
      const untilMs = Math.min(next?.startedMs ?? 0, canOnlyWaitUnapplied ? ackedMs : Number.POSITIVE_INFINITY)
      return { findings, next: next && next.score <= untilMs ? next : undefined }
    },
    late: deadline && lateUntil(deadline),
  }
}

export const openRecovery = <State extends string, Own extends string>(
  options: RecoveryOptions<State, Own>,
): Recovery => {
  const { log, saga, table, contradictions = async () => [] } = options
  const { deadline, surveys } = table
  const evaluate = evaluation(saga, table, rowsOf(table))
  const { run } = runner(log)

  /** Under a key it may be what another repair returned to the same request: so only its result counts. */
  const byRow =
    ({ name }: (typeof ofEverySaga)[keyof typeof ofEverySaga]): RunRepair =>
    async (args, once) =>
      (await log.run(name, args, once))[0]
  const commands = new Map<string, RunRepair>([
    ...Object.entries(ofEverySaga).map(([name, row]) => [name, byRow(row)] as const),
    ...Object.entries<RunRepair>(options.own),
  ])
  const resultOf = (command: string, log_id: string, once?: Once): Promise<string> => {
    const repair = commands.get(command) ?? impossible('recovery.repair', command)
    return repair({ log_id }, once)
  }

  return {
    ...openSurveys(options, evaluate),
    unfinished: Object.keys(saga.states).filter((state) => isUnfinished(saga, state)),
    deadline,
    lateAtMs: ({ fields }) =>
      deadline && saga.states[fields.state ?? ''] === 'due' ? Number(fields.deadline) + deadline.graceMs : undefined,
    staleAtMs: (record) => {
      const { lastEventAtMs = 0 } = record
      return lastEventAtMs + Math.floor(staleAfterMs(lastEventAtMs, beganMsOf(record, lastEventAtMs))) + 1
    },
    evaluate,
    repair: async ({ log_id, repair }) => (repair === 'wait' ? 'waiting' : resultOf(repair, log_id)),
    retry: ({ log_id, repair }, once) => resultOf(repair === 'wait' ? 'tell-again' : repair, log_id, once),
    contradictions,
    beginSurvey: async (ageMs) => {
      if (surveys === undefined) return
      try {
        await run(beginSurvey, { pause_ms: ageMs / surveys.perAge, open_max: surveys.openMax })
      } catch (error) {
        // Out of memory it is left to a later run.
        if (refusedWrite(error) === undefined) throw error
      }
    },
  }
}
