import test from 'ava'
import fc from 'fast-check'
import { type Options, parseOptions } from './options.ts'
import { partsOf, planFaults, planPopulation, planVisit, requestsOf } from './plan.ts'

const optionsOf = (line: string, seed: number): Options =>
  parseOptions([...line.split(' ').filter(Boolean), '--seed', String(seed)], () => 0) as Options

const planOf = (line: string, seed: number) => {
  const options = optionsOf(line, seed)
  const population = planPopulation(options.load, seed)
  const visits = Array.from({ length: 200 }, (_, number) => planVisit(population, seed, number))
  return { faults: planFaults(options), population, visits }
}

const LINE = '--random --lose-tail any --every 1s-3s --away 500ms --for 5m --replicas 2'

test('makes the same plan of the same seed, and another of another', (t) => {
  t.deepEqual(planOf(LINE, 42), planOf(LINE, 42))
  const [one, other] = [planOf(LINE, 42), planOf(LINE, 43)]
  t.notDeepEqual(one.faults, other.faults)
  t.notDeepEqual(one.population, other.population)
  t.notDeepEqual(one.visits, other.visits)
})

test('has drawn, for a seed that was written down, what it draws', (t) => {
  const { faults, visits } = planOf('--kill any --every 2s --for 9s', 1)
  t.deepEqual(
    faults.map(({ atMs, parts }) => [atMs, ...parts]),
    [
      [2_000, 'ids-redis'],
      [4_000, 'order-redis'],
      [6_000, 'ids-redis'],
      [8_000, 'payment-1'],
    ],
  )
  t.deepEqual(visits[0], {
    user: 25,
    lines: [[0, 3]],
    keyed: true,
    funds: 0,
    delivery: undefined,
    atOnce: 1,
    looks: false,
    asksAgain: false,
    pricing: undefined,
    places: true,
    returns: undefined,
    cancels: 'meanwhile',
    submits: false,
    changes: { when: 'before', quantity: 1 },
    form: undefined,
  })
})

test('lets one fault end before the next begins, and all before the drill does', (t) => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const { faults } = planOf(LINE, seed)
      t.true(faults.length >= 90)
      for (const [index, { atMs, awayMs }] of faults.entries()) {
        const gap = atMs - (faults[index - 1]?.atMs ?? 0)
        t.true(gap >= 1_000 && gap <= 3_000)
        t.true(atMs + awayMs <= 300_000)
      }
    }),
    { numRuns: 20 },
  )
})

test('comes to every part by every kind of fault that befits it', (t) => {
  const faults = [1, 2, 3, 4, 5, 6].flatMap((seed) => planOf(LINE, seed).faults)
  const met = (kind: string) => new Set(faults.filter((fault) => fault.kind === kind).flatMap(({ parts }) => parts))
  for (const kind of ['kill', 'restart', 'freeze', 'refuse', 'black-hole', 'delay'])
    t.deepEqual([...met(kind)].sort(), [...partsOf(2)].sort())
  t.deepEqual([...met('lose-tail')].sort(), ['ids-redis', 'order-redis', 'payment-redis', 'stock-redis'])
})

test('strikes what was chosen: one replica, one Redis, or all at once', (t) => {
  const partsHit = (line: string) => planOf(`${line} --for 2m --replicas 2`, 5).faults.map(({ parts }) => parts)
  t.deepEqual(new Set(partsHit('--kill payment').flat()), new Set(['payment-1', 'payment-2']))
  t.deepEqual(new Set(partsHit('--black-hole payment-redis').flat()), new Set(['payment-redis']))
  t.deepEqual(partsHit('--kill all')[0], partsOf(2))
})

test('bounds users and items, however heavy the load', (t) => {
  for (const perSecond of [1, 300, 5_000]) {
    const { users, items } = planPopulation({ loop: 'open', perSecond }, 1)
    t.true(users.length >= 20 && users.length <= 1_000)
    t.true(items.length >= 10 && items.length <= 200)
  }
})

test('has visitors who are too poor, who want what is not there, who repeat, and who meet at one item', (t) => {
  const { population, visits } = planOf('', 9)
  const share = (is: (visit: (typeof visits)[number]) => boolean): number => visits.filter(is).length / visits.length
  const costOf = (visit: (typeof visits)[number]): number =>
    visit.lines.reduce((sum, [item, quantity]) => sum + (population.items[item]?.price ?? 0) * quantity, 0)
  t.true(share((visit) => costOf(visit) > (population.users[visit.user]?.credit ?? 0)) > 0.03)
  const wanted = visits.flatMap(({ lines }) => lines.filter(([item]) => item % 5 === 1))
  const scarce = population.items.filter((_, item) => item % 5 === 1)
  t.true(wanted.reduce((sum, [, quantity]) => sum + quantity, 0) > scarce.reduce((sum, { stock }) => sum + stock, 0))
  t.true(share(({ lines }) => lines.some(([item]) => item === 0)) > 0.3)
  t.true(share(({ keyed }) => keyed) > 0.3)
  t.true(share(({ atOnce }) => atOnce > 1) > 0.03)
  t.true(share(({ places }) => places) > 0.3)
  t.true(share(({ returns }) => returns === 'all') > 0.05)
  for (const when of ['meanwhile', 'after'] as const) t.true(share(({ cancels }) => cancels === when) > 0.03)
  t.true(share(({ submits }) => submits) > 0.1)
  for (const when of ['before', 'rivals', 'after'] as const)
    t.true(share(({ changes }) => changes?.when === when) > 0.02)
  t.true(share(({ form }) => form !== undefined) > 0.01)
  t.true(share(({ pricing }) => pricing !== undefined) > 0.01)
  t.true(share((visit) => requestsOf(visit) >= 4) > 0.5)
})
