/**
 * How does a webhook get what was appended?
 *
 * One event after the other, in the order of the log, each until it is taken (2xx). The cursor of the webhook moves behind an event only
 * then, by a command that moves it from where it was found. So nothing is sent for the first time before all that came earlier was taken,
 * whatever dies, and whoever delivers: a process that delivers beside another one, or after a Redis came back older, repeats under the same
 * ids, and stops as soon as its command does not find the cursor where it was.
 *
 * An event that is not taken is tried again after a while (`backoff.ts`), or when the receiver wishes; those behind it wait, for
 * as long as the log is kept. What is trimmed by then is listed as lost. Nobody waits for any of this: the log is trimmed as if
 * there were no webhooks.
 */
import type { Logger } from 'pino'
import type { DeliveryStore, WebhookPage } from '../store/deliveries.ts'
import { backOffMs, retryAfterMs } from './backoff.ts'
import { type CloudEvent, eventOf } from './event.ts'
import type { WebhookMetrics } from './metrics.ts'
import type { Attempt, Sender } from './send.ts'
import type { Delivery, Webhook } from './webhook.ts'

const GONE = 410

export type DeliverOptions = {
  readonly store: Pick<DeliveryStore, 'page' | 'pass' | 'fail'>
  readonly send: Sender['send']
  readonly measured: WebhookMetrics
  readonly logger: Pick<Logger, 'info' | 'warn'>
  /** How long to wait after so many failures. */
  readonly waitMs?: (failures: number) => number
}

export const isTaken = ({ status }: Pick<Attempt, 'status'>): boolean =>
  status !== null && status >= 200 && status < 300

/** Why an attempt has failed, in a line. */
const reasonOf = ({ status, error }: Attempt): string =>
  (error ?? `it answered ${status}`).replaceAll(/\s+/g, ' ').toWellFormed()

const deliveryOf = ({ id, type }: CloudEvent, { status, error, tookMs }: Attempt, attempt: number): Delivery => ({
  event_id: id,
  type,
  at: new Date().toISOString(),
  attempt,
  status,
  error,
  took_ms: tookMs,
})

/** Sends what one webhook has not got, until there is no more, or an attempt fails. @throws UnavailableError */
export type Deliver = (webhook: string, signal: AbortSignal) => Promise<void>

export const openDeliver = (options: DeliverOptions): Deliver => {
  const { store, send, measured, logger, waitMs = backOffMs } = options

  const noteFailure = async (webhook: Webhook, from: string, event: CloudEvent, attempt: Attempt, failures: number) => {
    const { id, version } = webhook
    const note = JSON.stringify(deliveryOf(event, attempt, failures))
    const wait = retryAfterMs(attempt.retryAfter, Date.now()) ?? waitMs(failures)
    const error = reasonOf(attempt)
    const gone = attempt.status === GONE ? 'yes' : 'no'
    const result = await store.fail({ webhook: id, from, version, wait_ms: wait, note, error, gone })
    measured.attempted('failed')
    if (result === 'disabled') logger.warn({ webhook: id }, 'the receiver of a webhook is gone: it is disabled')
    else logger.info({ webhook: id, event: event.id, error, failures, waitMs: wait }, 'an event was not taken')
  }

  /** Delivers a page. @returns whether to go on with what comes then */
  const deliverPage = async ({ webhook, entries }: WebhookPage, signal: AbortSignal): Promise<boolean> => {
    const { id, version, events } = webhook
    let { cursor, failures } = webhook
    for (const entry of entries) {
      const event = eventOf(entry, events)
      if (event === undefined) continue
      const attempt = await send(webhook, { id: event.id, body: JSON.stringify(event) }, signal)
      failures += 1
      if (!isTaken(attempt)) {
        // What was broken off because this process stops is no failure of the receiver.
        if (!signal.aborted) await noteFailure(webhook, cursor, event, attempt, failures)
        return false
      }
      const [to] = entry
      const note = JSON.stringify(deliveryOf(event, attempt, failures))
      const result = await store.pass({ webhook: id, from: cursor, to, version, note })
      measured.attempted('delivered')
      if (result !== 'passed') return true
      cursor = to
      failures = 0
      if (signal.aborted) return false
    }
    const to = entries.at(-1)?.[0] ?? cursor
    if (to !== cursor) await store.pass({ webhook: id, from: cursor, to, version })
    return entries.length > 0
  }

  return async (id, signal) => {
    for (let goesOn = true; goesOn && !signal.aborted; ) {
      const page = await store.page(id)
      if (page?.isDue !== true) return
      const { webhook, lostUntil } = page
      if (lostUntil !== undefined) {
        const { cursor, version } = webhook
        await store.pass({ webhook: id, from: cursor, to: lostUntil, version, lost: 'yes' })
        measured.attempted('lost')
        logger.warn({ webhook: id, after: cursor, until: lostUntil }, 'entries were trimmed before they were delivered')
      } else goesOn = await deliverPage(page, signal)
    }
  }
}
