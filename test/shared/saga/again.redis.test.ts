/** What is told again and again: ever more seldom, and however often, of every service's record a little. */

import test from 'ava'
import type { Redis } from 'ioredis'
import type { Log } from '../../../shared/log/log.ts'
import type { SagaRecord } from '../../../shared/log/saga-record.ts'
import { isStale } from '../../../shared/saga/staleness.ts'
import { MONEY, openCheckout } from '../../support/shop/cart.ts'
import { plainly, teller } from '../../support/shop/open-store.ts'
import { openThreeServices, startThreeServers } from '../../support/three-services.ts'

const servers = await startThreeServers()
const services = await openThreeServices(servers)
const { order, payment, stock } = services.stores
test.serial.beforeEach(() => Promise.all(Object.values(services.redis).map((redis) => redis.flushall())))
test.after.always(async () => {
  await services[Symbol.asyncDispose]()
  await servers[Symbol.asyncDispose]()
})

const TIMES = 500
const DAY_MS = 24 * 3_600_000

/** Each way in which something may be said again: in which service, and how it comes about. */
const WAYS: readonly (readonly [
  name: string,
  redis: Redis,
  log: Log,
  bring: () => Promise<unknown>,
  again: () => Promise<unknown>,
  said: string,
])[] = [
  [
    'a cancellation that payment cannot undo',
    services.redis.order,
    order.log,
    async () => {
      await openCheckout(order, 9)
      await order.cancel('it')
    },
    () => order.log.run('tell-again', { log_id: 'it' }),
    'CheckoutCancelled',
  ],
  [
    'a hold that stock does not answer',
    services.redis.payment,
    payment.log,
    async () => {
      await payment.createUser('anna', plainly)
      await payment.addFunds('anna', 30, plainly)
      await teller(payment.log)('order', 'CheckoutStarted', 'it', { ...MONEY, deadline: 1e12 })
    },
    () => payment.log.run('tell-again', { log_id: 'it' }),
    'CreditHeld',
  ],
  [
    'an answer that payment is asked for again and again',
    services.redis.payment,
    payment.log,
    () => teller(payment.log)('order', 'CheckoutCancelled', 'it', MONEY),
    async () => {
      await services.redis.payment.hdel('cursors', 'order')
      await teller(payment.log)('order', 'CheckoutCancelled', 'it', MONEY)
    },
    'CreditReleased',
  ],
  [
    'an answer that stock is asked for again and again',
    services.redis.stock,
    stock.log,
    () => teller(stock.log)('payment', 'CreditHeld', 'it', MONEY),
    async () => {
      await services.redis.stock.hdel('cursors', 'payment')
      await teller(stock.log)('payment', 'CreditHeld', 'it', MONEY)
    },
    'StockRefused',
  ],
]

for (const [name, redis, log, bring, again, said] of WAYS)
  test.serial(`${name}: its record does not grow, and names the first and the last time`, async (t) => {
    await bring()
    const first = (await log.entriesOf('it')).at(-1)
    await again()
    const bytes = await redis.memory('USAGE', 'saga:it')
    for (let time = 1; time < TIMES; time += 1) await again()
    t.is(await redis.memory('USAGE', 'saga:it'), bytes)
    const newest = (await redis.xrevrange(`log:${log.service}`, '+', '-', 'COUNT', 1))[0]?.[0]
    const entries = await log.entriesOf('it')
    t.deepEqual([entries.at(-2)?.id, entries.at(-1)?.id], [first?.id, newest])
    t.deepEqual([entries.at(-2)?.kind, entries.at(-1)?.kind], [said, said])
    // The first time may be trimmed off the log before the last.
    await redis.xtrim(`log:${log.service}`, 'MAXLEN', 1)
    const [saga] = (await log.run('sagas-at', { at: newest ?? '', log_ids: 'it' })) as unknown as [[string, string[]]]
    t.is(saga[1][0], said, 'an audit finds what was said last')
  })

test('a saga that hangs is told again after two seconds, and then ever more seldom, up to every ten minutes', (t) => {
  const beganMs = 1_700_000_000_000
  const gaps: number[] = []
  let lastEventAtMs = beganMs + 10_000
  for (let now = lastEventAtMs; now < beganMs + DAY_MS; now += 5_000) {
    if (!isStale(now, lastEventAtMs, beganMs)) continue
    gaps.push(now - lastEventAtMs)
    lastEventAtMs = now
  }
  t.is(gaps[0], 5_000, 'the first run that finds it stale')
  t.deepEqual(
    gaps,
    gaps.toSorted((a, b) => a - b),
  )
  t.true((gaps.at(-1) ?? 0) <= 605_000)
  t.true(gaps.length < 200, `it was told ${gaps.length} times in a day`)
})

test('what was said in the future was said before the clock was set back: it is told again', (t) => {
  const now = 1_700_000_000_000
  t.true(isStale(now, now + 3_600_000, now + 3_600_000))
  t.false(isStale(now, now + 1_000, now + 1_000))
})

test.serial('an operator has told again at once what the log parser leaves to wait for minutes', async (t) => {
  const HOURS_MS = 3 * 3_600_000
  const recovery = order.recovery(() => undefined)
  const { log } = order
  await openCheckout(order, 9)
  await order.cancel('it')
  const { record, nowMs } = await log.saga('it', ['payment'])
  const long: SagaRecord = {
    ...record,
    fields: { ...record.fields, entries: `${nowMs - HOURS_MS}-0 ${record.fields.entries}` },
    lastEventAtMs: nowMs - 60_000,
    acked: { payment: `${nowMs}-0` },
  }
  const finding = recovery.evaluate(long, nowMs)
  t.is(finding.repair, 'wait')
  t.is(await recovery.retry(finding, plainly), 'told')
  t.is((await log.entriesOf('it')).at(-1)?.kind, 'CheckoutCancelled')
  t.not(await services.redis.order.hget('saga:it', 'again'), null)
})
