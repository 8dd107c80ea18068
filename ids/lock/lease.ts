/**
 * What is a lease on a lock: how may it hold, how does it stand, and how has it ended?
 *
 * Times are as of the answer's making, so that a client may count from before it asked.
 */
export const MODES = ['exclusive', 'read', 'write-shared', 'permit'] as const
export type Mode = (typeof MODES)[number]

/**
 * Why a lease ended: `cancelled` its client no longer waits, `unclaimed` nobody asked for it in time, `timed-out` its wait was
 * over.
 */
export const ENDS = ['released', 'expired', 'forced', 'cancelled', 'unclaimed', 'timed-out'] as const
export type End = (typeof ENDS)[number]

/** What a client puts beside a lease, for others to see. */
export type Metadata = Readonly<Record<string, string>>

/** What all leases have that have not ended. */
type Lease = {
  /** Its id. */
  readonly lease: string
  readonly mode: Mode
  readonly permits: number
  readonly owner: string | null
  readonly metadata: Metadata
}

export type Held = Lease & {
  readonly state: 'held'
  /** By this very request. */
  readonly isNew: boolean
  readonly token: number
  readonly ttlMs: number
  readonly expiresInMs: number
  readonly acquiredAtMs: number
}

export type Waiting = Lease & {
  readonly state: 'waiting'
  readonly priority: number
  /** 1 is the next. */
  readonly position: number
  /** How many hold or wait before it. */
  readonly ahead: number
  /** `undefined` while it is not known how long leases are held. */
  readonly estimatedWaitMs: number | undefined
  /** When its wait is over; `undefined` if it waits for as long as somebody asks for it. */
  readonly leftMs: number | undefined
}

export type Ended = {
  readonly state: 'ended'
  readonly ended: End
  readonly atMs: number
  /** Has a waiter got the lock by that? */
  readonly promoted: boolean
}

/** How a client wants to hold. */
export type Wish = {
  readonly mode: Mode
  readonly ttlMs: number
  /** For how long it waits in all. */
  readonly waitMs: number
  /** Does it keep its place for as long as somebody asks for it? */
  readonly queue: boolean
  readonly priority: number
  readonly permits: number
  readonly limit: number | undefined
  readonly owner: string | undefined
  readonly metadata: Metadata
  /** For how long nobody gets the lock after this lease has expired or was forced; `undefined`: as the lock is configured. */
  readonly delayMs: number | undefined
  /** Its lease has the name of who holds, and may hold again once it has ended: see `lua/acquire-lock.lua`. */
  readonly comesAgain: boolean
}

/** To hold alone for half a minute, at once or not at all. */
export const PLAIN: Wish = {
  mode: 'exclusive',
  ttlMs: 30_000,
  waitMs: 0,
  queue: false,
  priority: 0,
  permits: 1,
  limit: undefined,
  owner: undefined,
  metadata: {},
  delayMs: undefined,
  comesAgain: false,
}
