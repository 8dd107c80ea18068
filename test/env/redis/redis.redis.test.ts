import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'
import type { Redis } from 'ioredis'
import type { Part } from '../../../env/local/managed-process.ts'
import { tailLossDetector } from '../../../shared/log/tail-loss.ts'
import { openStep } from '../../../shared/process/step.ts'
import { assertDurable, connect, whenReady } from '../../../shared/redis/connection.ts'
import { sharedScript } from '../../../shared/redis/script.ts'
import { openRedisPart } from '../../support/parts.ts'

const USERS = { owner: 'owner-word', payment: 'payment-word', ids: 'ids-word' }

let dir: string
let part: Part
let close: () => Promise<void>
let asOwner: Redis
let asSubscriber: Redis
let asLocker: Redis

/** As the services connect, which is a test in itself: what a connection needs to become ready is allowed. */
const connectAs = async (user: string, password: string): Promise<Redis> => {
  const redis = connect(`redis://${user}:${password}@127.0.0.1:${part.port}`, 'blocking')
  await whenReady(redis, AbortSignal.timeout(10_000))
  return redis
}

/** As the order service's Redis, with two of its visitors. */
test.before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shop-redis-'))
  const opened = await openRedisPart(dir, {
    REDIS_PASSWORD: USERS.owner,
    VISITOR_PAYMENT_PASSWORD: USERS.payment,
    VISITOR_IDS_PASSWORD: USERS.ids,
  })
  part = opened.part
  close = opened.close
  await part.start()
  asOwner = await connectAs('', USERS.owner)
  asSubscriber = await connectAs('payment', USERS.payment)
  asLocker = await connectAs('ids', USERS.ids)
})

test.after.always(async () => {
  for (const redis of [asOwner, asSubscriber, asLocker]) redis?.disconnect()
  await close()
  await rm(dir, { recursive: true })
})

const FORBIDDEN = /NOPERM|no permission|can't (access|run)/i

test('the owner may do everything, on a Redis that forgets nothing', async (t) => {
  const redis = asOwner
  t.is(await redis.set('user:1', 'x'), 'OK')
  t.is(await redis.eval("return redis.call('INCR', KEYS[1])", 1, 'count'), 1)
  await t.notThrowsAsync(assertDurable(redis))
  t.deepEqual(await redis.config('GET', 'appendfsync'), ['appendfsync', 'always'])
})

for (const [words, refusal] of [
  ['GET user:1', /^-NOAUTH .*\r\n\+OK\r\n$/],
  ['AUTH default', /^-WRONGPASS .*\r\n\+OK\r\n$/],
  ['AUTH payment guess', /^-WRONGPASS .*\r\n\+OK\r\n$/],
] as const)
  test(`nobody gets in without a password: ${words}`, async (t) => {
    // One at a time: Valkey 8.1 swallows the refusal of an AUTH that comes behind a refused command.
    const socket = createConnection({ port: part.port, host: '127.0.0.1' })
    socket.write(`${words}\r\nQUIT\r\n`)
    t.regex(await text(socket), refusal)
  })

test('a subscriber reads the log and reports its own cursor', async (t) => {
  const id = await asOwner.xadd('log:order', '*', 'kind', 'OrderPaid')
  const redis = asSubscriber
  t.is((await redis.xread('COUNT', 1, 'STREAMS', 'log:order', '0'))?.[0]?.[1][0]?.[0], id ?? '')
  t.is((await redis.xrange('log:order', '-', '+')).length, 1)
  t.is((await redis.xrevrange('log:order', '+', '-', 'COUNT', 1)).length, 1)
  t.is(await redis.xlen('log:order'), 1)
  t.true(Array.isArray(await redis.xinfo('STREAM', 'log:order')))
  t.is(await redis.set('heard:order:payment', id ?? ''), 'OK')
  t.is(await redis.get('heard:order:payment'), id)
})

test('a subscriber finds out that a log is gone altogether', async (t) => {
  const memory = tailLossDetector({ publisher: 'stock', redis: asSubscriber, step: openStep('payment') })
  const lost = await memory.compare('5-0')
  t.deepEqual([lost?.after, lost?.until], ['0-0', '5-0'])
})

for (const [user, connected] of [
  ['a subscriber', () => asSubscriber],
  ['a locker', () => asLocker],
] as const)
  test(`${user} holds locks, also by script`, async (t) => {
    const redis = connected()
    const key = `lock:order:${user.length}`
    const script = "return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])"
    t.is(await redis.eval(script, 1, key, 'token', 5_000), 'OK')
    const hash = (await redis.script('LOAD', script)) as string
    t.is(await redis.evalsha(hash, 1, key, 'token', 5_000), null)
    t.is(await redis.get(key), 'token')
    t.is(await redis.pexpire(key, 5_000), 1)
    t.is(await redis.exists(key), 1)
    t.true((await redis.pttl(key)) > 0)
    t.is(await redis.del(key), 1)
    const questions = ['lock', 1, key, 'token', 5_000, 'extend', 1, key, 'token', 5_000, 'release', 1, key, 'token']
    t.deepEqual(await redis.eval(sharedScript('locks'), 0, ...questions), [1, 1, 1])
  })

const actions = {
  'write a user': (redis: Redis) => redis.set('user:1', 'x'),
  'read a user': (redis: Redis) => redis.get('user:1'),
  'write the log': (redis: Redis) => redis.xadd('log:order', '*', 'kind', 'OrderPaid'),
  'trim the log': (redis: Redis) => redis.xtrim('log:order', 'MAXLEN', 0),
  'delete the log': (redis: Redis) => redis.del('log:order'),
  'overwrite the log': (redis: Redis) => redis.set('log:order', 'x'),
  'write the log by a script that names a lock': (redis: Redis) =>
    redis.eval("return redis.call('XADD', 'log:order', '*', 'kind', 'OrderPaid')", 1, 'lock:order:1'),
  'write the log by a script that names no key': (redis: Redis) =>
    redis.eval("return redis.call('XADD', 'log:order', '*', 'kind', 'OrderPaid')", 0),
  'read a user by a script': (redis: Redis) => redis.eval("return redis.call('GET', KEYS[1])", 1, 'user:1'),
  'read a user by a script that names a lock': (redis: Redis) =>
    redis.eval("return redis.call('GET', 'user:1')", 1, 'lock:order:1'),
  "report a peer's cursor": (redis: Redis) => redis.set('heard:order:stock', '0-0'),
  'see all keys': (redis: Redis) => redis.keys('*'),
  'empty the Redis': (redis: Redis) => redis.flushall(),
  'empty the script cache': (redis: Redis) => redis.script('FLUSH'),
  'change a setting': (redis: Redis) => redis.config('SET', 'appendonly', 'no'),
  'make an account': (redis: Redis) => redis.acl('SETUSER', 'friend', 'on', 'nopass', '~*', '+@all'),
  'cut others off': (redis: Redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
  'stop the Redis': (redis: Redis) => redis.call('SHUTDOWN', 'NOSAVE'),
  'speak in a channel': (redis: Redis) => redis.publish('outcomes', 'x'),
} as const

for (const [action, attempt] of Object.entries(actions))
  test(`a visitor cannot ${action}`, async (t) => {
    await t.throwsAsync(async () => attempt(asSubscriber), { message: FORBIDDEN })
    await t.throwsAsync(async () => attempt(asLocker), { message: FORBIDDEN })
  })

test('a locker cannot read the log', async (t) => {
  const redis = asLocker
  await t.throwsAsync(redis.xread('COUNT', 1, 'STREAMS', 'log:order', '0'), { message: FORBIDDEN })
  await t.throwsAsync(redis.set('heard:order:ids', '0-0'), { message: FORBIDDEN })
})

test('a Redis without a password is not started', async (t) => {
  const bare = await openRedisPart(dir, {})
  t.teardown(bare.close)
  await t.throwsAsync(bare.part.start(), { message: /REDIS_PASSWORD: is missing/ })
})
