/**
 * What does a process have that holds a lock?
 *
 * It knows how long it may believe that it does: `remainingMs` counts from before it asked, so its end comes before anybody else
 * can have the lock. It is renewed every third of its TTL. What keeps it so, one *keeper* for all locks of a client, has one
 * timer; and because a process whose event loop was blocked has no timers, whoever looks at a lock looks at the clock first.
 */
import { LockLostError, LockRefusedError, LockUnavailableError } from './errors.ts'
import type { Answer, Json, Patience } from './wire.ts'

/** By what a lock can be held on to in another process, or by this one when it is started again. */
export type LockJson = { readonly name: string; readonly lease: string; readonly ttl: number }

export type Lock = AsyncDisposable & {
  readonly name: string
  /** Whoever knows it can release and renew the lock. */
  readonly lease: string
  /** Greater than that of whoever held the lock before: a resource refuses lower ones (`If-Lock-Token`). */
  readonly token: number
  readonly mode: string
  readonly isHeld: boolean
  readonly remainingMs: number
  /** Aborts with a LockLostError when it is not held any more, but was not released. */
  readonly signal: AbortSignal
  /** Makes it last for so long from now on. @throws LockLostError, LockUnavailableError */
  readonly renew: (ttl?: number) => Promise<void>
  /** @throws LockUnavailableError: then its lease ends by itself */
  readonly release: () => Promise<void>
  readonly toJSON: () => LockJson
}

/** What is done under a lock. */
export type Work<Result> = (lock: Lock) => Result | Promise<Result>

/** How a lease is renewed and released: a lock's, a leader's, or that of the run of a job. */
export type Verbs = {
  readonly renew: (ttlMs: number, patience: Patience) => Promise<Answer>
  readonly release: () => Promise<Answer>
}

export type Grant = LockJson & {
  readonly token: number
  readonly mode: string
  /** Until when it may be believed, of `performance.now()`. */
  readonly until: number
}

type Kept = {
  /** When it is to be renewed, or found lost, of `performance.now()`. */
  readonly due: () => number
  readonly look: (now: number) => void
}

export type Keeper = {
  readonly keep: (kept: Kept) => void
  readonly drop: (kept: Kept) => void
  readonly plan: () => void
}

/** A timer waits no longer. */
const TIMER_MAX_MS = 2 ** 31 - 1

export const openKeeper = (): Keeper => {
  const all = new Set<Kept>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = (): void => {
    const now = performance.now()
    for (const kept of [...all]) kept.look(now)
    plan()
  }
  const plan = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (all.size === 0) return
    const due = Math.min(...[...all].map((kept) => kept.due()))
    timer = setTimeout(look, Math.min(TIMER_MAX_MS, Math.max(0, due - performance.now())))
    // A process that has nothing else to do may end: what it holds ends by itself.
    if (typeof timer === 'object' && 'unref' in timer) timer.unref()
  }
  return {
    keep: (kept) => {
      all.add(kept)
      plan()
    },
    drop: (kept) => {
      all.delete(kept)
      plan()
    },
    plan,
  }
}

/** When it is renewed, and when again if that has failed, as parts of the TTL. */
const PART = 1 / 3
const PART_AGAIN = 1 / 12

export const textIn = (json: Json, name: string): string => {
  const value = json[name]
  return typeof value === 'string' ? value : ''
}
export const numberIn = (json: Json, name: string): number => {
  const value = json[name]
  return typeof value === 'number' ? value : 0
}

/** In how many ms a lease ends. @throws LockUnavailableError if it is told by none: whatever has answered is no lock service */
export const lastsMs = (json: Json): number => {
  const { expires_in_ms: value } = json
  if (typeof value === 'number') return value
  throw new LockUnavailableError(new Error('it was answered with what is no lease'))
}

const isEnded = (status: number): boolean => status === 404 || status === 410 || status === 409

class HeldLock implements Lock {
  readonly name: string
  readonly lease: string
  readonly token: number
  readonly mode: string
  readonly #verbs: Verbs
  readonly #keeper: Keeper
  readonly #kept: Kept
  readonly #lost = new AbortController()
  #ttl: number
  #until: number
  #renewAt = 0
  #isReleased = false
  #isRenewing = false
  /** Ends when nothing is under way that renews it. */
  #renewed: Promise<unknown> = Promise.resolve()

  constructor({ name, lease, token, mode, ttl, until }: Grant, verbs: Verbs, keeper: Keeper) {
    this.name = name
    this.lease = lease
    this.token = token
    this.mode = mode
    this.#verbs = verbs
    this.#keeper = keeper
    this.#ttl = ttl
    this.#until = until
    this.#kept = {
      due: () => (this.#isRenewing ? this.#until : Math.min(this.#renewAt, this.#until)),
      look: (now) => {
        if (this.#restAt(now) > 0 && !this.#isRenewing && now >= this.#renewAt) void this.#renewByItself()
      },
    }
    this.#planRenewal(PART)
    keeper.keep(this.#kept)
  }

  get isHeld(): boolean {
    return this.remainingMs > 0
  }

  get remainingMs(): number {
    return this.#restAt(performance.now())
  }

  get signal(): AbortSignal {
    this.#restAt(performance.now())
    return this.#lost.signal
  }

  renew(ttl?: number): Promise<void> {
    return this.#renewFor(ttl)
  }

  async release(): Promise<void> {
    if (!this.isHeld) return
    this.#isReleased = true
    this.#keeper.drop(this.#kept)
    const { status, json } = await this.#verbs.release()
    if (status >= 400 && !isEnded(status)) throw new LockRefusedError(status, json)
  }

  toJSON(): LockJson {
    return { name: this.name, lease: this.lease, ttl: this.#ttl }
  }

  /** What could not be released ends by itself: that is no error of what was done under it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release().catch(() => undefined)
  }

  /** Looks at the clock: no timer may have come in time. */
  #restAt(now: number): number {
    if (this.#isReleased || this.#lost.signal.aborted) return 0
    if (now < this.#until) return this.#until - now
    this.#lose('expired')
    return 0
  }

  #lose(ended: string): LockLostError {
    this.#keeper.drop(this.#kept)
    const error = new LockLostError(this.name, ended)
    if (!this.#isReleased) this.#lost.abort(error)
    return error
  }

  #planRenewal(part: number): void {
    this.#renewAt = performance.now() + this.#ttl * part * (0.9 + 0.2 * Math.random())
  }

  /** One after the other: of two at once it could not be known which the service took last, so for how long it lasts. */
  #renewFor(ttl?: number): Promise<void> {
    const renewal = this.#renewed.then(() => this.#renewOnce(ttl || this.#ttl))
    this.#renewed = renewal.catch(() => undefined)
    return renewal
  }

  async #renewOnce(ttl: number): Promise<void> {
    const forMs = Math.min(this.remainingMs, ttl)
    if (forMs === 0) throw this.#lost.signal.reason ?? new LockLostError(this.name, 'released')
    const before = this.#until
    // A shorter time counts as soon as the service is asked, for the answer may be lost.
    this.#until = Math.min(before, performance.now() + ttl)
    this.#keeper.plan()
    const { status, json, askedAt } = await this.#verbs.renew(ttl, { forMs })
    if (isEnded(status)) throw this.#lose(textIn(json, 'ended') || 'unknown')
    if (status !== 200) {
      this.#until = before
      throw new LockRefusedError(status, json)
    }
    const lasts = lastsMs(json)
    // Not one that was found lost meanwhile: what was done under it has stopped.
    if (!this.isHeld) return
    this.#ttl = ttl
    this.#until = askedAt + lasts
    this.#planRenewal(PART)
    this.#keeper.plan()
  }

  async #renewByItself(): Promise<void> {
    this.#isRenewing = true
    try {
      await this.#renewFor()
    } catch {
      // What is lost has told so by its signal; what could not be asked is asked again, until it is lost.
      this.#planRenewal(PART_AGAIN)
    } finally {
      this.#isRenewing = false
      this.#keeper.plan()
    }
  }
}

/** A lock that was granted, and is kept until it is released. */
export const holdLock = (grant: Grant, verbs: Verbs, keeper: Keeper): Lock => new HeldLock(grant, verbs, keeper)
