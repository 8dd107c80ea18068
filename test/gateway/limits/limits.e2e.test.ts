/** What is a client told of its limits, at the gateway? */
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import test from 'ava'
import type { Credentials, Identified, Unidentified } from '../../../gateway/auth/authentication.ts'
import { proxiesIn } from '../../../gateway/limits/address.ts'
import { openLimits } from '../../../gateway/limits/limits.ts'
import { problem } from '../../../shared/http/problem.ts'
import { openReplicas, problemOf, type Reply } from '../../support/shop/gateway.ts'

/** None comes back while a test runs. */
const HOUR_MS = 3_600_000
const only = (burst: number) => ({ burst, intervalMs: HOUR_MS })
const first = { 'X-Forwarded-For': '203.0.113.1' }
const second = { 'X-Forwarded-For': '203.0.113.2' }
const proxies = proxiesIn(['127.0.0.0/8'])

/** What is left, without the time until it is full again. */
const leftIn = ({ ratelimit }: Reply['headers']): string => String(ratelimit).replace(/;t=\d+$/, '')

test('each answer tells what is left, and what is too much is refused before any service hears of it', async (t) => {
  const shop = await openReplicas(t, 1, { proxies, limits: openLimits({ reads: only(2) }) })
  const read = () => shop.ask('GET', '/orders/find/7', { headers: first })
  const answers = [await read(), await read()]
  t.deepEqual(
    answers.map(({ status, headers }) => [status, headers['ratelimit-policy'], leftIn(headers)]),
    [
      [200, '"reads";q=2;w=7200', '"reads";r=1'],
      [200, '"reads";q=2;w=7200', '"reads";r=0'],
    ],
  )
  t.is(answers[0]?.headers.ratelimit, '"reads";r=1;t=3600')
  const refused = await read()
  t.like(problemOf(t, refused), { status: 429, type: 'urn:shop:problem:too-many-requests', limit: 'reads' })
  const retryAfter = Number(refused.headers['retry-after'])
  t.true(retryAfter > 3_000 && retryAfter <= 3_600)
  t.is(leftIn(refused.headers), '"reads";r=0')
  t.is(shop.upstream.received.length, 2)
})

test('each client has limits of its own, and each kind of requests', async (t) => {
  const limits = openLimits({ reads: only(1), commands: only(1), checkouts: only(1) })
  const shop = await openReplicas(t, 1, { proxies, limits })
  const statuses: number[] = []
  for (const headers of [first, second])
    for (const [method, path] of [
      ['GET', '/orders/find/7'],
      ['GET', '/orders/find/7'],
      ['POST', '/orders/checkout/7'],
      ['POST', '/orders/addItem/7/7/1'],
      ['DELETE', '/orders/7'],
    ] as const)
      statuses.push((await shop.ask(method, path, { headers })).status)
  t.deepEqual(statuses, [200, 429, 200, 200, 429, 200, 429, 200, 200, 429])
})

test('what is created counts against a quota, a batch for each thing, and one beyond it is never made', async (t) => {
  const shop = await openReplicas(t, 1, { proxies, limits: openLimits({ creates: only(10) }) })
  const create = (path: string) => shop.ask('POST', path, { headers: first })
  const never = await create('/orders/batch_init/11/1/1/1')
  t.like(problemOf(t, never), { status: 429, limit: 'creates' })
  t.is(never.headers['retry-after'], undefined)
  t.is(never.headers.ratelimit, '"creates";r=10;t=0')
  t.is((await create('/orders/batch_init/8/1/1/1')).status, 200)
  t.is((await create('/orders/create/7')).status, 200)
  t.is(leftIn((await create('/orders')).headers), '"creates";r=0')
  t.is((await create('/orders/create/7')).status, 429)
  t.is((await create('/orders/addItem/7/7/1')).status, 200)
})

test('what a client says of its own address counts for nothing', async (t) => {
  const shop = await openReplicas(t, 1, { limits: openLimits({ reads: only(1) }) })
  const statuses = [first, second].map(async (headers) => (await shop.ask('GET', '/orders/find/7', { headers })).status)
  t.deepEqual((await Promise.all(statuses)).sort(), [200, 429])
})

test('whom a token names has its limits wherever it is, and a wrong token counts for the address', async (t) => {
  const identify = ({ authorization = '' }: Credentials): Identified | Unidentified =>
    authorization === 'Bearer wrong'
      ? { problem: problem(401, 'invalid-token', 'The token is not valid', 'it is wrong') }
      : { caller: authorization.replace('Bearer', 'customer'), untilMs: Number.POSITIVE_INFINITY }
  const authentication = { identify: async (given: Credentials) => identify(given) }
  const shop = await openReplicas(t, 1, { proxies, limits: openLimits({ reads: only(2) }), authentication })
  const read = async (token: string, from: Record<string, string>) =>
    (await shop.ask('GET', '/orders/find/7', { headers: { ...from, Authorization: `Bearer ${token}` } })).status
  const statuses: number[] = []
  for (const [token, from] of [
    ['anna', first],
    ['anna', second],
    ['anna', first],
    ['ben', first],
    ['wrong', first],
    ['wrong', first],
    ['wrong', first],
    ['wrong', second],
    ['ben', first],
  ] as const)
    statuses.push(await read(token, from))
  t.deepEqual(statuses, [200, 200, 429, 200, 401, 401, 429, 401, 200])
})

test('who and from where asks is one question for tokens and another for addresses', (t) => {
  const limits = openLimits({ reads: only(1) })
  const response = () => new ServerResponse(new IncomingMessage(new Socket()))
  const read = (address: string, caller?: string) =>
    limits.take('GET', '/stock/find/7', { address, caller }, response())?.status
  t.deepEqual(
    [read('203.0.113.1', 'customer anna'), read('203.0.113.2', 'customer anna'), read('203.0.113.1', 'customer ben')],
    [undefined, 429, undefined],
  )
  t.deepEqual([read('203.0.113.1'), read('203.0.113.1', 'anybody')], [undefined, 429])
})

test('who runs the shop is not limited, and who sells may create what there is', (t) => {
  const limits = openLimits({ commands: only(2), creates: only(1) })
  const response = () => new ServerResponse(new IncomingMessage(new Socket()))
  const create = (caller: string) =>
    limits.take('POST', '/stock/item/create/7', { address: '203.0.113.1', caller }, response())?.limit
  const thrice = (caller: string) => [create(caller), create(caller), create(caller)]
  t.deepEqual(thrice('operator root'), [undefined, undefined, undefined])
  t.deepEqual(thrice('merchant seller'), [undefined, undefined, 'commands'])
  t.deepEqual(thrice('customer anna'), [undefined, 'creates', 'commands'])
  t.deepEqual(thrice('anybody'), [undefined, 'creates', 'commands'])
})

test('ten thousand clients at once are known as far as memory is meant to go, and each has its limits', (t) => {
  const limits = openLimits({ reads: only(5), clientsMax: 1_000 })
  const response = new ServerResponse(new IncomingMessage(new Socket()))
  for (let at = 0; at < 10_000; at += 1) {
    const client = { address: `10.0.${at >> 8}.${at & 255}` }
    t.is(limits.take('GET', '/stock/find/7', client, response), undefined)
    t.is(limits.take('GET', '/stock/find/7', { ...client, caller: `customer ${at}` }, response), undefined)
  }
  t.is(limits.size(), 2_000)
})
