/**
 * Is the client still there that waits?
 *
 * One that ends its side of the connection while it waits has gone, or has asked all it wants to ask. Two interim answers find
 * out: if it has gone its machine resets the connection at the first, and the second, before the request is sent, fails.
 */

import type { ServerResponse } from 'node:http'

/**
 * After how long a client is asked again that has ended its side, and then again and again: from the second time on it is known that it has
 * gone, if what the first one brought about was here by then. What it waits for may be given to it until that is known.
 */
const PROBE_PAUSES_MS = [50, 200, 1_000] as const

/**
 * Probes when a client ends its side, or at once if it has.
 * @returns what ends that; `undefined` in HTTP/1.0, which knows no interim answers
 */
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
  let probes = 0
  const probe = (): void => {
    if (response.headersSent || response.destroyed) return
    response.writeProcessing()
    next = setTimeout(probe, PROBE_PAUSES_MS[probes] ?? PROBE_PAUSES_MS.at(-1))
    probes += 1
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
