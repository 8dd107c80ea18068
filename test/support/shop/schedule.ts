/**
 * The three services without their processes: their real commands, on three real Redis, driven by a schedule.
 *
 * A *schedule* is a list of steps, each of which is something that may happen next in a shop: a checkout begins, a
 * subscriber applies some entries of a publisher, applies old ones again, an operator cancels, or money comes. No lock is taken:
 * the commands must be right without it. Afterwards `settle` delivers what is left, and `violations` says in words what
 * contradicts the promises. It reads the logs as the accounts they are: every entry must be justified by those before it.
 */
import fc from 'fast-check'
import type { Restock } from '../../../order/refunds/refund.ts'
import { compareIds, type LogEntry } from '../../../shared/log/entry.ts'
import { tailLossDetector } from '../../../shared/log/tail-loss.ts'
import type { Page, Place, Recovery, Survey } from '../../../shared/saga/recovery.ts'
import { type Account, closing, linesOf, orderAccount, payAccount, stockAccount } from '../checker/accounts.ts'
import { ledgerOf } from '../checker/ledgers.ts'
import { recordsIn } from '../checker/records.ts'
import {
  copyOf,
  openThreeServices,
  PAIRS,
  PARTICIPANTS,
  type Participant,
  startThreeServers,
  subscribersOf,
} from '../three-services.ts'
import { plainly, saidIn } from './open-store.ts'

/** What there is before the first step: few of everything, so that checkouts contend. */
export type Shop = {
  readonly credit: readonly number[]
  readonly items: readonly { readonly stock: number; readonly price: number }[]
  readonly orders: readonly { readonly user: number; readonly quantities: readonly number[] }[]
}

export type Step =
  /** One that is late is past its deadline from the start. */
  | { readonly does: 'begin'; readonly order: number; readonly isLate?: boolean }
  | { readonly does: 'apply'; readonly pair: number; readonly count: number }
  /** A reader that is behind applies what was applied already. */
  | { readonly does: 'apply-again'; readonly pair: number; readonly count: number }
  /** The cursor goes back, as after a loss. */
  | { readonly does: 'rewind'; readonly pair: number; readonly count: number }
  | { readonly does: 'cancel'; readonly saga: number }
  /** Some pieces of an item go back, or all that is left if there is no such item. */
  | {
      readonly does: 'refund'
      readonly order: number
      readonly item: number
      readonly quantity: number
      readonly restock: Restock
    }
  /** The log parsers run. */
  | { readonly does: 'parse' }
  | { readonly does: 'tell-again'; readonly by: 'order' | 'payment'; readonly saga: number }
  | { readonly does: 'add-funds' | 'pay'; readonly user: number; readonly amount: number }
  /** A log parser drops whatever may be dropped, as if it were old. */
  | { readonly does: 'trim'; readonly by: Participant }
  | { readonly does: 'add' | 'subtract'; readonly item: number; readonly amount: number }

/** Steps that are written by hand: `begin 0, payment reads order, cancel 0, trim stock`. A reader reads all there is. */
export const written = (text: string): Step[] =>
  text.split(', ').map((step): Step => {
    const [first = '', second = '', third = ''] = step.split(' ')
    const participant = PARTICIPANTS.find((one) => one === second)
    if (second === 'reads') {
      const pair = PAIRS.findIndex(({ subscriber, publisher }) => subscriber === first && publisher === third)
      if (pair >= 0) return { does: 'apply', pair, count: 100 }
    }
    if (first === 'begin') return { does: 'begin', order: Number(second) }
    if (first === 'cancel') return { does: 'cancel', saga: Number(second) }
    if (first === 'subtract') return { does: 'subtract', item: Number(second), amount: Number(third) }
    if (first === 'trim' && participant !== undefined) return { does: 'trim', by: participant }
    throw new Error(`"${step}" is no step`)
  })

const USERS = 2
const ITEMS = 2
const ORDERS = 4
const small = (max: number, min = 0): fc.Arbitrary<number> => fc.integer({ min, max })

export const shops: fc.Arbitrary<Shop> = fc.record({
  credit: fc.tuple(...Array.from({ length: USERS }, () => small(12))),
  items: fc.tuple(...Array.from({ length: ITEMS }, () => fc.record({ stock: small(4), price: small(4) }))),
  orders: fc.tuple(
    ...Array.from({ length: ORDERS }, () =>
      fc.record({
        user: small(USERS - 1),
        quantities: fc
          .tuple(...Array.from({ length: ITEMS }, () => small(2)))
          .filter((all) => all.some((one) => one > 0)),
      }),
    ),
  ),
})

const pair = small(PAIRS.length - 1)
const begins = fc.record({
  does: fc.constant('begin' as const),
  order: small(ORDERS - 1),
  isLate: small(9).map((one) => one === 9),
})
const applies = fc.record({ does: fc.constant('apply' as const), pair, count: small(4, 1) })
const refunds = fc.record({
  does: fc.constant('refund' as const),
  order: small(ORDERS - 1),
  item: small(ITEMS),
  quantity: small(2, 1),
  restock: fc.constantFrom<Restock>('shelf', 'none'),
})
const trims = fc.record({ does: fc.constant('trim' as const), by: fc.constantFrom<Participant>(...PARTICIPANTS) })
const disturbances: readonly fc.Arbitrary<Step>[] = [
  fc.record({ does: fc.constant('apply-again' as const), pair, count: small(6, 1) }),
  fc.record({ does: fc.constant('rewind' as const), pair, count: small(6, 1) }),
  fc.record({ does: fc.constant('cancel' as const), saga: small(9) }),
  fc.record({ does: fc.constant('parse' as const) }),
  fc.record({
    does: fc.constant('tell-again' as const),
    by: fc.constantFrom('order' as const, 'payment' as const),
    saga: small(9),
  }),
]
const REWINDING = 1
const CANCELLING = 2
const dealings: readonly fc.Arbitrary<Step>[] = [
  fc.record({
    does: fc.constantFrom('add-funds' as const, 'pay' as const),
    user: small(USERS - 1),
    amount: small(6, 1),
  }),
  fc.record({
    does: fc.constantFrom('add' as const, 'subtract' as const),
    item: small(ITEMS - 1),
    amount: small(2, 1),
  }),
]

const stepsOf = (rare: readonly fc.Arbitrary<Step>[]): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      { arbitrary: begins, weight: 5 },
      { arbitrary: applies, weight: 16 },
      { arbitrary: refunds, weight: 4 },
      ...rare.map((arbitrary) => ({ arbitrary, weight: 1 })),
    ),
    { minLength: 5, maxLength: 70, size: 'max' },
  )
/** Everything that may happen. */
export const anySteps = stepsOf([...disturbances, ...dealings])
/** Everything that may happen, while time passes in which nothing is kept that may go; no Redis comes back older. */
export const agingSteps = stepsOf([
  ...disturbances.filter((_one, index) => index !== REWINDING),
  ...dealings,
  ...Array.from({ length: 3 }, () => disturbances[CANCELLING] ?? trims),
  ...Array.from({ length: 6 }, () => trims),
])
/** Checkouts only: nothing that only its own log knows of. */
export const checkoutSteps = stepsOf(disturbances)

/** The last thing that was said of a checkout in each service. */
type Ends = Readonly<Record<Participant, string>>

export type Saga = {
  readonly id: string
  readonly order: string
  /** What a client was told first, and whether the entry of that was lost later. */
  told: 'paid' | 'failed' | 'cancelled' | undefined
}

/** How a lost tail leaves orders that had not been checked out before it: as they were, without lines, or not at all. */
export type Forgotten = 'kept' | 'bare' | 'gone'

/** A schedule's world is fresh for each run: `reset`. */
export type World = AsyncDisposable & {
  readonly reset: (shop: Shop) => Promise<void>
  readonly take: (step: Step) => Promise<void>
  /**
   * Copies everything a service's Redis holds; the result puts it back, as if what came after had never been written, and
   * orders of which no checkout had begun may be found without their lines, or not at all.
   */
  readonly remember: (participant: Participant) => Promise<(orders: Forgotten) => Promise<void>>
  /** Delivers all there is. With `repairs` it also does what log parsers do, and cancels what nothing else ends. */
  readonly settle: (repairs: boolean) => Promise<void>
  /** Everything that the services keep, as text, but for the logs and how far they were applied. */
  readonly kept: () => Promise<string>
  /** Surveys go around until nothing more may be dropped; what is recorded of checkouts even then, by name. */
  readonly outlive: () => Promise<readonly string[]>
  /** Every subscriber applies each log again from its start, and all that is emitted then. */
  readonly tellAllAgain: () => Promise<void>
  /** What contradicts the promises. `lost` are the services whose tails were lost. */
  readonly violations: (lost?: readonly Participant[]) => Promise<readonly string[]>
  /** Orders that are listed as contradicted. */
  readonly contradictions: () => Promise<readonly string[]>
  /** What the process of order does when its Redis came back older: it upholds what it told of checkouts that was not paid. */
  readonly uphold: () => Promise<void>
  /** A person ends every contradiction. */
  readonly resolve: (by: 'refund' | 'accept') => Promise<void>
  /** How often each kind was said first: to see that schedules reach what they should. */
  readonly seen: () => ReadonlyMap<string, number>
}

const ROUNDS_MAX = 30

/** How a refund stands in order, payment and stock, by what each said last; and how in the end. */
const REFUND = /granted|settled|refunded|restocked|written-off/
const WHOLE_REFUND = /^settled refunded (restocked|written-off)$/

/** The age of which everything is that was said by now. */
const AT_ONCE_MS = -60_000

export const openWorld = async (): Promise<World> => {
  await using stack = new AsyncDisposableStack()
  const services = stack.use(await openThreeServices(stack.use(await startThreeServers())))
  const { redis, stores, logs, dependencies } = services
  const recovery = stores.order.recovery(({ id, state }) => {
    if (state === 'cancelling') decided(id, 'cancelled')
  })
  const opened = stack.move()

  const seen = new Map<string, number>()
  let shop: Shop = { credit: [], items: [], orders: [] }
  let archive: Record<Participant, readonly LogEntry[]> = { order: [], payment: [], stock: [] }
  let sagas: Saga[] = []
  /** Refunds that a client was told are granted, and whether order has lost one for good, with what it was of. */
  const refunds = new Map<string, { readonly entry: Readonly<Record<string, string>>; isLost: boolean }>()
  let problems: string[] = []
  /** Orders whose contradiction a person has resolved. */
  const resolved = { refund: new Set<string>(), accept: new Set<string>() }

  const pick = <Thing>(things: readonly Thing[], index: number): Thing | undefined =>
    things[index % Math.max(things.length, 1)]

  const decided = (id: string, result: string): void => {
    const told = { paid: 'paid', adopted: 'paid', failed: 'failed', cancelled: 'cancelled' } as const
    const saga = sagas.find((one) => one.id === id)
    if (saga && Object.hasOwn(told, result)) saga.told ??= told[result as keyof typeof told]
  }

  /** Applies what follows the cursor. @returns how many entries there were */
  const apply = async (subscriber: Participant, publisher: Participant, count: number): Promise<number> => {
    const cursor = await logs[subscriber].cursor(publisher)
    const entries = await services.unread(subscriber, publisher, count)
    if (entries.length === 0) return 0
    const replies = await logs[subscriber].apply(publisher, cursor, entries)
    if ('gap' in replies) throw new Error('the cursor moved by itself')
    await services.report(subscriber, publisher, entries.at(-1)?.[0] ?? '')
    for (const [result, id = '', why] of replies) {
      if (result === 'dead-lettered') problems.push(`${subscriber} dead-lettered ${id} of ${publisher}: ${why}`)
      if (subscriber === 'order') decided(id, result)
    }
    return entries.length
  }

  const cancel = async (id: string): Promise<void> => {
    const done = await stores.order.cancel(id)
    if (done && done.state === 'cancelling') decided(id, 'cancelled')
  }

  /** Repairs what a survey finds, in the smallest pages, so that none is left out between two. */
  const repairAll = async (survey: Survey, repair: Recovery['repair']): Promise<void> => {
    let place: Place | undefined
    do {
      const { findings, next }: Page = await survey(1, place)
      for (const finding of findings) await repair(finding)
      place = next
    } while (place !== undefined)
  }
  const parse = async (): Promise<void> => {
    if (recovery.late) await repairAll(recovery.late, recovery.repair)
    await repairAll(recovery.survey, recovery.repair)
    await repairAll(stores.payment.recovery.survey, stores.payment.recovery.repair)
  }

  const begin = async (index: number, isLate: boolean): Promise<void> => {
    const name = `o${index}`
    const user = `u${shop.orders[index]?.user}`
    const id = dependencies.order.identifiers.next()
    const start = { log_id: id, order: name, user, token: '', timeout_ms: isLate ? -1_000 : 60_000 }
    const [result] = await stores.order.begin(start, plainly)
    if (result === 'begun') sagas.push({ id, order: name, told: undefined })
  }

  /** First order reads what payment has emitted, as far as it can be asked: what was paid of it is known again. */
  const refund = async (step: Extract<Step, { does: 'refund' }>): Promise<void> => {
    const lines = step.item < shop.items.length ? `i${step.item}:${step.quantity}` : ''
    await apply('order', 'payment', 1_000)
    const orders = await Promise.all(shop.orders.map((_, index) => stores.order.find(`o${index}`)))
    // Few schedules would come to an order that is paid.
    const { order_id: order = `o${step.order}` } =
      pick(
        orders.filter((one) => one?.paid),
        step.order,
      ) ?? {}
    const wish = { order, from: 'any', lines, restock: step.restock, reason: '' } as const
    const result = await stores.order.refund(wish, plainly)
    if (result[0] !== 'granted') return
    const [, log_id, , user, total, granted, restock] = result
    refunds.set(log_id, { entry: { log_id, order, user, total, lines: granted, restock }, isLost: false })
  }

  /** What is said in a log, also of what was trimmed since. */
  const said = async (participant: Participant): Promise<readonly LogEntry[]> => {
    const entries = new Map(
      [...archive[participant], ...(await saidIn(logs[participant]))].map((entry) => [entry.id, entry]),
    )
    return [...entries.values()].toSorted((one, other) => compareIds(one.id, other.id))
  }

  const trim = async (participant: Participant): Promise<void> => {
    archive[participant] = await said(participant)
    await logs[participant].trim(AT_ONCE_MS, subscribersOf(participant))
    if (participant === 'order') await recovery.beginSurvey(AT_ONCE_MS)
  }

  const take = async (step: Step): Promise<void> => {
    switch (step.does) {
      case 'begin':
        return begin(step.order, step.isLate === true)
      case 'parse':
        return parse()
      case 'apply':
      case 'apply-again':
      case 'rewind': {
        const { subscriber, publisher } = PAIRS[step.pair] as (typeof PAIRS)[number]
        if (step.does === 'apply') {
          await apply(subscriber, publisher, step.count)
          return
        }
        const { before, entries } = await services.applied(subscriber, publisher, step.count)
        if (step.does === 'rewind') {
          await redis[subscriber].hset('cursors', publisher, before)
          return
        }
        const replies = await logs[subscriber].apply(publisher, before, entries)
        if ('gap' in replies || replies.some(([result]) => result !== 'passed')) problems.push('applied twice')
        return
      }
      case 'cancel': {
        const saga = pick(sagas, step.saga)
        if (saga) await cancel(saga.id)
        return
      }
      case 'refund':
        return refund(step)
      case 'tell-again': {
        const saga = pick(sagas, step.saga)
        if (saga) await logs[step.by].run('tell-again', { log_id: saga.id })
        return
      }
      case 'trim':
        return trim(step.by)
      case 'add-funds':
        await stores.payment.addFunds(`u${step.user}`, step.amount, plainly)
        return
      case 'pay':
        await stores.payment.pay(`u${step.user}`, step.amount, plainly)
        return
      case 'add':
        await stores.stock.add(`i${step.item}`, step.amount, plainly)
        return
      case 'subtract':
        await stores.stock.subtract(`i${step.item}`, step.amount, plainly)
    }
  }

  const reset = async (fresh: Shop): Promise<void> => {
    shop = fresh
    archive = { order: [], payment: [], stock: [] }
    sagas = []
    refunds.clear()
    problems = []
    resolved.refund.clear()
    resolved.accept.clear()
    await Promise.all(PARTICIPANTS.map((participant) => redis[participant].flushall()))
    await Promise.all([
      ...fresh.credit.map(async (credit, user) => {
        await stores.payment.createUser(`u${user}`, plainly)
        await stores.payment.addFunds(`u${user}`, credit, plainly)
      }),
      ...fresh.items.map(async ({ stock, price }, item) => {
        await stores.stock.createItem(`i${item}`, price, plainly)
        await stores.stock.add(`i${item}`, stock, plainly)
      }),
      ...fresh.orders.map(async ({ user, quantities }, index) => {
        await stores.order.create(`o${index}`, `u${user}`, plainly)
        for (const [item, quantity] of quantities.entries()) {
          const price = fresh.items[item]?.price ?? 0
          if (quantity > 0)
            await stores.order.addItem({ order: `o${index}`, item: `i${item}`, quantity, price }, plainly)
        }
      }),
    ])
  }

  const uphold = async (): Promise<void> => {
    for (const { id, order: name, told } of sagas) {
      if (told !== 'failed' && told !== 'cancelled') continue
      const [user = '', total = ''] = wanted(Number(name.slice(1))).map(String)
      await logs.order.run('uphold', { log_id: id, order: name, user, total, told })
    }
    await apply('order', 'payment', 1_000)
    for (const one of refunds.values()) one.isLost = (await logs.order.run('uphold-refund', one.entry))[0] === 'lost'
  }

  const resolve = async (by: 'refund' | 'accept'): Promise<void> => {
    for (const { order_id, log_id } of await stores.order.contradicted()) {
      const wish = (how: typeof by) => stores.order.resolve(log_id ?? '', { by: how, why: 'as it is' }, plainly)
      let [result] = await wish(by)
      // A part of it was refunded before.
      if (result === 'partly-refunded') [result] = await wish('accept')
      if (result !== 'resolved') problems.push(`${order_id} could not be resolved: ${result}`)
      resolved[by].add(order_id)
    }
  }

  /** The last series of documents that has begun. */
  let series = 1

  const forget = async (orders: Forgotten): Promise<void> => {
    for (const index of shop.orders.keys()) {
      const key = `order:o${index}`
      if (orders === 'kept' || (await redis.order.hexists(key, 'saga')) === 1) continue
      if (orders === 'gone') await redis.order.del(key)
      else if ((await redis.order.exists(key)) === 1) await redis.order.hset(key, 'lines', '', 'total', '0')
    }
  }

  /** As payment's process does before it applies anything to a Redis that came back older: see `payment/documents`. */
  const beginNextSeries = async (): Promise<void> => {
    const args = { invoice: `I${series}-1`, credit_note: '', lost: 'applied' }
    const [, begun] = await logs.payment.run('confirm-series', args)
    series = Number(begun)
  }

  const remember = async (participant: Participant): Promise<(orders: Forgotten) => Promise<void>> => {
    const putBack = await copyOf(redis[participant], participant)
    return async (orders) => {
      await putBack()
      if (participant === 'order') await forget(orders)
      if (participant === 'payment') await beginNextSeries()
    }
  }

  const deliverAll = async (): Promise<void> => {
    for (let moved = 1, round = 0; moved > 0; round += 1) {
      if (round > ROUNDS_MAX) throw new Error('the services talk for ever')
      moved = 0
      for (const { subscriber, publisher } of PAIRS) moved += await apply(subscriber, publisher, 1_000)
    }
  }

  /** What an order must be when it is paid, as it is shown. */
  const wanted = (index: number): readonly unknown[] => {
    const { user, quantities = [] } = shop.orders[index] ?? {}
    const lines = quantities.flatMap((quantity, item) => (quantity > 0 ? [[`i${item}`, quantity]] : []))
    const total = quantities.reduce((sum, quantity, item) => sum + quantity * (shop.items[item]?.price ?? 0), 0)
    return [`u${user}`, total, lines]
  }

  const kept = async (): Promise<string> => {
    const found: string[] = []
    for (const participant of PARTICIPANTS) {
      for (const [id, { entries: _said, again: _repeated, ...fields }] of [
        ...(await recordsIn(redis[participant], participant)),
      ].toSorted()) {
        // A record that is packed has no empty fields.
        const filled = Object.entries(fields).filter(([, value]) => value !== '')
        found.push(`${participant} ${id} ${JSON.stringify(filled.toSorted())}`)
      }
      for (const key of (await redis[participant].keys('*')).toSorted()) {
        if (key === 'cursors' || key.startsWith('heard:')) continue
        const type = await redis[participant].type(key)
        if (type === 'hash') {
          if (key.startsWith('saga')) continue
          found.push(
            `${participant} ${key} ${JSON.stringify(Object.entries(await redis[participant].hgetall(key)).toSorted())}`,
          )
        } else if (type !== 'stream') found.push(`${participant} ${key} ${(await redis[participant].dump(key)) ?? ''}`)
      }
    }
    return found.join('\n')
  }

  const outlive = async (): Promise<readonly string[]> => {
    for (let round = 0; round < 4; round += 1) {
      // Surveys are begun only where something was said since.
      await stores.order.create('last', 'nobody', plainly)
      for (const participant of PARTICIPANTS) await trim(participant)
      await deliverAll()
    }
    const left = await Promise.all(
      PARTICIPANTS.map(async (participant) =>
        [...(await recordsIn(redis[participant], participant)).keys()].map((id) => `${id} in ${participant}`),
      ),
    )
    return left.flat()
  }

  const tellAllAgain = async (): Promise<void> => {
    for (const { subscriber, publisher } of PAIRS) await redis[subscriber].hset('cursors', publisher, '0-0')
    await deliverAll()
  }

  const unfinished = async (): Promise<{ by: 'order' | 'payment'; id: string; state: string }[]> => [
    ...(await recovery.survey(100)).findings.map(({ log_id, facts }) => ({
      by: 'order' as const,
      id: log_id,
      state: facts.state ?? '',
    })),
    ...(await stores.payment.recovery.survey(100)).findings.map(({ log_id, facts }) => ({
      by: 'payment' as const,
      id: log_id,
      state: facts.state ?? '',
    })),
  ]

  /** As after a start: each subscriber looks whether its publishers have lost what it had applied. */
  const compareCursors = async (): Promise<void> => {
    for (const { subscriber, publisher } of PAIRS) {
      const { compare } = tailLossDetector({ publisher, redis: redis[publisher], step: dependencies.order.step })
      const lost = await compare(await logs[subscriber].cursor(publisher))
      if (lost) await logs[subscriber].recordTailLoss(lost)
    }
  }

  const settle = async (repairs: boolean): Promise<void> => {
    await deliverAll()
    if (!repairs) return
    for (let round = 0; round < 4; round += 1) {
      await compareCursors()
      for (const { by, id, state } of await unfinished()) {
        // In the first rounds a word may help; after that the deadline has passed.
        if (by === 'order' && state === 'checking-out' && round > 1) await cancel(id)
        else await logs[by].run('tell-again', { log_id: id })
      }
      await deliverAll()
    }
  }

  /** By the ledgers of the three, all that is paid was charged and taken, but for what a person has accepted. */
  const imbalances = async (): Promise<readonly string[]> => {
    const [ours, payment, stock] = [
      await ledgerOf(redis.order),
      await ledgerOf(redis.payment),
      await ledgerOf(redis.stock),
    ]
    const [paid, sold] = [ours('paid') - ours('accepted-paid'), ours('sold') - ours('accepted-sold')]
    return [
      ...(payment('charged') === paid ? [] : [`${payment('charged')} was charged, and ${paid} is paid`]),
      ...(stock('taken') === sold ? [] : [`${stock('taken')} was taken, and ${sold} is sold`]),
    ]
  }

  /** Refunds that did not end alike in all three, and orders that show others than were granted of them. */
  const brokenRefunds = async (
    accounts: Readonly<Record<Participant, Account<unknown>>>,
    listed: readonly string[],
  ): Promise<readonly string[]> => {
    const found: string[] = []
    for (const [id, { isLost, entry }] of refunds)
      if (!isLost && !accounts.order.sagas.has(id) && !listed.includes(entry.order ?? '')) found.push(`${id} is gone`)
    const ids = new Set(PARTICIPANTS.flatMap((participant) => [...accounts[participant].sagas.keys()]))
    for (const id of ids) {
      const ends = PARTICIPANTS.map((participant) => accounts[participant].sagas.get(id)?.state).join(' ')
      if (REFUND.test(ends) && !WHOLE_REFUND.test(ends)) found.push(`half a refund of ${id}: ${ends}`)
    }
    for (const index of shop.orders.keys()) {
      const [order, shown] = [`o${index}`, await stores.order.show(`o${index}`)]
      if (shown === undefined || listed.includes(order)) continue
      const all = (await stores.order.refundsOf(order)) ?? []
      const money = all.reduce((sum, { amount }) => sum + amount, 0)
      const back = shown.lines.every(({ item_id, returned }) => {
        const pieces = all.flatMap(({ lines }) => lines.filter(([item]) => item === item_id).map(([, count]) => count))
        return returned === pieces.reduce((sum, count) => sum + count, 0)
      })
      if (money !== shown.refunded_amount || !back || all.some(({ state }) => state !== 'settled'))
        found.push(`${order} shows ${JSON.stringify(shown.lines)}, but ${JSON.stringify(all)}`)
    }
    return found
  }

  const violations = async (lost: readonly Participant[] = []): Promise<readonly string[]> => {
    const found = [...problems]
    const waiting = await contradictions()
    const listed = [...waiting, ...resolved.accept]
    const [byOrder, byPayment, byStock] = [await said('order'), await said('payment'), await said('stock')]
    const accounts = {
      order: orderAccount(byOrder, lost.length > 0 ? linesOf(byPayment, 'CreditCaptured') : undefined),
      payment: payAccount(byPayment, { lossy: lost.length > 0 }),
      stock: stockAccount(byStock, linesOf(byOrder)),
    }
    for (const [who, { sagas: ended, faults }] of Object.entries(accounts)) {
      for (const { state } of ended.values()) seen.set(`${who} ${state}`, (seen.get(`${who} ${state}`) ?? 0) + 1)
      for (const { name, about, says } of faults) found.push(`${name} of ${about} in the log of ${who}: ${says}`)
    }

    found.push(...(await brokenRefunds(accounts, listed)))
    for (const { by, id, state } of await unfinished()) found.push(`${by} has not finished ${id}: ${state}`)
    for (const id of await redis.order.zrange('sagas:deadlines', '0', '-1')) found.push(`order has not decided ${id}`)
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
    const charged = new Map<string, number>()
    const ids = new Set([
      ...Object.values(accounts).flatMap(({ sagas: ended }) => [...ended.keys()]),
      ...sagas.map(({ id }) => id),
    ])
    for (const id of ids) {
      const ends: Ends = {
        order: accounts.order.sagas.get(id)?.state ?? 'none',
        payment: accounts.payment.sagas.get(id)?.state ?? 'none',
        stock: accounts.stock.sagas.get(id)?.state ?? 'none',
      }
      const name = sagas.find((one) => one.id === id)?.order ?? ''
      if (REFUND.test(`${ends.order} ${ends.payment} ${ends.stock}`)) continue
      const isCharged = ends.payment === 'captured' && ends.stock === 'taken'
      if (isCharged) charged.set(name, (charged.get(name) ?? 0) + 1)
      const isWhole = isCharged || (ends.payment !== 'captured' && ends.stock !== 'taken')
      if (!isWhole) found.push(`half a checkout of ${name}: ${JSON.stringify(ends)}`)
      if ((ends.order === 'paid') !== isCharged && !listed.includes(name))
        found.push(`${name} is not what was done: ${JSON.stringify(ends)}`)
    }
    for (const [index] of shop.orders.entries()) {
      const name = `o${index}`
      const times = charged.get(name) ?? 0
      const order = await stores.order.find(name)
      const paid = order?.paid ?? false
      if (times > 1) found.push(`${name} was charged ${times} times`)
      if (paid !== (times === 1) && !listed.includes(name))
        found.push(`${name} is paid: ${paid}, charged ${times} times`)
      const sold = JSON.stringify([order?.user_id, order?.total_cost, order?.items])
      if (paid && sold !== JSON.stringify(wanted(index))) found.push(`${name} is paid, but as ${sold}`)
    }
    for (const { id, order: name, told } of sagas) {
      const end = { none: undefined, paid: 'paid', failed: 'failed', cancelling: 'cancelled', closed: 'cancelled' }
      const now = end[(accounts.order.sagas.get(id)?.state ?? 'none') as keyof typeof end]
      if (told === undefined || told === now || (told === 'failed' && now === 'cancelled')) continue
      // What order's own Redis forgot it may decide otherwise, but a customer who has paid has what was paid for.
      const isKept = told === 'paid' ? (await stores.order.find(name))?.paid === true : now !== 'paid'
      if (lost.includes('order') && isKept) continue
      if (!listed.includes(name) && !resolved.refund.has(name)) found.push(`${name} was told ${told} and is ${now}`)
    }
    for (const participant of PARTICIPANTS)
      if ((await logs[participant].dead.count()) > 0) found.push(`${participant} has dead letters`)
    if (waiting.length === 0) found.push(...(await imbalances()))
    return found
  }

  const contradictions = async (): Promise<readonly string[]> => (await recovery.contradictions?.()) ?? []

  return {
    reset,
    take,
    remember,
    settle,
    kept,
    outlive,
    tellAllAgain,
    violations,
    contradictions,
    uphold,
    resolve,
    seen: () => seen,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
