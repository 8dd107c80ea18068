/** How one follows the own log: who waits for what comes next, and what of that it was told is forgotten. */
import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { type FollowOptions, openFollowing } from '../../../shared/log/follow.ts'
import { openStep } from '../../../shared/process/step.ts'
import { connect, disconnect, whenReady } from '../../../shared/redis/connection.ts'
import { writtenTo } from '../../support/faults/older-redis.ts'
import { type Bench, comeBack, openDurable } from '../../support/shop/open-store.ts'

const LOG = 'log:ids'
const fields = ['LockGranted', 'version=1'] as const

/** One that follows, and what it is told next: entries, or where the log ends and what is left of what it was told. */
const openFollower = async (
  t: ExecutionContext,
  bench: Bench,
  wishes: Pick<FollowOptions, 'isAwaited'> & Partial<FollowOptions>,
) => {
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
    ...wishes,
  })
  t.teardown(following.stop)
  const atFirst = nextOf(resumed)
  following.start()
  await atFirst
  return { blocking, entries: () => nextOf(told), resumed: () => nextOf(resumed) }
}

const append = ({ redis }: Bench) => redis.xadd(LOG, '*', ...fields)

test('what is left of what was told is said, whatever was appended to it since', async (t) => {
  const bench = await openDurable(t)
  const kept = await append(bench)
  const { blocking, entries, resumed } = await openFollower(t, bench, { isAwaited: () => true })

  const position = await writtenTo(bench.server.dir)
  const news = entries()
  const forgotten = await append(bench)
  t.deepEqual(await news, [forgotten])
  // It is away while the Redis comes back and is written to.
  blocking.disconnect()
  await comeBack(bench, position)
  const since = await append(bench)
  const [again, after] = [resumed(), entries()]
  await blocking.connect()
  t.deepEqual(await again, [since, kept])
  t.deepEqual(await after, [since])
})

test('entries are told at once while somebody waits for them, and gather while nobody does', async (t) => {
  const bench = await openDurable(t)
  let isAwaited = true
  let readBy = 0
  const steps: string[] = []
  const step = openStep('ids')
  const { entries } = await openFollower(t, bench, {
    isAwaited: () => {
      readBy = steps.length
      return isAwaited
    },
    gatherMs: 3_600_000,
    step: (name, run) => {
      steps.push(name)
      return step(name, run)
    },
  })
  for (const awaited of [true, true, false]) {
    isAwaited = awaited
    const next = entries()
    const appended = await append(bench)
    t.deepEqual(await next, [appended])
  }
  await append(bench)
  t.is(steps.length, readBy)
})
