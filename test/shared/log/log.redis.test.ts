import { once } from 'node:events'
import test from 'ava'
import { openStore as openPayment } from '../../../payment/store.ts'
import type { RawEntry } from '../../../shared/contract/raw-entry.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { ackedKey, compareIds, type LostTail } from '../../../shared/log/entry.ts'
import { type Log, openLog } from '../../../shared/log/log.ts'
import { COMMAND_TIMEOUT_MS, whenReady } from '../../../shared/redis/connection.ts'
import { openStore } from '../../../stock/store.ts'
import { away } from '../../support/eventually.ts'
import { lookInto } from '../../support/shop/behind.ts'
import { entryOf, flat, openBench, plainly, saidIn } from '../../support/shop/open-store.ts'

/** What is applied has an effect that can be counted: stock takes one piece of tea for each entry. */
const bench = await openBench()
const { redis, server, dependencies } = bench
const store = openStore(dependencies)
const { log } = store
const behind = lookInto(server)
test.serial.beforeEach(async () => {
  await redis.flushall()
  await store.createItem('tea', 1, plainly)
  await store.add('tea', 100, plainly)
})
test.after.always(async () => {
  behind.disconnect()
  await bench[Symbol.asyncDispose]()
})

/** What a time-out may be late by on a busy machine; another wait behind others would be longer. */
const LATE_MS = 500

const left = async (): Promise<number | undefined> => (await store.find('tea'))?.stock
/** An entry that has one piece of tea taken. */
const taking = (id: string, log_id = `saga-${id}`): RawEntry =>
  entryOf('payment', 'CreditHeld', id, log_id, { order: 'cart', user: 'anna', total: 1, lines: 'tea:1' })
const results = (replies: Awaited<ReturnType<Log['apply']>>): readonly string[] =>
  'gap' in replies ? ['gap', replies.gap] : replies.map(([result]) => result)
const apply = async (known: string, ...entries: readonly RawEntry[]): Promise<readonly string[]> =>
  results(await log.apply('payment', known, entries))
const dead = async (): Promise<readonly Record<string, string>[]> =>
  (await redis.xrange('dead:stock', '-', '+')).map(([, fields]) =>
    Object.fromEntries(fields.flatMap((field, index) => (index % 2 === 0 ? [[field, fields[index + 1] ?? '']] : []))),
  )

test.serial('a batch: is applied in order, and the cursor stands at its last entry', async (t) => {
  t.is(await log.cursor('payment'), '0-0')
  t.deepEqual(await apply('0-0', taking('5-0'), taking('5-1'), taking('7-0')), ['taken', 'taken', 'taken'])
  t.is(await left(), 97)
  t.is(await log.cursor('payment'), '7-0')
  t.deepEqual(
    (await saidIn(log)).slice(2).map(({ log_id }) => log_id),
    ['saga-5-0', 'saga-5-1', 'saga-7-0'],
  )
})

test.serial('entries of an older version, which are flat, are applied among those of this one', async (t) => {
  const older = flat(taking('6-0'))
  t.true(log.handles('payment', older))
  t.deepEqual(await apply('0-0', taking('5-0'), older, taking('7-0')), ['taken', 'taken', 'taken'])
  t.deepEqual([await left(), await log.cursor('payment')], [97, '7-0'])
  t.deepEqual(await apply('7-0', flat(taking('8-0', 'saga-5-0'))), ['repeated'])
  t.like(await log.recorded('saga-6-0'), {
    state: 'taken',
    order: 'cart',
    user: 'anna',
    total: '1',
    lines: 'tea:1',
  })
})

test.serial('a log that an older version began is read as if this one had said all of it', async (t) => {
  const said = await saidIn(log)
  const entries = await redis.xrange('log:stock', '-', '+')
  await redis.del('log:stock')
  for (const entry of entries) await redis.xadd('log:stock', entry[0], ...flat(entry)[1])
  t.deepEqual(await saidIn(log), said)
  t.deepEqual(await log.entriesOf(said[0]?.log_id ?? ''), [said[0]])
})

test.serial('people can read the log: the kind of an entry, and the rest in one text', async (t) => {
  await apply('0-0', taking('5-0'))
  const [[, fields] = []] = await redis.xrevrange('log:stock', '+', '-', 'COUNT', 1)
  t.deepEqual(fields, ['StockTaken', 'version=1 log_id=saga-5-0 order=cart user=anna total=1 lines=tea:1'])
})

test.serial('a batch that comes twice: the second time every entry is passed over', async (t) => {
  await apply('0-0', taking('5-0'), taking('6-0'))
  const before = await log.count()
  t.deepEqual(await apply('0-0', taking('5-0'), taking('6-0')), ['passed', 'passed'])
  t.deepEqual([await left(), await log.count(), await log.cursor('payment')], [98, before, '6-0'])
})

test.serial('a batch that overlaps another: only what is new is applied', async (t) => {
  await apply('0-0', taking('5-0'), taking('6-0'))
  t.deepEqual(await apply('0-0', taking('5-0'), taking('6-0'), taking('7-0')), ['passed', 'passed', 'taken'])
  t.deepEqual(await apply('6-0', taking('7-0'), taking('8-0')), ['passed', 'taken'])
  t.deepEqual([await left(), await log.cursor('payment')], [96, '8-0'])
})

test.serial('a batch that comes too late: the cursor never goes back', async (t) => {
  await apply('0-0', taking('8-0'))
  t.deepEqual(await apply('0-0', taking('5-0')), ['passed'])
  t.deepEqual([await left(), await log.cursor('payment')], [99, '8-0'])
})

test.serial('a batch whose entries are out of order: the later one wins, the earlier one is passed over', async (t) => {
  t.deepEqual(await apply('0-0', taking('8-0'), taking('5-0')), ['taken', 'passed'])
  t.deepEqual([await left(), await log.cursor('payment')], [99, '8-0'])
})

test.serial('two readers at once: each entry has its effect once', async (t) => {
  const entries = Array.from({ length: 20 }, (_, index) => taking(`${index + 1}-0`))
  const replies = await Promise.all([
    apply('0-0', ...entries),
    apply('0-0', ...entries),
    apply('0-0', ...entries.slice(5)),
  ])
  t.is(replies.flat().filter((result) => result === 'taken').length, 20)
  t.is(await left(), 80)
})

for (const [earlier, later] of [
  ['9-0', '10-0'],
  ['5-9', '5-10'],
  ['99-99', '100-0'],
  ['1700000000000-9', '1700000000000-10'],
  ['999-18446744073709551614', '1000-0'],
] as const)
  test.serial(`ids are compared as numbers: ${earlier} is before ${later}`, async (t) => {
    t.true(compareIds(earlier, later) < 0)
    t.true(compareIds(later, earlier) > 0)
    t.deepEqual(await apply('0-0', taking(earlier)), ['taken'])
    t.deepEqual(await apply(earlier, taking(later)), ['taken'])
    t.deepEqual(await apply(earlier, taking(earlier)), ['passed'])
    t.is(await left(), 98)
    t.is(await log.cursor('payment'), later)
  })

test.serial(
  'the own Redis came back older: nothing is applied, and the reply is where the cursor stands',
  async (t) => {
    await apply('0-0', taking('5-0'))
    t.deepEqual(await log.apply('payment', '9-0', [taking('10-0')]), { gap: '5-0' })
    t.deepEqual([await left(), await log.cursor('payment')], [99, '5-0'])
    await redis.del('cursors')
    t.deepEqual(await log.apply('payment', '5-0', [taking('10-0')]), { gap: '0-0' })
    t.is(await left(), 99)
  },
)

const lostAfter = (after: string): LostTail => ({
  speaker: 'payment',
  noticed: '2026-01-01T00:00:00.000Z',
  after,
  until: '6-0',
  unnamed_until: null,
  entries: [],
})

test.serial('lose: what follows what is left is applied again, and repeats its answer', async (t) => {
  await apply('0-0', taking('5-0'), taking('6-0'))
  await log.recordTailLoss(lostAfter('5-0'))
  t.is(await log.cursor('payment'), '5-0')
  t.deepEqual(await log.lostTails(), [lostAfter('5-0')])
  t.deepEqual(await apply('5-0', taking('6-0'), taking('7-0')), ['repeated', 'taken'])
  t.is(await left(), 97)
})

test.serial('lose: a cursor that is older still stays where it is', async (t) => {
  await apply('0-0', taking('5-0'))
  await log.recordTailLoss(lostAfter('6-0'))
  t.is(await log.cursor('payment'), '5-0')
  await log.recordTailLoss(lostAfter('0-0'))
  t.is(await log.cursor('payment'), '0-0')
})

test.serial('losses are listed until the log of their time is trimmed, the last hundred of them', async (t) => {
  for (let loss = 1; loss <= 101; loss += 1) await log.recordTailLoss(lostAfter(`${loss}-0`))
  t.deepEqual(
    (await log.lostTails()).map(({ after }) => after),
    Array.from({ length: 100 }, (_, index) => `${index + 2}-0`),
  )
  await log.trim(HOUR_MS, [])
  t.is((await log.lostTails()).length, 100)
  await log.trim(-HOUR_MS, [])
  t.deepEqual(await log.lostTails(), [])
})

test.serial('cursors: one for each publisher', async (t) => {
  const { log: payment } = openPayment(bench.dependencies)
  const facts = { order: 'cart', user: 'anna', total: 1, lines: 'tea:1' }
  const cancelled = entryOf('order', 'CheckoutCancelled', '3-0', 'saga-5-0', facts)
  t.deepEqual(results(await payment.apply('order', '0-0', [cancelled])), ['released'])
  t.deepEqual([await payment.cursor('order'), await payment.cursor('stock')], ['3-0', '0-0'])
  const returned = entryOf('stock', 'StockReturned', '5-0', 'saga-5-0', facts)
  t.deepEqual(results(await payment.apply('stock', '0-0', [returned])), ['nothing'])
  t.deepEqual([await payment.cursor('order'), await payment.cursor('stock')], ['3-0', '5-0'])
  t.deepEqual([...payment.publishers].toSorted(), ['order', 'stock'])
})

test.serial('entries that are not handled are passed over without a reply, and the cursor with them', async (t) => {
  const user: RawEntry = entryOf('payment', 'UserCreated', '6-0', 'x', { user: 'anna' })
  const newer: RawEntry = ['7-0', ['kind', 'CreditLent', 'version', '2', 'log_id', 'x']]
  const odd: RawEntry = ['8-0', ['kind', 'constructor', 'version', '1', 'log_id', 'x']]
  t.false(log.handles('payment', user))
  t.false(log.handles('payment', newer))
  t.false(log.handles('payment', odd))
  t.false(log.handles('payment', ['9-0', ['CreditLent', 'version=2 log_id=x']]))
  t.true(log.handles('payment', taking('5-0')))
  t.deepEqual(await apply('0-0', taking('5-0'), user, newer, odd), ['taken'])
  t.is(await log.cursor('payment'), '8-0')
  t.is(await log.dead.count(), 0)
})

const fields = [
  'kind',
  'CreditHeld',
  'version',
  '1',
  'log_id',
  'x',
  'order',
  'o',
  'user',
  'u',
  'total',
  '1',
  'lines',
  'tea:1',
]
const changed = (name: string, value: string | undefined): RawEntry => {
  const at = fields.indexOf(name)
  return ['6-0', fields.toSpliced(at, 2, ...(value === undefined ? [] : [name, value]))]
}
const unusable: readonly (readonly [what: string, entry: RawEntry, error: RegExp])[] = [
  ['lacks a fact', changed('lines', undefined), /lacks "lines"/],
  ['has a malformed amount', changed('total', '1e3'), /"total" is malformed/],
  ['has a malformed line', changed('lines', 'tea:0'), /"lines" is malformed/],
  ['has no log id', changed('log_id', undefined), /no log_id/],
  ['is of an unknown version', changed('version', '2'), /version "2" is unknown/],
  ['has no version', changed('version', undefined), /version "undefined" is unknown/],
  ['has no kind', ['6-0', ['hello', 'there']], /no kind/],
  ['has a text that is none', ['6-0', ['CreditHeld', 'hello there']], /no kind/],
  ['lacks a fact in its text', ['6-0', ['CreditHeld', 'version=1 log_id=x order=o user=u total=1']], /lacks "lines"/],
  ['is of a newer version', ['6-0', ['CreditHeld', 'version=2 log_id=x']], /version "2" is unknown/],
]
for (const [what, entry, error] of unusable)
  test.serial(
    `an entry that ${what} goes to the dead letters with its error; the others are not delayed`,
    async (t) => {
      t.true(log.handles('payment', entry))
      t.deepEqual(await apply('0-0', taking('5-0'), entry, taking('7-0')), ['taken', 'dead-lettered', 'taken'])
      t.deepEqual([await left(), await log.cursor('payment'), await log.dead.count()], [98, '7-0', 1])
      const [letter] = await dead()
      t.is(letter?.speaker, 'payment')
      t.is(letter?.entry, '6-0')
      t.regex(letter?.error ?? '', error)
      t.deepEqual(JSON.parse(letter?.fields ?? ''), entry[1])
    },
  )

test.serial('an entry that makes its command fail goes to the dead letters; the others are not delayed', async (t) => {
  await redis.set('saga:broken', 'not a hash')
  t.deepEqual(await apply('0-0', taking('5-0'), taking('6-0', 'broken'), taking('7-0')), [
    'taken',
    'dead-lettered',
    'taken',
  ])
  t.deepEqual([await left(), await log.cursor('payment'), await log.dead.count()], [98, '7-0', 1])
  t.regex((await dead())[0]?.error ?? '', /WRONGTYPE/)
})

test.serial('an entry is not dead-lettered twice', async (t) => {
  const broken = changed('total', '-1')
  await apply('0-0', broken)
  t.deepEqual(await apply('0-0', broken), ['passed'])
  t.is(await log.dead.count(), 1)
})

test.serial('facts that the dictionary does not know are no fault: a newer version may say more', async (t) => {
  t.deepEqual(await apply('0-0', ['6-0', [...fields, 'currency', 'shells']]), ['taken'])
  const [id, [kind = '', text = '']] = taking('7-0')
  t.deepEqual(await apply('6-0', [id, [kind, `${text} currency=shells`]]), ['taken'])
})

test.serial('a Redis that is full refuses a script as a whole, and works again when there is room', async (t) => {
  await apply('0-0', taking('5-0'))
  const before = { left: await left(), count: await log.count() }
  await behind.config('SET', 'maxmemory', '1')
  const act = (): Promise<unknown> => store.add('tea', 5, plainly)
  await t.throwsAsync(act, { instanceOf: UnavailableError })
  await t.throwsAsync(apply('5-0', taking('6-0'), taking('7-0')), { instanceOf: UnavailableError })
  // Also a script that the server does not know yet.
  await t.throwsAsync(store.subtract('tea', 5, plainly), { instanceOf: UnavailableError })
  t.deepEqual({ left: await left(), count: await log.count() }, before, 'reads go on')
  t.deepEqual([await log.cursor('payment'), await log.dead.count()], ['5-0', 0])
  await behind.config('SET', 'maxmemory', '0')
  t.deepEqual(await apply('5-0', taking('6-0'), taking('7-0')), ['taken', 'taken'])
  t.is(await left(), (before.left ?? 0) - 2)
})

test.serial('a Redis that is away: UnavailableError with its cause, and nothing of it is applied later', async (t) => {
  const closed = once(redis, 'close')
  await behind.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await closed
  const failed = await t.throwsAsync(store.add('tea', 5, plainly), { instanceOf: UnavailableError })
  t.true(failed?.cause instanceof Error)
  await whenReady(redis)
  t.is(await left(), 100)
})

test.serial(
  'a Redis that is frozen: the caller of a command learns so in time, also one that waits for others',
  async (t) => {
    server.freeze()
    const ask = async (): Promise<number> => {
      const startedAt = performance.now()
      await t.throwsAsync(store.add('tea', 5, plainly), { instanceOf: UnavailableError })
      return performance.now() - startedAt
    }
    const first = ask()
    await away(200)
    for (const ms of await Promise.all([first, ask(), ask()]))
      t.true(ms < COMMAND_TIMEOUT_MS + LATE_MS, `told after ${Math.round(ms)} ms`)
    server.thaw()
    t.deepEqual(await store.add('tea', 5, plainly), ['added'])
  },
)

test.serial('a command that is wrong is a fault of the program: its error passes', async (t) => {
  await redis.set('item:broken', 'not a hash')
  const failed = await t.throwsAsync(store.add('broken', 5, plainly))
  t.false(failed instanceof UnavailableError)
  await t.throwsAsync(log.run('no-such-command', {}), { message: /there is no no-such-command\.lua/ })
})

const scriptsRun = async (): Promise<number> =>
  Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(await behind.info('commandstats'))?.[1] ?? 0)

test.serial('commands that are asked for at once are one script, and each is answered by itself', async (t) => {
  await store.createItem('milk', 1, plainly)
  const before = await scriptsRun()
  const once = { idempotencyKey: 'again', fingerprint: 'add milk' }
  const answers = await Promise.all([
    store.add('tea', 1, plainly),
    store.add('nothing', 1, plainly),
    store.add('milk', 5, once),
    store.add('milk', 5, once),
    store.add('milk', 5, { ...once, fingerprint: 'add tea' }),
  ])
  t.deepEqual(
    answers.map(([result]) => result),
    ['added', 'unknown', 'added', 'added', 'key-reused'],
  )
  t.is((await scriptsRun()) - before, 2, 'those under a key go together once the time is read for them')
  t.deepEqual([await left(), (await store.find('milk'))?.stock], [101, 5])
})

test.serial('a command that is wrong fails alone, and what it is asked with is done', async (t) => {
  await redis.set('item:broken', 'no hash')
  const [first, broken, last] = await Promise.allSettled([
    store.add('tea', 1, plainly),
    store.add('broken', 1, plainly),
    store.add('tea', 1, plainly),
  ])
  t.deepEqual([first?.status, broken?.status, last?.status], ['fulfilled', 'rejected', 'fulfilled'])
  t.regex(String(broken?.status === 'rejected' && broken.reason), /WRONGTYPE/)
  t.is(await left(), 102)
})

test.serial('a log that was asked to apply what it does not follow says so', async (t) => {
  await t.throwsAsync(log.apply('ids', '0-0', [['1-0', ['kind', 'BlockLeased']]]), {
    message: /stock does not follow ids/,
  })
})

test('two rows that say different things of one state are a fault of the program', (t) => {
  const open = (emits: string): Log =>
    openLog({
      service: 'stock',
      redis,
      step: dependencies.step,
      lua: ['', 'refunds/'].map((room) => new URL(`../../../stock/${room}lua/`, import.meta.url)),
      names: { item: 'item:' },
      reactions: { payment: { CreditHeld: { command: 'take', emits: { taken: 'StockTaken' } } } },
      emits: { taken: emits as 'StockTaken' },
      retentionS: 10,
    })
  t.notThrows(() => open('StockTaken'))
  t.throws(() => open('StockReturned'), { message: /"taken" is emitted as/ })
})

test.serial('page: entries after the one named, oldest first, up to the limit', async (t) => {
  for (const pieces of [1, 2, 3, 4]) await store.add('tea', pieces, plainly)
  const all = await saidIn(log)
  t.is(await log.count(), all.length)
  const first = await log.page('0-0', 2)
  t.deepEqual(first, all.slice(0, 2))
  t.deepEqual(await log.page(first.at(-1)?.id ?? '', 3), all.slice(2, 5))
  t.deepEqual(await log.page(all.at(-1)?.id ?? '', 3), [])
})

test.serial('an entry is shown with when it was said, and with its facts apart', async (t) => {
  const [seconds] = await redis.time()
  const [, , logId = ''] = await store.createItem('cup', 7, plainly)
  const [entry] = await log.entriesOf(logId)
  t.is(entry?.kind, 'ItemCreated')
  t.is(entry?.version, '1')
  t.is(entry?.log_id, logId)
  t.deepEqual(entry?.facts, { item: 'cup', price: '7' })
  t.true(Math.abs(Date.parse(entry?.at ?? '') / 1_000 - Number(seconds)) < 5)
})

test.serial('entriesOf: every entry of one log id, in order, and of no other', async (t) => {
  await apply('0-0', taking('5-0', 'it'), taking('6-0', 'other'))
  await redis.hset('cursors', 'payment', '0-0')
  await apply('0-0', taking('5-0', 'it'))
  const entries = await log.entriesOf('it')
  t.deepEqual(
    entries.map(({ kind, log_id }) => [kind, log_id]),
    [
      ['StockTaken', 'it'],
      ['StockTaken', 'it'],
    ],
  )
  t.true(compareIds(entries[0]?.id ?? '', entries[1]?.id ?? '') < 0)
  t.deepEqual(await log.entriesOf('nothing'), [])
})

test.serial('recent: the entries of the last minutes', async (t) => {
  const now = Number((await redis.time())[0]) * 1_000
  await redis.del('log:stock')
  for (const minutes of [61, 59, 4]) {
    const entry = ['kind', 'StockAdded', 'version', '1', 'log_id', `${minutes}-ago`, 'item', 'tea', 'amount', '1']
    await redis.xadd('log:stock', `${now - minutes * 60_000}-0`, ...entry)
  }
  const ages = async (minutes: number, limit = 9): Promise<readonly string[]> =>
    (await log.recent(minutes, limit)).map(({ log_id }) => log_id)
  t.deepEqual(await ages(5), ['4-ago'])
  t.deepEqual(await ages(60), ['59-ago', '4-ago'])
  t.deepEqual(await ages(120), ['61-ago', '59-ago', '4-ago'])
  t.deepEqual(await ages(120, 2), ['61-ago', '59-ago'])
  t.deepEqual(await ages(1), [])
})

const HOUR_MS = 3_600_000
/** A log with entries of ten, two and no hours ago, and their ids. */
const aged = async (): Promise<readonly string[]> => {
  const now = Number((await redis.time())[0]) * 1_000
  await redis.del('log:stock')
  const ids = [10, 9, 2, 0].map((hours) => `${now - hours * HOUR_MS}-0`)
  for (const id of ids) await redis.xadd('log:stock', id, 'kind', 'StockAdded')
  return ids
}

/** A survey that came when this entry was said, and ended long ago. */
const surveyed = (at = '0-0') => redis.hset('sagas:survey', 'survey-1', `${at} 1 `)

test.serial('trim: nothing is dropped before a survey has ended that came later', async (t) => {
  const ids = await aged()
  await redis.set(ackedKey('stock', 'payment'), ids[3] ?? '')
  t.is(await log.trim(HOUR_MS, ['payment']), 0)
  await redis.hset('sagas:survey', 'survey-1', `${ids[2]} 0 `)
  t.is(await log.trim(HOUR_MS, ['payment']), 0)
  await surveyed(ids[2])
  t.is(await log.trim(HOUR_MS, ['payment']), 2)
})

test.serial('trim: drops what is old, once every subscriber has applied it', async (t) => {
  const ids = await aged()
  await redis.set(ackedKey('stock', 'order'), ids[3] ?? '')
  await redis.set(ackedKey('stock', 'payment'), ids[3] ?? '')
  await surveyed(ids[2])
  t.is(await log.trim(5 * HOUR_MS, ['order', 'payment']), 2)
  t.deepEqual(
    (await saidIn(log)).map(({ id }) => id),
    ids.slice(2),
  )
  t.is(await log.trim(5 * HOUR_MS, ['order', 'payment']), 0)
})

test.serial('trim: never beyond the cursor of the slowest subscriber', async (t) => {
  const ids = await aged()
  await redis.set(ackedKey('stock', 'order'), ids[3] ?? '')
  await redis.set(ackedKey('stock', 'payment'), ids[1] ?? '')
  await surveyed(ids[2])
  t.is(await log.trim(HOUR_MS, ['order', 'payment']), 1)
  t.deepEqual(
    (await saidIn(log)).map(({ id }) => id),
    ids.slice(1),
  )
})

test.serial('trim: a subscriber that never reported keeps everything', async (t) => {
  const ids = await aged()
  await redis.set(ackedKey('stock', 'order'), ids[3] ?? '')
  await surveyed(ids[2])
  t.is(await log.trim(HOUR_MS, ['order', 'payment']), 0)
  t.is(await log.count(), 4)
})

test.serial('trim: a subscriber that reports what is no entry has reported nothing', async (t) => {
  const ids = await aged()
  await surveyed(ids[2])
  for (const reported of ['', 'all', '-1--1', '0x10-0', 'nan-nan', `${ids[3]}-0`, ids[3]?.split('-')[0] ?? '']) {
    await redis.set(ackedKey('stock', 'order'), reported)
    t.deepEqual(await log.ackedBy(['order']), { order: '0-0' })
    t.is(await log.trim(HOUR_MS, ['order']), 0, reported)
  }
})

test.serial('the newest entry keeps its id: what is said after a trim is later', async (t) => {
  const [, , , last] = await aged()
  await surveyed(`${last?.split('-')[0]}-1`)
  await log.trim(-HOUR_MS, [])
  t.is(await log.count(), 0)
  const [seconds] = await redis.time()
  await store.add('tea', 1, plainly)
  const [entry] = await saidIn(log)
  t.true(Number(entry?.id.split('-')[0]) >= Number(seconds) * 1_000)
})

test.serial('after SCRIPT FLUSH every script is loaded again by its next call', async (t) => {
  await apply('0-0', taking('5-0'))
  await behind.script('FLUSH')
  t.deepEqual(await apply('5-0', taking('6-0')), ['taken'])
  await behind.script('FLUSH')
  t.deepEqual(await Promise.all([store.add('tea', 1, plainly), store.add('tea', 1, plainly)]), [['added'], ['added']])
  t.is(await left(), 100)
})
