import test from 'ava'
import { type Configuration, inNameOf } from '../../../ids/lock/verbs.ts'
import { invalidReason } from '../../../shared/contract/dictionary.ts'
import { elapse, openLocksOver, wish } from '../../support/locks.ts'
import { openBench, resultsSeen, saidIn, under } from '../../support/shop/open-store.ts'

const bench = await openBench()
const { log, locks, knowledge, lost } = openLocksOver(bench.dependencies, {
  lock_waiters: 3,
  locks_max: 4,
  locks_forgotten: 1,
})
const results = resultsSeen(log, {}, 'lock')

test.serial.beforeEach(async () => {
  await bench.redis.flushall()
  knowledge.reset('')
  lost.splice(0)
})
test.serial.afterEach.always('every entry can be applied by a subscriber', async (t) => {
  for (const [id, fields] of await bench.redis.xrange('log:ids', '-', '+'))
    t.is(invalidReason('ids', [id, fields]), undefined)
})
test.after.always(async () => bench[Symbol.asyncDispose]())

const kinds = async () => (await saidIn(log)).map(({ kind }) => kind)
const states = async (name: string, ...leases: string[]) =>
  Promise.all(
    leases.map(async (lease) => {
      const found = await locks.ask(name, lease)
      return found.state === 'ended' ? found.ended : found.state
    }),
  )

test.serial('a free lock is held at once, and the same request again gives the same lease', async (t) => {
  const first = await locks.acquire('a/b ü', 'l1', wish({ owner: 'wörker 7', metadata: { at: 'http://x', é: '\n' } }))
  if (first.state !== 'held') return t.fail(first.state)
  t.true(first.isNew)
  t.is(first.owner, 'wörker 7')
  t.deepEqual(first.metadata, { at: 'http://x', é: '\n' })
  t.true(first.expiresInMs > 29_000 && first.expiresInMs <= 30_000)
  const again = await locks.acquire('a/b ü', 'l1', wish({ owner: 'wörker 7', metadata: { at: 'http://x', é: '\n' } }))
  t.deepEqual(again, { ...first, isNew: false, expiresInMs: again.state === 'held' ? again.expiresInMs : 0 })
  t.deepEqual(await kinds(), ['LockGranted'])
  t.is((await locks.show('a/b ü', true)).name, 'a/b ü')
})

test.serial('what a program has done says so, and what becomes of others by it does not', async (t) => {
  const by = (doneBy: string) => inNameOf({ doneBy })
  await locks.configure('a', { limit: undefined, write: 'exclusive', delayMs: 5 }, 'log1', by('operator:root'))
  await locks.acquire('a', 'l1', wish(), by('merchant:one'))
  await locks.acquire('a', 'l2', wish({ queue: true }), by('merchant:two'))
  await locks.acquire('a', 'l3', wish({ queue: true }), by('merchant:three'))
  await locks.release('a', 'l1', by('merchant:one'))
  await elapse(bench.redis, 60_000)
  await locks.acquire('a', 'l4', wish(), by('merchant:four'))
  t.deepEqual(
    (await saidIn(log)).map(({ kind, facts }) => [kind, facts.done_by]),
    [
      ['LockConfigured', 'operator:root'],
      ['LockGranted', 'merchant:one'],
      ['LockQueued', 'merchant:two'],
      ['LockQueued', 'merchant:three'],
      ['LockReleased', 'merchant:one'],
      ['LockGranted', undefined],
      ['LockExpired', undefined],
      ['LockWaitEnded', undefined],
      ['LockGranted', 'merchant:four'],
    ],
  )
})

test.serial('a lease id is not used for another request', async (t) => {
  await locks.acquire('a', 'l1', wish())
  t.deepEqual(await locks.acquire('a', 'l1', wish({ ttlMs: 1_000 })), { state: 'reused' })
  t.like(await locks.acquire('a', 'l1', wish({ waitMs: 5_000 })), { state: 'held' })
})

test.serial('who does not wait is refused, and nothing is written', async (t) => {
  await locks.acquire('a', 'l1', wish())
  const entries = await kinds()
  const refused = await locks.acquire('a', 'l2', wish())
  t.like(refused, { state: 'locked', why: 'held', waiting: 0 })
  t.true('restMs' in refused && refused.restMs > 29_000)
  t.deepEqual(await kinds(), entries)
  t.deepEqual(await states('a', 'l2'), ['unknown'])
})

test.serial('who is refused is told when the first that holds ends, whoever waits', async (t) => {
  const restMs = async (name: string): Promise<number> => {
    const refused = await locks.acquire(name, 'late', wish())
    return 'restMs' in refused ? refused.restMs : t.fail(refused.state)
  }
  await locks.acquire('a', 'l1', wish({ ttlMs: 60_000 }))
  await locks.acquire('a', 'l2', wish({ waitMs: 1_000 }))
  const rest = await restMs('a')
  t.true(rest > 59_000, `${rest}`)
  await locks.acquire('b', 'r1', wish({ mode: 'read', ttlMs: 60_000 }))
  await locks.acquire('b', 'r2', wish({ mode: 'read', ttlMs: 40_000 }))
  await locks.acquire('b', 'w', wish({ queue: true }))
  const shared = await restMs('b')
  t.true(shared > 39_000 && shared <= 40_000, `${shared}`)
})

test.serial('who waits gets it in its turn, by priority, then arrival', async (t) => {
  await locks.acquire('a', 'l1', wish())
  t.like(await locks.acquire('a', 'l2', wish({ queue: true })), { state: 'waiting', position: 1, ahead: 1 })
  t.like(await locks.acquire('a', 'l3', wish({ queue: true })), { state: 'waiting', position: 2, ahead: 2 })
  t.like(await locks.acquire('a', 'l4', wish({ queue: true, priority: 1 })), { state: 'waiting', position: 1 })
  const tokens: number[] = []
  for (const lease of ['l1', 'l4', 'l2', 'l3']) {
    const held = await locks.ask('a', lease)
    if (held.state !== 'held') return t.fail(`${lease} is ${held.state}`)
    tokens.push(held.token)
    t.like(await locks.release('a', lease), { ended: 'released', promoted: lease !== 'l3' })
  }
  t.deepEqual(
    tokens,
    tokens.toSorted((a, b) => a - b),
  )
})

test.serial('readers share, and one that arrives behind a waiting writer waits', async (t) => {
  await locks.acquire('a', 'r1', wish({ mode: 'read' }))
  t.like(await locks.acquire('a', 'r2', wish({ mode: 'read' })), { state: 'held' })
  await locks.acquire('a', 'w1', wish({ queue: true }))
  t.like(await locks.acquire('a', 'r3', wish({ mode: 'read' })), { state: 'locked' })
  t.like(await locks.acquire('a', 'r4', wish({ mode: 'read', queue: true })), { state: 'waiting', position: 2 })
  t.like(await locks.acquire('a', 'r5', wish({ mode: 'read', priority: 1 })), { state: 'held' })
  for (const lease of ['r1', 'r2', 'r5']) await locks.release('a', lease)
  t.deepEqual(await states('a', 'w1', 'r4'), ['held', 'waiting'])
})

test.serial('a holder steps down to reading, and lets readers in', async (t) => {
  await locks.acquire('a', 'w', wish())
  await locks.acquire('a', 'r', wish({ mode: 'read', queue: true }))
  t.like(await locks.renew('a', 'w', { mode: 'read' }), { state: 'held', mode: 'read' })
  t.like(await locks.renew('a', 'w', { mode: 'read' }), { state: 'held', mode: 'read' })
  t.deepEqual(await states('a', 'r'), ['held'])
  await locks.acquire('b', 'x', wish({ mode: 'write-shared' }))
  t.deepEqual(await locks.renew('b', 'x', { mode: 'read' }), { state: 'not-exclusive' })
})

test.serial('permits of all do not exceed the limit', async (t) => {
  const permits = (count: number, limit?: number) => wish({ mode: 'permit', permits: count, limit })
  t.deepEqual(await locks.acquire('a', 'l0', permits(1)), { state: 'unlimited' })
  t.deepEqual(await locks.acquire('a', 'l0', permits(5, 4)), { state: 'over-limit', limit: 4 })
  t.like(await locks.acquire('a', 'l1', permits(3, 4)), { state: 'held' })
  t.like(await locks.acquire('a', 'l2', permits(2)), { state: 'locked' })
  t.like(await locks.acquire('a', 'l2', permits(1)), { state: 'held' })
  t.deepEqual(await locks.acquire('a', 'l3', permits(1, 9)), { state: 'configured', what: 'limit', as: '4' })
  t.like(await locks.acquire('a', 'l4', { ...permits(2), queue: true }), { state: 'waiting' })
  await locks.release('a', 'l2')
  t.deepEqual(await states('a', 'l4'), ['waiting'])
  await locks.release('a', 'l1')
  t.deepEqual(await states('a', 'l4'), ['held'])
})

test.serial('a limit that is not configured is forgotten once nobody holds or waits with permits', async (t) => {
  const permits = (limit: number, wanted = {}) => wish({ mode: 'permit', limit, queue: true, ...wanted })
  await locks.acquire('a', 'l1', wish())
  await locks.acquire('a', 'b1', permits(3))
  await locks.acquire('a', 'b2', permits(3))
  t.deepEqual(await locks.acquire('a', 'c', permits(5)), { state: 'configured', what: 'limit', as: '3' })
  await locks.release('a', 'b1')
  t.like(await locks.show('a', false), { limit: 3 }, 'one still waits')
  await locks.release('a', 'b2')
  t.like(await locks.show('a', false), { limit: null })
  t.like(await locks.acquire('a', 'c', permits(5, { waitMs: 1_000, queue: false })), { state: 'waiting' })
  t.like(await locks.show('a', false), { limit: 5 })
  await elapse(bench.redis, 1_000, 'a')
  t.like(await locks.show('a', false), { limit: null }, 'by time, too')
  await locks.configure('b', { limit: 2, write: undefined, delayMs: 0 }, 'log1')
  await locks.acquire('b', 'l1', wish())
  await locks.acquire('b', 'b1', permits(2))
  await locks.release('b', 'b1')
  t.like(await locks.show('b', false), { limit: 2 }, 'one that is configured stays')
})

test.serial('a lock is configured, but not while it is in use otherwise', async (t) => {
  const config = { limit: undefined, write: 'shared', delayMs: 0 } as const
  t.deepEqual(await locks.configure('a', config, 'log1'), { state: 'configured', isNew: true })
  t.deepEqual(await locks.configure('a', config, 'log2'), { state: 'configured', isNew: false })
  t.deepEqual(await kinds(), ['LockConfigured'])
  t.deepEqual(await locks.acquire('a', 'l1', wish()), { state: 'configured', what: 'write', as: 'shared' })
  t.like(await locks.acquire('a', 'l1', wish({ mode: 'write-shared' })), { state: 'held' })
  t.deepEqual(await locks.configure('a', { ...config, write: 'exclusive' }, 'log3'), { state: 'in-use' })
  t.like(await locks.show('a', false), { write: 'shared', mode: 'write-shared' })
})

test.serial('a lease ends by time, and the next gets the lock', async (t) => {
  await locks.acquire('a', 'l1', wish({ ttlMs: 5_000 }))
  await locks.acquire('a', 'l2', wish({ waitMs: 60_000 }))
  await elapse(bench.redis, 5_000)
  t.is(typeof (await locks.tick()), 'number')
  t.deepEqual(await states('a', 'l1', 'l2'), ['expired', 'held'])
  t.like(await locks.release('a', 'l1'), { ended: 'expired', promoted: false })
  t.deepEqual(await locks.renew('a', 'l3', {}), { state: 'unknown' })
  t.like(await locks.renew('a', 'l1', {}), { state: 'ended', ended: 'expired' })
})

test.serial('under a key a lease is renewed once, and then it is told how it stands', async (t) => {
  const renew = (key: string) => locks.renew('a', 'l1', { ttlMs: 2_000 }, under(key))
  await locks.acquire('a', 'l1', wish())
  t.like(await renew('k'), { state: 'held', ttlMs: 2_000 })
  await elapse(bench.redis, 1_000)
  const again = await renew('k')
  t.true(again.state === 'held' && again.expiresInMs <= 1_000, 'it holds no longer than it does')
  await elapse(bench.redis, 1_000)
  t.like(await locks.acquire('a', 'l2', wish()), { state: 'held' })
  t.like(await renew('k'), { state: 'ended', ended: 'expired' })
  await locks.acquire('a', 'l3', wish({ queue: true }))
  const raise = () => locks.renew('a', 'l3', { priority: 5 }, under('w'))
  t.like(await raise(), { state: 'waiting', priority: 5 })
  await locks.release('a', 'l2')
  t.like(await raise(), { state: 'held' })
})

test.serial('renewal lets a lease end later', async (t) => {
  await locks.acquire('a', 'l1', wish({ ttlMs: 5_000 }))
  await elapse(bench.redis, 4_000)
  t.like(await locks.renew('a', 'l1', { metadata: { step: '2' } }), { state: 'held', metadata: { step: '2' } })
  await elapse(bench.redis, 4_000)
  t.deepEqual(await states('a', 'l1'), ['held'])
  await elapse(bench.redis, 4_000)
  t.deepEqual(await states('a', 'l1'), ['expired'])
})

test.serial('what is promoted and not asked for ends unclaimed, and so does what waits unattended', async (t) => {
  await locks.acquire('a', 'l1', wish())
  await locks.acquire('a', 'l2', wish({ queue: true }))
  await locks.acquire('a', 'l3', wish({ queue: true }))
  await locks.acquire('a', 'l4', wish({ queue: true }))
  await elapse(bench.redis, 9_000)
  t.deepEqual(await locks.attend(['a/l2', 'a/l3', 'a/l9']), ['a/l9'])
  await locks.release('a', 'l1')
  await elapse(bench.redis, 5_000)
  t.deepEqual(await states('a', 'l2', 'l3', 'l4'), ['unclaimed', 'held', 'unclaimed'])
})

test.serial('a wait that is over ends so, and is refused again as often as it is asked for', async (t) => {
  await locks.acquire('a', 'l1', wish())
  await locks.acquire('a', 'l2', wish({ waitMs: 1_000 }))
  await elapse(bench.redis, 1_000)
  t.deepEqual(await states('a', 'l2'), ['timed-out'])
  const refused = await locks.acquire('a', 'l2', wish({ waitMs: 1_000 }))
  t.like(refused, { state: 'locked', why: 'held' })
  t.true('restMs' in refused && refused.restMs > 28_000, 'when the one that holds ends')
})

test.serial('what is cancelled before it is asked for gets nothing', async (t) => {
  t.like(await locks.release('a', 'l1'), { ended: 'cancelled', promoted: false })
  t.like(await locks.release('a', 'l1'), { ended: 'cancelled', promoted: false })
  t.like(await locks.acquire('a', 'l1', wish()), { state: 'ended', ended: 'cancelled' })
  t.like(await locks.show('a', true), { holders: [], token: 0, history: [] })
})

test.serial('one that waits changes its priority, and may get the lock by that', async (t) => {
  await locks.acquire('a', 'r1', wish({ mode: 'read' }))
  await locks.acquire('a', 'w', wish({ queue: true }))
  await locks.acquire('a', 'r2', wish({ mode: 'read', queue: true }))
  t.like(await locks.renew('a', 'w', { metadata: { a: 'b' } }), { state: 'waiting', position: 1, metadata: { a: 'b' } })
  t.like(await locks.renew('a', 'r2', { priority: 5 }), { state: 'held' })
})

test.serial('force ends what holds, by token if it says so, and delays the lock', async (t) => {
  const held = await locks.acquire('a', 'l1', wish({ delayMs: 7_000 }))
  const token = held.state === 'held' ? held.token : 0
  await locks.acquire('a', 'l2', wish({ queue: true }))
  t.deepEqual(await locks.force('a', { token: token + 1, waiters: true }), { state: 'ended', newest: token })
  const forced = await locks.force('a', { token, waiters: false })
  t.deepEqual(forced, { state: 'forced', tokens: [token], promoted: [], dropped: 0 })
  t.deepEqual(await states('a', 'l1', 'l2'), ['forced', 'waiting'])
  t.like(await locks.acquire('a', 'l3', wish()), { state: 'locked' })
  await elapse(bench.redis, 7_000)
  await locks.tick()
  t.deepEqual(await states('a', 'l2'), ['held'])
  t.like(await locks.force('a', { token: undefined, waiters: true }), { state: 'forced', promoted: [] })
})

test.serial('a delayed lock says when it is free again', async (t) => {
  await locks.acquire('a', 'l1', wish({ delayMs: 7_000 }))
  await locks.force('a', { token: undefined, waiters: false })
  t.like(await locks.acquire('a', 'l2', wish()), { state: 'locked', why: 'delayed' })
  await locks.acquire('a', 'l3', wish({ waitMs: 1_000 }))
  const refused = await locks.acquire('a', 'l4', wish())
  t.like(refused, { state: 'locked', why: 'delayed', waiting: 1 }, 'also while somebody waits')
  t.true('restMs' in refused && refused.restMs > 6_000 && refused.restMs <= 7_000)
  await locks.release('a', 'l3')
  const { delayedForMs, history } = await locks.show('a', false)
  t.true(delayedForMs > 6_000)
  t.deepEqual(
    history.map(({ event }) => event),
    ['granted', 'forced', 'waiting', 'cancelled'],
  )
})

test.serial('a token tells whether its lease still holds', async (t) => {
  const held = await locks.acquire('a', 'l1', wish({ owner: 'w' }))
  const token = held.state === 'held' ? held.token : 0
  t.like(await locks.checkToken('a', token), { state: 'holds', mode: 'exclusive', owner: 'w' })
  await locks.release('a', 'l1')
  t.deepEqual(await locks.checkToken('a', token), { state: 'ended', newest: token })
})

test.serial('an idle lock is forgotten after a while, its token is not', async (t) => {
  const held = await locks.acquire('a', 'l1', wish())
  const token = held.state === 'held' ? held.token : 0
  await locks.release('a', 'l1')
  await bench.redis.hset('locks:state', 'floor', '0')
  const record = (await bench.redis.get('lock-record:a')) ?? ''
  await bench.redis.set('lock-record:a', record.replace(`${token}`, `${token + 1_000_000_000_000}`))
  await elapse(bench.redis, 60_000)
  await locks.tick()
  t.deepEqual(
    (await bench.redis.keys('lock*')).filter((key) => !key.startsWith('lock-lease:')),
    ['locks:state'],
  )
  const next = await locks.acquire('a', 'l2', wish())
  t.true(next.state === 'held' && next.token > token + 1_000_000_000_000)
})

test.serial(
  'to make room, those that are idle for longest are forgotten, some at once, their tokens are not',
  async (t) => {
    const few = openLocksOver(bench.dependencies, { locks_max: 4, locks_forgotten: 2 })
    let token = 0
    for (const name of ['a', 'b', 'c', 'd']) {
      const held = await few.locks.acquire(name, 'l1', wish())
      if (held.state === 'held') token = held.token
      await few.locks.release(name, 'l1')
      await elapse(bench.redis, 1_000)
    }
    const record = (await bench.redis.get('lock-record:a')) ?? ''
    await bench.redis.set('lock-record:a', record.replace(/^\d+/, `${token + 500_000}`))
    const held = await few.locks.acquire('e', 'l1', wish())
    t.deepEqual(await bench.redis.zrange('locks', '0', '-1'), ['c', 'd', 'e'])
    t.true(held.state === 'held' && held.token === token + 500_001, JSON.stringify(held))
  },
)

test.serial('locks that are idle for long are forgotten one tick after the other, however many they are', async (t) => {
  const ready = openLocksOver(bench.dependencies, { lock_idle_ms: 0 })
  for (let at = 0; at < 50; at += 1) {
    await ready.locks.acquire(`once-${at}`, 'l', wish())
    await ready.locks.release(`once-${at}`, 'l')
  }
  t.is(await ready.locks.tick(), 0, 'there is more to do')
  await ready.locks.tick()
  t.is(await ready.locks.tick(), undefined)
  t.deepEqual(await bench.redis.keys('lock-record:*'), [])
  t.is(await bench.redis.zcard('locks'), 0)
})

/**
 * A record as it was in MessagePack: with the lease that alone holds; when that had a key of its own (ARGV: `apart`); and when it
 * stood in the sorted set, too (`in the set`).
 */
const IN_MESSAGE_PACK = `
local words = {}
for word in string.gmatch(redis.call('GET', KEYS[1]), '(%Z*)%z') do
  words[#words + 1] = word
end
local lease, record = {}, { mode = words[2], count = 1, used = 1, sole = words[15], history = { words[17] } }
for at, field in ipairs({ 'state', 'request', 'mode', 'permits', 'ttl', 'priority', 'owner', 'metadata', 'delay', 'token', 'acquired', 'expires',
  'claimed' }) do
  lease[field] = words[17 + at]
end
lease.id, record.lease = record.sole, lease
record.token, record.due, record.sole_end = tonumber(words[1]), tonumber(words[14]), tonumber(words[16])
if ARGV[1] ~= 'with the lease' then
  redis.call('SET', KEYS[2], cmsgpack.pack(lease))
  record.lease = nil
end
if ARGV[1] == 'in the set' then
  redis.call('ZADD', KEYS[3], record.sole_end, record.sole)
  record.sole, record.sole_end = nil, nil
end
redis.call('SET', KEYS[1], cmsgpack.pack(record))`

/** How often each command of this Redis was called since it was asked last, scripts not counted. */
const callsSince = async (): Promise<ReadonlyMap<string, number>> => {
  const told = await bench.redis.info('commandstats')
  await bench.redis.config('RESETSTAT')
  const found = [...told.matchAll(/^cmdstat_([a-z]+):calls=(\d+)/gm)]
  return new Map(found.map(([, name = '', calls]) => [name, Number(calls)]))
}

test.serial(
  'a lock costs two reads, a write and an entry to get, one write more to release, and all of a batch one index',
  async (t) => {
    const batch = ['a', 'b', 'c', 'd']
    await Promise.all(batch.map((name) => locks.acquire(name, 'l1', wish())))
    await callsSince()
    await Promise.all(batch.map((name) => locks.release(name, 'l1')))
    await Promise.all(batch.map((name) => locks.acquire(name, 'l2', wish())))
    const calls = await callsSince()
    t.is(calls.get('evalsha'), 2)
    t.is(calls.get('get'), 8)
    t.is(calls.get('exists'), 4)
    t.is(calls.get('set'), 12)
    t.is(calls.get('xadd'), 8)
    t.true((calls.get('zadd') ?? 0) + (calls.get('zrem') ?? 0) <= 4, JSON.stringify([...calls]))
  },
)

test.serial('a lock has its last eight entries at hand', async (t) => {
  for (const lease of ['l1', 'l2', 'l3', 'l4', 'l5']) {
    await locks.acquire('a', lease, wish({ owner: lease }))
    await locks.release('a', lease)
  }
  const { history } = await locks.show('a', false)
  t.deepEqual(
    history.map(({ event, owner }) => `${event} ${owner}`),
    ['l2', 'l3', 'l4', 'l5'].flatMap((owner) => [`granted ${owner}`, `released ${owner}`]),
  )
})

test.serial('whatever is done to leases at one moment is one script', async (t) => {
  await Promise.all(['a', 'b'].map((name) => locks.acquire(name, 'l1', wish())))
  await callsSince()
  const found = await Promise.all([
    locks.release('a', 'l1'),
    locks.acquire('c', 'l1', wish()),
    locks.renew('b', 'l1', { ttlMs: 60_000 }),
    locks.ask('b', 'l1'),
  ])
  t.is((await callsSince()).get('evalsha'), 1)
  t.like(found, [{ ended: 'released' }, { isNew: true }, { ttlMs: 60_000 }, { ttlMs: 60_000 }])
})

test.serial('one that fails midway leaves the others of its script whole, and the indexes of all locks', async (t) => {
  const { redis } = bench
  for (const name of ['idle', 'left', 'broken']) await locks.acquire(name, 'l1', wish())
  await locks.release('idle', 'l1')
  await redis.set('lock-ends:broken', 'no sorted set')
  await callsSince()
  const [released, failed, acquired, late, again] = await Promise.allSettled([
    locks.release('left', 'l1'),
    locks.acquire('broken', 'l2', wish({ queue: true })),
    locks.acquire('new', 'l1', wish()),
    locks.acquire('broken', 'l3', wish({ queue: true, priority: 1 })),
    locks.acquire('newer', 'l1', wish()),
  ])
  t.is((await callsSince()).get('evalsha'), 1)
  t.deepEqual([failed.status, late.status], ['rejected', 'rejected'])
  t.like(
    [released, acquired, again],
    [{ value: { ended: 'released' } }, { value: { isNew: true } }, { value: { isNew: true } }],
  )
  t.deepEqual(
    await redis.zrange('locks', '0', '-1'),
    ['broken', 'left', 'new', 'newer'],
    'one that is idle has given way',
  )
  t.deepEqual((await redis.zrange('locks:due', '0', '-1')).toSorted(), ['broken', 'new', 'newer'])
  t.deepEqual(await redis.zrange('locks:free', '0', '-1'), ['left'])
  await redis.del('lock-ends:broken')
  t.like(await locks.release('broken', 'l1'), { ended: 'released' })
  t.like(await locks.acquire('broken', 'l4', wish()), { state: 'held' })
})

for (const where of ['with the lease', 'apart', 'in the set'])
  test.serial(
    `one that alone holds, as a version before has recorded it (${where}), expires, is renewed and is released`,
    async (t) => {
      const { redis } = bench
      for (const name of ['a', 'b']) {
        await locks.acquire(name, 'l1', wish())
        const keys = [`lock-record:${name}`, `lock-lease:l1:${name}`, `lock-ends:${name}`]
        if (name === 'b') await elapse(redis, 30_001, name)
        await redis.eval(IN_MESSAGE_PACK, keys.length, ...keys, where)
      }
      t.is((await locks.renew('a', 'l1', { ttlMs: 60_000 })).state, 'held')
      t.is((await locks.show('a', true)).holders.length, 1)
      t.is((await locks.release('a', 'l1')).state, 'ended')
      t.is(await redis.exists('lock-ends:a'), 0)
      t.deepEqual(await states('b', 'l1'), ['expired'])
      t.is(await redis.exists('lock-ends:b'), 0)
    },
  )

test.serial('a turn costs as many commands, however many wait', async (t) => {
  const { locks: roomy } = openLocksOver(bench.dependencies)
  const callsOfTurn = async (name: string, waiting: number): Promise<number> => {
    const leases = Array.from({ length: waiting }, (_, at) => `w${at}`)
    await roomy.acquire(name, 'first', wish())
    await Promise.all(leases.map((lease) => roomy.acquire(name, lease, wish({ queue: true }))))
    await callsSince()
    let holder = 'first'
    for (const lease of leases) {
      await roomy.release(name, holder)
      t.is((await roomy.ask(name, lease)).state, 'held')
      holder = lease
    }
    return [...(await callsSince()).values()].reduce((sum, calls) => sum + calls, 0) / waiting
  }
  const [few, many] = [await callsOfTurn('a', 20), await callsOfTurn('b', 200)]
  t.true(Math.abs(many - few) < 1, `${few} and ${many}`)
})

test.serial('what a version before has recorded, in hashes, is read', async (t) => {
  const { redis } = bench
  const now = Date.now()
  const lease = {
    request: '',
    mode: 'exclusive',
    permits: 1,
    ttl: 60_000,
    owner: 'w',
    metadata: '{"a":"b c"}',
    delay: 0,
    priority: 0,
  }
  const entry = await redis.xadd(
    'log:ids',
    '*',
    'LockQueued',
    'version=1 log_id=l2 lock=old mode=exclusive owner=w permits=1 priority=0',
  )
  await redis.hset('lock-record:old', {
    ...{
      token: 7,
      mode: 'exclusive',
      count: 1,
      used: 1,
      waiting: 1,
      limit: '',
      fixed: '',
      write: 'exclusive',
      delay: 0,
    },
    ...{ delayed: 0, arrivals: 1, mean: 0, made: now - 5_000, history: `1-0 ${entry}` },
  })
  const held = { state: 'held', token: 7, acquired: now, expires: now + 60_000, claimed: 1 }
  await redis.hset('lock-lease:l1:old', { ...lease, ...held })
  await redis.hset('lock-lease:l2:old', { ...lease, state: 'waiting', arrival: 1, until: '', since: now })
  await redis.hset('lock-lease:l0:old', { state: 'ended', ended: 'expired', at: now, request: '' })
  await redis.zadd('lock-ends:old', now + 60_000, 'l1', now + 10_000, 'l2')
  await redis.zadd('lock-queue:old', 1_000 * 2 ** 42 + 1, 'l2')
  await redis.zadd('locks', 0, 'old')
  await redis.zadd('locks:due', now + 10_000, 'old')
  const shown = await locks.show('old', true)
  t.like(shown, { token: 7, waiterCount: 1, write: 'exclusive', madeAtMs: now - 5_000 })
  t.like(shown.holders, [{ owner: 'w', token: 7, metadata: { a: 'b c' } }])
  t.like(shown.waiters, [{ owner: 'w', sinceMs: now }])
  t.like(shown.history, [{ event: 'waiting' }])
  t.deepEqual(await states('old', 'l0', 'l1', 'l2'), ['expired', 'held', 'waiting'])
  t.like(await locks.release('old', 'l1'), { ended: 'released', promoted: true })
  t.deepEqual(await states('old', 'l0', 'l1', 'l2'), ['expired', 'released', 'held'])
  t.like((await locks.show('old', true)).history, [{ event: 'waiting' }, { event: 'released' }, { event: 'granted' }])
})

test.serial('locks are listed by name, page after page', async (t) => {
  for (const name of ['order:2', 'order:1', 'b/c', 'a']) await locks.acquire(name, 'l1', wish())
  const names = async (after: string) => (await locks.list(after, 2, false)).map(({ name }) => name)
  t.deepEqual(await names(''), ['a', 'b/c'])
  t.deepEqual(await names('b/c'), ['order:1', 'order:2'])
  t.like(await locks.count(), { locks: 4, inUse: 4, barredForMs: 0, lost: [] })
})

test.serial('as many wait for a lock as may, and no more', async (t) => {
  for (const lease of ['l1', 'l2', 'l3', 'l4']) await locks.acquire('a', lease, wish({ queue: true }))
  t.like(await locks.acquire('a', 'l5', wish({ queue: true })), { state: 'full' })
})

test.serial('there are as many locks as may be, and idle ones give way', async (t) => {
  for (const name of ['a', 'b', 'c', 'd']) await locks.acquire(name, 'l1', wish())
  t.deepEqual(await locks.acquire('e', 'l1', wish()), { state: 'too-many' })
  const config = { limit: 3, write: undefined, delayMs: 0 }
  t.deepEqual(await locks.configure('e', config, 'log1'), { state: 'too-many' })
  await locks.release('b', 'l1')
  t.like(await locks.acquire('e', 'l1', wish()), { state: 'held' })
  t.like(await locks.count(), { locks: 4, inUse: 4 })
})

test.serial('half of the room at most is for locks that are configured and idle', async (t) => {
  const configure = (name: string, wanted: Partial<Configuration> = {}) =>
    locks.configure(name, { limit: 3, write: undefined, delayMs: 0, ...wanted }, 'log1')
  await locks.acquire('free', 'l1', wish())
  await locks.release('free', 'l1')
  t.like(await configure('a'), { state: 'configured', isNew: true })
  t.like(await Promise.all([configure('b'), configure('c')]), [{ isNew: true }, { state: 'too-many' }], 'of one script')
  t.like(await configure('a', { limit: 5 }), { state: 'configured' }, 'it was configured before')
  t.like(await configure('d', { limit: undefined }), { state: 'configured', isNew: false }, 'to be as any')
  for (const name of ['e', 'f']) t.like(await locks.acquire(name, 'l1', wish()), { state: 'held' }, name)
  t.deepEqual(await configure('e', { limit: undefined, delayMs: 5 }), { state: 'too-many' }, 'it is in use')
  t.like(await locks.acquire('a', 'l1', wish()), { state: 'held' })
  await locks.release('e', 'l1')
  t.like(await configure('g'), { state: 'configured', isNew: true }, 'one of them is in use')
})

test.serial('a lock that is still delayed gives way to none', async (t) => {
  for (const name of ['a', 'b', 'c', 'd']) await locks.acquire(name, 'l1', wish({ delayMs: 7_000 }))
  await locks.force('b', { token: undefined, waiters: false })
  t.deepEqual(await locks.acquire('e', 'l1', wish()), { state: 'too-many' })
  t.like(await locks.acquire('b', 'l2', wish()), { state: 'locked', why: 'delayed' })
  await elapse(bench.redis, 7_000)
  t.like(await locks.acquire('e', 'l1', wish()), { state: 'held' })
})

test.serial('a lock that is configured to be as any leaves nothing behind', async (t) => {
  const config = { limit: undefined, write: undefined, delayMs: 0 }
  for (const logId of ['log1', 'log2'])
    t.deepEqual(await locks.configure('a', config, logId), { state: 'configured', isNew: false })
  t.deepEqual(await bench.redis.keys('lock*'), [])
})

/** The Redis forgets its newest entries, and what else they said is not looked at. */
const forget = async (count: number): Promise<void> => {
  for (const [id] of await bench.redis.xrevrange('log:ids', '+', '-', 'COUNT', count)) {
    await bench.redis.xdel('log:ids', id)
  }
}

test.serial('a Redis that came back older grants nothing until the longest forgotten lease has ended', async (t) => {
  await locks.acquire('kept', 'l1', wish({ ttlMs: 600_000 }))
  const short = await locks.acquire('a', 'l1', wish({ ttlMs: 20_000, owner: 'w' }))
  await locks.acquire('b', 'l1', wish({ ttlMs: 3_000 }))
  const token = short.state === 'held' ? short.token : 0
  await forget(2)
  await bench.redis.del(
    'lock-record:a',
    'lock-record:b',
    'lock-ends:a',
    'lock-ends:b',
    'lock-lease:l1:a',
    'lock-lease:l1:b',
  )
  await bench.redis.zrem('locks', 'a', 'b')
  await bench.redis.zrem('locks:due', 'a', 'b')
  const barred = await locks.acquire('a', 'l2', wish())
  t.true(barred.state === 'barred' && barred.restMs > 19_000 && barred.restMs <= 20_000, JSON.stringify(barred))
  t.deepEqual(
    lost.map(({ lock }) => lock),
    ['a', 'b'],
  )
  t.like((await locks.count()).lost[0], { lock: 'a', token, owner: 'w' })
  t.like(await locks.acquire('kept', 'l2', wish()), { state: 'barred' })
  t.deepEqual(await states('kept', 'l1'), ['held'], 'what it has kept goes on')
  const { barred: until } = await bench.redis.hgetall('locks:state')
  await bench.redis.hset('locks:state', 'barred', Number(until) - 20_000)
  const next = await locks.acquire('a', 'l2', wish())
  t.true(next.state === 'held' && next.token > token)
})

test.serial('what a client was told that it holds is known, whoever granted it', async (t) => {
  const known = () => knowledge.since('0-0').map(({ lock, lease, untilMs }) => [lock, lease, untilMs])
  await locks.acquire('a', 'l1', wish())
  for (const lease of ['l2', 'l3']) await locks.acquire('a', lease, wish({ queue: true, owner: 'w' }))
  for (const [lease, next, ask] of [
    ['l1', 'l2', () => locks.ask('a', 'l2')],
    ['l2', 'l3', () => locks.acquire('a', 'l3', wish({ queue: true, owner: 'w' }))],
  ] as const) {
    await locks.release('a', lease)
    const told = await ask()
    const until = told.state === 'held' ? told.acquiredAtMs + told.ttlMs : 0
    t.deepEqual(known().at(-1), ['a', next, until])
  }
  t.is((await locks.ask('a', 'l3')).state, 'held', 'this Redis is not older')
})

test.serial('a Redis that came back older grants nothing for a while, whatever this replica knows', async (t) => {
  await locks.acquire('a', 'l1', wish({ ttlMs: 100 }))
  await forget(1)
  const barred = await locks.acquire('b', 'l1', wish())
  t.true(barred.state === 'barred' && barred.restMs > 1_000 && barred.restMs <= 2_000, JSON.stringify(barred))
})

test.serial('each verb notices that the Redis came back older', async (t) => {
  const verbs: Readonly<Record<string, () => Promise<unknown>>> = {
    ask: () => locks.ask('a', 'l1'),
    renew: () => locks.renew('a', 'l1', {}),
    release: () => locks.release('a', 'l1'),
    force: () => locks.force('a', { token: undefined, waiters: false }),
    configure: () => locks.configure('b', { limit: 2, write: undefined, delayMs: 0 }, 'log1'),
    show: () => locks.show('a', false),
    checkToken: () => locks.checkToken('a', 1),
    tick: () => locks.tick(),
  }
  for (const [name, verb] of Object.entries(verbs)) {
    await bench.redis.flushall()
    knowledge.reset('')
    await locks.acquire('a', 'l1', wish())
    await forget(1)
    lost.splice(0)
    await verb()
    t.is(lost.length, 1, name)
  }
})

test.serial('every result that a command promises was returned by now, and no other', async (t) => {
  t.deepEqual(results.unseen(), [])
  await t.notThrowsAsync(log.count())
})
