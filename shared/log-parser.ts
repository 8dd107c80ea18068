/**
 * What is unfinished, and who finishes it?
 *
 * Every service has a log parser. It runs at start, on a schedule and on request, under a RedLock lease so that one replica
 * does it (two at once are wasteful, never wrong: every repair is a deed that checks). A run
 *
 * 1. trims the own log by age, never beyond what the slowest listener has heard;
 * 2. surveys what is unfinished, from the index that the deeds keep: its cost is that of what is open, not of what exists;
 * 3. asks the service's table which repair the facts of each unfinished thing call for, and does it. A repair is a deed
 *    like any other; undoing is always the opposite deed, never writing an old value back. One that the own Redis refuses,
 *    because it is out of memory, is left to a later run, and the others are still done.
 *
 * It tells what it found and did, which speakers were noticed to have lost their tails (see `witness.ts`), and what only a
 * person can mend.
 */
import type { Logger } from 'pino'
import type { LostTail } from './entry.ts'
import { impossible, UnavailableError } from './errors.ts'
import type { Service } from './events.ts'
import type { Log, SagaRecord } from './log.ts'
import { refusedWrite } from './redis.ts'
import type { RedLock } from './redlock.ts'
import { openSchedule } from './schedule.ts'
import type { Once } from './script.ts'
import type { Step } from './step.ts'

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

export type Report = {
  readonly service: Service
  /** What was unfinished, at most `FINDINGS_MAX`, with the repair that its facts called for and what came of it. */
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
  /** The unfinished things that may want a repair, the longest silent first, up to a limit. */
  readonly survey: (limit: number) => Promise<readonly Finding<Repair>[]>
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
  readonly recovery: Omit<Recovery<Repair>, 'judge' | 'retry'> | undefined
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
/** How long a run on request waits for one that is under way elsewhere. */
const WAIT_MS = 5_000

/** What came of a repair; one that is refused because nothing can be written now keeps none of the others from being done. */
const unlessRefused = async (repairing: Promise<string>): Promise<string> => {
  try {
    return await repairing
  } catch (error) {
    const refusal = refusedWrite(error)
    if (refusal === undefined) throw error
    return `refused: ${refusal}`
  }
}

export const logParser = <Repair extends string>(options: LogParserOptions<Repair>): LogParser => {
  const { log, recovery, listeners, redLock, step, leaseTtlMs, retentionMs } = options
  const logger = options.logger.child({ parser: log.service })
  const lease = [`parser:${log.service}`]
  let running: Promise<unknown> = Promise.resolve()

  const finish = async (): Promise<Report['found']> => {
    if (recovery === undefined) return []
    const findings = await step('parser.survey', () => recovery.survey(FINDINGS_MAX))
    const found: { log_id: string; facts: Readonly<Record<string, string>>; repair: string; done: string }[] = []
    for (const finding of findings)
      found.push({ ...finding, done: await unlessRefused(step('parser.repair', () => recovery.repair(finding))) })
    return found
  }

  const parse = async (): Promise<Report> => {
    // First, for what is to be repaired may need the memory.
    const trimmed = await log.trim(retentionMs, listeners)
    const found = await finish()
    const report: Report = {
      service: log.service,
      found,
      lost_tails: await log.lostTails(),
      trimmed,
      dead_letters: await log.dead.count(),
      contradictions: (await recovery?.contradictions?.()) ?? [],
    }
    const done = found.filter(({ repair }) => repair !== 'wait').length
    if (done > 0) logger.info({ found: found.length, done }, 'finished what was left')
    return report
  }

  /** Runs under the lease, or without it if there is no quorum; `undefined` if another replica is at it. */
  const parseAlone = async (waitMs: number): Promise<Report | undefined> => {
    const held = await redLock.acquire(lease, leaseTtlMs, waitMs)
    if (held.state === 'busy') return undefined
    try {
      return await parse()
    } finally {
      if (held.state === 'held') await redLock.release(lease, held.token)
    }
  }

  const runQuietly = async (): Promise<void> => {
    try {
      await parseAlone(0)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      logger.warn({ err: error }, 'could not run: the next run will')
    }
  }

  const queue = <Result>(run: () => Promise<Result>): Promise<Result> => {
    const next = running.then(run, run)
    running = next.catch(() => undefined)
    return next
  }

  const tick = (): void => {
    queue(runQuietly).catch((error: unknown) => {
      // A fault of the program ends the process; its successor's log parser repairs.
      setImmediate(() => {
        throw error
      })
    })
  }
  const schedule = openSchedule(options.schedule, tick)

  return {
    start: () => {
      tick()
      schedule.start()
    },
    stop: async () => {
      schedule.stop()
      await running
    },
    run: async () => {
      const report = await queue(() => parseAlone(WAIT_MS))
      if (report === undefined) throw new UnavailableError('the log parser is running in another replica')
      return report
    },
    nextRuns: schedule.nextRuns,
  }
}
