/**
 * What can the shop be asked, as a document of OpenAPI 3.1?
 *
 * Every row of every service is an operation of it, by its name; those that all services have bear that of their service behind it.
 */
import { readFileSync } from 'node:fs'
import type { Scope } from '../../shared/http/caller.ts'
import type { ProblemKind } from '../../shared/http/problem.ts'
import { keyReused } from '../../shared/http/problems.ts'
import { problemsOf, type Row } from '../../shared/http/route.ts'
import { type NamedRow, ROWS } from '../support/rows.ts'
import { bodyExample } from './examples.ts'
import { answered, namedSchemas, parameterOf, type Schema, sent } from './schemas.ts'

type Object_ = Readonly<Record<string, unknown>>

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
}

const PROBLEM: Schema = {
  type: 'object',
  description:
    'Why something was refused, or failed: a problem document of RFC 9457. Kinds may have members of their own.',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string', pattern: '^urn:shop:problem:[a-z-]+$', description: 'Which kind it is; it never changes.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    field: { type: 'string', description: 'Of a malformed request: what of it is.' },
    error: { type: 'string', description: 'What clients of older back ends read.' },
    trace_id: { type: 'string', description: 'Of a request that is traced: by this it is found.' },
  },
}

const PROBLEM_RESPONSE = { $ref: '#/components/responses/Problem' }

/** What any request may be answered before a route takes it, by the gateway for the most part. */
const ANYWHERE = [
  ...['malformed', 'request-timeout', 'body-too-large', 'uri-too-long', 'headers-too-large', 'expectation-failed'],
  ...['no-such-route', 'method-not-allowed', 'not-implemented', 'version-not-supported', 'wrong-host', 'foreign-page'],
  ...['unauthorised', 'invalid-token', 'past-the-gateway', 'keys-unavailable', 'too-many-requests'],
  ...['too-many-connections', 'overloaded', 'draining', 'not-ready', 'impaired', 'service-unavailable'],
  ...['outcome-unknown', 'no-reply-in-time', 'internal'],
]

const HEADERS = {
  'Idempotency-Key': {
    description: 'The same request under it has one effect, and gets the same answer.',
    schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,128}$' },
  },
  'If-Match': {
    description: 'From which version it is changed: the `ETag` that was shown, or `*`.',
    schema: { type: 'string' },
    example: '"1"',
  },
  'If-Lock-Token': {
    description: 'The token of the lock under which it is done; refused if a higher one was seen.',
    schema: { type: 'integer', minimum: 1 },
  },
  Prefer: {
    description: '`respond-async`, `wait=seconds`, `return=representation` (RFC 7240).',
    schema: { type: 'string' },
  },
  'User-Id': { description: 'Whose names of locks are meant.', schema: { type: 'string' }, example: 'tenant-7' },
  'Last-Event-ID': { description: 'The event after which the stream goes on.', schema: { type: 'string' } },
} as const
type HeaderName = keyof typeof HEADERS

const header = (name: HeaderName, required = false): Object_ => ({ name, in: 'header', required, ...HEADERS[name] })

/** Is it to be sent under a key if it is to be sent again? What clients of older lock services know keeps none. */
export const wantsKey = (row: Row): boolean =>
  row.method !== 'GET' && row.repeatable === 'under-a-key' && row.problems.includes(keyReused)

const headersOf = (row: Row): readonly Object_[] => {
  const read = Object.keys(row.headers ?? {})
  const takesPrefer = read.includes('prefer') || (200 in row.answers && row.answers[204] !== undefined)
  return [
    ...(wantsKey(row) ? [header('Idempotency-Key')] : []),
    ...(row.ifMatch ? [header('If-Match', row.ifMatch === 'required')] : []),
    ...(row.fenced ? [header('If-Lock-Token')] : []),
    ...(takesPrefer ? [header('Prefer')] : []),
    ...(read.includes('user-id') ? [header('User-Id', true)] : []),
    ...(read.includes('last-event-id') ? [header('Last-Event-ID')] : []),
  ]
}

const parametersOf = (row: Row): readonly Object_[] => [
  ...Object.entries(row.params ?? {}).map(([name, field]) => ({
    name,
    in: 'path',
    ...parameterOf(field),
    required: true,
  })),
  ...Object.entries(row.query ?? {}).map(([name, field]) => ({ name, in: 'query', ...parameterOf(field) })),
  ...headersOf(row),
]

/** A form has no lists; and who tries one out is shown the examples of its fields, not that of the whole. */
const formOf = (schema: Schema, example: unknown): Schema => {
  const values = Object(example) as Object_
  const fields = Object.entries(schema.properties ?? {}) as [name: string, field: Schema][]
  return {
    ...schema,
    properties: Object.fromEntries(
      fields
        .filter(([, { type }]) => type !== 'array')
        .map(([name, field]) => [name, Object.hasOwn(values, name) ? { ...field, examples: [values[name]] } : field]),
    ),
  }
}

const bodyOf = (row: NamedRow): Object_ => {
  const { body } = row
  if (body === undefined) return {}
  const schema = sent(body.fields)
  const withExample = (shown: Schema, example: unknown): Object_ => ({
    schema: shown,
    ...(example === undefined ? {} : { example }),
  })
  const form = bodyExample(idOf(row), true)
  const forms = body.forms ? ['application/x-www-form-urlencoded', 'multipart/form-data'] : []
  const content = {
    'application/json': withExample(schema, bodyExample(idOf(row), false)),
    ...Object.fromEntries(forms.map((type) => [type, withExample(formOf(schema, form), form)])),
  }
  return { requestBody: { required: body.optional !== true, content } }
}

const SUCCESSES: Readonly<Record<string, string>> = {
  200: 'It is done, or shown.',
  201: 'It was made, and is found at `Location`.',
  202: 'It will be done; what became of it is told at `Location`.',
  204: 'It is done, and there is nothing to be shown, or nothing was wanted.',
}
const LOCATION = { Location: { description: 'Where it is found.', schema: { type: 'string' } } }

const NOT_MODIFIED = { 304: { description: 'It is as the client has seen it (`If-None-Match`).' } }

const successOf = (status: string, content: Object_): Object_ => {
  const description = SUCCESSES[status]
  const headers = status === '201' || status === '202' ? { headers: LOCATION } : {}
  if ('json' in content)
    return { description, ...headers, content: { 'application/json': { schema: answered(content.json as never) } } }
  if ('text' in content)
    return { description: `Says ${content.text}.`, content: { 'text/plain': { schema: { type: 'string' } } } }
  if ('events' in content)
    return {
      description: `Events: ${content.events}.`,
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    }
  return { description, ...headers }
}

const kindOf = ({ type }: ProblemKind): string => type.replace(/^.*:/, '')
const problemOf = (kinds: readonly string[]): Schema => ({
  $ref: '#/components/schemas/Problem',
  properties: { type: { enum: [...new Set(kinds)].sort().map((kind) => `urn:shop:problem:${kind}`) } },
})

/** What a row refuses, by its status. */
const refusalsOf = (row: Row): readonly (readonly [status: string, kinds: readonly ProblemKind[]])[] =>
  Object.entries(Object.groupBy(problemsOf(row), ({ status }) => String(status))).map(([status, kinds = []]) => [
    status,
    kinds,
  ])
/** Every kind of problem that any route may answer, or the gateway. */
export const everyKind = (): readonly string[] =>
  [...new Set([...ANYWHERE, ...ROWS.flatMap((row) => problemsOf(row).map(kindOf))])].sort()

/** By this name refusals stand that more than one row has: those of their kinds. */
const nameOf = (kinds: readonly ProblemKind[]): string => [...new Set(kinds.map(kindOf))].sort().join('.')

const refusalOf = (kinds: readonly ProblemKind[]): Object_ => ({
  description: `${[...new Set(kinds.map(({ title }) => title))].join('; ')}.`,
  content: { 'application/problem+json': { schema: problemOf(kinds.map(kindOf)) } },
})

const REFUSALS = new Map(
  Object.entries(Object.groupBy(ROWS.flatMap(refusalsOf), ([, kinds]) => nameOf(kinds))).flatMap(([name, all = []]) =>
    all.length > 1 && all[0] ? [[name, refusalOf(all[0][1])]] : [],
  ),
)

const responsesOf = (row: Row): Object_ => {
  const refusals = refusalsOf(row).map(([status, kinds]) => {
    const name = nameOf(kinds)
    return [status, REFUSALS.has(name) ? { $ref: `#/components/responses/${name}` } : refusalOf(kinds)]
  })
  return {
    ...Object.fromEntries(Object.entries(row.answers).map(([status, content]) => [status, successOf(status, content)])),
    ...(row.method === 'GET' && Object.values(row.answers).some((answer) => 'json' in answer) ? NOT_MODIFIED : {}),
    ...Object.fromEntries(refusals),
    default: PROBLEM_RESPONSE,
  }
}

/** Where tokens are wanted each may ask what its scope allows; elsewhere anybody may, but for what operators ask. */
const securityOf = (scope: Scope): readonly Object_[] => {
  if (scope === 'anybody') return []
  return scope === 'operator' ? [{ operatorToken: [] }, { token: [scope] }] : [{}, { token: [scope] }]
}

const isShared = ({ name }: NamedRow): boolean => ROWS.filter((row) => row.name === name).length > 1
/** By which name an operation is known: that of its row, and behind it that of the service if all have such a row. */
export const idOf = (row: NamedRow): string =>
  isShared(row) ? `${row.name}Of${row.service[0]?.toUpperCase()}${row.service.slice(1)}` : row.name

const operationOf = (row: NamedRow): Object_ => ({
  operationId: idOf(row),
  summary: row.summary,
  tags: [row.scope === 'operator' ? `${row.service}, for operators` : row.service],
  'x-scope': row.scope,
  ...(row.passesOn
    ? { 'x-passes-on': 'It answers as they are the refusals of a peer that is asked for the client.' }
    : {}),
  security: securityOf(row.scope),
  ...(parametersOf(row).length > 0 ? { parameters: parametersOf(row) } : {}),
  ...bodyOf(row),
  responses: responsesOf(row),
})

const VERBOSE: Object_ = {
  name: 'verbose',
  in: 'query',
  required: false,
  description: 'Lists the checks.',
  schema: { type: 'string' },
}

/** What the gateway answers itself. */
const own = (id: string, summary: string, parameters: readonly Object_[] = [], refused: Object_ = {}): Object_ => ({
  get: {
    operationId: id,
    summary,
    tags: ['gateway'],
    'x-scope': 'anybody',
    security: [],
    ...(parameters.length > 0 ? { parameters } : {}),
    responses: {
      200: { description: 'Yes.', content: { 'text/plain': { schema: { type: 'string' } } } },
      ...refused,
      405: PROBLEM_RESPONSE,
      default: PROBLEM_RESPONSE,
    },
  },
})

const refusedAs = (description: string, ...kinds: readonly string[]): Object_ => ({
  description,
  content: { 'application/problem+json': { schema: problemOf(kinds) } },
})

/** What each process answers operators, the gateway as any service by its own port. */
const METRICS: Object_ = {
  get: {
    operationId: 'showMetrics',
    summary: 'Shows what the process counts and measures, as Prometheus reads it',
    tags: ['gateway'],
    'x-scope': 'operator',
    security: securityOf('operator'),
    responses: {
      200: { description: 'The text format 0.0.4.', content: { 'text/plain': { schema: { type: 'string' } } } },
      401: refusedAs('A token is wanted, or another one.', 'unauthorised', 'invalid-token'),
      403: refusedAs('The token does not allow this.', 'forbidden', 'insufficient-scope', 'past-the-gateway'),
      404: refusedAs('It measures nothing.', 'metrics-off'),
      default: PROBLEM_RESPONSE,
    },
  },
}

const pathsOf = (): Object_ => {
  const paths: Record<string, Record<string, Object_>> = {}
  for (const row of ROWS) {
    const path = paths[row.path] ?? {}
    paths[row.path] = path
    path[row.method.toLowerCase()] = operationOf(row)
  }
  return {
    ...paths,
    '/live': own('isLive', 'Does the gateway run?'),
    '/ready': own('isReady', 'Has every service a ready replica?', [VERBOSE], { 503: PROBLEM_RESPONSE }),
    '/metrics': METRICS,
  }
}

const TAGS: Readonly<Record<string, string>> = {
  order: 'What is an order, and how does its checkout end?',
  payment: "What is a user's credit, and who holds it?",
  stock: 'What is on the shelf?',
  ids: 'Who holds a lock, and who may make which identifiers?',
  gateway: 'Which replica takes a request?',
  ...Object.fromEntries(
    ['order', 'payment', 'stock', 'ids'].map((one) => [`${one}, for operators`, `How do operators ask ${one}?`]),
  ),
}

export const contractOf = (): Object_ => ({
  openapi: '3.1.1',
  info: {
    title: 'saga-shop',
    version,
    summary: 'A webshop back end whose checkouts are sagas',
    description:
      'Refused requests change nothing. A parameter of a query that a route does not list, or that is given twice, is refused. Amounts are integers, from 0 to 2^53-1. Examples of bodies name the user, the item and the order `0`, which `batch_init` makes.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/', description: 'This shop' }],
  tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
  paths: pathsOf(),
  components: {
    securitySchemes: {
      operatorToken: { type: 'http', scheme: 'bearer', description: 'The `OPERATOR_TOKEN`, if the shop has one.' },
      token: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'Where tokens are wanted (`AUTH=jwt`).',
      },
    },
    responses: {
      ...Object.fromEntries(REFUSALS),
      Problem: {
        description: 'What any request may be answered, by the gateway for the most part.',
        content: { 'application/problem+json': { schema: problemOf(ANYWHERE) } },
      },
    },
    schemas: { Problem: PROBLEM, ...namedSchemas() },
  },
})

/** The document as it is written. */
export const contractText = (): string => `${JSON.stringify(contractOf(), null, 2)}\n`
