/**
 * How many checkouts may be under way in this process at once?
 *
 * More at once than keep the shop busy end no sooner, they only wait longer: at a given rate, the time a checkout takes is
 * the number under way divided by the rate (Little's law). So a checkout that is to be begun needs a *slot*, which it has
 * from asking for the lock to its end. One that finds none waits in order of arrival, for at most `timeoutMs`; one
 * that waited in vain has touched nothing, and its client is asked to come again.
 *
 * The number of slots follows what the shop can do: each checkout that ends within `targetMs` adds one, up to `most`, each that takes
 * longer removes one, down to `SLOTS_MIN`. It comes to rest where half of them end in time, however slow the shop is, and
 * is back at `most` a moment after a slow time.
 */

/** So few are let in even when nothing ends in time, or nothing would show that it does again. */
const SLOTS_MIN = 8
/** No more than that wait: a gateway sends fewer to a replica. */
const WAITING_MAX = 2_048

export type Admission = {
  /** Resolves with whether there is a slot: at once, or when one becomes free within the timeout. */
  readonly enter: () => boolean | Promise<boolean>
  /** Gives the slot back of a checkout that ended, after how long; or of one that was not begun. */
  readonly leave: (tookMs?: number) => void
  /** How many slots there are, how many are taken, and how many wait for one. */
  readonly counts: () => { readonly slots: number; readonly taken: number; readonly waiting: number }
}

export type AdmissionOptions = { readonly most: number; readonly targetMs: number; readonly timeoutMs: number }

type Waiting = { readonly until: number; readonly resolve: (admitted: boolean) => void }

export const admission = ({ most, targetMs, timeoutMs }: AdmissionOptions): Admission => {
  let slots = most
  let taken = 0
  /** All wait equally long, so the first to come is the first to go. */
  const waiting = new Set<Waiting>()
  let timer: NodeJS.Timeout | undefined

  const first = (): Waiting | undefined => waiting.values().next().value

  const watch = (): void => {
    const next = first()
    if (timer !== undefined || next === undefined) return
    timer = setTimeout(sendAway, Math.max(1, next.until - performance.now()))
  }

  const sendAway = (): void => {
    timer = undefined
    const now = performance.now()
    for (const one of waiting) {
      if (one.until > now) break
      waiting.delete(one)
      one.resolve(false)
    }
    watch()
  }

  return {
    enter: () => {
      if (taken < slots && waiting.size === 0) {
        taken += 1
        return true
      }
      if (waiting.size >= WAITING_MAX) return false
      return new Promise((resolve) => {
        waiting.add({ until: performance.now() + timeoutMs, resolve })
        watch()
      })
    },
    leave: (tookMs) => {
      taken -= 1
      if (tookMs !== undefined)
        slots = tookMs <= targetMs ? Math.min(most, slots + 1) : Math.max(Math.min(SLOTS_MIN, most), slots - 1)
      for (const one of waiting) {
        if (taken >= slots) break
        waiting.delete(one)
        taken += 1
        one.resolve(true)
      }
    },
    counts: () => ({ slots, taken, waiting: waiting.size }),
  }
}
