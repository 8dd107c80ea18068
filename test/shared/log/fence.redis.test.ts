import { setTimeout as after } from 'node:timers/promises'
import test from 'ava'
import { addItem } from '../../../order/commands.ts'
import { openStore } from '../../../order/store.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { FRESH_MS, openFence } from '../../../shared/log/fence.ts'
import { runner } from '../../../shared/log/runner.ts'
import type { Once, Reply } from '../../../shared/redis/script.ts'
import { lookInto } from '../../support/shop/behind.ts'
import { openBench, plainly, teller, under } from '../../support/shop/open-store.ts'

const bench = await openBench()
const { redis, step } = bench.dependencies
const store = openStore(bench.dependencies)
const behind = lookInto(bench.server)

test.serial.beforeEach(() => redis.flushall())
test.after.always(async () => {
  behind.disconnect()
  await bench[Symbol.asyncDispose]()
})

const line = { order: 'cart', item: 'tea', quantity: 2, price: 15 }
const { runFenced } = runner(store.log)
/** The same with a reading of the time that the request brings. */
const addAsRead = (once: Once, readMs: number) =>
  runFenced(addItem, { log_id: bench.dependencies.identifiers.next(), ...line }, { ...once, readMs })
const total = async (): Promise<number | undefined> => (await store.find('cart'))?.total_cost
const timesRead = async (): Promise<number> =>
  Number(/^cmdstat_time:calls=(\d+)/m.exec(await behind.info('commandstats'))?.[1] ?? 0)

test.serial('a command runs within a second of the reading that it brings, and no later', async (t) => {
  await store.create('cart', 'anna', plainly)
  const addAt = (readMs: number) => addAsRead(under('a'), readMs)
  const now = await store.readMs()
  t.deepEqual(await addAt(now - FRESH_MS - 1), ['late'])
  t.is(await total(), 0)
  t.deepEqual(await addAt(now + FRESH_MS), ['late'], 'the clock of the Redis went back')
  t.is(await total(), 0)
  t.deepEqual(await addAt(now), ['added', '15'])
  t.deepEqual(await addAt(now - FRESH_MS - 1), ['added', '15'], 'that it was late is not remembered')
})

test.serial('what was answered under a key is told again, however late it is asked for', async (t) => {
  await store.create('cart', 'anna', plainly)
  await store.addItem(line, under('a'))
  t.deepEqual(await addAsRead(under('a'), 1), ['added', '15'])
  t.is(await total(), 30)
})

test.serial('what was refused in passing under a key is not done by whoever was asked for it before', async (t) => {
  await store.create('cart', 'anna', plainly)
  await store.addItem(line, plainly)
  await store.begin({ log_id: 'it', order: 'cart', user: 'anna', token: '', timeout_ms: 60_000 }, plainly)
  const readMs = await store.readMs()
  t.deepEqual(await store.addItem(line, under('a')), ['closed', 'checking-out'])
  const facts = { order: 'cart', user: 'anna', total: 30, lines: 'tea:2', reason: 'out-of-stock', item: 'tea' }
  await teller(store.log)('payment', 'CreditVoided', 'it', facts)
  t.deepEqual(await addAsRead(under('a'), readMs), ['late'])
  t.is(await total(), 30)
  t.deepEqual(await addAsRead(under('b'), readMs), ['added', '15'], 'another key is another request')
  t.deepEqual(await store.addItem(line, under('a')), ['added', '15'], 'asked again, it is done')
})

test.serial('a request is refused for good only if it was not done elsewhere meanwhile', async (t) => {
  await store.create('cart', 'anna', plainly)
  const readMs = await store.readMs()
  t.is(await store.refuse(addItem.returns, under('a')), undefined)
  t.deepEqual(await addAsRead(under('a'), readMs), ['late'])
  await store.addItem(line, under('b'))
  t.deepEqual(await store.refuse(addItem.returns, under('b')), ['added', '15'])
  t.deepEqual(await store.refuse(addItem.returns, under('b', 'POST /other')), ['key-reused'])
  t.is(await store.refuse(addItem.returns, plainly), undefined)
  t.is(await total(), 30)
})

test.serial('what was answered under a key can be recalled, by the same request only', async (t) => {
  await store.create('cart', 'anna', plainly)
  t.is(await store.recall(addItem.returns, under('a')), undefined)
  await store.refuse(addItem.returns, under('a'))
  t.is(await store.recall(addItem.returns, under('a')), undefined, 'what is told in passing is no answer')
  await store.addItem(line, under('a'))
  t.deepEqual(await store.recall(addItem.returns, under('a')), ['added', '15'])
  t.deepEqual(await store.recall(addItem.returns, under('a', 'POST /other')), ['key-reused'])
  t.is(await store.recall(addItem.returns, plainly), undefined)
})

test.serial('nothing is done under a key for whom has gone', async (t) => {
  await store.create('cart', 'anna', plainly)
  await t.throwsAsync(store.addItem(line, { ...under('a'), isGone: () => true }), { instanceOf: UnavailableError })
  t.is(await total(), 0)
})

test.serial('whoever is late reads the time again, and looks again whether anybody waits', async (t) => {
  const fence = openFence({ redis, step })
  const readings: (number | undefined)[] = []
  let looked = 0
  const once = {
    ...under('a'),
    isGone: () => {
      looked += 1
      return false
    },
  }
  const lateTwice = async (readMs: number | undefined): Promise<[Reply]> => [
    [readings.push(readMs) < 3 ? 'late' : 'done'],
  ]
  t.deepEqual(await fence.within(once, lateTwice), [['done']])
  t.deepEqual([readings.length, looked, readings.includes(undefined)], [3, 3, false])
  await t.throwsAsync(
    fence.within(once, async (): Promise<[Reply]> => [['late']]),
    { instanceOf: UnavailableError },
  )
})

test.serial('without a key nothing is read, and a reading that is brought is used once', async (t) => {
  const fence = openFence({ redis, step })
  const before = await timesRead()
  const ask = async (readMs: number | undefined): Promise<[Reply]> => [['late', String(readMs)]]
  t.deepEqual(await fence.within(plainly, ask), [['late', 'undefined']])
  t.deepEqual(await fence.within({ ...plainly, readMs: 7 }, ask), [['late', '7']])
  t.is(await timesRead(), before)
})

test.serial('whoever asks in one turn of the event loop shares a reading', async (t) => {
  const fence = openFence({ redis, step })
  const before = await timesRead()
  const [first, second] = await Promise.all([fence.read(), fence.read()])
  t.is(first, second)
  t.is(await timesRead(), before + 1)
  await fence.read()
  t.is(await timesRead(), before + 2)
})

test.serial('a reading that was long under way is not used', async (t) => {
  const fence = openFence({ redis, step })
  const before = await timesRead()
  bench.server.freeze()
  const reading = fence.read()
  await after(500)
  bench.server.thaw()
  await reading
  t.is(await timesRead(), before + 2)
})
