/** The Redis of locks really comes back older: one replica granted what is forgotten, another one has only followed the log. */
import assert from 'node:assert/strict'
import test from 'ava'
import { lockClient } from '../../../ids/lock/client.ts'
import { openLockService } from '../../../ids/lock/lock-service.ts'
import { openStore } from '../../../ids/store.ts'
import type { Listener } from '../../../shared/log/follow.ts'
import { eventually } from '../../support/eventually.ts'
import { writtenTo } from '../../support/faults/older-redis.ts'
import { openLockReplica } from '../../support/lock-replica.ts'
import { elapse, openLocksOver, wish } from '../../support/locks.ts'
import { problemOf } from '../../support/shop/client.ts'
import { comeBack, openDurable, plainly, under } from '../../support/shop/open-store.ts'

const TTL_MS = 10_000
const LATE_MS = 30_000
const AGAIN_MS = 60_000
/** After so long a promotion that nobody has fetched ends. */
const UNCLAIMED_MS = 6_000

test('what a replica has only followed is not granted to another while it may be held', async (t) => {
  t.timeout(120_000)
  const bench = await openDurable(t)
  const granting = await openLockReplica(bench)
  const following = await openLockReplica(bench)
  for (const replica of [granting, following]) t.teardown(replica.close)
  const position = await writtenTo(bench.server.dir)
  const held = await granting.ask('PUT', '/locks/bill/leases/l1', { ttl_ms: TTL_MS, owner: 'w-1' })
  t.is(held.status, 201)
  // It has followed the log so far once it is sent what is appended after that.
  const waiting = following.ask('PUT', '/locks/bill/leases/l2', { wait_ms: 100 })
  t.is((await waiting).status, 423)
  await granting.close()
  await comeBack(bench, position)
  const refused = await eventually(async () => {
    const reply = await following.ask('PUT', '/locks/bill/leases/l3')
    assert.notEqual(problemOf(reply).type, 'urn:shop:problem:unavailable')
    return reply
  }, AGAIN_MS)
  t.is(refused.status, 503, refused.text)
  t.is(problemOf(refused).type, 'urn:shop:problem:locks-in-doubt')
  const { in_doubt_for_ms, lost } = (await following.ask('GET', '/locks/-/status')).json as {
    in_doubt_for_ms: number
    lost: readonly { name: string; owner: string; token: number }[]
  }
  t.true(in_doubt_for_ms > 0 && in_doubt_for_ms <= TTL_MS)
  const { token } = held.json as { token: number }
  t.like(lost, [{ name: 'bill', owner: 'w-1', token }])
  const next = await eventually(async () => {
    const reply = await following.ask('PUT', '/locks/bill/leases/l3')
    assert.equal(reply.status, 201)
    return reply
  }, AGAIN_MS)
  t.true((next.json as { token: number }).token > token)
})

test('a watcher that was told what is forgotten is told of the gap, and how the lock stands', async (t) => {
  t.timeout(120_000)
  const bench = await openDurable(t)
  const replica = await openLockReplica(bench)
  t.teardown(replica.close)
  await replica.ask('PUT', '/locks/kept/leases/l1')
  const position = await writtenTo(bench.server.dir)
  const abort = new AbortController()
  t.teardown(() => abort.abort())
  const seen: string[] = []
  // The connection may be ended, so that it comes again: how the lock stands cannot be asked while the Redis is away.
  const locks = lockClient(replica.url)
  const watching = (async () => {
    for await (const { event, data } of locks.watch('bill', { signal: abort.signal }))
      seen.push(`${event} ${data.state ?? ''}`.trim())
  })()
  await eventually(async () => assert.deepEqual(seen, ['state free']), LATE_MS)
  await replica.ask('PUT', '/locks/bill/leases/l1', { ttl_ms: 600_000 })
  await eventually(async () => assert.deepEqual(seen, ['state free', 'granted']), LATE_MS)
  await comeBack(bench, position)
  await eventually(async () => assert.deepEqual(seen, ['state free', 'granted', 'gap', 'state free']), LATE_MS)
  abort.abort()
  await watching
  t.pass()
})

test('what was granted to an earlier request under the same key is not taken to hold', async (t) => {
  const bench = await openDurable(t)
  const once = under('bill')
  t.like(await openLocksOver(bench.dependencies).locks.acquire('bill', 'l1', wish(), once), { lease: 'l1' })
  const { locks, knowledge } = openLocksOver(bench.dependencies)
  t.like(await locks.acquire('bill', 'l2', wish(), once), { lease: 'l1' })
  t.deepEqual(knowledge.since('0-0'), [])
})

for (const [what, isFollowed] of [
  ['followed', true],
  ['returned', false],
] as const)
  test(`what is appended to a Redis that came back older hides nothing that it has forgotten and was ${what}`, async (t) => {
    const bench = await openDurable(t)
    const { log, give } = openStore(bench.dependencies)
    const listeners: Listener[] = []
    const { verbs, stop } = openLockService({
      log,
      follow: (listener) => {
        listeners.push(listener)
        return { start: () => undefined, stop: async () => undefined }
      },
      nextLogId: bench.dependencies.identifiers.next,
      logger: bench.dependencies.logger,
    })
    t.teardown(stop)
    const [listener] = listeners
    assert.ok(listener)
    const follow = async (after: string): Promise<string> => {
      const entries = await log.tail(after, 10)
      listener.onEntries(entries)
      return entries.at(-1)?.[0] ?? after
    }
    listener.onResumed('0-0', '0-0')
    await verbs.acquire('kept', 'l1', wish())
    const kept = await follow('0-0')
    const position = await writtenTo(bench.server.dir)
    t.like(await verbs.acquire('bill', 'l1', wish()), { state: 'held' })
    if (isFollowed) await follow(kept)
    await comeBack(bench, position)
    await give('an-identifier', plainly)
    listener.onResumed(await log.newestId(), kept)
    await follow(kept)
    t.like(await verbs.acquire('bill', 'l2', wish()), { state: 'barred' })
    t.deepEqual(
      (await verbs.count()).lost.map(({ lock }) => lock),
      ['bill'],
    )
  })

test('a promotion that a client was told of is not granted to another, though the Redis forgets that it was fetched', async (t) => {
  const bench = await openDurable(t)
  const { locks, knowledge } = openLocksOver(bench.dependencies)
  knowledge.reset('')
  await locks.acquire('bill', 'l1', wish())
  await locks.acquire('bill', 'l2', wish({ queue: true }))
  await locks.release('bill', 'l1')
  const position = await writtenTo(bench.server.dir)
  t.like(await locks.ask('bill', 'l2'), { state: 'held' })
  await comeBack(bench, position)
  await elapse(bench.redis, UNCLAIMED_MS)
  t.like(await locks.acquire('bill', 'l3', wish()), { state: 'barred' })
})
