/** What `redis.sh` does about the folder in which a Redis works. */
import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createPart, type Part } from '../../../env/local/managed-process.ts'
import { takePorts } from '../../../env/local/ports.ts'
import { redisProgram } from '../../../env/local/redis-program.ts'
import { connect, whenReady } from '../../../shared/redis/connection.ts'

const ROOT = join(import.meta.dirname, '../../..')

const makeFolder = async (t: ExecutionContext): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'shop-redis-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** A Redis that was started by the script, on a port of its own. */
const redisIn = async (t: ExecutionContext, dir: string): Promise<Part> => {
  const { ports, release } = await takePorts(1)
  const [port = 0] = ports
  const part = createPart({
    name: 'redis',
    port,
    url: `redis://:word@127.0.0.1:${port}`,
    command: ['/bin/sh', 'env/redis/redis.sh', '--port', String(port), '--bind', '127.0.0.1', '--dir', dir],
    cwd: ROOT,
    environment: { ...process.env, REDIS_SERVER: await redisProgram(), REDIS_PASSWORD: 'word' },
    logFile: join(dir, `log-${port}`),
    readyBy: /Ready to accept connections/,
    restart: false,
    tell: () => undefined,
  })
  t.teardown(async () => {
    await part.stop()
    await release()
  })
  return part
}

const write = async ({ url }: Part, key: string): Promise<string[]> => {
  const redis = connect(url, 'command')
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
