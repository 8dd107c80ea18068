/** What the gateway says was not done was not done, and what it repeats is a repetition for the service, too. */
import { setTimeout as after } from 'node:timers/promises'
import test from 'ava'
import { openReplicas, openSocket, problemOf, type Reply, readAll } from '../../support/shop/gateway.ts'
import { answer, type Behaviour, hang, type Received, reset, type Upstream } from '../../support/shop/upstream.ts'

/** As many checkouts as one replica is given at once. */
const CHECKOUTS = 768

for (const [what, headers] of [
  ['empty', 'Idempotency-Key:'],
  ['blank', 'Idempotency-Key:  \t '],
  ['named by Connection', 'Connection: Idempotency-Key\r\nIdempotency-Key: a'],
  [
    'named by the second Connection header',
    'Idempotency-Key: a\r\nConnection: keep-alive\r\nConnection: x, IDEMPOTENCY-KEY ',
  ],
] as const)
  test(`a POST whose Idempotency-Key is ${what} is not sent twice: the service sees no key`, async (t) => {
    const { gateway, upstreams, settled } = await openReplicas(t, 2, { service: 'payment' })
    for (const upstream of upstreams) upstream.behave = reset
    await settled()
    const socket = await openSocket(t, gateway.port)
    socket.write(`POST /payment/pay/7/10 HTTP/1.1\r\nHost: x\r\n${headers}\r\nContent-Length: 0\r\n\r\n`)
    const { promise, resolve } = Promise.withResolvers<string>()
    socket.setEncoding('latin1').on('data', resolve)
    t.regex(await promise, /^HTTP\/1\.1 502 [\s\S]*outcome-unknown/)
    const sent = upstreams.flatMap(({ received }) => received)
    t.is(sent.length, 1)
    t.true((sent[0]?.headers['idempotency-key'] ?? '') === '')
  })

const assertUnknown = (t: Parameters<typeof problemOf>[0], reply: Reply, order: string): void => {
  t.is(reply.status, 502)
  const { type, detail } = problemOf(t, reply)
  t.is(type, 'urn:shop:problem:outcome-unknown')
  t.notRegex(detail, /nothing was done/)
  t.is(reply.headers.location, `/orders/find/${order}`)
}

test('a checkout that may have begun is not told that nothing was done, though the waiting room is full', async (t) => {
  const { ask, upstream } = await openReplicas(t, 1, { waitMs: 1_000, waitingMax: 1 })
  upstream.behave = hang
  await upstream.settled()
  const replies = ['a', 'b', 'c'].map((order) => ask('POST', `/orders/checkout/${order}`))
  while (upstream.received.length < 3) await upstream.arrival()
  await upstream.refuse()
  for (const [index, reply] of (await Promise.all(replies)).entries()) assertUnknown(t, reply, 'abc'[index] ?? '')
})

test('a checkout that may have begun is not told that nothing was done, though every replica is full', async (t) => {
  const { ask, upstream } = await openReplicas(t, 1, { waitMs: 1_500 })
  const held = new Map<string, () => void>()
  let first: (() => void) | undefined
  upstream.behave = (response, received) => {
    held.set(received.url, () => answer('paid')(response, received))
    if (received.url === '/orders/checkout/broken') first = () => reset(response, received)
  }
  const broken = ask('POST', '/orders/checkout/broken')
  const all = Array.from({ length: CHECKOUTS - 1 }, (_, order) => ask('POST', `/orders/checkout/${order}`))
  while (upstream.received.length < CHECKOUTS) await after(10)
  // It waits before the broken one does, so it gets the place.
  const next = ask('POST', '/orders/checkout/next')
  await ask('GET', '/live')
  await upstream.settled()
  first?.()
  assertUnknown(t, await broken, 'broken')
  for (const end of held.values()) end()
  for (const reply of await Promise.all([next, ...all])) t.is(reply.status, 200)
})

/** Breaks the first request, and does something else with the next. */
const breakFirst = (upstreams: readonly Upstream[], then: Behaviour): readonly Received[] => {
  const all: Received[] = []
  for (const upstream of upstreams)
    upstream.behave = (response, received) => (all.push(received) === 1 ? reset : then)(response, received)
  return all
}

test('a 503 is not passed on after an earlier sending may have begun: who says so knows of his own only', async (t) => {
  const { ask, upstreams, settled } = await openReplicas(t, 2)
  const sent = breakFirst(upstreams, (response) => {
    response.writeHead(503, { 'Content-Type': 'application/problem+json', 'Retry-After': '1' })
    response.end('{"detail":"too many checkouts; nothing was done"}')
  })
  await settled()
  assertUnknown(t, await ask('POST', '/orders/checkout/7'), '7')
  t.is(sent.length, 2)

  for (const upstream of upstreams)
    upstream.behave = (response) => {
      response.writeHead(503, { 'Content-Type': 'application/problem+json' })
      response.end('{"status":503,"detail":"nothing was done"}')
    }
  await Promise.all(upstreams.map((upstream) => upstream.settled()))
  const first = await ask('POST', '/orders/checkout/8')
  t.regex(problemOf(t, first).detail, /nothing was done/, 'the first sending knows')
})

test('a read has no unknown outcome: of the second sending a 503 is passed on as well', async (t) => {
  const { ask, upstreams, settled } = await openReplicas(t, 2)
  const sent = breakFirst(upstreams, (response) => {
    response.writeHead(503, { 'Content-Type': 'application/problem+json' })
    response.end('{"detail":"the Redis is away"}')
  })
  await settled()
  const { status, text } = await ask('GET', '/orders/find/7')
  t.deepEqual([sent.length, status, text], [2, 503, '{"detail":"the Redis is away"}'])
})

test('any other answer of the second sending is passed on', async (t) => {
  const { ask, upstreams, settled } = await openReplicas(t, 2)
  breakFirst(upstreams, (response) => {
    response.writeHead(402)
    response.end('out of credit')
  })
  await settled()
  const reply = await ask('POST', '/orders/checkout/7')
  t.deepEqual([reply.status, reply.text], [402, 'out of credit'])
})

test('a request that was late is not done after its client was told so: 408', async (t) => {
  const { gateway, upstream } = await openReplicas(t, 1, { service: 'payment', headersTimeoutMs: 200 })
  const socket = await openSocket(t, gateway.port)
  socket.write('POST /payment/pay/7/10 HTTP/1.1\r\nHost: ')
  socket.once('data', () => socket.write('x\r\nContent-Length: 0\r\n\r\n'))
  t.regex(await readAll(socket), /^HTTP\/1\.1 408 /)
  await upstream.settled()
  t.is(upstream.received.length, 0)
})
