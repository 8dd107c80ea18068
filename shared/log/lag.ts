/**
 * How far behind a peer's log is a subscriber?
 *
 * By as many entries as are to be applied here and are not yet, up to a bound, and for as long as the oldest of them has waited.
 * What is passed over does not count; nor does how long nothing was appended before: the first entry after an hour is not an hour
 * late.
 */

import type { Redis } from 'ioredis'
import type { Service } from '../contract/services.ts'
import { isTransient } from '../errors.ts'
import type { Step } from '../process/step.ts'
import { compareIds, logKey } from './entry.ts'
import type { Log } from './log.ts'

/** No more of them are looked at. */
export const ENTRIES_MAX = 1_001

export type Lag = {
  readonly cursor: string
  /** The newest entry of the log; `null` if the peer's Redis does not answer, and then neither lag is known. */
  readonly newest: string | null
  readonly ms: number | null
  readonly entries: number | null
}

export type LagOptions = {
  readonly log: Pick<Log, 'cursor' | 'handles'>
  readonly publisher: Service
  /** A connection to the publisher's Redis that does not block. */
  readonly redis: Redis
  readonly step: Step
}

const msOf = (id: string): number => Number.parseInt(id, 10)

/** @throws UnavailableError by the own Redis */
export const openLag = ({ log, publisher, redis, step }: LagOptions): (() => Promise<Lag>) => {
  const stream = logKey(publisher)
  const looking = `lag-${publisher}`
  return async () => {
    const cursor = await log.cursor(publisher)
    try {
      const [last] = await step(looking, () => redis.xrevrange(stream, '+', '-', 'COUNT', 1))
      const newest = last?.[0] ?? '0-0'
      if (compareIds(newest, cursor) <= 0) return { cursor, newest, ms: 0, entries: 0 }
      const behind = await step(looking, () => redis.xrange(stream, `(${cursor}`, '+', 'COUNT', ENTRIES_MAX))
      const waiting = behind.filter((entry) => log.handles(publisher, entry))
      const now = Math.max(Date.now(), msOf(newest))
      return { cursor, newest, ms: now - msOf(waiting[0]?.[0] ?? String(now)), entries: waiting.length }
    } catch (error) {
      if (!isTransient(error)) throw error
      return { cursor, newest: null, ms: null, entries: null }
    }
  }
}
