/**
 * How is the whole shop started on this machine, and ended?
 *
 * `startShop` starts the four Redis, then all services and the gateway, each a process of its own (see `managed-process.ts`), and
 * resolves when all of them are ready. `npm start`, the tests and the benchmark use it alike; it prints nothing, but tells
 * events. Ends in the opposite order: the gateway, so that nothing new comes in, the services, and last the Redis. If a
 * start fails, what was started is ended again and the error says which part failed, with the end of its log.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  ASKS,
  originsVariable,
  type Passwords,
  redisUrl,
  redisVariable,
  redisVariables,
  SERVICES,
  type Service,
  VISITS,
} from '../wiring.ts'
import { claimFolder } from './claim.ts'
import { logFile, pidFile, prepareFolder, readPasswords, redisFolder, writeUsage } from './data-folder.ts'
import { endLeftovers } from './leftover.ts'
import { createPart, type Part, PartError, type PartEvent } from './managed-process.ts'
import { assertPortFree, takePorts } from './ports.ts'
import { redisProgram } from './redis-program.ts'

/** What is told while the shop runs; a note is a sentence about the launcher itself. */
export type ShopEvent = PartEvent | { readonly type: 'note'; readonly text: string }

/** One service's connection to a Redis or to a replica of another service, as it is put into its environment. */
export type Connection = { readonly from: string; readonly to: string; readonly url: string }

export type ShopOptions = {
  /** Where everything is kept (see `data-folder.ts`). Default: a temporary folder that is removed when the shop stops. */
  readonly dir?: string
  /** The gateway's port; 0, the default, takes a free one. */
  readonly port?: number
  /** Where the gateway listens, default 127.0.0.1. Services and Redis are reached on 127.0.0.1 only. */
  readonly host?: string
  /** How many replicas each service has, default 1. */
  readonly replicas?: number | Partial<Record<Service, number>>
  /** Replicas that the others know of but that are not started: `shop.services.order[1].start()` does. */
  readonly spare?: Partial<Record<Service, number>>
  /** More variables: for all processes, for one service or the gateway, or for one replica by its name. */
  readonly env?: { readonly [part: string]: Readonly<Record<string, string>> }
  readonly appendfsync?: 'always' | 'everysec' | 'no'
  /** More settings of every Redis, as its command line takes them: `['--enable-debug-command', 'local']`. */
  readonly redisArgs?: readonly string[]
  /** Is a part that dies started again? Default: no. */
  readonly restart?: boolean
  readonly onEvent?: (event: ShopEvent) => void
  /** May put something between a process and what it connects to, for instance a proxy that cuts. */
  readonly route?: (connection: Connection) => string | Promise<string>
  /** Gives up: before the shop is ready whatever was started is ended; afterwards `stop` does. */
  readonly signal?: AbortSignal
  /** The folder with the services' sources, default this repository. */
  readonly root?: string
}

export type RedisPart = Part & {
  /** Its data: `appendonlydir` and so on. */
  readonly dir: string
  /** Its address for one of its visitors. */
  readonly visitorUrl: (visitor: Service) => string
}

export type Shop = {
  /** The gateway's address, for instance `http://127.0.0.1:8000`. */
  readonly url: string
  readonly dir: string
  readonly gateway: Part
  readonly services: Readonly<Record<Service, readonly Part[]>>
  readonly redis: Readonly<Record<Service, RedisPart>>
  readonly parts: readonly Part[]
  /** Ends everything in order; may be called again. */
  readonly stop: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

const ROOT = join(import.meta.dirname, '../..')
/**
 * The young generation is large from the start: V8 lets it grow from 1 MiB, and is slow to in a process that keeps little.
 * CPU of all per checkout at 64 connections with 1, 4, 16 and 64 MiB: 1.23, 1.13, 1.12 and 0.98 times that with 32. The
 * most memory a process had, without and with them: order 305 and 255 MiB, the gateway 260 and 210, ids 125 and 150.
 *
 * And everything begins there. Else V8 lets places in the code, from which much survived while the code was still young,
 * allocate in the old generation for good; there what is dead keeps alive what it points to, until a full collection. So
 * ioredis's array around each reply of XREAD kept the entries: a quarter of all that readers allocated was promoted, in
 * pauses of 10 to 20 ms, and is 5 % in 1 to 3 ms (`--trace-gc-nvp`). CPU of order and the gateway 0.93 times that before.
 */
export const NODE_FLAGS = [
  '--max-semi-space-size=32',
  '--min-semi-space-size=32',
  '--no-allocation-site-pretenuring',
] as const

/** How a service or the gateway is started. */
export const mainCommand = (room: Service | 'gateway') =>
  [process.execPath, ...NODE_FLAGS, join(room, 'main.ts')] as const

const REDIS_SCRIPT = join(import.meta.dirname, '../redis/redis.sh')
const REDIS_READY = /Ready to accept connections/
const PORT_TAKEN = /Address already in use|is in use by another program/
const START_ATTEMPTS = 3
const LOOPBACK = '127.0.0.1'

/** Which replicas there are and where: settled before anything starts, because everybody is told the others' ports. */
type Plan = {
  readonly gatewayPort: number
  readonly redisPorts: Record<Service, number>
  readonly replicas: readonly {
    readonly service: Service
    readonly name: string
    readonly port: number
    readonly spare: boolean
  }[]
}

const countsOf = ({ replicas = 1, spare = {} }: ShopOptions, service: Service) => {
  const started = typeof replicas === 'number' ? replicas : (replicas[service] ?? 1)
  return { started, all: started + (spare[service] ?? 0) }
}

const names = (options: ShopOptions) =>
  SERVICES.flatMap((service) => {
    const { started, all } = countsOf(options, service)
    return Array.from({ length: all }, (_, index) => ({
      service,
      name: `${service}-${index + 1}`,
      spare: index >= started,
    }))
  })

const planOf = (options: ShopOptions, ports: readonly number[]): Plan => {
  const [gatewayPort = 0, ids = 0, order = 0, payment = 0, stock = 0, ...rest] = ports
  return {
    gatewayPort: options.port || gatewayPort,
    redisPorts: { ids, order, payment, stock },
    replicas: names(options).map((replica, index) => ({ ...replica, port: rest[index] ?? 0 })),
  }
}

const portsNeeded = (options: ShopOptions): number => 1 + SERVICES.length + names(options).length

const originOf = (port: number): string => `http://127.0.0.1:${port}`

/** Where whoever is on this machine reaches the gateway: an address that stands for all of them is none to go to. */
const gatewayUrl = (host: string, port: number): string => {
  const reached = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  return `http://${isIPv6(reached) ? `[${reached}]` : reached}:${port}`
}

/** Everything a part is told besides the variables of the caller. */
const createWiring = (options: ShopOptions, plan: Plan, passwords: Passwords) => {
  const route = options.route ?? (({ url }: Connection) => url)

  const origins = async (from: string, role: Service | 'gateway'): Promise<[string, string][]> =>
    Promise.all(
      ASKS[role].map(async (service): Promise<[string, string]> => {
        const replicas = plan.replicas.filter((replica) => replica.service === service)
        const urls = replicas.map(({ name, port }) => route({ from, to: name, url: originOf(port) }))
        return [originsVariable(service), (await Promise.all(urls)).join(',')]
      }),
    )

  const redisUrls = async (from: string, user: Service): Promise<[string, string][]> =>
    Promise.all(
      [user, ...VISITS[user]].map(async (owner): Promise<[string, string]> => {
        const url = redisUrl(owner, user, plan.redisPorts[owner], passwords)
        return [redisVariable(owner, user), await route({ from, to: `${owner}-redis`, url })]
      }),
    )

  const own = (role: string, name: string) => ({ ...options.env?.all, ...options.env?.[role], ...options.env?.[name] })

  return {
    service: async (service: Service, name: string, port: number): Promise<NodeJS.ProcessEnv> => ({
      ...process.env,
      ...Object.fromEntries([...(await origins(name, service)), ...(await redisUrls(name, service))]),
      PORT: String(port),
      HOST: LOOPBACK,
      REPLICA: name,
      ...own(service, name),
    }),
    gateway: async (): Promise<NodeJS.ProcessEnv> => ({
      ...process.env,
      ...Object.fromEntries(await origins('gateway', 'gateway')),
      PORT: String(plan.gatewayPort),
      HOST: options.host ?? LOOPBACK,
      REPLICA: 'gateway',
      ...own('gateway', 'gateway'),
    }),
  }
}

type Parts = Pick<Shop, 'gateway' | 'services' | 'redis' | 'parts'>

const createParts = async (
  options: ShopOptions,
  dir: string,
  plan: Plan,
  passwords: Passwords,
  program: string,
): Promise<Parts> => {
  const { root = ROOT, restart = false, onEvent = () => undefined, appendfsync = 'always', redisArgs = [] } = options
  const wiring = createWiring(options, plan, passwords)
  const common = { cwd: root, restart, tell: onEvent }

  const redisPart = (service: Service): RedisPart => {
    const port = plan.redisPorts[service]
    const settings = {
      port: String(port),
      bind: '127.0.0.1',
      dir: redisFolder(dir, service),
      pidfile: pidFile(dir, service),
      appendfsync,
    }
    const parameters = Object.entries(settings).flatMap(([setting, value]) => [`--${setting}`, value])
    const part = createPart({
      ...common,
      name: `${service}-redis`,
      port,
      url: redisUrl(service, service, port, passwords),
      command: ['/bin/sh', REDIS_SCRIPT, ...parameters, ...redisArgs],
      environment: { ...process.env, REDIS_SERVER: program, ...redisVariables(service, passwords) },
      logFile: logFile(dir, `${service}-redis`),
      readyBy: REDIS_READY,
    })
    return Object.assign(part, {
      dir: settings.dir,
      visitorUrl: (visitor: Service) => redisUrl(service, visitor, port, passwords),
    })
  }

  const servicePart = async ({ service, name, port }: Plan['replicas'][number]): Promise<Part> =>
    createPart({
      ...common,
      name,
      port,
      url: originOf(port),
      command: mainCommand(service),
      environment: await wiring.service(service, name, port),
      logFile: logFile(dir, name),
      readyBy: 'message',
    })

  const ofService = (service: Service): Promise<Part[]> =>
    Promise.all(plan.replicas.filter((replica) => replica.service === service).map(servicePart))

  const gateway = createPart({
    ...common,
    name: 'gateway',
    port: plan.gatewayPort,
    url: gatewayUrl(options.host ?? LOOPBACK, plan.gatewayPort),
    command: mainCommand('gateway'),
    environment: await wiring.gateway(),
    logFile: logFile(dir, 'gateway'),
    readyBy: 'message',
  })
  const redis = {
    ids: redisPart('ids'),
    order: redisPart('order'),
    payment: redisPart('payment'),
    stock: redisPart('stock'),
  }
  const services = {
    ids: await ofService('ids'),
    order: await ofService('order'),
    payment: await ofService('payment'),
    stock: await ofService('stock'),
  }
  return { gateway, redis, services, parts: [...Object.values(redis), ...Object.values(services).flat(), gateway] }
}

const stopParts = async ({ gateway, services, redis }: Parts): Promise<void> => {
  await gateway.stop()
  await Promise.all(Object.values(services).flatMap((replicas) => replicas.map((part) => part.stop())))
  await Promise.all(Object.values(redis).map((part) => part.stop()))
}

/** Starts all at once and waits for each, so that after a failure nothing is still on its way. @throws PartError */
const startAll = async (parts: readonly Part[]): Promise<void> => {
  const outcomes = await Promise.allSettled(parts.map((part) => part.start()))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

const startParts = async ({ gateway, services, redis }: Parts, plan: Plan, signal?: AbortSignal): Promise<void> => {
  const spares = new Set(plan.replicas.filter(({ spare }) => spare).map(({ name }) => name))
  const replicas = Object.values(services).flat()
  await startAll(Object.values(redis))
  signal?.throwIfAborted()
  await startAll([...replicas.filter(({ name }) => !spares.has(name)), gateway])
  signal?.throwIfAborted()
}

/** Redis says that a file is damaged before its end, but neither where it lies nor what to do first. */
const withWayOut = (error: unknown, dir: string): unknown => {
  const service = SERVICES.find((one) => error instanceof PartError && error.message.startsWith(`${one}-redis `))
  if (service === undefined || !/Bad file format/.test((error as PartError).message)) return error
  const manifest = join(redisFolder(dir, service), 'appendonlydir', 'appendonly.aof.manifest')
  const way = `put back a copy of ${join(dir, 'redis')}, or make one and give up what lies behind the damage`
  return new PartError(`${(error as PartError).message}\n${way}: redis-check-aof --fix ${manifest}`, { cause: error })
}

const startOn = async (
  options: ShopOptions,
  ports: readonly number[],
  dir: string,
  program: string,
): Promise<Parts> => {
  const { signal } = options
  const plan = planOf(options, ports)
  const logs = ['gateway', ...SERVICES.map((service) => `${service}-redis`), ...names(options).map(({ name }) => name)]
  await prepareFolder(dir, logs)
  await writeUsage(dir, { pid: process.pid, redisPorts: plan.redisPorts })
  const parts = await createParts(options, dir, plan, await readPasswords(dir), program)
  const stop = (): Promise<void> => stopParts(parts)
  signal?.addEventListener('abort', stop, { once: true })
  try {
    signal?.throwIfAborted()
    await startParts(parts, plan, signal)
    return parts
  } catch (error) {
    await stop()
    throw signal?.aborted ? signal.reason : withWayOut(error, dir)
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

const makeFolder = async (dir: string | undefined): Promise<{ dir: string; remove: () => Promise<void> }> => {
  if (dir !== undefined) return { dir: resolve(dir), remove: async () => undefined }
  const temporary = await mkdtemp(join(tmpdir(), 'shop-'))
  return { dir: temporary, remove: () => rm(temporary, { recursive: true, force: true }) }
}

const openShop = (parts: Parts, dir: string, leave: () => Promise<void>): Shop => {
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopped ??= stopParts(parts).then(leave)
    return stopped
  }
  return { ...parts, url: parts.gateway.url, dir, stop, [Symbol.asyncDispose]: stop }
}

/** Starts the parts on ports that were free; those that somebody took meanwhile lead to another choice. */
const startSomewhere = async (options: ShopOptions, dir: string, program: string) => {
  for (let attempt = 1; ; attempt += 1) {
    const block = await takePorts(portsNeeded(options))
    try {
      return { parts: await startOn(options, block.ports, dir, program), release: block.release }
    } catch (error) {
      await block.release()
      if (attempt < START_ATTEMPTS && error instanceof PartError && PORT_TAKEN.test(error.message)) continue
      throw error
    }
  }
}

/**
 * Starts a whole shop and resolves when all of it is ready.
 * @throws PortBusyError or AddressError if nobody can listen where the gateway is to, before anything is started;
 * RedisProgramError; DataFolderError; PartError with the end of the log of the part that did not start; the reason of `signal`.
 */
export const startShop = async (options: ShopOptions = {}): Promise<Shop> => {
  await assertPortFree(options.port ?? 0, options.host ?? LOOPBACK)
  const program = await redisProgram((text) => options.onEvent?.({ type: 'note', text }))
  const { dir, remove } = await makeFolder(options.dir)
  const claim = await claimFolder(dir)
  const leave = async (): Promise<void> => {
    claim.release()
    await remove()
  }
  try {
    await endLeftovers(dir)
    const { parts, release } = await startSomewhere(options, dir, program)
    return openShop(parts, dir, () => release().then(leave))
  } catch (error) {
    await leave()
    throw error
  }
}
