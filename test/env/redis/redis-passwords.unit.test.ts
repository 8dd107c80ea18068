import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'

const run = promisify(execFile)
const SCRIPT = join(import.meta.dirname, '../../../env/redis/redis.sh')

/** Starts a "Redis" that only says that it was started. */
const start = async (environment: Record<string, string>) => {
  const dir = await mkdtemp(join(tmpdir(), 'shop-redis-'))
  try {
    return await run('/bin/sh', [SCRIPT, '--dir', dir], {
      env: { PATH: process.env.PATH, REDIS_SERVER: 'echo', ...environment },
    })
  } finally {
    await rm(dir, { recursive: true })
  }
}

test('a Redis with a password that everybody knows is not started, and says why', async (t) => {
  const error = await t.throwsAsync<Error & { stdout: string; stderr: string }>(
    start({ REDIS_PASSWORD: 'dev-order-owner' }),
  )
  t.regex(error?.stderr ?? '', /REDIS_PASSWORD is one that everybody knows/)
  t.is(error?.stdout, '')
})

test('it is started with a password of its own, and with a known one if one says so', async (t) => {
  t.regex((await start({ REDIS_PASSWORD: 'mine' })).stdout, /redis\.conf/)
  t.regex((await start({ REDIS_PASSWORD: 'dev-order-owner', ALLOW_DEV_PASSWORDS: 'yes' })).stdout, /redis\.conf/)
})
