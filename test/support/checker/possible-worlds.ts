/**
 * What may a small shop be, after all that clients asked and were told?
 *
 * A *world* is one exact state that explains every answer so far as if all requests had come one after the other. While
 * every answer arrives there are few: what was asked at once may have come in any order. A request whose outcome is unknown
 * is *coming*: it may take effect at any later moment, or never, so each world that it makes possible is kept. A later
 * answer rules worlds out; a repetition under the same key tells what became of the first request. When no world is left,
 * no serial order explains what clients were told.
 *
 * "Not now", or that nothing was done, is an answer without effect. It is taken only while something disturbs the shop.
 *
 * The price of a line is asked for first, and may be another one when the line is added: any that the item had, or may have had,
 * since the line was asked for.
 *
 * What is refunded comes back later: the money with the answer that it is settled, or after the one that it is granted, and the
 * goods after either.
 *
 * A checkout that is cancelled, or of which nobody learns that it was, may be seen as a sale and its *return*: all that it
 * wanted is gone at some moment, and back at a later one, the money first. At rest everything is back.
 *
 * An order is cancelled with the answer that it is, or after the one that it is being cancelled; until then it is shown as it was.
 *
 * Each version of an order has a name of its own, which clients see. A world knows the name of the present one once it was shown, and
 * those of the past, which never come again: a change is made from the present version, and is stale from any other. What ends in
 * its own time (a refund, a checkout that is cancelled) gives the order another version then: until all is at rest it is *stirred*.
 *
 * An order that is placed by form is tried once, in its own time: its money is gone first, and then it is shown as paid.
 */

export type Action =
  | { readonly does: 'add-funds' | 'pay'; readonly user: number; readonly amount: number }
  | { readonly does: 'add' | 'subtract'; readonly item: number; readonly amount: number }
  | { readonly does: 'set-price'; readonly item: number; readonly price: number }
  | { readonly does: 'add-item'; readonly order: number; readonly item: number; readonly quantity: number }
  /** So many pieces of an item from now on, from the version that is named, or from whichever there is. */
  | {
      readonly does: 'change'
      readonly order: number
      readonly item: number
      readonly quantity: number
      readonly from?: string | undefined
    }
  /** One that is submitted is asked for until it is decided. */
  | { readonly does: 'checkout'; readonly order: number; readonly isSubmitted?: true }
  /** Of so many pieces of an item, or of all that is left. */
  | { readonly does: 'refund'; readonly order: number; readonly item?: number; readonly quantity: number }
  /** The order, for good: the two are answered otherwise. */
  | { readonly does: 'cancel' | 'delete'; readonly order: number }
type Line = Extract<Action, { readonly does: 'add-item' }>
type Change = Extract<Action, { readonly does: 'change' }>
type Refund = Extract<Action, { readonly does: 'refund' }>
type Cancellation = Extract<Action, { readonly does: 'cancel' | 'delete' }>
export type Read =
  | { readonly does: 'find-user'; readonly user: number }
  | { readonly does: 'find-item'; readonly item: number }
  | { readonly does: 'find-order'; readonly order: number }
  /** The same, and its version. */
  | { readonly does: 'show-order'; readonly order: number }
  /** The orders of a user. */
  | { readonly does: 'find-orders'; readonly user: number }
  /** An order that was placed by form. */
  | { readonly does: 'find-form'; readonly form: number }
export type Request = Action | Read

export type OrderHas = {
  readonly user: number
  /** Was it paid, whatever became of it then? */
  readonly paid: boolean
  /** Is it cancelled, or will be once its checkout is undone? */
  readonly cancelled?: 'at last' | 'now' | undefined
  readonly total: number
  /** How many of each item, what they cost, and how many of them were refunded. */
  readonly quantities: readonly number[]
  readonly costs: readonly number[]
  readonly returned: readonly number[]
  /** The name of its version, if that is known, and of those that it had. */
  readonly version?: string | undefined
  readonly past?: readonly string[]
  /** May it get another version in its own time? */
  readonly isStirred?: boolean
}
/** An order that was placed by form, or may have been, or was not. */
export type FormHas = {
  readonly user: number
  readonly total: number
  readonly status: 'MAYBE' | 'NEVER' | 'PROCESSING' | 'APPROVED' | 'CANCELED'
  /** Is its money gone? */
  readonly isTaken: boolean
  /** Was something wrong meanwhile, so that its try may be cancelled? */
  readonly isExcused: boolean
}
/** What is on its way back, and which order is being cancelled. */
type Due =
  | { readonly user: number; readonly amount: number }
  | { readonly quantities: readonly number[] }
  | { readonly cancels: number }
export type State = {
  readonly credit: readonly number[]
  readonly stock: readonly number[]
  readonly prices: readonly number[]
  readonly orders: readonly OrderHas[]
  readonly forms?: readonly FormHas[]
  readonly due: readonly Due[]
}

/** What a client was told: `answer` is the status and what belongs to it; undefined if the outcome is unknown. */
export type Told = {
  /** Names the action: repetitions under one key are one action. */
  readonly action: number
  readonly request: Request
  readonly answer: string | undefined
}

/** What is said of a state of affairs that passes, or of a peer that is away; nothing was done. */
const NOT_NOW = new Set([
  '423 locked',
  '423 credit-held',
  '424 checkout-cancelled',
  '424 neighbour-unavailable',
  '409 checkout-cancelling',
  '409 order-not-open',
  '409 order-changing',
  '424 change-cancelled',
])
/** A replica that is full, or away, says so with a 503, and in words that nothing was done. */
const isTurnedAway = (answer: string): boolean => answer.startsWith('503 ')
const isNotNow = (answer: string): boolean => NOT_NOW.has(answer) || isTurnedAway(answer)
/** True when it is said, and may be another answer under the same key later. */
const PASSING = new Set(['409 order-not-paid'])
/** Remembered under a key like any answer to the question. */
const CANCELLED: ReadonlySet<string> = new Set(['424 checkout-cancelled', '424 change-cancelled'])
/** Is this an answer to the question, the same whenever it is repeated under its key? */
export const isFinal = (answer: string | undefined): boolean =>
  answer !== undefined && (CANCELLED.has(answer) || !(isNotNow(answer) || PASSING.has(answer)))

/** A refund is granted; or settled, so that its money is back. Under a key the one answer may follow the other. */
const GRANTED = '202'
const SETTLED = '201'
const sameAnswer = (before: string, answer: string): boolean =>
  before === answer || [before, answer].every((one) => one === GRANTED || one === SETTLED)

const put = <Thing>(list: readonly Thing[], index: number, thing: Thing): readonly Thing[] => list.with(index, thing)
const has = (list: readonly number[], index: number): number => list[index] ?? 0

/** An order of another version, whose name is not known yet. */
const renewed = (known: OrderHas, past: readonly string[] = []): OrderHas => ({
  ...known,
  version: undefined,
  past: [...new Set([...(known.past ?? []), ...(known.version === undefined ? [] : [known.version]), ...past])],
})
/** The order may get another version in its own time. */
const stirred = (state: State, order: number): State => ({
  ...state,
  orders: state.orders.map((known, index) =>
    index === order ? { ...known, version: undefined, isStirred: true } : known,
  ),
})

/** May a version of this name be the present one? */
const mayBe = ({ version, past = [], isStirred }: OrderHas, name: string): boolean =>
  !past.includes(name) && (version === undefined || isStirred === true || version === name)
/** The same order, once its version is known. */
const named = (known: OrderHas, version: string | undefined): OrderHas =>
  version === undefined ? known : { ...known, version }

const checkedOut = (state: State, order: number): readonly [answer: string, State] => {
  const wanted = state.orders[order]
  if (wanted === undefined) return ['404 no-such-order', state]
  const { user, total, quantities, cancelled } = wanted
  if (cancelled !== undefined) return [cancelled === 'now' ? '409 order-cancelled' : '409 checkout-cancelling', state]
  if (wanted.paid) return ['200', state]
  if (quantities.every((quantity) => quantity === 0)) return ['409 order-empty', state]
  const again = { ...state, orders: put(state.orders, order, renewed(wanted)) }
  if (has(state.credit, user) < total) return ['402 out-of-credit', again]
  if (quantities.some((quantity, item) => quantity > has(state.stock, item))) return ['409 out-of-stock', again]
  return [
    '200',
    {
      ...state,
      credit: put(state.credit, user, has(state.credit, user) - total),
      stock: state.stock.map((stock, item) => stock - has(quantities, item)),
      orders: put(state.orders, order, { ...renewed(wanted), paid: true }),
    },
  ]
}

const withLine = (state: State, { order, item, quantity }: Line, price: number): readonly [answer: string, State] => {
  const known = state.orders[order]
  if (known === undefined) return ['404 no-such-order', state]
  if (known.cancelled === 'now') return ['409 order-cancelled', state]
  if (known.paid || known.cancelled !== undefined) return ['409 order-not-open', state]
  const quantities = state.stock.map((_, index) => has(known.quantities, index) + (index === item ? quantity : 0))
  const costs = state.stock.map((_, index) => has(known.costs, index) + (index === item ? quantity * price : 0))
  const total = known.total + quantity * price
  return ['200', { ...state, orders: put(state.orders, order, { ...renewed(known), total, quantities, costs }) }]
}

/** An open order with so many pieces of an item: those that are added at this price, and all at their cost if none is left. */
const withQuantity = (state: State, known: OrderHas, { item, quantity }: Change, price: number): OrderHas => {
  const [before, cost] = [has(known.quantities, item), has(known.costs, item)]
  const less = quantity < before ? worth(cost, before, before - quantity) : 0
  const after = cost + Math.max(quantity - before, 0) * price - less
  const each = (list: readonly number[], one: number): number[] =>
    state.stock.map((_, index) => (index === item ? one : has(list, index)))
  return {
    ...known,
    total: known.total + after - cost,
    quantities: each(known.quantities, quantity),
    costs: each(known.costs, after),
  }
}

/** The same once the money that leaves with an amendment is back: its client waits for that, for a while. */
const settledIn = (before: State, after: State, version: string | undefined): (readonly [answer: string, State])[] => {
  const [money] = after.due.slice(before.due.length)
  return money === undefined ? [] : [[`204 @${version}`, withDue(after, money)]]
}

const VERSION_TOLD = / @(.*)$/

/**
 * What becomes of a paid order that is to have so many pieces of an item: more are paid and taken at once, and what leaves comes back.
 * Its version is another one once that is documented.
 */
const amended = (
  state: State,
  request: Change,
  known: OrderHas,
  after: OrderHas,
): readonly [problem: string, State] => {
  const { order, item } = request
  if (known.returned.some((pieces) => pieces > 0)) return ['409 partly-refunded', state]
  if (after.quantities.every((quantity) => quantity === 0)) return ['409 order-empty', state]
  const [money, pieces] = [after.total - known.total, has(after.quantities, item) - has(known.quantities, item)]
  const made = { ...state, orders: put(state.orders, order, { ...after, isStirred: true }) }
  if (pieces <= 0) {
    const back = state.stock.map((_, index) => (index === item ? -pieces : 0))
    return ['', { ...made, due: [...state.due, { user: known.user, amount: -money }, { quantities: back }] }]
  }
  const again = { ...state, orders: put(state.orders, order, renewed(known)) }
  if (has(state.credit, known.user) < money) return ['402 out-of-credit', again]
  if (has(state.stock, item) < pieces) return ['409 out-of-stock', again]
  return [
    '',
    {
      ...made,
      credit: put(state.credit, known.user, has(state.credit, known.user) - money),
      stock: put(state.stock, item, has(state.stock, item) - pieces),
    },
  ]
}

/** What a change may be answered in a state, and the state after it. @param told the answer, which names a version; if there was one */
const changes = (
  state: State,
  request: Change,
  price: number,
  told: string | undefined,
): (readonly [answer: string, State])[] => {
  const { order, item, quantity, from } = request
  const known = state.orders[order]
  if (known === undefined) return [['404 no-such-order', state]]
  if (known.cancelled === 'now') return [['409 order-cancelled', state]]
  if (known.cancelled !== undefined) return [['409 order-not-open', state]]
  const version = VERSION_TOLD.exec(told ?? '')?.[1]
  const isNamed = version === undefined || !(known.past ?? []).includes(version)
  const into = (after: OrderHas): State => ({ ...state, orders: put(state.orders, order, after) })
  const ends: (readonly [answer: string, State])[] = []
  if (from === undefined || mayBe(known, from)) {
    const isSame = has(known.quantities, item) === quantity
    const asBefore = version === undefined || (mayBe(known, version) && (from === undefined || version === from))
    const isNew = isNamed && version !== from && version !== known.version
    const after = named(renewed(withQuantity(state, known, request, price), from === undefined ? [] : [from]), version)
    // Of an order that was refunded in part nothing is changed, and be it that nothing were.
    const isRefunded = known.paid && known.returned.some((pieces) => pieces > 0)
    if (isSame && isRefunded) ends.push(['409 partly-refunded', state])
    else if (isSame && asBefore) ends.push([`204 @${version}`, into(named(known, version))])
    // From any version it is shown as it stands a moment later: an amendment that failed since has made another version of it.
    else if (isSame && known.paid && from === undefined && isNamed) ends.push([`204 @${version}`, state])
    if (!isSame && known.paid) {
      const [problem, amendedTo] = amended(state, request, known, after)
      if (problem !== '') ends.push([problem, amendedTo])
      else if (version === undefined || isNew)
        ends.push([`204 @${version}`, amendedTo], ...settledIn(state, amendedTo, version))
    } else if (!isSame && (version === undefined || isNew)) ends.push([`204 @${version}`, into(after)])
  }
  // Of which version an order is that is stirred, or was not seen, only the answer tells.
  const isOther = version === undefined || (version !== from && mayBe(known, version))
  if (from !== undefined && (known.isStirred === true || known.version !== from) && isOther)
    ends.push([`412 stale @${version}`, into(named({ ...known, past: [...(known.past ?? []), from] }, version))])
  return ends
}

/** The first pieces of a line that go back are worth their part of what it cost, rounded down. */
const worth = (cost: number, quantity: number, pieces: number): number => Math.floor((cost * pieces) / quantity)

/** Granted, nothing of it is back yet. */
const refunded = (state: State, { order, item, quantity }: Refund): readonly [answer: string, State] => {
  const known = state.orders[order]
  if (known === undefined) return ['404 no-such-order', state]
  const { user, paid, quantities, costs, returned } = known
  if (!paid || known.cancelled !== undefined) return ['409 order-not-paid', state]
  const left = quantities.map((count, index) => count - has(returned, index))
  const isTooMuch = item !== undefined && quantity > has(left, item)
  // A line that it has is looked at first, then whether anything is left, then what it has not.
  if (isTooMuch && has(quantities, item) > 0) return ['409 quantity-too-great', state]
  if (left.every((count) => count === 0)) return ['409 nothing-to-refund', state]
  if (isTooMuch) return ['409 quantity-too-great', state]
  const pieces = left.map((count, index) => (item === undefined ? count : index === item ? quantity : 0))
  const after = quantities.map((_, index) => has(returned, index) + has(pieces, index))
  const amount = quantities.reduce((sum, count, index) => {
    if (count === 0) return sum
    const [cost, before] = [has(costs, index), has(returned, index)]
    return sum + worth(cost, count, has(after, index)) - worth(cost, count, before)
  }, 0)
  const orders = put(state.orders, order, { ...renewed(known), returned: after, isStirred: true })
  return [GRANTED, { ...state, orders, due: [...state.due, { user, amount }, { quantities: pieces }] }]
}

const withCancelled = (state: State, order: number, cancelled: 'at last' | 'now'): State => {
  const after = stirred(state, order)
  return { ...after, orders: after.orders.map((known, index) => (index === order ? { ...known, cancelled } : known)) }
}

/** What was due is back, or done. */
const withDue = (state: State, due: Due): State => {
  const rest = { ...state, due: state.due.filter((one) => one !== due) }
  if ('cancels' in due) return withCancelled(rest, due.cancels, 'now')
  if ('amount' in due) return { ...rest, credit: put(state.credit, due.user, has(state.credit, due.user) + due.amount) }
  return { ...rest, stock: state.stock.map((stock, item) => stock + has(due.quantities, item)) }
}

/** What a cancellation may be answered in a state, and the state after it: of a paid order all that is left is refunded. */
const cancellations = (state: State, { does, order }: Cancellation): (readonly [answer: string, State])[] => {
  const known = state.orders[order]
  if (known === undefined) return [['404 no-such-order', state]]
  const { paid, cancelled, total } = known
  const done = (amount: number): string => (does === 'delete' ? '204' : `200 ${amount}`)
  if (!paid) {
    const due = cancelled === undefined ? [...state.due, { cancels: order }] : state.due
    const over = { ...state, due: state.due.filter((one) => !('cancels' in one) || one.cancels !== order) }
    const inTime = [done(0), withCancelled(over, order, 'now')] as const
    return cancelled === 'now'
      ? [inTime]
      : [inTime, ['202 cancelling 0', withCancelled({ ...state, due }, order, 'at last')]]
  }
  const [, left] = cancelled === undefined ? refunded(state, { does: 'refund', order, quantity: 0 }) : ['', state]
  const after = withCancelled(left, order, 'now')
  if (does === 'delete') return [['204', after]]
  const [money] = after.due.slice(state.due.length)
  return [
    [done(total), money === undefined ? after : withDue(after, money)],
    [`202 cancelled ${total}`, after],
  ]
}

/** Orders by their numbers, each as it is shown. */
export const showOrders = (orders: readonly (readonly [order: number, shown: string])[]): string =>
  `200 ${orders
    .toSorted(([one], [other]) => one - other)
    .map(([order, shown]) => `${order}: ${shown}`)
    .join('; ')}`

/** How an order is shown: paid, cancelled or neither, its total, and how many of each item. */
export const showOrder = (
  { paid, cancelled, total, quantities }: Pick<OrderHas, 'paid' | 'cancelled' | 'total' | 'quantities'>,
  items: number,
): string =>
  `200 ${cancelled === 'now' ? 'cancelled' : paid} ${total} ${Array.from({ length: items }, (_, item) => has(quantities, item))}`

/**
 * What a request is answered in a state, and the state after it.
 * @param price what a line is added at; default: what its item costs now
 */
export const answered = (state: State, request: Request, price?: number): readonly [answer: string, State] => {
  switch (request.does) {
    case 'add-funds':
    case 'pay': {
      const left = has(state.credit, request.user) + (request.does === 'pay' ? -request.amount : request.amount)
      if (left < 0) return ['402 out-of-credit', state]
      return ['200', { ...state, credit: put(state.credit, request.user, left) }]
    }
    case 'add':
    case 'subtract': {
      const left = has(state.stock, request.item) + (request.does === 'subtract' ? -request.amount : request.amount)
      if (left < 0) return ['409 out-of-stock', state]
      return ['200', { ...state, stock: put(state.stock, request.item, left) }]
    }
    case 'add-item':
      return withLine(state, request, price ?? has(state.prices, request.item))
    case 'change':
      return changes(state, request, price ?? has(state.prices, request.item), undefined)[0] ?? ['412 stale', state]
    case 'set-price':
      return ['200', { ...state, prices: put(state.prices, request.item, request.price) }]
    case 'checkout':
      return checkedOut(state, request.order)
    case 'refund':
      return refunded(state, request)
    case 'cancel':
    case 'delete':
      return cancellations(state, request)[0] ?? ['404 no-such-order', state]
    case 'find-user':
      return [`200 ${state.credit[request.user]}`, state]
    case 'find-item':
      return [`200 ${state.stock[request.item]} ${state.prices[request.item]}`, state]
    case 'find-order': {
      const order = state.orders[request.order]
      return [order ? showOrder(order, state.stock.length) : '404 no-such-order', state]
    }
    case 'show-order': {
      const order = state.orders[request.order]
      return [order ? showOrder(order, state.stock.length) : '404 no-such-order', state]
    }
    case 'find-form': {
      const { status, total } = state.forms?.[request.form] ?? { status: 'NEVER', total: 0 }
      return [`200 ${status} ${total}`, state]
    }
    case 'find-orders': {
      const orders = state.orders.flatMap((order, number) =>
        order.user === request.user ? [[number, showOrder(order, state.stock.length)] as const] : [],
      )
      return [showOrders(orders), state]
    }
  }
}

/** Is it asked for with what an item costs? */
const isPriced = (request: Request): request is Line | Change =>
  request.does === 'add-item' || request.does === 'change'

/** What a checkout has taken that is cancelled: it comes back. */
type Sale = {
  readonly order: number
  readonly user: number
  readonly total: number
  readonly quantities: readonly number[]
}

type World = {
  readonly state: State
  /** Checkouts, by their actions, that may yet be seen as a sale and its return. */
  readonly fleeting: readonly number[]
  /** Sales that are seen now. */
  readonly sales: readonly Sale[]
  /** Actions whose effect may still come. */
  readonly coming: readonly number[]
  /** What actions were answered, or would have been. */
  readonly known: Readonly<Record<number, string>>
}

export type Worlds = {
  /** Takes in what was asked at once. @throws if no world is left. */
  readonly learn: (told: readonly Told[], disturbed: boolean) => void
  /** Nothing that is coming can come any more. */
  readonly rest: () => void
  /** Something new is in every world. */
  readonly change: (change: (state: State) => State) => void
  /** Actions that may still come. */
  readonly coming: () => readonly number[]
  /** How much may still come, or be seen and go again: the worlds multiply with it. */
  readonly open: () => number
  readonly count: () => number
}

const READS = new Set(['find-user', 'find-item', 'find-order', 'find-orders', 'show-order', 'find-form'])

const isCancellation = ({ does }: Request): boolean => does === 'cancel' || does === 'delete'

/** A checkout, or an amendment, that was under way when its order was cancelled with it. */
const isGivenUp = ({ request, answer }: Told, told: readonly Told[]): boolean =>
  (request.does === 'checkout' || request.does === 'change') &&
  answer === '409 order-cancelled' &&
  told.some(({ request: other }) => isCancellation(other) && 'order' in other && other.order === request.order)

/** An order that is being changed is not changed, refunded or checked out: true while it lasts. */
const meetsChange = ({ action, request, answer }: Told, told: readonly Told[]): boolean =>
  answer === '409 order-changing' &&
  told.some(
    ({ action: by, request: other }) =>
      by !== action && other.does === 'change' && 'order' in request && other.order === request.order,
  )

/** An order that is being checked out takes no lines: true while it lasts, whatever comes of it. */
const meetsCheckout = ({ request, answer }: Told, told: readonly Told[]): boolean =>
  (answer === '409 order-not-open' || (answer === '423 locked' && request.does === 'change')) &&
  told.some(({ request: other }) => other.does === 'checkout' && 'order' in request && other.order === request.order)

/** How an order is shown with its version, whose name is known from then on. */
const shownWithVersion = (state: State, order: number, told = ''): readonly (readonly [answer: string, State])[] => {
  const known = state.orders[order]
  const version = VERSION_TOLD.exec(told)?.[1]
  if (known === undefined) return [['404 no-such-order', state]]
  if (version === undefined || !mayBe(known, version)) return []
  const orders = put(state.orders, order, named(known, version))
  return [[`${showOrder(known, state.stock.length)} @${version}`, { ...state, orders }]]
}

/** What a request may be answered in a state, and the state after it; a line for each price at which it may be added. */
const mayBeAnswered = (
  state: State,
  request: Request,
  prices: ReadonlySet<number> | undefined,
  told?: string,
): readonly (readonly [answer: string, State])[] => {
  if (request.does === 'show-order') return shownWithVersion(state, request.order, told)
  if (request.does === 'change') return [...(prices ?? [])].flatMap((price) => changes(state, request, price, told))
  if (request.does === 'cancel' || request.does === 'delete') return cancellations(state, request)
  // A checkout that is given up with its order is told so before it is undone.
  if (request.does === 'checkout' && state.orders[request.order]?.cancelled === 'at last')
    return ['409 checkout-cancelling', '409 order-cancelled'].map((answer) => [answer, state])
  if (prices !== undefined) return [...prices].map((price) => answered(state, request, price))
  const [answer, next] = answered(state, request)
  const [money] = answer === GRANTED ? next.due.slice(state.due.length) : []
  return money === undefined
    ? [[answer, next]]
    : [
        [answer, next],
        [SETTLED, withDue(next, money)],
      ]
}

/** The change of a paid order was made, and is told again with the version that the order has by now. */
const asItIs = (world: World, request: Request, before: string, answer: string): World[] => {
  const [first, version] = [before, answer].map((text) => /^204 @(.*)$/.exec(text)?.[1])
  if (request.does !== 'change' || first === undefined || version === undefined) return []
  const known = world.state.orders[request.order]
  if (known === undefined || !known.paid || !mayBe(known, version)) return []
  const orders = put(world.state.orders, request.order, named(known, version))
  return [{ ...world, state: { ...world.state, orders } }]
}

/** The worlds that one answered request may lead to from this one. */
const after = (
  world: World,
  { action, request, answer = '' }: Told,
  excused: boolean,
  prices: ReadonlySet<number> | undefined,
): World[] => {
  const { state, coming, known } = world
  const before = known[action]
  // A 503 of a repetition speaks of that sending only, for nobody could look what became of the first.
  if (before !== undefined) {
    const isSame = sameAnswer(before, answer) || (excused && isTurnedAway(answer))
    return isSame ? [world] : asItIs(world, request, before, answer)
  }
  const others = coming.filter((one) => one !== action)
  const settled = isFinal(answer) && !READS.has(request.does) ? { ...known, [action]: answer } : known
  const worlds = mayBeAnswered(state, request, prices, answer)
    .filter(([due]) => due === answer)
    .map(([, next]): World => ({ ...world, state: next, coming: others, known: settled }))
  if (excused && isNotNow(answer)) {
    const left = request.does === 'checkout' ? stirred(state, request.order) : state
    worlds.push({ ...world, state: left, coming: isFinal(answer) ? others : coming, known: settled })
  }
  return worlds
}

/** What a checkout, or the amendment of an order, takes besides; `undefined` if nothing. */
const taking = (state: State, request: Request | undefined, price: number): Sale | undefined => {
  if (request?.does !== 'checkout' && request?.does !== 'change') return undefined
  const wanted = state.orders[request.order]
  if (wanted === undefined || wanted.paid !== (request.does === 'change')) return undefined
  const { user, total, quantities } = wanted
  if (request.does === 'checkout') return { order: request.order, user, total, quantities }
  const after = withQuantity(state, wanted, request, price)
  const more = state.stock.map((_, item) => has(after.quantities, item) - has(quantities, item))
  return more.some((pieces) => pieces > 0)
    ? { order: request.order, user, total: after.total - total, quantities: more }
    : undefined
}

/** A checkout that is cancelled has taken what it wants; `undefined` if it cannot, or has already. */
const withSale = (world: World, action: number, sale: Sale): World | undefined => {
  const { state, fleeting, sales } = world
  const { order, user, total, quantities } = sale
  const credit = has(state.credit, user) - total
  const stock = state.stock.map((pieces, item) => pieces - has(quantities, item))
  const isEmpty = quantities.every((quantity) => quantity === 0)
  if (isEmpty || credit < 0 || stock.some((pieces) => pieces < 0) || sales.some((one) => one.order === order))
    return undefined
  return {
    ...world,
    state: { ...state, credit: put(state.credit, user, credit), stock },
    fleeting: fleeting.filter((one) => one !== action),
    sales: [...sales, sale],
  }
}

const withReturn = (world: World, sale: Sale): World => {
  const { state, sales } = world
  const { user, total, quantities } = sale
  return {
    ...world,
    state: {
      ...state,
      credit: put(state.credit, user, has(state.credit, user) + total),
      due: [...state.due, { quantities }],
    },
    sales: sales.filter((one) => one !== sale),
  }
}

const withForm = (state: State, form: FormHas, after: FormHas): State => ({
  ...state,
  forms: (state.forms ?? []).map((one) => (one === form ? after : one)),
})

/** What may become of an order that was placed by form, and is not decided. */
const nextOfForm = (state: State, form: FormHas): State[] => {
  const { user, total, status, isTaken, isExcused } = form
  if (status === 'MAYBE') return [withForm(state, form, { ...form, status: 'PROCESSING' })]
  if (status !== 'PROCESSING') return []
  const cancelled = withForm(state, form, { ...form, status: 'CANCELED' })
  if (isTaken) {
    const due = [...state.due, { user, amount: total }]
    return [withForm(state, form, { ...form, status: 'APPROVED' }), ...(isExcused ? [{ ...cancelled, due }] : [])]
  }
  const left = has(state.credit, user) - total
  const taken = { ...withForm(state, form, { ...form, isTaken: true }), credit: put(state.credit, user, left) }
  return left < 0 ? [cancelled] : [taken, ...(isExcused ? [cancelled] : [])]
}

/** Nothing gets another version by itself any more, and what was not placed by form by now never will be by that request. */
const rested = (state: State): State => ({
  ...state,
  orders: state.orders.map((order) => (order.isStirred ? { ...order, version: undefined, isStirred: false } : order)),
  forms: (state.forms ?? []).map((form) => (form.status === 'MAYBE' ? { ...form, status: 'NEVER' } : form)),
})

const isDecided = ({ status }: FormHas): boolean => status !== 'PROCESSING'

export const openWorlds = (initial: State): Worlds => {
  let worlds: readonly World[] = [{ state: initial, fleeting: [], sales: [], coming: [], known: {} }]
  const requests = new Map<number, Request>()
  /** At which prices each line may be added, by its action. */
  const quotes = new Map<number, Set<number>>()

  const happen = (world: World, action: number): World[] => {
    const request = requests.get(action)
    if (request === undefined) throw new Error(`nobody asked for ${action}`)
    const coming = world.coming.filter((one) => one !== action)
    const ends = mayBeAnswered(world.state, request, quotes.get(action)).filter(([answer]) => answer !== SETTLED)
    return ends.map(([answer, state]) => ({
      ...world,
      state,
      coming,
      known: { ...world.known, [action]: answer },
    }))
  }

  /** What an item costs, and may cost once all that is coming has come. */
  const pricesOf = (item: number): number[] => {
    const coming = worlds.flatMap((world) => world.coming.map((action) => requests.get(action)))
    return [
      ...worlds.map(({ state }) => has(state.prices, item)),
      ...coming.flatMap((one) => (one?.does === 'set-price' && one.item === item ? [one.price] : [])),
    ]
  }

  /** Notes at which prices lines may be added that are asked for now, and those that were asked for before. */
  const quote = (told: readonly Told[]): void => {
    for (const { action, request } of told)
      if (isPriced(request) && !quotes.has(action)) quotes.set(action, new Set(pricesOf(request.item)))
    for (const { request } of told)
      for (const [action, prices] of quotes) {
        const line = requests.get(action)
        if (request.does === 'set-price' && line && isPriced(line) && line.item === request.item)
          prices.add(request.price)
      }
  }

  /** Each world in which one sale more is seen, or one less. */
  const flicker = (world: World): World[] => {
    const sold = world.fleeting.flatMap((action) =>
      [...(quotes.get(action) ?? [0])].flatMap((price) => {
        const sale = taking(world.state, requests.get(action), price)
        return (sale && withSale(world, action, sale)) ?? []
      }),
    )
    const back = world.state.due.map((due) => ({ ...world, state: withDue(world.state, due) }))
    const forms = (world.state.forms ?? []).flatMap((form) =>
      nextOfForm(world.state, form).map((state) => ({ ...world, state })),
    )
    return [...sold, ...world.sales.map((sale) => withReturn(world, sale)), ...back, ...forms]
  }

  /** All worlds in which these came in some order, and those that are coming before, between or after them, or not yet. */
  const explore = (from: readonly World[], told: readonly Told[], excuses: (one: Told) => boolean): World[] => {
    const seen = new Set<string>()
    const found: World[] = []
    const visit = (world: World, open: readonly Told[]): void => {
      const name = JSON.stringify([world, open.map((one) => told.indexOf(one))])
      if (seen.has(name)) return
      seen.add(name)
      if (open.length === 0) found.push(world)
      for (const action of world.coming) for (const next of happen(world, action)) visit(next, open)
      for (const next of flicker(world)) visit(next, open)
      for (const one of open)
        for (const next of after(world, one, excuses(one), quotes.get(one.action)))
          visit(
            next,
            open.filter((other) => other !== one),
          )
    }
    for (const world of from) visit(world, told)
    return found
  }

  /** What is wrong now excuses what is under way; an order gets versions by a checkout of which nobody knows. */
  const withExcuses = (state: State, unknown: readonly Told[]): State => {
    const forms = (state.forms ?? []).map((form) => (isDecided(form) ? form : { ...form, isExcused: true }))
    const checkouts = unknown.flatMap(({ request }) => (request.does === 'checkout' ? request.order : []))
    return checkouts.reduce<State>((before, order) => stirred(before, order), { ...state, forms })
  }

  const mayCome = (world: World, told: readonly Told[], disturbed: boolean): World => {
    const unknown = told.filter(
      ({ action, request, answer }) =>
        answer === undefined && !READS.has(request.does) && world.known[action] === undefined,
    )
    const fleeting = told.filter(
      (one) =>
        isGivenUp(one, told) ||
        (disturbed &&
          (one.request.does === 'checkout' || one.request.does === 'change') &&
          (one.answer === undefined || CANCELLED.has(one.answer) || one.answer === '409 order-cancelled')),
    )
    const added = (known: readonly number[], more: readonly Told[]): number[] => [
      ...new Set([...known, ...more.map(({ action }) => action)]),
    ]
    const state = disturbed ? withExcuses(world.state, unknown) : world.state
    return { ...world, state, coming: added(world.coming, unknown), fleeting: added(world.fleeting, fleeting) }
  }

  return {
    learn: (told, disturbed) => {
      for (const { action, request } of told) requests.set(action, request)
      quote(told)
      const excuses = (one: Told): boolean => disturbed || meetsCheckout(one, told) || meetsChange(one, told)
      const heard = told.filter(({ answer }) => answer !== undefined)
      const possible = explore(
        worlds.map((world) => mayCome(world, told, disturbed)),
        heard,
        excuses,
      )
      if (possible.length === 0)
        throw new Error(
          `no serial order explains ${JSON.stringify(told)}${disturbed ? ', disturbed,' : ''} after ${JSON.stringify(worlds.slice(0, 4))}`,
        )
      worlds = possible
    },
    rest: () => {
      const isOver = ({ sales, state }: World): boolean =>
        sales.length === 0 && state.due.length === 0 && (state.forms ?? []).every(isDecided)
      const settled = explore(worlds, [], () => false).filter(isOver)
      const states = new Map(
        settled.map(({ state: left, known }) => {
          const state = rested(left)
          return [JSON.stringify([state, known]), { state, fleeting: [], sales: [], coming: [], known }]
        }),
      )
      worlds = [...states.values()]
    },
    change: (change) => {
      worlds = worlds.map((world) => ({ ...world, state: change(world.state) }))
    },
    coming: () => [...new Set(worlds.flatMap(({ coming }) => coming))],
    open: () =>
      Math.max(
        ...worlds.map(({ coming, fleeting, sales, state }) =>
          [coming, fleeting, sales, state.due, (state.forms ?? []).filter((form) => !isDecided(form))].reduce(
            (sum, { length }) => sum + length,
            0,
          ),
        ),
      ),
    count: () => worlds.length,
  }
}
