import test from 'ava'
import { pino } from 'pino'
import { ownMemoryWatch } from '../../../shared/health/memory.ts'
import { openRoom } from '../../../shared/health/room.ts'
import { listed, notReady } from '../../../shared/http/readiness.ts'
import { openBench } from '../../support/shop/open-store.ts'

const MEGABYTE = 1_048_576
const LIMIT = 20 * MEGABYTE

const bench = await openBench(['--appendonly', 'no', '--maxmemory', String(LIMIT)])
const { redis, dependencies } = bench
test.beforeEach(async () => {
  await redis.flushall()
})
test.after.always(async () => bench[Symbol.asyncDispose]())

const open = () => {
  const told: { level: number; percent: number }[] = []
  const logger = pino({ level: 'info' }, { write: (line) => told.push(JSON.parse(line)) })
  return { told, watch: ownMemoryWatch({ redis, step: dependencies.step, logger }) }
}
const fill = (megabytes: number) => redis.setrange('filled', megabytes * MEGABYTE, 'x')

test.serial('a Redis that gets full is told once, and again only after it had room', async (t) => {
  const { told, watch } = open()
  const looks = async (times = 1): Promise<number> => {
    for (let time = 0; time < times; time += 1) await watch.look()
    return told.length
  }
  t.is(await looks(2), 0)
  await fill(15)
  t.is(await looks(3), 1)
  t.is(told[0]?.level, pino.levels.values.warn)
  t.true((told[0]?.percent ?? 0) >= 70)
  await redis.del('filled')
  t.is(await looks(2), 2, 'that there is room again')
  await fill(15)
  t.is(await looks(2), 3)
})

test.serial('one without a limit is never full', async (t) => {
  await redis.config('SET', 'maxmemory', 0)
  try {
    const { told, watch } = open()
    await watch.look()
    t.deepEqual(told, [])
    t.is(watch.check().wrong, undefined)
  } finally {
    await redis.config('SET', 'maxmemory', LIMIT)
  }
})

test.serial('/ready?verbose warns of it, and the service is ready all the same', async (t) => {
  const { watch } = open()
  await watch.look()
  t.is(watch.check().wrong, undefined)
  await fill(15)
  await watch.look()
  const check = watch.check()
  t.regex(check.wrong ?? '', /^its own Redis is \d\d % full$/)
  t.deepEqual(listed([check]), [{ name: 'own-redis-memory', grade: 'warns', wrong: check.wrong }])
  t.is(notReady([check], true), undefined)
})

test.serial(
  'the last twentieth is kept for what is under way, and not given away until there is more again',
  async (t) => {
    const { watch } = open()
    const room = openRoom({ order: watch, payment: { look: async () => undefined, percent: () => 94 } })
    const lacksAt = async (percent: number): Promise<boolean> => {
      const used = Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1])
      await redis.config('SET', 'maxmemory', Math.floor((used * 100) / percent))
      await room.look()
      return room.isLacking()
    }
    try {
      t.is(await lacksAt(90), false)
      t.is(room.check().wrong, undefined)
      t.is(await lacksAt(96), true)
      t.regex(room.check().wrong ?? '', /^nothing new is begun: the Redis of order is 9[567] % full$/)
      t.is(notReady([room.check()], false)?.type, 'urn:shop:problem:impaired')
      t.is(await lacksAt(94), true, 'a little less does not do')
      t.is(await lacksAt(90), false)
    } finally {
      await redis.config('SET', 'maxmemory', LIMIT)
    }
  },
)
