/** What is a webhook, and what is known of its deliveries? */

/** More make nobody happier, and each reads the log for itself. */
export const WEBHOOKS_MAX = 20

/** What was trimmed before it could be delivered: between two entries, the first of which was. */
export type Gap = { readonly after: string; readonly until: string; readonly noticed_at: string }

export type Webhook = {
  readonly id: string
  readonly url: string
  readonly events: readonly string[]
  /** By which events are signed now: the present one first. */
  readonly secrets: readonly string[]
  readonly isEnabled: boolean
  /** Why it was disabled, if no operator has: `gone`. */
  readonly why: string | null
  /** The last entry that is delivered, or does not concern it. */
  readonly cursor: string
  /** Another one after each change. */
  readonly version: string
  readonly createdMs: number
  readonly deliveredMs: number | null
  /** Of how many attempts of the present event. */
  readonly failures: number
  readonly error: string | null
  readonly nextMs: number | null
}

/** An attempt, as it is kept and shown. */
export type Delivery = {
  readonly event_id: string
  readonly type: string
  readonly at: string
  readonly attempt: number
  readonly status: number | null
  readonly error: string | null
  readonly took_ms: number
}

const numberOf = (text: string | undefined): number | null => (text === undefined ? null : Number(text))

/** When it is to be tried again; at once if that is farther away than it ever was: the clock of this Redis was set back. */
const nextAttempt = ({ next, wait }: Readonly<Record<string, string>>, nowMs: number): number | null => {
  const nextMs = numberOf(next)
  return nextMs !== null && wait !== undefined && nextMs > nowMs + Number(wait) ? nowMs : nextMs
}

/** A webhook as Redis keeps it; `undefined` if there is none. */
export const webhookOf = (id: string, kept: Readonly<Record<string, string>>, nowMs: number): Webhook | undefined => {
  const { url, events = '', secret, old_secret: old, old_until: until = '0', cursor = '0-0', version = '' } = kept
  if (url === undefined || secret === undefined) return undefined
  return {
    id,
    url,
    events: events.split(','),
    secrets: old !== undefined && nowMs < Number(until) ? [secret, old] : [secret],
    isEnabled: kept.enabled === 'yes',
    why: kept.why ?? null,
    cursor,
    version,
    createdMs: Number(kept.created),
    deliveredMs: numberOf(kept.delivered),
    failures: Number(kept.failures ?? 0),
    error: kept.error ?? null,
    nextMs: nextAttempt(kept, nowMs),
  }
}
