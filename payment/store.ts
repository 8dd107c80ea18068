/**
 * The keys, codecs and deeds of payment: the only file that speaks to its Redis.
 *
 * - `user:{id}` hash: `credit`, `held`
 * - `waiting:{user}` list: log ids of checkouts that wait for what others hold of the wallet, in order
 * - `saga:{log id}` hash: `state`, `order`, `user`, `total`, `lines`, `reason`, `item`, `entries`
 * - `sagas:open` sorted set: log ids of checkouts that are waiting or held, by when they were last spoken of
 * - those that every log has: see `shared/log.ts`
 */

import { compareIds, heardKey, type Log, type Once, openLog, type Reply } from '../shared/log.ts'
import type { Finding, Recovery } from '../shared/log-parser.ts'
import { repairFor } from '../shared/log-parser.ts'
import { reach } from '../shared/redis.ts'
import type { Instruments } from '../shared/service.ts'
import { reactions } from './reactions.ts'
import { type Facts, type Repair, table } from './recovery.ts'
import type { User } from './user.ts'

const names = { user: 'user:', waiting: 'waiting:' }

/** An answer takes a few milliseconds; one that was not heard after this long is told again. */
const SILENT_MS = 2_000

export type Store = {
  readonly log: Log
  readonly recovery: Recovery<Repair>
  readonly find: (user: string) => Promise<User | undefined>
  readonly createUser: (user: string, once: Once) => Promise<Reply>
  readonly addFunds: (user: string, amount: number, once: Once) => Promise<Reply>
  readonly pay: (user: string, amount: number, once: Once) => Promise<Reply>
  readonly initUsers: (first: number, last: number, credit: number, once: Once) => Promise<Reply>
}

const stateOf = (state: string): Facts['state'] => {
  if (state === '') return 'absent'
  return state === 'waiting' || state === 'held' ? state : 'decided'
}

export const openStore = ({ redis, identifiers, retentionS }: Instruments): Store => {
  const log = openLog({
    service: 'payment',
    redis,
    lua: new URL('lua/', import.meta.url),
    names,
    reactions,
    retentionS,
  })
  const own = <Result>(command: Promise<Result>): Promise<Result> => reach('the Redis of payment', command)

  const survey = async (limit: number): Promise<readonly Finding<Repair>[]> => {
    const [now, ...open] = (await log.act('unfinished', { limit })) as unknown as [
      string,
      ...[string, string, string][],
    ]
    const heardByStock = (await own(redis.get(heardKey('payment', 'stock')))) ?? '0-0'
    return open.map(([log_id, state, told]) => {
      const facts: Facts = {
        state: stateOf(state),
        silent: Number(now) - Number(told) > SILENT_MS ? 'yes' : 'no',
        heard: compareIds(heardByStock, told) >= 0 ? 'yes' : 'no',
      }
      return { log_id, facts, repair: repairFor(table, facts) }
    })
  }
  const repair = async ({ log_id, repair }: Finding<Repair>): Promise<string> =>
    repair === 'wait' ? 'waiting' : (await log.act(repair, { log_id }))[0]

  return {
    log,
    recovery: { survey, repair },
    find: async (user) => {
      const credit = await own(redis.hget(names.user + user, 'credit'))
      return credit === null ? undefined : { user_id: user, credit: Number(credit) }
    },
    createUser: (user, once) => log.act('create-user', { log_id: identifiers.next(), user }, once),
    addFunds: (user, amount, once) => log.act('add-funds', { log_id: identifiers.next(), user, amount }, once),
    pay: (user, amount, once) => log.act('pay', { log_id: identifiers.next(), user, amount }, once),
    initUsers: (first, last, credit, once) =>
      log.act('init-users', { log_id: identifiers.next(), first, last, credit }, once),
  }
}
