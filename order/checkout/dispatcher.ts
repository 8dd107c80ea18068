/**
 * Which submitted checkouts does this process begin, and when?
 *
 * Those that were submitted here, in their order. When there are none of these, also those that wait for long elsewhere: their
 * process has died, or stopped, or has too many; and those that the log parser finds left. Each is begun like that of a request
 * that waits: in its turn, in a slot, under the lock (`attempt.ts`). So many are *in hand* at once, from when they try until
 * their end. One that was not begun, because no slot or lock was to be had, is tried again a moment later, behind the others. Two
 * processes may try the same one: it is begun once, and the other lets go of it.
 *
 * Nothing here must survive: what is forgotten waits for long, and is found so.
 */
import { UnavailableError } from '../../shared/errors.ts'
import type { Outcome } from '../order.ts'
import type { Store } from '../store.ts'

/** A checkout that is to be begun if it is still submitted; its deadline is of `performance.now()`. */
export type Submitted = { readonly id: string; readonly order: string; readonly deadline: number }

/** So many keep the shop busy, and leave slots to those who wait. */
const IN_HAND_MAX = 64
/** How long after it was not begun it is tried again. */
const AGAIN_MS = 500
/** How often it is looked for those that wait for long, how long that is, and how many are taken. */
const LOOK_EVERY_MS = 500
const LONG_MS = 2_000
const LOOK_MAX = IN_HAND_MAX / 2

export type Dispatcher = {
  /** Has it begun in its turn; false if it is in hand, or waits, or there are too many. */
  readonly offer: (submitted: Submitted) => boolean
  /** Tries what is to be tried again, and looks for more. To be called every so often. */
  readonly sweep: (now: number) => void
}

export type DispatcherOptions = {
  readonly store: Pick<Store, 'oldestSubmitted'>
  readonly begin: (submitted: Submitted) => Promise<Outcome>
  /** How many may wait here; the others are left to the log parser. */
  readonly most: number
  /** Nothing more is begun: another replica shall have it. */
  readonly shutdown: AbortSignal
}

/** Was it not begun, though it could be at another moment? */
const isToBeTriedAgain = ({ state }: Outcome): boolean => state === 'locked' || state === 'overloaded'

export const openDispatcher = ({ store, begin, most, shutdown }: DispatcherOptions): Dispatcher => {
  /** All that are known here, by their ids. */
  const known = new Set<string>()
  const waiting: Submitted[] = []
  const again: { readonly submitted: Submitted; readonly at: number }[] = []
  let inHand = 0
  let lookAt = 0

  const isBegun = async (submitted: Submitted): Promise<boolean> => {
    try {
      return !isToBeTriedAgain(await begin(submitted))
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      return false
    }
  }

  const take = async (submitted: Submitted): Promise<void> => {
    inHand += 1
    if (await isBegun(submitted)) known.delete(submitted.id)
    else again.push({ submitted, at: performance.now() + AGAIN_MS })
    inHand -= 1
    next()
  }

  const next = (): void => {
    while (inHand < IN_HAND_MAX && !shutdown.aborted) {
      const submitted = waiting.shift()
      if (submitted === undefined) return
      void take(submitted)
    }
  }

  const offer: Dispatcher['offer'] = (submitted) => {
    if (known.has(submitted.id) || known.size >= most) return false
    known.add(submitted.id)
    waiting.push(submitted)
    next()
    return true
  }

  const look = async (): Promise<void> => {
    try {
      const now = performance.now()
      for (const { id, order, leftMs } of await store.oldestSubmitted(LONG_MS, LOOK_MAX))
        if (leftMs > 0) offer({ id, order, deadline: now + leftMs })
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error // it is looked for again
    }
  }

  return {
    offer,
    sweep: (now) => {
      if (now >= lookAt && waiting.length === 0 && inHand < LOOK_MAX && !shutdown.aborted) {
        lookAt = now + LOOK_EVERY_MS
        void look()
      }
      for (let first = again[0]; first !== undefined && first.at <= now; first = again[0]) {
        again.shift()
        // What is past its deadline is decided by the log parser.
        if (first.submitted.deadline > now) waiting.push(first.submitted)
        else known.delete(first.submitted.id)
      }
      next()
    },
  }
}
