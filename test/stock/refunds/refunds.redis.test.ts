/** Refunds in stock's store: the goods go back once, onto a shelf that is there and has room, or are written off. */
import test from 'ava'
import type { Reply } from '../../../shared/redis/script.ts'
import { partOf } from '../../../stock/audit.ts'
import { reactions } from '../../../stock/reactions.ts'
import { alternatives, type Event, type State, transitions } from '../../../stock/refunds/transitions.ts'
import { openStore } from '../../../stock/store.ts'
import { ledgerOf } from '../../support/checker/ledgers.ts'
import { plainly } from '../../support/shop/open-store.ts'
import { holdStates, openStoreForTests } from '../../support/shop/store-rules.ts'

const { bench, store, tell, emittedDuring, stateOfIt, holdEveryResult } = await openStoreForTests(
  openStore,
  reactions,
  'refunds',
)
const { log } = store
const MOST = Number.MAX_SAFE_INTEGER

const facts = { order: 'cart', user: 'anna', total: 30, lines: 'tea:3,cup:1', restock: 'shelf' }
const writtenOff = { ...facts, restock: 'none' }
const shelve = async (item: string, stock: number): Promise<void> => {
  await store.createItem(item, 5, plainly)
  if (stock > 0) await store.add(item, stock, plainly)
}
const look = async () => {
  const account = await ledgerOf(bench.redis)
  return {
    state: await stateOfIt(),
    tea: (await store.find('tea'))?.stock,
    cup: (await store.find('cup'))?.stock,
    taken: account('taken'),
    writtenOff: account('written-off'),
  }
}
const looksIn = (state: State) => ({
  state,
  tea: state === 'restocked' ? 13 : 10,
  cup: state === 'restocked' ? 2 : 1,
  taken: state === 'none' ? 0n : -4n,
  writtenOff: state === 'written-off' ? 4n : 0n,
})

const bring = async (state: State): Promise<void> => {
  await shelve('tea', 10)
  await shelve('cup', 1)
  if (state !== 'none') await tell('payment', 'CreditRefunded', 'it', state === 'restocked' ? facts : writtenOff)
}
const EVENTS: Readonly<Record<Event, (state: State) => Promise<Reply>>> = {
  CreditRefunded: (state) => tell('payment', 'CreditRefunded', 'it', state === 'written-off' ? writtenOff : facts),
}
holdStates({
  log,
  transitions,
  saga: 'refund',
  bring,
  events: EVENTS,
  emittedDuring,
  look,
  looksIn,
})

for (const [state, event, where, [result, next, ...kinds]] of alternatives)
  test.serial(`${event} of a refund whose goods are ${state}, where ${where}: ${result}`, async (t) => {
    await bring(state)
    const seen = await emittedDuring(async () => {
      t.deepEqual(await EVENTS[event]('written-off'), [result])
    })
    t.deepEqual<readonly string[], readonly string[]>(seen, kinds)
    t.deepEqual(await look(), looksIn(next))
  })

test.serial(
  'an item that is unknown is not made, and a shelf that is full is not overfilled: a dead letter',
  async (t) => {
    await shelve('tea', MOST - 2)
    t.regex((await t.throwsAsync(tell('payment', 'CreditRefunded', 'it', facts))).message, /has no room for 3 of tea/)
    await store.subtract('tea', 1, plainly)
    const { message } = await t.throwsAsync(tell('payment', 'CreditRefunded', 'it', { ...facts, total: 31 }))
    t.regex(message, /there is no item cup/)
    t.deepEqual(await look(), { ...looksIn('none'), tea: MOST - 3, cup: undefined })
    await shelve('cup', 0)
    const [first, second] = await log.dead.page('0-0', 9)
    t.deepEqual(await log.dead.retry(first?.id ?? '', plainly), ['applied', 'restocked'])
    t.deepEqual(await log.dead.retry(second?.id ?? '', plainly), ['applied', 'repeated'])
    t.like(await look(), { tea: MOST, cup: 1 })
  },
)

test.serial('goods of an item that is unknown can be written off', async (t) => {
  t.deepEqual(await tell('payment', 'CreditRefunded', 'it', writtenOff), ['written-off'])
  t.deepEqual(await bench.redis.keys('item:*'), [])
})

test.serial('what stock answers says all that payment needs, should it have lost the refund', async (t) => {
  await bring('restocked')
  t.deepEqual(
    (await log.entriesOf('it')).map((entry) => [entry.kind, entry.facts]),
    [['StockRestocked', { ...facts, total: '30' }]],
  )
})

/** Its goods are taken, or let go. */
const checkout = (kind: 'CreditHeld' | 'CreditReleased', id: string, lines: string): Promise<Reply> =>
  tell('payment', kind, id, { order: 'cart', user: 'anna', total: 1, lines })
const refund = (id: string, lines: string, checkouts: string, restock = 'shelf'): Promise<Reply> =>
  tell('payment', 'CreditRefunded', id, { ...facts, lines, restock, checkouts })
const shelves = async () => {
  const { tea, cup, taken, writtenOff } = await look()
  return { tea, cup, taken, writtenOff }
}
const saidLast = async (id: string) => (await log.entriesOf(id)).at(-1)?.facts.before

test.serial('what refunds have brought back is not given back once more with its checkout', async (t) => {
  await bring('none')
  await checkout('CreditHeld', 'one', 'tea:3,cup:1')
  await refund('r1', 'tea:1', 'one')
  await refund('r2', 'tea:1,cup:1', 'one', 'none')
  t.deepEqual(await shelves(), { tea: 8, cup: 0, taken: 1n, writtenOff: 2n })
  t.deepEqual(await checkout('CreditReleased', 'one', 'tea:3,cup:1'), ['returned'])
  t.deepEqual(await shelves(), { tea: 9, cup: 0, taken: -3n, writtenOff: 5n })
  t.is(await saidLast('one'), 'tea:2,cup:1')
  // Emitted again it says the same, and does nothing.
  t.deepEqual(await checkout('CreditHeld', 'one', 'tea:3,cup:1'), ['repeated'])
  t.is(await saidLast('one'), 'tea:2,cup:1')
  t.deepEqual(await shelves(), { tea: 9, cup: 0, taken: -3n, writtenOff: 5n })
})

test.serial('what is back with its checkout, or by another refund, is not put back once more', async (t) => {
  await bring('none')
  await checkout('CreditHeld', 'one', 'tea:3')
  await refund('r1', 'tea:2', 'one')
  t.deepEqual(await refund('r2', 'tea:2', 'one'), ['restocked'])
  t.is(await saidLast('r2'), 'tea:1')
  t.deepEqual(await shelves(), { tea: 10, cup: 1, taken: -1n, writtenOff: 1n })
  await checkout('CreditHeld', 'other', 'tea:3')
  await checkout('CreditReleased', 'other', 'tea:3')
  await refund('r3', 'tea:3', 'other')
  t.is(await saidLast('r3'), 'tea:3')
  t.like(await shelves(), { tea: 10, cup: 1 })
})

test.serial('of several checkouts the goods of a refund are of the first that has them', async (t) => {
  await bring('none')
  await checkout('CreditHeld', 'one', 'tea:3')
  await checkout('CreditHeld', 'other', 'tea:2,cup:1')
  await refund('r1', 'tea:3,cup:1', 'other,one')
  t.is(await saidLast('r1'), undefined)
  await checkout('CreditReleased', 'other', 'tea:2,cup:1')
  await checkout('CreditReleased', 'one', 'tea:3')
  t.deepEqual([await saidLast('other'), await saidLast('one')], ['tea:2,cup:1', 'tea:1'])
  t.like(await shelves(), { tea: 10, cup: 1 })
})

test.serial('what may be of a checkout that is not recorded is put back', async (t) => {
  await bring('none')
  await checkout('CreditHeld', 'one', 'cup:1')
  await refund('r1', 'tea:2,cup:1', 'one,forgotten')
  t.is(await saidLast('r1'), undefined)
  t.like(await shelves(), { tea: 12, cup: 1 })
})

/** Stock reads of it before its checkout, for which payment has captured nothing yet. */
const refundBefore = (id: string, lines: string, restock = 'shelf'): Promise<Reply> =>
  tell('payment', 'CreditRefunded', id, { ...facts, lines, restock, checkouts: 'one', unpaid: 'one' })
const heldAfter = (lines: string, refunds: string): Promise<Reply> =>
  tell('payment', 'CreditHeld', 'one', { order: 'cart', user: 'anna', total: 1, lines, refunds })

test.serial('what is of a checkout that is not taken yet is on the shelf already, and is not taken then', async (t) => {
  await bring('none')
  await refundBefore('r1', 'tea:1,cup:1')
  await refundBefore('r2', 'tea:1', 'none')
  t.deepEqual([await saidLast('r1'), await saidLast('r2')], ['tea:1,cup:1', undefined])
  t.deepEqual(await shelves(), { tea: 10, cup: 1, taken: -3n, writtenOff: 3n })
  t.deepEqual(await heldAfter('tea:4,cup:1', 'r1,r2'), ['taken'])
  t.is((await log.entriesOf('one')).at(-1)?.facts.there, 'tea:1,cup:1')
  t.deepEqual(await shelves(), { tea: 7, cup: 1, taken: 2n, writtenOff: 1n })
  // Refunded or given back, it is what is left that comes back.
  await refund('r3', 'tea:1', 'one')
  t.deepEqual(await heldAfter('tea:4,cup:1', 'r1,r2'), ['repeated'])
  t.deepEqual(await checkout('CreditReleased', 'one', 'tea:4,cup:1'), ['returned'])
  t.is(await saidLast('one'), 'tea:3,cup:1')
  t.deepEqual(await shelves(), { tea: 9, cup: 1, taken: -4n, writtenOff: 5n })
  const audited = async () => (await partOf(store.auditor, await store.auditor.count())).mismatches
  t.deepEqual(await audited(), [])
  await bench.redis.hincrby('item:tea', 'stock', 1)
  t.deepEqual((await audited()).map(({ detail }) => detail).slice(1), ['of item tea there are 10, but 9 by the log'])
})

test.serial('what one checkout did not take, the next one takes', async (t) => {
  await bring('none')
  await tell('payment', 'CreditRefunded', 'r1', {
    ...facts,
    lines: 'tea:3',
    checkouts: 'other,one',
    unpaid: 'other,one',
  })
  await heldAfter('tea:2', 'r1')
  await tell('payment', 'CreditHeld', 'other', { order: 'cart', user: 'anna', total: 1, lines: 'tea:5', refunds: 'r1' })
  t.like(await shelves(), { tea: 6, taken: 4n, writtenOff: 0n })
})

test.serial(
  'of a checkout that is refused nothing is taken, and what is back of one that is taken goes on the shelf',
  async (t) => {
    await bring('none')
    await refundBefore('r1', 'tea:1')
    t.deepEqual(await heldAfter('tea:1,cup:2', 'r1'), ['refused'])
    t.deepEqual(await shelves(), { tea: 10, cup: 1, taken: -1n, writtenOff: 1n })
    // Only payment has lost it: stock knows better.
    await checkout('CreditHeld', 'known', 'tea:2')
    await tell('payment', 'CreditRefunded', 'r2', { ...facts, lines: 'tea:2', checkouts: 'known', unpaid: 'known' })
    t.like(await shelves(), { tea: 10 })
  },
)

test.serial('where there is no room for the goods, nothing is remembered of them', async (t) => {
  await shelve('tea', 3)
  await checkout('CreditHeld', 'one', 'tea:3')
  await store.add('tea', MOST, plainly)
  await t.throwsAsync(refund('r1', 'tea:1', 'one'))
  await store.subtract('tea', MOST, plainly)
  t.deepEqual(await checkout('CreditReleased', 'one', 'tea:3'), ['returned'])
  t.is((await store.find('tea'))?.stock, 3)
})

holdEveryResult()
