/** A plain lock is got and released as any other, though it is done otherwise: what both ways return and leave behind is the same. */
import test, { type ExecutionContext } from 'ava'
import type { Wish } from '../../../ids/lock/lease.ts'
import { elapse, openLocksOver, wish } from '../../support/locks.ts'
import { openBench } from '../../support/shop/open-store.ts'

const bench = await openBench()
const { locks } = openLocksOver(bench.dependencies)
const { redis } = bench
test.after.always(() => bench[Symbol.asyncDispose]())

/** Has a lock recorded as a version before did: so it is read, and released, as any other. */
const IN_MESSAGE_PACK = `
local fields = { 'token', 'mode', 'count', 'used', 'waiting', 'limit', 'fixed', 'write', 'delay', 'delayed', 'made', 'arrivals', 'mean', 'due',
  'sole', 'sole_end', 'history', 'state', 'request', 'mode', 'permits', 'ttl', 'priority', 'owner', 'metadata', 'delay', 'token', 'acquired',
  'expires', 'claimed' }
local record, lease, at = {}, {}, 0
for word in string.gmatch(redis.call('GET', KEYS[1]), '(%Z*)%z') do
  at = at + 1
  if at > 17 then
    lease[fields[at]] = word
  elseif word ~= '' then
    record[fields[at]] = word
  end
end
record.lease, lease.id = lease, record.sole
redis.call('SET', KEYS[1], cmsgpack.pack(record))`

/** All that is recorded of a lock, whatever its name, whenever its entries were appended, and by what its request is known. */
const recordedOf = async (name: string) => {
  const texts = await Promise.all([
    redis.get(`lock-record:${name}`),
    redis.get(`lock-lease:${name}-l:${name}`),
    redis.zscore('locks', name),
    redis.zscore('locks:due', name),
    redis.zscore('locks:free', name),
  ])
  return texts.map((text) =>
    text
      ?.replaceAll(/\d{13}-\d+/g, 'entry')
      .replaceAll(name, 'lock')
      .replace(/(held|ended)\0[\w-]{22}\0/, '$1 '),
  )
}
const entries = async () => {
  const last = await redis.xrevrange('log:ids', '+', '-', 'COUNT', 2)
  return last.map(([, fields]) => fields.map((text) => text.replaceAll(/(plain|other)/g, 'lock')))
}
const sameOf = async (t: ExecutionContext, what: string): Promise<void> => {
  t.deepEqual(await recordedOf('plain'), await recordedOf('other'), what)
  const [one, other] = await entries()
  t.deepEqual(one, other, what)
}
/** Both in one script, so at one moment. */
const both = async (t: ExecutionContext, what: string, ask: (name: string) => Promise<object>): Promise<void> => {
  const [one, other] = await Promise.all([ask('plain'), ask('other')])
  t.deepEqual({ ...one, lease: '' }, { ...other, lease: '' }, what)
  await sameOf(t, what)
}

const WISHES: readonly Partial<Wish>[] = [
  {},
  { owner: 'wörker 1', metadata: { bill: '7', note: 'a "b" c' }, ttlMs: 1_234 },
  { waitMs: 500, priority: 3 },
  { queue: true, comesAgain: true },
]

test.serial('plain and other locks are recorded, indexed, answered and told alike, again and again', async (t) => {
  for (let times = 0; times < 12; times += 1) {
    const wanted = WISHES[times % WISHES.length] ?? {}
    await redis.del('lock-lease:plain-l:plain', 'lock-lease:other-l:other')
    await redis.config('RESETSTAT')
    // A delay is said of no plain lock.
    await both(t, `${times} got`, (name) =>
      locks.acquire(name, `${name}-l`, wish(name === 'plain' ? wanted : { ...wanted, delayMs: 0 })),
    )
    t.regex(await redis.info('commandstats'), /cmdstat_exists:calls=1,/)
    await redis.eval(IN_MESSAGE_PACK, 1, 'lock-record:other')
    await both(t, `${times} released`, (name) => locks.release(name, `${name}-l`))
  }
})

test.serial('what is not as with a plain lock is found out', async (t) => {
  const held = await locks.acquire('a', 'l1', wish({ ttlMs: 60_000 }))
  t.like(held, { state: 'held', isNew: true })
  t.like(await locks.acquire('a', 'l1', wish({ ttlMs: 60_000 })), { state: 'held', isNew: false }, 'asked for again')
  t.like(await locks.acquire('a', 'l2', wish()), { state: 'locked' })
  t.like(await locks.release('a', 'l4'), { ended: 'cancelled' }, 'of another lease')
  t.like(await locks.ask('a', 'l1'), { state: 'held' })
  await locks.acquire('late', 'l1', wish())
  await elapse(redis, 30_000, 'late')
  t.like(await locks.release('late', 'l1'), { ended: 'expired' }, 'its time is over')
  const queued = wish({ queue: true })
  t.like(await locks.acquire('a', 'l3', queued), { state: 'waiting' })
  t.like(await locks.release('a', 'l1'), { ended: 'released', promoted: true }, 'somebody waits')
  t.like(
    await locks.acquire('a', 'l1', wish({ ttlMs: 60_000 })),
    { state: 'ended', ended: 'released' },
    'it was released',
  )
  t.like(await locks.release('a', 'l3'), { ended: 'released', promoted: false })
  t.like(await locks.acquire('a', 'l3', queued), { state: 'ended', ended: 'released' })
  t.like(await locks.release('b', 'l3'), { ended: 'cancelled' })
  t.like(await locks.acquire('b', 'l3', wish()), { state: 'ended', ended: 'cancelled' }, 'never heard of')
  await locks.configure('shared', { limit: undefined, write: 'shared', delayMs: 0 }, 'log-id', {
    idempotencyKey: undefined,
    fingerprint: '',
  })
  t.like(await locks.acquire('shared', 'l4', wish()), { state: 'configured' })
})
