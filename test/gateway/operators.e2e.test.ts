/** Who may look at the console and read the metrics of the gateway, whatever it knows of operators. */
import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import type { Authentication } from '../../gateway/auth/authentication.ts'
import { TOKEN_MARK_HEADER, tokenMark } from '../../shared/http/operators.ts'
import { openMetrics } from '../../shared/metrics/metrics.ts'
import { eventually } from '../support/eventually.ts'
import { parseExposition, toldOf } from '../support/exposition.ts'
import { openReplicas, openShop, problemOf } from '../support/shop/gateway.ts'
import { closeConnection } from '../support/shop/upstream.ts'

const SEEN_MS = 5_000
const bearing = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
const counting = () => openMetrics((source, error) => assert.fail(`${source}: ${error}`))

test('everybody may, where nobody wants a token', async (t) => {
  const { ask } = await openShop(t, { metrics: counting() })
  const { status, headers, text } = await ask('GET', '/metrics')
  t.is(status, 200)
  t.is(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  t.is(toldOf(parseExposition(text), 'shop_gateway_replicas', { service: 'order', condition: 'ready' }), 0)
  for (const path of ['/metrics?x', '/console/state?x', '/events?x', '/live?x', '/ready?x', '/ready?verbose&verbose']) {
    const document = problemOf(t, await ask('GET', path))
    t.deepEqual([document.status, document.type], [400, 'urn:shop:problem:malformed'], path)
  }
  for (const path of ['/?x', '/docs?x', '/openapi.json?x']) t.is((await ask('GET', path)).status, 200, path)
  t.is((await ask('POST', '/metrics')).status, 405)
  t.is((await ask('GET', '/metrics/x')).status, 404)
})

/** What is for operators here. */
const SHOWN = ['/metrics', '/console/state', '/events'] as const

for (const path of SHOWN) {
  test(`${path} is for who bears the token of operators, once the gateway has one, whoever is away`, async (t) => {
    const { ask, origin } = await openShop(t, { metrics: counting(), operatorToken: 'sesame' })
    const { status, headers, body } = await fetch(`${origin}${path}`, bearing('sesame'))
    await body?.cancel()
    t.deepEqual([status, headers.get('cache-control')], [200, 'no-store'])
    const without = await ask('GET', path)
    t.deepEqual([without.status, without.headers['www-authenticate']], [401, 'Bearer'])
    for (const wrong of ['sesam', 'sesame!', 'Sesame', 'ſesame'])
      t.is((await ask('GET', path, bearing(encodeURIComponent(wrong)))).status, 403, wrong)
  })

  test(`${path} is for whom a service knows by its token, where the gateway was given none`, async (t) => {
    const { ask, origin, settled, upstream } = await openReplicas(t, 1, {
      metrics: counting(),
      readyHeaders: { [TOKEN_MARK_HEADER]: tokenMark('sesame') },
    })
    upstream.behave = (response, { headers }) => {
      response.writeHead(headers.authorization === 'Bearer sesame' ? 200 : 403).end()
    }
    await settled()
    await eventually(async () => assert.equal((await ask('GET', path)).status, 401), SEEN_MS)
    t.is((await ask('GET', path, bearing('guessed'))).status, 403)
    const { status, body } = await fetch(`${origin}${path}`, bearing('sesame'))
    await body?.cancel()
    t.is(status, 200)
    upstream.behave = closeConnection
    t.is((await ask('GET', path, bearing('sesame'))).status, 503, 'nobody can know')
  })
}

const asWhat = (t: ExecutionContext, caller: string) => {
  const authentication: Pick<Authentication, 'identify'> = {
    identify: async () => ({ caller, untilMs: Number.POSITIVE_INFINITY }),
  }
  return openShop(t, { metrics: counting(), authentication, operatorToken: 'sesame' })
}

for (const [caller, status] of [
  ['operator root', 200],
  ['merchant shop', 403],
  ['customer anna', 403],
  ['anybody', 401],
] as const)
  test(`where clients say who they are, "${caller}" is answered ${status}`, async (t) => {
    const { ask } = await asWhat(t, caller)
    for (const path of ['/metrics', '/console/state']) {
      const reply = await ask('GET', path)
      t.is(reply.status, status)
      if (status !== 200) t.regex(String(reply.headers['www-authenticate']), /^Bearer/)
    }
  })

test('no headers of a client are taken for who it is, whatever they are called and say', async (t) => {
  const { ask } = await asWhat(t, 'anybody')
  const forged = { 'x-first': 'shop-caller', operator: '1' }
  for (const path of ['/metrics', '/console/state', '/events'])
    t.is((await ask('GET', path, { headers: forged })).status, 401, path)
})

test('a gateway that measures nothing says so', async (t) => {
  const { ask } = await openShop(t, {})
  const reply = await ask('GET', '/metrics')
  t.is(problemOf(t, reply).type, 'urn:shop:problem:metrics-off')
})

test('what is refused, resent or has no row is counted as it was answered', async (t) => {
  const { ask, upstream, settled } = await openReplicas(t, 1, { metrics: counting() })
  await settled()
  t.is((await ask('GET', '/orders/find/1')).status, 200)
  t.is((await ask('GET', '/nowhere')).status, 404)
  t.is((await ask('POST', '/orders', { body: 'x'.repeat(70_000) })).status, 413)
  await eventually(async () => {
    const told = parseExposition((await ask('GET', '/metrics')).text)
    const count = (http_request_method: string, http_route: string, http_response_status_code: string) =>
      toldOf(told, 'http_server_request_duration_seconds_count', {
        http_request_method,
        http_route,
        http_response_status_code,
      })
    assert.equal(count('GET', '/orders/find/{order}', '200'), 1)
    assert.equal(count('GET', '', '404'), 1)
    assert.equal(count('POST', '/orders', '413'), 1)
  }, SEEN_MS)
  t.truthy(upstream)
})
