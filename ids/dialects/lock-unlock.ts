/**
 * How are clients served that know `POST /lock` and `POST /unlock`?
 *
 * They lock a *resource* for some seconds, or are refused at once, and unlock it by the id that they were given: that is the lease with the
 * name of the lock, for nothing else of a request to unlock says which that is.
 */
import { nanoid } from 'nanoid'
import * as v from 'valibot'
import { exactly, units } from '../../shared/contract/fields.ts'
import { impossible } from '../../shared/errors.ts'
import { draining, keyReused, malformedBody } from '../../shared/http/problems.ts'
import { type Route, type Rows, routes } from '../../shared/http/route.ts'
import type { Holding } from '../lock/holding.ts'
import { PLAIN } from '../lock/lease.ts'
import {
  leaseEnded,
  leaseReused,
  lockConfiguredOtherwise,
  lockHeld,
  lockQueueFull,
  locksInDoubt,
  tooManyLocks,
} from '../lock/problems.ts'
import { refusal } from '../lock/routes.ts'
import { lockName } from '../lock/schemas.ts'
import type { Locks as Verbs } from '../lock/verbs.ts'

/** Of a lease, in seconds. */
const TTL_S = 30
const TTL_MAX_S = 86_400

const MUST_BE_ID = 'be a "lock_id" that was given'
const lockId = v.pipe(v.string(MUST_BE_ID), v.regex(/^[\w-]{1,64}\.[\w-]{1,342}$/, MUST_BE_ID))

const idOf = (name: string, lease: string): string => `${lease}.${Buffer.from(name).toString('base64url')}`
const lockIn = (id: string): { readonly name: string; readonly lease: string } => {
  const [lease = '', name = ''] = id.split('.')
  return { name: Buffer.from(name, 'base64url').toString(), lease }
}

export const lockUnlock = {
  lock: {
    method: 'POST',
    path: '/lock',
    summary:
      'Locks a resource for some seconds, or says that it is locked: as clients of an older lock service know it',
    body: { fields: exactly({ resource: lockName, ttl: v.optional(units(1, TTL_MAX_S), TTL_S) }) },
    answers: { 200: { json: v.object({ lock_id: v.string(), token: v.number() }) } },
    problems: [
      lockHeld,
      lockConfiguredOtherwise,
      leaseEnded,
      leaseReused,
      lockQueueFull,
      tooManyLocks,
      locksInDoubt,
      draining,
      keyReused,
    ],
    repeatable: 'under-a-key',
    scope: 'customer',
  },
  unlock: {
    method: 'POST',
    path: '/unlock',
    summary: 'Unlocks what was locked, and says whether it still was',
    body: { fields: exactly({ lock_id: lockId }) },
    answers: { 200: { json: v.object({ lock_id: v.string(), unlocked: v.boolean() }) } },
    problems: [keyReused],
    repeatable: 'under-a-key',
    scope: 'customer',
  },
} as const satisfies Rows

export type LockUnlockOptions = { readonly verbs: Pick<Verbs, 'release'>; readonly holding: Pick<Holding, 'acquire'> }

export const lockUnlockRoutes = ({ verbs, holding }: LockUnlockOptions): readonly Route[] =>
  routes(lockUnlock, {
    lock: async (request) => {
      const { resource, ttl } = request.body
      const wish = { ...PLAIN, ttlMs: ttl * 1_000 }
      const found = await holding.acquire(resource, nanoid(), wish, request.closing, request)
      switch (found.state) {
        case 'held':
          return { json: { lock_id: idOf(resource, found.lease), token: found.token } }
        case 'ended':
          return { problem: leaseEnded(resource, found) }
        case 'key-reused':
          return { problem: keyReused() }
        case 'waiting':
          return impossible('dialect.lock', found)
        default:
          return refusal(resource, found)
      }
    },
    unlock: async (request) => {
      const { lock_id } = request.body
      const { name, lease } = lockIn(lock_id)
      if (!v.is(lockName, name)) return { problem: malformedBody('lock_id', `"lock_id" must ${MUST_BE_ID}`) }
      const found = await verbs.release(name, lease, request)
      if (found.state === 'key-reused') return { problem: keyReused() }
      return { json: { lock_id, unlocked: found.ended === 'released' } }
    },
  })
