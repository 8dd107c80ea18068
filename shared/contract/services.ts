/** Which services hold what all need? */
import type { Service } from './events.ts'

/** The services whose Redis are the lock masters: three, so that two are a quorum. */
export const LOCK_MASTERS = ['order', 'payment', 'stock'] as const satisfies readonly Service[]
export type LockMaster = (typeof LOCK_MASTERS)[number]
