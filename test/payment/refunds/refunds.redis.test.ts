/** Refunds in payment's store: paid once, to a wallet that has room, and finished once the goods are back. */
import test from 'ava'
import { reactions } from '../../../payment/reactions.ts'
import { type Event, type State, transitions } from '../../../payment/refunds/transitions.ts'
import { openStore } from '../../../payment/store.ts'
import type { Reply } from '../../../shared/redis/script.ts'
import { ledgerOf } from '../../support/checker/ledgers.ts'
import { packedIn } from '../../support/checker/records.ts'
import { plainly } from '../../support/shop/open-store.ts'
import { holdStates, openStoreForTests } from '../../support/shop/store-rules.ts'

const { bench, store, tell, emittedDuring, stateOfIt, holdEveryResult } = await openStoreForTests(
  openStore,
  reactions,
  'refunds',
)
const { log } = store
const MOST = Number.MAX_SAFE_INTEGER

const facts = { order: 'cart', user: 'anna', total: 30, lines: 'tea:2', restock: 'shelf' }
const user = async (credit: number): Promise<void> => {
  await store.createUser('anna', plainly)
  if (credit > 0) await store.addFunds('anna', credit, plainly)
}
const credit = async () => (await store.find('anna'))?.credit
const charged = async () => (await ledgerOf(bench.redis))('charged')

const bring = async (state: State): Promise<void> => {
  await user(100)
  if (state === 'none') return
  await tell('order', 'RefundGranted', 'it', facts)
  if (state === 'concluded') await tell('stock', 'StockRestocked', 'it', facts)
}
const EVENTS: Readonly<Record<Event, () => Promise<Reply>>> = {
  RefundGranted: () => tell('order', 'RefundGranted', 'it', facts),
  StockRestocked: () => tell('stock', 'StockRestocked', 'it', facts),
  StockWrittenOff: () => tell('stock', 'StockWrittenOff', 'it', facts),
  're-emit': () => log.run('tell-again', { log_id: 'it' }),
}
holdStates({
  log,
  transitions,
  saga: 'refund',
  bring,
  events: EVENTS,
  emittedDuring,
  look: async () => ({
    state: await stateOfIt(),
    credit: await credit(),
    charged: await charged(),
    open: await bench.redis.zrange('sagas:open', '0', '-1'),
  }),
  looksIn: (state) => ({
    state,
    credit: state === 'none' ? 100 : 130,
    charged: state === 'none' ? 0n : -30n,
    open: state === 'refunded' ? ['it'] : [],
  }),
})

test.serial('CreditRefunded says all that stock needs, and order, should it have lost the refund', async (t) => {
  await bring('concluded')
  t.deepEqual(
    (await log.entriesOf('it')).map(({ kind, facts }) => [kind, facts]),
    [['CreditRefunded', { ...facts, total: '30', note: 'C1-1' }]],
  )
  t.deepEqual([...(await packedIn(bench.redis)).keys()], ['it'])
})

test.serial('a credit note names all invoices that it takes back', async (t) => {
  await user(100)
  const note = async (id: string, invoices: object) => {
    await tell('order', 'RefundGranted', id, { ...facts, ...invoices })
    return store.creditNotes.find(String((await log.entriesOf(id)).at(-1)?.facts.note))
  }
  t.like(await note('one', { invoice: 'I1-2' }), { number: 'C1-1', invoice: 'I1-2', invoices: ['I1-2'] })
  const both = { invoice: 'I1-1', invoices: ['I1-1', 'I1-2'] }
  t.like(await note('two', { invoice: 'I1-1,I1-2' }), { number: 'C1-2', ...both })
  t.like(await note('none', {}), { number: 'C1-3', invoice: null, invoices: [] })
})

test.serial('a refund serves the checkouts that wait for the wallet', async (t) => {
  await user(0)
  await store.addFunds('anna', 20, plainly)
  const started = { order: 'other', user: 'anna', lines: 'tea:1', deadline: '1700000000000' }
  await tell('order', 'CheckoutStarted', 'first', { ...started, total: 15 })
  await tell('order', 'CheckoutStarted', 'second', { ...started, total: 18 })
  t.is((await log.recorded('second')).state, 'waiting')
  await tell('order', 'RefundGranted', 'it', facts)
  t.is((await log.recorded('second')).state, 'held')
})

test.serial(
  'stock is told of which checkouts nothing is captured, and then of what they were refunded before',
  async (t) => {
    await user(20)
    const started = { order: 'cart', user: 'anna', lines: 'tea:2', deadline: '1700000000000' }
    await tell('order', 'CheckoutStarted', 'first', { ...started, total: 20 })
    await tell('order', 'CheckoutStarted', 'second', { ...started, total: 20 })
    await tell('order', 'CheckoutStarted', 'refused', { ...started, total: 99 })
    t.is((await log.recorded('second')).state, 'waiting')
    for (const [id, lines, checkouts] of [
      ['r1', 'tea:1', 'refused,second,first,forgotten'],
      ['r2', 'tea:1', 'second'],
      ['r3', 'tea:1', 'first'],
    ] as const)
      await tell('order', 'RefundGranted', id, { ...facts, total: 1, lines, checkouts })
    const said = async (id: string, name: string) => (await log.entriesOf(id)).at(-1)?.facts[name]
    t.deepEqual(
      [await said('r1', 'unpaid'), await said('r2', 'unpaid'), await said('r3', 'unpaid')],
      ['refused,second', 'second', undefined],
    )
    await tell('order', 'CheckoutCancelled', 'first', { ...started, total: 20 })
    t.is(await said('first', 'refunds'), undefined)
    t.deepEqual([await said('second', 'refunds'), (await log.recorded('second')).state], ['r1,r2', 'held'])
  },
)

test.serial('a refund of nothing is paid and concluded like any other', async (t) => {
  await user(5)
  t.deepEqual(await tell('order', 'RefundGranted', 'it', { ...facts, total: 0 }), ['refunded'])
  t.deepEqual(await tell('stock', 'StockWrittenOff', 'it', { ...facts, total: 0 }), ['concluded'])
  t.is(await credit(), 5)
})

test.serial('a wallet without room, or none at all, leaves the entry a dead letter until there is', async (t) => {
  const { message } = await t.throwsAsync(tell('order', 'RefundGranted', 'it', facts))
  t.regex(message, /was dead-lettered: .*there is no user anna/)
  t.deepEqual(await bench.redis.keys('user:*'), [])
  await user(MOST - 29)
  t.regex((await t.throwsAsync(tell('order', 'RefundGranted', 'it', facts))).message, /has no room for 30/)
  t.is(await credit(), MOST - 29)
  const [letter] = await log.dead.page('0-0', 9)
  t.is((await log.dead.retry(letter?.id ?? '', plainly))[0], 'failed')
  await store.pay('anna', 1, plainly)
  t.deepEqual(await log.dead.retry(letter?.id ?? '', plainly), ['applied', 'refunded'])
  t.is(await credit(), MOST)
  t.is(await log.dead.count(), 0)
})

test.serial(
  'a refund that is concluded after its entry was dropped ends with the next survey all the same',
  async (t) => {
    await bring('refunded')
    await bench.redis.xtrim('log:payment', 'MAXLEN', 0)
    await tell('stock', 'StockRestocked', 'it', facts)
    t.is(await stateOfIt(), 'concluded')
    t.deepEqual(await bench.redis.zrange('sagas:open', '0', '-1'), [])
    t.deepEqual(await bench.redis.zrange('sagas:kept', '0', '-1'), ['it'])
  },
)

test.serial(
  'a refund that was told again is concluded in a record of its own, which ends with its last entry',
  async (t) => {
    await bring('refunded')
    await EVENTS['re-emit']()
    await tell('stock', 'StockRestocked', 'it', facts)
    t.is(await stateOfIt(), 'concluded')
    t.is((await packedIn(bench.redis)).size, 0)
    t.deepEqual(await bench.redis.zrange('sagas:kept', '0', '-1'), [])
  },
)

holdEveryResult()

const bought = { order: 'cart', user: 'anna', total: 30, lines: 'tea:2' }
/** By these a checkout is undone that was captured, because a Redis came back older or order gives it up. */
const UNDOING = [
  ['stock', 'StockRefused', { order: 'cart', item: 'tea' }],
  ['stock', 'StockReturned', { order: 'cart', lines: 'tea:2' }],
  ['order', 'CheckoutCancelled', bought],
] as const
for (const [publisher, kind, said] of UNDOING)
  test.serial(`${kind} gives back what was captured, but for what was refunded of it before`, async (t) => {
    await user(100)
    for (const [id, refunds] of [
      ['first', [10]],
      ['second', [10, 20]],
      // Order came back older, and granted the same once more.
      ['third', [30, 30]],
    ] as const) {
      const before = await credit()
      await tell('order', 'CheckoutStarted', id, { ...bought, deadline: '1700000000000' })
      await tell('stock', 'StockTaken', id, bought)
      const { invoice = '' } = await log.recorded(id)
      for (const [index, total] of refunds.entries())
        await tell('order', 'RefundGranted', `${id}-${index}`, { ...facts, total, invoice })
      const back = refunds[0] + (refunds[1] ?? 0)
      t.is(await credit(), (before ?? 0) - 30 + back)
      await tell(publisher, kind, id, said)
      t.is(await credit(), (before ?? 0) + Math.max(0, back - 30), id)
      const { refunded, note } = await log.recorded(id)
      t.deepEqual([refunded, note !== undefined], [String(Math.min(30, back)), back < 30], id)
    }
    const ledger = await ledgerOf(bench.redis)
    t.is(ledger('charged'), -30n)
    t.is(ledger('invoiced') - ledger('credited'), ledger('charged'))
  })

/** This Redis came back older: it learns of a refund before it has captured anew what that is of. */
const refundedBeforeCaptured = async (): Promise<void> => {
  await user(100)
  await tell('stock', 'StockTaken', 'one', bought)
  await tell('stock', 'StockRestocked', 'it', { ...facts, total: 10, lines: 'tea:1', checkouts: 'one' })
}

for (const [publisher, kind, said] of UNDOING)
  test.serial(
    `${kind} gives back what was captured, but for what was known to be refunded of it before that`,
    async (t) => {
      await refundedBeforeCaptured()
      t.is(await credit(), 110)
      t.deepEqual(await tell('stock', 'StockTaken', 'one', bought), ['captured'])
      t.is(await credit(), 80)
      await tell(publisher, kind, 'one', said)
      t.is(await credit(), 100)
      t.is((await log.entriesOf('one')).at(-1)?.facts.refunded, '10')
    },
  )

for (const [publisher, kind, said] of UNDOING)
  test.serial(`${kind} of what was never captured says nothing of what was refunded`, async (t) => {
    await refundedBeforeCaptured()
    await tell(publisher, kind, 'one', said)
    // Said again, it says the same.
    await tell('order', 'CheckoutStarted', 'one', { ...bought, deadline: '1700000000000' })
    t.is(await credit(), 110)
    t.is((await log.entriesOf('one')).at(-1)?.facts.refunded, undefined)
    t.is((await log.recorded('one')).refunded, undefined)
  })

test.serial('a checkout that waits remembers what is refunded of it, until it is captured or refused', async (t) => {
  await user(40)
  await tell('order', 'CheckoutStarted', 'other', { ...bought, deadline: '1700000000000' })
  await tell('stock', 'StockTaken', 'one', bought)
  await tell('stock', 'StockTaken', 'two', { ...bought, total: 20 })
  t.is((await log.recorded('one')).state, 'waiting')
  await store.pay('anna', 10, plainly)
  for (const id of ['one', 'two'])
    await tell('stock', 'StockRestocked', `${id}-back`, { ...facts, total: 10, lines: 'tea:1', checkouts: id })
  await tell('order', 'CheckoutCancelled', 'other', bought)
  await tell('stock', 'StockTaken', 'one', bought)
  t.like(await log.recorded('one'), { state: 'captured', refunded: '10' })
  await tell('order', 'CheckoutCancelled', 'one', bought)
  t.is((await log.entriesOf('one')).at(-1)?.facts.refunded, '10')
})
