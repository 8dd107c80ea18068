/** The contract says what the rows say, in a form that everybody reads. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import * as v from 'valibot'
import { run } from '../support/program.ts'
import { ROWS } from '../support/rows.ts'
import { openContract } from '../support/shop/contract.ts'
import { contractOf } from './document.ts'
import { CONTRACT, WRITTEN } from './written.ts'

const CONFIG = new URL('redocly.yaml', import.meta.url)
const REDOCLY = new URL('../../node_modules/.bin/redocly', import.meta.url)

type Operation = {
  readonly operationId: string
  readonly 'x-scope': string
  readonly responses: object
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example: object }>> }
}
type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }
const document = contractOf() as Document
/** The fields of a form are texts. */
const asForm = (example: object) =>
  Object.fromEntries(Object.entries(example).map(([name, value]) => [name, String(value)]))
const operations = Object.values(document.paths).flatMap((path) => Object.values(path))

test('what is written is what the rows say: `npm run openapi` writes it anew', (t) => {
  // Not compared as texts: of half a million characters a difference would be printed.
  for (const { place, text } of WRITTEN) t.true(readFileSync(place, 'utf8') === text(), `${place} is stale`)
})

test('what writes it tells what it does, and takes no other word', async (t) => {
  const write = (...line: string[]) => run(t, ['test/contract/main.ts', ...line])
  const help = await write('--help')
  t.is(help.code, 0)
  t.regex(help.output, /^Writes the contract anew, .*\n {2}gateway\/docs\/openapi\.json\n/s)
  t.like(await write('now'), { code: 1, output: '' })
})

test('redocly finds nothing wrong with it', async (t) => {
  const { stdout, stderr } = await promisify(execFile)(
    fileURLToPath(REDOCLY),
    ['lint', '--config', fileURLToPath(CONFIG), '--max-problems', '5', fileURLToPath(CONTRACT)],
    { env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } },
  )
  t.regex(stdout + stderr, /is valid/)
  t.notRegex(stdout + stderr, /warning/i)
})

test('every row is an operation under a name of its own, which says who may ask it, what it answers and what it refuses', (t) => {
  t.is(new Set(operations.map(({ operationId }) => operationId)).size, operations.length)
  for (const { method, path, name, scope, answers, problems } of ROWS) {
    const operation = document.paths[path]?.[method.toLowerCase()]
    t.true(operation?.operationId.startsWith(name), `${method} ${path}`)
    t.is(operation?.['x-scope'], scope)
    for (const status of [...Object.keys(answers), ...problems.map((kind) => kind.status)])
      t.true(Object.hasOwn(operation?.responses ?? {}, status), `${method} ${path}: ${status}`)
  }
})

test('every body has an example, in each form, which is one that its route takes', (t) => {
  for (const { method, path, scope, body } of ROWS) {
    if (body === undefined || scope === 'service') continue
    const { content } = document.paths[path]?.[method.toLowerCase()]?.requestBody ?? {}
    for (const [type, { example }] of Object.entries(content ?? {})) {
      const { issues } = v.safeParse(body.fields, type === 'application/json' ? example : asForm(example))
      t.deepEqual(issues?.map(({ message }) => message) ?? [], [], `${method} ${path} as ${type}`)
    }
  }
})

test('all that is referred to in it is there', (t) => {
  for (const [reference] of JSON.stringify(document).matchAll(/"#\/[^"]+"/g)) {
    const parts = (JSON.parse(reference) as string).slice(2).split('/')
    const found = parts.reduce<unknown>(
      (at, part) => (at as Readonly<Record<string, unknown>> | undefined)?.[part],
      document,
    )
    t.truthy(found, reference)
  }
})

const faultOf = openContract()
const answer = (status: number, json?: unknown, type = 'application/json') => ({
  status,
  json,
  headers: json === undefined ? {} : { 'content-type': `${type}; charset=utf-8` },
})
const problem = (status: number, name: string) =>
  answer(status, { type: `urn:shop:problem:${name}`, title: 'a', status, detail: 'b' }, 'application/problem+json')
const user = { user_id: 'anna', credit: 3 }

test('an answer that the contract lists has no fault', (t) => {
  t.is(faultOf('GET', '/payment/find_user/anna', answer(200, user)), undefined)
  t.is(
    faultOf('GET', '/payment/find_user/anna?a=b', answer(200, { ...user, more: 'than an older client knows' })),
    undefined,
  )
  t.is(faultOf('GET', '/payment/find_user/anna', problem(404, 'no-such-user')), undefined)
  t.is(faultOf('GET', '/payment/find_user/anna', problem(503, 'service-unavailable')), undefined)
  t.is(faultOf('GET', '/payment/find_user/anna', answer(304)), undefined)
  t.is(faultOf('GET', '/no/such/path', answer(404, {})), undefined)
  t.is(faultOf('HEAD', '/payment/find_user/anna', answer(200)), undefined)
})

test('any other has one, and it is named', (t) => {
  const fault = (method: string, path: string, answered: Parameters<typeof faultOf>[2], pattern: RegExp): void => {
    t.regex(faultOf(method, path, answered) ?? '', pattern)
  }
  fault(
    'GET',
    '/payment/find_user/anna',
    answer(200, { user_id: 'anna', credit: '3' }),
    /findUser answers 200: .*credit/,
  )
  fault('GET', '/payment/find_user/anna', answer(200, { user_id: 'anna' }), /credit/)
  fault('GET', '/payment/find_user/anna', answer(201, user), /201 is not listed/)
  fault('GET', '/payment/find_user/anna', answer(200, user, 'text/html'), /it is "text\/html"/)
  fault('GET', '/payment/find_user/anna', problem(409, 'out-of-stock'), /409 is not listed/)
  fault('GET', '/payment/find_user/anna', problem(404, 'no-such-item'), /type/)
  fault('GET', '/payment/find_user/anna', answer(304, user), /it has a body/)
})
