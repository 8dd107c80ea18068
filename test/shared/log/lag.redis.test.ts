/** A reader lags by what it is to apply and has not, and not by how long nothing happened. */
import test from 'ava'
import { openStore } from '../../../payment/store.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { ENTRIES_MAX, openLag } from '../../../shared/log/lag.ts'
import { connect, disconnect } from '../../../shared/redis/connection.ts'
import { openBench } from '../../support/shop/open-store.ts'

const bench = await openBench()
const { redis } = bench
test.after.always(() => bench[Symbol.asyncDispose]())
test.serial.beforeEach(() => redis.flushall())

const { log } = openStore(bench.dependencies)
const { step } = bench.dependencies
const lag = openLag({ log, publisher: 'order', redis, step })
const append = (id: string, kind = 'CheckoutStarted') => redis.xadd('log:order', id, kind, 'version=1')
const applied = (id: string) => redis.hset('cursors', 'order', id)
const ago = (ms: number): string => `${Date.now() - ms}-0`

test.serial('a log that has nothing, or nothing more, is not lagged behind', async (t) => {
  t.like(await lag(), { cursor: '0-0', newest: '0-0', ms: 0, entries: 0 })
  const id = ago(5_000)
  await append(id)
  await applied(id)
  t.like(await lag(), { cursor: id, newest: id, ms: 0, entries: 0 })
})

test.serial('the first entry after an hour is as old as it is, and no hour', async (t) => {
  const long = ago(3_600_000)
  await append(long)
  await applied(long)
  await append(ago(200))
  const { ms, entries } = await lag()
  t.is(entries, 1)
  t.true(ms !== null && ms >= 200 && ms < 60_000, `${ms}`)
})

test.serial('one that waits grows older although nothing comes behind it', async (t) => {
  await append(ago(9_000))
  const { ms, entries } = await lag()
  t.is(entries, 1)
  t.true(ms !== null && ms >= 9_000, `${ms}`)
})

test.serial('what is passed over does not count', async (t) => {
  await append(ago(9_000), 'OrderCreated')
  t.like(await lag(), { ms: 0, entries: 0 })
  await append(ago(100))
  const { ms, entries } = await lag()
  t.is(entries, 1)
  t.true(ms !== null && ms < 9_000, `${ms}`)
})

test.serial('no more are counted than a bound', async (t) => {
  const write = redis.pipeline()
  for (let at = 1; at <= ENTRIES_MAX + 10; at += 1) write.xadd('log:order', `${at}-0`, 'CheckoutStarted', 'version=1')
  await write.exec()
  t.is((await lag()).entries, ENTRIES_MAX)
})

test.serial('of a publisher that cannot be asked nothing is known, and that is told at once', async (t) => {
  const nobody = connect('redis://127.0.0.1:1', 'lock')
  t.teardown(() => disconnect(nobody))
  await applied('7-0')
  t.deepEqual(await openLag({ log, publisher: 'order', redis: nobody, step })(), {
    cursor: '7-0',
    newest: null,
    ms: null,
    entries: null,
  })
})

test.serial('without its own cursor nothing is told', async (t) => {
  const away = { ...log, cursor: async () => Promise.reject(new UnavailableError('away')) }
  await t.throwsAsync(openLag({ log: away, publisher: 'order', redis, step })(), { instanceOf: UnavailableError })
})
