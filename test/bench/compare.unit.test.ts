import test from 'ava'
import { compare, ratios, ratiosOf, type Side } from './compare.ts'
import type { Run } from './report.ts'

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

/** Reaches these rates, one after the other, and writes down whose turn it is. */
const sideOf = (who: string, rates: readonly number[], turns: string[]): Side => {
  let turn = 0
  return {
    who,
    run: async () => {
      turns.push(who)
      turn += 1
      return runOf(rates[turn - 1] ?? 0)
    },
  }
}

test('takes turns A B B A, divides neighbour by neighbour, and names whom by whom', async (t) => {
  const turns: string[] = []
  const one = sideOf('A', [400, 300, 800], turns)
  const other = sideOf('B', [100, 150, 100], turns)
  const comparison = await compare({ one, other }, 8, 3)
  t.is(turns.join(''), 'ABBAAB')
  t.deepEqual(ratiosOf(comparison), [4, 2, 8])
  t.regex(ratios([comparison]), /^connections +A \/ B .*\n +8 +4\.00 /m)
})
