/** HTTP in, results out: jobs. */
import { unreachable } from '../../shared/errors.ts'
import { keyReused } from '../../shared/http/problems.ts'
import { type Route, routes } from '../../shared/http/route.ts'
import { later, locksInDoubt, tooManyLocks } from '../lock/problems.ts'
import { locked } from '../lock/routes.ts'
import { inNameOf, type Verbs } from '../lock/verbs.ts'
import { jobs as api } from './api.ts'
import { laterRunBegun, noSuchRun, runDecided, runLost, runTaken, runTooEarly } from './problems.ts'
import { JOBS, type Jobs, leaseOf, slotAs } from './store.ts'

export type JobOptions = { readonly jobs: Jobs; readonly verbs: Pick<Verbs, 'renew'> }

export const jobRoutes = ({ jobs, verbs }: JobOptions): readonly Route[] =>
  routes(api, {
    beginRun: async (request) => {
      const { params: key, body } = request
      const { ttl_ms: ttlMs, if_lost, keep } = body
      const { job } = key
      const slot = slotAs(key.slot)
      const begun = await jobs.begin(key, { ttlMs, again: if_lost === 'again', keep }, inNameOf(request))
      switch (begun.state) {
        case 'begun': {
          const json = { job, slot, token: begun.token, expires_in_ms: Math.max(0, begun.expiresInMs) }
          const headers = { Location: `/jobs/${encodeURIComponent(job)}` }
          return begun.isNew ? { json, status: 201, headers } : { json }
        }
        case 'taken':
          return { problem: runTaken(job, begun.run) }
        case 'early':
          return { problem: runTooEarly(job, slot, begun.latest) }
        case 'later':
          return { problem: laterRunBegun(job, begun.newest) }
        case 'locked':
          return locked(`${JOBS}${job}`, begun)
        case 'barred':
          return later(begun.restMs, (retry) => locksInDoubt(begun.restMs, retry))
        case 'too-many':
          return later(undefined, tooManyLocks)
        default:
          return unreachable('jobs.begin', begun)
      }
    },
    changeRun: async (request) => {
      const key = request.params
      const { ttl_ms: ttlMs, outcome, note = '' } = request.body
      const { job } = key
      const slot = slotAs(key.slot)
      if (outcome === undefined) {
        const found = await verbs.renew(`${JOBS}${job}`, leaseOf(key), { ttlMs }, request)
        switch (found.state) {
          case 'held':
            return { json: { job, slot, state: 'running', expires_in_ms: Math.max(0, found.expiresInMs) } }
          case 'key-reused':
            return { problem: keyReused() }
          default: {
            const state = await jobs.find(key)
            if (state === 'done' || state === 'failed') return { problem: runDecided(job, state) }
            return { problem: state === 'lost' || found.state === 'ended' ? runLost(job) : noSuchRun(job) }
          }
        }
      }
      const ended = await jobs.end(key, outcome, note, request)
      switch (ended.state) {
        case 'over':
          return { json: { job, slot, state: outcome, expires_in_ms: 0 } }
        case 'decided':
          return { problem: runDecided(job, ended.as) }
        case 'lost':
          return { problem: runLost(job) }
        case 'unknown':
          return { problem: noSuchRun(job) }
        default:
          return { problem: keyReused() }
      }
    },
    showJob: async ({ params: { job } }) => {
      const { running, last } = await jobs.show(job)
      return { json: { job, running: running ?? null, last: last ?? null } }
    },
  })
