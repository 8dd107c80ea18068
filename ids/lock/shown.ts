/** How is a lock, or a lease on it, shown to a client? */
import type { Ended, Held, Waiting } from './lease.ts'
import { type Retry, retryIn } from './problems.ts'
import type { Happened, Lock } from './read-lock.ts'
import type { ShownHeld, ShownWaiting } from './schemas.ts'

const at = (ms: number): string => new Date(ms).toISOString()

export const pathOf = (name: string): string => `/locks/${encodeURIComponent(name)}`
export const pathOfLease = (name: string, lease: string): string => `${pathOf(name)}/leases/${lease}`

export const heldAs = (name: string, held: Held): ShownHeld => ({
  name,
  lease: held.lease,
  state: 'held',
  mode: held.mode,
  permits: held.permits,
  token: held.token,
  owner: held.owner,
  ttl_ms: held.ttlMs,
  expires_in_ms: Math.max(0, held.expiresInMs),
  acquired_at: at(held.acquiredAtMs),
  metadata: held.metadata,
})

export const waitingAs = (name: string, waiting: Waiting): ShownWaiting => ({
  name,
  lease: waiting.lease,
  state: 'waiting',
  mode: waiting.mode,
  permits: waiting.permits,
  priority: waiting.priority,
  owner: waiting.owner,
  metadata: waiting.metadata,
  position: waiting.position,
  ahead: waiting.ahead,
  estimated_wait_ms: waiting.estimatedWaitMs ?? null,
})

export const endedAs = (name: string, lease: string, { ended, atMs, promoted }: Ended) => ({
  name,
  lease,
  ended,
  at: at(atMs),
  waiter_promoted: promoted,
})

const happeningAs = ({ event, atMs, token, owner, mode }: Happened) => ({
  event,
  at: at(atMs),
  token,
  owner,
  mode,
})

/** An event as a watcher is sent it. */
export type Told = { readonly event: string; readonly data: Readonly<Record<string, unknown>> }

/** That nobody gets the lock for a while, if that is so by what has happened. */
export const delayedAs = (name: string, { atMs, delayedUntilMs }: Happened): readonly Told[] =>
  delayedUntilMs === null ? [] : [{ event: 'delayed', data: { name, at: at(atMs), until: at(delayedUntilMs) } }]

/** What has happened to a lock, as its watchers are told. */
export const toldAs = (name: string, happened: Happened): readonly Told[] => [
  { event: happened.event, data: { name, ...happeningAs(happened), why: happened.why } },
  ...delayedAs(name, happened),
]

type State = 'free' | 'held' | 'delayed'
export const stateOf = ({ holders, delayedForMs }: Lock): State =>
  holders.length > 0 ? 'held' : delayedForMs > 0 ? 'delayed' : 'free'

/** A lock in a list. */
export const listedAs = (lock: Lock, hasWaiters: boolean) => ({
  name: lock.name,
  state: stateOf(lock),
  mode: lock.mode,
  limit: lock.limit,
  write: lock.write,
  delay_ms: lock.delayMs,
  delayed_for_ms: lock.delayedForMs,
  holders: lock.holders.map(({ acquiredAtMs, expiresInMs, ...holder }) => ({
    ...holder,
    acquired_at: at(acquiredAtMs),
    expires_in_ms: expiresInMs,
  })),
  waiter_count: lock.waiterCount,
  ...(hasWaiters ? { waiters: lock.waiters.map(({ sinceMs, ...waiter }) => ({ ...waiter, since: at(sinceMs) })) } : {}),
  token: lock.token,
})

/** How a client does well to ask for it. */
const retryOf = ({ holders, delayedForMs, waiterCount }: Lock): Retry => {
  const restMs = Math.min(...holders.map(({ expiresInMs }) => expiresInMs))
  return retryIn(holders.length > 0 ? restMs : delayedForMs, waiterCount)
}

/** A lock by itself. */
export const lockAs = (lock: Lock, hasWaiters: boolean) => ({
  ...listedAs(lock, hasWaiters),
  history: lock.history.map(happeningAs),
  retry: retryOf(lock),
})
