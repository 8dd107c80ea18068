/** What can be done with locks, and what comes of it? */
import type { Once } from '../../shared/redis/script.ts'
import type { Known } from './knowledge.ts'
import type { Ended, Held, Metadata, Waiting, Wish } from './lease.ts'
import type { Lock } from './read-lock.ts'

type Result<State extends string, More = unknown> = { readonly state: State } & More

/** Nothing is granted for so long, because this Redis came back older. */
export type Barred = Result<'barred', { readonly restMs: number }>
/** Never heard of, or forgotten. */
export type Unknown = Result<'unknown'>
/** Somebody has it, or it is delayed; something may change in `restMs`. */
export type Locked = Result<
  'locked',
  { readonly why: 'held' | 'delayed'; readonly restMs: number; readonly waiting: number }
>
/** Why a lease is refused that asks for a lock. */
export type Refused =
  | Locked
  | Barred
  | Result<'reused'>
  | Result<'configured', { readonly what: string; readonly as: string }>
  | Result<'unlimited'>
  | Result<'over-limit', { readonly limit: number }>
  | Result<'full', { readonly restMs: number }>
  | Result<'too-many'>
  | Result<'key-reused'>
export type Acquired = Held | Waiting | Ended | Refused
export type Asked = Held | Waiting | Ended | Unknown
export type Renewed = Asked | Result<'not-exclusive'> | Result<'key-reused'>
export type Forced =
  | Result<
      'forced',
      { readonly tokens: readonly number[]; readonly promoted: readonly number[]; readonly dropped: number }
    >
  | Result<'ended', { readonly newest: number }>
  | Result<'key-reused'>

/** What may be changed of a lease; what is `undefined` stays. */
export type Change = {
  readonly ttlMs?: number | undefined
  readonly metadata?: Metadata | undefined
  readonly priority?: number | undefined
  readonly mode?: 'read' | undefined
}

export type Configuration = {
  readonly limit: number | undefined
  readonly write: 'exclusive' | 'shared' | undefined
  readonly delayMs: number
}

export type Counts = {
  readonly locks: number
  readonly inUse: number
  /** For how long nothing is granted, and what is known to be forgotten. */
  readonly barredForMs: number
  readonly lost: readonly Omit<Known, 'lease'>[]
}

/** Under whose name a verb is done that may be repeated without a key. */
export const inNameOf = ({ doneBy }: Pick<Once, 'doneBy'>): Once => ({
  idempotencyKey: undefined,
  fingerprint: '',
  doneBy,
})

/** The verbs. Names are as clients say them. Each throws UnavailableError. */
export type Verbs = {
  /** The same request again finds what became of it. */
  readonly acquire: (name: string, lease: string, wish: Wish, once?: Once) => Promise<Acquired>
  /** How a lease stands: one that waits keeps its place by this, one that was promoted is claimed. */
  readonly ask: (name: string, lease: string) => Promise<Asked>
  readonly renew: (name: string, lease: string, change: Change, once?: Once) => Promise<Renewed>
  readonly release: (name: string, lease: string, once?: Once) => Promise<Ended | Result<'key-reused'>>
  /** Keeps the places of waiting leases, each as `leaseKey` names it. @returns those that wait no longer */
  readonly attend: (keys: readonly string[]) => Promise<readonly string[]>
  readonly force: (
    name: string,
    which: { readonly token: number | undefined; readonly waiters: boolean },
    once?: Once,
  ) => Promise<Forced>
  readonly configure: (
    name: string,
    wanted: Configuration,
    logId: string,
    once?: Once,
  ) => Promise<Result<'configured', { readonly isNew: boolean }> | Result<'in-use'> | Result<'too-many'>>
  readonly show: (name: string, waiters: boolean) => Promise<Lock>
  /** A page of all locks, by name. */
  readonly list: (after: string, count: number, waiters: boolean) => Promise<readonly Lock[]>
  /** Does the lease with this token still hold? */
  readonly checkToken: (
    name: string,
    token: number,
  ) => Promise<
    | Result<'holds', { readonly mode: string; readonly owner: string | null; readonly expiresInMs: number }>
    | Result<'ended', { readonly newest: number }>
  >
  readonly count: () => Promise<Counts>
  /** Does what is due by time. @returns in how many ms something is due; `undefined` if nothing is */
  readonly tick: () => Promise<number | undefined>
}
