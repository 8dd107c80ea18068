/** Why is a lease, or a lock, refused? */
import { type Problem, problemKind } from '../../shared/http/problem.ts'
import { draining } from '../../shared/http/problems.ts'
import type { Ended } from './lease.ts'

/** How a client does well to ask again: after so long, then ever more seldom, each time by a share more or less. */
export type Retry = {
  readonly after_ms: number
  readonly max_ms: number
  readonly multiplier: number
  readonly jitter: number
}

const SOON = { after_ms: 50, max_ms: 1_000, multiplier: 1.5, jitter: 0.2 } as const
const AFTER_MAX_MS = 30_000

/** How to ask again for a lock on which something may change in `restMs`, when so many wait for it. */
export const retryIn = (restMs: number, waiting = 0): Retry =>
  restMs <= 0
    ? SOON
    : {
        ...SOON,
        after_ms: Math.min(AFTER_MAX_MS, Math.max(SOON.after_ms, Math.ceil((restMs / 2) * (1 + waiting)))),
        max_ms: AFTER_MAX_MS,
      }

/** The headers of an answer that says when to ask again. */
export const retryHeaders = ({ after_ms }: Retry): { readonly 'Retry-After': string } => ({
  'Retry-After': String(Math.max(1, Math.ceil(after_ms / 1_000))),
})

/** When to ask again where nothing is known of when there is room. */
const FULL_MS = 2_000
/** It is refused for now, and may be asked again. */
export const later = <Name extends string>(restMs: number | undefined, refuse: (retry: Retry) => Problem<Name>) => {
  const retry = retryIn(restMs ?? FULL_MS)
  return { problem: refuse(retry), headers: retryHeaders(retry) }
}

export const noSuchLease = problemKind(404, 'no-such-lease', 'Unknown lease', (name: string) => ({
  detail: `the lock "${name}" has no such lease, or has forgotten it`,
  name,
}))

export const lockConfiguredOtherwise = problemKind(
  409,
  'lock-configured-otherwise',
  'The lock is used otherwise',
  (name: string, what: string, as: string) => ({
    detail: `the lock "${name}" has ${what === 'limit' ? `the limit ${as}` : `only ${as} writers`}`,
    name,
    [what]: what === 'limit' ? Number(as) : as,
  }),
)

export const lockInUse = problemKind(409, 'lock-in-use', 'The lock is in use', (name: string) => ({
  detail: `somebody holds the lock "${name}", or waits for it, as it was configured; nothing was done`,
  name,
}))

export const notExclusive = problemKind(
  409,
  'lease-not-exclusive',
  'The lease does not hold alone',
  (name: string) => ({
    detail: `only a lease that holds the lock "${name}" exclusively can step down to reading`,
    name,
  }),
)

const ENDED: Readonly<Record<Ended['ended'], string>> = {
  released: 'was released',
  expired: 'has expired',
  forced: 'was ended by an operator',
  cancelled: 'was cancelled',
  unclaimed: 'was not asked for in time',
  'timed-out': 'has waited for as long as it was to wait; ask by another one',
}

export const leaseEnded = problemKind(
  410,
  'lease-ended',
  'The lease has ended',
  (name: string, { ended, atMs }: Ended) => ({
    detail: `this lease on the lock "${name}" ${ENDED[ended]}`,
    name,
    ended,
    at: new Date(atMs).toISOString(),
  }),
)

export const tokenEnded = problemKind(
  410,
  'token-ended',
  'The token does not hold',
  (name: string, newest: number) => ({
    detail: `no lease with this token holds the lock "${name}"`,
    name,
    holds: false,
    newest,
  }),
)

export const leaseReused = problemKind(
  422,
  'lease-reused',
  'The lease was used for another request',
  (name: string) => ({ detail: `send this request for the lock "${name}" with a lease id of its own`, name }),
)

export const lockHeld = problemKind(
  423,
  'lock-held',
  'The lock is held',
  (name: string, why: string, retry: Retry) => ({
    detail: why === 'delayed' ? `nobody gets the lock "${name}" for a while` : `somebody else has the lock "${name}"`,
    name,
    retry,
  }),
)

export const lockQueueFull = problemKind(
  429,
  'lock-queue-full',
  'Too many wait for the lock',
  (name: string, retry: Retry) => ({ detail: `as many as may wait for the lock "${name}"`, name, retry }),
)

export const tooManyLocks = problemKind(429, 'too-many-locks', 'There are too many locks', (retry: Retry) => ({
  detail: 'as many locks as may be are in use or configured; nothing was done',
  retry,
}))

export const locksInDoubt = problemKind(
  503,
  'locks-in-doubt',
  'It is not known who holds what',
  (restMs: number, retry: Retry) => ({
    detail:
      'the Redis of locks has forgotten who holds some: until the last of these leases has ended, nothing is granted',
    for_ms: restMs,
    retry,
  }),
)

export const tooManyWatchers = problemKind(429, 'too-many-watchers', 'Too many clients watch', (retry: Retry) => ({
  detail: 'this replica sends events to as many clients as it may; come again later, or ask for the lock now and then',
  retry,
}))

/** Why a lease is refused that wants a lock. */
export const acquireRefusals = [
  lockHeld,
  lockConfiguredOtherwise,
  leaseEnded,
  leaseReused,
  lockQueueFull,
  tooManyLocks,
  locksInDoubt,
  draining,
] as const
