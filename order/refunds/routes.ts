/** HTTP in, results out: refunds. */
import { unreachable } from '../../shared/errors.ts'
import { AGAIN, LOG_ID_HEADER } from '../../shared/http/answer.ts'
import { keyReused, staleAnswer } from '../../shared/http/problems.ts'
import { type AnswerTo, type Given, type Handler, type Route, routes } from '../../shared/http/route.ts'
import { isExact, listed } from '../costs.ts'
import { noSuchOrder, sumTooLargeIn } from '../problems.ts'
import { NOT_KEPT } from '../shown.ts'
import type { Store } from '../store.ts'
import { refunds } from './api.ts'
import {
  linePricesUnknown,
  noSuchRefund,
  nothingToRefund,
  orderChanging,
  orderContradicted,
  orderNotPaid,
  quantityTooGreat,
  tooManyRefunds,
} from './problems.ts'
import { grantedBy, REFUNDS_MAX, type Refund } from './refund.ts'
import type { Settlements } from './settlements.ts'

type Asked = Given<typeof refunds.refundOrder>
type Answer = AnswerTo<typeof refunds.refundOrder>

const shown = (order: string, { id, state, amount, lines, restock, reason, note, replaced, grantedMs }: Refund) => ({
  refund_id: id,
  order_id: order,
  status: state,
  amount,
  lines: lines.map(([item_id, quantity]) => ({ item_id, quantity })),
  restock,
  reason,
  credit_note: note,
  replaces: replaced,
  granted_at: new Date(grantedMs).toISOString(),
})

/** The lines that are wanted, an item once, as a text; '' for all that is left, `undefined` if they are more than can be counted. */
const linesOf = ({ lines = [] }: Asked['body']): string | undefined => {
  const pieces = new Map<string, number>()
  for (const { item_id, quantity } of lines) pieces.set(item_id, (pieces.get(item_id) ?? 0) + quantity)
  return [...pieces.values()].every(isExact) ? listed(pieces) : undefined
}

/** What a client is answered whose refund is granted: that it is settled, if payment says so in time. */
const answerTo = async (order: string, refund: Refund, settled: Promise<Refund | undefined>): Promise<Answer> => {
  const { id } = refund
  const found = (await settled) ?? refund
  const headers = { Location: `/orders/${order}/refunds/${id}`, [LOG_ID_HEADER]: id, ...NOT_KEPT }
  const json = shown(order, found)
  if (found.state === 'settled') return { status: 201, json, headers }
  return { status: 202, json, headers: { ...headers, ...AGAIN } }
}

const refundFrom =
  (store: Store, settlements: Settlements): Handler<typeof refunds.refundOrder> =>
  async (request) => {
    const { order } = request.params
    const { restock, reason } = request.body
    const lines = linesOf(request.body)
    if (lines === undefined) return { problem: sumTooLargeIn('lines') }
    const result = await store.refund({ order, from: request.ifMatch, lines, restock, reason }, request)
    switch (result[0]) {
      case 'granted': {
        const refund = grantedBy(result, reason)
        return answerTo(order, refund, settlements.wait(order, refund.id, request.closing))
      }
      case 'unknown':
        return { problem: noSuchOrder(order) }
      case 'stale':
        return staleAnswer(Number(result[1]))
      case 'not-paid':
        return result[1] === 'changing'
          ? { problem: orderChanging(order), headers: AGAIN }
          : { problem: orderNotPaid(order, result[1]) }
      case 'contradicted':
        return { problem: orderContradicted(order) }
      case 'nothing':
        return { problem: nothingToRefund(order) }
      case 'too-much':
        return { problem: quantityTooGreat(order, result[1], Number(result[2])) }
      case 'prices-unknown':
        return { problem: linePricesUnknown(order, result[1]) }
      case 'too-many':
        return { problem: tooManyRefunds(order, REFUNDS_MAX) }
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return unreachable('order.refund', result)
    }
  }

export const refundRoutes = (store: Store, settlements: Settlements): readonly Route[] =>
  routes(refunds, {
    refundOrder: refundFrom(store, settlements),
    listRefunds: async ({ params: { order }, owner }) => {
      const found = await store.refundsOf(order, owner)
      if (found === undefined) return { problem: noSuchOrder(order) }
      return { json: { order_id: order, refunds: found.map((one) => shown(order, one)) } }
    },
    showRefund: async ({ params: { order, refund }, owner }) => {
      const found = await store.findRefund(order, refund, owner)
      if (found !== undefined) return { json: shown(order, found) }
      const isKnown = (await store.refundsOf(order, owner)) !== undefined
      return { problem: isKnown ? noSuchRefund(order, refund) : noSuchOrder(order) }
    },
  })
