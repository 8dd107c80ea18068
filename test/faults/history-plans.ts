/**
 * What may happen in a random history?
 *
 * A list of steps: requests that are asked at once, a repetition under the same key, something new, a fault, or the end of
 * all faults. It is plain data, so that it is printed, repeated and shrunk as it stands. There are three kinds:
 * *faultless* ones, *faulty* ones with faults at any time, and those of *repetitions*, in which the same is asked of two
 * replicas, or twice under one key, and something changes in between.
 */

import fc from 'fast-check'
import type { Request } from '../support/checker/possible-worlds.ts'
import type { FaultName } from '../support/faults/catalogue.ts'
import { shops } from '../support/schedule/steps.ts'

const PARTS = [
  'ids-1',
  'order-1',
  'order-2',
  'payment-1',
  'payment-2',
  'stock-1',
  'gateway',
  'ids-redis',
  'order-redis',
  'payment-redis',
  'stock-redis',
] as const
const LINKS = [
  ['gateway', 'order-1'],
  ['gateway', 'order-2'],
  ['gateway', 'payment-1'],
  ['order-1', 'order-redis'],
  ['order-1', 'payment-redis'],
  ['order-2', 'order-redis'],
  ['payment-1', 'payment-redis'],
  ['payment-1', 'order-redis'],
  ['payment-1', 'stock-redis'],
  ['stock-1', 'stock-redis'],
  ['stock-1', 'payment-redis'],
] as const

/** Where a process freezes that was asked for something: what it looked at is known, and the action not yet done. */
const FREEZING_POINTS = [
  'order.begin.before',
  'order.glance.after',
  'order.add-item.before',
  'order.create-order.before',
  'order.place.before',
  'order.change-order.before',
  'order.submit.before',
  'payment.pay.before',
  'payment.add-funds.before',
] as const

export type Fault =
  /** Until all is healed, or started again at once. */
  | {
      readonly part: (typeof PARTS)[number]
      readonly suffers: Extract<FaultName, 'kill' | 'freeze' | 'restart'>
      readonly atOnce?: true
    }
  | { readonly link: (typeof LINKS)[number]; readonly suffers: Extract<FaultName, 'cut' | 'lose-reply' | 'black-hole'> }
  /** Whichever replica next comes to this point freezes there, until it is woken or all is healed. */
  | { readonly point: (typeof FREEZING_POINTS)[number]; readonly suffers: 'freeze' }

/** One request; an action may bear an Idempotency-Key of its own. Or an earlier action that bore one, once more under its key. */
export type Asking = { readonly request: Request; readonly keyed: boolean } | { readonly again: number }
/** An order may be made empty, placed with two lines, or by form over a value. */
export type Created = 'user' | 'item' | 'order' | 'placed-order' | 'form-order'
export type Step =
  | { readonly does: 'ask'; readonly atOnce: readonly Asking[] }
  /** Asks for an earlier action that bore a key once more, under that key. */
  | { readonly does: 'again'; readonly action: number }
  /** Something new, always under a key; or an earlier creation once more. */
  | { readonly does: 'create'; readonly what: Created; readonly number: number }
  | { readonly does: 'create-again'; readonly which: number }
  | { readonly does: 'suffer'; readonly fault: Fault }
  /** Whoever froze at a point goes on. */
  | { readonly does: 'wake' }
  | { readonly does: 'heal' }

const AT_ONCE_MAX = 4
const small = (max: number, min = 0): fc.Arbitrary<number> => fc.integer({ min, max })
const any = small(5)

/** From the version that was seen last, as it is known when it is asked for. */
const changes = fc.record({ does: fc.constant('change' as const), order: any, item: any, quantity: small(3) })

const requests: fc.Arbitrary<Request> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ does: fc.constant('checkout' as const), order: any }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('checkout' as const),
      order: any,
      isSubmitted: fc.constant(true as const),
    }),
  },
  { weight: 2, arbitrary: changes },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constantFrom('add-funds' as const, 'pay' as const),
      user: any,
      amount: small(6, 1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constantFrom('add' as const, 'subtract' as const),
      item: any,
      amount: small(3, 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('add-item' as const), order: any, item: any, quantity: small(2, 1) }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('set-price' as const), item: any, price: small(4) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('refund' as const), order: any, quantity: small(2, 1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('refund' as const), order: any, item: any, quantity: small(2, 1) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constantFrom('cancel' as const, 'delete' as const), order: any }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('find-user' as const), user: any }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('find-item' as const), item: any }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('find-order' as const), order: any }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('show-order' as const), order: any }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('find-orders' as const), user: any }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('find-form' as const), form: any }) },
)
const askings: fc.Arbitrary<Asking> = fc.oneof(
  { weight: 7, arbitrary: fc.record({ request: requests, keyed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ again: small(20) }) },
)
const asks = fc.record({
  does: fc.constant('ask' as const),
  atOnce: fc.array(askings, { minLength: 1, maxLength: AT_ONCE_MAX }),
})
const agains = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('again' as const), action: small(20) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('create-again' as const), which: small(5) }) },
)
const creates = fc.record({
  does: fc.constant('create' as const),
  what: fc.constantFrom<Created>('user', 'item', 'order', 'placed-order', 'form-order', 'form-order'),
  number: small(4),
})
const faults: fc.Arbitrary<Fault> = fc.oneof(
  fc
    .record({
      part: fc.constantFrom(...PARTS),
      harm: fc.constantFrom(
        { suffers: 'kill' as const },
        { suffers: 'freeze' as const },
        { suffers: 'kill' as const, atOnce: true as const },
        { suffers: 'restart' as const, atOnce: true as const },
      ),
    })
    .map(({ part, harm }) => ({ part, ...harm })),
  fc.record({
    link: fc.constantFrom(...LINKS),
    suffers: fc.constantFrom('cut' as const, 'lose-reply' as const, 'black-hole' as const),
  }),
)
const ask = (...atOnce: readonly Asking[]): Step => ({ does: 'ask', atOnce })

/** Two who have seen one version of an order change it at once, while somebody may ask for something else. */
const rivals: fc.Arbitrary<Step[]> = fc
  .record({ one: changes, other: changes, meanwhile: fc.array(askings, { maxLength: 2 }) })
  .map(({ one, other, meanwhile }): Step[] => [
    ask({ request: { does: 'show-order', order: one.order }, keyed: false }),
    ask({ request: one, keyed: false }, { request: { ...other, order: one.order }, keyed: true }, ...meanwhile),
  ])
const suffers = fc.record({ does: fc.constant('suffer' as const), fault: faults })
const heals = fc.constant({ does: 'heal' as const })

const stepsOf = (rare: readonly { weight: number; arbitrary: fc.Arbitrary<Step> }[]): fc.Arbitrary<Step[]> =>
  fc
    .array(
      fc.oneof(
        { weight: 1, arbitrary: rivals },
        ...[
          { weight: 8, arbitrary: asks },
          { weight: 2, arbitrary: agains },
          { weight: 2, arbitrary: creates },
          ...rare,
        ].map(({ weight, arbitrary }) => ({ weight, arbitrary: arbitrary.map((step): Step[] => [step]) })),
      ),
      { minLength: 1, maxLength: 14, size: 'max' },
    )
    .map((blocks) => blocks.flat())
/** What there is first, and what happens then. */
export const faultlessHistories = fc.tuple(shops, stepsOf([]))
export const faultyHistories = fc.tuple(
  shops,
  stepsOf([
    { weight: 3, arbitrary: suffers },
    { weight: 1, arbitrary: heals },
  ]),
)

type Names = { readonly order: number; readonly other: number; readonly user: number; readonly amount: number }
const checkingOut = (order: number, keyed = false, isSubmitted?: true): Asking => ({
  request: { does: 'checkout', order, ...(isSubmitted && { isSubmitted }) },
  keyed,
})

/** What comes to a point, so that a replica freezes with it. */
const PASSES: Readonly<Record<(typeof FREEZING_POINTS)[number], (names: Names) => Step>> = {
  'order.begin.before': ({ order, amount }) => ask(checkingOut(order, amount % 3 === 0)),
  'order.glance.after': ({ order, amount }) => ask(checkingOut(order, amount % 3 === 0)),
  'order.add-item.before': ({ order, other }) =>
    ask(
      { request: { does: 'add-item', order, item: other, quantity: 1 }, keyed: true },
      checkingOut(order),
      checkingOut(other),
    ),
  'order.create-order.before': ({ user }) => ({ does: 'create', what: 'order', number: user }),
  'order.place.before': ({ user }) => ({ does: 'create', what: 'placed-order', number: user }),
  'order.change-order.before': ({ order, other, amount }) =>
    ask({ request: { does: 'change', order, item: other, quantity: amount % 4 }, keyed: true }),
  'order.submit.before': ({ order, amount }) => ask(checkingOut(order, amount % 3 === 0, true)),
  'payment.pay.before': ({ user, amount }) => ask({ request: { does: 'pay', user, amount }, keyed: true }),
  'payment.add-funds.before': ({ user, amount }) => ask({ request: { does: 'add-funds', user, amount }, keyed: true }),
}

/** A replica freezes with a request, which another answers; something changes; the first one wakes, and somebody looks. */
const wakings: fc.Arbitrary<Step[]> = fc
  .record({
    point: fc.oneof(fc.constantFrom(...FREEZING_POINTS), fc.constant('order.begin.before' as const)),
    names: fc.record({ order: any, other: any, user: any, amount: small(6, 1) }),
    fills: fc.boolean(),
    changes: fc.array(asks, { minLength: 0, maxLength: 2 }),
  })
  .map(({ point, names, fills, changes }): Step[] => {
    const { order, other, user } = names
    const line: Asking = { request: { does: 'add-item', order, item: other, quantity: 1 }, keyed: false }
    const funds: Asking = { request: { does: 'add-funds', user, amount: 6 }, keyed: false }
    return [
      { does: 'suffer', fault: { point, suffers: 'freeze' } },
      PASSES[point](names),
      fills ? ask(funds, line) : ask(funds),
      ...changes,
      { does: 'wake' },
      ask({ request: { does: 'find-order', order }, keyed: false }),
    ]
  })

/** Something is done under a key; something is amiss; and it is asked for again, while others ask for the like. */
const keyings: fc.Arbitrary<Step[]> = fc
  .record({ first: fc.array(requests, { minLength: 1, maxLength: 3 }), fault: faults, order: any, action: small(20) })
  .map(({ first, fault, order, action }): Step[] => [
    ask(...first.map((request) => ({ request, keyed: true }))),
    { does: 'create', what: 'order', number: order },
    { does: 'suffer', fault },
    ask(checkingOut(order), { again: action }, { again: action + 1 }),
    { does: 'create-again', which: action },
    { does: 'heal' },
  ])

/** The same is asked twice, by the gateway or under a key, and something changes in between. */
export const repetitions = fc.tuple(
  shops,
  fc
    .array(fc.oneof({ weight: 2, arbitrary: wakings }, { weight: 1, arbitrary: keyings }), {
      minLength: 1,
      maxLength: 3,
    })
    .map((blocks) => blocks.flat()),
)
