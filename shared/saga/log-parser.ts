/**
 * When is what is unfinished finished, and by which replica?
 *
 * Every service has a log parser. It runs at start, on a schedule and on request, under a RedLock lease so that one replica
 * does it (two at once are wasteful, never wrong: every repair is a command that checks). A run
 *
 * 1. trims the own log by age, never beyond what the slowest subscriber has applied, and begins a survey by which all services
 *    learn what they may forget, where the service's table says so;
 * 2. surveys what is unfinished, from the indexes that the commands keep, page after page, until nothing is left that may want
 *    a repair: first what is late, the earliest first, then the stalest. Its cost is that of what is open, not of
 *    what exists;
 * 3. does the repair that the service's table calls for: see `recovery.ts`. A repair is a command like any other; undoing is
 *    always the opposite command, never writing an old value back. One that the own Redis refuses, because it is out of memory,
 *    is left to a later run, and the others are still done;
 * 4. tidies up, if the service has more to do now and then, in bounded steps.
 *
 * What is late does not wait for the schedule: it is looked for twice a second, by one question to the own Redis, and
 * repaired at once. The process that was to see to it has died or is frozen.
 *
 * It tells what it found and did, which publishers were noticed to have lost their tails (see `shared/log/tail-loss.ts`), and
 * what only a person can mend.
 */

import type { Logger } from 'pino'
import type { Service } from '../contract/services.ts'
import { UnavailableError } from '../errors.ts'
import type { RedLock } from '../lock/redlock.ts'
import type { LostTail } from '../log/entry.ts'
import type { Log } from '../log/log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Step } from '../process/step.ts'
import type { Tracing } from '../process/tracing.ts'
import { refusedWrite } from '../redis/connection.ts'
import type { Page, Place, Recovery, Survey } from './recovery.ts'
import { repairCounter, repairSpan } from './repairs.ts'
import { openSchedule } from './schedule.ts'

export type Report = {
  readonly service: Service
  /** What was unfinished, at most `FINDINGS_MAX` of it, with the repair that its facts called for and what came of it. */
  readonly found: readonly { log_id: string; facts: Readonly<Record<string, string>>; repair: string; done: string }[]
  /** What publishers were noticed to have lost, for as long as the log is kept. */
  readonly lost_tails: readonly LostTail[]
  readonly trimmed: number
  /** How many entries could not be applied, and have not been retried with success since. */
  readonly dead_letters: number
  /** Things that only a person can mend, by name. */
  readonly contradictions: readonly string[]
}

/** What the last run of this process was about. */
export type LastRun = {
  readonly at: string
  readonly tookMs: number
  readonly found: number
  readonly repaired: number
  readonly trimmed: number
}

export type LogParser = {
  /** Runs once at once, then on the schedule. */
  readonly start: () => void
  readonly stop: () => Promise<void>
  /** Runs now, after a run that is under way elsewhere. @throws UnavailableError */
  readonly run: () => Promise<Report>
  /** When the schedule has it run next; none before it was started. */
  readonly nextRuns: (count: number) => readonly Date[]
  /** Undefined before the first; where there are several replicas, the others have runs of their own. */
  readonly lastRun: () => LastRun | undefined
}

/** What the log parser asks of a recovery: to find and to repair. */
export type Repairs = Pick<Recovery, 'survey' | 'repair'> &
  Partial<Pick<Recovery, 'late' | 'contradictions' | 'beginSurvey'>>

export type LogParserOptions = {
  readonly log: Log
  readonly recovery: Repairs | undefined
  /** What the service does in each run besides; what it may cost is for the service to bound. */
  readonly tidy?: (() => Promise<void>) | undefined
  /** Which services follow this log: their cursors bound the trimming. */
  readonly subscribers: readonly Service[]
  readonly redLock: RedLock
  readonly step: Step
  readonly tracing?: Tracing | undefined
  readonly leaseTtlMs: number
  /** A cron expression with seconds. */
  readonly schedule: string
  readonly retentionMs: number
  readonly logger: Logger
  /** Default: nothing is measured. */
  readonly metrics?: Metrics
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

type Found = Report['found'][number]

type Finish = (repairs: Repairs, survey: Survey, found: Map<string, Found>) => Promise<void>

/** Repairs what a survey finds. What was found before stays as it was reported. */
const finishing =
  ({ log, step, tracing }: LogParserOptions, logger: Logger, onRepaired: (repair: string) => void): Finish =>
  async ({ repair }, survey, found) => {
    let repaired = 0
    let place: Place | undefined
    do {
      const { findings, next }: Page = await step('parser.survey', () => survey(PAGE, place))
      for (const finding of findings) {
        const { log_id } = finding
        const span = tracing && (await repairSpan(tracing, log, finding))
        const done = await unlessRefused(step('parser.repair', () => repair(finding)))
        span?.end({ 'shop.result': done })
        if (isRepaired({ ...finding, done })) {
          repaired += 1
          onRepaired(finding.repair)
        }
        if (!found.has(log_id) && found.size < FINDINGS_MAX) found.set(log_id, { ...finding, done })
      }
      place = next
    } while (place !== undefined)
    if (repaired > 0) logger.info({ repaired }, 'finished what was left')
  }

/** One run: trims, surveys and repairs. */
const parsing =
  (
    { log, recovery, tidy, subscribers, retentionMs, step }: LogParserOptions,
    finish: Finish,
  ): (() => Promise<Report>) =>
  async () => {
    // First, for what is to be repaired may need the memory.
    const trimmed = await log.trim(retentionMs, subscribers)
    await recovery?.beginSurvey?.(retentionMs)
    const found = new Map<string, Found>()
    if (recovery?.late) await finish(recovery, recovery.late, found)
    if (recovery) await finish(recovery, recovery.survey, found)
    // What cannot be written now is left to a later run.
    if (tidy) await unlessRefused(step('parser.tidy', async () => tidy().then(() => 'tidied')))
    return {
      service: log.service,
      found: [...found.values()],
      lost_tails: await log.lostTails(),
      trimmed,
      dead_letters: await log.dead.count(),
      contradictions: (await recovery?.contradictions?.()) ?? [],
    }
  }

const isRepaired = ({ repair, done }: Found): boolean => repair !== 'wait' && !done.startsWith(REFUSED)

/** Remembers of each run what it was about. */
const remembering = (parse: () => Promise<Report>) => {
  let last: LastRun | undefined
  return {
    last: (): LastRun | undefined => last,
    parse: async (): Promise<Report> => {
      const begun = performance.now()
      const at = new Date().toISOString()
      const report = await parse()
      const { found, trimmed } = report
      const tookMs = Math.round(performance.now() - begun)
      last = { at, tookMs, found: found.length, repaired: found.filter(isRepaired).length, trimmed }
      return report
    },
  }
}

/** Runs and looks of this process, one after the other. */
type Turns = {
  readonly take: <Result>(run: () => Promise<Result>) => Promise<Result>
  /** Whether none is under way or waits for its turn. */
  readonly isIdle: () => boolean
  /** Resolves when the last one that has been taken is over. */
  readonly idle: () => Promise<unknown>
}

const openTurns = (): Turns => {
  let last: Promise<unknown> = Promise.resolve()
  let taken = 0
  return {
    take: async (run) => {
      taken += 1
      const next = last.then(run, run)
      last = next.catch(() => undefined)
      try {
        return await next
      } finally {
        taken -= 1
      }
    },
    isIdle: () => taken === 0,
    idle: () => last,
  }
}

/** Runs what a later run makes good, if the own Redis keeps this one from it. */
const openQuietly =
  (logger: Logger) =>
  async (run: () => Promise<unknown>, level: 'warn' | 'debug'): Promise<void> => {
    try {
      await run()
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      logger[level]({ err: error }, 'could not run: the next run will')
    }
  }

export const logParser = (options: LogParserOptions): LogParser => {
  const { log, recovery, redLock, step, leaseTtlMs, metrics } = options
  const logger = options.logger.child({ parser: log.service })
  const lease = [`parser:${log.service}`]
  const finish = finishing(options, logger, repairCounter(metrics))
  const quietly = openQuietly(logger)
  const { last, parse } = remembering(parsing(options, finish))
  const turns = openTurns()
  /** Whether a run of the schedule is under way or waits for its turn. */
  let isScheduled = false
  let lookout: NodeJS.Timeout | undefined

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
  const hurry = async (repairs: Repairs, late: Survey): Promise<void> => {
    const { findings } = await step('parser.late', () => late(1))
    if (findings.length === 0) return
    await alone(() => finish(repairs, late, new Map()))
  }

  /** Takes a turn for what no caller waits for. A fault of the program ends the process; its successor's log parser repairs. */
  const unattended = (run: () => Promise<void>): void => {
    turns.take(run).catch((error: unknown) => {
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
  const look = (repairs: Repairs, late: Survey): void => {
    if (turns.isIdle()) unattended(() => quietly(() => hurry(repairs, late), 'debug'))
  }
  const schedule = openSchedule(options.schedule, tick)

  return {
    start: () => {
      tick()
      schedule.start()
      if (recovery?.late) lookout = setInterval(look, LATE_LOOK_MS, recovery, recovery.late)
    },
    stop: async () => {
      schedule.stop()
      clearInterval(lookout)
      await turns.idle()
    },
    run: async () => {
      const report = await turns.take(() => alone(parse, WAIT_MS))
      if (report === undefined)
        throw new UnavailableError('the log parser is running in another replica', { nothingDone: true })
      return report
    },
    nextRuns: schedule.nextRuns,
    lastRun: last,
  }
}
