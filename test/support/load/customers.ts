/**
 * Customers who want to be told: many orders, of which some must be refused for credit and some for stock, and people who
 * ask for their checkout, and repeat what was not answered or answered with "not now", until they know.
 *
 * Whatever is done to the shop meanwhile, each must in the end have the answer that is due, and every answer that was ever
 * given must be true; `told` keeps them all.
 */

import assert from 'node:assert/strict'
import type { Told } from '../checker/invariants.ts'
import { eventually } from '../eventually.ts'
import { answerIfAny, type Client, problemOf } from '../shop/client.ts'
import { doing, inParallel, openCount } from './jobs.ts'
import { closedLoop } from './loops.ts'

export const CUSTOMERS = 32
const SAVERS = 6
/** How long a customer repeats a request. */
const TIMEOUT_MS = 90_000

/** What a checkout must end with: paid, out of credit, out of stock. */
export type Due = 200 | 402 | 409
export type Wanted = { readonly order: string; readonly due: Due }

/** Three of five orders can be paid, one is of somebody too poor, one of something that is not there. */
export const seedOrders = async (client: Client, orders: number): Promise<Wanted[]> => {
  const items = await inParallel(5, 5, () => client.createItem(2, 10_000))
  const gone = await client.createItem(2, 1)
  const rich = await inParallel(40, 16, () => client.createUser(10_000))
  const poor = await inParallel(10, 10, () => client.createUser(5))
  const pick = (list: readonly string[], index: number): string => list[index % list.length] ?? ''
  return inParallel(orders, 16, async (index): Promise<Wanted> => {
    const due: Due = index % 5 < 3 ? 200 : index % 5 === 3 ? 402 : 409
    const order = await client.createOrder(pick(due === 402 ? poor : rich, index), [
      [pick(items, index), 2],
      [due === 409 ? gone : pick(items, index + 1), 2],
    ])
    return { order, due }
  })
}

/** "Not now", as opposed to an answer to the question. */
const isNotNow = (status: number, type: unknown): boolean =>
  status >= 500 || status === 423 || status === 424 || type === 'urn:shop:problem:checkout-cancelling'

/** An answer to a checkout, 0 if there was none, and how long it took. */
export type TimedTold = Told & { readonly ms: number }

/** Asks for a checkout until there is an answer to it; each answer on the way is written down. */
export const insist = (client: Client, order: string, told: TimedTold[]): Promise<number> =>
  eventually(async () => {
    const startedAt = performance.now()
    const reply = await answerIfAny(client.checkout(order))
    told.push({ order, status: reply?.status ?? 0, ms: performance.now() - startedAt })
    assert.ok(reply, 'no answer')
    assert.ok(!isNotNow(reply.status, reply.status === 200 ? '' : problemOf(reply).type), reply.text)
    return reply.status
  }, TIMEOUT_MS)

export type Crowd = {
  /** Every answer to every checkout so far. */
  readonly told: readonly TimedTold[]
  /** Resolves when so many customers know; at once if they do. */
  readonly served: (count: number) => Promise<void>
  /** Resolves when all know: those who were told something else than is due, with what they were told. */
  readonly wronglyAnswered: Promise<readonly (Wanted & { readonly status: number })[]>
}

/** Lets 32 customers at a time come, one for each order. */
export const startCrowd = (client: Client, wanted: readonly Wanted[]): Crowd => {
  const told: TimedTold[] = []
  const known = openCount()
  const ends = inParallel(wanted.length, CUSTOMERS, async (index) => {
    const { order, due } = wanted[index] as Wanted
    const status = await insist(client, order, told)
    known.add()
    return { order, due, status }
  })
  // It is awaited later, when the fault is over.
  ends.catch(() => undefined)
  return {
    told,
    served: (count) => Promise.race([known.reached(count), ends.then(() => undefined)]),
    wronglyAnswered: ends.then((all) => all.filter(({ status, due }) => status !== due)),
  }
}

/** Several add 1 to a wallet, again and again under ever new keys, each time until it is acknowledged. */
export const startSaving = (client: Client, user: string): { stop: () => Promise<number> } => {
  let saved = 0
  const failures: unknown[] = []
  const save = async (number: number): Promise<void> => {
    const key = { 'Idempotency-Key': `${user}-${number}` }
    await eventually(async () => {
      assert.equal((await answerIfAny(client.post(`/payment/add_funds/${user}/1`, key)))?.status, 200)
    }, TIMEOUT_MS)
    saved += 1
  }
  const loop = closedLoop({
    width: SAVERS,
    hire: doing(save, (error) => {
      failures.push(error)
      void loop.stop()
    }),
  })
  return {
    stop: async () => {
      await loop.stop()
      if (failures.length > 0) throw failures[0]
      return saved
    },
  }
}
