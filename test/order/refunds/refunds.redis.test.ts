/** Refunds of an order's store: what is granted, to the unit, what is refused, and what becomes of it. */
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { reactions } from '../../../order/reactions.ts'
import { REFUNDS_MAX } from '../../../order/refunds/refund.ts'
import { alternatives, type Event, type State, transitions } from '../../../order/refunds/transitions.ts'
import type { RefundWish } from '../../../order/store/refunds.ts'
import { openStore } from '../../../order/store.ts'
import { ledgerOf, pieces, sumOver } from '../../support/checker/ledgers.ts'
import { recordsIn } from '../../support/checker/records.ts'
import { todaysSeed } from '../../support/faults/daily.ts'
import { plainly, under } from '../../support/shop/open-store.ts'
import { holdStates, openStoreForTests } from '../../support/shop/store-rules.ts'

const { bench, store, tell, emitted, emittedDuring, stateOfIt, holdEveryResult } = await openStoreForTests(
  openStore,
  reactions,
  'refunds',
)
const { log } = store
const MOST = Number.MAX_SAFE_INTEGER

test.serial.afterEach.always(
  'the ledger says what is paid and sold less what was refunded: what orders show',
  async (t) => {
    const account = await ledgerOf(bench.redis)
    const ofPaid = (balance: (fields: Readonly<Record<string, string>>) => bigint): Promise<bigint> =>
      sumOver(bench.redis, 'order:', (fields) => (fields.status === 'paid' ? balance(fields) : 0n))
    const paid = await ofPaid(({ total, refunded }) => BigInt(total ?? '0') - BigInt(refunded ?? '0'))
    const sold = await ofPaid(({ lines, returned }) => pieces(lines) - pieces(returned))
    t.is(account('paid'), paid + account('replaced-paid'))
    t.is(account('sold'), sold + account('replaced-sold'))
  },
)

/** Two of tea for 15 each, and three cups for 10 in all. */
const ORDER = { order: 'cart', user: 'anna', total: 40, lines: 'tea:2,cup:3', costs: 'tea:30,cup:10' }

const pay = async (order = ORDER, id = 'checkout'): Promise<void> => {
  await store.place(order, plainly)
  await store.begin({ log_id: id, order: order.order, user: order.user, token: '', timeout_ms: 60_000 }, plainly)
  await tell('payment', 'CreditCaptured', id, { ...order, total: String(order.total) })
}
const wish = (wanted: Partial<RefundWish> = {}): RefundWish => ({
  order: 'cart',
  from: 'any',
  lines: '',
  restock: 'shelf',
  reason: '',
  ...wanted,
})
const refund = (wanted?: Partial<RefundWish>, once = plainly) => store.refund(wish(wanted), once)
const amountOf = (result: Awaited<ReturnType<typeof refund>>): number | string =>
  result[0] === 'granted' ? Number(result[4]) : result.join(' ')

const facts = { order: 'cart', user: 'anna', total: 5, lines: 'cup:1', restock: 'shelf' }
const isSettled = (id = 'it') => tell('payment', 'CreditRefunded', id, facts)
const uphold = (known: Readonly<Record<string, string>> = {}) =>
  log.run('uphold-refund', { log_id: 'it', ...facts, ...known })
/** Of an amendment that left lines that the order has not. */
const ofAmendment = { amends: '2', costs: 'tea:30,pot:5', early: 'yes' }
const shown = async () => {
  const [returned, refunded] = await bench.redis.hmget('order:cart', 'returned', 'refunded')
  return { returned: returned ?? '', refunded: Number(refunded ?? 0) }
}

const bring = async (state: State): Promise<void> => {
  await pay()
  if (state !== 'none') await uphold()
  if (state === 'settled') await isSettled()
}
const EVENTS: Readonly<Record<Event, () => Promise<readonly string[]>>> = {
  CreditRefunded: () => isSettled(),
  uphold: () => uphold(),
  're-emit': () => log.run('tell-again', { log_id: 'it' }),
  cancel: () => log.run('cancel', { log_id: 'it' }),
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
    kept: (await store.findRefund('cart', 'it'))?.state ?? 'none',
    ...(await shown()),
    open: await bench.redis.zrange('sagas:open', '0', '-1'),
  }),
  looksIn: (state) => ({
    state,
    kept: state,
    ...(state === 'none' ? { returned: '', refunded: 0 } : { returned: 'cup:1', refunded: 5 }),
    open: state === 'granted' ? ['it'] : [],
  }),
})

const ORDERS: Readonly<Record<(typeof alternatives)[number][2], () => Promise<unknown>>> = {
  'less is left of its order': async () => {
    await pay()
    await refund({ lines: 'cup:3' })
  },
  'its order is not paid': () => store.place(ORDER, plainly),
  'it is of an amendment of what only payment knows': () => pay(),
}
for (const [state, event, where, [result, next, ...kinds]] of alternatives)
  test.serial(`${event} of a refund that is ${state}, where ${where}: ${result}`, async (t) => {
    await ORDERS[where]()
    const before = await shown()
    const seen = await emittedDuring(async () => {
      t.is((await (result === 'early' ? uphold(ofAmendment) : EVENTS[event]()))[0], result)
    })
    t.deepEqual<readonly string[], readonly string[]>(seen, kinds)
    t.is(await stateOfIt(), next)
    t.deepEqual(await shown(), before)
    t.deepEqual(await store.contradictions(), result === 'contradicted' ? ['cart'] : [])
  })

test.serial(
  'a refund of all that is left gives back what is left of every line, and the rest of the money',
  async (t) => {
    await pay()
    t.is(amountOf(await refund({ lines: 'cup:2' })), 6)
    t.deepEqual(await shown(), { returned: 'cup:2', refunded: 6 })
    const rest = await refund()
    t.is(amountOf(rest), 34)
    t.is(rest[0] === 'granted' && rest[5], 'tea:2,cup:1')
    t.deepEqual(await shown(), { returned: 'tea:2,cup:3', refunded: 40 })
    t.deepEqual(await refund(), ['nothing'])
    t.deepEqual(await refund({ lines: 'tea:1' }), ['too-much', 'tea', '0'])
  },
)

test.serial(
  'what is refused changes nothing: too many pieces, an unknown item, another version, another order',
  async (t) => {
    t.deepEqual(await refund(), ['unknown'])
    await store.place(ORDER, plainly)
    t.deepEqual(await refund(), ['not-paid', 'open'])
    await store.begin({ log_id: 'it', order: 'cart', user: 'anna', token: '', timeout_ms: 60_000 }, plainly)
    t.deepEqual(await refund(), ['not-paid', 'checking-out'])
    await tell('payment', 'CreditCaptured', 'it', ORDER)
    const before = [await emitted(), await bench.redis.hgetall('order:cart')]
    t.deepEqual(await refund({ lines: 'tea:3' }), ['too-much', 'tea', '2'])
    t.deepEqual(await refund({ lines: 'tea:1,pot:1' }), ['too-much', 'pot', '0'])
    const version = await bench.redis.hget('order:cart', 'version')
    t.deepEqual(await refund({ from: [Number(version) + 1, Number(version) - 1] }), ['stale', String(version)])
    t.deepEqual(await refund({ from: [] }), ['stale', String(version)])
    t.deepEqual([await emitted(), await bench.redis.hgetall('order:cart')], before)
    t.is((await refund({ from: [Number(version)], lines: 'tea:1' }))[0], 'granted')
    t.is((await refund({ from: [Number(version)], lines: 'tea:1' }))[0], 'stale', 'a refund is another version')
  },
)

test.serial('an order that has not recorded what its lines cost can be refunded as a whole only', async (t) => {
  await pay()
  await bench.redis.hdel('order:cart', 'costs')
  t.deepEqual(await refund({ lines: 'tea:1' }), ['prices-unknown', 'tea'])
  t.is(amountOf(await refund({ lines: 'tea:2,cup:3' })), 40)
})

test.serial('of an order of which one line has costs, what was refunded of it is no part of the rest', async (t) => {
  await pay()
  await bench.redis.hset('order:cart', 'costs', 'tea:30')
  t.is(amountOf(await refund({ lines: 'tea:1' })), 15)
  t.deepEqual(await refund({ lines: 'tea:1,cup:2' }), ['prices-unknown', 'cup'])
  t.is(amountOf(await refund()), 25)
})

test.serial('a reason is kept as it was given, also if it is a dash', async (t) => {
  await pay()
  for (const reason of ['-', '--', 'so and so', '']) {
    const result = await refund({ lines: 'cup:1', reason, ...(reason === '' ? { lines: 'tea:1' } : {}) })
    const id = result[0] === 'granted' ? result[1] : ''
    t.is((await store.findRefund('cart', id))?.reason, reason || null)
  }
})

test.serial('of an order that has many refunds, only all that is left can be refunded', async (t) => {
  await pay()
  await bench.redis.hset(
    'refunds:cart',
    Object.fromEntries(Array.from({ length: REFUNDS_MAX - 1 }, (_, at) => [at, ''])),
  )
  t.is(amountOf(await refund({ lines: 'cup:1' })), 3)
  t.deepEqual(await refund({ lines: 'cup:1' }), ['too-many'])
  t.deepEqual(await shown(), { returned: 'cup:1', refunded: 3 })
  t.is(amountOf(await refund()), 37)
})

test.serial('under a key there is one refund, and its answer is the first one', async (t) => {
  await pay()
  const first = await refund({ lines: 'cup:1' }, under('back'))
  t.is(first[0], 'granted')
  await isSettled(first[0] === 'granted' ? first[1] : '')
  t.deepEqual(await refund({ lines: 'cup:1' }, under('back')), first)
  t.deepEqual(await refund({ lines: 'cup:1' }, under('back', 'POST /other')), ['key-reused'])
  t.deepEqual(await shown(), { returned: 'cup:1', refunded: 3 })
})

test.serial('what may be otherwise soon is refused in passing: under its key the refund is granted then', async (t) => {
  await store.place(ORDER, plainly)
  t.deepEqual(await refund({}, under('back')), ['not-paid', 'open'])
  await store.begin({ log_id: 'it', order: 'cart', user: 'anna', token: '', timeout_ms: 60_000 }, plainly)
  await tell('payment', 'CreditCaptured', 'it', ORDER)
  await bench.redis.sadd('contradictions', 'cart')
  t.deepEqual(await refund({}, under('back')), ['contradicted'])
  await bench.redis.srem('contradictions', 'cart')
  t.is(amountOf(await refund({}, under('back'))), 40)
})

test.serial('what is known of a refund outlives its record and its entries, the oldest first', async (t) => {
  await pay()
  const ids: string[] = []
  for (const [lines, reason, restock] of [
    ['cup:1', 'broken, 100 %', 'none'],
    ['tea:1', '', 'shelf'],
  ] as const) {
    const result = await refund({ lines, reason, restock })
    if (result[0] === 'granted') ids.push(result[1])
  }
  await tell('payment', 'CreditRefunded', ids[0] ?? '', { ...facts, total: 3, restock: 'none', note: 'C1-3' })
  await bench.redis.del('log:order')
  for (const key of await bench.redis.keys('saga*')) await bench.redis.del(key)
  const refunds = await store.refundsOf('cart')
  t.like(refunds?.[0], {
    id: ids[0],
    state: 'settled',
    amount: 3,
    lines: [['cup', 1]],
    restock: 'none',
    reason: 'broken, 100 %',
    note: 'C1-3',
  })
  t.like(refunds?.[1], { id: ids[1], state: 'granted', amount: 15, restock: 'shelf', reason: null, note: null })
  t.is(refunds?.length, 2)
  t.deepEqual(await store.findRefund('cart', ids[1] ?? ''), refunds?.[1])
  t.is(await store.findRefund('cart', 'another'), undefined)
  t.is(await store.refundsOf('another'), undefined)
  t.deepEqual(await tell('payment', 'CreditRefunded', ids[0] ?? '', facts), ['repeated'])
})

test.serial('an order that is made anew shows no refund of before, and none of them is granted twice', async (t) => {
  const batch = { first: 0, last: 0, items: 1, users: 1, price: 4, seed: 1 }
  await store.initOrders(batch, plainly)
  await store.begin({ log_id: 'zero', order: '0', user: '0', token: '', timeout_ms: 60_000 }, plainly)
  await tell('payment', 'CreditCaptured', 'zero', { order: '0', user: '0', total: 8, lines: '0:2' })
  const result = await refund({ order: '0', lines: '0:1' })
  const id = result[0] === 'granted' ? result[1] : ''
  await store.initOrders(batch, plainly)
  t.deepEqual(await store.refundsOf('0'), [])
  const entry = { order: '0', user: '0', total: 4, lines: '0:1', restock: 'shelf' }
  t.deepEqual(await tell('payment', 'CreditRefunded', id, entry), ['settled', id])
  t.deepEqual(await tell('payment', 'CreditRefunded', id, entry), ['repeated'])
  for (const key of await bench.redis.keys('saga*')) await bench.redis.del(key)
  t.deepEqual(await tell('payment', 'CreditRefunded', id, entry), ['repeated'])
  t.deepEqual(await store.refundsOf('0'), [])
  t.deepEqual(await bench.redis.hmget('order:0', 'returned', 'refunded'), [null, null])
})

test.serial('money that is back for an order that is gone is booked, and a person is to see to it', async (t) => {
  t.deepEqual(await isSettled(), ['contradicted', '', 'told-refunded', 'cart'])
  t.deepEqual(await store.contradictions(), ['cart'])
  t.is((await ledgerOf(bench.redis))('paid'), -5n)
  t.deepEqual(await isSettled(), ['repeated'])
})

const resolve = (by: 'refund' | 'accept') => store.resolve('checkout', { by, why: 'so' }, plainly)
test.serial('what was refunded in part is not undone as a whole; once that is accepted, nothing is left', async (t) => {
  await pay()
  await refund({ lines: 'tea:1' })
  await tell('payment', 'CreditReleased', 'checkout', ORDER)
  t.deepEqual(await refund({ lines: 'tea:1' }), ['contradicted'])
  t.deepEqual(await resolve('refund'), ['partly-refunded'])
  t.deepEqual(await resolve('accept'), ['resolved', 'paid'])
  t.deepEqual(await refund({ lines: 'tea:1' }), ['nothing'], 'its money was back before')
})

test.serial(
  'once it is accepted that more was refunded than an order shows, no more goes back than is left with that',
  async (t) => {
    await pay()
    await refund({ lines: 'cup:3' })
    t.is((await isSettled())[0], 'contradicted')
    t.deepEqual(await resolve('refund'), ['partly-refunded'])
    t.deepEqual(await resolve('accept'), ['resolved', 'paid'])
    t.is((await ledgerOf(bench.redis))('accepted-paid'), 0n)
    t.deepEqual(await refund(), ['contradicted'])
    t.is(amountOf(await refund({ lines: 'tea:1' })), 15)
    t.deepEqual(await refund({ lines: 'tea:1' }), ['contradicted'])
  },
)

/** What the first so many pieces of a line are worth, by numbers that have no end. */
const worth = (cost: number, quantity: number, count: number): bigint =>
  (BigInt(cost) * BigInt(count)) / BigInt(quantity)

const line = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: 1, max: 12 }),
      fc.maxSafeNat().filter((one) => one > 0),
    ),
    fc.oneof(fc.nat(50), fc.maxSafeNat()),
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 }),
  )
  .map(([quantity, cost, parts]) => {
    const counts = parts.map((part) => Math.floor(part * quantity)).toSorted((a, b) => a - b)
    return { quantity, cost, until: [...new Set([...counts.filter((one) => one > 0), quantity])] }
  })

test.serial(
  'however a line is split, each refund is exact to the unit, and all of them are what it has cost',
  async (t) => {
    const split = async (
      _: ExecutionContext,
      { quantity, cost, until }: typeof line extends fc.Arbitrary<infer One> ? One : never,
    ) => {
      await bench.redis.flushall()
      const other = { lines: 'cup:1', costs: 'cup:0' }
      await store.place(
        {
          order: 'cart',
          user: 'anna',
          total: cost,
          lines: `tea:${quantity},${other.lines}`,
          costs: `tea:${cost},${other.costs}`,
        },
        plainly,
      )
      // As if it were paid.
      await bench.redis.hset('order:cart', 'status', 'paid')
      let before = 0
      for (const count of until) {
        const expected = worth(cost, quantity, count) - worth(cost, quantity, before)
        t.is(
          amountOf(await refund({ lines: `tea:${count - before}` })),
          Number(expected),
          `${quantity} for ${cost}: ${count}`,
        )
        before = count
      }
      t.is((await shown()).refunded, cost)
    }
    await fc.assert(
      fc.asyncProperty(line, (one) => split(t, one)),
      { ...todaysSeed, numRuns: 60, examples: [[{ quantity: MOST, cost: MOST - 1, until: [1, MOST - 1, MOST] }]] },
    )
    await bench.redis.flushall()
  },
)

test.serial('a settled refund is packed as any other saga, and costs no more than its entries', async (t) => {
  await pay()
  const result = await refund({ lines: 'tea:1' })
  await tell('payment', 'CreditRefunded', result[0] === 'granted' ? result[1] : '', facts)
  t.deepEqual(await bench.redis.keys('saga:*'), [])
  t.is((await recordsIn(bench.redis, 'order')).size, 2)
})

holdEveryResult()
