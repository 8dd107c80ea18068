/**
 * What any implementation of shared/lock/redlock.ts must do, on three real Redis servers that are killed, frozen, restarted
 * and contended for. The tests run one after another, because some measure time.
 */
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { UnavailableError } from '../../../shared/errors.ts'
import type { Acquired, Held } from '../../../shared/lock/ballot.ts'
import { keepLease, type LeaseOptions } from '../../../shared/lock/lease.ts'
import { type RedLock, redLock } from '../../../shared/lock/redlock.ts'
import { connect, disconnect, LOCK_TIMEOUT_MS } from '../../../shared/redis/connection.ts'
import { sharedScript } from '../../../shared/redis/script.ts'
import { type RedisServer, startRedis } from '../../support/redis-server.ts'

const TTL_MS = 10_000
/** What "at once" is on a busy machine: well below the time-out of a lock node. */
const AT_ONCE_MS = 200
const log = pino({ level: 'silent' })

type Masters = readonly [RedisServer, RedisServer, RedisServer]
type Instance = { readonly lock: RedLock; readonly clients: readonly Redis[] }

const startMasters = async (t: ExecutionContext): Promise<Masters> => {
  const masters = await Promise.all([startRedis(), startRedis(), startRedis()])
  t.teardown(() => Promise.all(masters.map((master) => master.stop())))
  return masters
}

/** A RedLock with connections of its own, as another process would have. */
const open = async (t: ExecutionContext, masters: readonly RedisServer[]): Promise<Instance> => {
  const clients = masters.map(({ url }) => connect(url, 'lock'))
  const lock = redLock(clients)
  t.teardown(() => {
    lock.close()
    clients.forEach(disconnect)
  })
  await connected(...clients)
  return { lock, clients }
}

const openMany = (t: ExecutionContext, masters: readonly RedisServer[], count: number): Promise<Instance[]> =>
  Promise.all(Array.from({ length: count }, () => open(t, masters)))

const openTwo = (t: ExecutionContext, masters: readonly RedisServer[]): Promise<[Instance, Instance]> =>
  Promise.all([open(t, masters), open(t, masters)])

const held = (t: ExecutionContext, answer: Acquired): Held => {
  if (answer.state !== 'held') return t.fail(`is ${answer.state}`) as never
  return answer
}

const timed = async <Result>(work: () => Promise<Result>): Promise<{ result: Result; ms: number }> => {
  const startedAt = performance.now()
  const result = await work()
  return { result, ms: performance.now() - startedAt }
}

/** Waits for what no event tells, with a bound. */
const until = async (condition: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> => {
  const deadline = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${condition}`)
    await pause(5)
  }
}

/** How many of the nodes keep the key? */
const placed = async (clients: readonly Redis[], resource: string): Promise<number> => {
  const found = await Promise.all(clients.map((client) => client.exists(`lock:${resource}`)))
  return found.reduce((sum, one) => sum + one, 0)
}

const connected = (...clients: readonly Redis[]): Promise<void> =>
  until(() => clients.every((client) => client.status === 'ready'))

const connectionsLost = async (...clients: readonly (Redis | undefined)[]): Promise<void> =>
  until(() => clients.every((client) => client?.status !== 'ready'))

test.serial('one holder at a time, however many contend', async (t) => {
  const instances = await openMany(t, await startMasters(t), 4)
  let holders = 0
  let taken = 0
  const contend = async ({ lock }: Instance): Promise<void> => {
    for (let round = 0; round < 5; round++) {
      const mine = held(t, await lock.acquire(['counter'], TTL_MS, 8_000))
      t.is(++holders, 1)
      await pause(1)
      holders--
      taken++
      await lock.release(mine.resources, mine.token)
    }
  }
  await Promise.all(instances.flatMap((instance) => [contend(instance), contend(instance), contend(instance)]))
  t.is(taken, 60)
})

test.serial('all the resources or none', async (t) => {
  const [{ lock }, other] = await openTwo(t, await startMasters(t))
  const mine = held(t, await lock.tryAcquire(['order', 'user'], TTL_MS))
  t.deepEqual(await other.lock.tryAcquire(['free', 'user'], TTL_MS), { state: 'busy' })
  t.is(await placed(other.clients, 'free'), 0)
  t.is(await lock.release(mine.resources, mine.token), 'released')
  t.is(await placed(other.clients, 'order'), 0)
  held(t, await other.lock.tryAcquire(['free', 'user'], TTL_MS))
})

test.serial('tells for how long it can be trusted', async (t) => {
  const { lock } = await open(t, await startMasters(t))
  const { validForMs } = held(t, await lock.tryAcquire(['x'], 1_000))
  t.true(validForMs > 500 && validForMs <= 988, String(validForMs))
})

test.serial('a step of the wall clock neither takes nor gives validity', async (t) => {
  const { lock } = await open(t, await startMasters(t))
  const now = Date.now
  t.teardown(() => {
    Date.now = now
  })
  for (const stepMs of [3_600_000, -3_600_000]) {
    const asked = lock.tryAcquire(['x'], 1_000)
    Date.now = () => now() + stepMs
    const mine = held(t, await asked)
    t.true(mine.validForMs > 500 && mine.validForMs <= 988, String(mine.validForMs))
    const prolonged = lock.extend(mine, 1_000)
    Date.now = now
    t.is(await prolonged, 'held')
    t.is(await lock.release(mine.resources, mine.token), 'released')
  }
})

test.serial('one node dead: granted at once, and busy is still told', async (t) => {
  const masters = await startMasters(t)
  const [{ lock, clients }, other] = await openTwo(t, masters)
  await masters[0].kill()
  const first = await timed(() => lock.tryAcquire(['x'], TTL_MS))
  const mine = held(t, first.result)
  t.true(first.ms < AT_ONCE_MS, String(first.ms))
  t.is((await other.lock.tryAcquire(['x'], TTL_MS)).state, 'busy')
  await connectionsLost(clients[0])
  t.is(await lock.extend(mine, TTL_MS), 'held')
  t.is(await lock.release(mine.resources, mine.token), 'released')
  held(t, await other.lock.tryAcquire(['x'], TTL_MS))
})

test.serial('one node frozen: granted at once, and waited for only once where its vote would count', async (t) => {
  const masters = await startMasters(t)
  const { lock, clients } = await open(t, masters)
  await clients[1]?.set('lock:split', 'another', 'PX', TTL_MS)
  masters[0].freeze()
  const first = await timed(() => lock.tryAcquire(['x'], TTL_MS))
  held(t, first.result)
  t.true(first.ms < AT_ONCE_MS, String(first.ms))
  const split = await timed(() => lock.tryAcquire(['split'], TTL_MS))
  t.is(split.result.state, 'busy')
  t.true(split.ms < LOCK_TIMEOUT_MS + AT_ONCE_MS, String(split.ms))
  for (let again = 0; again < 20; again++) {
    const later = await timed(() => lock.tryAcquire(['split'], TTL_MS))
    t.is(later.result.state, 'busy')
    t.true(later.ms < AT_ONCE_MS, String(later.ms))
  }
})

test.serial('a node that was frozen votes again, and keeps no lock that was released meanwhile', async (t) => {
  const masters = await startMasters(t)
  const { lock, clients } = await open(t, masters)
  const mine = held(t, await lock.tryAcquire(['x'], TTL_MS))
  await until(async () => (await placed(clients, 'x')) === 3)
  masters[0].freeze()
  held(t, await lock.tryAcquire(['y'], TTL_MS))
  await pause(LOCK_TIMEOUT_MS + 50) // its time-out is what leaves it out
  t.is(await lock.release(mine.resources, mine.token), 'released')
  masters[0].thaw()
  await until(async () => (await clients[0]?.exists('lock:x').catch(() => 1)) === 0)
  await masters[1].kill()
  await until(async () => (await lock.tryAcquire(['x'], TTL_MS)).state === 'held', 1_500)
  t.pass()
})

test.serial('a node restarted without its scripts has them when it is back', async (t) => {
  const masters = await startMasters(t)
  const { lock, clients } = await open(t, masters)
  const [first] = clients
  if (!first) return t.fail()
  await masters[0].kill()
  await connectionsLost(first)
  await masters[0].restart()
  await connected(first)
  await masters[1].kill()
  const { result, ms } = await timed(() => lock.tryAcquire(['x'], TTL_MS)) // needs the vote of the restarted one
  const mine = held(t, result)
  t.true(ms < AT_ONCE_MS, String(ms))
  t.notRegex(await first.info('errorstats'), /NOSCRIPT/)
  t.is(await lock.release(mine.resources, mine.token), 'released')
})

const fileBytes = async (client: Redis): Promise<number> =>
  Number(/^aof_current_size:(\d+)/m.exec(await client.info('persistence'))?.[1])

test.serial('no lock is written to the file of a node, nor its extension or release', async (t) => {
  const { lock, clients } = await open(t, await startMasters(t))
  const files = () => Promise.all(clients.map(fileBytes))
  const before = await files()
  const mine = held(t, await lock.tryAcquire(['x', 'y'], TTL_MS))
  t.is(await lock.extend(mine, TTL_MS), 'held')
  t.is(await placed(clients, 'x'), 3)
  t.is(await lock.release(mine.resources, mine.token), 'released')
  t.deepEqual(await files(), before)
  await clients[0]?.set('lock:x', 'another')
  t.notDeepEqual(await files(), before, 'what is not a lock is')
})

test.serial('a node that is started again has forgotten its locks, and the others have not', async (t) => {
  const masters = await startMasters(t)
  const [{ lock, clients }, other] = await openTwo(t, masters)
  const mine = held(t, await lock.tryAcquire(['x'], TTL_MS))
  await masters[0].kill()
  const firsts = [clients[0], other.clients[0]].filter((client) => client !== undefined)
  await connectionsLost(...firsts)
  await masters[0].restart()
  await connected(...firsts)
  t.is(await clients[0]?.exists('lock:x'), 0)
  t.is((await other.lock.tryAcquire(['x'], TTL_MS)).state, 'busy')
  t.is(await lock.extend(mine, TTL_MS), 'held')
  t.is(await lock.release(mine.resources, mine.token), 'released')
})

test.serial('scripts lost behind its back are sent again', async (t) => {
  const { lock, clients } = await open(t, await startMasters(t))
  const flush = () => Promise.all(clients.map((client) => client.script('FLUSH')))
  await flush()
  const mine = held(t, await lock.tryAcquire(['x', 'y'], TTL_MS))
  await flush()
  t.is(await lock.extend(mine, TTL_MS), 'held')
  await flush()
  t.is(await lock.release(mine.resources, mine.token), 'released')
  await until(async () => (await placed(clients, 'x')) === 0)
})

test.serial('a node that is late in missing a script does not place a lock after its release', async (t) => {
  const masters = await startMasters(t)
  const { lock, clients } = await open(t, masters)
  await clients[0]?.script('FLUSH')
  masters[0].freeze()
  const mine = held(t, await lock.tryAcquire(['x'], TTL_MS))
  const loaded = clients[0]?.script('LOAD', sharedScript('locks')) // by somebody else: the release is not late
  t.is(await lock.release(mine.resources, mine.token), 'released')
  masters[0].thaw()
  await until(async () => (await clients[0]?.ping().catch(() => '')) === 'PONG')
  await loaded
  await clients[0]?.ping() // whatever the answers above made this process send has arrived
  t.is(await placed(clients, 'x'), 0)
})

test.serial('two nodes dead: unavailable at once, with a cause', async (t) => {
  const masters = await startMasters(t)
  const { lock, clients } = await open(t, masters)
  const alive = clients.slice(0, 1)
  const mine = held(t, await lock.tryAcquire(['x'], TTL_MS))
  await Promise.all([masters[1].kill(), masters[2].kill()])
  await connectionsLost(clients[1], clients[2])
  const { result, ms } = await timed(() => lock.tryAcquire(['y'], TTL_MS))
  t.is(result.state, 'unavailable')
  t.true(result.state === 'unavailable' && result.cause instanceof Error)
  t.true(ms < AT_ONCE_MS, String(ms))
  await until(async () => (await placed(alive, 'y')) === 0)
  t.is(await lock.extend(mine, TTL_MS), 'unavailable')
  t.is(await placed(alive, 'x'), 1) // what cannot be extended is not thrown away
  t.is(await lock.release(mine.resources, mine.token), 'unavailable')
  await until(async () => (await placed(alive, 'x')) === 0)
  const waited = await timed(() => lock.acquire(['y'], TTL_MS, 200))
  t.is(waited.result.state, 'unavailable')
  t.true(waited.ms >= 200 && waited.ms < 200 + AT_ONCE_MS, String(waited.ms))
})

test.serial('two nodes frozen: unavailable after one time-out, then at once; granted when they are back', async (t) => {
  const masters = await startMasters(t)
  const { lock } = await open(t, masters)
  masters[0].freeze()
  masters[1].freeze()
  const first = await timed(() => lock.tryAcquire(['x'], TTL_MS))
  t.is(first.result.state, 'unavailable')
  t.true(first.ms < LOCK_TIMEOUT_MS + AT_ONCE_MS, String(first.ms))
  const second = await timed(() => lock.tryAcquire(['x'], TTL_MS))
  t.is(second.result.state, 'unavailable')
  t.true(second.ms < AT_ONCE_MS, String(second.ms))
  masters[0].thaw()
  masters[1].thaw()
  held(t, await lock.acquire(['x'], TTL_MS, 1_000))
})

test.serial('what has expired is lost, and its release leaves the next holder alone', async (t) => {
  const [{ lock, clients }, other] = await openTwo(t, await startMasters(t))
  const mine = held(t, await lock.tryAcquire(['x'], 30))
  await until(async () => (await placed(clients, 'x')) === 0)
  t.is(await lock.extend(mine, TTL_MS), 'lost')
  const theirs = held(t, await other.lock.tryAcquire(['x'], TTL_MS))
  t.is(await lock.extend(mine, TTL_MS), 'lost')
  t.is(await lock.release(mine.resources, mine.token), 'lost')
  t.is((await lock.tryAcquire(['x'], TTL_MS)).state, 'busy')
  t.is(await other.lock.extend(theirs, TTL_MS), 'held')
  t.is(await other.lock.release(theirs.resources, theirs.token), 'released')
  t.is(await other.lock.release(theirs.resources, theirs.token), 'lost')
})

test.serial('whoever has the token extends and releases', async (t) => {
  const [{ lock }, other] = await openTwo(t, await startMasters(t))
  const { resources, token } = held(t, await lock.tryAcquire(['order', 'user'], TTL_MS))
  t.is(await other.lock.extend({ resources, token }, TTL_MS), 'held')
  t.is(await other.lock.release(resources, token), 'released')
  held(t, await lock.tryAcquire(['order', 'user'], TTL_MS))
})

test.serial('what is left of a lost lock is released', async (t) => {
  const { lock, clients } = await open(t, await startMasters(t))
  const mine = held(t, await lock.tryAcquire(['x'], TTL_MS))
  await until(async () => (await placed(clients, 'x')) === 3)
  await Promise.all(clients.slice(0, 2).map((client) => client.del('lock:x')))
  t.is(await lock.extend(mine, TTL_MS), 'lost')
  await until(async () => (await placed(clients, 'x')) === 0)
  t.pass()
})

test.serial('two votes of three are enough', async (t) => {
  const { lock, clients } = await open(t, await startMasters(t))
  await clients[0]?.set('lock:x', 'another', 'PX', TTL_MS)
  const mine = held(t, await lock.tryAcquire(['x'], TTL_MS))
  t.is(await lock.extend(mine, TTL_MS), 'held')
  t.is(await lock.release(mine.resources, mine.token), 'released')
  t.is(await clients[0]?.get('lock:x'), 'another')
})

test.serial('what lasts for ever, or longer than any lock may, keeps nobody out', async (t) => {
  const { lock, clients } = await open(t, await startMasters(t))
  await Promise.all(clients.map((client) => client.set('lock:x', 'for ever')))
  await Promise.all(clients.map((client) => client.set('lock:y', 'for a day', 'PX', 86_400_000)))
  const mine = held(t, await lock.tryAcquire(['x', 'y', 'z'], TTL_MS))
  for (const client of clients) t.true((await client.pttl('lock:x')) <= TTL_MS)
  t.is((await lock.tryAcquire(['x'], TTL_MS)).state, 'busy')
  t.is(await lock.extend(mine, TTL_MS), 'held')
  t.is(await lock.release(mine.resources, mine.token), 'released')
  t.is(await placed(clients, 'x'), 0)
  held(t, await lock.tryAcquire(['y'], 120_000))
  t.is((await lock.tryAcquire(['y'], TTL_MS)).state, 'busy', 'the longest lock there may be is one')
})

/** How many batches of questions a node has been sent. */
const batches = async (client: Redis): Promise<number> =>
  Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(await client.info('commandstats'))?.[1] ?? 0)

test.serial('what is asked in one turn is one command of each node', async (t) => {
  const { lock, clients } = await open(t, await startMasters(t))
  const resources = Array.from({ length: 50 }, (_, index) => [`order:${index}`, `user:${index}`])
  const mine = (await Promise.all(resources.map((both) => lock.tryAcquire(both, TTL_MS)))).map((one) => held(t, one))
  t.deepEqual(await Promise.all(clients.map(batches)), [1, 1, 1])
  const extended = mine.slice(0, 25).map((one) => lock.extend(one, TTL_MS))
  const released = mine.slice(25).map((one) => lock.release(one.resources, one.token))
  t.deepEqual(new Set(await Promise.all([...extended, ...released])), new Set(['held', 'released']))
  t.deepEqual(await Promise.all(clients.map(batches)), [2, 2, 2])
  t.is(await placed(clients, 'order:24'), 3)
  t.is(await placed(clients, 'order:25'), 0)
})

test.serial(
  'a release goes with what is asked a moment later, and comes before it; else it goes by itself',
  async (t) => {
    const { lock, clients } = await open(t, await startMasters(t))
    const first = held(t, await lock.tryAcquire(['x'], TTL_MS))
    const released = lock.release(first.resources, first.token)
    await new Promise(setImmediate)
    const second = held(t, await lock.tryAcquire(['x'], TTL_MS))
    t.is(await released, 'released')
    t.deepEqual(await Promise.all(clients.map(batches)), [2, 2, 2])
    t.is(await lock.release(second.resources, second.token), 'released')
    t.deepEqual(await Promise.all(clients.map(batches)), [3, 3, 3])
    t.is(await placed(clients, 'x'), 0)
  },
)

test.serial('a turn that asks for very much is asked in parts', async (t) => {
  const { lock, clients } = await open(t, await startMasters(t))
  const asked = Array.from({ length: 600 }, (_, index) => lock.tryAcquire([`x:${index}`], TTL_MS))
  t.true((await Promise.all(asked)).every(({ state }) => state === 'held'))
  t.deepEqual(await Promise.all(clients.map(batches)), [3, 3, 3])
})

test.serial('what is asked in one turn is answered in its order', async (t) => {
  const { lock } = await open(t, await startMasters(t))
  const mine = held(t, await lock.tryAcquire(['x', 'y'], TTL_MS))
  const answers = await Promise.all([
    lock.tryAcquire(['x'], TTL_MS),
    lock.release(mine.resources, mine.token),
    lock.tryAcquire(['x'], TTL_MS),
    lock.tryAcquire(['y', 'x'], TTL_MS),
    lock.release(mine.resources, mine.token),
  ])
  t.deepEqual(
    answers.map((answer) => (typeof answer === 'string' ? answer : answer.state)),
    ['busy', 'released', 'held', 'busy', 'lost'],
  )
})

test.serial('a question that fails leaves the others of its turn alone', async (t) => {
  const { lock, clients } = await open(t, await startMasters(t))
  const mine = held(t, await lock.tryAcquire(['x', 'y'], TTL_MS))
  await Promise.all(clients.map((client) => client.config('SET', 'maxmemory', '1')))
  const [refused, released] = await Promise.all([
    lock.tryAcquire(['z'], TTL_MS), // there is no memory for it
    lock.release(mine.resources, mine.token),
  ])
  t.regex(refused.state === 'unavailable' ? String(refused.cause) : refused.state, /OOM/)
  t.is(released, 'released')
  t.is(await placed(clients, 'x'), 0)
  t.is(await placed(clients, 'z'), 0)
})

test.serial('what is asked behind an answer that does not come fails in its own time and is taken back', async (t) => {
  const masters = await startMasters(t)
  const { lock, clients } = await open(t, masters)
  masters[0].freeze()
  masters[1].freeze()
  const first = lock.tryAcquire(['x'], TTL_MS)
  await pause(100)
  const second = await timed(() => lock.tryAcquire(['y'], TTL_MS))
  t.deepEqual([(await first).state, second.result.state], ['unavailable', 'unavailable'])
  t.true(second.ms < LOCK_TIMEOUT_MS + AT_ONCE_MS, String(second.ms))
  masters[0].thaw()
  masters[1].thaw()
  const present = async (): Promise<number> => (await placed(clients, 'x')) + (await placed(clients, 'y'))
  await until(async () => (await present().catch(() => 1)) === 0)
  held(t, await lock.acquire(['x', 'y'], TTL_MS, 1_000))
})

test.serial('what was asked before the end is sent', async (t) => {
  const masters = await startMasters(t)
  const [{ lock, clients }, other] = await openTwo(t, masters)
  const mine = held(t, await lock.tryAcquire(['x'], TTL_MS))
  void lock.release(mine.resources, mine.token)
  lock.close()
  clients.forEach(disconnect)
  await until(async () => (await placed(other.clients, 'x')) === 0)
  t.pass()
})

test.serial('a split vote is taken back, and settles', async (t) => {
  const { lock, clients } = await open(t, await startMasters(t))
  await Promise.all([clients[0]?.set('lock:x', 'one', 'PX', 150), clients[1]?.set('lock:x', 'two', 'PX', 150)])
  t.is((await lock.tryAcquire(['x'], TTL_MS)).state, 'busy')
  t.is(await placed(clients.slice(2), 'x'), 0)
  held(t, await lock.acquire(['x'], TTL_MS, 2_000))
})

test.serial('contenders that reach the nodes in different orders all get their turn', async (t) => {
  const masters = await startMasters(t)
  const orders = [0, 1, 2].map((first) => [0, 1, 2].map((step) => masters[(first + step) % 3] as RedisServer))
  const instances = (await Promise.all(orders.map((order) => openMany(t, order, 3)))).flat()
  const turn = async ({ lock }: Instance): Promise<void> => {
    const mine = held(t, await lock.acquire(['x'], TTL_MS, 8_000))
    await lock.release(mine.resources, mine.token)
  }
  await t.notThrowsAsync(Promise.all(instances.map(turn)))
})

/** Answers take as long as the two frozen nodes sleep, and no time-out ends the wait. */
const sleepFor = async (masters: Masters, { clients }: Instance, ms: number): Promise<void> => {
  for (const client of clients) client.options.commandTimeout = 5_000
  masters[0].freeze()
  masters[1].freeze()
  setTimeout(() => {
    masters[0].thaw()
    masters[1].thaw()
  }, ms)
}

test.serial('what took longer to acquire than it lasts is not granted', async (t) => {
  const masters = await startMasters(t)
  const instance = await open(t, masters)
  await sleepFor(masters, instance, 120)
  t.true(held(t, await instance.lock.tryAcquire(['x'], 80)).validForMs <= 0)
  await sleepFor(masters, instance, 120)
  t.is((await instance.lock.acquire(['y'], 80, 0)).state, 'busy')
  await sleepFor(masters, instance, 120)
  const mine = held(t, await instance.lock.acquire(['z'], 80, 1_000))
  t.true(mine.validForMs > 0)
})

test.serial('a TTL of 1 ms is usable: granted, never valid, soon gone', async (t) => {
  const instances = await openMany(t, await startMasters(t), 3)
  const contend = async ({ lock }: Instance): Promise<void> => {
    let granted = 0
    const deadline = performance.now() + 8_000
    while (granted < 10) {
      const answer = await lock.tryAcquire(['x', 'y'], 1)
      if (performance.now() > deadline) throw new Error('does not settle')
      if (answer.state !== 'held') continue
      granted++
      t.true(answer.validForMs <= 0)
      t.true(['released', 'lost'].includes(await lock.release(answer.resources, answer.token)))
    }
  }
  await Promise.all(instances.map(contend))
  const [lock] = instances.map((instance) => instance.lock)
  await t.throwsAsync(async () => lock?.tryAcquire(['x'], 0), { instanceOf: RangeError })
})

test.serial('a release wakes those who wait for one of its resources, and nobody waits longer than told', async (t) => {
  const { lock } = await open(t, await startMasters(t))
  const mine = held(t, await lock.tryAcquire(['order', 'user'], TTL_MS))
  const other = new AbortController()
  let others = 0
  const elsewhere = lock.changed(['elsewhere'], 60_000, other.signal).then(() => others++)
  const woken = lock.changed(['another', 'user'], 60_000)
  void lock.release(mine.resources, mine.token)
  const { ms } = await timed(() => woken)
  t.true(ms < AT_ONCE_MS, String(ms))
  held(t, await lock.tryAcquire(['user'], TTL_MS)) // whoever is woken is served after the release
  t.is(others, 0)
  other.abort()
  await elsewhere
  const waited = await timed(() => lock.changed(['order'], 100))
  t.true(waited.ms >= 49 && waited.ms < 100 + AT_ONCE_MS, String(waited.ms))
  const closing = lock.changed(['order'], 60_000)
  lock.close()
  const closed = await timed(() => closing)
  t.true(closed.ms < AT_ONCE_MS, String(closed.ms))
})

/** Work that runs until told to end, and tells of its runs. */
const watchedWork = () => {
  const state = { runs: 0, running: 0, most: 0 }
  const onHeld = async (signal: AbortSignal): Promise<void> => {
    state.runs++
    state.most = Math.max(state.most, ++state.running)
    if (!signal.aborted) await once(signal, 'abort')
    state.running--
  }
  return { state, onHeld }
}

const openLease = (t: ExecutionContext, options: Omit<LeaseOptions, 'name' | 'log'>) => {
  const lease = keepLease({ name: 'lease', log, ...options })
  t.teardown(() => lease.stop())
  lease.start()
  return lease
}

test.serial('lease: one runs at a time, for longer than the TTL, and hands over at once when stopped', async (t) => {
  const [{ lock }, other] = await openTwo(t, await startMasters(t))
  const ttlMs = 800
  const { state, onHeld } = watchedWork()
  const first = openLease(t, { ttlMs, redLock: lock, onHeld })
  await until(() => state.running === 1)
  const near = openLease(t, { ttlMs, redLock: lock, onHeld })
  await pause(ttlMs * 2)
  t.deepEqual(state, { runs: 1, running: 1, most: 1 })
  await first.stop()
  const handedOver = await timed(() => until(() => state.running === 1))
  t.true(handedOver.ms < AT_ONCE_MS, String(handedOver.ms))
  openLease(t, { ttlMs, redLock: other.lock, onHeld })
  await near.stop()
  const farther = await timed(() => until(() => state.running === 1))
  t.true(farther.ms < ttlMs / 4 + AT_ONCE_MS, String(farther.ms))
  t.deepEqual(state, { runs: 3, running: 1, most: 1 })
})

test.serial('lease: a holder that vanished is succeeded when its TTL has passed', async (t) => {
  const [gone, { lock }] = await openTwo(t, await startMasters(t))
  held(t, await gone.lock.tryAcquire(['lease'], 500))
  const { state, onHeld } = watchedWork()
  openLease(t, { ttlMs: 400, redLock: lock, onHeld })
  const { ms } = await timed(() => until(() => state.running === 1))
  t.true(ms > 350 && ms < 500 + 100 + AT_ONCE_MS, String(ms))
})

test.serial('lease: taken by another, the work is told to end, ends, and begins anew when it is free', async (t) => {
  const { lock, clients } = await open(t, await startMasters(t))
  const { state, onHeld } = watchedWork()
  openLease(t, { ttlMs: 300, redLock: lock, onHeld })
  await until(() => state.running === 1)
  await Promise.all(clients.map((client) => client.set('lock:lease', 'another', 'PX', 400)))
  await until(() => state.running === 0, 100 + AT_ONCE_MS)
  t.is(await clients[0]?.get('lock:lease'), 'another')
  await until(() => state.running === 1)
  t.deepEqual(state, { runs: 2, running: 1, most: 1 })
})

test.serial('lease: a process that slept longer than it lasts has lost it, whatever the nodes say', async (t) => {
  const { lock, clients } = await open(t, await startMasters(t))
  const { state, onHeld } = watchedWork()
  openLease(t, { ttlMs: 300, redLock: lock, onHeld })
  await until(() => state.running === 1)
  await until(async () => (await placed(clients, 'lease')) === 3)
  await Promise.all(clients.map((client) => client.persist('lock:lease'))) // they would extend it
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 320)
  await until(() => state.runs === 2)
  t.deepEqual(state, { runs: 2, running: 1, most: 1 })
})

test.serial('lease: what took longer to get than it lasts is not taken', async (t) => {
  const masters = await startMasters(t)
  const instance = await open(t, masters)
  const grants: boolean[] = []
  const tryAcquire: RedLock['tryAcquire'] = async (resources, ttlMs) => {
    const answer = await instance.lock.tryAcquire(resources, ttlMs)
    grants.push(answer.state === 'held' && answer.validForMs > 0)
    return answer
  }
  const { state, onHeld } = watchedWork()
  await sleepFor(masters, instance, 200)
  openLease(t, { ttlMs: 120, redLock: { ...instance.lock, tryAcquire }, onHeld })
  await until(() => state.running === 1)
  t.false(grants[0])
  t.true(grants.at(-1))
})

test.serial('lease: without a quorum the work runs, and goes on with the lease when the nodes are back', async (t) => {
  const masters = await startMasters(t)
  const { lock, clients } = await open(t, masters)
  await Promise.all(masters.map((master) => master.kill()))
  await connectionsLost(...clients)
  const { state, onHeld } = watchedWork()
  openLease(t, { ttlMs: 400, redLock: lock, onHeld })
  await until(() => state.running === 1, AT_ONCE_MS)
  await Promise.all(masters.map((master) => master.restart()))
  await connected(...clients)
  await until(async () => (await placed(clients, 'lease')) >= 2)
  await pause(500) // and it is extended
  t.true((await placed(clients, 'lease')) >= 2)
  t.deepEqual(state, { runs: 1, running: 1, most: 1 })
})

test.serial('lease: losing the quorum does not end the work; somebody else having the lease then does', async (t) => {
  const masters = await startMasters(t)
  const [{ lock, clients }, other] = await openTwo(t, masters)
  const { state, onHeld } = watchedWork()
  openLease(t, { ttlMs: 600, redLock: lock, onHeld })
  await until(() => state.running === 1)
  await Promise.all([masters[0].kill(), masters[1].kill()])
  await connectionsLost(clients[0], clients[1], other.clients[0], other.clients[1])
  await pause(1_000)
  t.deepEqual(state, { runs: 1, running: 1, most: 1 })
  for (const client of clients) disconnect(client) // it shall not be the first to come back
  await Promise.all([masters[0].restart(), masters[1].restart()])
  await connected(...other.clients)
  const theirs = held(t, await other.lock.acquire(['lease'], TTL_MS, 2_000))
  t.is(state.running, 1)
  await Promise.all(clients.map((client) => client.connect()))
  await until(() => state.running === 0)
  await other.lock.release(theirs.resources, theirs.token)
  await until(() => state.running === 1)
})

test.serial(
  'lease: work that ends by itself, or fails as something is away, gives it back and runs again',
  async (t) => {
    const { lock, clients } = await open(t, await startMasters(t))
    let runs = 0
    const onHeld = async (): Promise<void> => {
      if (++runs === 1) throw new UnavailableError('away')
    }
    const lease = openLease(t, { ttlMs: 200, redLock: lock, onHeld })
    await until(() => runs === 3)
    await lease.stop()
    t.is(await placed(clients, 'lease'), 0)
  },
)

test.serial('lease: a fault of the program in the work is not kept quiet', async (t) => {
  const { lock } = await open(t, await startMasters(t))
  const started = Promise.withResolvers<void>()
  const lease = keepLease({
    name: 'lease',
    ttlMs: 1_000,
    redLock: lock,
    log,
    onHeld: async (signal) => {
      started.resolve()
      await once(signal, 'abort')
      throw new TypeError('a fault')
    },
  })
  lease.start()
  await started.promise
  await t.throwsAsync(lease.stop(), { instanceOf: TypeError })
  t.throws(() => keepLease({ name: 'lease', ttlMs: 1, redLock: lock, log, onHeld: async () => undefined }), {
    instanceOf: RangeError,
  })
})
