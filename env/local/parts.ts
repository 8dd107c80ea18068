/** Of which processes does a shop consist, and in which order do they start and end? */

import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { Service } from '../../shared/contract/services.ts'
import { type Passwords, redisUrl, redisVariables } from '../wiring.ts'
import { logFile, pidFile, redisFolder } from './data-folder.ts'
import { createEnvironments, type EnvironmentOptions, LOOPBACK, originOf } from './environment.ts'
import { createPart, type Part, type PartOptions } from './managed-process.ts'
import type { Plan } from './plan.ts'

export type PartsOptions = EnvironmentOptions & {
  readonly appendfsync?: 'always' | 'everysec' | 'no'
  /** More settings of every Redis, as its command line takes them: `['--enable-debug-command', 'local']`. */
  readonly redisArgs?: readonly string[]
  /** Is a part that dies started again? Default: no. */
  readonly restart?: boolean
  /** The folder with the services' sources, default this repository. */
  readonly root?: string
}

export type RedisPart = Part & {
  /** Its data: `appendonlydir` and so on. */
  readonly dir: string
  /** Its address for one of its visitors. */
  readonly visitorUrl: (visitor: Service) => string
}

export type Parts = {
  readonly gateway: Part
  readonly services: Readonly<Record<Service, readonly Part[]>>
  readonly redis: Readonly<Record<Service, RedisPart>>
  readonly parts: readonly Part[]
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

/** Where a client on this machine reaches the gateway: an address that stands for all of them is none to go to. */
const gatewayUrl = (host: string, port: number): string => {
  const reached = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  return `http://${isIPv6(reached) ? `[${reached}]` : reached}:${port}`
}

/** What all parts of a shop have in common, and where its data is. */
type Common = Pick<PartOptions, 'cwd' | 'restart' | 'tell'> & { readonly dir: string }

const mainPart = (
  { dir, ...common }: Common,
  room: Service | 'gateway',
  { name, port, url }: Pick<Part, 'name' | 'port' | 'url'>,
  environment: NodeJS.ProcessEnv,
): Part =>
  createPart({
    ...common,
    name,
    port,
    url,
    command: mainCommand(room),
    environment,
    logFile: logFile(dir, name),
    readyBy: 'message',
  })

type RedisOptions = Required<Pick<PartsOptions, 'appendfsync' | 'redisArgs'>> & {
  /** The program `redis-server`. */
  readonly program: string
  readonly passwords: Passwords
}

const redisPart = (
  { dir, ...common }: Common,
  { appendfsync, redisArgs, program, passwords }: RedisOptions,
  service: Service,
  port: number,
): RedisPart => {
  const name = `${service}-redis`
  const settings = {
    port: String(port),
    bind: LOOPBACK,
    dir: redisFolder(dir, service),
    pidfile: pidFile(dir, service),
    appendfsync,
  }
  const parameters = Object.entries(settings).flatMap(([setting, value]) => [`--${setting}`, value])
  const part = createPart({
    ...common,
    name,
    port,
    url: redisUrl(service, service, port, passwords),
    command: ['/bin/sh', REDIS_SCRIPT, ...parameters, ...redisArgs],
    environment: { ...process.env, REDIS_SERVER: program, ...redisVariables(service, passwords) },
    logFile: logFile(dir, name),
    readyBy: REDIS_READY,
  })
  return Object.assign(part, {
    dir: settings.dir,
    visitorUrl: (visitor: Service) => redisUrl(service, visitor, port, passwords),
  })
}

/** The parts of a shop, all of them down. */
export const createParts = async (
  options: PartsOptions,
  tell: PartOptions['tell'],
  {
    dir,
    plan,
    passwords,
    program,
  }: Pick<RedisOptions, 'passwords' | 'program'> & {
    readonly dir: string
    readonly plan: Plan
  },
): Promise<Parts> => {
  const { root = ROOT, restart = false, appendfsync = 'always', redisArgs = [], host = LOOPBACK } = options
  const environments = createEnvironments(options, plan, passwords)
  const common = { cwd: root, restart, tell, dir }
  const redisOf = (service: Service): RedisPart =>
    redisPart(common, { appendfsync, redisArgs, program, passwords }, service, plan.redisPorts[service])
  const replicasOf = (service: Service): Promise<Part[]> =>
    Promise.all(
      plan.replicas
        .filter((replica) => replica.service === service)
        .map(async ({ name, port }) => {
          const environment = await environments.service(service, name, port)
          return mainPart(common, service, { name, port, url: originOf(port) }, environment)
        }),
    )

  const port = plan.gatewayPort
  const where = { name: 'gateway', port, url: gatewayUrl(host, port) }
  const gateway = mainPart(common, 'gateway', where, await environments.gateway())
  const redis = { ids: redisOf('ids'), order: redisOf('order'), payment: redisOf('payment'), stock: redisOf('stock') }
  const services = {
    ids: await replicasOf('ids'),
    order: await replicasOf('order'),
    payment: await replicasOf('payment'),
    stock: await replicasOf('stock'),
  }
  return { gateway, redis, services, parts: [...Object.values(redis), ...Object.values(services).flat(), gateway] }
}

export const stopParts = async ({ gateway, services, redis }: Parts): Promise<void> => {
  await gateway.stop()
  await Promise.all(Object.values(services).flatMap((replicas) => replicas.map((part) => part.stop())))
  await Promise.all(Object.values(redis).map((part) => part.stop()))
}

/** Starts all at once and waits for each, so that after a failure nothing is still on its way. @throws PartError */
const startAll = async (parts: readonly Part[]): Promise<void> => {
  const outcomes = await Promise.allSettled(parts.map((part) => part.start()))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

export const startParts = async (
  { gateway, services, redis }: Parts,
  plan: Plan,
  signal?: AbortSignal,
): Promise<void> => {
  const spares = new Set(plan.replicas.filter(({ spare }) => spare).map(({ name }) => name))
  const replicas = Object.values(services).flat()
  await startAll(Object.values(redis))
  signal?.throwIfAborted()
  await startAll([...replicas.filter(({ name }) => !spares.has(name)), gateway])
  signal?.throwIfAborted()
}
