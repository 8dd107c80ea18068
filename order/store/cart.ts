/** What is in an order, and what does a checkout have to know of it? */

import { parseLines } from '../../shared/contract/lines.ts'
import { offerOf } from '../../shared/contract/methods.ts'
import { impossible } from '../../shared/errors.ts'
import { isAnothers } from '../../shared/http/owner.ts'
import type { Log } from '../../shared/log/log.ts'
import type { Runner } from '../../shared/log/runner.ts'
import type { ResultOnce } from '../../shared/redis/command.ts'
import { optional, text, tuple } from '../../shared/redis/reply.ts'
import type { Once } from '../../shared/redis/script.ts'
import type { Dependencies } from '../../shared/service.ts'
import { addItem, createOrder, initOrders, place } from '../commands.ts'
import { isPaid, isStatus, type Order, type Status } from '../order.ts'
import { names } from './keys.ts'

/** What a checkout must know of its order before it asks for the lock, and when that was so, by the own Redis. */
export type OrderView = {
  readonly user: string
  readonly status: Status
  /** Its last checkout, or ''. */
  readonly saga: string
  readonly lines: string
  readonly readMs: number
}

/** How an order is to be paid. */
export type PaidBy = { readonly method: string; readonly installments: number }

/**
 * `new` if payment was asked for the user of the order, and has them; `known` if it need not be asked again where that is noted, and
 * nothing is to be made otherwise.
 */
export type Customer = { readonly customer?: 'new' | 'known' }

export type CartStore = {
  /** `undefined` if there is no such order, or it is another's. */
  readonly find: (order: string, owner?: string) => Promise<Order | undefined>
  readonly readForCheckout: (order: string) => Promise<OrderView | undefined>
  readonly create: (
    order: string,
    user: string,
    once: Once,
    customer?: Customer,
  ) => Promise<ResultOnce<typeof createOrder>>
  readonly place: (
    placed: { order: string; user: string; total: number; lines: string; costs: string } & Partial<PaidBy> & Customer,
    once: Once,
  ) => Promise<ResultOnce<typeof place>>
  /** Adds to an order as far as the method allows it by which that is to be paid. */
  readonly addItem: (
    line: { order: string; item: string; quantity: number; price: number },
    once: Once,
  ) => Promise<ResultOnce<typeof addItem>>
  readonly initOrders: (
    batch: { first: number; last: number; items: number; users: number; price: number; seed: number },
    once: Once,
  ) => Promise<ResultOnce<typeof initOrders>>
}

export type CartStoreOptions = Pick<Dependencies, 'redis' | 'step' | 'identifiers'> & {
  readonly log: Log
  readonly runOnce: Runner['runOnce']
}

const statusOf = (text: string | null | undefined): Status =>
  text != null && isStatus(text) ? text : impossible('order.status', text)

/** What `checkout/lua/read-for-checkout.lua` returns: user, status, saga and lines; nothing of an order that is unknown. */
const row = tuple(optional(text), optional(text), optional(text), optional(text))

export const openCartStore = ({ log, redis, step, identifiers, runOnce }: CartStoreOptions): CartStore => {
  const readOrder = log.query('read-for-checkout', row)
  return {
    find: async (order, owner) => {
      const [user, status, total, lines] = await step('find', () =>
        redis.hmget(names.order + order, 'user', 'status', 'total', 'lines'),
      )
      if (user == null || isAnothers(user, owner)) return undefined
      return {
        order_id: order,
        paid: isPaid(status ?? ''),
        items: parseLines(lines ?? ''),
        user_id: user,
        total_cost: Number(total),
        status: statusOf(status),
      }
    },
    readForCheckout: async (order) => {
      const { found, readMs } = await step('glance', () => readOrder(order))
      const [user, status, saga, lines] = found
      if (user == null) return undefined
      return {
        user,
        status: statusOf(status),
        saga: saga ?? '',
        lines: lines ?? '',
        readMs: readMs ?? (await log.readMs()),
      }
    },
    create: (order, user, once, customer) =>
      runOnce(createOrder, { log_id: identifiers.next(), order, user, ...customer }, once),
    place: (placed, once) => runOnce(place, { log_id: identifiers.next(), ...placed }, once),
    addItem: async (line, once) => {
      const args = { log_id: identifiers.next(), ...line }
      const result = await runOnce(addItem, args, once)
      if (result[0] !== 'bounded') return result
      const [, method, installments] = result
      const { min, max } = offerOf(method, Number(installments)) ?? impossible('order.method', result)
      return runOnce(addItem, { ...args, min, max }, once)
    },
    initOrders: (batch, once) => runOnce(initOrders, { log_id: identifiers.next(), ...batch }, once),
  }
}
