/**
 * How does one of many processes become the leader?
 *
 * It stands as a candidate until it leads, and leads until its work is done, or until it could not renew for its TTL: then the
 * signal aborts, before anybody else can lead. What it writes bears the term, which is greater than that of every leader before.
 */
import type { Acquiring } from './acquiring.ts'
import { LockRefusedError } from './errors.ts'
import type { Lock, Work } from './held-lock.ts'
import { follow, type LockEvent } from './reading.ts'
import type { Wire } from './wire.ts'

export type Leader = {
  readonly candidate: string
  readonly value: string | null
  readonly term: number
  readonly expires_in_ms: number
}
type Leading = { readonly term: number; readonly signal: AbortSignal }

export type Election = {
  /**
   * Waits until it leads, for as long as that takes, and does the work then; its end is that of the campaign.
   * @throws LockLostError if the lead was lost meanwhile; the reason of the signal, which ends the wait
   */
  readonly campaign: <Result>(
    options: { readonly value?: string; readonly ttl?: number; readonly signal?: AbortSignal },
    work: (leading: Leading) => Result | Promise<Result>,
  ) => Promise<Result>
  readonly leader: () => Promise<Leader | null>
  /** What becomes of it: `state` first, then `elected`, `renewed`, `resigned`, `lost`, `standing` and `withdrawn`. */
  readonly watch: (options?: { readonly signal?: AbortSignal }) => AsyncIterable<LockEvent>
}

export type ElectionOptions = {
  readonly wire: Wire
  readonly acquiring: Acquiring
  readonly doUnder: <Result>(lock: Lock, work: Work<Result>) => Promise<Result>
  readonly ttlMs: number
}

export const openElection =
  ({ wire, acquiring, doUnder, ttlMs }: ElectionOptions) =>
  (name: string): Election => {
    const path = `/elections/${encodeURIComponent(name)}`
    return {
      campaign: async ({ value, ttl = 0, signal }, work) => {
        const lasting = ttl || ttlMs
        const lock = await acquiring.claim({
          name,
          pathOf: (candidate) => `${path}/candidates/${candidate}`,
          body: { ttl_ms: lasting, value },
          ttl: lasting,
          waitMs: Number.MAX_SAFE_INTEGER,
          signal,
          tokenName: 'term',
        })
        // It waits for ever.
        if (lock === undefined) throw new Error('impossible (election.campaign)')
        return doUnder(lock, (leading) => work({ term: leading.token, signal: leading.signal }))
      },
      leader: async () => {
        const { status, json } = await wire.ask('GET', path)
        if (status !== 200) throw new LockRefusedError(status, json)
        return json.leader as Leader | null
      },
      watch: ({ signal } = {}) => follow(wire, `${path}/events`, signal),
    }
  }
