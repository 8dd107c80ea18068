/** What a route is given of a body, and how a body is refused: over a real server. */
import test from 'ava'
import * as v from 'valibot'
import { exactly, identifier, units } from '../../../shared/contract/fields.ts'
import { BODY_MAX_BYTES } from '../../../shared/http/body.ts'
import type { Problem } from '../../../shared/http/problem.ts'
import { type Rows, routes } from '../../../shared/http/route.ts'
import { openServiceServer } from '../../support/shop/service-server.ts'

const cup = exactly({
  tea: identifier,
  drops: units(1, 1_000),
  spoons: v.optional(v.array(exactly({ of: identifier, count: units(0) }), 'be a list')),
})
const answers = { 200: { json: v.object({ cup, fingerprint: v.string() }) } } as const
const api = {
  fill: { method: 'POST', path: '/cups', summary: 'Fills a cup', body: { fields: cup, forms: true }, answers },
  fillJson: { method: 'POST', path: '/json-cups', summary: 'Fills a cup', body: { fields: cup }, answers },
  wash: {
    method: 'POST',
    path: '/clean-cups',
    summary: 'Washes a cup, with soap if it is named',
    body: { fields: exactly({ soap: v.optional(identifier) }), optional: true },
    answers: { 200: { json: v.object({ cup: v.object({ soap: v.optional(v.string()) }) }) } },
  },
} as const
const rows = {
  fill: { ...api.fill, problems: [], repeatable: 'under-a-key', scope: 'anybody' },
  fillJson: { ...api.fillJson, problems: [], repeatable: 'under-a-key', scope: 'anybody' },
  wash: { ...api.wash, problems: [], repeatable: 'under-a-key', scope: 'anybody' },
} as const satisfies Rows

const server = await openServiceServer({
  service: 'kitchen',
  routes: routes(rows, {
    fill: async ({ body, fingerprint }) => ({ json: { cup: body, fingerprint } }),
    fillJson: async ({ body, fingerprint }) => ({ json: { cup: body, fingerprint } }),
    wash: async ({ body: { soap } }) => ({ json: { cup: soap === undefined ? {} : { soap } } }),
  }),
})
test.after.always(server.close)

type SentBody = string | Uint8Array<ArrayBuffer> | FormData
type Asked = { readonly path?: string; readonly headers?: Readonly<Record<string, string>> }
const ask = async (body: SentBody | undefined, { path = '/cups', headers = {} }: Asked = {}) => {
  const reply = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method: 'POST',
    headers,
    ...(body === undefined ? {} : { body }),
  })
  const json = (await reply.json()) as Problem & { readonly cup?: unknown; readonly fingerprint?: string }
  return { status: reply.status, json }
}

const JSON_TYPE = { 'Content-Type': 'application/json' }
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' }
const asForm = (fields: readonly (readonly [string, string | Blob])[]): FormData => {
  const form = new FormData()
  for (const [name, value] of fields) form.append(name, value)
  return form
}

const green = { tea: 'green', drops: 7 }
const GREEN: readonly (readonly [string, SentBody, Asked])[] = [
  ['JSON', '{"tea":"green","drops":7}', { headers: JSON_TYPE }],
  ['JSON with a number as text', '{"tea":"green","drops":"7"}', { headers: JSON_TYPE }],
  [
    'JSON in another spelling',
    ' { "drops": 7.0, "tea": "green" } ',
    { headers: { 'Content-Type': 'Application/JSON ; charset=utf-8' } },
  ],
  ['a form', 'tea=green&drops=7', { headers: FORM }],
  ['a form with an amount that says it has no fraction', 'tea=green&drops=7.00', { headers: FORM }],
  [
    'a form of several parts',
    asForm([
      ['tea', 'green'],
      ['drops', '7'],
    ]),
    {},
  ],
]
for (const [what, body, asked] of GREEN)
  test(`a body is ${what}`, async (t) => {
    const { status, json } = await ask(body, asked)
    t.deepEqual([status, json.cup], [200, green])
  })

test('what a form cannot say is said in JSON', async (t) => {
  const full = { ...green, spoons: [{ of: 'sugar', count: 2 }] }
  t.deepEqual((await ask(JSON.stringify(full), { headers: JSON_TYPE })).json.cup, full)
})

const MUST_BE_DROPS = '"drops" must be an integer from 1 to 1000'
const MALFORMED: readonly (readonly [
  what: string,
  body: SentBody | undefined,
  asked: Asked,
  field: string,
  detail: string,
])[] = [
  ['absent', undefined, {}, 'body', '"body" must be given'],
  ['empty', '', { headers: JSON_TYPE }, 'body', '"body" must be given'],
  ['no JSON', '{"tea":', { headers: JSON_TYPE }, 'body', '"body" must be JSON in UTF-8'],
  ['not in UTF-8', new Uint8Array([0x22, 0xff, 0x22]), { headers: JSON_TYPE }, 'body', '"body" must be JSON in UTF-8'],
  ['a list', '[]', { headers: JSON_TYPE }, 'body', '"body" must be a JSON object'],
  ['null', 'null', { headers: JSON_TYPE }, 'body', '"body" must be a JSON object'],
  ['without a field', '{"tea":"green"}', { headers: JSON_TYPE }, 'drops', '"drops" must be given'],
  [
    'with one more field',
    '{"tea":"green","drops":7,"milk":1}',
    { headers: JSON_TYPE },
    'milk',
    '"milk" must not be given: it would not be read',
  ],
  [
    'with a name of every object',
    '{"tea":"green","drops":7,"__proto__":1}',
    { headers: JSON_TYPE },
    '__proto__',
    '"__proto__" must not be given: it would not be read',
  ],
  ['with a fraction', '{"tea":"green","drops":10.5}', { headers: JSON_TYPE }, 'drops', MUST_BE_DROPS],
  ['with a fraction in a form', 'tea=green&drops=10.50', { headers: FORM }, 'drops', MUST_BE_DROPS],
  ['with too few', '{"tea":"green","drops":0}', { headers: JSON_TYPE }, 'drops', MUST_BE_DROPS],
  ['with too many', '{"tea":"green","drops":1001}', { headers: JSON_TYPE }, 'drops', MUST_BE_DROPS],
  ['with a list for an amount', '{"tea":"green","drops":[7]}', { headers: JSON_TYPE }, 'drops', MUST_BE_DROPS],
  ['with an exponent in a form', 'tea=green&drops=1e2', { headers: FORM }, 'drops', MUST_BE_DROPS],
  [
    'with a number for an id',
    '{"tea":7,"drops":7}',
    { headers: JSON_TYPE },
    'tea',
    '"tea" must be 1 to 64 letters, digits, "_" or "-"',
  ],
  [
    'with a wrong field deep inside',
    '{"tea":"green","drops":7,"spoons":[{"of":"sugar","count":-1}]}',
    { headers: JSON_TYPE },
    'spoons.0.count',
    `"spoons.0.count" must be an integer from 0 to ${Number.MAX_SAFE_INTEGER}`,
  ],
  [
    'with a text where a list is due',
    'tea=green&drops=7&spoons=2',
    { headers: FORM },
    'spoons',
    '"spoons" must be a list',
  ],
  ['a form with a field twice', 'tea=green&tea=black&drops=7', { headers: FORM }, 'tea', '"tea" may be given once'],
  [
    'a form of parts with a field twice',
    asForm([
      ['tea', 'green'],
      ['drops', '7'],
      ['drops', '7'],
    ]),
    {},
    'drops',
    '"drops" may be given once',
  ],
  [
    'a form with a file',
    asForm([
      ['tea', new Blob(['green'])],
      ['drops', '7'],
    ]),
    {},
    'tea',
    '"tea" must be a text, and no file',
  ],
  ...([FORM, { 'Content-Type': 'multipart/form-data; boundary=x' }] as const).map(
    (headers) =>
      [
        `JSON that is called ${headers['Content-Type']}`,
        ' {"tea":"green","drops":7}',
        { headers },
        'body',
        '"body" looks like JSON, and was sent as a form: send "Content-Type: application/json"',
      ] as const,
  ),
  [
    'parts without a boundary',
    'tea=green',
    { headers: { 'Content-Type': 'multipart/form-data' } },
    'body',
    '"body" must be a form as its type says',
  ],
  [
    'a form that breaks off',
    '--x\r\nContent-Disposition: form-data; name="tea"\r\n\r\ngre',
    { headers: { 'Content-Type': 'multipart/form-data; boundary=x' } },
    'body',
    '"body" must be a form as its type says',
  ],
]
for (const [what, body, asked, field, detail] of MALFORMED)
  test(`a body that is ${what} is refused: 422 that names the field`, async (t) => {
    const { status, json } = await ask(body, asked)
    t.deepEqual([status, json.type, json.field, json.detail], [422, 'urn:shop:problem:malformed-body', field, detail])
  })

test('a name that is as long as a body is told in part', async (t) => {
  const { json } = await ask(JSON.stringify({ ...green, ['x'.repeat(10_000)]: 1 }), { headers: JSON_TYPE })
  t.is(json.field, 'x'.repeat(64))
})

for (const [what, headers, path] of [
  ['no type', { 'Content-Type': '' }, '/cups'],
  ['another type', { 'Content-Type': 'text/plain' }, '/cups'],
  ['a type that begins alike', { 'Content-Type': 'application/json5' }, '/cups'],
  ['a form, where none is taken', FORM, '/json-cups'],
  ['a compressed one', { ...JSON_TYPE, 'Content-Encoding': 'gzip' }, '/cups'],
] as const)
  test(`a body of ${what} is refused: 415`, async (t) => {
    const { status, json } = await ask(new Uint8Array(Buffer.from('{"tea":"green","drops":7}')), { path, headers })
    t.deepEqual([status, json.type], [415, 'urn:shop:problem:unsupported-media-type'])
    t.regex(json.detail, path === '/cups' ? /application\/json or .*urlencoded or multipart/ : /as application\/json$/)
  })

test(`a body has at most ${BODY_MAX_BYTES} bytes: 413`, async (t) => {
  const text = JSON.stringify(green)
  const most = text.padEnd(BODY_MAX_BYTES)
  t.is((await ask(most, { headers: JSON_TYPE })).status, 200)
  for (const body of [`${most} `, text.padEnd(3_000_000)]) {
    const { status, json } = await ask(body, { headers: JSON_TYPE })
    t.deepEqual([status, json.type], [413, 'urn:shop:problem:body-too-large'])
  }
})

const keyed = async (body: SentBody, headers: Readonly<Record<string, string>> = {}) =>
  (await ask(body, { headers: { ...headers, 'Idempotency-Key': 'a-key' } })).json.fingerprint

test('under a key, another body is another request', async (t) => {
  const json = await keyed('{"tea":"green","drops":7}', JSON_TYPE)
  t.regex(json ?? '', /^POST \/cups [0-9a-f]{64}$/)
  t.is(await keyed('{"tea":"green","drops":7}', JSON_TYPE), json)
  t.not(await keyed('{"tea":"green","drops":8}', JSON_TYPE), json)
})

test('under a key, a form of parts is the same request with another boundary', async (t) => {
  const form = () =>
    asForm([
      ['tea', 'green'],
      ['drops', '7'],
    ])
  const first = await keyed(form())
  t.is(await keyed(form()), first)
  t.is(await keyed('tea=green&drops=7', FORM), first)
  t.not(
    await keyed(
      asForm([
        ['tea', 'green'],
        ['drops', '8'],
      ]),
    ),
    first,
  )
})

test('a body that may be missing is read where there is one', async (t) => {
  const wash = (body?: string, headers = {}) => ask(body, { path: '/clean-cups', headers })
  t.deepEqual((await wash()).json, { cup: {} })
  t.deepEqual((await wash('', JSON_TYPE)).json, { cup: {} })
  t.deepEqual((await wash('{}', JSON_TYPE)).json, { cup: {} })
  t.deepEqual((await wash('{"soap":"green"}', JSON_TYPE)).json, { cup: { soap: 'green' } })
  t.is((await wash('{"soap":"green"}')).status, 415)
  t.is((await wash('{"sope":"green"}', JSON_TYPE)).status, 422)
})
