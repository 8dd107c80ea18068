/**
 * Who shops while the harm is done?
 *
 * *Visitors*, each of whom does what the plan says of its number: it fills an order and checks it out. In an open loop they
 * come at a steady rate, however slow the shop is, as people do; in a closed loop each customer makes the next visit when
 * its last one is over. What was not done, or is safe to repeat, is asked again until there is an answer to it; a visitor who
 * asks without a key for something else, and does not learn what became of it, goes home. How many visit at once, how many
 * visits there are and how long a visitor insists is bounded.
 */

import { setTimeout as after } from 'node:timers/promises'
import { isSafeToRepeat } from '../../gateway/proxy/retry.ts'
import type { Line } from '../../shared/contract/events.ts'
import type { Does } from '../support/checker/history.ts'
import { doing, inParallel } from '../support/load/jobs.ts'
import { closedLoop, type Loop, openLoop } from '../support/load/loops.ts'
import { answerIfAny, type Client, type Reply } from '../support/shop/client.ts'
import { endOf, type Meter } from './meter.ts'
import type { Load } from './options.ts'
import { type Population, planVisit, requestsOf, type Visit } from './plan.ts'

/** The names that the shop gave to those of the plan. */
export type Names = { readonly users: readonly string[]; readonly items: readonly string[] }

export type Shopping = {
  readonly visitors: () => number
  /** How many did not get in, because too many were inside. */
  readonly turnedAway: () => number
  readonly visits: () => number
  /** Nobody comes any more; resolves when all have gone. */
  readonly stop: () => Promise<void>
}

const SEED_WIDTH = 16
const VISITORS_MAX = 2_000
const VISITS_MAX = 300_000
const TIMEOUT_MS = 20_000
/** The pause before asking again doubles up to the last, or those who repeat would keep a busy shop busy by themselves. */
const PAUSE_FIRST_MS = 250
const PAUSE_LAST_MS = 4_000
/** So many visits are looked at to know how many requests one takes. */
const SAMPLE = 1_000

/** Makes the users and items of the plan. */
export const populate = async (client: Client, { users, items }: Population): Promise<Names> => ({
  users: await inParallel(users.length, SEED_WIDTH, (user) => client.createUser(users[user]?.credit)),
  items: await inParallel(items.length, SEED_WIDTH, (item) => {
    const { price = 0, stock = 0 } = items[item] ?? {}
    return client.createItem(price, stock)
  }),
})

const problemNameOf = ({ status, json }: Reply): string =>
  status === 200
    ? ''
    : (String((json as { type?: unknown } | undefined)?.type ?? '')
        .split(':')
        .at(-1) ?? '')

/** Asks, measured: once, or until there is an answer. */
const openAsking = (client: Client, meter: Meter) => {
  const askOnce = async (does: Does, method: 'GET' | 'POST', path: string, key?: string) => {
    const answered = meter.ask(does, isSafeToRepeat(method, path, key !== undefined))
    const reply = await answerIfAny(client.request(method, path, key === undefined ? {} : { 'Idempotency-Key': key }))
    const end = endOf(reply?.status ?? 0, reply ? problemNameOf(reply) : '')
    answered(end)
    return { reply, end }
  }
  /** @returns the answer of 200, if there is one. */
  return async (does: Does, method: 'GET' | 'POST', path: string, key?: string): Promise<Reply | undefined> => {
    const deadline = performance.now() + TIMEOUT_MS
    for (let pauseMs = PAUSE_FIRST_MS; ; pauseMs = Math.min(2 * pauseMs, PAUSE_LAST_MS)) {
      const { reply, end } = await askOnce(does, method, path, key)
      if (end === 'ok') return reply
      const mayAskAgain = end === 'unknown' ? isSafeToRepeat(method, path, key !== undefined) : end !== 'refused'
      if (!mayAskAgain || performance.now() > deadline) return undefined
      await after(pauseMs)
    }
  }
}
type Ask = ReturnType<typeof openAsking>

/** One visit; `id` begins its keys, which nobody else uses. */
const pay = async (ask: Ask, names: Names, visit: Visit, id: string): Promise<void> => {
  const user = names.users[visit.user]
  const itemOf = (item: number): string => names.items[item] ?? ''
  const keyFor = (action: string): string | undefined => (visit.keyed ? `${id}-${action}` : undefined)

  if (visit.funds > 0) await ask('add-funds', 'POST', `/payment/add_funds/${user}/${visit.funds}`, `${id}-funds`)
  if (visit.delivery) {
    const [item, pieces] = visit.delivery
    await ask('add', 'POST', `/stock/add/${itemOf(item)}/${pieces}`, `${id}-delivery`)
  }
  const created = await ask('create-order', 'POST', `/orders/create/${user}`, keyFor('order'))
  if (created === undefined) return
  const { order_id: order } = created.json as { order_id: string }
  for (const [index, [item, quantity]] of visit.lines.entries()) {
    const line: Line = [itemOf(item), quantity]
    await ask('add-item', 'POST', `/orders/addItem/${order}/${line.join('/')}`, keyFor(`line-${index}`))
  }
  const checkOut = () => ask('checkout', 'POST', `/orders/checkout/${order}`, keyFor('checkout'))
  await Promise.all(Array.from({ length: visit.atOnce }, checkOut))
  if (visit.looks) {
    await ask('find-order', 'GET', `/orders/find/${order}`)
    await ask('find-user', 'GET', `/payment/find_user/${user}`)
    await ask('find-item', 'GET', `/stock/find/${itemOf(visit.lines[0]?.[0] ?? 0)}`)
  }
  if (visit.asksAgain) await ask('checkout', 'POST', `/orders/checkout/${order}`)
}

export type ShoppingOptions = {
  readonly client: Client
  readonly meter: Meter
  readonly population: Population
  readonly names: Names
  readonly load: Load
  readonly seed: number
}

/** Opens the doors. */
export const startShopping = ({ client, meter, population, names, load, seed }: ShoppingOptions): Shopping => {
  const ask = openAsking(client, meter)
  const visit = (number: number): Promise<void> =>
    pay(ask, names, planVisit(population, seed, number), `visit-${number}`)
  // What goes wrong for a visitor is nobody's to answer: it ends the drill.
  const hire = doing(visit, (error) => {
    throw error
  })
  let turnedAway = 0
  const turnAway = (): void => {
    turnedAway += 1
  }
  const openDoors = (perSecond: number): Loop => {
    const sample = Array.from({ length: SAMPLE }, (_, number) => requestsOf(planVisit(population, seed, number)))
    const requestsPerVisit = sample.reduce((sum, requests) => sum + requests, 0) / SAMPLE
    const rate = perSecond / requestsPerVisit
    return openLoop({ hire, perSecond: rate, most: VISITORS_MAX, missed: turnAway, count: VISITS_MAX })
  }
  const loop =
    load.loop === 'closed' ? closedLoop({ hire, width: load.customers, count: VISITS_MAX }) : openDoors(load.perSecond)
  return { visitors: loop.underWay, turnedAway: () => turnedAway, visits: loop.next, stop: loop.stop }
}
