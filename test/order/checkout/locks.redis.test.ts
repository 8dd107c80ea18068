import test from 'ava'
import { openLocks } from '../../../order/checkout/locks.ts'
import { openBench } from '../../support/shop/open-store.ts'

const TTL_MS = 60_000
const bench = await openBench()
const { redLock } = bench.dependencies
const locks = openLocks(redLock, TTL_MS)
const KEYS = ['lock:order:cart', 'lock:user:anna']

test.serial.beforeEach(() => bench.redis.flushall())
test.after.always(async () => bench[Symbol.asyncDispose]())

const leftMs = (): Promise<number[]> => Promise.all(KEYS.map((key) => bench.redis.pttl(key)))
/** The lock of a checkout that is kept, as if most of its time had passed. */
const keep = async (): Promise<{ token: string; since: number }> => {
  const since = performance.now()
  const held = await locks.tryAcquire('cart', 'anna')
  if (held.state !== 'held') throw new Error(held.state)
  locks.keep('it', 'cart', 'anna', held.token, since)
  for (const key of KEYS) await bench.redis.pexpire(key, TTL_MS / 2)
  return { token: held.token, since }
}
/** What the locks ask of the masters in one sweep, done: a later question is answered after it. */
const sweep = async (now: number): Promise<void> => {
  locks.sweep(now)
  await redLock.extend({ resources: ['nothing'], token: 'nobody' }, TTL_MS)
}

test.serial('the lock of a checkout is extended when a third of its time has passed, again and again', async (t) => {
  const { since } = await keep()
  await sweep(since + TTL_MS / 3 - 1)
  t.true(
    (await leftMs()).every((ms) => ms <= TTL_MS / 2),
    'not yet',
  )
  for (const thirds of [1, 2]) {
    // A moment more each time, for what is added to the time is rounded.
    await sweep(since + thirds * (TTL_MS / 3 + 1))
    t.true(
      (await leftMs()).every((ms) => ms > TTL_MS / 2),
      `after ${thirds} thirds`,
    )
    for (const key of KEYS) await bench.redis.pexpire(key, TTL_MS / 2)
  }
  locks.letGo('it')
})

test.serial('a lock that was let go, or that is somebody else’s by now, is not extended', async (t) => {
  const { since } = await keep()
  locks.letGo('it')
  await sweep(since + TTL_MS)
  t.true((await leftMs()).every((ms) => ms <= TTL_MS / 2))

  await bench.redis.flushall()
  await keep()
  for (const key of KEYS) await bench.redis.set(key, 'another', 'PX', TTL_MS / 2)
  await sweep(since + 2 * TTL_MS)
  await sweep(since + 3 * TTL_MS)
  t.true((await leftMs()).every((ms) => ms <= TTL_MS / 2))
  t.is(await bench.redis.get('lock:order:cart'), 'another')
  locks.letGo('it')
})
