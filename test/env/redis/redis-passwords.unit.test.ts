import test, { type ExecutionContext } from 'ava'
import { makeFolder } from '../../support/folder.ts'
import { run } from '../../support/program.ts'

/** Starts a "Redis" that only says that it was started. */
const start = async (t: ExecutionContext, environment: Record<string, string>) =>
  run(t, ['env/redis/redis.sh', '--dir', await makeFolder(t)], {
    command: '/bin/sh',
    env: { PATH: process.env.PATH, REDIS_SERVER: 'echo', ...environment },
  })

test('a Redis with a password that everybody knows is not started, and says why', async (t) => {
  const { code, output, errors } = await start(t, { REDIS_PASSWORD: 'dev-order-owner' })
  t.not(code, 0)
  t.regex(errors, /REDIS_PASSWORD is one that everybody knows/)
  t.is(output, '')
})

test('it is started with a password of its own, and with a known one if one says so', async (t) => {
  for (const environment of [
    { REDIS_PASSWORD: 'mine' },
    { REDIS_PASSWORD: 'dev-order-owner', ALLOW_DEV_PASSWORDS: 'yes' },
  ]) {
    const { code, output } = await start(t, environment)
    t.is(code, 0)
    t.regex(output, /redis\.conf/)
  }
})
