/**
 * Is an answer one that the contract lists?
 *
 * Every answer that a test receives is held against the document that clients are given (`gateway/docs/openapi.json`).
 */
import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { openRouter } from './row-lookup.ts'

type Content = Readonly<Record<string, { readonly schema: object }>>
type Response = { readonly $ref?: string; readonly content?: Content }
type Operation = {
  readonly operationId: string
  readonly 'x-passes-on'?: string
  readonly responses: Readonly<Record<string, Response>>
}
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: object; readonly responses: Readonly<Record<string, Response>> }
}

export type Answered = {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly json: unknown
}
/** Why an answer is none that the contract lists, in words; undefined if it is one, or the contract has no such path. */
export type FaultOf = (method: string, path: string, answered: Answered) => string | undefined

const METHODS = { get: 'GET', post: 'POST', put: 'PUT', patch: 'PATCH', delete: 'DELETE' } as const
const PLACE = new URL('../../../gateway/docs/openapi.json', import.meta.url)
/** Any kind of problem: what a peer has refused. */
const ANY_PROBLEM: Content = { 'application/problem+json': { schema: { $ref: '#/$defs/Problem' } } }

export const openContract = (text = readFileSync(PLACE, 'utf8')): FaultOf => {
  const document = JSON.parse(text.replaceAll('"#/components/schemas/', '"#/$defs/')) as Document
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictTuples: false })
  const compiled = new Map<object, ValidateFunction>()
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(METHODS).flatMap(([name, method]) => {
      const operation = methods[name]
      return operation ? [{ method, path: path.replaceAll(/\{(\w+)\}/g, ':$1'), operation }] : []
    }),
  )
  const find = openRouter(
    operations.map(({ method, path }) => ({ method, path, scope: 'anybody', handler: async () => ({ empty: 204 }) })),
  )
  const byRoute = new Map(operations.map(({ method, path, operation }) => [`${method} ${path}`, operation]))

  const accepts = (schema: object): ValidateFunction => {
    const known = compiled.get(schema) ?? ajv.compile({ ...schema, $defs: document.components.schemas })
    compiled.set(schema, known)
    return known
  }
  const contentOf = (response: Response | undefined): Content | undefined =>
    response?.$ref === undefined
      ? response?.content
      : document.components.responses[response.$ref.replace('#/components/responses/', '')]?.content

  /** What is wrong with it, seen as this response. */
  const faultAs = (content: Content | undefined, { headers, json }: Answered): string | undefined => {
    const [type = ''] = String(headers['content-type'] ?? '').split(';')
    if (content === undefined) return type === '' ? undefined : `it has a body, ${type}`
    const described = content[type]
    if (described === undefined) return `it is "${type}"`
    if (json === undefined) return undefined
    const validate = accepts(described.schema)
    return validate(json) ? undefined : ajv.errorsText(validate.errors)
  }

  return (method, path, answered) => {
    const found = find(method, path.split('?')[0] ?? '')
    if (method === 'HEAD' || found === undefined || 'methods' in found) return undefined
    const operation = byRoute.get(`${found.route.method} ${found.route.path}`)
    if (operation === undefined) return undefined
    const { responses, operationId } = operation
    const listed = responses[answered.status]
    const fault = listed ? faultAs(contentOf(listed), answered) : `${answered.status} is not listed`
    if (fault === undefined || faultAs(contentOf(responses.default), answered) === undefined) return undefined
    if (operation['x-passes-on'] !== undefined && faultAs(ANY_PROBLEM, answered) === undefined) return undefined
    return `${operationId} answers ${answered.status}: ${fault}`
  }
}
