/** What can be asked in the dialects of older lock services? */
import * as v from 'valibot'
import { exactly, identifier, integer, units } from '../../shared/contract/fields.ts'
import { keyReused } from '../../shared/http/problems.ts'
import type { Rows } from '../../shared/http/route.ts'
import { ELECTIONS } from '../election/api.ts'
import { JOBS } from '../jobs/store.ts'
import { acquireRefusals, locksInDoubt, noSuchLease, tooManyLocks } from '../lock/problems.ts'
import { lockName } from '../lock/schemas.ts'
import { duplicate, noSuchHolder, noSuchLock, notHeld, present, taken } from './problems.ts'

/** Of a lease, in seconds. */
const TTL_S = 30
const TTL_MAX_S = 86_400
export const TIMEOUT_S = 60

/** What stands in a `lock_id`. */
export type LockId = { readonly name: string; readonly lease: string }
const MUST_BE_ID = 'be a "lock_id" that was given'
const lockId = v.pipe(
  v.string(MUST_BE_ID),
  v.regex(/^[\w-]{1,64}\.[\w-]{1,342}$/, MUST_BE_ID),
  v.transform((text): LockId => {
    const [lease = '', name = ''] = text.split('.')
    return { name: Buffer.from(name, 'base64url').toString(), lease }
  }),
  v.check(({ name }) => v.is(lockName, name), MUST_BE_ID),
)
export const idOf = ({ name, lease }: LockId): string => `${lease}.${Buffer.from(name).toString('base64url')}`

export const lockUnlock = {
  lock: {
    method: 'POST',
    path: '/lock',
    summary:
      'Locks a resource for some seconds, or says that it is locked: as clients of an older lock service know it',
    body: { fields: exactly({ resource: lockName, ttl: v.optional(units(1, TTL_MAX_S), TTL_S) }) },
    answers: { 200: { json: v.object({ lock_id: v.string(), token: v.number() }) } },
    problems: [...acquireRefusals, noSuchLease, keyReused],
    repeatable: 'under-a-key',
    scope: 'merchant',
  },
  unlock: {
    method: 'POST',
    path: '/unlock',
    summary: 'Unlocks what was locked, and says whether it still was',
    body: { fields: exactly({ lock_id: lockId }) },
    answers: { 200: { json: v.object({ lock_id: v.string(), unlocked: v.boolean() }) } },
    problems: [keyReused],
    endsThings: true,
    repeatable: 'under-a-key',
    scope: 'merchant',
  },
} as const satisfies Rows

const KINDS = ['read-process', 'write-process'] as const
export type Kind = (typeof KINDS)[number]

/** Under these names lie the locks of elections and of jobs: one that a tenant made would let no candidate lead. */
const NO_TENANTS: readonly string[] = [ELECTIONS, JOBS].map((prefix) => prefix.slice(0, -1))
const tenant = v.pipe(
  identifier,
  v.check((user) => !NO_TENANTS.includes(user), `not be ${NO_TENANTS.join(' or ')}`),
)
const timeout = v.optional(integer(1, TTL_MAX_S))
const flag = v.pipe(
  v.optional(v.picklist(['true', 'false'], 'be "true" or "false"'), 'false'),
  v.transform((text) => text === 'true'),
)

const process = v.object({ process_id: v.string(), lock_acquired_at: v.string(), timeout: v.number() })
const shownLock = v.object({
  id: v.string(),
  created_at: v.nullable(v.string()),
  updated_at: v.nullable(v.string()),
  lock_id: v.string(),
  read_process_list: v.array(process),
  write_process_list: v.array(process),
  is_write_exclusive: v.boolean(),
  current_state: v.picklist(['FREE', 'READ', 'WRITE']),
})
export type ShownDistributedLock = v.InferOutput<typeof shownLock>

const common = { headers: { 'user-id': tenant }, scope: 'merchant' } as const
const ofProcess = {
  ...common,
  params: { lock: identifier, kind: v.picklist(KINDS, 'be "read-process" or "write-process"'), process: identifier },
} as const
const held = { 200: { json: shownLock } } as const

export const distributedLock = {
  makeDistributedLock: {
    ...common,
    method: 'POST',
    path: '/v1/distributed_lock/{lock}',
    summary: 'Makes a lock: one that is written by one process alone, if that is said',
    params: { lock: identifier },
    query: { is_write_exclusive: flag },
    answers: { 201: { json: shownLock } },
    problems: [duplicate, taken, tooManyLocks],
    repeatable: 'under-a-key',
  },
  showDistributedLock: {
    ...common,
    method: 'GET',
    path: '/v1/distributed_lock/{lock}',
    summary: 'Shows which processes have a lock',
    params: { lock: identifier },
    answers: held,
    problems: [noSuchLock],
    repeatable: 'as-it-is',
  },
  holdDistributedLock: {
    ...ofProcess,
    method: 'PUT',
    path: '/v1/distributed_lock/{lock}/{kind}/{process}',
    summary: 'Has a process read, or write, for some seconds',
    query: { timeout, timeout_seconds: timeout },
    answers: held,
    problems: [noSuchLock, taken, present, tooManyLocks, locksInDoubt],
    repeatable: 'under-a-key',
  },
  refreshDistributedLock: {
    ...ofProcess,
    method: 'PUT',
    path: '/v1/distributed_lock/{lock}/{kind}/{process}/refresh',
    summary: 'Has a process read, or write, for some seconds more; it never acquires',
    query: { timeout, timeout_seconds: timeout },
    answers: held,
    problems: [noSuchLock, noSuchHolder, taken],
    endsThings: true,
    repeatable: 'under-a-key',
  },
  releaseDistributedLock: {
    ...ofProcess,
    method: 'DELETE',
    path: '/v1/distributed_lock/{lock}/{kind}/{process}',
    summary: 'Has a process read, or write, no more',
    answers: held,
    problems: [noSuchLock, notHeld],
    repeatable: 'as-it-is',
  },
} as const satisfies Rows
