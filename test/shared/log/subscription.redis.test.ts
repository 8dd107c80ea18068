import { setTimeout as pause } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { field } from '../../../shared/contract/raw-entry.ts'
import { redLock } from '../../../shared/lock/redlock.ts'
import { ackedKey, type LostTail } from '../../../shared/log/entry.ts'
import { openSubscription, type Subscription } from '../../../shared/log/subscription.ts'
import { openStep } from '../../../shared/process/step.ts'
import { connect, disconnect, whenReady } from '../../../shared/redis/connection.ts'
import type { Reply } from '../../../shared/redis/script.ts'
import { openStore, type Store } from '../../../stock/store.ts'
import { eventually } from '../../support/eventually.ts'
import { type Cut, cutTail, writtenTo } from '../../support/faults/older-redis.ts'
import { lookInto } from '../../support/shop/behind.ts'
import { type Bench, comeBack, entryOf, openBench, plainly } from '../../support/shop/open-store.ts'
import { type RedisServer, startRedis } from '../../support/shop/redis-server.ts'

/** What is applied has an effect that can be counted: stock takes one piece of tea for each entry of payment. */
const STOCK = 1_000
const LEASE = 'lock:reader:stock:payment'
/** So long that no reader loses its lease on a busy machine. */
const LEASE_TTL_MS = 5_000
const WITHIN_MS = 10_000

type Scene = {
  /** The Redis of the publisher, which has its log. */
  readonly publisher: RedisServer
  readonly voice: Redis
  /** The Redis of the subscriber. */
  readonly own: Bench
  readonly masters: RedisServer
  readonly store: Store
  /** Says that money is held for one piece of tea, some times. */
  readonly say: (from: number, count: number) => Promise<void>
  readonly left: () => Promise<number | undefined>
}

const durable = ['--appendonly', 'yes', '--appendfsync', 'always'] as const

const open = async (t: ExecutionContext): Promise<Scene> => {
  const [publisher, own, masters] = await Promise.all([startRedis(), openBench(durable), startRedis()])
  t.teardown(async () => {
    await Promise.all([publisher.stop(), own[Symbol.asyncDispose](), masters.stop()])
  })
  const store = openStore(own.dependencies)
  const voice = lookInto(publisher, t)
  await store.createItem('tea', 1, plainly)
  await store.add('tea', STOCK, plainly)
  return {
    publisher,
    voice,
    own,
    masters,
    store,
    say: async (from, count) => {
      for (let number = from; number < from + count; number += 1) {
        const facts = { order: 'cart', user: 'anna', total: 1, lines: 'tea:1' }
        await voice.xadd('log:payment', '*', ...entryOf('payment', 'CreditHeld', '*', `saga-${number}`, facts)[1])
      }
    },
    left: async () => (await store.find('tea'))?.stock,
  }
}

type Follower = {
  readonly subscription: Subscription
  /** The log ids of what was heard. */
  readonly heard: (string | undefined)[]
  readonly applied: Reply[]
  readonly warnings: string[]
}

/** A reader with connections of its own, as another replica would have. */
const follow = async (
  t: ExecutionContext,
  scene: Scene,
  publisher: Pick<RedisServer, 'url'> = scene.publisher,
): Promise<Follower> => {
  const connections: Redis[] = []
  const connecting = (server: Pick<RedisServer, 'url'>, kind: 'blocking' | 'lock'): Redis => {
    const redis = connect(server.url, kind)
    connections.push(redis)
    return redis
  }
  const heard: (string | undefined)[] = []
  const applied: Reply[] = []
  const warnings: string[] = []
  const masters = connecting(scene.masters, 'lock')
  await whenReady(masters)
  const lock = redLock([masters])
  const one = openSubscription({
    log: scene.store.log,
    publisher: 'payment',
    blocking: connecting(publisher, 'blocking'),
    reporting: connecting(scene.publisher, 'lock'),
    redLock: lock,
    step: openStep('test'),
    leaseTtlMs: LEASE_TTL_MS,
    onHeard: (entry, publisher) => heard.push(publisher === 'payment' ? field(entry, 'log_id') : publisher),
    onApplied: (reply) => applied.push(reply),
    logger: pino({ level: 'warn' }, { write: (line) => warnings.push(JSON.parse(line).msg) }),
  })
  t.teardown(async () => {
    await one.stop()
    lock.close()
    connections.forEach(disconnect)
  })
  return { subscription: one, heard, applied, warnings }
}

const leaves = (t: ExecutionContext, { left }: Scene, pieces: number): Promise<void> =>
  eventually(async () => {
    const now = await left()
    if (now !== pieces) throw new Error(`${now} are left, not ${pieces}`)
    t.pass()
  }, WITHIN_MS)

/** A reader that has applied the first five entries. */
const followFive = async (t: ExecutionContext): Promise<{ readonly scene: Scene; readonly follower: Follower }> => {
  const scene = await open(t)
  const follower = await follow(t, scene)
  follower.subscription.start()
  await scene.say(0, 5)
  await leaves(t, scene, STOCK - 5)
  return { scene, follower }
}

/** What was applied is told a moment after it can be seen. */
const tells = (t: ExecutionContext, count: number, ...followers: readonly Follower[]): Promise<void> =>
  eventually(async () => {
    const told = followers.flatMap(({ applied }) => applied).length
    if (told !== count) throw new Error(`${told} were told, not ${count}`)
    t.pass()
  }, WITHIN_MS)

/** What happened is told a moment after it can be seen, too. */
const warns = (t: ExecutionContext, { warnings }: Follower, ...texts: readonly string[]): Promise<void> =>
  eventually(async () => {
    for (const text of texts) if (!warnings.includes(text)) throw new Error(`not told: ${text}`)
    t.pass()
  }, WITHIN_MS)

const isHeld = (master: Redis): Promise<void> =>
  eventually(async () => {
    if ((await master.exists(LEASE)) !== 1) throw new Error('not held')
  }, WITHIN_MS)

const masterOf = (t: ExecutionContext, { masters }: Scene): Redis => lookInto(masters, t)

test('a reader applies what was said before it came, and what is said after, in order', async (t) => {
  const scene = await open(t)
  await scene.say(0, 300)
  const follower = await follow(t, scene)
  const { subscription: one, applied } = follower
  t.false(one.isReady())
  one.start()
  await one.whenReady()
  t.true(one.isReady())
  await leaves(t, scene, STOCK - 300)
  await scene.say(300, 5)
  await leaves(t, scene, STOCK - 305)
  await tells(t, 305, follower)
  t.deepEqual(
    applied.map(([result]) => result),
    Array.from({ length: 305 }, () => 'taken'),
  )
  const said = (await scene.store.log.page('0-0', 400)).filter(({ kind }) => kind === 'StockTaken')
  t.deepEqual(
    said.map(({ log_id }) => log_id),
    Array.from({ length: 305 }, (_, number) => `saga-${number}`),
  )
})

test('a reader reports to the publisher how far it has read, entries that are not handled as well', async (t) => {
  const scene = await open(t)
  const follower = await follow(t, scene)
  follower.subscription.start()
  await scene.say(0, 3)
  const last = await scene.voice.xadd(
    'log:payment',
    '*',
    ...entryOf('payment', 'UserCreated', '*', 'x', { user: 'anna' })[1],
  )
  await eventually(async () => {
    if ((await scene.voice.get(ackedKey('payment', 'stock'))) !== last) throw new Error('not reported')
    if ((await scene.store.log.cursor('payment')) !== last) throw new Error('not written')
  }, WITHIN_MS)
  await tells(t, 3, follower)
})

test('what is handled is heard before it is applied, and no kind that is not handled', async (t) => {
  const { scene, follower } = await followFive(t)
  await tells(t, 5, follower)
  scene.own.server.freeze()
  const [, created] = entryOf('payment', 'UserCreated', '*', 'created', { user: 'anna' })
  const [, held] = entryOf('payment', 'CreditHeld', '*', 'saga-5', {
    order: 'cart',
    user: 'anna',
    total: 1,
    lines: 'tea:1',
  })
  await scene.voice
    .multi()
    .xadd('log:payment', '*', ...created)
    .xadd('log:payment', '*', ...held)
    .exec()
  await eventually(async () => {
    if (!follower.heard.includes('saga-5')) throw new Error('not heard')
  }, WITHIN_MS)
  t.is(follower.applied.length, 5)
  scene.own.server.thaw()
  await leaves(t, scene, STOCK - 6)
  await tells(t, 6, follower)
  t.deepEqual(
    [...new Set(follower.heard)],
    Array.from({ length: 6 }, (_, number) => `saga-${number}`),
  )
})

test('the publisher’s Redis dies and comes back: the reader goes on where it was', async (t) => {
  const { scene, follower } = await followFive(t)
  await scene.publisher.kill()
  await warns(t, follower, 'cannot read now: trying again')
  await scene.publisher.restart()
  await scene.say(5, 5)
  await leaves(t, scene, STOCK - 10)
  await tells(t, 10, follower)
})

test('the own Redis dies and comes back: what was said meanwhile is applied, and nothing twice', async (t) => {
  const { scene, follower } = await followFive(t)
  await scene.own.server.kill()
  await scene.say(5, 5)
  await warns(t, follower, 'cannot read now: trying again')
  await scene.own.server.restart()
  await whenReady(scene.own.redis)
  await leaves(t, scene, STOCK - 10)
})

test('the own Redis comes back older: the reader notices, and what is missing is applied again', async (t) => {
  const { scene, follower } = await followFive(t)
  // As if it had forgotten the last two.
  const entries = await scene.voice.xrange('log:payment', '-', '+')
  await scene.own.redis.hdel('sagas:packed:', 'saga-3', 'saga-4')
  await scene.own.redis.hset('item:tea', 'stock', STOCK - 3)
  await scene.own.redis.hset('cursors', 'payment', entries[2]?.[0] ?? '')
  await scene.say(5, 1)
  await leaves(t, scene, STOCK - 6)
  await warns(t, follower, 'the own Redis came back older: reading again from its cursor')
  await tells(t, 5 + 3, follower)
})

const comesBack = async (publisher: RedisServer, cut: Cut): Promise<void> => {
  await publisher.kill()
  await cutTail(publisher.dir, cut)
  await publisher.restart()
}

/** Says that anna was given money, which only the publisher knows. */
const give = async ({ voice }: Scene, logId: string): Promise<string> => {
  const facts = { user: 'anna', amount: 7 }
  const [, fields] = entryOf('payment', 'FundsAdded', '*', logId, facts)
  return (await voice.xadd('log:payment', '*', ...fields)) ?? ''
}

const reaches = (scene: Scene, entry: string): Promise<void> =>
  eventually(async () => {
    if ((await scene.store.log.cursor('payment')) !== entry) throw new Error('not applied')
  }, WITHIN_MS)

const loses = (scene: Scene, count: number): Promise<readonly LostTail[]> =>
  eventually(async () => {
    const lost = await scene.store.log.lostTails()
    if (lost.length !== count) throw new Error(`${lost.length} losses were noticed, not ${count}`)
    return lost
  }, WITHIN_MS)

test('nothing is said and the own Redis comes back older: what is missing is applied again all the same', async (t) => {
  const { scene, follower } = await followFive(t)
  const moment = await writtenTo(scene.own.server.dir)
  await scene.say(5, 5)
  await leaves(t, scene, STOCK - 10)
  await comeBack(scene.own, moment)
  t.is(await scene.left(), STOCK - 5)
  await leaves(t, scene, STOCK - 10)
  await warns(t, follower, 'the own Redis came back older: reading again from its cursor')
})

test('the publisher’s Redis comes back older: what only it knew is listed by name, and what it appends next is applied', async (t) => {
  const scene = await open(t)
  const follower = await follow(t, scene)
  follower.subscription.start()
  await scene.say(0, 3)
  const left = await give(scene, 'kept')
  await reaches(scene, left)
  const moment = await writtenTo(scene.publisher.dir)
  await scene.say(3, 2)
  const gone = await give(scene, 'gone')
  await reaches(scene, gone)
  await comesBack(scene.publisher, { position: moment })
  const [lost] = await loses(scene, 1)
  t.like(lost, { speaker: 'payment', after: left, until: gone, unnamed_until: null })
  t.deepEqual(
    lost?.entries.map(({ id, kind, log_id, facts }) => [id, kind, log_id, facts]),
    [[gone, 'FundsAdded', 'gone', { user: 'anna', amount: '7' }]],
  )
  await warns(t, follower, 'the publisher came back older: it has lost its tail', 'the publisher has lost an entry')
  await scene.say(5, 2)
  await leaves(t, scene, STOCK - 7)
  await scene.publisher.restart()
  await give(scene, 'later')
  t.is((await loses(scene, 1)).length, 1, 'it is noticed once')
})

test('a publisher that said something new before anybody compared has lost its tail all the same', async (t) => {
  const scene = await open(t)
  const first = await follow(t, scene)
  first.subscription.start()
  const left = await give(scene, 'kept')
  await reaches(scene, left)
  const moment = await writtenTo(scene.publisher.dir)
  const gone = await give(scene, 'gone')
  await reaches(scene, gone)
  await first.subscription.stop()
  await comesBack(scene.publisher, { position: moment })
  await scene.say(0, 3)
  const second = await follow(t, scene)
  second.subscription.start()
  await leaves(t, scene, STOCK - 3)
  const [lost] = await loses(scene, 1)
  t.like(lost, { after: left, until: gone, unnamed_until: gone })
  t.deepEqual(lost?.entries, [], 'another process read it')
})

test('a publisher that lost everything has lost its tail; one that was trimmed or only restarted has not', async (t) => {
  const scene = await open(t)
  const { subscription: one } = await follow(t, scene)
  one.start()
  await scene.say(0, 3)
  await leaves(t, scene, STOCK - 3)
  await scene.publisher.restart()
  await scene.say(3, 1)
  await leaves(t, scene, STOCK - 4)
  await one.stop()
  await scene.say(4, 1)
  await scene.voice.xtrim('log:payment', 'MAXLEN', 1)
  const next = await follow(t, scene)
  next.subscription.start()
  await leaves(t, scene, STOCK - 5)
  t.deepEqual(await scene.store.log.lostTails(), [])
  await comesBack(scene.publisher, { share: 1 })
  t.like((await loses(scene, 1))[0], { after: '0-0' })
})

test('an entry that cannot be applied is told and delays nobody', async (t) => {
  const scene = await open(t)
  const follower = await follow(t, scene)
  await scene.voice.xadd('log:payment', '*', 'kind', 'CreditHeld', 'version', '99', 'log_id', 'x')
  await scene.say(0, 2)
  follower.subscription.start()
  await leaves(t, scene, STOCK - 2)
  t.is(await scene.store.log.dead.count(), 1)
  await warns(t, follower, 'an entry could not be applied')
})

test('one reader at a time: the other stands by, and takes over when the first gives the lease back', async (t) => {
  const scene = await open(t)
  const [first, second] = [await follow(t, scene), await follow(t, scene)]
  const master = masterOf(t, scene)
  first.subscription.start()
  await isHeld(master)
  second.subscription.start()
  await scene.say(0, 5)
  await leaves(t, scene, STOCK - 5)
  await tells(t, 5, first)
  await tells(t, 0, second)
  t.true(second.subscription.isReady(), 'it has reached the publisher all the same')
  await first.subscription.stop()
  await scene.say(5, 5)
  await leaves(t, scene, STOCK - 10)
  await tells(t, 5, first)
  await tells(t, 5, second)
})

test('a reader that does not reach the publisher leaves the reading to one that does', async (t) => {
  const scene = await open(t)
  const lost = await follow(t, scene, { url: 'redis://127.0.0.1:1' })
  const other = await follow(t, scene)
  const master = masterOf(t, scene)
  lost.subscription.start()
  await isHeld(master)
  other.subscription.start()
  await scene.say(0, 5)
  // It holds the lease for 5 s, and may have it again once or twice before the other gets it.
  await eventually(async () => {
    const left = await scene.left()
    if (left !== STOCK - 5) throw new Error(`${left} are left`)
  }, 4 * WITHIN_MS)
  await tells(t, 5, other)
  t.true(lost.subscription.unreachedMs() > other.subscription.unreachedMs())
  t.true(other.subscription.unreachedMs() < WITHIN_MS)
})

test('a reader that is stopped in the middle of a read ends at once, and gives the lease back', async (t) => {
  const scene = await open(t)
  const { subscription: one } = await follow(t, scene)
  const master = masterOf(t, scene)
  one.start()
  await scene.say(0, 1)
  await leaves(t, scene, STOCK - 1)
  t.is(await master.exists(LEASE), 1)
  const since = performance.now()
  await one.stop()
  t.true(performance.now() - since < 1_500)
  t.is(await master.exists(LEASE), 0)
  await scene.say(1, 1)
  t.is(await scene.left(), STOCK - 1)
})

test('two readers at once, while no quorum answers for the lease: each entry has its effect once', async (t) => {
  const scene = await open(t)
  const subscriptions = [await follow(t, scene), await follow(t, scene)]
  await scene.masters.kill()
  for (const one of subscriptions) one.subscription.start()
  await scene.say(0, 400)
  await leaves(t, scene, STOCK - 400)
  await scene.say(400, 10)
  await leaves(t, scene, STOCK - 410)
  await eventually(async () => {
    const taken = subscriptions.flatMap(({ applied }) => applied).filter(([result]) => result === 'taken')
    if (taken.length !== 410) throw new Error(`${taken.length} were taken`)
  }, WITHIN_MS)
})

test('catching up waits for what was appended and is handled, and for nothing else', async (t) => {
  const scene = await open(t)
  const { subscription: one } = await follow(t, scene)
  await one.whenReady()
  await give(scene, 'is not handled')
  t.true(await one.catchUp())
  await scene.say(0, 3)
  await give(scene, 'is not handled either')
  let isCaughtUp = false
  const caughtUp = one.catchUp().then(() => {
    isCaughtUp = true
  })
  await pause(100)
  t.false(isCaughtUp, 'it was not applied yet')
  one.start()
  await caughtUp
  t.is(await scene.left(), STOCK - 3)
})

for (const said of [3, 300])
  test(`catching up waits for all of ${said} entries, not for the first`, async (t) => {
    const scene = await open(t)
    const { subscription: one } = await follow(t, scene)
    await one.whenReady()
    await scene.say(0, said)
    const ids = (await scene.voice.xrange('log:payment', '-', '+')).map(([id]) => id)
    const apply = (id = '') => scene.own.redis.hset('cursors', 'payment', id)
    let isCaughtUp = false
    const caughtUp = one.catchUp().then(() => {
      isCaughtUp = true
    })
    await apply(ids.at(-2))
    await pause(100)
    t.false(isCaughtUp, 'one is not applied yet')
    await apply(ids.at(-1))
    await caughtUp
    t.true(isCaughtUp)
  })

test('catching up has a bound, and does not wait for a publisher that is away', async (t) => {
  const scene = await open(t)
  const { subscription: one } = await follow(t, scene)
  await one.whenReady()
  await scene.say(0, 1)
  const startedAt = performance.now()
  t.false(await one.catchUp())
  const waitedMs = performance.now() - startedAt
  t.true(waitedMs > LEASE_TTL_MS && waitedMs < LEASE_TTL_MS + 3_000, `waited ${Math.round(waitedMs)} ms`)
  await scene.publisher.kill()
  const askedAt = performance.now()
  t.false(await one.catchUp())
  t.true(performance.now() - askedAt < 1_000)
  t.is(await scene.left(), STOCK)
})
