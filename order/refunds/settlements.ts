/**
 * How does a waiting request learn that its refund is settled?
 *
 * The reader that applies what payment says of it wakes it, when that is in this process; else the channel of settlements does.
 * Neither is trusted: one that has waited for long asks. It waits no longer than a client likes to, for the refund is granted and
 * will be settled, whatever happens.
 */
import { UnavailableError } from '../../shared/errors.ts'
import type { Store } from '../store.ts'
import type { Refund } from './refund.ts'

export type Settlements = {
  /** Resolves with a refund once it is settled, or after `WAIT_MS`, or at the signal, as it is then; `undefined` if that cannot be known. */
  readonly wait: (order: string, refund: string, closing: AbortSignal) => Promise<Refund | undefined>
  /** To be called with every refund that was settled anywhere. */
  readonly onSettled: (refund: string) => void
}

const WAIT_MS = 2_000
/** One that has waited for this long asks, in case it was not woken. */
const ASK_AFTER_MS = 500

export const openSettlements = (store: Pick<Store, 'findRefund'>): Settlements => {
  const waiting = new Map<string, Set<() => void>>()

  /** Resolves when the refund is settled, at the signal, or after so long. */
  const wakes = (refund: string, ms: number, closing: AbortSignal): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    const waiters = waiting.get(refund) ?? new Set()
    waiting.set(refund, waiters.add(wake))
    const timer = setTimeout(wake, ms)
    closing.addEventListener('abort', wake, { once: true })
    return promise.finally(() => {
      clearTimeout(timer)
      closing.removeEventListener('abort', wake)
      waiters.delete(wake)
      if (waiters.size === 0) waiting.delete(refund)
    })
  }

  const asked = async (order: string, refund: string): Promise<Refund | undefined> => {
    try {
      return await store.findRefund(order, refund)
    } catch (error) {
      if (error instanceof UnavailableError) return undefined
      throw error
    }
  }

  return {
    wait: async (order, refund, closing) => {
      const until = performance.now() + WAIT_MS
      for (;;) {
        // It is waited for first and asked for after: it may be settled in between.
        const leftMs = until - performance.now()
        const woken =
          leftMs > 0 && !closing.aborted ? wakes(refund, Math.min(ASK_AFTER_MS, leftMs), closing) : undefined
        const found = await asked(order, refund)
        if (found?.state === 'settled' || woken === undefined) return found
        await woken
      }
    },
    onSettled: (refund) => {
      for (const wake of waiting.get(refund) ?? []) wake()
    },
  }
}
