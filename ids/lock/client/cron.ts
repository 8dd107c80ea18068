/**
 * How is a job done once each time that it is due, by one of many processes?
 *
 * Each of them has the times, and asks for the *slot*, the time at which the job is due; one is told to run it. With `again`, one that is
 * lost, or could not be asked for, is asked for by all of them until it has ended or the next one is due.
 */
import { openTimes } from './cron-times.ts'
import { LockLostError, LockRefusedError, LockUnavailableError } from './errors.ts'
import { holdLock, type Keeper, type Lock, lastsMs, numberIn, type Work } from './held-lock.ts'
import { pause, type Wire } from './wire.ts'

export type Run = { readonly slot: string; readonly token: number; readonly signal: AbortSignal }

export type CronOptions = {
  /** How long a run may give no sign until it counts as lost; while its process lives it gives some. */
  readonly ttl?: number
  /** What becomes of a run that is lost: it is skipped, unless it is to be run again. */
  readonly ifLost?: 'skip' | 'again'
  readonly signal?: AbortSignal
  /** Called with the error of a run that has failed, was lost, or could not be asked for. */
  readonly onError?: (error: unknown, slot: string) => void
}

export type Schedule = AsyncDisposable & {
  /** Begins no run any more, and waits for the one that is under way. */
  readonly stop: () => Promise<void>
}

export type Cron = (job: string, expression: string, options: CronOptions, work: (run: Run) => unknown) => Schedule

export type OpenCronOptions = {
  readonly wire: Wire
  readonly keeper: Keeper
  readonly doUnder: <Result>(lock: Lock, work: Work<Result>) => Promise<Result>
  readonly owner?: string
}

const TTL_MS = 60_000
/** A clock may be set meanwhile, and a timer waits for no month. */
const LOOK_EVERY_MS = 60_000
/** How long after a run is found running, of which there is no sign, it is asked for again. */
const AGAIN_MS = 1_000
const NOTE_MAX = 200
/** So much of the owner stands in the name of a runner, which has up to 52 characters. */
const OWNER_MAX = 15

const slotOf = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')
const noteOf = (error: unknown): string => String(error instanceof Error ? error.message : error).slice(0, NOTE_MAX)

export const openCron = ({ wire, keeper, doUnder, owner }: OpenCronOptions): Cron => {
  const runner = `${owner === undefined ? '' : `${owner.replace(/[^\w-]/g, '-').slice(0, OWNER_MAX)}-`}${crypto.randomUUID()}`

  /** Runs the slot if this process is told to. @returns whether it is to be asked for again, because another process has it */
  const runSlot = async (
    job: string,
    slot: string,
    options: CronOptions,
    work: (run: Run) => unknown,
  ): Promise<boolean> => {
    const { ttl = 0, ifLost = 'skip', signal } = options
    const ttlMs = ttl || TTL_MS
    const path = `/jobs/${encodeURIComponent(job)}/runs/${encodeURIComponent(slot)}/by/${runner}`
    const { status, json, askedAt } = await wire.ask('PUT', path, { ttl_ms: ttlMs, if_lost: ifLost }, { signal })
    if (status === 409) return ifLost === 'again' && json.state === 'running'
    if (status === 410) return false
    if (status !== 200 && status !== 201) throw new LockRefusedError(status, json)
    const until = askedAt + lastsMs(json)
    // The answer came too late: whoever else asks may run it by now.
    if (until <= performance.now()) throw new LockLostError(job, 'expired')
    let ending: Readonly<Record<string, string>> = { outcome: 'done' }
    const run = holdLock(
      { name: job, lease: runner, ttl: ttlMs, token: numberIn(json, 'token'), mode: 'exclusive', until },
      {
        renew: (ttl_ms, patience) => wire.ask('PATCH', path, { ttl_ms }, patience),
        release: () => wire.ask('PATCH', path, ending),
      },
      keeper,
    )
    await doUnder(run, async (lock) => {
      try {
        await work({ slot, token: lock.token, signal: lock.signal })
      } catch (error) {
        ending = { outcome: 'failed', note: noteOf(error) }
        throw error
      }
    })
    return false
  }

  return (job, expression, options, work) => {
    const nextAfter = openTimes(expression)
    const { onError = () => undefined } = options
    const stopping = new AbortController()
    const signal = options.signal ? AbortSignal.any([options.signal, stopping.signal]) : stopping.signal

    /** Runs it, if it is to be run here. @returns whether it is to be asked for again */
    const runOnce = async (slot: string): Promise<boolean> => {
      try {
        return await runSlot(job, slot, { ...options, signal }, work)
      } catch (error) {
        if (!signal.aborted || error instanceof LockLostError) onError(error, slot)
        return options.ifLost === 'again' && (error instanceof LockLostError || error instanceof LockUnavailableError)
      }
    }

    const runUntil = async (dueMs: number, nextMs: number): Promise<void> => {
      const slot = slotOf(dueMs)
      while (!signal.aborted) {
        if (!(await runOnce(slot)) || Date.now() >= nextMs) return
        await pause(AGAIN_MS, signal).catch(() => undefined) // then it is aborted
      }
    }

    const follow = async (): Promise<void> => {
      for (let dueMs = nextAfter(Date.now()); !signal.aborted; dueMs = nextAfter(Math.max(dueMs, Date.now()))) {
        while (Date.now() < dueMs && !signal.aborted)
          await pause(Math.min(LOOK_EVERY_MS, dueMs - Date.now()), signal).catch(() => undefined) // then it is aborted
        if (!signal.aborted) await runUntil(dueMs, nextAfter(dueMs))
      }
    }

    const followed = follow()
    const stop = async (): Promise<void> => {
      stopping.abort()
      await followed
    }
    return { stop, [Symbol.asyncDispose]: stop }
  }
}
