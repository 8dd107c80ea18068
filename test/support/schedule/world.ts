/**
 * The three services without their processes: their real commands, on three real Redis, driven by a schedule.
 *
 * Its steps are taken one after the other. Afterwards `settle` delivers what is left, and `violations` says in words what
 * contradicts the promises. It reads the logs as the accounts they are: every entry must be justified by those before it.
 */

import { isUndecided } from '../../../order/order.ts'
import { PARTICIPANTS, type Participant } from '../../../shared/contract/services.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { compareIds, type LogEntry } from '../../../shared/log/entry.ts'
import { tailLossDetector } from '../../../shared/log/tail-loss.ts'
import type { Page, Place, Recovery, Survey } from '../../../shared/saga/recovery.ts'
import { closing } from '../checker/accounts.ts'
import { recordsIn } from '../checker/records.ts'
import { plainly, saidIn } from '../shop/open-store.ts'
import {
  copyOf,
  openThreeServices,
  PAIRS,
  startThreeServers,
  subscribersOf,
  type ThreeServices,
} from '../three-services.ts'
import { openCustomers } from './customers.ts'
import { accountsOf, brokenPromises, type Rest } from './rules.ts'
import type { Shop, Step } from './steps.ts'

/** How a lost tail leaves orders that had not been checked out before it: as they were, without lines, or not at all. */
export type Forgotten = 'kept' | 'bare' | 'gone'

/** A schedule's world is fresh for each run: `reset`. */
export type World = AsyncDisposable & {
  /** What is driven: a test may make it wrong, to see that it is found. */
  readonly services: ThreeServices
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
  /**
   * What the process of order does when its Redis came back older: it upholds what it told, once it has read what payment has emitted; or
   * without that, while payment's Redis does not answer.
   */
  readonly uphold: (payment?: 'answers' | 'is away') => Promise<void>
  /** A person ends every contradiction. */
  readonly resolve: (by: 'refund' | 'accept') => Promise<void>
  /** How often each kind was said first: to see that schedules reach what they should. */
  readonly seen: () => ReadonlyMap<string, number>
}

const ROUNDS_MAX = 30

/** More entries than a schedule makes. */
const ALL = 1_000
/** The age of which everything is that was said by now. */
const AT_ONCE_MS = -60_000

export const openWorld = async (): Promise<World> => {
  await using stack = new AsyncDisposableStack()
  /** Before order upholds, it reads what payment has emitted; else a step says when it does. Is something left to be upheld? */
  let isUpholding = false
  let isToUphold = false
  const catchUp = async (): Promise<boolean> => {
    if (isUpholding) await apply('order', 'payment', ALL)
    return isUpholding
  }
  const services = stack.use(await openThreeServices(stack.use(await startThreeServers()), { catchUp }))
  const { redis, stores, logs, dependencies } = services
  const customers = openCustomers({ services, catchUp: () => apply('order', 'payment', ALL) })
  const recovery = stores.order.recovery(({ id, state }) => customers.onDecided(id, state))
  const opened = stack.move()

  const seen = new Map<string, number>()
  let shop: Shop = { credit: [], items: [], orders: [] }
  let archive: Record<Participant, readonly LogEntry[]> = { order: [], payment: [], stock: [] }
  /** What order lists as lost by itself. */
  let listed: LogEntry[] = []
  /** What payment had said before it lost its tail. */
  let saidByPayment: LogEntry[] = []
  let problems: string[] = []
  /** Orders whose contradiction a person has resolved. */
  const resolved = { refund: new Set<string>(), accept: new Set<string>() }

  const note = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1)
  const pick = <Thing>(things: readonly Thing[], index: number): Thing | undefined =>
    things[index % Math.max(things.length, 1)]

  /** Applies what follows the cursor. @returns how many entries there were */
  const apply = async (subscriber: Participant, publisher: Participant, count: number): Promise<number> => {
    const cursor = await logs[subscriber].cursor(publisher)
    const entries = await services.unread(subscriber, publisher, count)
    if (entries.length === 0) return 0
    const replies = await logs[subscriber].apply(publisher, cursor, entries)
    if ('gap' in replies) throw new Error('the cursor moved by itself')
    await services.report(subscriber, publisher, entries.at(-1)?.[0] ?? '')
    for (const reply of replies) {
      const [result, id = '', why] = reply
      if (result === 'dead-lettered') problems.push(`${subscriber} dead-lettered ${id} of ${publisher}: ${why}`)
      const decision = subscriber === 'order' ? stores.order.decidedBy(reply) : undefined
      if (decision) customers.onDecided(decision.id, decision.state)
    }
    return entries.length
  }

  const cancel = async (id: string): Promise<void> => {
    const done = await stores.order.cancel(id)
    if (done) customers.onDecided(id, done.state)
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

  /** Checkouts that wait to be begun, the oldest first. */
  const waiting = (): Promise<readonly string[]> => redis.order.zrange('submitted', '0', '-1')

  const take = async (step: Step): Promise<void> => {
    switch (step.does) {
      case 'begin':
        return customers.begin(step)
      case 'submit':
        return customers.submit(step)
      case 'begin-submitted': {
        const id = pick(await waiting(), step.which)
        if (id !== undefined) await customers.beginSubmitted(id)
        return
      }
      case 'change':
        return customers.change(step)
      case 'change-both':
        return customers.changeBoth(step)
      case 'give-up':
        return customers.giveUp(step)
      case 'parse':
        return parse()
      case 'deliver':
        for (const { subscriber, publisher } of PAIRS) await apply(subscriber, publisher, ALL)
        return
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
        const saga = pick(customers.sagas(), step.saga)
        if (saga) await cancel(saga.id)
        return
      }
      case 'refund':
        return customers.refund(step)
      case 'tell-again': {
        const saga = pick(customers.sagas(), step.saga)
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

  const uphold: World['uphold'] = async (payment = 'answers') => {
    isUpholding = payment === 'answers'
    try {
      for (let lost = await logs.order.checkOwnTail(); lost; lost = await logs.order.checkOwnTail())
        listed.push(...lost.entries)
    } catch (error) {
      // It is tried again: at rest at last.
      if (!(error instanceof UnavailableError) || isUpholding) throw error
      isToUphold = true
    }
    isUpholding = false
  }

  const reset = async (fresh: Shop): Promise<void> => {
    // What the process knows of the schedule before is not of this one.
    await uphold()
    isToUphold = false
    shop = fresh
    archive = { order: [], payment: [], stock: [] }
    listed = []
    saidByPayment = []
    problems = []
    customers.reset(fresh)
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

  const resolve = async (by: 'refund' | 'accept'): Promise<void> => {
    for (const { order_id, log_id } of await stores.order.contradicted()) {
      const wish = (how: typeof by) => stores.order.resolve(log_id ?? '', { by: how, why: 'as it is' }, plainly)
      let [how, [result]] = [by, await wish(by)]
      // A part of it was refunded before, or it was amended.
      if (result === 'partly-refunded' || result === 'amended') [how, [result]] = ['accept', await wish('accept')]
      if (result !== 'resolved') problems.push(`${order_id} could not be resolved: ${result}`)
      resolved[how].add(order_id)
    }
  }

  /** The last series of documents that has begun. */
  let series = 1

  const forget = async (orders: Forgotten): Promise<void> => {
    for (const index of shop.orders.keys()) {
      const key = `order:o${index}`
      // What came of an order was recorded with it: only one of which nothing came, and that was never changed, may have been made later.
      const [saga, billed, status] = await redis.order.hmget(key, 'saga', 'billed', 'status')
      if (orders === 'kept' || saga !== null || billed !== null || status !== 'open') continue
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
    // The process of order finds out by itself, on its new connection.
    const putBack =
      participant === 'order' ? await services.backUp('order') : await copyOf(redis[participant], participant)
    return async (orders) => {
      if (participant === 'payment') saidByPayment.push(...(await said('payment')))
      await putBack()
      if (participant === 'order') await forget(orders)
      if (participant === 'payment') await beginNextSeries()
    }
  }

  const deliverAll = async (): Promise<void> => {
    for (let moved = 1, round = 0; moved > 0; round += 1) {
      if (round > ROUNDS_MAX) throw new Error('the services talk for ever')
      moved = 0
      for (const { subscriber, publisher } of PAIRS) moved += await apply(subscriber, publisher, ALL)
    }
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
        // How far it is read, and where it is said that an action was done: that may be said again.
        if (key === 'cursors' || key.startsWith('heard:') || key.startsWith('entries:')) continue
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

  /** Whatever waits is begun, and all there is delivered. */
  const finish = async (): Promise<void> => {
    for (const id of await waiting()) await customers.beginSubmitted(id)
    await deliverAll()
  }

  const settle = async (repairs: boolean): Promise<void> => {
    if (isToUphold) await uphold()
    isToUphold = false
    await finish()
    if (!repairs) return
    for (let round = 0; round < 4; round += 1) {
      await compareCursors()
      for (const { by, id, state } of await unfinished()) {
        // In the first rounds a word may help; after that the deadline has passed.
        if (by === 'order' && isUndecided(state) && round > 1) await cancel(id)
        else await logs[by].run('tell-again', { log_id: id })
      }
      await finish()
    }
  }

  const violations = async (lost: readonly Participant[] = []): Promise<readonly string[]> => {
    const rest: Rest = {
      services,
      shop,
      customers,
      logs: { order: await said('order'), payment: await said('payment'), stock: await said('stock') },
      lost,
      listed,
      saidByPayment,
      waiting: await contradictions(),
      resolved,
      unfinished: await unfinished(),
    }
    const accounts = accountsOf(rest)
    for (const participant of PARTICIPANTS)
      for (const { state } of accounts[participant].sagas.values()) note(`${participant} ${state}`)
    for (const { status } of closing(accounts.order).values()) note(`order is ${status}`)
    return [...problems, ...customers.problems(), ...(await brokenPromises(rest, accounts))]
  }

  const contradictions = async (): Promise<readonly string[]> => (await recovery.contradictions?.()) ?? []

  return {
    services,
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
