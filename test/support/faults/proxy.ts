/**
 * What may lie between two processes: a TCP proxy that delays, swallows, cuts and repeats.
 *
 * A *fabric* is the network of a shop: its `route` is given to `startShop`, and every connection that the shop is then
 * told of goes through a *link* of the fabric, by who connects and to whom (`order-1` to `payment-redis`). A link passes
 * everything on until it is told to `suffer` a fault, and again once it is told to `heal`; connections that exist and those
 * that are made meanwhile obey alike. `struck` counts what a fault has done.
 *
 * As in a real network, what a black hole swallows is not lost: it arrives when the link heals, late, as TCP sends it
 * again; so does the news that the other end has closed. What is cut is gone. A connection can always be made, and then
 * hangs or breaks: a port at which nobody listens is what a killed process leaves.
 */
import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Connection } from '../../../env/local/environment.ts'

/** What a link does. `only` confines it to connections that have just said so: a reader's says `xread`, for instance. */
export type Fault = { readonly only?: RegExp } & (
  | { readonly does: 'delay'; readonly ms: number }
  | { readonly does: 'trickle'; readonly bytes: number; readonly everyMs: number }
  | { readonly does: 'black-hole'; readonly towards: 'server' | 'client' | 'both' }
  /** Breaks the connection instead of passing on a command that matches; so many times, once by default. */
  | { readonly does: 'cut-before'; readonly command: RegExp; readonly times?: number }
  /** Passes a matching command on, and breaks the connection instead of passing on its reply: it has been obeyed. */
  | { readonly does: 'lose-reply'; readonly command: RegExp; readonly times?: number }
  /** Sends everything over a second connection too, whose replies nobody hears: as one who sends again does. */
  | { readonly does: 'duplicate' }
  /** Breaks every connection, and each new one at once. */
  | { readonly does: 'refuse' }
)

export type Link = {
  readonly from: string
  readonly to: string
  readonly suffer: (fault: Fault) => void
  readonly heal: () => void
  /** Breaks what is connected, once. */
  readonly cut: () => void
  /** How often the present fault, or the last one, has done what it does. */
  readonly struck: () => number
  /** Resolves when the fault has struck so often; at once if it has. @throws after the timeout */
  readonly whenStruck: (times?: number) => Promise<void>
}

export type Fabric = AsyncDisposable & {
  /** For `startShop`. */
  readonly route: (connection: Connection) => Promise<string>
  /** Everything between those whose names match. @throws if there is nothing */
  readonly links: (from: string | RegExp, to: string | RegExp) => readonly Link[]
  readonly link: (from: string, to: string) => Link
  readonly heal: () => void
  readonly close: () => Promise<void>
}

/** What one direction may keep before the sender must wait. */
const KEPT_BYTES = 1_048_576
/** A command is looked for across two pieces of a stream: it is no longer than this. */
const COMMAND_BYTES = 256
const TIMEOUT_MS = 20_000
/** How long a server may take to close a connection whose client has. */
const CLOSING_MS = 2_000
/** A piece that begins a command of Redis, and one that begins a request of HTTP. */
const COMMAND = /^\*\d/
const REQUEST = /^[A-Z]{3,7} \//

type Direction = 'server' | 'client'

/** One direction of one connection: pieces wait here for as long as the fault says. */
class Flow {
  readonly #direction: Direction
  readonly #from: Socket
  readonly #to: Socket
  readonly #fault: () => Fault | undefined
  readonly #struck: () => void
  readonly #kept: { piece: Buffer; readonly since: number }[] = []
  #keptBytes = 0
  #ended = false
  #timer: NodeJS.Timeout | undefined

  constructor(direction: Direction, from: Socket, to: Socket, fault: () => Fault | undefined, struck: () => void) {
    this.#direction = direction
    this.#from = from
    this.#to = to
    this.#fault = fault
    this.#struck = struck
    to.on('drain', () => this.#relieve())
  }

  take(piece: Buffer): void {
    this.#kept.push({ piece, since: performance.now() })
    this.#keptBytes += piece.length
    this.pump()
    if (this.#keptBytes + this.#to.writableLength > KEPT_BYTES) this.#from.pause()
  }

  /** Nothing more comes: once all is passed on, the other side is told. */
  end(): void {
    this.#ended = true
    this.pump()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#kept.length = 0
    this.#keptBytes = 0
  }

  #relieve(): void {
    if (this.#from.isPaused() && this.#keptBytes + this.#to.writableLength < KEPT_BYTES) this.#from.resume()
  }

  /** Passes on what may pass now. */
  pump(): void {
    clearTimeout(this.#timer)
    const fault = this.#fault()
    if (fault?.does === 'black-hole' && fault.towards !== (this.#direction === 'server' ? 'client' : 'server')) {
      if (this.#kept.length > 0) this.#struck()
      return
    }
    for (let head = this.#kept[0]; head; head = this.#kept[0]) {
      if (fault?.does === 'delay') {
        const waitMs = head.since + fault.ms - performance.now()
        if (waitMs > 0) return this.#pumpIn(waitMs)
      }
      const size = fault?.does === 'trickle' ? Math.min(fault.bytes, head.piece.length) : head.piece.length
      this.#to.write(head.piece.subarray(0, size))
      this.#keptBytes -= size
      if (size === head.piece.length) this.#kept.shift()
      else head.piece = head.piece.subarray(size)
      if (fault?.does === 'trickle') return this.#pumpIn(fault.everyMs)
    }
    if (this.#ended) this.#to.end()
    this.#relieve()
  }

  #pumpIn(ms: number): void {
    this.#struck()
    this.#timer = setTimeout(() => this.pump(), ms)
  }
}

/** Does a command that matches end in this piece, wherever it began? */
const endsIn = (command: RegExp, before: string, piece: string): boolean =>
  [...(before + piece).matchAll(new RegExp(command, `${command.flags}g`))].some(
    ({ index, 0: match }) => index + match.length > before.length,
  )

/** One connection through a link. */
class Passage {
  readonly #client: Socket
  readonly #server: Socket
  readonly #connect: () => Socket
  readonly #strike: () => void
  readonly #fault: () => Fault | undefined
  readonly #toServer: Flow
  readonly #toClient: Flow
  /** What the client said first: a Redis lets it in by that. */
  #greeting: Buffer | undefined
  #lastSaid = ''
  /** The fault that was found to be for this connection; it stays so, whatever is said afterwards. */
  #meant: Fault | undefined
  #twin: Socket | undefined
  /** A command was passed on whose reply is not to be. */
  #replyIsLost = false
  #closing: NodeJS.Timeout | undefined

  constructor(
    client: Socket,
    connectServer: () => Socket,
    fault: () => Fault | undefined,
    strike: () => void,
    closed: () => void,
  ) {
    this.#client = client
    this.#connect = connectServer
    this.#server = connectServer()
    this.#strike = strike
    this.#fault = () => {
      const present = fault()
      if (present === undefined || present === this.#meant) return present
      if (present.only !== undefined && !present.only.test(this.#lastSaid)) return undefined
      this.#meant = present
      return present
    }
    this.#toServer = new Flow('server', client, this.#server, this.#fault, strike)
    this.#toClient = new Flow('client', this.#server, client, this.#fault, strike)
    for (const socket of [client, this.#server]) socket.setNoDelay(true).on('error', () => socket.destroy())
    client.on('data', (piece: Buffer) => this.#say(piece))
    this.#server.on('data', (piece: Buffer) => this.#answer(piece))
    // A connection that breaks is an end, too; told when the link lets it through.
    client.on('end', () => this.#toServer.end()).on('close', () => this.#toServer.end())
    this.#server.on('end', () => this.#toClient.end())
    this.#server.on('close', () => {
      if (this.#replyIsLost) this.break()
      else this.#toClient.end()
      this.#twin?.destroy()
    })
    let open = 2
    for (const socket of [client, this.#server]) socket.on('close', () => --open === 0 && closed())
  }

  #say(piece: Buffer): void {
    const before = this.#lastSaid.slice(-COMMAND_BYTES)
    this.#lastSaid = piece.toString('latin1')
    this.#greeting ??= piece
    const fault = this.#fault()
    if (
      (fault?.does === 'cut-before' || fault?.does === 'lose-reply') &&
      endsIn(fault.command, before, this.#lastSaid)
    ) {
      this.#strike()
      if (fault.does === 'cut-before') return this.break()
      this.#replyIsLost = true
    }
    if (fault?.does === 'duplicate') this.#sayTwice(piece)
    this.#toServer.take(piece)
  }

  #answer(piece: Buffer): void {
    if (!this.#replyIsLost) return this.#toClient.take(piece)
    // It may be the reply to an earlier command: a server that is told of the end has obeyed all before it closes.
    this.#server.end()
    this.#closing ??= setTimeout(() => this.break(), CLOSING_MS)
  }

  #sayTwice(piece: Buffer): void {
    if (this.#twin === undefined) {
      const isCommand = COMMAND.test(this.#lastSaid)
      if (!isCommand && !REQUEST.test(this.#lastSaid)) return
      const twin = this.#connect()
      twin.on('error', () => twin.destroy()).resume()
      if (isCommand && this.#greeting !== undefined && this.#greeting !== piece) twin.write(this.#greeting)
      this.#twin = twin
    }
    this.#strike()
    this.#twin.write(piece)
  }

  /** The link has another fault, or none. */
  obey(): void {
    const fault = this.#fault()
    if (fault?.does === 'refuse') {
      this.#strike()
      return this.break()
    }
    if (fault?.does !== 'duplicate') {
      this.#twin?.end()
      this.#twin = undefined
    }
    this.#toServer.pump()
    this.#toClient.pump()
  }

  break(): void {
    clearTimeout(this.#closing)
    this.#toServer.stop()
    this.#toClient.stop()
    this.#client.resetAndDestroy()
    this.#server.destroy()
    this.#twin?.destroy()
  }
}

/** A link that listens, and may be led elsewhere: a shop that could not start starts again on other ports. */
type Listening = Link & { readonly url: string; target: URL; readonly close: () => Promise<void> }

const openLink = async ({ from, to, url }: Connection): Promise<Listening> => {
  const passages = new Set<Passage>()
  const events = new EventEmitter().setMaxListeners(0)
  let fault: Fault | undefined
  let struck = 0
  let target = new URL(url)
  const strike = (): void => {
    struck += 1
    if (fault && 'command' in fault && struck >= (fault.times ?? 1)) fault = undefined
    events.emit('struck')
  }
  const connectServer = (): Socket => connect({ port: Number(target.port), host: target.hostname })
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    if (fault?.does === 'refuse') {
      strike()
      client.on('error', () => client.destroy()).resetAndDestroy()
      return
    }
    const passage = new Passage(
      client,
      connectServer,
      () => fault,
      strike,
      () => passages.delete(passage),
    )
    passages.add(passage)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const become = (next: Fault | undefined): void => {
    fault = next
    for (const passage of [...passages]) passage.obey()
  }
  const cut = (): void => {
    for (const passage of [...passages]) passage.break()
  }
  return {
    from,
    to,
    get url() {
      const own = new URL(target)
      own.port = String((server.address() as AddressInfo).port)
      return own.href.replace(/\/$/, '')
    },
    get target() {
      return target
    },
    set target(next: URL) {
      target = next
    },
    suffer: (next) => {
      struck = 0
      become(next)
    },
    heal: () => become(undefined),
    cut,
    struck: () => struck,
    whenStruck: async (times = 1) => {
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      while (struck < times) await once(events, 'struck', { signal })
    },
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      cut()
      await closed
    },
  }
}

const isNamed = (name: string, wanted: string | RegExp): boolean =>
  typeof wanted === 'string' ? name === wanted : wanted.test(name)

/** A network without links: `route` makes them. */
export const openFabric = (): Fabric => {
  const opened = new Map<string, Promise<Listening>>()
  const listening: Listening[] = []

  const links: Fabric['links'] = (from, to) => {
    const found = listening.filter((one) => isNamed(one.from, from) && isNamed(one.to, to))
    if (found.length === 0) throw new Error(`nothing connects ${from} to ${to}`)
    return found
  }
  const close = async (): Promise<void> => {
    await Promise.all(listening.splice(0).map((one) => one.close()))
  }
  return {
    route: async (connection) => {
      const name = `${connection.from} ${connection.to}`
      const known = opened.get(name)
      const link = known ?? openLink(connection)
      opened.set(name, link)
      const open = await link
      if (known) open.target = new URL(connection.url)
      else listening.push(open)
      return open.url
    },
    links,
    link: (from, to) => links(from, to)[0] as Link,
    heal: () => {
      for (const one of listening) one.heal()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
