import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { openStore as openOrder } from '../../../order/store.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { redLock } from '../../../shared/lock/redlock.ts'
import { ackedKey } from '../../../shared/log/entry.ts'
import type { Log } from '../../../shared/log/log.ts'
import { openStep } from '../../../shared/process/step.ts'
import { connect, disconnect, whenReady } from '../../../shared/redis/connection.ts'
import { type LogParser, type LogParserOptions, logParser } from '../../../shared/saga/log-parser.ts'
import { repairFor } from '../../../shared/saga/recovery.ts'
import { openStore as openStock } from '../../../stock/store.ts'
import { eventually } from '../../support/eventually.ts'
import { type Bench, openBench, plainly } from '../../support/shop/open-store.ts'

const NEVER = '0 0 0 1 1 *'
const HOUR_MS = 3_600_000
/** The page of a survey that finds nothing. */
const NOTHING = { findings: [], next: undefined }

type Options = Partial<LogParserOptions> & { readonly log: Log }

/** A log parser with a RedLock of its own, as another replica would have; by default nothing is to be repaired. */
const open = async (t: ExecutionContext, bench: Bench, options: Options): Promise<LogParser & { logged: string[] }> => {
  const logged: string[] = []
  const master = connect(bench.server.url, 'lock')
  await whenReady(master)
  const lock = redLock([master])
  const parser = logParser({
    recovery: undefined,
    subscribers: [],
    redLock: lock,
    step: openStep('test'),
    leaseTtlMs: 30_000,
    schedule: NEVER,
    retentionMs: HOUR_MS,
    logger: pino({ level: 'debug' }, { write: (line) => logged.push(line) }),
    ...options,
  })
  t.teardown(async () => {
    await parser.stop()
    lock.close()
    disconnect(master)
  })
  return { ...parser, logged }
}

const bench = async (t: ExecutionContext): Promise<Bench> => {
  const opened = await openBench()
  t.teardown(() => opened[Symbol.asyncDispose]())
  return opened
}

/** A recovery that finds nothing, and tells when it was asked. */
const counting = () => {
  let times = 0
  const second = Promise.withResolvers<void>()
  const survey = async () => {
    times += 1
    if (times === 2) second.resolve()
    return NOTHING
  }
  return { recovery: { survey, repair: async () => '' }, times: () => times, second: second.promise }
}

test('the repair is that of the first row whose facts all hold, and a table must have one', (t) => {
  const table = [
    [{ state: 'open', silent: 'yes' }, 'tell'],
    [{ state: 'open' }, 'wait'],
  ] as const
  t.is(repairFor(table, { state: 'open', silent: 'yes' }), 'tell')
  t.is(repairFor(table, { state: 'open', silent: 'no' }), 'wait')
  t.throws(() => repairFor(table, { state: 'other', silent: 'no' }), { message: /recovery\.table/ })
})

test('a run that finds nothing says so, in the same shape', async (t) => {
  const one = await bench(t)
  const { log } = openStock(one.dependencies)
  const parser = await open(t, one, { log })
  t.deepEqual(await parser.run(), {
    service: 'stock',
    found: [],
    lost_tails: [],
    trimmed: 0,
    dead_letters: 0,
    contradictions: [],
  })
})

test('a run does what each finding calls for, and tells what came of it', async (t) => {
  const one = await bench(t)
  const store = openOrder(one.dependencies)
  const decided: string[] = []
  const recovery = store.recovery(({ id }) => decided.push(id))
  await store.create('cart', 'anna', plainly)
  await store.addItem({ order: 'cart', item: 'tea', quantity: 1, price: 1 }, plainly)
  await store.begin({ log_id: 'late', order: 'cart', user: 'anna', token: '', timeout_ms: -1_000 }, plainly)
  await one.redis.zadd('sagas:open', 1, 'forgotten')
  const parser = await open(t, one, { log: store.log, recovery: recovery })
  const facts = { deadline: 'past', silent: 'yes', heard: 'no' }
  t.deepEqual((await parser.run()).found, [
    {
      log_id: 'late',
      facts: { ...facts, state: 'checking-out', silent: 'no' },
      repair: 'cancel',
      done: 'cancelled',
    },
    { log_id: 'forgotten', facts: { ...facts, state: 'absent' }, repair: 'drop', done: 'dropped' },
  ])
  t.deepEqual(decided, ['late'])
  t.is((await store.find('cart'))?.status, 'cancelling')
  const [again, ...others] = (await parser.run()).found
  t.deepEqual([again?.log_id, again?.repair, again?.done, others], ['late', 'wait', 'waiting', []])
})

test('a run names what only a person can mend, and counts the dead letters', async (t) => {
  const one = await bench(t)
  const { log } = openStock(one.dependencies)
  await log.apply('payment', '0-0', [['5-0', ['kind', 'CreditHeld']]])
  const recovery = { survey: async () => NOTHING, repair: async () => '', contradictions: async () => ['cart'] }
  const report = await (await open(t, one, { log, recovery })).run()
  t.deepEqual([report.dead_letters, report.contradictions], [1, ['cart']])
})

test('a run tells what publishers were noticed to have lost', async (t) => {
  const one = await bench(t)
  const { log } = openStock(one.dependencies)
  const tail = { speaker: 'payment', noticed: new Date().toISOString(), after: '5-0', until: '9-0' } as const
  await log.recordTailLoss({ ...tail, unnamed_until: null, entries: [] })
  const parser = await open(t, one, { log })
  t.deepEqual((await parser.run()).lost_tails, [{ ...tail, unnamed_until: null, entries: [] }])
  t.is((await parser.run()).lost_tails.length, 1)
})

test('a fault of the program ends the run with its error', async (t) => {
  const one = await bench(t)
  const { log } = openStock(one.dependencies)
  const survey = async (): Promise<never> => {
    throw new TypeError('a fault')
  }
  const parser = await open(t, one, { log, recovery: { survey, repair: async () => '' } })
  await t.throwsAsync(parser.run(), { instanceOf: TypeError })
  t.is(await one.redis.exists('lock:parser:stock'), 0, 'the lease was given back')
})

test('a run trims by age, and never what a subscriber has not applied', async (t) => {
  const one = await bench(t)
  const { log } = openStock(one.dependencies)
  const now = Number((await one.redis.time())[0]) * 1_000
  const ids = [3, 2, 0].map((hours) => `${now - hours * HOUR_MS}-0`)
  for (const id of ids) await one.redis.xadd('log:stock', id, 'kind', 'StockAdded')
  const parser = await open(t, one, { log, subscribers: ['order', 'payment'] })
  await one.redis.hset('sagas:survey', 'survey-1', `${ids[2]} 1 `)
  await one.redis.set(ackedKey('stock', 'order'), ids[2] ?? '')
  t.is((await parser.run()).trimmed, 0)
  await one.redis.set(ackedKey('stock', 'payment'), ids[1] ?? '')
  t.is((await parser.run()).trimmed, 1)
  await one.redis.set(ackedKey('stock', 'payment'), ids[2] ?? '')
  t.is((await parser.run()).trimmed, 1)
  t.is(await log.count(), 1)
})

test('of two log parsers of a service one runs; a run on request waits for it and runs then', async (t) => {
  const one = await bench(t)
  const { log } = openStock(one.dependencies)
  const entered = Promise.withResolvers<void>()
  const leave = Promise.withResolvers<void>()
  const first = await open(t, one, {
    log,
    recovery: {
      survey: async () => {
        entered.resolve()
        await leave.promise
        return NOTHING
      },
      repair: async () => '',
    },
  })
  const counted = counting()
  const second = await open(t, one, { log, recovery: counted.recovery })
  const running = first.run()
  await entered.promise
  t.is(await one.redis.exists('lock:parser:stock'), 1)
  second.start()
  const asked = second.run()
  // The run of the start is over, for runs of one parser come one after the other; it did nothing.
  await eventually(async () => {
    if ((await one.redis.exists('lock:parser:stock')) !== 1) throw new Error('the lease is gone')
  }, 1_000)
  t.is(counted.times(), 0)
  leave.resolve()
  await running
  t.is((await asked).service, 'stock')
  t.is(counted.times(), 1)
  t.is(await one.redis.exists('lock:parser:stock'), 0)
})

test('a run on request that cannot have the lease in time says so', async (t) => {
  const one = await bench(t)
  const { log } = openStock(one.dependencies)
  await one.redis.set('lock:parser:stock', 'somebody', 'PX', 60_000)
  const counted = counting()
  const parser = await open(t, one, { log, recovery: counted.recovery })
  await t.throwsAsync(parser.run(), { instanceOf: UnavailableError, message: /running in another replica/ })
  t.is(counted.times(), 0)
})

test('without a quorum for the lease it runs all the same: two at once are never wrong', async (t) => {
  const one = await bench(t)
  const { log } = openStock(one.dependencies)
  const away = connect('redis://127.0.0.1:1', 'lock')
  const lock = redLock([away])
  t.teardown(() => {
    lock.close()
    disconnect(away)
  })
  const counted = counting()
  const parser = await open(t, one, { log, recovery: counted.recovery, redLock: lock })
  t.is((await parser.run()).service, 'stock')
  t.is(counted.times(), 1)
})

test('a log parser runs at its start and then on its schedule, until it is stopped', async (t) => {
  const one = await bench(t)
  const { log } = openStock(one.dependencies)
  const counted = counting()
  const parser = await open(t, one, { log, recovery: counted.recovery, schedule: '* * * * * *' })
  parser.start()
  await counted.second
  await parser.stop()
  t.is(counted.times(), 2)
})

test('stopping waits for the run that is under way', async (t) => {
  const one = await bench(t)
  const { log } = openStock(one.dependencies)
  const entered = Promise.withResolvers<void>()
  let isFinished = false
  const survey = async () => {
    entered.resolve()
    await log.count()
    isFinished = true
    return NOTHING
  }
  const parser = await open(t, one, { log, recovery: { survey, repair: async () => '' } })
  parser.start()
  await entered.promise
  await parser.stop()
  t.true(isFinished)
})

test('the own Redis is away: a scheduled run is left out and says so, one on request fails', async (t) => {
  const one = await bench(t)
  const store = openOrder(one.dependencies)
  const away = connect('redis://127.0.0.1:1', 'lock')
  const lock = redLock([away])
  t.teardown(() => {
    lock.close()
    disconnect(away)
  })
  const parser = await open(t, one, {
    log: store.log,
    recovery: store.recovery(() => undefined),
    redLock: lock,
  })
  await one.server.kill()
  parser.start()
  await t.throwsAsync(parser.run(), { instanceOf: UnavailableError })
  t.true(parser.logged.some((line) => line.includes('could not run')))
})
