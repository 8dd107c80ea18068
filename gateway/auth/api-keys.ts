/**
 * What is a key of a program, and where does it stand?
 *
 * A key is `shop_ID_SECRET`. Its secret is 256 random bits, which nobody guesses, so a plain SHA-256 is kept of it. The keys
 * stand in a file, a line of JSON for each that was made and for each that was revoked. Lines are only ever added: so no one who
 * adds a line takes back another's, and the file tells who had which key, from when and until when. Where there is no such file,
 * the same lines may be given as a list, once and for all.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { messageOf } from '../../shared/errors.ts'
import type { Caller, Scope } from '../../shared/http/caller.ts'

/** What a key may have. */
export const KEY_SCOPES = ['customer', 'merchant', 'operator'] as const satisfies readonly Scope[]
export type KeyScope = (typeof KEY_SCOPES)[number]

export type ApiKey = {
  readonly id: string
  readonly scope: KeyScope
  /** The customer, or by what name a program is known. */
  readonly subject: string
  /** Of the whole key, in hexadecimal digits. */
  readonly sha256: string
  readonly created: string
  readonly revoked?: string
}

const FORM = /^shop_([\da-f]{12})_[\w-]{43}$/
const SECRET_BYTES = 32
const ID_BYTES = 6

const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest()

/** A new key, which is shown once, and the line that is kept of it. */
export const makeKey = (
  scope: KeyScope,
  subject: string,
  at: Date,
): { readonly key: string; readonly line: string } => {
  const id = randomBytes(ID_BYTES).toString('hex')
  const key = `shop_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`
  const kept: ApiKey = { id, scope, subject, sha256: digestOf(key).toString('hex'), created: at.toISOString() }
  return { key, line: `${JSON.stringify(kept)}\n` }
}

export const revocation = (id: string, at: Date): string => `${JSON.stringify({ id, revoked: at.toISOString() })}\n`

type Line = Partial<Record<keyof ApiKey, unknown>>

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

const readLine = (text: string, keys: Map<string, ApiKey>): void => {
  const { id, scope, subject, sha256, created, revoked } = Object(JSON.parse(text)) as Line
  if (!isText(id)) throw new Error('it names no id')
  if (isText(revoked)) {
    const key = keys.get(id)
    if (key === undefined) throw new Error(`it revokes ${id}, which was not made before`)
    keys.set(id, { ...key, revoked: key.revoked ?? revoked })
    return
  }
  const known = KEY_SCOPES.find((one) => one === scope)
  if (known === undefined) throw new Error(`its scope must be one of ${KEY_SCOPES.join(', ')}`)
  if (
    !isText(subject) ||
    !subject.isWellFormed() ||
    !isText(created) ||
    !isText(sha256) ||
    !/^[\da-f]{64}$/.test(sha256)
  )
    throw new Error('it has no subject, no sha256 or no time')
  if (keys.has(id)) throw new Error(`${id} was made before`)
  keys.set(id, { id, scope: known, subject, sha256, created })
}

export type ReadKeys = {
  readonly keys: ReadonlyMap<string, ApiKey>
  /** What is wrong with lines, which count as not written. */
  readonly faults: readonly string[]
}

/** What stands in a file of keys. A last line that is not whole yet is passed over. */
export const readKeys = (text: string): ReadKeys => {
  const keys = new Map<string, ApiKey>()
  const faults: string[] = []
  const lines = text.split('\n')
  for (const [at, line] of lines.entries())
    try {
      if (line.trim() !== '') readLine(line, keys)
    } catch (error) {
      if (at < lines.length - 1) faults.push(`line ${at + 1}: ${messageOf(error)}`)
    }
  return { keys, faults }
}

/** Whether a setting has keys themselves, and not the name of their file. */
export const areGiven = (setting: string): boolean => setting.trimStart().startsWith('[')

/** Keys that are given as a list of what stands in the lines of a file. @throws Error saying what is wrong with it */
export const givenApiKeys = (text: string): ReadonlyMap<string, ApiKey> => {
  const given: unknown = JSON.parse(text)
  if (!Array.isArray(given)) throw new Error('it is no list')
  const { keys, faults } = readKeys(given.map((line) => `${JSON.stringify(line)}\n`).join(''))
  if (faults.length > 0) throw new Error(faults.join('; '))
  return keys
}

/** Whether a bearer token has the form of a key. */
export const isKey = (token: string): boolean => FORM.test(token)

/** Who bears this key; undefined if there is none such, or it was revoked. */
export const bearerOf = (keys: ReadonlyMap<string, ApiKey>, token: string): Caller | undefined => {
  const found = keys.get(FORM.exec(token)?.[1] ?? '')
  if (found === undefined || found.revoked !== undefined) return undefined
  if (!timingSafeEqual(digestOf(token), Buffer.from(found.sha256, 'hex'))) return undefined
  return { scope: found.scope, subject: found.subject }
}
