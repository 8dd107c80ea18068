/**
 * How is that logged which may happen at any rate?
 *
 * Of the first at once, and of all that come within a second after it in one line, with their number and what is said of the last of them.
 */
import type { Logger } from 'pino'

/** How often it is told, at most. */
const TELL_MS = 1_000

export type Tell = (about: Readonly<Record<string, unknown>>) => void

/** @param onQuiet called once nothing has come for a second */
export const openTelling = (log: Logger, what: string, onQuiet?: () => void): Tell => {
  let times = 0
  let total = 0
  let last: Readonly<Record<string, unknown>> = {}
  let isQuiet = false
  const tell = (): void => {
    if (isQuiet || times === 0) return
    log.warn({ ...last, times, total }, what)
    times = 0
    isQuiet = true
    setTimeout(() => {
      isQuiet = false
      if (times === 0) onQuiet?.()
      tell()
    }, TELL_MS).unref()
  }
  return (about) => {
    times += 1
    total += 1
    last = about
    tell()
  }
}

export type TellOf = (what: string, about: Readonly<Record<string, unknown>>) => void

/** The same of things that come by many names; those that have not come for a second are forgotten. */
export const openTellings = (log: Logger): TellOf => {
  const open = new Map<string, Tell>()
  return (what, about) => {
    const tell = open.get(what) ?? openTelling(log, what, () => open.delete(what))
    open.set(what, tell)
    tell(about)
  }
}
