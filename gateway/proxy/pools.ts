/**
 * By which connections are requests sent to a replica?
 *
 * Those that are held for long are counted apart, and have connections of their own: they leave all others theirs, and a pool looks
 * through all its busy connections for one that is not. A connection costs nothing until it is needed.
 */
import { Pool } from 'undici'
import type { Kind } from './retry.ts'

/** Requests one replica may have at once. A waiting checkout holds a connection, so this is how many may wait. */
export const CONNECTIONS_MAX = 1_024
/** So many more may be held for long: they wait for locks, or watch. */
export const LONG_MAX = 8_192

export type Pools = {
  readonly of: (request: { readonly kind: Kind }) => Pool
  /** Resolves when what is in flight is finished. */
  readonly close: () => Promise<void>
  /** Breaks off what is in flight. */
  readonly destroy: () => Promise<void>
}

export const openPools = (origin: string, options: Pool.Options, longMax: number): Pools => {
  const long = new Pool(origin, { ...options, connections: longMax })
  const others = new Pool(origin, { ...options, connections: CONNECTIONS_MAX })
  return {
    of: ({ kind }) => (kind === 'long' ? long : others),
    close: async () => void (await Promise.all([long.close(), others.close()])),
    destroy: async () => void (await Promise.all([long.destroy(), others.destroy()])),
  }
}
