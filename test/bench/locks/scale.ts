/**
 * How does the lock service bear many locks, many clients that wait, and many that watch?
 *
 * In a shop of its own, one thing after the other: how fast locks are got, released and listed while a thousand and while many are
 * held, and what each takes in Redis; then clients that wait for one lock, for many, and that watch. How fast
 * it is beside other routes is measured by `npm run bench -- --route lock --with add-funds`.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { setTimeout as after } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { Agent, type Dispatcher, request } from 'undici'
import { type Shop, startShop } from '../../../env/local/shop.ts'
import { eventsIn } from '../../../ids/lock/client/reading.ts'
import { lockNames } from '../../../ids/lock/keys.ts'
import { logKey } from '../../../shared/log/entry.ts'
import { eventually } from '../../support/eventually.ts'
import { number } from '../../support/table.ts'
import { readCpu, since } from '../cpu.ts'
import { readMemory } from '../upkeep.ts'

export type ScaleOptions = {
  /** How many locks are held at once. */
  readonly held: number
  /** How many clients wait at once, ten for each lock. */
  readonly waiting: number
  readonly watchers: number
}

const PER_LOCK = 10
/** As many as may wait for one lock. */
const IN_LINE = 256
const RATE_MS = 4_000
const RATE_CONNECTIONS = 16
const FILL_TOGETHER = 64
const OPENED_TOGETHER = 200
const IDLE_MS = 10_000
const QUIET_MS = 2_000
const EVENTS = 20
const DONE_MS = 120_000
/** So that what holds and waits does so for as long as anything here takes. */
const LONG_MS = 600_000
const POLL_MS = 20_000
const AGAIN_MS = 500

const JSON_TYPE = { 'content-type': 'application/json' }

type Stand = { readonly shop: Shop; readonly agent: Dispatcher; readonly say: (text: string) => void }

const ask = async ({ agent }: Stand, origin: string, method: Dispatcher.HttpMethod, path: string, body?: object) => {
  const sent = body ? { headers: JSON_TYPE, body: JSON.stringify(body) } : {}
  const response = await request(origin + path, { method, dispatcher: agent, ...sent })
  const text = await response.body.text()
  return { status: response.statusCode, json: JSON.parse(text) as Readonly<Record<string, unknown>> }
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const begunAt = performance.now()
  await work()
  return performance.now() - begunAt
}

/** Does something for each number below `count`, so many at once. */
const forEach = async (count: number, atOnce: number, work: (at: number) => Promise<unknown>): Promise<void> => {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1
      await work(next - 1)
    }
  }
  await Promise.all(Array.from({ length: Math.min(count, atOnce) }, worker))
}

/** Pairs a second: a lock that nobody has used is got, and released. */
const rateOf = async (stand: Stand, name: string): Promise<number> => {
  const until = performance.now() + RATE_MS
  let pairs = 0
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      pairs += 1
      const path = `/locks/${name}-${pairs}/leases/l`
      // 200: the gateway, or ids, has asked again.
      const { status } = await ask(stand, stand.shop.url, 'PUT', path)
      assert.ok(status === 201 || status === 200, `${status}`)
      assert.equal((await ask(stand, stand.shop.url, 'DELETE', path)).status, 200)
    }
  }
  await Promise.all(Array.from({ length: RATE_CONNECTIONS }, worker))
  return (pairs * 1_000) / RATE_MS
}

/** KiB of memory that a process has. */
const rssOf = async (pid: number): Promise<number> =>
  Number((await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])).stdout)

/** Waits until the replica has read what was appended, and the Redis has written its file anew, if it does. */
const whenQuiet = async ({ shop }: Stand, redis: Redis): Promise<void> => {
  const watched = [{ role: 'ids', pid: shop.part('ids-1').pid ?? 0 }]
  await eventually(async () => {
    const before = readCpu(watched)
    await after(QUIET_MS)
    assert.ok((since(before, readCpu(watched)).get('ids') ?? 0) < QUIET_MS / 10)
    assert.match(await redis.info('persistence'), /^aof_rewrite_in_progress:0/m)
  }, DONE_MS)
}

/** The share of a core that each process takes while nothing happens. */
const idleShare = async ({ shop }: Stand): Promise<string> => {
  const watched = (['ids-1', 'ids-redis', 'gateway'] as const).map((role) => ({ role, pid: shop.part(role).pid ?? 0 }))
  const before = readCpu(watched)
  await after(IDLE_MS)
  const taken = since(before, readCpu(watched))
  return watched.map(({ role }) => `${role} ${number((100 * (taken.get(role) ?? 0)) / IDLE_MS, 1)} %`).join(', ')
}

/**
 * Multiplies a lock that is held: its key and its entry in the log, under other names. KEYS are what names it, ARGV the first and
 * the last number.
 */
const COPY = `
local record = redis.call('GET', KEYS[1] .. '0')
local ends = string.match(record, '^' .. string.rep('%Z*%z', 15) .. '(%Z+)%z')
local kind, text = unpack(redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)[1][2])
for at = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local name = string.format('%s%d', ARGV[3], at)
  redis.call('SET', KEYS[1] .. at, record)
  redis.call('ZADD', KEYS[2], 0, name)
  redis.call('ZADD', KEYS[3], ends, name)
  redis.call('XADD', KEYS[4], '*', kind, (string.gsub(text, ' lock=%S+', ' lock=' .. name)))
end`
const COPIED_TOGETHER = 1_000
/** How many locks are held where few are. */
const FEW = 1_000

/** Requests for lists, by what they find. */
const LISTS = [
  ['a page of 100', '/locks?limit=100'],
  ['one in the middle', '/locks?limit=100&after=held-5'],
  ['100 of an owner', '/locks?limit=100&owner=work*&state=held'],
  ['a search that finds none among the first 10,000', '/locks?name=none*&count=true'],
] as const
const LISTED_TIMES = 5

/** How fast locks are got and released, and listed, while others are held. */
const askAmong = async (stand: Stand, name: string): Promise<{ readonly rate: number; readonly lists: string }> => {
  const rate = await rateOf(stand, name)
  const lists: string[] = []
  for (const [what, path] of LISTS) {
    const times: number[] = []
    for (let at = 0; at < LISTED_TIMES; at += 1)
      times.push(await timed(async () => assert.equal((await ask(stand, stand.shop.url, 'GET', path)).status, 200)))
    times.sort((one, other) => one - other)
    lists.push(`${what} ${number(times[Math.floor(LISTED_TIMES / 2)] ?? 0, 1)} ms`)
  }
  return { rate, lists: lists.join(', ') }
}

/** Lets locks be held beside the first, up to so many, straight in Redis. */
const fill = async (redis: Redis, from: number, held: number): Promise<void> => {
  const { lock, locks, locks_due } = lockNames
  const keys = [`${lock}held-`, locks, locks_due, logKey('ids')]
  for (let at = from; at < held; at += COPIED_TOGETHER)
    await redis.eval(COPY, keys.length, ...keys, at, Math.min(held - 1, at + COPIED_TOGETHER - 1), 'held-')
}

/** Locks that are held by many: what each takes in Redis and in a replica, and how fast all else is beside a thousand, and beside all. */
const holdMany = async (stand: Stand, held: number): Promise<void> => {
  const { shop, say } = stand
  const redis = new Redis(shop.redis.ids.url)
  await redis.config('SET', 'maxmemory', '0')
  const bytesOf = async (): Promise<readonly [redis: number, replica: number]> => [
    (await readMemory(shop)).ids,
    (await rssOf(shop.part('ids-1').pid ?? 0)) * 1_024,
  ]
  const first = await ask(stand, shop.url, 'PUT', '/locks/held-0/leases/lease', { ttl_ms: LONG_MS, owner: 'worker' })
  assert.equal(first.status, 201)
  await rateOf(stand, 'warm')
  const few = Math.min(held, FEW)
  await fill(redis, 1, few)
  await whenQuiet(stand, redis)
  const amongFew = await askAmong(stand, 'few')
  say(`${number(few)} locks are held: ${number(amongFew.rate)} pairs a second through the gateway; ${amongFew.lists}`)
  if (held === few) return redis.disconnect()
  const before = await bytesOf()
  await fill(redis, few, held)
  await whenQuiet(stand, redis)
  redis.disconnect()
  const later = await bytesOf()
  const [inRedis, inReplica] = later.map((bytes, at) => (bytes - (before[at] ?? 0)) / (held - few))
  say(
    `${number(held)} locks are held: ${number(inRedis ?? 0)} bytes each in Redis, ${number(inReplica ?? 0)} in a replica`,
  )
  const amongMany = await askAmong(stand, 'many')
  const ratio = number(amongMany.rate / amongFew.rate, 2)
  say(`${number(amongMany.rate)} pairs a second through the gateway, ${ratio} times as many; ${amongMany.lists}`)
  say(`while nothing happens: ${await idleShare(stand)}`)
}

/** What clients met: how often they had to come again, because the service had too much to do (503, or no answer), or to ask anew (410). */
type Met = { again: number; anew: number }

/** A client gets a lock in its turn, and releases it. */
const takeTurn = async (stand: Stand, origin: string, path: string, met: Met): Promise<void> => {
  const said = async (method: Dispatcher.HttpMethod, query = '', body?: object): Promise<number> => {
    const status = await ask(stand, origin, method, path + query, body).then(
      (answer) => answer.status,
      () => 503, // whatever broke, a client comes again
    )
    if (status !== 503) return status
    met.again += 1
    await after(AGAIN_MS)
    return said(method, query, body)
  }
  let status = await said('PUT', '', { ttl_ms: LONG_MS, wait_ms: LONG_MS })
  while (status === 202) status = await said('GET', `?wait_ms=${POLL_MS}`)
  if (status === 410) {
    met.anew += 1
    return takeTurn(stand, origin, `${path}-`, met)
  }
  assert.ok(status === 200 || status === 201, `${status}`)
  assert.equal(await said('DELETE'), 200)
}

/** Clients that wait, so many for each lock: what they cost, and that each of them has its turn. */
const waitInLine = async (stand: Stand, origin: string, name: string, waiting: number, each: number): Promise<void> => {
  const { shop, say } = stand
  const locks = Math.ceil(waiting / each)
  const pathOf = (at: number, lease: string): string => `/locks/${name}-${at % locks}/leases/${lease}`
  await forEach(locks, FILL_TOGETHER, (at) => ask(stand, origin, 'PUT', pathOf(at, 'first'), { ttl_ms: LONG_MS }))
  const turns: Promise<void>[] = []
  const met: Met = { again: 0, anew: 0 }
  const waitingHere = async (): Promise<number> =>
    Number((await ask(stand, shop.url, 'GET', '/locks/-/status')).json.waiting_here)
  for (let at = 0; at < waiting; at += 1) {
    turns.push(takeTurn(stand, origin, pathOf(at, `w-${at}`), met))
    if (at % OPENED_TOGETHER === OPENED_TOGETHER - 1)
      await eventually(async () => assert.ok((await waitingHere()) >= at), DONE_MS)
  }
  await eventually(async () => assert.equal(await waitingHere(), waiting), DONE_MS)
  say(`${number(waiting)} clients wait for ${number(locks)} locks: ${await idleShare(stand)}`)
  if (each === IN_LINE) {
    const refused = await ask(stand, origin, 'PUT', pathOf(0, 'late'), { wait_ms: 1_000 })
    say(`one more is answered ${refused.status}`)
  }
  const begunAt = performance.now()
  await forEach(locks, FILL_TOGETHER, (at) => ask(stand, origin, 'DELETE', pathOf(at, 'first')))
  await Promise.all(turns)
  const seconds = (performance.now() - begunAt) / 1_000
  say(
    `each of them has had its turn within ${number(seconds, 1)} s; ${met.again} times one had to come again, ${met.anew} times to ask anew`,
  )
}

/** Clients that watch one lock: how long after it happened the last of them is told. */
const watchOne = async (stand: Stand, watchers: number): Promise<void> => {
  const { shop, agent, say } = stand
  const abort = new AbortController()
  const path = '/locks/watched/events'
  const told = new Map<string, number>()
  const follow = async (): Promise<void> => {
    // A service that has too much to do ends a stream before it has begun: its client comes again.
    while (!abort.signal.aborted) await listen()
  }
  const listen = async (): Promise<void> => {
    const response = await request(shop.url + path, { dispatcher: agent, signal: abort.signal })
    assert.equal(response.statusCode, 200)
    for await (const { event, data } of eventsIn(response.body)) {
      const key = event === 'state' ? event : `${data.token}`
      if (event === 'state' || event === 'granted') told.set(key, (told.get(key) ?? 0) + 1)
    }
  }
  const following: Promise<void>[] = []
  for (let at = 0; at < watchers; at += 1) {
    following.push(follow())
    if (at % OPENED_TOGETHER === OPENED_TOGETHER - 1)
      await eventually(async () => assert.ok((told.get('state') ?? 0) >= at), DONE_MS)
  }
  await eventually(async () => assert.equal(told.get('state'), watchers), DONE_MS)
  say(`${number(watchers)} clients watch a lock: ${await idleShare(stand)}`)
  const late: number[] = []
  for (let at = 0; at < EVENTS; at += 1) {
    const lease = `/locks/watched/leases/l-${at}`
    const ms = await timed(async () => {
      const { token } = (await ask(stand, shop.url, 'PUT', lease)).json
      await eventually(async () => assert.equal(told.get(`${token}`), watchers), DONE_MS)
    })
    late.push(ms)
    await ask(stand, shop.url, 'DELETE', lease)
  }
  late.sort((one, other) => one - other)
  say(`all are told what was asked ${number(late[EVENTS / 2] ?? 0)} ms before, ${number(late.at(-1) ?? 0)} at most`)
  abort.abort()
  await Promise.allSettled(following)
}

export const measureScale = async (options: ScaleOptions, say: (text: string) => void, signal: AbortSignal) => {
  const { held, waiting, watchers } = options
  await using shop = await startShop({ signal, env: { all: { LOCKS_MAX: String(held + 100_000) } } })
  const agent = new Agent({ headersTimeout: DONE_MS, bodyTimeout: DONE_MS })
  const stand = { shop, agent, say }
  if (held > 0) await holdMany(stand, held)
  if (watchers > 0) await watchOne(stand, watchers)
  await waitInLine(stand, shop.url, 'line', IN_LINE, IN_LINE)
  // A client takes two connections of a gateway, which has 20,000 on some machines: they ask ids itself.
  if (waiting > 0) await waitInLine(stand, shop.part('ids-1').url, 'wait', waiting, PER_LOCK)
  await agent.destroy()
}
