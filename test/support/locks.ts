/** The verbs of locks over a Redis of their own. */
import type { Redis } from 'ioredis'
import type { LockLimits } from '../../ids/lock/keys.ts'
import { type Knowledge, type Known, openKnowledge } from '../../ids/lock/knowledge.ts'
import type { Wish } from '../../ids/lock/lease.ts'
import { openLocks } from '../../ids/lock/store.ts'
import type { Locks } from '../../ids/lock/verbs.ts'
import { openStore } from '../../ids/store.ts'
import { compareIds } from '../../shared/log/entry.ts'
import type { Log } from '../../shared/log/log.ts'
import type { Dependencies } from '../../shared/service.ts'

/** An exclusive lease of half a minute that does not wait. */
const PLAIN: Wish = {
  mode: 'exclusive',
  ttlMs: 30_000,
  waitMs: 0,
  queue: false,
  priority: 0,
  permits: 1,
  limit: undefined,
  owner: undefined,
  metadata: {},
  delayMs: undefined,
}
export const wish = (wanted: Partial<Wish> = {}): Wish => ({ ...PLAIN, ...wanted })

export type LocksBench = {
  readonly log: Log
  readonly locks: Locks
  readonly knowledge: Knowledge
  /** What the Redis was found to have forgotten. */
  readonly lost: Known[]
}

export const openLocksOver = (
  dependencies: Pick<Dependencies, 'redis' | 'step' | 'retentionS'>,
  limits: Partial<LockLimits> = {},
): LocksBench => {
  const { log } = openStore(dependencies, limits)
  const knowledge = openKnowledge(compareIds)
  const lost: Known[] = []
  const locks = openLocks({ log, knowledge, onOlder: (more) => void lost.push(...more) })
  return { log, locks, knowledge, lost }
}

/** Lets time pass for all leases of a Redis: whatever ends at a moment ends so much earlier. */
export const elapse = async (redis: Redis, ms: number): Promise<void> => {
  const shift = (time: string | null, ifNot: string): string => (time ? String(Number(time) - ms) : ifNot)
  for (const key of await redis.keys('lock-ends:*'))
    for (const lease of await redis.zrange(key, '0', '-1')) await redis.zincrby(key, -ms, lease)
  for (const key of ['locks:due', 'locks:free'])
    for (const name of await redis.zrange(key, '0', '-1')) await redis.zincrby(key, -ms, String(name))
  for (const key of await redis.keys('lock:*'))
    await redis.hset(key, 'delayed', shift(await redis.hget(key, 'delayed'), '0'))
  for (const key of await redis.keys('lock-lease:*'))
    for (const field of ['until', 'expires', 'acquired', 'since']) {
      const time = await redis.hget(key, field)
      if (time) await redis.hset(key, field, shift(time, ''))
    }
}
