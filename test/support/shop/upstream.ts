/**
 * A replica that does what a test wants: it answers, hangs, breaks the connection, turns requests away, refuses to be connected, and
 * says of itself that it is ready, not ready or draining. It remembers what it was sent, `/ready` apart.
 */

import { randomInt } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'

export type Received = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type Behaviour = (response: ServerResponse, received: Received) => void

/** Answers with its own name, so that a test sees who answered. */
export const answer =
  (text = 'done'): Behaviour =>
  (response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(text) })
    response.end(text)
  }

/** Never answers. */
export const hang: Behaviour = () => undefined

/** Breaks the connection with a reset. */
export const reset: Behaviour = (response) => {
  response.socket?.resetAndDestroy()
}

/** Closes the connection without an answer, as a killed process does. */
export const closeConnection: Behaviour = (response) => {
  response.destroy()
}

/** Breaks off in the middle of its answer. */
export const breakOff: Behaviour = (response) => {
  response.writeHead(200, { 'Content-Length': 1_000 })
  response.write('the first of many', () => response.destroy())
}

/** As a service does that is stopping: nothing was begun. */
export const turnAway: Behaviour = (response) => {
  response.writeHead(503, { 'X-Not-Started': 'draining', Connection: 'close' })
  response.end('{"detail":"draining"}')
}

export class Upstream {
  readonly received: Received[] = []
  behave: Behaviour = answer()
  condition: 'ready' | 'impaired' | 'not ready' | 'draining' = 'ready'
  /** What it says of itself besides, when it is asked that. */
  readyHeaders: Readonly<Record<string, string>> = {}
  /** How often it was asked whether it is ready, and how many of those questions were open at once at most. */
  polls = 0
  pollsAtOnceMax = 0
  readonly #heldPolls: (() => void)[] = []
  #isFrozen = false
  readonly #events = new EventEmitter()
  readonly #host: string
  #pollsAtOnce = 0
  #port = 0
  #server: Server | undefined

  constructor(host: string) {
    this.#host = host
  }

  get port(): number {
    return this.#port
  }

  get origin(): string {
    return `http://${this.#host}:${this.#port}`
  }

  /** Listens, at the port it had before if it had one. */
  async listen(port = this.#port): Promise<void> {
    const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => void this.#take(request, response))
    server.listen(port, this.#host)
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** Refuses connections and breaks those it has. */
  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }

  /** Resolves when the next request has come. */
  async arrival(): Promise<Received> {
    const [received] = await once(this.#events, 'received')
    return received
  }

  /** Resolves when it has been asked once more whether it is ready. */
  async polled(): Promise<void> {
    await once(this.#events, 'polled')
  }

  /** Resolves when whoever asks knows how it is: it would not ask again before it had the answer. */
  async settled(): Promise<void> {
    await this.polled()
    await this.polled()
  }

  /** Keeps the question whether it is ready without an answer until it is thawed. */
  freeze(): void {
    this.#isFrozen = true
  }

  thaw(): void {
    this.#isFrozen = false
    for (const send of this.#heldPolls.splice(0)) send()
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/ready') return this.#tellCondition(response)
    let body = ''
    for await (const chunk of request.setEncoding('latin1')) body += chunk
    const received = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body }
    this.received.push(received)
    this.behave(response, received)
    this.#events.emit('received', received)
  }

  #tellCondition(response: ServerResponse): void {
    this.polls += 1
    this.#pollsAtOnce += 1
    this.pollsAtOnceMax = Math.max(this.pollsAtOnceMax, this.#pollsAtOnce)
    response.on('close', () => {
      this.#pollsAtOnce -= 1
    })
    this.#events.emit('polled')
    if (this.#isFrozen) this.#heldPolls.push(() => this.#sendCondition(response))
    else this.#sendCondition(response)
  }

  #sendCondition(response: ServerResponse): void {
    for (const [name, value] of Object.entries(this.readyHeaders)) response.setHeader(name, value)
    if (this.condition === 'ready') {
      response.end('ready')
      return
    }
    const detail = this.condition === 'draining' ? 'draining' : 'the Redis is away'
    response.writeHead(503, { 'Content-Type': 'application/problem+json' })
    const type = `urn:shop:problem:${this.condition === 'impaired' ? 'impaired' : 'not-ready'}`
    response.end(JSON.stringify({ type, title: 'Not ready', status: 503, detail }))
  }
}

/**
 * Ports below those that systems give away by themselves (from 32768 or 49152 on), each used once in a process: a replica that
 * refuses connections for a while would otherwise find its port taken when it listens again.
 */
const PORT_MIN = 15_000
const PORT_MAX = 30_000
const PORT_ATTEMPTS = 20
let nextPort = randomInt(PORT_MIN, PORT_MAX)

const takePort = (): number => {
  nextPort = nextPort === PORT_MAX ? PORT_MIN : nextPort + 1
  return nextPort
}

/** Starts a replica on a free port of `host`, or on `port`. */
export const openUpstream = async (host = '127.0.0.1', port?: number): Promise<Upstream> => {
  const upstream = new Upstream(host)
  for (let attempt = 1; ; attempt++)
    try {
      await upstream.listen(port ?? takePort())
      return upstream
    } catch (error) {
      if (port !== undefined || attempt === PORT_ATTEMPTS) throw error
    }
}
