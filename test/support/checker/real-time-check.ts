/**
 * Does what clients were told fit the accounts of the logs, in real time?
 *
 * A log gives one order to all that befell a wallet, an item or an order: its timeline. A client's request must find its
 * place in it: whatever was acknowledged before the request began has happened there, whatever was asked for only after
 * it ended has not, and nobody sees less than what somebody saw before. An *action* is what one or more requests asked for
 * (a key's repetitions are one action, and so are all checkouts of one order): it is in the log exactly once if anybody was
 * told ok, at most once if that is unknown, and never if it was refused. A *view* is what a request was shown or refused
 * for: it must be true of a moment that its place allows. What was gone for a checkout that was refused counts as there
 * (see `returns.ts`). Where it is known how far the clock of a Redis is from the clients', a view may only be of a moment
 * within its request, and an action only of one within a request for it.
 */

import { parseLines } from '../../../shared/contract/lines.ts'
import type { Participant } from '../../../shared/contract/services.ts'
import type { Account, Accounts, Clocks, Moment, OrderState, ShelfState, WalletState } from './accounts.ts'
import type { Anomaly, AnomalyName } from './anomaly.ts'
import { isPromised, type Named, SLACK_MS, unaskedActions } from './asked.ts'
import { type Does, groupedBy, type Operation, PASSING } from './history.ts'
import type { Gone, Judged, Returns } from './returns.ts'

type State = Partial<WalletState & ShelfState & OrderState>
/** What there is to see: `undefined` before the thing was created. */
type Sight = Moment<State> | undefined

type Action = {
  readonly thing: string
  /** What it is called in the timeline. */
  readonly label: string
  readonly begunMs: number
  /** When somebody was first told that it is done; never, if nobody was. */
  readonly acknowledgedMs: number
}

type View = {
  readonly operation: Operation
  readonly thing: string
  readonly begunMs: number
  readonly endedMs: number
  readonly fits: (sight: Sight) => boolean
}

const NEVER = Number.POSITIVE_INFINITY

/** Repetitions under one key are one request, which began with the first of them. */
const firstBegun = (history: readonly Operation[]): ((operation: Operation) => number) => {
  const nameOf = ({ idempotencyKey, does }: Operation): string => `${does} ${idempotencyKey}`
  const first = new Map<string, number>()
  for (const operation of history) {
    const name = nameOf(operation)
    first.set(name, Math.min(first.get(name) ?? NEVER, operation.begunMs))
  }
  return (operation) =>
    operation.idempotencyKey === undefined ? operation.begunMs : (first.get(nameOf(operation)) ?? operation.begunMs)
}

/** Which action a request asks for; a checkout's are made apart, for it is told on several timelines. */
const asked = ({ does, facts }: Operation): readonly [thing: string, label: string] | undefined => {
  const { user, item, order, amount, quantity } = facts
  switch (does) {
    case 'create-user':
      return user === undefined ? undefined : [`user:${user}`, does]
    case 'create-item':
      return item === undefined ? undefined : [`item:${item}`, does]
    case 'create-order':
    case 'place':
      return order === undefined ? undefined : [`order:${order}`, does]
    case 'place-form':
      return order === undefined ? undefined : [`order:${order}`, 'place']
    case 'change':
      return [`order:${order}`, 'change-order']
    case 'add-funds':
    case 'pay':
      return [`user:${user}`, `${does} ${amount}`]
    case 'add':
    case 'subtract':
      return [`item:${item}`, `${does} ${amount}`]
    case 'add-item':
      return [`order:${order}`, `${does} ${item} ${quantity}`]
    case 'cancel':
    case 'delete':
      return [`order:${order}`, 'cancel-order']
    default:
      return undefined
  }
}

/**
 * The things of which something was said by a checkout of this order: the order itself, its user, its items: those that were paid, whatever
 * it was amended to since.
 */
const touchedBy = (order: string, { order: account }: Accounts): string[] => {
  const moments = account.timelines.get(`order:${order}`) ?? []
  const last = (moments.findLast(({ action }) => action === DONE.order) ?? moments.at(-1))?.state
  if (last === undefined) return [`order:${order}`]
  return [`order:${order}`, `user:${last.user}`, ...parseLines(last.lines).map(([item]) => `item:${item}`)]
}

/** Was it told that the order is so already, of the version from which it was to be changed? */
const isNoChange = ({ does, told, facts, value }: Operation): boolean =>
  does === 'change' && told === 'ok' && facts.from === value.version

/** An order that is placed by form is cancelled if its one try fails. */
const itsEnd = (thing: string) => [thing, 'cancel-order'] as const

/** All that a request asks for: a checkout's action stands on several timelines. */
const askedOf = (operation: Operation, accounts: Accounts): (readonly [thing: string, label: string])[] => {
  const { does, facts } = operation
  const { order = '' } = facts
  const checkouts = (): (readonly [thing: string, label: string])[] =>
    touchedBy(order, accounts).map((thing) => [thing, `checkout ${order}`])
  if (does === 'checkout' || does === 'submit') return checkouts()
  const one = asked(operation)
  if (one === undefined || isNoChange(operation)) return []
  return does === 'place-form' ? [one, ...checkouts(), itsEnd(one[0])] : [one]
}

/** What makes two requests one action: the order of a checkout or a cancellation, else the key. */
const sameness = ({ does, idempotencyKey }: Operation, index: number): string => {
  if (does === 'checkout' || does === 'submit' || does === 'cancel' || does === 'delete') return ''
  return idempotencyKey === undefined ? `request ${index}` : `key ${idempotencyKey}`
}

/** Was it told that it is done? While a checkout is being undone a cancellation is told only that it will be. */
const isAcknowledged = (operation: Operation): boolean => operation.told === 'ok' && !isPromised(operation)

/** What is acknowledged of all that a request asks for: of an order that is placed by form only that it is placed. From any version it is
 * unknown whether a change was one. */
const acknowledges = (operation: Operation, label: string): boolean => {
  const { does, facts } = operation
  if (does === 'place-form' && label !== 'place') return false
  return isAcknowledged(operation) && !(does === 'change' && facts.from === '*')
}

const actionsOf = (history: readonly Operation[], accounts: Accounts): Action[] => {
  const begunOf = firstBegun(history)
  const actions = new Map<string, Action>()
  for (const [index, operation] of history.entries()) {
    const { told, endedMs } = operation
    if (told === 'refused') continue
    for (const [thing, label] of askedOf(operation, accounts)) {
      const name = JSON.stringify([thing, label, sameness(operation, index)])
      const known = actions.get(name)
      actions.set(name, {
        thing,
        label,
        begunMs: Math.min(known?.begunMs ?? NEVER, begunOf(operation)),
        acknowledgedMs: Math.min(known?.acknowledgedMs ?? NEVER, acknowledges(operation, label) ? endedMs : NEVER),
      })
    }
  }
  return [...actions.values()]
}

type Timeline = {
  readonly moments: readonly NonNullable<Sight>[]
  /** What is gone at each moment for a checkout that was then cancelled. */
  readonly gone: readonly number[]
  /** When each moment was, by the clients' clock, if that is known. */
  readonly times: readonly number[] | undefined
  /** Where each action stands, counted from 1: place 0 is before the thing was created. */
  readonly places: ReadonlyMap<string, readonly number[]>
}

/** What ends a checkout for good, in each account. */
const DONE: Readonly<Record<string, string>> = { payment: 'captured', stock: 'taken', order: 'paid' }

/** The same moment, if so much had not been gone. */
const without = (moment: NonNullable<Sight>, gone: number): NonNullable<Sight> => {
  const { credit, stock } = moment.state
  if (gone === 0) return moment
  const amounts = {
    ...(credit !== undefined && { credit: credit + gone }),
    ...(stock !== undefined && { stock: stock + gone }),
  }
  return { ...moment, state: { ...moment.state, ...amounts } }
}

/** The log ids of all amendments that payment and stock took part in. */
const amendmentsIn = ({ order: { timelines } }: Accounts): ReadonlySet<string> =>
  new Set([...timelines.values()].flat().flatMap(({ action, saga }) => (action === 'amend' && saga ? [saga] : [])))

const timelinesOf = (accounts: Accounts, returns: Returns, clocks: Clocks): ReadonlyMap<string, Timeline> => {
  const timelines = new Map<string, Timeline>()
  const amendments = amendmentsIn(accounts)
  for (const [participant, account] of Object.entries(accounts) as [Participant, Account<State>][])
    for (const [thing, moments] of account.timelines) {
      const places = new Map<string, number[]>()
      for (const [index, { action, saga }] of moments.entries()) {
        const ended = saga === undefined ? undefined : account.sagas.get(saga)
        const label =
          ended?.state === DONE[participant] && action === DONE[participant] && !amendments.has(saga ?? '')
            ? `checkout ${ended?.order}`
            : action
        const known = places.get(label)
        if (known) known.push(index + 1)
        else places.set(label, [index + 1])
      }
      const gone: readonly Gone[] = returns.get(thing) ?? []
      const clockMs = clocks[participant]
      timelines.set(thing, {
        moments: moments.map((moment, index) => without(moment, gone[index]?.otherwise ?? 0)),
        gone: moments.map((_, index) => gone[index]?.cancelled ?? 0),
        times: clockMs === undefined ? undefined : moments.map(({ loggedMs }) => loggedMs - clockMs),
        places,
      })
    }
  return timelines
}

const isNumber = (text: string | undefined, number: number | undefined): boolean => Number(text) === number

/** What an order is while its last checkout is shown so. */
const CHECKOUT_SHOWN: Readonly<Record<string, readonly string[]>> = {
  submitted: ['submitted'],
  'checking-out': ['checking-out'],
  paid: ['paid', 'changing', 'cancelled'],
  refused: ['open', 'cancelled', 'expired'],
  cancelled: ['cancelling', 'open', 'cancelled', 'expired'],
}

/** How an order is shown to form clients: one that is open again was refused. */
const formStatusOf = ({ status = '', saga }: State): string => {
  if (status === 'open') return saga === '' ? 'OPEN' : 'CANCELED'
  if (status === 'paid' || status === 'changing') return 'APPROVED'
  return status === 'submitted' || status === 'checking-out' ? 'PROCESSING' : 'CANCELED'
}

/** What a request was shown, or refused for, as a question to a moment; undefined if it was shown nothing. */
const shownTo = ({ does, facts, status, problem, value }: Operation, accounts: Accounts): View['fits'] | undefined => {
  const amount = Number(facts.amount)
  const ofOrder = (participant: 'payment' | 'stock' | 'order', action: string): View['fits'] => {
    const { sagas } = accounts[participant]
    return (sight) => sight?.action === action && sagas.get(sight.saga ?? '')?.order === facts.order
  }
  const isShown: View['fits'] = (sight) =>
    isNumber(value.total, sight?.state.total) &&
    value.status === sight?.state.status &&
    value.paid === String(['paid', 'changing'].includes(sight?.state.status ?? '')) &&
    value.lines === sight?.state.lines &&
    value.user === sight?.state.user
  const rows: Readonly<Record<string, View['fits']>> = {
    'find-user 200': (sight) => isNumber(value.credit, sight?.state.credit),
    'find-user 404 no-such-user': (sight) => sight === undefined,
    'pay 423 credit-held': (sight) =>
      (sight?.state.credit ?? 0) >= amount && (sight?.state.credit ?? 0) - (sight?.state.held ?? 0) < amount,
    'pay 402 out-of-credit': (sight) => sight === undefined || (sight.state.credit ?? 0) < amount,
    'find-item 200': (sight) => isNumber(value.stock, sight?.state.stock) && isNumber(value.price, sight?.state.price),
    'find-item 404 no-such-item': (sight) => sight === undefined,
    'subtract 409 out-of-stock': (sight) => sight === undefined || (sight.state.stock ?? 0) < amount,
    'find-order 200': isShown,
    'find-order 404 no-such-order': (sight) => sight === undefined,
    'show-order 200': isShown,
    'show-order 404 no-such-order': (sight) => sight === undefined,
    'find-form 200': (sight) =>
      isNumber(value.total, sight?.state.total) &&
      value.user === sight?.state.user &&
      sight !== undefined &&
      value.form === formStatusOf(sight.state),
    'find-form 404 no-such-order': (sight) => sight === undefined,
    'find-checkout 200': (sight) =>
      value.saga === sight?.state.saga &&
      (CHECKOUT_SHOWN[value.state ?? ''] ?? []).includes(String(sight?.state.status)),
    'find-checkout 404 no-checkout': (sight) => sight?.state.saga === '',
    'find-checkout 404 no-such-order': (sight) => sight === undefined,
    'change 402 out-of-credit': ofOrder('payment', 'refused'),
    'change 409 out-of-stock': ofOrder('stock', 'refused'),
    'change 409 order-changing': (sight) => sight?.state.status === 'changing',
    'refund 409 order-changing': (sight) => sight?.state.status === 'changing',
    'change 409 order-not-open': (sight) => sight?.state.status !== 'open',
    'change 423 locked': (sight) => ['submitted', 'checking-out'].includes(String(sight?.state.status)),
    'change 409 order-cancelled': (sight) => sight?.state.status === 'cancelled',
    'change 409 order-expired': (sight) => sight?.state.status === 'expired',
    'add-item 409 order-not-open': (sight) => sight?.state.status !== 'open',
    'checkout 402 out-of-credit': ofOrder('payment', 'refused'),
    'checkout 409 out-of-stock': ofOrder('stock', 'refused'),
    'checkout 424 checkout-cancelled': ofOrder('order', 'cancelling'),
    'checkout 409 checkout-cancelling': (sight) => sight?.state.status === 'cancelling',
    'checkout 409 order-cancelled': (sight) => ['cancelled', 'cancelling'].includes(String(sight?.state.status)),
    'checkout 409 order-expired': (sight) => sight?.state.status === 'expired',
    'add-item 409 order-cancelled': (sight) => sight?.state.status === 'cancelled',
    'add-item 409 order-expired': (sight) => sight?.state.status === 'expired',
    'checkout 423 locked': (sight) => sight?.state.status !== 'paid',
    'checkout 409 order-changing': (sight) => sight?.state.status === 'changing',
    'checkout 409 order-empty': (sight) => sight?.state.lines === '',
  }
  const asIfWaiting = does === 'submit' ? 'checkout' : does
  return rows[`${asIfWaiting} ${status} ${problem}`.trim()]
}

const isCheckout = (does: Does): boolean => does === 'checkout' || does === 'submit'
/** Is it refused by what payment or stock says of a saga of its order? */
const isDecidedByPeers = (does: Does): boolean => isCheckout(does) || does === 'change'

const thingShown = ({ does, facts, problem, value }: Operation, accounts: Accounts): string => {
  if (isDecidedByPeers(does) && problem === 'out-of-credit') {
    const order = accounts.order.timelines.get(`order:${facts.order}`)?.at(-1)?.state
    return `user:${order?.user}`
  }
  if (isDecidedByPeers(does) && problem === 'out-of-stock') return `item:${value.item}`
  if (facts.order !== undefined) return `order:${facts.order}`
  return facts.user === undefined ? `item:${facts.item}` : `user:${facts.user}`
}

/**
 * Checkouts of one order that overlap are one: whoever comes while one is under way is told its end. One whose outcome is
 * unknown may go on for any time.
 */
const sharedBegin = (history: readonly Operation[]): ReadonlyMap<Operation, number> => {
  const begunOf = firstBegun(history)
  const shared = new Map<Operation, number>()
  const under = new Map<string, { begunMs: number; untilMs: number }>()
  const checkouts = history.filter(({ does }) => isCheckout(does))
  for (const operation of checkouts.toSorted((a, b) => begunOf(a) - begunOf(b))) {
    const order = operation.facts.order ?? ''
    const begunMs = begunOf(operation)
    const endMs = operation.told === 'unknown' ? NEVER : operation.endedMs
    const known = under.get(order)
    const joins = known !== undefined && known.untilMs >= begunMs
    under.set(order, {
      begunMs: joins ? known.begunMs : begunMs,
      untilMs: joins ? Math.max(known.untilMs, endMs) : endMs,
    })
    shared.set(operation, under.get(order)?.begunMs ?? begunMs)
  }
  return shared
}

const viewsOf = (history: readonly Operation[], accounts: Accounts): View[] => {
  const begunOf = firstBegun(history)
  const shared = sharedBegin(history)
  return history.flatMap((operation) => {
    const fits = shownTo(operation, accounts)
    if (fits === undefined) return []
    const thing = thingShown(operation, accounts)
    // "Not now" is not remembered: it is said of a moment of this very request.
    const isOwn = PASSING.has(operation.problem)
    const begunMs = isOwn ? operation.begunMs : (shared.get(operation) ?? begunOf(operation))
    return [{ operation, thing, begunMs, endedMs: operation.endedMs, fits }]
  })
}

const ascending = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b)

/** How many of these sorted numbers are below a bound. */
const countBelow = (sorted: readonly number[], bound: number): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? NEVER) < bound) low = middle + 1
    else high = middle
  }
  return low
}

/** When the actions of one name were asked for and acknowledged, and where in the timeline they stand. */
type Run = {
  readonly label: string
  readonly begun: readonly number[]
  readonly acknowledged: readonly number[]
  readonly places: readonly number[]
}

const runsOf = (actions: readonly Action[], { places }: Timeline): Run[] => {
  const named = groupedBy(actions, ({ label }) => label)
  return [...new Set([...named.keys(), ...places.keys()])].map((label) => {
    const ours = named.get(label) ?? []
    return {
      label,
      begun: ascending(ours.map(({ begunMs }) => begunMs)),
      acknowledged: ascending(ours.map(({ acknowledgedMs }) => acknowledgedMs).filter((ms) => ms < NEVER)),
      places: places.get(label) ?? [],
    }
  })
}

/** Those whose actions requests ask for by name; the rest follows from checkouts, or is an operator's. */
const ASKED_FOR = /^(create-|place$|add-funds |pay |add |subtract |add-item |change-order$|checkout |cancel-order$)/

const MADE_BY = /^(create-|place$)/

/** Acknowledged actions are in the log, and none is there more often than it was asked for. */
const miscounted = (thing: string, run: Run, isWhole: boolean, lost: number): Anomaly[] => {
  const { label, begun, acknowledged, places } = run
  if (places.length + lost < acknowledged.length)
    return [
      { name: 'action-lost', about: thing, says: `${label}: ${acknowledged.length} times told, ${places.length} done` },
    ]
  if (isWhole && ASKED_FOR.test(label) && places.length > begun.length)
    return [
      { name: 'action-unasked', about: thing, says: `${label}: ${begun.length} times asked, ${places.length} done` },
    ]
  return []
}

/** What this view must have seen, and what it cannot have seen. */
const boundsOf = (
  { begunMs, endedMs }: View,
  runs: readonly Run[],
  isWhole: boolean,
  { moments, times = [] }: Timeline,
) => {
  let low = countBelow(times, begunMs - SLACK_MS)
  let high = times.length === 0 ? moments.length : countBelow(times, endedMs + SLACK_MS)
  for (const { label, begun, acknowledged, places } of runs) {
    const before = countBelow(acknowledged, begunMs)
    if (before > 0) low = Math.max(low, places[before - 1] ?? 0)
    const after = places[countBelow(begun, endedMs)]
    if (isWhole && ASKED_FOR.test(label) && after !== undefined) high = Math.min(high, after - 1)
  }
  return { low, high }
}

const nameOf = ({ operation: { told } }: View): AnomalyName => (told === 'ok' ? 'stale-answer' : 'unjustified-refusal')

const tell = ({ operation }: View, between: unknown): string => {
  const { client, does, facts, status, problem, value } = operation
  const told = `${does} ${JSON.stringify(facts)} was told ${status} ${problem}${JSON.stringify(value)}`
  return `${client}: ${told}, between ${JSON.stringify(between)}`
}

const firstPlace = (from: number, to: number, fits: (place: number) => boolean): number | undefined => {
  for (let place = from; place <= to; place += 1) if (fits(place)) return place
  return undefined
}

/** Gives each view the first place that fits, so that those after it have the most room; says which have none. */
const misplaced = (views: readonly View[], runs: readonly Run[], timeline: Timeline, isWhole: boolean): Judged => {
  const judged: Record<keyof Judged, Anomaly[]> = { found: [], excused: [] }
  const { moments, gone } = timeline
  /** Is it true of a place, and would it be if nothing had been gone for a checkout that was then cancelled? */
  const isPlain = (view: View, place: number): boolean => {
    const moment = moments[place - 1]
    return view.fits(moment) && (moment === undefined || view.fits(without(moment, gone[place - 1] ?? 0)))
  }
  // When each view ended, and the last place that was seen by then: both never go down.
  const ended: number[] = []
  const places: number[] = []
  for (const view of views.toSorted((a, b) => a.endedMs - b.endedMs)) {
    const { low, high } = boundsOf(view, runs, isWhole, timeline)
    const first = Math.max(low, places[countBelow(ended, view.begunMs) - 1] ?? 0)
    const place = firstPlace(first, high, (one) => view.fits(moments[one - 1]))
    const isTrue = place !== undefined && firstPlace(place, high, (one) => isPlain(view, one)) !== undefined
    if (!isTrue)
      judged[place === undefined ? 'found' : 'excused'].push({
        name: nameOf(view),
        about: view.thing,
        says: tell(view, moments.slice(Math.max(first - 1, 0), high).slice(-4)),
      })
    ended.push(view.endedMs)
    places.push(Math.max(place ?? first, places.at(-1) ?? 0))
  }
  return judged
}

export type RealTimeOptions = {
  readonly returns: Returns
  readonly clocks: Clocks
  /** A Redis came back older: how often each action is listed as lost, by its thing and its name. */
  readonly lost: ReadonlyMap<string, number> | undefined
}

/** All requests for each action that one thing tells of, whatever they were told; a key names what it created. */
const namedIn = (history: readonly Operation[]): Named[] => {
  const keyOf = ({ does, idempotencyKey }: Operation): string => `${does} ${idempotencyKey}`
  const known = history.filter(({ told, idempotencyKey }) => told === 'ok' && idempotencyKey !== undefined)
  const created = new Map(known.map((one) => [keyOf(one), asked(one)]))
  const requests = history.flatMap((operation) => {
    const one = asked(operation) ?? created.get(keyOf(operation))
    const all = one === undefined ? [] : operation.does === 'place-form' ? [one, itsEnd(one[0])] : [one]
    return all.map(([thing, label]) => ({ thing, label, operation }))
  })
  return [...groupedBy(requests, ({ thing, label }) => JSON.stringify([thing, label])).values()].flatMap((all) => {
    const [first] = all
    return first ? [{ thing: first.thing, label: first.label, requests: all.map(({ operation }) => operation) }] : []
  })
}

/** Everything that clients were told and that has no place in the accounts; after a loss, actions only. */
export const realTimeAnomalies = (
  history: readonly Operation[],
  accounts: Accounts,
  { returns, clocks, lost }: RealTimeOptions,
): Judged => {
  const timelines = timelinesOf(accounts, returns, clocks)
  const actions = groupedBy(actionsOf(history, accounts), ({ thing }) => thing)
  const views = groupedBy(lost ? [] : viewsOf(history, accounts), ({ thing }) => thing)
  const isWhole = (thing: string): boolean => (actions.get(thing) ?? []).some(({ label }) => MADE_BY.test(label))
  const judged = [...new Set([...actions.keys(), ...views.keys()])].map((thing): Judged => {
    const timeline = timelines.get(thing) ?? { moments: [], gone: [], times: undefined, places: new Map() }
    const runs = runsOf(actions.get(thing) ?? [], timeline)
    const counted = runs.flatMap((run) =>
      miscounted(thing, run, isWhole(thing), lost?.get(`${thing} ${run.label}`) ?? 0),
    )
    const { found, excused } = misplaced(views.get(thing) ?? [], runs, timeline, isWhole(thing))
    return { found: [...counted, ...found], excused }
  })
  const unasked = lost ? [] : unaskedActions(namedIn(history), accounts, clocks, isWhole)
  return {
    found: [...judged.flatMap(({ found }) => found), ...unasked],
    excused: judged.flatMap(({ excused }) => excused),
  }
}
