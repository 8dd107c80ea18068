/**
 * How does who waits for a checkout learn its end?
 *
 * Who waits is woken by the reader that applies the end, when that is in this process; else over the channel of outcomes.
 * Neither is trusted: a sweep asks for what has waited for long. At the deadline the sweep *cancels*: that script and the
 * one that ends the saga race on one key, so exactly one is the decision, and the answer is true either way. Only when
 * the own Redis cannot be reached is there no answer: `UnavailableError`, and repeating the request is safe.
 *
 * The deadline is that of whoever began the checkout. Who only *joined* it has another one, and does not end it for the others:
 * they wait for its own, as its record tells it.
 */
import { UnavailableError } from '../../shared/errors.ts'
import type { Decision } from '../commands.ts'
import type { Ended } from '../order.ts'
import type { Store } from '../store.ts'
import { TransientMap } from './transient-map.ts'

export type Ends = {
  /**
   * Resolves with the saga once it is decided; at `until` (of `performance.now()`) it is cancelled. It may be waited for
   * before it is begun. @throws UnavailableError
   */
  readonly wait: (id: string, until: number) => Promise<Ended>
  /** The same for a checkout that somebody else began: at its own deadline it is cancelled, or at `until` if it has none. */
  readonly join: (id: string, until: number) => Promise<Ended>
  /** Whoever was to begin a saga waits for it no more, because it was not begun as far as is known. */
  readonly forget: (id: string) => void
  /** To be told of every saga that this process has decided: wakes who waits, and releases what was locked. */
  readonly onDecided: (decided: Decision) => void
  /** To be told of every saga that was decided anywhere. */
  readonly onOutcome: (ended: Ended) => void
  /** Asks for all that has waited for long. To be called every so often. */
  readonly sweep: (now: number) => void
}

export type EndsOptions = {
  readonly store: Pick<Store, 'cancel' | 'saga'>
  /** Releases what was locked for a saga. */
  readonly release: (decided: Decision) => void
}

/** Who has waited for this long asks, in case the end was missed. */
const ASK_AFTER_MS = 500

type Waiter = {
  readonly since: number
  readonly joined: boolean
  /** For who joined, once it is known that is the deadline of the checkout. */
  until: number
  readonly resolve: (ended: Ended) => void
  readonly reject: (error: unknown) => void
}

const isLate = ({ until }: Waiter): boolean => until <= performance.now()

export const openEnds = ({ store, release }: EndsOptions): Ends => {
  const waiters = new TransientMap<Waiter[]>()
  const asked = new Set<string>()

  const onOutcome = (ended: Ended): void => {
    const waiting = waiters.get(ended.id)
    if (waiting === undefined) return
    waiters.delete(ended.id)
    for (const { resolve } of waiting) resolve(ended)
  }

  const onDecided = (decided: Decision): void => {
    release(decided)
    onOutcome(decided)
  }

  /** Those whose deadline has passed waited for an answer long enough; the others are left to wait for the next one. */
  const disappoint = (id: string, error: unknown): void => {
    const { late = [], inTime = [] } = Object.groupBy(waiters.get(id) ?? [], (waiter) =>
      isLate(waiter) ? 'late' : 'inTime',
    )
    if (inTime.length > 0) waiters.set(id, inTime)
    else waiters.delete(id)
    for (const { reject } of late) reject(error)
  }

  /** The end of a saga, made if it is time; `undefined` if it has none yet. */
  const endNow = async (id: string): Promise<Decision | undefined> => {
    if (waiters.get(id)?.some(isLate)) {
      const decided = await store.cancel(id)
      // Never begun, or begun and lost by a Redis that came back older: nobody here can know.
      if (decided === undefined) throw new UnavailableError('the order service does not know this checkout')
      return decided
    }
    // Whoever decided it may have lost the reply, and with it the token: what this process still keeps locked is released as well.
    const saga = await store.saga(id)
    if (saga?.state !== 'checking-out') return saga
    const until = performance.now() + saga.leftMs
    for (const waiter of waiters.get(id) ?? []) if (waiter.joined) waiter.until = Math.min(waiter.until, until)
    return undefined
  }

  const ask = async (id: string): Promise<void> => {
    if (asked.has(id)) return
    asked.add(id)
    try {
      const decided = await endNow(id)
      if (decided) onDecided(decided)
    } catch (error) {
      disappoint(id, error)
    } finally {
      asked.delete(id)
    }
  }

  const wait = (id: string, until: number, joined: boolean): Promise<Ended> => {
    const { promise, resolve, reject } = Promise.withResolvers<Ended>()
    // It may be rejected before anybody awaits it: while the saga is still being begun.
    promise.catch(() => undefined)
    const waiter = { since: performance.now(), joined, until, resolve, reject }
    const waiting = waiters.get(id)
    if (waiting) waiting.push(waiter)
    else waiters.set(id, [waiter])
    return promise
  }

  return {
    wait: (id, until) => wait(id, until, false),
    join: (id, until) => {
      // Registered first and asked after: the end may come in between.
      const end = wait(id, until, true)
      void ask(id)
      return end
    },
    forget: (id) => {
      const others = (waiters.get(id) ?? []).filter(({ joined }) => joined)
      if (others.length > 0) waiters.set(id, others)
      else waiters.delete(id)
    },
    onDecided,
    onOutcome,
    sweep: (now) => {
      for (const [id, waiting] of waiters)
        if (waiting.some(({ since, until }) => until <= now || now - since > ASK_AFTER_MS)) void ask(id)
    },
  }
}
