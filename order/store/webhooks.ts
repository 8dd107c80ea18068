/** Which webhooks are there, and how do operators change them? */
import type { Log } from '../../shared/log/log.ts'
import type { Runner } from '../../shared/log/runner.ts'
import type { ResultOnce } from '../../shared/redis/command.ts'
import { fields, list, text, tuple } from '../../shared/redis/reply.ts'
import type { Once } from '../../shared/redis/script.ts'
import type { Dependencies } from '../../shared/service.ts'
import * as commands from '../webhooks/commands.ts'
import { type Delivery, type Gap, WEBHOOKS_MAX, type Webhook, webhookOf } from '../webhooks/webhook.ts'
import { names } from './keys.ts'

export type WebhookChange = { readonly url?: string; readonly events?: string; readonly enabled?: 'yes' | 'no' }

export type KnownWebhook = Webhook & {
  readonly lost: readonly Gap[]
  /** Is something in the log that it has not passed, and for how long? */
  readonly isBehind: boolean
  readonly behindMs: number
}

export type WebhookStore = {
  readonly createWebhook: (
    wish: { readonly webhook: string; readonly url: string; readonly events: string; readonly secret: string } & {
      readonly enabled: 'yes' | 'no'
    },
    once: Once,
  ) => Promise<ResultOnce<typeof commands.createWebhook>>
  /** With a secret, it replaces the one before. */
  readonly changeWebhook: (
    webhook: string,
    change: WebhookChange & { readonly secret?: string },
    once: Once,
  ) => Promise<ResultOnce<typeof commands.changeWebhook>>
  readonly deleteWebhook: (webhook: string, once: Once) => Promise<ResultOnce<typeof commands.deleteWebhook>>
  /** All of them, the oldest first. @throws UnavailableError */
  readonly webhooks: () => Promise<readonly KnownWebhook[]>
  /** One of them; `undefined` if there is none. @throws UnavailableError */
  readonly findWebhook: (webhook: string) => Promise<KnownWebhook | undefined>
  /** Its last attempts, the last one first. @throws UnavailableError */
  readonly deliveriesOf: (webhook: string) => Promise<readonly Delivery[]>
  /** @throws UnavailableError */
  readonly hasWebhooks: () => Promise<boolean>
}

/** What `webhooks/lua/webhooks.lua` returns. */
const known = tuple(text, list(tuple(text, fields, text, list(text))))

const gapOf = (kept: string): Gap => {
  const [after = '', until = '', noticed] = kept.split(' ')
  return { after, until, noticed_at: new Date(Number(noticed)).toISOString() }
}

export type WebhookStoreOptions = Pick<Dependencies, 'redis' | 'step' | 'identifiers'> & {
  readonly log: Log
  readonly runOnce: Runner['runOnce']
}

export const openWebhookStore = ({ redis, step, identifiers, log, runOnce }: WebhookStoreOptions): WebhookStore => {
  const ask = log.query('webhooks', known)
  const read = async (about: string): Promise<readonly KnownWebhook[]> => {
    const [now, all] = (await step('webhooks', () => ask(about))).found
    return all
      .flatMap(([id, kept, waiting, lost]) => {
        const webhook = webhookOf(id, kept, Number(now))
        if (webhook === undefined) return []
        const behindMs = waiting === '' ? 0 : Math.max(0, Number(now) - Number.parseInt(waiting, 10))
        return [{ ...webhook, lost: lost.map(gapOf), isBehind: waiting !== '', behindMs }]
      })
      .toSorted((one, other) => one.createdMs - other.createdMs || (one.id < other.id ? -1 : 1))
  }
  return {
    createWebhook: (wish, once) =>
      runOnce(commands.createWebhook, { log_id: identifiers.next(), ...wish, most: WEBHOOKS_MAX }, once),
    changeWebhook: (webhook, change, once) =>
      runOnce(commands.changeWebhook, { log_id: identifiers.next(), webhook, ...change }, once),
    deleteWebhook: (webhook, once) => runOnce(commands.deleteWebhook, { log_id: identifiers.next(), webhook }, once),
    webhooks: () => read(''),
    findWebhook: async (webhook) => (await read(webhook))[0],
    deliveriesOf: async (webhook) => {
      const kept = await step('deliveries', () => redis.lrange(names.deliveries + webhook, 0, -1))
      return kept.map((one) => JSON.parse(one) as Delivery)
    },
    hasWebhooks: async () => (await step('has-webhooks', () => redis.exists(names.webhooks))) === 1,
  }
}
