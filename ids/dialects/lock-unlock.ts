/**
 * How are clients served that know `POST /lock` and `POST /unlock`?
 *
 * They lock a *resource* for some seconds, or are refused at once, and unlock it by the id that they were given: that is the lease with the
 * name of the lock, for nothing else of a request to unlock says which that is.
 */
import { nanoid } from 'nanoid'
import { impossible } from '../../shared/errors.ts'
import { keyReused } from '../../shared/http/problems.ts'
import { type Route, routes } from '../../shared/http/route.ts'
import type { Holding } from '../lock/holding.ts'
import { PLAIN } from '../lock/lease.ts'
import { leaseEnded, noSuchLease } from '../lock/problems.ts'
import { refusal } from '../lock/routes.ts'
import type { Verbs } from '../lock/verbs.ts'
import { idOf, lockUnlock } from './api.ts'

export type LockUnlockOptions = { readonly verbs: Pick<Verbs, 'release'>; readonly holding: Pick<Holding, 'acquire'> }

export const lockUnlockRoutes = ({ verbs, holding }: LockUnlockOptions): readonly Route[] =>
  routes(lockUnlock, {
    lock: async (request) => {
      const { resource, ttl } = request.body
      const wish = { ...PLAIN, ttlMs: ttl * 1_000 }
      const found = await holding.acquire(resource, nanoid(), wish, request, request)
      switch (found.state) {
        case 'held':
          return { json: { lock_id: idOf({ name: resource, lease: found.lease }), token: found.token } }
        case 'ended':
          return { problem: leaseEnded(resource, found) }
        case 'unknown':
          return { problem: noSuchLease(resource) }
        case 'key-reused':
          return { problem: keyReused() }
        case 'waiting':
          return impossible('dialect.lock', found)
        default:
          return refusal(resource, found)
      }
    },
    unlock: async (request) => {
      const { lock_id: id } = request.body
      const found = await verbs.release(id.name, id.lease, request)
      if (found.state === 'key-reused') return { problem: keyReused() }
      return { json: { lock_id: idOf(id), unlocked: found.ended === 'released' } }
    },
  })
