import test from 'ava'
import { compare, cpuRatiosOf, ratios, ratiosOf, type Side, turnsMs } from './compare.ts'
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
  t.regex(ratios([comparison]), /^connections +A \/ B .*\n +8 +4\.000 /m)
})

test('divides the CPU for an answer, where it is known of both, without that of the load and of others', (t) => {
  const withCpu = (answered: number, order: number): Run => ({
    ...runOf(answered),
    cpu: new Map([
      ['order', order],
      ['gateway', 100],
      ['load', 9_000],
      ['machine', 90_000],
    ]),
  })
  const comparison = { connections: 8, one: [withCpu(100, 200), runOf(1)], other: [withCpu(200, 300), withCpu(1, 1)] }
  t.deepEqual(cpuRatiosOf(comparison), [1.5])
  t.regex(ratios([comparison]), /^Ratio of the CPU for an answer, /m)
  t.notRegex(ratios([{ connections: 8, one: [runOf(1)], other: [runOf(1)] }]), /CPU/)
})

test('tells how it stands meanwhile, and how long it takes before', async (t) => {
  const told: string[] = []
  const rates = Array.from({ length: 11 }, (_, at) => 100 + at)
  const [one, other] = [sideOf('A', rates, []), sideOf('B', rates, [])]
  await compare({ one, other }, 8, 11, (text) => told.push(text))
  t.deepEqual(told, ['After 5 of 11 pairs at 8: 1.000', 'After 10 of 11 pairs at 8: 1.000'])
  t.is(turnsMs(20), 44_000)
})
