/**
 * Which route takes a path?
 *
 * A router tries each of its routes, of which a service has some fifty: that took about 5 us a request. So the routes that are asked by the
 * same method, have as many words and begin with the same ones have a router of their own, which is found by these.
 */
import Router from '@koa/router'
import type Koa from 'koa'
import { MalformedError, messageOf } from '../errors.ts'
import type { Taken } from './answered.ts'
import type { Route } from './route.ts'

/** A path as far as it has no parameter, word by word: `/things` and `/things/find` of `/things/find/:thing`. */
const beginningsOf = (path: string): readonly string[] => {
  const words = (path.split('/:')[0] ?? '').split('/')
  return words.map((_, last) => words.slice(0, last + 1).join('/'))
}

/** Whether a path is another route's, although this one fits it: a parameter stands for no word that others have in its place. */
type IsOthers = (path: string) => boolean
const wordsApart = (routes: readonly Route[]): ReadonlyMap<Route, IsOthers> => {
  const beginnings = new Set(routes.flatMap(({ path }) => beginningsOf(path)))
  const apart = new Map<Route, IsOthers>()
  for (const route of routes) {
    const before = route.path.slice(0, route.path.indexOf('/:') + 1)
    if (before === '' || ![...beginnings].some((one) => one.startsWith(before))) continue
    apart.set(route, (path) => {
      const end = path.indexOf('/', before.length)
      return beginnings.has(end === -1 ? path : path.slice(0, end))
    })
  }
  return apart
}

/** The first words of a path, one or two: all of it, if it has no more. */
const firstWord = (path: string): string => {
  const end = path.indexOf('/', 1)
  return end === -1 ? path : path.slice(0, end)
}
const firstTwo = (path: string): string => {
  const end = path.indexOf('/', path.indexOf('/', 1) + 1)
  return end <= 0 ? path : path.slice(0, end)
}
/** The words by which the router of a route is found. Where the second one is a parameter, it stands for none of the others. */
const wordsOf = ({ path }: Route): string => (firstTwo(path).includes('/:') ? firstWord(path) : firstTwo(path))

/** How many words a path has. */
const lengthOf = (path: string): number => {
  let words = 0
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) words += 1
  return words
}

/** What is longer is no slip of somebody who writes a path. */
const SLIP_MAX = 256

/** A path with the words of a route, if it has them but for their case. */
const speltAs = (route: Route, path: string): string | undefined => {
  const [words, asked] = [route.path.split('/'), path.split('/')]
  if (words.length !== asked.length) return undefined
  const spelt = words.map((word, at) => (word.startsWith(':') ? asked[at] : word)).join('/')
  return spelt.toLowerCase() === path.toLowerCase() ? spelt : undefined
}

/** What a route does with a request. */
export type Handle = (ctx: Koa.ParameterizedContext<Taken> & { readonly params: Params }) => Promise<void>
type Params = Readonly<Record<string, string>>

type Pass = ReturnType<Router<Taken>['routes']>

/**
 * Refuses a path that is percent-encoded wrongly: the router would take the text as it is, and two paths for one thing.
 * @throws MalformedError
 */
const refuseUndecodable = (path: string): void => {
  if (!path.includes('%')) return
  try {
    decodeURIComponent(path)
  } catch (error) {
    throw new MalformedError('path', `the path is not percent-encoded UTF-8: ${messageOf(error)}`)
  }
}

export type Routing = {
  /** Hands a request to the route that takes it; or on, if none does. */
  readonly middleware: (ctx: Parameters<Pass>[0], next: Koa.Next) => unknown
  /** By which methods the routes of a path are asked, in alphabetical order. */
  readonly methodsOf: (path: string) => readonly string[]
  /** The path of a route that differs from this one only in case or by a slash at the end; undefined if there is none, or more than one. */
  readonly meantBy: (path: string) => string | undefined
}

type Found = { readonly router: Router<Taken>; readonly pass: Pass }

/** The routers by the words of their routes, by how many words these have, and by method. */
const openRouters = () => {
  const routers = new Map<string, Map<string, Found>[]>()
  const of = (words: string, length: number, method: string) => routers.get(words)?.[length]?.get(method)
  return {
    find: (asked: string, path: string): Found | undefined => {
      const length = lengthOf(path)
      const method = asked === 'HEAD' ? 'GET' : asked
      return of(firstTwo(path), length, method) ?? of(firstWord(path), length, method)
    },
    /** The router of a route, made if there is none. */
    open: (route: Route): Router<Taken> => {
      const [words, length] = [wordsOf(route), lengthOf(route.path)]
      const known = of(words, length, route.method)
      if (known) return known.router
      // One path, one spelling: the gateway must not take it for another route.
      const router = new Router<Taken>({ sensitive: true, strict: true })
      const lengths = routers.get(words) ?? []
      routers.set(words, lengths)
      lengths[length] ??= new Map()
      lengths[length].set(route.method, { router, pass: router.routes() })
      return router
    },
  }
}

export const openRouting = (routes: readonly Route[], handlerOf: (route: Route) => Handle): Routing => {
  const apart = wordsApart(routes)
  const { find, open } = openRouters()
  for (const route of routes) {
    const [isOthers, handle] = [apart.get(route), handlerOf(route)]
    open(route).register(route.path, [route.method], (ctx, next) => {
      if (isOthers?.(ctx.path)) return next()
      refuseUndecodable(ctx.path)
      return handle(ctx)
    })
  }
  const methods = [...new Set(routes.map(({ method }) => method))].sort()
  const methodsOf = (path: string): readonly string[] =>
    methods.filter((asked) => {
      const layers = find(asked, path)?.router.match(path, asked).path ?? []
      const fits = (route: Route): boolean => layers.some((layer) => layer.path === route.path)
      return routes.some((route) => route.method === asked && fits(route) && !apart.get(route)?.(path))
    })

  return {
    middleware: (ctx, next) => find(ctx.method, ctx.path)?.pass(ctx, next) ?? next(),
    methodsOf,
    meantBy: (path) => {
      if (path.length > SLIP_MAX) return undefined
      const bare = path.endsWith('/') ? path.slice(0, -1) : path
      if (methodsOf(bare).length > 0) return bare
      const spelt = new Set(routes.flatMap((route) => speltAs(route, bare) ?? []))
      const [meant, another] = [...spelt].filter((one) => methodsOf(one).length > 0)
      return another === undefined ? meant : undefined
    },
  }
}
