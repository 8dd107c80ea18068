/**
 * How is a peer's log followed?
 *
 * A subscription is followed by one process of a service at a time, under a RedLock lease. It reads what comes after the
 * cursor, has it applied as one batch, and goes on from there. The lease only saves work: the cursor in the script is
 * the fence, so two that follow at once are wasteful, never wrong.
 *
 * It reads with `XREAD BLOCK` on a connection of its own (`peer-connection.ts`). What the publisher's or the own Redis
 * prevents is tried again for ever, with a back-off. Entries that are not handled here are passed over in memory, and the
 * cursor is written for them at most once a second.
 *
 * Whenever it begins, whenever the connection to the publisher is a new one, and when nothing comes for a while, it
 * *resyncs*: is the own cursor where it was written, and is the publisher's log what was read? Either Redis may have come back
 * older. If it is the own one, the missing tail is applied again; if it is the publisher's, the loss is noted and logged.
 */

import { setTimeout as after } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { RawEntry } from '../contract/raw-entry.ts'
import type { Service } from '../contract/services.ts'
import { isTransient } from '../errors.ts'
import { keepLease } from '../lock/lease.ts'
import type { RedLock } from '../lock/redlock.ts'
import { backOffMs } from '../process/backoff.ts'
import type { Step } from '../process/step.ts'
import type { Tracing } from '../process/tracing.ts'
import type { Reply } from '../redis/script.ts'
import { openCatchUp } from './catch-up.ts'
import { ackedKey, compareIds, logKey } from './entry.ts'
import { type Lag, openLag } from './lag.ts'
import type { Log } from './log.ts'
import { BLOCK_MS, type PeerConnection, peerConnection, UNREACHABLE_MS } from './peer-connection.ts'
import { beginSpans } from './spans.ts'
import { logTailLoss, tailLossDetector } from './tail-loss.ts'

/** How many entries are read and applied at once: a batch of this size stays below 10 ms in Redis. */
const BATCH_MAX = 256
/** How often the cursor is written for entries that are not handled, and reported to the publisher. */
const REPORT_MS = 1_000

export type Subscription = {
  readonly publisher: Service
  /** Has the publisher been reached since the start? (Another replica may be the one that reads.) */
  readonly isReady: () => boolean
  /** For how long the publisher has not been reached, as far as this process can tell; it may be asked for up to 2 s. */
  readonly unreachedMs: () => number
  /** Is it this process that reads? */
  readonly isFollowing: () => boolean
  /** How far behind whichever process reads is. @throws UnavailableError by the own Redis */
  readonly lag: () => Promise<Lag>
  /** Asks whether the publisher is there, where another replica is the one that reads. */
  readonly probe: () => Promise<void>
  readonly whenReady: () => Promise<void>
  /**
   * Resolves when what the publisher has appended by now is applied, or with `false` if that cannot be: see `catch-up.ts`.
   * @throws UnavailableError by the own Redis
   */
  readonly catchUp: () => Promise<boolean>
  readonly start: () => void
  readonly stop: () => Promise<void>
}

export type SubscriptionOptions = {
  readonly log: Log
  readonly publisher: Service
  /** A `blocking` connection to the publisher's Redis, used for nothing else. */
  readonly blocking: Redis
  /** A connection to the publisher's Redis that does not block: the cursor is reported on it. */
  readonly reporting: Redis
  readonly redLock: RedLock
  readonly step: Step
  readonly tracing?: Tracing | undefined
  readonly leaseTtlMs: number
  /**
   * Called with each entry that is handled here, when it was read and given to be applied, if it can be. The publisher has it for good, but
   * here it may not have had its effect yet, or has it later, or had it before.
   */
  readonly onHeard?: ((entry: RawEntry, publisher: Service) => void) | undefined
  /** Called with each reply of a batch, after it was applied. */
  readonly onApplied: (reply: Reply) => void
  readonly logger: Logger
}

type Batch = readonly RawEntry[]
/** Has entries applied that were read after the cursor. */
type ApplyAll = (entries: Batch, cursor: string) => ReturnType<Log['apply']>

const NEVER = new AbortController().signal

/** Tells the publisher now and then up to where its log was applied. */
const openReport = ({ log, publisher, reporting, step, logger }: SubscriptionOptions) => {
  const key = ackedKey(publisher, log.service)
  const telling = `report-${publisher}`
  let reported = ''
  let reportedAt = 0
  return (cursor: string, now: number): void => {
    if (cursor === reported || now - reportedAt <= REPORT_MS) return
    reportedAt = now
    reported = cursor
    step(telling, () => reporting.set(key, cursor)).catch((error: Error) => {
      reported = ''
      logger.debug({ err: error }, 'the cursor was not reported')
    })
  }
}

/** Has entries applied, with a span for each that is of a trace. */
const openApplyAll = ({ log, publisher, tracing }: SubscriptionOptions): ApplyAll => {
  return async (entries, cursor) => {
    const spans =
      tracing &&
      beginSpans(
        tracing,
        publisher,
        entries.filter((entry) => log.handles(publisher, entry)),
      )
    if (spans === undefined) return log.apply(publisher, cursor, entries)
    try {
      const replies = await log.apply(publisher, cursor, entries, spans.traces)
      spans.end('gap' in replies ? undefined : replies)
      return replies
    } catch (error) {
      spans.end()
      throw error
    }
  }
}

/** Has entries applied, and tells of them as soon as they are sent. */
const withTelling = ({ log, publisher, onHeard }: SubscriptionOptions, applyAll: ApplyAll): ApplyAll => {
  if (onHeard === undefined) return applyAll
  const tell = (entries: Batch): void => {
    for (const entry of entries) if (log.handles(publisher, entry)) onHeard(entry, publisher)
  }
  return (entries, cursor) => {
    const replies = applyAll(entries, cursor)
    // What is written in this turn of the event loop is sent before.
    setImmediate(tell, entries)
    return replies
  }
}

/** Follows the publisher until the signal; returns early only by throwing. */
type Follow = (signal: AbortSignal, progressed: () => void) => Promise<void>

const openFollow = (options: SubscriptionOptions, peer: PeerConnection): Follow => {
  const { log, publisher, blocking, step, onApplied, logger } = options
  const stream = logKey(publisher)
  const reading = `read-${publisher}`
  const memory = tailLossDetector({ publisher, redis: blocking, step })
  /** Up to where entries were applied, as this process knows it. */
  let written = '0-0'
  const handles = (entry: RawEntry): boolean => log.handles(publisher, entry)
  const applyAll = withTelling(options, openApplyAll(options))

  const read = async (position: string): Promise<Batch> => {
    const reply = await step(reading, () =>
      blocking.xread('COUNT', BATCH_MAX, 'BLOCK', BLOCK_MS, 'STREAMS', stream, position),
    )
    return reply?.[0]?.[1] ?? []
  }

  /** Finds out where to read on, when either Redis may be older than it was. */
  const resync = async (signal: AbortSignal): Promise<string> => {
    const cursor = await log.cursor(publisher)
    if (compareIds(cursor, written) < 0)
      logger.warn({ believed: written, found: cursor }, 'the own Redis came back older: reading again from its cursor')
    const lost = await peer.ask(() => memory.compare(cursor), signal)
    if (lost === undefined) return cursor
    await log.recordTailLoss(lost)
    memory.forget(lost)
    logTailLoss(logger, 'the publisher', lost)
    return compareIds(cursor, lost.after) < 0 ? cursor : lost.after
  }

  /** Has entries applied, and the cursor moved to `position`. @returns whether it stood where it was believed to stand */
  const apply = async (entries: Batch, position: string): Promise<boolean> => {
    const replies = await applyAll(entries.length > 0 ? entries : [[position, ['kind', '-']]], written)
    if ('gap' in replies) return false
    written = position
    let passed = 0
    for (const reply of replies) {
      if (reply[0] === 'passed') passed += 1
      if (reply[0] === 'dead-lettered')
        logger.error({ entry: reply[1], error: reply[2] }, 'an entry could not be applied')
      onApplied(reply)
    }
    // This process slept, or there are two that follow: the cursor has kept the second from any effect.
    if (passed > 0) logger.warn({ passed }, 'another reader has applied this before')
    return true
  }

  return async (signal, progressed) => {
    const report = openReport(options)
    let position = written
    /** At which connection it was resynced; 0: it is to be resynced. */
    let synced = 0
    let writtenAt = 0
    while (!signal.aborted) {
      if (blocking.status !== 'ready') await peer.connected(signal)
      if (synced !== peer.connections()) {
        const connection = peer.connections()
        written = await resync(signal)
        position = written
        synced = connection
        continue
      }
      const entries = await peer.ask(() => read(position), signal)
      progressed()
      if (entries.length === 0) synced = 0
      memory.remember(entries)
      position = entries.at(-1)?.[0] ?? position
      const now = performance.now()
      if (position !== written && (entries.some(handles) || now - writtenAt > REPORT_MS)) {
        if (!(await apply(entries, position))) {
          synced = 0
          continue
        }
        writtenAt = now
      }
      report(written, now)
    }
  }
}

/** Follows on after failures, until the signal, or until the publisher was out of reach for so long that another may try. */
const followOn = async (follow: Follow, peer: PeerConnection, logger: Logger, signal: AbortSignal): Promise<void> => {
  const since = performance.now()
  let attempt = 0
  let isTold = false
  const progressed = (): void => {
    if (isTold) logger.info('reading again')
    isTold = false
    attempt = 0
  }
  while (!signal.aborted) {
    try {
      await follow(signal, progressed)
    } catch (error) {
      if (signal.aborted) return
      if (!isTransient(error)) throw error
      if (!isTold) logger.warn({ err: error }, 'cannot read now: trying again')
      isTold = true
      attempt += 1
      if (Math.min(peer.unreachedMs(), performance.now() - since) >= UNREACHABLE_MS) return
      await after(backOffMs(attempt))
    }
  }
}

export const openSubscription = (given: SubscriptionOptions): Subscription => {
  const { log, publisher, blocking, reporting, redLock, step, leaseTtlMs } = given
  const logger = given.logger.child({ reader: `${log.service} reads ${publisher}` })
  const peer = peerConnection(blocking)
  const follow = openFollow({ ...given, logger }, peer)
  const probing = `probe-${publisher}`
  let isFollowing = false

  const lease = keepLease({
    name: `reader:${log.service}:${publisher}`,
    ttlMs: leaseTtlMs,
    redLock,
    onHeld: (signal) => {
      isFollowing = true
      return followOn(follow, peer, logger, signal).finally(() => {
        isFollowing = false
      })
    },
    log: logger,
  })

  return {
    publisher,
    isReady: peer.isReached,
    unreachedMs: peer.unreachedMs,
    isFollowing: () => isFollowing,
    lag: openLag({ log, publisher, redis: reporting, step }),
    probe: async () => {
      if (isFollowing || blocking.status !== 'ready') return
      try {
        await peer.ask(() => step(probing, () => blocking.ping()), NEVER)
      } catch (error) {
        if (!isTransient(error)) throw error
        logger.debug({ err: error }, 'the publisher does not answer') // `unreachedMs` tells
      }
    },
    whenReady: peer.whenReached,
    catchUp: openCatchUp({ log, publisher, redis: reporting, step, leaseTtlMs }),
    start: lease.start,
    stop: lease.stop,
  }
}
