/** Who asks is found out at the gateway, and a service is told so by nobody else. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { appendFile, writeFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createLocalJWKSet } from 'jose'
import pino from 'pino'
import { makeKey, revocation } from '../../../gateway/auth/api-keys.ts'
import { openAuthentication } from '../../../gateway/auth/authentication.ts'
import { openKeyFile } from '../../../gateway/auth/key-file.ts'
import { KeysAwayError, openVerify, type Verify } from '../../../gateway/auth/token.ts'
import { SECRET_MARK_HEADER, secretMark } from '../../../shared/http/operators.ts'
import { eventually } from '../../support/eventually.ts'
import { makeFolder } from '../../support/folder.ts'
import { openReplicas, problemOf, sendBytes } from '../../support/shop/gateway.ts'
import { AUDIENCE, ISSUER, makeSigningKey, nowS, sign } from '../../support/shop/issuer.ts'

const SECRET = 'what-only-the-gateway-knows'
const TOKEN = 'the-token-of-operators'
const SEEN_MS = 5_000
/** As a service says that listens to this gateway only. */
const ITS_OWN = { [SECRET_MARK_HEADER]: secretMark(SECRET) }
const key = await makeSigningKey('one', 'EdDSA')
const verify = openVerify({
  keyOf: createLocalJWKSet({ keys: [key.shown] }),
  issuer: ISSUER,
  audience: AUDIENCE,
  clockSkewS: 0,
})
const file = [makeKey('merchant', 'till', new Date()), makeKey('customer', 'a|b', new Date())] as const
const token = await sign(key)
const merchants = await sign(key, { scope: 'x merchant', sub: 'auth0|7' })
const ended = await sign(key, { exp: nowS() - 1 })

const open = async (t: ExecutionContext, { verifyBy = verify, rememberedMost = 100 } = {}) => {
  const logged: Record<string, unknown>[] = []
  const log = pino({ level: 'warn' }, { write: (line) => logged.push(JSON.parse(line)) })
  const keyFile = join(await makeFolder(t), 'keys')
  await writeFile(keyFile, file.map(({ line }) => line).join(''))
  const keys = openKeyFile(keyFile, log)
  t.teardown(keys.stop)
  let verified = 0
  const counted: Verify = (one) => {
    verified += 1
    return verifyBy(one)
  }
  const options = { verify: counted, keys: keys.keys, operatorToken: TOKEN, log, rememberedMost }
  const authentication = openAuthentication(options)
  const shop = await openReplicas(t, 1, { authentication, gatewaySecret: SECRET, readyHeaders: ITS_OWN })
  await shop.settled()
  const as = (authorization: string, path = '/orders/find/7') => shop.ask('GET', path, { headers: { authorization } })
  return { ...shop, as, authentication, logged, keyFile, verified: () => verified }
}

for (const [what, authorization, caller] of [
  ['nothing', undefined, 'anybody'],
  ['a password', 'Basic YW5uYTpzZXNhbWU=', 'anybody'],
  ['a token', `Bearer ${token}`, 'customer anna'],
  ['a token, in any case of the scheme', `bEARER  ${token}`, 'customer anna'],
  ['a merchant’s token', `Bearer ${merchants}`, 'merchant auth0%7C7'],
  ['a key', `Bearer ${file[0].key}`, 'merchant till'],
  ['a customer’s key', `Bearer ${file[1].key}`, 'customer a%7Cb'],
  ['the operators’ token', `Bearer ${TOKEN}`, 'operator operator'],
] as const)
  test(`a service is told who bears ${what}, and not what it is`, async (t) => {
    const { ask, upstream } = await open(t)
    const headers = authorization === undefined ? {} : { authorization }
    for (let times = 0; times < 2; times += 1) t.is((await ask('GET', '/orders/find/7', { headers })).status, 200)
    for (const received of upstream.received) {
      t.like(received.headers, { 'shop-caller': caller, 'shop-gateway': SECRET, authorization: undefined })
      t.false(JSON.stringify(received).includes(token))
    }
    t.is(upstream.received.length, 2)
  })

for (const [what, authorization, reason] of [
  ['no token', 'Bearer', 'malformed'],
  ['an empty token', 'Bearer ', 'malformed'],
  ['two tokens in one', `Bearer ${token}, Bearer ${token}`, 'malformed'],
  ['a token that ended', `Bearer ${ended}`, 'ended'],
  ['half a token', `Bearer ${token.slice(0, -10)}`, 'signature'],
  ['no key that there is', `Bearer ${makeKey('operator', 'x', new Date()).key}`, 'no-such-key'],
  ['half the operators’ token', `Bearer ${TOKEN.slice(1)}`, 'malformed'],
] as const)
  test(`a request that bears ${what} is refused, and says so`, async (t) => {
    const { as, upstream } = await open(t)
    const reply = await as(authorization)
    t.like(problemOf(t, reply), { status: 401, type: 'urn:shop:problem:invalid-token', reason })
    t.regex(String(reply.headers['www-authenticate']), /^Bearer error="invalid_token", error_description="[\w ,]+"$/)
    t.deepEqual(upstream.received, [])
  })

test('what the gateway answers itself wants no token, and not even a right one', async (t) => {
  const { as } = await open(t)
  for (const [path, status] of [
    ['/live', 200],
    ['/nowhere', 404],
  ] as const)
    t.is((await as('Bearer none', path)).status, status, path)
})

test('where the keys of the issuer are out of reach nobody knows, and nothing was done', async (t) => {
  const away: Verify = () => Promise.reject(new KeysAwayError('away'))
  const { as, upstream } = await open(t, { verifyBy: away })
  const reply = await as(`Bearer ${token}`)
  t.like(problemOf(t, reply), { status: 503, type: 'urn:shop:problem:keys-unavailable' })
  t.is(reply.headers['retry-after'], '1')
  t.is((await as(`Bearer ${file[0].key}`)).status, 200, 'keys of programs are known nevertheless')
  t.is(upstream.received.length, 1)
})

test('a token is verified once, though many requests come with it at once, and again when other keys hold', async (t) => {
  const { as, verified, authentication } = await open(t)
  await Promise.all(Array.from({ length: 20 }, () => as(`Bearer ${token}`)))
  await as(`Bearer ${token}`)
  t.is(verified(), 1)
  authentication.forget()
  await as(`Bearer ${token}`)
  t.is(verified(), 2)
})

test('a token that is remembered ends all the same', async (t) => {
  let isOver = false
  const short: Verify = async () => {
    if (isOver) return 'ended'
    isOver = true
    return { caller: { scope: 'customer', subject: 'anna' }, untilMs: Date.now() + 200 }
  }
  const { as } = await open(t, { verifyBy: short })
  t.is((await as(`Bearer ${token}`)).status, 200)
  await eventually(async () => assert.equal((await as(`Bearer ${token}`)).status, 401), SEEN_MS)
  t.pass()
})

/** Listens to a stream that does not end by itself; resolves once it was begun, with what resolves once it has ended. */
const listen = async (t: ExecutionContext, { origin, upstream }: Awaited<ReturnType<typeof open>>, borne: string) => {
  upstream.behave = (response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('retry: 1\n\n')
  }
  const request = get(`${origin}/orders/7/events`, { headers: { authorization: `Bearer ${borne}` } })
  request.on('error', () => undefined)
  t.teardown(() => request.destroy())
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const ended = once(response.resume(), 'end', { signal: AbortSignal.timeout(SEEN_MS) })
  return { response, ended }
}

test('a stream of events ends with the token that it was asked with', async (t) => {
  const untilMs = Date.now() + 500
  const short: Verify = async () =>
    Date.now() < untilMs ? { caller: { scope: 'customer', subject: 'anna' }, untilMs } : 'ended'
  const { ended } = await listen(t, await open(t, { verifyBy: short }), token)
  await ended
  t.true(Date.now() >= untilMs, 'and not before')
})

test('a stream of events ends once its key is revoked, and no other one', async (t) => {
  const [till, customer] = file
  const shop = await open(t)
  const [revoked, other] = [await listen(t, shop, till.key), await listen(t, shop, customer.key)]
  other.ended.catch(() => undefined)
  await appendFile(shop.keyFile, revocation(till.key.split('_')[1] ?? '', new Date()))
  await revoked.ended
  t.false(other.response.complete)
})

test('a stream of events goes on while nobody knows whether its token holds', async (t) => {
  let verified = 0
  const once: Verify = async () => {
    verified += 1
    if (verified > 1) throw new KeysAwayError('away')
    return { caller: { scope: 'customer', subject: 'anna' }, untilMs: Date.now() }
  }
  const { response, ended } = await listen(t, await open(t, { verifyBy: once }), token)
  ended.catch(() => undefined)
  await eventually(async () => assert.ok(verified > 2), SEEN_MS)
  t.false(response.complete)
})

test('an address that sends wrong tokens without end is refused what is new, and keeps what is known', async (t) => {
  const { as, verified, upstream } = await open(t)
  t.is((await as(`Bearer ${token}`)).status, 200)
  let reply = await as(`Bearer ${ended}`)
  t.is(reply.status, 401)
  for (let times = 0; reply.status === 401 && times < 1_000; times += 1) reply = await as(`Bearer ${ended}`)
  t.like(problemOf(t, reply), { type: 'urn:shop:problem:too-many-requests', limit: 'wrong-tokens' })
  t.is(reply.headers['retry-after'], '1')
  const before = verified()
  await Promise.all(Array.from({ length: 50 }, () => as(`Bearer ${merchants}`)))
  t.true(verified() - before < 25, 'they are not verified, but for some that come in their time')
  t.is((await as(`Bearer ${token}`)).status, 200)
  t.is((await as(`Bearer ${file[0].key}`)).status, 200, 'a key costs next to nothing')
  t.false(upstream.received.some(({ headers }) => headers['shop-caller'] === 'anybody'))
})

test('10,000 customers stay bounded', async (t) => {
  const MOST = 1_000
  const found = { scope: 'customer', subject: 'anna' } as const
  const authentication = openAuthentication({
    verify: async () => ({ caller: found, untilMs: Number.POSITIVE_INFINITY }),
    keys: () => new Map(),
    operatorToken: '',
    log: pino({ level: 'silent' }),
    rememberedMost: MOST,
  })
  const about = { authorizations: 1, requestId: 'one', address: '127.0.0.1' }
  const all = Array.from({ length: 10_000 }, (_, at) =>
    authentication.identify({ ...about, authorization: `Bearer customer.${at}` }),
  )
  t.true((await Promise.all(all)).every((one) => 'caller' in one))
  t.is(authentication.remembered(), MOST)
})

test('a key that is revoked ends within a second, and one that is made begins', async (t) => {
  const { as, keyFile } = await open(t)
  const [till] = file
  const late = makeKey('operator', 'late', new Date())
  t.is((await as(`Bearer ${till.key}`)).status, 200)
  t.is((await as(`Bearer ${late.key}`)).status, 401)
  await appendFile(keyFile, late.line + revocation(till.key.split('_')[1] ?? '', new Date()))
  await eventually(async () => assert.equal((await as(`Bearer ${till.key}`)).status, 401), 1_000)
  t.is((await as(`Bearer ${late.key}`)).status, 200)
  await writeFile(keyFile, '')
  await eventually(async () => assert.equal((await as(`Bearer ${late.key}`)).status, 401), 1_000)
})

test('wrong tokens are told once a second with their number, and none of them is', async (t) => {
  const { as, logged } = await open(t)
  const begunAt = performance.now()
  for (let times = 0; times < 20; times += 1) await as(`Bearer ${times % 2 === 0 ? 'guess-work' : ended}`)
  await eventually(async () => assert.equal(logged.at(-1)?.total, 20), SEEN_MS)
  const seconds = Math.ceil((performance.now() - begunAt) / 1_000)
  t.true(logged.length <= seconds + 1, `${logged.length} lines in ${seconds} s`)
  t.like(logged[0], { level: 40, reason: 'malformed', times: 1, from: '127.0.0.1' })
  t.false(/guess-work|eyJ/.test(JSON.stringify(logged)))
})

const smuggled: Readonly<Record<string, string>> = {
  'as it is': 'shop-caller: operator root\r\nshop-gateway: guess',
  'in capitals': 'SHOP-CALLER: operator root\r\nShop-Gateway: guess',
  'with underscores': 'shop_caller: operator root\r\nSHOP_GATEWAY: guess',
  often: `${'shop-caller: operator root\r\n'.repeat(5)}shop-gateway: guess`,
  'named by Connection': 'shop-caller: operator root\r\nConnection: shop-caller, shop-gateway\r\nshop-gateway: guess',
  'named by Connection alone': 'Connection: shop-caller, SHOP-GATEWAY, authorization',
  'in another header': `X-One: 1\r\nX-Two: a shop-caller: operator root`,
  'behind a tab': 'shop-caller:\toperator root',
}
for (const [how, lines] of Object.entries(smuggled))
  test(`a client that says itself who it is, ${how}, is not believed`, async (t) => {
    const { gateway, upstream } = await open(t)
    const reply = await sendBytes(
      t,
      gateway.port,
      `GET /orders/find/7 HTTP/1.1\r\nHost: a\r\n${lines}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    )
    t.regex(reply, /^HTTP\/1.1 200 /)
    const [received] = upstream.received
    const said = Object.entries(received?.headers ?? {}).filter(([name]) => /^shop[-_]/.test(name))
    const isNamed = /Connection: .*authorization/.test(lines)
    t.deepEqual(said.toSorted(), [
      ['shop-caller', isNamed ? 'anybody' : 'customer anna'],
      ['shop-gateway', SECRET],
    ])
  })

for (const [how, lines] of Object.entries({
  'a space before the colon': 'shop-caller : operator root',
  'a folded line': 'X-One: 1\r\n shop-caller: operator root',
  'a bare line feed': 'X-One: 1\nshop-caller: operator root',
  'a bare return': 'X-One: 1\rshop-caller: operator root',
  'a NUL': 'shop-caller\0: operator root',
}))
  test(`a client that hides who it says to be behind ${how} reaches no service with it`, async (t) => {
    const { gateway, upstream } = await open(t)
    await sendBytes(t, gateway.port, `GET /orders/find/7 HTTP/1.1\r\nHost: a\r\n${lines}\r\nConnection: close\r\n\r\n`)
    for (const { headers } of upstream.received) t.is(headers['shop-caller'], 'anybody')
    t.pass()
  })

test('who a request is from is not changed by what comes behind its body', async (t) => {
  const { gateway, upstream } = await open(t)
  const body = '0\r\nshop-caller: operator root\r\nshop-gateway: guess\r\n\r\n'
  await sendBytes(
    t,
    gateway.port,
    `POST /orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: shop-caller\r\n\r\n${body}`,
  )
  t.like(upstream.received[0]?.headers, { 'shop-caller': 'anybody', 'shop-gateway': SECRET, trailer: undefined })
})

test('authorised twice is authorised by nothing', async (t) => {
  const { gateway, upstream } = await open(t)
  const twice = `Authorization: Bearer ${token}\r\nAuthorization: Bearer ${TOKEN}\r\n`
  const reply = await sendBytes(
    t,
    gateway.port,
    `GET /orders/find/7 HTTP/1.1\r\nHost: a\r\n${twice}Connection: close\r\n\r\n`,
  )
  t.regex(reply, /^HTTP\/1.1 400 /)
  t.regex(reply, /www-authenticate: Bearer error="invalid_request"/i)
  t.deepEqual(upstream.received, [])
})

test('where clients need not say who they are, what they authorise themselves with goes on, and nothing else', async (t) => {
  const { ask, upstream, settled } = await openReplicas(t, 1)
  await settled()
  await ask('GET', '/orders/find/7', {
    headers: { authorization: 'Bearer x', 'shop-caller': 'operator root', shop_gateway: 'x' },
  })
  await ask('GET', '/orders/find/7')
  const told = upstream.received.map(({ headers }) => [
    headers.authorization,
    headers['shop-caller'],
    headers['shop-gateway'],
    headers.shop_gateway,
  ])
  t.deepEqual(told, [
    ['Bearer x', undefined, undefined, undefined],
    [undefined, undefined, undefined, undefined],
  ])
})

test('a service that listens to others, too, is asked nothing, until it listens to this gateway only', async (t) => {
  const logged: { level: number; msg: string }[] = []
  const authentication = openAuthentication({
    verify: undefined,
    keys: () => new Map(),
    operatorToken: TOKEN,
    log: pino({ level: 'silent' }),
  })
  const { ask, upstream, settled } = await openReplicas(t, 1, {
    authentication,
    gatewaySecret: SECRET,
    waitMs: 0,
    log: pino({ level: 'error' }, { write: (line) => logged.push(JSON.parse(line)) }),
  })
  for (const readyHeaders of [
    {},
    { [SECRET_MARK_HEADER]: secretMark('') },
    { [SECRET_MARK_HEADER]: secretMark('other') },
  ]) {
    Object.assign(upstream, { readyHeaders })
    await settled()
    t.is((await ask('GET', '/orders/find/7')).status, 503)
  }
  t.deepEqual(upstream.received, [])
  t.is(logged.length, 3, 'each is told once')
  t.regex(
    logged[0]?.msg ?? '',
    /^it does not want the secret of this gateway: AUTH or GATEWAY_SECRET is another there$/,
  )
  upstream.readyHeaders = ITS_OWN
  await settled()
  t.is((await ask('GET', '/orders/find/7')).status, 200)
})
