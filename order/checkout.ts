/**
 * How does a request come to its checkout, and wait for the end of it?
 *
 * A request glances at the order. If it is paid, that is the answer; if it is being checked out, the request waits for
 * that checkout; otherwise it takes RedLock on the order and its user, begins a saga, and waits. The lock is released by
 * whoever ends the saga; until then the sweep extends it, so that its TTL can be short: it is how long the customer of a
 * process that died must wait. Requests for one order that meet in this process and bear no key are one request, and those of
 * one user take turns: the lock would let only one of them through.
 *
 * Who waits is woken by the reader that applies the end, when that is in this process; else over the channel of outcomes.
 * Neither is trusted: a sweep asks for what has waited for long. At the deadline the sweep *cancels*: that script and the
 * one that ends the saga race on one key, so exactly one is the decision, and the answer is true either way. Only when
 * the own Redis cannot be reached is there no answer: `UnavailableError`, and repeating the request is safe.
 *
 * Only so many are begun at once as can end in time (see `admission.ts`); who finds no place has touched nothing but the order it
 * glanced at. Who joins another, or finds the checkout under way or the order paid, needs none.
 *
 * A request whose asker has gone begins nothing: a process that was frozen finds requests that were long since answered by
 * another replica, and a refusal must stay true.
 */
import { setTimeout as after } from 'node:timers/promises'
import { impossible, UnavailableError } from '../shared/errors.ts'
import type { RedLock } from '../shared/redlock.ts'
import type { Once } from '../shared/script.ts'
import type { Admission } from './admission.ts'
import type { Outcome } from './order.ts'
import type { Decided, Saga, Store } from './store.ts'
import { openTurns } from './turns.ts'

/** Who asks for a checkout, and whether they still wait for the answer. */
export type Asker = Once & { readonly isGone?: () => boolean }

export type Checkouts = {
  /** Checks the order out, or finds out what became of its checkout. @throws UnavailableError */
  readonly checkout: (order: string, asker: Asker) => Promise<Outcome>
  /** To be told of every saga that this process has decided: wakes who waits, and releases what was locked. */
  readonly onDecided: (decided: Decided) => void
  /** To be told of every saga that was decided anywhere. */
  readonly onOutcome: (saga: Saga) => void
  readonly start: () => void
  readonly stop: () => void
}

export type CheckoutsOptions = {
  readonly store: Store
  readonly redLock: RedLock
  readonly nextLogId: () => string
  readonly admission: Admission
  readonly deadlineMs: number
  readonly lockTtlMs: number
}

const SWEEP_MS = 100
/** Who has waited for this long asks, in case the end was missed. */
const ASK_AFTER_MS = 500
/** The longest wait for a lock between two tries; a release in this process ends it at once. */
const LOCK_RETRY_MS = 40
/**
 * How long a quorum of lock masters that does not answer is asked again. They may be well, and slow, or this process may
 * be: 1,000 checkouts at once on two cores kept the answers waiting beyond the time-out of a lock command.
 */
const QUORUM_PATIENCE_MS = 3_000
/** How long a begin whose outcome is unknown is repeated. */
const BEGIN_PATIENCE_MS = 1_200

/** Whoever needed so long for a lock may have been frozen since: then it first looks whether anybody still waits. */
const SLEPT_MS = 500
/** How long this process takes to read what came while it was frozen, the end of connections included. */
const WAKING_MS = 20

type Waiter = {
  readonly since: number
  readonly until: number
  readonly resolve: (saga: Saga) => void
  readonly reject: (error: unknown) => void
}

const outcomeOf = (saga: Saga): Outcome => {
  switch (saga.state) {
    case 'paid':
      return { state: 'paid' }
    case 'failed':
      return { state: 'refused', reason: saga.reason as 'out-of-credit', item: saga.item }
    case 'cancelling':
    case 'closed':
      return { state: 'cancelled', by: saga.reason === 'operator' ? 'operator' : 'deadline' }
    default:
      return impossible('order.saga', saga)
  }
}

/** Has a checkout ended that was begun? */
const isEnd = ({ state }: Outcome): boolean => state === 'paid' || state === 'refused' || state === 'cancelled'

export const checkouts = (options: CheckoutsOptions): Checkouts => {
  const { store, redLock, nextLogId, admission, deadlineMs, lockTtlMs } = options
  const waiters = new Map<string, Waiter[]>()
  const asked = new Set<string>()
  const turns = openTurns()
  const joined = new Map<string, { readonly outcome: Promise<Outcome>; readonly askers: Asker[] }>()
  /** The locks of the checkouts that this process began and waits for, by log id. */
  const kept = new Map<string, { resources: readonly string[]; token: string; extendAt: number }>()
  let sweeper: NodeJS.Timeout | undefined

  const lockOf = (order: string, user: string): string[] => [`order:${order}`, `user:${user}`]

  const onOutcome = (saga: Saga): void => {
    const waiting = waiters.get(saga.id)
    if (waiting === undefined) return
    waiters.delete(saga.id)
    for (const { resolve } of waiting) resolve(saga)
  }

  const onDecided = (decided: Decided): void => {
    if (decided.token !== '') void redLock.release(lockOf(decided.order, decided.user), decided.token)
    onOutcome(decided)
  }

  const endOf = (id: string, until: number): Promise<Saga> => {
    const { promise, resolve, reject } = Promise.withResolvers<Saga>()
    // It may be rejected before anybody awaits it: while the saga is still being begun.
    promise.catch(() => undefined)
    const waiter = { since: performance.now(), until, resolve, reject }
    const waiting = waiters.get(id)
    if (waiting) waiting.push(waiter)
    else waiters.set(id, [waiter])
    return promise
  }

  /** Asks for the end of a saga, or makes it at the deadline of one who waits; who is late and cannot be told is told so. */
  const ask = async (id: string): Promise<void> => {
    if (asked.has(id)) return
    asked.add(id)
    const isLate = ({ until }: Waiter): boolean => until <= performance.now()
    try {
      if (waiters.get(id)?.some(isLate)) {
        const decided = await store.cancel(id)
        // Never begun, or begun and lost by a Redis that came back older: nobody here can know.
        if (decided === undefined) throw new UnavailableError('the order service does not know this checkout')
        onDecided(decided)
      } else {
        // Whoever decided it may have lost the reply, and with it the token: release what is left of the lock.
        const saga = await store.saga(id)
        if (saga && saga.state !== 'checking-out') onDecided(saga)
      }
    } catch (error) {
      // Also those whose deadline passed meanwhile: they waited for this answer long enough.
      const { late = [], patient = [] } = Object.groupBy(waiters.get(id) ?? [], (waiter) =>
        isLate(waiter) ? 'late' : 'patient',
      )
      if (patient.length > 0) waiters.set(id, patient)
      else waiters.delete(id)
      for (const { reject } of late) reject(error)
    } finally {
      asked.delete(id)
    }
  }

  /** One that is lost belongs to somebody else by now, or to nobody: it is not asked for again. */
  const extend = async (id: string, lock: { readonly resources: readonly string[]; readonly token: string }) => {
    if ((await redLock.extend(lock, lockTtlMs)) === 'lost') kept.delete(id)
  }

  const sweep = (): void => {
    const now = performance.now()
    for (const [id, waiting] of waiters)
      if (waiting.some(({ since, until }) => until <= now || now - since > ASK_AFTER_MS)) void ask(id)
    for (const [id, lock] of kept)
      if (lock.extendAt <= now) {
        lock.extendAt = now + lockTtlMs / 3
        void extend(id, lock)
      }
  }

  /** Begins the saga; while its outcome is unknown it is begun again, under the same id. */
  const begin = async (start: Parameters<Store['begin']>[0], asker: Asker): ReturnType<Store['begin']> => {
    const patience = performance.now() + BEGIN_PATIENCE_MS
    for (;;) {
      if (asker.isGone?.())
        throw new UnavailableError('whoever asked has gone; what was not begun by now is not begun any more')
      try {
        return await store.begin(start, asker)
      } catch (error) {
        if (!(error instanceof UnavailableError) || performance.now() > patience) throw error
        await redLock.changed([], LOCK_RETRY_MS)
      }
    }
  }

  const attempt = async (order: string, asker: Asker): Promise<Outcome> => {
    const until = performance.now() + deadlineMs
    /** A checkout is also cancelled if its order proves to have been paid by an earlier one, which a Redis had forgotten. */
    const outcomeAtEnd = async (end: Promise<Saga>): Promise<Outcome> => {
      const outcome = outcomeOf(await end)
      if (outcome.state !== 'cancelled') return outcome
      return (await store.glance(order))?.status === 'paid' ? { state: 'paid' } : outcome
    }
    const ended = async (id: string): Promise<Outcome> => {
      // Registered first and asked after: the end may come in between.
      const end = endOf(id, until)
      void ask(id)
      return outcomeAtEnd(end)
    }
    /** Begins the checkout under a lock that is held, and waits for its end; `undefined` if the lock is on the wrong user. */
    const under = async (lock: readonly string[], token: string, user: string): Promise<Outcome | undefined> => {
      const now = performance.now()
      const id = nextLogId()
      const end = endOf(id, until)
      let begun = false
      try {
        const start = { log_id: id, order, user, token, patience_ms: Math.ceil(until - now) }
        const [word, known = ''] = await begin(start, asker)
        switch (word) {
          case 'begun':
          case 'checking-out':
            begun = known === id
            if (!begun) return await ended(known)
            kept.set(id, { resources: lock, token, extendAt: now + lockTtlMs / 3 })
            return await outcomeAtEnd(end)
          case 'paid':
          case 'cancelling':
          case 'empty':
          case 'unknown':
          case 'key-reused':
            return { state: word }
          case 'moved':
            return undefined
          default:
            return impossible('order.begin', word)
        }
      } finally {
        kept.delete(id)
        if (!begun) {
          waiters.delete(id)
          void redLock.release(lock, token)
        }
      }
    }
    let quorumUntil = Number.POSITIVE_INFINITY
    /** The user whose turn this request has. */
    let turn: string | undefined
    const endTurn = (): void => {
      if (turn !== undefined) turns.end(turn)
      turn = undefined
    }
    const lockAndBegin = async (user: string, askedAt: number): Promise<Outcome | undefined> => {
      const now = performance.now()
      const lock = lockOf(order, user)
      const held = await redLock.tryAcquire(lock, lockTtlMs)
      if (held.state === 'unavailable') {
        quorumUntil = Math.min(quorumUntil, now + QUORUM_PATIENCE_MS, until)
        if (performance.now() >= quorumUntil)
          throw new UnavailableError('no quorum of lock masters answers; nothing was done', { cause: held.cause })
        endTurn()
        await redLock.changed(lock, LOCK_RETRY_MS)
        return undefined
      }
      quorumUntil = Number.POSITIVE_INFINITY
      if (held.state === 'busy') {
        await redLock.changed(lock, Math.min(LOCK_RETRY_MS, until - now))
        return undefined
      }
      if (performance.now() - askedAt > SLEPT_MS) await after(WAKING_MS)
      return under(lock, held.token, user)
    }
    const tryOnce = async (): Promise<Outcome | undefined> => {
      const glance = await store.glance(order)
      if (glance === undefined) return { state: 'unknown' }
      const { user, status, saga } = glance
      // Under a key the answer may have been given before: `begin` knows.
      if (asker.idempotencyKey === undefined) {
        if (status === 'paid') return { state: 'paid' }
        if (status === 'checking-out') return ended(saga)
        if (status === 'cancelling') return { state: 'cancelling' }
      }
      if (performance.now() >= until) return { state: 'locked' }
      if (turn !== user) {
        endTurn()
        const came = await turns.take(user, until)
        if (came === 'late') return { state: 'locked' }
        if (came === 'scattered') return undefined
        turn = user // what has happened to the order meanwhile, `begin` will see
      }
      const askedAt = performance.now()
      if (status !== 'open') return lockAndBegin(user, askedAt) // it begins nothing
      if (!(await admission.enter())) return { state: 'overloaded' }
      const enteredAt = performance.now()
      let outcome: Outcome | undefined
      try {
        outcome = enteredAt < until ? await lockAndBegin(user, askedAt) : { state: 'locked' }
        return outcome
      } finally {
        admission.leave(outcome && isEnd(outcome) ? performance.now() - enteredAt : undefined)
      }
    }
    try {
      for (;;) {
        const outcome = await tryOnce()
        if (outcome !== undefined) return outcome
      }
    } catch (error) {
      if (turn !== undefined) turns.scatter(turn)
      turn = undefined
      throw error
    } finally {
      endTurn()
    }
  }

  const located = async (order: string, outcome: Promise<Outcome>): Promise<Outcome> => {
    try {
      return await outcome
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      throw new UnavailableError(`${error.message}; asking again is safe: an order is charged once`, {
        cause: error.cause,
        location: `/orders/find/${order}`,
      })
    }
  }

  return {
    checkout: (order, asker) => {
      if (asker.idempotencyKey !== undefined) return located(order, attempt(order, asker))
      const known = joined.get(order)
      if (known) {
        known.askers.push(asker)
        return known.outcome
      }
      const askers = [asker]
      const all: Asker = { ...asker, isGone: () => askers.every((one) => one.isGone?.() === true) }
      const outcome = located(order, attempt(order, all)).finally(() => joined.delete(order))
      joined.set(order, { outcome, askers })
      return outcome
    },
    onDecided,
    onOutcome,
    start: () => {
      sweeper = setInterval(sweep, SWEEP_MS)
    },
    stop: () => clearInterval(sweeper),
  }
}
