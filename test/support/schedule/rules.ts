/**
 * What contradicts the promises, when a schedule has come to rest?
 *
 * The logs are read as the accounts they are, and must agree with each other, with what the stores show, and with what customers were
 * told. A service that has lost its tail lists what nobody can know any more, and nothing else is excused.
 */

import { refundIn } from '../../../order/amend/amendment.ts'
import { PARTICIPANTS, type Participant } from '../../../shared/contract/services.ts'
import type { LogEntry } from '../../../shared/log/entry.ts'
import {
  type Account,
  type Accounts,
  closing,
  linesOf,
  orderAccount,
  payAccount,
  stockAccount,
} from '../checker/accounts.ts'
import { describe } from '../checker/anomaly.ts'
import { brokenDrafts, draftIn } from '../checker/drafts.ts'
import { ledgerOf } from '../checker/ledgers.ts'
import { plainly } from '../shop/open-store.ts'
import type { ThreeServices } from '../three-services.ts'
import type { Customers, OrderTold, Saga, Wanted } from './customers.ts'
import type { Shop } from './steps.ts'

/** What is judged. */
export type Rest = {
  readonly services: Pick<ThreeServices, 'redis' | 'stores' | 'logs'>
  readonly shop: Shop
  readonly customers: Customers
  /** What is said in each log, also of what was trimmed since. */
  readonly logs: Readonly<Record<Participant, readonly LogEntry[]>>
  /** Services whose tails were lost. */
  readonly lost: readonly Participant[]
  /** What order lists as lost by itself. */
  readonly listed: readonly LogEntry[]
  /** What payment had said before it lost its tail: order may have adopted a checkout by it. */
  readonly saidByPayment: readonly LogEntry[]
  /** Orders that are listed as contradicted, and those whose contradiction a person has resolved. */
  readonly waiting: readonly string[]
  readonly resolved: Readonly<Record<'refund' | 'accept', ReadonlySet<string>>>
  readonly unfinished: readonly { readonly by: string; readonly id: string; readonly state: string }[]
}

/** How a refund stands in order, payment and stock, by what each said last; and how in the end. */
const REFUND = /granted|settled|refunded|restocked|written-off/
const WHOLE_REFUND = /^settled refunded (restocked|written-off)$/

export const accountsOf = ({ logs, lost, saidByPayment }: Pick<Rest, 'logs' | 'lost' | 'saidByPayment'>): Accounts => ({
  order: orderAccount(
    logs.order,
    lost.length > 0 ? linesOf([...saidByPayment, ...logs.payment], 'CreditCaptured') : undefined,
  ),
  payment: payAccount(logs.payment, { lossy: lost.length > 0 }),
  stock: stockAccount(logs.stock, linesOf(logs.order)),
})

/** Orders of which a person knows, or has known, that they are not what was decided. */
const excusedIn = ({ waiting, resolved }: Rest): readonly string[] => [...waiting, ...resolved.accept]

/** Is it listed as lost by its own service? */
const isListed = ({ listed }: Rest, kind: string, name: keyof LogEntry['facts'] | 'log_id', of: string): boolean =>
  listed.some((entry) => entry.kind === kind && (name === 'log_id' ? entry.log_id : entry.facts[name]) === of)

/** An order as it is shown, and whether it was paid, whatever became of it then. */
const lookAt = async ({ services: { redis, stores } }: Rest, name: string) => {
  const shown = await stores.order.show(name)
  const refunded = await redis.order.hget(`order:${name}`, 'refunded')
  const wasPaid = shown?.status === 'paid' || (shown?.status === 'cancelled' && refunded !== null)
  return { shown, wasPaid }
}
type Looked = Awaited<ReturnType<typeof lookAt>>

/** By the ledgers of the three, all that is paid was charged and taken, but for what a person has accepted. */
const imbalances = async ({ services: { redis } }: Rest): Promise<readonly string[]> => {
  const ours = await ledgerOf(redis.order)
  const [payment, stock] = [await ledgerOf(redis.payment), await ledgerOf(redis.stock)]
  const [paid, sold] = [ours('paid') - ours('accepted-paid'), ours('sold') - ours('accepted-sold')]
  return [
    ...(payment('charged') === paid ? [] : [`${payment('charged')} was charged, and ${paid} is paid`]),
    ...(stock('taken') === sold ? [] : [`${stock('taken')} was taken, and ${sold} is sold`]),
  ]
}

/** Refunds that did not end alike in all three, and orders that show others than were granted of them. */
const brokenRefunds = async (
  rest: Rest,
  accounts: Readonly<Record<Participant, Account<unknown>>>,
): Promise<readonly string[]> => {
  const { customers, services } = rest
  const excused = excusedIn(rest)
  const found: string[] = []
  for (const [id, { order = '' }] of customers.refunds)
    if (!isListed(rest, 'RefundGranted', 'log_id', id) && !accounts.order.sagas.has(id) && !excused.includes(order))
      found.push(`${id} is gone`)
  const ids = new Set(PARTICIPANTS.flatMap((participant) => [...accounts[participant].sagas.keys()]))
  for (const id of ids) {
    const ends = PARTICIPANTS.map((participant) => accounts[participant].sagas.get(id)?.state).join(' ')
    if (REFUND.test(ends) && !WHOLE_REFUND.test(ends)) found.push(`half a refund of ${id}: ${ends}`)
  }
  const amended = rest.logs.order.filter(({ kind }) => kind === 'OrderAmended')
  const left = new Set(amended.map(({ log_id }) => refundIn(log_id)))
  for (const { name } of customers.orders()) {
    const { shown } = await lookAt(rest, name)
    if (shown === undefined || excused.includes(name) || rest.resolved.refund.has(name)) continue
    const granted = (await services.stores.order.refundsOf(name)) ?? []
    // What left with an amendment is no line of its order any more; but if that could not be made again, it is a refund like any other.
    const all = granted.filter(({ id }) => !left.has(id))
    const money = all.reduce((sum, { amount }) => sum + amount, 0)
    const back = shown.lines.every(({ item_id, returned }) => {
      const pieces = all.flatMap(({ lines }) => lines.filter(([item]) => item === item_id).map(([, count]) => count))
      return returned === pieces.reduce((sum, count) => sum + count, 0)
    })
    if (money !== shown.refunded_amount || !back || granted.some(({ state }) => state !== 'settled'))
      found.push(`${name} shows ${JSON.stringify(shown.lines)}, but ${JSON.stringify(all)}`)
  }
  return found
}

/** Orders whose draft is not of them as they are. */
const misdrafted = async (rest: Rest): Promise<readonly string[]> => {
  const { redis } = rest.services
  const drafts = Object.entries(await redis.payment.hgetall('drafts')).map(
    ([order, text]) => [order, draftIn(text)] as const,
  )
  const names = rest.customers.orders().map(({ name }) => name)
  const orders = await Promise.all(
    names.map(async (name) => [name, await redis.order.hgetall(`order:${name}`)] as const),
  )
  const known = orders.filter(([, fields]) => fields.user !== undefined)
  const excused = excusedIn(rest).map((order) => `order:${order}`)
  return brokenDrafts(new Map(drafts), new Map(known))
    .filter(({ about }) => !excused.includes(about))
    .map(describe)
}

/** Wallets and shelves that are not what their logs say, or of which something is held. */
const brokenAmounts = async ({ services: { stores } }: Rest, accounts: Accounts): Promise<readonly string[]> => {
  const found: string[] = []
  for (const [thing, { credit, held }] of closing(accounts.payment)) {
    const user = thing.replace('user:', '')
    const shown = await stores.payment.find(user)
    if (shown?.credit !== credit) found.push(`${user} owns ${shown?.credit}, by the log ${credit}`)
    if (held !== 0) found.push(`${user} has ${held} held`)
    if (credit > 0 && (await stores.payment.pay(user, credit, plainly))[0] !== 'paid')
      found.push(`${user} cannot spend`)
  }
  for (const [thing, { stock }] of closing(accounts.stock)) {
    const item = thing.replace('item:', '')
    const shown = await stores.stock.find(item)
    if (shown?.stock !== stock) found.push(`of ${item} there are ${shown?.stock}, by the log ${stock}`)
  }
  return found
}

/** What an order is, or would be, as it is shown: whose, its total, and pieces by item. */
const asShown = (user: string, total: number, lines: readonly (readonly [string, number])[]): string =>
  `${total} of ${user} for ${lines
    .map(([item, quantity]) => `${item}:${quantity}`)
    .toSorted()
    .join()}`

const asWanted = ({ items, orders }: Shop, { name }: OrderTold, wanted: Wanted): string => {
  const lines = wanted.flatMap((quantity, item) => (quantity > 0 ? [[`i${item}`, quantity] as const] : []))
  const total = wanted.reduce((sum, quantity, item) => sum + quantity * (items[item]?.price ?? 0), 0)
  return asShown(`u${orders[Number(name.slice(1))]?.user}`, total, lines)
}

/** What is wrong with an order that was charged so many times. */
const brokenOrder = (rest: Rest, told: OrderTold, { shown, wasPaid }: Looked, times: number): readonly string[] => {
  const { shop, lost } = rest
  const { name, wanted, isGivenUp } = told
  const found: string[] = []
  const isForgotten = lost.includes('order')
  const isExcused = excusedIn(rest).includes(name)
  if (times > 1) found.push(`${name} was charged ${times} times`)
  if (wasPaid !== (times === 1) && !isExcused) found.push(`${name} is ${shown?.status}, charged ${times} times`)
  const known = wanted.map((one) => asWanted(shop, told, one))
  const now = shown && asShown(shown.user_id, shown.total_cost, shown.items)
  // A change that order itself has lost is listed by name; before it is what it was before.
  const isAsTold = isForgotten ? now !== undefined && known.includes(now) : now === known.at(-1)
  if (!isAsTold && (wasPaid || !isForgotten)) found.push(`${name} is ${now}, and was to be ${known.at(-1)}`)
  const isLostEnd =
    isListed(rest, 'OrderCancelled', 'order', name) || isListed(rest, 'CheckoutCancelled', 'order', name)
  if (isGivenUp && shown?.status !== 'cancelled' && !isExcused && !rest.resolved.refund.has(name) && !isLostEnd)
    found.push(`${name} was told to be cancelled, and is ${shown?.status}`)
  const isLeft = shown?.lines.some(({ quantity, returned }) => returned < quantity)
  if (shown?.status === 'cancelled' && wasPaid && isLeft && !isExcused)
    found.push(`${name} is cancelled, and not all of it is refunded: ${JSON.stringify(shown.lines)}`)
  return found
}

/** What is wrong with a checkout of which its client was told something else. */
const brokenWord = (rest: Rest, { id, order, told }: Saga, state: string, isGood: boolean): readonly string[] => {
  const ends: Readonly<Record<string, Saga['told']>> = {
    paid: 'paid',
    failed: 'failed',
    cancelling: 'cancelled',
    closed: 'cancelled',
  }
  const now = ends[state]
  if (told === undefined || told === now || (told === 'failed' && now === 'cancelled')) return []
  const isLost = rest.lost.includes('order')
  const isGone = ['CheckoutSubmitted', 'CheckoutStarted'].some((kind) => isListed(rest, kind, 'log_id', id))
  if (told === 'under-way' && (now !== undefined || isGone)) return []
  // What order's own Redis forgot it may decide otherwise, but a customer who has paid has what was paid for, or has cancelled it.
  const isKept = told === 'paid' ? isGood : now !== 'paid'
  if (told !== 'under-way' && isLost && isKept) return []
  return excusedIn(rest).includes(order) || rest.resolved.refund.has(order)
    ? []
    : [`${order} was told ${told} and is ${now}`]
}

/** How often each order was charged, and checkouts that are not whole. */
const chargesIn = (rest: Rest, accounts: Accounts) => {
  const { customers } = rest
  const found: string[] = []
  const charged = new Map<string, number>()
  const ids = new Set([
    ...PARTICIPANTS.flatMap((participant) => [...accounts[participant].sagas.keys()]),
    ...customers.sagas().map(({ id }) => id),
  ])
  for (const id of ids) {
    const [order, payment, stock] = PARTICIPANTS.map(
      (participant) => accounts[participant].sagas.get(id)?.state ?? 'none',
    )
    const ends = `${order} ${payment} ${stock}`
    if (REFUND.test(ends)) continue
    const saga = customers.sagas().find((one) => one.id === id)
    const name = saga?.order ?? ''
    const isCharged = payment === 'captured' && stock === 'taken'
    if (isCharged && saga?.amends === undefined) charged.set(name, (charged.get(name) ?? 0) + 1)
    if (!isCharged && (payment === 'captured' || stock === 'taken')) found.push(`half a checkout of ${name}: ${ends}`)
    if ((order === 'paid') !== isCharged && !excusedIn(rest).includes(name))
      found.push(`${name} is not what was done: ${ends}`)
  }
  return { charged, found }
}

/** Everything that contradicts the promises, in words. */
export const brokenPromises = async (rest: Rest, accounts: Accounts): Promise<readonly string[]> => {
  const { services, customers, waiting, unfinished } = rest
  const { charged, found } = chargesIn(rest, accounts)
  for (const [who, { faults }] of Object.entries(accounts))
    for (const { name, about, says } of faults) found.push(`${name} of ${about} in the log of ${who}: ${says}`)
  found.push(...(await brokenRefunds(rest, accounts)), ...(await brokenAmounts(rest, accounts)))
  found.push(...(await misdrafted(rest)))
  for (const { by, id, state } of unfinished) found.push(`${by} has not finished ${id}: ${state}`)
  for (const index of ['sagas:deadlines', 'submitted'])
    for (const id of await services.redis.order.zrange(index, '0', '-1')) found.push(`order has not decided ${id}`)
  const looked = new Map<string, Looked>()
  for (const told of customers.orders()) {
    const one = await lookAt(rest, told.name)
    looked.set(told.name, one)
    found.push(...brokenOrder(rest, told, one, charged.get(told.name) ?? 0))
  }
  const givenUp = new Set(customers.orders().flatMap(({ name, isGivenUp }) => (isGivenUp ? [name] : [])))
  for (const saga of customers.sagas()) {
    const state = accounts.order.sagas.get(saga.id)?.state ?? 'none'
    const { shown, wasPaid = false } = looked.get(saga.order) ?? {}
    const isCancelled = shown?.status === 'cancelled' && givenUp.has(saga.order)
    found.push(...brokenWord(rest, saga, state, wasPaid || isCancelled))
  }
  for (const participant of PARTICIPANTS)
    if ((await services.logs[participant].dead.count()) > 0) found.push(`${participant} has dead letters`)
  if (waiting.length === 0) found.push(...(await imbalances(rest)))
  return found
}
