/** What can be asked about jobs? */
import * as v from 'valibot'
import { exactly, hasMoment, identifier, nameIn, units } from '../../shared/contract/fields.ts'
import { keyReused } from '../../shared/http/problems.ts'
import type { Rows } from '../../shared/http/route.ts'
import { lockHeld, locksInDoubt, tooManyLocks } from '../lock/problems.ts'
import { nameUnder, ttl } from '../lock/schemas.ts'
import { laterRunBegun, noSuchRun, runDecided, runLost, runTaken, runTooEarly } from './problems.ts'
import { JOBS } from './store.ts'

const KEEP = 100
const KEEP_MAX = 1_000
const RUNNER_MAX = 52
const NOTE_MAX = 200

const MUST_BE_SLOT =
  'be the time of RFC 3339 when it was due, in a whole second, which no leap second is, as 2026-11-28T03:00:00Z'
/** In seconds since 1970. */
const slot = v.pipe(
  v.string(MUST_BE_SLOT),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.0+)?(Z|[+-]\d\d:\d\d)$/, MUST_BE_SLOT),
  v.check(hasMoment, MUST_BE_SLOT),
  v.transform((text) => Date.parse(text) / 1_000),
  v.safeInteger(MUST_BE_SLOT),
  v.minValue(0, MUST_BE_SLOT),
)
const job = { job: nameIn('job', nameUnder(JOBS)) } as const
const run = {
  ...job,
  slot,
  runner: v.pipe(identifier, v.maxLength(RUNNER_MAX, `be up to ${RUNNER_MAX} characters long`)),
} as const

const MUST_BE_NOTE = `be a text of up to ${NOTE_MAX} characters`
const note = v.pipe(
  v.string(MUST_BE_NOTE),
  v.transform((text) => text.toWellFormed()),
  v.string(),
  v.maxLength(NOTE_MAX, MUST_BE_NOTE),
)
const change = v.pipe(
  exactly({
    ttl_ms: v.optional(ttl),
    outcome: v.optional(v.picklist(['done', 'failed'], 'be "done" or "failed"')),
    note: v.optional(note),
  }),
  v.forward(
    v.check((sent) => sent.outcome !== undefined || sent.note === undefined, 'be given with an outcome only'),
    ['note'],
  ),
)

const begun = v.object({
  job: v.string(),
  slot: v.string(),
  token: v.number(),
  expires_in_ms: v.number(),
})
const standing = v.object({
  slot: v.string(),
  state: v.picklist(['running', 'done', 'failed', 'lost']),
  by: v.string(),
  at: v.string(),
  token: v.number(),
  note: v.nullable(v.string()),
})

export const jobs = {
  beginRun: {
    method: 'PUT',
    path: '/jobs/{job}/runs/{slot}/by/{runner}',
    summary: 'Says whether this runner is to run a job for the time at which it was due; the same again says the same',
    params: run,
    body: {
      fields: exactly({
        ttl_ms: v.optional(ttl, 60_000),
        if_lost: v.optional(v.picklist(['skip', 'again'], 'be "skip" or "again"'), 'skip'),
        keep: v.optional(units(1, KEEP_MAX), KEEP),
      }),
      optional: true,
    },
    answers: { 200: { json: begun }, 201: { json: begun } },
    problems: [runTooEarly, runTaken, laterRunBegun, lockHeld, tooManyLocks, locksInDoubt],
    repeatable: 'as-it-is',
    scope: 'merchant',
    shownAt: '/jobs/{job}',
  },
  changeRun: {
    method: 'PATCH',
    path: '/jobs/{job}/runs/{slot}/by/{runner}',
    summary: 'Lets a run last for longer, or says what became of it',
    params: run,
    body: { fields: change, optional: true },
    answers: {
      200: { json: v.object({ job: v.string(), slot: v.string(), state: v.string(), expires_in_ms: v.number() }) },
    },
    problems: [noSuchRun, runLost, runDecided, keyReused],
    repeatable: 'as-it-is',
    scope: 'merchant',
    shownAt: '/jobs/{job}',
  },
  showJob: {
    method: 'GET',
    path: '/jobs/{job}',
    summary: 'Shows the run of a job that is under way, and what became of the last one that was begun',
    params: job,
    answers: {
      200: { json: v.object({ job: v.string(), running: v.nullable(standing), last: v.nullable(standing) }) },
    },
    problems: [],
    repeatable: 'as-it-is',
    scope: 'merchant',
  },
} as const satisfies Rows
