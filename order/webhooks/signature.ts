/**
 * How does a receiver know that an event came from this shop, unchanged and just now?
 *
 * By Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over the id, the time of the attempt and the body, under a secret
 * that only the two know. While a secret is being replaced there is a signature by each, and one of them is enough.
 */
import { createHmac, randomBytes } from 'node:crypto'

const PREFIX = 'whsec_'
const SECRET_BYTES = 32

export const newSecret = (): string => PREFIX + randomBytes(SECRET_BYTES).toString('base64')

/** What is sent: the same id and body at every attempt. */
export type Message = { readonly id: string; readonly body: string }

/** The headers that sign a message. @param atMs when this attempt is made */
export const signed = (
  secrets: readonly string[],
  { id, body }: Message,
  atMs: number,
): Readonly<Record<string, string>> => {
  const timestamp = String(Math.floor(atMs / 1_000))
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  })
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}
