/** Refunds in stock's store: the goods go back once, onto a shelf that is there and has room, or are written off. */
import test from 'ava'
import type { Reply } from '../../../shared/redis/script.ts'
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

holdEveryResult()
