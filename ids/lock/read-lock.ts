/** How is a lock read that a command shows? See `lua/shown-lock.lua`. */
import { field, kindOf, type RawEntry } from '../../shared/contract/raw-entry.ts'
import { impossible } from '../../shared/errors.ts'
import { type Metadata, MODES, type Mode } from './lease.ts'

export type Holder = {
  readonly owner: string | null
  readonly mode: Mode
  readonly permits: number
  readonly token: number
  readonly acquiredAtMs: number
  readonly expiresInMs: number
  readonly metadata: Metadata
}
export type Waiter = {
  readonly owner: string | null
  readonly mode: Mode
  readonly permits: number
  readonly priority: number
  readonly sinceMs: number
  readonly metadata: Metadata
}

/** What has become of a lock, by the words that clients are told. */
export type Happened = {
  /** The entry that says so. */
  readonly id: string
  readonly event: string
  readonly atMs: number
  readonly token: number | null
  readonly owner: string | null
  readonly mode: Mode | null
  readonly why: string | null
  /** Until when nobody gets the lock by that; `null` if somebody may at once. */
  readonly delayedUntilMs: number | null
}

export type Lock = {
  readonly name: string
  readonly mode: Mode | null
  /** Of permits in effect. */
  readonly limit: number | null
  readonly write: 'exclusive' | 'shared' | null
  readonly delayMs: number
  /** When it was configured first; `null` if it never was. */
  readonly madeAtMs: number | null
  /** For how long nobody gets it. */
  readonly delayedForMs: number
  readonly holders: readonly Holder[]
  readonly waiterCount: number
  /** In their order; none, if they were not asked for. */
  readonly waiters: readonly Waiter[]
  readonly token: number
  readonly history: readonly Happened[]
}

/** Why each kind of entry is told: by which word. */
const EVENTS: Readonly<Record<string, string>> = {
  LockGranted: 'granted',
  LockRenewed: 'renewed',
  LockReleased: 'released',
  LockExpired: 'expired',
  LockForced: 'forced',
  LockQueued: 'waiting',
  LockWaitEnded: 'cancelled',
  LockConfigured: 'configured',
}

const modeOf = (text = ''): Mode | null => MODES.find((mode) => mode === text) ?? null
export const ownerOf = (text: string | undefined): string | null => (text ? decodeURIComponent(text) : null)

/** What an entry tells of a lock; `undefined` if it is about none. */
export const happened = (entry: RawEntry): Happened | undefined => {
  const event = EVENTS[kindOf(entry) ?? '']
  if (event === undefined) return undefined
  const token = Number(field(entry, 'token') ?? '0')
  const delayed = field(entry, 'delayed')
  return {
    id: entry[0],
    event,
    atMs: Number(entry[0].split('-')[0]),
    token: token === 0 ? null : token,
    owner: ownerOf(field(entry, 'owner')),
    mode: modeOf(field(entry, 'mode')),
    why: field(entry, 'why') ?? null,
    delayedUntilMs: delayed === undefined ? null : Number(delayed),
  }
}

const listOf = (reply: unknown): readonly unknown[] => (Array.isArray(reply) ? reply : impossible('locks.list', reply))
const textsOf = (reply: unknown): readonly string[] =>
  listOf(reply).map((one) => (typeof one === 'string' ? one : impossible('locks.text', reply)))
const known = (mode: string | undefined): Mode => modeOf(mode) ?? impossible('locks.mode', mode)
const numberOf = (text = ''): number | null => (text === '' ? null : Number(text))

const entryIn = (reply: unknown): readonly Happened[] => {
  if (reply == null) return [] // it was trimmed
  const [id, fields] = listOf(reply)
  const entry: RawEntry = [typeof id === 'string' ? id : impossible('locks.entry', reply), textsOf(fields)]
  const told = happened(entry)
  return told ? [told] : []
}

const writeOf = (text = ''): Lock['write'] => (text === 'exclusive' || text === 'shared' ? text : null)

/** @throws if it has another form */
export const readLock = (reply: unknown): Lock => {
  const [of, holders, waiters, history] = listOf(reply)
  const [name = '', mode, limit, write, delay, delayed, waiting, token, now, made] = textsOf(of)
  return {
    name: decodeURIComponent(name),
    mode: modeOf(mode),
    limit: numberOf(limit),
    write: writeOf(write),
    delayMs: Number(delay),
    madeAtMs: numberOf(made),
    delayedForMs: Math.max(0, Number(delayed) - Number(now)),
    holders: listOf(holders).map((one) => {
      const [owner, held, permits, metadata = '{}', given, acquired, expires] = textsOf(one)
      return {
        owner: ownerOf(owner),
        mode: known(held),
        permits: Number(permits),
        token: Number(given),
        acquiredAtMs: Number(acquired),
        expiresInMs: Number(expires) - Number(now),
        metadata: JSON.parse(metadata) as Metadata,
      }
    }),
    waiterCount: Number(waiting),
    waiters: listOf(waiters).map((one) => {
      const [owner, wanted, permits, metadata = '{}', priority, since] = textsOf(one)
      return {
        owner: ownerOf(owner),
        mode: known(wanted),
        permits: Number(permits),
        priority: Number(priority),
        sinceMs: Number(since),
        metadata: JSON.parse(metadata) as Metadata,
      }
    }),
    token: Number(token),
    history: listOf(history).flatMap(entryIn),
  }
}
