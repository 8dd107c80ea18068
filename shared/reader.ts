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
 */
import { setTimeout as after } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { RawEntry, Service } from './events.ts'
import { backOffMs, heardKey, type Log, logKey, type Reply } from './log.ts'
import { isTransient, whenReady } from './redis.ts'
import { keepLease, type RedLock } from './redlock.ts'

/** How many entries are read and applied at once: a batch of this size stays below 10 ms in Redis. */
const BATCH_MAX = 256
const BLOCK_MS = 2_000
/** A read that takes this much longer than it may block hangs on a dead connection. */
const GRACE_MS = 1_000
/** How often the cursor is written for entries that do not matter, and reported to the speaker. */
const REPORT_MS = 1_000

export type Reader = {
  readonly speaker: Service
  /** Has the speaker been reached since the start? (Another replica may be the one that reads.) */
  readonly isReady: () => boolean
  readonly whenReady: () => Promise<void>
  readonly start: () => void
  readonly stop: () => Promise<void>
}

export type ReaderOptions = {
  readonly log: Log
  readonly speaker: Service
  /** A `blocking` connection to the speaker's Redis, used by nobody else. */
  readonly blocking: Redis
  /** A connection to the speaker's Redis on which the cursor is reported. */
  readonly reporting: Redis
  readonly redLock: RedLock
  readonly leaseTtlMs: number
  /** Told each reply of an applied batch, after it was applied. */
  readonly onHeard: (reply: Reply) => void
  readonly logger: Logger
}

type Batch = readonly RawEntry[]

export const reader = (options: ReaderOptions): Reader => {
  const { log, speaker, blocking, reporting, redLock, leaseTtlMs, onHeard } = options
  const logger = options.logger.child({ reader: `${log.service} hears ${speaker}` })
  const stream = logKey(speaker)
  let reached = false
  const ready = whenReady(blocking).then(() => {
    reached = true
  })

  const read = async (position: string, signal: AbortSignal): Promise<Batch> => {
    await whenReady(blocking, signal)
    const watchdog = setTimeout(() => blocking.disconnect(true), BLOCK_MS + GRACE_MS)
    const abandon = (): void => blocking.disconnect(true)
    signal.addEventListener('abort', abandon, { once: true })
    try {
      const reply = await blocking.xread('COUNT', BATCH_MAX, 'BLOCK', BLOCK_MS, 'STREAMS', stream, position)
      return reply?.[0]?.[1] ?? []
    } finally {
      clearTimeout(watchdog)
      signal.removeEventListener('abort', abandon)
    }
  }

  /** Follows the speaker until the signal; returns early only by throwing. */
  const follow = async (signal: AbortSignal, progressed: () => void): Promise<void> => {
    let written = await log.cursor(speaker)
    let position = written
    let writtenAt = 0
    let reported = ''
    let reportedAt = 0
    while (!signal.aborted) {
      const entries = await read(position, signal)
      progressed()
      const now = performance.now()
      position = entries.at(-1)?.[0] ?? position
      if (
        position !== written &&
        (entries.some((entry) => log.matters(speaker, entry)) || now - writtenAt > REPORT_MS)
      ) {
        const heard = await log.hear(speaker, written, entries.length > 0 ? entries : [[position, ['kind', '-']]])
        if ('gap' in heard) {
          logger.warn(
            { believed: written, found: heard.gap },
            'the own Redis came back older: reading again from its cursor',
          )
          position = heard.gap
          written = heard.gap
          continue
        }
        written = position
        writtenAt = now
        for (const reply of heard) {
          if (reply[0] === 'buried') logger.error({ entry: reply[1], error: reply[2] }, 'an entry could not be applied')
          onHeard(reply)
        }
      }
      if (written !== reported && now - reportedAt > REPORT_MS) {
        reportedAt = now
        reported = written
        reporting.set(heardKey(speaker, log.service), written).catch((error: Error) => {
          reported = ''
          logger.debug({ err: error }, 'the cursor was not reported')
        })
      }
    }
  }

  const followForEver = async (signal: AbortSignal): Promise<void> => {
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
        await after(backOffMs(attempt))
      }
    }
  }

  const lease = keepLease({
    name: `reader:${log.service}:${speaker}`,
    ttlMs: leaseTtlMs,
    redLock,
    onHeld: followForEver,
    log: logger,
  })
  return { speaker, isReady: () => reached, whenReady: () => ready, start: lease.start, stop: lease.stop }
}
