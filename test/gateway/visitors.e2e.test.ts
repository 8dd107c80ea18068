/** No page of anybody may change something in a shop that its visitor's browser reaches; programs are not affected. */
import test from 'ava'
import { openVisitors } from '../../shared/http/visitors.ts'
import { ConfigError, hostNames, pageOrigins, readConfig } from '../../shared/process/config.ts'
import { type Ask, openReplicas, openShop, problemOf, sendBytes } from '../support/shop/gateway.ts'

const PAGES = 'https://pages.example'
const ALLOWED = { hosts: ['shop.example'], origins: [PAGES] }
const NOBODY = { hosts: [], origins: [] }

type Case = {
  readonly listens?: string
  readonly allowed?: typeof ALLOWED | typeof NOBODY
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly status: number
}
const LOCAL = { host: 'localhost:8000' }

const cases: Readonly<Record<string, Case>> = {
  'a program': { headers: {}, status: 200 },
  'a program that names this machine': { headers: LOCAL, status: 200 },
  'a program that names this machine in capitals': { headers: { host: 'LocalHost' }, status: 200 },
  'a program that names another loopback address': { headers: { host: '127.0.1.2:8000' }, status: 200 },
  'a program that names IPv6': { headers: { host: '[::1]:8000' }, status: 200 },
  'a page of the shop itself': { headers: { ...LOCAL, origin: 'http://localhost:8000' }, status: 200 },
  'a page of the shop itself, over TLS': { headers: { ...LOCAL, origin: 'https://localhost:8000' }, status: 200 },
  'a page of the shop, somebody in front': { headers: { origin: PAGES, 'sec-fetch-site': 'same-origin' }, status: 200 },
  'somebody who types': { headers: { 'sec-fetch-site': 'none' }, status: 200 },
  'a foreign page that looks': { method: 'GET', headers: { origin: 'https://evil.example' }, status: 200 },
  'a foreign page that asks for the head': { method: 'HEAD', headers: { origin: 'https://evil.example' }, status: 200 },
  'a foreign page': { headers: { origin: 'https://evil.example' }, status: 403 },
  'a foreign page that puts': { method: 'PUT', headers: { origin: 'https://evil.example' }, status: 403 },
  'a foreign page that deletes': { method: 'DELETE', headers: { origin: 'https://evil.example' }, status: 403 },
  'a page of another port': { headers: { ...LOCAL, origin: 'http://localhost:9000' }, status: 403 },
  'a page of no origin': { headers: { origin: 'null' }, status: 403 },
  'a page of a scheme that is named like the host': {
    headers: { ...LOCAL, origin: 'evil://localhost:8000' },
    status: 403,
  },
  'a page whose origin ends with the host': {
    headers: { ...LOCAL, origin: 'http://evil-localhost:8000' },
    status: 403,
  },
  'another site, as a browser says': { headers: { 'sec-fetch-site': 'cross-site' }, status: 403 },
  'a sibling site, as a browser says': { headers: { 'sec-fetch-site': 'same-site' }, status: 403 },
  'another site, whatever its key': {
    headers: { origin: 'https://evil.example', 'idempotency-key': 'a', authorization: 'Bearer b' },
    status: 403,
  },
  'an allowed page': { allowed: ALLOWED, headers: { origin: PAGES, 'sec-fetch-site': 'cross-site' }, status: 200 },
  'an allowed page over plain HTTP': { allowed: ALLOWED, headers: { origin: 'http://pages.example' }, status: 403 },
  'an allowed page at another port': { allowed: ALLOWED, headers: { origin: `${PAGES}:8443` }, status: 403 },
  'a foreign page where others are allowed': {
    allowed: ALLOWED,
    headers: { origin: 'https://evil.example' },
    status: 403,
  },
  'a name that leads here': { method: 'GET', headers: { host: 'evil.example' }, status: 421 },
  'a page whose own name leads here': {
    headers: { host: 'evil.example:8000', origin: 'http://evil.example:8000', 'sec-fetch-site': 'same-origin' },
    status: 421,
  },
  'a name that begins as this machine does': { headers: { host: '127.0.0.1.evil.example' }, status: 421 },
  'an allowed name': { allowed: ALLOWED, headers: { host: 'Shop.example:8000' }, status: 200 },
  'the name of an allowed page': { allowed: ALLOWED, headers: { host: 'pages.example' }, status: 200 },
  'a name that is not the allowed one': { allowed: ALLOWED, headers: { host: 'a.shop.example' }, status: 421 },
  'any name, where everybody is let in': { listens: '0.0.0.0', headers: { host: 'a.example' }, status: 200 },
  'a foreign page, where everybody is let in': {
    listens: '0.0.0.0',
    headers: { host: 'a.example', origin: 'https://evil.example' },
    status: 403,
  },
  'another name than is allowed, where everybody is let in': {
    listens: '0.0.0.0',
    allowed: ALLOWED,
    headers: { host: 'a.example' },
    status: 421,
  },
}

for (const [who, { listens = '127.0.0.1', allowed = NOBODY, method = 'POST', headers, status }] of Object.entries(
  cases,
))
  test(`${who} is answered ${status}`, async (t) => {
    const { ask, upstream: order } = await openReplicas(t, 1, { visitors: openVisitors(listens, allowed) })
    // Twice, because what was judged before may be remembered.
    for (const path of ['/orders/find/7', '/orders/checkout/7']) {
      const reply = await ask(method, path, { headers })
      t.is(reply.status, status)
      if (status !== 200)
        t.is(problemOf(t, reply).type, `urn:shop:problem:${status === 403 ? 'foreign-page' : 'wrong-host'}`)
    }
    t.is(order?.received.length, status === 200 ? 2 : 0)
    for (const { headers: passed } of order?.received ?? [])
      t.deepEqual([passed.origin, passed['sec-fetch-site']], [undefined, undefined])
  })

test('a name that is not let in stays out after one that was', async (t) => {
  const { ask } = await openShop(t, { visitors: openVisitors('127.0.0.1') })
  const statuses = []
  for (const host of ['localhost', 'evil.example', 'localhost', 'evil.example'])
    statuses.push((await ask('GET', '/live', { headers: { host } })).status)
  t.deepEqual(statuses, [200, 421, 200, 421])
})

test('who names the host in the target is judged by that', async (t) => {
  const { gateway } = await openShop(t, { visitors: openVisitors('127.0.0.1') })
  const request = 'GET http://evil.example/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  t.regex(await sendBytes(t, gateway.port, request), /^HTTP\/1.1 421 /)
})

const PREFLIGHT = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'idempotency-key' }

for (const [origin, isAllowed] of [
  [PAGES, true],
  ['https://evil.example', false],
  ['null', false],
] as const)
  test(`a browser is told whether a page of ${origin} may ask, and see`, async (t) => {
    const { ask, upstream: order } = await openReplicas(t, 1, { visitors: openVisitors('127.0.0.1', ALLOWED) })
    const asking = await ask('OPTIONS', '/orders/checkout/7', { headers: { origin, ...PREFLIGHT } })
    t.is(asking.status, isAllowed ? 204 : 403)
    t.is(asking.headers['access-control-allow-origin'], isAllowed ? origin : undefined)
    if (isAllowed) {
      t.is(asking.text, '')
      t.is(asking.headers.vary, 'Origin')
      t.regex(String(asking.headers['access-control-allow-methods']), /\bPOST, PATCH\b/)
      t.regex(
        String(asking.headers['access-control-allow-headers']),
        /\bIdempotency-Key, If-Lock-Token, If-Match, If-None-Match\b/,
      )
    }
    t.is(order?.received.length, 0)

    // What a service answers, and what the gateway says itself.
    for (const path of ['/orders/find/7', '/nothing', '/live']) {
      const { headers } = await ask('GET', path, { headers: { origin } })
      t.is(headers['access-control-allow-origin'], isAllowed ? origin : undefined)
      t.is(headers.vary, isAllowed ? 'Origin' : undefined)
      if (isAllowed) t.regex(String(headers['access-control-expose-headers']), /\bETag\b.*\bX-Log-Id\b/)
    }
  })

test('what no page asks is answered as ever, also OPTIONS', async (t) => {
  const { ask, upstream: order } = await openReplicas(t, 1, { visitors: openVisitors('127.0.0.1', ALLOWED) })
  const asks: readonly Ask[] = [{}, { headers: PREFLIGHT }]
  for (const options of asks) {
    const reply = await ask('OPTIONS', '/orders/find/7', options)
    t.deepEqual([reply.status, reply.headers.vary], [200, undefined])
  }
  t.is(order?.received.length, 2)
})

const table = { hosts: hostNames('ALLOWED_HOSTS'), origins: pageOrigins('ALLOWED_ORIGINS') }

test('the settings name hosts and origins, as a browser writes them', (t) => {
  t.deepEqual(readConfig({}, table, {})[0], { hosts: [], origins: [] })
  t.deepEqual(
    readConfig(
      { ALLOWED_HOSTS: 'Shop.example, [::1]', ALLOWED_ORIGINS: `${PAGES}/, http://A.example:80` },
      table,
      {},
    )[0],
    { hosts: ['shop.example', '[::1]'], origins: [PAGES, 'http://a.example'] },
  )
})

for (const [variable, value] of [
  ['ALLOWED_HOSTS', 'http://shop.example'],
  ['ALLOWED_HOSTS', 'shop.example:8000'],
  ['ALLOWED_HOSTS', 'a,,b'],
  ['ALLOWED_HOSTS', '*'],
  ['ALLOWED_ORIGINS', 'shop.example'],
  ['ALLOWED_ORIGINS', 'https://shop.example/page'],
  ['ALLOWED_ORIGINS', 'https://me@shop.example'],
  ['ALLOWED_ORIGINS', 'null'],
  ['ALLOWED_ORIGINS', '*'],
] as const)
  test(`${variable}=${value} is refused`, (t) => {
    t.throws(() => readConfig({ [variable]: value }, table, {}), { instanceOf: ConfigError })
  })
