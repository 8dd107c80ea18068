/**
 * Who shops while the harm is done?
 *
 * *Visitors*, each of whom does what the plan says of its number: it places or fills an order and checks it out, or changes it,
 * sends it back, cancels it. In an open loop they come at a steady rate, however slow the shop is, as people do; in a closed loop
 * each customer makes the next visit when its last one is over. What was not done, or is safe to repeat, is asked again until
 * there is an answer to it; a visitor who asks without a key for something else, and does not learn what became of it, goes home.
 * How many visit at once, how many visits there are and how long a visitor insists is bounded.
 */

import { setTimeout as after } from 'node:timers/promises'
import { isSafeToRepeat } from '../../gateway/proxy/retry.ts'
import { type Does, isDone } from '../support/checker/history.ts'
import { doing, inParallel } from '../support/load/jobs.ts'
import { closedLoop, type Loop, openLoop } from '../support/load/loops.ts'
import { answerIfAny, type Client, type Reply } from '../support/shop/client.ts'
import type { Bearing, Who } from './identities.ts'
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
/** How many of a user's orders are looked at. */
const LISTED = 10
const VISITORS_MAX = 2_000
const VISITS_MAX = 300_000
const TIMEOUT_MS = 20_000
/** The pause before asking again doubles up to the last, or those who repeat would keep a busy shop busy by themselves. */
const PAUSE_FIRST_MS = 250
const PAUSE_LAST_MS = 4_000
/** How long one asks for a checkout that is not decided. */
const WAIT_S = 2
const UNDECIDED: ReadonlySet<string> = new Set(['submitted', 'checking-out'])
/** So many visits are looked at to know how many requests one takes. */
const SAMPLE = 1_000

/** Makes the users and items of the plan. */
export const populate = async (client: Client, bearing: Bearing, { users, items }: Population): Promise<Names> => {
  const wanted = async <Body>(who: Who, path: string): Promise<Body> => {
    const { status, text, json } = await client.post(path, await bearing(who))
    if (status !== 200) throw new Error(`POST ${path} was answered ${status}: ${text}`)
    return json as Body
  }
  const createUser = async (customer: number): Promise<string> => {
    const { credit = 0 } = users[customer] ?? {}
    const { user_id } = await wanted<{ user_id: string }>({ customer }, '/payment/create_user')
    if (credit > 0) await wanted('merchant', `/payment/add_funds/${user_id}/${credit}`)
    return user_id
  }
  const createItem = async (item: number): Promise<string> => {
    const { price = 0, stock = 0 } = items[item] ?? {}
    const { item_id } = await wanted<{ item_id: string }>('merchant', `/stock/item/create/${price}`)
    if (stock > 0) await wanted('merchant', `/stock/add/${item_id}/${stock}`)
    return item_id
  }
  return {
    users: await inParallel(users.length, SEED_WIDTH, createUser),
    items: await inParallel(items.length, SEED_WIDTH, createItem),
  }
}

const problemNameOf = ({ status, json }: Reply): string =>
  isDone(status)
    ? ''
    : (String((json as { type?: unknown } | undefined)?.type ?? '')
        .split(':')
        .at(-1) ?? '')

type Wanted = {
  readonly key?: string | undefined
  readonly fields?: object
  /** The version from which something is changed; any, if it is none. */
  readonly from?: string
  readonly prefers?: string
}

/** With what a request is sent: a price is changed whatever it was before. */
const sentWith = (method: string, { key, fields, from = '*', prefers }: Wanted) => ({
  headers: {
    ...(key === undefined ? {} : { 'Idempotency-Key': key }),
    ...(fields === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(method === 'PATCH' ? { 'If-Match': from } : {}),
    ...(prefers === undefined ? {} : { Prefer: prefers }),
  },
  body: fields && JSON.stringify(fields),
})

/** Asks as somebody, measured: once, or until there is an answer. */
const openAsking = (client: Client, meter: Meter, bearing: Bearing) => (who: Who) => {
  const askOnce = async (does: Does, method: string, path: string, wanted: Wanted) => {
    const bears = await bearing(who)
    const answered = meter.ask(does, isSafeToRepeat(method, path, { hasKey: wanted.key !== undefined }))
    const { headers, body } = sentWith(method, wanted)
    const reply = await answerIfAny(client.request(method, path, { ...headers, ...bears }, body))
    const end = endOf(reply?.status ?? 0, reply ? problemNameOf(reply) : '')
    answered(end)
    return { reply, end }
  }
  /** @returns the answer that it was done, if there is one. */
  return async (does: Does, method: string, path: string, wanted: Wanted = {}): Promise<Reply | undefined> => {
    const deadline = performance.now() + TIMEOUT_MS
    for (let pauseMs = PAUSE_FIRST_MS; ; pauseMs = Math.min(2 * pauseMs, PAUSE_LAST_MS)) {
      const { reply, end } = await askOnce(does, method, path, wanted)
      if (end === 'ok') return reply
      const mayAskAgain =
        end === 'unknown' ? isSafeToRepeat(method, path, { hasKey: wanted.key !== undefined }) : end !== 'refused'
      if (!mayAskAgain || performance.now() > deadline) return undefined
      await after(pauseMs)
    }
  }
}
type Ask = ReturnType<ReturnType<typeof openAsking>>
/** Somebody else asks for what is the customer's. */
export type Peek = (other: Who, path: string) => Promise<void>

/** What a visitor shops with: how it asks, and who sells; the names of things, and the beginning of its keys, which nobody else uses. */
type Bag = {
  readonly ask: Ask
  readonly asSeller: Ask
  readonly peek: Peek | undefined
  readonly names: Names
  readonly id: string
}

const itemIn = ({ items }: Names, item: number): string => items[item] ?? ''

/** What is given and changed before. */
const giveBefore = async ({ asSeller, names, id }: Bag, { user, funds, delivery, pricing }: Visit): Promise<void> => {
  if (funds > 0)
    await asSeller('add-funds', 'POST', `/payment/add_funds/${names.users[user]}/${funds}`, { key: `${id}-funds` })
  if (delivery) {
    const [item, pieces] = delivery
    await asSeller('add', 'POST', `/stock/add/${itemIn(names, item)}/${pieces}`, { key: `${id}-delivery` })
  }
  if (pricing) {
    const [item, price] = pricing
    await asSeller('set-price', 'PATCH', `/stock/item/${itemIn(names, item)}`, {
      key: `${id}-price`,
      fields: { price },
    })
  }
}

/** Makes the order. @returns its id, if there is one */
const orderWith = async (
  { ask, names, id }: Bag,
  { user, lines, keyed, places }: Visit,
): Promise<string | undefined> => {
  const keyFor = (action: string) => (keyed ? { key: `${id}-${action}` } : {})
  const named = lines.map(([item, quantity]) => ({ item_id: itemIn(names, item), quantity }))
  if (places) {
    const fields = { user_id: names.users[user], lines: named }
    const placed = await ask('place', 'POST', '/orders', { ...keyFor('order'), fields })
    return (placed?.json as { order_id: string } | undefined)?.order_id
  }
  const created = await ask('create-order', 'POST', `/orders/create/${names.users[user]}`, keyFor('order'))
  const order = (created?.json as { order_id: string } | undefined)?.order_id
  if (order === undefined) return undefined
  for (const [index, { item_id, quantity }] of named.entries())
    await ask('add-item', 'POST', `/orders/addItem/${order}/${item_id}/${quantity}`, keyFor(`line-${index}`))
  return order
}

/** Asks for what was not decided at once until it is. @returns how it ended, if that is known in time */
const askUntil = async <Shown>(
  ask: () => Promise<Reply | undefined>,
  endOf: (shown: Shown) => string | undefined,
): Promise<string | undefined> => {
  for (const deadline = performance.now() + TIMEOUT_MS; performance.now() < deadline; await after(PAUSE_FIRST_MS)) {
    const reply = await ask()
    const end = reply && endOf(reply.json as Shown)
    if (end !== undefined) return end
  }
  return undefined
}

type CheckoutShown = { readonly log_id: string; readonly state: string }

/** Has the checkout submitted, and asks for it until it is decided, or another one of the order is begun. @returns whether it is paid */
const submit = async ({ ask }: Bag, order: string, wanted: Wanted): Promise<boolean> => {
  const path = `/orders/checkout/${order}`
  const reply = await ask('submit', 'POST', path, { ...wanted, prefers: 'respond-async' })
  if (reply?.status !== 202) return reply !== undefined
  const { log_id } = reply.json as CheckoutShown
  const end = await askUntil<CheckoutShown>(
    () => ask('find-checkout', 'GET', path, { prefers: `wait=${WAIT_S}` }),
    (shown) => {
      if (shown.log_id !== log_id) return 'replaced'
      return UNDECIDED.has(shown.state) ? undefined : shown.state
    },
  )
  return end === 'paid'
}

/** Places an order over a value by form, and asks what became of it. */
const placeForm = async ({ ask, names, id }: Bag, { user, keyed }: Visit, value: number): Promise<void> => {
  const fields = { user_id: names.users[user], value, installment: 1, method: 'cash' }
  const placed = await ask('place-form', 'POST', '/api/orders', { ...(keyed ? { key: `${id}-form` } : {}), fields })
  if (placed === undefined) return
  await askUntil<{ status: string }>(
    () => ask('find-form', 'GET', `/api/order/${(placed.json as { id: string }).id}`),
    ({ status }) => (status === 'PROCESSING' ? undefined : status),
  )
}

/** Changes of how many pieces the first line is, from the version that the visitor sees; a rival of its changes it from that one, too. */
const change = async (bag: Bag, order: string, { lines, changes, keyed }: Visit): Promise<void> => {
  const { ask, names, id } = bag
  const [line] = lines
  const seen = changes && (await ask('show-order', 'GET', `/orders/${order}`))
  const from = seen?.headers.etag
  if (line === undefined || changes === undefined || from === undefined) return
  const changeTo = (quantity: number, who: string) =>
    ask('change', 'PATCH', `/orders/${order}`, {
      ...(keyed ? { key: `${id}-${who}` } : {}),
      from: String(from),
      fields: { lines: [{ item_id: itemIn(names, line[0]), quantity }] },
    })
  const { when, quantity } = changes
  await Promise.all([changeTo(quantity, 'change'), when === 'rivals' && changeTo(quantity + 1, 'rival')])
}

/** Checks the order out; and cancels it meanwhile, if it is to. @returns whether it is paid */
const checkOut = async (bag: Bag, order: string, visit: Visit): Promise<boolean> => {
  const key = visit.keyed ? { key: `${bag.id}-checkout` } : {}
  const checkOutOnce = async (): Promise<boolean> => {
    if (visit.submits) return submit(bag, order, key)
    return (await bag.ask('checkout', 'POST', `/orders/checkout/${order}`, key)) !== undefined
  }
  const checkouts = Array.from({ length: visit.atOnce }, checkOutOnce)
  const [paid] = await Promise.all([Promise.all(checkouts), visit.cancels === 'meanwhile' && cancel(bag, order)])
  return paid.some(Boolean)
}

/** Safe to repeat without a key. */
const cancel = ({ ask }: Bag, order: string) => ask('cancel', 'POST', `/orders/${order}/cancel`)

const sendBack = async ({ ask, names, id }: Bag, order: string, { lines, returns, keyed }: Visit): Promise<void> => {
  const [line] = lines
  if (line === undefined) return
  const fields = returns === 'all' ? {} : { lines: [{ item_id: itemIn(names, line[0]), quantity: 1 }] }
  await ask('refund', 'POST', `/orders/${order}/refunds`, { ...(keyed ? { key: `${id}-refund` } : {}), fields })
}

const shop = async (bag: Bag, visit: Visit): Promise<void> => {
  const { ask, peek, names } = bag
  const user = names.users[visit.user]
  const when = visit.changes?.when
  await giveBefore(bag, visit)
  if (visit.form !== undefined) return placeForm(bag, visit, visit.form)
  const order = await orderWith(bag, visit)
  if (order === undefined) return
  if (when === 'before' || when === 'rivals') await change(bag, order, visit)
  const isPaid = await checkOut(bag, order, visit)
  if (isPaid && visit.cancels !== 'meanwhile') {
    if (when === 'after') await change(bag, order, visit)
    if (visit.returns) await sendBack(bag, order, visit)
  }
  if (visit.cancels === 'after') await cancel(bag, order)
  if (visit.looks) {
    await ask('find-order', 'GET', `/orders/find/${order}`)
    await ask('find-user', 'GET', `/payment/find_user/${user}`)
    await ask('find-item', 'GET', `/stock/find/${itemIn(names, visit.lines[0]?.[0] ?? 0)}`)
    await ask('find-orders', 'GET', `/orders?user=${user}&limit=${LISTED}`)
    const other = { customer: (visit.user + 1) % names.users.length }
    await peek?.(other, `/orders/find/${order}`)
  }
  if (visit.asksAgain) await ask('checkout', 'POST', `/orders/checkout/${order}`)
}

export type ShoppingOptions = {
  readonly client: Client
  readonly meter: Meter
  readonly bearing: Bearing
  /** Where there are customers who may not see what is another's. */
  readonly peek: Peek | undefined
  readonly population: Population
  readonly names: Names
  readonly load: Load
  readonly seed: number
}

/** Opens the doors. */
export const startShopping = (options: ShoppingOptions): Shopping => {
  const { client, meter, bearing, peek, population, names, load, seed } = options
  const asking = openAsking(client, meter, bearing)
  const asSeller = asking('merchant')
  const visit = (number: number): Promise<void> => {
    const planned = planVisit(population, seed, number)
    const ask = asking({ customer: planned.user })
    return shop({ ask, asSeller, peek, names, id: `visit-${number}` }, planned)
  }
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
