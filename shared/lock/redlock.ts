/**
 * Who may touch this now?
 *
 * RedLock (https://redis.io/docs/latest/develop/use/patterns/distributed-locks/): a lock is held by whoever's token a
 * quorum of independent Redis masters keeps under the key. It saves work and keeps strangers' half-done work from being
 * seen; it does not fence, so nothing may be *correct* only because of it. Three answers are told apart:
 *
 * - *held*: a quorum voted for it. The token is all that is needed to extend or release it, from any process.
 * - *busy*: a quorum answered, but did not vote for us: somebody holds it, or the votes were split.
 * - *unavailable*: fewer than a quorum of nodes answered, so nobody can know.
 *
 * The voting is that of the package redlock 4.2.0. It speaks to *nodes* (`node.ts`) instead of clients, which ask in
 * batches and shield its faults:
 *
 * - It waits for every node, so a frozen one holds up every attempt for the whole time-out. Here a ballot is decided as
 *   soon as the answers suffice, and a node that timed out is left out until it answers a PING.
 * - It judges by the wall clock, which may step while an attempt runs, and refuses every TTL of 2 ms or less. Here it is
 *   told a TTL that never ends; the node sends the real one, and validity is judged by the monotonic clock.
 * - It asks for the unlocking of an attempt that failed on every node and waits for that. Here only nodes that may have
 *   voted for it are asked, and nobody waits: what is asked of the same node later comes after it anyway.
 * - It releases a lock whose extension failed, even when only because nodes are away. Here only one that is lost.
 * - After a restart of a node its scripts are unknown, and the second round trip for that could place a lock after its
 *   release. Here they are loaded whenever a connection is ready, and a late lock is not sent again.
 * - Its promises are told of a vote a turn of the event loop later. Here a lock that is granted is held at once.
 * - It asks the system for the randomness of each token. Here nanoid, which asks for that of many at once.
 *
 * A lock that a node places after its time-out stays there until its TTL ends; alone it is no quorum.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { nanoid } from 'nanoid'
import type { Logger } from 'pino'
import Redlock from 'redlock'
import { impossible, isTransient, UnavailableError } from '../errors.ts'
import { openStep, type Step } from '../process/step.ts'
import { lockNode, type Question } from './node.ts'

/** A lock that a quorum voted for. */
export type Held = {
  readonly state: 'held'
  readonly resources: readonly string[]
  readonly token: string
  /**
   * For how long from the answer on nobody else can hold it. Zero or less if the acquisition took longer than the TTL (it
   * always does for a TTL of 2 ms and less): then only a caller that merely saves work may go on as if it held the lock.
   */
  readonly validForMs: number
}
/** Somebody holds it, or the votes were split. */
export type Busy = { readonly state: 'busy' }
/** No quorum of nodes answers; `cause` is the last reason one of them gave. */
export type Unavailable = { readonly state: 'unavailable'; readonly cause?: Error | undefined }
export type Acquired = Held | Busy | Unavailable

export type RedLock = {
  /** One attempt for all the resources or none; what was granted is `held` even if its validity has passed already. */
  tryAcquire(resources: readonly string[], ttlMs: number): Promise<Acquired>
  /**
   * Attempts until the lock is held and valid, or `waitMs` have passed: then the answer is that of the last attempt.
   * Below a TTL of about 10 ms it is rarely valid in time.
   */
  acquire(resources: readonly string[], ttlMs: number, waitMs: number): Promise<Acquired>
  /**
   * Resolves when one of the resources is being released through this instance, else after half of `ms` to `ms`, at
   * random: other processes release unheard, and contenders should not come back at the same moment.
   */
  changed(resources: readonly string[], ms: number, signal?: AbortSignal): Promise<void>
  /** Sets the TTL of a lock anew. `unavailable` leaves it as it was; when `lost`, what remains of it is released. */
  extend(
    held: { readonly resources: readonly string[]; readonly token: string },
    ttlMs: number,
  ): Promise<'held' | 'lost' | 'unavailable'>
  /**
   * Releases by token, also what another process acquired, and never what somebody else holds. `lost`: it had expired or
   * was released before. Whatever is asked through this instance later comes after it, so a caller need not await it.
   */
  release(resources: readonly string[], token: string): Promise<'released' | 'lost' | 'unavailable'>
  /** The same locks, whose steps are named for what is locked: `reader.lock` instead of `lock`. */
  named(what: string): RedLock
  /**
   * Lets everybody who waits for a change go, sends what is not sent yet, and lets the connections be; they are closed by
   * whoever opened them.
   */
  close(): void
}

/** How long, at most, `acquire` waits between two attempts. */
const RETRY_MS = 50
/** The TTL that redlock is told: no step of the clock reaches its end. */
const FOREVER_MS = 2 ** 52
/** What the clocks of a node and of this process may differ by while a lock lives, as in redlock. */
const DRIFT_FACTOR = 0.01
const DRIFT_MS = 2

/** For how long a lock may be trusted, counted from the moment before it was asked for. */
const validityMs = (ttlMs: number): number => ttlMs - ttlMs * DRIFT_FACTOR - DRIFT_MS

type Reply = (error?: Error | null, answer?: unknown) => void
type Words = (string | number)[]
/** A promise of bluebird, as redlock makes them: it knows what it is before it tells. */
type Inspectable<Result> = PromiseLike<Result> & { isFulfilled(): boolean; value(): Result }

const ignore = (): undefined => undefined

/**
 * What the nodes said to one question of redlock's. It is open until the answers suffice (`decided`), and what comes
 * later changes nothing in it. Sets of nodes are bits, one per node.
 */
type Ballot = {
  readonly question: Question['verb']
  readonly resources: number
  readonly ttlMs: number
  votes: number
  refusals: number
  failures: number
  decided: boolean
  cause: Error | undefined
  /** Nodes that took the question. */
  asked: number
  /** Nodes that certainly keep nothing of a lock asked for: they said so. */
  free: number
  /** What redlock waits for, by node. */
  readonly waiting: (Reply | undefined)[]
  /** Looks what redlock made of the answers. */
  settle: () => void
}

const openBallot = (question: Ballot['question'], resources: number, ttlMs: number): Ballot => ({
  question,
  resources,
  ttlMs,
  votes: 0,
  refusals: 0,
  failures: 0,
  decided: false,
  cause: undefined,
  asked: 0,
  free: 0,
  waiting: [],
  settle: ignore,
})

/** By this redlock calls its script for releasing; it needs a node to tell it. */
const UNLOCK = (
  new Redlock([{ eval: () => impossible('redlock-scripts') }]) as unknown as {
    readonly scripts: { readonly unlockScript: { readonly hash: string } }
  }
).scripts.unlockScript.hash

/** The locks that these masters keep, each reached by a connection of the kind "lock". Keys are `lock:<resource>`. */
export const redLock = (clients: readonly Redis[], step: Step = openStep('redlock')): RedLock => {
  const quorum = Math.floor(clients.length / 2) + 1
  /** If more nodes than this are against us, or away, no quorum is left. */
  const spare = clients.length - quorum
  /** Redlock asks, and unlocks, within one synchronous call: this is the ballot of that call. */
  let current: Ballot | undefined
  /** Who waits for a change, by resource. */
  const waiters = new Map<string, Set<() => void>>()

  /** Lets redlock speak to the nodes on behalf of a ballot. */
  const during = <Result>(ballot: Ballot, speak: () => Result): Result => {
    const outer = current
    current = ballot
    try {
      return speak()
    } finally {
      current = outer
    }
  }

  /** What redlock makes of a ballot, as soon as it has. */
  const verdict = <Result>(ballot: Ballot, speak: () => Inspectable<Result>): Promise<Result> => {
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const asked = during(ballot, speak)
    ballot.settle = () => {
      if (asked.isFulfilled()) resolve(asked.value())
      else asked.then(resolve, reject)
    }
    if (ballot.decided) ballot.settle()
    return promise
  }

  const isDecided = ({ votes, refusals, failures }: Ballot): boolean =>
    votes >= quorum ||
    failures > spare ||
    (refusals > spare && votes + refusals >= quorum) ||
    votes + refusals + failures === clients.length

  /** Counts what a node said and tells redlock; if that decides the ballot, redlock waits for nobody else. */
  const count = (
    ballot: Ballot,
    index: number,
    tell: Reply,
    error: Error | null | undefined,
    answer: unknown,
  ): void => {
    if (error) {
      ballot.failures++
      ballot.cause = error
    } else if (answer === ballot.resources) ballot.votes++
    else {
      ballot.refusals++
      if (ballot.question === 'lock') ballot.free |= 1 << index
    }
    ballot.decided = isDecided(ballot)
    ballot.waiting[index] = undefined
    during(ballot, () => {
      tell(error, answer)
      if (ballot.decided) for (const late of ballot.waiting.splice(0)) late?.(null, 0)
    })
    if (ballot.decided) ballot.settle()
  }

  const openNode = (client: Redis, index: number) => {
    const bit = 1 << index
    const node = lockNode(client)

    /** Nobody waits for this: redlock is told that it is done. */
    const rollBack = (ballot: Ballot, words: Words, reply: Reply): void => {
      const perhapsPlaced = (ballot.asked & ~ballot.free & bit) !== 0
      const lost = ballot.question === 'lock' || ballot.failures <= spare
      if (perhapsPlaced && lost) node.ask({ verb: 'release', words, ballot, mayWait: false, hear: ignore })
      reply(null, ballot.resources)
    }

    const ask = (ballot: Ballot, words: Words, reply: Reply): void => {
      const verb = ballot.question
      // Decided by nodes that are away, before this one's turn; what may be locked there is released all the same.
      if (ballot.decided) reply(null, 0)
      else ballot.waiting[index] = reply
      if (verb !== 'release') {
        if (ballot.decided) return
        words[words.length - 1] = ballot.ttlMs
      }
      const hear: Question['hear'] = (error, answer) => {
        if (!ballot.decided) count(ballot, index, reply, error, answer)
      }
      if (node.ask({ verb, words, ballot, mayWait: verb === 'release', hear })) ballot.asked |= bit
    }

    return {
      evalsha: (hash: string, words: Words, reply: Reply): void => {
        const ballot = current ?? impossible('redlock-no-ballot', hash)
        if (hash === UNLOCK && ballot.question !== 'release') rollBack(ballot, words, reply)
        else ask(ballot, words, reply)
      },
      eval: () => impossible('redlock-eval'), // it is not told of NOSCRIPT
      close: node.close,
    }
  }

  const nodes = clients.map(openNode)
  const redlock = Object.assign(new Redlock(nodes, { retryCount: 0, driftFactor: 0 }), { _random: () => nanoid() })
  const keysOf = (resources: readonly string[]): string[] => resources.map((resource) => `lock:${resource}`)
  /** A lock as redlock keeps it; its types know of one resource only. */
  const lockOf = (resources: readonly string[], token: string): Redlock.Lock =>
    new Redlock.Lock(redlock, keysOf(resources) as unknown as string, token, Number.POSITIVE_INFINITY, 0)

  /** What redlock's LockError means: the ballot knows. Anything else is a fault of the program. */
  const refusal = (ballot: Ballot, error: unknown): 'refused' | 'unavailable' => {
    if (!(error instanceof Redlock.LockError)) throw error
    return ballot.failures > spare ? 'unavailable' : 'refused'
  }

  const askToLock: RedLock['tryAcquire'] = async (resources, ttlMs) => {
    if (!Number.isSafeInteger(ttlMs) || ttlMs < 1) throw new RangeError(`a TTL is an integer from 1 on, not ${ttlMs}`)
    const ballot = openBallot('lock', resources.length, ttlMs)
    const startedAt = performance.now()
    try {
      const lock = await verdict(ballot, () => redlock.lock(keysOf(resources), FOREVER_MS))
      const token = lock.value ?? impossible('redlock-token')
      return { state: 'held', resources, token, validForMs: startedAt + validityMs(ttlMs) - performance.now() }
    } catch (error) {
      return refusal(ballot, error) === 'refused' ? { state: 'busy' } : { state: 'unavailable', cause: ballot.cause }
    }
  }

  const askToExtend: RedLock['extend'] = async ({ resources, token }, ttlMs) => {
    const ballot = openBallot('extend', resources.length, ttlMs)
    try {
      await verdict(ballot, () => redlock.extend(lockOf(resources, token), FOREVER_MS))
      return 'held'
    } catch (error) {
      return refusal(ballot, error) === 'refused' ? 'lost' : 'unavailable'
    }
  }

  const askToRelease: RedLock['release'] = async (resources, token) => {
    const ballot = openBallot('release', resources.length, 0)
    const unlocked = verdict(ballot, () => redlock.unlock(lockOf(resources, token)))
    // Who is woken now is served after the release: each node keeps the order.
    if (waiters.size > 0) for (const resource of resources) for (const wake of waiters.get(resource) ?? []) wake()
    try {
      await unlocked
      return 'released'
    } catch (error) {
      return refusal(ballot, error) === 'refused' ? 'lost' : 'unavailable'
    }
  }

  const changed: RedLock['changed'] = (resources, ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const wake = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', wake)
        for (const resource of resources) {
          const others = waiters.get(resource)
          others?.delete(wake)
          if (others?.size === 0) waiters.delete(resource)
        }
        resolve()
      }
      const timer = setTimeout(wake, ms * (0.5 + Math.random() / 2))
      signal?.addEventListener('abort', wake, { once: true })
      for (const resource of resources) {
        const others = waiters.get(resource)
        if (others) others.add(wake)
        else waiters.set(resource, new Set([wake]))
      }
    })

  const close = (): void => {
    for (const node of nodes) node.close()
    for (const wakes of [...waiters.values()]) for (const wake of wakes) wake()
  }

  /** The verbs, each a step. One that throws has lost its answer. */
  const named = (prefix: string): RedLock => {
    const steps = { lock: `${prefix}lock`, extend: `${prefix}extend`, release: `${prefix}release` }
    const tryAcquire: RedLock['tryAcquire'] = async (resources, ttlMs) => {
      try {
        return await step(steps.lock, () => askToLock(resources, ttlMs))
      } catch (error) {
        return { state: unanswered(error), cause: error as Error }
      }
    }
    const extend: RedLock['extend'] = (held, ttlMs) =>
      step(steps.extend, () => askToExtend(held, ttlMs)).catch(unanswered)
    const release: RedLock['release'] = (resources, token) =>
      step(steps.release, () => askToRelease(resources, token)).catch(unanswered)

    const acquire: RedLock['acquire'] = async (resources, ttlMs, waitMs) => {
      const deadline = performance.now() + waitMs
      for (;;) {
        const answer = await tryAcquire(resources, ttlMs)
        if (answer.state === 'held') {
          if (answer.validForMs > 0) return answer
          await release(resources, answer.token)
        }
        const leftMs = deadline - performance.now()
        if (leftMs <= 0) return answer.state === 'held' ? { state: 'busy' } : answer
        await changed(resources, Math.max(1, Math.min(RETRY_MS, leftMs)))
      }
    }
    return { tryAcquire, acquire, changed, extend, release, close, named: (what) => named(`${what}.`) }
  }
  return named('')
}

const unanswered = (error: unknown): 'unavailable' => {
  if (!(error instanceof UnavailableError)) throw error
  return 'unavailable'
}

export type LeaseOptions = {
  /** The resource: who holds its lock has the lease. */
  readonly name: string
  /** 100 at least. The lease is extended three times in this time, and a holder that crashed is succeeded after it. */
  readonly ttlMs: number
  readonly redLock: Pick<RedLock, 'tryAcquire' | 'extend' | 'release' | 'changed'>
  /** The work. It ends soon after its signal aborts, and must be safe to run twice at once. */
  readonly onHeld: (signal: AbortSignal) => Promise<void>
  readonly log: Pick<Logger, 'info' | 'warn'>
}

export type Lease = {
  start(): void
  /** Ends the work, waits for it, and gives the lease back. */
  stop(): Promise<void>
}

const LEASE_TTL_MIN_MS = 100

/** The lock under a lease: until when, by the monotonic clock, it may be trusted. */
type Grip = { readonly token: string; readonly trustedUntil: number }

/**
 * Keeps work running in one process at a time, for as long as this one lives. What it is doing is one of:
 *
 * - *waiting*: somebody else has the lease. It is tried about every quarter of the TTL, and when released through the
 *   same RedLock. Work that ended by itself (or failed because something is away) gives the lease back and waits, too.
 * - *working with the lease*: it is extended every third of the TTL. If it is lost (somebody else has it, or this
 *   process slept for so long that somebody may have it) the work's signal aborts; when the work has ended, it waits.
 * - *working without it*: no quorum answers, so nobody can get the lease. As the work is safe to run twice, standing
 *   still would be worse. The lease is tried for every third of the TTL, and if somebody else has got it, it is lost.
 *
 * Work that fails because of a fault of the program ends the process, by the rejection nobody handles.
 */
export const keepLease = ({ name, ttlMs, redLock, onHeld, log }: LeaseOptions): Lease => {
  if (!(ttlMs >= LEASE_TTL_MIN_MS)) throw new RangeError(`a lease lasts ${LEASE_TTL_MIN_MS} ms or more, not ${ttlMs}`)
  const resources = [name]
  const stopping = new AbortController()
  let life: Promise<void> | undefined

  const giveBack = (grip: { readonly token: string }): Promise<unknown> => redLock.release(resources, grip.token)

  /** A grip, or `undefined` if no quorum answers. One that took longer than it lasts is not taken. */
  const take = async (): Promise<Grip | undefined | 'busy'> => {
    const trustedUntil = performance.now() + validityMs(ttlMs)
    const answer = await redLock.tryAcquire(resources, ttlMs)
    if (answer.state === 'busy') return 'busy'
    if (answer.state === 'unavailable') return undefined
    if (performance.now() < trustedUntil) return { token: answer.token, trustedUntil }
    await giveBack(answer)
    return 'busy'
  }

  /** The grip renewed, or as it was, or `undefined` if no quorum answers for so long that it can be trusted no more. */
  const prolong = async (grip: Grip): Promise<Grip | undefined | 'lost'> => {
    const now = performance.now()
    if (now >= grip.trustedUntil) return 'lost'
    const answer = await redLock.extend({ resources, token: grip.token }, ttlMs)
    const trustedUntil = answer === 'held' ? now + validityMs(ttlMs) : grip.trustedUntil
    const trustedForMs = trustedUntil - performance.now()
    if (answer === 'lost' || trustedForMs <= 0) return 'lost'
    if (answer === 'held' || trustedForMs > ttlMs / 3) return { token: grip.token, trustedUntil }
    await giveBack(grip)
    return undefined
  }

  const work = async (first: Grip | undefined): Promise<void> => {
    let grip = first
    const run = new AbortController()
    const ended = new AbortController()
    const stop = (): void => run.abort(stopping.signal.reason)
    stopping.signal.addEventListener('abort', stop, { once: true })
    if (grip) log.info({ lease: name }, 'holds the lease')
    else log.warn({ lease: name }, 'no quorum answers for the lease: works without it')

    const outcome = onHeld(run.signal)
      .then(ignore, (error: unknown) => ({ error }))
      .finally(() => ended.abort())
    for (;;) {
      await pause(ttlMs / 3, undefined, { signal: ended.signal }).catch(ignore)
      if (ended.signal.aborted) break
      const next = grip ? await prolong(grip) : await take()
      if (next === 'lost' || next === 'busy') {
        log.warn({ lease: name }, 'lost the lease')
        run.abort()
        break
      }
      if (grip && !next) log.warn({ lease: name }, 'no quorum answers for the lease: goes on without it')
      if (!grip && next) log.info({ lease: name }, 'holds the lease again')
      grip = next
    }

    const failure = await outcome
    stopping.signal.removeEventListener('abort', stop)
    if (grip) await giveBack(grip)
    if (!failure) return
    const { error } = failure
    if (!isTransient(error)) throw error
    if (!run.signal.aborted) log.warn({ lease: name, error }, 'the work under the lease failed and will be tried again')
  }

  const live = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const grip = await take()
      if (grip !== 'busy' && !stopping.signal.aborted) await work(grip)
      else if (grip && grip !== 'busy') await giveBack(grip)
      await redLock.changed(resources, ttlMs / 4, stopping.signal)
    }
  }

  return {
    start: () => {
      life ??= live()
    },
    stop: async () => {
      stopping.abort()
      await life
    },
  }
}
