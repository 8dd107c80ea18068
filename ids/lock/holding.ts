/**
 * How does a request get a lease for which it may have to wait?
 *
 * It asks, and while its lease waits it waits, too: until something happens to the lease, or its time is over. Whatever it asks is safe to
 * repeat: so when this replica is about to stop the request is handed to another one. One whose client has gone waits no longer, and does
 * not fetch what it is granted: nobody would know of it.
 */
import { throwAfterEffect } from '../../shared/errors.ts'
import type { Once } from '../../shared/redis/script.ts'
import { leaseKey } from './keys.ts'
import type { Wish } from './lease.ts'
import type { Acquired, Asked, Unknown, Verbs } from './verbs.ts'
import type { Waits, Watch } from './waits.ts'

/** How long one request waits at most: shorter than a gateway waits for an answer. */
const REQUEST_MAX_MS = 25_000

/** The replica is about to stop; or the client has gone, so that nobody is told. */
export type Closing = { readonly state: 'closing' }

/** On whose behalf it is waited. */
export type Client = { readonly closing: AbortSignal; readonly isGone: () => boolean }

export type Holding = {
  /**
   * Gets a lease, or says how it waits after as long as the wish says. Under a key it says how the first request's lease stands, which is
   * unknown if it has ended too long ago.
   */
  readonly acquire: (
    name: string,
    lease: string,
    wish: Wish,
    client: Client,
    once?: Once,
  ) => Promise<Acquired | Unknown | Closing>
  /** Waits for a lease that was asked for before. */
  readonly ask: (name: string, lease: string, waitMs: number, client: Client) => Promise<Asked | Closing>
}

export const openHolding = (verbs: Pick<Verbs, 'acquire' | 'ask'>, waits: Pick<Waits, 'watch'>): Holding => {
  /** Asks until it no longer waits, or the time is over. */
  const waiting = async <Found extends { readonly state: string }>(
    watch: Watch,
    first: Found,
    again: () => Promise<Found>,
    waitMs: number,
    { closing, isGone }: Client,
  ): Promise<Found | Closing> => {
    const until = performance.now() + Math.min(waitMs, REQUEST_MAX_MS)
    let found = first
    for (let left = waitMs; found.state === 'waiting' && left > 0; left = until - performance.now()) {
      await watch.next(until - performance.now(), closing)
      if (closing.aborted || isGone()) return { state: 'closing' }
      found = await again().catch(throwAfterEffect)
    }
    return found
  }

  const ask: Holding['ask'] = async (name, lease, waitMs, client) => {
    const watch = waits.watch(leaseKey(name, lease), client.isGone)
    try {
      const again = (): Promise<Asked> => verbs.ask(name, lease)
      return await waiting(watch, await again(), again, waitMs, client)
    } finally {
      watch.end()
    }
  }

  /** As it is told by its name: one whose wait is over is refused as if it had not waited, until it could be had. */
  const askAgain = async (name: string, lease: string, wish: Wish, client: Client): ReturnType<Holding['acquire']> => {
    const found = await ask(name, lease, wish.waitMs, client)
    const isOver = found.state === 'ended' && found.ended === 'timed-out'
    return isOver ? verbs.acquire(name, lease, wish).catch(throwAfterEffect) : found
  }

  const acquireAndWait: Holding['acquire'] = async (name, lease, wish, client, once) => {
    const watch = waits.watch(leaseKey(name, lease), client.isGone)
    try {
      const first = await verbs.acquire(name, lease, wish, once)
      // It was granted, or waited, before: to acquire it once more might grant another one under the same key.
      if ('lease' in first && first.lease !== lease) return await askAgain(name, first.lease, wish, client)
      const again = (): Promise<Acquired> => verbs.acquire(name, lease, wish)
      return await waiting(watch, first, again, wish.waitMs, client)
    } finally {
      watch.end()
    }
  }

  return {
    ask,
    acquire: (name, lease, wish, client, once) => {
      // Under a key it may be the lease of the first request, which may wait.
      const mayWait = wish.waitMs > 0 || once?.idempotencyKey !== undefined
      return mayWait ? acquireAndWait(name, lease, wish, client, once) : verbs.acquire(name, lease, wish, once)
    },
  }
}
