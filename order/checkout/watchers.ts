/**
 * Who wants to know when a checkout is decided, and hurries nobody?
 *
 * A client that asks for a checkout may wait for its end, for a while. Its end is told here as to those that wait for their own
 * (`outcomes.ts`), but nothing is cancelled when the while is over. As that telling is not trusted, those that have waited for
 * long are asked for.
 */
import { UnavailableError } from '../../shared/errors.ts'
import type { Ended } from '../order.ts'
import type { Store } from '../store.ts'

/** More than that do not wait, but are answered at once. */
const WATCHERS_MAX = 1_024
/** How often one asks that has waited, in case it missed the end. */
const ASK_EVERY_MS = 1_000
/** It may have ended while it was looked at. */
const FIRST_ASK_MS = 250

/** A client that waits: is it still there, and will this process be? */
export type Waiting = { readonly isGone?: () => boolean; readonly closing: AbortSignal }

export type Watchers = {
  /** Resolves when the checkout is decided, after so long, or when there is no use in waiting any more. */
  readonly watch: (id: string, ms: number, waiting: Waiting) => Promise<void>
  /** To be called with every checkout that was decided anywhere. */
  readonly onOutcome: (ended: Pick<Ended, 'id'>) => void
  /** Ends what is over, and asks for what has waited. To be called every so often. */
  readonly sweep: (now: number) => void
}

type Watcher = Waiting & { readonly until: number; readonly end: () => void }
type Watched = { readonly watchers: Set<Watcher>; askAt: number }

export const openWatchers = (store: Pick<Store, 'saga'>): Watchers => {
  const watched = new Map<string, Watched>()
  let count = 0

  const onOutcome: Watchers['onOutcome'] = ({ id }) => {
    for (const { end } of watched.get(id)?.watchers ?? []) end()
  }

  const ask = async (id: string): Promise<void> => {
    try {
      const saga = await store.saga(id)
      if (saga === undefined || !('leftMs' in saga)) onOutcome({ id })
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error // it is asked for again
    }
  }

  return {
    watch: async (id, ms, waiting) => {
      if (count >= WATCHERS_MAX || ms <= 0 || waiting.closing.aborted) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const now = performance.now()
      const watcher = { ...waiting, until: now + ms, end: () => resolve() }
      const known = watched.get(id) ?? { watchers: new Set<Watcher>(), askAt: now + FIRST_ASK_MS }
      watched.set(id, known)
      known.watchers.add(watcher)
      count += 1
      waiting.closing.addEventListener('abort', watcher.end)
      await promise
      waiting.closing.removeEventListener('abort', watcher.end)
      count -= 1
      known.watchers.delete(watcher)
      if (known.watchers.size === 0) watched.delete(id)
    },
    onOutcome,
    sweep: (now) => {
      for (const [id, one] of watched) {
        for (const { until, isGone, end } of one.watchers) if (until <= now || isGone?.() === true) end()
        if (one.askAt > now) continue
        one.askAt = now + ASK_EVERY_MS
        void ask(id)
      }
    },
  }
}
