/**
 * What is recorded of a saga, and which services have read of it?
 */

import type { Redis } from 'ioredis'
import type { Service } from '../contract/services.ts'
import { impossible } from '../errors.ts'
import type { Step } from '../process/step.ts'
import { fields, headed, text, tuple } from '../redis/reply.ts'
import type { RunOwn } from './commands.ts'
import { ackedKey, isEntryId } from './entry.ts'
import { msOf } from './fence.ts'

/** Up to where the subscribers of a log report that they have applied it. */
export type Acked = { readonly [Subscriber in Service]?: string }

/** A saga as one service knows it. */
export type SagaRecord = {
  readonly log_id: string
  /** What is recorded of it, by name; empty if it is unknown here. */
  readonly fields: Readonly<Record<string, string>>
  /** If it is in the index of unfinished ones: when its last entry was appended, by the clock of the own Redis. */
  readonly lastEventAtMs: number | undefined
  readonly acked: Acked
}

export type SagaRecords = {
  /** What is recorded of a saga, and the time by the own Redis. */
  readonly saga: (
    logId: string,
    subscribers: readonly Service[],
  ) => Promise<{ readonly record: SagaRecord; readonly nowMs: number }>
  /** The same without more: what is recorded, by name. Of a finished saga it is what its entries tell. */
  readonly recorded: (logId: string) => Promise<Readonly<Record<string, string>>>
  readonly ackedBy: (subscribers: readonly Service[]) => Promise<Acked>
}

export type SagaRecordsOptions = {
  readonly service: Service
  readonly redis: Redis
  readonly step: Step
  /** The index of unfinished sagas. */
  readonly open: string
  readonly runOwn: RunOwn
}

/** What a subscriber has reported. It writes that itself, so it may be anything: what is no entry reports none. */
const reported = (text: string | null | undefined): string => (text != null && isEntryId(text) ? text : '0-0')

/** What `records` returns: where its next page begins, and each saga with what is recorded of it. */
const found = headed(text, tuple(text, fields))

export const openSagaRecords = ({ service, redis, step, open, runOwn }: SagaRecordsOptions): SagaRecords => {
  const recorded: SagaRecords['recorded'] = async (log_id) => {
    const [, [saga]] = found(await runOwn('records', { cursor: '0', page: 0, log_ids: log_id }, 'saga-record'))
    return saga?.[1] ?? impossible('log.records', log_id)
  }

  const ackedBy: SagaRecords['ackedBy'] = async (subscribers) => {
    if (subscribers.length === 0) return {}
    const acked = await step('heard', () => redis.mget(subscribers.map((subscriber) => ackedKey(service, subscriber))))
    return Object.fromEntries(subscribers.map((subscriber, index) => [subscriber, reported(acked[index])]))
  }

  return {
    saga: async (log_id, subscribers) => {
      const [recordedFields, score, acked, time] = await Promise.all([
        recorded(log_id),
        step('saga-open', () => redis.zscore(open, log_id)),
        ackedBy(subscribers),
        step('time', () => redis.time()),
      ])
      const lastEventAtMs = score === null ? undefined : Number(score)
      return {
        record: { log_id, fields: recordedFields, lastEventAtMs, acked },
        nowMs: msOf(time),
      }
    },
    recorded,
    ackedBy,
  }
}
