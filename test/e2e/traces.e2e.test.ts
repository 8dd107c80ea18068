/** One checkout that is sampled is one trace over all services, also if one of them dies meanwhile; what is not sampled leaves none. */
import assert from 'node:assert/strict'
import test from 'ava'
import { openCollector, type ToldSpan } from '../support/collector.ts'
import { eventually } from '../support/eventually.ts'
import { problemOf } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const collector = await openCollector()
test.after.always(collector.close)
const told = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
/** Nothing is sampled but what asks for it. */
const opened = shareShop(test, {
  env: {
    all: { ...told, LOG_PARSER_CRON: '* * * * * *' },
    gateway: { OTEL_TRACES_SAMPLER_ARG: '0' },
    order: { CHECKOUT_DEADLINE_MS: '60000' },
  },
})
const TOLD_MS = 20_000

const idOf = (digit: string): string => digit.repeat(32)
/** The span of the client, which is in no process of the shop. */
const CLIENT = 'c'.repeat(16)
const sampled = (digit: string) => ({ traceparent: `00-${idOf(digit)}-${CLIENT}-01` })
const spansOf = (digit: string): readonly ToldSpan[] => collector.spans.filter(({ trace }) => trace === idOf(digit))

/** Waits until all of these were told of a trace, as services and names. */
const whenTold = async (digit: string, names: readonly string[]): Promise<readonly ToldSpan[]> => {
  await eventually(async () => {
    const found = spansOf(digit).map(({ service, name }) => `${service}: ${name}`)
    assert.deepEqual(
      names.filter((name) => !found.includes(name)),
      [],
      found.join('\n'),
    )
  }, TOLD_MS)
  return spansOf(digit)
}

const CHECKOUT = [
  'gateway: POST order',
  'order: POST /orders/checkout/:order',
  'payment: process CheckoutStarted',
  'stock: process CreditHeld',
  'payment: process StockTaken',
  'order: process CreditCaptured',
]

test.serial(
  'a checkout is one trace over four services, and each span but the first has its parent there',
  async (t) => {
    const { client } = opened()
    const { order } = await client.createCart()
    t.is((await client.checkout(order, sampled('1'))).status, 200)
    const spans = await whenTold('1', CHECKOUT)
    const ids = new Set(spans.map(({ id }) => id))
    const parents = spans.map(({ parent = '' }) => parent)
    t.deepEqual(
      parents.filter((parent) => !ids.has(parent)),
      [CLIENT],
    )
    const chain = CHECKOUT.map((name) => spans.find(({ service, name: own }) => `${service}: ${own}` === name))
    for (const [at, span] of chain.entries()) if (at > 0) t.is(span?.parent, chain[at - 1]?.id, CHECKOUT[at])
    t.deepEqual([...new Set(spans.map(({ service }) => service))].sort(), ['gateway', 'order', 'payment', 'stock'])
    const [entry] = (await client.log('payment')).filter(({ facts }) => facts.order === order)
    t.is(entry?.facts.trace?.slice(3, 35), idOf('1'))
    t.is(spans.find(({ name }) => name === 'process CreditHeld')?.attributes['messaging.message.id'], entry?.id)
  },
)

test.serial('what a peer is asked is in it, and what is refused says which trace it is of', async (t) => {
  const { client } = opened()
  const refused = await client.post('/orders/create/nobody', sampled('2'))
  t.is(problemOf(refused).trace_id, idOf('2'))
  await whenTold('2', ['gateway: POST order', 'order: POST /orders/create/:user', 'payment: GET /payment/users'])
})

test.serial('what is not sampled is told to nobody, and no entry speaks of it', async (t) => {
  const { client } = opened()
  for (const headers of [{}, { traceparent: `00-${idOf('3')}-${CLIENT}-00` }, { traceparent: 'nonsense' }]) {
    const { order } = await client.createCart()
    t.is((await client.checkout(order, headers)).status, 200)
    for (const service of ['orders', 'payment', 'stock'] as const)
      for (const { facts } of await client.log(service)) if (facts.order === order) t.is(facts.trace, undefined)
  }
  t.deepEqual(spansOf('3'), [])
  t.deepEqual([...new Set(collector.spans.map(({ trace }) => trace))].sort(), [idOf('1'), idOf('2')])
})

test.serial('a checkout that outlives payment goes on in its trace, and so does the repair of it', async (t) => {
  const { client, shop } = opened()
  const { order } = await client.createCart()
  const [payment, stock] = [shop.part('payment-1'), shop.part('stock-1')]
  await stock.kill('SIGKILL')
  const checkout = client.checkout(order, sampled('4'))
  // What is held hangs, for stock takes nothing.
  const before = await whenTold('4', ['payment: process CheckoutStarted', 'order: repair tell-again'])
  await payment.kill('SIGKILL')
  await Promise.all([payment.start(), stock.start()])
  t.is((await checkout).status, 200)
  const after = await whenTold('4', CHECKOUT)
  const [held, repair] = ['process CheckoutStarted', 'repair tell-again'].map((name) =>
    before.find((span) => span.name === name),
  )
  t.is(repair?.parent, held?.parent)
  t.is(after.find(({ name }) => name === 'process CreditHeld')?.parent, held?.id)
})
