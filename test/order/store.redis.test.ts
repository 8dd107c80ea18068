import test, { type ExecutionContext } from 'ava'
import { type Ended, LINES_MAX } from '../../order/order.ts'
import { reactions } from '../../order/reactions.ts'
import { openStore, type Store } from '../../order/store.ts'
import { anotherOf, type Event, type State, statusIn, transitions } from '../../order/transitions.ts'
import { ackedKey } from '../../shared/log/entry.ts'
import { connect, disconnect, whenReady } from '../../shared/redis/connection.ts'
import type { Once } from '../../shared/redis/script.ts'
import { ledgerOf, pieces, sumOver } from '../support/checker/ledgers.ts'
import { LINE, MONEY, openCart } from '../support/shop/cart.ts'
import { type Facts, plainly, saidIn, under } from '../support/shop/open-store.ts'
import { holdTransitions, openStoreForTests } from '../support/shop/store-rules.ts'

const { bench, store, tell, emitted, emittedDuring, holdEveryResult } = await openStoreForTests(openStore, reactions)
const { log } = store
const recovery = store.recovery(() => undefined)
const MOST = Number.MAX_SAFE_INTEGER

test.serial.afterEach.always(
  'the ledger says what was paid and sold: what orders show, and what was replaced',
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

const TIMEOUT_MS = 60_000
const facts = { ...MONEY, reason: 'out-of-stock', item: 'tea' }

const begin = (id: string, once: Once = plainly, timeout_ms = TIMEOUT_MS) =>
  store.begin({ log_id: id, order: 'cart', user: 'anna', token: `token-of-${id}`, timeout_ms }, once)

const submit = (id: string, once: Once = plainly, most = 10) =>
  store.submit({ log_id: id, order: 'cart', timeout_ms: TIMEOUT_MS, most }, once)

/** What there is to see of a saga and of its order. */
const look = async (id = 'it', order = 'cart') => ({
  saga: (await store.saga(id))?.state ?? 'none',
  order: (await store.find(order))?.status ?? 'none',
})

const wish = (by: 'refund' | 'accept', id = 'it') => store.resolve(id, { by, why: 'she asked, 100 %' }, plainly)

/** Each way to bring the checkout `it` of an order with lines into a state. */
const bring = async (state: State | 'adopted'): Promise<void> => {
  await openCart(store)
  if (state === 'none') return
  if (state === 'submitted') {
    await submit('it')
    return
  }
  if (state === 'adopted') await tell('payment', 'CreditCaptured', 'it', facts)
  else await begin('it')
  if (['paid', 'contradicted', 'accepted'].includes(state)) await tell('payment', 'CreditCaptured', 'it', facts)
  if (state === 'contradicted' || state === 'accepted') await tell('payment', 'CreditReleased', 'it', facts)
  if (state === 'accepted') await wish('accept')
  if (state === 'failed') await tell('payment', 'CreditVoided', 'it', facts)
  if (state === 'cancelling' || state === 'closed') await store.cancel('it')
  if (state === 'closed') await tell('payment', 'CreditReleased', 'it', facts)
}
const WAYS = [
  ...(Object.keys(transitions) as State[]).map((state) => [state, state] as const),
  ['adopted', 'paid'] as const,
]

const EVENTS: Readonly<Record<Event, () => Promise<readonly (string | undefined)[]>>> = {
  begin: () => begin('it'),
  submit: () => submit('it'),
  CreditCaptured: () => tell('payment', 'CreditCaptured', 'it', facts),
  CreditRefused: () => tell('payment', 'CreditRefused', 'it', { ...facts, reason: 'out-of-credit' }),
  CreditVoided: () => tell('payment', 'CreditVoided', 'it', facts),
  CreditReleased: () => tell('payment', 'CreditReleased', 'it', facts),
  cancel: () => log.run('cancel', { log_id: 'it' }),
  're-emit': () => log.run('tell-again', { log_id: 'it' }),
  refund: () => wish('refund'),
  accept: () => wish('accept'),
}

/** In which state a checkout is, by its record. */
const stateOfIt = async (): Promise<string> => {
  const { state = 'none', contradicted, resolved } = await log.recorded('it')
  if (state !== 'paid' || contradicted === undefined) return state
  return resolved === undefined ? 'contradicted' : 'accepted'
}

holdTransitions({
  log,
  transitions,
  ways: WAYS,
  bring,
  events: EVENTS,
  emittedDuring,
  look: async () => ({
    state: await stateOfIt(),
    status: (await store.find('cart'))?.status,
    saga: (await store.readForCheckout('cart'))?.saga,
    waits: await bench.redis.zrange('submitted', '0', '-1'),
    contradictions: await store.contradictions(),
  }),
  looksIn: (state) => ({
    state,
    status: statusIn[state],
    saga: state === 'none' ? '' : 'it',
    waits: state === 'submitted' ? ['it'] : [],
    contradictions: state === 'contradicted' ? ['cart'] : [],
  }),
  // The record of a checkout that is undone for a refund says so.
  again: (way, event) => (way === 'contradicted' && event === 'refund' ? 'repeated' : undefined),
})

for (const [way, state] of WAYS) {
  const status = statusIn[state]
  const result = anotherOf[status]
  test.serial(`another checkout of an order whose checkout is ${way}: ${result}`, async (t) => {
    await bring(way)
    const kinds = await emittedDuring(async () => {
      t.is<string, string>((await begin('another'))[0], result)
    })
    t.deepEqual(kinds, status === 'open' ? ['CheckoutStarted'] : [])
    t.is(await stateOfIt(), state)
    t.is((await store.find('cart'))?.status, status === 'open' ? 'checking-out' : status)
    t.deepEqual(await emittedDuring(() => begin('another')), [], 'it is begun once')
  })
}

test.serial('nothing is added beyond what the method allows by which an order is to be paid', async (t) => {
  const cash = {
    order: 'whole',
    user: 'anna',
    total: 14,
    lines: 'tea:2',
    costs: 'tea:14',
    method: 'cash',
    installments: 1,
  }
  const dear = { order: 'whole', item: 'pot', quantity: 1, price: 999_987 }
  await store.place(cash, plainly)
  const nothing = await emittedDuring(async () => {
    for (const once of [plainly, under('k'), under('k')])
      t.deepEqual(await store.addItem(dear, once), ['beyond', 'cash', '1', '1000001'])
  })
  t.deepEqual(nothing, [])
  for (const once of [under('l'), under('l')])
    t.deepEqual(await store.addItem({ ...dear, price: 999_986 }, once), ['added', '999986'])
  t.is((await store.find('whole'))?.total_cost, 1_000_000)
  // Too little for twelve instalments: it was emptied before.
  await store.place(
    { ...cash, order: 'few', total: 0, lines: '', costs: '', method: 'credit_card', installments: 12 },
    plainly,
  )
  const line = { order: 'few', item: 'tea', quantity: 1, price: 59 }
  t.deepEqual(await store.addItem(line, plainly), ['beyond', 'credit_card', '12', '59'])
  t.deepEqual(await store.addItem({ ...line, price: 60 }, plainly), ['added', '60'])
  t.deepEqual(await log.run('add-item', { log_id: 'raw', ...line }), ['bounded', 'credit_card', '12'])
})
test.serial(
  'while an order is being changed that is paid, no checkout of it begins, and what was paid cannot be undone',
  async (t) => {
    await bring('paid')
    const { version: read } = (await store.show('cart')) ?? { version: 0 }
    const amendment = { take: new Map([['tea', 1]]), back: new Map(), total: 45, costs: new Map([['tea', 45]]) }
    const wanted = { order: 'cart', from: 'any', since: undefined, read, amendment, timeoutMs: TIMEOUT_MS } as const
    const [result, id = ''] = await store.amend(wanted, plainly)
    t.is(result, 'amending')
    t.deepEqual(await begin('another'), ['order-changing'])
    t.deepEqual(await submit('another'), ['order-changing'])
    t.deepEqual(await store.join({ order: 'cart', saga: 'it' }, plainly), ['order-changing'])
    t.like(await store.find('cart'), { status: 'changing', paid: true, total_cost: 30 })
    const { amends = '', costs = '' } = await log.recorded(String(id))
    await tell('payment', 'CreditCaptured', String(id), {
      ...facts,
      total: 15,
      lines: 'tea:1',
      amends,
      back: '',
      costs,
    })
    await tell('payment', 'CreditReleased', 'it', facts)
    t.deepEqual(await wish('refund'), ['amended'])
    t.is((await wish('accept'))[0], 'resolved')
  },
)

test.serial(
  'that a user must be asked for is no answer, and leaves nothing under the key of the request',
  async (t) => {
    const lines = { order: 'whole', user: 'anna', total: 14, lines: 'tea:2', costs: 'tea:14' }
    t.deepEqual(await store.place({ ...lines, customer: 'known' }, under('placed')), ['stranger'])
    t.deepEqual(await store.create('other', 'anna', under('created'), { customer: 'known' }), ['stranger'])
    t.deepEqual(await bench.redis.keys('request:*'), [])
  },
)

test.serial('an order that is placed whole is paid like one that was filled line by line', async (t) => {
  const lines = { order: 'whole', user: 'anna', total: 14, lines: 'tea:2', costs: 'tea:14' }
  t.is((await store.place({ ...lines, customer: 'known' }, plainly))[0], 'stranger')
  t.is((await store.place(lines, plainly))[0], 'placed')
  t.like(await store.find('whole'), { user_id: 'anna', total_cost: 14, items: [['tea', 2]], status: 'open' })
  t.deepEqual(await emitted(), ['OrderPlaced'])
  await store.begin({ log_id: 'it', order: 'whole', user: 'anna', token: 'token', timeout_ms: 10_000 }, plainly)
  await tell('payment', 'CreditCaptured', 'it', { ...facts, order: 'whole', total: '14', lines: 'tea:2' })
  t.like(await store.find('whole'), { paid: true, total_cost: 14 })
})

test.serial(
  'an order over a value waits to be begun from the moment at which it is made, if there is room',
  async (t) => {
    const value = { user: 'anna', total: 1_000, method: 'credit_card', installments: 10, timeout_ms: 60_000, most: 1 }
    const place = (order: string, saga: string, once = plainly) => store.placeAndSubmit({ ...value, order, saga }, once)
    const placed = await place('bill', 'it', under('k'))
    t.is(placed[0], 'submitted')
    t.deepEqual(await place('other', 'another', under('k')), placed, 'under a key it is made once')
    t.deepEqual(await emitted(), ['OrderPlaced', 'CheckoutSubmitted'])
    t.like(await store.find('bill'), { total_cost: 1_000, items: [], status: 'submitted' })
    t.deepEqual(await place('second', 'next'), ['full'])
    t.is(await store.find('second'), undefined)
    t.is(
      (await store.begin({ log_id: 'it', order: 'bill', user: 'anna', token: '', timeout_ms: 1 }, plainly))[0],
      'begun',
    )
    t.is((await place('second', 'next'))[0], 'submitted', 'what is begun waits no more')
  },
)

test.serial('a reply that decides tells all that whoever waits needs, and the token of the lock', async (t) => {
  await openCart(store)
  await begin('it')
  t.like(store.decidedBy(await tell('payment', 'CreditVoided', 'it', facts)), {
    id: 'it',
    state: 'failed',
    reason: 'out-of-stock',
    item: 'tea',
    order: 'cart',
    user: 'anna',
    token: 'token-of-it',
    total: '30',
  })
  t.is(store.decidedBy(await tell('payment', 'CreditVoided', 'it', facts)), undefined)
  await begin('next')
  const cancelled = await store.cancel('next')
  t.like(cancelled, { state: 'cancelling', by: 'deadline', token: 'token-of-next' })
  t.is((await store.cancel('it'))?.state, 'failed')
  t.is(await store.cancel('never'), undefined)
})

test.serial('CheckoutStarted carries the order as it was, and a deadline by the clock of this Redis', async (t) => {
  await openCart(store)
  const [seconds] = await bench.redis.time()
  await begin('it')
  const [started] = await log.entriesOf('it')
  const { deadline, ...rest } = started?.facts ?? {}
  t.deepEqual(rest, { order: 'cart', user: 'anna', total: '30', lines: 'tea:2' })
  const aheadMs = Number(deadline) - Number(seconds) * 1_000
  t.true(aheadMs >= TIMEOUT_MS && aheadMs < TIMEOUT_MS + 3_000, String(aheadMs))
})

test.serial('a decision is announced once on the channel of outcomes, if another replica listens', async (t) => {
  await openCart(store)
  const subscriber = connect(bench.server.url, 'subscriber')
  const otherReplica = connect(bench.server.url, 'subscriber')
  store.watchOutcomes(otherReplica, () => undefined)
  const heard: Ended[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  store.watchOutcomes(subscriber, (saga) => {
    heard.push(saga)
    if (saga.id === 'last') resolve()
  })
  await Promise.all([whenReady(subscriber), whenReady(otherReplica)])
  while ((await bench.redis.publish('outcomes', 'hello open')) < 2) await store.find('cart')
  await begin('refused')
  await tell('payment', 'CreditVoided', 'refused', facts)
  await tell('payment', 'CreditVoided', 'refused', facts)
  await begin('gone')
  await store.cancel('gone')
  await tell('payment', 'CreditReleased', 'gone', facts)
  await begin('last')
  await tell('payment', 'CreditCaptured', 'last', facts)
  await promise
  disconnect(otherReplica)
  while ((await bench.redis.publish('outcomes', 'hello open')) > 1) await store.find('cart')
  await openCart(store, 'trolley', 'anna')
  await store.begin({ log_id: 'alone', order: 'trolley', user: 'anna', token: '', timeout_ms: TIMEOUT_MS }, plainly)
  await tell('payment', 'CreditCaptured', 'alone', { ...facts, order: 'trolley' })
  await bench.redis.publish('outcomes', 'hello open')
  disconnect(subscriber)
  t.like(heard, [
    { id: 'refused', state: 'failed', reason: 'out-of-stock', item: 'tea' },
    { id: 'gone', state: 'cancelling', by: 'deadline' },
    { id: 'last', state: 'paid' },
  ])
  t.is(heard.length, 3)
})

const { lines: _lines, ...withoutLines } = facts
const captureUnknown = async (t: ExecutionContext, captured: Facts): Promise<void> => {
  const before = await look('it', 'cart')
  const reply = await tell('payment', 'CreditCaptured', 'unknown', captured)
  t.is(reply[0], 'cancelled')
  t.deepEqual(await look('it', 'cart'), before)
  t.is((await saidIn(log)).at(-1)?.kind, 'CheckoutCancelled')
  t.is((await tell('payment', 'CreditReleased', 'unknown', facts))[0], 'closed')
  t.deepEqual(await look('it', 'cart'), before)
}

test.serial('CreditCaptured of an unknown saga is cancelled if the order is paid by another', async (t) => {
  await bring('paid')
  await captureUnknown(t, facts)
})
test.serial('CreditCaptured of an unknown saga without lines is cancelled if the order is gone', async (t) => {
  await bring('paid')
  await captureUnknown(t, { ...withoutLines, order: 'forgotten' })
  t.is(await store.find('forgotten'), undefined)
})

const sold = { order: 'cart', user: 'anna', total: 47, lines: 'tea:2,cup:1' }
const adopted = {
  order_id: 'cart',
  paid: true,
  items: [
    ['tea', 2],
    ['cup', 1],
  ],
  user_id: 'anna',
  total_cost: 47,
  status: 'paid',
}

test.serial('CreditCaptured of an unknown saga makes an order that is gone, paid, as it was sold', async (t) => {
  const reply = await tell('payment', 'CreditCaptured', 'it', sold)
  t.deepEqual(reply.slice(0, -1), ['adopted', 'it', 'paid', '', '', 'cart', 'anna', '', '47'])
  t.is(reply.at(-1), (await log.entriesOf('it')).at(-1)?.id)
  t.deepEqual(await store.find('cart'), adopted)
  t.deepEqual(await emitted(), ['CheckoutStarted', 'OrderPaid'])
  t.is((await tell('payment', 'CreditCaptured', 'it', sold))[0], 'repeated')
})

test.serial('CreditCaptured of an unknown saga without lines leaves an open order those that it has', async (t) => {
  await openCart(store)
  t.is((await tell('payment', 'CreditCaptured', 'it', withoutLines))[0], 'adopted')
  t.deepEqual((await store.find('cart'))?.items, [['tea', 2]])
  t.is((await store.find('cart'))?.status, 'paid')
})

test.serial(
  'CreditCaptured of an unknown saga pays an order while another checkout of it is being undone',
  async (t) => {
    await bring('cancelling')
    t.is((await tell('payment', 'CreditCaptured', 'earlier', facts))[0], 'adopted')
    t.is((await tell('payment', 'CreditReleased', 'it', facts))[0], 'closed')
    t.deepEqual(await look('earlier'), { saga: 'paid', order: 'paid' })
  },
)

test.serial(
  'CreditReleased of a checkout that is closed, by a credit note that is new, has another draft made once',
  async (t) => {
    await bring('closed')
    for (const result of ['requested', 'repeated'])
      t.is((await tell('payment', 'CreditReleased', 'it', { ...facts, note: 'C2-1' }))[0], result)
  },
)

test.serial(
  'CreditCaptured of a checkout that was refused is undone without touching the one that came after',
  async (t) => {
    await bring('failed')
    await begin('next')
    t.is((await tell('payment', 'CreditCaptured', 'it', facts))[0], 'cancelled')
    t.deepEqual(await look('next'), { saga: 'checking-out', order: 'checking-out' })
    await tell('payment', 'CreditReleased', 'it', facts)
    t.deepEqual(await look('next'), { saga: 'checking-out', order: 'checking-out' })
    t.is((await tell('payment', 'CreditCaptured', 'next', facts))[0], 'paid')
  },
)

const accepted = async () => {
  const account = await ledgerOf(bench.redis)
  return [account('accepted-paid'), account('accepted-sold')]
}
test.serial('resolve: only what is contradicted, and no refund of an order that was made anew', async (t) => {
  t.deepEqual(await wish('refund'), ['unknown'])
  await bring('paid')
  t.deepEqual(await wish('refund'), ['consistent', 'paid'])
  const batch = { first: 0, last: 0, items: 1, users: 1, price: 4, seed: 1 }
  await store.initOrders(batch, plainly)
  await store.begin({ log_id: 'zero', order: '0', user: '0', token: '', timeout_ms: TIMEOUT_MS }, plainly)
  const ofZero = { order: '0', user: '0', total: 8, lines: '0:2', reason: 'out-of-credit' }
  await tell('payment', 'CreditCaptured', 'zero', ofZero)
  await tell('payment', 'CreditRefused', 'zero', ofZero)
  await store.initOrders(batch, plainly)
  t.deepEqual(await store.contradictions(), ['0'])
  t.deepEqual(await wish('refund', 'zero'), ['replaced'])
  t.deepEqual(await wish('accept', 'zero'), ['resolved', 'paid'])
  t.deepEqual([await store.contradictions(), await accepted()], [[], [8n, 2n]])
})

test.serial('resolve: no refund as a whole of an order of which a part was refunded', async (t) => {
  await bring('paid')
  await store.refund({ order: 'cart', from: 'any', lines: 'tea:1', restock: 'shelf', reason: '' }, plainly)
  await tell('payment', 'CreditReleased', 'it', facts)
  t.deepEqual(await wish('refund'), ['partly-refunded'])
})

test.serial('resolve: what an older version has listed by its order only', async (t) => {
  await bring('paid')
  await bench.redis.sadd('contradictions', 'cart')
  t.deepEqual(await store.contradicted(), [{ order_id: 'cart', log_id: 'it', by: '', since: null }])
  t.deepEqual(await wish('accept'), ['resolved', 'paid'])
  t.deepEqual(await accepted(), [30n, 2n])
})

const TOLD_STATES = ['none', 'submitted', 'checking-out', 'paid', 'failed', 'cancelling', 'closed'] as const
type Upheld = Readonly<Record<(typeof TOLD_STATES)[number], string>>
const NOT_CHARGED: Upheld = {
  none: 'cancelled',
  submitted: 'cancelled',
  'checking-out': 'cancelled',
  paid: 'contradicted',
  failed: 'kept',
  cancelling: 'kept',
  closed: 'kept',
}
const UPHELD: Readonly<Record<'under-way' | 'paid' | 'failed' | 'cancelled', Upheld>> = {
  'under-way': {
    none: 'submitted',
    submitted: 'kept',
    'checking-out': 'kept',
    paid: 'kept',
    failed: 'kept',
    cancelling: 'kept',
    closed: 'kept',
  },
  paid: {
    none: 'contradicted',
    submitted: 'contradicted',
    'checking-out': 'contradicted',
    paid: 'kept',
    failed: 'contradicted',
    cancelling: 'contradicted',
    closed: 'contradicted',
  },
  failed: NOT_CHARGED,
  cancelled: NOT_CHARGED,
}
for (const told of ['under-way', 'paid', 'failed', 'cancelled'] as const)
  for (const state of TOLD_STATES)
    test.serial(`uphold that somebody was told ${told} of what is ${state}: ${UPHELD[told][state]}`, async (t) => {
      await bring(state)
      const before = await look()
      const of = { order: 'cart', user: 'anna', total: '30', lines: 'tea:2', deadline: '1700000000000' }
      const uphold = () => log.run('uphold', { log_id: 'it', ...of, told })
      const [result] = await uphold()
      t.is(result, UPHELD[told][state])
      const isCancelled = result === 'cancelled'
      const ended = state === 'submitted' ? 'failed' : 'cancelling'
      const known = state === 'none' && result === 'contradicted' ? 'failed' : before.saga
      t.deepEqual((await look()).saga, isCancelled ? ended : result === 'submitted' ? result : known)
      t.deepEqual(await store.contradictions(), result === 'contradicted' ? ['cart'] : [])
      const captured = ended === 'failed' ? 'cancelled' : 'repeated'
      if (isCancelled) t.is((await tell('payment', 'CreditCaptured', 'it', facts))[0], captured, 'it is not paid')
      const again = { contradicted: 'repeated', cancelled: 'kept', submitted: 'kept' } as Readonly<
        Record<string, string>
      >
      t.is((await uphold())[0], again[result] ?? result)
    })

test.serial('uphold that somebody was told paid of an order that its customer has cancelled: lost', async (t) => {
  await openCart(store)
  await store.cancelOrder({ order: 'cart', from: 'any', restock: 'shelf', reason: undefined }, plainly)
  const told = { log_id: 'it', order: 'cart', user: 'anna', total: '30', told: 'paid' }
  t.deepEqual(await log.run('uphold', told), ['lost'])
  t.deepEqual(await store.contradictions(), [])
})

for (const state of ['none', 'submitted', 'checking-out'] as const)
  for (const by of ['refund', 'accept'] as const)
    test.serial(`who was told that it is paid when it is ${state}: ${by}`, async (t) => {
      await bring(state)
      await log.run('uphold', { log_id: 'it', order: 'cart', user: 'anna', total: '30', told: 'paid' })
      t.like(await store.contradicted(), [{ order_id: 'cart', log_id: 'it', by: 'told-paid' }])
      const ended = state === 'none' ? 'failed' : by === 'refund' ? 'cancelling' : state
      t.deepEqual(await wish(by), ['resolved', ended])
      t.deepEqual(await store.contradictions(), [])
      await tell('payment', 'CreditCaptured', 'it', facts)
      // What a person has accepted goes on.
      t.is((await look()).saga, state !== 'none' && by === 'accept' ? 'paid' : 'cancelling')
      t.deepEqual(await store.contradictions(), [])
    })

test.serial('who was told that it is paid when it is not: a refund has nothing to undo', async (t) => {
  await bring('failed')
  await log.run('uphold', { log_id: 'it', order: 'cart', user: 'anna', total: '30', told: 'paid' })
  t.deepEqual(await wish('refund'), ['resolved', 'failed'])
  t.deepEqual(await look(), { saga: 'failed', order: 'open' })
  t.deepEqual([await store.contradictions(), await accepted()], [[], [0n, 0n]])
})

test.serial(
  'submit: refuses an order that is empty or unknown, and one that is being undone or too many for now',
  async (t) => {
    t.deepEqual(await submit('it'), ['unknown'])
    t.is((await store.create('cart', 'anna', plainly, { customer: 'known' }))[0], 'stranger')
    await store.create('cart', 'anna', plainly)
    t.deepEqual(await submit('it'), ['empty'])
    await store.addItem(LINE, plainly)
    await begin('it')
    await store.cancel('it')
    t.deepEqual(await submit('next', under('later')), ['cancelling', 'it'])
    await tell('payment', 'CreditReleased', 'it', facts)
    t.deepEqual(await submit('next', under('later')), ['submitted', 'next'], 'what passes is not remembered')
    await openCart(store, 'trolley', 'anna')
    const trolley = { log_id: 'other', order: 'trolley', timeout_ms: TIMEOUT_MS }
    t.deepEqual(await store.submit({ ...trolley, most: 1 }, plainly), ['full'])
    t.is((await store.find('trolley'))?.status, 'open')
    await begin('next')
    t.deepEqual(
      await store.submit({ ...trolley, most: 1 }, plainly),
      ['submitted', 'other'],
      'one that is begun waits no more',
    )
  },
)

test.serial('submit: an order has one checkout, whoever wants it, and a key is answered as before', async (t) => {
  await openCart(store)
  t.deepEqual(await submit('it', under('a')), ['submitted', 'it'])
  t.deepEqual(await submit('another'), ['submitted', 'it'])
  t.deepEqual(await store.join({ order: 'cart', saga: 'it' }, under('b')), ['joined', 'it'])
  await begin('it')
  t.deepEqual(await submit('another', under('c')), ['checking-out', 'it'])
  await tell('payment', 'CreditVoided', 'it', facts)
  t.deepEqual(await submit('another', under('a')), ['submitted', 'it'])
  t.deepEqual(await submit('another', under('c')), ['checking-out', 'it'])
  t.deepEqual(await begin('another', under('a')), ['submitted', 'it'])
  t.deepEqual(await submit('next'), ['submitted', 'next'])
  await tell('payment', 'CreditCaptured', 'next', facts)
  t.deepEqual(await submit('last'), ['paid', 'next'])
})

test.serial(
  'begin: of two that begin what was submitted, one does, and the other is told that it is under way',
  async (t) => {
    await openCart(store)
    await submit('it')
    const [started] = await log.entriesOf('it')
    t.deepEqual(await begin('it'), ['begun', 'it'])
    t.deepEqual(
      await store.begin({ log_id: 'it', order: 'cart', user: 'anna', token: 'other', timeout_ms: 1 }, plainly),
      ['checking-out', 'it'],
    )
    t.deepEqual(await begin('it'), ['begun', 'it'], 'the one that has begun it, whose answer was lost')
    const [, begun] = await log.entriesOf('it')
    t.deepEqual([begun?.kind, begun?.facts], ['CheckoutStarted', started?.facts], 'what was submitted, by its deadline')
    const moved = { log_id: 'next', order: 'trolley', user: 'berta', token: '', timeout_ms: 1 }
    await openCart(store, 'trolley', 'anna')
    await store.submit({ log_id: 'next', order: 'trolley', timeout_ms: TIMEOUT_MS, most: 10 }, plainly)
    t.deepEqual(await store.begin(moved, plainly), ['moved', 'anna'])
  },
)

test.serial(
  'a submitted order takes no lines, is not made anew, and is paid by another checkout that proves to have paid',
  async (t) => {
    await store.initOrders({ first: 0, last: 0, items: 1, users: 1, price: 1, seed: 1 }, plainly)
    await store.submit({ log_id: 'zero', order: '0', timeout_ms: TIMEOUT_MS, most: 10 }, plainly)
    t.deepEqual(await store.addItem({ ...LINE, order: '0' }, plainly), ['closed', 'submitted'])
    const batch = { first: 0, last: 0, items: 1, users: 1, price: 1, seed: 2 }
    t.deepEqual(await store.initOrders(batch, plainly), ['busy', '0'])
    await bring('submitted')
    t.is((await tell('payment', 'CreditCaptured', 'earlier', facts))[0], 'adopted')
    t.deepEqual(await look('earlier'), { saga: 'paid', order: 'paid' })
    t.like(await store.saga('it'), { state: 'failed', reason: 'deadline' })
    t.deepEqual(await bench.redis.zrange('submitted', '0', '-1'), ['zero'])
  },
)

test.serial(
  'uphold: what was said to be under way ends, if its order is not as it was, and is lost with its order',
  async (t) => {
    const of = { order: 'cart', user: 'anna', total: '30', deadline: '1700000000000', told: 'under-way' }
    const uphold = (lines: string) => log.run('uphold', { log_id: 'it', ...of, lines })
    t.deepEqual(await uphold('tea:2'), ['lost'])
    await openCart(store)
    t.is((await uphold('tea:1'))[0], 'cancelled')
    t.like(await store.saga('it'), { state: 'failed', reason: 'deadline' })
    t.deepEqual(
      [(await store.find('cart'))?.status, await emitted()],
      ['open', ['OrderCreated', 'LineAdded', 'CheckoutFailed']],
    )
  },
)

test.serial('begin: refuses an order that is empty, unknown or another user’s', async (t) => {
  await store.create('cart', 'anna', plainly)
  t.deepEqual(await begin('it'), ['empty'])
  const of = (order: string, user: string) =>
    store.begin({ log_id: 'it', order, user, token: '', timeout_ms: 1 }, plainly)
  t.deepEqual(await of('nowhere', 'anna'), ['unknown'])
  await store.addItem(LINE, plainly)
  t.deepEqual(await of('cart', 'berta'), ['moved', 'anna'])
  t.deepEqual(await look(), { saga: 'none', order: 'open' })
})

test.serial('begin: an order that is not as it was read is not checked out', async (t) => {
  await openCart(store)
  const viewed = { order: 'cart', user: 'anna', token: '', timeout_ms: TIMEOUT_MS, saga: '', lines: 'tea:2' }
  await store.addItem({ ...LINE, item: 'cup' }, plainly)
  t.deepEqual(await store.begin({ log_id: 'it', ...viewed }, plainly), ['moved', 'anna'])
  await begin('another')
  await tell('payment', 'CreditVoided', 'another', facts)
  const lines = 'tea:2,cup:2'
  t.deepEqual(await store.begin({ log_id: 'it', ...viewed, lines }, plainly), ['moved', 'anna'])
  t.deepEqual(await look(), { saga: 'none', order: 'open' })
  t.deepEqual(await store.begin({ log_id: 'it', ...viewed, lines, saga: 'another' }, plainly), ['begun', 'it'])
})

test.serial('join: what needs no checkout of its own is answered under its key, for good', async (t) => {
  await store.create('cart', 'anna', plainly)
  const join = (key: string, saga = '') => store.join({ order: 'cart', saga }, under(key))
  t.deepEqual(await join('empty'), ['empty'])
  await store.addItem(LINE, plainly)
  t.deepEqual(await join('early'), ['changed'])
  await begin('it')
  t.deepEqual(await join('early', 'another'), ['changed'])
  t.deepEqual(await join('joined', 'it'), ['joined', 'it'])
  await tell('payment', 'CreditVoided', 'it', facts)
  t.deepEqual(await join('later', 'it'), ['joined', 'it'], 'also a checkout that has ended')
  await begin('next')
  await tell('payment', 'CreditCaptured', 'next', facts)
  t.deepEqual(await join('paid'), ['paid', 'next'])
  t.deepEqual(await join('joined'), ['joined', 'it'])
  t.deepEqual(await join('empty'), ['empty'])
})

test.serial('add-item: sums stay what a number can hold, and a refused line changes nothing', async (t) => {
  await store.create('cart', 'anna', plainly)
  const add = async (item: string, quantity: number, price: number): Promise<string> =>
    (await store.addItem({ order: 'cart', item, quantity, price }, plainly))[0]
  t.is(await add('tea', 2, MOST), 'too-much')
  t.is(await add('tea', MOST, 2), 'too-much')
  t.is(await add('tea', MOST, MOST), 'too-much')
  t.is(await add('tea', 1, MOST - 3), 'added')
  t.is(await add('cup', 1, 4), 'too-much')
  t.is(await add('cup', 1, 3), 'added')
  t.is(await add('cup', 1, 1), 'too-much')
  t.is(await add('free', MOST, 0), 'added')
  t.is(await add('free', 1, 0), 'too-much')
  t.deepEqual(await store.find('cart'), {
    order_id: 'cart',
    paid: false,
    items: [
      ['tea', 1],
      ['cup', 1],
      ['free', MOST],
    ],
    user_id: 'anna',
    total_cost: MOST,
    status: 'open',
  })
  await begin('it')
  t.is((await log.entriesOf('it'))[0]?.facts.total, String(MOST))
  t.is((await log.entriesOf('it'))[0]?.facts.lines, `tea:1,cup:1,free:${MOST}`)
})

test.serial('add-item: an order holds a bounded number of lines; more of one that it has still goes in', async (t) => {
  await store.create('cart', 'anna', plainly)
  const add = (item: string) => store.addItem({ order: 'cart', item, quantity: 1, price: 1 }, plainly)
  for (let index = 0; index < LINES_MAX; index += 1) t.deepEqual(await add(`item-${index}`), ['added', '1'])
  t.deepEqual(await add('one-more'), ['full'])
  t.deepEqual(await add('item-0'), ['added', '1'])
  const order = await store.find('cart')
  t.deepEqual([order?.items.length, order?.total_cost], [LINES_MAX, LINES_MAX + 1])
})

test.serial('add-item: only an open order takes lines; a refusal is remembered unless it may pass', async (t) => {
  t.deepEqual(await store.addItem(LINE, plainly), ['unknown'])
  await openCart(store)
  await begin('it')
  t.deepEqual(await store.addItem(LINE, under('a')), ['closed', 'checking-out'])
  await store.cancel('it')
  t.deepEqual(await store.addItem(LINE, under('a')), ['closed', 'cancelling'])
  await tell('payment', 'CreditReleased', 'it', facts)
  t.deepEqual(await store.addItem(LINE, under('a')), ['added', '15'])
  t.deepEqual(await store.addItem(LINE, under('a')), ['added', '15'])
  t.is((await store.find('cart'))?.total_cost, 60)
  await begin('next')
  await tell('payment', 'CreditCaptured', 'next', facts)
  t.deepEqual(await store.addItem(LINE, under('b')), ['closed', 'paid'])
  await store.initOrders({ first: 0, last: 0, items: 1, users: 1, price: 1, seed: 1 }, plainly)
  t.deepEqual(await store.addItem({ ...LINE, order: '0' }, under('b')), ['closed', 'paid'])
})

for (const status of ['cancelled', 'expired'] as const)
  test.serial(`an order that is ${status} is not checked out, and takes no lines`, async (t) => {
    await openCart(store)
    await bring('closed')
    await bench.redis.hset('order:cart', { status })
    const expected = `order-${status}` as const
    t.is<string, string>((await begin('another', under('begin')))[0], expected)
    t.is<string, string>((await submit('another', under('submit')))[0], expected)
    t.deepEqual(await store.join({ order: 'cart', saga: '' }, under('join')), [expected])
    t.deepEqual(await store.join({ order: 'cart', saga: 'it' }, under('other')), [expected])
    t.deepEqual(await store.addItem(LINE, plainly), ['closed', status])
    t.like(await store.find('cart'), { status, paid: false, total_cost: 30 })
    t.like(await store.show('cart'), { status, paid: false, payment_status: 'unpaid', paid_amount: 0 })
    const wanted = { user: 'anna', status, after: undefined, offset: 0, limit: 9 }
    t.like(await store.list(wanted), { total: 1 })
    await store.initOrders({ first: 0, last: 0, items: 1, users: 1, price: 1, seed: 1 }, plainly)
    t.deepEqual(await begin('another', under('begin')), [expected], 'it is remembered')
  })

const batch = { first: 0, last: 49, items: 20, users: 10, price: 6, seed: 42 }

test.serial('init-orders: what is made follows from the entry that is logged', async (t) => {
  await store.initOrders(batch, plainly)
  const first = await Promise.all(Array.from({ length: 50 }, (_, order) => store.find(String(order))))
  const { first: from, last, items, users, price, seed } = (await saidIn(log)).at(-1)?.facts ?? {}
  const said = { first: from, last, items, users, price, seed }
  const again = Object.fromEntries(Object.entries(said).map(([name, value]) => [name, Number(value)]))
  await store.initOrders({ ...batch, seed: 43 }, plainly)
  t.notDeepEqual(await Promise.all(Array.from({ length: 50 }, (_, order) => store.find(String(order)))), first)
  await store.initOrders({ ...batch, ...again }, plainly)
  t.deepEqual(await Promise.all(Array.from({ length: 50 }, (_, order) => store.find(String(order)))), first)
})

test.serial(
  'init-orders: what was paid stays in the ledger, and it says that no order shows it any more',
  async (t) => {
    await store.initOrders({ first: 0, last: 2, items: 9, users: 1, price: 7, seed: 5 }, plainly)
    await store.begin({ log_id: 'it', order: '1', user: '0', token: '', timeout_ms: TIMEOUT_MS }, plainly)
    await tell('payment', 'CreditCaptured', 'it', { ...facts, order: '1', user: '0', total: 14 })
    await store.initOrders({ first: 0, last: 2, items: 9, users: 1, price: 7, seed: 6 }, plainly)
    await store.initOrders({ first: 0, last: 2, items: 9, users: 1, price: 7, seed: 7 }, plainly)
    const account = await ledgerOf(bench.redis)
    t.deepEqual(['paid', 'sold', 'replaced-paid', 'replaced-sold'].map(account), [14n, 2n, 14n, 2n])
  },
)

test.serial('init-orders does nothing while one of the orders is being checked out or undone', async (t) => {
  await store.initOrders(batch, plainly)
  const { user_id: user = '' } = (await store.find('7')) ?? {}
  await store.begin({ log_id: 'it', order: '7', user, token: '', timeout_ms: TIMEOUT_MS }, plainly)
  const before = await store.find('8')
  t.deepEqual(await store.initOrders({ ...batch, seed: 1 }, under('init')), ['busy', '7'])
  await store.cancel('it')
  t.deepEqual(await store.initOrders({ ...batch, seed: 1 }, under('init')), ['busy', '7'])
  t.deepEqual(await store.find('8'), before)
  await tell('payment', 'CreditReleased', 'it', facts)
  t.deepEqual(await store.initOrders({ ...batch, seed: 1 }, under('init')), ['initialised'])
  t.notDeepEqual(await store.find('8'), before)
})

test.serial(
  'init-orders makes a paid order open again, and what its checkout says later does not touch it',
  async (t) => {
    await store.initOrders(batch, plainly)
    const { user_id: user = '', total_cost: total = 0 } = (await store.find('7')) ?? {}
    await store.begin({ log_id: 'it', order: '7', user, token: '', timeout_ms: TIMEOUT_MS }, plainly)
    const lines = (await bench.redis.hget('order:7', 'lines')) ?? ''
    const captured = { order: '7', user, total, lines }
    await tell('payment', 'CreditCaptured', 'it', captured)
    t.true((await store.find('7'))?.paid)
    await store.initOrders(batch, plainly)
    t.is((await store.find('7'))?.status, 'open')
    t.is((await tell('payment', 'CreditCaptured', 'it', captured))[0], 'repeated')
    t.is((await store.find('7'))?.status, 'open')
  },
)

test.serial('the survey names what is unfinished, the stalest first, with what it calls for', async (t) => {
  const start = async (id: string, timeout_ms: number): Promise<void> => {
    await store.create(id, 'anna', plainly)
    await store.addItem({ ...LINE, order: id }, plainly)
    await store.begin({ log_id: id, order: id, user: 'anna', token: '', timeout_ms }, plainly)
  }
  for (const id of ['young', 'silent', 'undone', 'paid']) await start(id, TIMEOUT_MS)
  await start('late', -1)
  await store.cancel('undone')
  await tell('payment', 'CreditCaptured', 'paid', { ...facts, order: 'paid' })
  await bench.redis.zadd('sagas:open', 1, 'silent', 2, 'undone', 3, 'forgotten', 4, 'paid', Date.now() + 60_000, 'late')
  const survey = async () =>
    (await recovery.survey(9)).findings.map(({ log_id, facts: { state }, repair }) => [log_id, state, repair])
  const rest = [
    ['forgotten', 'absent', 'drop'],
    ['paid', 'decided', 'drop'],
    ['young', 'checking-out', 'wait'],
    ['late', 'checking-out', 'cancel'],
  ]
  t.deepEqual(await survey(), [['silent', 'checking-out', 'wait'], ['undone', 'cancelling', 'wait'], ...rest])
  await bench.redis.set(ackedKey('order', 'payment'), '5-0')
  t.deepEqual(await survey(), [
    ['silent', 'checking-out', 'tell-again'],
    ['undone', 'cancelling', 'tell-again'],
    ...rest,
  ])
  t.is((await recovery.survey(2)).findings.length, 2)
  t.is((await recovery.survey(2)).next?.score, 2)
  await bench.redis.set(ackedKey('order', 'payment'), '1-0')
  t.is((await recovery.survey(2)).next, undefined, 'what payment has not applied can only wait')
})

/** Each way to give a checkout up. */
const GIVE_UP: Readonly<Record<string, (late: Store) => Promise<unknown>>> = {
  'its customer has waited long enough': (late) => late.cancel('it'),
  'an operator wishes it': (late) => late.revoke('it', plainly),
  'the log parser finds it late': async (late) => {
    const parser = late.recovery(() => undefined)
    for (const finding of (await parser.survey(9)).findings) await parser.repair(finding)
  },
}

for (const [why, giveUp] of Object.entries(GIVE_UP))
  test.serial(`a checkout whose end was emitted, and is not applied yet, is not cancelled: ${why}`, async (t) => {
    await openCart(store)
    await begin('it', plainly, -1)
    const late = openStore({
      ...bench.dependencies,
      catchUp: async () => {
        await tell('payment', 'CreditCaptured', 'it', facts)
        return true
      },
    })
    await giveUp(late)
    t.deepEqual(await look(), { saga: 'paid', order: 'paid' })
  })

holdEveryResult()
