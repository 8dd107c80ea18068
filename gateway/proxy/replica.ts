/**
 * How is one replica?
 *
 * | condition   | entered when                                                                  | it is given      |
 * | ----------- | ----------------------------------------------------------------------------- | ---------------- |
 * | `ready`     | `GET /ready` answers 200                                                      | requests         |
 * | `impaired`  | `GET /ready` says so (it can do a part, for instance only look)               | requests, when no other is ready |
 * | `not ready` | `GET /ready` answers something else (its Redis is away, it is starting)       | after a wait, when no other is ready |
 * | `draining`  | `GET /ready` says so, or it turned a request away unbegun                     | only when no other can be reached |
 * | `away`      | at first, and for any of the reasons below                                    | nothing |
 *
 * It is *away* if a poll fails, or is late and no request was answered meanwhile; if a connection to it was refused, or broke; and if
 * it listens to others than this gateway, although the gateway is to verify who asks.
 *
 * Polls of one replica never overlap. One that is late is not broken off at once: whenever its answer comes, it counts, so a
 * replica that was frozen, or a machine so busy that every poll is late, is back with the first answer. So, too, an answered
 * request excuses a late poll.
 *
 * A failure seen by a request counts at once and discards a poll that is under way, for that
 * may tell of the time before; it also calls for the next poll without delay, so that one broken connection to a healthy replica
 * costs a few milliseconds, not a whole interval.
 *
 * It *carries* the requests given to its pools, whose connections are as many at most: a request never waits inside a pool, where
 * nothing would time it out and nothing could send it elsewhere. A replica that is frozen, or behind a network that swallows
 * everything, breaks no connection; so while its polls hang and it answers nothing, what it carries is told how long it has been
 * *unresponsive*, and decides whether it stays. Only a poll that hangs counts: one that is refused tells that whatever is broken
 * breaks by itself.
 */

import type { Logger } from 'pino'
import { Client } from 'undici'
import { codeOf, impossible } from '../../shared/errors.ts'
import { SECRET_MARK_HEADER, TOKEN_MARK_HEADER } from '../../shared/http/operators.ts'
import type { Step } from '../../shared/process/step.ts'
import { CONNECTIONS_MAX, LONG_MAX, openPools, type Pools } from './pools.ts'
import type { Kind } from './retry.ts'

export type Condition = 'ready' | 'impaired' | 'not ready' | 'draining' | 'away'

export const POLL_INTERVAL_MS = 200
const POLL_LATE_MS = 500
const POLL_GIVE_UP_MS = 2_000
const POLL_BYTES_MAX = 16_384
/**
 * So many of the requests that it has at once may be checkouts: however many clients wait for these, one that only wants to look
 * finds a connection.
 */
const CHECKOUTS_MAX = 768
const CONNECT_TIMEOUT_MS = 1_000
/** What a poll says that was waited for in vain. */
const HANGS: readonly (string | undefined)[] = [
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]
/** Shorter than the 65 s after which a service closes an idle connection, or requests would race with that. */
const IDLE_CONNECTION_MS = 30_000

/** A request that a replica carries. */
export type Carried = {
  readonly kind: Kind
  /** Where it stands among those that the same replica carries. */
  place: number
  /** The replica has given no sign of life for so long. */
  readonly replicaUnresponsive: (unresponsiveMs: number) => void
  /** The gateway stops: it is to wait no longer for something to happen. */
  readonly hurry: () => void
}

export type ReplicaOptions = {
  readonly service: string
  /** Where it is: an origin whose host is an address. */
  readonly origin: string
  /** The name TLS is to verify, if the origin was configured by name. */
  readonly servername: string
  readonly timeoutMs: number
  /** For tests: how many requests that are held for long it may have at once. */
  readonly longMax?: number | undefined
  /** What a replica says that listens to this gateway and to nobody past it; undefined where it may listen to everybody. */
  readonly secretMark?: string | undefined
  readonly step: Step
  /** Called whenever its condition has changed, or its token. */
  readonly changed: () => void
  readonly log: Logger
}

export class Replica {
  readonly origin: string
  readonly pools: Pools
  condition: Condition = 'away'
  /** The mark of its operator token, as it told last, if it ever did. */
  tokenMark: string | undefined
  readonly #secretMark: string | undefined
  #distrusted: string | undefined
  /** In no order, and no Set: see `shared/process/transient-map.ts`. */
  readonly #carried: Carried[] = []
  /** How many requests of each kind it carries. */
  readonly inFlight: Record<Kind, number> = { checkout: 0, long: 0, short: 0 }
  readonly #longMax: number
  readonly #poller: Client
  readonly #changed: () => void
  readonly #step: Step
  readonly #asking: string
  readonly #log: Logger
  #timer: NodeJS.Timeout | undefined
  #polling = false
  #outdated = false
  #answered = false
  /** For how long it has given no sign of life, as of the last late poll; what this process slept itself does not count. */
  #unresponsiveMs = 0
  #unresponsiveAsOfMs = performance.now()
  #stopped = false

  constructor(options: ReplicaOptions) {
    const { service, origin, servername, timeoutMs, longMax = LONG_MAX, secretMark, step, changed, log } = options
    const common = {
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: IDLE_CONNECTION_MS,
      keepAliveMaxTimeout: IDLE_CONNECTION_MS,
      connect: { timeout: CONNECT_TIMEOUT_MS, servername },
    }
    this.origin = origin
    this.#longMax = longMax
    // One value for both time-outs: undici then refreshes one timer instead of making two per request.
    this.pools = openPools(origin, { ...common, headersTimeout: timeoutMs, bodyTimeout: timeoutMs }, longMax)
    this.#poller = new Client(origin, {
      ...common,
      headersTimeout: POLL_GIVE_UP_MS,
      bodyTimeout: POLL_GIVE_UP_MS,
      maxResponseSize: POLL_BYTES_MAX,
    })
    this.#changed = changed
    this.#secretMark = secretMark
    this.#step = step
    this.#asking = `poll-${service}`
    this.#log = log.child({ origin })
  }

  start(): void {
    void this.#poll()
  }

  /** Is given nothing more. What it carries is finished, or learns that it has become unresponsive; then it is asked no more. */
  async retire(): Promise<void> {
    await this.pools.close()
    await this.destroy()
  }

  /** Asks no more, and breaks off what is in flight. */
  async destroy(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.condition = 'away'
    await Promise.all([this.pools.destroy(), this.#poller.destroy()])
  }

  /** How many requests it carries that count beside one of this kind. */
  loadOf({ kind }: Pick<Carried, 'kind'>): number {
    const { checkout, long, short } = this.inFlight
    return kind === 'long' ? long : checkout + short
  }

  hasRoomFor(request: Pick<Carried, 'kind'>): boolean {
    if (request.kind === 'long') return this.inFlight.long < this.#longMax
    const isFull = request.kind === 'checkout' && this.inFlight.checkout >= CHECKOUTS_MAX
    return this.loadOf(request) < CONNECTIONS_MAX && !isFull
  }

  take(request: Carried): void {
    request.place = this.#carried.push(request) - 1
    this.inFlight[request.kind] += 1
  }

  letGo(request: Carried): void {
    const last = this.#carried.pop() ?? impossible('replica-carries-nothing')
    if (last !== request) {
      last.place = request.place
      this.#carried[last.place] = last
    }
    this.inFlight[request.kind] -= 1
  }

  /** The gateway stops. */
  hurry(): void {
    for (const request of [...this.#carried]) request.hurry()
  }

  answered(): void {
    this.#answered = true
  }

  /** A connection to it was refused or broke. */
  failed(error: Error): void {
    if (this.condition === 'away') return
    this.#outdated = true
    this.#become('away', error)
    this.#pollNow()
  }

  /** It turned a request away unbegun: it is going to stop. */
  turnedAway(): void {
    if (this.condition === 'draining') return
    this.#outdated = true
    this.#become('draining')
  }

  #pollNow(): void {
    if (this.#polling || this.#stopped) return
    clearTimeout(this.#timer)
    void this.#poll()
  }

  async #poll(): Promise<void> {
    this.#polling = true
    let seen: Condition
    const mark = this.tokenMark
    do {
      this.#outdated = false
      seen = await this.#ask()
    } while (this.#outdated && !this.#stopped)
    this.#polling = false
    if (this.#stopped) return
    this.#become(seen)
    if (this.tokenMark !== mark) this.#changed()
    this.#timer = setTimeout(() => void this.#poll(), POLL_INTERVAL_MS)
  }

  async #ask(): Promise<Condition> {
    this.#answered = false
    let isTold = false
    const late = () => {
      if (isTold) return
      if (this.#answered) this.#alive()
      else this.#unresponsive()
      this.#answered = false
    }
    // Once this process has read what had already come: it may be late itself.
    const timer = setInterval(() => setImmediate(late), POLL_LATE_MS)
    try {
      const { statusCode, headers, body } = await this.#step(this.#asking, () =>
        this.#poller.request({ method: 'GET', path: '/ready' }),
      )
      const text = await body.text()
      this.#alive()
      this.tokenMark = headers[TOKEN_MARK_HEADER]?.toString() ?? this.tokenMark
      if (!this.#isTrusted(headers[SECRET_MARK_HEADER]?.toString() ?? '')) return 'away'
      return statusCode === 200 ? 'ready' : conditionSaid(text)
    } catch (error) {
      if (!HANGS.includes(codeOf(error))) this.#alive()
      return 'away' // whatever kept it from answering
    } finally {
      isTold = true
      clearInterval(timer)
    }
  }

  /** Whether it wants the secret of this gateway, if that has one: else anybody could ask it, as whomever it likes. */
  #isTrusted(mark: string): boolean {
    const isTrusted = this.#secretMark === undefined || mark === this.#secretMark
    if (!isTrusted && mark !== this.#distrusted)
      this.#log.error('it does not want the secret of this gateway: AUTH or GATEWAY_SECRET is another there')
    this.#distrusted = isTrusted ? undefined : mark
    return isTrusted
  }

  #alive(): void {
    this.#unresponsiveMs = 0
    this.#unresponsiveAsOfMs = performance.now()
  }

  #unresponsive(): void {
    this.#become('away')
    const now = performance.now()
    this.#unresponsiveMs += Math.min(now - this.#unresponsiveAsOfMs, 2 * POLL_LATE_MS)
    this.#unresponsiveAsOfMs = now
    for (const request of [...this.#carried]) request.replicaUnresponsive(this.#unresponsiveMs)
  }

  #become(condition: Condition, error?: Error): void {
    const was = this.condition
    if (was === condition || this.#stopped) return
    this.condition = condition
    this.#log.info({ was, condition, err: error }, 'replica changed')
    this.#changed()
  }
}

/** What the problem document says that a replica's `/ready` answered. */
const conditionSaid = (text: string): Condition => {
  try {
    const { type, detail } = Object(JSON.parse(text)) as { type?: unknown; detail?: unknown }
    if (type === 'urn:shop:problem:impaired') return 'impaired'
    return detail === 'draining' ? 'draining' : 'not ready'
  } catch {
    return 'not ready' // no problem document
  }
}
