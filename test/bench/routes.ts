/**
 * Which routes can be measured, and what does each do to the books?
 *
 * A request's number names the thing it is about: the order for those of orders, else the user or item, which begin again at the
 * first after the last. What writes writes one piece, so that the count of its answers is what it changed. Orders that are placed
 * are made beside those of the seed, and change neither money nor goods. A lock is got and released, which is one answer in two
 * requests; each lock is a new one.
 */
import type { Job } from './load.ts'
import type { Seed } from './seed.ts'

export type Route = Pick<Job, 'method' | 'path' | 'body' | 'followedBy'> & {
  /** What the number names. */
  readonly of: 'orders' | 'users' | 'items' | 'users and items' | 'locks'
  /** What one answer of 200 does to the wallet of the user or to the shelf of the item, if it does anything there. */
  readonly adds: 1 | 0 | -1
}

export const ROUTES = {
  checkout: { method: 'POST', path: '/orders/checkout/{n}', of: 'orders', adds: 0 },
  place: {
    method: 'POST',
    path: '/orders',
    body: JSON.stringify({ user_id: '{n}', lines: ['{n}', '{next}'].map((item_id) => ({ item_id, quantity: 1 })) }),
    of: 'users and items',
    adds: 0,
  },
  'list-orders': { method: 'GET', path: '/orders?user={n}', of: 'users', adds: 0 },
  'show-order': { method: 'GET', path: '/orders/{n}', of: 'orders', adds: 0 },
  'find-order': { method: 'GET', path: '/orders/find/{n}', of: 'orders', adds: 0 },
  'find-user': { method: 'GET', path: '/payment/find_user/{n}', of: 'users', adds: 0 },
  'find-item': { method: 'GET', path: '/stock/find/{n}', of: 'items', adds: 0 },
  'add-funds': { method: 'POST', path: '/payment/add_funds/{n}/1', of: 'users', adds: 1 },
  pay: { method: 'POST', path: '/payment/pay/{n}/1', of: 'users', adds: -1 },
  add: { method: 'POST', path: '/stock/add/{n}/1', of: 'items', adds: 1 },
  subtract: { method: 'POST', path: '/stock/subtract/{n}/1', of: 'items', adds: -1 },
  lock: {
    method: 'PUT',
    path: '/locks/bench-{n}/leases/{n}',
    followedBy: { method: 'DELETE', path: '/locks/bench-{n}/leases/{n}' },
    of: 'locks',
    adds: 0,
  },
} as const satisfies Readonly<Record<string, Route>>

/** More than are ever asked for. */
const LOCKS_MAX = 1_000_000_000

export type RouteName = keyof typeof ROUTES
export const routeNames = Object.keys(ROUTES) as readonly RouteName[]

/** An order is checked out once, so a checkout's numbers end with the orders; all others go round for ever. */
export const thingsOf = (name: RouteName, seed: Seed): number | undefined => {
  const { of } = ROUTES[name]
  if (name === 'checkout') return undefined
  if (of === 'locks') return LOCKS_MAX
  return of === 'users and items' ? Math.min(seed.users, seed.items) : seed[of]
}

/** Does what it does change a wallet or a shelf? */
export const writes = (name: RouteName): boolean => ROUTES[name].adds !== 0
