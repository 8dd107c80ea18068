/**
 * How fast is another implementation of the same routes?
 *
 * Both shops are filled alike, and then loaded in short turns, A B B A, because a machine may drift by half within minutes:
 * neighbouring turns meet the same machine. Each pair of neighbours gives one ratio, and the median of those is the result;
 * how far they lie apart says how much it is worth. The shop whose turn it is not stands idle, but is there.
 */
import { number, table } from '../support/table.ts'
import type { Run } from './report.ts'
import { median, rateOf } from './report.ts'
import type { Site } from './site.ts'

export const SLICE_MS = 2_000
/** What is compiled and who is connected the turn before is so still. */
export const SLICE_WARM_UP_MS = 200
const QUARTER = 0.25

/** The turns of one number of connections: the same place in both lists is a pair of neighbours. */
export type Comparison = {
  readonly connections: number
  readonly ours: readonly Run[]
  readonly theirs: readonly Run[]
}

/** How many turns each shop has. */
export const slicesIn = (seconds: number): number => Math.ceil((seconds * 1_000) / SLICE_MS)

export const compare = async (ours: Site, theirs: Site, connections: number, slices: number): Promise<Comparison> => {
  const runs = { ours: [] as Run[], theirs: [] as Run[] }
  const turn = async (who: keyof typeof runs): Promise<void> => {
    const site = who === 'ours' ? ours : theirs
    const run = await site.run({ connections, warmUpMs: SLICE_WARM_UP_MS, ms: SLICE_MS })
    runs[who].push({ ...run, who })
  }
  for (let slice = 0; slice < slices; slice += 1) {
    const [first, second] = slice % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const)
    await turn(first)
    await turn(second)
  }
  return { connections, ...runs }
}

/** So many times as fast as the other is ours: by each pair of neighbours. */
export const ratiosOf = ({ ours, theirs }: Comparison): number[] =>
  ours.map((run, index) => rateOf(run.measured) / rateOf(theirs[index]?.measured ?? run.measured))

export const ratios = (comparisons: readonly Comparison[]): string => {
  const rows = comparisons.map((comparison) => {
    const sorted = ratiosOf(comparison).toSorted((one, other) => one - other)
    const at = (share: number): string => number(sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN, 2)
    return [
      String(comparison.connections),
      number(median(sorted), 2),
      ...[at(QUARTER), at(1 - QUARTER), at(0), at(1)],
      String(sorted.length),
    ]
  })
  const head = ['connections', 'ours / theirs', 'half from', 'to', 'all from', 'to', 'pairs']
  return `Ratio of the rates, the median of neighbouring turns of ${SLICE_MS / 1_000} s\n${table([head, ...rows])}`
}
