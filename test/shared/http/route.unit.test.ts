/**
 * What the compiler says of rows and handlers stands here as comments that want an error: without one, `tsc` fails.
 */
import test from 'ava'
import * as v from 'valibot'
import { exactly, identifier, integer, units } from '../../../shared/contract/fields.ts'
import { MalformedError } from '../../../shared/errors.ts'
import { patience } from '../../../shared/http/prefer.ts'
import { problemKind } from '../../../shared/http/problem.ts'
import { malformedBody } from '../../../shared/http/problems.ts'
import type { Request } from '../../../shared/http/request.ts'
import { problemsOf, type Rows, routes } from '../../../shared/http/route.ts'

const noSuchCup = problemKind(404, 'no-such-cup', 'Unknown cup', (cup: string) => ({ detail: `no cup "${cup}"` }))
const cupFull = problemKind(409, 'cup-full', 'The cup is full', () => ({ detail: 'it holds no more' }))

const api = {
  find: {
    method: 'GET',
    path: '/cups/{cup}',
    summary: 'Shows a cup',
    params: { cup: identifier },
    query: { limit: v.optional(integer(1, 9), '3') },
    answers: { 200: { json: v.object({ cup: v.string(), limit: v.number() }) } },
    problems: [noSuchCup],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  fill: {
    method: 'POST',
    path: '/cups/{cup}/{drops}',
    summary: 'Fills a cup',
    params: { cup: identifier, drops: integer(1) },
    answers: { 200: { text: 'what is in it' } },
    problems: [noSuchCup, cupFull],
    repeatable: 'under-a-key',
    scope: 'operator',
    shownAt: '/cups/{cup}',
  },
  make: {
    method: 'POST',
    path: '/cups',
    summary: 'Makes a cup',
    body: { fields: exactly({ drops: units(1) }), forms: true },
    answers: { 200: { text: 'what is in it' } },
    problems: [cupFull],
    repeatable: 'under-a-key',
    scope: 'customer',
  },
  wash: {
    method: 'POST',
    path: '/cups/{cup}/wash',
    summary: 'Washes a cup',
    params: { cup: identifier },
    headers: { prefer: patience, 'x-soap': v.optional(integer(1, 9)) },
    answers: { 200: { text: 'that it is clean' }, 202: { json: v.object({ soap: v.number() }) } },
    problems: [],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
  steep: {
    method: 'GET',
    path: '/cups/{cup}/colour',
    summary: 'Shows what colour it will have',
    params: { cup: identifier },
    query: { minutes: integer(1) },
    headers: { 'x-tea': identifier },
    answers: { 200: { text: 'the colour' } },
    problems: [],
    repeatable: 'as-it-is',
    scope: 'customer',
  },
} as const satisfies Rows

const [find, fill, make, wash, steep] = routes(api, {
  find: async ({ params: { cup }, query: { limit } }) =>
    cup === 'none' ? { problem: noSuchCup(cup) } : { json: { cup, limit } },
  fill: async ({ params: { cup, drops }, idempotencyKey }) => ({ text: `${drops + 1} in ${cup} by ${idempotencyKey}` }),
  make: async ({ body: { drops } }) => ({ text: `${drops + 1} in a new one` }),
  wash: async ({ params: { cup }, headers: { prefer, 'x-soap': soap = 0 } }) =>
    prefer.respondAsync
      ? { status: 202, json: { soap }, headers: { Location: `/cups/${cup}` } }
      : { text: `${cup} is clean` },
  steep: async ({ headers: { 'x-tea': tea } }) => ({ text: tea }),
})

const request = (
  params: Record<string, string>,
  query: Record<string, string> = {},
  body?: unknown,
  headers: Record<string, string> = {},
): Request => ({
  parameter: (name) => params[name] ?? '',
  query: new URLSearchParams(query),
  body,
  header: (name) => headers[name],
  fingerprint: 'POST /',
  idempotencyKey: 'a-key',
  caller: undefined,
  lockToken: undefined,
  authorization: undefined,
  requestId: undefined,
  isGone: () => false,
  closing: new AbortController().signal,
})

test('a handler is given what its row reads', async (t) => {
  t.deepEqual(await find?.handler(request({ cup: 'red' })), { json: { cup: 'red', limit: 3 } })
  t.deepEqual(await find?.handler(request({ cup: 'red' }, { limit: '9' })), { json: { cup: 'red', limit: 9 } })
  t.deepEqual(await fill?.handler(request({ cup: 'red', drops: '2' })), { text: '3 in red by a-key' })
  t.deepEqual(await make?.handler(request({}, {}, { drops: '2' })), { text: '3 in a new one' })
})

test('a handler is given the headers that its row reads, and may answer that it will be done', async (t) => {
  const washed = (headers: Record<string, string>) => wash?.handler(request({ cup: 'red' }, {}, undefined, headers))
  t.deepEqual(await washed({}), { text: 'red is clean' })
  const accepted = { status: 202, json: { soap: 2 }, headers: { Location: '/cups/red' } } as const
  t.deepEqual(await washed({ prefer: 'respond-async', 'x-soap': '2' }), accepted)
  const error = await t.throwsAsync(washed({ 'x-soap': 'much' }) ?? Promise.resolve(), { instanceOf: MalformedError })
  t.deepEqual([error?.field, error?.message], ['x-soap', '"x-soap" must be an integer from 1 to 9'])
})

test('a body that the row does not take is refused with 422, and the handler is not asked', async (t) => {
  for (const [body, field, detail] of [
    [{ drops: 0 }, 'drops', `"drops" must be an integer from 1 to ${Number.MAX_SAFE_INTEGER}`],
    [{}, 'drops', '"drops" must be given'],
    [undefined, 'body', '"body" must be an object'],
  ] as const)
    t.deepEqual(await make?.handler(request({}, {}, body)), { problem: malformedBody(field, detail) })
})

test('what the row does not take is refused in words that name the field', async (t) => {
  for (const [params, query, field, detail] of [
    [{ cup: 'a b' }, {}, 'cup', '"cup" must be 1 to 64 letters, digits, "_" or "-"'],
    [{ cup: 'red' }, { limit: '10' }, 'limit', '"limit" must be an integer from 1 to 9'],
    [{ cup: 'red' }, { limit: '' }, 'limit', '"limit" must be an integer from 1 to 9'],
  ] as const) {
    const error = await t.throwsAsync(find?.handler(request(params, query)) ?? Promise.resolve(), {
      instanceOf: MalformedError,
    })
    t.deepEqual([error?.field, error?.message], [field, detail])
  }
})

test('what is missing is called so', async (t) => {
  const ask = (query: Record<string, string>, headers: Record<string, string>) =>
    steep?.handler(request({ cup: 'red' }, query, undefined, headers)) ?? Promise.resolve()
  for (const [query, headers, message] of [
    [{}, { 'x-tea': 'green' }, '"minutes" must be given'],
    [{ minutes: '3' }, {}, '"x-tea" must be given'],
    [{ minutes: '3' }, { 'x-tea': 'a b' }, '"x-tea" must be 1 to 64 letters, digits, "_" or "-"'],
  ] as const)
    await t.throwsAsync(ask(query, headers), { instanceOf: MalformedError, message })
})

test('a route is its row, with parameters as the router writes them', (t) => {
  t.like(find, { method: 'GET', path: '/cups/:cup', scope: 'customer', shownAt: undefined, feature: 'find' })
  t.like(fill, {
    method: 'POST',
    path: '/cups/:cup/:drops',
    scope: 'operator',
    shownAt: '/cups/:cup',
    feature: undefined,
  })
})

test('a row with a body may refuse that, and an operator’s row strangers', (t) => {
  const statuses = (row: Rows[string]) => problemsOf(row).map(({ status }) => status)
  t.deepEqual(statuses(api.find), [404, 400, 503, 503, 500, 503, 401, 403])
  t.deepEqual(statuses(api.fill), [404, 409, 400, 503, 503, 500, 403, 401, 403])
  t.deepEqual(statuses(api.make), [409, 400, 413, 415, 422, 503, 503, 500, 503, 503, 401, 403])
})

test('a row and its handler fit together, or the compiler says so', (t) => {
  const text = async () => ({ text: '' })
  const json = async () => ({ json: { cup: '', limit: 1 } })
  const all = { find: json, fill: text, make: text, wash: text }
  // @ts-expect-error a row has no handler
  t.truthy(routes(api, { find: json }))
  // @ts-expect-error a handler has no row
  t.truthy(routes(api, { ...all, drink: text }))
  // @ts-expect-error the row lists no such problem
  t.truthy(routes(api, { ...all, find: async () => ({ problem: cupFull() }) }))
  // @ts-expect-error the row answers a value of another form
  t.truthy(routes(api, { ...all, find: async () => ({ json: { cup: 7, limit: 1 } }) }))
  // @ts-expect-error the row answers a text
  t.truthy(routes(api, { ...all, fill: json }))
  // @ts-expect-error the row reads no such parameter
  t.truthy(routes(api, { ...all, fill: async ({ params: { spoons } }) => ({ text: String(spoons) }) }))
  // @ts-expect-error the row's body has no such field
  t.truthy(routes(api, { ...all, make: async ({ body: { spoons } }) => ({ text: String(spoons) }) }))
  // @ts-expect-error the row reads no such header
  t.truthy(routes(api, { ...all, wash: async ({ headers: { spoons } }) => ({ text: String(spoons) }) }))
  // @ts-expect-error what will be done is said where to ask for it
  t.truthy(routes(api, { ...all, wash: async () => ({ status: 202, json: { soap: 1 } }) }))
  // @ts-expect-error a method that the server does not serve
  t.truthy({ trace: { ...api.find, method: 'TRACE' } } satisfies Rows)
})
