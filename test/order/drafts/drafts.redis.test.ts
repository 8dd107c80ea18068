/** What order notes of the drafts that payment makes, and what it has drafted anew. */
import test from 'ava'
import { alternatives, type Event, type State, transitions } from '../../../order/drafts/transitions.ts'
import { reactions } from '../../../order/reactions.ts'
import { openStore } from '../../../order/store.ts'
import type { Reply } from '../../../shared/redis/script.ts'
import { lookInto } from '../../support/shop/behind.ts'
import { plainly, saidIn } from '../../support/shop/open-store.ts'
import { holdStates, openStoreForTests } from '../../support/shop/store-rules.ts'

const { bench, store, tell, emitted, emittedDuring, holdEveryResult } = await openStoreForTests(
  openStore,
  reactions,
  'drafts',
)
const { log } = store

/** Two of tea for 15 each. */
const ORDER = { order: 'cart', user: 'anna', total: 30, lines: 'tea:2', costs: 'tea:30' }
const place = () => store.place(ORDER, plainly)
const addTea = (order = 'cart') => store.addItem({ order, item: 'tea', quantity: 1, price: 15 }, plainly)
const shown = async (order = 'cart') => {
  const found = await store.show(order)
  if (found === undefined) throw new Error(`there is no ${order}`)
  return found
}
const drafted = (order_version: number, total = 30): Promise<Reply> =>
  tell('payment', 'InvoiceDrafted', 'it', { ...ORDER, total, order_version })
const voided = (order_version: number): Promise<Reply> =>
  tell('payment', 'DraftVoided', 'it', { ...ORDER, order_version })
const linesVersion = async (): Promise<number> => (await shown()).lines_version ?? 1

const bring = async (state: State): Promise<void> => {
  if (state === 'none') {
    await store.create('cart', 'anna', plainly)
    await addTea()
  } else await place()
  if (state === 'drafted') await drafted(1)
}
const EVENTS: Readonly<Record<Event, () => Promise<Reply>>> = {
  InvoiceDrafted: async () => drafted(await linesVersion()),
  DraftVoided: async () => voided(await linesVersion()),
}
const stateNow = async (): Promise<State> => {
  const { lines_version, invoice } = await shown()
  if (lines_version === null) return 'none'
  return invoice?.order_version === lines_version ? 'drafted' : 'awaited'
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
})

const beginsLater = () =>
  store.begin({ log_id: 'later', order: 'cart', user: 'anna', token: '', timeout_ms: 60_000 }, plainly)

const WHERE: Readonly<Record<(typeof alternatives)[number][2], (event: Event) => Promise<Reply>>> = {
  'the order is unknown': async () => {
    await bench.redis.del('order:cart')
    return drafted(1)
  },
  'that version is unknown': async () => drafted((await shown()).version + 1),
  'that version is unknown, and it is being paid': async () => {
    await beginsLater()
    return drafted((await shown()).version + 1)
  },
  'it is being paid': async () => {
    await beginsLater()
    return voided(1)
  },
  'it is of a version before': async (event) => {
    await addTea()
    return event === 'InvoiceDrafted' ? drafted(1) : voided(1)
  },
  'the order is cancelled': async () => {
    await store.cancelOrder({ order: 'cart', from: 'any', restock: 'shelf', reason: undefined }, plainly)
    return voided(1)
  },
}
for (const [state, event, where, [result, next, ...kinds]] of alternatives)
  test.serial(`${event} of a draft that is ${state}, where ${where}: ${result}`, async (t) => {
    await bring(state)
    t.is((await WHERE[where](event))[0], result)
    const its = ['InvoiceDrafted', 'DraftVoided', 'DraftRequested', 'OrderForgotten']
    const seen = (await saidIn(log)).filter(({ log_id, kind }) => log_id === 'it' && its.includes(kind))
    t.deepEqual<readonly string[], readonly string[]>(
      seen.map(({ kind }) => kind),
      kinds,
    )
    if (where !== 'the order is unknown') t.is(await stateNow(), next)
    else t.is(await store.find('cart'), undefined)
  })

test.serial('an order that was placed shows the draft of its invoice, and that it is whole', async (t) => {
  await place()
  t.like(await shown(), { lines_version: 1, invoice: null })
  await drafted(1)
  const invoice = { number: null, status: 'draft', total: 30, order_version: 1, replaces: [] }
  t.like(await shown(), { version: 1, lines_version: 1, invoice })
  t.is(await store.draftedVersion('cart'), 1)
})

test.serial('a draft is announced where more than one replica listens', async (t) => {
  const listeners = [lookInto(bench.server, t), lookInto(bench.server, t)]
  const told: string[] = []
  for (const [index, listener] of listeners.entries()) {
    await store.place({ ...ORDER, order: `cart-${index}` }, plainly)
    await listener.subscribe('drafts')
    const { promise, resolve } = Promise.withResolvers<void>()
    listener.on('message', (_, message) => {
      told.push(message)
      resolve()
    })
    const reply = await tell('payment', 'InvoiceDrafted', 'it', { ...ORDER, order: `cart-${index}`, order_version: 1 })
    t.is(store.wasAnnounced(reply), index > 0)
    if (index > 0) await promise
  }
  t.deepEqual(new Set(told), new Set(['cart-1 1']))
  t.is(store.wasAnnounced(await drafted(1)), undefined)
})

test.serial('a line that is added to it has another draft made, which shows it as it is then', async (t) => {
  await place()
  await drafted(1)
  await addTea()
  const { version, lines_version, invoice } = await shown()
  t.is(lines_version, version)
  t.like(invoice, { total: 30, order_version: 1 })
  const [said] = (await saidIn(log)).filter(({ kind }) => kind === 'DraftRequested')
  t.deepEqual(said?.facts, { order: 'cart', user: 'anna', total: '45', lines: 'tea:3', order_version: String(version) })
})

test.serial('a cart that is filled line by line has no draft, and nothing more is said of it', async (t) => {
  await bring('none')
  t.deepEqual(await emitted(), ['OrderCreated', 'LineAdded'])
  t.like(await shown(), { lines_version: null, invoice: null })
})

test.serial('an order that is paid shows its invoice, and of which version the draft of it was', async (t) => {
  await place()
  await drafted(1)
  await store.begin({ log_id: 'paid', order: 'cart', user: 'anna', token: '', timeout_ms: 60_000 }, plainly)
  await tell('payment', 'CreditCaptured', 'paid', { ...ORDER, invoice: 'I1-1' })
  t.like(await shown(), { invoice: { number: 'I1-1', status: 'issued', total: 30, order_version: 1 } })
})

const givesUp = () => store.cancelOrder({ order: 'cart', from: 'any', restock: 'shelf', reason: undefined }, plainly)
const WONT_BE_PAID: Readonly<Record<string, () => Promise<unknown>>> = {
  cancelled: async () => {
    await givesUp()
    await tell('payment', 'CreditReleased', 'first', ORDER)
  },
  expired: async () => {
    await store.cancel('first')
    await tell('payment', 'CreditReleased', 'first', ORDER)
    await bench.redis.hset('order:cart', 'status', 'expired')
  },
}
for (const [status, bringTo] of Object.entries(WONT_BE_PAID))
  test.serial(
    `no draft is shown of an order that is ${status} whose money was captured after all, and given back`,
    async (t) => {
      await place()
      await drafted(1)
      await store.begin({ log_id: 'first', order: 'cart', user: 'anna', token: 'token', timeout_ms: 10_000 }, plainly)
      await bringTo()
      const before = await shown()
      t.like(before, { status, invoice: { status: 'void' } })
      await tell('payment', 'CreditReleased', 'first', { ...ORDER, note: 'C2-1' })
      const after = await shown()
      t.like(after, { status, invoice: null })
      t.true(after.version > before.version, 'a version stands for one state')
    },
  )

test.serial(
  'the invoice of an order that was paid and cancelled is still of the version that was drafted',
  async (t) => {
    await place()
    await drafted(1)
    const begin = (log_id: string) =>
      store.begin({ log_id, order: 'cart', user: 'anna', token: 'token', timeout_ms: 10_000 }, plainly)
    await begin('first')
    await store.cancel('first')
    await tell('payment', 'CreditReleased', 'first', ORDER)
    await begin('second')
    await tell('payment', 'CreditCaptured', 'second', { ...ORDER, invoice: 'I1-1' })
    await givesUp()
    const seen = { status: 'cancelled', invoice: { number: 'I1-1', order_version: 1 } }
    t.like(await shown(), seen)
    t.is((await tell('payment', 'CreditReleased', 'first', { ...ORDER, note: 'C2-1' }))[0], 'requested')
    t.like(await shown(), seen)
  },
)

test.serial('the draft of an order that is cancelled shows as void', async (t) => {
  await place()
  await drafted(1)
  await store.cancelOrder({ order: 'cart', from: 'any', restock: 'shelf', reason: undefined }, plainly)
  t.like((await shown()).invoice, { number: null, status: 'void' })
})

test.serial('an order that is open again, because what was captured was given back, has another draft', async (t) => {
  for (const note of [undefined, 'C1-1']) {
    await bench.redis.flushall()
    await place()
    await drafted(1)
    await store.begin({ log_id: 'given-up', order: 'cart', user: 'anna', token: '', timeout_ms: 60_000 }, plainly)
    await store.cancel('given-up')
    const facts = note === undefined ? ORDER : { ...ORDER, note }
    const seen = await emittedDuring(() => tell('payment', 'CreditReleased', 'given-up', facts))
    t.deepEqual(seen, note === undefined ? ['CheckoutClosed'] : ['CheckoutClosed', 'DraftRequested'])
    t.like(await shown(), { status: 'open', ...(note === undefined ? { lines_version: 1 } : {}) })
  }
})

/** An order of which payment has no draft any more, since a checkout that was closed while a later one was under way. */
const bringUndrafted = async (later: () => Promise<unknown>): Promise<void> => {
  await place()
  await drafted(1)
  await store.begin({ log_id: 'first', order: 'cart', user: 'anna', token: '', timeout_ms: 60_000 }, plainly)
  await store.cancel('first')
  await tell('payment', 'CreditReleased', 'first', ORDER)
  await later()
  await tell('payment', 'CreditReleased', 'first', { ...ORDER, note: 'C2-1' })
}
const submitsLater = () => store.submit({ log_id: 'later', order: 'cart', timeout_ms: 60_000, most: 9 }, plainly)
const LATER: Readonly<Record<string, readonly [later: () => Promise<unknown>, end: () => Promise<unknown>]>> = {
  'is refused': [beginsLater, () => tell('payment', 'CreditRefused', 'later', { ...ORDER, reason: 'out-of-credit' })],
  'is undone': [
    beginsLater,
    async () => {
      await store.cancel('later')
      await tell('payment', 'CreditReleased', 'later', ORDER)
    },
  ],
  'is given up before it is begun': [submitsLater, () => store.cancel('later')],
  'was answered not to be, before it is begun': [
    submitsLater,
    () => log.run('uphold', { log_id: 'later', order: 'cart', user: 'anna', total: '30', told: 'cancelled' }),
  ],
}
for (const [what, [later, end]] of Object.entries(LATER))
  test.serial(`a draft that is lost while a checkout is under way is requested once that ${what}`, async (t) => {
    await bringUndrafted(later)
    t.false((await emitted()).includes('DraftRequested'))
    await end()
    t.is((await emitted()).at(-1), 'DraftRequested')
    t.like(await shown(), { status: 'open' })
  })

test.serial('orders that are made anew have no drafts', async (t) => {
  await store.place({ ...ORDER, order: '0' }, plainly)
  await tell('payment', 'InvoiceDrafted', 'it', { ...ORDER, order: '0', order_version: 1 })
  await store.initOrders({ first: 0, last: 0, items: 1, users: 1, price: 1, seed: 1 }, plainly)
  t.like(await shown('0'), { lines_version: null, invoice: null })
})

holdEveryResult()
