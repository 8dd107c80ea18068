/**
 * Which of many cases that are alike are tried today?
 *
 * Some, and others tomorrow, until all were tried and the first come again; with `FAULTS=full` all. What a test of another day
 * found is repeated with `FAULTS=full` and `--match`. What is drawn at random is drawn from the number of the day, so that a run tells
 * whether a change broke something, not whether it had luck; with `FAULTS=full` it is drawn anew each time.
 */

/** `FAULTS=full` runs every cell of the matrix of faults, in their full length; otherwise some of each kind run. */
export const FULL = process.env.FAULTS === 'full'

const DAY_MS = 86_400_000
/** The number of the day, by which what is tried changes. */
export const TODAY = Math.floor(Date.now() / DAY_MS)

/** From what random tests are drawn today. */
export const todaysSeed: { readonly seed?: number } = FULL ? {} : { seed: TODAY }

/** So many of the cases, in their order. */
export const daily = <Case>(cases: readonly Case[], count: number, day: number = TODAY): readonly Case[] => {
  if (FULL) return cases
  const first = (day * count) % cases.length
  return cases.filter((_, index) => (index - first + cases.length) % cases.length < count)
}
