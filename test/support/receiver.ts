/** A receiver of webhooks: a program of somebody else that keeps what it is sent, and answers as the test wishes. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export type Received = {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly event: { readonly id: string; readonly type: string; readonly data: Readonly<Record<string, unknown>> }
}

/** Answers a request, or does not. */
export type Respond = (response: ServerResponse, received: Received) => void

export type Receiver = {
  readonly url: string
  /** All that was received by now, in order. */
  readonly received: readonly Received[]
  readonly types: () => readonly string[]
  /** How it answers from now on; 204 at first. */
  readonly respond: (how: Respond) => void
  /** Resolves when so many have come. */
  readonly whenReceived: (count: number) => Promise<void>
  readonly close: () => void
}

export const take: Respond = (response) => void response.writeHead(204).end()
export const refuse =
  (status: number, headers: Readonly<Record<string, string>> = {}): Respond =>
  (response) =>
    void response.writeHead(status, headers).end()

export const openReceiver = async (): Promise<Receiver> => {
  const received: Received[] = []
  const waiting = new Set<() => void>()
  let respond = take
  const server = createServer(async (request, response) => {
    const { url: path = '', headers } = request
    const body = await text(request)
    const one = { path, headers, body, event: JSON.parse(body) as Received['event'] }
    received.push(one)
    respond(response, one)
    for (const look of waiting) look()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    types: () => received.map(({ event }) => event.type),
    respond: (how) => {
      respond = how
    },
    whenReceived: (count) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const look = (): void => {
        if (received.length < count) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
      return promise
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
