import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import pino from 'pino'
import type { Dispatcher } from 'undici'
import { NOT_STARTED_HEADER } from '../../../shared/http/problem.ts'
import { away } from '../../support/eventually.ts'
import { openReplicas, openShop, openUpstreams, problemOf, type Reply } from '../../support/shop/gateway.ts'
import {
  answer,
  type Behaviour,
  breakOff,
  closeConnection,
  hang,
  reset,
  turnAway,
  type Upstream,
} from '../../support/shop/upstream.ts'

/** The kinds of request that differ in whether they may be repeated. */
const KINDS: readonly {
  readonly kind: string
  readonly method: Dispatcher.HttpMethod
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly isSafe: boolean
}[] = [
  { kind: 'a GET', method: 'GET', path: '/orders/find/7', isSafe: true },
  { kind: 'a HEAD', method: 'HEAD', path: '/orders/find/7', isSafe: true },
  { kind: 'a checkout', method: 'POST', path: '/orders/checkout/7', isSafe: true },
  {
    kind: 'a POST with an Idempotency-Key and a body',
    method: 'POST',
    path: '/orders/create/7',
    headers: { 'idempotency-key': 'a' },
    body: '{}',
    isSafe: true,
  },
  { kind: 'a plain POST', method: 'POST', path: '/orders/create/7', isSafe: false },
  { kind: 'a plain POST with a body', method: 'POST', path: '/orders/create/7', body: '{}', isSafe: false },
]

/** Whichever replica is sent a request first has the fault; after that all are well. */
const faultOnce = (upstreams: readonly Upstream[], fault: Behaviour): void => {
  let isFirst = true
  for (const upstream of upstreams)
    upstream.behave = (response, received) => {
      const behave = isFirst ? fault : answer()
      isFirst = false
      behave(response, received)
    }
}

const sentTimes = (upstreams: readonly Upstream[]): number =>
  upstreams.reduce((sum, { received }) => sum + received.length, 0)

const assertOutcomeUnknown = (t: ExecutionContext, reply: Reply): void => {
  t.is(reply.status, 502)
  const document = problemOf(t, reply)
  t.is(document.type, 'urn:shop:problem:outcome-unknown')
  t.regex(document.detail, /Idempotency-Key/)
}

/** What may befall a request at its first replica, and what becomes of one that is safe to repeat, and of one that is not. */
const FAULTS = [
  ['is turned away unbegun', turnAway, 'answered by another', 'answered by another'],
  ['loses its connection by a reset', reset, 'answered by another', 502],
  ['loses its connection by its closing', closeConnection, 'answered by another', 502],
  ['is not answered in time', hang, 504, 504],
] as const
const TIMEOUT_MS = 250

for (const { kind, method, path, isSafe, ...options } of KINDS) {
  for (const [what, fault, ofSafe, ofOthers] of FAULTS) {
    const becomes = isSafe ? ofSafe : ofOthers
    const outcome = becomes === 'answered by another' ? becomes : `not repeated: ${becomes}, its outcome is unknown`
    test(`${kind} that ${what} is ${outcome}`, async (t) => {
      const { ask, upstreams } = await openReplicas(t, 2, fault === hang ? { timeoutMs: TIMEOUT_MS } : {})
      faultOnce(upstreams, fault)

      const reply = await ask(method, path, options)
      const sent = upstreams.flatMap(({ received }) => received.map(({ body }) => body))
      const body = options.body ?? ''
      t.is(reply.status, becomes === 'answered by another' ? 200 : becomes)
      t.deepEqual(sent, becomes === 'answered by another' ? [body, body] : [body])
      if (fault === turnAway)
        t.true(
          upstreams.every(({ received }) => received.length === 1),
          'each was asked once',
        )
      if (becomes === 502) assertOutcomeUnknown(t, reply)
      if (becomes === 504 && method !== 'HEAD') t.regex(problemOf(t, reply).detail, /Idempotency-Key/)
    })
  }

  test(`${kind} that could not be connected is sent to another replica`, async (t) => {
    const [a, b] = (await openUpstreams(t, 2)) as [Upstream, Upstream]
    b.condition = 'not ready'
    const { ask } = await openShop(t, { origins: { order: [a.origin, b.origin] } })
    t.is((await ask('GET', '/orders/find/0')).status, 200)

    await a.polled()
    await a.refuse()
    b.condition = 'ready'
    t.is((await ask(method, path, options)).status, 200)
    t.is(b.received.length, 1)
  })

  test(`${kind} waits for a replica that is still starting`, async (t) => {
    const [upstream] = (await openUpstreams(t, 1)) as [Upstream]
    await upstream.refuse()
    const { ask } = await openShop(t, { origins: { order: [upstream.origin] } })

    const reply = ask(method, path, options)
    await upstream.listen()
    t.is((await reply).status, 200)
    t.is(upstream.received.length, 1)
  })
}

/** Whichever replica is sent a request first falls silent over it; after that all are well. */
const silenceFirst = (upstreams: readonly Upstream[]): void =>
  faultOnce(upstreams, (_, received) => upstreams.find((one) => one.received.includes(received))?.freeze())

for (const { kind, method, path, isSafe, ...options } of KINDS)
  test(`${kind} at a replica that has become unresponsive is ${isSafe ? 'sent to another that is ready' : 'left there, and told so after 9 s'}`, async (t) => {
    const { ask, upstreams, settled } = await openReplicas(t, 2)
    silenceFirst(upstreams)
    await settled()

    const startedAt = performance.now()
    const reply = await ask(method, path, options)
    const ms = performance.now() - startedAt
    t.is(reply.status, isSafe ? 200 : 504)
    t.true(ms > (isSafe ? 1_500 : 8_500) && ms < (isSafe ? 5_000 : 12_000), `answered after ${Math.round(ms)} ms`)
    if (!isSafe) t.regex(problemOf(t, reply).detail, /within 9000 ms.*Idempotency-Key/)
    t.is(sentTimes(upstreams), isSafe ? 2 : 1)
  })

test('where all can do a part only, what one that has become unresponsive was asked is sent to another as well', async (t) => {
  const { ask, upstreams, settled } = await openReplicas(t, 2, { condition: 'impaired' })
  silenceFirst(upstreams)
  await settled()
  const startedAt = performance.now()
  t.is((await ask('GET', '/orders/find/7')).status, 200)
  const ms = performance.now() - startedAt
  t.true(ms < 5_000, `answered after ${Math.round(ms)} ms`)
})

test('a checkout stays with the only replica, unresponsive as it is, and gets its answer when it wakes up', async (t) => {
  const { ask, upstream } = await openReplicas(t, 1)
  const woken = Promise.withResolvers<void>()
  upstream.behave = (response, received) => void woken.promise.then(() => answer('paid')(response, received))
  await upstream.settled()
  const reply = ask('POST', '/orders/checkout/7')
  await upstream.arrival()
  upstream.freeze()
  await away(4_000)
  upstream.thaw()
  woken.resolve()
  t.is((await reply).text, 'paid')
  t.is(upstream.received.length, 1)
})

test('a long batch stays with a replica that says it is alive', async (t) => {
  const { ask, upstreams } = await openReplicas(t, 2)
  for (const upstream of upstreams)
    upstream.behave = (response, received) => setTimeout(answer(), 4_000, response, received)
  t.is((await ask('POST', '/orders/batch_init/1/1/1/1', { headers: { 'idempotency-key': 'long' } })).status, 200)
  t.is(sentTimes(upstreams), 1)
})

test('the only replica is sent a checkout again once it is back, however long it is away', async (t) => {
  const lines = new PassThrough()
  const { ask, upstream } = await openReplicas(t, 1, { log: pino(lines) })
  upstream.behave = hang

  const reply = ask('POST', '/orders/checkout/7')
  await upstream.arrival()
  await upstream.refuse()
  upstream.behave = answer()
  for await (const line of lines) if (JSON.parse(String(line)).condition === 'away') break
  await upstream.listen()
  t.is((await reply).status, 200)
  t.is(upstream.received.length, 2)
})

test('a checkout that broke midway may wait for as long as it has not waited before', async (t) => {
  const waitMs = 2_000
  const { ask, upstream } = await openReplicas(t, 1, { waitMs })
  upstream.behave = hang

  const reply = ask('POST', '/orders/checkout/7')
  await upstream.arrival()
  // It is with the replica for longer than it may wait.
  for (const start = performance.now(); performance.now() - start < waitMs; ) await upstream.polled()
  await upstream.refuse()
  upstream.behave = answer()
  await upstream.listen()
  t.is((await reply).status, 200)
})

test('one broken connection to the only replica holds up the next request for less than a poll interval', async (t) => {
  const { ask, upstream } = await openReplicas(t, 1)
  await upstream.settled()

  let leastMs = Number.POSITIVE_INFINITY
  for (let i = 0; i < 10; i++) {
    faultOnce([upstream], reset)
    const start = performance.now()
    t.is((await ask('GET', '/orders/find/7')).status, 200)
    leastMs = Math.min(leastMs, performance.now() - start)
  }
  t.true(leastMs < 100, `it took ${leastMs} ms at least`)
})

test('a replica that breaks every connection is not tried for ever', async (t) => {
  const { ask, upstream } = await openReplicas(t, 1, { waitMs: 60_000 })
  upstream.behave = reset

  assertOutcomeUnknown(t, await ask('POST', '/orders/checkout/7'))
  t.is(upstream.received.length, 10)
})

test('a checkout that broke midway and finds no other replica in time has an unknown outcome', async (t) => {
  const { ask, upstream } = await openReplicas(t, 1, { waitMs: 100 })
  upstream.behave = hang
  await upstream.settled()

  const reply = ask('POST', '/orders/checkout/7')
  await upstream.arrival()
  await upstream.refuse()
  assertOutcomeUnknown(t, await reply)
})

test('with no replica at all, a request is told after the wait that nothing was done', async (t) => {
  const { ask } = await openShop(t, { waitMs: 100 })

  const reply = await ask('POST', '/payment/pay/7/10')
  t.is(reply.status, 503)
  t.is(reply.headers['retry-after'], '1')
  const document = problemOf(t, reply)
  t.is(document.type, 'urn:shop:problem:service-unavailable')
  t.is(document.service, 'payment')
  t.regex(document.detail, /nothing was done/)
})

test('with every replica turning away, a request is told after the wait that nothing was done', async (t) => {
  const { ask, upstreams, settled } = await openReplicas(t, 2, {
    service: 'payment',
    condition: 'draining',
    waitMs: 200,
  })
  for (const upstream of upstreams) upstream.behave = turnAway
  await settled()

  const reply = await ask('POST', '/payment/pay/7/10')
  t.is(reply.status, 503)
  t.regex(problemOf(t, reply).detail, /nothing was done/)
  t.true(sentTimes(upstreams) <= 1)
})

test('a request that was turned away unbegun is sent to another replica, though the words of the refusal break off', async (t) => {
  const { ask, upstreams } = await openReplicas(t, 2)
  faultOnce(upstreams, (response) => {
    response.writeHead(503, { 'X-Not-Started': 'draining', 'Content-Length': 1_000 })
    response.write('nothing was', () => response.destroy())
  })
  t.is((await ask('POST', '/orders/create/7')).status, 200)
})

test('after the wait, a replica that is reachable but not ready may say itself what it lacks', async (t) => {
  const [lacking, ...draining] = (await openUpstreams(t, 5)) as [Upstream, ...Upstream[]]
  for (const upstream of draining) {
    upstream.condition = 'draining'
    upstream.behave = turnAway
  }
  lacking.condition = 'not ready'
  lacking.behave = (response) => {
    response.writeHead(503, { 'Content-Type': 'application/problem+json', Location: '/orders/find/7' })
    response.end('{"title":"its own words","status":503}')
  }
  const replicas = [...draining, lacking]
  const { ask } = await openShop(t, { waitMs: 200, origins: { order: replicas.map(({ origin }) => origin) } })
  let reply: Reply
  do {
    // Again if the machine is so busy that no replica counts as reachable.
    await Promise.all(replicas.map((upstream) => upstream.settled()))
    reply = await ask('POST', '/orders/checkout/7')
    t.is(sentTimes(draining), 0)
  } while (reply.text.includes('service-unavailable'))
  t.deepEqual([reply.status, reply.headers.location], [503, '/orders/find/7'])
  t.is(problemOf(t, reply).title, 'its own words')
})

test('a replica that turned a request away gets no other until it says that it is ready', async (t) => {
  const { ask, upstreams } = await openReplicas(t, 2)
  faultOnce(upstreams, (response, received) => {
    const drained = upstreams.find((one) => one.received.includes(received))
    if (drained !== undefined) drained.condition = 'draining'
    turnAway(response, received)
  })

  for (let i = 0; i < 10; i++) t.is((await ask('POST', '/orders/create/7')).status, 200)
  t.deepEqual(upstreams.map(({ received }) => received.length).sort(), [1, 10])
})

test('the services and the gateway mean the same header by "not started"', (t) => {
  t.is(NOT_STARTED_HEADER, 'x-not-started')
})

test('no more than a bounded number of requests waits; the next is refused at once, and the others are served', async (t) => {
  const { ask, upstream } = await openReplicas(t, 1, {
    service: 'stock',
    condition: 'not ready',
    waitMs: 60_000,
    waitingMax: 2,
  })

  const replies = [1, 2, 3].map((item) => ask('POST', `/stock/add/${item}/1`))
  const refused = await Promise.race(replies)
  t.is(problemOf(t, refused).type, 'urn:shop:problem:overloaded')
  t.deepEqual([refused.status, refused.headers['retry-after']], [503, '1'])
  upstream.condition = 'ready'
  const statuses = (await Promise.all(replies)).map(({ status }) => status)
  t.deepEqual(statuses.sort(), [200, 200, 503])
})

test('a reply that breaks off midway breaks off for the client too, and is not repeated', async (t) => {
  const { ask, upstreams } = await openReplicas(t, 2)
  for (const upstream of upstreams) upstream.behave = breakOff

  await t.throwsAsync(() => ask('GET', '/orders/logs'))
  t.is(sentTimes(upstreams), 1)
})

test.serial('a large reply arrives whole, with and without a declared length', async (t) => {
  const { ask, upstream } = await openReplicas(t, 1)
  const large = randomBytes(8 * 1_024 * 1_024).toString('hex')

  upstream.behave = answer(large)
  t.true((await ask('GET', '/orders/logs')).text === large)
  upstream.behave = (response) => {
    response.writeHead(200)
    response.write(large.slice(0, 1_000))
    response.end(large.slice(1_000))
  }
  const chunked = await ask('GET', '/orders/logs')
  t.is(chunked.headers['content-length'], undefined)
  t.true(chunked.text === large)
})

/** Asks by hand, without reading the reply. */
const openReply = async (t: ExecutionContext, url: string): Promise<IncomingMessage> => {
  const request = httpRequest(url, { agent: false })
  t.teardown(() => request.destroy())
  request.on('error', () => request.destroy())
  request.end()
  const [reply] = await once(request, 'response')
  return reply
}

/** More than all buffers between the two ends hold. */
const HUGE = Buffer.alloc(64 * 1_024 * 1_024, 'x')

test.serial('a client that reads slowly slows down the replica instead of filling the memory', async (t) => {
  const { origin, ask, upstream } = await openReplicas(t, 1)
  let isAllSent = false
  upstream.behave = (response) => {
    response.writeHead(200)
    response.end(HUGE, () => {
      isAllSent = true
    })
  }
  const reply = await openReply(t, `${origin}/orders/logs`)
  await upstream.settled()

  t.false(isAllSent)
  upstream.behave = answer()
  t.is((await ask('GET', '/orders/find/7')).status, 200)
  let bytes = 0
  for await (const chunk of reply) bytes += chunk.length
  t.is(bytes, HUGE.length)
  t.true(isAllSent)
})

test.serial('a client that goes away midway frees the replica, which finishes its reply', async (t) => {
  const { origin, ask, upstream } = await openReplicas(t, 1)
  const sent = Promise.withResolvers<void>()
  upstream.behave = (response) => {
    response.writeHead(200)
    response.end(HUGE, () => sent.resolve())
  }
  const reply = await openReply(t, `${origin}/orders/logs`)
  reply.destroy()

  await t.notThrowsAsync(sent.promise)
  upstream.behave = answer()
  t.is((await ask('GET', '/orders/find/7')).status, 200)
})

test('a checkout whose client goes away before the reply is not broken off', async (t) => {
  const { origin, ask, upstream } = await openReplicas(t, 1)
  const ended = Promise.withResolvers<boolean>()
  const gone = Promise.withResolvers<void>()
  upstream.behave = (response) => {
    response.on('close', () => ended.resolve(response.writableFinished))
    void gone.promise.then(() => response.end('paid'))
  }
  const request = httpRequest(`${origin}/orders/checkout/7`, { method: 'POST', agent: false })
  request.on('error', () => request.destroy())
  request.end()
  await upstream.arrival()
  request.destroy()
  await upstream.settled()
  gone.resolve()

  t.true(await ended.promise)
  upstream.behave = answer()
  t.is((await ask('GET', '/orders/find/7')).status, 200)
  t.is(upstream.received.length, 2)
})

test('a request whose client went away while it waited is not sent', async (t) => {
  const { origin, ask, upstream } = await openReplicas(t, 1, { condition: 'not ready' })
  await upstream.polled()
  const request = httpRequest(`${origin}/orders/create/7`, { method: 'POST', agent: false })
  request.on('error', () => request.destroy())
  request.end()
  const waiting = ask('GET', '/orders/find/7')
  await upstream.polled()
  const closed = new Promise((resolve) => request.on('close', resolve))
  request.destroy()
  await closed
  await upstream.polled()
  upstream.condition = 'ready'

  t.is((await waiting).status, 200)
  t.deepEqual(
    upstream.received.map(({ method }) => method),
    ['GET'],
  )
})

test('an early hint of a replica is not taken for its reply', async (t) => {
  const { ask, upstream } = await openReplicas(t, 1)
  upstream.behave = (response, received) => {
    response.writeEarlyHints({ link: '</a>; rel=preload' })
    answer('the reply')(response, received)
  }

  const reply = await ask('GET', '/orders/find/7')
  t.deepEqual([reply.status, reply.text], [200, 'the reply'])
})

test('no checkout fails while replicas are killed, drained and started again under load', async (t) => {
  const { ask, upstreams } = await openReplicas(t, 2)
  const [a, b] = upstreams as [Upstream, Upstream]
  const slowly: Behaviour = (response, received) => setTimeout(answer('paid'), 5, response, received)
  for (const upstream of upstreams) upstream.behave = slowly

  let isOver = false
  const replies = new Map<number, number>()
  const worker = async () => {
    while (!isOver) {
      const { status } = await ask('POST', '/orders/checkout/7')
      replies.set(status, (replies.get(status) ?? 0) + 1)
    }
  }
  const workers = Array.from({ length: 16 }, worker)
  const isServing = async (upstream: Upstream) => {
    for (let i = 0; i < 5; i++) await upstream.arrival()
  }
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    await isServing(one)
    await one.refuse()
    await isServing(other)
    await one.listen()
    await isServing(one)
    other.behave = turnAway
    other.condition = 'draining'
    await isServing(one)
    other.behave = slowly
    other.condition = 'ready'
    await isServing(other)
  }
  isOver = true
  await Promise.all(workers)
  t.deepEqual([...replies.keys()], [200])
})
