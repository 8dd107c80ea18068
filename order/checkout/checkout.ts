/**
 * What happens to the requests for checkouts of this process?
 *
 * Those for one order that meet here and bear no key are one request, and each is an attempt (`attempt.ts`) to begin a
 * checkout under RedLock (`locks.ts`) and to learn its end (`outcomes.ts`).
 */
import { UnavailableError } from '../../shared/errors.ts'
import type { RedLock } from '../../shared/lock/redlock.ts'
import type { Once } from '../../shared/redis/script.ts'
import type { Outcome } from '../order.ts'
import type { Store } from '../store.ts'
import type { Admission } from './admission.ts'
import { attempts } from './attempt.ts'
import type { Linger } from './linger.ts'
import { openLocks } from './locks.ts'
import { type Outcomes, openOutcomes } from './outcomes.ts'
import { TransientMap } from './transient-map.ts'

export type Checkouts = Pick<Outcomes, 'onDecided' | 'onOutcome'> & {
  /** Checks the order out, or finds out what became of its checkout. @throws UnavailableError */
  readonly checkout: (order: string, requester: Once) => Promise<Outcome>
  readonly start: () => void
  readonly stop: () => void
}

export type CheckoutsOptions = {
  readonly store: Store
  readonly redLock: RedLock
  readonly nextLogId: () => string
  readonly admission: Admission
  readonly linger: Linger
  readonly deadlineMs: number
  readonly lockTtlMs: number
}

const SWEEP_MS = 100

/** What cannot be answered says where to ask. */
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

export const checkouts = (options: CheckoutsOptions): Checkouts => {
  const { store, redLock, nextLogId, admission, linger, deadlineMs, lockTtlMs } = options
  const orderLocks = openLocks(redLock, lockTtlMs)
  const outcomes = openOutcomes({
    store,
    release: ({ id, order, user, token }) => {
      // The record of what is over has no token.
      if (token !== '') orderLocks.release(order, user, token)
      else orderLocks.releaseKept(id)
    },
  })
  const attempt = attempts({ store, orderLocks, outcomes, admission, linger, nextLogId, deadlineMs })
  const joined = new TransientMap<{ readonly outcome: Promise<Outcome>; readonly requesters: Once[] }>()
  let sweeper: NodeJS.Timeout | undefined

  const sweep = (): void => {
    const now = performance.now()
    outcomes.sweep(now)
    orderLocks.sweep(now)
  }

  return {
    checkout: (order, requester) => {
      if (requester.idempotencyKey !== undefined) return located(order, attempt(order, requester))
      const known = joined.get(order)
      if (known) {
        known.requesters.push(requester)
        return known.outcome
      }
      const requesters = [requester]
      const all: Once = { ...requester, isGone: () => requesters.every((one) => one.isGone?.() === true) }
      const outcome = located(order, attempt(order, all)).finally(() => joined.delete(order))
      joined.set(order, { outcome, requesters })
      return outcome
    },
    onDecided: outcomes.onDecided,
    onOutcome: outcomes.onOutcome,
    start: () => {
      sweeper = setInterval(sweep, SWEEP_MS)
    },
    stop: () => clearInterval(sweeper),
  }
}
