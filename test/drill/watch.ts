/**
 * What does the shop look like from behind?
 *
 * Reads each Redis on a connection of its own, past the services and past whatever lies between them, and the processes'
 * memory and descriptors from `/proc`. A Redis that does not answer is not known; that is no failure of the watch. All it
 * reads is small: no more than what is open.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import type { Part } from '../../env/local/managed-process.ts'
import type { Shop } from '../../env/local/shop.ts'
import { SERVICES, type Service } from '../../shared/contract/services.ts'
import { isTransient } from '../../shared/errors.ts'
import { connect, disconnect } from '../../shared/redis/connection.ts'
import { LINKS } from '../support/checker/invariants.ts'
import { recordOf } from '../support/checker/records.ts'

/** Memory in bytes, what of it a Node process keeps when its garbage is collected, and how many files and sockets are open. */
export type Usage = {
  readonly pid: number
  readonly memory: number
  readonly kept?: number | undefined
  readonly descriptors: number
}

/** How far a subscriber is behind a publisher: the time between the last entry said and the last one passed. */
export type Lag = { readonly subscriber: string; readonly publisher: string; readonly ms: number }

export type Watch = {
  /** The log ids of all open checkouts; undefined if not all who know them answer. */
  readonly open: () => Promise<ReadonlySet<string> | undefined>
  /** How many orders of open checkouts are locked; undefined as above. */
  readonly locks: () => Promise<number | undefined>
  readonly lags: () => Promise<readonly Lag[]>
  /** The orders that the shop says no rule can mend. @throws if their Redis does not answer */
  readonly listed: () => Promise<readonly string[]>
  /** How often a subscriber noticed that a publisher's log had lost its end. @throws as above */
  readonly noticed: () => Promise<number>
  readonly close: () => void
}

const LOCKS_LOOKED_AT_MAX = 500

/** What is read, or undefined if the Redis is away. */
const ifAny = async <Reply>(reading: Promise<Reply>): Promise<Reply | undefined> => {
  try {
    return await reading
  } catch (error) {
    if (isTransient(error)) return undefined
    throw error
  }
}

const msOf = (id: string): number => Number(id.split('-')[0])

export const openWatch = (shop: Shop): Watch => {
  const open = (service: Service): Redis => connect(shop.part(`${service}-redis`).url, 'lock')
  const redis = { ids: open('ids'), order: open('order'), payment: open('payment'), stock: open('stock') }

  const lagOf = async (subscriber: Service, publisher: Service): Promise<Lag | undefined> => {
    const [cursor, last] = await Promise.all([
      redis[subscriber].hget('cursors', publisher),
      redis[publisher].xrevrange(`log:${publisher}`, '+', '-', 'COUNT', 1),
    ])
    const newest = last[0]?.[0]
    if (newest === undefined) return undefined
    return { subscriber, publisher, ms: Math.max(0, msOf(newest) - msOf(cursor ?? newest)) }
  }
  return {
    open: () =>
      ifAny(
        (async () => {
          const of = (service: 'order' | 'payment') => redis[service].zrange('sagas:open', '0', '-1')
          return new Set((await Promise.all([of('order'), of('payment')])).flat())
        })(),
      ),
    locks: () =>
      ifAny(
        (async () => {
          const sagas = await redis.order.zrange('sagas:open', '0', String(LOCKS_LOOKED_AT_MAX - 1))
          const records = await Promise.all(sagas.map((saga) => recordOf(redis.order, 'order', saga)))
          const locked = await Promise.all(records.map(({ order }) => redis.order.exists(`lock:order:${order}`)))
          return locked.reduce((sum, isLocked) => sum + isLocked, 0)
        })(),
      ),
    lags: async () => {
      const lags = LINKS.map(({ subscriber, publisher }) => ifAny(lagOf(subscriber, publisher)))
      return (await Promise.all(lags)).filter((lag) => lag !== undefined)
    },
    listed: () => redis.order.smembers('contradictions'),
    noticed: async () => {
      const counts = await Promise.all(SERVICES.map((service) => redis[service].xlen(`lost:${service}`)))
      return counts.reduce((sum, count) => sum + count, 0)
    },
    close: () => {
      for (const service of SERVICES) disconnect(redis[service])
    },
  }
}

const BYTES_PER_KB = 1_024

/** What a process uses now; undefined where there is no `/proc`, or if it has just ended. */
export const usageOf = ({ pid }: Part): Usage | undefined => {
  if (pid === undefined || !existsSync(`/proc/${pid}/fd`)) return undefined
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    if (kilobytes === undefined) return undefined
    return { pid, memory: Number(kilobytes) * BYTES_PER_KB, descriptors: readdirSync(`/proc/${pid}/fd`).length }
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
