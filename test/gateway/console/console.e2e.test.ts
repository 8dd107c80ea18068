/** One stream tells every console what happens, whoever looks, and asks each service once. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage, type ServerResponse } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { tokenMark } from '../../../shared/http/operators.ts'
import { eventually } from '../../support/eventually.ts'
import { openReplicas, openSocket, problemOf, type Replicas } from '../../support/shop/gateway.ts'
import type { Behaviour } from '../../support/shop/upstream.ts'

const DIGEST = {
  after: '0-0',
  until: '5-0',
  skipped: false,
  counts: { CheckoutStarted: 1 },
  entries: [{ id: '5-0', kind: 'CheckoutStarted', log_id: 'saga', facts: { order: 'cart', user: 'anna', total: '3' } }],
}

const sendJson = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}
/** Tells one digest, and leaves the stream open; anything else is answered by its own path. */
const asService: Behaviour = (response, { url }) => {
  if (!url.endsWith('/events')) return sendJson(response, 200, { asked: url })
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  response.write(`retry: 1000\n\nid: 5-0\nevent: appended\ndata: ${JSON.stringify(DIGEST)}\n\n`)
}

type Message = {
  readonly name: string
  readonly data: Record<string, unknown> & { checkouts: { log_id: string }[]; seconds: { at: number }[] }
}

/** A console: reads on, and gives its messages in order. */
const openConsole = async (t: ExecutionContext, origin: string, headers: Record<string, string> = {}) => {
  const request = get(`${origin}/events`, { headers })
  t.teardown(() => request.destroy())
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const messages: Message[] = []
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const events = `${text}${chunk}`.split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? []
      if (name !== undefined && data !== undefined) messages.push({ name, data: JSON.parse(data) })
    }
  })
  response.on('error', () => undefined)
  const seen = (is: (all: readonly Message[]) => boolean) => eventually(async () => assert.ok(is(messages)), 8_000)
  return { response, messages, seen, leave: () => request.destroy() }
}

const streamsOf = ({ upstream }: Replicas): number =>
  upstream.received.filter(({ url }) => url === '/orders/events').length

test('each console is told the whole first, and then what is new; the service is asked once', async (t) => {
  const shop = await openReplicas(t, 1)
  shop.upstream.behave = asService
  await shop.settled()
  const consoles = await Promise.all([1, 2, 3].map(() => openConsole(t, shop.origin)))
  for (const { messages, seen } of consoles) {
    await seen((all) => all.length >= 2)
    t.deepEqual([messages[0]?.name, messages[1]?.name], ['whole', 'news'])
  }
  await consoles[0]?.seen((all) => all.some(({ data }) => data.checkouts.some(({ log_id }) => log_id === 'saga')))
  t.is(streamsOf(shop), 1)
  const late = await openConsole(t, shop.origin)
  await late.seen((all) => all.length >= 1)
  t.like(late.messages[0], { name: 'whole', data: { checkouts: [{ log_id: 'saga', state: 'started' }], consoles: 4 } })
  t.is(streamsOf(shop), 1)
})

test('more than four hundred consoles are told less often, and of each second', async (t) => {
  const shop = await openReplicas(t, 1)
  shop.upstream.behave = asService
  await shop.settled()
  const { messages, seen } = await openConsole(t, shop.origin)
  for (let others = 0; others < 400; others += 1) {
    const socket = await openSocket(t, shop.gateway.port)
    socket.resume().write('GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  }
  const isFull = ({ data }: Message): boolean => data.consoles === 401
  await seen((all) => all.filter(isFull).length >= 2)
  t.deepEqual(
    messages.filter(isFull).map(({ data }) => data.seconds.length),
    [2, 2],
  )
})

test('that a part has gone is told before the second is over: it may be back by then', async (t) => {
  const shop = await openReplicas(t, 1)
  shop.upstream.behave = asService
  await shop.settled()
  const { messages, seen } = await openConsole(t, shop.origin)
  const has = (condition: string) => (message?: Message) =>
    JSON.stringify(message?.data.services).includes(`"condition":"${condition}"`)
  for (const condition of ['not ready', 'ready', 'not ready', 'ready'] as const) {
    shop.upstream.condition = condition
    await seen((all) => has(condition)(all.at(-1)))
  }
  const isChange = (_: Message, at: number) => at > 0 && has('ready')(messages[at]) !== has('ready')(messages[at - 1])
  t.true(messages.filter(isChange).some(({ data }) => data.seconds.length === 0))
})

test('of a log that is not counted only the newest entries are asked for, and nothing of one that tells of no checkout', async (t) => {
  const asked = [
    ['order', ['/orders/events']],
    ['payment', ['/payment/events?most=128']],
    ['ids', []],
  ] as const
  for (const [service, expected] of asked) {
    const shop = await openReplicas(t, 1, { service })
    shop.upstream.behave = asService
    await shop.settled()
    const { seen } = await openConsole(t, shop.origin)
    await seen((all) => all.length >= 2)
    t.deepEqual(
      [...new Set(shop.upstream.received.map(({ url }) => url).filter((url) => /events/.test(url)))],
      [...expected],
    )
  }
})

test('while nobody looks, nothing is asked', async (t) => {
  const shop = await openReplicas(t, 1)
  shop.upstream.behave = asService
  await shop.settled()
  t.is(shop.upstream.received.length, 0)
  const console = await openConsole(t, shop.origin)
  await console.seen((all) => all.length >= 1)
  console.leave()
  await eventually(async () => {
    const before = shop.upstream.received.length
    await Promise.all(Array.from({ length: 10 }, () => shop.upstream.polled()))
    assert.equal(shop.upstream.received.length, before)
  }, 20_000)
})

test('a stream that breaks is asked for again, behind what was seen last', async (t) => {
  const shop = await openReplicas(t, 1)
  shop.upstream.behave = (response, received) => {
    asService(response, received)
    if (received.url.endsWith('/events') && received.headers['last-event-id'] === undefined)
      setImmediate(() => response.end())
  }
  await shop.settled()
  await openConsole(t, shop.origin)
  await eventually(async () => assert.equal(streamsOf(shop), 2), 8_000)
  t.deepEqual(
    shop.upstream.received.filter(({ url }) => url.endsWith('/events')).map(({ headers }) => headers['last-event-id']),
    [undefined, '5-0'],
  )
})

test('a console that reads nothing is closed, and the others are told on', async (t) => {
  const shop = await openReplicas(t, 1)
  const user = 'x'.repeat(100_000)
  shop.upstream.behave = (response, received) => {
    asService(response, received)
    if (!received.url.endsWith('/events')) return
    let turn = 0
    const timer = setInterval(() => {
      turn += 1
      const entry = { id: `${turn}-0`, kind: 'CheckoutStarted', log_id: `saga${turn}`, facts: { user } }
      response.write(`event: appended\ndata: ${JSON.stringify({ ...DIGEST, entries: [entry] })}\n\n`)
    }, 100)
    response.on('close', () => clearInterval(timer))
  }
  await shop.settled()
  const socket = await openSocket(t, shop.gateway.port)
  socket.pause()
  const closed = once(socket, 'close')
  socket.on('error', () => undefined)
  socket.write('GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  const other = await openConsole(t, shop.origin)
  const isAlone = (all: readonly Message[]): boolean =>
    all.some(({ data }) => data.consoles === 2) && all.at(-1)?.data.consoles === 1
  t.timeout(60_000)
  await eventually(async () => assert.ok(isAlone(other.messages)), 50_000)
  socket.resume()
  await closed
  t.pass()
})

test('the state can be asked for once', async (t) => {
  const shop = await openReplicas(t, 1)
  await shop.settled()
  const { status, headers, text } = await shop.ask('GET', '/console/state')
  t.deepEqual([status, headers['content-type']], [200, 'application/json'])
  const { services } = JSON.parse(text) as { services: { name: string }[] }
  t.like(
    services.find(({ name }) => name === 'order'),
    { waiting: { checkout: 0 }, replicas: [{ condition: 'ready', origin: shop.upstream.origin }] },
  )
})

test('where a service wants the token of operators, only who bears it may look', async (t) => {
  const shop = await openReplicas(t, 1, { readyHeaders: { 'x-operator-token-mark': tokenMark('secret') } })
  shop.upstream.behave = (response, received) => {
    if (received.headers.authorization !== 'Bearer secret') return sendJson(response, 403, {})
    asService(response, received)
  }
  await shop.settled()
  for (const path of ['/events', '/console/state']) {
    const stranger = await shop.ask('GET', path)
    t.is(problemOf(t, stranger).type, 'urn:shop:problem:unauthorised')
    t.is(stranger.headers['www-authenticate'], 'Bearer')
    t.is((await shop.ask('GET', path, { headers: { Authorization: 'Bearer guessed' } })).status, 403)
  }
  const headers = { Authorization: 'Bearer secret' }
  t.is((await shop.ask('GET', '/console/state', { headers })).status, 200)
  const { seen } = await openConsole(t, shop.origin, headers)
  await seen((all) => all.some(({ data }) => data.checkouts.length > 0))
})

test('streams end when the gateway stops', async (t) => {
  const shop = await openReplicas(t, 1)
  await shop.settled()
  const { response } = await openConsole(t, shop.origin)
  const ended = once(response, 'end')
  await shop.gateway.close()
  await ended
  t.pass()
})
