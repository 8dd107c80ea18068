/**
 * How does a server keep its connections, whatever comes on them?
 *
 * - *One request at a time.* A client may send requests without waiting for answers (RFC 9112, 9.3.2), and Node reads and begins
 *   them as fast as they come. Here each begins when the one before it is answered, and while one waits, nothing is read: so a
 *   client that does not read its answers is not read either. What lies in one read (64 KiB) is parsed already; how many such
 *   requests may wait in all is bounded, and where they are too many, the connection on which most of them wait ends. So a
 *   connection costs at most what one read holds and one answer, of which Node keeps 64 KiB before the sender has to wait.
 * - *Refused for good.* Bytes that are no request are answered by a problem document, as is a request that is refused before it was
 *   read whole, and the connection ends with it. What the client still sends is thrown away for a moment, for a reset would
 *   take the answer from it (RFC 9112, 9.6), and then the connection is destroyed, whether or not the client has closed it.
 *   Nothing that comes after a refusal is begun.
 * - *Bounded*, in all and per address of a client.
 *
 * Where a client may be half closed (`halfOpen`), one that has sent its last gets its answers; elsewhere its end means that it has gone.
 */

import {
  createServer,
  type IncomingMessage,
  METHODS,
  type Server,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { PROBLEM_TYPE, type Problem, problem, RETRY_AFTER_S } from './problem.ts'

/** How long a client whose connection ends may take to read the last answer and to stop sending. */
const LINGER_MS = 2_000
/** How many pipelined requests may wait in all; each takes about two KiB. One read holds up to 1,600 of them. */
const PIPELINED_MAX = 20_000
/** How often it is logged that connections are refused. */
const TELL_MS = 1_000

export type Serve = (request: IncomingMessage, response: ServerResponse) => void

export type Connections = {
  readonly http: ServerOptions
  readonly halfOpen: boolean
  /** How many connections there may be; more are closed unheard. */
  readonly most: number
  /** How many of one client's address; more are told so. */
  readonly mostPerAddress: number
  /** How many pipelined requests may wait in all, if not as many as usual. */
  readonly pipelinedMost?: number | undefined
  readonly serve: Serve
  readonly log: Logger
}

/** Words for what Node's parser refused before it became a request. */
const REFUSED: Readonly<Record<string, readonly [status: number, name: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'headers-too-large', 'the headers may have at most 16384 bytes'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'body-too-large', 'the chunk extensions are too large'],
  HPE_INVALID_EOF_STATE: [400, 'malformed', 'the request ended midway'],
  HPE_PAUSED_H2_UPGRADE: [505, 'version-not-supported', 'this is HTTP/1.1'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request-timeout', 'the request was not sent in time'],
}

/** What Node says of bytes that its parser refused. */
type ClientError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer }

const LINE_MAX_BYTES = 8_192
/** The method of bytes that are a request but for that: Node's parser calls whatever does not begin with one it knows a wrong method. */
const unknownMethodIn = (packet: Buffer): string | undefined => {
  const line = packet.toString('latin1', 0, LINE_MAX_BYTES)
  const method = /^([!#$%&'*+.^_`|~\w-]{1,40}) [^ \r\n]+ HTTP\/1\.[01]\r?\n/.exec(line)?.[1]
  return method === undefined || METHODS.includes(method) ? undefined : method
}

/** The problem that a parser's error is answered with; `undefined` if it is the connection's own. */
const problemOf = ({ code = '', rawPacket }: ClientError): Problem | undefined => {
  const unknown = code === 'HPE_INVALID_METHOD' && rawPacket ? unknownMethodIn(rawPacket) : undefined
  if (unknown !== undefined)
    return problem(501, 'not-implemented', 'Not implemented', `there is no method "${unknown}"`)
  const known = REFUSED[code]
  if (known === undefined && !code.startsWith('HPE_')) return undefined
  const [status, name, detail] = known ?? [400, 'malformed', 'this is not HTTP/1.1']
  return problem(status, name, STATUS_CODES[status] ?? '', detail)
}

/** A whole answer for a connection that ends with it; of a HEAD, all but its body. */
const farewell = (document: Problem, requestId?: string, method?: string): string => {
  const body = JSON.stringify(document)
  return [
    `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status] ?? ''}`,
    'Connection: close',
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(document.status === 503 ? [`Retry-After: ${RETRY_AFTER_S}`] : []),
    ...(requestId === undefined ? [] : [`X-Request-Id: ${requestId}`]),
    '',
    method === 'HEAD' ? '' : body,
  ].join('\r\n')
}

/** Says the last word on a connection, and ends it whatever the client does. */
const hangUp = (socket: Duplex, word: string): void => {
  socket.end(word)
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
}

/** Refuses a request whose turn it is, though it may not have been read whole, and ends its connection. */
export const refuse = (request: IncomingMessage, document: Problem, requestId?: string): void => {
  hangUp(request.socket, farewell(document, requestId, request.method))
  request.resume()
}

/** Whether the last word was said on a connection: nothing more may be begun that comes on it. */
export const isOver = ({ socket }: IncomingMessage): boolean => socket.writableEnded

/** Opens no port yet. */
export const connectionServer = (options: Connections): Server => {
  const { http, halfOpen, most, mostPerAddress, pipelinedMost = PIPELINED_MAX, serve, log } = options
  const turns = openTurns(pipelinedMost)
  const server = createServer(http, (request, response) => turns.take(request, response, serve))
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
    turns.take(request, response, () =>
      refuse(request, problem(417, 'expectation-failed', 'Expectation failed', 'only "100-continue" can be expected')),
    ),
  )
  server.on('connect', (_: IncomingMessage, socket: Answering) => {
    if (socket._httpMessage) socket.destroy()
    else hangUp(socket, farewell(problem(501, 'not-implemented', 'Not implemented', 'this is no tunnel')))
  })
  server.on('clientError', (error: ClientError, socket: Answering) => {
    // A client that is not read cannot send the rest in time.
    if (error.code !== 'ERR_HTTP_REQUEST_TIMEOUT' || !turns.isPaused(socket)) onClientError(error, socket)
  })
  server.maxConnections = most
  Object.assign(server, { httpAllowHalfOpen: halfOpen })
  boundPerAddress(server, mostPerAddress, log)
  return server
}

/** A connection with the answer that is under way on it: Node's own mark, by which it knows the same. */
type Answering = Duplex & { _httpMessage?: (ServerResponse & { readonly req: IncomingMessage }) | null }

const onClientError = (error: ClientError, socket: Answering): void => {
  if (socket.writableEnded) return
  const document = problemOf(error)
  const answer = socket._httpMessage
  if (document === undefined) socket.destroy()
  else if (!answer || !(answer.req.complete || answer.headersSent)) hangUp(socket, farewell(document))
  else if (answer.writableEnded) hangUp(socket, '')
  // What follows "Connection: close" is not read; anything else that is no request must not be taken for the answer.
  else if (error.code !== 'HPE_CLOSED_CONNECTION') socket.destroy()
}

type Turns = {
  /** Serves a request, now or when the one before it on the same connection is answered. */
  readonly take: (request: IncomingMessage, response: ServerResponse, serve: Serve) => void
  /** Is the connection not read now, because requests wait on it? */
  readonly isPaused: (socket: Duplex) => boolean
}

/** Node gives each response its connection when it is its turn, and says so by `socket`. */
const openTurns = (most: number): Turns => {
  const waiting = new Map<Duplex, number>()
  let all = 0

  /** What Node itself does with a connection it has paused: the code that resumes it does not know. */
  function stayPaused(this: Socket): void {
    this.pause()
  }

  const forget = (socket: Duplex): void => {
    all -= waiting.get(socket) ?? 0
    waiting.delete(socket)
  }

  const enter = (socket: Socket): void => {
    all += 1
    const before = waiting.get(socket)
    waiting.set(socket, (before ?? 0) + 1)
    if (before === undefined) socket.once('close', () => forget(socket))
    if ((before ?? 0) > 0) return
    socket.on('resume', stayPaused)
    socket.pause()
  }

  const leave = (socket: Socket): void => {
    const before = waiting.get(socket)
    if (before === undefined) return // it has ended
    all -= 1
    const left = before - 1
    waiting.set(socket, left)
    if (left > 0) return
    // The last of them may not have been read whole.
    socket.off('resume', stayPaused).resume()
  }

  /** Makes room. Others that pipeline are not to suffer from one that sends what it does not read the answers of. */
  const endHeaviest = (): void => {
    let heaviest: Duplex | undefined
    let heaviestCount = 0
    for (const [socket, count] of waiting) {
      if (count <= heaviestCount) continue
      heaviest = socket
      heaviestCount = count
    }
    if (heaviest === undefined) return
    forget(heaviest)
    heaviest.destroy()
  }

  return {
    isPaused: (socket) => (waiting.get(socket) ?? 0) > 0,
    take: (request, response, serve) => {
      const { socket } = request
      if (socket.writableEnded) return
      if (response.socket !== null) return serve(request, response)
      if (all >= most) endHeaviest()
      if (socket.destroyed) return
      enter(socket)
      response.once('socket', () => {
        leave(socket)
        // Others first: what lies in one read is not served at one go.
        setImmediate(() => socket.writableEnded || response.destroyed || serve(request, response))
      })
    },
  }
}

const boundPerAddress = (server: Server, most: number, log: Logger): void => {
  const counts = new Map<string, number>()
  let quietUntil = 0
  const tell = (facts: Record<string, unknown>): void => {
    if (performance.now() < quietUntil) return
    quietUntil = performance.now() + TELL_MS
    log.warn(facts, 'too many connections')
  }
  server.on('drop', (dropped) => tell({ most: server.maxConnections, address: dropped?.remoteAddress }))
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    const count = (counts.get(address) ?? 0) + 1
    counts.set(address, count)
    socket.once('close', () => {
      const left = (counts.get(address) ?? 1) - 1
      if (left === 0) counts.delete(address)
      else counts.set(address, left)
    })
    if (count <= most) return
    tell({ most, address })
    socket.end(farewell(tooManyConnections(most)))
    socket.destroySoon()
  })
}

const tooManyConnections = (most: number): Problem =>
  problem(
    503,
    'too-many-connections',
    'Too many connections',
    `one address may have ${most} connections; nothing was done, come again later`,
  )
