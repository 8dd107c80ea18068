import test, { type ExecutionContext } from 'ava'
import type { Redis } from 'ioredis'
import { lookInto } from '../support/behind.ts'
import { cutTail, transactionsOf, writtenTo } from '../support/older-redis.ts'

import { type RedisServer, startRedis } from '../support/redis-server.ts'

/** Writes two keys in one script: half of it is never seen. */
const PAIR = `redis.call('INCR', 'one'); return redis.call('INCR', 'other')`
const PAIRS = 100

const open = async (t: ExecutionContext): Promise<{ server: RedisServer; redis: Redis }> => {
  const server = await startRedis()
  const redis = lookInto(server)
  t.teardown(async () => {
    redis.disconnect()
    await server.stop()
  })
  for (let pair = 0; pair < PAIRS; pair += 1) await redis.eval(PAIR, 0)
  return { server, redis }
}

const counts = async ({ redis }: { redis: Redis }): Promise<number[]> =>
  (await redis.mget('one', 'other')).map((count) => Number(count ?? 0))

for (const share of [0.05, 0.5, 1])
  test(`a file that is cut by ${share * 100} % holds whole transactions, and those before the cut all`, async (t) => {
    const scene = await open(t)
    await scene.server.kill()
    const before = (await transactionsOf(scene.server.dir)).filter(({ bytes }) => bytes.includes('INCR')).length
    t.is(before, PAIRS)
    const size = await writtenTo(scene.server.dir)
    const lost = await cutTail(scene.server.dir, { share })
    t.true(lost.bytes >= size * share && lost.bytes < size * share + 200)
    const gone = lost.transactions.filter(({ bytes }) => bytes.includes('INCR')).length
    await scene.server.restart()
    t.deepEqual(await counts(scene), [PAIRS - gone, PAIRS - gone])
  })

test('a file is cut back to where it was at a moment, and a torn end counts as lost', async (t) => {
  const scene = await open(t)
  const moment = await writtenTo(scene.server.dir)
  for (let pair = 0; pair < 5; pair += 1) await scene.redis.eval(PAIR, 0)
  await scene.server.kill()
  t.is((await cutTail(scene.server.dir, { position: moment + 40 })).transactions.length, 5)
  t.is(await writtenTo(scene.server.dir), moment)
  await scene.server.restart()
  t.deepEqual(await counts(scene), [PAIRS, PAIRS])
  await scene.redis.eval(PAIR, 0)
  t.deepEqual(await counts(scene), [PAIRS + 1, PAIRS + 1], 'it is written to again')
})
