/**
 * Who keeps an eye on everything while a drill goes on?
 *
 * The lookout reads, each at its own pace, what is open, locked and unapplied, what audits say and what processes use, and
 * makes a scene of all that whenever it is asked for one.
 */
import { setTimeout as after } from 'node:timers/promises'
import type { Shop } from '../../env/local/shop.ts'
import type { Client } from '../support/shop/client.ts'
import { auditOf, type Balance } from './audit.ts'
import type { Nemesis } from './faults.ts'
import { type Growth, openRows } from './growth.ts'
import type { Heaps } from './heaps.ts'
import type { Bearing } from './identities.ts'
import type { Shopping } from './load.ts'
import type { Meter } from './meter.ts'
import { type PartSeen, type Scene, seconds } from './view.ts'
import { type Lag, openWatch, usageOf } from './watch.ts'

export type Lookout = {
  readonly scene: (phase: Scene['phase']) => Pick<Scene, (typeof SEEN)[number]>
  /** What audits did not find balanced, in words. */
  readonly unbalanced: () => readonly string[]
  readonly growths: () => readonly Growth[]
  /** The orders that the shop says no rule can mend. */
  readonly listed: () => Promise<readonly string[]>
  /** How often the shop noticed that a log had lost its end. */
  readonly noticed: () => Promise<number>
  /** Looks a last time, and no more. */
  readonly stop: () => Promise<void>
  readonly [Symbol.dispose]: () => void
}

const SEEN = [
  'phase',
  'parts',
  'routes',
  'visitors',
  'open',
  'oldestMs',
  'locks',
  'lags',
  'balances',
  'struck',
] as const satisfies (keyof Scene)[]

/** How often it is looked which checkouts are open: so exact is the time until settled. */
const LOOK_MS = 100
const SIGHT_MS = 500
const USAGE_MS = 2_000
/** How often each process collects all its garbage, which takes it some 30 ms. */
const HEAP_MS = 10_000
/** From the end of one audit to the next, which takes the longer the more there is. */
const AUDIT_MS = 2_000

/** Does the work again and again until the signal, then settles. */
export const every = async (ms: number, signal: AbortSignal, work: () => Promise<void> | void): Promise<void> => {
  while (!signal.aborted) {
    await work()
    await after(ms)
  }
}

export type LookoutOptions = {
  readonly shop: Shop
  readonly client: Client
  readonly bearing: Bearing
  readonly meter: Meter
  readonly nemesis: Nemesis
  readonly heaps: Heaps
  readonly shopping: Shopping
  /** Milliseconds since the beginning of the drill. */
  readonly clock: () => number
}

export const openLookout = (options: LookoutOptions): Lookout => {
  const { shop, client, bearing, meter, nemesis, heaps, shopping, clock } = options
  const watch = openWatch(shop)
  const rows = openRows()
  /** Since when each checkout has been seen open; those that were seen first come first. */
  const opened = new Map<string, number>()
  const unbalanced: string[] = []
  let open: number | undefined
  let locks: number | undefined
  let lags: readonly Lag[] = []
  let balances: readonly Balance[] = []

  const look = async (): Promise<void> => {
    const ids = await watch.open()
    open = ids?.size
    if (ids === undefined) return
    for (const id of opened.keys()) if (!ids.has(id)) opened.delete(id)
    for (const id of ids) if (!opened.has(id)) opened.set(id, clock())
    nemesis.look(ids)
  }
  const sight = async (): Promise<void> => {
    ;[locks, lags] = await Promise.all([watch.locks(), watch.lags()])
  }
  const audit = async (): Promise<void> => {
    const audited = await auditOf(client, await bearing('operator'))
    balances = audited.balances
    unbalanced.push(...audited.wrong.map((sentence) => `an audit after ${seconds(clock())} found ${sentence}`))
  }
  const measure = (): void => {
    for (const part of shop.parts) {
      const usage = usageOf(part)
      if (usage) rows.add(part.name, { ...usage, kept: heaps.told(part) }, clock())
    }
  }
  const stateOf = ({ name, state }: Shop['parts'][number]): PartSeen => {
    const suffers = nemesis.sufferingOf(name)
    return { name, state: suffers === 'down' ? state : (suffers ?? state) }
  }

  const over = new AbortController()
  const watching = Promise.all([
    every(LOOK_MS, over.signal, look),
    every(SIGHT_MS, over.signal, sight),
    every(USAGE_MS, over.signal, measure),
    every(HEAP_MS, over.signal, () => shop.parts.forEach(heaps.ask)),
    every(AUDIT_MS, over.signal, audit),
  ])
  return {
    scene: (phase) => {
      const [oldest = clock()] = opened.values()
      return {
        ...{ phase, open, locks, lags, balances },
        oldestMs: clock() - oldest,
        parts: shop.parts.map(stateOf),
        routes: meter.read(),
        visitors: shopping.visitors(),
        struck: nemesis.struck(),
      }
    },
    unbalanced: () => unbalanced,
    growths: () => rows.read(),
    listed: () => watch.listed(),
    noticed: () => watch.noticed(),
    stop: async () => {
      over.abort()
      await watching
      await look()
      measure()
    },
    [Symbol.dispose]: () => watch.close(),
  }
}
