/** What becomes of an order, told by the shop as it happens: through the gateway, over a break, and while replicas come and go. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { eventually } from '../support/eventually.ts'
import { problemOf } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test, { replicas: { order: 2 } })
const TIMEOUT_MS = 20_000
/** Streams would hold up an end by 8 s. */
const STOP_MS = 5_000

type Event = {
  readonly id: string
  readonly event: string
  readonly data: { readonly id: string; readonly kind: string }
}

const listen = async (t: ExecutionContext, order: string, seen?: string) => {
  const headers = seen === undefined ? {} : { 'Last-Event-ID': seen }
  const request = get(`${opened().shop.url}/orders/${order}/events`, { headers })
  request.on('error', () => undefined)
  t.teardown(() => request.destroy())
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  response.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  response.on('error', () => undefined)
  const ended = new Promise((resolve) => response.once('end', resolve))
  const events = (): readonly Event[] =>
    [...text.matchAll(/id: (.*)\nevent: (.*)\ndata: (.*)\n\n/g)].map(([, id = '', event = '', data = '']) => ({
      id,
      event,
      data: JSON.parse(data),
    }))
  const whenTold = (...kinds: readonly string[]): Promise<void> =>
    eventually(
      async () =>
        assert.deepEqual(
          events().map(({ event }) => event),
          kinds,
        ),
      TIMEOUT_MS,
    )
  return { response, events, whenTold, ended, leave: () => request.destroy() }
}

test.serial('a client that listens is told what becomes of its order, and after a break what came since', async (t) => {
  const { client } = opened()
  const { order, item } = await client.createCart()
  const first = await listen(t, order)
  t.like(first.response.headers, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  await client.post(`/orders/addItem/${order}/${item}/1`)
  await first.whenTold('LineAdded')
  first.leave()
  await client.post(`/orders/checkout/${order}`, { Prefer: 'respond-async, wait=20' })
  const again = await listen(t, order, first.events()[0]?.id)
  await again.whenTold('CheckoutSubmitted', 'CheckoutStarted', 'OrderPaid')
  t.true(again.events().every(({ id, event, data }) => data.id === id && data.kind === event))
})

test.serial('nobody listens for an order that there is not, nor from an entry that there cannot be', async (t) => {
  const { client } = opened()
  const { order } = await client.createCart()
  t.is(problemOf(await client.get('/orders/nobody/events')).type, 'urn:shop:problem:no-such-order')
  const wrong = await client.get(`/orders/${order}/events`, { 'Last-Event-ID': 'yesterday' })
  t.deepEqual([wrong.status, problemOf(wrong).field], [400, 'last-event-id'])
})

test.serial('a replica that stops ends its streams at once', async (t) => {
  const { client, shop } = opened()
  const { order } = await client.createCart()
  const streams = await Promise.all(Array.from({ length: 4 }, () => listen(t, order)))
  const startedAt = performance.now()
  await shop.part('order-1').stop()
  await shop.part('order-2').stop()
  const tookMs = performance.now() - startedAt
  await Promise.all(streams.map(({ ended }) => ended))
  t.true(tookMs < 2 * STOP_MS, `it took ${Math.round(tookMs)} ms`)
})
