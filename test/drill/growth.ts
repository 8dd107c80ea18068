/**
 * Do the processes grow?
 *
 * Memory and descriptors of every process are read again and again, from its start on. A process that was started anew
 * begins a new row. It is *flat* if what it kept and had open in the last third of its row is no more than in the first, once
 * it had warmed up; a row that is too short tells nothing. Of its memory that is judged which is left when all garbage is
 * collected: how much garbage lies about is the engine's affair. A Redis keeps the data, which is meant to grow.
 */
import type { Usage } from './watch.ts'

export type Growth = {
  readonly part: string
  readonly first: Usage
  /** What it kept once it had warmed up; undefined if that is not known. */
  readonly kept: number | undefined
  readonly last: Usage
  /** What it is that grew; empty if it is flat, undefined if the row is too short. */
  readonly grew: readonly string[] | undefined
}

export type Rows = {
  readonly add: (part: string, usage: Usage, atMs: number) => void
  readonly read: () => readonly Growth[]
}

const WARM_UP_MS = 60_000
/** What follows the warm-up must last so long before it tells something. */
const TELLING_MS = 240_000
/** Every second reading of a row is dropped when there are so many. */
const READINGS_MAX = 1_024
/** More than this share and more than this amount is growth; what lies below comes and goes with the load. */
const SHARE = 0.25
const KEPT = 12 * 1_048_576
const DESCRIPTORS = 24

type Reading = { readonly atMs: number; readonly usage: Usage }

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0

const isGrown = (early: number, late: number, most: number): boolean =>
  late > early * (1 + SHARE) && late > early + most

const grewIn = (readings: readonly Reading[]): readonly string[] | undefined => {
  const [first, last] = [readings[0], readings.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const fromMs = first.atMs + WARM_UP_MS
  const spanMs = last.atMs - fromMs
  if (spanMs < TELLING_MS) return undefined
  const early = readings.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + spanMs / 3)
  const late = readings.filter(({ atMs }) => atMs > last.atMs - spanMs / 3)
  const of = (some: readonly Reading[], what: 'kept' | 'descriptors'): number =>
    median(some.flatMap(({ usage }) => usage[what] ?? []))
  const grew: string[] = []
  if (isGrown(of(early, 'kept'), of(late, 'kept'), KEPT)) grew.push('memory')
  if (isGrown(of(early, 'descriptors'), of(late, 'descriptors'), DESCRIPTORS)) grew.push('descriptors')
  return grew
}

const keptIn = (readings: readonly Reading[]): number | undefined => {
  const known = readings.filter(({ usage }) => usage.kept !== undefined)
  const [{ atMs } = { atMs: 0 }] = readings
  return (known.find((reading) => reading.atMs >= atMs + WARM_UP_MS) ?? known.at(-1))?.usage.kept
}

export const openRows = (): Rows => {
  const rows = new Map<string, Reading[]>()
  return {
    add: (part, usage, atMs) => {
      const known = rows.get(part)
      const row = known?.at(-1)?.usage.pid === usage.pid ? known : []
      row.push({ atMs, usage })
      rows.set(part, row.length < READINGS_MAX ? row : row.filter((_, index) => index % 2 === 0))
    },
    read: () =>
      [...rows].flatMap(([part, readings]) => {
        const [first, last] = [readings[0], readings.at(-1)]
        return first && last
          ? [{ part, first: first.usage, kept: keptIn(readings), last: last.usage, grew: grewIn(readings) }]
          : []
      }),
  }
}
