/**
 * What does a query say?
 *
 * A parameter that a route does not know is refused, and so is one that is given twice: `?dryRun=true` would else change what was
 * only to be tried. A request without a query pays nothing for that.
 */
import type { Problem } from './problem.ts'
import { malformed } from './problems.ts'

export type Query = Pick<URLSearchParams, 'get' | 'has' | 'keys'>

const EMPTY: Query = new URLSearchParams()

/** @param text without its `?` */
export const queryIn = (text: string): Query => (text === '' ? EMPTY : new URLSearchParams(text))

/** A name comes from outside, and may be as long as a URL. */
const NAME_MAX = 64

/** What is wrong with the parameters of a query, if anything is. */
export const faultOfQuery = (query: Query, known: readonly string[]): Problem<'malformed'> | undefined => {
  if (query === EMPTY) return undefined
  const given = new Set<string>()
  for (const name of query.keys()) {
    const shown = name.slice(0, NAME_MAX)
    if (!known.includes(name)) {
      const others = known.length === 0 ? 'none' : known.map((one) => `"${one}"`).join(', ')
      return malformed(shown, `"${shown}" is no parameter of a query here, which takes ${others}`)
    }
    if (given.has(name)) return malformed(shown, `"${shown}" may be given once`)
    given.add(name)
  }
  return undefined
}
