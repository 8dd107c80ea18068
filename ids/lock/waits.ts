/**
 * How do requests wait for a lease, and who does what is due by time?
 *
 * Requests wait in memory: the log that this replica follows wakes those whose lease was granted, or whose wait has ended,
 * whichever replica did that. It is not trusted: every few seconds the places of all that wait here are kept by one command,
 * which tells those that wait no longer. A place is not kept for a client that has gone.
 */
import { field, type RawEntry } from '../../shared/contract/raw-entry.ts'
import { UnavailableError } from '../../shared/errors.ts'
import { wokenBy } from './keys.ts'
import type { Verbs } from './verbs.ts'

/** How often the places of those that wait are kept: several times before they are lost. */
const ATTEND_EVERY_MS = 3_000
/** How many places one command keeps: half a millisecond in Redis. */
const ATTEND_MOST = 250
/** How often one looks at least what is due by time: then it is known when the next is. After one that failed, sooner. */
const LOOK_EVERY_MS = 1_000
const LOOK_AGAIN_MS = 100

/** One request that waits for something to happen to its lease. */
export type Watch = {
  /** Resolves when something may have happened since the last time, after so long, or at the signal. */
  readonly next: (ms: number, signal: AbortSignal) => Promise<void>
  readonly end: () => void
}

export type Waits = {
  /** To be called before the lease is asked for, so that nothing is missed. */
  readonly watch: (key: string, isGone: () => boolean) => Watch
  /** How many wait. */
  readonly count: () => number
  readonly onEntries: (entries: readonly RawEntry[]) => void
  /** Something may have been missed, or be forgotten: all that wait look again, and it is looked what is due. */
  readonly lookAgain: () => void
  readonly start: () => void
  readonly stop: () => void
}

/** A flag that is raised, and waited for, by a client that may have gone. */
const openFlag = (isGone: () => boolean) => {
  let isRaised = false
  let wake: (() => void) | undefined
  return {
    isGone,
    raise: (): void => {
      isRaised = true
      wake?.()
    },
    next: async (ms: number, signal: AbortSignal): Promise<void> => {
      if (!isRaised && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        const timer = setTimeout(resolve, ms)
        signal.addEventListener('abort', wake, { once: true })
        await promise
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
      }
      isRaised = false
    },
  }
}

/** In how many ms something may be due of which an entry tells, if it is soon. */
const dueBy = (entry: RawEntry): number | undefined => {
  const [id, [kind]] = entry
  if (kind !== 'LockGranted' && kind !== 'LockRenewed') return undefined
  return Number(field(entry, 'until') ?? '0') - Number.parseInt(id, 10)
}

/** Does what is due by time, when it is due. */
const openTicker = (tick: Verbs['tick']) => {
  let timer: NodeJS.Timeout | undefined
  let at = Number.POSITIVE_INFINITY
  let isStopped = false

  const schedule = (ms: number): void => {
    const wanted = performance.now() + ms
    if (isStopped || wanted >= at) return
    clearTimeout(timer)
    at = wanted
    timer = setTimeout(() => void run(), ms).unref()
  }
  const run = async (): Promise<void> => {
    at = Number.POSITIVE_INFINITY
    try {
      schedule(Math.min((await tick()) ?? LOOK_EVERY_MS, LOOK_EVERY_MS))
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      schedule(LOOK_AGAIN_MS)
    }
  }
  return {
    start: (): void => schedule(0),
    schedule,
    stop: (): void => {
      isStopped = true
      clearTimeout(timer)
    },
  }
}

export const openWaits = (verbs: Pick<Verbs, 'attend' | 'tick'>): Waits => {
  const flags = new Map<string, Set<ReturnType<typeof openFlag>>>()
  const ticker = openTicker(verbs.tick)
  let attending: NodeJS.Timeout | undefined
  let count = 0

  const wake = (key: string): void => {
    for (const { raise } of flags.get(key) ?? []) raise()
  }
  const attend = async (): Promise<void> => {
    for (const all of flags.values()) for (const { isGone, raise } of all) if (isGone()) raise()
    const keys = [...flags].filter(([, all]) => [...all].some(({ isGone }) => !isGone())).map(([key]) => key)
    try {
      for (let at = 0; at < keys.length; at += ATTEND_MOST)
        for (const key of await verbs.attend(keys.slice(at, at + ATTEND_MOST))) wake(key)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error // the next time
    }
  }

  return {
    watch: (key, isGone) => {
      const flag = openFlag(isGone)
      const others = flags.get(key)
      if (others) others.add(flag)
      else flags.set(key, new Set([flag]))
      count += 1
      return {
        next: flag.next,
        end: () => {
          const all = flags.get(key)
          if (all?.delete(flag)) count -= 1
          if (all?.size === 0) flags.delete(key)
        },
      }
    },
    count: () => count,
    onEntries: (entries) => {
      for (const entry of entries) {
        const key = flags.size > 0 ? wokenBy(entry) : undefined
        if (key !== undefined) wake(key)
        const due = dueBy(entry)
        if (due !== undefined && due < LOOK_EVERY_MS) ticker.schedule(due)
      }
    },
    lookAgain: () => {
      for (const key of flags.keys()) wake(key)
      ticker.schedule(0)
    },
    start: () => {
      ticker.start()
      attending = setInterval(() => void attend(), ATTEND_EVERY_MS).unref()
    },
    stop: () => {
      ticker.stop()
      clearInterval(attending)
    },
  }
}
