/**
 * What may happen next in a small shop?
 *
 * A *schedule* is a list of steps: plain data, so that it is printed, repeated and shrunk as it stands.
 */

import fc from 'fast-check'
import type { Restock } from '../../../order/refunds/refund.ts'
import { PARTICIPANTS, type Participant } from '../../../shared/contract/services.ts'
import { PAIRS } from '../three-services.ts'

/** What there is before the first step: few of everything, so that checkouts contend. */
export type Shop = {
  readonly credit: readonly number[]
  readonly items: readonly { readonly stock: number; readonly price: number }[]
  readonly orders: readonly { readonly user: number; readonly quantities: readonly number[] }[]
}

export type Step =
  /** One that is late is past its deadline from the start. */
  | { readonly does: 'begin'; readonly order: number; readonly isLate?: boolean }
  /** The same for a client that does not wait; then a process that has nothing else to do begins one of those that wait. */
  | { readonly does: 'submit'; readonly order: number; readonly isLate?: boolean }
  | { readonly does: 'begin-submitted'; readonly which: number }
  | { readonly does: 'apply'; readonly pair: number; readonly count: number }
  /** Each reader applies all there is, once around: few schedules would come to an order that is paid. */
  | { readonly does: 'deliver' }
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
  /**
   * So many pieces of each item are to be in an order, from the version as it is, or as it was seen first. Of one that is paid it is an
   * amendment; beyond the orders there are it is one of these, if any is.
   */
  | {
      readonly does: 'change'
      readonly order: number
      readonly quantities: readonly number[]
      readonly isFromFirst?: boolean
    }
  /** Two customers change an order from the version that both have seen. */
  | {
      readonly does: 'change-both'
      readonly order: number
      readonly both: readonly [readonly number[], readonly number[]]
    }
  /** The order, for good; beyond the orders there are it is one that is paid, if any is. */
  | { readonly does: 'give-up'; readonly order: number; readonly restock: Restock }
  /** The log parsers run. */
  | { readonly does: 'parse' }
  | { readonly does: 'tell-again'; readonly by: 'order' | 'payment'; readonly saga: number }
  | { readonly does: 'add-funds' | 'pay'; readonly user: number; readonly amount: number }
  /** A log parser drops whatever may be dropped, as if it were old. */
  | { readonly does: 'trim'; readonly by: Participant }
  | { readonly does: 'add' | 'subtract'; readonly item: number; readonly amount: number }

const WRITTEN: Readonly<Record<string, (...words: readonly string[]) => Step>> = {
  begin: (order) => ({ does: 'begin', order: Number(order) }),
  submit: (order) => ({ does: 'submit', order: Number(order) }),
  'begin-submitted': (which) => ({ does: 'begin-submitted', which: Number(which) }),
  cancel: (saga) => ({ does: 'cancel', saga: Number(saga) }),
  'give-up': (order) => ({ does: 'give-up', order: Number(order), restock: 'shelf' }),
  change: (order, ...quantities) => ({ does: 'change', order: Number(order), quantities: quantities.map(Number) }),
  deliver: () => ({ does: 'deliver' }),
  refund: (order, item, quantity) => ({
    does: 'refund',
    order: Number(order),
    item: Number(item),
    quantity: Number(quantity),
    restock: 'shelf',
  }),
  pay: (user, amount) => ({ does: 'pay', user: Number(user), amount: Number(amount) }),
  subtract: (item, amount) => ({ does: 'subtract', item: Number(item), amount: Number(amount) }),
}

/** Steps that are written by hand: `begin 0, payment reads order, cancel 0, trim stock`. A reader reads all there is. */
export const written = (text: string): Step[] =>
  text.split(', ').map((step): Step => {
    const [first = '', second = '', ...rest] = step.split(' ')
    if (second === 'reads') {
      const pair = PAIRS.findIndex(({ subscriber, publisher }) => subscriber === first && publisher === rest[0])
      if (pair >= 0) return { does: 'apply', pair, count: 100 }
    }
    const participant = PARTICIPANTS.find((one) => one === second)
    if (first === 'trim' && participant !== undefined) return { does: 'trim', by: participant }
    const made = WRITTEN[first]?.(second, ...rest)
    if (made === undefined) throw new Error(`"${step}" is no step`)
    return made
  })

const USERS = 2
const ITEMS = 2
const ORDERS = 4
const small = (max: number, min = 0): fc.Arbitrary<number> => fc.integer({ min, max })
const quantities = fc.tuple(...Array.from({ length: ITEMS }, () => small(2)))

export const shops: fc.Arbitrary<Shop> = fc.record({
  credit: fc.tuple(...Array.from({ length: USERS }, () => small(12))),
  items: fc.tuple(...Array.from({ length: ITEMS }, () => fc.record({ stock: small(4), price: small(4) }))),
  orders: fc.tuple(
    ...Array.from({ length: ORDERS }, () =>
      fc.record({ user: small(USERS - 1), quantities: quantities.filter((all) => all.some((one) => one > 0)) }),
    ),
  ),
})

const pair = small(PAIRS.length - 1)
const order = small(ORDERS - 1)
const anyOrder = small(2 * ORDERS - 1)
const isLate = small(9).map((one) => one === 9)
const restock = fc.constantFrom<Restock>('shelf', 'none')
const begins = fc.record({ does: fc.constant('begin' as const), order, isLate })
const submits = fc.record({ does: fc.constant('submit' as const), order, isLate })
const beginsSubmitted = fc.record({ does: fc.constant('begin-submitted' as const), which: small(3) })
const applies = fc.record({ does: fc.constant('apply' as const), pair, count: small(4, 1) })
const refunds = fc.record({
  does: fc.constant('refund' as const),
  order,
  item: small(ITEMS),
  quantity: small(2, 1),
  restock,
})
const changes: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('change' as const), order: anyOrder, quantities }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('change' as const),
      order: anyOrder,
      quantities,
      isFromFirst: fc.constant(true as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('change-both' as const),
      order: anyOrder,
      both: fc.tuple(quantities, quantities),
    }),
  },
)
const givesUp = fc.record({ does: fc.constant('give-up' as const), order: anyOrder, restock })
const trims = fc.record({ does: fc.constant('trim' as const), by: fc.constantFrom<Participant>(...PARTICIPANTS) })
const cancels = fc.record({ does: fc.constant('cancel' as const), saga: small(9) })
const rewinds = fc.record({ does: fc.constant('rewind' as const), pair, count: small(6, 1) })
const disturbances: readonly fc.Arbitrary<Step>[] = [
  fc.record({ does: fc.constant('apply-again' as const), pair, count: small(6, 1) }),
  cancels,
  givesUp,
  fc.record({ does: fc.constant('parse' as const) }),
  fc.record({
    does: fc.constant('tell-again' as const),
    by: fc.constantFrom('order' as const, 'payment' as const),
    saga: small(9),
  }),
]
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
      { arbitrary: begins, weight: 4 },
      { arbitrary: submits, weight: 2 },
      { arbitrary: beginsSubmitted, weight: 2 },
      { arbitrary: changes, weight: 3 },
      { arbitrary: applies, weight: 16 },
      { arbitrary: fc.constant({ does: 'deliver' as const }), weight: 2 },
      { arbitrary: refunds, weight: 4 },
      ...rare.map((arbitrary) => ({ arbitrary, weight: 1 })),
    ),
    { minLength: 5, maxLength: 70, size: 'max' },
  )
/** Everything that may happen. */
export const anySteps = stepsOf([...disturbances, rewinds, ...dealings])
/** Everything that may happen, while time passes in which nothing is kept that may go; no Redis comes back older. */
export const agingSteps = stepsOf([
  ...disturbances,
  ...dealings,
  ...Array.from({ length: 3 }, () => cancels),
  ...Array.from({ length: 6 }, () => trims),
])
/** What customers do with their orders only: nobody adds money or goods, which only its own log would know of. */
export const checkoutSteps = stepsOf([...disturbances, rewinds])
