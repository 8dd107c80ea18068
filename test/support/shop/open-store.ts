/**
 * The store of a service without its process: over a real Redis, and told entries as if it had read them in a
 * peer's log.
 */

import type { ExecutionContext } from 'ava'
import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { events, type KindOf, VERSION } from '../../../shared/contract/events.ts'
import { fieldsOf, kindOf, type RawEntry } from '../../../shared/contract/raw-entry.ts'
import type { Service } from '../../../shared/contract/services.ts'
import { redLock } from '../../../shared/lock/redlock.ts'
import type { LogEntry } from '../../../shared/log/entry.ts'
import type { Log } from '../../../shared/log/log.ts'
import { logIds } from '../../../shared/log/log-id.ts'
import { noMetrics } from '../../../shared/metrics/metrics.ts'
import { openStep } from '../../../shared/process/step.ts'
import { connect, disconnect, whenReady } from '../../../shared/redis/connection.ts'
import type { Once, Reply } from '../../../shared/redis/script.ts'
import type { Dependencies } from '../../../shared/service.ts'
import { cutTail } from '../faults/older-redis.ts'
import { headerOf, luaCommands, promised } from './lua-command.ts'
import { type RedisServer, startRedis } from './redis-server.ts'

/** A request without a key. */
export const plainly: Once = { idempotencyKey: undefined, fingerprint: '' }
/** A request under a key. */
export const under = (idempotencyKey: string, fingerprint = 'POST /'): Once => ({ idempotencyKey, fingerprint })

export type Bench = AsyncDisposable & {
  readonly server: RedisServer
  readonly redis: Redis
  readonly dependencies: Dependencies
}

const RETENTION_S = 1_000

/** The servers are not durable unless the arguments say so. */
const FAST = ['--appendonly', 'no']

/** A Redis of its own and what a store is opened with. */
export const openBench = async (args: readonly string[] = FAST): Promise<Bench> => {
  const server = await startRedis({ args })
  return openBenchOn(server, () => server.stop())
}

/** The same on a server that others use as well, as a process that was started anew. */
export const openBenchOn = async (
  server: RedisServer,
  stop: () => Promise<void> = async () => undefined,
): Promise<Bench> => {
  const redis = connect(server.url, 'command')
  await whenReady(redis)
  const identifiers = { next: logIds('00000000'), start: () => undefined, stop: () => undefined }
  return {
    server,
    redis,
    dependencies: {
      redis,
      step: openStep('bench'),
      redLock: redLock([redis]),
      identifiers,
      logger: pino({ level: 'silent' }),
      peer: () => redis,
      follow: () => ({ start: () => undefined, stop: () => Promise.resolve() }),
      underLease: () => ({ start: () => undefined, stop: () => Promise.resolve() }),
      catchUp: () => Promise.resolve(true),
      outOfReach: () => [],
      retentionS: RETENTION_S,
      metrics: noMetrics,
    },
    [Symbol.asyncDispose]: async () => {
      disconnect(redis)
      await stop()
    },
  }
}

/** The same for one test, durable as the shop demands it: so that it can come back older. */
export const openDurable = async (t: ExecutionContext): Promise<Bench> => {
  const bench = await openBench(['--appendonly', 'yes', '--appendfsync', 'always'])
  t.teardown(() => bench[Symbol.asyncDispose]())
  return bench
}

/** The Redis dies, and comes back with what was written up to a moment, or with everything. */
export const comeBack = async (
  { server, redis }: Pick<Bench, 'server' | 'redis'>,
  position = Number.POSITIVE_INFINITY,
): Promise<void> => {
  await server.kill()
  await cutTail(server.dir, { position })
  await server.restart()
  await whenReady(redis)
}

export type Facts = Readonly<Record<string, string | number>>

/** An entry as `publisher` would say it: of the facts, those that its kind carries. */
export const entryOf = <Publisher extends Service>(
  publisher: Publisher,
  kind: KindOf<Publisher>,
  id: string,
  log_id: string,
  facts: Facts,
): RawEntry => {
  const carried = Object.keys((events[publisher] as Readonly<Record<string, object>>)[kind] ?? {})
  const pairs = carried.flatMap((name) => (facts[name] === undefined ? [] : [[name, String(facts[name])]]))
  return [
    id,
    [kind, [['version', VERSION], ['log_id', log_id], ...pairs].map(([name, value]) => `${name}=${value}`).join(' ')],
  ]
}

/** The same as a service of an older version would have said it. */
export const flat = (entry: RawEntry): RawEntry => [entry[0], fieldsOf(entry).flat()]

export type Teller = <Publisher extends Service>(
  publisher: Publisher,
  kind: KindOf<Publisher>,
  log_id: string,
  facts: Facts,
) => Promise<Reply>

/** Tells a log one entry after the other. */
export const teller = (log: Log): Teller => {
  let told = 0
  return async (publisher, kind, log_id, facts) => {
    told += 1
    const replies = await log.apply(publisher, '0-0', [entryOf(publisher, kind, `${told}-0`, log_id, facts)])
    if ('gap' in replies) throw new Error(`the cursor went back to ${replies.gap}`)
    const [reply] = replies
    if (reply === undefined) throw new Error(`${kind} is not handled by ${log.service}`)
    if (reply[0] === 'dead-lettered' || reply[0] === 'passed') throw new Error(`${kind} was ${reply.join(': ')}`)
    return reply
  }
}

/** Everything that a log holds, oldest first. */
export const saidIn = (log: Log): Promise<readonly LogEntry[]> => log.page('0-0', 10_000)

type AnyReactions = Readonly<Record<string, Readonly<Record<string, { readonly command: string }>>>>

/** Rooms of services whose commands have tests of their own. */
const ROOMS = ['amend', 'cancel', 'change', 'drafts', 'refunds', 'webhooks', 'documents', 'lock', 'jobs'] as const

/** Remembers which results the commands of a log returned, and knows which of those that their headers promise are missing. */
export const resultsSeen = (
  log: Log,
  reactions: AnyReactions,
  room?: (typeof ROOMS)[number],
): { readonly unseen: () => readonly string[] } => {
  const seen = new Set<string>()
  const { run, apply } = log
  const watched: Pick<Log, 'run' | 'apply'> = {
    run: async (command, args, once) => {
      const reply = await run(command, args, once)
      seen.add(`${command}: ${reply[0]}`)
      return reply
    },
    apply: async (publisher, known, entries) => {
      const replies = await apply(publisher, known, entries)
      const [reply] = 'gap' in replies ? [] : replies
      const [entry] = entries
      const command = entry && reactions[publisher]?.[kindOf(entry) ?? '']?.command
      // What is dead-lettered ended in an error, not in a result.
      if (reply && command && reply[0] !== 'dead-lettered') seen.add(`${command}: ${reply[0]}`)
      return replies
    },
  }
  Object.assign(log, watched)
  const all = luaCommands(log.service)
    .filter((command) => room === ROOMS.find((one) => one === command.room))
    .flatMap((command) => promised(headerOf(command)).map((result) => `${command.name}: ${result}`))
  return {
    unseen: () => [
      ...all.filter((one) => !seen.has(one)).map((one) => `${one} was never returned`),
      ...[...seen]
        .filter((one) => all.some((promise) => promise.split(':')[0] === one.split(':')[0]))
        .filter((one) => !all.includes(one) && !one.endsWith(': key-reused'))
        .map((one) => `${one} is not in the header`),
    ],
  }
}
