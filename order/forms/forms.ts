/** What are form clients answered? */
import { nanoid } from 'nanoid'
import { isWithin, OFFERS, offerOf } from '../../shared/contract/methods.ts'
import { unreachable } from '../../shared/errors.ts'
import { AGAIN, LOG_ID_HEADER } from '../../shared/http/answer.ts'
import { isAnothers } from '../../shared/http/owner.ts'
import { keyReused } from '../../shared/http/problems.ts'
import { type Handler, type Route, routes } from '../../shared/http/route.ts'
import type { ResultOnce } from '../../shared/redis/command.ts'
import type { Once } from '../../shared/redis/script.ts'
import type { placeAndSubmit } from '../commands.ts'
import type { Status } from '../order.ts'
import { methodInvalid, noSuchOrder, noSuchUser, orderInvalid, tooManySubmitted } from '../problems.ts'
import type { ShownOrder } from '../shown.ts'
import type { PaidBy } from '../store/cart.ts'
import type { Store } from '../store.ts'
import { type FormStatus, forms } from './api.ts'

const STATUS_OF: Readonly<Record<Exclude<Status, 'open'>, FormStatus>> = {
  submitted: 'PROCESSING',
  'checking-out': 'PROCESSING',
  paid: 'APPROVED',
  changing: 'APPROVED',
  cancelling: 'CANCELED',
  cancelled: 'CANCELED',
  expired: 'CANCELED',
}

/** An order that is open again was refused: to these clients that is its end. */
const statusOf = ({ status, checkout }: Pick<ShownOrder, 'status' | 'checkout'>): FormStatus => {
  if (status !== 'open') return STATUS_OF[status]
  return checkout === null ? 'OPEN' : 'CANCELED'
}

const formOf = (shown: ShownOrder) => ({
  id: shown.order_id,
  value: String(shown.total_cost),
  user_id: shown.user_id,
  installment: shown.installments,
  status: statusOf(shown),
  method: shown.method,
})

/** An order over a value. */
export type FormOrder = { readonly order: string; readonly user: string; readonly total: number } & PaidBy
/** Places it and has its checkout begun, which is tried once. @throws UnavailableError */
export type Place = (order: FormOrder, requester: Once) => Promise<ResultOnce<typeof placeAndSubmit>>

const placeFrom =
  (place: Place): Handler<typeof forms.placeFormOrder> =>
  async (request) => {
    const { value, user_id: user, installment, method } = request.body
    if (isAnothers(user, request.owner)) return { problem: noSuchUser(user) }
    const offer = offerOf(method, installment)
    if (offer === undefined) return { problem: methodInvalid(method, installment) }
    if (!isWithin(offer, value)) return { problem: orderInvalid(offer) }
    const order = { order: nanoid(), user, total: value, method, installments: installment }
    const result = await place(order, request)
    switch (result[0]) {
      case 'submitted': {
        const [, id, logId] = result
        const json = { id, value: String(value), user_id: user, installment, status: 'PROCESSING', method } as const
        return { status: 201, json, headers: { Location: `/api/order/${id}`, [LOG_ID_HEADER]: logId } }
      }
      case 'full':
        return { problem: tooManySubmitted(), headers: AGAIN }
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return unreachable('order.place_and_submit', result)
    }
  }

export const formRoutes = (store: Store, place: Place): readonly Route[] =>
  routes(forms, {
    placeFormOrder: placeFrom(place),
    showFormOrder: async ({ params: { order }, owner }) => {
      const shown = await store.show(order, owner)
      return shown ? { json: formOf(shown) } : { problem: noSuchOrder(order) }
    },
    listFormOrders: async ({ params: { user }, query: { offset, limit }, owner }) => {
      if (isAnothers(user, owner)) return { json: { offset, limit, total: 0, orders: [] } }
      const { total, orders } = await store.list({ user, status: undefined, after: undefined, offset, limit })
      return { json: { offset, limit, total, orders: orders.map(formOf) } }
    },
    listOffers: async () => ({ json: OFFERS }),
  })
