/**
 * Is the client still there that waits?
 *
 * One that ends its side of the connection while it waits has gone, or has asked all it wants to ask. Two interim answers find
 * out: if it has gone its machine resets the connection at the first, and the second, before the request is sent, fails.
 */

import type { ServerResponse } from 'node:http'

/** How often a client is asked that has ended its side: from the second time on it is known that it has gone. */
const PROBE_EVERY_MS = 1_000

/** Calls once the client has gone before its answer. */
export const whenGone = (response: ServerResponse, call: () => void): void => {
  const { socket, httpVersionMinor } = response.req
  let next: NodeJS.Timeout | undefined
  const probe = (): void => {
    if (httpVersionMinor === 0 || response.headersSent || response.destroyed) return
    response.writeProcessing()
    next = setTimeout(probe, PROBE_EVERY_MS)
  }
  if (socket.readableEnded) probe()
  else socket.once('end', probe)
  response.once('close', () => {
    socket.off('end', probe)
    clearTimeout(next)
    if (!response.writableFinished) call()
  })
}

export class ClientWatch {
  readonly #response: ServerResponse
  #onEnd: (() => void) | undefined

  constructor(response: ServerResponse) {
    this.#response = response
  }

  /** It begins to wait. */
  start(): void {
    const { socket, req } = this.#response
    if (socket === null || req.httpVersionMinor === 0) return // HTTP/1.0 knows no interim answers
    this.#onEnd = () => this.probe()
    if (socket.readableEnded) this.probe()
    else socket.once('end', this.#onEnd)
  }

  /** It waits no longer. @returns whether it has ended its side */
  stop(): boolean {
    const { socket } = this.#response
    if (this.#onEnd === undefined || socket === null) return false
    socket.off('end', this.#onEnd)
    this.#onEnd = undefined
    return socket.readableEnded
  }

  probe(done?: (error?: Error | null) => void): void {
    if (!this.#response.destroyed) this.#response.writeProcessing(done)
  }
}
