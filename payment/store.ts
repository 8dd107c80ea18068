/**
 * The keys, codecs and deeds of payment: the only file that speaks to its Redis.
 *
 * - `user:{id}` hash: `credit`, `held`
 * - `waiting:{user}` list: log ids of checkouts that wait for what others hold of the wallet, in order
 * - `saga:{log id}` hash: `state`, `order`, `user`, `total`, `lines`, `reason`, `item`, `entries`, `again`; those that are
 *   finished are packed: see `shared/saga/lua/saga.lua`
 * - `sagas:open` sorted set: log ids of checkouts that are waiting or held, by when they were last spoken of
 * - `books` hash, of running sums: `added` (put in, less what was spent), `charged` (captured, less what was given back);
 *   their limbs are in `shared/audit/lua/books.lua`
 * - those that every log has: see `shared/log/log.ts`
 */
import { type Auditor, auditor } from '../shared/audit/auditor.ts'
import { compareIds } from '../shared/log/entry.ts'
import { type Log, openLog } from '../shared/log/log.ts'
import { runner } from '../shared/log/runner.ts'
import type { SagaRecord } from '../shared/log/saga-record.ts'
import type { ResultOnce } from '../shared/redis/command.ts'
import type { Once } from '../shared/redis/script.ts'
import { type Finding, isSilent, type Recovery, repairFor, type Survey } from '../shared/saga/log-parser.ts'
import type { Instruments } from '../shared/service.ts'
import { addFunds, createUser, initUsers, pay } from './commands.ts'
import { reactions } from './reactions.ts'
import { type Facts, type Repair, table } from './recovery.ts'
import type { User } from './user.ts'

const names = { user: 'user:', counted: 'user:', waiting: 'waiting:' }

export type Store = {
  readonly log: Log
  readonly auditor: Auditor
  readonly recovery: Recovery<Repair>
  readonly find: (user: string) => Promise<User | undefined>
  readonly createUser: (user: string, once: Once) => Promise<ResultOnce<typeof createUser>>
  readonly addFunds: (user: string, amount: number, once: Once) => Promise<ResultOnce<typeof addFunds>>
  readonly pay: (user: string, amount: number, once: Once) => Promise<ResultOnce<typeof pay>>
  readonly initUsers: (first: number, last: number, credit: number, once: Once) => Promise<ResultOnce<typeof initUsers>>
}

const stateOf = (state: string): Facts['state'] => {
  if (state === '') return 'absent'
  return state === 'waiting' || state === 'held' ? state : 'decided'
}

const judge = ({ log_id, fields, toldMs = 0, heard }: SagaRecord, atMs: number): Finding<Repair> => {
  const facts: Facts = {
    state: stateOf(fields.state ?? ''),
    silent: isSilent(atMs, toldMs, Number.parseInt(fields.entries ?? String(toldMs), 10)) ? 'yes' : 'no',
    heard: compareIds(heard.stock ?? '0-0', String(toldMs)) >= 0 ? 'yes' : 'no',
  }
  return { log_id, facts, repair: repairFor(table, facts) }
}

export const openStore = ({ redis, step, identifiers, retentionS }: Instruments): Store => {
  const log = openLog({
    service: 'payment',
    redis,
    step,
    lua: [new URL('lua/', import.meta.url)],
    names,
    supplies: { things: 'worth' },
    reactions,
    retentionS,
  })
  const { runOnce } = runner(log)

  /** All are looked at but what was spoken of since the survey began: few are unfinished, for order ends each by its deadline. */
  const survey: Survey<Repair> = async (limit, behind) => {
    const reply = (await log.act('unfinished', { limit, after: behind?.score ?? 0 })) as unknown
    const [now, ...rows] = reply as readonly [string, ...[id: string, told: string, state: string, began: string][]]
    const heard = await log.heardBy(['stock'])
    const findings = rows.map(([log_id, told, state, began]) =>
      judge({ log_id, fields: { state, entries: began }, toldMs: Number(told), heard }, Number(now)),
    )
    const startedMs = behind?.startedMs ?? Number(now)
    const score = Number(rows.at(-1)?.[1])
    return { findings, next: rows.length < limit || score > startedMs ? undefined : { score, startedMs } }
  }
  const act = async (deed: Exclude<Repair, 'wait'>, log_id: string, once?: Once): Promise<string> =>
    (await log.act(deed, { log_id }, once))[0]

  return {
    log,
    auditor: auditor(log),
    recovery: {
      survey,
      repair: async ({ log_id, repair }) => (repair === 'wait' ? 'waiting' : act(repair, log_id)),
      judge,
      retry: ({ log_id, repair }, once) => act(repair === 'wait' ? 'tell-again' : repair, log_id, once),
    },
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
