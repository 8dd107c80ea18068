/**
 * Who is told of what is appended to the own log?
 *
 * One reader for each process, by a connection that may block, gives each entry to a listener, in order, soon after it was
 * appended by whichever replica. It keeps no cursor: it begins where the log ends. After each new connection it finds out where
 * to go on: the own Redis may have come back older, and what was appended meanwhile may have been missed then. While nobody waits
 * for what comes next, it lets entries gather, and reads more of them at once.
 */

import { setTimeout as after } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { RawEntry } from '../contract/raw-entry.ts'
import type { Service } from '../contract/services.ts'
import { isTransient } from '../errors.ts'
import { backOffMs } from '../process/backoff.ts'
import type { Step } from '../process/step.ts'
import { logKey } from './entry.ts'
import { peerConnection } from './peer-connection.ts'

/** How many entries are read at once. */
const BATCH_MAX = 256
/** For how long one waits for them: shorter than elsewhere, for clients wait for what a broken connection does not tell. */
const BLOCK_MS = 1_000
/** For how long they gather, if nobody waits for them. */
const GATHER_MS = 20

export type Listener = {
  readonly onEntries: (entries: readonly RawEntry[]) => void
  /** Does somebody wait for what comes next? */
  readonly isAwaited: () => boolean
  /**
   * The log was found to end here, at the start or after a new connection: what came before may not have been told. Of what was
   * told, `left` is the newest entry that is still in the log: what was told after it is forgotten.
   */
  readonly onResumed: (newest: string, left: string) => void
}

export type Following = { readonly start: () => void; readonly stop: () => Promise<void> }

export type FollowOptions = Listener & {
  readonly service: Service
  readonly blocking: Redis
  readonly step: Step
  readonly logger: Logger
  /** For how long entries gather, while nobody waits for them; if not for as long as usual. */
  readonly gatherMs?: number
}

export const openFollowing = (options: FollowOptions): Following => {
  const { service, blocking, step, logger, onEntries, isAwaited, onResumed, gatherMs = GATHER_MS } = options
  const stream = logKey(service)
  const peer = peerConnection(blocking, BLOCK_MS)
  const stopping = new AbortController()
  const { signal } = stopping
  let running: Promise<void> = Promise.resolve()
  let position: string | undefined
  let resumedAt = 0

  const newestUpTo = async (end: string): Promise<string> => {
    const [entry] = await peer.ask(
      () => step('follow-newest', () => blocking.xrevrange(stream, end, '-', 'COUNT', 1)),
      signal,
    )
    return entry?.[0] ?? '0-0'
  }

  const resume = async (): Promise<void> => {
    const connection = peer.connections()
    const newest = await newestUpTo('+')
    // Others may have appended to what is left of it, so that how it ends tells nothing.
    position = position === undefined ? newest : await newestUpTo(position)
    resumedAt = connection
    onResumed(newest, position)
  }

  const read = async (): Promise<void> => {
    if (blocking.status !== 'ready') await peer.connected(signal)
    if (position === undefined || resumedAt !== peer.connections()) return resume()
    const from = position
    const reply = await peer.ask(
      () => step('follow', () => blocking.xread('COUNT', BATCH_MAX, 'BLOCK', BLOCK_MS, 'STREAMS', stream, from)),
      signal,
    )
    const entries = reply?.[0]?.[1] ?? []
    position = entries.at(-1)?.[0] ?? from
    if (entries.length === 0) return
    onEntries(entries)
    if (entries.length < BATCH_MAX && !isAwaited()) await after(gatherMs, undefined, { signal })
  }

  const run = async (): Promise<void> => {
    for (let attempt = 0; !signal.aborted; ) {
      try {
        await read()
        attempt = 0
      } catch (error) {
        if (signal.aborted) return
        if (!isTransient(error)) throw error
        attempt += 1
        logger.debug({ err: error }, 'cannot follow the own log now: trying again')
        await after(backOffMs(attempt))
      }
    }
  }

  return {
    start: () => {
      running = run()
    },
    stop: () => {
      stopping.abort()
      return running
    },
  }
}
