/** Payment, as far as it drafts invoices: what a request waits for is drafted, and order has read of it. */
import type { Drafts } from '../../../order/drafts/drafts.ts'
import type { Store } from '../../../order/store.ts'
import type { Teller } from './open-store.ts'

export const drafting = (store: Pick<Store, 'find' | 'draftedVersion'>, tell: Teller): Pick<Drafts, 'wait'> => ({
  wait: async ({ order, version }) => {
    if ((await store.draftedVersion(order)) >= version) return true
    const { user_id: user = '', total_cost: total = 0 } = (await store.find(order)) ?? {}
    await tell('payment', 'InvoiceDrafted', 'draft', { order, user, total, order_version: version })
    return true
  },
})
