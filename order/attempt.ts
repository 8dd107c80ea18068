/**
 * How does one request come to its checkout?
 *
 * It waits a moment for company, if there is any (`company.ts`), and glances at the order. If that is paid, this is the
 * answer; if it is being checked out, the request waits for that checkout; otherwise it goes through three gates, each of
 * which may send it back to glance again, as long as its deadline is ahead, and begins a saga behind the last:
 *
 * - its *turn* among the requests of this process for the same user: the lock would let only one of them through;
 * - a *place* (see `admission.ts`): only so many are begun at once as can end in time. Who finds none has touched nothing but
 *   the order it glanced at. Who joins another, or finds the checkout under way or the order paid, needs none;
 * - the *lock* on the order and its user.
 *
 * A request whose asker has gone begins nothing: a process that was frozen finds requests that were long since answered by
 * another replica, and a refusal must stay true.
 */
import { setTimeout as after } from 'node:timers/promises'
import { impossible, UnavailableError } from '../shared/errors.ts'
import type { Once } from '../shared/script.ts'
import type { Admission } from './admission.ts'
import type { Company } from './company.ts'
import type { Ends } from './ends.ts'
import type { Locks } from './locks.ts'
import type { Outcome } from './order.ts'
import type { Saga, Store } from './store.ts'
import { openTurns } from './turns.ts'

/** Who asks for a checkout, and whether they still wait for the answer. */
export type Asker = Once & { readonly isGone?: () => boolean }

export type AttemptOptions = {
  readonly store: Pick<Store, 'glance' | 'begin'>
  readonly orderLocks: Locks
  readonly ends: Pick<Ends, 'wait' | 'forget' | 'ask'>
  readonly admission: Admission
  readonly company: Company
  readonly nextLogId: () => string
  readonly deadlineMs: number
}

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

type Attempt = {
  readonly order: string
  readonly asker: Asker
  /** The deadline, of `performance.now()`. */
  readonly until: number
  /** Until when a quorum is asked again that does not answer. */
  quorumUntil: number
  /** The user whose turn this request has. */
  turn: string | undefined
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

/** Checks the order out, or finds out what became of its checkout. The function that is returned throws UnavailableError. */
export const attempts = (options: AttemptOptions): ((order: string, asker: Asker) => Promise<Outcome>) => {
  const { store, orderLocks, ends, admission, company, nextLogId, deadlineMs } = options
  const turns = openTurns()

  /** A checkout is also cancelled if its order proves to have been paid by an earlier one, which a Redis had forgotten. */
  const outcomeAt = async (end: Promise<Saga>, { order }: Attempt): Promise<Outcome> => {
    const outcome = outcomeOf(await end)
    if (outcome.state !== 'cancelled') return outcome
    return (await store.glance(order))?.status === 'paid' ? { state: 'paid' } : outcome
  }

  /** Waits for a checkout that another request began. */
  const join = (id: string, attempt: Attempt): Promise<Outcome> => {
    // Registered first and asked after: the end may come in between.
    const end = ends.wait(id, attempt.until)
    void ends.ask(id)
    return outcomeAt(end, attempt)
  }

  /** Begins the saga; while its outcome is unknown it is begun again, under the same id. */
  const begin = async (id: string, user: string, token: string, attempt: Attempt): ReturnType<Store['begin']> => {
    const { order, asker, until } = attempt
    const startedAt = performance.now()
    const start = { log_id: id, order, user, token, patience_ms: Math.ceil(until - startedAt) }
    for (;;) {
      if (asker.isGone?.())
        throw new UnavailableError('whoever asked has gone; what was not begun by now is not begun any more')
      try {
        return await store.begin(start, asker)
      } catch (error) {
        if (!(error instanceof UnavailableError) || performance.now() > startedAt + BEGIN_PATIENCE_MS) throw error
        await orderLocks.changed(order, user, LOCK_RETRY_MS)
      }
    }
  }

  /** Begins the checkout under a lock that is held, and waits for its end; `undefined` if the lock is on the wrong user. */
  const checkOut = async (user: string, token: string, attempt: Attempt): Promise<Outcome | undefined> => {
    const { order, until } = attempt
    const lockedAt = performance.now()
    const id = nextLogId()
    const end = ends.wait(id, until)
    let begun = false
    try {
      const [word, known = ''] = await begin(id, user, token, attempt)
      switch (word) {
        case 'begun':
        case 'checking-out':
          begun = known === id
          if (!begun) return await join(known, attempt)
          orderLocks.keep(id, order, user, token, lockedAt)
          return await outcomeAt(end, attempt)
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
      orderLocks.letGo(id)
      if (!begun) {
        ends.forget(id)
        orderLocks.release(order, user, token)
      }
    }
  }

  const endTurn = (attempt: Attempt): void => {
    if (attempt.turn !== undefined) turns.end(attempt.turn)
    attempt.turn = undefined
  }

  /** Checks out under the lock; `undefined` if it was not to be had this time. */
  const lockAndCheckOut = async (user: string, askedAt: number, attempt: Attempt): Promise<Outcome | undefined> => {
    const { order, until } = attempt
    const now = performance.now()
    const held = await orderLocks.tryAcquire(order, user)
    if (held.state === 'unavailable') {
      attempt.quorumUntil = Math.min(attempt.quorumUntil, now + QUORUM_PATIENCE_MS, until)
      if (performance.now() >= attempt.quorumUntil)
        throw new UnavailableError('no quorum of lock masters answers; nothing was done', { cause: held.cause })
      endTurn(attempt)
      await orderLocks.changed(order, user, LOCK_RETRY_MS)
      return undefined
    }
    attempt.quorumUntil = Number.POSITIVE_INFINITY
    if (held.state === 'busy') {
      await orderLocks.changed(order, user, Math.min(LOCK_RETRY_MS, until - now))
      return undefined
    }
    if (performance.now() - askedAt > SLEPT_MS) await after(WAKING_MS)
    return checkOut(user, held.token, attempt)
  }

  /** The same in a place of its own. */
  const enterAndCheckOut = async (user: string, askedAt: number, attempt: Attempt): Promise<Outcome | undefined> => {
    if (!(await admission.enter())) return { state: 'overloaded' }
    const enteredAt = performance.now()
    let outcome: Outcome | undefined
    try {
      outcome = enteredAt < attempt.until ? await lockAndCheckOut(user, askedAt, attempt) : { state: 'locked' }
      return outcome
    } finally {
      admission.leave(outcome && isEnd(outcome) ? performance.now() - enteredAt : undefined)
    }
  }

  const tryOnce = async (attempt: Attempt): Promise<Outcome | undefined> => {
    const { order, asker, until } = attempt
    const glance = await store.glance(order)
    if (glance === undefined) return { state: 'unknown' }
    const { user, status, saga } = glance
    // Under a key the answer may have been given before: `begin` knows.
    if (asker.idempotencyKey === undefined) {
      if (status === 'paid') return { state: 'paid' }
      if (status === 'checking-out') return join(saga, attempt)
      if (status === 'cancelling') return { state: 'cancelling' }
    }
    if (performance.now() >= until) return { state: 'locked' }
    if (attempt.turn !== user) {
      endTurn(attempt)
      const came = await turns.take(user, until)
      if (came === 'late') return { state: 'locked' }
      if (came === 'scattered') return undefined
      attempt.turn = user // what has happened to the order meanwhile, `begin` will see
    }
    const askedAt = performance.now()
    // One that is not open begins nothing, so it needs no place.
    return status === 'open' ? enterAndCheckOut(user, askedAt, attempt) : lockAndCheckOut(user, askedAt, attempt)
  }

  return async (order, asker) => {
    const until = performance.now() + deadlineMs
    const attempt: Attempt = { order, asker, until, quorumUntil: Number.POSITIVE_INFINITY, turn: undefined }
    const departure = company.join()
    try {
      if (departure !== undefined) await departure
      for (;;) {
        const outcome = await tryOnce(attempt)
        if (outcome !== undefined) return outcome
      }
    } catch (error) {
      if (attempt.turn !== undefined) turns.scatter(attempt.turn)
      attempt.turn = undefined
      throw error
    } finally {
      company.over()
      endTurn(attempt)
    }
  }
}
