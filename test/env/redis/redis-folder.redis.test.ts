/** What `redis.sh` does about the folder in which a Redis works. */
import { appendFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Part } from '../../../env/local/managed-process.ts'
import { connect, whenReady } from '../../../shared/redis/connection.ts'
import { makeFolder } from '../../support/folder.ts'
import { openRedisPart } from '../../support/parts.ts'

const redisIn = async (t: ExecutionContext, dir: string): Promise<Part> => {
  const { part, close } = await openRedisPart(dir, { REDIS_PASSWORD: 'word' })
  t.teardown(close)
  return part
}

const write = async ({ port }: Part, key: string): Promise<string[]> => {
  const redis = connect(`redis://:word@127.0.0.1:${port}`, 'command')
  try {
    await whenReady(redis, AbortSignal.timeout(10_000))
    await redis.set(key, 'a value with a zero at its end\0')
    return (await redis.keys('*')).sort()
  } finally {
    redis.disconnect()
  }
}

const newestFile = async (dir: string): Promise<string> => {
  const folder = join(dir, 'appendonlydir')
  const files = (await readdir(folder)).filter((name) => name.endsWith('.incr.aof'))
  return join(folder, files.sort().at(-1) ?? '')
}

const TORN = '*3\r\n$3\r\nSET\r\n$4\r\nlost\r\n$9\r\nhalf'
const ZEROS = '\0'
const tails: [what: string, tail: string][] = [
  ['one zero', ZEROS],
  ['a page of zeros', ZEROS.repeat(4_096)],
  ['more zeros than are looked at together', ZEROS.repeat(200_000)],
  ['a torn command and zeros', `${TORN}${ZEROS.repeat(300)}`],
]
for (const [what, tail] of tails)
  test(`starts on a file that loss of power has left with ${what}, and keeps every command`, async (t) => {
    const dir = await makeFolder(t)
    const redis = await redisIn(t, dir)
    await redis.start()
    await write(redis, 'first')
    await redis.kill()
    await appendFile(await newestFile(dir), tail)
    await redis.start()
    t.deepEqual(await write(redis, 'second'), ['first', 'second'])
    t.regex(await redis.tail(200), /ends with zeros, as after a loss of power/)
    await redis.kill()
    await redis.start()
    t.deepEqual(await write(redis, 'third'), ['first', 'second', 'third'])
  })

test('a second Redis is refused in one sentence, and starts as soon as the first one is killed', async (t) => {
  const dir = await makeFolder(t)
  const [first, second] = [await redisIn(t, dir), await redisIn(t, dir)]
  await first.start()
  await t.throwsAsync(second.start(), { message: new RegExp(`another Redis works in ${dir}: end it first$`) })
  const waiting = second.start()
  await first.kill()
  await t.notThrowsAsync(waiting)
})
