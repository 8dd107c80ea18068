/** Every movement of captured money has one document, and documents are found. */
import test, { type ExecutionContext } from 'ava'
import { confirmSeries, indexDocuments } from '../../../payment/documents/commands.ts'
import { reactions } from '../../../payment/reactions.ts'
import { openStore } from '../../../payment/store.ts'
import { runner } from '../../../shared/log/runner.ts'
import { ledgerOf } from '../../support/checker/ledgers.ts'
import { unpackRecord } from '../../support/checker/records.ts'
import { entryOf, openBench, plainly, resultsSeen, type Teller, teller } from '../../support/shop/open-store.ts'

const shared = await openBench()
const store = openStore(shared.dependencies)
const { redis } = shared
const results = resultsSeen(store.log, reactions, 'documents')

let tell: Teller
test.serial.beforeEach(async () => {
  await redis.flushall()
  tell = teller(store.log)
})
test.after.always(async () => shared[Symbol.asyncDispose]())

const LINES = 'tea:2,cup:1'
const checkout = (order: string, user: string, total = 30) => ({
  order,
  user,
  total,
  lines: LINES,
  deadline: '1700000000000',
})
const fill = async (user: string): Promise<void> => {
  await store.createUser(user, plainly)
  await store.addFunds(user, 1_000_000, plainly)
}
/** A checkout whose money is captured, under the log id of its order. */
const capture = async (order: string, user = 'anna'): Promise<void> => {
  await tell('order', 'CheckoutStarted', order, checkout(order, user))
  await tell('stock', 'StockTaken', order, checkout(order, user))
}
const cancel = (order: string, user = 'anna') => tell('order', 'CheckoutCancelled', order, checkout(order, user))
/** The next series begins. */
const raise = () => runner(store.log).run(confirmSeries, { invoice: '', credit_note: '', lost: 'reported' })

const NOBODY = { user: undefined, order: undefined, after: undefined, limit: 1_000 }
const all = async () => ({
  invoices: (await store.invoices.list(NOBODY)).documents,
  notes: (await store.creditNotes.list(NOBODY)).documents,
})
const numbersOf = (documents: readonly { readonly number: string | null }[]) => documents.map(({ number }) => number)

/** How many documents each series has, and how many of them are missing. */
const counted = async () =>
  (await store.series()).map(({ invoices, credit_notes }) => [
    invoices.count,
    credit_notes.count,
    invoices.last - invoices.count + credit_notes.last - credit_notes.count,
  ])

/** Documents tell what is charged, and none is missing. */
const addsUp = async (t: ExecutionContext): Promise<void> => {
  const account = await ledgerOf(redis)
  const { invoices, notes } = await all()
  const sum = (documents: readonly { readonly total: number }[]) =>
    documents.reduce((total, one) => total + BigInt(one.total), 0n)
  t.deepEqual([account('invoiced'), account('credited')], [sum(invoices), sum(notes)])
  t.is(account('undocumented') + account('invoiced') - account('credited'), account('charged'))
  for (const [, , missing] of await counted()) t.is(missing, 0)
}

test.serial('a capture issues one invoice, and is told again under its number', async (t) => {
  await fill('anna')
  const before = Date.now()
  await capture('cart')
  await tell('stock', 'StockTaken', 'cart', checkout('cart', 'anna'))
  await tell('order', 'CheckoutStarted', 'cart', checkout('cart', 'anna'))
  const { invoices, notes } = await all()
  t.deepEqual(notes, [])
  t.is(invoices.length, 1)
  const [invoice] = invoices
  if (invoice === undefined) return
  const { number, at, ...said } = invoice
  t.deepEqual(said, {
    status: 'issued',
    order_id: 'cart',
    user_id: 'anna',
    total: 30,
    lines: [
      ['tea', 2],
      ['cup', 1],
    ],
    log_id: 'cart',
  })
  t.true(Date.parse(at) >= before - 1_000 && Date.parse(at) <= Date.now() + 1_000)
  t.is(number, 'I1-1')
  t.deepEqual(await store.invoices.find('I1-1'), invoice)
  const told = (await store.log.entriesOf('cart')).filter(({ kind }) => kind === 'CreditCaptured')
  t.deepEqual(
    told.map(({ facts }) => facts.invoice),
    [number, number],
  )
  await addsUp(t)
})

test.serial('what is only held, refused or let go has no document', async (t) => {
  await fill('anna')
  await tell('order', 'CheckoutStarted', 'voided', checkout('voided', 'anna'))
  await tell('stock', 'StockRefused', 'voided', { order: 'voided', item: 'tea' })
  await tell('order', 'CheckoutStarted', 'released', checkout('released', 'anna'))
  await cancel('released')
  await tell('order', 'CheckoutStarted', 'refused', checkout('refused', 'anna', 1_000_001))
  await cancel('never')
  await store.pay('anna', 5, plainly)
  t.deepEqual(await all(), { invoices: [], notes: [] })
  t.is(await redis.exists('series'), 0)
})

for (const [what, undo, kind] of [
  ['a cancellation', (order: string) => cancel(order), 'CreditReleased'],
  [
    'goods that are gone',
    (order: string) => tell('stock', 'StockRefused', order, { order, item: 'tea' }),
    'CreditVoided',
  ],
  [
    'goods that came back',
    (order: string) => tell('stock', 'StockReturned', order, { order, lines: LINES }),
    'CreditReleased',
  ],
] as const)
  test.serial(`captured money that ${what} gives back has one credit note, which names the invoice`, async (t) => {
    await fill('anna')
    await capture('kept')
    await capture('cart')
    await undo('cart')
    await undo('cart')
    await cancel('cart')
    const { invoices, notes } = await all()
    t.is(invoices.length, 2)
    t.is(notes.length, 1)
    const { status: _, ...invoice } = invoices[1] ?? { status: undefined }
    t.deepEqual<unknown, unknown>(notes[0], {
      ...invoice,
      number: notes[0]?.number ?? '',
      at: notes[0]?.at ?? '',
      invoice: invoices[1]?.number ?? '',
      invoices: [invoices[1]?.number ?? ''],
    })
    t.is(notes[0]?.number, 'C1-1')
    const told = (await store.log.entriesOf('cart')).find((entry) => entry.kind === kind)
    t.is(told?.facts.note, notes[0]?.number)
    t.deepEqual(await store.creditNotes.find(notes[0]?.number ?? ''), notes[0])
    await addsUp(t)
  })

test.serial('the numbers of a batch follow each other, also if one of its entries fails', async (t) => {
  const orders = ['one', 'two', 'three', 'four']
  await fill('anna')
  for (const order of orders) await tell('order', 'CheckoutStarted', order, checkout(order, 'anna'))
  await unpackRecord(redis, 'payment', 'two')
  await redis.rename('saga:two', 'aside')
  await redis.set('saga:two', 'not a hash')
  await store.log.apply(
    'stock',
    '0-0',
    orders.map((order, at) => entryOf('stock', 'StockTaken', `${at + 1}-0`, order, checkout(order, 'anna'))),
  )
  const { invoices } = await all()
  t.deepEqual(
    invoices.map(({ order_id, number }) => [order_id, number]),
    [
      ['one', 'I1-1'],
      ['three', 'I1-2'],
      ['four', 'I1-3'],
    ],
  )
  await addsUp(t)
})

test.serial(
  'Redis gives no number twice; what is taken out of a series is missed, and its number is not given again',
  async (t) => {
    await fill('anna')
    await capture('cart')
    await t.throwsAsync(redis.xadd('invoices:1', '0-1', 'order', 'another'), { message: /equal or smaller/ })
    await capture('next')
    t.deepEqual(await counted(), [[2, 0, 0]])
    await redis.xdel('invoices:1', '0-1')
    t.deepEqual(await counted(), [[1, 0, 1]])
    await redis.xdel('invoices:1', '0-2')
    await capture('last')
    t.deepEqual(numbersOf((await all()).invoices), ['I1-3'])
    t.deepEqual(await counted(), [[1, 0, 2]])
  },
)

test.serial('the list goes through all series, and a note may take back an invoice of an earlier one', async (t) => {
  await fill('anna')
  for (const order of ['one', 'two']) await capture(order)
  await raise()
  for (const order of ['three', 'four', 'five']) await capture(order)
  await cancel('one')
  await raise()
  await raise()
  await capture('six')
  const { invoices, notes } = await all()
  t.deepEqual(numbersOf(invoices), ['I1-1', 'I1-2', 'I2-1', 'I2-2', 'I2-3', 'I4-1'])
  t.deepEqual(
    notes.map(({ number, invoice }) => [number, invoice]),
    [['C2-1', 'I1-1']],
  )
  t.deepEqual(
    (await store.series()).map(({ series, ended }) => [series, ended?.why]),
    [
      [1, 'reported'],
      [2, 'reported'],
      [3, 'reported'],
      [4, undefined],
    ],
  )
  await addsUp(t)
})

/** Reads all pages of a list. */
const pages = async (wanted: { readonly user?: string; readonly order?: string }, limit: number): Promise<string[]> => {
  const found: string[] = []
  for (let after: string | null | undefined; after !== null; ) {
    const page = await store.invoices.list({ ...NOBODY, ...wanted, after, limit })
    found.push(...page.documents.map(({ number }) => number ?? 'draft'))
    after = page.next
  }
  return found
}

test.serial('documents are found by user and by order, page after page, however many series there are', async (t) => {
  for (const user of ['anna', 'bert', 'carl']) await fill(user)
  for (let number = 0; number < 11; number += 1) {
    if (number % 4 === 3) await raise()
    await capture(`order-${number}`, number % 3 === 0 ? 'bert' : 'anna')
    // The index is asked in between, too.
    if (number === 5) t.is((await store.invoices.list({ ...NOBODY, user: 'bert' })).documents.length, 2)
  }
  const { invoices } = await all()
  for (const limit of [1, 2, 3, 100]) {
    t.deepEqual(await pages({}, limit), numbersOf(invoices))
    for (const user of ['anna', 'bert'])
      t.deepEqual(await pages({ user }, limit), numbersOf(invoices.filter(({ user_id }) => user_id === user)))
    t.deepEqual(await pages({ user: 'carl' }, limit), [])
    t.deepEqual(await pages({ order: 'order-7' }, limit), numbersOf(invoices.slice(7, 8)))
    t.deepEqual(await pages({ order: 'order-7', user: 'anna' }, limit), numbersOf(invoices.slice(7, 8)))
    t.deepEqual(await pages({ order: 'order-7', user: 'bert' }, limit), [])
    t.deepEqual(await pages({ order: 'order-77' }, limit), [])
  }
})

test.serial('an order that was undone and paid again has two invoices and a credit note', async (t) => {
  await fill('anna')
  for (const id of ['first', 'second']) {
    await tell('order', 'CheckoutStarted', id, checkout('cart', 'anna'))
    await tell('stock', 'StockTaken', id, checkout('cart', 'anna'))
    if (id === 'first') await tell('order', 'CheckoutCancelled', id, checkout('cart', 'anna'))
  }
  const ofCart = { ...NOBODY, order: 'cart' }
  const { documents } = await store.invoices.list(ofCart)
  t.deepEqual(
    documents.map(({ log_id }) => log_id),
    ['first', 'second'],
  )
  t.deepEqual(
    (await store.creditNotes.list(ofCart)).documents.map(({ invoice }) => invoice),
    [documents[0]?.number],
  )
  t.deepEqual(
    numbersOf((await store.invoices.list({ ...ofCart, limit: 1 })).documents),
    numbersOf(documents.slice(0, 1)),
  )
  t.deepEqual(
    numbersOf((await store.invoices.list({ ...ofCart, after: documents[0]?.number ?? undefined })).documents),
    numbersOf(documents.slice(1)),
  )
})

test.serial('the index follows after so many captures, though nobody asks it', async (t) => {
  await fill('anna')
  await capture('cart')
  for (let reply = 0; reply < 1_023; reply += 1) store.onApplied(['captured'])
  store.onApplied(['held'])
  t.is(await redis.llen('invoices-of:anna'), 0)
  store.onApplied(['captured'])
  // Asked on the same connection, behind what was just sent.
  while ((await redis.llen('invoices-of:anna')) === 0);
  t.is(await redis.llen('invoices-of:anna'), 1)
})

test.serial(
  'what a version without documents has captured is charged without an invoice, and can be given back',
  async (t) => {
    await fill('anna')
    for (const order of ['old', 'older']) await capture(order)
    // As that version leaves it: nothing but entries without a number, and its two accounts.
    await redis.del('invoices:1', 'series')
    await redis.hdel('books', 'invoiced', 'undocumented', 'undocumented:high')
    for (const order of ['old', 'older']) {
      const { invoice: _number, ...record } = await store.log.recorded(order)
      await redis.hset(`saga:${order}`, record)
      await redis.hdel(`sagas:packed:${order.slice(6, 9)}`, order)
    }
    await capture('new')
    await cancel('old')
    await cancel('new')
    await raise()
    await capture('newest')
    const account = await ledgerOf(redis)
    t.deepEqual(['undocumented', 'invoiced', 'credited', 'charged'].map(account), [60n, 60n, 60n, 60n])
    const { notes, invoices } = await all()
    t.deepEqual(
      notes.map(({ order_id, invoice }) => [order_id, invoice]),
      [
        ['old', null],
        ['new', invoices[0]?.number ?? ''],
      ],
    )
    await addsUp(t)
  },
)

/** Leaves a series as the version before has written it. */
const writeAsBefore = async (series: string): Promise<void> => {
  const entries = await redis.xrange(series, '-', '+')
  await redis.del(series)
  for (const [id, [, text = '']] of entries) {
    const said = text.split(' ').flatMap((piece) => piece.split('='))
    await redis.xadd(series, `${id.slice(2)}-0`, ...said, ...(said.includes('credits') ? [] : ['credits', '']))
  }
}

test.serial(
  'a series of the version before ends, and what was issued in it is found, listed and taken back',
  async (t) => {
    await fill('anna')
    for (const order of ['one', 'two', 'three', 'four']) await capture(order)
    await cancel('one')
    const before = await all()
    for (const series of ['invoices:1', 'credit-notes:1']) await writeAsBefore(series)
    t.deepEqual(await redis.xrange('credit-notes:1', '-', '+', 'COUNT', 1).then(([note]) => note?.[0]), '1-0')
    const confirm = () => runner(store.log).run(confirmSeries, { invoice: 'I1-4', credit_note: '', lost: '' })
    t.deepEqual(
      [await confirm(), await confirm()],
      [
        ['renewed', '2'],
        ['confirmed', '2'],
      ],
    )
    t.deepEqual(await all(), before)
    t.deepEqual(await pages({}, 2), ['I1-1', 'I1-2', 'I1-3', 'I1-4'])
    await capture('five')
    await cancel('two')
    t.deepEqual(await pages({ user: 'anna' }, 3), ['I1-1', 'I1-2', 'I1-3', 'I1-4', 'I2-1'])
    t.deepEqual(await pages({ order: 'three' }, 3), ['I1-3'])
    const { notes } = await all()
    t.deepEqual(
      notes.map(({ number, order_id, invoice }) => [number, order_id, invoice]),
      [
        ['C1-1', 'one', 'I1-1'],
        ['C2-1', 'two', 'I1-2'],
      ],
    )
    t.deepEqual(
      (await store.series()).map(({ invoices, ended }) => [invoices, ended?.why, ended?.told]),
      [
        [{ count: 4, last: 4 }, 'upgraded', ['I1-4']],
        [{ count: 1, last: 1 }, undefined, undefined],
      ],
    )
    await addsUp(t)
  },
)

test.serial('and so it is where the version before had given back, but captured nothing', async (t) => {
  await fill('anna')
  await capture('one')
  await raise()
  await cancel('one')
  await writeAsBefore('credit-notes:2')
  const [result] = await runner(store.log).run(confirmSeries, { invoice: '', credit_note: '', lost: '' })
  t.is(result, 'renewed')
  await capture('two')
  t.deepEqual(numbersOf((await all()).invoices), ['I1-1', 'I3-1'])
  await addsUp(t)
})

test.serial(
  'the index goes on where a page of it ended, and every result of these commands was returned by now',
  async (t) => {
    const { run } = runner(store.log)
    await fill('anna')
    for (const order of ['one', 'two']) await capture(order)
    t.deepEqual(await run(indexDocuments, { kind: 'invoices', page: 1 }), ['in-part'])
    t.deepEqual(await run(indexDocuments, { kind: 'invoices', page: 2 }), ['indexed'])
    t.deepEqual(await redis.lrange('invoices-of:anna', 0, -1), ['1-1', '1-2'])
    t.deepEqual(results.unseen(), [])
  },
)
