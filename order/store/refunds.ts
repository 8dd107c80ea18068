/**
 * How is a refund granted, and what is known of it?
 *
 * What a client was told is granted is remembered in this process (`shared/log/own-tail.ts`), so that it is granted once more
 * if the Redis comes back without it.
 */

import type { Redis } from 'ioredis'
import { VERSION } from '../../shared/contract/events.ts'
import type { WantedVersions } from '../../shared/http/etag.ts'
import { isAnothers } from '../../shared/http/owner.ts'
import type { Log } from '../../shared/log/log.ts'
import type { Runner } from '../../shared/log/runner.ts'
import { knownResult, type ResultOnce } from '../../shared/redis/command.ts'
import { fields, optional, text, tuple } from '../../shared/redis/reply.ts'
import type { Once, Reply } from '../../shared/redis/script.ts'
import type { Dependencies } from '../../shared/service.ts'
import type { OrderMetrics } from '../metrics.ts'
import * as commands from '../refunds/commands.ts'
import { type Granted, type Refund, type Restock, refundOf, writtenReason } from '../refunds/refund.ts'
import { listen } from './channel.ts'
import { names } from './keys.ts'

/** What is to be refunded: these lines, or all that is left. */
export type RefundWish = {
  readonly order: string
  readonly from: WantedVersions
  readonly lines: string
  readonly restock: Restock
  readonly reason: string
}

export type RefundStore = {
  readonly refund: (wish: RefundWish, once: Once) => Promise<ResultOnce<typeof commands.refund>>
  /** All refunds of an order, the oldest first; `undefined` if there is no such order, or it is another's. @throws UnavailableError */
  readonly refundsOf: (order: string, owner?: string) => Promise<readonly Refund[] | undefined>
  /** One of them; `undefined` if there is none. @throws UnavailableError */
  readonly findRefund: (order: string, refund: string, owner?: string) => Promise<Refund | undefined>
  /** The refund that an entry of payment's has settled, by what was returned to it. */
  readonly settledBy: (reply: Reply) => string | undefined
  /** Reads what comes over the channel of settlements. */
  readonly watchSettlements: (subscriber: Redis, onSettled: (refund: string) => void) => void
}

/** Remembers that a refund was granted, perhaps by an amendment of a version: a client is told so. */
export const acknowledgeRefund = (
  log: Pick<Log, 'acknowledge'>,
  [, id, order, user, total, lines, restock, entry]: Granted | readonly [...Granted, at: string],
  amends?: string,
): void => {
  const amended = amends === undefined ? '' : ` amends=${amends}`
  const facts = `order=${order} user=${user} total=${total} lines=${lines} restock=${restock}${amended}`
  log.acknowledge(entry, () => ['RefundGranted', `version=${VERSION} log_id=${id} ${facts}`])
}

export type RefundStoreOptions = Pick<Dependencies, 'step' | 'identifiers' | 'catchUp'> & {
  readonly log: Log
  readonly runOnce: Runner['runOnce']
  readonly recall: Runner['recall']
  readonly measured: Pick<OrderMetrics, 'refunded'>
}

/** What `refunds/lua/refunds-of.lua` returns. */
const found = tuple(optional(text), fields)

const byAge = (one: Refund, other: Refund): number => one.grantedMs - other.grantedMs || (one.id < other.id ? -1 : 1)

export const openRefundStore = (options: RefundStoreOptions): RefundStore => {
  const { log, step, identifiers, catchUp, runOnce, recall, measured } = options
  const ask = log.query('refunds-of', found)
  const read = async (about: string, owner: string | undefined): Promise<readonly Refund[] | undefined> => {
    const { found: answer } = await step('refunds-of', () => ask(about))
    const [user, texts] = answer
    if (user === undefined || isAnothers(user, owner)) return undefined
    return Object.entries(texts).flatMap(([id, kept]) => refundOf(id, kept) ?? [])
  }

  /** What a key remembers may be of before this Redis came back older. */
  const acknowledge = (result: ResultOnce<typeof commands.refund>): void => {
    if (result[0] === 'granted') acknowledgeRefund(log, result)
  }

  return {
    refund: async ({ order, from, lines, restock, reason }, once) => {
      const known = await recall(commands.refund.returns, once)
      if (known) {
        acknowledge(known)
        return known
      }
      // A Redis that came back older may have forgotten a refund that payment has paid: first it is to be known again.
      await catchUp()
      const versions = from === 'any' ? from : from.join(' ')
      const args = { order, versions, lines, restock, reason: writtenReason(reason) }
      const log_id = identifiers.next()
      const result = await runOnce(commands.refund, { log_id, ...args }, once)
      if (result[0] === 'granted' && result[1] === log_id) measured.refunded('returned')
      acknowledge(result)
      return result
    },
    refundsOf: async (order, owner) => (await read(order, owner))?.toSorted(byAge),
    findRefund: async (order, refund, owner) => (await read(`${order} ${refund}`, owner))?.[0],
    settledBy: (reply) => {
      const result = knownResult(commands.settle.returns, reply)
      return result?.[0] === 'settled' || result?.[0] === 'rebuilt' ? result[1] : undefined
    },
    watchSettlements: (subscriber, onSettled) => listen(step, subscriber, names.settlements, onSettled),
  }
}
