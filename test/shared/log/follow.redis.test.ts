/** Who follows the own log learns what of that it was told is forgotten, also if others have appended since. */
import test from 'ava'
import { pino } from 'pino'
import { openFollowing } from '../../../shared/log/follow.ts'
import { openStep } from '../../../shared/process/step.ts'
import { connect, disconnect, whenReady } from '../../../shared/redis/connection.ts'
import { writtenTo } from '../../support/faults/older-redis.ts'
import { comeBack, openDurable } from '../../support/shop/open-store.ts'

const LOG = 'log:ids'
const fields = ['LockGranted', 'version=1'] as const

test('what is left of what was told is said, whatever was appended to it since', async (t) => {
  const bench = await openDurable(t)
  const append = () => bench.redis.xadd(LOG, '*', ...fields)
  const kept = await append()
  const blocking = connect(bench.server.url, 'blocking')
  t.teardown(() => disconnect(blocking))
  await whenReady(blocking)

  const resumed: ((at: readonly [newest: string, left: string]) => void)[] = []
  const told: ((ids: readonly string[]) => void)[] = []
  const nextOf = <Value>(waiting: ((value: Value) => void)[]) => new Promise<Value>((resolve) => waiting.push(resolve))
  const following = openFollowing({
    service: 'ids',
    blocking,
    step: openStep('ids'),
    logger: pino({ level: 'silent' }),
    onEntries: (entries) => told.shift()?.(entries.map(([id]) => id)),
    onResumed: (newest, left) => resumed.shift()?.([newest, left]),
  })
  t.teardown(following.stop)
  const atFirst = nextOf(resumed)
  following.start()
  t.deepEqual(await atFirst, [kept, kept])

  const position = await writtenTo(bench.server.dir)
  const news = nextOf(told)
  const forgotten = await append()
  t.deepEqual(await news, [forgotten])
  // It is away while the Redis comes back and is written to.
  blocking.disconnect()
  await comeBack(bench, position)
  const since = await append()
  const [again, after] = [nextOf(resumed), nextOf(told)]
  await blocking.connect()
  t.deepEqual(await again, [since, kept])
  t.deepEqual(await after, [since])
})
