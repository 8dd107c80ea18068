/**
 * What may one service ask another?
 *
 * A query is the part of a route that both sides know: method, path, fields and the answer. The service that is asked has it in a
 * row of its own `api.ts`, whose handler must answer so; the service that asks reads the answer by the same schema. A newer
 * version may answer more, which an older one does not read.
 */
import * as v from 'valibot'
import { entryId, identifier, identifiers, integer } from './fields.ts'

/** The most sagas, or things, of one query: one script looks them up, and their ids must fit into a URL. */
export const SAGAS_MAX = 100
/** The most things of one query, likewise. */
export const THINGS_MAX = 100
/** The most entries of one answer. */
export const PAGE_MAX = 1_000

const texts = v.record(v.string(), v.string())

/** An entry of a log, as people read it. */
export const entry = v.object({
  id: v.string(),
  at: v.string(),
  kind: v.string(),
  version: v.string(),
  log_id: v.string(),
  facts: texts,
})

/** How one saga stands in a service. */
export const sagaStatus = v.object({
  service: v.string(),
  log_id: v.string(),
  state: v.string(),
  begun: v.nullable(v.string()),
  since: v.nullable(v.string()),
  unfinished: v.boolean(),
  recorded: texts,
  heard: v.record(v.string(), v.boolean()),
  finding: v.nullable(v.object({ facts: texts, repair: v.string() })),
  next: v.nullable(v.object({ repair: v.string(), at: v.string() })),
  next_run: v.nullable(v.string()),
})

/** A page of what is read from one place on: the place is the id of the last that was read. */
export const page = {
  after: v.optional(entryId, '0-0'),
  limit: v.optional(integer(1, PAGE_MAX), '100'),
}

/** What every service answers of its log and of sagas. */
export const logQueries = <const Prefix extends string>(prefix: Prefix) =>
  ({
    listEntries: {
      method: 'GET',
      path: `${prefix}/logs`,
      query: page,
      answers: { 200: { json: v.object({ logs: v.array(entry), next: v.nullable(v.string()) }) } },
    },
    showSaga: {
      method: 'GET',
      path: `${prefix}/saga/{log_id}`,
      params: { log_id: identifier },
      answers: { 200: { json: sagaStatus } },
    },
  }) as const

/** A sum is a text: it may exceed what a JSON number holds. */
export const sum = v.string()
const recordedSaga = v.object({ log_id: v.string(), fields: texts })
const sagaAt = v.object({ log_id: v.string(), kind: v.string(), facts: texts })

/** Something that does not add up, in words, and the orders that it concerns, as far as they are known. */
export const mismatch = v.object({
  what: v.string(),
  detail: v.string(),
  orders: v.array(v.string()),
  user_id: v.optional(v.string()),
  item_id: v.optional(v.string()),
})
export type Mismatch = Readonly<Omit<v.InferOutput<typeof mismatch>, 'orders'>> & { readonly orders: readonly string[] }

const MUST_BE_CURSOR = 'be one that was answered'
/** A cursor of Redis has 64 bits. */
const cursor = v.pipe(
  v.string(MUST_BE_CURSOR),
  v.check((text) => /^\d{1,20}$/.test(text) && BigInt(text) < 2n ** 64n, MUST_BE_CURSOR),
)

/**
 * What a service that owns things answers about all of them.
 * @param left the account of what it has left
 * @param gone the account of what has gone from it
 */
const sumQueries = <const Prefix extends string, Left extends v.ObjectEntries, Gone extends v.ObjectEntries>(
  prefix: Prefix,
  left: Left,
  gone: Gone,
) =>
  ({
    audit: {
      method: 'GET',
      path: `${prefix}/audit`,
      answers: {
        200: {
          json: v.object({
            at: v.string(),
            added: sum,
            ...left,
            ...gone,
            balanced: v.boolean(),
            mismatches: v.array(mismatch),
          }),
        },
      },
    },
    cutAudit: {
      method: 'GET',
      path: `${prefix}/audit/cut`,
      answers: {
        200: {
          json: v.object({
            at: v.string(),
            heard: texts,
            hears: v.record(v.string(), v.array(v.string())),
            /** The log ids of what is unfinished there. */
            open: v.optional(v.array(v.string())),
            added: sum,
            ...gone,
          }),
        },
      },
    },
  }) as const

/** What such a service answers about single sagas and things, where the sums do not agree. */
export const recordQueries = <const Prefix extends string>(prefix: Prefix) =>
  ({
    sagasAt: {
      method: 'GET',
      path: `${prefix}/audit/sagas`,
      query: { at: entryId, log_ids: identifiers(SAGAS_MAX) },
      answers: { 200: { json: v.object({ sagas: v.array(sagaAt) }) } },
    },
    readRecords: {
      method: 'GET',
      path: `${prefix}/audit/records`,
      query: { log_ids: v.optional(identifiers(SAGAS_MAX)), cursor: v.optional(cursor, '0') },
      answers: { 200: { json: v.object({ next: v.optional(v.string()), records: v.array(recordedSaga) }) } },
    },
    findAbsent: {
      method: 'GET',
      path: `${prefix}/audit/absent`,
      query: { ids: identifiers(SAGAS_MAX) },
      answers: { 200: { json: v.object({ absent: v.array(v.string()) }) } },
    },
  }) as const

export const ids = {
  leaseBlock: {
    method: 'POST',
    path: '/internal/lease/{replica}',
    params: { replica: identifier },
    answers: { 200: { json: v.object({ block: v.number() }) } },
  },
} as const

/**
 * What the documents of captured money come to, what was charged before there were any, and how many are missing. A version without
 * documents says nothing of them.
 */
export const documents = v.object({ invoiced: sum, credited: sum, undocumented: sum, gaps: v.number() })
export type Documents = v.InferOutput<typeof documents>

const user = v.object({ user_id: v.string(), credit: v.number() })

export const payment = {
  ...logQueries('/payment'),
  ...sumQueries('/payment', { wallets: sum, documents: v.optional(documents) }, { charged: sum }),
  ...recordQueries('/payment'),
  findUser: {
    method: 'GET',
    path: '/payment/find_user/{user}',
    params: { user: identifier },
    answers: { 200: { json: user } },
  },
  findUsers: {
    method: 'GET',
    path: '/payment/users',
    query: { ids: identifiers(THINGS_MAX) },
    answers: { 200: { json: v.object({ users: v.array(user) }) } },
  },
} as const

/** On what terms an item is sold. How many there are is no part of it: that changes with each sale, and its version does not. */
export const item = v.object({ item_id: v.string(), price: v.number(), withdrawn: v.boolean(), version: v.number() })

export const stock = {
  ...logQueries('/stock'),
  ...sumQueries('/stock', { shelf: sum }, { taken: sum, written_off: v.optional(sum) }),
  ...recordQueries('/stock'),
  findItem: {
    method: 'GET',
    path: '/stock/find/{item}',
    params: { item: identifier },
    answers: { 200: { json: v.object({ stock: v.number(), price: v.number() }) } },
  },
  showItem: {
    method: 'GET',
    path: '/stock/item/{item}',
    params: { item: identifier },
    answers: { 200: { json: item } },
  },
  showItems: {
    method: 'GET',
    path: '/stock/items',
    query: { ids: identifiers(THINGS_MAX) },
    answers: { 200: { json: v.object({ items: v.array(item) }) } },
  },
} as const
