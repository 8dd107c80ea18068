/** HTTP in, results out: the routes of locks. */
import { nanoid } from 'nanoid'
import { impossible, throwAfterEffect, unreachable } from '../../shared/errors.ts'
import type { EventStream } from '../../shared/http/event-stream.ts'
import { NOT_STARTED_HEADER } from '../../shared/http/problem.ts'
import { draining, keyReused, malformedBody } from '../../shared/http/problems.ts'
import { type Handler, type Route, routes } from '../../shared/http/route.ts'
import { locks as api } from './api.ts'
import type { Closing, Holding } from './holding.ts'
import type { Held, Waiting } from './lease.ts'
import { fitsGlob, listLocks } from './listing.ts'
import {
  later,
  leaseEnded,
  leaseReused,
  lockConfiguredOtherwise,
  lockHeld,
  lockInUse,
  lockQueueFull,
  locksInDoubt,
  noSuchLease,
  notExclusive,
  retryHeaders,
  retryIn,
  tokenEnded,
  tooManyLocks,
  tooManyWatchers,
} from './problems.ts'
import { endedAs, heldAs, listedAs, lockAs, pathOf, pathOfLease, toldAs, waitingAs } from './shown.ts'
import { type Acquired, inNameOf, type Locked, type Refused, type Verbs } from './verbs.ts'
import type { Waits } from './waits.ts'
import type { Watched, Watches } from './watches.ts'

export const locked = (name: string, { why, restMs, waiting }: Locked) => {
  const retry = retryIn(restMs, waiting)
  return { problem: lockHeld(name, why, retry), headers: retryHeaders(retry) }
}

const tooMany = () => later(undefined, tooManyLocks)
const inDoubt = (restMs: number) => later(restMs, (retry) => locksInDoubt(restMs, retry))

/** One that is asked again goes to another replica: the gateway sees to it. */
export const closing = () => ({
  problem: draining(),
  headers: { [NOT_STARTED_HEADER]: 'draining', 'Retry-After': '1' },
})

/** Only a request under a key can be refused for that. */
type KeyReused = { readonly state: 'key-reused' }

export const refusal = (name: string, refused: Exclude<Refused, KeyReused> | Closing) => {
  switch (refused.state) {
    case 'locked':
      return locked(name, refused)
    case 'barred':
      return inDoubt(refused.restMs)
    case 'full':
      return later(refused.restMs, (retry) => lockQueueFull(name, retry))
    case 'too-many':
      return tooMany()
    case 'reused':
      return { problem: leaseReused(name) }
    case 'configured':
      return { problem: lockConfiguredOtherwise(name, refused.what, refused.as) }
    case 'unlimited':
      return { problem: malformedBody('limit', '"limit" must be given: the lock has none') }
    case 'over-limit':
      return { problem: malformedBody('permits', `"permits" must be at most the limit of the lock, ${refused.limit}`) }
    case 'closing':
      return closing()
    default:
      return unreachable('locks.refused', refused)
  }
}

/** How a lease is shown that has not ended. */
const shown = (name: string, lease: Held | Waiting) => {
  if (lease.state === 'held') return { json: heldAs(name, lease) }
  const headers = { Location: pathOfLease(name, lease.lease) }
  return { json: waitingAs(name, lease), status: 202 as const, headers }
}

const acquired = (name: string, found: Exclude<Acquired, KeyReused> | Closing) => {
  switch (found.state) {
    case 'held':
      if (!found.isNew) return { json: heldAs(name, found) }
      return {
        json: heldAs(name, found),
        status: 201 as const,
        headers: { Location: pathOfLease(name, found.lease) },
      }
    case 'waiting':
      return shown(name, found)
    case 'ended':
      return { problem: leaseEnded(name, found) }
    default:
      return refusal(name, found)
  }
}

export type LockRoutesOptions = {
  readonly verbs: Verbs
  readonly holding: Holding
  readonly waits: Pick<Waits, 'count'>
  readonly watches: Pick<Watches, 'hasRoom' | 'watch'>
  readonly nextLogId: () => string
}

/** How many locks a watcher of many is shown at first. */
const SHOWN_FIRST = 100

/** Has a client watch, if there is room for it. */
export const watchingFrom =
  (watches: LockRoutesOptions['watches']) => (watched: Watched, seen: string | undefined, stopping: AbortSignal) => {
    if (!watches.hasRoom()) return later(undefined, tooManyWatchers)
    return { events: (stream: EventStream) => watches.watch(watched, seen, stream, stopping) }
  }

const watchRoutes = ({ verbs, watches }: Pick<LockRoutesOptions, 'verbs' | 'watches'>) => {
  const watch = watchingFrom(watches)
  const all = { waiters: false, count: false, limit: SHOWN_FIRST }
  const one: Handler<typeof api.watchLock> = async ({ params: { lock }, headers, closing: stopping }) => {
    const state = async () => lockAs(await verbs.show(lock, false), false)
    return watch({ isOf: (name) => name === lock, state, tell: toldAs }, headers['last-event-id'], stopping)
  }
  const many: Handler<typeof api.watchLocks> = async ({ query: { name }, headers, closing: stopping }) => {
    const state = async () => {
      const { locks: found, next } = await listLocks(verbs, { ...all, name })
      return { locks: found.map((lock) => listedAs(lock, false)), next }
    }
    return watch({ isOf: fitsGlob(name ?? '*'), state, tell: toldAs }, headers['last-event-id'], stopping)
  }
  return { watchLock: one, watchLocks: many }
}

export const lockRoutes = ({ verbs, holding, waits, watches, nextLogId }: LockRoutesOptions): readonly Route[] =>
  routes(api, {
    ...watchRoutes({ verbs, watches }),
    acquireLease: async (request) => {
      const { params, body } = request
      const { lock, lease } = params
      const found = await holding.acquire(lock, lease, body, request, inNameOf(request))
      const { state } = found
      return state === 'key-reused' || state === 'unknown' ? impossible('verbs.acquire', found) : acquired(lock, found)
    },
    requestLease: async (request) => {
      const { params, body, idempotencyKey } = request
      const lease = nanoid()
      const found = await holding.acquire(params.lock, lease, body, request, request)
      // Without a key the same again is another lease: nobody would ask for this one.
      if (found.state === 'closing' && idempotencyKey === undefined)
        await verbs.release(params.lock, lease, inNameOf(request)).catch(throwAfterEffect)
      if (found.state === 'unknown') return { problem: noSuchLease(params.lock) }
      return found.state === 'key-reused' ? { problem: keyReused() } : acquired(params.lock, found)
    },
    askLease: async (request) => {
      const { lock, lease } = request.params
      const found = await holding.ask(lock, lease, request.query.wait_ms, request)
      switch (found.state) {
        case 'unknown':
          return { problem: noSuchLease(lock) }
        case 'ended':
          return { problem: leaseEnded(lock, found) }
        case 'closing':
          return closing()
        default:
          return shown(lock, found)
      }
    },
    renewLease: async (request) => {
      const { lock, lease } = request.params
      const { ttl_ms, metadata, priority, mode } = request.body
      const found = await verbs.renew(lock, lease, { ttlMs: ttl_ms, metadata, priority, mode }, request)
      switch (found.state) {
        case 'unknown':
          return { problem: noSuchLease(lock) }
        case 'ended':
          return { problem: leaseEnded(lock, found) }
        case 'not-exclusive':
          return { problem: notExclusive(lock) }
        case 'key-reused':
          return { problem: keyReused() }
        default:
          return shown(lock, found)
      }
    },
    releaseLease: async (request) => {
      const { lock, lease } = request.params
      const found = await verbs.release(lock, lease, request)
      if (found.state === 'key-reused') return { problem: keyReused() }
      return { json: endedAs(lock, lease, found) }
    },
    showLock: async ({ params: { lock }, query: { waiters } }) => ({
      json: lockAs(await verbs.show(lock, waiters), waiters),
    }),
    configureLock: async (request) => {
      const { lock } = request.params
      const { limit, write, delay_ms } = request.body
      const done = await verbs.configure(lock, { limit, write, delayMs: delay_ms }, nextLogId(), inNameOf(request))
      switch (done.state) {
        case 'in-use':
          return { problem: lockInUse(lock) }
        case 'too-many':
          return tooMany()
        case 'configured': {
          const json = { name: lock, limit: limit ?? null, write: write ?? null, delay_ms }
          return done.isNew ? { json, status: 201, headers: { Location: pathOf(lock) } } : { json }
        }
      }
    },
    forceLock: async (request) => {
      const { params, query } = request
      const done = await verbs.force(params.lock, query, request)
      if (done.state === 'key-reused') return { problem: keyReused() }
      if (done.state === 'ended') return { problem: tokenEnded(params.lock, done.newest) }
      return { json: { forced: done.tokens, promoted: done.promoted, dropped: done.dropped } }
    },
    listLocks: async ({ query }) => {
      const { locks: found, next, total } = await listLocks(verbs, query)
      const json = { locks: found.map((lock) => listedAs(lock, query.waiters)), next }
      return { json: total === undefined ? json : { ...json, total } }
    },
    checkToken: async ({ params: { lock, token } }) => {
      const found = await verbs.checkToken(lock, token)
      if (found.state === 'ended') return { problem: tokenEnded(lock, found.newest) }
      return { json: { holds: true as const, mode: found.mode, owner: found.owner, expires_in_ms: found.expiresInMs } }
    },
    showLocksStatus: async () => {
      const counted = await verbs.count()
      const lost = counted.lost.map(({ lock, owner, token, untilMs }) => ({
        name: decodeURIComponent(lock),
        owner: owner === '' ? null : owner,
        token,
        until: new Date(untilMs).toISOString(),
      }))
      const { locks: all, inUse, barredForMs } = counted
      return { json: { locks: all, in_use: inUse, waiting_here: waits.count(), in_doubt_for_ms: barredForMs, lost } }
    },
    checkLocksHealth: async () => {
      const { barredForMs } = await verbs.count()
      if (barredForMs === 0) return { json: { healthy: true as const } }
      return inDoubt(barredForMs)
    },
  })
