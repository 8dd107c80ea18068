/** How much wants to be done is told truly, at a cost that does not grow with it. */
import test from 'ava'
import { openStore } from '../../../order/store.ts'
import { type Metrics, openMetrics } from '../../../shared/metrics/metrics.ts'
import { LOOKED_AT_MAX, openSagaGauges, UNREAD } from '../../../shared/saga/gauges.ts'
import { parseExposition, toldOf } from '../../support/exposition.ts'
import { beginCart, openCart } from '../../support/shop/cart.ts'
import { openBench } from '../../support/shop/open-store.ts'

const bench = await openBench()
const { redis } = bench
test.after.always(() => bench[Symbol.asyncDispose]())
test.serial.beforeEach(() => redis.flushall())

const open = (): Metrics => {
  const metrics = openMetrics((_, error) => {
    throw error
  })
  const store = openStore(bench.dependencies)
  const peers = {
    readers: async () =>
      [
        {
          publisher: 'payment',
          cursor: '0-0',
          newest: '1-0',
          ms: 1_500,
          entries: 3,
          isFollowing: true,
          unreachedMs: 0,
        },
        {
          publisher: 'stock',
          cursor: '0-0',
          newest: null,
          ms: null,
          entries: null,
          isFollowing: false,
          unreachedMs: 7_000,
        },
      ] as const,
  }
  openSagaGauges({
    log: store.log,
    recovery: store.recovery(() => undefined),
    peers,
    step: bench.dependencies.step,
    metrics,
  })
  return metrics
}
const scrape = async (metrics: Metrics) => parseExposition((await metrics.scrape())?.text ?? '')
const metrics = open()

test.serial('a shop at rest has nothing that wants to be done, and says so', async (t) => {
  const told = await scrape(metrics)
  for (const state of ['submitted', 'checking-out', 'cancelling', 'granted'])
    t.is(toldOf(told, 'shop_sagas_open', { state }), 0, state)
  for (const name of ['shop_sagas_overdue', 'shop_dead_letters', 'shop_lost_tails_total'])
    t.is(toldOf(told, name), 0, name)
})

test.serial('a checkout is open in its state, and overdue a while after its deadline', async (t) => {
  const store = openStore(bench.dependencies)
  await openCart(store)
  await beginCart(store)
  const open = async () => toldOf(await scrape(metrics), 'shop_sagas_open', { state: 'checking-out' })
  const overdue = async () => toldOf(await scrape(metrics), 'shop_sagas_overdue')
  t.deepEqual([await open(), await overdue()], [1, 0])
  await redis.zadd('sagas:deadlines', Date.now() - 100, 'it')
  t.is(await overdue(), 0)
  await redis.zadd('sagas:deadlines', Date.now() - 1_000, 'it')
  t.is(await overdue(), 1)
  // The clock was set back since: farther ahead no deadline is.
  await redis.zadd('sagas:deadlines', Date.now() + 600_000, 'it')
  t.is(await overdue(), 1)
})

test.serial('letters count while they wait, and lost tails for ever', async (t) => {
  for (const entry of ['1-1', '1-2', '1-3']) await redis.xadd('dead:order', entry, 'speaker', 'payment')
  await redis.hset('dead:order:applied', '1-1', '1 done')
  await redis.hset('dead:order:dismissed', '1-2', '1')
  await redis.xadd('lost:order', '*', 'tail', '{}')
  await redis.xadd('lost:order', '*', 'tail', '{}')
  await redis.xtrim('lost:order', 'MAXLEN', 0)
  const told = await scrape(metrics)
  t.deepEqual([toldOf(told, 'shop_dead_letters'), toldOf(told, 'shop_lost_tails_total')], [1, 2])
})

test.serial('a publisher that does not answer lags for as long as it does not', async (t) => {
  const told = await scrape(metrics)
  const of = (name: string, publisher: string) => toldOf(told, `shop_log_reader_lag_${name}`, { publisher })
  t.deepEqual([of('seconds', 'payment'), of('entries', 'payment')], [1.5, 3])
  t.deepEqual([of('seconds', 'stock'), of('entries', 'stock')], [7, undefined])
})

/** What a script of this length may keep a Redis from; a busy machine is slower. */
const SCRIPT_MS = 10
const MANY = 10_000

test.serial('of many unfinished sagas the stalest are looked at, the others only counted', async (t) => {
  const write = redis.pipeline()
  for (let at = 0; at < MANY; at += 1) {
    write.zadd('sagas:open', at, `s${at}`)
    write.hset(`saga:s${at}`, 'state', at % 2 === 0 ? 'cancelling' : 'granted')
  }
  await write.exec()
  let least = Number.POSITIVE_INFINITY
  let told = await scrape(metrics)
  for (let times = 0; times < 10; times += 1) {
    await redis.config('RESETSTAT')
    told = await scrape(metrics)
    const [, usec = '0'] = /cmdstat_eval\w*:calls=\d+,usec=(\d+)/.exec(await redis.info('commandstats')) ?? []
    least = Math.min(least, Number(usec) / 1_000)
  }
  const open = (state: string) => toldOf(told, 'shop_sagas_open', { state })
  t.deepEqual(
    [open('cancelling'), open('granted'), open('submitted'), open(UNREAD)],
    [LOOKED_AT_MAX / 2, LOOKED_AT_MAX / 2, 0, MANY - LOOKED_AT_MAX],
  )
  t.log(`the script takes ${least} ms of ${MANY}`)
  t.true(least > 0 && least < SCRIPT_MS, `${least} ms`)
})
