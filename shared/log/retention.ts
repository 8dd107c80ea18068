/**
 * For how long is a log kept?
 *
 * An entry is dropped once it is older than the retention and every subscriber has applied it, and with the last entry of a saga
 * its record, once no service will ever emit anything of the saga again: see `shared/saga/lua/trim.lua`. That is learnt from
 * surveys of what is unfinished (`shared/saga/lua/survey.lua`), which the log parser begins.
 */

import type { Redis } from 'ioredis'
import type { Service } from '../contract/services.ts'
import type { Step } from '../process/step.ts'
import type { RunOwn } from './commands.ts'
import { compareIds } from './entry.ts'
import type { SagaRecords } from './saga-record.ts'

/** How many entries one script drops, with what is recorded of them, and how many scripts one run of the log parser runs. */
const TRIM_PAGE = 500
const TRIM_PAGES_MAX = 100

export type Retention = {
  /** Drops entries older than both `ageMs` and every subscriber's cursor, and their records. @returns how many entries */
  readonly trim: (ageMs: number, subscribers: readonly Service[]) => Promise<number>
}

export type RetentionOptions = {
  readonly redis: Redis
  readonly step: Step
  /** The stream of losses that were noticed. */
  readonly lost: string
  readonly runOwn: RunOwn
  readonly ackedBy: SagaRecords['ackedBy']
}

export const openRetention = ({ redis, step, lost, runOwn, ackedBy }: RetentionOptions): Retention => ({
  trim: async (ageMs, subscribers) => {
    const [seconds] = await step('time', () => redis.time())
    await step('trim-lost', () => redis.xtrim(lost, 'MINID', Number(seconds) * 1000 - ageMs))
    const [acked = ''] = Object.values(await ackedBy(subscribers)).toSorted(compareIds)
    let trimmed = 0
    for (let page = 0, more = '1'; more === '1' && page < TRIM_PAGES_MAX; page += 1) {
      const [count, next = '0'] = await runOwn('trim', { age_ms: ageMs, acked, page: TRIM_PAGE })
      trimmed += Number(count)
      more = next
    }
    return trimmed
  },
})
