/**
 * The keys, codecs and commands of stock: the only file that speaks to its Redis.
 *
 * - `item:{id}` hash: `stock`, `price`
 * - `saga:{log id}` hash: `state`, `order`, `user`, `total`, `lines`, `item`, `entries`, `again`; nearly all are packed: see
 *   `shared/saga/lua/saga.lua`
 * - `books` hash, of running sums: `added` (put in, less what was subtracted), `taken` (less what was given back);
 *   how they are kept is in `shared/audit/lua/ledger.lua`
 * - those that every log has: see `shared/log/log.ts`
 */
import { type Auditor, auditor } from '../shared/audit/auditor.ts'
import { type Log, openLog } from '../shared/log/log.ts'
import { runner } from '../shared/log/runner.ts'
import type { ResultOnce } from '../shared/redis/command.ts'
import type { Once } from '../shared/redis/script.ts'
import type { Dependencies } from '../shared/service.ts'
import { add, createItem, initItems, subtract } from './commands.ts'
import type { Item } from './item.ts'
import { reactions } from './reactions.ts'
import { saga } from './recovery.ts'

const names = { item: 'item:', counted: 'item:' }

export type Store = {
  readonly log: Log
  readonly auditor: Auditor
  readonly find: (item: string) => Promise<Item | undefined>
  readonly createItem: (item: string, price: number, once: Once) => Promise<ResultOnce<typeof createItem>>
  readonly add: (item: string, amount: number, once: Once) => Promise<ResultOnce<typeof add>>
  readonly subtract: (item: string, amount: number, once: Once) => Promise<ResultOnce<typeof subtract>>
  readonly initItems: (
    first: number,
    last: number,
    stock: number,
    price: number,
    once: Once,
  ) => Promise<ResultOnce<typeof initItems>>
}

export const openStore = ({ redis, step, identifiers, retentionS }: Dependencies): Store => {
  const log = openLog({
    service: 'stock',
    redis,
    step,
    lua: [new URL('lua/', import.meta.url)],
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
    find: async (item) => {
      const [stock, price] = await step('find', () => redis.hmget(names.item + item, 'stock', 'price'))
      return stock == null || price == null ? undefined : { stock: Number(stock), price: Number(price) }
    },
    createItem: (item, price, once) => runOnce(createItem, { log_id: identifiers.next(), item, price }, once),
    add: (item, amount, once) => runOnce(add, { log_id: identifiers.next(), item, amount }, once),
    subtract: (item, amount, once) => runOnce(subtract, { log_id: identifiers.next(), item, amount }, once),
    initItems: (first, last, stock, price, once) =>
      runOnce(initItems, { log_id: identifiers.next(), first, last, stock, price }, once),
  }
}
