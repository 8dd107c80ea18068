/**
 * How is a neighbour's log followed?
 *
 * A reader is the one follower of one (listener, speaker) pair at a time, under a RedLock lease. It reads what comes after
 * the cursor, has it applied as one batch, and goes on from there. The lease only saves work: the cursor in the script is
 * the fence, so two readers at once are wasteful, never wrong.
 *
 * It reads with `XREAD BLOCK` on a connection of its own. What the speaker's or the own Redis prevents is tried again for
 * ever, with a back-off; a read that outlasts its own bound means a dead connection, which is replaced. Entries that do
 * not matter here are passed over in memory, and the cursor is written for them at most once a second.
 *
 * Whenever it begins, whenever the connection to the speaker is a new one, and when nothing is said for a while, it *orients*
 * itself: is the own cursor where it was written, and is the speaker's log what was read? Either Redis may have come back
 * older. If it is the own one, the missing tail is applied again; if it is the speaker's, the loss is noted and told.
 */
import { setTimeout as after } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { RawEntry, Service } from '../contract/events.ts'
import { isTransient, UnavailableError } from '../errors.ts'
import { keepLease } from '../lock/lease.ts'
import type { RedLock } from '../lock/redlock.ts'
import { backOffMs } from '../process/backoff.ts'
import type { Step } from '../process/step.ts'
import { remake, whenReady } from '../redis/connection.ts'
import type { Reply } from '../redis/script.ts'
import { compareIds, heardKey, logKey } from './entry.ts'
import type { Log } from './log.ts'
import { tellLoss, witness } from './tail-loss.ts'

/** How many entries are read and applied at once: a batch of this size stays below 10 ms in Redis. */
const BATCH_MAX = 256
const BLOCK_MS = 2_000
/** A read that takes this much longer than it may block hangs on a dead connection. */
const GRACE_MS = 1_000
/** How often the cursor is written for entries that do not matter, and reported to the speaker. */
const REPORT_MS = 1_000
/** How long after the lease of a reader that died its successor may take to hear what there is. */
const CATCH_UP_MS = 1_000
const CATCH_UP_RETRY_MS = 20
/** Whoever has not reached the speaker for so long leaves the reading to another replica, if there is one. */
export const SILENT_MS = 5_000

export type Reader = {
  readonly speaker: Service
  /** Has the speaker been reached since the start? (Another replica may be the one that reads.) */
  readonly isReady: () => boolean
  /** For how long the speaker has not been reached, as far as this process can tell; it may be asked for up to 2 s. */
  readonly silentMs: () => number
  /** Asks whether the speaker is there, where another replica is the one that reads. */
  readonly probe: () => Promise<void>
  readonly whenReady: () => Promise<void>
  /**
   * Resolves when all that the speaker has said by now, and that matters, is heard, by whichever replica: after a lease and
   * a second at the latest, and at once if the speaker's Redis does not answer. @throws UnavailableError by the own Redis
   */
  readonly catchUp: () => Promise<void>
  readonly start: () => void
  readonly stop: () => Promise<void>
}

export type ReaderOptions = {
  readonly log: Log
  readonly speaker: Service
  /** A `blocking` connection to the speaker's Redis, used by nobody else. */
  readonly blocking: Redis
  /** A connection to the speaker's Redis that does not block: the cursor is reported on it. */
  readonly reporting: Redis
  readonly redLock: RedLock
  readonly step: Step
  readonly leaseTtlMs: number
  /** Told each reply of an applied batch, after it was applied. */
  readonly onHeard: (reply: Reply) => void
  readonly logger: Logger
}

type Batch = readonly RawEntry[]

const NEVER = new AbortController().signal

export const reader = (options: ReaderOptions): Reader => {
  const { log, speaker, blocking, reporting, redLock, step, leaseTtlMs, onHeard } = options
  const logger = options.logger.child({ reader: `${log.service} hears ${speaker}` })
  const stream = logKey(speaker)
  const reading = `read-${speaker}`
  const telling = `report-${speaker}`
  const looking = `unheard-${speaker}`
  const probing = `probe-${speaker}`
  let reachedAt = Number.NEGATIVE_INFINITY
  const reached = (): void => {
    reachedAt = performance.now()
  }
  const silentMs = (): number => performance.now() - reachedAt
  const ready = whenReady(blocking)
  let isFollowing = false

  const memory = witness({ speaker, redis: blocking, step })
  /** How often the speaker was connected: another connection may lead to a Redis that came back older. */
  let connections = 1
  blocking.on('ready', () => {
    connections += 1
    reached()
  })
  if (blocking.status === 'ready') reached()
  /** Up to where entries were applied, as this process knows it. */
  let written = '0-0'

  /** Asks something of the speaker, whose connection has no time-out of its own. */
  const ask = async <Answer>(question: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> => {
    const watchdog = setTimeout(
      () => remake(blocking, new Error(`it did not answer for ${BLOCK_MS + GRACE_MS} ms`)),
      BLOCK_MS + GRACE_MS,
    )
    const abandon = (): void => blocking.disconnect(true)
    signal.addEventListener('abort', abandon, { once: true })
    try {
      const answer = await question()
      reached()
      return answer
    } finally {
      clearTimeout(watchdog)
      signal.removeEventListener('abort', abandon)
    }
  }

  const read = async (position: string): Promise<Batch> => {
    const reply = await step(reading, () =>
      blocking.xread('COUNT', BATCH_MAX, 'BLOCK', BLOCK_MS, 'STREAMS', stream, position),
    )
    return reply?.[0]?.[1] ?? []
  }

  const connected = async (signal: AbortSignal): Promise<void> => {
    const patience = AbortSignal.timeout(SILENT_MS)
    try {
      await whenReady(blocking, AbortSignal.any([signal, patience]))
    } catch (error) {
      signal.throwIfAborted()
      throw new UnavailableError('it is not connected', { cause: error })
    }
  }

  /** Finds out where to read on, when either Redis may be older than it was. */
  const orient = async (signal: AbortSignal): Promise<string> => {
    const cursor = await log.cursor(speaker)
    if (compareIds(cursor, written) < 0)
      logger.warn({ believed: written, found: cursor }, 'the own Redis came back older: reading again from its cursor')
    const lost = await ask(() => memory.compare(cursor), signal)
    if (lost === undefined) return cursor
    await log.lose(lost)
    memory.forget(lost)
    tellLoss(logger, 'the speaker', lost)
    return compareIds(cursor, lost.after) < 0 ? cursor : lost.after
  }

  /** Follows the speaker until the signal; returns early only by throwing. */
  const follow = async (signal: AbortSignal, progressed: () => void): Promise<void> => {
    let position = written
    let oriented = 0
    let writtenAt = 0
    let reported = ''
    let reportedAt = 0
    while (!signal.aborted) {
      if (blocking.status !== 'ready') await connected(signal)
      if (oriented !== connections) {
        const connection = connections
        written = await orient(signal)
        position = written
        oriented = connection
        continue
      }
      const entries = await ask(() => read(position), signal)
      progressed()
      if (entries.length === 0) oriented = 0
      memory.remember(entries)
      const now = performance.now()
      position = entries.at(-1)?.[0] ?? position
      if (
        position !== written &&
        (entries.some((entry) => log.matters(speaker, entry)) || now - writtenAt > REPORT_MS)
      ) {
        const heard = await log.hear(speaker, written, entries.length > 0 ? entries : [[position, ['kind', '-']]])
        if ('gap' in heard) {
          oriented = 0
          continue
        }
        written = position
        writtenAt = now
        let passed = 0
        for (const reply of heard) {
          if (reply[0] === 'passed') passed += 1
          if (reply[0] === 'buried') logger.error({ entry: reply[1], error: reply[2] }, 'an entry could not be applied')
          onHeard(reply)
        }
        // This process slept, or there are two readers: the cursor has kept the second from any effect.
        if (passed > 0) logger.warn({ passed }, 'another reader has applied this before')
      }
      if (written !== reported && now - reportedAt > REPORT_MS) {
        reportedAt = now
        reported = written
        const heard = written
        step(telling, () => reporting.set(heardKey(speaker, log.service), heard)).catch((error: Error) => {
          reported = ''
          logger.debug({ err: error }, 'the cursor was not reported')
        })
      }
    }
  }

  /** Follows the speaker until the signal, or until it has been out of reach for so long that another may try. */
  const followOn = async (signal: AbortSignal): Promise<void> => {
    const since = performance.now()
    let attempt = 0
    let told = false
    while (!signal.aborted) {
      try {
        await follow(signal, () => {
          if (told) logger.info('reading again')
          told = false
          attempt = 0
        })
      } catch (error) {
        if (signal.aborted) return
        if (!isTransient(error)) throw error
        if (!told) logger.warn({ err: error }, 'cannot read now: trying again')
        told = true
        attempt += 1
        if (Math.min(silentMs(), performance.now() - since) >= SILENT_MS) return
        await after(backOffMs(attempt))
      }
    }
  }

  /** The last entry that matters and is not heard yet; where there are more than one looks through, simply the last one. */
  const lastUnheard = async (): Promise<string | undefined> => {
    const cursor = await log.cursor(speaker)
    try {
      const unheard = await step(looking, () => reporting.xrange(stream, `(${cursor}`, '+', 'COUNT', BATCH_MAX))
      if (unheard.length < BATCH_MAX) return unheard.findLast((entry) => log.matters(speaker, entry))?.[0]
      const [last] = await step(looking, () => reporting.xrevrange(stream, '+', '-', 'COUNT', 1))
      return last?.[0]
    } catch (error) {
      if (!isTransient(error)) throw error
      return undefined
    }
  }

  const hearAll = async (): Promise<void> => {
    const until = performance.now() + leaseTtlMs + CATCH_UP_MS
    const last = await lastUnheard()
    if (last === undefined) return
    while (compareIds(await log.cursor(speaker), last) < 0 && performance.now() < until) await after(CATCH_UP_RETRY_MS)
  }

  /** Many may ask at one deadline: they wait together. */
  let catchingUp: Promise<void> | undefined
  const catchUp = (): Promise<void> => {
    catchingUp ??= hearAll().finally(() => {
      catchingUp = undefined
    })
    return catchingUp
  }

  const lease = keepLease({
    name: `reader:${log.service}:${speaker}`,
    ttlMs: leaseTtlMs,
    redLock,
    onHeld: (signal) => {
      isFollowing = true
      return followOn(signal).finally(() => {
        isFollowing = false
      })
    },
    log: logger,
  })
  const probe = async (): Promise<void> => {
    if (isFollowing || blocking.status !== 'ready') return
    try {
      await ask(() => step(probing, () => blocking.ping()), NEVER)
    } catch (error) {
      if (!isTransient(error)) throw error
      logger.debug({ err: error }, 'the speaker does not answer') // `silentMs` tells
    }
  }

  return {
    speaker,
    isReady: () => reachedAt > Number.NEGATIVE_INFINITY,
    silentMs,
    probe,
    whenReady: () => ready,
    catchUp,
    start: lease.start,
    stop: lease.stop,
  }
}
