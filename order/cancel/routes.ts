/** HTTP in, results out: the cancelling of orders. */
import { unreachable } from '../../shared/errors.ts'
import { AGAIN } from '../../shared/http/answer.ts'
import { etagOf } from '../../shared/http/etag.ts'
import { keyReused, staleAnswer } from '../../shared/http/problems.ts'
import { type Route, routes } from '../../shared/http/route.ts'
import { noSuchOrder } from '../problems.ts'
import { orderContradicted } from '../refunds/problems.ts'
import { cancels } from './api.ts'
import type { Cancel, Cancelled } from './cancel.ts'

type Refused = Exclude<Cancelled, { readonly state: 'cancelled' | 'cancelling' | 'stale' }>

const refusedOf = (order: string, { state }: Refused) => {
  switch (state) {
    case 'unknown':
      return { problem: noSuchOrder(order) }
    case 'contradicted':
      return { problem: orderContradicted(order) }
    case 'key-reused':
      return { problem: keyReused() }
    default:
      return unreachable('order.cancelled', state)
  }
}

/** It will be done: there a client sees whether it is. */
const later = (place: string) => ({ status: 202, headers: { Location: place, ...AGAIN } }) as const

const beingUndone = (order: string) =>
  ({ json: { status: 'cancelling', refunded: 0, credit_note: null }, ...later(`/orders/${order}`) }) as const

export const cancelRoutes = (cancel: Cancel): readonly Route[] =>
  routes(cancels, {
    cancelOrder: async (request) => {
      const { order } = request.params
      const { reason, restock } = request.body
      const from = request.ifMatch
      const wish = { order, from, restock: restock ? 'shelf' : 'none', reason: reason || undefined } as const
      const cancelled = await cancel(wish, request)
      if (cancelled.state === 'cancelling') return beingUndone(order)
      if (cancelled.state === 'stale') return staleAnswer(cancelled.version)
      if (cancelled.state !== 'cancelled') return refusedOf(order, cancelled)
      const { refunded, refund } = cancelled.cancellation
      const json = { status: 'cancelled', refunded, credit_note: refund?.note ?? null } as const
      const { paying } = cancelled
      return paying === undefined ? { json } : { json, ...later(`/orders/${order}/refunds/${paying}`) }
    },
    // What is cancelled is deleted, whatever is still on its way back.
    deleteOrder: async (request) => {
      const { order } = request.params
      const wish = { order, from: request.ifMatch, restock: 'shelf', reason: undefined } as const
      const cancelled = await cancel(wish, request)
      if (cancelled.state === 'cancelling') return beingUndone(order)
      if (cancelled.state === 'cancelled')
        return { empty: 204, headers: { ETag: etagOf(cancelled.cancellation.version) } }
      return cancelled.state === 'stale' ? staleAnswer(cancelled.version) : refusedOf(order, cancelled)
    },
  })
