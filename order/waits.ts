/**
 * How does a request learn of what another process does, or the reader in this one?
 *
 * It waits under a name for being woken, and looks. A call that wakes is a hint only, which may come for nothing or get lost: what a
 * request sees when it looks is what counts.
 */

export type Waits = {
  /**
   * Looks at once, whenever the name is woken, and now and then in case it was not, until something is found; and a last time after `ms`,
   * or at the signal.
   */
  readonly until: <Found>(
    name: string,
    patience: { readonly ms: number; readonly closing: AbortSignal },
    look: () => Promise<Found | undefined>,
  ) => Promise<Found | undefined>
  readonly wake: (name: string) => void
}

/** One that has waited for so long looks again. */
const LOOK_EVERY_MS = 500

export const openWaits = (): Waits => {
  const waiting = new Map<string, Set<() => void>>()

  /** To be ended: it is woken no more then. */
  const register = (name: string, untilMs: number, closing: AbortSignal) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    const others = waiting.get(name) ?? new Set()
    waiting.set(name, others.add(wake))
    const timer = setTimeout(wake, Math.max(0, Math.min(LOOK_EVERY_MS, untilMs - performance.now())))
    closing.addEventListener('abort', wake, { once: true })
    return {
      woken: promise,
      end: (): void => {
        clearTimeout(timer)
        closing.removeEventListener('abort', wake)
        others.delete(wake)
        if (others.size === 0 && waiting.get(name) === others) waiting.delete(name)
      },
    }
  }

  return {
    until: async (name, { ms, closing }, look) => {
      const untilMs = performance.now() + ms
      for (;;) {
        const isLast = closing.aborted || performance.now() >= untilMs
        // Registered first and looked after: it may be woken in between.
        const { woken, end } = register(name, untilMs, closing)
        try {
          const found = await look()
          if (found !== undefined || isLast) return found
          await woken
        } finally {
          end()
        }
      }
    },
    wake: (name) => {
      const all = waiting.get(name)
      waiting.delete(name)
      for (const resolve of all ?? []) resolve()
    },
  }
}
