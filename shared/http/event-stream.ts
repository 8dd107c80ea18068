/**
 * How are events sent to a client that listens for them?
 *
 * As server-sent events (WHATWG HTML, 9.2): one answer that does not end, in which each event has an id. A client that lost the
 * connection comes again with the last id that it has seen (`Last-Event-ID`). A comment now and then keeps the connection from being
 * taken for dead. What a client does not read is kept for it up to a bound, then the connection ends: it may come again.
 */
import { Readable } from 'node:stream'

/** How much is kept for a client that does not read, besides what the machine keeps. */
const UNREAD_MAX_BYTES = 262_144
/** After how long a client is to come again. */
const RETRY_MS = 1_000

export type ServerSentEvent = { readonly id: string; readonly event: string; readonly data: unknown }

export type EventStream = {
  readonly send: (event: ServerSentEvent) => void
  readonly comment: () => void
  readonly end: () => void
  /** Calls once the client has gone, or the stream has ended. */
  readonly onClose: (listener: () => void) => void
}

export const openEventStream = (): { readonly stream: EventStream; readonly body: Readable } => {
  const body = new Readable({ read: () => undefined })
  let hasEnded = false
  const write = (text: string): void => {
    if (hasEnded || body.destroyed) return
    if (body.readableLength + Buffer.byteLength(text) > UNREAD_MAX_BYTES) body.destroy()
    else body.push(text)
  }
  write(`retry: ${RETRY_MS}\n\n`)
  return {
    body,
    stream: {
      send: ({ id, event, data }) => write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
      comment: () => write(':\n\n'),
      end: () => {
        if (hasEnded || body.destroyed) return
        hasEnded = true
        body.push(null)
      },
      onClose: (listener) => {
        if (body.destroyed) listener()
        else body.once('close', listener)
      },
    },
  }
}
