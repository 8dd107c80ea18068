/**
 * When is harm done, and when is it over?
 *
 * What each fault does is in the catalogue (`support/faults/catalogue.ts`). A planned one *strikes* at its time, or as soon as
 * the one before it is over; it is *healed* when all its parts are ready again; and it has *settled* when every checkout that
 * was open at its healing has ended, everywhere. A drill that is ended early heals the fault of that moment first.
 */

import { setTimeout as after } from 'node:timers/promises'
import type { Shop } from '../../env/local/shop.ts'
import { during, FAULTS, type State, type Victim } from '../support/faults/catalogue.ts'
import type { Fabric } from '../support/faults/proxy.ts'
import type { PlannedFault } from './plan.ts'

/** A fault on its way; times are from the beginning of the drill. */
export type Struck = PlannedFault & {
  readonly begunMs: number
  readonly healedMs: number | undefined
  /** From its healing to the end of the last checkout that was open then. */
  readonly settledMs: number | undefined
  /** Did the next fault come before that? Then the time says nothing of this one alone. */
  readonly overtaken: boolean
}

/** What is told of a fault on its way. */
export type Turn = 'strikes' | 'is healed' | 'has settled'

export type Nemesis = {
  readonly struck: () => readonly Struck[]
  readonly sufferingOf: (part: string) => State | undefined
  /** Is this death of a part no fault of its own? */
  readonly isBidden: (part: string) => boolean
  /** Everything that was cut off files, as it was written in them. */
  readonly lost: () => readonly Buffer[]
  /** To be told, again and again, which checkouts are open everywhere. */
  readonly look: (open: ReadonlySet<string>) => void
  /** Does what is planned; resolves when all is over and healed. */
  readonly run: (signal: AbortSignal) => Promise<void>
}

/** Waits for a moment, or for the signal. */
const until = async (ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await after(Math.max(0, ms), undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

export type NemesisOptions = {
  readonly shop: Shop
  readonly fabric: Fabric | undefined
  readonly plan: readonly PlannedFault[]
  /** Milliseconds since the beginning of the drill. */
  readonly clock: () => number
  readonly tell: (struck: Struck, turn: Turn) => void
}

export const openNemesis = ({ shop, fabric, plan, clock, tell }: NemesisOptions): Nemesis => {
  const struck: Struck[] = []
  const suffering = new Map<string, State>()
  const bidden = new Set<string>()
  const lost: Buffer[] = []
  /** The checkouts that each healed fault still waits for; undefined until it is known which they are. */
  const stranded = new Map<number, ReadonlySet<string> | undefined>()

  const victimOf = (name: string, lostShare: number): Victim => ({
    part: shop.part(name),
    links: () => fabric?.links(/./, /./).filter(({ from, to }) => [from, to].includes(name)) ?? [],
    cut: () => ({ share: lostShare }),
    lost: ({ transactions }) => lost.push(...transactions.map(({ bytes }) => bytes)),
  })
  const change = (index: number, news: Partial<Struck>): Struck => {
    const changed = { ...(struck[index] as Struck), ...news }
    struck[index] = changed
    return changed
  }

  const strike = async (planned: PlannedFault, signal: AbortSignal): Promise<void> => {
    const { kind, parts, awayMs, lostShare } = planned
    const { leaves } = FAULTS[kind]
    const victims = parts.map((name) => victimOf(name, lostShare))
    for (const before of stranded.keys()) change(before, { overtaken: true })
    const index = struck.length
    struck.push({ ...planned, begunMs: clock(), healedMs: undefined, settledMs: undefined, overtaken: false })
    tell(change(index, {}), 'strikes')
    for (const { part } of victims) {
      suffering.set(part.name, leaves)
      if (leaves === 'down') bidden.add(part.name)
    }
    await during(kind, victims, () => until(awayMs, signal))
    for (const { part } of victims) {
      suffering.delete(part.name)
      bidden.delete(part.name)
    }
    stranded.set(index, undefined)
    tell(change(index, { healedMs: clock() }), 'is healed')
  }

  return {
    struck: () => struck,
    sufferingOf: (part) => suffering.get(part),
    isBidden: (part) => bidden.has(part),
    lost: () => lost,
    look: (open) => {
      for (const [index, waitsFor = open] of stranded) {
        const left = new Set([...waitsFor].filter((id) => open.has(id)))
        if (left.size > 0) stranded.set(index, left)
        else {
          stranded.delete(index)
          tell(change(index, { settledMs: clock() - (struck[index]?.healedMs ?? 0) }), 'has settled')
        }
      }
    },
    run: async (signal) => {
      for (const planned of plan) {
        await until(planned.atMs - clock(), signal)
        if (signal.aborted) return
        await strike(planned, signal)
      }
    },
  }
}
