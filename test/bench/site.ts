/**
 * What is one shop under load?
 *
 * A shop of the benchmark's own, or one that is only known by its address; what it was filled with; and everything that it
 * was asked and answered since, so that its books can be balanced in the end. Each run takes up the numbers where the last
 * one ended.
 */
import { setTimeout as after } from 'node:timers/promises'
import type { Shop } from '../../env/local/shop.ts'
import { impossible } from '../../shared/errors.ts'
import { type Answers, type Books, balance, type Reading, type Writes } from './books.ts'
import { type CpuTimes, canMeasureCpu, readCpu, since, type Watched } from './cpu.ts'
import type { Bearers, Exception, Load, Measured } from './load.ts'
import type { Options } from './options.ts'
import type { Profiler } from './profile.ts'
import { readRedis, readUsersOf } from './read-redis.ts'
import { readRoutes } from './read-routes.ts'
import { LOAD, type Run } from './report.ts'
import { ROUTES, type Route, type RouteName, thingsOf, writes } from './routes.ts'
import { fill, type Seed } from './seed.ts'

/** What goes round for ever has more numbers than any run asks for. */
const NUMBERS_MAX = 1_000_000_000
/** How long after the last answer everything must be settled; the log parser runs every 5 s. */
const SETTLE_MS = 15_000
const SETTLE_RETRY_MS = 500

/** What one run asks for. */
export type Ask = {
  /** Default: that of the options. */
  readonly route?: RouteName
  readonly connections: number
  /** An open loop: so many requests a second. */
  readonly perSecond?: number
  /** At most so many requests; default: as long as there are numbers. */
  readonly count?: number
  readonly warmUpMs: number
  readonly ms: number
  readonly profiler?: Profiler | undefined
}

export type Site = {
  readonly origin: string
  readonly shop: Shop | undefined
  readonly seed: Seed
  /** Replaces what the shop holds. @throws SeedError */
  readonly fill: () => Promise<void>
  readonly run: (ask: Ask) => Promise<Run>
  /** How many requests were answered 200 so far. */
  readonly answered: () => number
  /** Balances the books of all runs so far; what is unfinished gets time to settle. */
  readonly check: () => Promise<Books>
}

export type SiteOptions = {
  readonly origin: string
  /** If it is the benchmark's own. */
  readonly shop: Shop | undefined
  /** What its clients bear, if they bear anything. */
  readonly token?: string | undefined
  /** Makes the token of a customer: then each checks out its own orders. */
  readonly issueTo?: ((user: number) => Promise<string>) | undefined
  readonly seed: Seed
  readonly load: Load
  readonly options: Pick<Options, 'route' | 'with' | 'obeysRetryAfter'>
  readonly signal: AbortSignal
}

const watchedOf = (shop: Shop, load: Load): Watched[] => [
  ...shop.parts.map(({ name, pid = 0 }) => ({ role: name.replace(/-\d+$/, ''), pid })),
  { role: LOAD, pid: load.pid },
]

/** Of all runs: which number met something else than a 200. */
const exceptionsOf = (all: readonly Measured[]): ReadonlyMap<number, Exception> =>
  new Map(
    all.flatMap(({ exceptions }) =>
      (Object.keys(exceptions) as Exception[]).flatMap((end) =>
        exceptions[end].map((number): [number, Exception] => [number, end]),
      ),
    ),
  )

const answeredIn = (all: readonly Measured[]): number => all.reduce((sum, { answeredInAll }) => sum + answeredInAll, 0)

/** How often each of `things` was named by the numbers that ended so. */
const countsOf = (things: number, numbers: Iterable<number>): number[] => {
  const counts = new Array<number>(things).fill(0)
  for (const number of numbers) counts[number % things] = (counts[number % things] ?? 0) + 1
  return counts
}

/** What was asked for by one route so far, and the first number that it has not named. */
type Asked = { readonly all: Measured[]; next: number }

const answersOf = (route: RouteName, seed: Seed, { all, next }: Asked): Answers => {
  const exceptions = exceptionsOf(all)
  const answered = answeredIn(all)
  const unsure = [...exceptions].filter(([, end]) => end === 'unsure').map(([number]) => number)
  if (route === 'checkout') {
    const endOf: Answers['endOf'] = (order) => exceptions.get(order) ?? (order < next ? 'ok' : undefined)
    return { ok: answered, unsure: unsure.length, endOf, writes: undefined }
  }
  const { of, adds } = ROUTES[route]
  const sure = function* (): Generator<number> {
    for (let number = 0; number < next; number += 1) if (!exceptions.has(number)) yield number
  }
  const writes: Writes | undefined =
    adds === 0 || (of !== 'users' && of !== 'items')
      ? undefined
      : {
          to: of === 'users' ? 'credit' : 'stock',
          adds,
          sure: countsOf(seed[of], sure()),
          unsure: countsOf(seed[of], unsure),
        }
  return { ok: 0, unsure: 0, endOf: () => undefined, writes }
}

export const openSite = ({ origin, shop, token, issueTo, seed, load, options, signal }: SiteOptions): Site => {
  const { obeysRetryAfter } = options
  const authorization = token && `Bearer ${token}`
  let bearers: Bearers | undefined
  const routes = [options.route, ...(options.with ? [options.with] : [])]
  const asked = new Map(routes.map((route): [RouteName, Asked] => [route, { all: [], next: 0 }]))
  const askedOf = (route: RouteName): Asked => asked.get(route) ?? impossible('bench.route', route)

  const run: Site['run'] = async (ask) => {
    const { route = options.route, connections, perSecond, warmUpMs, ms, profiler } = ask
    const { method, path, body, followedBy }: Route = ROUTES[route]
    const things = thingsOf(route, seed)
    const end = things === undefined ? seed.orders : NUMBERS_MAX
    const so = askedOf(route)
    const watched = shop ? watchedOf(shop, load) : []
    const readings: CpuTimes[] = []
    const count = Math.min(ask.count ?? end, end - so.next)
    const job = { origin, method, path, body, followedBy, authorization, bearers, things, first: so.next, count }
    const measured = await load.run(
      { ...job, connections, perSecond, obeysRetryAfter, warmUpMs, measuredMs: ms },
      () => {
        if (canMeasureCpu && watched.length > 0) readings.push(readCpu(watched))
        profiler?.toggle()
      },
    )
    so.all.push(measured)
    so.next = measured.next
    const [before, later] = readings
    const cpu = before && later && since(before, later)
    return { connections, perSecond, measured, cpu, profile: await profiler?.collect() }
  }

  const read = (): Promise<Reading> =>
    shop ? readRedis(shop, seed) : readRoutes(origin, seed, asked.get('checkout')?.next ?? 0)
  const check: Site['check'] = async () => {
    // Of two routes one writes at most.
    const [main = options.route] = routes.toSorted((one, other) => Number(writes(other)) - Number(writes(one)))
    const answers = answersOf(main, seed, askedOf(main))
    const deadline = performance.now() + SETTLE_MS
    for (;;) {
      const books = balance(await read(), seed, answers)
      if (books.open === 0 || performance.now() > deadline) return books
      await after(SETTLE_RETRY_MS, undefined, { signal })
    }
  }
  return {
    origin,
    shop,
    seed,
    fill: async () => {
      await fill(origin, seed, signal, token)
      if (shop === undefined || issueTo === undefined) return
      const tokens = await Promise.all(Array.from({ length: seed.users }, (_, user) => issueTo(user)))
      bearers = { tokens, whose: await readUsersOf(shop, seed.orders) }
    },
    run,
    answered: () => [...asked.values()].reduce((sum, { all }) => sum + answeredIn(all), 0),
    check,
  }
}
