/**
 * The keys, codecs and commands of payment: the only file that speaks to its Redis.
 *
 * - `user:{id}` hash: `credit`, `held`; `fence`, the highest token of a lock that it has seen
 * - `waiting:{user}` list: log ids of checkouts that wait for what others hold of the wallet, in order
 * - `saga:{log id}` hash: `state`, `order`, `user`, `total`, `lines`, `reason`, `item`, `restock`, `invoice`, `note`, `refunded`,
 *   `refunds`, `checkouts`, `unpaid` (these two of a refund), `entries`, `again`; most are packed: see `shared/saga/lua/saga.lua`
 * - `sagas:open` sorted set: log ids of checkouts that are waiting or held, and of refunds whose goods are not back, by when
 *   their last entry was appended
 * - `series` hash: which series of documents it is `now`, and when and why each earlier one ended: see
 *   `documents/lua/series.lua`
 * - `invoices:{series}`, `credit-notes:{series}` streams: the documents
 * - `drafts` hash: what the invoice of an order is to say that is not paid, by the order: see `drafts/lua/drafts.lua`
 * - `invoices-of:{user}`, `credit-notes-of:{user}` lists, and `invoices-for:{end of an order's id}`,
 *   `credit-notes-for:{...}` hashes: where the documents of a user, and of an order, stand; `documents:indexed` hash: up to where
 * - `books` hash, of running sums: `added` (put in, less what was spent), `charged` (captured, less what was given back or refunded),
 *   `invoiced`, `credited`, `undocumented` (charged before there were documents); how they are kept is in
 *   `shared/audit/lua/ledger.lua`
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
import { confirming, openTold } from './documents/series.ts'
import { type DocumentStore, openDocumentStore } from './documents/store.ts'
import { reactions } from './reactions.ts'
import { recovery, saga } from './recovery.ts'
import type { User } from './user.ts'

const names = {
  user: 'user:',
  counted: 'user:',
  fenced: 'user',
  waiting: 'waiting:',
  series: 'series',
  invoices: 'invoices:',
  credit_notes: 'credit-notes:',
  drafts: 'drafts',
  indexed: 'documents:indexed',
  invoices_of: 'invoices-of:',
  invoices_for: 'invoices-for:',
  credit_notes_of: 'credit-notes-of:',
  credit_notes_for: 'credit-notes-for:',
}

export type Store = DocumentStore & {
  readonly log: Log
  readonly auditor: Auditor
  readonly recovery: Recovery
  readonly find: (user: string) => Promise<User | undefined>
  readonly createUser: (user: string, once: Once) => Promise<ResultOnce<typeof createUser>>
  readonly addFunds: (user: string, amount: number, once: Once) => Promise<ResultOnce<typeof addFunds>>
  readonly pay: (user: string, amount: number, once: Once) => Promise<ResultOnce<typeof pay>>
  readonly initUsers: (first: number, last: number, credit: number, once: Once) => Promise<ResultOnce<typeof initUsers>>
}

export const openStore = ({ redis, step, identifiers, logger, retentionS, peer, metrics }: Dependencies): Store => {
  const shown = openTold()
  const log: Log = openLog({
    service: 'payment',
    redis,
    step,
    lua: [
      new URL('lua/', import.meta.url),
      new URL('refunds/lua/', import.meta.url),
      new URL('documents/lua/', import.meta.url),
      new URL('drafts/lua/', import.meta.url),
    ],
    names,
    supplies: { things: 'balance' },
    reactions,
    saga,
    confirmation: { peer, confirm: confirming((...args) => runner(log).run(...args), shown, logger) },
    retentionS,
    metrics,
  })
  const { runOnce } = runner(log)

  return {
    log,
    auditor: auditor(log),
    recovery: openRecovery({ log, saga, table: recovery, own: {} }),
    ...openDocumentStore(log, shown, logger),
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
