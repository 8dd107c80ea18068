/**
 * HTTP in, results out: elections.
 *
 * An election is an exclusive lock with a queue, under its name behind `elections/`: who holds it leads, its token is the term, and what
 * it is known by lies in its metadata. A candidate names its lease itself, and is shown by that name.
 */
import { impossible, throwAfterEffect } from '../../shared/errors.ts'
import { keyReused } from '../../shared/http/problems.ts'
import { type Handler, type Route, routes } from '../../shared/http/route.ts'
import type { Holding } from '../lock/holding.ts'
import { type Held, type Metadata, PLAIN, type Waiting } from '../lock/lease.ts'
import { leaseEnded, noSuchLease, notExclusive } from '../lock/problems.ts'
import type { Happened, Holder, Lock } from '../lock/read-lock.ts'
import { closing, refusal, watchingFrom } from '../lock/routes.ts'
import { delayedAs, type Told } from '../lock/shown.ts'
import { inNameOf, type Verbs } from '../lock/verbs.ts'
import type { Watches } from '../lock/watches.ts'
import { elections as api, ELECTIONS } from './api.ts'

const lockOf = (election: string): string => `${ELECTIONS}${election}`
const placeOf = (election: string, candidate: string): string =>
  `/elections/${encodeURIComponent(election)}/candidates/${candidate}`
const known = (value: string | undefined): Metadata => (value === undefined ? {} : { value })

const leadingAs = (candidate: string, { token, metadata, ttlMs, expiresInMs }: Held) => ({
  leader: true as const,
  candidate,
  term: token,
  value: metadata.value ?? null,
  ttl_ms: ttlMs,
  expires_in_ms: Math.max(0, expiresInMs),
})

const leaderAs = (leader: Holder | undefined) =>
  leader === undefined
    ? null
    : {
        candidate: leader.owner,
        value: leader.metadata.value ?? null,
        term: leader.token,
        expires_in_ms: leader.expiresInMs,
      }

const electionAs = (name: string, { holders, waiterCount }: Lock) => ({
  name,
  leader: leaderAs(holders[0]),
  candidates: holders.length + waiterCount,
})

/** What becomes of an election when this becomes of its lock. */
const EVENTS: Readonly<Record<string, string>> = {
  granted: 'elected',
  renewed: 'renewed',
  released: 'resigned',
  expired: 'lost',
  forced: 'lost',
  waiting: 'standing',
  cancelled: 'withdrawn',
}

const toldAs = (name: string, happened: Happened): readonly Told[] => {
  const event = EVENTS[happened.event]
  if (event === undefined) return []
  const { owner: candidate, token: term, atMs } = happened
  const why = happened.event === 'forced' ? 'forced' : happened.why
  const data = { name, event, at: new Date(atMs).toISOString(), candidate, term, why }
  return [{ event, data }, ...delayedAs(name, happened)]
}

export type ElectionOptions = {
  readonly verbs: Pick<Verbs, 'show' | 'renew' | 'release'>
  readonly holding: Holding
  readonly watches: Pick<Watches, 'hasRoom' | 'watch'>
}

type Api = typeof api

/** Shows how a candidate stands. */
const showing =
  ({ verbs }: ElectionOptions) =>
  async (election: string, candidate: string, lease: Held | Waiting) => {
    if (lease.state === 'held') return { json: leadingAs(candidate, lease) }
    const { holders } = await verbs.show(lockOf(election), false).catch(throwAfterEffect)
    const led_by = holders[0]?.owner ?? null
    const headers = { Location: placeOf(election, candidate) }
    return {
      json: { leader: false as const, candidate, position: lease.position, led_by },
      status: 202 as const,
      headers,
    }
  }

const standFrom = (options: ElectionOptions): Handler<Api['stand']> => {
  const shown = showing(options)
  return async (request) => {
    const { params, body } = request
    const { election, candidate } = params
    const { ttl_ms: ttlMs, value } = body
    const name = lockOf(election)
    const wish = { ...PLAIN, ttlMs, queue: true, owner: candidate, metadata: known(value), comesAgain: true }
    const found = await options.holding.acquire(name, candidate, wish, request, inNameOf(request))
    switch (found.state) {
      case 'held': {
        const json = leadingAs(candidate, found)
        return found.isNew ? { json, status: 201, headers: { Location: placeOf(election, candidate) } } : { json }
      }
      case 'waiting':
        return shown(election, candidate, found)
      case 'ended':
        return { problem: leaseEnded(name, found) }
      case 'unknown':
      case 'key-reused':
        return impossible('elections.stand', found)
      default:
        return refusal(name, found)
    }
  }
}

const askFrom = (options: ElectionOptions): Handler<Api['askCandidate']> => {
  const shown = showing(options)
  return async (request) => {
    const { election, candidate } = request.params
    const name = lockOf(election)
    const found = await options.holding.ask(name, candidate, request.query.wait_ms, request)
    switch (found.state) {
      case 'unknown':
        return { problem: noSuchLease(name) }
      case 'ended':
        return { problem: leaseEnded(name, found) }
      case 'closing':
        return closing()
      default:
        return shown(election, candidate, found)
    }
  }
}

const renewFrom = (options: ElectionOptions): Handler<Api['renewCandidate']> => {
  const shown = showing(options)
  return async (request) => {
    const { election, candidate } = request.params
    const { ttl_ms: ttlMs, value } = request.body
    const name = lockOf(election)
    const change = { ttlMs, metadata: value === undefined ? undefined : known(value) }
    const found = await options.verbs.renew(name, candidate, change, request)
    switch (found.state) {
      case 'unknown':
        return { problem: noSuchLease(name) }
      case 'ended':
        return { problem: leaseEnded(name, found) }
      case 'not-exclusive':
        return { problem: notExclusive(name) }
      case 'key-reused':
        return { problem: keyReused() }
      default:
        return shown(election, candidate, found)
    }
  }
}

const watchFrom = ({ verbs, watches }: ElectionOptions): Handler<Api['watchElection']> => {
  const watch = watchingFrom(watches)
  return async ({ params: { election }, headers, closing: stopping }) => {
    const lock = lockOf(election)
    const watched = {
      isOf: (name: string) => name === lock,
      state: async () => electionAs(election, await verbs.show(lock, false)),
      tell: (_: string, happened: Happened) => toldAs(election, happened),
    }
    return watch(watched, headers['last-event-id'], stopping)
  }
}

export const electionRoutes = (options: ElectionOptions): readonly Route[] =>
  routes(api, {
    stand: standFrom(options),
    askCandidate: askFrom(options),
    renewCandidate: renewFrom(options),
    resign: async (request) => {
      const { election, candidate } = request.params
      const found = await options.verbs.release(lockOf(election), candidate, request)
      if (found.state === 'key-reused') return { problem: keyReused() }
      return { json: { candidate, ended: found.ended, at: new Date(found.atMs).toISOString() } }
    },
    showElection: async ({ params: { election } }) => ({
      json: electionAs(election, await options.verbs.show(lockOf(election), false)),
    }),
    watchElection: watchFrom(options),
  })
