/**
 * What do the customers of a schedule ask for, and what were they told?
 *
 * Each request is the command of its route, and its answer is kept: at the end it must be true still. No lock is taken: the commands
 * must be right without it. What a client is told is known to the process of order, which upholds it if its Redis comes back older.
 */
import { amendmentOf } from '../../../order/amend/amendment.ts'
import { type Changed, changedBy } from '../../../order/change/change.ts'
import { isPaid } from '../../../order/order.ts'
import type { ShownOrder } from '../../../order/shown.ts'
import type { AmendWish } from '../../../order/store/amendments.ts'
import type { LogEntry } from '../../../shared/log/entry.ts'
import { plainly } from '../shop/open-store.ts'
import type { ThreeServices } from '../three-services.ts'
import type { Shop, Step } from './steps.ts'

export type Saga = {
  readonly id: string
  readonly order: string
  /** What its order is to be then, if it is an amendment. */
  readonly amends?: Wanted
  /** What a client was told first: also whether order's own Redis lost the entry of that later. */
  told: 'under-way' | 'paid' | 'failed' | 'cancelled' | undefined
}

/** Pieces of each item. */
export type Wanted = readonly number[]

/** What the customers of an order know. */
export type OrderTold = {
  readonly name: string
  /** What it was to be, from the first on: the last is what it is. */
  readonly wanted: Wanted[]
  /** Its version, as it was seen first. */
  firstVersion: number | undefined
  /** Were they told that it is cancelled, or will be? */
  isGivenUp: boolean
}

type StepOf<Does extends Step['does']> = Extract<Step, { readonly does: Does }>

export type Customers = {
  readonly reset: (shop: Shop) => void
  readonly begin: (step: StepOf<'begin'>) => Promise<void>
  readonly submit: (step: StepOf<'submit'>) => Promise<void>
  /** A process begins a checkout that waits. @returns what came of it */
  readonly beginSubmitted: (id: string) => Promise<string>
  readonly change: (step: StepOf<'change'>) => Promise<void>
  readonly changeBoth: (step: StepOf<'change-both'>) => Promise<void>
  readonly refund: (step: StepOf<'refund'>) => Promise<void>
  readonly giveUp: (step: StepOf<'give-up'>) => Promise<void>
  /** A checkout was decided: whoever waits for it is told so. */
  readonly onDecided: (id: string, state: string) => void
  readonly sagas: () => readonly Saga[]
  readonly orders: () => readonly OrderTold[]
  /** Refunds that a client was told are granted, by their log ids, with what they are of. */
  readonly refunds: ReadonlyMap<string, LogEntry['facts']>
  /** What was answered that cannot be, in words. */
  readonly problems: () => readonly string[]
}

export type CustomersOptions = {
  readonly services: Pick<ThreeServices, 'stores' | 'dependencies'>
  /** Has order read what payment has emitted, as far as it can be asked: what was paid of it is known again. */
  readonly catchUp: () => Promise<unknown>
}

/** So many may wait to be begun: more than there are orders. */
const SUBMITTED_MAX = 100
const DEADLINE_MS = 60_000
const deadlineOf = (isLate = false): number => (isLate ? -1_000 : DEADLINE_MS)

/** What a client is told of a checkout that came to this state. */
const TOLD: Readonly<Record<string, Exclude<Saga['told'], undefined>>> = {
  paid: 'paid',
  failed: 'failed',
  cancelling: 'cancelled',
  closed: 'cancelled',
}

export const openCustomers = ({ services, catchUp }: CustomersOptions): Customers => {
  const { stores, dependencies } = services
  let shop: Shop = { credit: [], items: [], orders: [] }
  let sagas: Saga[] = []
  let orders: OrderTold[] = []
  let problems: string[] = []
  const refunds = new Map<string, LogEntry['facts']>()

  const pick = <Thing>(things: readonly Thing[], index: number): Thing | undefined =>
    things[index % Math.max(things.length, 1)]
  const userOf = (order: number): string => `u${shop.orders[order]?.user}`

  const onDecided: Customers['onDecided'] = (id, state) => {
    const saga = sagas.find((one) => one.id === id)
    const told = TOLD[state]
    if (saga === undefined || told === undefined || (saga.told !== undefined && saga.told !== 'under-way')) return
    saga.told = told
    if (saga.amends && told === 'paid') orders.find(({ name }) => name === saga.order)?.wanted.push(saga.amends)
  }

  const begin: Customers['begin'] = async ({ order, isLate }) => {
    const id = dependencies.order.identifiers.next()
    const user = userOf(order)
    const start = { log_id: id, order: `o${order}`, user, token: '', timeout_ms: deadlineOf(isLate) }
    const [result] = await stores.order.begin(start, plainly)
    if (result === 'begun') sagas.push({ id, order: `o${order}`, told: undefined })
  }

  const submit: Customers['submit'] = async ({ order, isLate }) => {
    const log_id = dependencies.order.identifiers.next()
    const name = `o${order}`
    const args = { log_id, order: name, timeout_ms: deadlineOf(isLate), most: SUBMITTED_MAX }
    const [result, saga] = await stores.order.submit(args, plainly)
    if (result !== 'submitted' && result !== 'checking-out') return
    if (saga === log_id) sagas.push({ id: log_id, order: name, told: undefined })
    const known = sagas.find(({ id }) => id === saga)
    // As it is asked for its answer: 202.
    await stores.order.checkoutOf(name, { saga, isTold: true })
    if (known) known.told ??= 'under-way'
  }

  const beginSubmitted: Customers['beginSubmitted'] = async (log_id) => {
    const order = (await stores.order.saga(log_id))?.order ?? ''
    const user = (await stores.order.find(order))?.user_id ?? ''
    const [result] = await stores.order.begin({ log_id, order, user, token: '', timeout_ms: DEADLINE_MS }, plainly)
    return result
  }

  /** The same of one that is paid: at once, or once payment and stock have done their part. */
  const amendTo = async (
    told: OrderTold,
    shown: ShownOrder,
    wish: Omit<AmendWish, 'amendment' | 'timeoutMs'>,
    quantities: Wanted,
    changed: Changed,
  ) => {
    const amendment = amendmentOf(shown, changed)
    const result = await stores.order.amend({ ...wish, amendment, timeoutMs: DEADLINE_MS }, plainly)
    if (result[0] === 'amending') sagas.push({ id: result[1], order: told.name, amends: quantities, told: undefined })
    if (result[0] === 'amended') {
      const [, log_id, order, user, total, lines, restock] = result
      refunds.set(log_id, { order, user, total, lines, restock })
      told.wanted.push(quantities)
    }
    // A person is to see to it first.
    if (result[0] === 'contradicted') return undefined
    const isOther = result[0] === 'amending' || result[0] === 'amended'
    return { result: isOther || result[0] === 'unchanged' ? 'changed' : result[0], isOther }
  }

  /** Changes an order as it was shown, from a version of it. @returns what came of it, and whether it is another one now */
  const changeTo = async (told: OrderTold, shown: ShownOrder, version: number, quantities: Wanted) => {
    const byItem = <Thing>(of: (item: number) => Thing) =>
      new Map(shop.items.map((_, item) => [`i${item}`, of(item)] as const))
    const prices = byItem((item) => shop.items[item]?.price ?? 0)
    const changed = changedBy(
      shown,
      byItem((item) => quantities[item] ?? 0),
      prices,
    )
    if ('unknownCost' in changed) return undefined
    const wish = { order: told.name, from: [version], since: undefined, read: shown.version }
    if (isPaid(shown.status)) {
      const isKnown = changed.lines.size > 0 && shown.lines.every(({ cost }) => cost !== null)
      return isKnown ? amendTo(told, shown, wish, quantities, changed) : undefined
    }
    const result = await stores.order.change({ ...wish, changed }, plainly)
    if (result[0] === 'changed') told.wanted.push(quantities)
    return { result: result[0], isOther: result[0] === 'changed' && result[1].logId !== undefined }
  }

  /** What an order is told that it cannot be changed for, or that it was. */
  const dueTo = ({ status, version, lines }: ShownOrder, from: number): string => {
    if (status === 'changing') return 'changing'
    if (status !== 'open' && status !== 'paid') return 'closed'
    if (version !== from) return 'stale'
    return lines.some(({ returned }) => returned > 0) ? 'partly-refunded' : 'changed'
  }

  /** Few schedules would come to one of these by its number. */
  const paidOrders = async (): Promise<readonly string[]> => {
    const found = await Promise.all(orders.map(({ name }) => stores.order.find(name)))
    return found.flatMap((one) => (one?.paid ? one.order_id : []))
  }

  const withOrder = async (
    order: number,
    work: (told: OrderTold, shown: ShownOrder) => Promise<void>,
  ): Promise<void> => {
    const name = pick([...orders.map((one) => one.name), ...(await paidOrders())], order)
    const told = orders.find((one) => one.name === name)
    // What was paid is known again before it is amended.
    if ((await stores.order.find(name ?? ''))?.paid) await catchUp()
    const shown = await stores.order.show(name ?? '')
    if (told === undefined || shown === undefined) return
    told.firstVersion ??= shown.version
    await work(told, shown)
  }

  return {
    sagas: () => sagas,
    orders: () => orders,
    refunds,
    problems: () => problems,
    onDecided,
    reset: (fresh) => {
      shop = fresh
      sagas = []
      problems = []
      refunds.clear()
      orders = fresh.orders.map(({ quantities }, index) => ({
        name: `o${index}`,
        wanted: [quantities],
        firstVersion: undefined,
        isGivenUp: false,
      }))
    },
    begin,
    submit,
    beginSubmitted,
    change: ({ order, quantities, isFromFirst }) =>
      withOrder(order, async (told, shown) => {
        const from = isFromFirst ? (told.firstVersion ?? shown.version) : shown.version
        const [due, done] = [dueTo(shown, from), await changeTo(told, shown, from, quantities)]
        if (done && done.result !== due)
          problems.push(`${told.name} of version ${shown.version} was ${done.result} from ${from}, not ${due}`)
      }),
    changeBoth: ({ order, both: [one, other] }) =>
      withOrder(order, async (told, shown) => {
        const first = await changeTo(told, shown, shown.version, one)
        const second = await changeTo(told, shown, shown.version, other)
        if (first?.isOther && second?.result === 'changed')
          problems.push(`${told.name} was changed twice from one version`)
      }),
    refund: async (step) => {
      const lines = step.item < shop.items.length ? `i${step.item}:${step.quantity}` : ''
      await catchUp()
      const order = pick(await paidOrders(), step.order) ?? `o${step.order}`
      const wish = { order, from: 'any', lines, restock: step.restock, reason: '' } as const
      const result = await stores.order.refund(wish, plainly)
      if (result[0] !== 'granted') return
      const [, log_id, , user, total, granted, restock] = result
      refunds.set(log_id, { order, user, total, lines: granted, restock })
    },
    giveUp: async ({ order, restock }) => {
      await catchUp()
      const name = pick([...orders.map((one) => one.name), ...(await paidOrders())], order) ?? ''
      const result = await stores.order.cancelOrder({ order: name, from: 'any', restock, reason: undefined }, plainly)
      if (result[0] === 'given-up') onDecided(result[1].id, result[1].state)
      if (result[0] === 'refunded') {
        const [, log_id, , user, total, lines, goods] = result
        refunds.set(log_id, { order: name, user, total, lines, restock: goods })
      }
      if (!['cancelled', 'given-up', 'cancelling', 'refunded'].includes(result[0])) return
      // As it is asked for its answer: 200, or 202 while a checkout is being undone.
      await stores.order.cancellation(name)
      const told = orders.find((one) => one.name === name)
      if (told) told.isGivenUp = true
    },
  }
}
