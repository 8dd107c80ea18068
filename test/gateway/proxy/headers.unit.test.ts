import type { IncomingMessage } from 'node:http'
import test from 'ava'
import { passRequest, passResponse } from '../../../gateway/proxy/headers.ts'

/** As much of a request as `passRequest` reads. */
const requestWith = (...rawHeaders: string[]): IncomingMessage =>
  ({ rawHeaders, socket: { remoteAddress: '10.1.2.3' } }) as unknown as IncomingMessage

const pairs = (headers: readonly string[]): [string, string][] =>
  Array.from({ length: headers.length / 2 }, (_, i) => [headers[2 * i] ?? '', headers[2 * i + 1] ?? ''])

const named = (headers: readonly string[], name: string): string[] =>
  pairs(headers)
    .filter(([one]) => one === name)
    .map(([, value]) => value)

for (const name of [
  'Connection',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'Proxy-Connection',
  'Expect',
  'Host',
  'Content-Length',
  'Forwarded',
])
  test(`a request's ${name} does not go on`, (t) => {
    const { headers } = passRequest(requestWith(name, '1', 'Accept', '*/*'))
    t.deepEqual(named(headers, name.toLowerCase()), [])
    t.deepEqual(named(headers, 'accept'), ['*/*'])
  })

test('whatever Connection names does not go on either, in whichever case and header', (t) => {
  const { headers } = passRequest(
    requestWith(
      'X-Secret',
      '1',
      'Connection',
      'close, X-SECRET',
      'Connection',
      'x-other',
      'X-Other',
      '2',
      'X-Kept',
      '3',
    ),
  )
  t.deepEqual([named(headers, 'x-secret'), named(headers, 'x-other'), named(headers, 'x-kept')], [[], [], ['3']])
})

test('a Connection header cannot take away what the gateway itself says', (t) => {
  const { headers } = passRequest(requestWith('Connection', 'X-Forwarded-For, X-Request-Id', 'X-Request-Id', 'a'))
  t.deepEqual([named(headers, 'x-forwarded-for'), named(headers, 'x-request-id')], [['10.1.2.3'], ['a']])
})

test('every value of a repeated header goes on', (t) => {
  const { headers } = passRequest(requestWith('Cookie', 'a=1', 'Cookie', 'b=2'))
  t.deepEqual(named(headers, 'cookie'), ['a=1', 'b=2'])
})

test('from where a client asks is told by the gateway alone, and by which name it asked to no service', (t) => {
  const { headers, asked } = passRequest(
    requestWith(
      'Host',
      'shop.example',
      'X-Forwarded-For',
      '1.1.1.1',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'x',
    ),
  )
  t.deepEqual(named(headers, 'x-forwarded-for'), ['10.1.2.3'])
  for (const name of ['x-forwarded-proto', 'x-forwarded-host']) t.deepEqual(named(headers, name), [])
  t.is(asked, 'shop.example')
})

test('a sane request id is passed', (t) => {
  const { headers, requestId } = passRequest(requestWith('X-Request-Id', 'order:7.retry-1_a'))
  t.is(requestId, 'order:7.retry-1_a')
  t.deepEqual(named(headers, 'x-request-id'), ['order:7.retry-1_a'])
})

for (const [what, id] of [
  ['no request id', undefined],
  ['an empty request id', ''],
  ['a request id with a space', 'a b'],
  ['a request id of 129 characters', 'x'.repeat(129)],
] as const)
  test(`${what} is replaced by a new one`, (t) => {
    const { headers, requestId } = passRequest(id === undefined ? requestWith() : requestWith('X-Request-Id', id))
    t.regex(requestId, /^[\w-]{21}$/)
    t.deepEqual(named(headers, 'x-request-id'), [requestId])
  })

for (const [what, raw, bodyBytes] of [
  ['no length', [], 0],
  ['a length', ['Content-Length', '12'], 12],
  ['chunks', ['Transfer-Encoding', 'chunked'], undefined],
] as const)
  test(`a request with ${what} announces ${bodyBytes} bytes`, (t) => {
    t.is(passRequest(requestWith(...raw)).bodyBytes, bodyBytes)
  })

test("a reply's hop-by-hop headers and those it names do not go on; the rest does, every value of it", (t) => {
  const passed = passResponse(
    {
      connection: 'close, x-secret',
      'keep-alive': 'timeout=65',
      trailer: 'x-sum',
      'transfer-encoding': 'chunked',
      upgrade: 'h2c',
      'proxy-authenticate': 'Basic',
      'x-secret': '1',
      'x-request-id': 'another',
      'content-type': 'text/plain',
      'set-cookie': ['a=1', 'b=2'],
    },
    'mine',
  )
  t.deepEqual(pairs(passed), [
    ['x-request-id', 'mine'],
    ['content-type', 'text/plain'],
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ])
})
