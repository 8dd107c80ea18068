/**
 * Is the client still there that waits?
 *
 * One that ends its side of the connection while it waits has gone, or has asked all it wants to ask. Two interim answers find
 * out: if it has gone its machine resets the connection at the first, and the second, before the request is sent, fails.
 */

import type { ServerResponse } from 'node:http'

/** How often a client is asked that has ended its side: from the second time on it is known that it has gone. */
const PROBE_EVERY_MS = 1_000

/** Probes when a client ends its side, or at once if it has. @returns what ends that; `undefined` in HTTP/1.0, which knows no interim answers */
const atEnd = ({ req }: ServerResponse, probe: () => void): (() => void) | undefined => {
  const { socket, httpVersionMinor } = req
  if (httpVersionMinor === 0) return undefined
  if (socket.readableEnded) probe()
  else socket.once('end', probe)
  return () => void socket.off('end', probe)
}

/** Calls once the client has gone before its answer. */
export const whenGone = (response: ServerResponse, call: () => void): void => {
  let next: NodeJS.Timeout | undefined
  const probe = (): void => {
    if (response.headersSent || response.destroyed) return
    response.writeProcessing()
    next = setTimeout(probe, PROBE_EVERY_MS)
  }
  const end = atEnd(response, probe)
  response.once('close', () => {
    end?.()
    clearTimeout(next)
    if (!response.writableFinished) call()
  })
}

export class ClientWatch {
  readonly #response: ServerResponse
  #end: (() => void) | undefined

  constructor(response: ServerResponse) {
    this.#response = response
  }

  /** It begins to wait. */
  start(): void {
    this.#end = atEnd(this.#response, () => this.probe())
  }

  /** It waits no longer. @returns whether it has ended its side */
  stop(): boolean {
    if (this.#end === undefined) return false
    this.#end()
    this.#end = undefined
    return this.#response.req.socket.readableEnded
  }

  probe(done?: (error?: Error | null) => void): void {
    if (!this.#response.destroyed) this.#response.writeProcessing(done)
  }
}
