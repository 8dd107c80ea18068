/** HTTP in, results out: webhooks. */
import { nanoid } from 'nanoid'
import { unreachable } from '../../shared/errors.ts'
import { keyReused, malformedBody } from '../../shared/http/problems.ts'
import { type AnswerTo, type Given, type Route, routes } from '../../shared/http/route.ts'
import { NOT_KEPT } from '../shown.ts'
import type { KnownWebhook } from '../store/webhooks.ts'
import type { Store } from '../store.ts'
import { webhooks } from './api.ts'
import { isTaken } from './deliver.ts'
import { EVENT_TYPES, testEvent } from './event.ts'
import { noSuchWebhook, tooManyWebhooks } from './problems.ts'
import type { Sender } from './send.ts'
import { newSecret } from './signature.ts'
import { refusalOf } from './target.ts'
import { WEBHOOKS_MAX } from './webhook.ts'

const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

const shown = (webhook: KnownWebhook) => ({
  webhook_id: webhook.id,
  url: webhook.url,
  events: webhook.events,
  enabled: webhook.isEnabled,
  disabled_by: webhook.isEnabled ? null : (webhook.why ?? 'operator'),
  created_at: new Date(webhook.createdMs).toISOString(),
  delivered_at: time(webhook.deliveredMs),
  behind_ms: webhook.behindMs,
  failures: webhook.failures,
  last_error: webhook.error,
  next_attempt_at: time(webhook.nextMs),
  lost: webhook.lost,
})

export type WebhookRoutesOptions = {
  readonly store: Store
  readonly send: Sender['send']
  /** May a receiver be on a network of the shop itself? */
  readonly isPrivateAllowed: boolean
}

/** Each type once. */
const typesOf = (events: readonly string[]): string => [...new Set(events)].join(',')
const yesOrNo = (is: boolean): 'yes' | 'no' => (is ? 'yes' : 'no')

type Create = typeof webhooks.createWebhook
const createFrom =
  ({ store, isPrivateAllowed }: WebhookRoutesOptions) =>
  async (request: Given<Create>): Promise<AnswerTo<Create>> => {
    const { url, events = EVENT_TYPES, enabled } = request.body
    const refusal = refusalOf(new URL(url), isPrivateAllowed)
    if (refusal !== undefined) return { problem: malformedBody('url', `"url" cannot be sent to: ${refusal}`) }
    const wish = { webhook: nanoid(), url, events: typesOf(events), secret: newSecret(), enabled: yesOrNo(enabled) }
    const result = await store.createWebhook(wish, request)
    switch (result[0]) {
      case 'created': {
        const [, id, secret] = result
        const found = await store.findWebhook(id)
        if (found === undefined) return { problem: noSuchWebhook(id) }
        const headers = { Location: `/orders/webhooks/${id}`, ...NOT_KEPT }
        return { status: 201, json: { ...shown(found), secret }, headers }
      }
      case 'too-many':
        return { problem: tooManyWebhooks(WEBHOOKS_MAX) }
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return unreachable('order.create_webhook', result)
    }
  }

type Change = typeof webhooks.changeWebhook
const changeFrom =
  ({ store, isPrivateAllowed }: WebhookRoutesOptions) =>
  async (request: Given<Change>): Promise<AnswerTo<Change>> => {
    const { webhook } = request.params
    const { url, events, enabled } = request.body
    const refusal = url === undefined ? undefined : refusalOf(new URL(url), isPrivateAllowed)
    if (refusal !== undefined) return { problem: malformedBody('url', `"url" cannot be sent to: ${refusal}`) }
    const change = {
      ...(url === undefined ? {} : { url }),
      ...(events === undefined ? {} : { events: typesOf(events) }),
      ...(enabled === undefined ? {} : { enabled: yesOrNo(enabled) }),
    }
    const [result] = await store.changeWebhook(webhook, change, request)
    if (result === 'key-reused') return { problem: keyReused() }
    const found = await store.findWebhook(webhook)
    return found === undefined ? { problem: noSuchWebhook(webhook) } : { json: shown(found), headers: NOT_KEPT }
  }

type Rotate = typeof webhooks.rotateWebhookSecret
const rotateFrom =
  ({ store }: WebhookRoutesOptions) =>
  async (request: Given<Rotate>): Promise<AnswerTo<Rotate>> => {
    const { webhook } = request.params
    const result = await store.changeWebhook(webhook, { secret: newSecret() }, request)
    if (result[0] === 'key-reused') return { problem: keyReused() }
    const found = await store.findWebhook(webhook)
    if (result[0] !== 'rotated' || found === undefined) return { problem: noSuchWebhook(webhook) }
    return { json: { ...shown(found), secret: result[1] }, headers: NOT_KEPT }
  }

type Test = typeof webhooks.testWebhook
const testFrom =
  ({ store, send }: WebhookRoutesOptions) =>
  async (request: Given<Test>): Promise<AnswerTo<Test>> => {
    const { webhook } = request.params
    // Under its key it may be sent again: the receiver can tell that by nothing but the time.
    const [claimed] = await store.log.claim(request)
    if (claimed === 'key-reused') return { problem: keyReused() }
    const found = await store.findWebhook(webhook)
    if (found === undefined) return { problem: noSuchWebhook(webhook) }
    const event = testEvent(webhook, nanoid(), Date.now())
    const attempt = await send(found, { id: event.id, body: JSON.stringify(event) }, request.closing)
    const { status, error, tookMs } = attempt
    return {
      json: { event_id: event.id, delivered: isTaken(attempt), status, error, took_ms: tookMs },
      headers: NOT_KEPT,
    }
  }

export const webhookRoutes = (options: WebhookRoutesOptions): readonly Route[] => {
  const { store } = options
  return routes(webhooks, {
    createWebhook: createFrom(options),
    listWebhooks: async () => ({ json: { webhooks: (await store.webhooks()).map(shown) } }),
    showWebhook: async ({ params: { webhook } }) => {
      const found = await store.findWebhook(webhook)
      return found === undefined ? { problem: noSuchWebhook(webhook) } : { json: shown(found) }
    },
    changeWebhook: changeFrom(options),
    rotateWebhookSecret: rotateFrom(options),
    deleteWebhook: async (request) => {
      const { webhook } = request.params
      const [result] = await store.deleteWebhook(webhook, request)
      if (result === 'key-reused') return { problem: keyReused() }
      return result === 'deleted'
        ? { json: { webhook_id: webhook, deleted: true } }
        : { problem: noSuchWebhook(webhook) }
    },
    listDeliveries: async ({ params: { webhook } }) => {
      if ((await store.findWebhook(webhook)) === undefined) return { problem: noSuchWebhook(webhook) }
      return { json: { deliveries: await store.deliveriesOf(webhook) } }
    },
    testWebhook: testFrom(options),
  })
}
