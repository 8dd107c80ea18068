/**
 * How does a waiting request learn the outcome of its checkout?
 *
 * The reader that applies the end wakes it, when that is in this process; else the channel of outcomes does.
 * Neither is trusted: a sweep asks for those that have waited for long. At the deadline the sweep *cancels*: that script and the
 * one that ends the saga race on one key, so exactly one is the decision, and the answer is true either way. Only when
 * the own Redis cannot be reached is there no answer: `UnavailableError`, and repeating the request is safe.
 *
 * The deadline is that of the request that began the checkout. One that only *joined* it has another, and does not end it for the
 * others: they wait for its own, as its record has it. One that was submitted may have more time than those that join it will wait:
 * they are told that it is not decided yet.
 */
import { impossible, UnavailableError, unreachable } from '../../shared/errors.ts'
import { TransientMap } from '../../shared/process/transient-map.ts'
import type { Decision } from '../commands.ts'
import { type OrderMetrics, unmeasured } from '../metrics.ts'
import { type End, type Ended, isGivenUpBy, isRefusal } from '../order.ts'
import type { Store } from '../store.ts'

export type Outcomes = {
  /**
   * Resolves with the saga once it is decided; at `until` (of `performance.now()`) it is cancelled. It may be waited for
   * before it is begun. @throws UnavailableError
   */
  readonly wait: (id: string, until: number) => Promise<Ended>
  /**
   * The same for a checkout that another request began: at its own deadline it is cancelled, or at `until` if it has none; where
   * that is long after `until`, it is no longer waited for.
   */
  readonly join: (id: string, until: number) => Promise<Ended>
  /** The request that was to begin a saga waits for it no more, because it was not begun as far as is known. */
  readonly forget: (id: string) => void
  /** To be called with every saga that this process has decided: wakes those that wait, and releases what was locked. */
  readonly onDecided: (decided: Decision) => void
  /** To be called with every saga that was decided anywhere. */
  readonly onOutcome: (ended: Ended) => void
  /** Asks for all that has waited for long. To be called every so often. */
  readonly sweep: (now: number) => void
}

export type OutcomesOptions = {
  readonly store: Pick<Store, 'cancel' | 'saga'>
  /** Releases what was locked for a saga. */
  readonly release: (decided: Decision) => void
  readonly measured?: Pick<OrderMetrics, 'took'>
}

/** One that has waited for this long asks, in case it missed the end. */
const ASK_AFTER_MS = 500
/** Clocks of a process and of a Redis go differently, but not by that much in the time of a checkout. */
const OUTLASTS_MS = 1_000

type Waiter = {
  readonly since: number
  readonly joined: boolean
  /** For one that joined it is the deadline of the checkout, once that is known. */
  until: number
  /** The checkout has more time than this one waits: it is left alone. */
  outlasted: boolean
  readonly resolve: (ended: Ended) => void
  readonly reject: (error: unknown) => void
}

/** What the end of a checkout means to a request. */
export const outcomeOf = (ended: Ended): End => {
  const { id: logId } = ended
  switch (ended.state) {
    case 'paid':
      return { state: 'paid', logId }
    case 'failed':
      if (isGivenUpBy(ended.reason)) return { state: 'cancelled', by: ended.reason, logId }
      if (!isRefusal(ended.reason)) return impossible('order.refusal', ended)
      return { state: 'refused', reason: ended.reason, item: ended.item, logId }
    case 'cancelling':
    case 'closed':
      return { state: 'cancelled', by: ended.by, logId }
    default:
      return unreachable('order.ended', ended)
  }
}

const isLate = ({ until }: Waiter): boolean => until <= performance.now()

/** Those that joined a checkout wait until its own deadline, unless that is long after theirs. */
const learnDeadline = (waiters: readonly Waiter[], until: number): void => {
  for (const waiter of waiters) {
    if (!waiter.joined) continue
    waiter.outlasted = until > waiter.until + OUTLASTS_MS
    waiter.until = Math.min(waiter.until, until)
  }
}

/** Those whose deadline has passed waited for an answer long enough; the others are left to wait for the next one. */
const rejectLate = (waiters: TransientMap<Waiter[]>, id: string, error: unknown): void => {
  const { late = [], inTime = [] } = Object.groupBy(waiters.get(id) ?? [], (waiter) =>
    isLate(waiter) ? 'late' : 'inTime',
  )
  if (inTime.length > 0) waiters.set(id, inTime)
  else waiters.delete(id)
  for (const { reject } of late) reject(error)
}

/** Those that joined a checkout do not know when it began. */
const wakeAll = (waiting: readonly Waiter[], ended: Ended, { took }: Pick<OrderMetrics, 'took'>): void => {
  const now = performance.now()
  for (const { resolve, joined, since } of waiting) {
    if (!joined) took(ended, now - since)
    resolve(ended)
  }
}

export const openOutcomes = ({ store, release, measured = unmeasured }: OutcomesOptions): Outcomes => {
  const waiters = new TransientMap<Waiter[]>()
  const asked = new Set<string>()

  const onOutcome = (ended: Ended): void => {
    const waiting = waiters.get(ended.id)
    if (waiting === undefined) return
    waiters.delete(ended.id)
    wakeAll(waiting, ended, measured)
  }

  const onDecided = (decided: Decision): void => {
    release(decided)
    onOutcome(decided)
  }

  /** The end of a saga, made if it is time; `undefined` if it has none yet. */
  const endNow = async (id: string): Promise<Decision | undefined> => {
    const late = (waiters.get(id) ?? []).filter(isLate)
    if (late.some(({ outlasted }) => !outlasted)) {
      const decided = await store.cancel(id)
      // Never begun, or begun and lost by a Redis that came back older: this process cannot know.
      if (decided === undefined) throw new UnavailableError('the order service does not know this checkout')
      return decided
    }
    // What decided it may have lost the reply, and with it the token: what this process still keeps locked is released as well.
    const saga = await store.saga(id)
    if (saga === undefined || !('leftMs' in saga)) return saga
    if (late.length > 0) throw new UnavailableError('the checkout is not decided yet')
    learnDeadline(waiters.get(id) ?? [], performance.now() + saga.leftMs)
    return undefined
  }

  const ask = async (id: string): Promise<void> => {
    if (asked.has(id)) return
    asked.add(id)
    try {
      const decided = await endNow(id)
      if (decided) onDecided(decided)
    } catch (error) {
      rejectLate(waiters, id, error)
    } finally {
      asked.delete(id)
    }
  }

  const wait = (id: string, until: number, joined: boolean): Promise<Ended> => {
    const { promise, resolve, reject } = Promise.withResolvers<Ended>()
    // It may be rejected before it is awaited: while the saga is still being begun.
    promise.catch(() => undefined)
    const waiter = { since: performance.now(), joined, until, outlasted: false, resolve, reject }
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
