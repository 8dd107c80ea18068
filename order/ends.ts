/**
 * How does who waits for a checkout learn its end?
 *
 * Who waits is woken by the reader that applies the end, when that is in this process; else over the channel of outcomes.
 * Neither is trusted: a sweep asks for what has waited for long. At the deadline the sweep *cancels*: that script and the
 * one that ends the saga race on one key, so exactly one is the decision, and the answer is true either way. Only when
 * the own Redis cannot be reached is there no answer: `UnavailableError`, and repeating the request is safe.
 */
import { UnavailableError } from '../shared/errors.ts'
import { TransientMap } from '../shared/transient-map.ts'
import type { Decided, Saga, Store } from './store.ts'

export type Ends = {
  /**
   * Resolves with the saga once it is decided; at `until` (of `performance.now()`) it is cancelled. It may be waited for
   * before it is begun. @throws UnavailableError
   */
  readonly wait: (id: string, until: number) => Promise<Saga>
  /** Nobody waits for a saga any more, because it was not begun. */
  readonly forget: (id: string) => void
  /** Looks at once whether a saga that is waited for has ended. */
  readonly ask: (id: string) => Promise<void>
  /** To be told of every saga that this process has decided: wakes who waits, and releases what was locked. */
  readonly onDecided: (decided: Decided) => void
  /** To be told of every saga that was decided anywhere. */
  readonly onOutcome: (saga: Saga) => void
  /** Asks for all that has waited for long. To be called every so often. */
  readonly sweep: (now: number) => void
}

export type EndsOptions = {
  readonly store: Pick<Store, 'cancel' | 'saga'>
  /** Releases what was locked for a saga. */
  readonly release: (decided: Decided) => void
}

/** Who has waited for this long asks, in case the end was missed. */
const ASK_AFTER_MS = 500

type Waiter = {
  readonly since: number
  readonly until: number
  readonly resolve: (saga: Saga) => void
  readonly reject: (error: unknown) => void
}

const isLate = ({ until }: Waiter): boolean => until <= performance.now()

export const openEnds = ({ store, release }: EndsOptions): Ends => {
  const waiters = new TransientMap<Waiter[]>()
  const asked = new Set<string>()

  const onOutcome = (saga: Saga): void => {
    const waiting = waiters.get(saga.id)
    if (waiting === undefined) return
    waiters.delete(saga.id)
    for (const { resolve } of waiting) resolve(saga)
  }

  const onDecided = (decided: Decided): void => {
    release(decided)
    onOutcome(decided)
  }

  /** Those whose deadline has passed waited for an answer long enough; the others are left to wait for the next one. */
  const disappoint = (id: string, error: unknown): void => {
    const { late = [], patient = [] } = Object.groupBy(waiters.get(id) ?? [], (waiter) =>
      isLate(waiter) ? 'late' : 'patient',
    )
    if (patient.length > 0) waiters.set(id, patient)
    else waiters.delete(id)
    for (const { reject } of late) reject(error)
  }

  /** The end of a saga, made if it is time; `undefined` if it has none yet. */
  const endNow = async (id: string): Promise<Decided | undefined> => {
    if (waiters.get(id)?.some(isLate)) {
      const decided = await store.cancel(id)
      // Never begun, or begun and lost by a Redis that came back older: nobody here can know.
      if (decided === undefined) throw new UnavailableError('the order service does not know this checkout')
      return decided
    }
    // Whoever decided it may have lost the reply, and with it the token: what is left of the lock is released as well.
    const saga = await store.saga(id)
    return saga?.state === 'checking-out' ? undefined : saga
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

  return {
    wait: (id, until) => {
      const { promise, resolve, reject } = Promise.withResolvers<Saga>()
      // It may be rejected before anybody awaits it: while the saga is still being begun.
      promise.catch(() => undefined)
      const waiter = { since: performance.now(), until, resolve, reject }
      const waiting = waiters.get(id)
      if (waiting) waiting.push(waiter)
      else waiters.set(id, [waiter])
      return promise
    },
    forget: (id) => waiters.delete(id),
    ask,
    onDecided,
    onOutcome,
    sweep: (now) => {
      for (const [id, waiting] of waiters)
        if (waiting.some(({ since, until }) => until <= now || now - since > ASK_AFTER_MS)) void ask(id)
    },
  }
}
