/** How does the shop tell other programs what becomes of orders? By the routes for operators, and the deliveries. */
import type { Route } from '../../shared/http/route.ts'
import type { Dependencies } from '../../shared/service.ts'
import type { DeliveryStore } from '../store/deliveries.ts'
import type { Store } from '../store.ts'
import { type Delivering, openDelivering } from './delivering.ts'
import { openWebhookMetrics } from './metrics.ts'
import { webhookRoutes } from './routes.ts'
import { openSender } from './send.ts'

export type Webhooks = Delivering & { readonly routes: readonly Route[] }

export type WebhooksOptions = Pick<Dependencies, 'underLease' | 'logger' | 'metrics' | 'step'> & {
  readonly store: Store
  readonly openDeliveries: () => DeliveryStore
  /** May a receiver be on a network of the shop itself? */
  readonly isPrivateAllowed: boolean
}

export const openWebhooks = (options: WebhooksOptions): Webhooks => {
  const { store, metrics, step, isPrivateAllowed } = options
  const sender = openSender(step, isPrivateAllowed)
  const measured = openWebhookMetrics(metrics, store)
  const { start, stop } = openDelivering({ ...options, send: sender.send, measured })
  return {
    routes: webhookRoutes({ store, send: sender.send, isPrivateAllowed }),
    start,
    stop: async () => {
      await stop()
      sender.close()
    },
  }
}
