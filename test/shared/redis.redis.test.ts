import test from 'ava'
import { UnavailableError } from '../../shared/errors.ts'
import { COMMAND_TIMEOUT_MS, connect, disconnect, whenReady } from '../../shared/redis.ts'
import { openStep } from '../../shared/step.ts'
import { away } from '../support/eventually.ts'
import { startRedis } from '../support/redis-server.ts'

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
