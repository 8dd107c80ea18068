/**
 * Which row of the contract is a path one of?
 *
 * By this a request is counted and logged, and never by its path, which has ids. Found word by word: a word that a row has in its
 * place goes before a parameter that could stand for it, as in the services.
 */

/** The path of a row as the contract has it: `/orders/find/{order}`; '' if there is none. The query does not matter. */
export type RouteNames = (path: string) => string

type Place = { readonly words: Map<string, Place>; parameter: Place | undefined; name: string }

const place = (): Place => ({ words: new Map(), parameter: undefined, name: '' })

const childOf = (at: Place, word: string): Place => {
  if (word.startsWith('{')) {
    at.parameter ??= place()
    return at.parameter
  }
  const known = at.words.get(word) ?? place()
  at.words.set(word, known)
  return known
}

/** @param rows the paths of all rows, with their parameters in braces */
export const openRouteNames = (rows: Iterable<string>): RouteNames => {
  const root = place()
  for (const row of rows) {
    let at = root
    for (const word of row.split('/').slice(1)) at = childOf(at, word)
    at.name = row
  }

  const find = (at: Place, path: string, from: number, end: number): string => {
    if (from > end) return at.name
    const slash = path.indexOf('/', from)
    const next = slash === -1 || slash > end ? end : slash
    const known = at.words.get(path.slice(from, next))
    const found = known === undefined ? '' : find(known, path, next + 1, end)
    if (found !== '' || at.parameter === undefined || next === from) return found
    return find(at.parameter, path, next + 1, end)
  }
  return (path) => {
    const query = path.indexOf('?')
    return find(root, path, 1, query === -1 ? path.length : query)
  }
}
