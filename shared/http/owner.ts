/**
 * Whose things may a request see and change, and under whose name is it done?
 *
 * A customer has what is its own: whatever is another's is to it as if there were no such thing (404), so that nobody learns what there
 * is. Its id is the subject of its token. Whoever may touch everybody's things leaves a trail: what it has done says so.
 */
import { hash } from 'node:crypto'
import { isIdentifier } from '../contract/dictionary.ts'
import type { Caller } from './caller.ts'

const HASHED = 'sub_'

/**
 * The id of a subject: itself, where it may be one. A subject may be any text (`auth0|123`); the others have the hash of theirs, as has
 * one that looks like such a hash, so that no two have the same.
 */
export const idOf = (subject: string): string =>
  isIdentifier(subject) && !subject.startsWith(HASHED) ? subject : HASHED + hash('sha256', subject, 'base64url')

/** Whose things alone it may see and change; undefined if everybody's. */
export const ownerOf = (caller: Caller | undefined): string | undefined =>
  caller?.scope === 'customer' ? idOf(caller.subject) : undefined

/** Under whose name it is done, without blanks, if that is not a customer's own doing: `operator:anna`. */
export const doneByOf = (caller: Caller | undefined): string | undefined => {
  if (caller?.scope !== 'merchant' && caller?.scope !== 'operator') return undefined
  return caller.subject === '' ? caller.scope : `${caller.scope}:${encodeURIComponent(caller.subject)}`
}

/**
 * The key of a request as it is remembered. Each caller has keys of its own: else one could use up another's, or be given what the
 * other was answered. No key has two blanks where nobody need say who it is.
 */
export const keyOf = (caller: Caller | undefined, key: string): string =>
  caller === undefined || caller.scope === 'anybody' || caller.scope === 'service'
    ? key
    : `${caller.scope}:${encodeURIComponent(caller.subject)}  ${key}`

/** Whether what is theirs is to be as if there were no such thing. @param owner whose things alone may be seen */
export const isAnothers = (whose: string | undefined, owner: string | undefined): boolean =>
  owner !== undefined && whose !== owner
