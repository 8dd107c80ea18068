/**
 * The keys, codecs and commands of payment: the only file that speaks to its Redis.
 *
 * - `user:{id}` hash: `credit`, `held`
 * - `waiting:{user}` list: log ids of checkouts that wait for what others hold of the wallet, in order
 * - `saga:{log id}` hash: `state`, `order`, `user`, `total`, `lines`, `reason`, `item`, `restock`, `note`, `entries`, `again`; those
 *   that are finished are packed: see `shared/saga/lua/saga.lua`
 * - `sagas:open` sorted set: log ids of checkouts that are waiting or held, and of refunds whose goods are not back, by when their last entry was appended
 * - `books` hash, of running sums: `added` (put in, less what was spent), `charged` (captured, less what was given back or refunded);
 *   how they are kept is in `shared/audit/lua/ledger.lua`
 * - those that every log has: see `shared/log/log.ts`
 */
import { type Auditor, auditor } from '../shared/audit/auditor.ts'
import { type Log, openLog } from '../shared/log/log.ts'
import { runner } from '../shared/log/runner.ts'
import type { ResultOnce } from '../shared/redis/command.ts'
import type { Once } from '../shared/redis/script.ts'
import { openRecovery, type Recovery } from '../shared/saga/recovery.ts'
import type { Dependencies } from '../shared/service.ts'
import { addFunds, createUser, initUsers, pay } from './commands.ts'
import { reactions } from './reactions.ts'
import { recovery, saga } from './recovery.ts'
import type { User } from './user.ts'

const names = { user: 'user:', counted: 'user:', waiting: 'waiting:' }

export type Store = {
  readonly log: Log
  readonly auditor: Auditor
  readonly recovery: Recovery
  readonly find: (user: string) => Promise<User | undefined>
  readonly createUser: (user: string, once: Once) => Promise<ResultOnce<typeof createUser>>
  readonly addFunds: (user: string, amount: number, once: Once) => Promise<ResultOnce<typeof addFunds>>
  readonly pay: (user: string, amount: number, once: Once) => Promise<ResultOnce<typeof pay>>
  readonly initUsers: (first: number, last: number, credit: number, once: Once) => Promise<ResultOnce<typeof initUsers>>
}

export const openStore = ({ redis, step, identifiers, retentionS }: Dependencies): Store => {
  const log = openLog({
    service: 'payment',
    redis,
    step,
    lua: [new URL('lua/', import.meta.url), new URL('refunds/lua/', import.meta.url)],
    names,
    supplies: { things: 'balance' },
    reactions,
    saga,
    retentionS,
  })
  const { runOnce } = runner(log)

  return {
    log,
    auditor: auditor(log),
    recovery: openRecovery({ log, saga, table: recovery, own: {} }),
    find: async (user) => {
      const credit = await step('find', () => redis.hget(names.user + user, 'credit'))
      return credit === null ? undefined : { user_id: user, credit: Number(credit) }
    },
    createUser: (user, once) => runOnce(createUser, { log_id: identifiers.next(), user }, once),
    addFunds: (user, amount, once) => runOnce(addFunds, { log_id: identifiers.next(), user, amount }, once),
    pay: (user, amount, once) => runOnce(pay, { log_id: identifiers.next(), user, amount }, once),
    initUsers: (first, last, credit, once) =>
      runOnce(initUsers, { log_id: identifiers.next(), first, last, credit }, once),
  }
}
