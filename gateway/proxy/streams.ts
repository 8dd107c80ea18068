/**
 * Which answers are passed on that do not end by themselves, and what ends them?
 *
 * Server-sent events go on until the client leaves: then the service is told at once, by the end of its connection, for it keeps
 * a place for each client. One that ends its side of the connection has left: it cannot have asked for all there will be. When
 * the gateway stops, all of them are ended, whole as they are: their clients come again with what they have seen last.
 */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Passed } from './headers.ts'

/** What may be held for long is broken off towards the service, because towards the client it is over. */
export class StreamOverError extends Error {
  override readonly name = 'StreamOverError'
}

export const breakOff = (controller: Dispatcher.DispatchController | undefined): void =>
  controller?.abort(new StreamOverError('the client is gone')) // nothing, if the service has ended it

export const isStream = (headers: IncomingHttpHeaders): boolean =>
  headers['content-type']?.startsWith('text/event-stream') === true

/** How often it is looked whether what the clients bear still holds. */
const LOOK_MS = 1_000

/** Whether what a client bears still lets it in, as far as is known. */
export type StillHolds = (borne: Passed) => Promise<boolean>

export class Streams {
  /** With what they were asked for. */
  readonly #responses = new Map<ServerResponse, Passed>()
  readonly #stillHolds: StillHolds | undefined
  #looking: NodeJS.Timeout | undefined

  /** @param stillHolds none where clients need not say who they are */
  constructor(stillHolds?: StillHolds) {
    this.#stillHolds = stillHolds
  }

  /** Passes on a stream, until either side ends it. */
  add(response: ServerResponse, controller: Dispatcher.DispatchController, borne: Passed): void {
    const leave = (): void => {
      this.#responses.delete(response)
      if (this.#responses.size === 0) this.#stopLooking()
      breakOff(controller)
    }
    const { socket } = response.req
    const end = (): void => void response.end()
    if (response.destroyed || socket.readableEnded) {
      end()
      return leave()
    }
    this.#responses.set(response, borne)
    this.#startLooking()
    socket.once('end', end)
    response.once('close', () => {
      socket.off('end', end)
      leave()
    })
  }

  endAll(): void {
    for (const response of this.#responses.keys()) response.end()
  }

  #startLooking(): void {
    const stillHolds = this.#stillHolds
    if (stillHolds === undefined || this.#looking !== undefined) return
    this.#looking = setInterval(() => {
      for (const [response, borne] of this.#responses)
        void stillHolds(borne).then((holds) => {
          if (!holds) response.end()
        })
    }, LOOK_MS).unref()
  }

  #stopLooking(): void {
    clearInterval(this.#looking)
    this.#looking = undefined
  }
}
