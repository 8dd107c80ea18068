/**
 * Is the client still there that waits?
 *
 * One that ends its side of the connection while it waits has gone, or has asked all it wants to ask. Two interim answers find
 * out: if it has gone its machine resets the connection at the first, and the second, before the request is sent, fails.
 */

import type { ServerResponse } from 'node:http'

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
