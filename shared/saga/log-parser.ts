/**
 * What is unfinished, and who finishes it?
 *
 * Every service has a log parser. It runs at start, on a schedule and on request, under a RedLock lease so that one replica
 * does it (two at once are wasteful, never wrong: every repair is a deed that checks). A run
 *
 * 1. trims the own log by age, never beyond what the slowest listener has heard;
 * 2. surveys what is unfinished, from the indexes that the deeds keep, page after page, until nothing is left that may want
 *    a repair: first what is late, the earliest first, then the longest silent. Its cost is that of what is open, not of
 *    what exists;
 * 3. asks the service's table which repair the facts of each unfinished thing call for, and does it. A repair is a deed
 *    like any other; undoing is always the opposite deed, never writing an old value back. One that the own Redis refuses,
 *    because it is out of memory, is left to a later run, and the others are still done.
 *
 * What is late does not wait for the schedule: it is looked for twice a second, by one question to the own Redis, and
 * repaired at once. Whoever was to see to it has died or is frozen.
 *
 * It tells what it found and did, which speakers were noticed to have lost their tails (see `shared/log/tail-loss.ts`), and what only a
 * person can mend.
 */
import type { Logger } from 'pino'
import type { Service } from '../contract/events.ts'
import { impossible, UnavailableError } from '../errors.ts'
import type { RedLock } from '../lock/redlock.ts'
import type { LostTail } from '../log/entry.ts'
import type { Log } from '../log/log.ts'
import type { SagaRecord } from '../log/saga-record.ts'
import type { Step } from '../process/step.ts'
import { refusedWrite } from '../redis/connection.ts'
import type { Once } from '../redis/script.ts'
import { openSchedule } from './schedule.ts'

/** One unfinished thing: its log id, and what a person would want to know of it. */
export type Finding<Repair extends string> = {
  readonly log_id: string
  readonly facts: Readonly<Record<string, string>>
  readonly repair: Repair
}

/** Rows of facts and the repair they call for. Facts that a row does not name may be anything. */
export type RecoveryTable<Facts, Repair extends string> = readonly (readonly [Partial<Facts>, Repair])[]

/** The repair of the first row whose facts all hold. @throws if there is none: a table must be complete. */
export const repairFor = <Facts extends Readonly<Record<string, string>>, Repair extends string>(
  table: RecoveryTable<Facts, Repair>,
  facts: Facts,
): Repair => {
  for (const [wanted, repair] of table)
    if (Object.entries(wanted).every(([name, value]) => facts[name] === value)) return repair
  return impossible('log-parser.table', facts)
}

/** A place in an index, behind which a survey goes on, and when the survey began, by the own Redis. */
export type Place = { readonly score: number; readonly startedMs: number }

/** A page of a survey: what was found, and where to go on, unless nothing behind it can want a repair. */
export type Page<Repair extends string> = {
  readonly findings: readonly Finding<Repair>[]
  readonly next: Place | undefined
}

/** Looks for about so many unfinished things, at the first place or behind one: the work of one script is bounded. */
export type Survey<Repair extends string> = (limit: number, behind?: Place) => Promise<Page<Repair>>

export type Report = {
  readonly service: Service
  /** What was unfinished, at most `FINDINGS_MAX` of it, with the repair that its facts called for and what came of it. */
  readonly found: readonly { log_id: string; facts: Readonly<Record<string, string>>; repair: string; done: string }[]
  /** What speakers were noticed to have lost, for as long as the log is kept. */
  readonly lost_tails: readonly LostTail[]
  readonly trimmed: number
  /** How many entries could not be applied, and have not been retried with success since. */
  readonly dead_letters: number
  /** Things that only a person can mend, by name. */
  readonly contradictions: readonly string[]
}

/** What a service with sagas adds: its survey and its repairs. */
export type Recovery<Repair extends string> = {
  /** The unfinished things, the longest silent first. */
  readonly survey: Survey<Repair>
  /** Those that are past a moment of their own, the earliest first. */
  readonly late?: Survey<Repair>
  /** From which moment on, by the own Redis, `late` names a saga. */
  readonly lateAtMs?: (saga: SagaRecord) => number | undefined
  /** Does what a finding calls for, and says in a word what came of it. */
  readonly repair: (finding: Finding<Repair>) => Promise<string>
  readonly contradictions?: () => Promise<readonly string[]>
  /** What the table says of one saga as it stands, at a time by the own Redis: the rules of the survey. */
  readonly judge: (saga: SagaRecord, atMs: number) => Finding<Repair>
  /** Does at once what a finding calls for, and tells again what it would only wait for; the word of what came of it. */
  readonly retry: (finding: Finding<Repair>, once: Once) => Promise<string>
}

export type LogParser = {
  /** Runs once at once, then on the schedule. */
  readonly start: () => void
  readonly stop: () => Promise<void>
  /** Runs now, after a run that is under way elsewhere. @throws UnavailableError */
  readonly run: () => Promise<Report>
  /** When the schedule has it run next; none before it was started. */
  readonly nextRuns: (count: number) => readonly Date[]
}

export type LogParserOptions<Repair extends string> = {
  readonly log: Log
  readonly recovery: Omit<Recovery<Repair>, 'judge' | 'retry' | 'lateAtMs'> | undefined
  /** Who hears this service: their cursors bound the trimming. */
  readonly listeners: readonly Service[]
  readonly redLock: RedLock
  readonly step: Step
  readonly leaseTtlMs: number
  /** A cron expression with seconds. */
  readonly schedule: string
  readonly retentionMs: number
  readonly logger: Logger
}

const FINDINGS_MAX = 1_000
/** A page of this size keeps Redis for about a millisecond. */
const PAGE = 250
/** How often one looks whether anything is late. */
const LATE_LOOK_MS = 500
/** How long a run on request waits for one that is under way elsewhere. */
const WAIT_MS = 5_000

const REFUSED = 'refused: '
/** What came of a repair; one that is refused because nothing can be written now keeps none of the others from being done. */
const unlessRefused = async (repairing: Promise<string>): Promise<string> => {
  try {
    return await repairing
  } catch (error) {
    const refusal = refusedWrite(error)
    if (refusal === undefined) throw error
    return `${REFUSED}${refusal}`
  }
}

/** What was said last may be answered for this long before it is silence. */
const SILENT_MS = 2_000
/** What hangs is told again at ever longer intervals: each a quarter of the time since the saga began, up to this. */
const SILENT_MAX_MS = 600_000
const SILENT_SHARE = 4

/**
 * Was nothing said of a saga for so long that it is to be told again? It began at `beganMs` and was last spoken of at
 * `toldMs`, by the clock of the own Redis. If that is in the future, the clock was set back, and nobody knows for how long.
 */
export const isSilent = (atMs: number, toldMs: number, beganMs: number): boolean => {
  const staleAfterMs = Math.min(Math.max(SILENT_MS, (toldMs - beganMs) / SILENT_SHARE), SILENT_MAX_MS)
  return Math.abs(atMs - toldMs) > staleAfterMs
}

type Found = Report['found'][number]

export const logParser = <Repair extends string>(options: LogParserOptions<Repair>): LogParser => {
  const { log, recovery, listeners, redLock, step, leaseTtlMs, retentionMs } = options
  const logger = options.logger.child({ parser: log.service })
  const lease = [`parser:${log.service}`]
  let running: Promise<unknown> = Promise.resolve()
  /** How many runs and looks are under way or wait for their turn, and whether one of them is the schedule's. */
  let queued = 0
  let isScheduled = false
  let lookout: NodeJS.Timeout | undefined

  const repairing: Recovery<Repair>['repair'] = (finding) =>
    (recovery ?? impossible('log-parser.recovery')).repair(finding)

  /** Repairs what a survey finds. What was found before stays as it was reported. */
  const finish = async (survey: Survey<Repair>, found: Map<string, Found>): Promise<void> => {
    let repaired = 0
    let place: Place | undefined
    do {
      const { findings, next }: Page<Repair> = await step('parser.survey', () => survey(PAGE, place))
      for (const finding of findings) {
        const { log_id, repair } = finding
        const done = await unlessRefused(step('parser.repair', () => repairing(finding)))
        if (repair !== 'wait' && !done.startsWith(REFUSED)) repaired += 1
        if (!found.has(log_id) && found.size < FINDINGS_MAX) found.set(log_id, { ...finding, done })
      }
      place = next
    } while (place !== undefined)
    if (repaired > 0) logger.info({ repaired }, 'finished what was left')
  }

  const parse = async (): Promise<Report> => {
    // First, for what is to be repaired may need the memory.
    const trimmed = await log.trim(retentionMs, listeners)
    const found = new Map<string, Found>()
    if (recovery?.late) await finish(recovery.late, found)
    if (recovery) await finish(recovery.survey, found)
    return {
      service: log.service,
      found: [...found.values()],
      lost_tails: await log.lostTails(),
      trimmed,
      dead_letters: await log.dead.count(),
      contradictions: (await recovery?.contradictions?.()) ?? [],
    }
  }

  /** Does a run under the lease, or without it if there is no quorum; `undefined` if another replica is at it. */
  const alone = async <Result>(run: () => Promise<Result>, waitMs = 0): Promise<Result | undefined> => {
    const held = await redLock.acquire(lease, leaseTtlMs, waitMs)
    if (held.state === 'busy') return undefined
    try {
      return await run()
    } finally {
      if (held.state === 'held') await redLock.release(lease, held.token)
    }
  }

  /** Repairs what is late, if anything is; the next look is soon, and a run reports what prevents both. */
  const hurry = async (late: Survey<Repair>): Promise<void> => {
    const { findings } = await step('parser.late', () => late(1))
    if (findings.length === 0) return
    await alone(() => finish(late, new Map()))
  }

  const quietly = async (run: () => Promise<unknown>, level: 'warn' | 'debug'): Promise<void> => {
    try {
      await run()
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      logger[level]({ err: error }, 'could not run: the next run will')
    }
  }

  const queue = async <Result>(run: () => Promise<Result>): Promise<Result> => {
    queued += 1
    const next = running.then(run, run)
    running = next.catch(() => undefined)
    try {
      return await next
    } finally {
      queued -= 1
    }
  }

  /** Queues what nobody waits for. A fault of the program ends the process; its successor's log parser repairs. */
  const unattended = (run: () => Promise<void>): void => {
    queue(run).catch((error: unknown) => {
      setImmediate(() => {
        throw error
      })
    })
  }
  const tick = (): void => {
    if (isScheduled) return
    isScheduled = true
    unattended(async () => {
      await quietly(() => alone(parse), 'warn')
      isScheduled = false
    })
  }
  /** Looks, unless a run will. */
  const look = (late: Survey<Repair>): void => {
    if (queued === 0) unattended(() => quietly(() => hurry(late), 'debug'))
  }
  const schedule = openSchedule(options.schedule, tick)

  return {
    start: () => {
      tick()
      schedule.start()
      const late = recovery?.late
      if (late) lookout = setInterval(look, LATE_LOOK_MS, late)
    },
    stop: async () => {
      schedule.stop()
      clearInterval(lookout)
      await running
    },
    run: async () => {
      const report = await queue(() => alone(parse, WAIT_MS))
      if (report === undefined)
        throw new UnavailableError('the log parser is running in another replica', { nothingDone: true })
      return report
    },
    nextRuns: schedule.nextRuns,
  }
}
