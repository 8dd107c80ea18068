/** How a saga stands in order and in payment, what the log parser will do for it, and what a retry does at once. */

import test, { type ExecutionContext } from 'ava'
import { ackedKey } from '../../../shared/log/entry.ts'
import { RUNS_MAX, statusOf } from '../../../shared/saga/status.ts'
import { beginCart, MONEY, openCart } from '../../support/shop/cart.ts'
import { plainly, teller, under } from '../../support/shop/open-store.ts'
import { openThreeServices, startThreeServers } from '../../support/three-services.ts'

const servers = await startThreeServers()
const shop = await openThreeServices(servers)
const { order, payment, stock } = shop.stores
test.serial.beforeEach(() => Promise.all(Object.values(shop.redis).map((redis) => redis.flushall())))
test.after.always(async () => {
  await shop[Symbol.asyncDispose]()
  await servers[Symbol.asyncDispose]()
})

/** A log parser that runs again and again; what was said counts as stale after two seconds, so at the second run. */
const RUN_MS = 1_500
/** What is this late is decided without waiting for a run. */
const LATE_MS = 250
const schedule = (from = Date.now(), everyMs = RUN_MS): readonly Date[] =>
  Array.from({ length: RUNS_MAX }, (_, index) => new Date(from + (index + 1) * everyMs))

const services = {
  order: { store: order, recovery: order.recovery(() => undefined), subscribers: ['payment'] },
  payment: { store: payment, recovery: payment.recovery, subscribers: ['order', 'stock'] },
} as const
type Saga = keyof typeof services

const look = (service: Saga, runs = schedule()) => {
  const { store, recovery, subscribers } = services[service]
  return statusOf({ log: store.log, runs, recovery, subscribers }, 'it')
}
const retry = async (service: Saga, once = plainly): Promise<string> => {
  const { store, subscribers } = services[service]
  const recovery = services[service].recovery
  const { record, nowMs } = await store.log.saga('it', subscribers)
  return recovery.retry(recovery.evaluate(record, nowMs), once)
}

const facts = { ...MONEY, reason: 'out-of-stock', item: 'tea', deadline: 1e12 }
const TIMEOUT_MS = 60_000

const begin = async (timeout_ms = TIMEOUT_MS): Promise<void> => {
  await openCart(order)
  await beginCart(order, 'it', timeout_ms, 'secret')
}
const started = async (credit = 100) => {
  await payment.createUser('anna', plainly)
  if (credit > 0) await payment.addFunds('anna', credit, plainly)
  const tell = teller(payment.log)
  await tell('order', 'CheckoutStarted', 'it', facts)
  return tell
}

/** Each state of a saga: how it comes about, what is unfinished of it, and what a retry does. */
const STATES: readonly (readonly [
  service: Saga,
  state: string,
  bring: () => Promise<unknown>,
  isUnfinished: boolean,
  done: string,
  said: readonly string[],
])[] = [
  ['order', 'checking-out', () => begin(), true, 'told', ['CheckoutStarted', 'CheckoutStarted']],
  ['order', 'checking-out', () => begin(-1), true, 'cancelled', ['CheckoutStarted', 'CheckoutCancelled']],
  [
    'order',
    'paid',
    async () => {
      await begin()
      await teller(order.log)('payment', 'CreditCaptured', 'it', facts)
    },
    false,
    'dropped',
    ['CheckoutStarted', 'OrderPaid'],
  ],
  [
    'order',
    'failed',
    async () => {
      await begin()
      await teller(order.log)('payment', 'CreditVoided', 'it', facts)
    },
    false,
    'dropped',
    ['CheckoutStarted', 'CheckoutFailed'],
  ],
  [
    'order',
    'cancelling',
    async () => {
      await begin()
      await order.cancel('it')
    },
    true,
    'told',
    ['CheckoutStarted', 'CheckoutCancelled', 'CheckoutCancelled'],
  ],
  [
    'order',
    'closed',
    async () => {
      await begin()
      await order.cancel('it')
      await teller(order.log)('payment', 'CreditReleased', 'it', facts)
    },
    false,
    'dropped',
    ['CheckoutStarted', 'CheckoutCancelled', 'CheckoutClosed'],
  ],
  ['payment', 'held', () => started(), true, 'told', ['CreditHeld', 'CreditHeld']],
  ['payment', 'refused', () => started(0), false, 'dropped', ['CreditRefused']],
  [
    'payment',
    'waiting',
    async () => {
      await payment.createUser('anna', plainly)
      await payment.addFunds('anna', 40, plainly)
      const tell = teller(payment.log)
      await tell('order', 'CheckoutStarted', 'first', facts)
      await tell('order', 'CheckoutStarted', 'it', facts)
    },
    true,
    'served',
    [],
  ],
  ...(
    [
      ['captured', 'stock', 'StockTaken', 'CreditCaptured'],
      ['voided', 'stock', 'StockRefused', 'CreditVoided'],
      ['released', 'order', 'CheckoutCancelled', 'CreditReleased'],
    ] as const
  ).map(
    ([state, publisher, heard, said]) =>
      [
        'payment',
        state,
        async () => (await started())(publisher as 'stock', heard as 'StockTaken', 'it', facts),
        false,
        'dropped',
        ['CreditHeld', said],
      ] as const,
  ),
]

const saidOf = async (service: Saga): Promise<readonly string[]> =>
  (await services[service].store.log.entriesOf('it')).map(({ kind }) => kind)

for (const [service, state, bring, isUnfinished, done, said] of STATES)
  test.serial(
    `${state} in ${service}${done === 'cancelled' ? ' past its deadline' : ''}: retried, it is ${done}`,
    async (t) => {
      await bring()
      const status = await look(service)
      t.is(status?.state, state)
      t.is(status?.unfinished, isUnfinished)
      t.is(status?.recorded.order, 'cart')
      t.is(status?.recorded.token, undefined, 'a lock is nobody else')
      t.is(status?.finding === null, !isUnfinished)
      t.true(Math.abs(Date.parse(status?.since ?? '') - Date.now()) < 5_000)
      t.is(await retry(service), done)
      t.deepEqual(await saidOf(service), said)
    },
  )

for (const service of ['order', 'payment'] as const)
  test.serial(`a saga that ${service} does not know has no status`, async (t) => {
    t.is(await look(service), undefined)
  })

test.serial('left in the index without a record: absent, and dropped', async (t) => {
  await shop.redis.payment.zadd('sagas:open', Date.now(), 'it')
  t.like(await look('payment'), { state: 'absent', unfinished: true, finding: { repair: 'drop' } })
  t.is(await retry('payment'), 'dropped')
  t.is(await look('payment'), undefined)
})

test.serial('a retry under a key is done once', async (t) => {
  await begin()
  for (const attempt of ['first', 'second']) t.is(await retry('order', under('again')), 'told', attempt)
  t.deepEqual(await saidOf('order'), ['CheckoutStarted', 'CheckoutStarted'])
  t.is(await retry('order', under('again', 'POST /other')), 'key-reused')
})

/** Has the subscriber apply everything that was appended. */
const applyAll = (service: Saga, subscriber: 'payment' | 'stock') =>
  shop.redis[service].set(ackedKey(service, subscriber), '9999999999999-0')

/** What is foretold for so long after the last entry, or for its deadline, by a process whose clock differs. */
const assertForetold = async (
  t: ExecutionContext,
  service: Saga,
  repair: string,
  inMs: number | 'when it is late',
  aheadMs = 0,
): Promise<void> => {
  const { record } = await services[service].store.log.saga('it', [])
  const from = (record.lastEventAtMs ?? 0) + aheadMs
  const lateAtMs = Number(record.fields.deadline) + LATE_MS + aheadMs
  const status = await look(service, schedule(from))
  t.is(status?.finding?.repair, 'wait')
  t.is(status?.next?.repair, repair)
  // Two clocks are compared by two questions: a few milliseconds lie between them.
  const at = Date.parse(status?.next?.at ?? '')
  t.true(Math.abs(at - (inMs === 'when it is late' ? lateAtMs : from + inMs)) < 100, status?.next?.at)
  t.is(status?.next_run, new Date(from + RUN_MS).toISOString())
}

test.serial('what was applied is emitted again at the first run that finds it stale', async (t) => {
  await begin()
  await applyAll('order', 'payment')
  await assertForetold(t, 'order', 'tell-again', 2 * RUN_MS)
})

test.serial(
  'what was not applied waits for its subscriber until the deadline; then it is cancelled, whenever the next run is',
  async (t) => {
    await begin(8_000)
    await assertForetold(t, 'order', 'cancel', 'when it is late')
  },
)

test.serial('what payment holds and stock has not applied waits for stock, as far as one looks', async (t) => {
  await started()
  const status = await look('payment')
  t.deepEqual(status?.finding?.facts, { state: 'held', silent: 'no', heard: 'no' })
  t.deepEqual(status?.heard, { order: false, stock: false })
  t.is(status?.next, null)
  await applyAll('payment', 'stock')
  t.like(await look('payment'), { heard: { order: false, stock: true }, next: { repair: 'tell-again' } })
})

for (const everyMs of [5_000, 1_000])
  test.serial(
    `what has hung for hours is told again after ten minutes, and that is foretold, with a run every ${everyMs} ms`,
    async (t) => {
      const HOUR_MS = 3_600_000
      const TEN_MINUTES_MS = 600_000
      await begin()
      await order.cancel('it')
      await applyAll('order', 'payment')
      const now = Date.now()
      const toldMs = now - 60_000
      await shop.redis.order.hset('saga:it', 'entries', `${now - HOUR_MS}-0 ${toldMs}-0`)
      await shop.redis.order.zadd('sagas:open', toldMs, 'it')
      const status = await look('order', schedule(now, everyMs))
      t.is(status?.finding?.repair, 'wait')
      t.is(status?.next?.repair, 'tell-again')
      const inMs = Date.parse(status?.next?.at ?? '') - (toldMs + TEN_MINUTES_MS)
      t.true(inMs > 0 && inMs <= everyMs + 100, status?.next?.at)
    },
  )

test.serial('before the log parser was started nothing is foretold', async (t) => {
  await begin()
  t.like(await look('order', []), { next: null, next_run: null, unfinished: true })
})

test.serial(
  'the schedule is that of the process and the facts are those of the Redis: their clocks may differ',
  async (t) => {
    await begin(8_000)
    const { now } = Date
    t.teardown(() => {
      Date.now = now
    })
    const HOUR_MS = 3_600_000
    Date.now = () => now() - HOUR_MS
    await assertForetold(t, 'order', 'cancel', 'when it is late', -HOUR_MS)
  },
)

test.serial('stock has nothing unfinished: it shows what it recorded', async (t) => {
  await stock.createItem('tea', 15, plainly)
  await stock.add('tea', 5, plainly)
  await teller(stock.log)('payment', 'CreditHeld', 'it', facts)
  const status = await statusOf(
    { log: stock.log, runs: schedule(), recovery: undefined, subscribers: ['payment'] },
    'it',
  )
  t.like(status, { state: 'taken', unfinished: false, finding: null, next: null })
  t.like(status?.recorded, { order: 'cart', lines: 'tea:2' })
})

test.serial('the checkouts of an order are known from the last to the first', async (t) => {
  t.is(await order.checkoutsOf('cart'), undefined)
  await begin()
  const tell = teller(order.log)
  for (const [id, next] of [
    ['it', 'second'],
    ['second', 'third'],
  ] as const) {
    await tell('payment', 'CreditVoided', id, facts)
    await beginCart(order, next)
  }
  t.deepEqual(await order.checkoutsOf('cart'), ['third', 'second', 'it'])
  await order.create('empty', 'anna', plainly)
  t.deepEqual(await order.checkoutsOf('empty'), [])
})
