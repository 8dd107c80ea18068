/**
 * Many checkouts that are paid, in three real Redis without processes: to see what is kept of them, and for how long.
 */

import type { Store as OrderStore } from '../../../order/store.ts'
import type { Participant } from '../../../shared/contract/services.ts'
import { logKey } from '../../../shared/log/entry.ts'
import { openThreeServices, PAIRS, startThreeServers, subscribersOf, type ThreeServices } from '../three-services.ts'
import { plainly } from './open-store.ts'

const BATCH = 256
const INIT = 1_000

export type FinishedCheckouts = AsyncDisposable & {
  readonly redis: ThreeServices['redis']
  readonly order: OrderStore
  readonly logs: ThreeServices['logs']
  /** Begins the checkout of an order. */
  readonly begin: (order: number, timeoutMs?: number) => Promise<string>
  /** One applies what another has appended, and reports it; the number of entries. */
  readonly apply: (subscriber: Participant, publisher: Participant) => Promise<number>
  /** Trims all logs as log parsers do; how many entries each has dropped. */
  readonly trim: (ageMs: number) => Promise<Readonly<Record<Participant, number>>>
  /** Has orders of two lines each paid, none of them before. */
  readonly pay: (first: number, count: number) => Promise<void>
  /** Has every service apply all there is. */
  readonly applyAll: () => Promise<void>
  /** Bytes that a Redis uses for what it keeps, and of those, for its log. */
  readonly usedBy: (participant: Participant) => Promise<{ readonly all: number; readonly log: number }>
}

/** @param nextId makes the log ids of checkouts; by default they tell the time, as those of a service do */
export const finishedCheckouts = async (orders: number, nextId?: () => string): Promise<FinishedCheckouts> => {
  await using stack = new AsyncDisposableStack()
  const services = stack.use(await openThreeServices(stack.use(await startThreeServers())))
  const { logs, redis, stores, dependencies } = services
  const { order, payment, stock } = stores
  const recovery = order.recovery(() => undefined)
  for (let first = 0; first < orders; first += INIT) {
    const last = Math.min(first + INIT, orders) - 1
    await payment.initUsers(first, last, 1_000_000, plainly)
    await stock.initItems(first, last, 1_000_000, 5, plainly)
    await order.initOrders({ first, last, items: orders, users: orders, price: 5, seed: 7 }, plainly)
  }
  const opened = stack.move()

  const apply = async (subscriber: Participant, publisher: Participant): Promise<number> => {
    const entries = await services.unread(subscriber, publisher, BATCH)
    if (entries.length > 0) await logs[subscriber].apply(publisher, await logs[subscriber].cursor(publisher), entries)
    await services.report(subscriber, publisher, await logs[subscriber].cursor(publisher))
    return entries.length
  }
  const applyAll = async (): Promise<void> => {
    for (let moved = 1; moved > 0; ) {
      moved = 0
      for (const { subscriber, publisher } of PAIRS) moved += await apply(subscriber, publisher)
    }
  }
  const bytes = async (participant: Participant, section: 'used_memory' | 'log'): Promise<number> => {
    if (section === 'log') return Number(await redis[participant].memory('USAGE', logKey(participant), 'SAMPLES', 0))
    return Number(/used_memory:(\d+)/.exec(await redis[participant].info('memory'))?.[1])
  }

  const newId = nextId ?? dependencies.order.identifiers.next
  const begin = async (at: number, timeout_ms = 60_000): Promise<string> => {
    const user = (await order.find(String(at)))?.user_id ?? ''
    const id = newId()
    await order.begin({ log_id: id, order: String(at), user, token: id, timeout_ms }, plainly)
    return id
  }

  return {
    redis,
    order,
    logs,
    begin,
    apply,
    trim: async (ageMs) => {
      const dropped = await logs.order.trim(ageMs, subscribersOf('order'))
      await recovery.beginSurvey(ageMs)
      return {
        order: dropped,
        payment: await logs.payment.trim(ageMs, subscribersOf('payment')),
        stock: await logs.stock.trim(ageMs, subscribersOf('stock')),
      }
    },
    pay: async (first, count) => {
      for (let at = first; at < first + count; at += 1) {
        await begin(at)
        if (at % BATCH === BATCH - 1) await applyAll()
      }
      await applyAll()
    },
    applyAll,
    usedBy: async (participant) => ({
      all: await bytes(participant, 'used_memory'),
      log: await bytes(participant, 'log'),
    }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
