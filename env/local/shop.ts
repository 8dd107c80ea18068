/**
 * How is the whole shop started on this machine, and ended?
 *
 * `startShop` starts the four Redis, then all services and the gateway (`parts.ts`), each a process of its own
 * (`managed-process.ts`), and resolves when all of them are ready. `npm start`, the tests and the benchmark use it alike; it
 * prints nothing, but tells events. It ends them in the opposite order: the gateway, so that nothing new comes in, the services,
 * and last the Redis. If a start fails, what was started is ended again and the error says which part failed, with the end of
 * its log.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { SERVICES, type Service } from '../../shared/contract/services.ts'
import { claimFolder } from './claim.ts'
import { prepareFolder, readPasswords, redisFolder, writeUsage } from './data-folder.ts'
import { LOOPBACK } from './environment.ts'
import { endLeftovers } from './leftover.ts'
import { type Part, PartError, type PartEvent } from './managed-process.ts'
import { createParts, type Parts, type PartsOptions, type RedisPart, startParts, stopParts } from './parts.ts'
import { type PlanOptions, planOf, portsNeeded, replicasOf } from './plan.ts'
import { assertPortFree, takePorts } from './ports.ts'
import { redisProgram } from './redis-program.ts'

/** What is told while the shop runs; a note is a sentence about the launcher itself. */
export type ShopEvent = PartEvent | { readonly type: 'note'; readonly text: string }

export type ShopOptions = PlanOptions &
  PartsOptions & {
    /** Where everything is kept (see `data-folder.ts`). Default: a temporary folder that is removed when the shop stops. */
    readonly dir?: string
    readonly onEvent?: (event: ShopEvent) => void
    /** Gives up: before the shop is ready whatever was started is ended; afterwards `stop` does. */
    readonly signal?: AbortSignal
  }

export type Shop = Parts & {
  /** The gateway's address, for instance `http://127.0.0.1:8000`. */
  readonly url: string
  readonly dir: string
  /** One of them by its name: `order-2`, `gateway`, or a Redis, `stock-redis`. @throws if there is none of that name */
  readonly part: {
    (name: `${Service}-redis`): RedisPart
    (name: string): Part
  }
  /** Ends everything in order; may be called again. */
  readonly stop: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

const PORT_TAKEN = /Address already in use|is in use by another program/
const START_ATTEMPTS = 3

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
  const logs = [
    'gateway',
    ...SERVICES.map((service) => `${service}-redis`),
    ...replicasOf(options).map(({ name }) => name),
  ]
  await prepareFolder(dir, logs)
  await writeUsage(dir, { pid: process.pid, redisPorts: plan.redisPorts })
  const { onEvent = () => undefined } = options
  const parts = await createParts(options, onEvent, { dir, plan, passwords: await readPasswords(dir), program })
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
  const named = new Map<string, Part>(parts.parts.map((one) => [one.name, one]))
  function part(name: `${Service}-redis`): RedisPart
  function part(name: string): Part
  function part(name: string): Part {
    const one = named.get(name)
    if (one === undefined) throw new Error(`the shop has no ${name}`)
    return one
  }
  return { ...parts, part, url: parts.gateway.url, dir, stop, [Symbol.asyncDispose]: stop }
}

/** Starts the parts on ports that were free; those that another program took meanwhile lead to another choice. */
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
 * @throws PortBusyError or AddressError if the gateway cannot listen where it is to, before anything is started;
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
