/**
 * How is one request sent, and what is kept of its answer?
 *
 * The load generator shares the machine's cores with the shop, so it does as little as it can: one undici client per
 * connection, and per connection one handler for all its requests, which come one after the other.
 */
import { Client, type Dispatcher } from 'undici'
import type { Worker } from '../support/load/loops.ts'
import type { Job } from './load.ts'
import { type Head, type Trouble, troubleOf } from './tally.ts'

/** Longer than a checkout's deadline: who has no answer by then gets none. */
const ANSWER_MS = 30_000
const EXAMPLE_CHARACTERS = 1_024

export type Connection = Worker & { readonly close: () => Promise<void> }

/** Is told how each request ended; there is no trouble with an answer of 200 or 201. */
export type Ended = (number: number, at: number, trouble: Trouble | undefined) => void

const textOf = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)

const JSON_TYPE = { 'content-type': 'application/json' }

export const openConnection = (job: Job, ended: Ended): Connection => {
  const { origin, method, body: sent, things, followedBy, authorization, bearers } = job
  const client = new Client(origin, { pipelining: 1, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS })
  const path = job.path.split('{n}')
  const thenPath = followedBy?.path.split('{n}') ?? []
  const known = authorization === undefined ? {} : { authorization }
  const headers = { ...known, ...(sent === undefined ? {} : JSON_TYPE) }
  const ofAll = bearers?.tokens.map((token) => ({ ...headers, authorization: `Bearer ${token}` }))
  const headersFor = (thing: number) => ofAll?.[bearers?.whose[thing] ?? 0] ?? headers
  const bodyOf = (thing: number, next: number) =>
    sent && { body: sent.replaceAll('{n}', `${thing}`).replaceAll('{next}', `${next}`) }
  let number = 0
  let at = 0
  /** What its number names, and whether what follows was sent. */
  let thing = 0
  let isFollowed = false
  /** Undefined while it is a 200 or 201. */
  let head: Head | undefined
  let body = ''

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: () => undefined,
    onResponseStart: (_, status, headers) => {
      head =
        status === 200 || status === 201
          ? undefined
          : { status, retryAfter: textOf(headers['retry-after']), location: textOf(headers.location) }
      body = ''
    },
    onResponseData: (_, chunk) => {
      if (head !== undefined && body.length < EXAMPLE_CHARACTERS) body += chunk.toString()
    },
    onResponseEnd: () => {
      if (followedBy === undefined || isFollowed || head !== undefined)
        return ended(number, at, head && troubleOf(head, body))
      isFollowed = true
      client.dispatch({ method: followedBy.method, path: thenPath.join(`${thing}`), headers: known }, handler)
    },
    onResponseError: (_, error) => {
      const what = (error as NodeJS.ErrnoException).code ?? error.name
      ended(number, at, { is: 'unsure', what, example: error.message, retryAfterMs: 0 })
    },
  }
  return {
    send: (one, when) => {
      number = one
      at = when
      isFollowed = false
      thing = things === undefined ? one : one % things
      const next = things === undefined ? one + 1 : (one + 1) % things
      const asked = { method, path: path.join(`${thing}`), headers: headersFor(thing), ...bodyOf(thing, next) }
      client.dispatch(asked, handler)
    },
    close: () => client.destroy(),
  }
}
