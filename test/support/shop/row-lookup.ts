/**
 * Of which row is a request? Looked up by other means than the server does it, so that each is held against the other.
 *
 * A path is looked up word by word, so that it takes as long with a hundred routes as with ten. A parameter stands for any word but
 * those that other routes have in its place: `/things/{thing}` does not take `/things/find`, if there is a `/things/find/{thing}`. One
 * path has one spelling, for the gateway must not take it for another route: no word is empty, and letters are as they are written.
 */
import type { Route } from '../../../shared/http/route.ts'

export type Found = {
  readonly route: Route
  /** The parameters in the path, by their names. */
  readonly parameters: Readonly<Record<string, string>>
}
/** There is such a path, but not with this method. */
export type OtherMethods = { readonly methods: readonly string[] }

export type Router = (method: string, path: string) => Found | OtherMethods | undefined

type Taken = { readonly route: Route; readonly names: readonly string[] }
type Node = {
  readonly words: Map<string, Node>
  parameter: Node | undefined
  readonly byMethod: Map<string, Taken>
}

const PARAMETER = /^:(\w+)$/

const newNode = (): Node => ({ words: new Map(), parameter: undefined, byMethod: new Map() })

const childOf = (node: Node, word: string): Node => {
  if (PARAMETER.test(word)) {
    node.parameter ??= newNode()
    return node.parameter
  }
  const known = node.words.get(word) ?? newNode()
  node.words.set(word, known)
  return known
}

const add = (root: Node, route: Route): void => {
  const words = route.path.split('/')
  const names = words.flatMap((word) => PARAMETER.exec(word)?.[1] ?? [])
  const { byMethod } = words.reduce(childOf, root)
  if (byMethod.has(route.method)) throw new Error(`two routes are ${route.method} ${route.path}`)
  byMethod.set(route.method, { route, names })
  if (route.method === 'GET') byMethod.set('HEAD', { route, names })
}

/** What stands in a path for a parameter; one that is not encoded as it should be is taken as it is. */
const decoded = (word: string): string => {
  if (!word.includes('%')) return word
  try {
    return decodeURIComponent(word)
  } catch {
    return word
  }
}

export const openRouter = (routes: readonly Route[]): Router => {
  const root = newNode()
  for (const route of routes) add(root, route)

  return (method, path) => {
    let node: Node | undefined = root
    const values: string[] = []
    for (const word of path.split('/')) {
      const next: Node | undefined = node.words.get(word)
      if (next === undefined && word !== '') values.push(word)
      node = next ?? (word === '' ? undefined : node.parameter)
      if (node === undefined) return undefined
    }
    const taken = node.byMethod.get(method)
    if (taken === undefined) {
      const methods = [...node.byMethod.keys()].filter((one) => one !== 'HEAD').sort()
      return methods.length === 0 ? undefined : { methods }
    }
    const parameters: Record<string, string> = {}
    taken.names.forEach((name, at) => {
      parameters[name] = decoded(values[at] ?? '')
    })
    return { route: taken.route, parameters }
  }
}
