/** What is counted of webhooks, and shown of them? */
import { counter, gauge } from '../../shared/metrics/metric.ts'
import type { Metrics } from '../../shared/metrics/metrics.ts'
import type { WebhookStore } from '../store/webhooks.ts'

export const deliveriesTotal = counter(
  'shop_webhook_deliveries_total',
  'Attempts of this process to deliver an event: delivered or failed; lost, what was trimmed before that',
  'outcome',
)
export const webhookGauges = {
  webhooks: gauge(
    'shop_webhooks',
    'Webhooks: those that are delivered to, those that fail, and those that are disabled',
    'state',
  ),
  lag: gauge(
    'shop_webhook_lag_seconds',
    'For how long the webhook that is furthest behind has not been delivered all; one that is disabled does not count',
  ),
} as const

export type WebhookMetrics = { readonly attempted: (outcome: 'delivered' | 'failed' | 'lost') => void }

export const openWebhookMetrics = (metrics: Metrics, store: Pick<WebhookStore, 'webhooks'>): WebhookMetrics => {
  const deliveries = metrics.counter(deliveriesTotal)
  metrics.source('webhooks', webhookGauges, async (tell) => {
    const all = await store.webhooks()
    const enabled = all.filter(({ isEnabled }) => isEnabled)
    const failing = enabled.filter(({ failures }) => failures > 0)
    tell.webhooks(enabled.length - failing.length, 'delivering')
    tell.webhooks(failing.length, 'failing')
    tell.webhooks(all.length - enabled.length, 'disabled')
    tell.lag(Math.max(0, ...enabled.map(({ behindMs }) => behindMs)) / 1_000)
  })
  return { attempted: (outcome) => deliveries(outcome)() }
}
