/**
 * How does one request come to its checkout?
 *
 * It lingers a moment, if others are under way (`linger.ts`), looks what was answered under its key, if it has one, and
 * reads the order. If that is paid or empty, this is the answer; if it is being checked out, or has been since the request
 * came, that checkout's end is; otherwise the request goes through three gates, each of which may send it back to read
 * again, as long as its deadline is ahead, and begins a saga behind the last (`begin.ts`):
 *
 * - its *turn* among the requests of this process for the same user: the lock would let only one of them through;
 * - a *slot* (see `admission.ts`): only so many are begun at once as can end in time. One that finds none has touched nothing,
 *   only read the order. One that joins another, or finds the checkout under way or the order paid, needs none;
 * - the *lock* on the order and its user.
 *
 * A checkout that was *submitted* comes to its begin on the same way, when this process has taken it in hand (`dispatcher.ts`): nobody
 * waits for it here, it has a log id already, and its own deadline.
 *
 * Before a request is answered that nothing was done, it reads once more: another may have been asked the same and have done it.
 */
import { UnavailableError, unreachable } from '../../shared/errors.ts'
import { isAnothers } from '../../shared/http/owner.ts'
import type { Once } from '../../shared/redis/script.ts'
import { checkoutAnswers, type Joined } from '../commands.ts'
import { type Ended, isPaid, isUndecided, type Outcome } from '../order.ts'
import type { OrderView } from '../store/cart.ts'
import type { Store } from '../store.ts'
import type { Admission } from './admission.ts'
import { type Begin, openBegin } from './begin.ts'
import type { Submitted } from './dispatcher.ts'
import type { Linger } from './linger.ts'
import type { Locks } from './locks.ts'
import { type Outcomes, outcomeOf } from './outcomes.ts'
import { openUserQueue, type UserQueue } from './user-queue.ts'

export type AttemptOptions = {
  readonly store: Pick<Store, 'recall' | 'readForCheckout' | 'readMs' | 'join' | 'begin'>
  readonly orderLocks: Locks
  readonly outcomes: Pick<Outcomes, 'wait' | 'join' | 'forget'>
  readonly admission: Admission
  readonly linger: Linger
  readonly nextLogId: () => string
  readonly deadlineMs: number
}

type Parts = AttemptOptions & { readonly begin: Begin; readonly userQueue: UserQueue }

/** The longest wait for a lock between two tries; a release in this process ends it at once. */
const LOCK_RETRY_MS = 40
/**
 * How long lock masters are asked again of which no quorum answers. They may be well, and slow, or this process may be: 1,000 checkouts
 * at once on two cores kept the answers waiting beyond the time-out of a lock command.
 */
const QUORUM_TIMEOUT_MS = 3_000

/** Whoever submitted it does not wait. */
const NOBODY: Once = { idempotencyKey: undefined, fingerprint: '' }

/** Has a checkout ended that was begun? */
const isEnd = ({ state }: Outcome): boolean => state === 'paid' || state === 'refused' || state === 'cancelled'

/** Its steps stand in the order in which a request comes to them. Those that return `undefined` send it back to read again. */
class Attempt {
  readonly #parts: Parts
  readonly #order: string
  readonly #requester: Once
  readonly #submitted: Submitted | undefined
  /** Until when it tries to begin a checkout, and the deadline of that, of `performance.now()`. */
  readonly #until: number
  readonly #deadline: number
  /** The order's last checkout when it was first read: any other one came since. */
  #before: string | undefined
  /** When the order was last read, of `performance.now()`. */
  #readAt = 0
  /** What is to be answered, unless another reading shows something better. */
  #verdict: Outcome | UnavailableError | undefined
  /** The user whose turn this request has. */
  #turn: string | undefined
  /** The checkout that another request has begun or submitted since. It may need the gates, so it is waited for outside of them. */
  #met: string | undefined
  /** Until when a quorum is asked again that does not answer. */
  #quorumUntil = Number.POSITIVE_INFINITY

  constructor(parts: Parts, order: string, requester: Once, submitted?: Submitted) {
    const until = performance.now() + parts.deadlineMs
    this.#parts = parts
    this.#order = order
    this.#requester = requester
    this.#submitted = submitted
    this.#deadline = submitted?.deadline ?? until
    this.#until = Math.min(until, this.#deadline)
  }

  async run(): Promise<Outcome> {
    const { linger, userQueue } = this.#parts
    const lingered = linger.join()
    try {
      if (lingered !== undefined) await lingered
      for (;;) {
        const outcome = await this.#round()
        if (outcome !== undefined) return outcome
      }
    } catch (error) {
      if (this.#turn !== undefined) userQueue.scatter(this.#turn)
      this.#turn = undefined
      throw error
    } finally {
      linger.over()
      this.#endTurn()
    }
  }

  /** What the order says, or through all gates to the checkout. */
  async #round(): Promise<Outcome | undefined> {
    const view = this.#submitted === undefined ? await this.#look() : await this.#lookAt(this.#submitted)
    if (view === undefined || 'state' in view) return view
    this.#readAt = performance.now()
    if (this.#verdict instanceof UnavailableError) throw this.#verdict
    if (this.#verdict !== undefined) return this.#verdict
    if (this.#readAt >= this.#until) return { state: 'locked' }
    const { user } = view
    if (this.#turn !== user) {
      this.#endTurn()
      const came = await this.#parts.userQueue.take(user, this.#until)
      if (came !== 'taken') return undefined
      this.#turn = user // what has happened to the order meanwhile, `begin` will see
    }
    const outcome = await this.#withSlot(view)
    return this.#met === undefined ? outcome : this.#join(this.#met)
  }

  /** What the order says of this request, or the order as it was read if a checkout of it is to be begun. */
  async #look(): Promise<Outcome | OrderView | undefined> {
    const { store } = this.#parts
    const requester = this.#requester
    const hasKey = requester.idempotencyKey !== undefined
    const known = hasKey ? await store.recall(checkoutAnswers, requester) : undefined
    if (known) return this.#outcomeBy(known)
    const view = await store.readForCheckout(this.#order)
    if (view === undefined || isAnothers(view.user, requester.owner)) return { state: 'unknown' }
    const { status, saga, lines } = view
    // An order that is made anew has no checkout.
    if (this.#before === undefined || saga === '') this.#before = saga
    const isOthers = isUndecided(status) || saga !== this.#before
    if (status === 'open' && !isOthers && lines !== '') return view
    if (status === 'cancelling' && !isOthers) return { state: 'cancelling' }
    const isSeen = hasKey || requester.lockToken !== undefined
    if (isSeen) return this.#outcomeBy(await store.join({ order: this.#order, saga: isOthers ? saga : '' }, requester))
    if (status === 'paid') return { state: 'paid', logId: saga }
    if (status === 'changing' || status === 'cancelled' || status === 'expired') return { state: `order-${status}` }
    return isOthers ? this.#join(saga) : { state: 'empty' }
  }

  /** The order of a submitted checkout if that is to be begun still; else there is nothing to do for it. */
  async #lookAt({ id }: Submitted): Promise<Outcome | OrderView> {
    const view = await this.#parts.store.readForCheckout(this.#order)
    return view?.status === 'submitted' && view.saga === id ? view : { state: 'unknown' }
  }

  /** The outcome that a result means to a request without a checkout of its own. */
  async #outcomeBy(result: Joined): Promise<Outcome | undefined> {
    switch (result[0]) {
      case 'begun':
      case 'submitted':
      case 'checking-out':
      case 'joined':
        return this.#join(result[1])
      case 'paid':
        return { state: 'paid', logId: result[1] ?? '' }
      case 'empty':
      case 'order-changing':
      case 'order-cancelled':
      case 'order-expired':
      case 'unknown':
      case 'key-reused':
        return { state: result[0] }
      case 'changed':
        return undefined
      default:
        return unreachable('order.join', result)
    }
  }

  /** Waits for a checkout that another request began, which was given no longer than this one from now on, and may need its turn. */
  #join(id: string): Promise<Outcome> {
    const { outcomes, deadlineMs } = this.#parts
    this.#endTurn()
    return this.#outcomeAt(outcomes.join(id, performance.now() + deadlineMs))
  }

  /** A checkout is also cancelled if its order proves to have been paid by an earlier one, which a Redis had forgotten. */
  async #outcomeAt(end: Promise<Ended>): Promise<Outcome> {
    const outcome = outcomeOf(await end)
    if (outcome.state !== 'cancelled') return outcome
    const view = await this.#parts.store.readForCheckout(this.#order)
    return isPaid(view?.status) && view ? { state: 'paid', logId: view.saga } : outcome
  }

  #endTurn(): void {
    if (this.#turn !== undefined) this.#parts.userQueue.end(this.#turn)
    this.#turn = undefined
  }

  async #withSlot(view: OrderView): Promise<Outcome | undefined> {
    const { admission } = this.#parts
    if (!(await admission.enter())) {
      this.#verdict = { state: 'overloaded' }
      return undefined
    }
    const enteredAt = performance.now()
    let outcome: Outcome | undefined
    try {
      if (enteredAt < this.#until) outcome = await this.#withLock(view)
      return outcome
    } finally {
      admission.leave(outcome && isEnd(outcome) ? performance.now() - enteredAt : undefined)
    }
  }

  async #withLock(view: OrderView): Promise<Outcome | undefined> {
    const { orderLocks } = this.#parts
    const { user } = view
    const now = performance.now()
    const held = await orderLocks.tryAcquire(this.#order, user)
    if (held.state === 'unavailable') {
      this.#quorumUntil = Math.min(this.#quorumUntil, now + QUORUM_TIMEOUT_MS, this.#until)
      if (performance.now() >= this.#quorumUntil)
        this.#verdict = new UnavailableError('no quorum of lock masters answers; nothing was done', {
          cause: held.cause,
        })
      else this.#endTurn()
      await orderLocks.changed(this.#order, user, LOCK_RETRY_MS)
      return undefined
    }
    this.#quorumUntil = Number.POSITIVE_INFINITY
    if (held.state === 'busy') {
      await orderLocks.changed(this.#order, user, Math.min(LOCK_RETRY_MS, this.#until - now))
      return undefined
    }
    return this.#checkOut(held.token, view)
  }

  /** Begins the checkout under a lock that is held, and waits for its end. */
  async #checkOut(token: string, view: OrderView): Promise<Outcome | undefined> {
    const { orderLocks, outcomes, nextLogId, begin } = this.#parts
    const order = this.#order
    const lockedAt = performance.now()
    const id = this.#submitted?.id ?? nextLogId()
    const end = outcomes.wait(id, this.#deadline)
    const start = { id, order, token, view, readAt: this.#readAt, requester: this.#requester, until: this.#deadline }
    let begun = false
    try {
      const result = await begin(start)
      switch (result[0]) {
        case 'begun':
        case 'submitted':
        case 'checking-out':
        case 'joined':
          begun = result[0] === 'begun' && result[1] === id
          if (begun) orderLocks.keep(id, order, view.user, token, lockedAt)
          else this.#met = result[1]
          return begun ? await this.#outcomeAt(end) : undefined
        case 'paid':
          return { state: 'paid', logId: result[1] ?? '' }
        case 'cancelling':
        case 'empty':
        case 'order-changing':
        case 'order-cancelled':
        case 'order-expired':
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
        orderLocks.release(order, view.user, token)
      }
    }
  }
}

export type Attempts = {
  /** Checks the order out, or finds out what became of its checkout. @throws UnavailableError */
  readonly checkOut: (order: string, requester: Once) => Promise<Outcome>
  /** Begins one that was submitted, unless that was done, and waits for its end; `unknown` if another has. @throws UnavailableError */
  readonly beginSubmitted: (submitted: Submitted) => Promise<Outcome>
}

export const attempts = (options: AttemptOptions): Attempts => {
  const parts = { ...options, begin: openBegin(options.store, options.orderLocks), userQueue: openUserQueue() }
  return {
    checkOut: (order, requester) => new Attempt(parts, order, requester).run(),
    beginSubmitted: (submitted) => new Attempt(parts, submitted.order, NOBODY, submitted).run(),
  }
}
