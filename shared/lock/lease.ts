/**
 * Which process does what only one need do?
 *
 * The one that has the *lease*: a lock that is extended for as long as its holder lives, and is released when it stops.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { isTransient } from '../errors.ts'
import { validityMs } from './ballot.ts'
import type { RedLock } from './redlock.ts'

export type LeaseOptions = {
  /** The resource: the process that holds its lock has the lease. */
  readonly name: string
  /** 100 at least. The lease is extended three times in this time, and a holder that crashed is succeeded after it. */
  readonly ttlMs: number
  readonly redLock: Pick<RedLock, 'tryAcquire' | 'extend' | 'release' | 'changed'>
  /** The work. It ends soon after its signal aborts, and must be safe to run twice at once. */
  readonly onHeld: (signal: AbortSignal) => Promise<void>
  readonly log: Pick<Logger, 'info' | 'warn'>
}

export type Lease = {
  start(): void
  /** Ends the work, waits for it, and releases the lease. */
  stop(): Promise<void>
}

const LEASE_TTL_MIN_MS = 100

/** The lock under a lease: until when, by the monotonic clock, it may be trusted. */
type Hold = { readonly token: string; readonly trustedUntil: number }

/** What can be done with the lock of one lease. */
type LeaseLock = {
  /** A hold, or `undefined` if no quorum answers. One that took longer than it lasts is not taken. */
  readonly take: () => Promise<Hold | undefined | 'busy'>
  /** The hold renewed, or as it was, or `undefined` if no quorum answers for so long that it can be trusted no more. */
  readonly renew: (hold: Hold) => Promise<Hold | undefined | 'lost'>
  readonly release: (hold: { readonly token: string }) => Promise<unknown>
}

const leaseLock = ({ name, ttlMs, redLock }: LeaseOptions): LeaseLock => {
  const resources = [name]
  const release: LeaseLock['release'] = ({ token }) => redLock.release(resources, token)
  return {
    take: async () => {
      const trustedUntil = performance.now() + validityMs(ttlMs)
      const answer = await redLock.tryAcquire(resources, ttlMs)
      if (answer.state === 'busy') return 'busy'
      if (answer.state === 'unavailable') return undefined
      if (performance.now() < trustedUntil) return { token: answer.token, trustedUntil }
      await release(answer)
      return 'busy'
    },
    renew: async (hold) => {
      const now = performance.now()
      if (now >= hold.trustedUntil) return 'lost'
      const answer = await redLock.extend({ resources, token: hold.token }, ttlMs)
      const trustedUntil = answer === 'held' ? now + validityMs(ttlMs) : hold.trustedUntil
      const trustedForMs = trustedUntil - performance.now()
      if (answer === 'lost' || trustedForMs <= 0) return 'lost'
      if (answer === 'held' || trustedForMs > ttlMs / 3) return { token: hold.token, trustedUntil }
      await release(hold)
      return undefined
    },
    release,
  }
}

/**
 * Keeps work running in one process at a time, for as long as this one lives. What it is doing is one of:
 *
 * - *waiting*: another process has the lease. It is tried about every quarter of the TTL, and when released through the
 *   same RedLock. Work that ended by itself (or failed because something is away) releases the lease and waits, too.
 * - *working with the lease*: it is extended every third of the TTL. If it is lost (another process has it, or this
 *   process slept for so long that another may have it) the work's signal aborts; when the work has ended, it waits.
 * - *working without it*: no quorum answers, so no process can get the lease. As the work is safe to run twice, standing
 *   still would be worse. The lease is tried for every third of the TTL, and if another process has got it, it is lost.
 *
 * Work that fails because of a fault of the program ends the process, by a rejection that nothing handles.
 */
export const keepLease = (options: LeaseOptions): Lease => {
  const { name, ttlMs, redLock, onHeld, log } = options
  if (!(ttlMs >= LEASE_TTL_MIN_MS)) throw new RangeError(`a lease lasts ${LEASE_TTL_MIN_MS} ms or more, not ${ttlMs}`)
  const lock = leaseLock(options)
  const stopping = new AbortController()
  let running: Promise<void> | undefined

  /** Renews the hold, or tries for one, until the work has ended or must end. @returns what is held then */
  const hold = async (
    first: Hold | undefined,
    hasEnded: AbortSignal,
    onLost: () => void,
  ): Promise<Hold | undefined> => {
    for (let held = first; ; ) {
      await pause(ttlMs / 3, undefined, { signal: hasEnded }).catch(() => undefined)
      if (hasEnded.aborted) return held
      const next = held ? await lock.renew(held) : await lock.take()
      if (next === 'lost' || next === 'busy') {
        log.warn({ lease: name }, 'lost the lease')
        onLost()
        return held
      }
      if (held && !next) log.warn({ lease: name }, 'no quorum answers for the lease: goes on without it')
      if (!held && next) log.info({ lease: name }, 'holds the lease again')
      held = next
    }
  }

  const work = async (first: Hold | undefined): Promise<void> => {
    const task = new AbortController()
    const ended = new AbortController()
    const stop = (): void => task.abort(stopping.signal.reason)
    stopping.signal.addEventListener('abort', stop, { once: true })
    if (first) log.info({ lease: name }, 'holds the lease')
    else log.warn({ lease: name }, 'no quorum answers for the lease: works without it')

    const outcome = onHeld(task.signal)
      .then(
        () => undefined,
        (error: unknown) => ({ error }),
      )
      .finally(() => ended.abort())
    const last = await hold(first, ended.signal, () => task.abort())
    const failure = await outcome
    stopping.signal.removeEventListener('abort', stop)
    if (last) await lock.release(last)
    if (!failure) return
    const { error } = failure
    if (!isTransient(error)) throw error
    if (!task.signal.aborted)
      log.warn({ lease: name, err: error }, 'the work under the lease failed and will be tried again')
  }

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const taken = await lock.take()
      if (taken !== 'busy' && !stopping.signal.aborted) await work(taken)
      else if (taken && taken !== 'busy') await lock.release(taken)
      await redLock.changed([name], ttlMs / 4, stopping.signal)
    }
  }

  return {
    start: () => {
      running ??= run()
    },
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
