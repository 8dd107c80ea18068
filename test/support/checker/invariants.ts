/**
 * Does the shop keep its promises?
 *
 * `settle` waits until the shop is at rest: no checkout is open, every subscriber has applied all that it handles, nothing
 * is held, waited for or locked. `violations` then reads all four Redis, behind the services' backs, and gives what it read
 * to the checker (`checker.ts`), which alone knows what contradicts the promises.
 */

import assert from 'node:assert/strict'
import type { ExecutionContext } from 'ava'
import { Redis } from 'ioredis'
import { reactions as orderReactions } from '../../../order/reactions.ts'
import { reactions as paymentReactions } from '../../../payment/reactions.ts'
import { PARTICIPANTS, type Participant, type Service } from '../../../shared/contract/services.ts'
import { compareIds, type LogEntry, type LostTail, logKey, readable } from '../../../shared/log/entry.ts'
import { reactions as stockReactions } from '../../../stock/reactions.ts'
import { eventually } from '../eventually.ts'
import type { OpenShop } from '../shop/shop.ts'
import { type Anomaly, describe } from './anomaly.ts'
import { anomalies, type CursorEvidence, type Evidence, type LogEvidence } from './checker.ts'
import type { DocumentsEvidence } from './documents.ts'
import { draftIn } from './drafts.ts'
import { type Operation, toldBy } from './history.ts'
import { ledgerOf } from './ledgers.ts'
import { recordsIn } from './records.ts'

/** What a customer was answered when asking for the checkout of an order. */
export type Told = { readonly order: string; readonly status: number }

export type Expectations = {
  /** Every answer to every checkout; one without an answer has the status 0. */
  readonly told?: readonly Told[]
  /** What clients asked and were told, as they recorded it: says more than `told`. */
  readonly history?: readonly Operation[]
  /** Has a Redis come back older? Then what the shop lists as contradicted or lost is excused. */
  readonly lossy?: boolean
  /** How long the shop may take to come to rest. */
  readonly settleMs?: number
  /** How long locks of dead processes may outlive that: their TTL. Default: a moment. */
  readonly locksMs?: number | 'unchecked'
  /** Did the client's words for seeding add all money and goods there are? Then its account must agree with the logs. */
  readonly seededByClientOnly?: boolean
}

const SETTLE_MS = 5_000
const LOCKS_MS = 1_000
const SCAN_COUNT = 2_000
const PAGE = 5_000
const CLOCK_READINGS = 5

type Fields = Readonly<Record<string, string>>
type Connections = Readonly<Record<Service, Redis>>

const REACTIONS: Readonly<
  Record<Participant, Readonly<Partial<Record<Participant, Readonly<Record<string, unknown>>>>>>
> = {
  order: orderReactions,
  payment: paymentReactions,
  stock: stockReactions,
}
/** Which service follows which, and which kinds it handles. */
export const LINKS = PARTICIPANTS.flatMap((subscriber) =>
  PARTICIPANTS.flatMap((publisher) => {
    const handled = REACTIONS[subscriber][publisher]
    return handled === undefined ? [] : [{ subscriber, publisher, handled: Object.keys(handled) }]
  }),
)

const during = async <Result>({ shop }: OpenShop, work: (redis: Connections) => Promise<Result>): Promise<Result> => {
  const open = (service: Service): Redis => new Redis(shop.part(`${service}-redis`).url, { maxRetriesPerRequest: 0 })
  const redis = { ids: open('ids'), order: open('order'), payment: open('payment'), stock: open('stock') }
  for (const one of Object.values(redis)) one.on('error', (error: Error) => error)
  try {
    return await work(redis)
  } finally {
    for (const one of Object.values(redis)) one.disconnect()
  }
}

const keysOf = async (redis: Redis, pattern: string): Promise<string[]> => {
  const keys = new Set<string>()
  for (let cursor = '0', done = false; !done; done = cursor === '0') {
    const [next, page] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT)
    for (const key of page) keys.add(key)
    cursor = next
  }
  return [...keys]
}

/** All hashes under a prefix, by the rest of their keys. */
const hashesOf = async (redis: Redis, prefix: string): Promise<Map<string, Fields>> => {
  const hashes = new Map<string, Fields>()
  const keys = await keysOf(redis, `${prefix}*`)
  for (let first = 0; first < keys.length; first += PAGE) {
    const page = keys.slice(first, first + PAGE)
    const found = await Promise.all(page.map((key) => redis.hgetall(key)))
    for (const [index, key] of page.entries()) hashes.set(key.slice(prefix.length), found[index] ?? {})
  }
  return hashes
}

const entriesAfter = async (redis: Redis, log: string, after: string): Promise<LogEntry[]> => {
  const entries: LogEntry[] = []
  for (let from = after, more = true; more; ) {
    const page = await redis.xrange(log, `(${from}`, '+', 'COUNT', PAGE)
    for (const entry of page) entries.push(readable(entry))
    from = page.at(-1)?.[0] ?? from
    more = page.length === PAGE
  }
  return entries
}

const refuse = (problems: readonly string[]): void => {
  if (problems.length > 0) throw new Error(problems.join('; '))
}

/** What Redis tells of a stream. */
const toldOf = async (redis: Redis, key: string): Promise<(name: string) => string> => {
  const told = (await redis.xinfo('STREAM', key)) as readonly unknown[]
  return (name) => String(told[told.indexOf(name) + 1])
}

/** The last id that there ever was in a stream. */
const newestIn = async (redis: Redis, key: string): Promise<string> => (await toldOf(redis, key))('last-generated-id')

/** How many entries a log was ever given, and the last of them, trimmed or not. */
const streamOf = async (redis: Redis, service: Service): Promise<Pick<LogEvidence, 'added' | 'newest'>> => {
  if ((await redis.exists(logKey(service))) === 0) return { added: 0, newest: '0-0' }
  const value = await toldOf(redis, logKey(service))
  return { added: Number(value('entries-added')), newest: value('last-generated-id') }
}

/** What is still to be done or applied. */
const unrest = async (redis: Connections): Promise<string[]> => {
  const problems: string[] = []
  for (const service of ['order', 'payment'] as const) {
    const open = await redis[service].zcard('sagas:open')
    if (open > 0) problems.push(`${open} checkouts are open in ${service}`)
  }
  const undecided = await redis.order.zcard('sagas:deadlines')
  if (undecided > 0) problems.push(`${undecided} checkouts are not decided`)
  for (const { subscriber, publisher, at, handled } of await cursorsIn(redis)) {
    const { newest } = await streamOf(redis[publisher], publisher)
    if (compareIds(at, newest) > 0) problems.push(`${subscriber} has not noticed that ${publisher} lost its tail`)
    const unapplied = (await entriesAfter(redis[publisher], logKey(publisher), at)).filter(({ kind }) =>
      handled.includes(kind),
    )
    if (unapplied.length > 0) problems.push(`${subscriber} has not applied ${unapplied.length} entries of ${publisher}`)
  }
  return problems
}

/** What checkouts lock. */
const OF_CHECKOUTS = ['lock:order:*', 'lock:user:*']

const locked = async (redis: Connections, patterns: readonly string[] = OF_CHECKOUTS): Promise<string[]> => {
  const keys = await Promise.all(
    PARTICIPANTS.flatMap((master) => patterns.map((pattern) => keysOf(redis[master], pattern))),
  )
  return [...new Set(keys.flat())].sort()
}

/** What is locked on any lock master: of orders and users, or what the patterns say. */
export const locksLeft = (opened: OpenShop, patterns?: readonly string[]): Promise<string[]> =>
  during(opened, (redis) => locked(redis, patterns))

/** The log ids of all checkouts that have not ended, in order or in payment. */
export const openCheckouts = (opened: OpenShop): Promise<ReadonlySet<string>> =>
  during(opened, async ({ order, payment }) => {
    const open = await Promise.all([order.zrange('sagas:open', '0', '-1'), payment.zrange('sagas:open', '0', '-1')])
    return new Set(open.flat())
  })

/** Waits until the shop is at rest. @returns how long its checkouts took to end. @throws saying what did not. */
export const settle = (
  opened: OpenShop,
  { settleMs = SETTLE_MS, locksMs = LOCKS_MS }: Expectations = {},
): Promise<number> =>
  during(opened, async (redis) => {
    const startedAt = performance.now()
    await eventually(async () => refuse(await unrest(redis)), settleMs)
    const settledMs = performance.now() - startedAt
    if (locksMs !== 'unchecked') await eventually(async () => refuse(await locked(redis)), locksMs)
    return settledMs
  })

const logOf = async (redis: Redis, service: Service): Promise<LogEvidence> => {
  const { added, newest } = await streamOf(redis, service)
  const entries = await entriesAfter(redis, logKey(service), '0-0')
  // A process that has just started may have leased a block of identifiers meanwhile.
  return { entries: entries.filter(({ id }) => compareIds(id, newest) <= 0), added, newest }
}

/** What is wrong with each dead letter that was neither applied at last nor dismissed. */
const deadIn = async (redis: Redis, service: Participant): Promise<string[]> => {
  const ended = await redis.hgetall(`dead:${service}:applied`)
  Object.assign(ended, await redis.hgetall(`dead:${service}:dismissed`))
  const letters = await redis.xrange(`dead:${service}`, '-', '+', 'COUNT', PAGE)
  return letters
    .filter(([id]) => ended[id] === undefined)
    .map((letter) => {
      const { facts } = readable(letter)
      return `${facts.entry} of ${facts.speaker}: ${facts.error}`
    })
}

/** What each service lists as lost by those that it follows, every entry once. */
const lostIn = async (redis: Connections): Promise<LogEntry[]> => {
  const found = new Map<string, LogEntry>()
  for (const [subscriber, own] of Object.entries(redis))
    for (const noted of await own.xrange(`lost:${subscriber}`, '-', '+')) {
      const { speaker, entries } = JSON.parse(readable(noted).facts.tail ?? 'null') as LostTail
      for (const entry of entries) found.set(`${speaker} ${entry.id}`, entry)
    }
  return [...found.values()]
}

const SERIES = { I: 'invoices:', C: 'credit-notes:' } as const

const numberIn = (id: string): number => Number(id.slice(id.indexOf('-') + 1))
const saidIn = (text: string): Fields =>
  Object.fromEntries(text.split(' ').map((piece) => piece.split('=', 2) as [string, string]))

/** All documents, and the last number of each series. */
const documentsIn = async (payment: Redis): Promise<DocumentsEvidence> => {
  const last = new Map<string, number>()
  const documents = new Map<string, Fields>()
  for (const [letter, prefix] of Object.entries(SERIES))
    for (const key of await keysOf(payment, `${prefix}*`)) {
      const series = `${letter}${key.slice(prefix.length)}`
      last.set(series, numberIn(await newestIn(payment, key)))
      for (const [id, [, text = '']] of await payment.xrange(key, '-', '+'))
        documents.set(`${series}-${numberIn(id)}`, saidIn(text))
    }
  return { last, documents }
}

const draftsIn = async (payment: Redis): Promise<ReadonlyMap<string, Fields>> =>
  new Map(Object.entries(await payment.hgetall('drafts')).map(([order, text]) => [order, draftIn(text)]))

const cursorsIn = async (redis: Connections): Promise<CursorEvidence[]> =>
  Promise.all(
    LINKS.map(async ({ subscriber, publisher, handled }) => ({
      subscriber,
      publisher,
      handled,
      at: (await redis[subscriber].hget('cursors', publisher)) ?? '0-0',
    })),
  )

const ofParticipants = async <Found>(
  read: (participant: Participant) => Promise<Found>,
): Promise<Record<Participant, Found>> => ({
  order: await read('order'),
  payment: await read('payment'),
  stock: await read('stock'),
})

/** How far the clock of a Redis is ahead of this process' own: read so often that one reading took next to no time. */
const clockOf = async (redis: Redis): Promise<number> => {
  let best = { tookMs: Number.POSITIVE_INFINITY, aheadMs: 0 }
  for (let reading = 0; reading < CLOCK_READINGS; reading += 1) {
    const askedAt = performance.now()
    const [seconds, micros] = await redis.time()
    const tookMs = performance.now() - askedAt
    const aheadMs = Number(seconds) * 1_000 + Number(micros) / 1_000 - (askedAt + tookMs / 2)
    if (tookMs < best.tookMs) best = { tookMs, aheadMs }
  }
  return best.aheadMs
}

/** Reads all that there is, one after the other, behind the services' backs. */
const readAll = async (
  redis: Connections,
  { lossy = false, locksMs, seeded }: Expectations & Pick<Evidence, 'seeded'>,
): Promise<Evidence> => ({
  logs: {
    ids: await logOf(redis.ids, 'ids'),
    ...(await ofParticipants((participant) => logOf(redis[participant], participant))),
  },
  wallets: await hashesOf(redis.payment, 'user:'),
  shelves: await hashesOf(redis.stock, 'item:'),
  orders: await hashesOf(redis.order, 'order:'),
  sagas: await ofParticipants((participant) => recordsIn(redis[participant], participant)),
  ledgers: await ofParticipants((participant) => ledgerOf(redis[participant])),
  documents: await documentsIn(redis.payment),
  drafts: await draftsIn(redis.payment),
  open: await ofParticipants((participant) => redis[participant].zrange('sagas:open', '0', '-1')),
  cursors: await cursorsIn(redis),
  locks: locksMs === 'unchecked' ? [] : await locked(redis),
  waiting: await keysOf(redis.payment, 'waiting:*'),
  dead: await ofParticipants((participant) => deadIn(redis[participant], participant)),
  contradictions: await redis.order.smembers('contradictions'),
  lossy,
  lost: await lostIn(redis),
  clocks: await ofParticipants((participant) => clockOf(redis[participant])),
  seeded,
})

const headsOf = async (redis: Connections): Promise<string[]> =>
  Promise.all(PARTICIPANTS.map(async (participant) => (await streamOf(redis[participant], participant)).newest))

/** The same, while no log moved: also a shop at rest goes round its logs now and then, to forget what has ended. */
const gather = (redis: Connections, options: Parameters<typeof readAll>[1]): Promise<Evidence> =>
  eventually(async () => {
    const before = await headsOf(redis)
    const evidence = await readAll(redis, options)
    assert.deepEqual(await headsOf(redis), before, 'the logs go on')
    return evidence
  }, SETTLE_MS)

/** An answer of which nothing but its status is known: it may have come at any time. */
const operationOf = ({ order, status }: Told): Operation => ({
  client: 'somebody',
  does: 'checkout',
  facts: { order },
  idempotencyKey: undefined,
  begunMs: 0,
  endedMs: Number.POSITIVE_INFINITY,
  told: toldBy(status),
  status,
  problem: '',
  value: {},
  letter: '',
})

/** What clients were told and what lies in the four Redis of a shop at rest: what the checker judges. */
export const readCase = (
  opened: OpenShop,
  expectations: Expectations = {},
): Promise<{ readonly history: readonly Operation[]; readonly evidence: Evidence }> =>
  during(opened, async (redis) => {
    const { told = [], history = [], seededByClientOnly = false } = expectations
    const seeded = seededByClientOnly ? opened.client.added : undefined
    const evidence = await gather(redis, { ...expectations, seeded })
    return { history: [...history, ...told.map(operationOf)], evidence }
  })

/** Everything that contradicts the promises, of a shop at rest. */
export const findAnomalies = async (opened: OpenShop, expectations: Expectations = {}): Promise<readonly Anomaly[]> => {
  const { history, evidence } = await readCase(opened, expectations)
  return anomalies(history, evidence)
}

/** The same in words. */
export const violations = async (opened: OpenShop, expectations: Expectations = {}): Promise<string[]> =>
  (await findAnomalies(opened, expectations)).map(describe)

/** The most violations that a failed test shows: the first ones tell. */
const SHOWN_MAX = 20

/** Waits until the shop is at rest and proves that it keeps its promises. @returns how long its checkouts took to end. */
export const proveInvariants = async (
  t: ExecutionContext,
  opened: OpenShop,
  expectations: Expectations = {},
): Promise<number> => {
  const settledMs = await settle(opened, expectations)
  t.deepEqual((await violations(opened, expectations)).slice(0, SHOWN_MAX), [])
  return settledMs
}
