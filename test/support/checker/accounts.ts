/**
 * What do the logs say, read as accounts?
 *
 * Each log is read from its start, and every entry must be justified by those before it: a refusal by what was there when
 * it was said, a hold by what was not held yet, a checkout by the order as it stood. What is read becomes one *timeline*
 * for each wallet, item and order: every moment at which something was said of it, with its state from then on. The last
 * moments are what the live state must be, to the unit; and whatever a client was ever shown must be one of them.
 *
 * An entry that finds its checkout where it leads to is a repetition: it must say what the first one said, and moves
 * nothing. What contradicts the account is a `Fault`; the reading goes on after it.
 */

import { ofDrafts, single } from '../../../shared/contract/events.ts'
import { parseLines } from '../../../shared/contract/lines.ts'
import type { Participant } from '../../../shared/contract/services.ts'
import type { LogEntry } from '../../../shared/log/entry.ts'

/** By how many milliseconds the clock of each Redis is ahead of the one that the history was written by. */
export type Clocks = Readonly<Partial<Record<Participant, number>>>

export type FaultName =
  | 'changed-while-closed'
  | 'charged-otherwise'
  | 'held-beyond-credit'
  | 'impossible-move'
  | 'logged-twice'
  | 'negative'
  | 'refunded-otherwise'
  | 'repeated-otherwise'
  | 'unjustified-refusal'

/** `about` is the thing that it befell, as `user:7`. */
export type Fault = { readonly name: FaultName; readonly about: string; readonly says: string }

/** What was done, by which checkout if it was one, and how things stood from then on. */
export type Moment<State> = {
  readonly action: string
  readonly saga: string | undefined
  readonly state: State
  /** When it was logged, in milliseconds of the clock of the publisher's Redis. */
  readonly loggedMs: number
  /** If a checkout was refused here: of how much there was not enough. */
  readonly wanted: number | undefined
}

/** What was said last of a checkout. */
export type SagaSaid = { readonly state: string; readonly order: string }

export type Account<State> = {
  readonly timelines: ReadonlyMap<string, readonly Moment<State>[]>
  readonly sagas: ReadonlyMap<string, SagaSaid>
  readonly faults: readonly Fault[]
}

export type WalletState = { readonly credit: number; readonly held: number }
export type ShelfState = {
  readonly stock: number
  readonly price: number
  readonly withdrawn: boolean
  readonly version: number
}
export type OrderState = {
  readonly user: string
  readonly status: string
  readonly saga: string
  readonly total: number
  readonly lines: string
}

/** Those of a shop. */
export type Accounts = {
  readonly payment: Account<WalletState>
  readonly stock: Account<ShelfState>
  readonly order: Account<OrderState>
}

type Moves = Readonly<Record<string, readonly string[]>>
type Facts = LogEntry['facts']

const OF_NO_CHECKOUT: ReadonlySet<string> = new Set(single.order)
const isOfCheckout = ({ kind, facts }: LogEntry): boolean => Object.hasOwn(facts, 'order') && !OF_NO_CHECKOUT.has(kind)

/** What is said of drafts moves no money: whether it adds up is in `drafts.ts`. */
const OF_DRAFTS: ReadonlySet<string> = new Set([...ofDrafts.order, ...ofDrafts.payment])

/** A survey of sagas does nothing to any of them, and is said more than once under its log id. */
const isOfSurvey = ({ facts }: LogEntry): boolean => Object.hasOwn(facts, 'open')

const seriesOf = (number: string): number => Number(/^[IC](\d+)-/.exec(number)?.[1] ?? 0)
/**
 * The documents that a later answer names instead of those of the first one: payment has lost these, and issued them anew; or had issued
 * none for an amendment that moves no money, of which order, and then payment, has forgotten that it was one.
 */
const reissuedIn = (first: LogEntry['facts'], later: LogEntry['facts']): LogEntry['facts'] =>
  Object.fromEntries(
    ['invoice', 'note'].flatMap((name) => {
      const [before, now] = [first[name], later[name]]
      const isAnew = before ? seriesOf(now ?? '') > seriesOf(before) : name === 'note' && first.total === '0'
      return now && isAnew ? [[name, now]] : []
    }),
  )

const openAccount = <State>(moves: Moves) => {
  const timelines = new Map<string, Moment<State>[]>()
  const sagas = new Map<string, SagaSaid>()
  const saidFirst = new Map<string, LogEntry['facts']>()
  const once = new Set<string>()
  /** Checkouts that are recorded as failed, for nothing is known of them but what a customer was told. */
  const forgotten = new Set<string>()
  const faults: Fault[] = []
  let loggedMs = 0
  const accuse = (name: FaultName, about: string, says: string): void => void faults.push({ name, about, says })

  const sayFirst = ({ kind, log_id, facts }: LogEntry): string => {
    const name = `${log_id} ${kind}`
    const first = saidFirst.get(name) ?? facts
    const reissued = reissuedIn(first, facts)
    saidFirst.set(name, { ...first, ...reissued })
    return JSON.stringify({ ...first, ...reissued }) === JSON.stringify(facts) ? '' : JSON.stringify(first)
  }

  return {
    timelines,
    sagas,
    faults,
    accuse,
    stateOf: (thing: string): State | undefined => timelines.get(thing)?.at(-1)?.state,
    write: (thing: string, action: string, state: State, saga?: string, wanted?: number): void => {
      const moment = { action, saga, state, loggedMs, wanted }
      const timeline = timelines.get(thing)
      if (timeline) timeline.push(moment)
      else timelines.set(thing, [moment])
    },
    /** Follows a checkout to its next state. @returns the state before, or undefined if this was a repetition. */
    follow: (entry: LogEntry, next: string): string | undefined => {
      const { log_id, facts } = entry
      const first = sayFirst(entry)
      if (first !== '')
        accuse('repeated-otherwise', `saga:${log_id}`, `${entry.kind} ${JSON.stringify(facts)} after ${first}`)
      const before = forgotten.delete(log_id) ? 'none' : (sagas.get(log_id)?.state ?? 'none')
      if (before === next) return undefined
      if (!moves[before]?.includes(next)) accuse('impossible-move', `saga:${log_id}`, `from ${before} to ${next}`)
      sagas.set(log_id, { state: next, order: facts.order ?? '' })
      return before
    },
    /** A checkout is contradicted of which nothing else is known, if so: what it was may be learned later. */
    contradict: ({ log_id, facts }: LogEntry): void => {
      if (sagas.has(log_id)) return
      forgotten.add(log_id)
      sagas.set(log_id, { state: 'failed', order: facts.order ?? '' })
    },
    /** Reads a log from its start. An action that is complete in itself is logged once. */
    read: (
      entries: readonly LogEntry[],
      checkout: (entry: LogEntry) => void,
      action: (entry: LogEntry) => void,
    ): void => {
      for (const entry of entries) {
        loggedMs = Number(entry.id.split('-')[0])
        if (isOfSurvey(entry) || OF_DRAFTS.has(entry.kind)) continue
        if (isOfCheckout(entry)) {
          checkout(entry)
          continue
        }
        const { kind, log_id } = entry
        if (once.has(log_id)) accuse('logged-twice', `saga:${log_id}`, `${kind} under the log id of another action`)
        once.add(log_id)
        action(entry)
      }
    },
  }
}

const rangeOf = ({ first = '0', last = '-1' }: Facts): string[] => {
  const names: string[] = []
  for (let number = Number(first); number <= Number(last); number += 1) names.push(String(number))
  return names
}

/** What becomes of a wallet by an entry that is complete in itself. */
const WALLET_ACTIONS: Readonly<Record<string, (amount: number) => readonly [action: string, change: number]>> = {
  FundsAdded: (amount) => [`add-funds ${amount}`, amount],
  CreditSpent: (amount) => [`pay ${amount}`, -amount],
}

/** What a Redis that lost its tail may make payment say besides. */
const PAYMENT_MOVES = (lossy: boolean): Moves => ({
  none: ['held', 'refused', 'released', 'refunded'],
  held: ['captured', 'voided', 'released'],
  refused: ['released'],
  captured: lossy ? ['released', 'voided'] : ['released'],
  voided: ['released'],
})

/** Reads the log of payment: every hold, refusal, capture and spending against what was owned and held. */
export const payAccount = (entries: readonly LogEntry[], { lossy = false } = {}): Account<WalletState> => {
  const account = openAccount<WalletState>(PAYMENT_MOVES(lossy))
  const { stateOf, write, accuse, follow, read } = account
  const writeSound = (user: string, action: string, wallet: WalletState, saga?: string, wanted?: number): void => {
    if (wallet.credit < 0) accuse('negative', user, `credit ${wallet.credit} after ${action}`)
    if (wallet.held < 0 || wallet.held > wallet.credit)
      accuse('held-beyond-credit', user, `${wallet.held} held of ${wallet.credit} after ${action}`)
    write(user, action, wallet, saga, wanted)
  }

  const checkout = (entry: LogEntry): void => {
    const { kind, log_id, facts } = entry
    const next = kind.replace('Credit', '').toLowerCase()
    const before = follow(entry, next)
    if (before === undefined) return
    const user = `user:${facts.user}`
    const wallet = stateOf(user)
    const total = Number(facts.total)
    /** What was refunded of it before is not given back again. */
    const again = Number(facts.refunded ?? 0)
    if (next === 'refused' && wallet && (wallet.credit >= total || facts.reason === 'no-such-user'))
      accuse('unjustified-refusal', `order:${facts.order}`, `${total} of ${wallet.credit} for ${facts.reason}`)
    const { credit, held } = wallet ?? { credit: 0, held: 0 }
    const after = {
      credit:
        credit - (next === 'captured' ? total : 0) + (before === 'captured' || next === 'refunded' ? total - again : 0),
      held: held + (next === 'held' ? total : 0) - (before === 'held' ? total : 0),
    }
    // Also of somebody whom payment does not know (any more): that makes no wallet.
    const changesNothing = next === 'refused' || (next === 'released' && (before === 'none' || before === 'refused'))
    if (wallet || !changesNothing) writeSound(user, next, after, log_id, next === 'refused' ? total : undefined)
  }

  const action = ({ kind, facts }: LogEntry): void => {
    const user = `user:${facts.user}`
    if (kind === 'UserCreated') write(user, 'create-user', { credit: 0, held: 0 })
    if (kind === 'UsersInitialised')
      for (const name of rangeOf(facts)) write(`user:${name}`, 'init', { credit: Number(facts.credit), held: 0 })
    const done = WALLET_ACTIONS[kind]?.(Number(facts.amount))
    if (done === undefined) return
    const { credit, held } = stateOf(user) ?? { credit: 0, held: 0 }
    writeSound(user, done[0], { credit: credit + done[1], held })
  }
  read(entries, checkout, action)
  return account
}

/** How an item is offered that is new, or that an older version made. */
const NEVER_CHANGED = { withdrawn: false, version: 1 }

const STOCK_STATES: Readonly<Record<string, string>> = { StockWrittenOff: 'written-off' }
const STOCK_MOVES: Moves = { none: ['taken', 'refused', 'restocked', 'written-off'], taken: ['returned'] }

/** Reads the log of stock. `wanted` are the lines of each checkout, which a refusal does not repeat. */
export const stockAccount = (
  entries: readonly LogEntry[],
  wanted: ReadonlyMap<string, string>,
): Account<ShelfState> => {
  const account = openAccount<ShelfState>(STOCK_MOVES)
  const { stateOf, write, accuse, follow, read } = account
  const taken = new Map<string, string>()
  /** What is out for each order, of each item: no more of it can come back onto the shelf. */
  const out = new Map<string, number>()
  const carry = (order = '', item: string, change: number): void => {
    const name = `${order} ${item}`
    const left = (out.get(name) ?? 0) - change
    if (left < 0) accuse('negative', `order:${order}`, `${-left} more of ${item} came back than was taken`)
    out.set(name, Math.max(left, 0))
  }
  const writeOff = (order = '', item: string, quantity: number): void => {
    const name = `${order} ${item}`
    out.set(name, Math.max((out.get(name) ?? 0) - quantity, 0))
  }
  const move = (name: string, action: string, change: number, saga?: string, want?: number): void => {
    const item = `item:${name}`
    const shelf = stateOf(item) ?? { stock: 0, price: 0, ...NEVER_CHANGED }
    const stock = shelf.stock + change
    if (stock < 0) accuse('negative', item, `${stock} in stock after ${action}`)
    write(item, action, { ...shelf, stock }, saga, want)
  }
  const refuse = ({ log_id, facts }: LogEntry): void => {
    const shelf = stateOf(`item:${facts.item}`)
    const want = parseLines(wanted.get(log_id) ?? '').find(([name]) => name === facts.item)?.[1]
    if (shelf && want !== undefined && shelf.stock >= want)
      accuse('unjustified-refusal', `order:${facts.order}`, `${want} of ${shelf.stock} pieces of ${facts.item}`)
    // Also of something that stock does not know (any more): that makes no shelf.
    if (shelf) move(facts.item ?? '', 'refused', 0, log_id, want)
  }
  const checkout = (entry: LogEntry): void => {
    const { kind, log_id, facts } = entry
    const next = STOCK_STATES[kind] ?? kind.replace('Stock', '').toLowerCase()
    const before = follow(entry, next)
    if (before === undefined) return
    if (next === 'refused') refuse(entry)
    if (next === 'taken') taken.set(log_id, facts.lines ?? '')
    // What is written off is on no shelf, and what was back before is there already, or still.
    const back = new Map(parseLines(facts.before ?? facts.there ?? ''))
    const sign = Number(before === 'taken' || next === 'restocked') - Number(next === 'taken')
    for (const [item, quantity] of parseLines((next === 'returned' ? taken.get(log_id) : facts.lines) ?? '')) {
      const change = sign * (quantity - (back.get(item) ?? 0))
      if (next === 'written-off') writeOff(facts.order, item, quantity)
      if (change === 0) continue
      carry(facts.order, item, change)
      move(item, next, change, log_id)
    }
  }

  const change = (name: string, kind: string, offer: Pick<ShelfState, 'price' | 'version'>): void => {
    const item = `item:${name}`
    const { stock, withdrawn, version } = stateOf(item) ?? { stock: 0, ...NEVER_CHANGED }
    if (offer.version <= version) accuse('impossible-move', item, `from version ${version} to ${offer.version}`)
    const isWithdrawn = kind === 'PriceChanged' ? withdrawn : kind === 'ItemWithdrawn'
    write(item, 'change-item', { stock, ...offer, withdrawn: isWithdrawn })
  }
  const action = ({ kind, facts }: LogEntry): void => {
    const { item = '', amount = '0' } = facts
    const offer = { price: Number(facts.price), version: Number(facts.item_version ?? NEVER_CHANGED.version) }
    if (kind === 'ItemCreated') write(`item:${item}`, 'create-item', { stock: 0, ...NEVER_CHANGED, ...offer })
    if (kind === 'ItemsInitialised')
      for (const name of rangeOf(facts))
        write(`item:${name}`, 'init', { stock: Number(facts.stock), ...NEVER_CHANGED, ...offer })
    if (kind === 'PriceChanged' || kind === 'ItemWithdrawn' || kind === 'ItemOffered') change(item, kind, offer)
    if (kind === 'StockAdded') move(item, `add ${amount}`, Number(amount))
    if (kind === 'StockSubtracted') move(item, `subtract ${amount}`, -Number(amount))
  }
  read(entries, checkout, action)
  return account
}

const ORDER_MOVES: Moves = {
  none: ['submitted', 'checking-out', 'paid', 'failed', 'cancelling', 'granted'],
  submitted: ['checking-out', 'failed', 'cancelling'],
  granted: ['settled'],
  'checking-out': ['paid', 'failed', 'cancelling'],
  failed: ['cancelling'],
  // Only by a refund, which is said just before.
  paid: ['cancelling'],
  cancelling: ['closed'],
}
/** What each kind makes of a checkout, and of its order if the order follows that checkout still. */
const ORDER_ENDS: Readonly<Record<string, readonly [saga: string, order: string]>> = {
  CheckoutSubmitted: ['submitted', 'submitted'],
  CheckoutStarted: ['checking-out', 'checking-out'],
  OrderPaid: ['paid', 'paid'],
  CheckoutFailed: ['failed', 'open'],
  CheckoutCancelled: ['cancelling', 'cancelling'],
  CheckoutClosed: ['closed', 'open'],
}

/** What is known of an order's lines: what each has cost, as far as the log tells, and how many of it have gone back. */
type Refundable = { readonly costs: Map<string, bigint>; readonly returned: Map<string, bigint> }

/** What so many pieces of a line are worth, the first of which went back before. */
const worthOf = (cost: bigint, quantity: bigint, before: bigint, pieces: bigint): bigint =>
  (cost * (before + pieces)) / quantity - (cost * before) / quantity

/** What is wrong with a refund of an order as it stands, in words; one that is right is counted. */
const refundFault = ({ lines, total }: Facts, state: OrderState | undefined, known: Refundable): string | undefined => {
  if (!['paid', 'changing', 'cancelled'].includes(state?.status ?? '')) return `it is ${state?.status ?? 'unknown'}`
  const quantities = new Map(parseLines(state?.lines ?? '').map(([item, quantity]) => [item, BigInt(quantity)]))
  // An order over a value has no lines, and goes back as a whole, once.
  const isOverValue = quantities.size === 0 && !known.returned.has('')
  if (isOverValue) known.returned.set('', 1n)
  let worth: bigint | undefined = isOverValue ? BigInt(state?.total ?? 0) : 0n
  for (const [item, count] of parseLines(lines ?? '')) {
    const [quantity, before, cost] = [quantities.get(item) ?? 0n, known.returned.get(item) ?? 0n, known.costs.get(item)]
    const pieces = BigInt(count)
    if (before + pieces > quantity) return `${count} of ${item} go back where ${quantity - before} are left`
    worth = cost === undefined || worth === undefined ? undefined : worth + worthOf(cost, quantity, before, pieces)
    known.returned.set(item, before + pieces)
  }
  return worth === undefined || worth === BigInt(total ?? '0')
    ? undefined
    : `${total} for ${lines}, which is worth ${worth}`
}

const withLine = (lines: string, item: string, quantity: number): string => {
  const known = parseLines(lines)
  const had = known.find(([name]) => name === item)?.[1] ?? 0
  const others = known.filter(([name]) => name !== item)
  return [...others, [item, had + quantity] as const].map(([name, count]) => `${name}:${count}`).join(',')
}

/** The minimal standard generator of Park and Miller (1988), by which orders are initialised from a seed. */
const randomFrom = (seed: number): ((below: number) => number) => {
  let state = (seed % 2147483646) + 1
  return (below) => {
    state = (state * 16807) % 2147483647
    return Math.floor((state / 2147483647) * below)
  }
}

/**
 * Reads the log of order: every line and checkout against the order as it stood. If a Redis came back older, a checkout that
 * order does not know may be adopted: `adoptable` are the lines of those that payment captured.
 */
export const orderAccount = (
  entries: readonly LogEntry[],
  adoptable?: ReadonlyMap<string, string>,
): Account<OrderState> => {
  const isLossy = adoptable !== undefined
  const account = openAccount<OrderState>(ORDER_MOVES)
  const { stateOf, write, accuse, follow, contradict, read } = account
  const refundable = new Map<string, Refundable>()
  const known = (thing: string, costs = ''): void => {
    const each = parseLines(costs).map(([item, cost]) => [item, BigInt(cost)] as const)
    refundable.set(thing, { costs: new Map(each), returned: new Map() })
  }

  const initialise = (facts: Facts): void => {
    const random = randomFrom(Number(facts.seed))
    const [users, items, total] = [Number(facts.users), Number(facts.items), 2 * Number(facts.price)]
    for (const name of rangeOf(facts)) {
      const [user, one, other] = [String(random(users)), random(items), random(items)]
      const lines = one === other ? `${one}:2` : `${one}:1,${other}:1`
      write(`order:${name}`, 'init', { user, status: 'open', saga: '', total, lines })
      known(
        `order:${name}`,
        parseLines(lines)
          .map(([item, count]) => `${item}:${count * Number(facts.price)}`)
          .join(),
      )
    }
  }
  /** An order as it stood when it was changed, and as it may be. */
  const changeable = (order: string | undefined, what: string): OrderState | undefined => {
    const thing = `order:${order}`
    const state = stateOf(thing)
    if (state === undefined || state.status !== 'open')
      accuse('changed-while-closed', thing, `${what} while it was ${state?.status ?? 'unknown'}`)
    return state
  }
  const changeOrder = ({ order, total, lines = '' }: Facts): void => {
    const state = changeable(order, 'it was changed')
    if (state) write(`order:${order}`, 'change-order', { ...state, total: Number(total), lines })
  }
  const addLine = ({ order, item = '', quantity, price }: Facts): void => {
    const state = changeable(order, 'a line was added')
    if (state === undefined) return
    const total = state.total + Number(quantity) * Number(price)
    const lines = withLine(state.lines, item, Number(quantity))
    const { costs } = refundable.get(`order:${order}`) ?? {}
    costs?.set(item, (costs.get(item) ?? 0n) + BigInt(quantity ?? '0') * BigInt(price ?? '0'))
    write(`order:${order}`, `add-item ${item} ${quantity}`, { ...state, total, lines })
  }
  /** What is wrong with the refund of an amendment: it is what the order cost more before, and what was charged besides. */
  const creditFault = (log_id: string, total: number): string | undefined => {
    const credit = credits.get(log_id.replace(/-back$/, ''))
    return credit === total ? undefined : `${total} for an amendment that left ${credit} over`
  }
  const refund = (entry: LogEntry): void => {
    if (follow(entry, entry.kind === 'RefundGranted' ? 'granted' : 'settled') !== 'none') return
    const thing = `order:${entry.facts.order}`
    const state = stateOf(thing)
    const { amends, total } = entry.facts
    const fault =
      amends === undefined
        ? refundFault(entry.facts, state, refundable.get(thing) ?? { costs: new Map(), returned: new Map() })
        : creditFault(entry.log_id, Number(total))
    if (fault !== undefined && !isLossy) accuse('refunded-otherwise', thing, fault)
    if (state !== undefined) write(thing, 'refund', state, entry.log_id)
  }
  /** It may be asked to be paid no more: nothing of it is kept, and its checkout is undone, or about to be closed. */
  const endOrder = ({ kind, facts: { order, user = '' } }: LogEntry): void => {
    const thing = `order:${order}`
    const state = stateOf(thing) ?? { user, status: 'open', saga: '', total: 0, lines: '' }
    const { status, lines } = state
    const { returned } = refundable.get(thing) ?? { returned: new Map<string, bigint>() }
    const isLeft = parseLines(lines).some(([item, quantity]) => returned.get(item) !== BigInt(quantity))
    const mayEnd =
      kind === 'OrderExpired'
        ? status === 'open'
        : ['open', 'expired', 'submitted', 'cancelling'].includes(status) ||
          (status === 'paid' && !isLeft) ||
          // One over a value is tried once, and cancelled just before its checkout fails.
          (status === 'checking-out' && lines === '')
    if (!mayEnd && !isLossy) accuse('impossible-move', thing, `${kind} while it was ${status}`)
    const [action, ended] = kind === 'OrderExpired' ? ['expire', 'expired'] : ['cancel-order', 'cancelled']
    write(thing, action, { ...state, status: ended })
  }
  /** What has ended stays so; but money may prove that an order was paid before it has expired. */
  const staysOver = (before: string, status: string): boolean =>
    before === 'cancelled' || (before === 'expired' && status !== 'paid')
  const refunded = new Set<string>()
  const amendments = new Set<string>()
  /** Amendments that are under way, by their orders, and what each that was made gives back. */
  const amending = new Map<string, string>()
  const credits = new Map<string, number>()
  /** The order is changing until the end, and then as it was; what it is if that is good is told next. */
  const amendment = ({ kind, log_id, facts }: LogEntry, next: string, before: string | undefined): void => {
    const thing = `order:${facts.order}`
    const state = stateOf(thing)
    if (before === undefined || state === undefined) return
    if (kind === 'CheckoutStarted') {
      if (state.status !== 'paid' && !isLossy) accuse('impossible-move', thing, `amended while it was ${state.status}`)
      amending.set(thing, log_id)
      write(thing, 'amend', { ...state, status: 'changing' }, log_id)
    } else if (amending.get(thing) === log_id) {
      amending.delete(thing)
      if (kind === 'OrderPaid') credits.set(log_id, state.total + Number(facts.total))
      else write(thing, next, { ...state, status: state.status === 'changing' ? 'paid' : state.status }, log_id)
    }
  }
  const amended = ({ log_id, facts }: LogEntry): void => {
    const { order, total, lines = '', costs } = facts
    const thing = `order:${order}`
    const state = stateOf(thing)
    if (state === undefined) return
    credits.set(log_id, (credits.get(log_id) ?? state.total) - Number(total))
    known(thing, costs)
    write(thing, 'change-order', { ...state, status: 'paid', total: Number(total), lines }, log_id)
  }
  const checkout = (entry: LogEntry): void => {
    const { log_id, facts } = entry
    if (entry.kind.startsWith('Refund')) return refund(entry)
    if (facts.amends !== undefined) amendments.add(log_id)
    if (entry.kind === 'CheckoutResolved' && facts.by === 'refund') refunded.add(log_id)
    if (entry.kind === 'CheckoutContradicted') return contradict(entry)
    const ends = ORDER_ENDS[entry.kind]
    if (ends === undefined) return
    const [next, status] = ends
    const before = follow(entry, next)
    if (amendments.has(log_id)) return amendment(entry, next, before)
    if (before === 'paid' && !refunded.has(log_id))
      accuse('impossible-move', `saga:${log_id}`, 'paid, and cancelled without a refund')
    const thing = `order:${facts.order}`
    const state = stateOf(thing)
    if (before === undefined) return
    const isAdopted = next === 'checking-out' || next === 'paid'
    const lines = isAdopted ? adoptable?.get(log_id) : undefined
    if (before === 'none' && lines !== undefined && state?.status !== 'paid' && state?.status !== 'cancelled') {
      const { user = '', total } = facts
      write(thing, next, { user, status, saga: log_id, total: Number(total), lines }, log_id)
      return
    }
    if (state === undefined) return
    const isWanted = next === 'submitted' || next === 'checking-out'
    const begins = before === 'none' && (isWanted || next === 'paid')
    if (begins && (next === 'paid' || state.status !== 'open'))
      accuse('impossible-move', thing, `${next} while it was ${state.status}`)
    if (isWanted && (facts.total !== String(state.total) || facts.lines !== state.lines))
      accuse('charged-otherwise', thing, `${facts.total} for ${facts.lines}, not ${state.total} for ${state.lines}`)
    if (begins) write(thing, next, { ...state, status, saga: log_id }, log_id)
    else if (state.saga === log_id)
      write(thing, next, staysOver(state.status, status) ? state : { ...state, status }, log_id)
  }

  const action = (entry: LogEntry): void => {
    const { kind, facts } = entry
    const { order, user = '', total = '0', lines = '' } = facts
    if (kind === 'OrderCancelled' || kind === 'OrderExpired') endOrder(entry)
    const made = { user, status: 'open', saga: '', total: Number(total), lines }
    if (kind === 'OrderCreated') write(`order:${order}`, 'create-order', made)
    if (kind === 'OrderPlaced') write(`order:${order}`, 'place', made)
    if (kind === 'OrderChanged') changeOrder(facts)
    if (kind === 'OrderAmended') amended(entry)
    if (kind === 'OrderCreated' || kind === 'OrderPlaced' || kind === 'OrderChanged')
      known(`order:${order}`, facts.costs)
    if (kind === 'LineAdded') addLine(facts)
    if (kind === 'OrdersInitialised') initialise(facts)
  }
  read(entries, checkout, action)
  return account
}

/** The lines of each checkout, by its log id, as they were said; of one kind of entry, if it is given. */
export const linesOf = (entries: readonly LogEntry[], only?: string): ReadonlyMap<string, string> => {
  const lines = new Map<string, string>()
  for (const { kind, log_id, facts } of entries)
    if (facts.lines !== undefined && (only === undefined || kind === only)) lines.set(log_id, facts.lines)
  return lines
}

/** Which thing an entry that is complete in itself is about, and what its timeline calls it. */
const NAMED: Readonly<Record<string, (facts: Facts) => readonly [thing: string, action: string]>> = {
  UserCreated: ({ user }) => [`user:${user}`, 'create-user'],
  FundsAdded: ({ user, amount }) => [`user:${user}`, `add-funds ${amount}`],
  CreditSpent: ({ user, amount }) => [`user:${user}`, `pay ${amount}`],
  ItemCreated: ({ item }) => [`item:${item}`, 'create-item'],
  StockAdded: ({ item, amount }) => [`item:${item}`, `add ${amount}`],
  StockSubtracted: ({ item, amount }) => [`item:${item}`, `subtract ${amount}`],
  OrderCreated: ({ order }) => [`order:${order}`, 'create-order'],
  OrderPlaced: ({ order }) => [`order:${order}`, 'place'],
  OrderChanged: ({ order }) => [`order:${order}`, 'change-order'],
  OrderAmended: ({ order }) => [`order:${order}`, 'change-order'],
  LineAdded: ({ order, item, quantity }) => [`order:${order}`, `add-item ${item} ${quantity}`],
}

/** How often each action is among these entries, by its thing and its name. */
export const countActions = (entries: readonly LogEntry[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { kind, facts } of entries) {
    const name = NAMED[kind]?.(facts).join(' ')
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

/** How things stand at the end of the log. */
export const closing = <State>({ timelines }: Account<State>): ReadonlyMap<string, State> =>
  new Map(
    [...timelines].flatMap(([thing, moments]) => {
      const last = moments.at(-1)
      return last ? [[thing, last.state] as const] : []
    }),
  )
