/**
 * Which replica takes a request of this service, and who waits for one?
 *
 * A service is its replicas: the configured origins, where a host *name* stands for all its addresses, looked up again and again
 * (so that `docker-compose up --scale order=3` is seen). A name that cannot be looked up keeps the addresses it had. The replica
 * with the fewest requests in flight is taken, in turns where they are equal.
 *
 * Requests for which no replica is ready (or has room) wait here, in order of arrival. They have not been sent, so any replica
 * may have them, and they are given out as soon as one becomes ready or is relieved. How many wait is bounded; how long is
 * the waiting request's own affair.
 */

import { promises as dns, type LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import type { Logger } from 'pino'
import type { Step } from '../shared/step.ts'
import { type Carried, CONNECTIONS_MAX, Replica } from './replica.ts'

/** How long a looked-up name is believed. */
const LOOKUP_INTERVAL_MS = 2_000

export type Lookup = (hostname: string) => Promise<readonly LookupAddress[]>
export const systemLookup: Lookup = (hostname) => dns.lookup(hostname, { all: true })

/** What waits for a replica; it is told when to try again. */
export type Waiter = { readonly proceed: () => void }

export type ServiceOptions = {
  readonly name: string
  readonly origins: readonly string[]
  readonly timeoutMs: number
  /** Requests that may wait at once; beyond it they are refused. */
  readonly waitingMax: number
  readonly lookup: Lookup
  readonly step: Step
  readonly log: Logger
}

export class Service {
  readonly name: string
  readonly #options: ServiceOptions
  readonly #waiting = new Set<Waiter>()
  #replicas: readonly Replica[] = []
  /** The addresses that each configured origin stood for when it was last looked up. */
  readonly #known = new Map<string, readonly string[]>()
  #turn = 0
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: ServiceOptions) {
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
    await Promise.all(this.#replicas.map((replica) => replica.destroy()))
  }

  /** Whether at least one replica is ready. */
  get isReady(): boolean {
    return this.#replicas.some(({ condition }) => condition === 'ready')
  }

  /** A ready replica with room. */
  pick(): Replica | undefined {
    return this.#least('ready')
  }

  /** One that is at least reachable, for a request that has waited long enough: it can say itself what it lacks. */
  pickReachable(): Replica | undefined {
    return this.#least('ready') ?? this.#least('not ready') ?? this.#least('draining')
  }

  #least(condition: Replica['condition']): Replica | undefined {
    const replicas = this.#replicas
    const count = replicas.length
    let least: Replica | undefined
    this.#turn = (this.#turn + 1) % Math.max(1, count)
    for (let i = 0; i < count; i++) {
      const replica = replicas[(this.#turn + i) % count] as Replica
      if (replica.condition !== condition || replica.carried.size >= CONNECTIONS_MAX) continue
      if (least === undefined || replica.carried.size < least.carried.size) least = replica
    }
    return least
  }

  /** Lets it wait until a replica is ready; `false` if too many wait already. */
  wait(waiter: Waiter): boolean {
    if (this.#waiting.size >= this.#options.waitingMax) return false
    this.#waiting.add(waiter)
    return true
  }

  /** It waits no longer. */
  leave(waiter: Waiter): void {
    this.#waiting.delete(waiter)
  }

  /** A replica has one request less. */
  relieved(replica: Replica, request: Carried): void {
    replica.carried.delete(request)
    if (this.#waiting.size > 0) this.#serve()
  }

  #serve(): void {
    for (const waiter of this.#waiting) {
      if (this.pick() === undefined) return
      this.#waiting.delete(waiter)
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
    for (const replica of gone) void replica.retire()
  }

  #replica(origin: string, servername: string): Replica {
    const { name, timeoutMs, step, log } = this.#options
    return new Replica({
      service: name,
      origin,
      servername,
      timeoutMs,
      step,
      changed: () => {
        if (this.#waiting.size > 0) this.#serve()
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
