/** What the client of locks promises, each against a real lock service; between them lies a network that a test may break. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { nanoid } from 'nanoid'
import {
  LockLostError,
  LockRefusedError,
  LockTimeoutError,
  LockUnavailableError,
} from '../../../ids/lock/client/errors.ts'
import { holdLock, openKeeper } from '../../../ids/lock/client/held-lock.ts'
import { type ClientOptions, lockClient } from '../../../ids/lock/client.ts'
import { away, eventually } from '../../support/eventually.ts'
import { type Link, openFabric } from '../../support/faults/proxy.ts'
import { openLockReplica } from '../../support/lock-replica.ts'
import { openBench } from '../../support/shop/open-store.ts'

const bench = await openBench()
const replica = await openLockReplica(bench)
test.after.always(async () => {
  await replica.close()
  await bench[Symbol.asyncDispose]()
})

const TTL_MS = 1_000
/** How much later something may come than it should: this machine may be busy. */
const LATE_MS = 3_000
/** They ask the service itself. What is brief is renewed, or ends, while a test looks on. */
const TTL_LONG_MS = 30_000
const locks = lockClient(replica.url, { owner: 'worker-1', ttl: TTL_LONG_MS })
const others = lockClient(replica.url, { owner: 'worker-2', ttl: TTL_LONG_MS })
const brief = lockClient(replica.url, { owner: 'worker-1', ttl: TTL_MS })

/** A client of which the network is a test's own. */
const openFar = async (
  t: ExecutionContext,
  options: ClientOptions = {},
): Promise<{ far: typeof locks; link: Link }> => {
  const fabric = openFabric()
  t.teardown(() => fabric.close())
  const url = await fabric.route({ from: 'client', to: 'locks', url: replica.url })
  const far = lockClient(url, { owner: 'far', ttl: TTL_MS, retry: { forMs: 5_000 }, ...options })
  return { far, link: fabric.link('client', 'locks') }
}

/** Each test has locks of its own names. */
const newName = (): string => `bill:${nanoid(8)}/ü`
const isWaitedFor = (name: string, count = 1): Promise<void> =>
  eventually(async () => assert.equal((await locks.info(name)).waiter_count, count), LATE_MS)
const grantsOf = async (name: string): Promise<number> => (await locks.info(name)).token
/** Resolves when a signal is aborted. */
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
const holdThisThread = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test.serial('a lock that is acquired is held by nobody else until it is released', async (t) => {
  const name = newName()
  const lock = await locks.acquire(name)
  t.like(lock, { name, mode: 'exclusive', isHeld: true })
  t.false(lock.signal.aborted)
  t.is(await others.tryAcquire(name), null)
  t.true(await locks.isCurrent(name, lock.token))
  await lock.release()
  t.like(lock, { isHeld: false, remainingMs: 0 })
  t.false(lock.signal.aborted, 'a release is no loss')
  await lock.release()
  t.false(await locks.isCurrent(name, lock.token))
  const next = await others.tryAcquire(name)
  t.true((next?.token ?? 0) > lock.token)
  await next?.release()
})

test.serial('how long it may be believed counts from before it was asked for', async (t) => {
  const { far, link } = await openFar(t)
  const [ttl, delayMs] = [TTL_LONG_MS, 200]
  link.suffer({ does: 'delay', ms: delayMs })
  await using lock = await far.acquire(newName(), { ttl })
  t.true(lock.isHeld)
  // A timer may be a millisecond early; who counts from the grant, or from the answer, is wrong by 200 or 400.
  t.true(lock.remainingMs <= ttl - 2 * delayMs + 5, `${lock.remainingMs} ms`)
})

test.serial('zero and undefined mean the default', async (t) => {
  const name = newName()
  await using lock = await locks.acquire(name, { ttl: 0, wait: 0, priority: undefined })
  t.true(lock.remainingMs <= TTL_LONG_MS)
  t.is(lock.toJSON().ttl, TTL_LONG_MS)
  t.is((await locks.info(name)).holders[0]?.owner, 'worker-1')
})

test.serial('a lock that is renewed for less time is believed for no longer, also without an answer', async (t) => {
  const name = newName()
  const { far, link } = await openFar(t, { ttl: TTL_LONG_MS })
  const lock = await far.acquire(name)
  link.suffer({ does: 'black-hole', towards: 'client' })
  const renewed = Promise.allSettled([lock.renew(TTL_MS)])
  await using next = await others.acquire(name)
  t.true(next.token > lock.token)
  t.like(lock, { isHeld: false })
  t.true(lock.signal.reason instanceof LockLostError)
  link.heal()
  await renewed
})

test.serial('who waits gets it when it is released, with its own time from then on', async (t) => {
  const name = newName()
  const lock = await locks.acquire(name)
  const waiting = others.acquire(name, { wait: 20_000, metadata: { bill: '7' } })
  await isWaitedFor(name)
  await lock.release()
  await using next = await waiting
  t.true(next.isHeld)
  t.true(next.token > lock.token)
  t.deepEqual((await locks.info(name)).holders[0]?.metadata, { bill: '7' })
})

test.serial('who has waited in vain is told so, and has no place in the queue any more', async (t) => {
  const name = newName()
  await using _ = await locks.acquire(name)
  await t.throwsAsync(others.acquire(name, { wait: 200 }), { instanceOf: LockTimeoutError })
  t.is((await locks.info(name)).waiter_count, 0)
})

test.serial('an aborted signal ends the wait with its reason, and the place in the queue', async (t) => {
  const name = newName()
  await using _ = await locks.acquire(name)
  const controller = new AbortController()
  const waiting = others.acquire(name, { wait: 20_000, signal: controller.signal })
  await isWaitedFor(name)
  controller.abort(new Error('no longer wanted'))
  await t.throwsAsync(waiting, { message: 'no longer wanted' })
  await isWaitedFor(name, 0)
  await t.throwsAsync(others.acquire(name, { signal: controller.signal }), { message: 'no longer wanted' })
})

test.serial('a lock is renewed for as long as it is held, and no longer', async (t) => {
  const name = newName()
  const lock = await brief.acquire(name)
  await away(3 * TTL_MS)
  t.true(lock.isHeld)
  t.is(await grantsOf(name), lock.token)
  await lock.release()
  await away(TTL_MS)
  t.is((await locks.info(name)).state, 'free')
})

test.serial('a lock may be renewed for longer', async (t) => {
  await using lock = await locks.acquire(newName())
  await lock.renew(600_000)
  t.true(lock.remainingMs > 500_000)
})

test.serial('of two renewals at once the second is asked for when the first is answered', async (t) => {
  const asked: number[] = []
  const first = Promise.withResolvers<void>()
  const ttls = { first: 60_000, second: 1_000 }
  const grant = { name: 'a', lease: 'l', ttl: TTL_LONG_MS, token: 1, mode: 'exclusive' }
  const lock = holdLock(
    { ...grant, until: performance.now() + TTL_LONG_MS },
    {
      renew: async (ttl) => {
        asked.push(ttl)
        const askedAt = performance.now()
        if (ttl === ttls.first) await first.promise
        return { status: 200, json: { expires_in_ms: ttl }, askedAt }
      },
      release: async () => ({ status: 200, json: {}, askedAt: performance.now() }),
    },
    openKeeper(),
  )
  const renewals = [lock.renew(ttls.first), lock.renew(ttls.second)]
  await away(1)
  t.deepEqual(asked, [ttls.first])
  first.resolve()
  await Promise.all(renewals)
  t.deepEqual(asked, [ttls.first, ttls.second])
  t.true(lock.remainingMs <= ttls.second)
  await lock.release()
})

test.serial('its signal aborts before anybody else can have it', async (t) => {
  const { far, link } = await openFar(t)
  const name = newName()
  const lock = await far.acquire(name)
  const waiting = others.acquire(name, { wait: 20_000 })
  await isWaitedFor(name)
  link.suffer({ does: 'black-hole', towards: 'both' })
  const lostAt = aborted(lock.signal).then(() => performance.now())
  await using next = await waiting
  const gotAt = performance.now()
  t.true((await lostAt) <= gotAt)
  t.false(lock.isHeld)
  t.true(lock.signal.reason instanceof LockLostError)
  t.true(next.token > lock.token)
})

test.serial('a lock that ended while no timer came is found lost at the first look', async (t) => {
  const lock = await locks.acquire(newName(), { ttl: 200 })
  holdThisThread(300)
  t.false(lock.isHeld)
  t.true(lock.signal.aborted)
  t.like(lock.signal.reason, { name: 'LockLostError', ended: 'expired' })
  await t.throwsAsync(lock.renew(), { instanceOf: LockLostError })
})

test.serial('a lock that was forced is lost with the next renewal, which says so', async (t) => {
  const name = newName()
  const lock = await brief.acquire(name)
  await fetch(`${replica.url}/locks/${encodeURIComponent(name)}`, { method: 'DELETE' })
  await aborted(lock.signal)
  t.like(lock.signal.reason, { name: 'LockLostError', ended: 'forced' })
})

test.serial('a request whose answer is lost is sent again under the same lease: it is granted once', async (t) => {
  const { far, link } = await openFar(t)
  const name = newName()
  link.suffer({ does: 'lose-reply', command: /PUT/, times: 1 })
  await using lock = await far.acquire(name)
  t.is(link.struck(), 1)
  t.is(await grantsOf(name), lock.token)
  t.is((await locks.info(name)).holders.length, 1)
})

test.serial('a service that does not answer for long is unavailable, and gets no lease of it afterwards', async (t) => {
  const { far, link } = await openFar(t, { retry: { forMs: 300 } })
  const name = newName()
  link.suffer({ does: 'refuse' })
  await t.throwsAsync(far.acquire(name, { wait: 100 }), { instanceOf: LockUnavailableError })
  link.heal()
  t.is((await locks.info(name)).state, 'free')
})

test.serial('what the service does not take is refused with what it says of it', async (t) => {
  const error = await t.throwsAsync(locks.acquire(newName(), { priority: 5_000 }), { instanceOf: LockRefusedError })
  t.is(error?.status, 422)
  t.is(error?.problem.field, 'priority')
})

test.serial('work under a lock comes to what it does, and the lock is released', async (t) => {
  const name = newName()
  t.is(await locks.withLock(name, {}, async ({ token, signal }) => (signal.aborted ? 0 : token)), await grantsOf(name))
  t.is((await locks.info(name)).state, 'free')
  await t.throwsAsync(
    locks.withLock(name, {}, () => Promise.reject(new Error('cannot'))),
    { message: 'cannot' },
  )
  t.is((await locks.info(name)).state, 'free')
})

test.serial('work comes to what it does also if the release fails', async (t) => {
  const { far, link } = await openFar(t, { ttl: 30_000, retry: { forMs: 200 } })
  const result = await far.withLock(newName(), {}, async () => {
    link.suffer({ does: 'refuse' })
    return 'done'
  })
  t.is(result, 'done')
})

test.serial('work whose lock is lost rejects with that, and the error of the work is its cause', async (t) => {
  const { far, link } = await openFar(t)
  const error = await t.throwsAsync(
    far.withLock(newName(), {}, async ({ signal }) => {
      link.suffer({ does: 'refuse' })
      await aborted(signal)
      throw new Error('gave up')
    }),
    { instanceOf: LockLostError },
  )
  t.like(error?.cause, { message: 'gave up' })
})

test.serial('work that did not see that its lock was lost rejects, too', async (t) => {
  const error = await t.throwsAsync(
    locks.withLock(newName(), { ttl: 200 }, () => holdThisThread(300)),
    { instanceOf: LockLostError },
  )
  t.is(error?.cause, undefined)
})

test.serial('a lock is held on to by what it is as JSON', async (t) => {
  const lock = await locks.acquire(newName(), { ttl: 30_000 })
  const json = JSON.parse(JSON.stringify(lock))
  const again = await others.restore(json)
  t.is(again.token, lock.token)
  t.true(again.isHeld)
  await again.release()
  await t.throwsAsync(others.restore(json), { instanceOf: LockLostError })
  await t.throwsAsync(lock.renew(), { instanceOf: LockLostError })
})

test.serial('all of many locks are acquired, or none', async (t) => {
  const [one, other] = [newName(), newName()]
  const all = await locks.acquireAll([other, one, other])
  t.deepEqual(
    all.locks.map(({ name }) => name),
    [one, other].sort(),
  )
  t.true(all.isHeld)
  await t.throwsAsync(others.acquireAll([one, other], { wait: 200 }), { instanceOf: LockTimeoutError })
  await all.release()
  t.false(all.isHeld)
  await using _ = await others.acquire([one, other].sort()[1] ?? '')
  await t.throwsAsync(locks.acquireAll([one, other], { wait: 200 }), { instanceOf: LockTimeoutError })
  t.is((await locks.info([one, other].sort()[0] ?? '')).state, 'free')
})

test.serial('a semaphore has so many permits', async (t) => {
  const gpu = locks.semaphore(newName(), { limit: 2 })
  const [first, second] = [await gpu.acquire(), await gpu.acquire()]
  t.is(await gpu.tryAcquire(), null)
  await first.release()
  await using third = await gpu.acquire()
  t.true(third.isHeld && second.isHeld)
  await second.release()
})

test.serial('many read at once, or one writes', async (t) => {
  const name = newName()
  const readers = [await locks.read(name).acquire(), await others.read(name).acquire()]
  t.is(await locks.write(name).tryAcquire(), null)
  await Promise.all(readers.map((lock) => lock.release()))
  await locks.write(name).withLock({}, async ({ mode }) => t.is(mode, 'exclusive'))
})

test.serial('locks are listed by a pattern, with their holders', async (t) => {
  const name = newName()
  await using lock = await locks.acquire(name)
  const found = []
  for await (const info of locks.list({ name, state: 'held' })) found.push(info)
  t.deepEqual(
    found.map(({ holders }) => holders.map(({ token, owner }) => [token, owner])),
    [[[lock.token, 'worker-1']]],
  )
})

test.serial('what becomes of a lock is watched, also where the connection breaks meanwhile', async (t) => {
  const { far, link } = await openFar(t)
  const name = newName()
  const controller = new AbortController()
  const seen: string[] = []
  const whenSeen = (event: string, count = 1): Promise<void> =>
    eventually(async () => assert.equal(seen.filter((one) => one === event).length, count, seen.join()), 2 * LATE_MS)
  const watching = (async () => {
    for await (const { event } of far.watch(name, { signal: controller.signal })) seen.push(event)
  })()
  await whenSeen('state')
  await (await locks.acquire(name)).release()
  await whenSeen('released')
  link.cut()
  await (await locks.acquire(name)).release()
  await whenSeen('released', 2)
  controller.abort()
  await watching
  t.deepEqual(
    seen.filter((event) => event !== 'state' && event !== 'renewed'),
    ['granted', 'released', 'granted', 'released'],
  )
})

test.serial('what becomes of an election is watched', async (t) => {
  const election = locks.election(newName())
  const controller = new AbortController()
  const seen: string[] = []
  const watching = (async () => {
    for await (const { event } of election.watch({ signal: controller.signal })) seen.push(event)
  })()
  await eventually(async () => assert.deepEqual(seen, ['state']), LATE_MS)
  await election.campaign({}, () => undefined)
  await eventually(async () => assert.deepEqual(seen, ['state', 'elected', 'resigned']), LATE_MS)
  controller.abort()
  await watching
  t.pass()
})

test.serial('a request does as navigator.locks does', async (t) => {
  const name = newName()
  t.is(await locks.request(name, (lock) => `${lock?.mode}`), 'exclusive')
  await locks.request(name, { mode: 'shared' }, async (lock) => {
    t.deepEqual(lock, { name, mode: 'shared' })
    await others.request(name, { mode: 'shared', ifAvailable: true }, (other) => t.truthy(other))
    await others.request(name, { ifAvailable: true }, (other) => t.is(other, null))
    const { held } = await locks.query()
    t.deepEqual(
      held.filter((one) => one.name === name),
      [{ name, mode: 'shared', clientId: 'worker-1' }],
    )
  })
  for (const [wanted, options] of [
    [`-${name}`, {}],
    [name, { steal: true, ifAvailable: true }],
    [name, { steal: true, mode: 'shared' }],
    [name, { steal: true, signal: new AbortController().signal }],
  ] as const)
    await t.throwsAsync(
      locks.request(wanted, options, () => undefined),
      { name: 'NotSupportedError' },
    )
  await t.throwsAsync(
    locks.request(name, { signal: AbortSignal.abort() }, () => undefined),
    { name: 'AbortError' },
  )
})

test.serial('a lock that is stolen is an abortion to who had it', async (t) => {
  const name = newName()
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const robbed = brief.request(name, async () => {
    begin()
    await eventually(async () => assert.equal((await locks.info(name)).holders[0]?.owner, 'worker-2'), LATE_MS)
    await away(TTL_MS)
  })
  await begun
  await others.request(name, { steal: true }, async () => {
    await t.throwsAsync(robbed, { name: 'AbortError' })
  })
})

test.serial('who steals a lock goes before all that wait for it', async (t) => {
  const name = newName()
  await using _ = await locks.acquire(name)
  const controller = new AbortController()
  const waiting = locks.acquire(name, { wait: 20_000, priority: 5, signal: controller.signal })
  const ended = t.throwsAsync(waiting, { message: 'it still waits' })
  await isWaitedFor(name)
  const stolen = others.request(name, { steal: true }, async () => {
    const { holders, waiter_count } = await locks.info(name)
    return [holders[0]?.owner, waiter_count]
  })
  t.deepEqual(await Promise.race([stolen, away(LATE_MS)]), ['worker-2', 1])
  controller.abort(new Error('it still waits'))
  await ended
})

test.serial('who steals a lock robs neither itself nor one that only waits, whenever it is released', async (t) => {
  for (let round = 0; round < 12; round += 1) {
    const name = newName()
    const held = await locks.acquire(name)
    const waiting = brief.acquire(name, { wait: 20_000 })
    await isWaitedFor(name)
    const stolen = others.request(name, { steal: true }, async () => 'stolen')
    await away(round / 2)
    await held.release().catch(() => undefined)
    t.is(await Promise.race([stolen, away(LATE_MS)]), 'stolen')
    await using next = await waiting
    t.true(next.isHeld)
    const { history } = await locks.info(name)
    const forced = history.filter(({ event }) => event === 'forced').map(({ owner }) => owner)
    t.true(forced.length <= 1, `${forced}`)
  }
})

test.serial('one that may not steal is told so, and does not wait', async (t) => {
  const name = newName()
  await using _ = await others.acquire(name)
  const guard = createServer((request, response) => {
    response.writeHead(request.method === 'DELETE' ? 403 : 202, { 'Content-Type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => guard.listen(0, '127.0.0.1', resolve))
  t.teardown(() => guard.close())
  const { port } = guard.address() as AddressInfo
  const guarded = lockClient(`http://127.0.0.1:${port}`)
  const stealing = guarded.request(name, { steal: true }, () => undefined)
  await t.throwsAsync(Promise.race([stealing, away(LATE_MS)]), { instanceOf: LockRefusedError })
})

test.serial('a leader leads until its work is done, then the next one does, with a greater term', async (t) => {
  const name = newName()
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const { promise: begun, resolve: begin } = Promise.withResolvers<number>()
  const first = locks.election(name).campaign({ value: 'http://one' }, async ({ term }) => {
    begin(term)
    await ended
    return 'first'
  })
  const term = await begun
  t.like(await others.election(name).leader(), { value: 'http://one', term })
  const second = others.election(name).campaign({ value: 'http://two' }, ({ term: next }) => next)
  await isWaitedFor(`elections/${name}`)
  end()
  t.is(await first, 'first')
  t.true((await second) > term)
  t.is(await others.election(name).leader(), null)
})
