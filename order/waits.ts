/**
 * How does a request learn of what another process does, or the reader in this one?
 *
 * It waits under a name for being woken, and looks. A call that wakes is a hint only, which may come for nothing or get lost: what a
 * request sees when it looks is what counts.
 */

export type Waits = {
  /** Looks at once, whenever the name is woken, and a last time after `ms`, until something is found. */
  readonly until: <Found>(
    name: string,
    ms: number,
    look: () => Promise<Found | undefined>,
  ) => Promise<Found | undefined>
  readonly wake: (name: string) => void
}

export const openWaits = (): Waits => {
  const waiting = new Map<string, Set<() => void>>()

  /** To be ended: it is woken no more then. */
  const register = (name: string, untilMs: number) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const others = waiting.get(name) ?? new Set()
    waiting.set(name, others.add(resolve))
    const timer = setTimeout(resolve, Math.max(0, untilMs - performance.now()))
    return {
      woken: promise,
      end: (): void => {
        clearTimeout(timer)
        others.delete(resolve)
        if (others.size === 0 && waiting.get(name) === others) waiting.delete(name)
      },
    }
  }

  return {
    until: async (name, ms, look) => {
      const untilMs = performance.now() + ms
      for (;;) {
        const isLast = performance.now() >= untilMs
        // Registered first and looked after: it may be woken in between.
        const { woken, end } = register(name, untilMs)
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
