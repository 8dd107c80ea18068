/**
 * Random schedules of the real commands: those of the day, or, with `SAGA_RUNS`, so many new ones. `SAGA_SEED` and `SAGA_PATH` repeat one
 * that failed: both are in the message of the failure. An empty path ends at the first failure, without shrinking it.
 */

import assert from 'node:assert/strict'
import process from 'node:process'
import test from 'ava'
import fc from 'fast-check'
import type { Participant } from '../shared/contract/services.ts'
import { todaysSeed } from './support/faults/daily.ts'
import { agingSteps, anySteps, checkoutSteps, type Shop, type Step, shops, written } from './support/schedule/steps.ts'
import { type Forgotten, openWorld } from './support/schedule/world.ts'

const RUNS = Number(process.env.SAGA_RUNS ?? 150)
/** A busy machine takes many times as long, and one that found something shrinks it. */
const TIMEOUT_MS = 600_000
const { SAGA_SEED: SEED, SAGA_PATH: PATH } = process.env

const world = await openWorld()
test.after.always(async () => world[Symbol.asyncDispose]())

const parameters = {
  numRuns: RUNS,
  includeErrorInReport: true,
  endOnFailure: PATH !== undefined,
  ...(process.env.SAGA_RUNS === undefined ? todaysSeed : {}),
  ...(SEED === undefined ? {} : { seed: Number(SEED) }),
  ...(PATH === undefined ? {} : { path: PATH }),
}

const play = async (shop: Shop, steps: readonly Step[]): Promise<void> => {
  await world.reset(shop)
  for (const step of steps) await world.take(step)
}

const expectNone = (violations: readonly string[]): void => {
  if (violations.length > 0) throw new Error(violations.join('\n'))
}

test.serial('whatever happens in whatever order, every checkout ends once, whole and justified', async (t) => {
  t.timeout(TIMEOUT_MS)
  await fc.assert(
    fc.asyncProperty(shops, anySteps, async (shop, steps) => {
      await play(shop, steps)
      await world.settle(false)
      expectNone(await world.violations())
      expectNone(await world.contradictions())
    }),
    parameters,
  )
  t.log(Object.fromEntries(world.seen()))
  t.not(world.seen().size, 0)
  // A few schedules need not reach everything.
  if (RUNS < 100) return
  for (const end of [
    'order paid',
    'order failed',
    'order closed',
    'payment refused',
    'payment voided',
    'stock refused',
    'order settled',
    'order is cancelled',
  ])
    t.true(world.seen().has(end), `no schedule reached "${end}"`)
})

type Store = typeof world.services.stores.order
/** What the commands of order may do wrong, and what is found then. */
const WRONGS: Readonly<Record<string, readonly [make: (store: Store) => Partial<Store>, found: RegExp]>> = {
  'changes an order from whichever version': [
    ({ change, show }) => ({
      change: async (wish, once) =>
        change({ ...wish, from: 'any', read: (await show(wish.order))?.version ?? wish.read }, once),
    }),
    /was changed from .*, not stale|was changed twice from one version/,
  ],
  'says that it has changed an order, and has not': [
    ({ change, show }) => ({
      change: async (wish, once) => {
        const shown = await show(wish.order)
        const isDue = shown?.status === 'open' && wish.from !== 'any' && wish.from.includes(shown.version)
        return isDue ? ['changed', { logId: 'none', shown }] : change(wish, once)
      },
    }),
    /o\d is .*, and was to be/,
  ],
  'says that a checkout waits, and has forgotten it': [
    () => ({ submit: async ({ log_id }) => ['submitted', String(log_id)] }),
    /o\d was told under-way and is undefined/,
  ],
  'says that an order is cancelled, and leaves it as it is': [
    () => ({ cancelOrder: async () => ['cancelled'] }),
    /o\d was told to be cancelled, and is/,
  ],
  'cancels an order that is paid, and keeps the money': [
    ({ cancelOrder, find }) => ({
      cancelOrder: async (wish, once) => {
        if ((await find(wish.order))?.paid !== true) return cancelOrder(wish, once)
        await world.services.redis.order.hset(`order:${wish.order}`, 'status', 'cancelled')
        return ['cancelled']
      },
    }),
    /o\d is cancelled, charged 1 times/,
  ],
}

for (const [what, [make, found]] of Object.entries(WRONGS))
  test.serial(`random schedules find an order service that ${what}`, async (t) => {
    const { order } = world.services.stores
    const right = { ...order }
    Object.assign(order, make(right))
    t.timeout(TIMEOUT_MS)
    try {
      const property = fc.asyncProperty(shops, anySteps, async (shop, steps) => {
        await play(shop, steps)
        await world.settle(false)
        if (found.test((await world.violations()).join('\n'))) throw new Error('it is found')
      })
      // It ends with the first that finds it.
      const { failed } = await fc.check(property, { ...parameters, numRuns: 10 * RUNS, endOnFailure: true })
      t.true(failed)
    } finally {
      Object.assign(order, right)
    }
  })

const lastPiece: Shop = {
  credit: [10, 10],
  items: [
    { stock: 1, price: 1 },
    { stock: 0, price: 0 },
  ],
  orders: [
    { user: 0, quantities: [1, 0] },
    { user: 1, quantities: [1, 0] },
  ],
}
const READ_BY_ALL = 'payment reads order, stock reads payment, payment reads stock'
const FORGOTTEN = 'trim stock, trim payment'
/** A checkout is captured, order has not read of it, and gives it up; meanwhile whatever may be forgotten is. */
const forgetful: [Shop, Step[]][] = [
  [lastPiece, written(`begin 0, ${READ_BY_ALL}, cancel 0, ${FORGOTTEN}`)],
  // A survey goes around, but does not come back to order.
  [lastPiece, written(`begin 0, ${READ_BY_ALL}, trim order, ${READ_BY_ALL}, ${FORGOTTEN}, cancel 0`)],
]

test.serial(
  'however little is kept of what is over, every checkout ends once, whole, and nothing is kept for ever',
  async (t) => {
    t.timeout(TIMEOUT_MS)
    await fc.assert(
      fc.asyncProperty(shops, agingSteps, async (shop, steps) => {
        await play(shop, steps)
        await world.settle(false)
        expectNone(await world.violations())
        expectNone(await world.contradictions())
        expectNone(await world.outlive())
      }),
      { ...parameters, examples: forgetful },
    )
    t.pass()
  },
)

/** What was captured is given back, and the order is cancelled: payment has issued what it drafted of it. */
const creditedAndCancelled = written(
  'change 0 1 1, change 0 1 0, begin 0, payment reads order, stock reads payment, give-up 0, payment reads stock',
)

test.serial('all logs told again from their start leave everything as it is, to the byte', async (t) => {
  t.timeout(TIMEOUT_MS)
  await fc.assert(
    fc.asyncProperty(shops, anySteps, async (shop, steps) => {
      await play(shop, steps)
      await world.settle(true)
      const before = await world.kept()
      await world.tellAllAgain()
      assert.equal(await world.kept(), before)
    }),
    { ...parameters, numRuns: Math.ceil(RUNS / 3), examples: [[lastPiece, creditedAndCancelled]] },
  )
  t.pass()
})

type Loss = {
  /** Whose tails are lost, all at one moment, and which part of the steps before it each remembers. */
  readonly participants: readonly { readonly participant: Participant; readonly remembered: number }[]
  /** Which part of the steps has been taken at that moment. */
  readonly at: number
  readonly orders: Forgotten
  /** When the process of order, which has lost its Redis, upholds what it has told: at once also while payment is away. */
  readonly upheld: 'at once' | 'alone' | 'late'
}
/** Not `fc.double`: nearly all doubles between 0 and 1 are as good as 0. */
const part = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100)
const wishes = fc.constantFrom<'refund' | 'accept'>('refund', 'accept')
const lossesOf = (count: number): fc.Arbitrary<Loss> =>
  fc.record({
    participants: fc.uniqueArray(
      fc.record({ participant: fc.constantFrom<Participant>('order', 'payment', 'stock'), remembered: part }),
      { minLength: count, maxLength: count, selector: ({ participant }) => participant },
    ),
    at: part,
    orders: fc.constantFrom<Forgotten>('kept', 'bare', 'gone'),
    upheld: fc.constantFrom('at once', 'alone', 'late'),
  })
const lossOf = (participants: readonly Participant[], remembered: number, at: number): Loss => ({
  participants: participants.map((participant) => ({ participant, remembered })),
  at,
  orders: 'kept',
  upheld: 'at once',
})
const loss = (participant: Participant, remembered: number, at: number): Loss => lossOf([participant], remembered, at)

/** Plays a schedule in which tails are lost, to its end. At rest, those who lose `next` forget all of it. */
const playWithLoss = async (
  shop: Shop,
  steps: readonly Step[],
  { participants, at, orders, upheld }: Loss,
  next: readonly Participant[] = [],
): Promise<void> => {
  await world.reset(shop)
  const restoresNext: ((orders: Forgotten) => Promise<void>)[] = []
  for (const participant of next) restoresNext.push(await world.remember(participant))
  const end = Math.floor(steps.length * at)
  const restores: ((orders: Forgotten) => Promise<void>)[] = []
  for (let index = 0; index <= end; index += 1) {
    for (const { participant, remembered } of participants)
      if (Math.floor(end * remembered) === index) restores.push(await world.remember(participant))
    const step = steps[index]
    if (index < end && step) await world.take(step)
  }
  for (const restore of restores) await restore(orders)
  const isTold = participants.some(({ participant }) => participant === 'order')
  if (isTold && upheld !== 'late') await world.uphold(upheld === 'alone' ? 'is away' : 'answers')
  for (const step of steps.slice(end)) await world.take(step)
  if (isTold && upheld === 'late') await world.uphold()
  await world.settle(true)
  if (next.length === 0) return
  for (const restore of restoresNext) await restore('kept')
  await world.settle(true)
}

const exchanging: Shop = {
  credit: [10, 0],
  items: [
    { stock: 2, price: 1 },
    { stock: 2, price: 1 },
  ],
  orders: [{ user: 0, quantities: [2, 1] }],
}
/** A checkout whose goods are taken is cancelled, and payment has let its money go. */
const GIVEN_UP = 'begin 0, payment reads order, stock reads payment, cancel 0, payment reads order'
/** What went wrong once, and is too rare to be met again by chance. */
const onceWrong: [Shop, Step[], Loss][] = [
  // Order forgets a checkout that payment and stock know to be cancelled.
  [lastPiece, written(`${GIVEN_UP}, stock reads payment`), loss('order', 0, 1)],
  // The same, but stock has not read of the cancellation.
  [lastPiece, written(GIVEN_UP), loss('order', 0, 1)],
  // The same, but order knows the checkout still.
  [lastPiece, written(GIVEN_UP), loss('order', 0.25, 1)],
  // Payment forgets that it let the money go, and captures it when it reads again that the goods were taken.
  [lastPiece, written(`${GIVEN_UP}, order reads payment`), loss('payment', 0.4, 1)],
  // Stock forgets that it refused the last piece, which was put back since.
  [
    lastPiece,
    written(
      'begin 0, begin 1, payment reads order, stock reads payment, cancel 0, payment reads order, payment reads stock, stock reads payment',
    ),
    loss('stock', 0, 1),
  ],
  // Order forgets an exchange and that less was wanted then, and payment is away when that is upheld.
  [
    exchanging,
    written('begin 0, deliver, deliver, change 0 0 2, deliver, deliver, change 0 0 1'),
    { ...loss('order', 0.45, 1), upheld: 'alone' },
  ],
  // Order forgets a change of which payment has a draft, and has begun a checkout, which fails, before it reads of that.
  [
    lastPiece,
    written('change 0 1 1, payment reads order, subtract 0 1, begin 0'),
    { ...loss('order', 0, 0.75), upheld: 'late' },
  ],
  // The same, but it is paid: payment reads that it is to draft the order again after it has issued the invoice.
  [lastPiece, written('change 0 1 1, deliver, begin 0'), loss('order', 0, 0.7)],
  // Order forgets that it has cancelled a checkout, cancels it again while another one is under way, and that one fails.
  [
    lastPiece,
    written(`change 0 1 0, change 0 1 1, change 0 1 0, deliver, begin 0, ${READ_BY_ALL}, cancel 0, begin 0, cancel 1`),
    { ...loss('order', 0.5, 0.8), upheld: 'late' },
  ],
  // Payment forgets that it let the money of a cancelled checkout go, and captures it before it reads of that again.
  [
    lastPiece,
    written(
      'change 0 1 1, change 0 1 0, deliver, begin 0, payment reads order, stock reads payment, cancel 0, payment reads order, order reads payment, payment reads stock, order reads payment',
    ),
    loss('payment', 0.56, 0.82),
  ],
]

/** What chance hardly meets, and only a person can end. */
const contradictory: [Shop, Step[], Loss][] = [
  // Stock forgets that it took the last piece, which is gone when it reads of the checkout again.
  [lastPiece, written(`begin 0, ${READ_BY_ALL}, order reads payment, subtract 0 1`), loss('stock', 0.45, 0.9)],
  // Order forgets a cancellation that somebody was told, and nobody remembers that before it is paid.
  [
    lastPiece,
    written('begin 0, payment reads order, cancel 0, stock reads payment, payment reads stock, order reads payment'),
    { ...loss('order', 0.7, 0.5), upheld: 'late' },
  ],
  // Payment forgets what was partly refunded, and has spent the money: what went back onto the shelf goes there once.
  [
    exchanging,
    written('begin 0, deliver, deliver, refund 0 0 1, deliver, deliver, pay 0 9, deliver'),
    loss('payment', 0, 0.75),
  ],
  // The same, but stock has not read of the refund before it hears that the checkout is refused.
  [
    exchanging,
    written('begin 0, deliver, deliver, refund 0 0 1, payment reads order, pay 0 9, deliver'),
    loss('payment', 0, 0.72),
  ],
]
const withWishes: [Shop, Step[], Loss, 'refund' | 'accept'][] = [
  ...onceWrong.map((one): (typeof withWishes)[number] => [...one, 'refund']),
  ...contradictory.map((one): (typeof withWishes)[number] => [...one, 'refund']),
  ...contradictory.map((one): (typeof withWishes)[number] => [...one, 'accept']),
]

const orderAndPayment = (remembered: number): Loss => lossOf(['order', 'payment'], remembered, 1)
const EXCHANGED = written('begin 0, deliver, deliver, change 0 0 2, deliver, deliver')
/** A customer was told that it is paid, which both order and payment forget; then it is given up, or the money is spent. */
const paidAndForgotten: typeof withWishes = (['refund', 'accept'] as const).flatMap((wish): typeof withWishes => [
  [lastPiece, written('begin 0, deliver, deliver, cancel 0'), { ...orderAndPayment(0.34), at: 0.75 }, wish],
  [
    lastPiece,
    written('submit 0, begin-submitted 0, deliver, deliver, cancel 0'),
    { ...orderAndPayment(0.25), at: 0.8 },
    wish,
  ],
  [lastPiece, written('begin 0, deliver, deliver, pay 0 10'), { ...orderAndPayment(0), at: 0.75 }, wish],
  [
    lastPiece,
    written('begin 0, deliver, deliver, pay 0 10'),
    { ...orderAndPayment(0), at: 0.75, orders: 'gone' },
    wish,
  ],
])
/** What both order and payment forget, payment learns from stock: of a refund before it has captured anew what that is of. */
const refundedBeforePaid: typeof withWishes = [
  [lastPiece, written('begin 0, deliver, deliver, refund 0 0 1, deliver, deliver'), orderAndPayment(0), 'refund'],
  // The same, and the order is cancelled before either is known again, so that it is not paid.
  [
    lastPiece,
    written('begin 0, deliver, refund 0 0 1, deliver, give-up 0'),
    { ...orderAndPayment(0), at: 0.8, upheld: 'alone' },
    'accept',
  ],
  // The same, and payment learns of both from stock, and of the checkout anew, before order upholds what it told.
  [
    lastPiece,
    written('begin 0, deliver, give-up 0, deliver, deliver'),
    { ...orderAndPayment(0), at: 0.8, upheld: 'late' },
    'refund',
  ],
  // What left with an exchange, before it is known what came for it; alone, and together with what it was paid by.
  [exchanging, EXCHANGED, orderAndPayment(0.5), 'refund'],
  [exchanging, EXCHANGED, orderAndPayment(0), 'refund'],
  [exchanging, EXCHANGED, { ...orderAndPayment(0), orders: 'gone' }, 'refund'],
  // The same, and less was wanted then.
  [exchanging, [...EXCHANGED, ...written('change 0 0 1, deliver, deliver')], orderAndPayment(0), 'refund'],
  [exchanging, [...EXCHANGED, ...written('refund 0 1 1, deliver, deliver')], orderAndPayment(0), 'refund'],
  [exchanging, [...EXCHANGED, ...written('refund 0 1 1, deliver, deliver')], orderAndPayment(0.34), 'refund'],
]

/** A checkout is refused; another one, of the same customer, is paid, and refunded in part or as a whole. */
const refundedAfterRefusal: Shop = {
  credit: [2, 9],
  items: [
    { stock: 2, price: 1 },
    { stock: 0, price: 2 },
  ],
  orders: [
    { user: 0, quantities: [0, 1] },
    { user: 0, quantities: [2, 0] },
    { user: 1, quantities: [3, 0] },
  ],
}
const REFUNDED = written('begin 0, deliver, begin 1, deliver, refund 0 0 1')
const paymentAndStock = (at: number): Loss => lossOf(['payment', 'stock'], 0, at)
/** What both payment and stock forget, stock reads of before its checkout, or of that nothing: its goods are on the shelf already. */
const refundedBeforeTaken: typeof withWishes = (['refund', 'accept'] as const).flatMap((wish): typeof withWishes => [
  // More is wanted than there is, before it is taken.
  [refundedAfterRefusal, [...REFUNDED, ...written('begin 2, deliver')], paymentAndStock(0.72), wish],
  // The money is spent before payment reads of the checkout again.
  [
    lastPiece,
    written('begin 0, deliver, deliver, refund 0 0 1, deliver, deliver, pay 0 10, deliver'),
    paymentAndStock(0.76),
    wish,
  ],
])

for (const [count, what, examples] of [
  [1, 'a service loses its tail', withWishes],
  [2, 'two services lose their tails', [...refundedBeforePaid, ...paidAndForgotten, ...refundedBeforeTaken]],
] as const)
  test.serial(`when ${what}, everything ends all the same, and what cannot be mended is listed`, async (t) => {
    t.timeout(TIMEOUT_MS)
    let contradicted = 0
    await fc.assert(
      fc.asyncProperty(shops, checkoutSteps, lossesOf(count), wishes, async (shop, steps, lost, wish) => {
        const participants = lost.participants.map(({ participant }) => participant)
        await playWithLoss(shop, steps, lost)
        contradicted += (await world.contradictions()).length
        expectNone(await world.violations(participants))
        // A person ends what is contradicted, and it balances.
        await world.resolve(wish)
        await world.settle(true)
        expectNone(await world.contradictions())
        expectNone(await world.violations(participants))
      }),
      { ...parameters, examples: [...examples] },
    )
    t.log(`of ${RUNS} schedules: ${contradicted} orders were contradicted`)
    t.true(contradicted <= examples.length + RUNS / 25)
    if (examples === withWishes) t.true(contradicted >= 2 * contradictory.length)
  })

test.serial('what order has rebuilt, it can rebuild payment and stock from when they lose theirs next', async (t) => {
  const next: readonly Participant[] = ['payment', 'stock']
  t.timeout(TIMEOUT_MS)
  await fc.assert(
    fc.asyncProperty(shops, checkoutSteps, lossesOf(1), async (shop, steps, lost) => {
      const orderLoses = {
        ...lost,
        participants: lost.participants.map((one) => ({ ...one, participant: 'order' as const })),
      }
      await playWithLoss(shop, steps, orderLoses, next)
      expectNone(await world.violations(['order', ...next]))
    }),
    {
      ...parameters,
      numRuns: Math.ceil(RUNS / 2),
      // Of a refund payment reads again while its checkout waits, for money that one holds again which was refused.
      examples: [
        [refundedAfterRefusal, REFUNDED, loss('order', 0, 0)],
        [refundedAfterRefusal, [...REFUNDED, ...written('deliver, deliver, refund 0 0 1')], loss('order', 0, 0)],
      ],
    },
  )
  t.pass()
})
