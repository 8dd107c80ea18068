/** What can be asked about elections? */
import * as v from 'valibot'
import { exactly, identifier, nameIn } from '../../shared/contract/fields.ts'
import { draining, keyReused } from '../../shared/http/problems.ts'
import type { Rows } from '../../shared/http/route.ts'
import { acquireRefusals, leaseEnded, noSuchLease, notExclusive, tooManyWatchers } from '../lock/problems.ts'
import { lastSeen, metadataValue, nameUnder, ttl, waitMs } from '../lock/schemas.ts'

/** Of the lock of an election, before its name. */
export const ELECTIONS = 'elections/'
const TTL_MS = 15_000

const election = { election: nameIn('name', nameUnder(ELECTIONS)) } as const
const candidate = { ...election, candidate: identifier } as const

const leading = v.object({
  leader: v.literal(true),
  candidate: v.string(),
  term: v.number(),
  value: v.nullable(v.string()),
  ttl_ms: v.number(),
  expires_in_ms: v.number(),
})
const standing = v.object({
  leader: v.literal(false),
  candidate: v.string(),
  position: v.number(),
  led_by: v.nullable(v.string()),
})

const shownElection = v.object({
  name: v.string(),
  leader: v.nullable(
    v.object({
      candidate: v.nullable(v.string()),
      value: v.nullable(v.string()),
      term: v.number(),
      expires_in_ms: v.number(),
    }),
  ),
  candidates: v.number(),
})

export const elections = {
  stand: {
    method: 'PUT',
    path: '/elections/{election}/candidates/{candidate}',
    summary: 'Makes a candidate the leader, or has it wait until it is its turn; the same again says how it stands',
    params: candidate,
    body: {
      fields: exactly({ ttl_ms: v.optional(ttl, TTL_MS), value: v.optional(metadataValue) }),
      optional: true,
    },
    answers: { 200: { json: leading }, 201: { json: leading }, 202: { json: standing } },
    problems: acquireRefusals,
    repeatable: 'as-it-is',
    scope: 'merchant',
    shownAt: '/elections/{election}/candidates/{candidate}',
  },
  askCandidate: {
    method: 'GET',
    path: '/elections/{election}/candidates/{candidate}',
    summary: 'Shows how a candidate stands; with wait_ms once it leads, or after so long',
    params: candidate,
    query: { wait_ms: waitMs },
    answers: { 200: { json: leading }, 202: { json: standing } },
    problems: [noSuchLease, leaseEnded, draining],
    repeatable: 'as-it-is',
    scope: 'merchant',
  },
  renewCandidate: {
    method: 'PATCH',
    path: '/elections/{election}/candidates/{candidate}',
    summary: 'Lets a leader lead for longer, or changes what it is known by',
    params: candidate,
    body: {
      fields: exactly({ ttl_ms: v.optional(ttl), value: v.optional(metadataValue) }),
      optional: true,
    },
    answers: { 200: { json: leading }, 202: { json: standing } },
    problems: [noSuchLease, leaseEnded, notExclusive, keyReused],
    repeatable: 'as-it-is',
    scope: 'merchant',
    shownAt: '/elections/{election}/candidates/{candidate}',
  },
  resign: {
    method: 'DELETE',
    path: '/elections/{election}/candidates/{candidate}',
    summary: 'Has a leader lead no more, or a candidate stand no more',
    params: candidate,
    answers: { 200: { json: v.object({ candidate: v.string(), ended: v.string(), at: v.string() }) } },
    problems: [keyReused],
    repeatable: 'as-it-is',
    scope: 'merchant',
    shownAt: '/elections/{election}/candidates/{candidate}',
  },
  showElection: {
    method: 'GET',
    path: '/elections/{election}',
    summary: 'Shows who leads, and how many wait for it',
    params: election,
    answers: { 200: { json: shownElection } },
    problems: [],
    repeatable: 'as-it-is',
    scope: 'merchant',
  },
  watchElection: {
    method: 'GET',
    path: '/elections/{election}/events',
    summary: 'Sends who leads and what becomes of it (server-sent events); with `Last-Event-ID` what came after that',
    params: election,
    headers: lastSeen,
    answers: {
      200: {
        events:
          'state, then elected, renewed, resigned, lost, standing, withdrawn, delayed; gap and state where some are missed',
      },
    },
    problems: [tooManyWatchers],
    repeatable: 'as-it-is',
    scope: 'merchant',
  },
} as const satisfies Rows
