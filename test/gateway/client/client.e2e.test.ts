/** What the client sends, how often, and what it makes of the answers; of a shop that answers as each test has it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { ShopProblem, ShopUnreachable } from '../../../gateway/client/errors.ts'
import { shopClient } from '../../../gateway/client.ts'
import { eventually } from '../../support/eventually.ts'

type Says = {
  readonly status: number
  readonly json?: unknown
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}
type Asked = Pick<IncomingMessage, 'method' | 'url' | 'headers'> & { readonly body: string }

const problem = (status: number, name: string, headers: Says['headers'] = {}): Says => ({
  status,
  json: { type: `urn:shop:problem:${name}`, title: 'a', status, detail: 'it is so' },
  headers: { 'Content-Type': 'application/problem+json', ...headers },
})

/** A shop that gives these answers, one after the other, and then the last one; or cuts the connection instead. */
const openShop = async (t: ExecutionContext, answers: readonly (Says | 'cut')[]) => {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const answer = answers[Math.min(asked.length, answers.length - 1)]
    const { method, url, headers } = request
    asked.push({ method, url, headers, body })
    if (answer === 'cut' || answer === undefined) return void request.socket.destroy()
    const { status, json, text = JSON.stringify(json) } = answer
    response.writeHead(status, { 'Content-Type': 'application/json', ...answer.headers }).end(text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { asked, url: `http://127.0.0.1:${port}` }
}

const order = { params: { order: 'an order' } }
const made: Says = { status: 200, json: { user_id: 'u', log_id: 'l' } }
const keysOf = (asked: readonly Asked[]): unknown[] => asked.map(({ headers }) => headers['idempotency-key'])

for (const url of [
  '127.0.0.1:8000',
  'localhost:8000',
  'shop',
  'ftp://shop',
  'http://',
  'http://shop:80x',
  'http://shop?a=b',
  '',
])
  test(`a client of "${url}" is refused when it is made`, (t) => {
    const message = `the URL of the shop must be of the form http://host:port, not "${url}"`
    t.throws(() => shopClient(url), { instanceOf: TypeError, message })
  })
test('a URL with a password, which is asked by nobody, is refused and not told', (t) => {
  t.throws(() => shopClient('http://me:secret@shop'), { instanceOf: TypeError, message: /not "http:\/\/\.\.\.@shop"$/ })
})

test('a page in the place of the shop is no success', async (t) => {
  const page: Says = { status: 200, text: '<h1>Welcome</h1>', headers: { 'Content-Type': 'text/html' } }
  const paid: Says = { status: 200, text: 'paid', headers: { 'Content-Type': 'text/plain; charset=utf-8' } }
  const { url } = await openShop(t, [page, paid])
  t.is(await shopClient(url).checkout(order), 'paid')
  const elsewhere = await openShop(t, [page])
  const error = await t.throwsAsync(shopClient(elsewhere.url, { retryForMs: 300 }).checkout(order), {
    instanceOf: ShopUnreachable,
  })
  t.regex(String(error?.cause), /answered 200, but not by the shop/)
})

test('what is to have one effect bears one key, however often it is sent', async (t) => {
  const { asked, url } = await openShop(t, ['cut', problem(503, 'not-done'), problem(502, 'outcome-unknown'), made])
  const shop = shopClient(url)
  t.deepEqual(await shop.createUser(), { user_id: 'u', log_id: 'l' })
  const [key, ...others] = keysOf(asked)
  t.regex(String(key), /^[0-9a-f-]{36}$/)
  t.deepEqual(others, [key, key, key])
  await shop.createUser()
  t.not(keysOf(asked).at(-1), key, 'another request has another')
  await shop.createUser({ key: 'mine' })
  t.is(keysOf(asked).at(-1), 'mine')
})

test('what may have two effects is sent once', async (t) => {
  const { asked, url } = await openShop(t, ['cut'])
  const given = { params: { lock: 'l' }, headers: { 'user-id': 't' } }
  const error = await t.throwsAsync(shopClient(url).makeDistributedLock(given), { instanceOf: ShopUnreachable })
  t.deepEqual([error.operation, error.key], ['makeDistributedLock', undefined])
  t.true(error.cause instanceof TypeError)
  t.is(asked.length, 1)
})

test('what changes nothing is sent again without a key, and so is what has one effect anyway', async (t) => {
  const { asked, url } = await openShop(t, [
    'cut',
    { status: 200, json: {} },
    'cut',
    { status: 200, text: 'paid', headers: { 'Content-Type': 'text/plain' } },
  ])
  const shop = shopClient(url)
  await shop.findOrder(order)
  t.is(await shop.checkout(order), 'paid')
  t.deepEqual(keysOf(asked), [undefined, undefined, undefined, undefined])
  t.is(asked[3]?.url, '/orders/checkout/an%20order')
})

test('it is not sent again before the shop wants it, nor after a while', async (t) => {
  const patient = await openShop(t, [problem(503, 'not-done', { 'Retry-After': '1' }), made])
  const begunAt = performance.now()
  await shopClient(patient.url).createUser()
  t.true(performance.now() - begunAt > 990)

  const late = await openShop(t, [problem(503, 'feature-off', { 'Retry-After': '3600' })])
  const error = await t.throwsAsync(shopClient(late.url).createUser(), { instanceOf: ShopProblem })
  t.deepEqual([error.kind, late.asked.length], ['feature-off', 1])

  const dead = await openShop(t, ['cut'])
  await t.throwsAsync(shopClient(dead.url, { retryForMs: 500 }).createUser(), { instanceOf: ShopUnreachable })
  t.true(dead.asked.length > 1 && dead.asked.length < 7, String(dead.asked.length))
})

test('an answer that takes too long is none', async (t) => {
  const server = createServer(() => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const shop = shopClient(url, { answerMs: 100, retryForMs: 0 })
  await t.throwsAsync(shop.createUser(), { instanceOf: ShopUnreachable })
})

test('a refusal is thrown as what it is', async (t) => {
  const { asked, url } = await openShop(t, [problem(402, 'out-of-credit')])
  const error = await t.throwsAsync(shopClient(url).checkout(order), { instanceOf: ShopProblem })
  t.deepEqual(
    [error.kind, error.status, error.operation, error.message, error.document.title],
    ['out-of-credit', 402, 'checkout', 'checkout: it is so', 'a'],
  )
  t.is(asked.length, 1)
})

test('what is no answer of the shop is none', async (t) => {
  for (const says of [
    { status: 404, text: '<html>', headers: { 'Content-Type': 'text/html' } },
    { status: 200, text: '{"user', headers: {} },
  ]) {
    const { url } = await openShop(t, [says])
    const shop = shopClient(url, { retryForMs: 0 })
    await t.throwsAsync(shop.createUser(), { instanceOf: ShopUnreachable }, says.text)
  }
})

test('a thing is changed from the version in which it was last shown', async (t) => {
  const shown = (etag: string): Says => ({ status: 200, json: {}, headers: { ETag: etag } })
  const { asked, url } = await openShop(t, [
    shown('"1"'),
    shown('"2"'),
    shown('"3"'),
    problem(412, 'stale', { ETag: '"9"' }),
    shown('"9"'),
    shown('"10"'),
  ])
  const shop = shopClient(url)
  const conditions = () => asked.map(({ headers }) => headers['if-match'])
  const change = { ...order, body: { quantity: 2 } }
  await shop.showOrder(order)
  await shop.changeOrder(change)
  await shop.changeOrder(change)
  t.deepEqual(conditions(), [undefined, '"1"', '"2"'])
  await t.throwsAsync(shop.changeOrder(change), { instanceOf: ShopProblem })
  t.is(conditions().at(-1), '"3"')
  await shop.changeOrder(change)
  t.is(conditions().at(-1), undefined, 'what came between was not shown')
  await shop.changeOrder({ ...change, ifMatch: '*' })
  t.is(conditions().at(-1), '*')
  await shop.changeOrder({ params: { order: 'another' }, body: { quantity: 2 } })
  t.is(conditions().at(-1), undefined)
  t.deepEqual([...new Set(asked.map(({ headers }) => headers.prefer))], [undefined, 'return=representation'])
})

test('what was made is shown, and what it has become is not when something else about it was changed', async (t) => {
  const { asked, url } = await openShop(t, [
    { status: 201, json: {}, headers: { ETag: '"1"', Location: '/orders/o' } },
    { status: 201, json: {}, headers: { Location: '/orders/o/refunds/r' } },
    { status: 200, json: {} },
  ])
  const shop = shopClient(url)
  const params = { order: 'o' }
  await shop.placeOrder({ body: { user_id: 'u', item_id: 'i', quantity: 1 } })
  await shop.refundOrder({ params, ifMatch: '"1"' })
  await shop.changeOrder({ params, body: { quantity: 2 } })
  t.deepEqual(
    asked.map(({ headers }) => headers['if-match']),
    [undefined, '"1"', undefined],
  )
})

test('an order is cancelled, deleted and refunded whatever has become of it since it was shown, if no version is named', async (t) => {
  const { asked, url } = await openShop(t, [
    { status: 201, json: {}, headers: { ETag: '"1"', Location: '/orders/o' } },
    { status: 200, json: {} },
    { status: 202, json: {}, headers: { Location: '/orders/o' } },
    { status: 201, json: {}, headers: { Location: '/orders/o/refunds/r' } },
    { status: 204, text: '' },
    { status: 204, text: '' },
  ])
  const shop = shopClient(url)
  const params = { order: 'o' }
  await shop.placeOrder({ body: { user_id: 'u', item_id: 'i', quantity: 1 } })
  await shop.checkout({ params })
  await shop.cancelOrder({ params })
  await shop.refundOrder({ params })
  await shop.deleteOrder({ params })
  await shop.deleteOrder({ params, ifMatch: '"4"' })
  t.deepEqual(
    asked.map(({ headers }) => headers['if-match']),
    [undefined, undefined, undefined, undefined, undefined, '"4"'],
  )
  t.not(keysOf(asked).at(-1), undefined, 'sent again it would meet the version that it has made')
})

test('it bears a token that is valid when it is sent, and what else each request is to bear', async (t) => {
  const { asked, url } = await openShop(t, ['cut', made])
  const tokens = ['token-1', 'token-2']
  const shop = shopClient(`${url}/`, {
    token: async () => tokens.shift() ?? 'none',
    headers: { 'X-Request-Id': 'seven' },
  })
  await shop.addFunds({ params: { user: 'u', amount: 3 }, lockToken: 9 })
  t.deepEqual(
    asked.map(({ url: path, headers }) => [
      path,
      headers.authorization,
      headers['x-request-id'],
      headers['if-lock-token'],
    ]),
    [
      ['/payment/add_funds/u/3', 'Bearer token-1', 'seven', '9'],
      ['/payment/add_funds/u/3', 'Bearer token-2', 'seven', '9'],
    ],
  )
  const failing = shopClient(url, { token: () => Promise.reject(new RangeError('no token')) })
  await t.throwsAsync(failing.createUser(), { instanceOf: RangeError })
})

test('what is asked for stands in the query, and what is sent in the body', async (t) => {
  const { asked, url } = await openShop(t, [{ status: 201, json: {} }])
  const shop = shopClient(url)
  await shop.listOrders({ query: { user: 'a b', limit: 5, status: undefined } })
  await shop.placeOrder({ body: { user_id: 'u', item_id: 'i', quantity: 1, method: undefined } })
  t.deepEqual(
    asked.map(({ method, url: path, body }) => [method, path, body]),
    [
      ['GET', '/orders?user=a+b&limit=5', ''],
      ['POST', '/orders', '{"user_id":"u","item_id":"i","quantity":1}'],
    ],
  )
  t.is(asked[1]?.headers['content-type'], 'application/json')
})

test('who asks may give up, also between two times that it is sent', async (t) => {
  const { asked, url } = await openShop(t, [problem(503, 'not-done', { 'Retry-After': '5' })])
  const reason = new Error('enough')
  const giving = new AbortController()
  const asking = shopClient(url).createUser({ signal: giving.signal })
  await eventually(async () => assert.equal(asked.length, 1), 5_000)
  giving.abort(reason)
  t.is(await t.throwsAsync(asking), reason)
  t.is(asked.length, 1)
  t.is(await t.throwsAsync(shopClient(url).createUser({ signal: giving.signal })), reason)
  t.is(asked.length, 1)
})
