/** What can be asked about webhooks? */
import * as v from 'valibot'
import { exactly, identifier } from '../../shared/contract/fields.ts'
import { keyReused } from '../../shared/http/problems.ts'
import type { Rows } from '../../shared/http/route.ts'
import { EVENT_TYPES } from './event.ts'
import { noSuchWebhook, tooManyWebhooks } from './problems.ts'
import { isTarget, URL_MAX } from './target.ts'

const MUST_BE_URL = `be an http or https URL of up to ${URL_MAX} characters, without a user, a password or a fragment`
const url = v.pipe(
  v.string(MUST_BE_URL),
  v.check(isTarget, MUST_BE_URL),
  // As it is asked for: what else a text may have (a line break) is no part of it.
  v.transform((text) => new URL(text).href),
  v.string(),
)
const MUST_BE_TYPES = `be a list of types of events, of ${EVENT_TYPES.join(', ')}`
const events = v.pipe(v.array(v.picklist(EVENT_TYPES, MUST_BE_TYPES), MUST_BE_TYPES), v.minLength(1, MUST_BE_TYPES))
const enabled = v.boolean('be true or false')

const shown = {
  webhook_id: v.string(),
  url: v.string(),
  events: v.array(v.string()),
  enabled: v.boolean(),
  /** `gone` if the receiver has answered 410. */
  disabled_by: v.nullable(v.string()),
  created_at: v.string(),
  delivered_at: v.nullable(v.string()),
  behind_ms: v.number(),
  failures: v.number(),
  last_error: v.nullable(v.string()),
  next_attempt_at: v.nullable(v.string()),
  lost: v.array(v.object({ after: v.string(), until: v.string(), noticed_at: v.string() })),
}
const webhook = v.object(shown)
const webhookWithSecret = v.object({ ...shown, secret: v.string() })

const attempt = { status: v.nullable(v.number()), error: v.nullable(v.string()), took_ms: v.number() }
const delivery = v.object({
  event_id: v.string(),
  type: v.string(),
  at: v.string(),
  attempt: v.number(),
  ...attempt,
})

export const webhooks = {
  createWebhook: {
    method: 'POST',
    path: '/orders/webhooks',
    summary: 'Has events of these types, or of all, sent to a URL from now on; shows the secret that signs them, once',
    body: { fields: exactly({ url, events: v.optional(events), enabled: v.optional(enabled, true) }) },
    answers: { 201: { json: webhookWithSecret } },
    problems: [tooManyWebhooks, noSuchWebhook, keyReused],
    repeatable: 'under-a-key',
    scope: 'operator',
    shownAt: '/orders/webhooks',
  },
  listWebhooks: {
    method: 'GET',
    path: '/orders/webhooks',
    summary: 'Shows all webhooks, the oldest first',
    answers: { 200: { json: v.object({ webhooks: v.array(webhook) }) } },
    problems: [],
    repeatable: 'as-it-is',
    scope: 'operator',
  },
  showWebhook: {
    method: 'GET',
    path: '/orders/webhooks/{webhook}',
    summary: 'Shows a webhook, how far behind it is, and what it has lost',
    params: { webhook: identifier },
    answers: { 200: { json: webhook } },
    problems: [noSuchWebhook],
    repeatable: 'as-it-is',
    scope: 'operator',
  },
  changeWebhook: {
    method: 'PATCH',
    path: '/orders/webhooks/{webhook}',
    summary: 'Changes what is given of a webhook, or switches it off or on again; what failed before is tried at once',
    params: { webhook: identifier },
    body: { fields: exactly({ url: v.optional(url), events: v.optional(events), enabled: v.optional(enabled) }) },
    answers: { 200: { json: webhook } },
    problems: [noSuchWebhook, keyReused],
    repeatable: 'as-it-is',
    scope: 'operator',
    shownAt: '/orders/webhooks/{webhook}',
  },
  rotateWebhookSecret: {
    method: 'POST',
    path: '/orders/webhooks/{webhook}/secret',
    summary: 'Gives a webhook another secret, and shows it, once; for a day the one before signs as well',
    params: { webhook: identifier },
    answers: { 200: { json: webhookWithSecret } },
    problems: [noSuchWebhook, keyReused],
    repeatable: 'under-a-key',
    scope: 'operator',
    shownAt: '/orders/webhooks/{webhook}',
  },
  deleteWebhook: {
    method: 'DELETE',
    path: '/orders/webhooks/{webhook}',
    summary: 'Forgets a webhook: nothing is sent to it any more',
    params: { webhook: identifier },
    answers: { 200: { json: v.object({ webhook_id: v.string(), deleted: v.boolean() }) } },
    problems: [noSuchWebhook, keyReused],
    repeatable: 'as-it-is',
    scope: 'operator',
    shownAt: '/orders/webhooks/{webhook}',
  },
  listDeliveries: {
    method: 'GET',
    path: '/orders/webhooks/{webhook}/deliveries',
    summary: 'Shows the last hundred attempts to deliver to a webhook, the last one first',
    params: { webhook: identifier },
    answers: { 200: { json: v.object({ deliveries: v.array(delivery) }) } },
    problems: [noSuchWebhook],
    repeatable: 'as-it-is',
    scope: 'operator',
  },
  testWebhook: {
    method: 'POST',
    path: '/orders/webhooks/{webhook}/test',
    summary: 'Sends a test event at once, past all that waits, and says what came of it',
    params: { webhook: identifier },
    answers: { 200: { json: v.object({ event_id: v.string(), delivered: v.boolean(), ...attempt }) } },
    problems: [noSuchWebhook, keyReused],
    repeatable: 'as-it-is',
    scope: 'operator',
    shownAt: '/orders/webhooks/{webhook}',
  },
} as const satisfies Rows
