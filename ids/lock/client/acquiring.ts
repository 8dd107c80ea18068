/**
 * How does a process come to hold a lock?
 *
 * It names a lease and asks with it until it holds, or its wait is over. What ended because this process slept is asked for anew, under
 * another lease, while there is time. A caller that gives up has its lease deleted, also one that may never have arrived, so that a request
 * that is still on its way gets nothing.
 */
import { LockRefusedError } from './errors.ts'
import { holdLock, type Keeper, type Lock, lastsMs, numberIn, textIn, type Verbs } from './held-lock.ts'
import { type Answer, type Json, type Patience, pause, type Wire } from './wire.ts'

/** What is asked for: zero and undefined mean the default. Times are in ms. */
export type AcquireOptions = {
  /** `shared` is `read`. */
  readonly mode?: 'exclusive' | 'shared' | 'read' | 'write-shared' | 'permit'
  readonly ttl?: number | undefined
  /** For how long it waits. */
  readonly wait?: number | undefined
  /** Of two that wait the one with the greater priority comes first; -1000 to 1000. */
  readonly priority?: number | undefined
  /** How many permits of how many: of a semaphore. */
  readonly permits?: number | undefined
  readonly limit?: number | undefined
  readonly owner?: string | undefined
  /** What others see of it. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** For how long nobody gets it, if this lease expires or is forced. */
  readonly delay?: number | undefined
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined
}

/** Where a lease is asked for, and with what. */
export type Claim = {
  readonly name: string
  readonly pathOf: (lease: string) => string
  readonly body: Json
  readonly ttl: number
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
  /** Called when it is told that it has a place in the queue, with what asks whether it still waits; what that throws ends the wait. */
  readonly onWaiting?: ((isWaiting: () => Promise<boolean>) => Promise<void>) | undefined
  /** What an answer calls the token. */
  readonly tokenName?: string
}

export type Acquiring = {
  /** `undefined`: somebody else has it, or had it for so long. @throws LockRefusedError, LockUnavailableError; the signal's reason */
  readonly claim: (claim: Claim) => Promise<Lock | undefined>
  /** A lease that is held already, if it still is. */
  readonly resume: (claim: Place, lease: string) => Promise<Lock | Answer>
}

/** A request waits no longer at the service, nor does a question. */
const REQUEST_WAIT_MS = 25_000
const QUESTION_WAIT_MS = 20_000
/** How long it is tried to tell the service that a lease is not wanted. */
const CANCEL_MS = 2_000
/** After how long it is asked again that has no room, where the service does not say. */
const FULL_MS = 500

type Place = Omit<Claim, 'body' | 'waitMs'>
type Settle = (path: string, claim: Claim, deadline: number) => Promise<Answer>

/** Asks until it holds, or ends: what the service answers then; 202 if the time is over. */
const settling =
  (wire: Wire, forMs: number): Settle =>
  async (path, { body, signal, onWaiting }, deadline) => {
    const restMs = (most: number): number => Math.max(0, Math.min(most, deadline - performance.now()))
    const patience = (answerMs: number): Patience => ({
      signal,
      answerMs,
      forMs: Math.max(forMs, deadline - performance.now()),
    })
    const put = (): Promise<Answer> => wire.ask('PUT', path, body, patience(restMs(REQUEST_WAIT_MS)))
    let answer = await put()
    const isWaiting = async (): Promise<boolean> => {
      answer = await wire.ask('GET', path, undefined, patience(0))
      return answer.status === 202
    }
    if (answer.status === 202) await onWaiting?.(isWaiting)
    while (answer.status === 202 && restMs(1) > 0) {
      const waitMs = Math.ceil(restMs(QUESTION_WAIT_MS))
      answer = await wire.ask('GET', `${path}?wait_ms=${waitMs}`, undefined, patience(waitMs))
      if (answer.status === 404) answer = await put()
    }
    return answer
  }

/** The lock that an answer grants; `undefined` if that came too late. */
const granting =
  (wire: Wire, keeper: Keeper) =>
  ({ name, pathOf, ttl, tokenName = 'token' }: Place, lease: string, { json, askedAt }: Answer): Lock | undefined => {
    const until = askedAt + lastsMs(json)
    if (until <= performance.now()) return undefined
    const path = pathOf(lease)
    const verbs: Verbs = {
      renew: (ttl_ms, patience) => wire.ask('PATCH', path, { ttl_ms }, patience),
      release: () => wire.ask('DELETE', path),
    }
    const mode = textIn(json, 'mode') || 'exclusive'
    return holdLock({ name, lease, ttl, token: numberIn(json, tokenName), mode, until }, verbs, keeper)
  }

/** When the service would be asked again by a client that it has no room for. */
const afterMs = ({ retry }: Json): number =>
  (typeof retry === 'object' && retry !== null ? numberIn(retry as Json, 'after_ms') : 0) || FULL_MS

/** @param forMs for how long a service that does not answer is asked again, if nobody waits for longer */
export const openAcquiring = (wire: Wire, keeper: Keeper, forMs: number): Acquiring => {
  const settle = settling(wire, forMs)
  const granted = granting(wire, keeper)

  const cancel = (path: string): void => {
    // What was not cancelled ends by itself.
    wire.ask('DELETE', path, undefined, { forMs: CANCEL_MS }).catch(() => undefined)
  }

  /** One lease: the lock, or nothing, or that it is to be asked for anew. */
  const tryLease = async (claim: Claim, deadline: number): Promise<Lock | 'again' | undefined> => {
    const lease = crypto.randomUUID()
    const path = claim.pathOf(lease)
    let isOpen = true
    try {
      const answer = await settle(path, claim, deadline)
      const { status, json } = answer
      if (status === 200 || status === 201) {
        const lock = granted(claim, lease, answer)
        isOpen = lock === undefined
        return lock ?? 'again'
      }
      isOpen = status === 202
      if (status === 202 || status === 423) return undefined
      if (status === 410) return textIn(json, 'ended') === 'timed-out' ? undefined : 'again'
      if (status !== 429 || claim.waitMs === 0) throw new LockRefusedError(status, json)
      await pause(Math.max(0, Math.min(afterMs(json), deadline - performance.now())), claim.signal)
      return 'again'
    } finally {
      if (isOpen) cancel(path)
    }
  }

  return {
    claim: async (claim) => {
      const deadline = performance.now() + claim.waitMs
      for (;;) {
        const lock = await tryLease(claim, deadline)
        if (lock !== 'again') return lock
        if (performance.now() >= deadline) return undefined
      }
    },
    resume: async (claim, lease) => {
      const answer = await wire.ask('GET', claim.pathOf(lease), undefined, { signal: claim.signal })
      return (answer.status === 200 ? granted(claim, lease, answer) : undefined) ?? answer
    },
  }
}
