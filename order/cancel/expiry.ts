/**
 * When does an order expire that nobody touches any more?
 *
 * An open order holds neither money nor goods: to end it only tidies up. A run of the log parser looks at the next thousand keys of
 * this Redis, and goes on where the one before ended, whichever replica that was.
 */
import type { Dependencies } from '../../shared/service.ts'
import type { Store } from '../store.ts'

/** What the log parser is to do in each run. */
export const expiring =
  (store: Pick<Store, 'expireSome'>, ageMs: number, logger: Dependencies['logger']): (() => Promise<void>) =>
  async () => {
    const expired = await store.expireSome(ageMs)
    if (expired > 0) logger.info({ expired }, 'orders have expired')
  }
