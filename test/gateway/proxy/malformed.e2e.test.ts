/** What RFC 9112 has a server refuse is refused by a problem document, is passed on to nobody, and ends its connection. */
import test from 'ava'
import { openReplicas, openShop, openSocket, openUpstreams, readAll, sendBytes } from '../../support/shop/gateway.ts'
import { hang, type Upstream } from '../../support/shop/upstream.ts'

const HOST = 'Host: shop.example\r\n'
const GET = 'GET /orders/find/7 HTTP/1.1\r\n'
const POST = 'POST /orders/create/7 HTTP/1.1\r\n'
const CHUNKED = `${POST}${HOST}Transfer-Encoding: chunked\r\n\r\n`

/** What is sent, by what is wrong with it. The connection stays open on the client's side. */
const refused: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  400: {
    'no Host': `${GET}\r\n`,
    'two Host lines': `${GET}${HOST}Host: other.example\r\n\r\n`,
    'the same Host twice': `${GET}${HOST}${HOST}\r\n`,
    'two Host lines in HTTP/1.0': `GET /orders/find/7 HTTP/1.0\r\n${HOST}${HOST}\r\n`,
    'a Host with a space': `${GET}Host: shop example\r\n\r\n`,
    'a Host with a path': `${GET}Host: shop.example/orders\r\n\r\n`,
    'a Host with a user': `${GET}Host: me@shop.example\r\n\r\n`,
    'a list of Hosts': `${GET}Host: shop.example,other.example\r\n\r\n`,
    'a Host whose port is no number': `${GET}Host: shop.example:http\r\n\r\n`,
    'a Host in a folded line': `${GET}Host:\r\n shop.example\r\n\r\n`,
    'a space before a colon': `${GET}Host : shop.example\r\n\r\n`,
    'a folded header': `${GET}${HOST}X-Long: a\r\n b\r\n\r\n`,
    'a space before the first header': `${GET} X-First: a\r\n${HOST}\r\n`,
    'a header without a colon': `${GET}${HOST}X-Broken\r\n\r\n`,
    'a header without a name': `${GET}${HOST}: a\r\n\r\n`,
    'a header with a name that is none': `${GET}${HOST}X(y): a\r\n\r\n`,
    'a NUL in a header': `${GET}${HOST}X-Null: a\0b\r\n\r\n`,
    'a bare CR in a header': `${GET}${HOST}X-Return: a\rb\r\n\r\n`,
    'bare line feeds': `GET /orders/find/7 HTTP/1.1\n${HOST.replace('\r', '')}\n`,
    'a method that is no word': `G(T /orders/find/7 HTTP/1.1\r\n${HOST}\r\n`,
    'a method without a target': `FETCH HTTP/1.1\r\n${HOST}\r\n`,
    'no target': `GET HTTP/1.1\r\n${HOST}\r\n`,
    'a target with a space': `GET /orders/find/7 8 HTTP/1.1\r\n${HOST}\r\n`,
    'a target with a fragment': `GET /orders/find/7#top HTTP/1.1\r\n${HOST}\r\n`,
    'a target without a slash': `GET orders/find/7 HTTP/1.1\r\n${HOST}\r\n`,
    'a target with a byte beyond ASCII': `GET /orders/find/\xe4 HTTP/1.1\r\n${HOST}\r\n`,
    'a target of another scheme': `GET ftp://shop.example/orders/find/7 HTTP/1.1\r\n${HOST}\r\n`,
    'a target without its host': `GET http:///orders/find/7 HTTP/1.1\r\n${HOST}\r\n`,
    'a target with a user': `GET http://me@shop.example/orders/find/7 HTTP/1.1\r\n${HOST}\r\n`,
    'a minor version that is missing': `GET /orders/find/7 HTTP/1\r\n${HOST}\r\n`,
    'a version with leading zeros': `GET /orders/find/7 HTTP/01.1\r\n${HOST}\r\n`,
    'no HTTP at all': 'what?\r\n\r\n',
    'a TLS greeting': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'two lengths': `${POST}${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
    'the same length twice': `${POST}${HOST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`,
    'a list of lengths': `${POST}${HOST}Content-Length: 1, 1\r\n\r\na`,
    'a length with a sign': `${POST}${HOST}Content-Length: +1\r\n\r\na`,
    'a negative length': `${POST}${HOST}Content-Length: -1\r\n\r\na`,
    'a hexadecimal length': `${POST}${HOST}Content-Length: 0x1\r\n\r\na`,
    'a length beyond all numbers': `${POST}${HOST}Content-Length: 99999999999999999999\r\n\r\na`,
    'an empty length': `${POST}${HOST}Content-Length:\r\n\r\n`,
    'chunks and a length': `${POST}${HOST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    'a length and chunks': `${POST}${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'chunked twice': `${POST}${HOST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`,
    'chunked in two headers': `${POST}${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'another coding after chunked': `${POST}${HOST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
    'another coding instead of chunked': `${POST}${HOST}Transfer-Encoding: gzip\r\n\r\nab`,
    'the coding "identity"': `${POST}${HOST}Transfer-Encoding: identity\r\n\r\n`,
    'the coding "xchunked"': `${POST}${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    'no coding': `${POST}${HOST}Transfer-Encoding:\r\n\r\n`,
    'chunked with a parameter': `${POST}${HOST}Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n`,
    'chunks in HTTP/1.0': 'POST /orders/create/7 HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a chunk whose size is no number': `${CHUNKED}zz\r\n`,
    'a chunk of negative size': `${CHUNKED}-1\r\n`,
    'a chunk whose size has a prefix': `${CHUNKED}0x1\r\na\r\n0\r\n\r\n`,
    'a chunk that is longer than it says': `${CHUNKED}1\r\nabc\r\n0\r\n\r\n`,
    'chunks with bare line feeds': `${CHUNKED}1\na\n0\n\n`,
  },
  408: {
    'a header that does not come': `${GET}Host: `,
    'a body that does not come': `${POST}${HOST}Content-Length: 5\r\n\r\nab`,
  },
  413: {
    'a length of more than 64 KiB': `${POST}${HOST}Content-Length: 65537\r\n\r\n`,
    'more than 64 KiB in a chunk': `${CHUNKED}fffff\r\n${'x'.repeat(70_000)}`,
  },
  417: {
    'an expectation that nobody meets': `${POST}${HOST}Expect: wonders\r\nContent-Length: 0\r\n\r\n`,
  },
  431: { 'headers of more than 16 KiB': `${GET}${HOST}X-Long: ${'x'.repeat(17_000)}\r\n\r\n` },
  501: {
    'a method that is none': `FETCH /orders/find/7 HTTP/1.1\r\n${HOST}\r\n`,
    'a method in lower case': `get /orders/find/7 HTTP/1.1\r\n${HOST}\r\n`,
    'a method that begins as another one': `GETX /orders/find/7 HTTP/1.1\r\n${HOST}\r\n`,
    'a coding before chunked': `${POST}${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    'a coding in a header before chunked': `${POST}${HOST}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    'a tunnel': 'CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n',
  },
  505: {
    'HTTP/2': `GET /orders/find/7 HTTP/2.0\r\n${HOST}\r\n`,
    'the greeting of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'HTTP/0.9': 'GET /orders/find/7\r\n\r\n',
  },
}

/** What is refused so is called so, whatever it is refused for. */
const TYPES: Readonly<Record<string, string>> = {
  400: 'malformed',
  408: 'request-timeout',
  413: 'body-too-large',
  417: 'expectation-failed',
  431: 'headers-too-large',
  501: 'not-implemented',
  505: 'version-not-supported',
}

for (const [status, cases] of Object.entries(refused))
  for (const [what, bytes] of Object.entries(cases))
    test(`${what}: ${status} with a problem document, passed on to nobody, and the connection ends`, async (t) => {
      // Nothing but what is waited for comes too late, however busy this machine is.
      const options = status === '408' ? { headersTimeoutMs: 300, requestTimeoutMs: 300 } : {}
      const { gateway, upstream } = await openReplicas(t, 1, options)
      await upstream.settled()
      const [head = '', body = '', ...more] = (await sendBytes(t, gateway.port, bytes)).split('\r\n\r\n')
      t.regex(head, new RegExp(`^HTTP/1\\.1 ${status} `))
      t.regex(head, /\r\nConnection: close/i)
      t.regex(head, /\r\nContent-Type: application\/problem\+json/i)
      const document = JSON.parse(body)
      t.is(document.status, Number(status))
      t.is(document.type, `urn:shop:problem:${TYPES[status]}`)
      t.deepEqual(more, [])
      t.is(upstream.received.length, 0)
    })

test('of an unknown method it is said that there is none', async (t) => {
  const { gateway } = await openShop(t, {})
  t.regex(await sendBytes(t, gateway.port, `FETCH / HTTP/1.1\r\n${HOST}\r\n`), /there is no method \\"FETCH\\"/)
})

/** What looks odd and is not, and the path by which it goes on. */
const taken: Readonly<Record<string, readonly [bytes: string, path: string]>> = {
  'an absolute target': [
    'GET http://other.example:8000/orders/find/7?a=/b HTTP/1.1\r\nHost: x\r\n\r\n',
    '/orders/find/7?a=/b',
  ],
  'an absolute target in capitals': [`GET HTTP://Shop.Example/orders/find/7 HTTP/1.1\r\n${HOST}\r\n`, '/orders/find/7'],
  'an absolute target over TLS': [`GET https://[::1]:8000/orders/find/7 HTTP/1.1\r\n${HOST}\r\n`, '/orders/find/7'],
  'empty lines before the request': [`\r\n\r\n${GET}${HOST}\r\n`, '/orders/find/7'],
  'HTTP/1.0 without Host': ['GET /orders/find/7 HTTP/1.0\r\n\r\n', '/orders/find/7'],
  'an empty Host': [`${GET}Host:\r\n\r\n`, '/orders/find/7'],
  'a Host that is an address': [`${GET}Host: [::1]:8000\r\n\r\n`, '/orders/find/7'],
  'a coding in capitals': [
    `${POST}${HOST}Transfer-Encoding: Chunked\r\n\r\n1;a=b\r\na\r\n0\r\nX-Trailer: b\r\n\r\n`,
    '/orders/create/7',
  ],
  'headers of 15 KiB': [`${GET}${HOST}X-Long: ${'x'.repeat(15_360)}\r\n\r\n`, '/orders/find/7'],
  'an upgrade': [`${GET}${HOST}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n`, '/orders/find/7'],
  'something after "Connection: close"': [`${GET}${HOST}Connection: close\r\n\r\n${GET}${HOST}\r\n`, '/orders/find/7'],
}

for (const [what, [bytes, path]] of Object.entries(taken))
  test(`${what} is no fault`, async (t) => {
    const { gateway, upstream } = await openReplicas(t, 1)
    await upstream.settled()
    const socket = await openSocket(t, gateway.port)
    socket.write(bytes, 'latin1')
    const reply = readAll(socket)
    const received = await upstream.arrival()
    socket.end()
    t.regex(await reply, /^HTTP\/1\.1 200 [\s\S]*done$/)
    t.is(received.url, path)
    t.is(upstream.received.length, 1)
  })

test('an absolute target without a path is the root', async (t) => {
  const { gateway } = await openShop(t, {})
  for (const url of ['http://shop.example', 'http://shop.example?a=b']) {
    const reply = await sendBytes(t, gateway.port, `GET ${url} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`)
    t.regex(reply, /^HTTP\/1\.1 200 [\s\S]*<title>saga-shop: console</)
  }
})

test('an absolute checkout is one: it may be repeated, and waits with the others', async (t) => {
  const upstreams = await openUpstreams(t, 2)
  const [first, second] = upstreams as [Upstream, Upstream]
  first.behave = hang
  second.condition = 'not ready'
  const { gateway } = await openShop(t, { origins: { order: upstreams.map(({ origin }) => origin) } })
  await first.settled()
  const socket = await openSocket(t, gateway.port)
  const arrived = first.arrival()
  socket.write(
    `POST http://shop.example/orders/checkout/7 HTTP/1.1\r\n${HOST}Connection: close\r\nContent-Length: 0\r\n\r\n`,
  )
  await arrived
  second.condition = 'ready'
  await second.settled()
  await first.refuse()
  t.regex(await readAll(socket), /^HTTP\/1\.1 200 /)
  t.is(second.received.length, 1)
})

test('of a HEAD that is refused nothing is said but the head', async (t) => {
  const { gateway } = await openShop(t, {})
  const reply = await sendBytes(t, gateway.port, `HEAD /live HTTP/1.1\r\n${HOST}${HOST}\r\n`)
  t.regex(reply, /^HTTP\/1\.1 400 [\s\S]*\r\n\r\n$/)
})
