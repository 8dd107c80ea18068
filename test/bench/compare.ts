/**
 * How fast is another implementation of the same routes, or one route beside another?
 *
 * Two shops are filled alike. These, or two routes of one shop, are then loaded in short turns, A B B A, because a machine may drift
 * by half within minutes: neighbouring turns meet the same machine. Each pair of neighbours gives one ratio, and the median of
 * those is the result; how far they lie apart says how much it is worth. The shop whose turn it is not stands idle, but is there.
 */
import { number, table } from '../support/table.ts'
import { MACHINE } from './cpu.ts'
import { LOAD, median, type Run, rateOf } from './report.ts'
import type { Ask } from './site.ts'

export const SLICE_MS = 2_000
/** What is compiled and who is connected the turn before is so still. */
export const SLICE_WARM_UP_MS = 200
const QUARTER = 0.25

/** One of the two that are compared. */
export type Side = { readonly who: string; readonly run: (ask: Ask) => Promise<Run> }

/** The turns of one number of connections: the same place in both lists is a pair of neighbours. */
export type Comparison = {
  readonly connections: number
  readonly one: readonly Run[]
  readonly other: readonly Run[]
}

/** How many turns each of them has. */
export const slicesIn = (seconds: number): number => Math.ceil((seconds * 1_000) / SLICE_MS)

/** How long all turns take, for each number of connections. */
export const turnsMs = (seconds: number): number => 2 * slicesIn(seconds) * (SLICE_WARM_UP_MS + SLICE_MS)

/** After so many pairs it is told how it stands, so that who has seen enough may end it. */
const TELL_EVERY = 5

export const compare = async (
  sides: { readonly one: Side; readonly other: Side },
  connections: number,
  slices: number,
  tell: (text: string) => void = () => undefined,
): Promise<Comparison> => {
  const runs = { one: [] as Run[], other: [] as Run[] }
  const turn = async (whose: keyof typeof runs): Promise<void> => {
    const { who, run } = sides[whose]
    runs[whose].push({ ...(await run({ connections, warmUpMs: SLICE_WARM_UP_MS, ms: SLICE_MS })), who })
  }
  for (let slice = 0; slice < slices; slice += 1) {
    const [first, second] = slice % 2 === 0 ? (['one', 'other'] as const) : (['other', 'one'] as const)
    await turn(first)
    await turn(second)
    const done = slice + 1
    if (done % TELL_EVERY === 0 && done < slices)
      tell(
        `After ${done} of ${slices} pairs at ${connections}: ${number(median(ratiosOf({ connections, ...runs })), 3)}`,
      )
  }
  return { connections, ...runs }
}

/** So many times as fast as the other is the one: by each pair of neighbours. */
export const ratiosOf = ({ one, other }: Comparison): number[] =>
  one.map((run, index) => rateOf(run.measured) / rateOf(other[index]?.measured ?? run.measured))

/** CPU of all its processes for an answer. */
const cpuOf = ({ cpu, measured: { answered } }: Run): number =>
  [...(cpu ?? [])].reduce((sum, [role, ms]) => (role === LOAD || role === MACHINE ? sum : sum + ms), 0) /
  Math.max(1, answered)

/** So many times the CPU of the other does the one take for an answer, by each pair; none where it is not known of both. */
export const cpuRatiosOf = ({ one, other }: Comparison): number[] =>
  one.flatMap((run, index) => {
    const beside = other[index]
    return run.cpu && beside?.cpu ? [cpuOf(run) / cpuOf(beside)] : []
  })

const tableOf = (comparisons: readonly Comparison[], ratiosIn: (one: Comparison) => number[]): string => {
  const [first] = comparisons
  const rows = comparisons.map((comparison) => {
    const sorted = ratiosIn(comparison).toSorted((a, b) => a - b)
    const at = (share: number): string => number(sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN, 3)
    return [
      String(comparison.connections),
      number(median(sorted), 3),
      ...[at(QUARTER), at(1 - QUARTER), at(0), at(1)],
      String(sorted.length),
    ]
  })
  const names = [first?.one[0]?.who, first?.other[0]?.who].join(' / ')
  const head = ['connections', names, 'half from', 'to', 'all from', 'to', 'pairs']
  return table([head, ...rows])
}

export const ratios = (comparisons: readonly Comparison[]): string => {
  const turns = `the median of neighbouring turns of ${SLICE_MS / 1_000} s`
  const isCpuKnown = comparisons.some((comparison) => cpuRatiosOf(comparison).length > 0)
  return [
    `Ratio of the rates, ${turns}\n${tableOf(comparisons, ratiosOf)}`,
    ...(isCpuKnown ? [`Ratio of the CPU for an answer, ${turns}\n${tableOf(comparisons, cpuRatiosOf)}`] : []),
  ].join('\n\n')
}
