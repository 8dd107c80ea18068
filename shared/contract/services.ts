/** Which services has the shop, and which of them do what the others do not? */

export const SERVICES = ['ids', 'order', 'payment', 'stock'] as const
export type Service = (typeof SERVICES)[number]

/** The first segment of the paths of what every service answers about itself, such as `/orders/features`. */
export const PREFIXES: Readonly<Record<Service, string>> = {
  ids: 'ids',
  order: 'orders',
  payment: 'payment',
  stock: 'stock',
}

/** The services that take part in checkouts. */
export const PARTICIPANTS = ['order', 'payment', 'stock'] as const satisfies readonly Service[]
export type Participant = (typeof PARTICIPANTS)[number]

/** The services whose Redis are the lock masters: three, so that two are a quorum. */
export const LOCK_MASTERS = ['order', 'payment', 'stock'] as const satisfies readonly Service[]
export type LockMaster = (typeof LOCK_MASTERS)[number]
