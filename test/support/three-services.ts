/**
 * The services of a checkout without their processes: their real commands over three real Redis servers, and nothing moves
 * unless the caller moves it.
 */

import { once } from 'node:events'
import type { Redis } from 'ioredis'
import { openStore as openOrder } from '../../order/store.ts'
import { openStore as openPayment } from '../../payment/store.ts'
import type { RawEntry } from '../../shared/contract/raw-entry.ts'
import type { Participant } from '../../shared/contract/services.ts'
import { ackedKey, logKey } from '../../shared/log/entry.ts'
import type { Log } from '../../shared/log/log.ts'
import type { Dependencies } from '../../shared/service.ts'
import { openStore as openStock } from '../../stock/store.ts'
import { type Bench, openBenchOn } from './shop/open-store.ts'
import { type RedisServer, startRedis } from './shop/redis-server.ts'

/** Who reads whose log, in the order of a checkout. */
export const PAIRS = [
  { subscriber: 'payment', publisher: 'order' },
  { subscriber: 'stock', publisher: 'payment' },
  { subscriber: 'payment', publisher: 'stock' },
  { subscriber: 'order', publisher: 'payment' },
] as const satisfies readonly { subscriber: Participant; publisher: Participant }[]

export const subscribersOf = (participant: Participant): readonly Participant[] =>
  PAIRS.filter(({ publisher }) => publisher === participant).map(({ subscriber }) => subscriber)

export type ThreeServices = AsyncDisposable & {
  readonly redis: Readonly<Record<Participant, Redis>>
  readonly dependencies: Readonly<Record<Participant, Dependencies>>
  readonly stores: {
    readonly order: ReturnType<typeof openOrder>
    readonly payment: ReturnType<typeof openPayment>
    readonly stock: ReturnType<typeof openStock>
  }
  readonly logs: Readonly<Record<Participant, Log>>
  /** Up to `count` entries that the subscriber has not applied, the oldest first. */
  readonly unread: (subscriber: Participant, publisher: Participant, count: number) => Promise<readonly RawEntry[]>
  /** Up to `count` entries that the subscriber applied last, and the cursor before them. */
  readonly applied: (
    subscriber: Participant,
    publisher: Participant,
    count: number,
  ) => Promise<{ readonly before: string; readonly entries: readonly RawEntry[] }>
  /** Tells the publisher how far it was read. */
  readonly report: (subscriber: Participant, publisher: Participant, entry: string) => Promise<void>
  /** Waits until nothing more happens in this millisecond: so that what comes first is earlier. */
  readonly tick: (participant: Participant) => Promise<void>
  /** Copies what a Redis holds; the result puts it back: the Redis comes back older, on a new connection. */
  readonly backUp: (participant: Participant) => Promise<() => Promise<void>>
}

type Options = {
  /** What order waits for before it cancels: to have read what payment has emitted. */
  readonly catchUp?: () => Promise<boolean>
  /** Makes the log ids of what has no saga. */
  readonly nextId?: () => string
}

const nowMs = async (redis: Redis): Promise<number> => {
  const [seconds, micros] = await redis.time()
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
}

/** Waits until the clock of a Redis is later than `ms`: what it emits next comes after that. */
const passes = async (redis: Redis, ms: number): Promise<void> => {
  while ((await nowMs(redis)) <= ms);
}

/**
 * Copies what a Redis holds; the result puts it back, as if what came after had never been written. A server takes longer to
 * come back than a millisecond, so what it emits next is later than what it lost.
 */
export const copyOf = async (redis: Redis, participant: Participant): Promise<() => Promise<void>> => {
  const copies = await Promise.all(
    (await redis.keys('*')).map(async (key) => ({
      key,
      ttl: await redis.pttl(key),
      bytes: await redis.dumpBuffer(key),
    })),
  )
  return async () => {
    const [newest] = await redis.xrevrange(logKey(participant), '+', '-', 'COUNT', 1)
    await redis.flushall()
    for (const { key, ttl, bytes } of copies) if (bytes) await redis.restore(key, Math.max(ttl, 0), bytes)
    await passes(redis, Number.parseInt(newest?.[0] ?? '0', 10))
  }
}

const reconnect = async (redis: Redis): Promise<void> => {
  // The server is there: nobody waits for it.
  redis.options.retryStrategy = () => 0
  const ready = once(redis, 'ready')
  redis.disconnect(true)
  await ready
}

export type ThreeServers = AsyncDisposable & Readonly<Record<Participant, RedisServer>>

export const startThreeServers = async (): Promise<ThreeServers> => {
  await using stack = new AsyncDisposableStack()
  const start = async () => stack.use(await startRedis({ args: ['--appendonly', 'no'] }))
  const servers = { order: await start(), payment: await start(), stock: await start() }
  const started = stack.move()
  return { ...servers, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

/** The services as if they had just been started, over servers that are emptied. */
export const openThreeServices = async (
  servers: ThreeServers,
  { catchUp, nextId }: Options = {},
): Promise<ThreeServices> => {
  await using stack = new AsyncDisposableStack()
  const open = async (participant: Participant): Promise<Bench> => {
    const bench = stack.use(await openBenchOn(servers[participant]))
    await bench.redis.flushall()
    return bench
  }
  const benches = { order: await open('order'), payment: await open('payment'), stock: await open('stock') }
  const instrumentsOf = (participant: Participant): Dependencies => {
    const { dependencies } = benches[participant]
    return {
      ...dependencies,
      peer: (peer) => (peer === 'order' || peer === 'stock' ? benches[peer].redis : dependencies.redis),
      ...(catchUp === undefined ? {} : { catchUp }),
      ...(nextId === undefined ? {} : { identifiers: { ...dependencies.identifiers, next: nextId } }),
    }
  }
  const dependencies = {
    order: instrumentsOf('order'),
    payment: instrumentsOf('payment'),
    stock: instrumentsOf('stock'),
  }
  const stores = {
    order: openOrder(dependencies.order),
    payment: openPayment(dependencies.payment),
    stock: openStock(dependencies.stock),
  }
  const redis = { order: benches.order.redis, payment: benches.payment.redis, stock: benches.stock.redis }
  const logs = { order: stores.order.log, payment: stores.payment.log, stock: stores.stock.log }
  const opened = stack.move()

  const backUp: ThreeServices['backUp'] = async (participant) => {
    const putBack = await copyOf(redis[participant], participant)
    return async () => {
      await putBack()
      await reconnect(redis[participant])
    }
  }

  return {
    redis,
    dependencies,
    stores,
    logs,
    unread: async (subscriber, publisher, count) => {
      const cursor = await logs[subscriber].cursor(publisher)
      return redis[publisher].xrange(logKey(publisher), `(${cursor}`, '+', 'COUNT', count)
    },
    applied: async (subscriber, publisher, count) => {
      const cursor = await logs[subscriber].cursor(publisher)
      const newestFirst = await redis[publisher].xrevrange(logKey(publisher), cursor, '-', 'COUNT', count + 1)
      return { before: newestFirst[count]?.[0] ?? '0-0', entries: newestFirst.slice(0, count).toReversed() }
    },
    report: async (subscriber, publisher, entry) => {
      await redis[publisher].set(ackedKey(publisher, subscriber), entry)
    },
    backUp,
    tick: async (participant) => passes(redis[participant], await nowMs(redis[participant])),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
