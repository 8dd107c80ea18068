/**
 * How is a saga begun, though replies may be lost?
 *
 * While its outcome is unknown it is begun again, under the same id: then the script looks for its record first. A request whose
 * client has gone begins nothing, nor does one that read the order too long ago (`shared/log/fence.ts`): another replica may have
 * been asked instead, and a refusal of that one must stay true.
 */
import { UnavailableError } from '../../shared/errors.ts'
import { assertAwaited, FRESH_MS, LATE } from '../../shared/log/fence.ts'
import type { Once } from '../../shared/redis/script.ts'
import type { Begun } from '../commands.ts'
import type { OrderView } from '../store/cart.ts'
import type { Store } from '../store.ts'
import type { Locks } from './locks.ts'

/** How long a begin whose outcome is unknown is repeated, and how long one waits for a release in between. */
const TIMEOUT_MS = 1_200
const RETRY_MS = 40
/** How often a begin may be late. */
const LATE_MAX = 3
/** A begin whose reading is as old as that does not try whether it comes in time. */
const STALE_MS = FRESH_MS / 2

export type Start = {
  readonly id: string
  readonly order: string
  readonly token: string
  /** The order as it was read, and when, of `performance.now()`. */
  readonly view: OrderView
  readonly readAt: number
  readonly requester: Once
  /** The deadline, of `performance.now()`. */
  readonly until: number
}

export type Begin = (start: Start) => Promise<Begun>

/** The function that is returned throws UnavailableError. */
export const openBegin = (store: Pick<Store, 'readMs' | 'begin'>, orderLocks: Pick<Locks, 'changed'>): Begin => {
  return async ({ id, order, token, view, readAt, requester, until }) => {
    const { user, saga, lines } = view
    const { idempotencyKey, fingerprint, doneBy, trace, lockToken } = requester
    const startedAt = performance.now()
    let readMs = startedAt - readAt < STALE_MS ? view.readMs : undefined
    let again: { again?: 'yes' } = {}
    for (let late = 0; late < LATE_MAX; readMs = undefined) {
      readMs ??= await store.readMs()
      assertAwaited(requester)
      const timeout_ms = Math.max(0, Math.ceil(until - performance.now()))
      const start = { log_id: id, order, user, token, timeout_ms, saga, lines, ...again }
      try {
        const result = await store.begin(start, { idempotencyKey, fingerprint, doneBy, trace, lockToken, readMs })
        if (result[0] !== LATE) return result
        late += 1
      } catch (error) {
        if (!(error instanceof UnavailableError) || performance.now() > startedAt + TIMEOUT_MS) throw error
        again = { again: 'yes' }
        await orderLocks.changed(order, user, RETRY_MS)
      }
    }
    throw new UnavailableError('this replica is too slow to begin a checkout')
  }
}
