/**
 * In what order is everything measured?
 *
 * A shop is started (or found), filled, and warmed up with 64 connections, so that the first run meets code that is
 * compiled; then each run takes the orders that follow those of the last one. When all are answered the books are
 * balanced, and last come the limits, while the shop stands idle.
 */
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { type Shop, startShop } from '../../env/shop.ts'
import { type Answers, type Books, balance, type Reading } from './books.ts'
import { type CpuTimes, canMeasureCpu, readCpu, since, type Watched } from './cpu.ts'
import { measureLimits } from './limits.ts'
import { type Job, type Load, type Measured, ODD_NUMBERS_MAX, openLoad } from './load.ts'
import { cores, type Options } from './options.ts'
import { openProfiler, type Profiler, profiling } from './profile.ts'
import { readRedis } from './read-redis.ts'
import { readRoutes } from './read-routes.ts'
import * as report from './report.ts'
import { fill, ordersFor, type Seed, seedOf } from './seed.ts'

const WARM_UP = { connections: 64, ms: 2_000 }
const RUN_WARM_UP_MS = 500
/** How long after the last answer everything must be settled; the log parser runs every 5 s. */
const SETTLE_MS = 15_000
const SETTLE_RETRY_MS = 500

type Target = { readonly origin: string; readonly shop: Shop | undefined }

const startOwn = async (options: Options, signal: AbortSignal): Promise<Shop> => {
  const { appendfsync, replicas, profile } = options
  if (profile === undefined) return startShop({ appendfsync, replicas, signal })
  await mkdir(profile, { recursive: true })
  return startShop({ appendfsync, replicas, signal, env: profiling(resolve(profile), replicas) })
}

const watchedOf = (shop: Shop, load: Load): Watched[] => [
  ...shop.parts.map(({ name, pid = 0 }) => ({ role: name.replace(/-\d+$/, ''), pid })),
  { role: report.LOAD, pid: load.pid },
]

const measureRun = async (
  load: Load,
  job: Job,
  watched: readonly Watched[],
  profiler?: Profiler,
): Promise<report.Run> => {
  const readings: CpuTimes[] = []
  const measured = await load.run(job, () => {
    if (canMeasureCpu && watched.length > 0) readings.push(readCpu(watched))
    profiler?.toggle()
  })
  const [before, after] = readings
  const cpu = before && after && since(before, after)
  return { connections: job.connections, measured, cpu, profile: await profiler?.collect() }
}

/** Whether an order was answered 200, if the numbers of all others are known. */
const isPaidBy = (all: readonly Measured[], next: number): Answers['isPaid'] => {
  if (all.some(({ oddNumbers }) => oddNumbers.length === ODD_NUMBERS_MAX)) return undefined
  const odd = new Set(all.flatMap(({ oddNumbers }) => oddNumbers))
  return (order) => order < next && !odd.has(order)
}

/** Balances the books; what is unfinished gets time to settle. */
const check = async (
  read: () => Promise<Reading>,
  seed: Seed,
  answers: Answers,
  signal: AbortSignal,
): Promise<Books> => {
  const patience = performance.now() + SETTLE_MS
  for (;;) {
    const books = balance(await read(), seed, answers)
    if (books.open === 0 || performance.now() > patience) return books
    await after(SETTLE_RETRY_MS, undefined, { signal })
  }
}

const describe = ({ appendfsync, replicas, url, hotItem, hotUser }: Options, seed: Seed): string => {
  const lines = hotItem ? 'one line of two pieces of the same item' : 'two lines'
  const whose = hotUser ? 'all of one user' : `of ${seed.users} users`
  const what = `${seed.orders} orders, ${lines}, ${whose}; ${seed.items} ${hotItem ? 'item' : 'items'}`
  return url === undefined
    ? `A shop of its own: ${replicas} of each service, appendfsync ${appendfsync}, ${cores} cores shared with the load. ${what}.`
    : `The shop at ${url}: its users, items and orders from 0 on are REPLACED now. ${what}.`
}

/** Measures everything and says it line by line. Resolves to whether all was well. */
export const bench = async (options: Options, say: (text: string) => void, signal: AbortSignal): Promise<boolean> => {
  const { seconds, connections, url } = options
  const measuredMs = seconds * 1_000
  const needed = connections.reduce(
    (sum, count) => sum + ordersFor(count, RUN_WARM_UP_MS + measuredMs),
    ordersFor(WARM_UP.connections, WARM_UP.ms),
  )
  const seed = seedOf(options, needed)
  await using stack = new AsyncDisposableStack()
  say(describe(options, seed))
  const target: Target = url === undefined ? await open() : { origin: url, shop: undefined }
  async function open(): Promise<Target> {
    const shop = stack.use(await startOwn(options, signal))
    return { origin: shop.url, shop }
  }
  const load = stack.use(await openLoad(signal))

  const begunAt = performance.now()
  await fill(target.origin, seed, signal)
  say(
    `Filled in ${((performance.now() - begunAt) / 1_000).toFixed(1)} s. Closed loop, ${seconds} s for each number of connections.\n`,
  )

  const all: Measured[] = []
  let next = 0
  const job = (count: number, warmUpMs: number, ms: number): Job => ({
    origin: target.origin,
    method: 'POST',
    path: '/orders/checkout/{n}',
    first: next,
    count: seed.orders - next,
    connections: count,
    warmUpMs,
    measuredMs: ms,
  })
  const watched = target.shop ? watchedOf(target.shop, load) : []
  const run = async (work: Job, profiler?: Profiler): Promise<report.Run> => {
    const done = await measureRun(load, work, watched, profiler)
    all.push(done.measured)
    next = done.measured.next
    return done
  }
  const warmUp = await run(job(WARM_UP.connections, 0, WARM_UP.ms))
  const profiler = target.shop && options.profile ? openProfiler(target.shop, resolve(options.profile)) : undefined
  stack.defer(() => profiler?.close())
  const runs: report.Run[] = []
  for (const count of connections) runs.push(await run(job(count, RUN_WARM_UP_MS, measuredMs), profiler))
  say(report.rates(runs))
  if (target.shop) say(`\n${report.cpuTimes(runs)}`)
  for (const text of runs.flatMap(report.profile)) say(`\n${text}`)

  const { shop, origin } = target
  const read = () => (shop ? readRedis(shop, seed) : readRoutes(origin, seed, next))
  const ok = all.reduce((sum, { answeredInAll }) => sum + answeredInAll, 0)
  const books = await check(read, seed, { ok, isPaid: isPaidBy(all, next) }, signal)
  say(`\n${report.books(books)}`)
  if (options.limits) say(`\n${report.limits(await measureLimits(options, load), runs)}`)
  return (
    books.complaints.length === 0 && [warmUp, ...runs].every(({ measured }) => Object.keys(measured.odd).length === 0)
  )
}
