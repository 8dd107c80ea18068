/**
 * How far behind a peer's log is a subscriber?
 *
 * In milliseconds: those between the newest entry of the log and the cursor. In entries: those behind the cursor, up to a bound. An entry that
 * is not handled moves the cursor up to a second later, so a lag of less means nothing.
 */
import type { Redis } from 'ioredis'
import type { Service } from '../contract/events.ts'
import { isTransient } from '../errors.ts'
import type { Step } from '../process/step.ts'
import { compareIds, logKey } from './entry.ts'
import type { Log } from './log.ts'

/** No more of them are counted. */
const ENTRIES_MAX = 1_001

export type Lag = {
  readonly cursor: string
  /** The newest entry of the log; `null` if the peer's Redis does not answer, and then neither lag is known. */
  readonly newest: string | null
  readonly ms: number | null
  readonly entries: number | null
}

export type LagOptions = {
  readonly log: Pick<Log, 'cursor'>
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
      // A cursor at the beginning of a log is as far behind as the oldest entry.
      const since = cursor === '0-0' ? (behind[0]?.[0] ?? newest) : cursor
      return { cursor, newest, ms: msOf(newest) - msOf(since), entries: behind.length }
    } catch (error) {
      if (!isTransient(error)) throw error
      return { cursor, newest: null, ms: null, entries: null }
    }
  }
}
