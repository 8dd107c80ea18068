/**
 * How does one request come to its checkout?
 *
 * It lingers a moment, if others are under way (`linger.ts`), looks what was answered under its key, if it has one, and
 * reads the order. If that is paid or empty, this is the answer; if it is being checked out, or has been since the request
 * came, that checkout's end is; otherwise the request goes through three gates, each of which may send it back to read
 * again, as long as its deadline is ahead, and begins a saga behind the last:
 *
 * - its *turn* among the requests of this process for the same user: the lock would let only one of them through;
 * - a *slot* (see `admission.ts`): only so many are begun at once as can end in time. One that finds none has touched nothing,
 *   only read the order. One that joins another, or finds the checkout under way or the order paid, needs none;
 * - the *lock* on the order and its user.
 *
 * Before a request is answered that nothing was done, it reads once more: another may have been asked the same and have done it.
 *
 * A request whose client has gone begins nothing, nor does one that read too long ago, or what is no longer so
 * (`shared/log/fence.ts`): it may have been answered by another replica, and a refusal must stay true.
 */
import { impossible, UnavailableError, unreachable } from '../../shared/errors.ts'
import { assertAwaited, FRESH_MS, LATE } from '../../shared/log/fence.ts'
import type { Remembered, ResultOf, ResultOnce } from '../../shared/redis/command.ts'
import type { Once } from '../../shared/redis/script.ts'
import * as commands from '../commands.ts'
import { type Ended, isRefusal, type Outcome } from '../order.ts'
import type { OrderView, Store } from '../store.ts'
import type { Admission } from './admission.ts'
import type { Linger } from './linger.ts'
import type { Locks } from './locks.ts'
import type { Outcomes } from './outcomes.ts'
import { openUserQueue } from './user-queue.ts'

export type AttemptOptions = {
  readonly store: Pick<Store, 'recall' | 'readForCheckout' | 'readMs' | 'join' | 'begin'>
  readonly orderLocks: Locks
  readonly outcomes: Pick<Outcomes, 'wait' | 'join' | 'forget'>
  readonly admission: Admission
  readonly linger: Linger
  readonly nextLogId: () => string
  readonly deadlineMs: number
}

/** The longest wait for a lock between two tries; a release in this process ends it at once. */
const LOCK_RETRY_MS = 40
/**
 * How long a quorum of lock masters that does not answer is asked again. They may be well, and slow, or this process may
 * be: 1,000 checkouts at once on two cores kept the answers waiting beyond the time-out of a lock command.
 */
const QUORUM_TIMEOUT_MS = 3_000
/** How long a begin whose outcome is unknown is repeated. */
const BEGIN_TIMEOUT_MS = 1_200
/** How often a begin may be late. */
const LATE_MAX = 3
/** A begin whose reading is as old as that does not try whether it comes in time. */
const STALE_MS = FRESH_MS / 2

type Attempt = {
  readonly order: string
  readonly requester: Once
  /** The deadline, of `performance.now()`. */
  readonly until: number
  /** The order's last checkout when it was first read: any other one came since. */
  before: string | undefined
  /** What is to be told, unless another reading shows something better. */
  verdict: Outcome | UnavailableError | undefined
  /** When it was last read, of `performance.now()`. */
  viewedAt: number
  /** Until when a quorum is asked again that does not answer. */
  quorumUntil: number
  /** The user whose turn this request has. */
  turn: string | undefined
}

/** What may be remembered under the key of a request for a checkout. */
const ANSWERED = { ...commands.begin.returns, ...commands.join.returns }
type Answered = Remembered<typeof ANSWERED> | ResultOf<typeof commands.join>

const outcomeOf = (ended: Ended): Outcome => {
  const { id: logId } = ended
  switch (ended.state) {
    case 'paid':
      return { state: 'paid', logId }
    case 'failed':
      if (!isRefusal(ended.reason)) return impossible('order.refusal', ended)
      return { state: 'refused', reason: ended.reason, item: ended.item, logId }
    case 'cancelling':
    case 'closed':
      return { state: 'cancelled', by: ended.by, logId }
    default:
      return unreachable('order.ended', ended)
  }
}

/** Has a checkout ended that was begun? */
const isEnd = ({ state }: Outcome): boolean => state === 'paid' || state === 'refused' || state === 'cancelled'

/** Checks the order out, or finds out what became of its checkout. The function that is returned throws UnavailableError. */
export const attempts = (options: AttemptOptions): ((order: string, requester: Once) => Promise<Outcome>) => {
  const { store, orderLocks, outcomes, admission, linger, nextLogId, deadlineMs } = options
  const userQueue = openUserQueue()

  /** A checkout is also cancelled if its order proves to have been paid by an earlier one, which a Redis had forgotten. */
  const outcomeAt = async (end: Promise<Ended>, { order }: Attempt): Promise<Outcome> => {
    const outcome = outcomeOf(await end)
    if (outcome.state !== 'cancelled') return outcome
    const view = await store.readForCheckout(order)
    return view?.status === 'paid' ? { state: 'paid', logId: view.saga } : outcome
  }

  /** Waits for a checkout that another request began: it was given no longer than this one from now on. */
  const join = (id: string, attempt: Attempt): Promise<Outcome> =>
    outcomeAt(outcomes.join(id, performance.now() + deadlineMs), attempt)

  /** The outcome that a result means to a request without a checkout of its own; `undefined` if it must read again. */
  const outcomeBy = async (result: Answered, attempt: Attempt): Promise<Outcome | undefined> => {
    switch (result[0]) {
      case 'begun':
      case 'checking-out':
      case 'joined':
        return join(result[1], attempt)
      case 'paid':
        return { state: 'paid', logId: result[1] ?? '' }
      case 'empty':
      case 'unknown':
      case 'key-reused':
        return { state: result[0] }
      case 'changed':
        return undefined
      default:
        return unreachable('order.join', result)
    }
  }

  /** What the order says of this request, or the order as it was read if a checkout of it is to be begun. */
  const look = async (attempt: Attempt): Promise<Outcome | OrderView | undefined> => {
    const { order, requester } = attempt
    const hasKey = requester.idempotencyKey !== undefined
    const known = hasKey ? await store.recall(ANSWERED, requester) : undefined
    if (known) return outcomeBy(known, attempt)
    const view = await store.readForCheckout(order)
    if (view === undefined) return { state: 'unknown' }
    const { status, saga, lines } = view
    // An order that is made anew has no checkout.
    if (attempt.before === undefined || saga === '') attempt.before = saga
    const isOthers = status === 'checking-out' || saga !== attempt.before
    if (status === 'open' && !isOthers && lines !== '') return view
    if (status === 'cancelling' && !isOthers) return { state: 'cancelling' }
    if (hasKey) return outcomeBy(await store.join({ order, saga: isOthers ? saga : '' }, requester), attempt)
    if (status === 'paid') return { state: 'paid', logId: saga }
    return isOthers ? join(saga, attempt) : { state: 'empty' }
  }

  /**
   * Begins the saga; while its outcome is unknown it is begun again, under the same id. A process that was away does not begin it, nor
   * for a client that is gone: another replica may have been asked instead.
   */
  const begin = async (
    id: string,
    token: string,
    view: OrderView,
    attempt: Attempt,
  ): Promise<ResultOnce<typeof commands.begin>> => {
    const { order, requester, until } = attempt
    const { user, saga, lines } = view
    const { idempotencyKey, fingerprint } = requester
    const startedAt = performance.now()
    let { readMs } = view
    let isFresh = startedAt - attempt.viewedAt < STALE_MS
    let again: { again?: 'yes' } = {}
    for (let late = 0; late < LATE_MAX; ) {
      if (!isFresh) readMs = await store.readMs()
      assertAwaited(requester)
      const timeout_ms = Math.max(0, Math.ceil(until - performance.now()))
      const start = { log_id: id, order, user, token, timeout_ms, saga, lines, ...again }
      try {
        const result = await store.begin(start, { idempotencyKey, fingerprint, readMs })
        if (result[0] !== LATE) return result
        late += 1
      } catch (error) {
        if (!(error instanceof UnavailableError) || performance.now() > startedAt + BEGIN_TIMEOUT_MS) throw error
        again = { again: 'yes' }
        await orderLocks.changed(order, user, LOCK_RETRY_MS)
      }
      isFresh = false
    }
    throw new UnavailableError('this replica is too slow to begin a checkout')
  }

  /** Begins the checkout under a lock that is held, and waits for its end; `undefined` if the order is not as it was. */
  const checkOut = async (token: string, view: OrderView, attempt: Attempt): Promise<Outcome | undefined> => {
    const { order, until } = attempt
    const { user } = view
    const lockedAt = performance.now()
    const id = nextLogId()
    const end = outcomes.wait(id, until)
    let begun = false
    try {
      const result = await begin(id, token, view, attempt)
      switch (result[0]) {
        case 'begun':
        case 'checking-out':
          begun = result[1] === id
          if (!begun) return await join(result[1], attempt)
          orderLocks.keep(id, order, user, token, lockedAt)
          return await outcomeAt(end, attempt)
        case 'paid':
          return { state: 'paid', logId: result[1] ?? '' }
        case 'cancelling':
        case 'empty':
        case 'unknown':
        case 'key-reused':
          return { state: result[0] }
        case 'moved':
          return undefined
        default:
          return unreachable('order.begin', result)
      }
    } finally {
      orderLocks.letGo(id)
      if (!begun) {
        outcomes.forget(id)
        orderLocks.release(order, user, token)
      }
    }
  }

  const endTurn = (attempt: Attempt): void => {
    if (attempt.turn !== undefined) userQueue.end(attempt.turn)
    attempt.turn = undefined
  }

  /** Checks out under the lock; `undefined` if it was not to be had this time. */
  const lockAndCheckOut = async (view: OrderView, attempt: Attempt): Promise<Outcome | undefined> => {
    const { order, until } = attempt
    const { user } = view
    const now = performance.now()
    const held = await orderLocks.tryAcquire(order, user)
    if (held.state === 'unavailable') {
      attempt.quorumUntil = Math.min(attempt.quorumUntil, now + QUORUM_TIMEOUT_MS, until)
      if (performance.now() >= attempt.quorumUntil)
        attempt.verdict = new UnavailableError('no quorum of lock masters answers; nothing was done', {
          cause: held.cause,
        })
      else endTurn(attempt)
      await orderLocks.changed(order, user, LOCK_RETRY_MS)
      return undefined
    }
    attempt.quorumUntil = Number.POSITIVE_INFINITY
    if (held.state === 'busy') {
      await orderLocks.changed(order, user, Math.min(LOCK_RETRY_MS, until - now))
      return undefined
    }
    return checkOut(held.token, view, attempt)
  }

  /** The same in a slot of its own. */
  const enterAndCheckOut = async (view: OrderView, attempt: Attempt): Promise<Outcome | undefined> => {
    if (!(await admission.enter())) {
      attempt.verdict = { state: 'overloaded' }
      return undefined
    }
    const enteredAt = performance.now()
    let outcome: Outcome | undefined
    try {
      if (enteredAt < attempt.until) outcome = await lockAndCheckOut(view, attempt)
      return outcome
    } finally {
      admission.leave(outcome && isEnd(outcome) ? performance.now() - enteredAt : undefined)
    }
  }

  /** One round: what the order says, or through all gates to the checkout. */
  const tryOnce = async (attempt: Attempt): Promise<Outcome | undefined> => {
    const view = await look(attempt)
    if (view === undefined || 'state' in view) return view
    attempt.viewedAt = performance.now()
    const { verdict, until } = attempt
    if (verdict instanceof UnavailableError) throw verdict
    if (verdict !== undefined) return verdict
    if (attempt.viewedAt >= until) return { state: 'locked' }
    const { user } = view
    if (attempt.turn !== user) {
      endTurn(attempt)
      const came = await userQueue.take(user, until)
      if (came !== 'taken') return undefined
      attempt.turn = user // what has happened to the order meanwhile, `begin` will see
    }
    return enterAndCheckOut(view, attempt)
  }

  return async (order, requester) => {
    const until = performance.now() + deadlineMs
    const attempt: Attempt = {
      order,
      requester,
      until,
      before: undefined,
      verdict: undefined,
      viewedAt: 0,
      quorumUntil: Number.POSITIVE_INFINITY,
      turn: undefined,
    }
    const lingered = linger.join()
    try {
      if (lingered !== undefined) await lingered
      for (;;) {
        const outcome = await tryOnce(attempt)
        if (outcome !== undefined) return outcome
      }
    } catch (error) {
      if (attempt.turn !== undefined) userQueue.scatter(attempt.turn)
      attempt.turn = undefined
      throw error
    } finally {
      linger.over()
      endTurn(attempt)
    }
  }
}
