/** What can be asked about locks? */
import * as v from 'valibot'
import { entryId, identifier, integer } from '../../shared/contract/fields.ts'
import { draining, keyReused } from '../../shared/http/problems.ts'
import type { Rows } from '../../shared/http/route.ts'
import {
  leaseEnded,
  leaseReused,
  lockConfiguredOtherwise,
  lockHeld,
  lockInUse,
  lockQueueFull,
  locksInDoubt,
  noSuchLease,
  notExclusive,
  tokenEnded,
  tooManyLocks,
  tooManyWatchers,
} from './problems.ts'
import {
  change,
  configuration,
  isWanted,
  listedLock,
  lockName,
  locksWanted,
  shownConfiguration,
  shownEnd,
  shownHeld,
  shownLock,
  shownWaiting,
  waitMs,
  wish,
} from './schemas.ts'

const lock = { lock: lockName } as const
const lease = { ...lock, lease: identifier } as const
/** Which event was seen last. */
const seen = { 'last-event-id': v.optional(entryId) } as const
/** Why a lease is refused that wants a lock. */
const refusals = [
  lockHeld,
  lockConfiguredOtherwise,
  leaseEnded,
  lockQueueFull,
  tooManyLocks,
  locksInDoubt,
  draining,
] as const

export const locks = {
  acquireLease: {
    method: 'PUT',
    path: '/locks/{lock}/leases/{lease}',
    summary: 'Gets a lock, or waits for it, by a lease that the client names',
    params: lease,
    body: { fields: wish, optional: true },
    answers: { 200: { json: shownHeld }, 201: { json: shownHeld }, 202: { json: shownWaiting } },
    problems: [...refusals, leaseReused],
    repeatable: 'as-it-is',
    scope: 'merchant',
    shownAt: '/locks/{lock}/leases/{lease}',
  },
  requestLease: {
    method: 'POST',
    path: '/locks/{lock}/leases',
    summary: 'The same by a lease that the service names',
    params: lock,
    body: { fields: wish, optional: true },
    answers: { 200: { json: shownHeld }, 201: { json: shownHeld }, 202: { json: shownWaiting } },
    problems: [...refusals, leaseReused, keyReused],
    repeatable: 'under-a-key',
    scope: 'merchant',
  },
  askLease: {
    method: 'GET',
    path: '/locks/{lock}/leases/{lease}',
    summary: 'Shows how a lease stands; with wait_ms once it no longer waits, or after so long',
    params: lease,
    query: { wait_ms: waitMs },
    answers: { 200: { json: shownHeld }, 202: { json: shownWaiting } },
    problems: [noSuchLease, leaseEnded, draining],
    repeatable: 'as-it-is',
    scope: 'merchant',
  },
  renewLease: {
    method: 'PATCH',
    path: '/locks/{lock}/leases/{lease}',
    summary: 'Lets a lease that holds end later, or changes it; of one that waits, its metadata or priority',
    params: lease,
    body: { fields: change, optional: true },
    answers: { 200: { json: shownHeld }, 202: { json: shownWaiting } },
    problems: [noSuchLease, leaseEnded, notExclusive, keyReused],
    repeatable: 'as-it-is',
    scope: 'merchant',
    shownAt: '/locks/{lock}/leases/{lease}',
  },
  releaseLease: {
    method: 'DELETE',
    path: '/locks/{lock}/leases/{lease}',
    summary: 'Releases a lock, or waits for it no longer',
    params: lease,
    answers: { 200: { json: shownEnd } },
    problems: [keyReused],
    repeatable: 'as-it-is',
    scope: 'merchant',
    shownAt: '/locks/{lock}/leases/{lease}',
  },
  showLock: {
    method: 'GET',
    path: '/locks/{lock}',
    summary: 'Shows who holds a lock, and who waits for it',
    params: lock,
    query: { waiters: isWanted },
    answers: { 200: { json: shownLock } },
    problems: [],
    repeatable: 'as-it-is',
    scope: 'merchant',
  },
  configureLock: {
    method: 'PUT',
    path: '/locks/{lock}',
    summary: 'Says how a lock may be used: all of it anew',
    params: lock,
    body: { fields: configuration, optional: true },
    answers: { 200: { json: shownConfiguration }, 201: { json: shownConfiguration } },
    problems: [lockInUse, tooManyLocks],
    repeatable: 'as-it-is',
    scope: 'operator',
    shownAt: '/locks/{lock}',
  },
  forceLock: {
    method: 'DELETE',
    path: '/locks/{lock}',
    summary: 'Ends the leases that hold a lock, or the one with a token; with waiters those that wait, too',
    params: lock,
    query: { token: v.optional(integer(1)), waiters: isWanted },
    answers: {
      200: { json: v.object({ forced: v.array(v.number()), promoted: v.array(v.number()), dropped: v.number() }) },
    },
    problems: [tokenEnded, keyReused],
    repeatable: 'under-a-key',
    scope: 'operator',
    shownAt: '/locks/{lock}',
  },
  listLocks: {
    method: 'GET',
    path: '/locks',
    summary: 'Lists locks by name',
    query: locksWanted,
    answers: {
      200: {
        json: v.object({
          locks: v.array(listedLock),
          next: v.nullable(v.string()),
          total: v.optional(v.number()),
        }),
      },
    },
    problems: [],
    repeatable: 'as-it-is',
    scope: 'operator',
  },
  watchLock: {
    method: 'GET',
    path: '/locks/{lock}/events',
    summary:
      'Sends how a lock stands and what happens to it (server-sent events); with `Last-Event-ID` what came after that',
    params: lock,
    headers: seen,
    answers: {
      200: { events: 'state, then granted, renewed, released, expired, forced, waiting, cancelled, delayed' },
    },
    problems: [tooManyWatchers],
    repeatable: 'as-it-is',
    scope: 'merchant',
  },
  watchLocks: {
    method: 'GET',
    path: '/locks/-/events',
    summary: 'The same of all locks of which the name is as wanted',
    query: { name: locksWanted.name },
    headers: seen,
    answers: { 200: { events: 'the same; each says of which lock' } },
    problems: [tooManyWatchers],
    repeatable: 'as-it-is',
    scope: 'operator',
  },
  checkToken: {
    method: 'GET',
    path: '/locks/{lock}/tokens/{token}',
    summary: 'Says whether the lease with a token still holds',
    params: { ...lock, token: integer(0) },
    answers: {
      200: {
        json: v.object({
          holds: v.literal(true),
          mode: v.string(),
          owner: v.nullable(v.string()),
          expires_in_ms: v.number(),
        }),
      },
    },
    problems: [tokenEnded],
    repeatable: 'as-it-is',
    scope: 'merchant',
  },
  showLocksStatus: {
    method: 'GET',
    path: '/locks/-/status',
    summary: 'Counts locks, and what waits here; says what is known to be forgotten',
    answers: {
      200: {
        json: v.object({
          locks: v.number(),
          in_use: v.number(),
          waiting_here: v.number(),
          in_doubt_for_ms: v.number(),
          lost: v.array(
            v.object({
              name: v.string(),
              owner: v.nullable(v.string()),
              token: v.number(),
              until: v.string(),
            }),
          ),
        }),
      },
    },
    problems: [],
    repeatable: 'as-it-is',
    scope: 'operator',
  },
  checkLocksHealth: {
    method: 'GET',
    path: '/locks/-/health',
    summary: 'Says whether locks are granted',
    answers: { 200: { json: v.object({ healthy: v.literal(true) }) } },
    problems: [locksInDoubt],
    repeatable: 'as-it-is',
    scope: 'anybody',
  },
} as const satisfies Rows
