/**
 * How fast could it be? Two limits, measured on the same machine in the same run.
 *
 * - *Koa through the gateway*: a service that answers at once, behind the very gateway program of the shop. No checkout
 *   that is answered through this gateway can be faster.
 * - *One script*: a whole checkout as one Lua script in one Redis, as durable as the shop's, 64 at a time. This is what
 *   is paid for four services instead of one database.
 */
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Part, PartOptions } from '../../env/local/managed-process.ts'
import { mainCommand } from '../../env/local/parts.ts'
import { takePorts } from '../../env/local/ports.ts'
import { redisProgram } from '../../env/local/redis-program.ts'
import { ASKS, originsVariable } from '../../env/wiring.ts'
import { openPart } from '../support/parts.ts'
import { ROOT } from '../support/program.ts'
import { type CpuTimes, canMeasureCpu, readCpu, since } from './cpu.ts'
import type { Job, Load, Measured } from './load.ts'
import type { Options } from './options.ts'

/** How many checkouts are under way at once in both. */
export const LIMIT_CONNECTIONS = 64
const WARM_UP_MS = 1_000
/** The limits settle quickly: no run of theirs is longer. */
const MEASURED_MAX_MS = 5_000
/** More than any run answers. */
const REQUESTS_MAX = 10_000_000
const SCRIPT_USERS = 10_000
const SCRIPT_ITEMS = 10_000
/** One order per checkout, seeded before: as many as a machine twice as fast as any that was tried would need. */
const SCRIPT_RATE_MAX = 80_000
const SCRIPT_CHUNK = 5_000

export type Limits = {
  readonly koa: Measured
  /** Processor time of Koa and the gateway together in the measured time, where it can be known. */
  readonly koaCpuMs: number | undefined
  /** Whole checkouts per second in one Redis, 64 at a time. */
  readonly scriptRate: number
}

type Stand = AsyncDisposable & {
  readonly start: (name: string, parts: Pick<PartOptions, 'command' | 'environment' | 'readyBy'>) => Promise<Part>
  readonly ports: readonly number[]
}

/** A folder and ports for a few processes that end together. */
const openStand = async (): Promise<Stand> => {
  const stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'bench-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const block = await takePorts(3)
  stack.defer(block.release)
  await mkdir(join(dir, 'redis'))
  const start: Stand['start'] = async (name, options) => {
    const port = Number(options.environment.PORT)
    const part = openPart({
      name,
      port,
      url: `http://127.0.0.1:${port}`,
      cwd: options.readyBy === 'message' ? ROOT : join(dir, 'redis'),
      logFile: join(dir, `${name}.log`),
      ...options,
    })
    stack.defer(part.stop)
    await part.start()
    return part
  }
  return { start, ports: block.ports, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const measureKoa = async (stand: Stand, load: Load, measuredMs: number): Promise<Pick<Limits, 'koa' | 'koaCpuMs'>> => {
  const [koaPort = 0, gatewayPort = 0] = stand.ports
  const koa = await stand.start('koa', {
    command: [process.execPath, join(import.meta.dirname, 'koa-process.ts')],
    environment: { ...process.env, PORT: String(koaPort) },
    readyBy: 'message',
  })
  const origins = Object.fromEntries(ASKS.gateway.map((service) => [originsVariable(service), koa.url]))
  const gateway = await stand.start('gateway', {
    command: mainCommand('gateway'),
    environment: { ...process.env, ...origins, PORT: String(gatewayPort), HOST: '127.0.0.1' },
    readyBy: 'message',
  })
  const watched = [koa, gateway].map(({ pid = 0 }) => ({ role: 'koa', pid }))
  const readings: CpuTimes[] = []
  const job: Job = {
    origin: gateway.url,
    method: 'POST',
    path: '/orders/checkout/{n}',
    first: 0,
    count: REQUESTS_MAX,
    connections: LIMIT_CONNECTIONS,
    warmUpMs: WARM_UP_MS,
    measuredMs,
  }
  const measured = await load.run(job, () => void (canMeasureCpu && readings.push(readCpu(watched))))
  const [before, after] = readings
  return { koa: measured, koaCpuMs: before && after && since(before, after).get('koa') }
}

const lua = (name: string): string => readFileSync(join(import.meta.dirname, `${name}.lua`), 'utf8')

const seedScript = async (redis: Redis, orders: number): Promise<void> => {
  for (let first = 0; first < orders; first += SCRIPT_CHUNK)
    await redis.eval(lua('whole-shop'), 0, first, first + SCRIPT_CHUNK - 1, SCRIPT_USERS, SCRIPT_ITEMS, 1e8, 1e8, 3)
}

/** Whole checkouts, each of another order, 64 at a time; how many per second. */
const driveScript = async (redis: Redis, orders: number, measuredMs: number): Promise<number> => {
  const sha = (await redis.script('LOAD', lua('whole-checkout'))) as string
  const startedAt = performance.now()
  let next = 0
  let paid = 0
  const check = async (): Promise<void> => {
    while (next < orders && performance.now() - startedAt < measuredMs) {
      next += 1
      if ((await redis.evalsha(sha, 0, next - 1)) === 'paid') paid += 1
    }
  }
  await Promise.all(Array.from({ length: LIMIT_CONNECTIONS }, check))
  return (paid * 1_000) / (performance.now() - startedAt)
}

const measureScript = async (
  stand: Stand,
  appendfsync: Options['appendfsync'],
  measuredMs: number,
): Promise<number> => {
  const port = stand.ports[2] ?? 0
  const settings = { port, bind: '127.0.0.1', save: '', appendonly: 'yes', appendfsync }
  const parameters = Object.entries(settings).flatMap(([setting, value]) => [`--${setting}`, String(value)])
  await stand.start('redis', {
    command: [await redisProgram(() => undefined), ...parameters],
    environment: { ...process.env, PORT: String(port) },
    readyBy: /Ready to accept connections/,
  })
  const redis = new Redis(port, '127.0.0.1')
  try {
    const orders = (SCRIPT_RATE_MAX * measuredMs) / 1_000
    await seedScript(redis, orders)
    return await driveScript(redis, orders, measuredMs)
  } finally {
    redis.disconnect()
  }
}

export const measureLimits = async ({ seconds, appendfsync }: Options, load: Load): Promise<Limits> => {
  const measuredMs = Math.min(seconds * 1_000, MEASURED_MAX_MS)
  await using stand = await openStand()
  const koa = await measureKoa(stand, load, measuredMs)
  return { ...koa, scriptRate: await measureScript(stand, appendfsync, measuredMs) }
}
