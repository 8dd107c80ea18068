/**
 * How does a program use the locks of the shop?
 *
 * By this client, which needs nothing but `fetch`: this file and the folder beside it may be copied into any program. A lock is held
 * for its TTL and renewed until it is released; `lock.signal` aborts before anybody else can have it, and whatever a lock
 * protects is to refuse a token that is lower than one that it has seen. Zero and undefined mean the default. Times are in ms.
 *
 *     const locks = lockClient('http://127.0.0.1:8000', { owner: 'worker-7' })
 *     await using lock = await locks.acquire('order:42', { wait: 5_000 })
 *     await locks.withLock('order:42', {}, async ({ token, signal }) => pay(order, { token, signal }))
 */
import { type AcquireOptions, type Claim, openAcquiring } from './client/acquiring.ts'
import { type Cron, openCron } from './client/cron.ts'
import { type Election, openElection } from './client/election.ts'
import { LockLostError, LockRefusedError, LockTimeoutError } from './client/errors.ts'
import { type Lock, type LockJson, openKeeper, textIn, type Work } from './client/held-lock.ts'
import { openReading, type Reading } from './client/reading.ts'
import { openWebLocks, type WebLocks } from './client/web-locks.ts'
import { openWire } from './client/wire.ts'

export type ClientOptions = {
  /** What others see of whoever holds a lock. */
  readonly owner?: string
  readonly ttl?: number
  /** For how long it is waited for a lock that somebody else has. */
  readonly wait?: number
  /** For how long a service that does not answer is asked again. */
  readonly retry?: { readonly forMs?: number }
  /** What each request bears, as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Locks under several names, as one. */
export type LockSet = AsyncDisposable & {
  readonly locks: readonly Lock[]
  readonly isHeld: boolean
  readonly signal: AbortSignal
  readonly release: () => Promise<void>
}

/** One lock, of a mode that is settled. */
export type Bound = {
  readonly acquire: (options?: AcquireOptions) => Promise<Lock>
  readonly tryAcquire: (options?: AcquireOptions) => Promise<Lock | null>
  readonly withLock: <Result>(options: AcquireOptions, work: Work<Result>) => Promise<Result>
}

type Verbs = {
  /** @throws LockTimeoutError after the wait; LockUnavailableError; LockRefusedError; the reason of the caller's signal */
  readonly acquire: (name: string, options?: AcquireOptions) => Promise<Lock>
  /** `null` if somebody else has it. */
  readonly tryAcquire: (name: string, options?: AcquireOptions) => Promise<Lock | null>
  /** What the work comes to, done under the lock. @throws LockLostError if that was lost meanwhile, whose cause is the work's error */
  readonly withLock: <Result>(name: string, options: AcquireOptions, work: Work<Result>) => Promise<Result>
}

export type LockClient = Verbs &
  Reading &
  WebLocks & {
    /** A lock that is held under a lease which `toJSON` told. @throws LockLostError */
    readonly restore: (json: LockJson) => Promise<Lock>
    /** All of them or none, always asked for in the same order, so that two who want the same never wait for each other. */
    readonly acquireAll: (names: readonly string[], options?: AcquireOptions) => Promise<LockSet>
    readonly semaphore: (name: string, options: { readonly limit: number; readonly permits?: number }) => Bound
    /** Many read at once, or one writes. */
    readonly read: (name: string) => Bound
    readonly write: (name: string) => Bound
    readonly election: (name: string) => Election
    readonly cron: Cron
  }

const TTL_MS = 30_000
const WAIT_MS = 10_000
const RETRY_MS = 10_000
/** The service waits no longer, unless it is asked again and again. */
const SERVICE_WAIT_MAX_MS = 600_000

const pathOfLock = (name: string): string => `/locks/${encodeURIComponent(name)}`

/** Does the work. If the lock was lost meanwhile, that is its end; how the release ends is no matter. */
const doUnder = async <Result>(lock: Lock, work: Work<Result>): Promise<Result> => {
  const [end] = await Promise.allSettled([(async () => work(lock))()])
  const { signal } = lock
  await lock[Symbol.asyncDispose]()
  const cause: unknown = end.status === 'rejected' ? end.reason : undefined
  if (signal.aborted) throw new LockLostError(lock.name, (signal.reason as LockLostError).ended, cause)
  if (end.status === 'rejected') throw cause
  return end.value
}

/** What those who build on locks may want besides. */
type Wanted = AcquireOptions & Pick<Claim, 'onWaiting'>

const claimOf = (name: string, wanted: Wanted, waitMs: number, options: ClientOptions): Claim => {
  const { mode = 'exclusive', priority, permits, limit, metadata, delay, signal, onWaiting } = wanted
  const ttl = wanted.ttl || options.ttl || TTL_MS
  const body = {
    mode: mode === 'shared' ? 'read' : mode,
    ttl_ms: ttl,
    ...(waitMs > SERVICE_WAIT_MAX_MS ? { queue: true } : { wait_ms: Math.ceil(waitMs) }),
    priority,
    permits,
    limit,
    owner: wanted.owner ?? options.owner,
    metadata,
    delay_ms: delay,
  }
  return { name, pathOf: (lease) => `${pathOfLock(name)}/leases/${lease}`, body, ttl, waitMs, signal, onWaiting }
}

/** Acquires many by one that acquires one, within one wait. */
const acquiringAll =
  (acquire: Verbs['acquire'], defaultMs: number): LockClient['acquireAll'] =>
  async (names, wanted = {}) => {
    const deadline = performance.now() + (wanted.wait || defaultMs)
    const all: Lock[] = []
    const release = async (): Promise<void> => {
      await Promise.all(all.toReversed().map((lock) => lock.release()))
    }
    try {
      for (const name of [...new Set(names)].sort())
        all.push(await acquire(name, { ...wanted, wait: Math.max(1, deadline - performance.now()) }))
    } catch (error) {
      await Promise.allSettled(all.map((lock) => lock.release()))
      throw error
    }
    return {
      locks: all,
      get isHeld() {
        return all.every(({ isHeld }) => isHeld)
      },
      signal: AbortSignal.any(all.map(({ signal }) => signal)),
      release,
      [Symbol.asyncDispose]: () => release().catch(() => undefined),
    }
  }

/** @throws TypeError for a URL of another form than `http://host:port` */
export const lockClient = (url: string, options: ClientOptions = {}): LockClient => {
  const { owner, headers = {}, retry = {} } = options
  const waitMs = options.wait || WAIT_MS
  const forMs = retry.forMs || RETRY_MS
  const wire = openWire(url, { headers, forMs })
  const keeper = openKeeper()
  const acquiring = openAcquiring(wire, keeper, forMs)
  const reading = openReading(wire)

  const acquire = async (name: string, wanted: Wanted = {}): Promise<Lock> => {
    const lock = await acquiring.claim(claimOf(name, wanted, wanted.wait || waitMs, options))
    if (lock === undefined) throw new LockTimeoutError(name, wanted.wait || waitMs)
    return lock
  }
  const tryAcquire: Verbs['tryAcquire'] = async (name, wanted = {}) =>
    (await acquiring.claim(claimOf(name, wanted, 0, options))) ?? null
  const withLock: Verbs['withLock'] = async (name, wanted, work) => doUnder(await acquire(name, wanted), work)

  const bound = (name: string, fixed: AcquireOptions): Bound => ({
    acquire: (wanted) => acquire(name, { ...wanted, ...fixed }),
    tryAcquire: (wanted) => tryAcquire(name, { ...wanted, ...fixed }),
    withLock: (wanted, work) => withLock(name, { ...wanted, ...fixed }, work),
  })

  return {
    ...reading,
    ...openWebLocks({
      acquire,
      tryAcquire,
      doUnder,
      force: async (name, token) => {
        const { status, json } = await wire.ask('DELETE', `${pathOfLock(name)}?token=${token}`)
        // 410: it has ended by itself.
        if (status !== 200 && status !== 410) throw new LockRefusedError(status, json)
      },
      info: reading.info,
      list: reading.list,
    }),
    acquire,
    tryAcquire,
    withLock,
    restore: async ({ name, lease, ttl }) => {
      const found = await acquiring.resume(claimOf(name, { ttl }, 0, options), lease)
      if ('token' in found) return found
      throw new LockLostError(name, textIn(found.json, 'ended') || 'unknown')
    },
    acquireAll: acquiringAll(acquire, waitMs),
    semaphore: (name, { limit, permits }) => bound(name, { mode: 'permit', limit, permits: permits || 1 }),
    read: (name) => bound(name, { mode: 'read' }),
    write: (name) => bound(name, { mode: 'exclusive' }),
    election: openElection({ wire, acquiring, doUnder, ttlMs: options.ttl || TTL_MS }),
    cron: openCron({ wire, keeper, doUnder, ...(owner === undefined ? {} : { owner }) }),
  }
}
