/**
 * In what order is everything measured?
 *
 * A shop is started (or found), filled, and warmed up with 64 connections, so that the first run meets code that is
 * compiled; then each run takes the numbers that follow those of the last one. When all are answered the books are
 * balanced, and last come what is kept and the limits, while the shop stands idle. What is run is one of five: closed
 * loops, an open loop, or in turn two shops, two routes, or one with and without consoles that look.
 */
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { makeOwnIssuer } from '../../env/local/own-issuer.ts'
import { type Shop, startShop } from '../../env/local/shop.ts'
import { number } from '../support/table.ts'
import {
  type Comparison,
  compare,
  ratios,
  type Side,
  SLICE_MS,
  SLICE_WARM_UP_MS,
  slicesIn,
  turnsMs,
} from './compare.ts'
import { openConsoles } from './consoles.ts'
import { measureLimits } from './limits.ts'
import { type Load, openLoad } from './load.ts'
import { cores, type Options, PEAK_CONNECTIONS, type Rate, UNDER_WAY_MAX } from './options.ts'
import { openProfiler, type Profiler, profiling } from './profile.ts'
import * as report from './report.ts'
import { ROUTES, type RouteName } from './routes.ts'
import { ordersFor, type Seed, seedOf } from './seed.ts'
import { openSite, type Site } from './site.ts'
import { measureUpkeep, readMemory, upkeep } from './upkeep.ts'

const RUN_WARM_UP_MS = 500
/** So many connections that are opened at once take their time. */
const WARM_UP_MS_PER_CONNECTION = 2
/** Longer than it may take to finish as many checkouts as there are orders. */
const FINISHING_MS = 3_600_000
/** How many orders there are where none is checked out. */
const ORDERS_TO_READ = 10_000

const warmUpMsOf = (connections: number): number => Math.max(RUN_WARM_UP_MS, connections * WARM_UP_MS_PER_CONNECTION)

/** How many orders the runs may need. */
const neededFor = ({
  route,
  seconds,
  warmUpSeconds,
  connections,
  runs,
  rate,
  compare: other,
  consoles,
  finished,
}: Options): number => {
  if (route !== 'checkout') return ROUTES[route].of === 'orders' ? ORDERS_TO_READ : 1
  const ms = seconds * 1_000
  const closed = (count: number): number => ordersFor(count, warmUpMsOf(count) + ms)
  const needed = (): number => {
    if (rate) return runs * (closed(PEAK_CONNECTIONS) + openLoopOrders(rate, RUN_WARM_UP_MS + ms))
    if (other || consoles)
      return connections.reduce(
        (sum, count) => sum + (consoles ? 2 : 1) * slicesIn(seconds) * ordersFor(count, SLICE_WARM_UP_MS + SLICE_MS),
        0,
      )
    return runs * connections.reduce((sum, count) => sum + closed(count), 0)
  }
  return finished + ordersFor(PEAK_CONNECTIONS, warmUpSeconds * 1_000) + needed()
}

const openLoopOrders = (rate: Rate, ms: number): number =>
  'perSecond' in rate ? Math.ceil((rate.perSecond * ms) / 1_000) : ordersFor(PEAK_CONNECTIONS, rate.ofPeak * ms)

type Tokens = {
  readonly token?: string
  readonly issueTo?: (user: number) => Promise<string>
  readonly variables: Readonly<Record<string, string>>
}

/** Customers check out what is their own; whatever else is asked for, an operator asks for. */
const makeTokens = async ({ auth, route, with: second }: Options): Promise<Tokens> => {
  if (!auth) return { variables: {} }
  const { variables, issue } = await makeOwnIssuer('')
  const issueTo = (user: number) => issue('customer', `${user}`)
  const isOfCustomers = route === 'checkout' && second === undefined
  return { token: await issue('operator', 'bench'), variables, ...(isOfCustomers ? { issueTo } : {}) }
}

const startOwn = async (
  options: Options,
  variables: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Shop> => {
  const { appendfsync, replicas, profile } = options
  const all: Record<string, string> = {
    ...variables,
    ...(appendfsync === 'always' ? {} : { ALLOW_UNSAFE_REDIS: 'yes' }),
  }
  if (profile === undefined) return startShop({ appendfsync, replicas, signal, env: { all } })
  await mkdir(profile, { recursive: true })
  return startShop({ appendfsync, replicas, signal, env: { all, ...profiling(resolve(profile), replicas) } })
}

const describe = ({ appendfsync, replicas, url, compare: other, hotItem, hotUser }: Options, seed: Seed): string => {
  const lines = hotItem ? 'one line of two pieces of the same item' : 'two lines'
  const whose = hotUser ? 'all of one user' : `of ${number(seed.users)} users`
  const what = `${number(seed.orders)} orders, ${lines}, ${whose}; ${number(seed.items)} ${hotItem ? 'item' : 'items'}`
  if (url !== undefined) return `The shop at ${url}: its users, items and orders from 0 on are REPLACED now. ${what}.`
  const own = `A shop of its own: ${replicas} of each service, appendfsync ${appendfsync}, ${cores} cores shared with the load. ${what}.`
  if (other === 'open') return `${own}\nIn turn with another one of its own, whose clients need not say who they are.`
  return other === undefined
    ? own
    : `${own}\nIn turn with the one at ${other}: its users, items and orders from 0 on are REPLACED now by as many.`
}

/** What the runs are given and say. */
type Scene = {
  readonly options: Options
  readonly site: Site
  readonly profiler: Profiler | undefined
  readonly unit: report.Unit
  readonly say: (text: string) => void
}

const sayRuns = ({ site, unit, say }: Scene, runs: readonly report.Run[]): void => {
  say(report.rates(runs, unit))
  if (site.shop) say(`\n${report.cpuTimes(runs, unit)}`)
  for (const text of runs.flatMap(report.profile)) say(`\n${text}`)
}

const runClosed = async (scene: Scene): Promise<report.Run[]> => {
  const { options, site, profiler } = scene
  const runs: report.Run[] = []
  for (let round = 0; round < options.runs; round += 1)
    for (const connections of options.connections)
      runs.push(
        await site.run({ connections, warmUpMs: warmUpMsOf(connections), ms: options.seconds * 1_000, profiler }),
      )
  sayRuns(scene, runs)
  return runs
}

const runOpen = async (scene: Scene, rate: Rate): Promise<report.Run[]> => {
  const { options, site, profiler, unit, say } = scene
  const ms = options.seconds * 1_000
  const repeat = async (run: () => Promise<report.Run>): Promise<report.Run[]> => {
    const runs: report.Run[] = []
    for (let round = 0; round < options.runs; round += 1) runs.push(await run())
    return runs
  }
  const findPeak = async (): Promise<{ runs: report.Run[]; perSecond: number }> => {
    if ('perSecond' in rate) return { runs: [], perSecond: rate.perSecond }
    const runs = await repeat(() => site.run({ connections: PEAK_CONNECTIONS, warmUpMs: RUN_WARM_UP_MS, ms }))
    say(`The peak\n${report.rates(runs, unit)}\n\n${number(100 * rate.ofPeak)} % of it`)
    return { runs, perSecond: rate.ofPeak * report.median(runs.map(({ measured }) => report.rateOf(measured))) }
  }
  const peak = await findPeak()
  const runs = await repeat(() =>
    site.run({
      connections: UNDER_WAY_MAX,
      perSecond: Math.max(1, Math.round(peak.perSecond)),
      warmUpMs: RUN_WARM_UP_MS,
      ms,
      profiler,
    }),
  )
  sayRuns(scene, runs)
  return [...peak.runs, ...runs]
}

const runComparison = async (
  { options, unit, say }: Scene,
  sides: Parameters<typeof compare>[0],
): Promise<report.Run[]> => {
  const comparisons: Comparison[] = []
  for (const connections of options.connections)
    comparisons.push(await compare(sides, connections, slicesIn(options.seconds), say))
  const runs = comparisons.flatMap(({ one, other }) => [...one, ...other])
  say(report.rates(runs, unit))
  say(`\n${ratios(comparisons)}`)
  for (const side of ['one', 'other'] as const) {
    const own = comparisons.flatMap((comparison) => comparison[side])
    if (own.some(({ cpu }) => cpu)) say(`\n${sides[side].who}. ${report.cpuTimes(own, unit)}`)
  }
  return runs
}

const runAll = (scene: Scene, theirs: Site | undefined): Promise<report.Run[]> => {
  const { options, site } = scene
  const { route, with: second, consoles } = options
  if (theirs)
    return runComparison(scene, {
      one: { who: 'ours', run: site.run },
      other: { who: theirs.shop ? 'open' : 'theirs', run: theirs.run },
    })
  if (second) {
    const sideOf = (name: RouteName): Side => ({ who: name, run: (ask) => site.run({ ...ask, route: name }) })
    return runComparison(scene, { one: sideOf(route), other: sideOf(second) })
  }
  if (consoles) {
    const run: Side['run'] = async (ask) => {
      await using _ = await openConsoles(site.origin, consoles)
      return await site.run(ask)
    }
    return runComparison(scene, {
      one: { who: `${number(consoles)} look`, run },
      other: { who: 'nobody looks', run: site.run },
    })
  }
  return options.rate ? runOpen(scene, options.rate) : runClosed(scene)
}

const isFine = ({ measured: { odd, notSent } }: report.Run): boolean => Object.keys(odd).length === 0 && notSent === 0

const since = (begunAt: number): string => `${number((performance.now() - begunAt) / 1_000, 1)} s`

/** Fills the shops, warms them up, and finishes what is to be finished before. */
const prepare = async (sites: readonly Site[], options: Options, say: Scene['say']): Promise<report.Run[]> => {
  for (const site of sites) {
    const begunAt = performance.now()
    await site.fill()
    say(`${site.shop ? 'Filled' : `Filled ${site.origin}`} in ${since(begunAt)}.`)
  }
  const runs: report.Run[] = []
  const [own] = sites
  if (own && options.finished > 0) {
    const begunAt = performance.now()
    runs.push(await own.run({ connections: PEAK_CONNECTIONS, count: options.finished, warmUpMs: 0, ms: FINISHING_MS }))
    say(`${number(own.answered())} ${report.unitOf(options.route).many} finished before in ${since(begunAt)}.`)
  }
  const warmUp = { connections: PEAK_CONNECTIONS, warmUpMs: 0, ms: options.warmUpSeconds * 1_000 }
  for (const site of sites) runs.push(await site.run(warmUp))
  if (own && options.with) runs.push(await own.run({ ...warmUp, route: options.with }))
  return runs
}

/** The shop that is measured in turn with the own one, if there is one. */
const openOther = async (
  options: Options,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
  open: (origin: string, own: Shop | undefined, bears: string | undefined) => Site,
): Promise<Site | undefined> => {
  if (options.compare === undefined) return undefined
  if (options.compare !== 'open') return open(options.compare, undefined, undefined)
  const shop = stack.use(await startOwn(options, { AUTH: 'open' }, signal))
  return open(shop.url, shop, undefined)
}

/** How long what is timed takes; starting, filling and counting come to it. */
const lasting = ({
  seconds,
  warmUpSeconds,
  connections,
  compare: other,
  with: second,
  consoles,
}: Options): readonly string[] => {
  const ms = connections.length * turnsMs(seconds) + 2 * warmUpSeconds * 1_000
  return other || second || consoles
    ? [`Turns and warming up take ${number(ms / 1_000)} s; filling and counting come to it.`]
    : []
}

/** Measures everything and says it line by line. Resolves to whether all was well. */
export const bench = async (options: Options, say: (text: string) => void, signal: AbortSignal): Promise<boolean> => {
  const { url, route, seconds, warmUpSeconds, profile, limits } = options
  const seed = seedOf(options, neededFor(options))
  const unit = report.unitOf(route)
  await using stack = new AsyncDisposableStack()
  say(describe(options, seed))
  const { token, issueTo, variables } = await makeTokens(options)
  const shop = url === undefined ? stack.use(await startOwn(options, variables, signal)) : undefined
  const load: Load = stack.use(await openLoad(signal))
  const open = (origin: string, own: Shop | undefined, bears: string | undefined): Site =>
    openSite({ origin, shop: own, token: bears, issueTo: bears ? issueTo : undefined, seed, load, options, signal })
  const site = open(shop?.url ?? url ?? '', shop, shop && token)
  const other = await openOther(options, stack, signal, open)
  const sites = other ? [site, other] : [site]

  for (const sentence of lasting(options)) say(sentence)
  const warmUps = await prepare(sites, options, say)
  const what = [route, ...(options.with ? [options.with] : [])].map(
    (name) => `${ROUTES[name].method} ${ROUTES[name].path}`,
  )
  say(`${what.join(' in turn with ')}, ${seconds} s for each run, after ${warmUpSeconds} s of warming up.\n`)
  const profiler = shop && profile ? openProfiler(shop, resolve(profile)) : undefined
  stack.defer(() => profiler?.close())
  const memory = shop && (await readMemory(shop))
  const answeredBefore = site.answered()
  const runs = await runAll({ options, site, profiler, unit, say }, other)
  const answered = site.answered() - answeredBefore

  let areBalanced = true
  for (const one of sites) {
    const books = await one.check()
    areBalanced &&= books.complaints.length === 0
    say(`\n${other ? `${one === site ? 'Ours' : one.shop ? 'The open one' : 'Theirs'}. ` : ''}${report.books(books)}`)
  }
  // Two routes keep each its own.
  if (shop && memory && !options.with)
    say(`\n${upkeep(await measureUpkeep(shop, memory, answered, signal, token), unit)}`)
  const isPlain = route === 'checkout' && !options.rate && !other && !options.auth
  if (limits && isPlain) say(`\n${report.limits(await measureLimits(options, load), runs)}`)
  return areBalanced && [...warmUps, ...runs].every(isFine)
}
