/**
 * What can operators ask of every service?
 *
 * Under its own prefix each has the rows of `logApi`, `sagaApi` and `featureApi`; a service that may leave sagas unfinished those of
 * `recoveryApi`, and one that owns things those of `auditApi`.
 */
import * as v from 'valibot'
import { entryId, exactly, identifier, integer } from '../contract/fields.ts'
import { entry, logQueries, page, recordQueries, sagaStatus } from '../contract/queries.ts'
import { keyReused } from '../http/problems.ts'
import type { Rows } from '../http/route.ts'
import { READ_MAX } from './live-log.ts'
import {
  letterApplied,
  letterDismissed,
  letterFailed,
  noSuchFeature,
  noSuchLetter,
  noSuchLogId,
  noSuchSaga,
  tooManyViewers,
} from './problems.ts'

const MINUTES_MAX = 60 * 24 * 365

const texts = v.record(v.string(), v.string())
const lostTail = v.object({
  speaker: v.string(),
  noticed: v.string(),
  after: v.string(),
  until: v.string(),
  unnamed_until: v.nullable(v.string()),
  entries: v.array(entry),
})
const report = v.object({
  service: v.string(),
  found: v.array(v.object({ log_id: v.string(), facts: texts, repair: v.string(), done: v.string() })),
  lost_tails: v.array(lostTail),
  trimmed: v.number(),
  dead_letters: v.number(),
  contradictions: v.array(v.string()),
})
/** How a service keeps up; what is not known is null. */
const readers = v.object({
  service: v.string(),
  replica: v.string(),
  readers: v.array(
    v.object({
      speaker: v.string(),
      /** Whether it is this replica that reads; else another one does. */
      reads: v.boolean(),
      cursor: v.string(),
      newest: v.nullable(v.string()),
      lag_ms: v.nullable(v.number()),
      lag_entries: v.nullable(v.number()),
      unreached_ms: v.number(),
    }),
  ),
  log: v.object({ entries: v.number(), newest: v.string() }),
  parser: v.object({
    last_run: v.nullable(
      v.object({
        at: v.string(),
        took_ms: v.number(),
        found: v.number(),
        repaired: v.number(),
        trimmed: v.number(),
      }),
    ),
    next_run: v.nullable(v.string()),
  }),
  lost_tails: v.array(
    v.object({
      speaker: v.string(),
      noticed: v.string(),
      after: v.string(),
      until: v.string(),
      named: v.number(),
    }),
  ),
  memory: v.object({ used: v.nullable(v.number()), limit: v.nullable(v.number()) }),
})
const letter = v.object({
  id: v.string(),
  at: v.string(),
  speaker: v.string(),
  entry: v.string(),
  error: v.string(),
  fields: v.array(v.string()),
  applied: v.nullable(v.object({ at: v.string(), word: v.string() })),
  dismissed: v.nullable(v.string()),
})

export const logApi = (prefix: string) =>
  ({
    countEntries: {
      method: 'GET',
      path: `${prefix}/log_count`,
      summary: 'Counts the entries of the log',
      answers: { 200: { text: 'how many there are' } },
      problems: [],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    findEntries: {
      method: 'GET',
      path: `${prefix}/log/{log_id}`,
      summary: 'Shows the entries of one log id',
      params: { log_id: identifier },
      answers: { 200: { json: v.object({ logs: v.array(entry) }) } },
      problems: [noSuchLogId],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    listEntries: {
      ...logQueries(prefix).listEntries,
      summary: 'Shows a page of the log, behind the entry `after`',
      problems: [],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    listRecentEntries: {
      method: 'GET',
      path: `${prefix}/sorted_logs/{minutes}`,
      summary: 'Shows the entries of the last minutes by their log ids',
      params: { minutes: integer(1, MINUTES_MAX) },
      answers: {
        200: { json: v.object({ logs: v.record(v.string(), v.array(entry)), next: v.nullable(v.string()) }) },
      },
      problems: [],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    watchLog: {
      method: 'GET',
      path: `${prefix}/events`,
      summary:
        'Tells twice a second what was appended to the log: how many entries of each kind, and some of them whole ' +
        '(server-sent events); with `Last-Event-ID` from that entry on. Of what is appended meanwhile the newest `most` entries are read',
      query: { most: v.optional(integer(1, READ_MAX)) },
      headers: { 'last-event-id': v.optional(entryId) },
      answers: { 200: { events: 'digests of what was appended' } },
      problems: [tooManyViewers],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    showReaders: {
      method: 'GET',
      path: `${prefix}/readers`,
      summary:
        'Shows how one replica reads the logs of its peers, its last run of the log parser, and what its Redis holds',
      answers: { 200: { json: readers } },
      problems: [],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    parseLog: {
      method: 'POST',
      path: `${prefix}/fault_tolerance`,
      summary: 'Runs the log parser: repairs what is unfinished, and reports it',
      answers: { 200: { json: report } },
      problems: [],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
  }) as const satisfies Rows

const feature = v.object({ name: v.string(), route: v.string(), on: v.boolean() })

export const featureApi = (prefix: string) =>
  ({
    listFeatures: {
      method: 'GET',
      path: `${prefix}/features`,
      summary: 'Shows the features of the service: its routes that can be switched off',
      answers: { 200: { json: v.object({ features: v.array(feature) }) } },
      problems: [],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    showFeature: {
      method: 'GET',
      path: `${prefix}/features/{name}`,
      summary: 'Shows whether a feature is on',
      params: { name: identifier },
      answers: { 200: { json: feature } },
      problems: [noSuchFeature],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    setFeature: {
      method: 'PUT',
      path: `${prefix}/features/{name}`,
      summary: 'Switches a feature off, so that its requests are refused, or on again',
      params: { name: identifier },
      body: { fields: exactly({ on: v.boolean('be true or false') }) },
      answers: { 200: { json: feature } },
      problems: [noSuchFeature],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
  }) as const satisfies Rows

export const sagaApi = (prefix: string) =>
  ({
    showSaga: {
      ...logQueries(prefix).showSaga,
      summary: 'Shows how a saga stands, and what the log parser will do for it',
      problems: [noSuchSaga],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    listDeadLetters: {
      method: 'GET',
      path: `${prefix}/dead_letters`,
      summary: 'Shows a page of the entries that could not be applied, behind the one `after`',
      query: page,
      answers: { 200: { json: v.object({ letters: v.array(letter), next: v.nullable(v.string()) }) } },
      problems: [],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    retryDeadLetter: {
      method: 'POST',
      path: `${prefix}/retry_dead_letter/{id}`,
      summary: 'Applies the entry of a dead letter, once',
      params: { id: entryId },
      answers: { 200: { json: v.object({ id: v.string(), word: v.string(), repeated: v.boolean() }) } },
      problems: [noSuchLetter, letterDismissed, letterFailed, keyReused],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    dismissDeadLetter: {
      method: 'POST',
      path: `${prefix}/dismiss_dead_letter/{id}`,
      summary: 'Gives a dead letter up, whose entry is never to be applied',
      params: { id: entryId },
      answers: { 200: { json: v.object({ id: v.string(), dismissed: v.string(), repeated: v.boolean() }) } },
      problems: [noSuchLetter, letterApplied, keyReused],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
  }) as const satisfies Rows

export const recoveryApi = (prefix: string) =>
  ({
    retrySaga: {
      method: 'POST',
      path: `${prefix}/retry/{log_id}`,
      summary: 'Does at once what the log parser would do for a saga',
      params: { log_id: identifier },
      answers: { 200: { json: v.object({ log_id: v.string(), done: v.string() }) } },
      problems: [noSuchSaga, keyReused],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    listUnfinished: {
      method: 'GET',
      path: `${prefix}/unfinished`,
      summary: 'Shows the sagas that are unfinished',
      answers: { 200: { json: v.object({ unfinished: v.array(sagaStatus), more: v.boolean() }) } },
      problems: [],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
  }) as const satisfies Rows

/** What a service that owns things can be asked where an audit does not add up. */
export const auditApi = (prefix: string) => {
  const { sagasAt, readRecords, findAbsent } = recordQueries(prefix)
  return {
    sagasAt: {
      ...sagasAt,
      summary: 'Shows what was last said of these sagas when the entry `at` was the newest',
      problems: [],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    readRecords: {
      ...readRecords,
      summary: 'Shows what is recorded of these sagas now, or of one page of all',
      problems: [],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
    findAbsent: {
      ...findAbsent,
      summary: 'Shows which of these things there are not',
      problems: [],
      repeatable: 'as-it-is',
      scope: 'operator',
    },
  } as const satisfies Rows
}
