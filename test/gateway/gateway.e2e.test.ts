import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import type { Dispatcher } from 'undici'
import { eventually } from '../support/eventually.ts'
import { openReplicas, openShop, openSocket, openUpstreams, problemOf, readAll } from '../support/shop/gateway.ts'
import { answer, hang, openUpstream, type Upstream } from '../support/shop/upstream.ts'

const KIB = 1_024
/** Within this the gateway has asked each replica how it is. */
const SEEN_MS = 5_000

for (const [segment, name] of [
  ['orders', 'order'],
  ['payment', 'payment'],
  ['stock', 'stock'],
  ['ids', 'ids'],
] as const)
  test(`/${segment} goes to the ${name} service, its path unchanged`, async (t) => {
    const [right, wrong] = (await openUpstreams(t, 2)) as [Upstream, Upstream]
    const everyone = { order: [wrong.origin], payment: [wrong.origin], stock: [wrong.origin], ids: [wrong.origin] }
    const { ask } = await openShop(t, { origins: { ...everyone, [name]: [right.origin] } })

    const paths = [`/${segment}`, `/${segment}?a=1`, `/${segment}/a%2Fb/../c//d?e=/f&g=%20`]
    for (const path of paths) t.is((await ask('GET', path)).status, 200)
    t.deepEqual(
      right.received.map(({ url }) => url),
      paths,
    )
    t.is(wrong.received.length, 0)
  })

for (const path of [
  '/order/find/7',
  '/Orders/find/7',
  '//orders/find/7',
  '/%6frders/find/7',
  '/ordersx',
  '/internal/lease/me',
])
  test(`there is no route ${path}`, async (t) => {
    const { ask } = await openShop(t, {})
    const reply = await ask('POST', path)
    t.is(reply.status, 404)
    t.is(problemOf(t, reply).type, 'urn:shop:problem:no-such-route')
  })

test('what there is not but for its case or a slash at its end is told what to ask for, if that is certain', async (t) => {
  const { ask } = await openShop(t, {})
  for (const [path, hint] of [
    ['/docs/', 'ask for /docs'],
    ['/console/?a=1', 'ask for /console'],
    ['/Docs', 'ask for /docs'],
    ['/READY/', 'ask for /ready'],
    ['/Console/State', 'ask for /console/state'],
    ['/Orders/find/0', 'its first word is "orders", in lower case'],
    ['/STOCK', 'its first word is "stock", in lower case'],
    ['/order/find/0', '/docs shows what there is'],
    ['/nothing/', '/docs shows what there is'],
    ['/%6frders/find/7', '/docs shows what there is'],
  ] as const)
    t.is(problemOf(t, await ask('GET', path)).detail, `the shop has no ${path}; ${hint}`)
})

const launcher = {
  tell: () => undefined,
  onTold: (listener: (message: unknown) => void) =>
    listener({ type: 'demo-state', state: { parts: [], redis: [], customers: null, doing: [] } }),
}
for (const [allowed, methods, paths] of [
  [
    'GET, HEAD',
    ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'],
    [
      ...['/', '/?/orders', '/console', '/console/console.js', '/vendor/preact.js', '/events', '/console/state'],
      ...[
        '/docs',
        '/openapi.json',
        '/shop.http',
        '/swagger/index.html',
        '/v1/docs',
        '/live',
        '/ready?verbose',
        '/metrics',
      ],
    ],
  ],
  ['POST', ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'], ['/console/demo/let-in', '/console/demo/kill/order-1']],
] as const)
  test(`what is asked by ${allowed} says so to those that ask otherwise`, async (t) => {
    const { ask } = await openShop(t, { launcher })
    for (const path of paths)
      for (const method of methods) {
        const { status, headers, text } = await ask(method, path)
        t.deepEqual([status, headers.allow], [405, allowed], `${method} ${path}`)
        if (method !== 'HEAD') t.is(JSON.parse(text).type, 'urn:shop:problem:method-not-allowed')
      }
    for (const path of ['/missing', '/console/', '/docs/', '/console/demo/eat'])
      t.is((await ask('POST', path)).status, 404, path)
  })

test('where nothing may harm the shop there is no such route, by whatever method', async (t) => {
  const { ask } = await openShop(t, {})
  for (const method of ['GET', 'POST'] as const) t.is((await ask(method, '/console/demo/let-in')).status, 404)
})

test('it is live though no service is there', async (t) => {
  const { ask } = await openShop(t, {})
  const reply = await ask('GET', '/live')
  t.deepEqual([reply.status, reply.text], [200, 'live'])
})

test('it is ready exactly while each service has a ready replica, and names those that have none', async (t) => {
  const [a, b] = (await openUpstreams(t, 2)) as [Upstream, Upstream]
  b.condition = 'not ready'
  const origins = { order: [a.origin, b.origin], payment: [a.origin], stock: [b.origin], ids: [a.origin] }
  const { ask } = await openShop(t, { origins })
  await ask('GET', '/orders/find/7')
  await ask('GET', '/payment/find_user/7')
  await ask('GET', '/ids/create')

  const reply = await ask('GET', '/ready')
  t.is(reply.status, 503)
  t.deepEqual(problemOf(t, reply).services, ['stock'])
  b.condition = 'ready'
  await ask('GET', '/stock/find/7')
  t.is((await ask('GET', '/ready')).status, 200)
})

test('a replica that can do a part only is given what no ready one is there for, and at once', async (t) => {
  const [a, b] = (await openUpstreams(t, 2)) as [Upstream, Upstream]
  b.condition = 'impaired'
  // A request that waited for a ready replica would outlast the test.
  const { ask } = await openShop(t, { waitMs: 600_000, origins: { order: [a.origin, b.origin] } })
  await Promise.all([a.settled(), b.settled()])
  for (let time = 0; time < 4; time += 1) t.is((await ask('GET', '/orders/find/7')).status, 200)
  t.deepEqual([a.received.length, b.received.length], [4, 0])

  a.condition = 'not ready'
  await a.settled()
  t.is((await ask('GET', '/orders/find/7')).status, 200)
  t.is(b.received.length, 1)
  t.is((await ask('GET', '/ready')).status, 503)
})

test('it says that it can do a part while a service has only replicas that can, and no more where one has none', async (t) => {
  const [well, partly] = (await openUpstreams(t, 2)) as [Upstream, Upstream]
  partly.condition = 'impaired'
  const both = [well.origin, partly.origin]
  const origins = { order: [partly.origin], payment: both, stock: [well.origin], ids: [well.origin] }
  const { ask } = await openShop(t, { origins })
  const told = (type: string, detail: string, services: readonly string[], grades: readonly string[]) =>
    eventually(async () => {
      const reply = await ask('GET', '/ready?verbose')
      assert.equal(reply.status, 503)
      const document = problemOf(t, reply)
      const wrong = (document.checks as { name: string; grade: string; wrong: string | null }[]).filter(
        (check) => check.wrong !== null,
      )
      assert.deepEqual(
        [document.type, document.detail, document.services, wrong.map(({ name, grade }) => `${name} ${grade}`)],
        [`urn:shop:problem:${type}`, detail, services, grades],
      )
    }, SEEN_MS)
  await t.notThrowsAsync(told('impaired', 'a part only is done by: order', ['order'], ['order impairs']))
  t.is((await ask('GET', '/orders/find/7')).status, 200)

  well.condition = 'not ready'
  const [some, none] = [
    ['order', 'payment'],
    ['stock', 'ids'],
  ]
  await t.notThrowsAsync(
    told(
      'not-ready',
      'no replica is ready of: stock, ids',
      [...some, ...none],
      [...some.map((name) => `${name} impairs`), ...none.map((name) => `${name} blocks`)],
    ),
  )
  partly.condition = 'ready'
  await t.notThrowsAsync(
    told(
      'not-ready',
      'no replica is ready of: stock, ids',
      none,
      none.map((name) => `${name} blocks`),
    ),
  )
})

test('a body goes on whole, by whatever method, whether its length was declared or it came in chunks', async (t) => {
  const { gateway, ask, upstream } = await openReplicas(t, 1)
  const body = 'x'.repeat(64 * KIB)
  t.is((await ask('POST', '/orders/create/7', { body })).status, 200)
  for (const method of ['DELETE', 'GET']) t.is((await ask(method, '/orders/7', { body: '{}' })).status, 200)

  const socket = await openSocket(t, gateway.port)
  socket.write('POST /orders/create/7 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n')
  socket.write('5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n')
  t.regex(await readAll(socket), /^HTTP\/1\.1 200 /)
  t.deepEqual(
    upstream.received.map((one) => [one.body, one.headers['content-length'], one.headers['transfer-encoding']]),
    [
      [body, String(body.length), undefined],
      ['{}', '2', undefined],
      ['{}', '2', undefined],
      ['abcdefgh', '8', undefined],
    ],
  )
})

test('a URL of more than 8 KiB is refused: 414', async (t) => {
  const { ask, upstream } = await openReplicas(t, 1)
  const path = (length: number) => `/orders/find/`.padEnd(length, '7')

  t.is((await ask('GET', path(8 * KIB))).status, 200)
  const reply = await ask('GET', path(8 * KIB + 1))
  t.is(reply.status, 414)
  t.is(problemOf(t, reply).type, 'urn:shop:problem:uri-too-long')
  t.is(upstream.received.length, 1)
})

test('bytes that are no HTTP never become the answer of a checkout that is under way', async (t) => {
  const { gateway, upstream } = await openReplicas(t, 1)
  upstream.behave = hang
  const socket = await openSocket(t, gateway.port)
  socket.write('POST /orders/checkout/7 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
  await upstream.arrival()
  socket.write('what?\r\n\r\n')
  t.is(await readAll(socket), '')
})

test('hop-by-hop headers end at the gateway in both directions; all others pass', async (t) => {
  const { gateway, upstream } = await openReplicas(t, 1)
  upstream.behave = (response) => {
    response.writeHead(201, {
      Connection: 'close, X-Theirs',
      'X-Theirs': '1',
      'Proxy-Authenticate': 'Basic',
      'Set-Cookie': ['a=1', 'b=2'],
      'X-Kept': 'yes',
    })
    response.end('made')
  }
  const socket = await openSocket(t, gateway.port)
  socket.write(
    'POST /orders/create/7 HTTP/1.1\r\nHost: shop.example\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nTE: trailers\r\n' +
      'Proxy-Authorization: Basic x\r\nKeep-Alive: timeout=5\r\nExpect: 100-continue\r\nAuthorization: Bearer x\r\n' +
      'X-Forwarded-For: 9.9.9.9\r\nContent-Length: 0\r\n\r\n',
  )
  const reply = await readAll(socket)

  t.regex(reply, /HTTP\/1\.1 201 /)
  t.regex(reply, /x-kept: yes\r\n/i)
  t.regex(reply, /set-cookie: a=1\r\nset-cookie: b=2\r\n/i)
  t.notRegex(reply, /x-theirs|proxy-authenticate/i)
  const { host, connection, ...headers } = upstream.received[0]?.headers ?? {}
  t.deepEqual([host, connection], [new URL(upstream.origin).host, 'keep-alive'])
  t.like(headers, {
    authorization: 'Bearer x',
    'x-forwarded-for': '127.0.0.1',
    'content-length': '0',
  })
  for (const name of ['x-mine', 'x-forwarded-host', 'te', 'proxy-authorization', 'keep-alive', 'expect'])
    t.is(headers[name], undefined, `${name} went on`)
})

test('every answer bears the request id under which the service was asked, whoever made it', async (t) => {
  const { ask, upstream } = await openReplicas(t, 1)

  const made = await ask('GET', '/orders/find/7')
  const given = await ask('GET', '/orders/find/7', { headers: { 'x-request-id': 'mine-7' } })
  t.is(given.headers['x-request-id'], 'mine-7')
  t.deepEqual(
    upstream.received.map(({ headers }) => headers['x-request-id']),
    [String(made.headers['x-request-id']), 'mine-7'],
  )
  for (const path of ['/live', '/ready', '/nowhere'])
    t.is((await ask('GET', path, { headers: { 'x-request-id': 'mine-8' } })).headers['x-request-id'], 'mine-8')
})

test('an answer tells the time and that its connection is kept, though the service tells neither', async (t) => {
  const { ask, upstream } = await openReplicas(t, 1)
  const connections = new Set<unknown>()
  upstream.behave = (response, received) => {
    connections.add(response.socket)
    response.sendDate = false
    response.removeHeader('Connection')
    answer()(response, received)
  }
  for (let n = 0; n < 2; n += 1) {
    const { status, text, headers } = await ask('POST', '/orders/create/7')
    t.deepEqual([status, text, headers.connection, headers['keep-alive']], [200, 'done', 'keep-alive', 'timeout=65'])
    t.true(Math.abs(Date.parse(String(headers.date)) - Date.now()) < 60_000)
  }
  t.is(connections.size, 1)
})

/** Each byte that there is, in turn. */
const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => at % 256))
for (const length of [0, 4_096, 4_097, 300_000])
  test(`a reply of ${length} bytes goes on as it is, whatever they are`, async (t) => {
    const { gateway, upstream } = await openReplicas(t, 1)
    upstream.behave = (response) => {
      response.setHeader('Content-Length', length)
      response.end(bytes(length))
    }
    const reply = await fetch(`http://127.0.0.1:${gateway.port}/orders/find/7`)
    t.deepEqual(Buffer.from(await reply.arrayBuffer()), bytes(length))
  })

for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'] satisfies Dispatcher.HttpMethod[])
  test(`a ${method} goes on as it is`, async (t) => {
    const { ask, upstream } = await openReplicas(t, 1, { service: 'stock' })
    const reply = await ask(method, '/stock/find/7')
    t.deepEqual([reply.status, reply.text], [200, method === 'HEAD' ? '' : 'done'])
    t.is(upstream.received[0]?.method, method)
  })

test('closing: not ready at once, everything served meanwhile with "Connection: close", and what is inside is finished', async (t) => {
  const upstream = await openUpstream()
  t.teardown(() => upstream.refuse())
  const origins = {
    order: [upstream.origin],
    payment: [upstream.origin],
    stock: [upstream.origin],
    ids: [upstream.origin],
  }
  const { gateway, ask } = await openShop(t, { drainMs: 400, origins })
  for (const path of ['/orders/a', '/payment/a', '/stock/a', '/ids/a']) await ask('GET', path)
  t.is((await ask('GET', '/ready')).status, 200)

  const late = Promise.withResolvers<void>()
  upstream.behave = (response, received) => void late.promise.then(() => answer('late')(response, received))
  const inside = ask('POST', '/orders/checkout/7')
  await upstream.arrival()
  upstream.behave = answer()

  let isClosed = false
  const closed = gateway.close().then(() => {
    isClosed = true
  })
  const ready = await ask('GET', '/ready')
  t.is(ready.status, 503)
  t.regex(problemOf(t, ready).detail, /draining/)
  const meanwhile = await ask('POST', '/orders/create/7')
  t.deepEqual([meanwhile.status, meanwhile.headers.connection], [200, 'close'])

  while ((await ask('GET', '/live').catch((error: NodeJS.ErrnoException) => error.code)) !== 'ECONNREFUSED')
    await upstream.polled()
  t.false(isClosed)
  late.resolve()
  const finished = await inside
  t.deepEqual([finished.status, finished.text, finished.headers.connection], [200, 'late', 'close'])
  await closed
})

/** A gateway whose services are this upstream, and which waits there for nothing by itself. */
const openWaiting = async (t: ExecutionContext) => {
  const upstream = await openUpstream()
  t.teardown(() => upstream.refuse())
  const origins = {
    order: [upstream.origin],
    payment: [upstream.origin],
    stock: [upstream.origin],
    ids: [upstream.origin],
  }
  const { gateway, ask } = await openShop(t, { drainMs: 0, origins })
  await ask('GET', '/orders/a')
  upstream.behave = (response, received) => {
    if (received.headers.prefer?.includes('wait') !== true && !received.url.includes('wait_ms'))
      answer()(response, received)
  }
  return { upstream, gateway, ask }
}

for (const [what, method, path, prefer, then] of [
  ['how a checkout ends', 'GET', '/orders/checkout/7', 'wait=20', ''],
  ['a checkout that it would ask for later', 'POST', '/orders/checkout/7', 'respond-async, wait=20', 'respond-async'],
  ['a checkout, said the other way round', 'POST', '/orders/checkout/7', 'wait=20, respond-async', 'respond-async'],
] as const)
  test(`closing: a request that waits for ${what} is answered at once with how it stands`, async (t) => {
    const { upstream, gateway, ask } = await openWaiting(t)
    const waiting = ask(method, path, { headers: { Prefer: prefer } })
    await upstream.arrival()
    const startedAt = performance.now()
    await gateway.close()
    const reply = await waiting
    t.deepEqual([reply.status, reply.text], [200, 'done'])
    t.is(upstream.received.at(-1)?.headers.prefer ?? '', then)
    t.true(performance.now() - startedAt < 5_000)
  })

test('closing: a request that waits otherwise is told to be sent again; one that cannot be gets its answer', async (t) => {
  const { upstream, gateway, ask } = await openWaiting(t)
  const waiting = ask('GET', '/locks/tea/leases/mine?wait_ms=20000')
  await upstream.arrival()
  const late = Promise.withResolvers<void>()
  upstream.behave = (response, received) => void late.promise.then(() => answer('late')(response, received))
  const inside = ask('POST', '/orders/create/7', { headers: { Prefer: 'wait=20' } })
  await upstream.arrival()
  const closed = gateway.close()
  const reply = await waiting
  t.is(reply.headers['retry-after'], '1')
  t.like(problemOf(t, reply), { status: 503, type: 'urn:shop:problem:gateway-stopping' })
  late.resolve()
  t.is((await inside).text, 'late')
  await closed
})

test('a port that is taken is refused', async (t) => {
  const { gateway } = await openShop(t, {})
  await t.throwsAsync(openShop(t, { port: gateway.port }), { code: 'EADDRINUSE' })
})
