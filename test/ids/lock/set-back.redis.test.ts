/** The clock of ids' Redis was set back: whatever holds or waits ends about when it would have, and never before. */
import test from 'ava'
import { elapse, openLocksOver, wish } from '../../support/locks.ts'
import { openBench } from '../../support/shop/open-store.ts'

const HOUR_MS = 3_600_000
const TTL_MS = 5_000
/** More locks than one script looks at. */
const MANY = 250

const bench = await openBench()
// Each one that begins listens to it.
bench.redis.setMaxListeners(30)
/** One that began before the clock was set back. */
const { locks, knowledge } = openLocksOver(bench.dependencies)
test.serial.beforeEach(async () => {
  await bench.redis.flushall()
  knowledge.reset('')
})
test.after.always(() => bench[Symbol.asyncDispose]())

/** Sets all that is to happen an hour farther away, and has another one begin. @returns what ticks there until nothing is due at once */
const setBack = async (): Promise<() => Promise<void>> => {
  await elapse(bench.redis, -HOUR_MS)
  const { tick } = openLocksOver(bench.dependencies).locks
  return async () => {
    while ((await tick()) === 0);
  }
}

test.serial('who holds does so for the TTL at most, and then the next, as long as it is asked for', async (t) => {
  await locks.acquire('a', 'dead', wish({ ttlMs: TTL_MS }))
  await locks.acquire('a', 'gone', wish({ queue: true, priority: 1 }))
  await locks.acquire('a', 'next', wish({ waitMs: 30_000 }))
  const settle = await setBack()
  await settle()
  const held = await locks.ask('a', 'dead')
  t.true(held.state === 'held' && held.expiresInMs > TTL_MS - 1_000 && held.expiresInMs <= TTL_MS, JSON.stringify(held))
  await elapse(bench.redis, TTL_MS)
  await settle()
  t.like(await locks.ask('a', 'dead'), { state: 'ended', ended: 'expired' })
  t.is((await locks.ask('a', 'next')).state, 'waiting', 'the one before it is given its time')
  await elapse(bench.redis, 5_000)
  await settle()
  t.like(await locks.release('a', 'gone'), { ended: 'unclaimed' }, 'nobody has asked for it')
  t.like(await locks.ask('a', 'next'), { state: 'held' })
})

test.serial('a wait is over after as long as was wanted', async (t) => {
  await locks.acquire('a', 'l1', wish({ ttlMs: 600_000 }))
  await locks.acquire('a', 'l2', wish({ waitMs: 8_000 }))
  const settle = await setBack()
  await settle()
  const waiting = await locks.ask('a', 'l2')
  t.is(waiting.state, 'waiting')
  await elapse(bench.redis, 7_000)
  await settle()
  t.is((await locks.ask('a', 'l2')).state, 'waiting')
  await elapse(bench.redis, 1_000)
  await settle()
  t.like(await locks.ask('a', 'l2'), { state: 'ended', ended: 'timed-out' })
})

test.serial('readers that hold together end one by one, and what was never too long stays as it is', async (t) => {
  for (const [lease, ttlMs] of [
    ['short', 1_000],
    ['long', 3 * HOUR_MS],
  ] as const)
    await locks.acquire('a', lease, wish({ mode: 'read', ttlMs }))
  const settle = await setBack()
  await settle()
  await elapse(bench.redis, 1_000)
  await settle()
  t.like(await locks.ask('a', 'short'), { state: 'ended', ended: 'expired' })
  const { holders } = await locks.show('a', false)
  t.is(holders.length, 1)
  await openLocksOver(bench.dependencies).locks.tick()
  t.deepEqual(
    (await locks.show('a', false)).holders.map(({ token }) => token),
    holders.map(({ token }) => token),
  )
})

test.serial('however many there are', async (t) => {
  for (let at = 0; at < MANY; at += 1) await locks.acquire(`lock-${at}`, 'l', wish({ ttlMs: TTL_MS }))
  t.is((await locks.count()).inUse, MANY)
  const settle = await setBack()
  await settle()
  await elapse(bench.redis, TTL_MS)
  await settle()
  t.like(await locks.count(), { locks: MANY, inUse: 0 })
})

test.serial('who gave up comes again after a minute, however far the clock was set back', async (t) => {
  const again = wish({ comesAgain: true, queue: true })
  await locks.acquire('a', 'leader', again)
  await locks.release('a', 'leader')
  const settle = await setBack()
  await settle()
  t.like(await locks.acquire('a', 'leader', again), { state: 'ended', ended: 'released' }, 'it may have been under way')
  await elapse(bench.redis, 60_000)
  t.like(await locks.acquire('a', 'leader', again), { state: 'held' })
})

test.serial('after it has come back older, nothing is granted for as long as was said', async (t) => {
  await locks.acquire('a', 'l1', wish({ ttlMs: 100 }))
  const [[last] = []] = await bench.redis.xrevrange('log:ids', '+', '-', 'COUNT', 1)
  await bench.redis.xdel('log:ids', String(last))
  t.like(await locks.acquire('b', 'l1', wish()), { state: 'barred' })
  const { barred: until } = await bench.redis.hgetall('locks:state')
  await bench.redis.hset('locks:state', 'barred', Number(until) + HOUR_MS)
  await openLocksOver(bench.dependencies).locks.tick()
  const { barredForMs } = await locks.count()
  t.true(barredForMs > 1_000 && barredForMs <= 2_000, `barred for ${barredForMs} ms`)
})

test.serial('what was in doubt before is not so again', async (t) => {
  await bench.redis.hset('locks:state', 'barred', Date.now() - 1, 'barred_for', 2 * HOUR_MS, 'lost', '[]')
  await locks.tick()
  if (await bench.redis.hexists('locks:state', 'barred')) await bench.redis.hincrby('locks:state', 'barred', HOUR_MS)
  const settle = await setBack()
  await settle()
  t.like(await locks.acquire('a', 'l1', wish()), { state: 'held' })
})

test.serial('an idle lock gives way to others, and is forgotten after a minute', async (t) => {
  const three = openLocksOver(bench.dependencies, { locks_max: 3 }).locks
  await three.acquire('a', 'l1', wish())
  await three.release('a', 'l1')
  await three.acquire('b', 'l1', wish({ ttlMs: 2 * HOUR_MS }))
  await three.configure('kept', { limit: 2, write: undefined, delayMs: 0 }, 'c', undefined)
  const settle = await setBack()
  t.is((await three.acquire('c', 'l1', wish())).state, 'too-many', 'until it is known that the clock was set back')
  await settle()
  t.is((await three.acquire('c', 'l1', wish())).state, 'held')
  await three.release('c', 'l1')
  const settleAgain = await setBack()
  await settleAgain()
  await locks.tick()
  t.deepEqual(await bench.redis.zrange('locks', '0', '-1'), ['b', 'c', 'kept'])
  await elapse(bench.redis, 60_000)
  await locks.tick()
  t.deepEqual(await bench.redis.zrange('locks', '0', '-1'), ['b', 'kept'])
})
