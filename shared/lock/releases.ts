/**
 * Which requests wait for a release?
 *
 * In this process: what is released elsewhere does not show here, so none waits for it without a bound.
 */
export type Releases = {
  /**
   * Resolves when one of the resources is being released, else after half of `ms` to `ms`, at random: contenders should not
   * come back at the same moment.
   */
  readonly changed: (resources: readonly string[], ms: number, signal?: AbortSignal) => Promise<void>
  readonly wake: (resources: readonly string[]) => void
  readonly wakeAll: () => void
}

export const openReleases = (): Releases => {
  /** Those that wait, by resource. */
  const waiters = new Map<string, Set<() => void>>()

  const add = (resource: string, wake: () => void): void => {
    const others = waiters.get(resource)
    if (others) others.add(wake)
    else waiters.set(resource, new Set([wake]))
  }
  const remove = (resource: string, wake: () => void): void => {
    const others = waiters.get(resource)
    others?.delete(wake)
    if (others?.size === 0) waiters.delete(resource)
  }

  return {
    changed: (resources, ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const wake = (): void => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', wake)
          for (const resource of resources) remove(resource, wake)
          resolve()
        }
        const timer = setTimeout(wake, ms * (0.5 + Math.random() / 2))
        signal?.addEventListener('abort', wake, { once: true })
        for (const resource of resources) add(resource, wake)
      }),
    wake: (resources) => {
      if (waiters.size === 0) return
      for (const resource of resources) for (const wake of waiters.get(resource) ?? []) wake()
    },
    wakeAll: () => {
      for (const wakes of [...waiters.values()]) for (const wake of wakes) wake()
    },
  }
}
