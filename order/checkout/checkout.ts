/**
 * What happens to the requests for checkouts of this process?
 *
 * Those for one order that meet here, may see the same and bear neither a key nor the token of a lock are one request, and each
 * is an attempt (`attempt.ts`) to begin a checkout under RedLock (`locks.ts`) and to learn its end (`outcomes.ts`). One that does
 * not wait for the end submits its checkout (`submit.ts`), and this process begins that in its turn (`dispatcher.ts`).
 */
import { UnavailableError } from '../../shared/errors.ts'
import type { RedLock } from '../../shared/lock/redlock.ts'
import { TransientMap } from '../../shared/process/transient-map.ts'
import type { Once } from '../../shared/redis/script.ts'
import type { Place } from '../forms/forms.ts'
import { type OrderMetrics, unmeasured } from '../metrics.ts'
import type { End, Ended, Outcome } from '../order.ts'
import type { Store } from '../store.ts'
import type { Admission } from './admission.ts'
import { attempts } from './attempt.ts'
import { openDispatcher } from './dispatcher.ts'
import type { Linger } from './linger.ts'
import { openLocks } from './locks.ts'
import { type Outcomes, openOutcomes, outcomeOf } from './outcomes.ts'
import { openPlaceAndSubmit } from './place-and-submit.ts'
import { openSubmit, type Submit } from './submit.ts'
import { openWatchers, type Watchers } from './watchers.ts'

export type Checkouts = Pick<Outcomes, 'onDecided' | 'onOutcome'> & {
  /** Checks the order out, or finds out what became of its checkout. @throws UnavailableError */
  readonly checkout: (order: string, requester: Once) => Promise<Outcome>
  /** Has it checked out later; waits for the end for a while, if that is wished. @throws UnavailableError */
  readonly submit: Submit
  /** Places an order over a value, and has it checked out later, once. */
  readonly place: Place
  /** Resolves with the end of an amendment, which is made at its deadline. @throws UnavailableError */
  readonly follow: (id: string) => Promise<End>
  /** Resolves when a checkout is decided, or after a while. */
  readonly watch: Watchers['watch']
  /** Has a submitted checkout begun by this process; what came of that, in a word. @throws UnavailableError */
  readonly begin: (id: string) => Promise<string>
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
  /** How long one may take that is submitted, and how many of these may wait to be begun. */
  readonly asyncDeadlineMs: number
  readonly submittedMax: number
  /** Nothing more that is submitted is begun here. */
  readonly shutdown: AbortSignal
  /** Default: nothing is measured. */
  readonly measured?: OrderMetrics
}

const SWEEP_MS = 100

/** What cannot be answered says where to ask. */
const located = async <Found>(order: string, outcome: Promise<Found>): Promise<Found> => {
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
  const { asyncDeadlineMs, submittedMax, shutdown, measured = unmeasured } = options
  const orderLocks = openLocks(redLock, lockTtlMs)
  const outcomes = openOutcomes({
    store,
    release: ({ id, order, user, token }) => {
      // The record of what is over has no token.
      if (token !== '') orderLocks.release(order, user, token)
      else orderLocks.releaseKept(id)
    },
    measured,
  })
  const { checkOut, beginSubmitted } = attempts({
    store,
    orderLocks,
    outcomes,
    admission,
    linger,
    nextLogId,
    deadlineMs,
  })
  const dispatcher = openDispatcher({ store, begin: beginSubmitted, most: submittedMax, shutdown })
  const watchers = openWatchers(store)
  const place = openPlaceAndSubmit({ store, nextLogId, dispatcher, deadlineMs: asyncDeadlineMs, most: submittedMax })
  const submit = openSubmit({ store, nextLogId, dispatcher, watchers, deadlineMs: asyncDeadlineMs, most: submittedMax })
  const joined = new TransientMap<{ readonly outcome: Promise<Outcome>; readonly requesters: Once[] }>()
  let sweeper: NodeJS.Timeout | undefined

  const sweep = (): void => {
    const now = performance.now()
    outcomes.sweep(now)
    orderLocks.sweep(now)
    dispatcher.sweep(now)
    watchers.sweep(now)
  }
  const onOutcome = (ended: Ended): void => {
    outcomes.onOutcome(ended)
    watchers.onOutcome(ended)
  }

  return {
    checkout: (order, requester) => {
      if (requester.idempotencyKey !== undefined || requester.lockToken !== undefined)
        return located(order, checkOut(order, requester))
      const { owner } = requester
      const what = owner === undefined ? order : `${order} ${owner}`
      const known = joined.get(what)
      if (known) {
        known.requesters.push(requester)
        return known.outcome
      }
      const requesters = [requester]
      const all: Once = { ...requester, isGone: () => requesters.every((one) => one.isGone?.() === true) }
      const outcome = located(order, checkOut(order, all)).finally(() => joined.delete(what))
      joined.set(what, { outcome, requesters })
      return outcome
    },
    submit: (order, requester, waitMs) => located(order, submit(order, requester, waitMs)),
    place,
    follow: async (id) => outcomeOf(await outcomes.join(id, performance.now() + deadlineMs)),
    watch: watchers.watch,
    begin: async (id) => {
      const saga = await store.saga(id)
      if (saga === undefined || !('leftMs' in saga) || saga.state !== 'submitted') return 'begun'
      const deadline = performance.now() + saga.leftMs
      return dispatcher.offer({ id, order: saga.order, deadline }) ? 'taken' : 'waiting'
    },
    onDecided: (decided) => {
      outcomes.onDecided(decided)
      watchers.onOutcome(decided)
    },
    onOutcome,
    start: () => {
      sweeper = setInterval(sweep, SWEEP_MS)
    },
    stop: () => clearInterval(sweeper),
  }
}
