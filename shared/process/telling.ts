/**
 * How is that logged which may happen at any rate?
 *
 * Of the first at once, and of all that come within a second after it in one line, with their number and what is said of the last of them.
 */
import type { Logger } from 'pino'

/** How often it is told, at most. */
const TELL_MS = 1_000

export type Tell = (about: Readonly<Record<string, unknown>>) => void

export const openTelling = (log: Logger, what: string): Tell => {
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
