/**
 * How is an order cancelled?
 *
 * By one command, decided where the order is: see `lua/cancel-order.lua`. A checkout that it gave up is undone by payment and stock, and
 * what was paid is refunded by them: for that the request waits a moment. Cancelling is never too late.
 */
import { UnavailableError, unreachable } from '../../shared/errors.ts'
import type { Request } from '../../shared/http/request.ts'
import type { Once } from '../../shared/redis/script.ts'
import type { Decision } from '../commands.ts'
import type { Settlements } from '../refunds/settlements.ts'
import type { Cancellation, CancelWish } from '../store/cancellations.ts'
import type { Store } from '../store.ts'
import type { Waits } from '../waits.ts'

/** What became of a request to cancel an order. */
export type Cancelled =
  /** For good. `paying` is a refund of it, while payment has not paid each. */
  | { readonly state: 'cancelled'; readonly cancellation: Cancellation; readonly paying: string | undefined }
  /** It will not be charged; its checkout is being undone, and then it is cancelled. */
  | { readonly state: 'cancelling' }
  | { readonly state: 'stale'; readonly version: number }
  | { readonly state: 'unknown' | 'contradicted' | 'key-reused' }

/** The function that is returned throws UnavailableError. */
export type Cancel = (wish: CancelWish, request: Once & Pick<Request, 'closing'>) => Promise<Cancelled>

export type CancelOptions = {
  readonly store: Pick<Store, 'cancelOrder' | 'cancellation' | 'refundsOf'>
  /** To be called with the checkout that was given up. */
  readonly onDecided: (decided: Decision) => void
  readonly settlements: Pick<Settlements, 'wait'>
  readonly waits: Waits
}

/** For so long a request waits until a checkout is undone. */
const WAIT_MS = 2_000

export const cancelling = ({ store, onDecided, settlements, waits }: CancelOptions): Cancel => {
  /** The order once it is cancelled; `undefined` while its checkout is being undone. */
  const cancelledNow = async (order: string): Promise<Cancellation | undefined> => {
    const cancellation = await store.cancellation(order)
    if (cancellation?.status === 'cancelled') return cancellation
    if (cancellation?.status === 'cancelling' && cancellation.id !== undefined) return undefined
    throw new UnavailableError(`order "${order}" is not what it was any more; asking again is safe`, {
      location: `/orders/find/${order}`,
    })
  }

  /** A refund of the order that payment has not paid yet; it may be one from before. */
  const unpaidOf = async (order: string): Promise<string | undefined> =>
    (await store.refundsOf(order))?.find(({ state }) => state !== 'settled')?.id

  const ended = async (order: string, closing: AbortSignal): Promise<Cancelled> => {
    const cancellation = await waits.until(order, { ms: WAIT_MS, closing }, () => cancelledNow(order))
    if (cancellation === undefined) return { state: 'cancelling' }
    const { refund: granted } = cancellation
    const refund = granted && ((await settlements.wait(order, granted.id, closing)) ?? granted)
    const paying = granted === undefined && cancellation.refunded === 0 ? undefined : await unpaidOf(order)
    // That it is paid makes another version.
    const { version } = (refund?.state === 'settled' ? await store.cancellation(order) : undefined) ?? cancellation
    return { state: 'cancelled', cancellation: { ...cancellation, version, refund }, paying }
  }

  return async (wish, request) => {
    const result = await store.cancelOrder(wish, request)
    switch (result[0]) {
      case 'given-up':
        onDecided(result[1])
        return ended(wish.order, request.closing)
      case 'cancelled':
      case 'cancelling':
      case 'refunded':
        return ended(wish.order, request.closing)
      case 'stale':
        return { state: 'stale', version: Number(result[1]) }
      case 'unknown':
      case 'contradicted':
      case 'key-reused':
        return { state: result[0] }
      default:
        return unreachable('order.cancel_order', result)
    }
  }
}
