/** How is the order service set? */
import { flag, integer, origins } from '../shared/process/config.ts'
import { peerRedis, serviceSettings } from '../shared/settings.ts'
import { DEADLINE_MAX_MS } from './recovery.ts'

export const settings = {
  ...serviceSettings,
  payment: peerRedis.payment,
  stock: peerRedis.stock,
  ids: origins('IDS_URLS'),
  paymentOrigins: origins('PAYMENT_URLS'),
  stockOrigins: origins('STOCK_URLS'),
  deadlineMs: integer('CHECKOUT_DEADLINE_MS', { min: 100, max: DEADLINE_MAX_MS }, 10_000),
  asyncDeadlineMs: integer('CHECKOUT_ASYNC_DEADLINE_MS', { min: 100, max: DEADLINE_MAX_MS }, DEADLINE_MAX_MS),
  submittedMax: integer('SUBMITTED_MAX', { min: 1, max: 1_000_000 }, 10_000),
  lockTtlMs: integer('LOCK_TTL_MS', { min: 1, max: 120_000 }, 3_000),
  expiryHours: integer('ORDER_EXPIRY_HOURS', { min: 0, max: 24 * 365 }, 0),
  /** For tests: the same in milliseconds. */
  expiryMs: integer('ORDER_EXPIRY_MS', { min: 0, max: 24 * 365 * 3_600_000 }, 0),
  checkoutsMax: integer('CHECKOUTS_MAX', { min: 1, max: 10_000 }, 256),
  allowPrivateWebhooks: flag('ALLOW_PRIVATE_WEBHOOKS', false),
}
