/** How does a checkout stand, for a client who asks, and which wait to be begun? */

import { impossible } from '../../shared/errors.ts'
import { isAnothers } from '../../shared/http/owner.ts'
import type { Log } from '../../shared/log/log.ts'
import { list, optional, text, tuple } from '../../shared/redis/reply.ts'
import type { Dependencies } from '../../shared/service.ts'
import { type Ended, endedOf, isPaid, isUndecided, type Undecided } from '../order.ts'
import type { Decisions } from './decisions.ts'

/** A checkout as it is shown. What has ended long ago is recorded by its order only, which says that it was paid. */
export type CheckoutStatus = {
  readonly order: string
  /** When it must be decided, and when it was, in ms by the own Redis; as far as that is recorded. */
  readonly deadlineMs: number | undefined
  readonly decidedMs: number | undefined
} & ({ readonly id: string; readonly state: Undecided } | Ended)

export type CheckoutStatusStore = {
  /**
   * Shows a checkout: the last one of the order, or another one of it.
   * @param owner whose order it is, if it is to be shown to nobody else
   * @param isTold a client counts on what it is told: it is upheld, should the own Redis forget it
   * @returns `unknown` if there is no such order, or it is another's; `undefined` if nothing is recorded of a checkout
   */
  readonly checkoutOf: (
    order: string,
    wanted?: { readonly saga?: string; readonly isTold?: boolean; readonly owner?: string | undefined },
  ) => Promise<CheckoutStatus | 'unknown' | undefined>
  /** Those that wait for so long to be begun, the oldest first. */
  readonly oldestSubmitted: (ageMs: number, most: number) => Promise<readonly WaitingCheckout[]>
}

/** A checkout that waits to be begun, and how long its deadline is ahead. */
export type WaitingCheckout = { readonly id: string; readonly order: string; readonly leftMs: number }

export type CheckoutStatusOptions = Pick<Dependencies, 'step'> &
  Pick<Decisions, 'acknowledge' | 'acknowledgeUnderWay'> & { readonly log: Log }

/** Reads what `order/checkout/lua/show-checkout.lua` returns. */
const texts = list(optional(text))
/** Reads what `order/checkout/lua/oldest-submitted.lua` returns. */
const waiting = list(tuple(text, text, text))

const msOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number.parseInt(text, 10)

export const openCheckoutStatusStore = (options: CheckoutStatusOptions): CheckoutStatusStore => {
  const { log, step, acknowledge, acknowledgeUnderWay } = options
  const show = log.query('show-checkout', texts)
  const oldest = log.query('oldest-submitted', waiting)
  return {
    oldestSubmitted: async (ageMs, most) => {
      const { found } = await step('oldest-submitted', () => oldest(`${ageMs} ${most}`))
      return found.map(([id, order, leftMs]) => ({ id, order, leftMs: Number(leftMs) }))
    },
    checkoutOf: async (order, { saga = '-', isTold = false, owner } = {}) => {
      const { found } = await step('show-checkout', () => show(`${order} ${saga}`))
      const [orderer, status, id, state, reason = '', item = '', ...rest] = found
      if (orderer === undefined || isAnothers(orderer, owner)) return 'unknown'
      if (id === undefined) return undefined
      const [user = '', total = '0', lines = '', deadline = '', entry = '', decided] = rest
      const shown = { order, deadlineMs: msOf(deadline || undefined), decidedMs: msOf(decided) }
      if (state === undefined) return isPaid(status) ? { ...shown, id, state: 'paid' } : undefined
      if (isUndecided(state)) {
        if (isTold) acknowledgeUnderWay({ id, state, order, user, total, lines, deadline, entry })
        return { ...shown, id, state }
      }
      const ended = endedOf({ id, state, reason, item }) ?? impossible('order.checkout-status', found)
      if (isTold) acknowledge({ ...ended, order, user, token: '', total, entry: decided ?? '', amends: '' })
      return { ...shown, ...ended }
    },
  }
}
