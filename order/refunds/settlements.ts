/**
 * How does a waiting request learn that its refund is settled?
 *
 * The reader that applies what payment says of it wakes it, when that is in this process; else the channel of settlements does.
 * Neither is trusted: one that has waited for long asks. It waits no longer than a client likes to, for the refund is granted and
 * will be settled, whatever happens.
 */
import { UnavailableError } from '../../shared/errors.ts'
import type { Store } from '../store.ts'
import { openWaits } from '../waits.ts'
import type { Refund } from './refund.ts'

export type Settlements = {
  /**
   * Resolves with a refund once it is settled, or after `WAIT_MS`, or at the signal, as it is then; `undefined` if that cannot be
   * known.
   */
  readonly wait: (order: string, refund: string, closing: AbortSignal) => Promise<Refund | undefined>
  /** To be called with every refund that was settled anywhere. */
  readonly onSettled: (refund: string) => void
}

const WAIT_MS = 2_000

export const openSettlements = (store: Pick<Store, 'findRefund'>): Settlements => {
  const waits = openWaits()

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
      let found: Refund | undefined
      await waits.until(refund, { ms: WAIT_MS, closing }, async () => {
        found = await asked(order, refund)
        return found?.state === 'settled' ? found : undefined
      })
      return found
    },
    onSettled: waits.wake,
  }
}
