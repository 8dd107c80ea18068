/** The order that most tests of an order's store begin with: `cart`, of anna, for two of tea at 15. */
import type { Store } from '../../../order/store.ts'
import { plainly } from './open-store.ts'

export const LINE = { order: 'cart', item: 'tea', quantity: 2, price: 15 } as const
/** What is said of its checkout, whatever becomes of it. */
export const MONEY = { order: 'cart', user: 'anna', total: 30, lines: 'tea:2', reason: '', item: '' } as const

export const openCart = async (store: Store, order = 'cart', user = 'anna'): Promise<void> => {
  await store.create(order, user, plainly)
  await store.addItem({ ...LINE, order }, plainly)
}

/** Begins its checkout. */
export const beginCart = (store: Store, id = 'it', timeoutMs = 60_000, token = '') =>
  store.begin({ log_id: id, order: 'cart', user: 'anna', token, timeout_ms: timeoutMs }, plainly)

/** Both, for a test that begins with a checkout under way. */
export const openCheckout = async (store: Store, timeoutMs?: number): Promise<void> => {
  await openCart(store)
  await beginCart(store, 'it', timeoutMs)
}
