/** The verbs of locks over a Redis of their own. */
import type { Redis } from 'ioredis'
import type { LockLimits } from '../../ids/lock/keys.ts'
import { type Knowledge, type Known, openKnowledge } from '../../ids/lock/knowledge.ts'
import { PLAIN, type Wish } from '../../ids/lock/lease.ts'
import { openVerbs } from '../../ids/lock/store.ts'
import type { Verbs } from '../../ids/lock/verbs.ts'
import { openStore } from '../../ids/store.ts'
import { compareIds } from '../../shared/log/entry.ts'
import type { Log } from '../../shared/log/log.ts'
import type { Dependencies } from '../../shared/service.ts'

/** An exclusive lease of half a minute that does not wait, but for what is wanted. */
export const wish = (wanted: Partial<Wish> = {}): Wish => ({ ...PLAIN, ...wanted })

export type LocksBench = {
  readonly log: Log
  readonly locks: Verbs
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
  const locks = openVerbs({ log, knowledge, onOlder: (more) => void lost.push(...more), onSetBack: () => undefined })
  return { log, locks, knowledge, lost }
}

/** Moves whatever is to happen at a moment so much nearer: KEYS are the sorted sets, then the records; ARGV the milliseconds. */
const ELAPSE = `
local ms = tonumber(ARGV[1])
for at = 1, tonumber(ARGV[2]) do
  for _, member in ipairs(redis.call('ZRANGE', KEYS[at], 0, -1)) do
    redis.call('ZINCRBY', KEYS[at], -ms, member)
  end
end
local function bring_nearer(words, places)
  for _, at in ipairs(places) do
    local time = tonumber(words[at] or '')
    words[at] = time and string.format('%.0f', time - ms) or words[at]
  end
end
for at = tonumber(ARGV[2]) + 1, #KEYS do
  local words = {}
  for word in string.gmatch(redis.call('GET', KEYS[at]), '(%Z*)%z') do
    words[#words + 1] = word
  end
  local is_lock = string.find(KEYS[at], '^lock%-record:')
  -- delayed, due and sole_end of a lock; its lease begins behind the history
  bring_nearer(words, is_lock and { 10, 14, 16 } or {})
  local before = is_lock and 17 or 0
  -- acquired and expires of one that holds, until and since of one that waits
  bring_nearer(words, words[before + 1] == 'ended' and { before + 4 } or { before + 11, before + 12 })
  redis.call('SET', KEYS[at], table.concat(words, '\\0') .. '\\0', 'KEEPTTL')
end`

/** Lets time pass for the locks of a Redis, or for one of them. */
export const elapse = async (redis: Redis, ms: number, name = '*'): Promise<void> => {
  const sets = await redis.keys(`lock-ends:${name}`)
  const records = [...(await redis.keys(`lock-record:${name}`)), ...(await redis.keys(`lock-lease:*:${name}`))]
  const all = [...sets, 'locks:due', 'locks:free', ...records]
  await redis.eval(ELAPSE, all.length, ...all, ms, sets.length + 2)
}
