/**
 * What do the verbs do to a lock?
 *
 * Each as a pure function of the lock, what is asked and the time: slow, and plain. It is what the commands must do (a test holds
 * them against it), and the shortest way to read what they do. A lock is settled first: what time has ended ends, and those at
 * the head of the queue hold that fit.
 */
import type { End, Mode, Wish } from '../../ids/lock/lease.ts'

export type ModelLease = {
  readonly id: string
  readonly wish: Wish
  readonly mode: Mode
  readonly priority: number
  readonly ttlMs: number
  readonly delayMs: number
  /** By this it stands behind those of the same priority that came before. */
  readonly arrival: number
  /** When its wait is over; infinite if it waits for as long as somebody asks. */
  readonly until: number
  /** When time ends it. */
  readonly ends: number
  readonly expires: number
  readonly token: number
  readonly isClaimed: boolean
}

export type ModelLock = {
  readonly token: number
  readonly holders: readonly ModelLease[]
  /** In their order. */
  readonly waiters: readonly ModelLease[]
  readonly ended: ReadonlyMap<
    string,
    { readonly wish: Wish | undefined; readonly end: End; readonly promoted: boolean }
  >
  readonly arrivals: number
  readonly delayed: number
  readonly limit: number | undefined
  readonly configured: Configured
}
type Configured = {
  readonly limit: number | undefined
  readonly write: 'exclusive' | 'shared' | undefined
  readonly delayMs: number
}

/** What is answered: a word, and what belongs to it. */
export type ModelAnswer = { readonly state: string } & Readonly<Record<string, unknown>>
export type Done = readonly [ModelLock, ModelAnswer]

export type ModelLimits = { readonly unclaimedMs: number; readonly unattendedMs: number }

export const FREE: ModelLock = {
  token: 0,
  holders: [],
  waiters: [],
  ended: new Map(),
  arrivals: 0,
  delayed: 0,
  limit: undefined,
  configured: { limit: undefined, write: undefined, delayMs: 0 },
}

const without = (leases: readonly ModelLease[], id: string): readonly ModelLease[] =>
  leases.filter((lease) => lease.id !== id)
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)
const isSame = (a: Wish, b: Wish): boolean =>
  JSON.stringify({ ...a, waitMs: 0 }) === JSON.stringify({ ...b, waitMs: 0 })

const fits = ({ holders, limit }: ModelLock, { mode, permits }: { mode: Mode; permits: number }): boolean => {
  if (holders.length === 0) return true
  if (mode === 'exclusive' || holders.some((holder) => holder.mode !== mode)) return false
  return mode !== 'permit' || sum(holders.map(({ wish }) => wish.permits)) + permits <= (limit ?? 0)
}

/** A lock that nobody holds or waits for with permits has only the limit that is configured. */
const rested = (lock: ModelLock): ModelLock => {
  const all = [...lock.holders, ...lock.waiters]
  return {
    ...lock,
    limit: all.some(({ mode }) => mode === 'permit') ? lock.limit : lock.configured.limit,
    arrivals: all.length > 0 ? lock.arrivals : 0,
  }
}

export const openModel = ({ unclaimedMs, unattendedMs }: ModelLimits) => {
  const grant = (lock: ModelLock, lease: ModelLease, now: number, isClaimed: boolean): ModelLock => {
    const expires = now + lease.ttlMs
    const ends = isClaimed ? expires : Math.min(expires, now + unclaimedMs)
    const held = { ...lease, token: lock.token + 1, expires, ends, isClaimed }
    return {
      ...lock,
      token: held.token,
      holders: [...lock.holders, held],
      waiters: without(lock.waiters, lease.id),
      limit: lease.mode === 'permit' ? (lock.limit ?? lease.wish.limit) : lock.limit,
    }
  }
  const promote = (lock: ModelLock, now: number): ModelLock => {
    const [first] = lock.waiters
    if (first === undefined || lock.delayed > now) return lock
    if (!fits(lock, { mode: first.mode, permits: first.wish.permits })) return lock
    return promote(grant(lock, first, now, false), now)
  }
  const end = (lock: ModelLock, lease: ModelLease, why: End, now: number): ModelLock => {
    const { delayMs } = lease
    const since = why === 'expired' ? lease.expires : now
    const isDelayed = lease.token > 0 && delayMs > 0 && (why === 'expired' || why === 'forced')
    return {
      ...lock,
      holders: without(lock.holders, lease.id),
      waiters: without(lock.waiters, lease.id),
      ended: new Map(lock.ended).set(lease.id, { wish: lease.wish, end: why, promoted: false }),
      delayed: isDelayed ? Math.max(lock.delayed, since + delayMs) : lock.delayed,
    }
  }
  const settle = (lock: ModelLock, now: number): ModelLock => {
    let settled = lock
    for (const lease of lock.holders.filter(({ ends }) => ends <= now))
      settled = end(settled, lease, lease.isClaimed ? 'expired' : 'unclaimed', now)
    for (const lease of lock.waiters.filter(({ ends }) => ends <= now))
      settled = end(settled, lease, lease.until <= now ? 'timed-out' : 'unclaimed', now)
    return rested(promote(settled, now))
  }

  const place = (lock: ModelLock, lease: ModelLease): ModelLock => ({
    ...lock,
    waiters: [...without(lock.waiters, lease.id), lease].toSorted(
      (a, b) => b.priority - a.priority || a.arrival - b.arrival,
    ),
  })
  const attended = (lease: ModelLease, now: number): ModelLease => ({
    ...lease,
    ends: Math.min(lease.until, now + unattendedMs),
  })
  const held = ({ token, mode, wish }: ModelLease, isNew: boolean): ModelAnswer => ({
    state: 'held',
    isNew,
    token,
    mode,
    permits: wish.permits,
  })
  const waiting = ({ waiters, holders }: ModelLock, id: string): ModelAnswer => {
    const before = waiters.findIndex((waiter) => waiter.id === id)
    const { mode, wish } = waiters[before] ?? {}
    return { state: 'waiting', mode, permits: wish?.permits, position: before + 1, ahead: before + holders.length }
  }

  /** How a lease stands that has not ended: so its client is known to be there. */
  const found = (lock: ModelLock, id: string, now: number): Done | undefined => {
    const holder = lock.holders.find((one) => one.id === id)
    if (holder !== undefined) {
      const claimed = holder.isClaimed ? holder : { ...holder, isClaimed: true, ends: holder.expires }
      const holders = lock.holders.map((one) => (one.id === id ? claimed : one))
      return [{ ...lock, holders }, held(holder, false)]
    }
    const waiter = lock.waiters.find((one) => one.id === id)
    if (waiter === undefined) return undefined
    const asked = place(lock, attended(waiter, now))
    return [asked, waiting(asked, id)]
  }
  const over = (lock: ModelLock, id: string): ModelAnswer | undefined => {
    const known = lock.ended.get(id)
    return known && { state: 'ended', ended: known.end, promoted: known.promoted }
  }

  const refusalBy = ({ limit, configured }: ModelLock, wish: Wish): ModelAnswer | undefined => {
    const { write } = configured
    const { mode, permits } = wish
    if (mode === 'exclusive' && write === 'shared') return { state: 'configured', what: 'write', as: write }
    if (mode === 'write-shared' && write === 'exclusive') return { state: 'configured', what: 'write', as: write }
    if (mode !== 'permit') return undefined
    if (wish.limit !== undefined && limit !== undefined && wish.limit !== limit)
      return { state: 'configured', what: 'limit', as: String(limit) }
    const most = limit ?? wish.limit
    if (most === undefined) return { state: 'unlimited' }
    return permits > most ? { state: 'over-limit', limit: most } : undefined
  }

  /** It is refused now: until the first that holds ends, or the lock is delayed no longer. */
  const locked = ({ holders, waiters, delayed }: ModelLock, now: number): ModelAnswer => ({
    state: 'locked',
    why: holders.length === 0 && delayed > now ? 'delayed' : 'held',
    restMs: holders.length > 0 ? Math.min(...holders.map(({ ends }) => ends)) - now : Math.max(0, delayed - now),
    waiting: waiters.length,
  })

  const acquire = (before: ModelLock, id: string, wish: Wish, now: number): Done => {
    const lock = settle(before, now)
    const asked = [...lock.holders, ...lock.waiters].find((one) => one.id === id)?.wish
    const known = asked ?? lock.ended.get(id)?.wish
    if (known !== undefined && !isSame(known, wish)) return [lock, { state: 'reused' }]
    const ended = over(lock, id)
    const { mode, priority, ttlMs, waitMs, queue } = wish
    const isOvertaking = lock.waiters.some((waiter) => waiter.priority >= priority)
    const isToBeHad = lock.delayed <= now && fits(lock, wish) && !isOvertaking
    if (ended !== undefined) return [lock, ended.ended === 'timed-out' && !isToBeHad ? locked(lock, now) : ended]
    const again = found(lock, id, now)
    if (again !== undefined) return again
    const refusal = refusalBy(lock, wish)
    if (refusal !== undefined) return [lock, refusal]
    const lease: ModelLease = {
      ...{ id, wish, mode, priority, ttlMs, delayMs: wish.delayMs ?? lock.configured.delayMs },
      ...{ arrival: lock.arrivals + 1, until: queue ? Number.POSITIVE_INFINITY : now + waitMs, ends: 0, expires: 0 },
      ...{ token: 0, isClaimed: false },
    }
    if (isToBeHad) {
      const granted = grant(lock, lease, now, true)
      return [granted, held({ ...lease, token: granted.token }, true)]
    }
    if (waitMs === 0 && !queue) return [lock, locked(lock, now)]
    const limit = mode === 'permit' ? (lock.limit ?? wish.limit) : lock.limit
    const queued = place({ ...lock, limit, arrivals: lock.arrivals + 1 }, attended(lease, now))
    return [queued, waiting(queued, id)]
  }

  const ask = (before: ModelLock, id: string, now: number): Done => {
    const lock = settle(before, now)
    return found(lock, id, now) ?? [lock, over(lock, id) ?? { state: 'unknown' }]
  }

  const renew = (
    before: ModelLock,
    id: string,
    change: {
      readonly ttlMs?: number | undefined
      readonly priority?: number | undefined
      readonly mode?: 'read' | undefined
    },
    now: number,
  ): Done => {
    const lock = settle(before, now)
    const lease = [...lock.holders, ...lock.waiters].find((one) => one.id === id)
    if (lease === undefined) return [lock, over(lock, id) ?? { state: 'unknown' }]
    const isWaiting = lock.waiters.includes(lease)
    const { ttlMs = lease.ttlMs, priority = lease.priority, mode = lease.mode } = change
    const canStepDown = !isWaiting && (lease.mode === 'exclusive' || lease.mode === change.mode)
    if (change.mode !== undefined && !canStepDown) return [lock, { state: 'not-exclusive' }]
    if (isWaiting) {
      const placed = promote(place(lock, attended({ ...lease, ttlMs, priority }, now)), now)
      return found(placed, id, now) ?? [placed, { state: 'impossible' }]
    }
    const renewed = { ...lease, ttlMs, priority, mode, expires: now + ttlMs, ends: now + ttlMs, isClaimed: true }
    const holders = lock.holders.map((one) => (one.id === id ? renewed : one))
    return [promote({ ...lock, holders }, now), held(renewed, false)]
  }

  const release = (before: ModelLock, id: string, now: number): Done => {
    const lock = settle(before, now)
    const lease = [...lock.holders, ...lock.waiters].find((one) => one.id === id)
    if (lease === undefined) {
      const known = over(lock, id)
      if (known !== undefined) return [lock, known]
      const ended = new Map(lock.ended).set(id, { wish: undefined, end: 'cancelled' as const, promoted: false })
      return [
        { ...lock, ended },
        { state: 'ended', ended: 'cancelled', promoted: false },
      ]
    }
    const why = lock.waiters.includes(lease) ? 'cancelled' : 'released'
    const after = promote(end(lock, lease, why, now), now)
    const promoted = after.token > lock.token
    const ended = new Map(after.ended).set(id, { wish: lease.wish, end: why, promoted })
    return [rested({ ...after, ended }), { state: 'ended', ended: why, promoted }]
  }

  const force = (before: ModelLock, token: number | undefined, hasWaiters: boolean, now: number): Done => {
    const lock = settle(before, now)
    const forced = lock.holders.filter((holder) => token === undefined || holder.token === token)
    if (token !== undefined && forced.length === 0) return [lock, { state: 'ended', newest: lock.token }]
    const dropped = hasWaiters ? lock.waiters : []
    let after = lock
    for (const lease of [...forced, ...dropped]) after = end(after, lease, 'forced', now)
    const promoted = promote(after, now)
    const tokens = forced.map((lease) => lease.token).toSorted((a, b) => a - b)
    return [
      rested(promoted),
      { state: 'forced', tokens, promoted: promoted.token - after.token, dropped: dropped.length },
    ]
  }

  const configure = (before: ModelLock, wanted: Configured, now: number): Done => {
    const lock = settle(before, now)
    const { limit, write } = wanted
    const isIdle = lock.holders.length + lock.waiters.length === 0
    const isSameUse = limit === lock.configured.limit && write === lock.configured.write
    if (!isSameUse && !isIdle && (limit !== lock.limit || write !== lock.configured.write))
      return [lock, { state: 'in-use' }]
    const { configured } = lock
    const isChanged = !isSameUse || wanted.delayMs !== configured.delayMs
    const isNew =
      isChanged && configured.limit === undefined && configured.write === undefined && configured.delayMs === 0
    return [isChanged ? rested({ ...lock, configured: wanted }) : lock, { state: 'configured', isNew }]
  }

  return { acquire, ask, renew, release, force, configure, settle }
}
