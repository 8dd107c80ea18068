/**
 * When is it time again?
 *
 * What is done again and again has a schedule, a cron expression, which node-cron reads against the clock on the wall. That
 * clock jumps: it is set, and its hours are shifted twice a year. So after each run the wall is asked once how long it is
 * until the next, as if its hours were never shifted. From then on the monotonic clock counts as well, and the run is due
 * as soon as one of the two has come so far. Whatever the wall does, a run comes within every interval, and a jump costs
 * one run at most.
 *
 * node-cron's own timers are not started: they wait for the wall alone. Version 4.6 is silent for an hour when that is set
 * back or repeats an hour, and takes 0.2 ms and a line of text for each run that it missed when it is set ahead.
 */
import { createTask, type ScheduledTask, validate } from 'node-cron'
import { formed, type Setting } from '../process/config.ts'

/** A moment by both clocks, in milliseconds: by the one that may jump, and by the one that does not. */
export type Moment = { readonly wallMs: number; readonly steadyMs: number }

export type Schedule = {
  readonly start: () => void
  readonly stop: () => void
  /** The next runs, by the wall as it is now; none before it was started. */
  readonly nextRuns: (count: number) => readonly Date[]
}

/** A setting that says when something is to run: five fields of cron, or six that begin with seconds. */
export const cronSetting = (variable: string, fallback?: string): Setting<string> =>
  formed(variable, validate, 'a cron expression of five or six fields', fallback)

/** The longest wait between two looks at the clocks, so that a jump of the wall is noticed. */
const LOOK_MS = 60_000
/** Runs are a second apart or more. One that the wall shows within half of that is the one that was just done, a bit early. */
const SAME_MS = 500

export const isDue = (due: Moment, now: Moment): boolean => now.wallMs >= due.wallMs || now.steadyMs >= due.steadyMs

/** How long until it is worth looking at the clocks again. */
export const waitMs = (due: Moment, now: Moment): number =>
  Math.max(0, Math.min(due.wallMs - now.wallMs, due.steadyMs - now.steadyMs, LOOK_MS))

/** The run after the one of this moment, of those that the wall shows. */
export const runAfter = (now: Moment, shown: readonly Date[]): Moment => {
  const next = shown.map((run) => run.getTime()).find((wallMs) => wallMs - now.wallMs >= SAME_MS)
  const inMs = (next ?? Number.POSITIVE_INFINITY) - now.wallMs
  return { wallMs: now.wallMs + inMs, steadyMs: now.steadyMs + inMs }
}

/** What the hours of the wall are shifted by now, as the name of a time zone in which they stay so. */
const steadyZone = (): string => {
  const minutes = -new Date().getTimezoneOffset()
  const digits = (number: number): string => String(Math.floor(Math.abs(number))).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${digits(minutes / 60)}:${digits(minutes % 60)}`
}

const ignore = (): undefined => undefined
const silent = { info: ignore, warn: ignore, error: ignore, debug: ignore }

/** Calls `onDue` whenever the cron expression, with seconds or without, says so. */
export const openSchedule = (expression: string, onDue: () => void): Schedule => {
  const tasks = new Map<string, ScheduledTask>()
  let due: Moment | undefined
  let timer: NodeJS.Timeout | undefined

  const shown = (count: number): Date[] => {
    const timezone = steadyZone()
    const task = tasks.get(timezone) ?? createTask(expression, ignore, { timezone, logger: silent })
    tasks.set(timezone, task)
    return task.getNextRuns(count)
  }
  const now = (): Moment => ({ wallMs: Date.now(), steadyMs: performance.now() })

  const look = (): void => {
    if (due === undefined || isDue(due, now())) {
      if (due !== undefined) onDue()
      due = runAfter(now(), shown(2))
    }
    timer = setTimeout(look, waitMs(due, now()))
  }

  return {
    start: look,
    stop: () => {
      clearTimeout(timer)
      for (const task of tasks.values()) void task.destroy()
    },
    nextRuns: (count) => {
      if (due === undefined) return []
      const at = now()
      const first = at.wallMs + Math.max(0, Math.min(due.wallMs - at.wallMs, due.steadyMs - at.steadyMs))
      const later = shown(count + 1).filter((run) => run.getTime() - first >= SAME_MS)
      return [new Date(first), ...later].slice(0, count)
    },
  }
}
