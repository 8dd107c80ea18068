/**
 * Random schedules of the real deeds. `SAGA_RUNS` is the number of them, `SAGA_SEED` repeats a run that failed: seed and
 * path are in the message of the failure.
 */
import process from 'node:process'
import test from 'ava'
import fc from 'fast-check'
import {
  anySteps,
  checkoutSteps,
  hearing,
  openWorld,
  type Party,
  type Shop,
  type Step,
  shops,
} from './support/schedule.ts'

const RUNS = Number(process.env.SAGA_RUNS ?? 150)
const SEED = process.env.SAGA_SEED

const world = await openWorld()
test.after.always(async () => world[Symbol.asyncDispose]())

const parameters = { numRuns: RUNS, includeErrorInReport: true, ...(SEED === undefined ? {} : { seed: Number(SEED) }) }

const play = async (shop: Shop, steps: readonly Step[]): Promise<void> => {
  await world.reset(shop)
  for (const step of steps) await world.take(step)
}

const expectNone = (violations: readonly string[]): void => {
  if (violations.length > 0) throw new Error(violations.join('\n'))
}

test.serial('whatever happens in whatever order, every checkout ends once, whole and justified', async (t) => {
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
  ])
    t.true(world.seen().has(end), `no schedule reached "${end}"`)
})

type Loss = {
  readonly party: Party
  /** Which part of the steps is remembered, and which part of the rest is lost. */
  readonly remembered: number
  readonly lost: number
}
const part = fc.double({ min: 0, max: 1, noNaN: true })
const losses: fc.Arbitrary<Loss> = fc.record({
  party: fc.constantFrom<Party>('order', 'payment', 'stock'),
  remembered: part,
  lost: part,
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
/** What went wrong once, and is too rare to be met again by chance. */
const onceWrong: [Shop, Step[], Loss][] = [
  [
    // Order forgets a checkout that stock knows to be cancelled, and payment does not.
    lastPiece,
    [{ does: 'begin', order: 0 }, hearing('payment', 'order'), { does: 'cancel', saga: 0 }, hearing('stock', 'order')],
    { party: 'order', remembered: 0, lost: 1 },
  ],
  [
    // The same the other way round: goods are taken, and only payment has heard of the cancellation.
    lastPiece,
    [
      { does: 'begin', order: 0 },
      hearing('payment', 'order'),
      hearing('stock', 'payment'),
      { does: 'cancel', saga: 0 },
      hearing('payment', 'order'),
    ],
    { party: 'order', remembered: 0, lost: 1 },
  ],
  [
    // Order forgets that it cancelled; payment captures before it hears that stock has given back.
    lastPiece,
    [
      { does: 'begin', order: 0 },
      hearing('payment', 'order'),
      hearing('stock', 'payment'),
      { does: 'cancel', saga: 0 },
      hearing('stock', 'order'),
    ],
    { party: 'order', remembered: 0, lost: 1 },
  ],
  [
    // The same, but order knows the checkout still.
    lastPiece,
    [
      { does: 'begin', order: 0 },
      hearing('payment', 'order'),
      hearing('stock', 'payment'),
      { does: 'cancel', saga: 0 },
      hearing('stock', 'order'),
    ],
    { party: 'order', remembered: 0.25, lost: 1 },
  ],
  [
    // Stock forgets that it refused the last piece, and has it when it hears of it again.
    lastPiece,
    [
      { does: 'begin', order: 0 },
      { does: 'begin', order: 1 },
      hearing('payment', 'order'),
      hearing('stock', 'payment'),
      hearing('payment', 'stock'),
      { does: 'cancel', saga: 0 },
      hearing('stock', 'order'),
      hearing('stock', 'payment'),
    ],
    { party: 'stock', remembered: 0, lost: 0.75 },
  ],
]

test.serial(
  'when a service loses its tail, everything ends all the same, and what cannot be mended is listed',
  async (t) => {
    let contradicted = 0
    await fc.assert(
      fc.asyncProperty(shops, checkoutSteps, losses, async (shop, steps, { party, remembered, lost }) => {
        const from = Math.floor(steps.length * remembered)
        const to = from + Math.floor((steps.length - from) * lost)
        await play(shop, steps.slice(0, from))
        const restore = await world.remember(party)
        for (const step of steps.slice(from, to)) await world.take(step)
        await restore()
        for (const step of steps.slice(to)) await world.take(step)
        await world.settle(true)
        contradicted += (await world.contradictions()).length
        expectNone(await world.violations(party))
      }),
      { ...parameters, examples: onceWrong },
    )
    t.log(`${contradicted} of ${RUNS} schedules were contradicted`)
    t.true(contradicted <= onceWrong.length + RUNS / 50)
  },
)
