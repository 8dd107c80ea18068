/**
 * What is a webhook to be sent next, and what came of it?
 *
 * Over a connection of its own, so that no checkout waits behind a page of the log.
 */
import type { Redis } from 'ioredis'
import type { RawEntry } from '../../shared/contract/raw-entry.ts'
import { compareIds } from '../../shared/log/entry.ts'
import { openLog } from '../../shared/log/log.ts'
import { runner } from '../../shared/log/runner.ts'
import type { ArgsOf, ResultOf } from '../../shared/redis/command.ts'
import { disconnect } from '../../shared/redis/connection.ts'
import { fields, list, text, tuple } from '../../shared/redis/reply.ts'
import type { Dependencies } from '../../shared/service.ts'
import * as commands from '../webhooks/commands.ts'
import { type Webhook, webhookOf } from '../webhooks/webhook.ts'
import { names } from './keys.ts'

/** What a webhook has not passed yet, as of one moment. */
export type WebhookPage = {
  readonly webhook: Webhook
  /** May an attempt be made now? */
  readonly isDue: boolean
  /** The last entry that was trimmed, if the webhook has not passed it. */
  readonly lostUntil: string | undefined
  readonly entries: readonly RawEntry[]
}

type PassArgs = ArgsOf<typeof commands.passWebhook>
type FailArgs = Omit<ArgsOf<typeof commands.failWebhook>, 'log_id'>

/** Each function throws `UnavailableError`. */
export type DeliveryStore = {
  /** For which webhooks there is something to do now. */
  readonly due: () => Promise<readonly string[]>
  /** `undefined` if there is no such webhook. */
  readonly page: (webhook: string) => Promise<WebhookPage | undefined>
  readonly pass: (args: PassArgs) => Promise<ResultOf<typeof commands.passWebhook>[0]>
  readonly fail: (args: FailArgs) => Promise<ResultOf<typeof commands.failWebhook>[0]>
  readonly close: () => void
}

/** How many entries are read at once. */
const PAGE = 256
/** A page takes a script of its own. */
const PAGES_AT_ONCE = 1

/** What `webhooks/lua/webhook-page.lua` returns. */
const found = tuple(text, fields, text, list(tuple(text, list(text))))

export type DeliveryStoreOptions = Pick<Dependencies, 'step' | 'identifiers' | 'retentionS'> & {
  /** It is closed with the store. */
  readonly redis: Redis
}

export const openDeliveryStore = ({ redis, step, identifiers, retentionS }: DeliveryStoreOptions): DeliveryStore => {
  const lua = [new URL('../webhooks/lua/', import.meta.url)]
  const log = openLog({ service: 'order', redis, step, lua, names, reactions: {}, retentionS })
  const { run } = runner(log)
  const askDue = log.query('due-webhooks', list(text))
  const askPage = log.query('webhook-page', found, PAGES_AT_ONCE)
  return {
    due: async () => (await step('due-webhooks', () => askDue(''))).found,
    page: async (id) => {
      const [now, kept, trimmed, entries] = (await step('webhook-page', () => askPage(`${id} ${PAGE}`))).found
      const webhook = webhookOf(id, kept, Number(now))
      if (webhook === undefined) return undefined
      const { isEnabled, nextMs, cursor } = webhook
      const lostUntil = compareIds(cursor, trimmed) < 0 ? trimmed : undefined
      return { webhook, isDue: isEnabled && (nextMs ?? 0) <= Number(now), lostUntil, entries }
    },
    pass: async (args) => (await run(commands.passWebhook, args))[0],
    fail: async (args) => (await run(commands.failWebhook, { log_id: identifiers.next(), ...args }))[0],
    close: () => disconnect(redis),
  }
}
