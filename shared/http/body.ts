/**
 * How is a request's body read?
 *
 * Whole and bounded, before the route is asked. Most routes take none: an absent body, an empty one and an empty JSON value
 * pass. A route that takes one is given its *fields*: those of a JSON object or, where its row says so, of a form. What is wrong
 * is a refusal: 415 another type, 413 too large, 422 malformed, which names the field.
 */
import type { Context } from 'koa'
import * as v from 'valibot'
import { MalformedError } from '../errors.ts'
import type { Problem } from './problem.ts'
import { bodyTooLarge, malformedBody, unsupportedMediaType } from './problems.ts'

/** What a row takes as a body. */
export type Body = {
  /** Reads the fields; what it says of one that it does not take is what the field must, in words. */
  readonly fields: v.GenericSchema
  /** Also as a form, whose fields are all texts: `application/x-www-form-urlencoded` or `multipart/form-data`. */
  readonly forms?: true
  /** May there be none? Then it has no fields. */
  readonly optional?: true
}

/** What was sent as a body. */
export type Sent = {
  readonly fields: unknown
  /** All of it, for comparison: a form that is sent again may bear another boundary. `undefined`: there was no body. */
  readonly text: string | undefined
}
type Refused<Kind extends (...args: never[]) => Problem> = { readonly problem: ReturnType<Kind> }
type Malformed = Refused<typeof malformedBody>

export const BODY_MAX_BYTES = 65_536
/** Of a body that must be empty. */
const EMPTY_MAX_BYTES = 1_024
/** By which it is told apart what looks like JSON. */
const BEGINNING_BYTES = 64
const NOTHING: Sent = { fields: undefined, text: undefined }
const NO_FIELDS: Sent = { fields: Object.freeze({}), text: undefined }

const JSON_TYPE = 'application/json'
const FORM_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data']
const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** A name comes from outside, and may be as long as a body. */
const NAME_MAX = 64
const refused = (field: string, complaint: string): Malformed => {
  const name = field.slice(0, NAME_MAX)
  return { problem: malformedBody(name, `"${name}" ${complaint}`) }
}

/**
 * The whole body; `undefined` if it is too long. It is read to its end, or the connection breaks before the answer. By its events: an
 * iterator of the stream costs several times as much as a small body.
 */
const bytesOf = ({ req }: Context, maxBytes: number): Promise<Buffer | undefined> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= maxBytes) chunks.push(chunk)
    })
    req.on('end', () =>
      resolve(bytes > maxBytes ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, bytes)),
    )
    req.on('error', reject)
    req.on('close', () => {
      if (!req.readableEnded) reject(new Error('the connection broke in the middle of a body'))
    })
  })

/** What reading throws of a text that is none of its kind. */
const isUnreadable = (error: unknown): boolean => error instanceof SyntaxError || error instanceof TypeError

const jsonIn = (bytes: Buffer): Sent | Malformed => {
  try {
    const text = UTF8.decode(bytes)
    const fields: unknown = JSON.parse(text)
    const isObject = typeof fields === 'object' && fields !== null && !Array.isArray(fields)
    return isObject ? { fields, text } : refused('body', 'must be a JSON object')
  } catch (error) {
    if (isUnreadable(error)) return refused('body', 'must be JSON in UTF-8')
    throw error
  }
}

/** `curl -d` says of anything that it is a form. No name of a field begins so. */
const isLikeJson = (bytes: Buffer): boolean => /^\s*\{/.test(bytes.toString('latin1', 0, BEGINNING_BYTES))

const formIn = async (bytes: Buffer, type: string): Promise<Sent | Malformed> => {
  if (isLikeJson(bytes))
    return refused('body', `looks like JSON, and was sent as a form: send "Content-Type: ${JSON_TYPE}"`)
  const fields = new Map<string, string>()
  try {
    const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData()
    for (const [name, value] of form) {
      if (typeof value !== 'string') return refused(name, 'must be a text, and no file')
      if (fields.has(name)) return refused(name, 'may be given once')
      fields.set(name, value)
    }
  } catch (error) {
    if (isUnreadable(error)) return refused('body', 'must be a form as its type says')
    throw error
  }
  return { fields: Object.fromEntries(fields), text: JSON.stringify([...fields]) }
}

const isAbsent = ({ headers }: Context): boolean =>
  headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0'

const refuseBody = async (ctx: Context): Promise<Sent> => {
  const bytes = await bytesOf(ctx, EMPTY_MAX_BYTES)
  if (bytes === undefined || !/^\s*(\{\s*\}|null|""|)\s*$/.test(bytes.toString()))
    throw new MalformedError('body', 'this route takes no body')
  return NOTHING
}

/** Reads what was sent, of which only the form is looked at. @throws MalformedError if the route takes no body, and there is one */
export const readBody = async (ctx: Context, body?: Body): Promise<Sent | { readonly problem: Problem }> => {
  if (body === undefined) return isAbsent(ctx) ? NOTHING : refuseBody(ctx)
  if (body.optional && isAbsent(ctx)) return NO_FIELDS
  const bytes = await bytesOf(ctx, BODY_MAX_BYTES)
  if (bytes === undefined) return { problem: bodyTooLarge(BODY_MAX_BYTES) }
  if (bytes.length === 0) return body.optional ? NO_FIELDS : refused('body', 'must be given')
  const { 'content-type': whole = '', 'content-encoding': coding = 'identity' } = ctx.headers
  const type = whole.replace(/;.*$/s, '').trim().toLowerCase()
  if (coding === 'identity' && type === JSON_TYPE) return jsonIn(bytes)
  if (coding === 'identity' && body.forms && FORM_TYPES.includes(type)) return formIn(bytes, whole)
  return { problem: unsupportedMediaType([JSON_TYPE, ...(body.forms ? FORM_TYPES : [])]) }
}

const fieldsOf = (schema: v.GenericSchema, sent: unknown): { readonly fields: unknown } | Malformed => {
  const result = v.safeParse(schema, sent)
  if (result.success) return { fields: result.output }
  const [issue] = result.issues
  return refused(v.getDotPath(issue) ?? 'body', `must ${issue.message}`)
}

/** Reads the fields of a body as its row does. No body reads as it did before: all requests without one are given the same. */
export const fieldsReader = ({ fields: schema, optional }: Body) => {
  const ofNone = optional ? fieldsOf(schema, NO_FIELDS.fields) : undefined
  return (sent: unknown) => (ofNone && sent === NO_FIELDS.fields ? ofNone : fieldsOf(schema, sent))
}
