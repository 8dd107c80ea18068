/** What the log parser finds of checkouts, and when: everything that is due, however much only waits, and what is late at once. */
import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { openStore, type Store } from '../../order/store.ts'
import { ackedKey } from '../../shared/log/entry.ts'
import { type LogParser, logParser } from '../../shared/saga/log-parser.ts'
import { eventually } from '../support/eventually.ts'
import { type Bench, openBench, plainly, under } from '../support/shop/open-store.ts'

const NEVER = '0 0 0 1 1 *'
const TIMEOUT_MS = 60_000
const HOUR_MS = 3_600_000
/** What is late is looked for twice a second; a machine that is busy needs a second as well. */
const DECIDED_WITHIN_MS = 2_000
/** How long whoever waits for a checkout has to decide it. */
const LATE_MS = 250

type Scene = {
  readonly bench: Bench
  readonly store: Store
  readonly parser: LogParser
  readonly begin: (order: string, timeoutMs?: number) => Promise<void>
  /** When each checkout was decided, by the monotonic clock. */
  readonly decided: Map<string, number>
}

const open = async (t: ExecutionContext): Promise<Scene> => {
  const bench = await openBench()
  const store = openStore(bench.dependencies)
  const decided = new Map<string, number>()
  const parser = logParser({
    log: store.log,
    recovery: store.recovery(({ id }) => decided.set(id, performance.now())),
    subscribers: ['payment'],
    redLock: bench.dependencies.redLock,
    step: bench.dependencies.step,
    leaseTtlMs: 2_000,
    schedule: NEVER,
    retentionMs: HOUR_MS,
    logger: pino({ level: 'silent' }),
  })
  t.teardown(async () => {
    await parser.stop()
    await bench[Symbol.asyncDispose]()
  })
  const begin = async (order: string, timeoutMs = TIMEOUT_MS): Promise<void> => {
    await store.create(order, 'anna', plainly)
    await store.addItem({ order, item: 'tea', quantity: 1, price: 1 }, plainly)
    await store.begin({ log_id: order, order, user: 'anna', token: '', timeout_ms: timeoutMs }, plainly)
  }
  return { bench, store, parser, begin, decided }
}

/** So many checkouts that were cancelled, and that payment has not undone. */
const cancelMany = async ({ store, begin }: Scene, count: number): Promise<void> => {
  const names = Array.from({ length: count }, (_, index) => `undone-${index}`)
  for (let first = 0; first < count; first += 100)
    await Promise.all(
      names.slice(first, first + 100).map(async (name) => {
        await begin(name)
        await store.cancel(name)
      }),
    )
}

test('any number of checkouts that can only wait do not hide one that is late', async (t) => {
  const scene = await open(t)
  await cancelMany(scene, 1_100)
  await scene.begin('late', -LATE_MS - 1)
  const { found } = await scene.parser.run()
  t.is((await scene.store.saga('late'))?.state, 'cancelling')
  t.like(found[0], { log_id: 'late', repair: 'cancel', done: 'cancelled' }, 'what is late comes first')
  t.is(new Set(found.map(({ log_id }) => log_id)).size, found.length, 'none is named twice')
})

test('what is late is decided in the order of the deadlines', async (t) => {
  const { begin, parser, decided } = await open(t)
  for (const [name, lateMs] of [
    ['second', 2_000],
    ['first', 3_000],
    ['third', 1_000],
  ] as const)
    await begin(name, -lateMs)
  await parser.run()
  t.deepEqual([...decided.keys()], ['first', 'second', 'third'])
})

test('all that hangs is emitted again in one run, page after page, and what payment has not applied is left to wait', async (t) => {
  const scene = await open(t)
  const { bench, parser } = scene
  await cancelMany(scene, 1_100)
  const before = Number((await bench.redis.time())[0]) * 1_000 - 10_000
  const hanging = Array.from({ length: 1_050 }, (_, index) => `undone-${index}`)
  await bench.redis.zadd('sagas:open', ...hanging.flatMap((name, index) => [before + index, name]))
  await bench.redis.set(ackedKey('order', 'payment'), `${before + 5_000}-0`)
  const { found } = await parser.run()
  t.is(found.length, 1_000, 'the report is bounded')
  const scores = await bench.redis.zrange('sagas:open', '0', '-1', 'WITHSCORES')
  t.true(Number(scores[1]) > before + 5_000, 'none was left')
  const told = (await bench.redis.keys('saga:*')).map((key) => bench.redis.hexists(key, 'again'))
  t.is((await Promise.all(told)).filter((one) => one === 1).length, hanging.length)
})

test('of those that were spoken of in one millisecond none is left out between two pages', async (t) => {
  const { bench, parser } = await open(t)
  const forgotten = Array.from({ length: 300 }, (_, index) => `forgotten-${index}`)
  await bench.redis.zadd('sagas:open', ...forgotten.flatMap((name) => [7, name]), 8, 'last')
  await bench.redis.set(ackedKey('order', 'payment'), '9-0')
  t.is((await parser.run()).found.length, 301)
  t.is(await bench.redis.zcard('sagas:open'), 0)
})

test('what is late is decided at once, whenever the next run is', async (t) => {
  const { begin, parser, decided } = await open(t)
  parser.start()
  // Begun between these two: a busy machine may tell late that it was.
  const earliest = performance.now() + 400
  await begin('it', 400)
  const deadline = performance.now() + 400
  const at = await eventually(async () => decided.get('it') ?? Promise.reject(new Error('not decided')), 5_000)
  t.log(`decided ${Math.round(at - deadline)} ms after its deadline`)
  t.true(at > earliest + LATE_MS - 50, 'whoever waits for it decides it first')
  t.true(at < deadline + DECIDED_WITHIN_MS, `decided after ${Math.round(at - deadline)} ms`)
})

test('the clock of the Redis was set back: what it had begun before is late, and not for an hour to come', async (t) => {
  const { bench, store, begin, parser, decided } = await open(t)
  await begin('it')
  const ahead = Number(await bench.redis.zscore('sagas:deadlines', 'it')) + HOUR_MS
  t.true(ahead > Date.now())
  await bench.redis.zadd('sagas:deadlines', ahead, 'it')
  await begin('since')
  parser.start()
  await eventually(async () => decided.get('it') ?? Promise.reject(new Error('not decided')), 5_000)
  t.is((await store.saga('it'))?.state, 'cancelling')
  t.is((await store.saga('since'))?.state, 'checking-out')
})

test('a checkout that was decided is late no more, and one that has no record leaves the index', async (t) => {
  const { bench, store, begin, parser } = await open(t)
  await begin('it')
  t.is(await bench.redis.zcard('sagas:deadlines'), 1)
  await store.cancel('it')
  t.is(await bench.redis.zcard('sagas:deadlines'), 0)
  await bench.redis.zadd('sagas:deadlines', 1, 'forgotten')
  t.like((await parser.run()).found[0], { log_id: 'forgotten', repair: 'drop', done: 'dropped' })
  t.is(await bench.redis.zcard('sagas:deadlines'), 0)
})

test('what one retry did under a key is answered to another that found the checkout late meanwhile', async (t) => {
  const { store, begin } = await open(t)
  const { evaluate, retry } = store.recovery(() => t.fail('nothing was decided'))
  await begin('it', 200)
  const { record, nowMs } = await store.log.saga('it', ['payment'])
  const [early, late] = [evaluate(record, nowMs), evaluate(record, nowMs + TIMEOUT_MS)]
  t.deepEqual([early.repair, late.repair], ['wait', 'cancel'])
  t.is(await retry(early, under('once')), 'told')
  t.is(await retry(late, under('once')), 'told')
  t.is((await store.saga('it'))?.state, 'checking-out')
})
