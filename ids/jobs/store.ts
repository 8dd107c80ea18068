/** How is the run of a job begun, ended and found? A run is a lease on the lock of its job: see `lua/run.lua`. */
import { impossible } from '../../shared/errors.ts'
import type { Log } from '../../shared/log/log.ts'
import { runner as runnerOf } from '../../shared/log/runner.ts'
import { list, query, text } from '../../shared/redis/reply.ts'
import type { Once } from '../../shared/redis/script.ts'
import type { Knowledge } from '../lock/knowledge.ts'
import type { Soundly } from '../lock/sound.ts'
import { lockedBy } from '../lock/store.ts'
import type { Locked } from '../lock/verbs.ts'
import { beginRun, endRun } from './commands.ts'

/** The folder of the commands, and the names of the keys that they use. */
export const jobCommands = new URL('lua/', import.meta.url)
export const jobNames = { job: 'job:' } as const
export const jobLimits = {
  job_kept_ms: 400 * 86_400_000,
  /** So far ahead of ids' Redis a slot may lie: as far as the clock of a runner may be wrong. */
  job_ahead_s: 3_600,
} as const

/** Of the lock of a job, before its name. */
export const JOBS = 'jobs/'

const STATES = ['running', 'done', 'failed', 'lost'] as const
export type RunState = (typeof STATES)[number]

/** A run of a job, with what became of it, and since when. */
export type Run = {
  readonly slot: string
  readonly state: RunState
  readonly by: string
  readonly at: string
  readonly token: number
  readonly note: string | null
}

export type RunKey = { readonly job: string; readonly slot: number; readonly runner: string }
type Wish = { readonly ttlMs: number; readonly again: boolean; readonly keep: number }
type Result<State extends string, More = unknown> = { readonly state: State } & More

export type Jobs = {
  readonly begin: (
    key: RunKey,
    wish: Wish,
    once?: Once,
  ) => Promise<
    | Result<'begun', { readonly isNew: boolean; readonly token: number; readonly expiresInMs: number }>
    | Result<'taken', { readonly run: Run }>
    | Result<'early', { readonly latest: string }>
    | Result<'later', { readonly newest: string }>
    | Locked
    | Result<'barred', { readonly restMs: number }>
    | Result<'too-many'>
  >
  /** What became of a run. @param note a sentence about it, or '' */
  readonly end: (
    key: RunKey,
    outcome: 'done' | 'failed',
    note: string,
    once: Once,
  ) => Promise<Result<'over' | 'unknown' | 'lost' | 'key-reused'> | Result<'decided', { readonly as: string }>>
  /** What became of a run of this runner, if it is remembered. */
  readonly find: (key: RunKey) => Promise<RunState | undefined>
  readonly show: (job: string) => Promise<{ readonly running: Run | undefined; readonly last: Run | undefined }>
}

/** A slot, in seconds since 1970, as clients say it. */
export const slotAs = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z')
/** How the lease of a run is called: see `lua/run.lua`. */
export const leaseOf = ({ slot, runner }: RunKey): string => `${slot}-${runner}`

const stateIn = (text: string | undefined): RunState | undefined => STATES.find((one) => one === text)
const runOf = ([slot, state, by = '', at, token, note]: readonly (string | undefined)[]): Run => ({
  slot: slotAs(Number(slot)),
  state: stateIn(state) ?? impossible('jobs.state', state),
  by,
  at: new Date(Number(at)).toISOString(),
  token: Number(token),
  note: note === undefined || note === '-' ? null : decodeURIComponent(note),
})

const lockOf = (job: string): string => encodeURIComponent(`${JOBS}${job}`)
const findRun = query('find-run', ['lock', 'slot', 'runner'], text)
const showJob = query('show-job', ['lock'], list(list(text)))

export type JobsOptions = {
  readonly log: Log
  readonly soundly: Soundly
  /** A replica is to know what holds, in case the Redis forgets it. */
  readonly onGranted: Knowledge['onGranted']
}

export const openJobs = ({ log, soundly, onGranted }: JobsOptions): Jobs => {
  const { runOnce, ask } = runnerOf(log)
  return {
    begin: async ({ job, slot, runner }, { ttlMs, again, keep }, once) => {
      const args = { lock: lockOf(job), slot, runner, ttl: ttlMs, again: again ? 'yes' : 'no', keep }
      const result = await soundly((seen) => runOnce(beginRun, { ...args, seen }, once))
      if (result[0] === 'key-reused') return impossible('jobs.begin', result)
      switch (result[0]) {
        case 'begun': {
          const [state, isNew, token, expiresIn, expires, entry] = result
          const granted = {
            lock: args.lock,
            lease: leaseOf({ job, slot, runner }),
            token: Number(token),
            owner: runner,
          }
          if (isNew === 'yes') onGranted({ ...granted, untilMs: Number(expires), entry })
          return { state, isNew: isNew === 'yes', token: Number(token), expiresInMs: Number(expiresIn) }
        }
        case 'taken':
          return { state: result[0], run: runOf(result.slice(1)) }
        case 'early':
          return { state: result[0], latest: slotAs(Number(result[1])) }
        case 'later':
          return { state: result[0], newest: slotAs(Number(result[1])) }
        case 'locked':
          return lockedBy(result)
        case 'barred':
          return { state: result[0], restMs: Number(result[1]) }
        default:
          return { state: result[0] }
      }
    },
    end: async ({ job, slot, runner }, outcome, note, once) => {
      // An entry has no blanks; a dash alone stands for no note.
      const written = note === '' ? '-' : note === '-' ? '%2D' : encodeURIComponent(note)
      const args = { lock: lockOf(job), slot, runner, outcome, note: written }
      const result = await soundly((seen) => runOnce(endRun, { ...args, seen }, once))
      return result[0] === 'decided' ? { state: result[0], as: result[1] } : { state: result[0] }
    },
    find: async ({ job, slot, runner }) => stateIn(await ask(findRun, { lock: lockOf(job), slot, runner })),
    show: async (job) => {
      const [running = [], last = []] = await ask(showJob, { lock: lockOf(job) })
      return {
        running: running.length === 0 ? undefined : runOf(running),
        last: last.length === 0 ? undefined : runOf(last),
      }
    },
  }
}
