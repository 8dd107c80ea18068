/**
 * What took the time in each process?
 *
 * Every process of the shop profiles itself from the beginning of a run's measured time to its end, so that neither its
 * start nor the seeding is in it (see `profiled.ts`); each Redis counts its commands over the same time. The files can be
 * opened in any viewer of `.cpuprofile`.
 */

import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Shop, ShopOptions } from '../../env/local/shop.ts'
import { SERVICES } from '../../shared/contract/services.ts'

const HOOK = new URL('profiled.ts', import.meta.url).href
const WRITTEN_WITHIN_MS = 10_000
const POLL_MS = 50
const TOP = 12

/** What a process spent in one place, in microseconds; `share` is of its busy time. */
export type Spent = { readonly what: string; readonly us: number; readonly share: number }
export type ProcessProfile = {
  readonly name: string
  readonly functions: readonly Spent[]
  readonly modules: readonly Spent[]
}
/** One command of one Redis: how often it ran and for how long, those called by scripts included in the script. */
export type CommandTime = {
  readonly redis: string
  readonly command: string
  readonly calls: number
  readonly us: number
}
export type RunProfile = { readonly processes: readonly ProcessProfile[]; readonly commands: readonly CommandTime[] }

export type Profiler = {
  /** To be called at the beginning and at the end of the measured time. */
  readonly toggle: () => void
  /** What was found in the run that has just ended. */
  readonly collect: () => Promise<RunProfile>
  readonly close: () => void
}

const pathOf = (folder: string, part: string): string => join(folder, part)

/** The variables that make each process profile itself into `folder`. */
export const profiling = (folder: string, replicas: number): NonNullable<ShopOptions['env']> => {
  const names = SERVICES.flatMap((service) => Array.from({ length: replicas }, (_, index) => `${service}-${index + 1}`))
  const variables = (name: string) => ({ NODE_OPTIONS: `--import=${HOOK}`, BENCH_PROFILE: pathOf(folder, name) })
  return Object.fromEntries([...names, 'gateway'].map((name) => [name, variables(name)]))
}

type RawProfile = {
  readonly nodes: readonly { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}
type Frame = RawProfile['nodes'][number]['callFrame']

const placeOf = ({ functionName, url, lineNumber }: Frame): string =>
  url === '' ? functionName : `${functionName || '(anonymous)'} ${url.split('/').slice(-3).join('/')}:${lineNumber + 1}`

/** The package, the room, or the part of Node that a function belongs to. */
const moduleOf = ({ functionName, url }: Frame): string => {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native (system calls, strings)'
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (found !== undefined) return found
  if (url.startsWith('wasm')) return 'WebAssembly'
  return url.startsWith('node:') ? 'node' : url.split('/').slice(-2).join('/')
}

const largest = (times: ReadonlyMap<string, number>): Spent[] => {
  const all = [...times.values()].reduce((sum, us) => sum + us, 0)
  const sorted = [...times].sort(([, a], [, b]) => b - a).slice(0, TOP)
  return sorted.map(([what, us]) => ({ what, us, share: us / all }))
}

const summarise = (name: string, { nodes, samples, timeDeltas }: RawProfile): ProcessProfile => {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const functions = new Map<string, number>()
  const modules = new Map<string, number>()
  samples.forEach((id, index) => {
    const frame = frames.get(id)
    if (frame === undefined || frame.functionName === '(idle)' || frame.url === 'node:inspector') return
    const us = timeDeltas[index] ?? 0
    for (const [times, key] of [
      [functions, placeOf(frame)],
      [modules, moduleOf(frame)],
    ] as const)
      times.set(key, (times.get(key) ?? 0) + us)
  })
  return { name, functions: largest(functions), modules: largest(modules) }
}

const readWhenWritten = async (path: string): Promise<RawProfile> => {
  const deadline = performance.now() + WRITTEN_WITHIN_MS
  while (!existsSync(path)) {
    if (performance.now() > deadline) throw new Error(`${path} was not written within ${WRITTEN_WITHIN_MS} ms`)
    await after(POLL_MS)
  }
  return JSON.parse(readFileSync(path, 'utf8')) as RawProfile
}

const commandTimes = (redis: string, info: string): CommandTime[] =>
  [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm)]
    .map(([, command = '', calls, us]) => ({ redis, command, calls: Number(calls), us: Number(us) }))
    .sort((a, b) => b.us - a.us)
    .slice(0, TOP)

/** Profiles the runs of a shop that was started with `profiling`. */
export const openProfiler = (shop: Shop, folder: string): Profiler => {
  const processes = [...Object.values(shop.services).flat(), shop.part('gateway')]
  const redis = SERVICES.map((service) => ({ service, connection: new Redis(shop.part(`${service}-redis`).url) }))
  let turn = 0
  for (const { name } of processes) rmSync(`${pathOf(folder, name)}-1.cpuprofile`, { force: true })
  const failed = (error: Error): never => {
    throw error
  }
  let infos: Promise<readonly string[]> = Promise.resolve([])
  return {
    toggle: () => {
      turn += 1
      for (const { pid } of processes) if (pid !== undefined) process.kill(pid, 'SIGUSR2')
      if (turn % 2 === 0) infos = Promise.all(redis.map(({ connection }) => connection.info('commandstats')))
      else for (const { connection } of redis) connection.config('RESETSTAT').catch(failed)
    },
    collect: async () => {
      const files = processes.map(async ({ name }) =>
        summarise(name, await readWhenWritten(`${pathOf(folder, name)}-${turn / 2}.cpuprofile`)),
      )
      const texts = await infos
      return {
        processes: await Promise.all(files),
        commands: redis.flatMap(({ service }, index) => commandTimes(`${service}-redis`, texts[index] ?? '')),
      }
    },
    close: () => {
      for (const { connection } of redis) connection.disconnect()
    },
  }
}
