/**
 * Does the shop keep its promises?
 *
 * `settle` waits until the shop is at rest: no checkout is open, every listener has heard all that matters to it, nothing
 * is held, waited for or locked. `violations` then reads all four Redis, behind the services' backs, and says in words
 * everything that contradicts the design's promises: conservation of money and goods to the unit (what the logs say was
 * added, against what is there and what was sold), each order paid exactly if it was charged once and its lines taken
 * once, no trace of a checkout that failed, no dead letter, and every answer that a customer was given still true.
 */
import type { ExecutionContext } from 'ava'
import { Redis } from 'ioredis'
import type { Service } from '../../env/wiring.ts'
import { reactions as orderReactions } from '../../order/reactions.ts'
import { reactions as paymentReactions } from '../../payment/reactions.ts'
import { parseLines } from '../../shared/events.ts'
import { reactions as stockReactions } from '../../stock/reactions.ts'
import { eventually } from './eventually.ts'
import type { OpenShop } from './shop.ts'

/** What a customer was answered when asking for the checkout of an order. */
export type Told = { readonly order: string; readonly status: number }

export type Expectations = {
  /** Every answer to every checkout; one without an answer has the status 0. */
  readonly told?: readonly Told[]
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

type Fields = Readonly<Record<string, string>>
type Connections = Readonly<Record<Service, Redis>>
type Said = { readonly kind: string; readonly log_id: string; readonly facts: Fields }

const LISTENERS: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>> = {
  order: orderReactions,
  payment: paymentReactions,
  stock: stockReactions,
}

const during = async <Result>({ shop }: OpenShop, work: (redis: Connections) => Promise<Result>): Promise<Result> => {
  const open = (service: Service): Redis => new Redis(shop.redis[service].url, { maxRetriesPerRequest: 0 })
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

const readable = (fields: readonly string[]): Said => {
  const facts: Record<string, string> = {}
  for (let index = 0; index < fields.length; index += 2) facts[fields[index] ?? ''] = fields[index + 1] ?? ''
  return { kind: facts.kind ?? '', log_id: facts.log_id ?? '', facts }
}

const entriesAfter = async (redis: Redis, log: string, after: string): Promise<Said[]> => {
  const said: Said[] = []
  for (let from = after, more = true; more; ) {
    const page = await redis.xrange(log, `(${from}`, '+', 'COUNT', PAGE)
    for (const [, fields] of page) said.push(readable(fields))
    from = page.at(-1)?.[0] ?? from
    more = page.length === PAGE
  }
  return said
}

const refuse = (problems: readonly string[]): void => {
  if (problems.length > 0) throw new Error(problems.join('; '))
}

/** What is still to be done or heard. */
const unrest = async (redis: Connections): Promise<string[]> => {
  const problems: string[] = []
  for (const service of ['order', 'payment'] as const) {
    const open = await redis[service].zcard('sagas:open')
    if (open > 0) problems.push(`${open} checkouts are open in ${service}`)
  }
  for (const [listener, speakers] of Object.entries(LISTENERS))
    for (const [speaker, heard] of Object.entries(speakers)) {
      const cursor = (await redis[listener as Service].hget('cursors', speaker)) ?? '0-0'
      const unheard = (await entriesAfter(redis[speaker as Service], `log:${speaker}`, cursor)).filter(
        ({ kind }) => kind in heard,
      )
      if (unheard.length > 0) problems.push(`${listener} has not heard ${unheard.length} entries of ${speaker}`)
    }
  return problems
}

const MASTERS = ['order', 'payment', 'stock'] as const

/** What checkouts lock. */
const OF_CHECKOUTS = ['lock:order:*', 'lock:user:*']

const locked = async (redis: Connections, patterns: readonly string[] = OF_CHECKOUTS): Promise<string[]> => {
  const keys = await Promise.all(MASTERS.flatMap((master) => patterns.map((pattern) => keysOf(redis[master], pattern))))
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

type Accounts = { readonly added: bigint; readonly left: bigint; readonly sold: bigint }

const sum = (numbers: Iterable<string | undefined>): bigint => {
  let total = 0n
  for (const number of numbers) total += BigInt(number ?? '0')
  return total
}

const piecesOf = (lines: string): bigint => sum(parseLines(lines).map(([, quantity]) => String(quantity)))

const rangeOf = ({ first = '0', last = '-1' }: Fields): bigint => BigInt(last) - BigInt(first) + 1n

/** What each kind of entry adds, given its facts; what is not here adds nothing. */
const CREDIT_ADDED: Readonly<Record<string, (facts: Fields) => bigint>> = {
  FundsAdded: ({ amount }) => sum([amount]),
  CreditSpent: ({ amount }) => -sum([amount]),
  UsersInitialised: (facts) => rangeOf(facts) * sum([facts.credit]) - sum([facts.replaced]),
}
const STOCK_ADDED: Readonly<Record<string, (facts: Fields) => bigint>> = {
  StockAdded: ({ amount }) => sum([amount]),
  StockSubtracted: ({ amount }) => -sum([amount]),
  ItemsInitialised: (facts) => rangeOf(facts) * sum([facts.stock]) - sum([facts.replaced]),
}

const addedBy = (log: readonly Said[], adding: typeof CREDIT_ADDED): bigint =>
  log.reduce((total, { kind, facts }) => total + (adding[kind]?.(facts) ?? 0n), 0n)

const unbalanced = (what: string, { added, left, sold }: Accounts): string[] =>
  added === left + sold ? [] : [`${what}: ${added} added, but ${left} left and ${sold} sold`]

type Sagas = Readonly<Record<'order' | 'payment' | 'stock', ReadonlyMap<string, Fields>>>

/** What payment and stock may say of a checkout, by how it ended: the first word is payment's, the second stock's. */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  paid: ['captured taken'],
  failed: ['refused none', 'voided refused'],
  closed: ['released returned'],
}

const contradictions = (sagas: Sagas, orders: ReadonlyMap<string, Fields>): string[] => {
  const problems: string[] = []
  const paidBy = new Map<string, string[]>()
  const ids = new Set([...sagas.order.keys(), ...sagas.payment.keys(), ...sagas.stock.keys()])
  for (const id of ids) {
    const [ours, payment, stock] = [sagas.order.get(id), sagas.payment.get(id), sagas.stock.get(id)]
    const together = `${payment?.state ?? 'none'} ${stock?.state ?? 'none'}`
    if (!TOGETHER[ours?.state ?? 'none']?.includes(together))
      problems.push(`checkout ${id} is ${ours?.state}, but ${together} in payment and stock`)
    if (ours?.state !== 'paid') continue
    const order = ours.order ?? ''
    paidBy.set(order, [...(paidBy.get(order) ?? []), id])
    if (payment?.total !== ours.total || payment?.user !== ours.user)
      problems.push(`checkout ${id} charged ${payment?.total} to ${payment?.user}, not ${ours.total} to ${ours.user}`)
    if (stock?.lines !== ours.lines) problems.push(`checkout ${id} took ${stock?.lines}, not ${ours.lines}`)
  }
  for (const [id, { status, saga, total, lines }] of orders) {
    const paid = paidBy.get(id) ?? []
    if (paid.length > 1) problems.push(`order ${id} was paid ${paid.length} times: ${paid}`)
    if ((status === 'paid') !== (paid.length === 1)) problems.push(`order ${id} is ${status}, paid by ${paid}`)
    if (status === 'paid') {
      const by = sagas.order.get(saga ?? '')
      if (by?.total !== total || by?.lines !== lines) problems.push(`order ${id} was changed after it was paid`)
    } else if (status !== 'open') problems.push(`order ${id} is ${status}`)
  }
  return problems
}

/** A 200 says that the order is paid; if it is paid although nobody was told so, somebody must have got no answer. */
const untrue = (told: readonly Told[], orders: ReadonlyMap<string, Fields>): string[] => {
  const statuses = new Map<string, number[]>()
  for (const { order, status } of told) statuses.set(order, [...(statuses.get(order) ?? []), status])
  const problems: string[] = []
  for (const [order, all] of statuses) {
    const isPaid = orders.get(order)?.status === 'paid'
    const mayBePaid = all.some((status) => status === 200 || status === 0 || status >= 500)
    if (all.includes(200) && !isPaid) problems.push(`order ${order} was told to be paid and is not`)
    if (isPaid && !mayBePaid) problems.push(`order ${order} is paid, but was only ever refused: ${all}`)
  }
  return problems
}

const negative = (what: string, hashes: ReadonlyMap<string, Fields>, field: string): string[] =>
  [...hashes].filter(([, fields]) => BigInt(fields[field] ?? '0') < 0n).map(([id]) => `${what} of ${id} is below zero`)

/** Everything that contradicts the promises, of a shop at rest. */
export const violations = (opened: OpenShop, expectations: Expectations = {}): Promise<string[]> =>
  during(opened, async (redis) => {
    const { told = [], seededByClientOnly = false } = expectations
    const { added } = opened.client
    const [orders, users, items] = await Promise.all([
      hashesOf(redis.order, 'order:'),
      hashesOf(redis.payment, 'user:'),
      hashesOf(redis.stock, 'item:'),
    ])
    const sagas = {
      order: await hashesOf(redis.order, 'saga:'),
      payment: await hashesOf(redis.payment, 'saga:'),
      stock: await hashesOf(redis.stock, 'saga:'),
    }
    const paid = [...sagas.order.values()].filter(({ state }) => state === 'paid')
    const credit = {
      added: addedBy(await entriesAfter(redis.payment, 'log:payment', '0-0'), CREDIT_ADDED),
      left: sum([...users.values()].map((user) => user.credit)),
      sold: sum(paid.map(({ total }) => total)),
    }
    const stock = {
      added: addedBy(await entriesAfter(redis.stock, 'log:stock', '0-0'), STOCK_ADDED),
      left: sum([...items.values()].map((item) => item.stock)),
      sold: paid.reduce((total, { lines }) => total + piecesOf(lines ?? ''), 0n),
    }
    const problems = [
      ...unbalanced('credit', credit),
      ...unbalanced('stock', stock),
      ...negative('credit', users, 'credit'),
      ...negative('stock', items, 'stock'),
      ...contradictions(sagas, orders),
      ...untrue(told, orders),
    ]
    if (seededByClientOnly && credit.added !== BigInt(added.credit))
      problems.push(`the log says ${credit.added} credit was added, the client ${added.credit}`)
    if (seededByClientOnly && stock.added !== BigInt(added.stock))
      problems.push(`the log says ${stock.added} pieces were added, the client ${added.stock}`)
    for (const [id, { held }] of users) if (held !== '0') problems.push(`user ${id} has ${held} held`)
    for (const key of await keysOf(redis.payment, 'waiting:*')) problems.push(`${key} is left`)
    for (const service of ['order', 'payment', 'stock'] as const) {
      const dead = await redis[service].xlen(`dead:${service}`)
      if (dead > 0) problems.push(`${service} has ${dead} dead letters`)
    }
    for (const order of await redis.order.smembers('contradictions')) problems.push(`order ${order} is contradicted`)
    return problems
  })

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
