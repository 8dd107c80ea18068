/**
 * How do the lock masters vote?
 *
 * The voting is that of the package redlock 4.2.0. It speaks to *nodes* (`node.ts`) instead of clients, which ask in
 * batches and shield its faults:
 *
 * - It waits for every node, so a frozen one holds up every attempt for the whole time-out. Here a ballot is decided as
 *   soon as the answers suffice (`quorum.ts`), and a node that timed out is suspended until it answers a PING.
 * - It judges by the wall clock, which may step while an attempt runs, and refuses every TTL of 2 ms or less. Here it is
 *   told a TTL that never ends; the node sends the real one, and validity is judged by the monotonic clock.
 * - It asks for the unlocking of an attempt that failed on every node and waits for that. Here only nodes that may have
 *   voted for it are asked, and no caller waits: what is asked of the same node later comes after it anyway.
 * - It releases a lock whose extension failed, even when only because nodes are away. Here only one that is lost.
 * - After a restart of a node its scripts are unknown, and the second round trip for that could place a lock after its
 *   release. Here they are loaded whenever a connection is ready, and a late lock is not sent again.
 * - Its promises are told of a vote a turn of the event loop later. Here a lock that is granted is held at once.
 * - It asks the system for the randomness of each token. Here nanoid, which asks for that of many at once.
 */
import type { Redis } from 'ioredis'
import { nanoid } from 'nanoid'
import Redlock from 'redlock'
import { impossible } from '../errors.ts'
import { type LockNode, lockNode, type Question } from './node.ts'
import { type Tally, type VoteResult, voteResult } from './quorum.ts'

/** A lock that a quorum voted for. */
export type Held = {
  readonly state: 'held'
  readonly resources: readonly string[]
  readonly token: string
  /**
   * For how long from the answer on no other process can hold it. Zero or less if the acquisition took longer than the TTL (it
   * always does for a TTL of 2 ms and less): then only a caller that merely saves work may go on as if it held the lock.
   */
  readonly validForMs: number
}
/** Another process holds it, or the votes were split. */
export type Busy = { readonly state: 'busy' }
/** No quorum of nodes answers; `cause` is the last reason one of them gave. */
export type Unavailable = { readonly state: 'unavailable'; readonly cause?: Error | undefined }
export type Acquired = Held | Busy | Unavailable

/** What the masters are asked, each by one ballot. Keys are `lock:<resource>`. */
export type Ballots = {
  readonly lock: (resources: readonly string[], ttlMs: number) => Promise<Acquired>
  readonly extend: (
    resources: readonly string[],
    token: string,
    ttlMs: number,
  ) => Promise<'held' | 'lost' | 'unavailable'>
  /** Whatever is asked later comes after it: each node keeps the order. */
  readonly release: (resources: readonly string[], token: string) => Promise<'released' | 'lost' | 'unavailable'>
  /** Sends what is not sent yet, and lets the connections be. */
  readonly close: () => void
}

/** The TTL that redlock is told: no step of the clock reaches its end. */
const FOREVER_MS = 2 ** 52
/** What the clocks of a node and of this process may differ by while a lock lives, as in redlock. */
const DRIFT_FACTOR = 0.01
const DRIFT_MS = 2

/** For how long a lock may be trusted, counted from the moment before it was asked for. */
export const validityMs = (ttlMs: number): number => ttlMs - ttlMs * DRIFT_FACTOR - DRIFT_MS

/** What redlock gives a client to call once it has answered. */
type Callback = (error?: Error | null, answer?: unknown) => void
type Args = (string | number)[]
/** A promise of bluebird, as redlock makes them: it knows what it is before it tells. */
type Inspectable<Result> = PromiseLike<Result> & { isFulfilled(): boolean; value(): Result }

const ignore = (): undefined => undefined

/** Whose ballot redlock speaks for: it asks, and unlocks, within one synchronous call. */
type Speaking = { for: Ballot | undefined }

/**
 * What the nodes said to one question of redlock's. It is open until the answers suffice, and what comes later changes
 * nothing in it. Sets of nodes are bits, one per node.
 */
type Ballot = Tally & {
  readonly speaking: Speaking
  readonly question: Question['verb']
  readonly resources: number
  readonly ttlMs: number
  votes: number
  refusals: number
  failures: number
  result: VoteResult
  cause: Error | undefined
  /** Nodes that took the question. */
  asked: number
  /** Nodes that certainly keep nothing of a lock asked for: they said so. */
  free: number
  /** What redlock waits for, by node. */
  readonly waiting: (Callback | undefined)[]
  /** Looks what redlock made of the answers. */
  settle: () => void
}

const isDecided = ({ result }: Ballot): boolean => result !== 'pending'

const openBallot = (
  speaking: Speaking,
  masters: number,
  question: Ballot['question'],
  resources: number,
  ttlMs: number,
): Ballot => ({
  speaking,
  masters,
  question,
  resources,
  ttlMs,
  votes: 0,
  refusals: 0,
  failures: 0,
  result: 'pending',
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

/** Lets redlock speak to the nodes on behalf of a ballot. */
const during = <Result>(ballot: Ballot, speak: () => Result): Result => {
  const { speaking } = ballot
  const outer = speaking.for
  speaking.for = ballot
  try {
    return speak()
  } finally {
    speaking.for = outer
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
  if (isDecided(ballot)) ballot.settle()
  return promise
}

/** Counts what a node said and tells redlock; if that decides the ballot, redlock waits for no other node. */
const count = (ballot: Ballot, index: number, error: Error | null, answer: unknown): void => {
  if (error) {
    ballot.failures++
    ballot.cause = error
  } else if (answer === ballot.resources) ballot.votes++
  else {
    ballot.refusals++
    if (ballot.question === 'lock') ballot.free |= 1 << index
  }
  ballot.result = voteResult(ballot)
  const { waiting } = ballot
  const tell = waiting[index]
  waiting[index] = undefined
  during(ballot, () => {
    tell?.(error, answer)
    if (isDecided(ballot)) for (const late of waiting.splice(0)) late?.(null, 0)
  })
  if (isDecided(ballot)) ballot.settle()
}

/** A node as redlock sees it: a client that runs its scripts. */
const voter = (speaking: Speaking, node: LockNode, index: number) => {
  const bit = 1 << index

  /** No caller waits for this: redlock is told that it is done. */
  const rollBack = (ballot: Ballot, args: Args, reply: Callback): void => {
    const perhapsPlaced = (ballot.asked & ~ballot.free & bit) !== 0
    const isLost = ballot.question === 'lock' || ballot.result !== 'unavailable'
    if (perhapsPlaced && isLost) node.ask({ verb: 'release', args, ballot, deferrable: false, onAnswer: ignore })
    reply(null, ballot.resources)
  }

  const ask = (ballot: Ballot, args: Args, reply: Callback): void => {
    const verb = ballot.question
    // Decided by nodes that are away, before this one's turn; what may be locked there is released all the same.
    if (isDecided(ballot)) reply(null, 0)
    else ballot.waiting[index] = reply
    if (verb !== 'release') {
      if (isDecided(ballot)) return
      args[args.length - 1] = ballot.ttlMs
    }
    const onAnswer: Question['onAnswer'] = (error, answer) => {
      if (!isDecided(ballot)) count(ballot, index, error, answer)
    }
    if (node.ask({ verb, args, ballot, deferrable: verb === 'release', onAnswer })) ballot.asked |= bit
  }

  return {
    evalsha: (hash: string, args: Args, reply: Callback): void => {
      const ballot = speaking.for ?? impossible('redlock-no-ballot', hash)
      if (hash === UNLOCK && ballot.question !== 'release') rollBack(ballot, args, reply)
      else ask(ballot, args, reply)
    },
    eval: () => impossible('redlock-eval'), // it is not told of NOSCRIPT
  }
}

/** What redlock's LockError means: the ballot knows. Anything else is a fault of the program. */
const refusal = (ballot: Ballot, error: unknown): 'refused' | 'unavailable' => {
  if (!(error instanceof Redlock.LockError)) throw error
  return ballot.result === 'unavailable' ? 'unavailable' : 'refused'
}

export const openBallots = (clients: readonly Redis[]): Ballots => {
  const speaking: Speaking = { for: undefined }
  const nodes = clients.map((client) => lockNode(client))
  const voters = nodes.map((node, index) => voter(speaking, node, index))
  const redlock = Object.assign(new Redlock(voters, { retryCount: 0, driftFactor: 0 }), { _random: () => nanoid() })
  const open = (question: Ballot['question'], resources: readonly string[], ttlMs: number): Ballot =>
    openBallot(speaking, nodes.length, question, resources.length, ttlMs)
  const keysOf = (resources: readonly string[]): string[] => resources.map((resource) => `lock:${resource}`)
  /** A lock as redlock keeps it; its types know of one resource only. */
  const lockOf = (resources: readonly string[], token: string): Redlock.Lock =>
    new Redlock.Lock(redlock, keysOf(resources) as unknown as string, token, Number.POSITIVE_INFINITY, 0)

  return {
    lock: async (resources, ttlMs) => {
      if (!Number.isSafeInteger(ttlMs) || ttlMs < 1) throw new RangeError(`a TTL is an integer from 1 on, not ${ttlMs}`)
      const ballot = open('lock', resources, ttlMs)
      const startedAt = performance.now()
      try {
        const lock = await verdict(ballot, () => redlock.lock(keysOf(resources), FOREVER_MS))
        const token = lock.value ?? impossible('redlock-token')
        return { state: 'held', resources, token, validForMs: startedAt + validityMs(ttlMs) - performance.now() }
      } catch (error) {
        return refusal(ballot, error) === 'refused' ? { state: 'busy' } : { state: 'unavailable', cause: ballot.cause }
      }
    },
    extend: async (resources, token, ttlMs) => {
      const ballot = open('extend', resources, ttlMs)
      try {
        await verdict(ballot, () => redlock.extend(lockOf(resources, token), FOREVER_MS))
        return 'held'
      } catch (error) {
        return refusal(ballot, error) === 'refused' ? 'lost' : 'unavailable'
      }
    },
    release: async (resources, token) => {
      const ballot = open('release', resources, 0)
      try {
        await verdict(ballot, () => redlock.unlock(lockOf(resources, token)))
        return 'released'
      } catch (error) {
        return refusal(ballot, error) === 'refused' ? 'lost' : 'unavailable'
      }
    },
    close: () => {
      for (const node of nodes) node.close()
    },
  }
}
