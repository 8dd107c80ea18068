/**
 * What can the shop be asked, in types of TypeScript?
 *
 * They are those of the contract: of what a schema says more than its type, such as a pattern, nothing is left.
 */
import type { Row } from '../../shared/http/route.ts'
import { type NamedRow, ROWS } from '../support/rows.ts'
import { everyKind, idOf, wantsKey } from './document.ts'
import { answered, namedSchemas, parameterOf, type Schema, sent } from './schemas.ts'

const HEAD = `/**
 * What can the shop be asked, in types?
 *
 * \`npm run openapi\` writes this from the rows of all services: a change here is lost. Streams of events are not among it.
 */
`

/** What the client has to know of an operation besides its types. */
const ASKED = `/**
 * How an operation is asked. Sent again it has one effect \`as-it-is\`, or \`under-a-key\`, or may have \`another\`.
 * \`version\` is the path of the thing whose version it changes: what was shown there has the ETag that a change is made from.
 * One that \`shows\` answers what it has changed, if the client prefers that.
 */
export type Asked = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly again: 'as-it-is' | 'under-a-key' | 'another'
  readonly version?: string
  readonly shows?: true
}
`

const indented = (text: string): string => text.replaceAll(/\n(?=.)/g, '\n  ')
/** A type of these members, each with its name; those that may be left out may also be undefined. */
const recordOf = (members: readonly (readonly [name: string, type: string, isOptional?: boolean, says?: string])[]) => {
  const lines = members.map(([name, type, isOptional = false, says]) => {
    const key = /^\w+$/.test(name) ? name : `'${name}'`
    return `${says ? `/** ${says} */\n` : ''}readonly ${key}${isOptional ? '?' : ''}: ${type}${isOptional ? ' | undefined' : ''}`
  })
  return lines.length === 0 ? '{}' : `{\n  ${indented(lines.join('\n'))}\n}`
}

const literal = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value))
const objectOf = ({ properties = {}, required = [], additionalProperties }: Schema): string => {
  const names = Object.entries(properties as Readonly<Record<string, Schema>>)
  if (names.length === 0 && typeof additionalProperties === 'object')
    return `Readonly<Record<string, ${typeOf(additionalProperties as Schema)}>>`
  return recordOf(
    names.map(([name, schema]) => [name, typeOf(schema), !(required as readonly string[]).includes(name)]),
  )
}
const listOf = ({ items, prefixItems }: Schema): string => {
  if (prefixItems) return `readonly [${(prefixItems as readonly Schema[]).map(typeOf).join(', ')}]`
  const item = (items ?? {}) as Schema
  const isSeveral = item.anyOf !== undefined || item.enum !== undefined || item.type === 'array'
  return isSeveral ? `readonly (${typeOf(item)})[]` : `readonly ${typeOf(item)}[]`
}

/** The type of what a schema describes. */
const typeOf = (schema: Schema): string => {
  const { $ref, anyOf, enum: names, type } = schema
  if (typeof $ref === 'string') return $ref.replace('#/components/schemas/', '')
  if (Array.isArray(anyOf)) return anyOf.map(typeOf).join(' | ')
  if ('const' in schema) return literal(schema.const)
  if (Array.isArray(names)) return names.map(literal).join(' | ')
  if (type === 'object') return objectOf(schema)
  if (type === 'array') return listOf(schema)
  if (type === 'integer' || type === 'number') return 'number'
  return typeof type === 'string' ? type : 'unknown'
}

/** Headers of which the client has options of its own. */
const OPTIONS = ['if-match', 'prefer', 'last-event-id']

const givenOf = (row: Row): string => {
  const { params = {}, query = {}, headers = {}, body } = row
  const fieldsOf = (fields: typeof params) =>
    Object.entries(fields).map(([name, field]) => {
      const { schema, required } = parameterOf(field)
      return [name, typeOf(schema), !required] as const
    })
  const groups = [
    ['params', fieldsOf(params)],
    ['query', fieldsOf(query)],
    [
      'headers',
      Object.keys(headers).flatMap((name) => (OPTIONS.includes(name) ? [] : [[name, 'string', false] as const])),
    ],
  ] as const
  return recordOf([
    ...groups
      .filter(([, fields]) => fields.length > 0)
      .map(([name, fields]) => [name, recordOf(fields), fields.every(([, , isOptional]) => isOptional)] as const),
    ...(body ? [['body', typeOf(sent(body.fields)), body.optional === true] as const] : []),
  ])
}

/** Shown to whoever prefers it, which the client does. */
const shows = ({ answers }: Row): boolean => 200 in answers && answers[204] !== undefined
const answersOf = (row: Row): string =>
  recordOf(
    Object.entries(row.answers)
      .filter(([status]) => !(status === '204' && shows(row)))
      .map(([status, content]) => {
        if ('json' in content) return [status, typeOf(answered(content.json))]
        return [status, 'text' in content ? 'string' : 'undefined']
      }),
  )

const againOf = (row: NamedRow): string => {
  if (row.repeatable === 'as-it-is') return 'as-it-is'
  return wantsKey(row) ? 'under-a-key' : 'another'
}
/** A thing is shown where its id ends the path. */
const versionOf = ({ path }: Row): string => path.slice(0, path.lastIndexOf('}') + 1)
const askedOf = (row: NamedRow): string => {
  const { method, path, ifMatch } = row
  const members = {
    ...{ method, path, again: againOf(row) },
    ...(ifMatch ? { version: versionOf(row) } : {}),
  }
  const texts = Object.entries(members).map(([name, value]) => `${name}: '${value}'`)
  return `{ ${[...texts, ...(shows(row) ? ['shows: true'] : [])].join(', ')} }`
}

const hasEnd = ({ answers }: Row): boolean => !(200 in answers && 'events' in answers[200])

/** The types as they are written. */
export const clientTypesText = (): string => {
  const rows = ROWS.filter((row) => row.scope !== 'service' && hasEnd(row))
  const operations = rows.map((row) => {
    const type = recordOf([
      ['given', givenOf(row)],
      ['answers', answersOf(row)],
    ])
    return [idOf(row), type, false, `${row.summary} (${row.scope}).`] as const
  })
  const kinds = everyKind().map((kind) => `  | '${kind}'`)
  return [
    HEAD,
    ...Object.entries(namedSchemas()).map(([name, schema]) => `export type ${name} = ${typeOf(schema)}\n`),
    `/** Why something was refused, or failed: the last part of the \`type\` of a problem. */\nexport type ProblemKind =\n${kinds.join('\n')}\n`,
    `export type Operations = ${recordOf(operations)}\n`,
    ASKED,
    'export const OPERATIONS: { readonly [Name in keyof Operations]: Asked } = {',
    ...rows.map((row) => `  ${idOf(row)}: ${askedOf(row)},`),
    '}\n',
  ].join('\n')
}
