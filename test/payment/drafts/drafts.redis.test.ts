/** Drafts of invoices in payment's store: what each entry of order makes of one, and what ends it. */
import test from 'ava'
import { alternatives, type Event, type State, transitions } from '../../../payment/drafts/transitions.ts'
import { reactions } from '../../../payment/reactions.ts'
import { openStore } from '../../../payment/store.ts'
import type { Reply } from '../../../shared/redis/script.ts'
import { entryOf, plainly } from '../../support/shop/open-store.ts'
import { holdStates, openStoreForTests } from '../../support/shop/store-rules.ts'

const { bench, store, tell, emittedDuring, holdEveryResult } = await openStoreForTests(openStore, reactions, 'drafts')
const { log } = store

const ORDER = { order: '7', user: 'anna', total: 30, lines: 'tea:2', costs: 'tea:30' }
const LATER = { ...ORDER, total: 45, lines: 'tea:3', costs: 'tea:45', order_version: 9 }
const list = async (wanted: { readonly user?: string; readonly limit?: number } = {}) => {
  const { documents } = await store.invoices.list({
    ...{ order: '7', user: undefined, after: undefined, limit: 10 },
    ...wanted,
  })
  return documents
}
const stateNow = async (): Promise<string> => (await list()).find(({ status }) => status !== 'issued')?.status ?? 'none'

const hold = async (): Promise<void> => {
  await store.createUser('anna', plainly)
  await store.addFunds('anna', 100, plainly)
  await tell('order', 'CheckoutStarted', 'it', { ...ORDER, deadline: '1700000000000' })
}
const capture = () => tell('stock', 'StockTaken', 'it', ORDER)

const bring = async (state: State): Promise<void> => {
  await hold()
  if (state !== 'none') await tell('order', 'DraftRequested', 'draft', { ...ORDER, order_version: 8 })
  if (state === 'void') await tell('order', 'OrderCancelled', 'end', ORDER)
}
const EVENTS: Readonly<Record<Event, () => Promise<Reply>>> = {
  OrderPlaced: () => tell('order', 'OrderPlaced', 'draft', ORDER),
  OrderChanged: () => tell('order', 'OrderChanged', 'draft', { ...ORDER, order_version: 8 }),
  DraftRequested: () => tell('order', 'DraftRequested', 'draft', { ...ORDER, order_version: 8 }),
  OrderCancelled: () => tell('order', 'OrderCancelled', 'draft', ORDER),
  OrderExpired: () => tell('order', 'OrderExpired', 'draft', ORDER),
  OrderForgotten: () => tell('order', 'OrderForgotten', 'draft', ORDER),
  OrdersInitialised: () =>
    tell('order', 'OrdersInitialised', 'draft', { first: 0, last: 9, items: 1, users: 1, price: 1, seed: 1 }),
  capture,
}
holdStates({
  log,
  transitions,
  saga: 'draft',
  bring,
  events: EVENTS,
  emittedDuring,
  look: stateNow,
  looksIn: (state) => state,
  again: (_, event) => (event === 'capture' ? 'repeated' : undefined),
})

test.serial('a capture issues the invoice instead of the draft', async (t) => {
  await bring('draft')
  await capture()
  t.like(await list(), [{ number: 'I1-1', status: 'issued', order_id: '7', total: 30 }])
  t.is(await bench.redis.exists('drafts'), 0)
})

for (const [state, event, where, [result, next, ...kinds]] of alternatives)
  test.serial(`${event} of a draft that is ${state}, where ${where}: ${result}`, async (t) => {
    await bring(state)
    const facts = event === 'OrderCancelled' ? { ...ORDER, note: 'C1-1' } : LATER
    const seen = await emittedDuring(async () => t.is((await tell('order', event, 'later', facts))[0], result))
    t.deepEqual<readonly string[], readonly string[]>(seen, kinds)
    t.is(await stateNow(), next)
    const shown = { total: 45, lines: [['tea', 3]], order_version: 9, log_id: 'later' }
    if (next === 'draft') t.like(await list(), [shown])
  })

test.serial('a draft is listed with the invoices of its order, without a number, and nowhere else', async (t) => {
  await tell('order', 'OrderPlaced', 'draft', ORDER)
  const [draft, ...others] = await list()
  const { at, ...said } = draft ?? { at: '' }
  t.deepEqual(others, [])
  t.true(Date.parse(at) > 0)
  t.deepEqual(said, {
    number: null,
    status: 'draft',
    order_version: 1,
    order_id: '7',
    user_id: 'anna',
    total: 30,
    lines: [['tea', 2]],
    log_id: 'draft',
  })
  t.deepEqual(await list({ user: 'anna' }), [draft])
  t.deepEqual(await list({ user: 'ben' }), [])
  const all = { order: undefined, user: undefined, after: undefined, limit: 10 }
  t.deepEqual((await store.invoices.list(all)).documents, [])
  t.deepEqual((await store.invoices.list({ ...all, user: 'anna' })).documents, [])
  t.deepEqual(
    (await log.entriesOf('draft')).map(({ kind, facts }) => [kind, facts]),
    [['InvoiceDrafted', { order: '7', user: 'anna', total: '30', order_version: '1' }]],
  )
})

test.serial('a draft comes after the last page of invoices', async (t) => {
  await hold()
  await capture()
  await tell('order', 'CheckoutCancelled', 'it', ORDER)
  await tell('order', 'DraftRequested', 'again', LATER)
  t.deepEqual(
    (await list({ limit: 1 })).map(({ status }) => status),
    ['issued', 'draft'],
  )
})

test.serial('an order over a value, which has no lines, has a draft as well', async (t) => {
  await tell('order', 'OrderPlaced', 'draft', { ...ORDER, lines: '', costs: '' })
  t.like(await list(), [{ status: 'draft', total: 30, lines: [] }])
})

test.serial('what was captured before its order was read of again keeps no draft', async (t) => {
  await bring('none')
  await capture()
  await tell('order', 'OrderPlaced', 'draft', ORDER)
  t.is(await stateNow(), 'draft')
  await tell('order', 'CheckoutStarted', 'it', { ...ORDER, deadline: '1700000000000' })
  t.is(await stateNow(), 'none')
})

test.serial('what is read in one batch is drafted as it is at the end of it', async (t) => {
  await bring('draft')
  await capture()
  const read = (at: number, kind: 'CheckoutStarted' | 'OrderPlaced' | 'DraftRequested', facts: object) =>
    entryOf('order', kind, `${at}-0`, kind === 'CheckoutStarted' ? 'it' : `draft-${at}`, { ...ORDER, ...facts })
  await log.apply('order', '0-0', [
    read(101, 'OrderPlaced', {}),
    read(102, 'CheckoutStarted', { deadline: '1700000000000' }),
    read(103, 'DraftRequested', { order_version: 9 }),
  ])
  t.like(await list(), [{ status: 'issued' }, { status: 'draft', order_version: 9 }])
})

holdEveryResult()
