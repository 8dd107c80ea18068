/**
 * How does a request learn that payment has drafted the invoice of its order?
 *
 * The reader that applies what payment says of it tells which version was drafted, when that is in this process; else the channel of
 * drafts does. Neither is trusted: one that has waited for a while asks, so that what its client is answered is true. It waits no longer
 * than a client likes to, for the draft follows, whatever happens.
 */
import { UnavailableError } from '../../shared/errors.ts'

/** The draft of an order shows this version of it now. */
export type Drafted = { readonly order: string; readonly version: number }

export type Drafts = {
  /** Resolves with whether this version of the order is drafted, or a later one: once it is, or after `ms`, or at the signal. */
  readonly wait: (wanted: Drafted, ms: number, closing: AbortSignal) => Promise<boolean>
  /** To be called with every draft, wherever it was noted. */
  readonly onDrafted: (drafted: Drafted) => void
}

/** For so long a request waits for a draft: as a rule it takes milliseconds. */
export const WAIT_MS = 1_000
/** One that has waited for so long looks: it may have been noted before it waited. */
const LOOK_EVERY_MS = 200

type Waiting = Drafted & { readonly resolve: (isDrafted: boolean) => void }

/** @param draftedVersion which version of an order is drafted; 0 if none is. @throws UnavailableError */
export const openDrafts = (draftedVersion: (order: string) => Promise<number>): Drafts => {
  const waiting = new Map<string, readonly Waiting[]>()

  const leave = (one: Waiting): void => {
    const others = waiting.get(one.order)?.filter((other) => other !== one) ?? []
    if (others.length === 0) waiting.delete(one.order)
    else waiting.set(one.order, others)
  }

  const isDrafted = async ({ order, version }: Drafted): Promise<boolean> => {
    try {
      return (await draftedVersion(order)) >= version
    } catch (error) {
      if (error instanceof UnavailableError) return false
      throw error
    }
  }

  return {
    wait: async (wanted, ms, closing) => {
      const untilMs = performance.now() + ms
      for (;;) {
        const leftMs = closing.aborted ? 0 : untilMs - performance.now()
        if (leftMs <= 0) return isDrafted(wanted)
        const { promise, resolve } = Promise.withResolvers<boolean>()
        const one = { ...wanted, resolve }
        waiting.set(wanted.order, [...(waiting.get(wanted.order) ?? []), one])
        const look = (): void => resolve(false)
        const timer = setTimeout(look, Math.min(LOOK_EVERY_MS, leftMs))
        closing.addEventListener('abort', look, { once: true })
        const isTold = await promise
        clearTimeout(timer)
        closing.removeEventListener('abort', look)
        leave(one)
        if (isTold || (await isDrafted(wanted))) return true
      }
    },
    onDrafted: ({ order, version }) => {
      for (const one of waiting.get(order) ?? []) if (version >= one.version) one.resolve(true)
    },
  }
}
