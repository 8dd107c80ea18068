/**
 * Which replica takes a request of this service, and which requests wait for one?
 *
 * A service is its replicas: the configured origins, where a host *name* stands for all its addresses, looked up again and again
 * (so that `docker-compose up --scale order=3` is seen). A name that cannot be looked up keeps the addresses it had. The replica
 * with the fewest requests in flight is taken, in turns where they are equal.
 *
 * Requests for which no replica is ready (or has room) wait here, in order of arrival. They have not been sent, so any replica
 * may have them, and they are given out as soon as one becomes ready or is relieved. How many wait is bounded; how long is the
 * waiting request's own affair. Checkouts wait in a queue of their own, and so does what is held for long, so that no other
 * request waits behind them.
 *
 * A request that waits costs next to nothing, one that is refused and comes back at once costs as much as a small answer. So in an
 * overload those that cannot be served are refused at the end of their wait, not at its beginning: 5,000 clients that come back at
 * once then ask some 3,000 times a second at most.
 */

import { promises as dns, type LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import type { Logger } from 'pino'
import type { Step } from '../../shared/process/step.ts'
import { type Carried, Replica } from './replica.ts'
import type { Kind } from './retry.ts'

/** How long a looked-up name is believed. */
const LOOKUP_INTERVAL_MS = 2_000

export type Lookup = (hostname: string) => Promise<readonly LookupAddress[]>
export const systemLookup: Lookup = (hostname) => dns.lookup(hostname, { all: true })

/** What waits for a replica; it is told when to try again. */
export type Waiter = Pick<Carried, 'kind'> & { readonly proceed: () => void }

export type ReplicaSetOptions = {
  readonly name: string
  readonly origins: readonly string[]
  readonly timeoutMs: number
  /** Checkouts that may wait at once, what is held for long, and others; beyond it they are refused. */
  readonly waitingMax: number
  /** For tests: how many requests that are held for long a replica may have at once. */
  readonly longMax?: number | undefined
  /** See `ReplicaOptions`. */
  readonly secretMark?: string | undefined
  readonly lookup: Lookup
  readonly step: Step
  /** Called whenever a replica has changed. */
  readonly changed: () => void
  readonly log: Logger
}

/** How a service stands: what waits for a replica, and how each of these is. */
export type ServiceView = {
  readonly name: string
  readonly waiting: Readonly<Record<Kind, number>>
  readonly replicas: readonly {
    readonly origin: string
    readonly condition: Replica['condition']
    readonly in_flight: Readonly<Record<Kind, number>>
  }[]
}

export class ReplicaSet {
  readonly name: string
  readonly #options: ReplicaSetOptions
  /** In the order in which they are served. */
  readonly #waiting: Readonly<Record<Kind, Set<Waiter>>> = { short: new Set(), checkout: new Set(), long: new Set() }
  /** The same, to be looked through whenever a request has ended. */
  readonly #queues = Object.values(this.#waiting)
  #replicas: readonly Replica[] = []
  /** Those that are not known any more, and still carry something. */
  readonly #retiring = new Set<Replica>()
  /** The addresses that each configured origin stood for when it was last looked up. */
  readonly #known = new Map<string, readonly string[]>()
  #turn = 0
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: ReplicaSetOptions) {
    this.name = options.name
    this.#options = options
  }

  start(): void {
    for (const origin of this.#options.origins) if (isAddress(origin)) this.#known.set(origin, [origin])
    this.#match()
    if (this.#options.origins.some((origin) => !isAddress(origin))) void this.#refresh()
  }

  /** Stops polling and looking up; breaks off what is in flight. */
  async destroy(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await Promise.all([...this.#replicas, ...this.#retiring].map((replica) => replica.destroy()))
  }

  /** Ends what waits at its replicas for something to happen. */
  hurry(): void {
    for (const replica of [...this.#replicas, ...this.#retiring]) replica.hurry()
  }

  /** Whether at least one replica is ready. */
  get isReady(): boolean {
    return this.#replicas.some(({ condition }) => condition === 'ready')
  }

  /** The marks of the operator tokens that its replicas want, as far as they have told. */
  get tokenMarks(): readonly string[] {
    return this.#replicas.flatMap(({ tokenMark }) => tokenMark ?? [])
  }

  /** Whether a request can be sent to one at once, ready or for a part. */
  get isOfUse(): boolean {
    return this.#replicas.some(({ condition }) => condition === 'ready' || condition === 'impaired')
  }

  /** How many requests wait, of each kind. */
  get waiting(): Readonly<Record<Kind, number>> {
    const { short, checkout, long } = this.#waiting
    return { short: short.size, checkout: checkout.size, long: long.size }
  }

  /** How many replicas are in each condition. */
  get conditions(): Readonly<Record<Replica['condition'], number>> {
    const counts = { ready: 0, impaired: 0, 'not ready': 0, draining: 0, away: 0 }
    for (const { condition } of this.#replicas) counts[condition] += 1
    return counts
  }

  /** How many requests replicas carry: those that are held for long, and all others. */
  get inFlight(): Readonly<Record<'long' | 'other', number>> {
    const counts = { long: 0, other: 0 }
    for (const replica of this.#replicas) {
      counts.long += replica.loadOf({ kind: 'long' })
      counts.other += replica.loadOf({ kind: 'short' })
    }
    return counts
  }

  /** Those that can be asked, whether ready or not. */
  get reachable(): readonly Replica[] {
    return this.#replicas.filter(({ condition }) => condition !== 'away')
  }

  /** How it stands, for who looks at it. */
  get view(): ServiceView {
    return {
      name: this.name,
      waiting: this.waiting,
      replicas: this.#replicas.map(({ origin, condition, inFlight }) => ({
        origin,
        condition,
        in_flight: { ...inFlight },
      })),
    }
  }

  /** A ready replica with room; while none is ready, one that can do a part. */
  pick(request: Pick<Carried, 'kind'>): Replica | undefined {
    return this.#least('ready', request) ?? (this.isReady ? undefined : this.#least('impaired', request))
  }

  /** One that is at least reachable, for a request that has waited long enough: it can say itself what it lacks. */
  pickReachable(request: Pick<Carried, 'kind'>): Replica | undefined {
    for (const condition of ['ready', 'impaired', 'not ready', 'draining'] as const) {
      const replica = this.#least(condition, request)
      if (replica) return replica
    }
    return undefined
  }

  #least(condition: Replica['condition'], request: Pick<Carried, 'kind'>): Replica | undefined {
    const replicas = this.#replicas
    const count = replicas.length
    let least: Replica | undefined
    this.#turn = (this.#turn + 1) % Math.max(1, count)
    for (let i = 0; i < count; i++) {
      const replica = replicas[(this.#turn + i) % count] as Replica
      if (replica.condition !== condition || !replica.hasRoomFor(request)) continue
      if (least === undefined || replica.loadOf(request) < least.loadOf(request)) least = replica
    }
    return least
  }

  /** Lets it wait until a replica is ready; `false` if too many wait already. */
  wait(waiter: Waiter): boolean {
    const queue = this.#queueOf(waiter)
    if (queue.size >= this.#options.waitingMax) return false
    queue.add(waiter)
    return true
  }

  /** It waits no longer. */
  leave(waiter: Waiter): void {
    this.#queueOf(waiter).delete(waiter)
  }

  #queueOf({ kind }: Waiter): Set<Waiter> {
    return this.#waiting[kind]
  }

  /** A replica has one request less. */
  relieved(replica: Replica, request: Carried): void {
    replica.letGo(request)
    this.#serve()
  }

  #serve(): void {
    for (const queue of this.#queues)
      for (const waiter of queue) {
        if (this.pick(waiter) === undefined) break
        queue.delete(waiter)
        waiter.proceed()
      }
  }

  async #refresh(): Promise<void> {
    const { origins, lookup, log } = this.#options
    await Promise.all(
      origins
        .filter((origin) => !isAddress(origin))
        .map(async (origin) => {
          try {
            const found = await lookup(new URL(origin).hostname)
            this.#known.set(
              origin,
              found.map((one) => atAddress(origin, one)),
            )
          } catch (error) {
            log.debug({ err: error, origin }, 'name not found')
          }
        }),
    )
    if (this.#stopped) return
    this.#match()
    this.#timer = setTimeout(() => void this.#refresh(), LOOKUP_INTERVAL_MS)
  }

  /** Makes the replicas those that are known now: starts new ones, retires those that are gone. */
  #match(): void {
    const wanted = new Map<string, string>()
    for (const [origin, addresses] of this.#known)
      for (const address of addresses) wanted.set(address, new URL(origin).hostname)
    const kept = this.#replicas.filter(({ origin }) => wanted.has(origin))
    const gone = this.#replicas.filter(({ origin }) => !wanted.has(origin))
    for (const { origin } of kept) wanted.delete(origin)
    const added = [...wanted].map(([origin, servername]) => this.#replica(origin, servername))
    this.#replicas = [...kept, ...added]
    for (const replica of added) replica.start()
    for (const replica of gone) {
      this.#retiring.add(replica)
      void replica.retire().then(() => this.#retiring.delete(replica))
    }
  }

  #replica(origin: string, servername: string): Replica {
    const { name, timeoutMs, longMax, secretMark, step, changed, log } = this.#options
    return new Replica({
      service: name,
      origin,
      servername,
      timeoutMs,
      longMax,
      secretMark,
      step,
      changed: () => {
        this.#serve()
        changed()
      },
      log,
    })
  }
}

const isAddress = (origin: string): boolean => isIP(new URL(origin).hostname.replace(/^\[|\]$/g, '')) !== 0

/** The origin with its name replaced by one of its addresses. */
const atAddress = (origin: string, { address, family }: LookupAddress): string => {
  const url = new URL(origin)
  url.hostname = family === 6 ? `[${address}]` : address
  return url.origin
}
