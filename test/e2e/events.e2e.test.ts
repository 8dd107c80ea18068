/**
 * What becomes of orders, told by the shop as it happens, to clients that listen and to webhooks: through the gateway, over a
 * break, and while replicas come and go.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { Webhook } from 'standardwebhooks'
import { eventually } from '../support/eventually.ts'
import { openReceiver, type Receiver } from '../support/receiver.ts'
import { problemOf, type Reply } from '../support/shop/client.ts'
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

const receiving = async (t: ExecutionContext): Promise<Receiver> => {
  const receiver = await openReceiver()
  t.teardown(receiver.close)
  return receiver
}
const send = (method: string, path: string, body: object): Promise<Reply> =>
  opened().client.request(method, path, { 'Content-Type': 'application/json' }, JSON.stringify(body))
type Made = { readonly webhook_id: string; readonly secret: string }

test.serial('a webhook is told what becomes of orders, also when a replica dies', async (t) => {
  const { client, shop } = opened()
  const receiver = await receiving(t)
  const made = await send('POST', '/orders/webhooks', { url: receiver.url, events: ['shop.order.paid'] })
  t.is(made.status, 201)
  const { webhook_id: id, secret } = made.json as Made
  const path = `/orders/webhooks/${id}`
  t.is(made.headers.location, path)
  t.false((await client.get('/orders/webhooks')).text.includes(secret))
  t.like((await client.post(`${path}/test`)).json, { delivered: true, status: 204 })
  const buy = async (): Promise<string> => {
    const { order } = await client.createCart()
    t.is((await client.post(`/orders/checkout/${order}`)).status, 200)
    return order
  }
  const first = await buy()
  await receiver.whenReceived(2)
  await shop.part('order-1').kill()
  const second = await buy()
  await eventually(
    async () => assert.ok(receiver.received.some(({ event }) => event.data.order_id === second)),
    TIMEOUT_MS,
  )
  const told = new Map(receiver.received.map((one) => [one.event.id, one]))
  t.deepEqual(
    [...told.values()].map(({ event }) => [event.type, event.data.order_id]),
    [
      ['shop.webhook.test', undefined],
      ['shop.order.paid', first],
      ['shop.order.paid', second],
    ],
  )
  for (const { body, headers } of receiver.received)
    t.notThrows(() => new Webhook(secret).verify(body, headers as Record<string, string>))
  t.deepEqual((await client.request('DELETE', path)).json, { webhook_id: id, deleted: true })
  t.is(problemOf(await client.get(path)).type, 'urn:shop:problem:no-such-webhook')
  await shop.part('order-1').start()
})

test.serial('a webhook leads to a URL of the web, and wants what there is', async (t) => {
  for (const [body, field] of [
    [{}, 'url'],
    [{ url: 'ftp://127.0.0.1/' }, 'url'],
    [{ url: 'http://user:word@127.0.0.1/' }, 'url'],
    [{ url: 'http://127.0.0.1/', events: [] }, 'events'],
    [{ url: 'http://127.0.0.1/', events: ['shop.order.eaten'] }, 'events.0'],
  ] as const) {
    const refused = await send('POST', '/orders/webhooks', body)
    t.deepEqual([refused.status, problemOf(refused).field], [422, field])
  }
  const { webhook_id: id, ...made } = (
    await send('POST', '/orders/webhooks', {
      url: 'http://127.0.0.1:1/a\nsecret=known',
      enabled: false,
    })
  ).json as Made & { readonly url: string }
  t.is(made.url, 'http://127.0.0.1:1/asecret=known')
  t.regex(made.secret, /^whsec_/)
  await opened().client.request('DELETE', `/orders/webhooks/${id}`)
})

test.serial('a replica that stops ends its streams, and what it delivers, at once', async (t) => {
  const { client, shop } = opened()
  const receiver = await receiving(t)
  receiver.respond(() => undefined)
  const made = await send('POST', '/orders/webhooks', { url: receiver.url })
  const { order } = await client.createCart()
  await receiver.whenReceived(1)
  const tried = client.post(`/orders/webhooks/${(made.json as Made).webhook_id}/test`)
  await receiver.whenReceived(2)
  const streams = await Promise.all(Array.from({ length: 4 }, () => listen(t, order)))
  const startedAt = performance.now()
  await shop.part('order-1').stop()
  await shop.part('order-2').stop()
  const tookMs = performance.now() - startedAt
  await Promise.all(streams.map(({ ended }) => ended))
  t.like((await tried).json, { delivered: false, status: null })
  t.true(tookMs < 2 * STOP_MS, `it took ${Math.round(tookMs)} ms`)
})
