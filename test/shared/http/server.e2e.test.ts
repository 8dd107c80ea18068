import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import pino from 'pino'
import * as v from 'valibot'
import { identifier, integer } from '../../../shared/contract/fields.ts'
import { MalformedError, PeerError, UnavailableError } from '../../../shared/errors.ts'
import { type Problem, problem } from '../../../shared/http/problem.ts'
import { keyReused } from '../../../shared/http/problems.ts'
import type { Check } from '../../../shared/http/readiness.ts'
import { type Route, routes } from '../../../shared/http/route.ts'
import type { HttpServer, HttpServerOptions } from '../../../shared/http/server.ts'
import { eventually } from '../../support/eventually.ts'
import { openServiceServer } from '../../support/shop/service-server.ts'

/** A line comes once a second. */
const TOLD_MS = 10_000
const REFUSED = 100
const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0)

type Answer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly isReused: boolean
}
type Ask = { readonly headers?: Record<string, string | string[]>; readonly body?: string; readonly agent?: Agent }
type House = {
  readonly server: HttpServer
  readonly ask: (method: string, path: string, ask?: Ask) => Promise<Answer>
  /** What was logged, as JSON. */
  readonly logged: string[]
}

const get = (path: string, handler: Route['handler']): Route => ({ method: 'GET', path, scope: 'anybody', handler })
const post = (path: string, handler: Route['handler']): Route => ({ method: 'POST', path, scope: 'anybody', handler })

const openHouse = async (
  t: ExecutionContext,
  routes: readonly Route[],
  options: Partial<HttpServerOptions> = {},
): Promise<House> => {
  const logged: string[] = []
  const server = await openServiceServer({
    routes,
    log: pino({ level: 'debug' }, { write: (line) => logged.push(line) }),
    ...options,
  })
  const ask: House['ask'] = async (method, path, { headers = {}, body, agent = new Agent() } = {}) => {
    const request = httpRequest({ host: '127.0.0.1', port: server.port, method, path, headers, agent })
    request.end(body)
    const [response] = await once(request, 'response')
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += chunk
    return { status: response.statusCode, headers: response.headers, text, isReused: request.reusedSocket }
  }
  t.teardown(server.close)
  return { server, ask, logged }
}

const documentOf = (t: ExecutionContext, { status, headers, text }: Answer): Problem => {
  t.is(headers['content-type'], 'application/problem+json')
  const document: Problem = JSON.parse(text)
  t.is(document.status, status)
  t.regex(document.type, /^urn:shop:problem:[a-z-]+$/)
  t.true(document.title !== '' && document.detail !== '')
  return document
}

const throwing = (error: Error): Route => get('/fails', () => Promise.reject(error))
const done = async () => ({ text: 'done' })

test('under a key a request is the same by what its query says, however that is written', async (t) => {
  const { ask } = await openHouse(t, [post('/paint', async ({ fingerprint }) => ({ text: fingerprint }))])
  const headers = { 'Idempotency-Key': 'a-key' }
  const of = async (query: string) => (await ask('POST', `/paint${query}`, { headers })).text
  const said = await of('?coats=2&colour=dark%20red')
  for (const written of ['?colour=dark+red&coats=2', `?colour=%64ark%20red&coats=2${'&'.repeat(9_000)}`])
    t.is(await of(written), said)
  t.is(await of('?&'), 'POST /paint')
  for (const other of ['', '?coats=2', '?coats=3&colour=dark+red']) t.not(await of(other), said)
})

test('a route answers a text, a JSON value or a problem, with its headers', async (t) => {
  const { ask } = await openHouse(t, [
    get('/text', async () => ({ text: 'yes', headers: { 'X-Own': 'a' } })),
    get('/json', async () => ({ json: { a: [1] } })),
    get('/problem', async () => ({
      problem: problem(402, 'poor', 'Poor', 'too poor', { by: 3 }),
      headers: { 'Retry-After': '1' },
    })),
  ])
  const text = await ask('GET', '/text')
  t.deepEqual(
    [text.status, text.text, text.headers['content-type'], text.headers['x-own']],
    [200, 'yes', 'text/plain; charset=utf-8', 'a'],
  )
  const json = await ask('GET', '/json')
  t.deepEqual(
    [json.status, json.text, json.headers['content-type']],
    [200, '{"a":[1]}', 'application/json; charset=utf-8'],
  )
  const refused = await ask('GET', '/problem')
  t.is(refused.headers['retry-after'], '1')
  t.deepEqual(documentOf(t, refused), {
    type: 'urn:shop:problem:poor',
    title: 'Poor',
    status: 402,
    detail: 'too poor',
    by: 3,
  })
})

test('clients of older back ends read in `error` what was refused, returned or thrown', async (t) => {
  const poor = problem(402, 'too-poor', 'Poor', 'she is poor')
  const refusing = async () => ({ problem: poor })
  const { ask } = await openHouse(t, [
    { ...get('/none', refusing) },
    { ...get('/sentence', refusing), error: 'sentence' },
    { ...get('/word', refusing), error: 'word' },
    { ...throwing(new MalformedError('amount', 'too round')), error: 'sentence' },
  ])
  const errorOf = async (path: string) => documentOf(t, await ask('GET', path)).error
  t.deepEqual(await Promise.all(['/none', '/sentence', '/word', '/fails'].map(errorOf)), [
    undefined,
    'she is poor',
    'too_poor',
    'too round',
  ])
})

test('a feature that is switched off is refused before its body is read, and only as long as it is', async (t) => {
  const off = new Set(['make'])
  let made = 0
  const make: Route = {
    ...post('/cups', async () => {
      made += 1
      return { text: 'made' }
    }),
    feature: 'make',
    error: 'sentence',
  }
  const { ask } = await openHouse(t, [make, get('/cups', done)], { isOff: (feature) => off.has(feature) })
  const refused = await ask('POST', '/cups', { body: 'no form that is known' })
  const { status, type, feature, error } = documentOf(t, refused)
  t.deepEqual([status, type, feature], [503, 'urn:shop:problem:feature-off', 'make'])
  t.is(error, '"make" is switched off; nothing was done')
  t.is(refused.headers['retry-after'], '1')
  t.is((await ask('GET', '/cups')).status, 200)
  off.clear()
  t.deepEqual([made, (await ask('POST', '/cups')).status, made], [0, 200, 1])
})

test('where there is no room nothing new is begun; what is there can be looked at, changed, given up, and seen to', async (t) => {
  let isFull = true
  const counted: string[] = []
  const of = (method: Route['method'], others: Partial<Route> = {}): Route => ({
    method,
    path: `/${method}/${Object.values(others).join('-')}`.toLowerCase(),
    scope: 'anybody',
    handler: async () => {
      counted.push(method)
      return { text: 'done' }
    },
    ...others,
  })
  const begins = [of('POST'), of('PUT'), of('POST', { scope: 'customer' })]
  const others = [
    of('GET'),
    of('PATCH'),
    of('DELETE'),
    of('POST', { scope: 'operator' }),
    of('PUT', { scope: 'service' }),
  ]
  const ends = of('POST', { endsThings: true })
  const { ask } = await openHouse(t, [...begins, ...others, ends], { isFull: () => isFull })
  for (const { method, path } of begins) {
    const refused = await ask(method, path, { body: 'no form that is known' })
    t.deepEqual([documentOf(t, refused).type, refused.status], ['urn:shop:problem:no-room', 503], path)
    t.is(refused.headers['retry-after'], '10')
  }
  t.deepEqual(counted, [])
  for (const { method, path } of [...others, ends]) t.is((await ask(method, path)).status, 200, path)
  isFull = false
  for (const { method, path } of begins) t.is((await ask(method, path)).status, 200, path)
})

test('a malformed request: 400 that names the field', async (t) => {
  const { ask } = await openHouse(t, [throwing(new MalformedError('amount', 'too round'))])
  const document = documentOf(t, await ask('GET', '/fails'))
  t.deepEqual([document.status, document.field, document.detail], [400, 'amount', 'too round'])
})

test('the world is away: 503 with when to come again and where to ask, and the cause only in the log', async (t) => {
  const cause = new Error('connect ECONNREFUSED 10.0.0.1')
  const { ask, logged } = await openHouse(t, [
    throwing(new UnavailableError('no answer', { cause, location: '/orders/find/7' })),
  ])
  const answer = await ask('GET', '/fails')
  t.is(documentOf(t, answer).status, 503)
  t.deepEqual([answer.headers['retry-after'], answer.headers.location], ['1', '/orders/find/7'])
  t.false(answer.text.includes('ECONNREFUSED'))
  t.true(logged.some((line) => line.includes('ECONNREFUSED')))
})

test('the world is away, and it is not known what was done: the client is told how to be sure', async (t) => {
  const away = new UnavailableError('no answer')
  const lost = new UnavailableError('no connection', { nothingDone: true })
  const rejecting = (path: string, error: Error): Route => ({
    ...post(path, () => Promise.reject(error)),
    shownAt: '/find/:id',
  })
  const { ask } = await openHouse(t, [
    throwing(away),
    rejecting('/do/:id/:n', away),
    rejecting('/lose/:id/:n', lost),
    rejecting('/break/:id/:n', new TypeError('broken')),
  ])
  const read = documentOf(t, await ask('GET', '/fails'))
  t.is(read.detail, 'no answer; ask again')
  const plain = await ask('POST', '/do/7/1')
  t.regex(documentOf(t, plain).detail, /^no answer; it may or may not have been done.*look before you send it again/)
  t.is(plain.headers.location, '/find/7')
  for (const name of ['%E6%97%A5', 'a%2Fb', 'a%3Fb%20c']) {
    const odd = await ask('POST', `/do/${name}/1`)
    t.deepEqual([documentOf(t, odd).status, odd.headers.location], [503, `/find/${name}`])
  }
  const keyed = await ask('POST', '/do/7/1', { headers: { 'Idempotency-Key': 'a' } })
  t.regex(documentOf(t, keyed).detail, /may or may not have been done.*under the same Idempotency-Key/)
  const nothing = await ask('POST', '/lose/7/1')
  t.deepEqual([documentOf(t, nothing).type, nothing.headers.location], ['urn:shop:problem:not-done', undefined])
  t.is(documentOf(t, nothing).detail, 'no connection; nothing was done, send it again later')
  t.is(nothing.headers['retry-after'], '1')
  t.regex(documentOf(t, await ask('POST', '/break/7/1')).detail, /may or may not have been done/)
})

test('a peer that had to be asked does not answer: 424', async (t) => {
  const { ask } = await openHouse(t, [throwing(new PeerError('next door does not answer'))])
  const document = documentOf(t, await ask('GET', '/fails'))
  t.deepEqual([document.status, document.detail], [424, 'next door does not answer; nothing was done'])
})

test('of requests that fail for the same, at whatever rate, one a second is logged, with the number of the others', async (t) => {
  const { ask, logged } = await openHouse(t, [
    get('/away', () => Promise.reject(new UnavailableError('no answer (find)'))),
    get('/silent', () => Promise.reject(new PeerError('next door does not answer'))),
  ])
  const told = (path: string, level: number): number[] =>
    logged
      .map((line) => JSON.parse(line))
      .flatMap((line) => (line.path === path && line.level === level ? [line.times] : []))
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const begun = performance.now()
  for (let times = 0; times < REFUSED; times += 1) {
    await ask('GET', '/away', { agent })
    await ask('GET', '/silent', { agent })
  }
  for (const path of ['/away', '/silent']) {
    await eventually(async () => {
      assert.equal(sum(told(path, 40)), REFUSED)
    }, TOLD_MS)
    t.true(told(path, 40).length <= 2 + (performance.now() - begun) / 1_000)
    t.deepEqual(told(path, 30), [], 'and told once')
  }
})

test('a fault of the program: 500 that tells nothing, and the whole of it in the log', async (t) => {
  const { ask, logged } = await openHouse(t, [throwing(new TypeError('secret of the house'))])
  const answer = await ask('GET', '/fails')
  t.is(documentOf(t, answer).status, 500)
  t.false(answer.text.includes('secret'))
  t.true(logged.some((line) => line.includes('secret of the house')))
})

test('an unknown path: 404', async (t) => {
  const { ask } = await openHouse(t, [get('/known/:id', done)])
  for (const path of ['/', '/known', '/known/', '/known/a/b', '/other'])
    t.is(documentOf(t, await ask('GET', path)).status, 404, path)
})

test('a method that a path does not take: 405 with those it takes', async (t) => {
  const { ask } = await openHouse(t, [get('/both/:id', done), post('/both/:id', done), post('/one/:id', done)])
  for (const [method, path, allowed] of [
    ['DELETE', '/both/7', 'GET, POST'],
    ['GET', '/one/7', 'POST'],
    ['HEAD', '/one/7', 'POST'],
    ['PUT', '/one/7', 'POST'],
  ] as const) {
    const answer = await ask(method, path)
    t.deepEqual([answer.status, answer.headers.allow], [405, allowed], `${method} ${path}`)
  }
  t.is(documentOf(t, await ask('PUT', '/both/7')).status, 405)
})

test('HEAD: what GET answers, without the body', async (t) => {
  const { ask } = await openHouse(t, [get('/text', async () => ({ text: 'four' }))])
  const answer = await ask('HEAD', '/text')
  t.deepEqual([answer.status, answer.text, answer.headers['content-length']], [200, '', '4'])
})

const row = {
  method: 'GET',
  summary: '',
  answers: { 200: { text: '' } },
  problems: [],
  repeatable: 'as-it-is',
  scope: 'anybody',
} as const
const number = { ...row, path: '/number/{n}', params: { n: integer(1) } } as const
const numbers = routes({ number }, { number: async ({ params: { n } }) => ({ text: String(n) }) })
test('what is no amount from 1 is refused, never rounded', async (t) => {
  const { ask } = await openHouse(t, numbers)
  const others = '1e3 1.5 -0 -1 +1 01 0 0x1 9007199254740993 9007199254740992 99999999999999999999 NaN one 1,000'
  for (const value of [...others.split(' '), '%201', '1%20', '%D9%A1']) {
    const document = documentOf(t, await ask('GET', `/number/${value}`))
    t.deepEqual([document.status, document.field], [400, 'n'], value)
  }
})
test('an amount may be anything up to the last whole number', async (t) => {
  const { ask } = await openHouse(t, numbers)
  for (const value of ['1', '10', '9007199254740991']) t.is((await ask('GET', `/number/${value}`)).text, value)
})

const name = { ...row, path: '/name/{id}', params: { id: identifier } } as const
const names = routes({ name }, { name: async ({ params: { id } }) => ({ text: id }) })
test('what is no identifier is refused', async (t) => {
  const { ask } = await openHouse(t, names)
  for (const value of ['a%20b', 'a:b', '%00', '..%2F', 'x'.repeat(65), '%C3%A4', 'a%0A', '*']) {
    const document = documentOf(t, await ask('GET', `/name/${value}`))
    t.deepEqual([document.status, document.field], [400, 'id'], value)
  }
})
test('a path that is percent-encoded wrongly is refused, before its identifier is looked at', async (t) => {
  const { ask } = await openHouse(t, names)
  for (const value of ['%E4', '%E0%A4%A', 'a%']) {
    const document = documentOf(t, await ask('GET', `/name/${value}`))
    t.deepEqual([document.status, document.field], [400, 'path'], value)
  }
})
test('an identifier is up to 64 letters, digits, "_" and "-"', async (t) => {
  const { ask } = await openHouse(t, names)
  for (const value of ['a', 'V1StGXR8_Z5jdHi6B-myT', '-', '0', 'x'.repeat(64)])
    t.is((await ask('GET', `/name/${value}`)).text, value)
})

const page = {
  ...row,
  path: '/page',
  query: { after: v.optional(integer(1)), dry_run: v.optional(v.string()) },
} as const
test('a parameter of a query that the row does not name is refused, and one that is given twice; and nothing is done', async (t) => {
  let handled = 0
  const handlers = {
    page: async ({ query: { after = 0 } }: { readonly query: { readonly after?: number | undefined } }) => {
      handled += 1
      return { text: String(after) }
    },
    number: async () => {
      handled += 1
      return { text: '' }
    },
  }
  const { ask } = await openHouse(t, routes({ page, number }, handlers))
  t.is((await ask('GET', '/page')).text, '0')
  t.is((await ask('GET', '/page?')).text, '0')
  t.is((await ask('GET', '/page?after=5')).text, '5')
  t.is((await ask('GET', '/page?%61fter=5&dry_run=')).text, '5')
  const known = 'is no parameter of a query here, which takes "after", "dry_run"'
  const long = 'x'.repeat(65)
  for (const [path, field, detail] of [
    ['/page?after=5&after=6', 'after', '"after" may be given once'],
    ['/page?dryRun=true', 'dryRun', `"dryRun" ${known}`],
    ['/page?after=5&dry-run=true', 'dry-run', `"dry-run" ${known}`],
    ['/page?After=5', 'After', `"After" ${known}`],
    ['/page?after[]=5', 'after[]', `"after[]" ${known}`],
    ['/page?=5', '', `"" ${known}`],
    ['/page?%E4', '\ufffd', `"\ufffd" ${known}`],
    ['/page?__proto__=1', '__proto__', `"__proto__" ${known}`],
    ['/page?hasOwnProperty', 'hasOwnProperty', `"hasOwnProperty" ${known}`],
    [`/page?${long}`, long.slice(1), `"${long.slice(1)}" ${known}`],
    ['/number/7?n=8', 'n', '"n" is no parameter of a query here, which takes none'],
    ['/live?n', 'n', '"n" is no parameter of a query here, which takes none'],
    ['/ready?verbos', 'verbos', '"verbos" is no parameter of a query here, which takes "verbose"'],
    ['/ready?verbose&verbose', 'verbose', '"verbose" may be given once'],
  ] as const) {
    const document = documentOf(t, await ask('GET', path))
    t.deepEqual([document.status, document.type], [400, 'urn:shop:problem:malformed'], path)
    t.deepEqual([document.field, document.detail], [field, detail], path)
  }
  t.is(handled, 4)
})

const asked = (name: string) => async () => ({ text: name })
const things: readonly Route[] = [
  get('/things/:thing', asked('a thing')),
  post('/things/:thing', asked('a thing is done')),
  get('/things/logs', asked('logs')),
  post('/things/run', asked('run')),
  post('/things/make/:kind', asked('made')),
  get('/things/:thing/parts', asked('parts')),
]
for (const [what, all] of [
  ['first', things],
  ['last', things.toReversed()],
] as const)
  test(`a parameter stands for no word that another route has in its place, whichever comes ${what}`, async (t) => {
    const { ask } = await openHouse(t, all)
    for (const [method, path, text] of [
      ['GET', '/things/7', 'a thing'],
      ['POST', '/things/7', 'a thing is done'],
      ['GET', '/things/logs', 'logs'],
      ['GET', '/things/log', 'a thing'],
      ['GET', '/things/lo%67s', 'a thing'],
      ['POST', '/things/run', 'run'],
      ['POST', '/things/make/7', 'made'],
      ['GET', '/things/7/parts', 'parts'],
    ] as const)
      t.is((await ask(method, path)).text, text, `${method} ${path}`)
    for (const [method, path, allow] of [
      ['POST', '/things/logs', 'GET'],
      ['GET', '/things/run', 'POST'],
      ['PUT', '/things/7', 'GET, POST'],
      ['GET', '/things/make/parts', 'POST'],
    ] as const) {
      const refused = await ask(method, path)
      t.is(refused.status, 405, `${method} ${path}`)
      t.deepEqual(String(refused.headers.allow).split(', ').toSorted(), allow.split(', '))
    }
    for (const path of ['/things/make', '/things', '/things/logs/parts'])
      t.is(documentOf(t, await ask('GET', path)).type, 'urn:shop:problem:no-such-route', path)
  })

test('what no route takes but for its case or a slash at its end is told what to ask for, if that is certain', async (t) => {
  const { ask } = await openHouse(t, [...things, get('/things/addPart/:thing', asked('added'))])
  for (const [path, meant] of [
    ['/things/7/', '/things/7'],
    ['/things/logs/', '/things/logs'],
    ['/things/Logs/', '/things/Logs'],
    ['/things/Abc/Parts', '/things/Abc/parts'],
    ['/things/addpart/Abc', '/things/addPart/Abc'],
    ['/THINGS/MAKE/Abc/', '/things/make/Abc'],
    ['/things/a%2Fb/Parts', '/things/a%2Fb/parts'],
  ] as const) {
    const { type, detail } = documentOf(t, await ask('GET', path))
    t.is(type, 'urn:shop:problem:no-such-route')
    t.true(detail.endsWith(` has no ${path}; ask for ${meant}`), detail)
  }
  for (const path of ['/Things/Logs', '/things/', '/things', '/things/7//', '/thing/7', `/things/${'a'.repeat(300)}/`])
    t.regex(documentOf(t, await ask('GET', path)).detail, /; \/docs of the gateway shows what there is$/, path)
})

test('nobody on the way keeps what is shown, unless its route says otherwise', async (t) => {
  const { ask } = await openHouse(t, [
    get('/mine', done),
    get('/kept', async () => ({ text: 'kept', headers: { 'Cache-Control': 'no-cache' } })),
    throwing(new MalformedError('amount', 'too round')),
  ])
  for (const [path, kept] of [
    ['/mine', 'no-store'],
    ['/kept', 'no-cache'],
    ['/fails', 'no-store'],
    ['/nowhere', 'no-store'],
  ] as const)
    for (const method of ['GET', 'HEAD']) t.is((await ask(method, path)).headers['cache-control'], kept, path)
})

test('a client that has seen what is answered is told so: 304', async (t) => {
  const headers = { ETag: '"3"', 'Cache-Control': 'no-store' }
  const { ask } = await openHouse(t, [
    get('/seen', async () => ({ json: { a: 1 }, headers })),
    post('/do', async () => ({ json: { a: 1 }, headers })),
    get('/refused', async () => ({ problem: problem(404, 'gone', 'Gone', 'gone'), headers })),
  ])
  const if304 = (tag: string) => ({ headers: { 'If-None-Match': tag } })
  for (const tag of ['"3"', 'W/"3"', '"2", "3"', '*']) {
    const reply = await ask('GET', '/seen', if304(tag))
    t.deepEqual([reply.status, reply.text, reply.headers.etag], [304, '', '"3"'], tag)
    t.is(reply.headers['cache-control'], 'no-store')
  }
  for (const tag of ['"2"', '3', '"33"', '']) t.is((await ask('GET', '/seen', if304(tag))).status, 200, tag)
  // As `fetch` sends it, and as one does that gives a date too, which is to be ignored then.
  for (const more of [{ 'Cache-Control': 'no-cache' }, { 'If-Modified-Since': 'Sat, 28 Nov 2026 04:17:00 GMT' }])
    t.is((await ask('GET', '/seen', { headers: { 'If-None-Match': '"3"', ...more } })).status, 304)
  t.is((await ask('POST', '/do', if304('"3"'))).status, 200)
  t.is((await ask('GET', '/refused', if304('"3"'))).status, 404)
})

/** The two ways to send a body. */
const framings = (body: string): readonly Ask[] => [
  { body, headers: { 'Content-Length': String(Buffer.byteLength(body)) } },
  { body, headers: { 'Transfer-Encoding': 'chunked' } },
]

test('a body of 2,000 bytes and more is refused, whatever is in it', async (t) => {
  const { ask } = await openHouse(t, [post('/do', done)])
  for (const size of [2_000, 100_000, 5_000_000])
    for (const framed of framings(' '.repeat(size))) {
      const document = documentOf(t, await ask('POST', '/do', framed))
      t.deepEqual([document.status, document.field], [400, 'body'], String(size))
    }
})

test('no route takes a body: one that says something is refused before anything is done', async (t) => {
  let times = 0
  const { ask } = await openHouse(t, [
    post('/do', async () => {
      times += 1
      return { text: 'done' }
    }),
  ])
  for (const body of ['{"amount":5}', 'amount=5', '[]', '0', `"${'x'.repeat(100)}"`, `${' '.repeat(5_000)}1`])
    for (const framed of framings(body)) t.is(documentOf(t, await ask('POST', '/do', framed)).field, 'body', body)
  t.is(times, 0)
  const empty = ['', '{}', ' { } ', 'null', '""']
  for (const body of empty)
    for (const framed of framings(body)) t.is((await ask('POST', '/do', framed)).status, 200, body)
  t.is(times, 2 * empty.length)
})

const keys = post('/do/:id', async ({ idempotencyKey, fingerprint }) => ({ json: { idempotencyKey, fingerprint } }))
test('Idempotency-Key: is handed on with the request in one line', async (t) => {
  const { ask } = await openHouse(t, [keys])
  const plain = await ask('POST', '/do/7')
  t.deepEqual(JSON.parse(plain.text), { fingerprint: 'POST /do/7' })
  const keyed = await ask('POST', '/do/7', { headers: { 'Idempotency-Key': '"a-key!~"' } })
  t.deepEqual(JSON.parse(keyed.text), { idempotencyKey: '"a-key!~"', fingerprint: 'POST /do/7' })
})
test('Idempotency-Key: up to 128 letters and signs without blanks, said once; anything else is malformed', async (t) => {
  const { ask } = await openHouse(t, [keys])
  const long = 'x'.repeat(129)
  for (const key of ['', ' ', 'two words', long, 'tab\there', 'schlüssel', ['a', 'b'], ['a', 'a'], ['', 'a']]) {
    const document = documentOf(t, await ask('POST', '/do/7', { headers: { 'Idempotency-Key': key } }))
    t.deepEqual([document.status, document.field], [400, 'Idempotency-Key'], String(key))
  }
})
test('Idempotency-Key: used for another request is 422', async (t) => {
  const { ask } = await openHouse(t, [post('/do/:id', async () => ({ problem: keyReused() }))])
  t.is(documentOf(t, await ask('POST', '/do/7')).status, 422)
})

test('X-Request-Id comes back as it went in', async (t) => {
  const { ask } = await openHouse(t, [get('/text', done)])
  t.is((await ask('GET', '/text', { headers: { 'X-Request-Id': 'req-1' } })).headers['x-request-id'], 'req-1')
  t.is((await ask('GET', '/nowhere', { headers: { 'X-Request-Id': 'req-2' } })).headers['x-request-id'], 'req-2')
  t.is((await ask('GET', '/text')).headers['x-request-id'], undefined)
})

test('the gateway is not told what it says itself: which request it is, what time it is, and that the connection is kept', async (t) => {
  const { ask } = await openHouse(t, [get('/text', done)])
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const headers = { 'X-Request-Id': 'req-1', 'X-Forwarded-For': '127.0.0.1' }
  for (const isReused of [false, true]) {
    const answer = await ask('GET', '/text', { headers, agent })
    t.deepEqual([answer.status, answer.text, answer.isReused], [200, 'done', isReused])
    t.deepEqual(Object.keys(answer.headers).toSorted(), ['cache-control', 'content-length', 'content-type'])
  }
})

const operators: readonly Route[] = [{ ...get('/log', done), scope: 'operator' }, get('/find', done)]
test('an operator’s route is open as long as no token is set', async (t) => {
  const { ask } = await openHouse(t, operators)
  t.is((await ask('GET', '/log')).status, 200)
})
test('an operator’s route: 401 without a token, 403 with another, and served with the right one', async (t) => {
  const { ask } = await openHouse(t, operators, { operatorToken: 'sesame' })
  const as = (authorization?: string): Promise<Answer> =>
    ask('GET', '/log', authorization === undefined ? {} : { headers: { Authorization: authorization } })
  for (const none of [undefined, '', 'Basic c2VzYW1l', 'sesame', 'Bearer']) {
    const answer = await as(none)
    t.is(documentOf(t, answer).status, 401, none)
    t.is(answer.headers['www-authenticate'], 'Bearer')
  }
  for (const other of ['Bearer Sesame', 'Bearer sesam', 'Bearer sesamee', 'Bearer sesame sesame'])
    t.is(documentOf(t, await as(other)).status, 403, other)
  t.is((await as('Bearer sesame')).text, 'done')
  t.is((await as('bearer sesame')).text, 'done')
  t.is((await ask('GET', '/find')).text, 'done', 'everybody else’s routes stay open')
})

test('/live answers while the process runs; /ready says what is missing; other routes are served meanwhile', async (t) => {
  const wrongs: Partial<Record<Check['grade'], string>> = { blocks: 'its own Redis is away' }
  const checks = (): Check[] =>
    (['blocks', 'impairs', 'warns'] as const).map((grade) => ({ name: grade, grade, wrong: wrongs[grade] }))
  const { ask } = await openHouse(t, [get('/text', done)], { checks })
  t.is((await ask('GET', '/live')).text, 'live')
  const ready = documentOf(t, await ask('GET', '/ready'))
  t.deepEqual([ready.status, ready.detail], [503, 'its own Redis is away'])
  t.is((await ask('GET', '/text')).status, 200)
  delete wrongs.blocks
  t.deepEqual([(await ask('GET', '/ready')).status, (await ask('GET', '/ready')).text], [200, 'ready'])
  Object.assign(wrongs, { impairs: 'no memory is left', warns: 'little room is left' })
  const impaired = documentOf(t, await ask('GET', '/ready'))
  t.deepEqual([impaired.status, impaired.type], [503, 'urn:shop:problem:impaired'])
  t.is(impaired.detail, 'no memory is left')
  t.is((await ask('GET', '/text')).status, 200)
})

test('a warning leaves a service ready; /ready?verbose lists every check, whatever they find', async (t) => {
  const checks: Check[] = [
    { name: 'own-redis', grade: 'blocks', wrong: undefined },
    { name: 'room', grade: 'warns', wrong: 'little room is left' },
  ]
  const { ask } = await openHouse(t, [], { checks: () => checks })
  t.is((await ask('GET', '/ready')).text, 'ready')
  const list = [
    { name: 'own-redis', grade: 'blocks', wrong: null },
    { name: 'room', grade: 'warns', wrong: 'little room is left' },
  ]
  t.deepEqual(JSON.parse((await ask('GET', '/ready?verbose')).text), { ready: true, checks: list })
  checks.push({ name: 'log', grade: 'impairs', wrong: 'it cannot be heard' })
  const told = documentOf(t, await ask('GET', '/ready?verbose'))
  t.deepEqual([told.status, told.detail], [503, 'it cannot be heard'])
  t.deepEqual(told.checks, [...list, { name: 'log', grade: 'impairs', wrong: 'it cannot be heard' }])
})

test('connections are kept open for longer than any gateway in front keeps them', async (t) => {
  const { ask } = await openHouse(t, [get('/text', done)])
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const first = await ask('GET', '/text', { agent })
  t.is(first.headers['keep-alive'], 'timeout=65')
  const second = await ask('GET', '/text', { agent })
  t.deepEqual([first.isReused, second.isReused], [false, true])
})

/** A route whose request is inside until it is let out. */
const slow = () => {
  const entered = Promise.withResolvers<void>()
  const leave = Promise.withResolvers<void>()
  const route = post('/slow', async () => {
    entered.resolve()
    await leave.promise
    return { text: 'finished' }
  })
  return { route, entered: entered.promise, leave: leave.resolve }
}

test('a draining server turns away what comes, before it has any effect, and finishes what is in flight', async (t) => {
  const { route, entered, leave } = slow()
  let times = 0
  const counted = post('/do', async () => {
    times += 1
    return { text: 'done' }
  })
  const { server, ask } = await openHouse(t, [route, counted], { drainMs: 1_500 })
  const inside = ask('POST', '/slow')
  await entered
  const closed = server.close()
  const [turned, ready, live] = await Promise.all([ask('POST', '/do'), ask('GET', '/ready'), ask('GET', '/live')])
  t.is(documentOf(t, turned).status, 503)
  t.truthy(turned.headers['x-not-started'])
  t.deepEqual([turned.headers['retry-after'], turned.headers.connection], ['1', 'close'])
  t.is(documentOf(t, ready).detail, 'draining')
  t.is(live.status, 200)
  leave()
  const finished = await inside
  t.deepEqual([finished.status, finished.text], [200, 'finished'])
  await closed
  t.is(times, 0)
  await t.throwsAsync(ask('POST', '/do'), { code: 'ECONNREFUSED' })
})

test('a server that closes waits for what is in flight, and not for connections on which nothing happens', async (t) => {
  const { route, entered, leave } = slow()
  const { server, ask } = await openHouse(t, [route, get('/text', done)])
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  await ask('GET', '/text', { agent })
  const inside = ask('POST', '/slow', { agent: new Agent({ keepAlive: true }) })
  await entered
  let isClosed = false
  const closed = server.close().then(() => {
    isClosed = true
  })
  const refused = await t.throwsAsync<NodeJS.ErrnoException>(async () => {
    for (;;) await ask('GET', '/text')
  })
  t.regex(refused?.code ?? '', /^ECONN(REFUSED|RESET)$/)
  t.false(isClosed)
  leave()
  t.is((await inside).text, 'finished')
  await closed
  t.true(isClosed)
})

test('a port that is taken is told by the error of the listener', async (t) => {
  const { server } = await openHouse(t, [])
  await t.throwsAsync(openHouse(t, [], { port: server.port }), { code: 'EADDRINUSE' })
})

test('a client that leaves before the answer is no error', async (t) => {
  const { route, entered, leave } = slow()
  const { server, logged } = await openHouse(t, [route])
  const request = httpRequest({ host: '127.0.0.1', port: server.port, method: 'POST', path: '/slow' })
  request.on('error', () => undefined)
  request.end()
  await entered
  const gone = Promise.withResolvers<void>()
  request.on('close', gone.resolve).destroy()
  await gone.promise
  leave()
  await server.close()
  t.false(logged.some((line) => JSON.parse(line).level >= 50))
})
