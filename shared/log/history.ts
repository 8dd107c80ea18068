/**
 * How is a log read?
 *
 * By log id, by place or by time, the oldest entry first, for as long as the log is kept.
 */
import type { Redis } from 'ioredis'
import type { RawEntry } from '../contract/raw-entry.ts'
import type { Step } from '../process/step.ts'
import { compareIds, type LogEntry, readable } from './entry.ts'
import type { SagaRecords } from './saga-record.ts'

export type History = {
  /** The id of the newest entry; `0-0` if there is none. */
  readonly newestId: () => Promise<string>
  /** Whether it holds this entry; it holds whatever is before the first, `0-0`. */
  readonly has: (id: string) => Promise<boolean>
  /** How many entries the log holds. */
  readonly count: () => Promise<number>
  /** Every entry of one log id, in order, of repetitions the last; none if it is unknown or older than the log. */
  readonly entriesOf: (logId: string) => Promise<readonly LogEntry[]>
  /** Up to `limit` entries after the one named, the oldest first. */
  readonly page: (after: string, limit: number) => Promise<readonly LogEntry[]>
  /** The same as Redis has them: for who looks at many, and reads few. */
  readonly tail: (after: string, limit: number) => Promise<readonly RawEntry[]>
  /** Up to `limit` entries after one, and before another if that is named, the newest first, as Redis has them. */
  readonly newest: (after: string, before: string | undefined, limit: number) => Promise<readonly RawEntry[]>
  /** The entries of the last minutes, the oldest first, up to `limit`. */
  readonly recent: (minutes: number, limit: number) => Promise<readonly LogEntry[]>
}

export type HistoryOptions = {
  readonly redis: Redis
  readonly step: Step
  /** The stream, and what the keys begin with that tell where the only entry of a log id stands. */
  readonly names: { readonly log: string; readonly entries: string }
  readonly recorded: SagaRecords['recorded']
}

export const openHistory = ({ redis, step, names, recorded }: HistoryOptions): History => {
  const raw = (from: string, to: string, limit: number): Promise<readonly RawEntry[]> =>
    step('log', () => redis.xrange(names.log, from, to, 'COUNT', limit))
  const range = async (from: string, to: string, limit: number): Promise<readonly LogEntry[]> =>
    (await raw(from, to, limit)).map(readable)
  return {
    newestId: async () =>
      (await step('newest', () => redis.xrevrange(names.log, '+', '-', 'COUNT', 1)))[0]?.[0] ?? '0-0',
    has: async (id) => id === '0-0' || (await raw(id, id, 1)).length > 0,
    count: () => step('log-count', () => redis.xlen(names.log)),
    entriesOf: async (logId) => {
      const [single, { entries = '', again = '' }] = await Promise.all([
        step('entry-of', () => redis.get(names.entries + logId)),
        recorded(logId),
      ])
      const ids = `${single ?? ''} ${entries} ${again}`.split(' ').filter((id) => id !== '')
      ids.sort(compareIds)
      return (await Promise.all(ids.map((id) => range(id, id, 1)))).flat()
    },
    page: (after, limit) => range(`(${after}`, '+', limit),
    tail: (after, limit) => raw(`(${after}`, '+', limit),
    newest: (after, before, limit) =>
      step('log', () =>
        redis.xrevrange(names.log, before === undefined ? '+' : `(${before}`, `(${after}`, 'COUNT', limit),
      ),
    recent: async (minutes, limit) => {
      const [seconds] = await step('time', () => redis.time())
      return range(String(Number(seconds) * 1000 - minutes * 60_000), '+', limit)
    },
  }
}
