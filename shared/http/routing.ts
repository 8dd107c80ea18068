/**
 * Which route takes a path?
 *
 * A router tries each of its routes, of which a service has some fifty: that took about 5 us a request. So the routes that begin with the same
 * words have a router of their own, which is found by the first two words of a path.
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

/** What a route does with a request. */
export type Handle = (ctx: Koa.ParameterizedContext<Taken> & { readonly params: Params }) => Promise<void>
type Params = Readonly<Record<string, string>>

type Pass = ReturnType<Router<Taken>['routes']>

/** Refuses a path that is percent-encoded wrongly: the router would take the text as it is, and two paths for one thing. @throws MalformedError */
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
}

export const openRouting = (routes: readonly Route[], handlerOf: (route: Route) => Handle): Routing => {
  const apart = wordsApart(routes)
  const routers = new Map<string, { readonly router: Router<Taken>; readonly pass: Pass }>()
  for (const route of routes) {
    const words = wordsOf(route)
    // One path, one spelling: the gateway must not take it for another route.
    const router = routers.get(words)?.router ?? new Router<Taken>({ sensitive: true, strict: true })
    const [isOthers, handle] = [apart.get(route), handlerOf(route)]
    router.register(route.path, [route.method], (ctx, next) => {
      if (isOthers?.(ctx.path)) return next()
      refuseUndecodable(ctx.path)
      return handle(ctx)
    })
    routers.set(words, { router, pass: router.routes() })
  }
  const find = (path: string) => routers.get(firstTwo(path)) ?? routers.get(firstWord(path))

  return {
    middleware: (ctx, next) => find(ctx.path)?.pass(ctx, next) ?? next(),
    methodsOf: (path) => {
      const layers = find(path)?.router.match(path, 'GET').path ?? []
      const matching = routes.filter(
        (route) => layers.some((layer) => layer.path === route.path) && !apart.get(route)?.(path),
      )
      return [...new Set(matching.map(({ method }) => method))].sort()
    },
  }
}
