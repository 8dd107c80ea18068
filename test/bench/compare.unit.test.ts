import test from 'ava'
import { compare, ratiosOf } from './compare.ts'
import type { Run } from './report.ts'
import type { Site } from './site.ts'

const runOf = (answered: number): Run => ({
  connections: 8,
  perSecond: undefined,
  cpu: undefined,
  profile: undefined,
  measured: {
    answered,
    ms: 1_000,
    latencyMs: { p50: 1, p95: 1, p99: 1, max: 1 },
    answeredInAll: answered,
    shed: {},
    shedMeasured: 0,
    odd: {},
    next: answered,
    exceptions: { shed: [], refused: [], unsure: [] },
    notSent: 0,
    usedUp: false,
  },
})

const unused = (): never => {
  throw new Error('this is not to be asked for')
}

/** A shop that reaches these rates, one after the other, and writes down whose turn it is. */
const siteOf = (name: string, rates: readonly number[], turns: string[]): Site => {
  let turn = 0
  return {
    origin: name,
    shop: undefined,
    seed: { users: 1, items: 1, orders: 1, credit: 1, stock: 1, price: 1 },
    fill: unused,
    answered: unused,
    check: unused,
    run: async () => {
      turns.push(name)
      turn += 1
      return runOf(rates[turn - 1] ?? 0)
    },
  }
}
test('takes turns A B B A, and divides neighbour by neighbour', async (t) => {
  const turns: string[] = []
  const ours = siteOf('A', [400, 300, 800], turns)
  const theirs = siteOf('B', [100, 150, 100], turns)
  const comparison = await compare(ours, theirs, 8, 3)
  t.is(turns.join(''), 'ABBAAB')
  t.deepEqual(ratiosOf(comparison), [4, 2, 8])
})
