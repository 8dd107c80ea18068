import test from 'ava'
import type { Reply } from '../../shared/redis/script.ts'
import { reactions } from '../../stock/reactions.ts'
import { openStore } from '../../stock/store.ts'
import { alternatives, type Event, type State, transitions } from '../../stock/transitions.ts'
import { ledgerOf, pieces, sumOver } from '../support/checker/ledgers.ts'
import { recordsIn } from '../support/checker/records.ts'
import { plainly, saidIn, under } from '../support/shop/open-store.ts'
import { holdTransitions, openStoreForTests } from '../support/shop/store-rules.ts'

const { bench, store, tell, emitted, emittedDuring, stateOfIt, holdEveryResult } = await openStoreForTests(
  openStore,
  reactions,
)
const { log } = store
const MOST = Number.MAX_SAFE_INTEGER

test.serial.afterEach.always('the ledger say what was added, and that all of it is on shelves or taken', async (t) => {
  const account = await ledgerOf(bench.redis)
  const shelves = await sumOver(bench.redis, 'item:', ({ stock }) => BigInt(stock ?? '0'))
  let taken = 0n
  for (const { state, lines } of (await recordsIn(bench.redis, 'stock')).values())
    if (state === 'taken') taken += pieces(lines)
  t.is(account('taken'), taken)
  t.is(account('added'), shelves + taken)
})

const shelve = async (item: string, stock: number): Promise<void> => {
  await store.createItem(item, 5, plainly)
  if (stock > 0) await store.add(item, stock, plainly)
}
const shelf = async () => ({ tea: (await store.find('tea'))?.stock, cup: (await store.find('cup'))?.stock })
const of = (lines: string) => ({ order: 'cart', user: 'anna', total: 1, reason: 'out-of-credit', lines })

const STATES = Object.keys(transitions) as State[]
/** Of tea there are 10 and of cups 1: the lines want 3 and 1, or 3 and 2 where they are to be refused. */
const wants = (state: State) => of(state === 'refused' ? 'tea:3,cup:2' : 'tea:3,cup:1')

const bring = async (state: State): Promise<void> => {
  await shelve('tea', 10)
  await shelve('cup', 1)
  if (state === 'none') return
  await tell('payment', 'CreditHeld', 'it', wants(state))
  if (state === 'returned') await tell('payment', 'CreditReleased', 'it', wants(state))
  if (state === 'refused') await store.add('cup', 1, plainly)
}

const EVENTS: Readonly<Record<Event, (state: State) => Promise<Reply>>> = {
  CreditHeld: (state) => tell('payment', 'CreditHeld', 'it', wants(state)),
  CreditRefused: (state) => tell('payment', 'CreditRefused', 'it', wants(state)),
  CreditVoided: (state) => tell('payment', 'CreditVoided', 'it', { ...wants(state), item: 'tea' }),
  CreditReleased: (state) => tell('payment', 'CreditReleased', 'it', wants(state)),
}
/** What is on the shelf while the checkout is in a state; where it was refused a cup came after that. */
const shelfIn = (state: State, brought: State) => ({
  tea: state === 'taken' ? 7 : 10,
  cup: (state === 'taken' ? 0 : 1) + (brought === 'refused' ? 1 : 0),
})

holdTransitions({
  log,
  transitions,
  ways: STATES.map((state) => [state, state] as const),
  bring,
  events: EVENTS,
  emittedDuring,
  look: async () => ({ state: await stateOfIt(), ...(await shelf()) }),
  looksIn: (state, brought) => ({ state, ...shelfIn(state, brought) }),
})

for (const [state, event, where, [result, next, ...kinds]] of alternatives)
  test.serial(
    `${event} of a checkout that is ${state}, where ${where}: ${result}, ${kinds.join(' and ') || 'nothing'} is emitted`,
    async (t) => {
      await bring(state)
      const seen = await emittedDuring(async () => {
        t.deepEqual(await tell('payment', event, 'it', of('tea:3,cup:2')), [result])
      })
      t.deepEqual(seen, kinds)
      t.is(await stateOfIt(), next)
      t.deepEqual(await shelf(), shelfIn(next, state))
    },
  )

test.serial('CreditHeld: all lines are taken or none, and the short item is named', async (t) => {
  await shelve('tea', 10)
  await shelve('cup', 1)
  t.deepEqual(await tell('payment', 'CreditHeld', 'short', of('tea:3,cup:2')), ['refused'])
  t.deepEqual(await tell('payment', 'CreditHeld', 'unknown', of('tea:3,pot:1')), ['refused'])
  t.deepEqual(await shelf(), { tea: 10, cup: 1 })
  t.deepEqual((await log.entriesOf('short'))[0]?.facts, { order: 'cart', item: 'cup' })
  t.deepEqual((await log.entriesOf('unknown'))[0]?.facts, { order: 'cart', item: 'pot' })
})

test.serial('CreditHeld: an order without lines takes nothing and is not refused', async (t) => {
  await shelve('tea', 3)
  t.deepEqual(await tell('payment', 'CreditHeld', 'it', of('')), ['taken'])
  t.is((await store.find('tea'))?.stock, 3)
})

test.serial('CreditHeld: a hundred lines of the longest names are taken in one step, and put back', async (t) => {
  const names = Array.from({ length: 100 }, (_, index) => `${index}`.padStart(64, 'x'))
  for (const name of names) await shelve(name, 1)
  const lines = names.map((name) => `${name}:1`).join(',')
  t.deepEqual(await tell('payment', 'CreditHeld', 'it', of(lines)), ['taken'])
  for (const name of names) t.is((await store.find(name))?.stock, 0)
  t.deepEqual(await tell('payment', 'CreditReleased', 'it', of(lines)), ['returned'])
  for (const name of names) t.is((await store.find(name))?.stock, 1)
})

test.serial('CreditHeld: the largest numbers are exact to the piece', async (t) => {
  await shelve('tea', MOST)
  t.deepEqual(await tell('payment', 'CreditHeld', 'it', of(`tea:${MOST - 1}`)), ['taken'])
  t.is((await store.find('tea'))?.stock, 1)
  t.deepEqual(await tell('payment', 'CreditHeld', 'next', of('tea:2')), ['refused'])
  await tell('payment', 'CreditReleased', 'it', of(`tea:${MOST - 1}`))
  t.is((await store.find('tea'))?.stock, MOST)
  t.deepEqual(await tell('payment', 'CreditHeld', 'all', of(`tea:${MOST}`)), ['taken'])
  t.is((await store.find('tea'))?.stock, 0)
})

test.serial('add and subtract: nothing of an unknown item', async (t) => {
  t.deepEqual(await store.add('pot', 1, plainly), ['unknown'])
  t.deepEqual(await store.subtract('pot', 1, plainly), ['unknown'])
  t.is(await log.count(), 0)
})

test.serial('add: the number stays one that can be counted exactly', async (t) => {
  await shelve('tea', MOST - 5)
  t.deepEqual(await store.add('tea', 6, plainly), ['too-much'])
  t.deepEqual(await store.add('tea', MOST, plainly), ['too-much'])
  t.deepEqual(await store.add('tea', 5, plainly), ['added'])
  t.is((await store.find('tea'))?.stock, MOST)
})

test.serial('subtract: never below zero', async (t) => {
  await shelve('tea', 3)
  t.deepEqual(await store.subtract('tea', 4, plainly), ['out-of-stock'])
  t.deepEqual(await store.subtract('tea', 3, plainly), ['subtracted'])
  t.deepEqual(await store.subtract('tea', 1, plainly), ['out-of-stock'])
  t.is((await store.find('tea'))?.stock, 0)
  t.deepEqual(
    (await emitted()).filter((kind) => kind === 'StockSubtracted'),
    ['StockSubtracted'],
  )
})

test.serial('init-items makes items anew, and says how many pieces went with the old ones', async (t) => {
  t.deepEqual(await store.initItems(0, 9, 7, 3, under('init')), ['initialised'])
  await store.add('3', 5, plainly)
  t.deepEqual(await store.initItems(0, 9, 7, 3, under('init')), ['initialised'])
  t.deepEqual(await store.find('3'), { stock: 12, price: 3 })
  t.deepEqual(await store.initItems(0, 4, 2, 4, plainly), ['initialised'])
  t.deepEqual(await store.find('4'), { stock: 2, price: 4 })
  t.deepEqual(await store.find('5'), { stock: 7, price: 3 })
  t.is(await store.find('10'), undefined)
  const item_version = String(await versionOf('4'))
  t.deepEqual((await saidIn(log)).at(-1)?.facts, {
    first: '0',
    last: '4',
    stock: '2',
    price: '4',
    replaced: '40',
    item_version,
  })
})

const versionOf = async (item: string): Promise<number> => (await store.offer(item))?.version ?? 0
const nowMs = async (): Promise<number> => {
  const [seconds, micros] = await bench.redis.time()
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
}

test.serial('change-item: the entry says the whole offer, and names what was done', async (t) => {
  await shelve('tea', 3)
  t.deepEqual(await store.offer('tea'), { price: 5, withdrawn: false, version: 1 })
  const changes = [
    [{ price: 7 }, 'PriceChanged', { price: 7, withdrawn: false }],
    [{ withdrawn: true }, 'ItemWithdrawn', { price: 7, withdrawn: true }],
    [{ price: 0 }, 'PriceChanged', { price: 0, withdrawn: true }],
    [{ price: MOST, withdrawn: false }, 'ItemOffered', { price: MOST, withdrawn: false }],
    [{ price: 1, withdrawn: true }, 'ItemWithdrawn', { price: 1, withdrawn: true }],
  ] as const
  let last = 1
  for (const [change, kind, { price, withdrawn }] of changes) {
    const result = await store.changeItem('tea', [last], change, plainly)
    const version = await versionOf('tea')
    t.true(version > last, kind)
    t.deepEqual(result, ['changed', String(price), withdrawn ? 'yes' : 'no', String(version)])
    t.deepEqual(await store.offer('tea'), { price, withdrawn, version })
    const entry = (await saidIn(log)).at(-1)
    t.deepEqual(
      [entry?.kind, entry?.facts],
      [kind, { item: 'tea', price: String(price), item_version: String(version) }],
    )
    last = version
  }
  t.deepEqual(await store.find('tea'), { stock: 3, price: 1 })
})

test.serial('change-item: what is so already is no change', async (t) => {
  await shelve('tea', 0)
  for (const change of [{}, { price: 5 }, { withdrawn: false }, { price: 5, withdrawn: false }])
    t.deepEqual(await store.changeItem('tea', [1], change, plainly), ['changed', '5', 'no', '1'])
  t.deepEqual(
    (await saidIn(log)).map(({ kind }) => kind),
    ['ItemCreated'],
  )
})

test.serial('change-item: only from a version that is wanted, of an item that there is', async (t) => {
  await shelve('tea', 0)
  t.deepEqual(await store.changeItem('tea', [2, 11], { price: 7 }, plainly), ['stale', '1'])
  t.deepEqual(await store.changeItem('tea', [], { price: 7 }, plainly), ['stale', '1'])
  t.is((await store.changeItem('tea', [2, 1], { price: 7 }, plainly))[0], 'changed')
  const version = await versionOf('tea')
  t.deepEqual(await store.changeItem('tea', [1], { price: 8 }, plainly), ['stale', String(version)])
  t.is((await store.changeItem('tea', 'any', { price: 8 }, plainly))[0], 'changed')
  t.deepEqual(await store.changeItem('pot', 'any', { price: 8 }, plainly), ['unknown'])
  t.is(await store.offer('pot'), undefined)
})

test.serial('change-item: of two that change one version at once, one does', async (t) => {
  await shelve('tea', 0)
  const prices = [6, 7, 8, 9]
  const results = await Promise.all(prices.map((price) => store.changeItem('tea', [1], { price }, plainly)))
  const words = results.map(([word]) => word)
  t.deepEqual(words.toSorted(), ['changed', 'stale', 'stale', 'stale'])
  t.is((await store.offer('tea'))?.price, prices[words.indexOf('changed')])
})

test.serial('change-item: under a key it is done once, and answered to the letter', async (t) => {
  await shelve('tea', 0)
  const first = await store.changeItem('tea', [1], { price: 7 }, under('change'))
  await store.changeItem('tea', 'any', { price: 9 }, plainly)
  t.deepEqual(await store.changeItem('tea', [1], { price: 7 }, under('change')), first)
  t.deepEqual(await store.changeItem('tea', [1], { price: 8 }, under('change', 'another')), ['key-reused'])
  t.is((await store.offer('tea'))?.price, 9)
})

test.serial('a version is when the item was changed, and later than the one before', async (t) => {
  await shelve('tea', 0)
  const before = await nowMs()
  await store.changeItem('tea', 'any', { price: 6 }, plainly)
  const version = await versionOf('tea')
  t.true(version >= before && version <= (await nowMs()))
  // The clock of this Redis was ahead.
  const ahead = version + 100_000
  await bench.redis.hset('item:tea', 'version', ahead)
  await store.changeItem('tea', [ahead], { price: 7 }, plainly)
  t.is(await versionOf('tea'), ahead + 1)
  await store.initItems(0, 0, 1, 1, plainly)
  await bench.redis.hset('item:0', 'version', ahead, 'withdrawn', 'yes')
  await store.initItems(0, 1, 1, 1, plainly)
  for (const item of ['0', '1'])
    t.deepEqual(await store.offer(item), { price: 1, withdrawn: false, version: ahead + 1 })
})

test.serial('an item of an older version was never changed, nor withdrawn', async (t) => {
  await bench.redis.hset('item:old', 'stock', '0', 'price', '5')
  t.deepEqual(await store.offer('old'), { price: 5, withdrawn: false, version: 1 })
  t.is((await store.changeItem('old', [1], { withdrawn: true }, plainly))[0], 'changed')
})

test.serial('what is withdrawn is still taken, put back, added and subtracted', async (t) => {
  await shelve('tea', 10)
  await store.changeItem('tea', [1], { withdrawn: true }, plainly)
  t.deepEqual(await tell('payment', 'CreditHeld', 'it', of('tea:3')), ['taken'])
  t.deepEqual(await store.add('tea', 2, plainly), ['added'])
  t.deepEqual(await store.subtract('tea', 1, plainly), ['subtracted'])
  t.deepEqual(await tell('payment', 'CreditReleased', 'it', of('tea:3')), ['returned'])
  t.deepEqual(await store.find('tea'), { stock: 11, price: 5 })
})

test.serial('CreditReleased: goods that there is no room for any more are not put back until there is', async (t) => {
  await shelve('tea', MOST)
  await shelve('cup', 9)
  await tell('payment', 'CreditHeld', 'it', of('cup:2,tea:3'))
  await store.add('tea', 3, plainly)
  const { message } = await t.throwsAsync(tell('payment', 'CreditReleased', 'it', of('cup:2,tea:3')))
  t.regex(message, /was dead-lettered: .*the shelf has no room for 3 of tea/)
  t.deepEqual([(await store.find('tea'))?.stock, (await store.find('cup'))?.stock], [MOST, 7])
  await store.subtract('tea', 3, plainly)
  const [letter] = await log.dead.page('0-0', 9)
  t.deepEqual(await log.dead.retry(letter?.id ?? '', plainly), ['applied', 'returned'])
  t.deepEqual([(await store.find('tea'))?.stock, (await store.find('cup'))?.stock], [MOST, 9])
})

test.serial('no record of a checkout ends by its age', async (t) => {
  await shelve('tea', 10)
  await tell('payment', 'CreditHeld', 'it', of('tea:3'))
  t.is((await recordsIn(bench.redis, 'stock')).get('it')?.state, 'taken')
  for (const key of await bench.redis.keys('*')) t.is(await bench.redis.ttl(key), -1, key)
})

holdEveryResult()
