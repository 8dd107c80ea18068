/**
 * The keys, codecs and commands of stock: the only file that speaks to its Redis.
 *
 * - `item:{id}` hash: `stock`, `price`; `withdrawn` (yes or no) and `version` of one that was changed: see `lua/offer.lua`; `fence`, the
 *   highest token of a lock that it has seen
 * - `saga:{log id}` hash: `state`, `order`, `user`, `total`, `lines`, `item`, `restock`, `checkouts`, `before`, `there`,
 *   `awaited`, `entries`, `again`; nearly all are packed: see `shared/saga/lua/saga.lua`
 * - `books` hash, of running sums: `added` (put in, less what was subtracted), `taken` (less what was given back), `written-off`
 *   (of that, not put on the shelf: for a refund, or because it was there before by another, so that order counts it as back
 *   twice); how they are kept is in `shared/audit/lua/ledger.lua`
 * - those that every log has: see `shared/log/log.ts`
 */
import { type Auditor, auditor } from '../shared/audit/auditor.ts'
import type { WantedVersions } from '../shared/http/etag.ts'
import { type Log, openLog } from '../shared/log/log.ts'
import { runner } from '../shared/log/runner.ts'
import type { ResultOnce } from '../shared/redis/command.ts'
import { text } from '../shared/redis/reply.ts'
import type { Once } from '../shared/redis/script.ts'
import type { Dependencies } from '../shared/service.ts'
import { add, changeItem, createItem, initItems, subtract } from './commands.ts'
import type { Change, Item, Offer } from './item.ts'
import { reactions } from './reactions.ts'
import { saga } from './recovery.ts'

const names = { item: 'item:', counted: 'item:', fenced: 'item' }

/** Reads what `lua/show-offer.lua` returns. */
const readOffer = (reply: unknown): Offer | undefined => {
  if (reply === null) return undefined
  const [price, withdrawn, version] = text(reply).split(' ')
  return { price: Number(price), withdrawn: withdrawn === 'yes', version: Number(version) }
}

export type Store = {
  readonly log: Log
  readonly auditor: Auditor
  readonly find: (item: string) => Promise<Item | undefined>
  readonly offer: (item: string) => Promise<Offer | undefined>
  /** Changes an item that has one of these versions, or any. */
  readonly changeItem: (
    item: string,
    from: WantedVersions,
    change: Change,
    once: Once,
  ) => Promise<ResultOnce<typeof changeItem>>
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

export const openStore = ({ redis, step, identifiers, retentionS, metrics }: Dependencies): Store => {
  const log = openLog({
    service: 'stock',
    redis,
    step,
    lua: [new URL('lua/', import.meta.url), new URL('refunds/lua/', import.meta.url)],
    names,
    supplies: { things: 'balance' },
    reactions,
    saga,
    retentionS,
    metrics,
  })
  const { runOnce } = runner(log)
  const showOffer = log.query('show-offer', readOffer)
  return {
    log,
    auditor: auditor(log),
    find: async (item) => {
      const [stock, price] = await step('find', () => redis.hmget(names.item + item, 'stock', 'price'))
      return stock == null || price == null ? undefined : { stock: Number(stock), price: Number(price) }
    },
    offer: async (item) => (await step('offer', () => showOffer(item))).found,
    changeItem: (item, from, { price, withdrawn }, once) =>
      runOnce(
        changeItem,
        {
          log_id: identifiers.next(),
          item,
          versions: from === 'any' ? from : from.join(' '),
          ...(price === undefined ? {} : { price }),
          ...(withdrawn === undefined ? {} : { withdrawn: withdrawn ? 'yes' : 'no' }),
        },
        once,
      ),
    createItem: (item, price, once) => runOnce(createItem, { log_id: identifiers.next(), item, price }, once),
    add: (item, amount, once) => runOnce(add, { log_id: identifiers.next(), item, amount }, once),
    subtract: (item, amount, once) => runOnce(subtract, { log_id: identifiers.next(), item, amount }, once),
    initItems: (first, last, stock, price, once) =>
      runOnce(initItems, { log_id: identifiers.next(), first, last, stock, price }, once),
  }
}
