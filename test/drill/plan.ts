/**
 * What will happen in a drill?
 *
 * Everything is drawn from the seed before anything starts, as data: which fault befalls which parts, when and for how
 * long, and what the visitor number *n* will do. So the same seed and options make the same plan. What they cannot make is
 * the same run: in which order answers arrive, and what a fault meets, is the machine's affair.
 *
 * One fault at a time: a fault is over before the next one begins, because that is what the shop promises to survive.
 */
import { SERVICES } from '../../shared/contract/services.ts'
import type { Choice, Kind, Load, Options } from './options.ts'

/** A small generator of random numbers from 0 up to 1 (mulberry32): 32 bits of state, which the seed sets. */
export type Draw = () => number

const drawFrom = (seed: number): Draw => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** From `min` to `max`, both included. */
const between = (draw: Draw, min: number, max: number): number => min + Math.floor(draw() * (max - min + 1))

const oneOf = <Value>(draw: Draw, values: readonly Value[]): Value => {
  const value = values[between(draw, 0, values.length - 1)]
  if (value === undefined) throw new Error('there is nothing to draw from')
  return value
}

export type PlannedFault = {
  readonly kind: Kind
  readonly parts: readonly string[]
  /** From the beginning of the drill. */
  readonly atMs: number
  readonly awayMs: number
  /** What share of its file a Redis that comes back older has lost. */
  readonly lostShare: number
}

const LOST_SHARE = { min: 0.001, max: 0.05 }

const REDIS = SERVICES.map((service) => `${service}-redis`)

/** The names of all parts. */
export const partsOf = (replicas: number): readonly string[] => [
  ...SERVICES.flatMap((service) => Array.from({ length: replicas }, (_, index) => `${service}-${index + 1}`)),
  ...REDIS,
  'gateway',
]

const drawParts = (draw: Draw, { kind, target }: Choice, replicas: number): readonly string[] => {
  const all = kind === 'lose-tail' ? REDIS : partsOf(replicas)
  if (target === 'all') return all
  if (target === 'any') return [oneOf(draw, all)]
  return [all.includes(target) ? target : `${target}-${between(draw, 1, replicas)}`]
}

/** The faults of a drill, in their order. None lasts beyond its end. */
export const planFaults = ({ choices, everyMs, awayMs, forMs, replicas, seed }: Options): readonly PlannedFault[] => {
  const draw = drawFrom(seed)
  const faults: PlannedFault[] = []
  for (let atMs = 0; ; ) {
    atMs += between(draw, everyMs.min, everyMs.max)
    if (atMs + awayMs > forMs) return faults
    const choice = oneOf(draw, choices)
    const parts = drawParts(draw, choice, replicas)
    const lostShare = LOST_SHARE.min + draw() * (LOST_SHARE.max - LOST_SHARE.min)
    faults.push({ kind: choice.kind, parts, atMs, awayMs, lostShare })
  }
}

/** Who and what there is: numbers of users and items, which are found again in every visit. */
export type Population = {
  readonly users: readonly { readonly credit: number }[]
  readonly items: readonly { readonly price: number; readonly stock: number }[]
}

const USERS = { min: 20, max: 1_000 }
const ITEMS = { min: 10, max: 200 }
/** Every tenth user is too poor for anything, and every fifth item is one of which there are next to none. */
const POOR_EVERY = 10
const SCARCE_EVERY = 5
const POOR_CREDIT = 1
const PRICE = { min: 2, max: 9 }
const SCARCE_STOCK = { min: 0, max: 20 }
const RICH_CREDIT = { min: 50, max: 500 }
const PLENTY_STOCK = { min: 500, max: 5_000 }
/** Of the first item, which every third line wants. */
const HOT_STOCK = 100_000

const within = ({ min, max }: { min: number; max: number }, value: number): number =>
  Math.min(max, Math.max(min, Math.round(value)))

/** So many that customers of one time seldom meet, and always sometimes. */
export const planPopulation = (load: Load, seed: number): Population => {
  const size = load.loop === 'open' ? load.perSecond : 10 * load.customers
  const draw = drawFrom(seed)
  return {
    users: Array.from({ length: within(USERS, size / 2) }, (_, user) => ({
      credit: user % POOR_EVERY === 1 ? POOR_CREDIT : between(draw, RICH_CREDIT.min, RICH_CREDIT.max),
    })),
    items: Array.from({ length: within(ITEMS, size / 10) }, (_, item) => {
      const { min, max } = item % SCARCE_EVERY === 1 ? SCARCE_STOCK : PLENTY_STOCK
      return { price: between(draw, PRICE.min, PRICE.max), stock: item === 0 ? HOT_STOCK : between(draw, min, max) }
    }),
  }
}

/**
 * What one visitor does: places an order, or fills one, checks it out, and perhaps changes it, sends some of it back or cancels it; and
 * what is given and changed besides.
 */
export type Visit = {
  readonly user: number
  readonly lines: readonly (readonly [item: number, quantity: number])[]
  /** Does it send an `Idempotency-Key` with everything, and repeat what it does not know? Else only what is safe anyhow. */
  readonly keyed: boolean
  /** Credit that it adds before, always under a key; 0 for none. */
  readonly funds: number
  /** Pieces of an item that somebody delivers, always under a key. */
  readonly delivery: readonly [item: number, pieces: number] | undefined
  /** What an item costs from then on, because somebody changes its price, always under a key. */
  readonly pricing: readonly [item: number, price: number] | undefined
  /** Does it place the order with all its lines at once? Else it fills one line by line. */
  readonly places: boolean
  /** What it sends back once it has paid: a piece of its first line, or all. */
  readonly returns: 'a piece' | 'all' | undefined
  /** When it cancels the order: while it is checked out, or after that. */
  readonly cancels: 'meanwhile' | 'after' | undefined
  /** Does it have the checkout submitted, and ask for it until it is decided? */
  readonly submits: boolean
  /** When it changes how many pieces its first line is of, and of how many then; or two do, from one version, before it pays. */
  readonly changes: { readonly when: 'before' | 'rivals' | 'after'; readonly quantity: number } | undefined
  /** Does it place an order over this value by form instead, and ask what became of that? */
  readonly form: number | undefined
  /** How often it asks for the checkout at the same time. */
  readonly atOnce: number
  /** Does it look at the order, its wallet, an item and all its orders afterwards? */
  readonly looks: boolean
  /** Does it ask for the checkout once more when all is done? */
  readonly asksAgain: boolean
}

const LINES_MAX = 3
const QUANTITY_MAX = 3
const FUNDS = { min: 20, max: 200 }
const FORM = { min: 1, max: 60 }
const DELIVERY = { min: 1, max: 50 }
/** An odd number far from others, so that neighbouring visits draw from distant states. */
const STRIDE = 0x9e3779b1

/** What visitor number `number` does. */
export const planVisit = ({ users, items }: Population, seed: number, number: number): Visit => {
  const draw = drawFrom(seed ^ Math.imul(number + 1, STRIDE))
  const item = (): number => (draw() < 1 / 3 ? 0 : between(draw, 0, items.length - 1))
  return {
    user: between(draw, 0, users.length - 1),
    lines: Array.from({ length: between(draw, 1, LINES_MAX) }, () => [item(), between(draw, 1, QUANTITY_MAX)]),
    keyed: draw() < 0.5,
    funds: draw() < 0.25 ? between(draw, FUNDS.min, FUNDS.max) : 0,
    delivery:
      draw() < 0.1 ? [between(draw, 0, items.length - 1), between(draw, DELIVERY.min, DELIVERY.max)] : undefined,
    atOnce: draw() < 0.1 ? 3 : 1,
    looks: draw() < 0.5,
    asksAgain: draw() < 0.2,
    pricing: draw() < 0.05 ? [between(draw, 0, items.length - 1), between(draw, PRICE.min, PRICE.max)] : undefined,
    places: draw() < 0.5,
    returns: draw() < 0.2 ? oneOf(draw, ['a piece', 'all'] as const) : undefined,
    cancels: draw() < 0.1 ? oneOf(draw, ['meanwhile', 'after'] as const) : undefined,
    submits: draw() < 0.2,
    changes:
      draw() < 0.2
        ? { when: oneOf(draw, ['before', 'rivals', 'after'] as const), quantity: between(draw, 1, QUANTITY_MAX + 1) }
        : undefined,
    form: draw() < 0.05 ? between(draw, FORM.min, FORM.max) : undefined,
  }
}

/** How many requests a visit takes if each is answered at once. */
export const requestsOf = (visit: Visit): number => {
  const { lines, funds, delivery, pricing, places, returns, cancels, submits, changes, form } = visit
  const given = Number(funds > 0) + Number(delivery !== undefined) + Number(pricing !== undefined)
  if (form !== undefined) return given + 2
  return (
    given +
    (places ? 1 : 1 + lines.length) +
    Number(returns !== undefined) +
    Number(cancels !== undefined) +
    Number(submits) +
    (changes === undefined ? 0 : changes.when === 'rivals' ? 3 : 2) +
    visit.atOnce +
    (visit.looks ? 4 : 0) +
    Number(visit.asksAgain)
  )
}
