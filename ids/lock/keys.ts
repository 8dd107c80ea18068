/** Which keys do the commands of locks use, what bounds them, and how is a lease named among those of all locks? */
import { field, type RawEntry } from '../../shared/contract/raw-entry.ts'

/** The folder of the commands, and the names of the keys that they use. */
export const lockCommands = new URL('lua/', import.meta.url)
export const lockNames = {
  lock: 'lock-record:',
  lock_ends: 'lock-ends:',
  lock_queue: 'lock-queue:',
  lock_lease: 'lock-lease:',
  locks: 'locks',
  locks_due: 'locks:due',
  locks_free: 'locks:free',
  locks_state: 'locks:state',
} as const

/**
 * What clients do to their leases all the time: whichever of these are wanted at one moment are one script. They take Redis longer
 * than most commands do, so that ids would have little to do meanwhile if they were all in one group.
 */
export const lockTogether = {
  commands: ['acquire-lock', 'release-lease', 'renew-lease', 'ask-lease'],
  besideFrom: 12,
  halfFrom: 32,
} as const

/** The limits of locks, in the words of their commands; those of requests are in `api.ts`. */
export const lockLimits = {
  lock_holders: 256,
  lock_waiters: 256,
  locks_max: 100_000,
  /** How many idle ones are forgotten at once to make room for others. */
  locks_forgotten: 32,
  /** How long it is remembered how a lease ended, and that one was cancelled that was never heard of. */
  lock_ended_ms: 600_000,
  lock_unseen_ms: 60_000,
  /** How long one that was promoted may remain unclaimed, and one that waits unattended. */
  lock_unclaimed_ms: 5_000,
  lock_unattended_ms: 10_000,
  /** For how long nothing is granted at least by a Redis that came back older: another replica may know of more. */
  lock_older_ms: 2_000,
  /** After how long an idle lock is forgotten. */
  lock_idle_ms: 60_000,
  /** When the token was 0. */
  first_token_ms: Date.UTC(2026, 0),
}
export type LockLimits = typeof lockLimits

/** How a lease of a lock is named where leases of all locks are. */
export const leaseKey = (name: string, lease: string): string => `${encodeURIComponent(name)}/${lease}`

/** The lease that an entry is about, likewise. */
export const keyIn = (entry: RawEntry): string => `${field(entry, 'lock')}/${field(entry, 'log_id')}`

/** The same of one that grants it or ends its wait. */
export const wokenBy = (entry: RawEntry): string | undefined => {
  const [, [kind]] = entry
  return kind === 'LockGranted' || kind === 'LockWaitEnded' ? keyIn(entry) : undefined
}
