/** What are form clients answered? */
import { OFFERS } from '../../shared/contract/methods.ts'
import { type Route, routes } from '../../shared/http/route.ts'
import type { Status } from '../order.ts'
import { noSuchOrder } from '../problems.ts'
import { NOT_KEPT, type ShownOrder } from '../shown.ts'
import type { Store } from '../store.ts'
import { type FormStatus, forms } from './api.ts'

const STATUS_OF: Readonly<Record<Exclude<Status, 'open'>, FormStatus>> = {
  submitted: 'PROCESSING',
  'checking-out': 'PROCESSING',
  paid: 'APPROVED',
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

export const formRoutes = (store: Store): readonly Route[] =>
  routes(forms, {
    showFormOrder: async ({ params: { order } }) => {
      const shown = await store.show(order)
      return shown ? { json: formOf(shown), headers: NOT_KEPT } : { problem: noSuchOrder(order) }
    },
    listFormOrders: async ({ params: { user }, query: { offset, limit } }) => {
      const { total, orders } = await store.list({ user, status: undefined, after: undefined, offset, limit })
      return { json: { offset, limit, total, orders: orders.map(formOf) }, headers: NOT_KEPT }
    },
    listOffers: async () => ({ json: OFFERS }),
  })
