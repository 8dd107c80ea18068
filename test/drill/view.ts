/**
 * What does somebody see who watches a drill?
 *
 * One screen, made of a *scene*: everything that is known at a moment. It never has more lines or columns than the terminal,
 * down to 80 by 24, where the oldest faults are left out first.
 */

import { number } from '../support/table.ts'
import type { Balance } from './audit.ts'
import type { Struck } from './faults.ts'
import { ENDS, type End, type RouteReading } from './meter.ts'
import type { Lag } from './watch.ts'

export type PartSeen = { readonly name: string; readonly state: string }

export type Scene = {
  readonly seed: number
  readonly load: string
  readonly phase: 'shopping' | 'healing' | 'settling'
  readonly leftMs: number
  /** Until the next fault; undefined if there is none left. */
  readonly nextFaultMs: number | undefined
  readonly parts: readonly PartSeen[]
  readonly routes: readonly RouteReading[]
  readonly visitors: number
  /** undefined where a Redis does not answer. */
  readonly open: number | undefined
  readonly oldestMs: number
  readonly locks: number | undefined
  readonly lags: readonly Lag[]
  readonly balances: readonly Balance[]
  /** How many turns programs took under locks, if any do. */
  readonly turns?: number | undefined
  readonly struck: readonly Struck[]
  /** Deaths that were no fault of the drill's. */
  readonly deaths: readonly string[]
}

export type Size = { readonly columns: number; readonly rows: number }

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

export const clockTime = (ms: number): string => {
  const all = Math.max(0, Math.round(ms / 1_000))
  return `${Math.floor(all / 60)}:${String(all % 60).padStart(2, '0')}`
}

const partsLines = (parts: readonly PartSeen[], columns: number): string[] => {
  const width = Math.max(...parts.map(({ name, state }) => name.length + state.length + 3))
  const perLine = Math.max(1, Math.floor(columns / width))
  const cells = parts.map(({ name, state }) => `${name} ${state === 'up' ? state : state.toUpperCase()}`.padEnd(width))
  return Array.from({ length: Math.ceil(cells.length / perLine) }, (_, line) =>
    cells.slice(line * perLine, (line + 1) * perLine).join(''),
  )
}

const WIDTHS = [13, 8, 8, 8, ...ENDS.map(() => 8)]
const row = ([first = '', ...cells]: readonly string[]): string =>
  first.padEnd(WIDTHS[0] ?? 0) + cells.map((cell, index) => cell.padStart(WIDTHS[index + 1] ?? 0)).join('')

const routeLine = ({ does, now, ends }: RouteReading): string => {
  const latencies = [now.p50Ms, now.p99Ms].map((ms) => ms.toFixed(1))
  return row([does, now.perSecond.toFixed(1), ...latencies, ...ENDS.map((end) => number(ends[end]))])
}

const sum = (routes: readonly RouteReading[], end: End): number => routes.reduce((all, { ends }) => all + ends[end], 0)

const checkoutsLine = ({ open, oldestMs, locks, lags, visitors }: Scene): string => {
  const worst = lags.toSorted((one, other) => other.ms - one.ms)[0]
  const lag = worst ? `${worst.subscriber} ${seconds(worst.ms)} behind ${worst.publisher}` : 'logs ?'
  const checkouts = open === undefined ? '? open' : `${open} open, oldest ${seconds(open === 0 ? 0 : oldestMs)}`
  return `checkouts  ${checkouts}; ${locks ?? '?'} locked; ${lag}; ${visitors} inside`
}

const balanceLine = ({ what, added, left, gone, inFlight, balanced }: Balance): string =>
  `${what.padEnd(9)}  ${added} added = ${left} left + ${gone} ${what === 'money' ? 'spent' : 'sold'} + ${inFlight} in flight: ${balanced ? 'balanced' : 'WRONG'}`

/** Which fault, of what, when, and how it went on. */
export const faultLine = ({ kind, parts, begunMs, healedMs, settledMs, overtaken }: Struck): string => {
  const what = `${clockTime(begunMs).padStart(6)}  ${kind.padEnd(10)} ${parts.length > 2 ? `${parts.length} parts` : parts.join(', ')}`
  if (healedMs === undefined) return `${what}: now`
  const healed = `${what}: over after ${seconds(healedMs - begunMs)}`
  if (settledMs === undefined) return `${healed}, not settled yet`
  return `${healed}, settled ${seconds(settledMs)} later${overtaken ? ' (in the next)' : ''}`
}

export const faultsOf = (struck: readonly Struck[]): string =>
  struck.length === 1 ? '1 fault' : `${number(struck.length)} faults`

const title = ({ seed, load, phase, leftMs, nextFaultMs, struck }: Scene): string => {
  const next = nextFaultMs === undefined ? 'no more to come' : `next in ${seconds(Math.max(0, nextFaultMs))}`
  const when = phase === 'shopping' ? `${clockTime(leftMs)} left` : `${phase} ...`
  return `drill  ${when}  ${load}  ${faultsOf(struck)}, ${next}  seed ${seed}`
}

/** The lines of a scene, none longer and not more of them than the terminal takes. */
export const draw = (scene: Scene, { columns, rows }: Size): readonly string[] => {
  const { parts, routes, balances, struck, deaths } = scene
  const above = [
    title(scene),
    '',
    ...partsLines(parts, columns),
    '',
    row(['', 'now /s', 'p50 ms', 'p99 ms', ...ENDS]),
    ...routes.map(routeLine),
    row(['all', '', '', '', ...ENDS.map((end) => number(sum(routes, end)))]),
    '',
    checkoutsLine(scene),
    ...balances.map(balanceLine),
    ...(scene.turns === undefined ? [] : [`turns      ${number(scene.turns)} taken under locks`]),
    ...deaths.map((death) => `DIED       ${death}`),
  ]
  const room = Math.max(0, rows - above.length)
  const faults = room === 0 ? [] : struck.slice(-room).map(faultLine)
  return [...above, ...faults].slice(0, rows).map((line) => line.slice(0, columns).trimEnd())
}
