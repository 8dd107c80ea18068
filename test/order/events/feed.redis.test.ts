/** Who is sent which entries of an order, when they come, and when they come again. */
import assert from 'node:assert/strict'
import { setImmediate as turnEnd } from 'node:timers/promises'
import test from 'ava'
import { openFeed } from '../../../order/events/feed.ts'
import { openStore } from '../../../order/store.ts'
import type { RawEntry } from '../../../shared/contract/raw-entry.ts'
import { type EventStream, openEventStream, type ServerSentEvent } from '../../../shared/http/event-stream.ts'
import { eventually } from '../../support/eventually.ts'
import { LINE, MONEY, openCart } from '../../support/shop/cart.ts'
import { openBench, plainly, teller } from '../../support/shop/open-store.ts'

const TIMEOUT_MS = 10_000
const closing = new AbortController().signal
const bench = await openBench()
const store = openStore(bench.dependencies)
test.serial.beforeEach(() => bench.redis.flushall())
test.after.always(() => bench[Symbol.asyncDispose]())

/** A whole page of entries that are about another order. */
const OTHERS: readonly RawEntry[] = Array.from({ length: 1_000 }, () => [
  '1-0',
  ['LineAdded', 'version=1 log_id=it order=other'],
])

/** A log that holds every entry, and whether it was asked for this one: then who has seen that comes again. */
const asking = (seen: string) => {
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  const has = async (id: string) => {
    if (id === seen) resolve()
    return true
  }
  return { asked, has }
}

const open = () => openFeed({ log: store.log, store })

/** A client that listens. */
const client = () => {
  const sent: ServerSentEvent[] = []
  const gone: (() => void)[] = []
  let isEnded = false
  const leave = (): void => {
    for (const one of gone.splice(0)) one()
  }
  const stream: EventStream = {
    send: (event) => sent.push(event),
    comment: () => undefined,
    end: () => {
      isEnded = true
      leave()
    },
    onClose: (listener) => gone.push(listener),
  }
  const kinds = (): readonly string[] => sent.map(({ event }) => event)
  const whenSent = (...wanted: readonly string[]): Promise<void> =>
    eventually(async () => assert.deepEqual(kinds(), wanted), TIMEOUT_MS)
  return { stream, sent, leave, whenSent, kinds, hasEnded: () => isEnded }
}

const begin = (id: string, order = 'cart') =>
  store.begin({ log_id: id, order, user: 'anna', token: 'a-token', timeout_ms: 60_000 }, plainly)

test.serial(
  'a listener is sent the last checkout of its order, and then what comes of the order, and no other’s',
  async (t) => {
    const feed = open()
    await openCart(store)
    await openCart(store, 'trolley', 'anna')
    await begin('it')
    const [cart, trolley] = [client(), client()]
    feed.listen({ order: 'cart', user: 'anna' }, undefined, cart.stream, closing)
    feed.listen({ order: 'trolley', user: 'anna' }, undefined, trolley.stream, closing)
    await cart.whenSent('CheckoutStarted')
    await store.addItem({ ...LINE, order: 'trolley', item: 'cup' }, plainly)
    await teller(store.log)('payment', 'CreditCaptured', 'it', MONEY)
    await cart.whenSent('CheckoutStarted', 'OrderPaid')
    await trolley.whenSent('LineAdded')
    const paid = (await store.log.entriesOf('it')).at(-1)
    t.is(cart.sent[1]?.id, paid?.id)
    t.deepEqual(cart.sent[1]?.data, paid)
    t.false(JSON.stringify(cart.sent).includes('a-token'))
    cart.leave()
    trolley.leave()
  },
)

test.serial('nothing is left out that came while the last checkout is looked up, however that goes on', async (t) => {
  await openCart(store)
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const { promise: open, resolve: answer } = Promise.withResolvers<void>()
  let read = 0
  const slow = openFeed({
    log: {
      ...store.log,
      tail: async (after, count) => {
        const entries = await store.log.tail(after, count)
        read += entries.length
        return entries
      },
    },
    store: {
      readForCheckout: async (order) => {
        ask()
        await open
        return store.readForCheckout(order)
      },
    },
  })
  const cart = client()
  slow.listen({ order: 'cart', user: 'anna' }, undefined, cart.stream, closing)
  await asked
  await store.addItem({ ...LINE, order: 'cart', item: 'cup' }, plainly)
  await begin('it')
  await eventually(async () => assert.equal(read, 2), TIMEOUT_MS)
  answer()
  await cart.whenSent('LineAdded', 'CheckoutStarted')
  cart.leave()
  t.pass()
})

test.serial('one that is new does not wait for those that come again', async (t) => {
  await openCart(store)
  await begin('it')
  const { promise: never } = Promise.withResolvers<boolean>()
  const feed = openFeed({ log: { ...store.log, has: () => never }, store })
  const [late, fresh] = [client(), client()]
  feed.listen({ order: 'cart', user: 'anna' }, '1-0', late.stream, closing)
  feed.listen({ order: 'cart', user: 'anna' }, undefined, fresh.stream, closing)
  await fresh.whenSent('CheckoutStarted')
  late.leave()
  fresh.leave()
  t.pass()
})

test.serial('one that comes again does not wait for all of the log that another has missed', async (t) => {
  await openCart(store)
  const seen = await store.log.newestId()
  await begin('it')
  const { asked, has } = asking(seen)
  const pages: ((entries: readonly RawEntry[]) => void)[] = []
  const log: typeof store.log = {
    ...store.log,
    has,
    tail: (from, count) =>
      from === '1-0' ? new Promise((resolve) => pages.push(resolve)) : store.log.tail(from, count),
  }
  const feed = openFeed({ log, store })
  const [late, other] = [client(), client()]
  feed.listen({ order: 'trolley', user: 'bob' }, '1-0', late.stream, closing)
  await eventually(async () => assert.equal(pages.length, 1), TIMEOUT_MS)
  feed.listen({ order: 'cart', user: 'anna' }, seen, other.stream, closing)
  await asked
  await turnEnd()
  pages[0]?.(OTHERS)
  await other.whenSent('CheckoutStarted')
  await eventually(async () => assert.equal(pages.length, 2), TIMEOUT_MS)
  late.leave()
  other.leave()
  pages[1]?.(OTHERS)
  await turnEnd()
  t.is(pages.length, 2, 'for one that has left the log is looked through no more')
})

test.serial('for those that have left before their turn nothing is read', async (t) => {
  await openCart(store)
  const seen = await store.log.newestId()
  await begin('it')
  const { asked, has } = asking(seen)
  const pages: ((entries: readonly RawEntry[]) => void)[] = []
  let read = 0
  const log: typeof store.log = {
    ...store.log,
    has,
    tail: (from, count) => {
      if (from !== '1-0') return store.log.tail(from, count)
      read += 1
      return read > 1 ? Promise.resolve(OTHERS) : new Promise((resolve) => pages.push(resolve))
    },
  }
  const feed = openFeed({ log, store })
  const [first, left, last] = [client(), client(), client()]
  feed.listen({ order: 'trolley', user: 'bob' }, '1-0', first.stream, closing)
  await eventually(async () => assert.equal(pages.length, 1), TIMEOUT_MS)
  feed.listen({ order: 'trolley', user: 'bob' }, '1-0', left.stream, closing)
  feed.listen({ order: 'cart', user: 'anna' }, seen, last.stream, closing)
  await asked
  await turnEnd()
  first.leave()
  left.leave()
  pages[0]?.(OTHERS)
  await last.whenSent('CheckoutStarted')
  last.leave()
  t.is(read, 1)
})

test.serial('one that comes again is sent what came after what it has seen, once', async (t) => {
  const feed = open()
  await openCart(store)
  const first = client()
  feed.listen({ order: 'cart', user: 'anna' }, undefined, first.stream, closing)
  await begin('it')
  await first.whenSent('CheckoutStarted')
  first.leave()
  await store.cancel('it')
  await teller(store.log)('payment', 'CreditReleased', 'it', MONEY)
  const again = client()
  feed.listen({ order: 'cart', user: 'anna' }, first.sent[0]?.id, again.stream, closing)
  await begin('next')
  await again.whenSent('CheckoutCancelled', 'CheckoutClosed', 'CheckoutStarted')
  t.is(first.sent.length, 1, 'one that has left is sent nothing')
  again.leave()
})

test.serial(
  'one that has missed more than is looked through is told of a gap, and sent the last checkout',
  async (t) => {
    await openCart(store)
    await begin('it')
    let pages = 100
    const tail = async (): Promise<readonly RawEntry[]> => {
      pages -= 1
      return pages > 0 ? OTHERS : []
    }
    const busy = openFeed({ log: { ...store.log, tail }, store })
    const late = client()
    busy.listen({ order: 'cart', user: 'anna' }, '1-0', late.stream, closing)
    await eventually(async () => assert.deepEqual(late.kinds().slice(0, 2), ['gap', 'CheckoutStarted']), TIMEOUT_MS)
    late.leave()
    t.pass()
  },
)

test.serial(
  'one that has seen what the log does not hold any more is told of a gap, as a new one is of the rest',
  async (t) => {
    await openCart(store)
    const first = client()
    const feed = open()
    feed.listen({ order: 'cart', user: 'anna' }, undefined, first.stream, closing)
    await begin('it')
    await first.whenSent('CheckoutStarted')
    const { id: seen = '' } = first.sent[0] ?? {}
    await store.cancel('it')
    await teller(store.log)('payment', 'CreditReleased', 'it', MONEY)
    await begin('next')
    await first.whenSent('CheckoutStarted', 'CheckoutCancelled', 'CheckoutClosed', 'CheckoutStarted')
    first.leave()
    const newest = await store.log.newestId()
    await bench.redis.xtrim('log:order', 'MINID', newest)
    const trimmed = client()
    feed.listen({ order: 'cart', user: 'anna' }, seen, trimmed.stream, closing)
    await trimmed.whenSent('gap', 'CheckoutStarted')
    t.like(trimmed.sent[0], { id: newest, data: { after: seen } })
    trimmed.leave()
    const [ms = ''] = newest.split('-')
    const forgotten = client()
    feed.listen({ order: 'cart', user: 'anna' }, `${Number(ms) + 3_600_000}-0`, forgotten.stream, closing)
    await forgotten.whenSent('gap', 'CheckoutStarted')
    await store.cancel('next')
    await forgotten.whenSent('gap', 'CheckoutStarted', 'CheckoutCancelled')
    forgotten.leave()
  },
)

test.serial('so many may listen; one that leaves makes room, and nobody is left when the server stops', async (t) => {
  const feed = open()
  await openCart(store)
  const stopping = new AbortController()
  const clients = Array.from({ length: 1_000 }, client)
  for (const [index, { stream }] of clients.entries())
    feed.listen({ order: 'cart', user: `user${index}` }, undefined, stream, stopping.signal)
  t.false(feed.hasRoom('anna'))
  clients[7]?.leave()
  t.true(feed.hasRoom('anna'))
  await begin('it')
  await clients[999]?.whenSent('CheckoutStarted')
  t.deepEqual(clients[7]?.kinds(), [])
  stopping.abort()
  t.true(clients.filter((_, index) => index !== 7).every(({ hasEnded }) => hasEnded()))
  const late = client()
  feed.listen({ order: 'cart', user: 'anna' }, undefined, late.stream, stopping.signal)
  t.true(late.hasEnded())
})

test.serial('who listens to all orders of one user leaves room for the others', async (t) => {
  const feed = open()
  const clients = Array.from({ length: 100 }, client)
  for (const [index, { stream }] of clients.entries()) {
    t.true(feed.hasRoom('bob'))
    feed.listen({ order: `order${index}`, user: 'bob' }, undefined, stream, closing)
  }
  t.deepEqual([feed.hasRoom('bob'), feed.hasRoom('anna')], [false, true])
  clients[7]?.leave()
  t.true(feed.hasRoom('bob'))
  for (const { leave } of clients) leave()
})

test('what a client does not read is kept up to a bound', async (t) => {
  const { stream, body } = openEventStream()
  const closed = new Promise<void>((resolve) => stream.onClose(resolve))
  for (let sent = 0; sent < 300; sent += 1)
    stream.send({ id: `${sent}-0`, event: 'OrderPaid', data: 'x'.repeat(1_024) })
  await closed
  t.true(body.destroyed)
  t.true(body.readableLength <= 262_144)
})
