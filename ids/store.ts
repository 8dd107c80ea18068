/**
 * The keys and commands of ids: the only file that speaks to its Redis.
 *
 * - `blocks` integer: the block that was leased last
 * - `lease:{replica}` text: the block of a replica, for when it asks again
 * - those of locks: see `lock/lua/lock.lua`; `job:{its lock}` hash: what became of the runs of a job: see `jobs/lua/run.lua`
 * - those that every log has: see `shared/log/log.ts`
 */

import { type Log, openLog } from '../shared/log/log.ts'
import { runner } from '../shared/log/runner.ts'
import { noMetrics } from '../shared/metrics/metrics.ts'
import type { ResultOnce } from '../shared/redis/command.ts'
import type { Once } from '../shared/redis/script.ts'
import type { Dependencies } from '../shared/service.ts'
import { giveIdentifier, leaseBlock } from './commands.ts'
import { jobCommands, jobLimits, jobNames } from './jobs/store.ts'
import { type LockLimits, lockCommands, lockLimits, lockNames, lockTogether } from './lock/keys.ts'

const names = { blocks: 'blocks', lease: 'lease:' }
/** The time that has the block 0. */
const FIRST_BLOCK_MS = Date.UTC(2026, 0)

export type Store = {
  readonly log: Log
  /** The number of a block that is this replica's alone, for ever. */
  readonly lease: (replica: string) => Promise<number>
  /** Writes an identifier down under its key; the reply is the one that was written first. */
  readonly give: (identifier: string, once: Once) => Promise<ResultOnce<typeof giveIdentifier>>
}

/** @param limits other ones for locks than usual */
export const openStore = (
  {
    redis,
    step,
    retentionS,
    metrics = noMetrics,
  }: Pick<Dependencies, 'redis' | 'step' | 'retentionS'> & Partial<Pick<Dependencies, 'metrics'>>,
  limits: Partial<LockLimits> = {},
): Store => {
  const log = openLog({
    service: 'ids',
    redis,
    step,
    lua: [new URL('lua/', import.meta.url), lockCommands, jobCommands],
    names: { ...names, ...lockNames, ...jobNames },
    limits: { first_block_ms: FIRST_BLOCK_MS, ...lockLimits, ...jobLimits, ...limits },
    together: [lockTogether],
    reactions: {},
    retentionS,
    metrics,
  })
  const { run, runOnce } = runner(log)
  return {
    log,
    lease: async (replica) => {
      const [, block] = await run(leaseBlock, { replica })
      return Number(block)
    },
    give: (identifier, once) => runOnce(giveIdentifier, { log_id: identifier }, once),
  }
}
