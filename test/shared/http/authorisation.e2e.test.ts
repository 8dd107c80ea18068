/** Where tokens are wanted, a service listens to its gateway and its peers only, and does what the caller's scope reaches. */
import test from 'ava'
import { request } from 'undici'
import { payment } from '../../../shared/contract/queries.ts'
import { SCOPES } from '../../../shared/http/caller.ts'
import { peer } from '../../../shared/http/client.ts'
import { SECRET_MARK_HEADER, secretMark } from '../../../shared/http/operators.ts'
import type { Route } from '../../../shared/http/route.ts'
import { openMetrics } from '../../../shared/metrics/metrics.ts'
import { openStep } from '../../../shared/process/step.ts'
import { openServiceServer } from '../../support/shop/service-server.ts'

const SECRET = 'what-only-the-gateway-knows'
/** Tells who asks. */
const done: Route['handler'] = async ({ caller }) => ({
  json: { user_id: `${caller?.scope} ${caller?.subject}`, credit: 7 },
})
const routes: readonly Route[] = [
  ...SCOPES.map((scope): Route => ({ method: 'GET', path: `/${scope}`, scope, handler: done })),
  { method: 'GET', path: '/payment/find_user/:user', scope: 'service', handler: done },
]
const closed = await openServiceServer({ routes, auth: 'jwt', gatewaySecret: SECRET, operatorToken: 'sesame' })
const open = await openServiceServer({ routes })
test.after.always(() => Promise.all([closed.close(), open.close()]))

const ask = async (port: number, path: string, headers: Record<string, string | string[]>) => {
  const { statusCode, headers: answered, body } = await request(`http://127.0.0.1:${port}${path}`, { headers })
  const text = await body.text()
  const { type, user_id: said } = (path === '/live' || path === '/ready' ? {} : JSON.parse(text)) as {
    type?: string
    user_id?: string
  }
  return {
    status: statusCode,
    kind: type?.replace('urn:shop:problem:', ''),
    wanted: answered['www-authenticate'],
    said,
  }
}

for (const [what, headers] of Object.entries({
  'no secret': { 'shop-caller': 'operator root' },
  'another secret': { 'shop-gateway': `${SECRET}!`, 'shop-caller': 'operator root' },
  'a part of it': { 'shop-gateway': SECRET.slice(1), 'shop-caller': 'operator root' },
  'an empty one': { 'shop-gateway': '', 'shop-caller': 'operator root' },
  'two of them': { 'shop-gateway': [SECRET, SECRET], 'shop-caller': 'operator root' },
  'the operators’ token': { authorization: 'Bearer sesame' },
  'no caller that there is': { 'shop-gateway': SECRET, 'shop-caller': 'root operator' },
  'two callers': { 'shop-gateway': SECRET, 'shop-caller': ['customer anna', 'operator root'] },
}))
  test(`what bears ${what} is refused, whatever it asks`, async (t) => {
    for (const scope of SCOPES) {
      const { status, kind } = await ask(closed.port, `/${scope}`, headers)
      t.deepEqual([status, kind], [403, 'past-the-gateway'], scope)
    }
  })

test('what there is not is not told past the gateway either', async (t) => {
  t.is((await ask(closed.port, '/nowhere', {})).status, 403)
  t.is((await ask(closed.port, '/nowhere', { 'shop-gateway': SECRET })).status, 404)
})

test('it says by a mark that it listens to its gateway only, and by which secret', async (t) => {
  for (const [{ port }, secret] of [
    [closed, SECRET],
    [open, ''],
  ] as const) {
    const { headers, body } = await request(`http://127.0.0.1:${port}/ready`)
    await body.dump()
    t.is(headers[SECRET_MARK_HEADER], secretMark(secret))
  }
})

test('whether it lives and is ready everybody may ask', async (t) => {
  for (const path of ['/live', '/ready']) t.is((await ask(closed.port, path, {})).status, 200)
})

for (const [has, scope] of SCOPES.entries())
  test(`of ${scope} is done what it reaches, and it is said what else wants`, async (t) => {
    const headers = scope === 'anybody' ? {} : { 'shop-caller': `${scope} an%7cna` }
    for (const [wants, wanted] of SCOPES.entries()) {
      const reply = await ask(closed.port, `/${wanted}`, { 'shop-gateway': SECRET, ...headers })
      if (has >= wants) t.is(reply.status, 200, wanted)
      else if (scope === 'anybody')
        t.deepEqual(reply, { status: 401, kind: 'unauthorised', wanted: 'Bearer', said: undefined }, wanted)
      else
        t.deepEqual(
          reply,
          {
            status: 403,
            kind: 'insufficient-scope',
            wanted: `Bearer error="insufficient_scope", scope="${wanted}"`,
            said: undefined,
          },
          wanted,
        )
    }
  })

test('a route is told who asks, and where tokens are not wanted that nobody knows', async (t) => {
  const headers = { 'shop-gateway': SECRET, 'shop-caller': 'customer an%7cna' }
  t.is((await ask(closed.port, '/customer', headers)).said, 'customer an|na')
  t.is((await ask(open.port, '/service', headers)).said, 'undefined undefined')
})

test('a peer that knows the secret asks as a service', async (t) => {
  const origins = [`http://127.0.0.1:${closed.port}`]
  // All tests of this file ask at once: on a busy machine an answer takes longer than a peer waits for it.
  const user = { params: { user: 'anna' }, timeoutMs: 30_000 }
  const answer = await peer(openStep('test'), 'payment', origins, SECRET).ask(payment.findUser, user)
  t.deepEqual(answer, { json: { user_id: 'service ', credit: 7 } })
  const refused = await peer(openStep('test'), 'payment', origins).ask(payment.findUser, user)
  t.like(refused, { problem: { status: 403 } })
})

/** Asks for metrics as Prometheus does. */
const scrape = async (port: number, token?: string): Promise<number> => {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const { statusCode, body } = await request(`http://127.0.0.1:${port}/metrics`, { headers })
  await body.dump()
  return statusCode
}

test('metrics are for who bears the operators’ token, and for nobody where there is none', async (t) => {
  const measured = () => ({ metrics: openMetrics((source, error) => t.fail(`${source}: ${error}`)) })
  const wishes = { routes, auth: 'jwt', gatewaySecret: SECRET } as const
  const withToken = await openServiceServer({ ...wishes, ...measured(), operatorToken: 'sesame' })
  const without = await openServiceServer({ ...wishes, ...measured() })
  const unmeasured = await openServiceServer({ routes })
  t.teardown(() => Promise.all([withToken.close(), without.close(), unmeasured.close()]))
  t.is(await scrape(withToken.port, 'sesame'), 200)
  t.is(await scrape(withToken.port, 'another'), 403)
  t.is(await scrape(withToken.port), 401)
  t.is(await scrape(without.port, 'sesame'), 403)
  t.is(await scrape(without.port, ''), 403)
  t.is(await scrape(unmeasured.port), 404)
})
