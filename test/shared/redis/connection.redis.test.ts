import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'ava'
import { UnavailableError, UnsafeRedisError } from '../../../shared/errors.ts'
import { openStep } from '../../../shared/process/step.ts'
import {
  assertDurable,
  COMMAND_TIMEOUT_MS,
  connect,
  disconnect,
  giveUp,
  whenReady,
} from '../../../shared/redis/connection.ts'
import { away, eventually } from '../../support/eventually.ts'
import { startRedis } from '../../support/shop/redis-server.ts'

/** What a time-out may be late by on a busy machine; another wait behind others would be longer. */
const LATE_MS = 500

const step = openStep('test')

test('who asks a frozen Redis is told in time, also who asks behind others', async (t) => {
  const server = await startRedis({ args: ['--appendonly', 'no'] })
  const redis = connect(server.url, 'command')
  t.teardown(async () => {
    disconnect(redis)
    await server.stop()
  })
  await whenReady(redis)
  server.freeze()
  const ask = async (): Promise<number> => {
    const startedAt = performance.now()
    await t.throwsAsync(
      step('get', () => redis.get('key')),
      { instanceOf: UnavailableError },
    )
    return performance.now() - startedAt
  }
  const first = ask()
  await away(100)
  for (const ms of await Promise.all([first, ask(), ask()]))
    t.true(ms < COMMAND_TIMEOUT_MS + LATE_MS, `told after ${Math.round(ms)} ms`)
  server.thaw()
  t.is(await step('get', () => redis.get('key')), null)
})

/** What is told of a connection, in order. */
const watchedBy = (told: string[]) => (state: string, error?: Error) =>
  void told.push(`${state}: ${error?.message ?? ''}`)

test('a node that has become a replica refuses writes as the world does, and the connection is made anew', async (t) => {
  const server = await startRedis({ args: ['--appendonly', 'no'] })
  const told: string[] = []
  const redis = connect(server.url, 'command', watchedBy(told))
  const blocking = connect(server.url, 'blocking')
  t.teardown(async () => {
    disconnect(redis)
    disconnect(blocking)
    await server.stop()
  })
  await Promise.all([whenReady(redis), whenReady(blocking)])
  const id = await redis.client('ID')
  const waiting = t.throwsAsync(
    step('xread', () => blocking.xread('BLOCK', 5_000, 'STREAMS', 'log', '$')),
    { instanceOf: UnavailableError },
  )
  while (!(await redis.info('clients')).includes('blocked_clients:1')) await away(5)
  await redis.replicaof('127.0.0.1', '1')
  await waiting
  await t.throwsAsync(
    step('incr', () => redis.incr('count')),
    { instanceOf: UnavailableError },
  )
  await Promise.all([once(redis, 'ready'), whenReady(blocking)])
  t.not(await redis.client('ID'), id)
  t.regex(told[0] ?? '', /^lost/)
  await redis.replicaof('NO', 'ONE')
  t.is(await step('incr', () => redis.incr('count')), 1, 'what was refused was not sent again')
})

for (const [name, url, reason] of [
  ['a wrong password', (port: number) => `redis://payment:guess@127.0.0.1:${port}`, /WRONGPASS/],
  ['nobody who listens', () => 'redis://127.0.0.1:1', /ECONNREFUSED/],
] as const)
  test(`a connection that cannot be made says why, now and again: ${name}`, async (t) => {
    const server = await startRedis({ args: ['--appendonly', 'no'] })
    const told: string[] = []
    const redis = connect(url(server.port), 'blocking', watchedBy(told))
    t.teardown(async () => {
      disconnect(redis)
      await server.stop()
    })
    const startedAt = performance.now()
    await eventually(async () => assert.ok(told.length >= 3), 10_000)
    t.true(performance.now() - startedAt > 1_900, 'once a second at most')
    for (const one of told) t.regex(one, reason)
    t.true(told.every((one) => one.startsWith('away')))
  })

test('a connection that comes to nothing is given up and made anew', async (t) => {
  const server = await startRedis({ args: ['--appendonly', 'no'] })
  server.freeze()
  const told: string[] = []
  const redis = connect(server.url, 'blocking', watchedBy(told))
  t.teardown(async () => {
    disconnect(redis)
    await server.stop()
  })
  await eventually(async () => assert.ok(told.length > 0), 10_000)
  t.regex(told[0] ?? '', /away: was not ready/)
  server.thaw()
  await whenReady(redis)
  t.is(told.at(-1), 'back: ')
})

test('a connection that is given up with what is asked on it is no loss; one that is lost after it was made anew is', async (t) => {
  const server = await startRedis({ args: ['--appendonly', 'no'] })
  const told: string[] = []
  const redis = connect(server.url, 'blocking', watchedBy(told))
  t.teardown(async () => {
    disconnect(redis)
    await server.stop()
  })
  await whenReady(redis)
  const asked = t.throwsAsync(redis.xread('BLOCK', 0, 'STREAMS', 'log', '$'))
  giveUp(redis)
  await asked
  await once(redis, 'ready')
  t.deepEqual(told, [])
  const lost = once(redis, 'close')
  await server.stop()
  await lost
  t.regex(told[0] ?? '', /^lost/)
})

test('a Redis that does not let its settings be read may forget', async (t) => {
  await using server = await startRedis({ args: ['--rename-command', 'CONFIG', ''] })
  const redis = connect(server.url, 'command')
  t.teardown(() => redis.disconnect())
  await whenReady(redis)
  await t.throwsAsync(assertDurable(redis), { instanceOf: UnsafeRedisError, message: /appendfsync cannot be read/ })
})
