/**
 * What is an entry of a log, and where does it stand?
 *
 * An entry stands where its stream id says: a time in milliseconds and a sequence number, both numbers, so that 9 comes
 * before 10. Ids only grow within one log; a subscriber that knows the id it has applied last knows what it has yet to apply.
 */

import { fieldsOf, type RawEntry } from '../contract/raw-entry.ts'
import type { Service } from '../contract/services.ts'

/** An entry as people read it: where it stands, when it was appended, of what kind, under which log id, and its facts. */
export type LogEntry = {
  readonly id: string
  readonly at: string
  readonly kind: string
  readonly version: string
  readonly log_id: string
  readonly facts: Readonly<Record<string, string>>
}

/** The end of a publisher's log, which was applied here and is gone. */
export type LostTail = {
  readonly speaker: Service
  readonly noticed: string
  /** The newest entry that is left, and the newest that was applied: what is lost lies between. */
  readonly after: string
  readonly until: string
  /** Up to this entry this service does not remember what is gone; `null` if all is listed. */
  readonly unnamed_until: string | null
  /** What is gone, by name; entries of sagas apart, which are rebuilt. */
  readonly entries: readonly LogEntry[]
}

/** The key under which `publisher` finds how far `subscriber` has applied its log. */
export const ackedKey = (publisher: Service, subscriber: Service): string => `heard:${publisher}:${subscriber}`
export const logKey = (service: Service): string => `log:${service}`

const ID = /^\d{1,15}-\d{1,15}$/
/** May this be the stream id of an entry? */
export const isEntryId = (text: string): boolean => ID.test(text)

const DASH = 45
/** Where the sequence of a stream id begins, from September 2001 until 2286. */
const DASH_AT = 13

const isOfOneMs = (a: string, b: string): boolean => {
  for (let at = DASH_AT - 1; at >= 0; at -= 1) if (a.charCodeAt(at) !== b.charCodeAt(at)) return false
  return true
}

/** Compares two stream ids as (milliseconds, sequence): negative if `a` is the earlier. Of one millisecond the longer one is the later. */
export const compareIds = (a: string, b: string): number => {
  if (a.charCodeAt(DASH_AT) === DASH && b.charCodeAt(DASH_AT) === DASH) {
    if (a.length !== b.length && isOfOneMs(a, b)) return a.length - b.length
    return a === b ? 0 : a < b ? -1 : 1
  }
  const [aMs = '0', aSequence = '0'] = a.split('-')
  const [bMs = '0', bSequence = '0'] = b.split('-')
  return Number(aMs) - Number(bMs) || Number(aSequence) - Number(bSequence)
}

/** An entry as Redis gives it, made readable. */
export const readable = (raw: RawEntry): LogEntry => {
  const [id] = raw
  const { kind = '', version = '', log_id = '', ...rest }: Record<string, string> = Object.fromEntries(fieldsOf(raw))
  return { id, at: new Date(Number(id.split('-')[0])).toISOString(), kind, version, log_id, facts: rest }
}
