/**
 * The keys, codecs and commands of order: the only file that speaks to its Redis.
 *
 * - `order:{id}` hash: `user`, `status`, `saga`, `total`, `lines`
 * - `saga:{log id}` hash: `state`, `order`, `user`, `total`, `lines`, `deadline`, `token`, `reason`, `item`, `entries`,
 *   `again`, `previous` (the order's saga before), `contradicted` (by what), `resolved` (how: `refund` or `accept`); most of
 *   those that are finished are packed: see `shared/saga/lua/saga.lua`
 * - `sagas:open` sorted set: log ids of checkouts not finished, by when they were last spoken of
 * - `sagas:deadlines` sorted set: log ids of checkouts not decided, by their deadlines
 * - `contradictions` set: orders that were paid and whose payment or goods a peer has lost or undone, or whose customer
 *   was told otherwise, until a person has resolved it
 * - `outcomes` channel: `{log id} {state} {reason} {item} {order} {user} {total} {entry}` of each checkout that is decided
 * - `books` hash, of running sums: `paid` (money) and `sold` (pieces) of orders that were ever paid and not refunded, and of
 *   it `replaced-paid`, `replaced-sold`, what no order shows any more, and `accepted-paid`, `accepted-sold`, what no service has
 *   charged or taken; their limbs are in `shared/audit/lua/books.lua`
 * - those that every log has: see `shared/log/log.ts`
 */
import type { Redis } from 'ioredis'
import { type Auditor, auditor } from '../shared/audit/auditor.ts'
import { type KindOf, parseLines, VERSION } from '../shared/contract/events.ts'
import { impossible, unreachable } from '../shared/errors.ts'
import { compareIds, type LogEntry } from '../shared/log/entry.ts'
import { type Log, openLog } from '../shared/log/log.ts'
import { type Runner, runner } from '../shared/log/runner.ts'
import { type ArgsOf, knownResult, type Late, type ResultOf, type ResultOnce } from '../shared/redis/command.ts'
import { remake } from '../shared/redis/connection.ts'
import { optional, text, tuple } from '../shared/redis/reply.ts'
import type { Once, Reply } from '../shared/redis/script.ts'
import { openRecovery, type Recovery, type RunRepair } from '../shared/saga/recovery.ts'
import type { Instruments } from '../shared/service.ts'
import * as commands from './commands.ts'
import { type Ended, endedOf, isStatus, type Order, type Saga, type Status } from './order.ts'
import { emits, reactions } from './reactions.ts'
import { recovery, saga } from './recovery.ts'

const names = {
  order: 'order:',
  counted: 'order:',
  contradictions: 'contradictions',
  /** The field of a record that tells what is contradicted with it. */
  subject: 'order',
  outcomes: 'outcomes',
}

/** The most lines of one order: all of them are taken in one script. */
export const LINES_MAX = 100

/** The most checkouts of one order that are looked for. */
const CHECKOUTS_MAX = 100
/** The most contradictions that are listed with all that is known of them. */
const LISTED_MAX = 1_000

/** What a checkout must know of its order before it asks for the lock, and when that was so, by the own Redis. */
export type OrderView = {
  readonly user: string
  readonly status: Status
  /** Its last checkout, or ''. */
  readonly saga: string
  readonly lines: string
  readonly readMs: number
}
/** A checkout as it is recorded, with what it has locked, and how long its deadline is ahead. */
export type Recorded = Saga & Omit<commands.Decision, keyof Ended> & { readonly leftMs: number }
/** An order that is contradicted: by which of its checkouts, by what, and since when, as far as that is recorded. */
export type Contradicted = {
  readonly order_id: string
  readonly log_id: string | null
  readonly by: string
  readonly since: string | null
}
/** What was decided can no longer be true: by what, as it is recorded. */
export type Contradiction = { readonly id: string; readonly by: string; readonly order: string }

export type Store = {
  readonly log: Log
  readonly auditor: Auditor
  readonly recovery: (onDecided: (decided: commands.Decision) => void) => Recovery
  readonly find: (order: string) => Promise<Order | undefined>
  readonly readForCheckout: (order: string) => Promise<OrderView | undefined>
  /** The time of the own Redis, read anew: see `shared/log/fence.ts`. */
  readonly readMs: () => Promise<number>
  readonly saga: (id: string) => Promise<Recorded | undefined>
  /** What was returned under a request's key, and what is asked before it is refused for what a peer says. */
  readonly recall: Runner['recall']
  readonly refuse: Runner['refuse']
  readonly create: (order: string, user: string, once: Once) => Promise<ResultOnce<typeof commands.createOrder>>
  readonly addItem: (
    line: { order: string; item: string; quantity: number; price: number },
    once: Once,
  ) => Promise<ResultOnce<typeof commands.addItem>>
  readonly initOrders: (
    batch: { first: number; last: number; items: number; users: number; price: number; seed: number },
    once: Once,
  ) => Promise<ResultOnce<typeof commands.initOrders>>
  /** Begins a checkout of the order if it is still as it was read. */
  readonly begin: (start: ArgsOf<typeof commands.begin>, once: Once) => Promise<commands.Begun | Late>
  /** Answers a request under a key that needs no checkout of its own. */
  readonly join: (args: ArgsOf<typeof commands.join>, once: Once) => Promise<commands.Joined>
  readonly cancel: (id: string) => Promise<commands.Decision | undefined>
  /** The same at the wish of a person. */
  readonly revoke: (id: string, once: Once) => Promise<ResultOnce<typeof commands.cancel>>
  /** Ends a contradiction as a person wishes. */
  readonly resolve: (
    id: string,
    wish: { by: 'refund' | 'accept'; why: string },
    once: Once,
  ) => Promise<ResultOnce<typeof commands.resolve>>
  /** By what a checkout is contradicted, if it is. */
  readonly contradictedBy: (id: string) => Promise<string | undefined>
  /** Orders that are contradicted and wait for a person. */
  readonly contradictions: () => Promise<readonly string[]>
  /** The same with what is known of each, the oldest first, up to `LISTED_MAX`. */
  readonly contradicted: () => Promise<readonly Contradicted[]>
  /** The log ids of an order's checkouts, the last one first, as far as they are still recorded. */
  readonly checkoutsOf: (order: string) => Promise<readonly string[] | undefined>
  /** The decision in what was returned to an entry of payment's, if it is one. */
  readonly decidedBy: (reply: Reply) => commands.Decision | undefined
  /** Reads what comes over the channel of outcomes. */
  readonly watchOutcomes: (subscriber: Redis, onOutcome: (ended: Ended) => void) => void
}

const statusOf = (text: string | null | undefined): Status =>
  text != null && isStatus(text) ? text : impossible('order.status', text)

/** What `checkout/lua/glance.lua` returns: user, status, saga and lines; nothing of an order that is unknown. */
const glanced = tuple(optional(text), optional(text), optional(text), optional(text))

/** What the commands return that apply payment's entries. */
const APPLIED = { ...commands.complete.returns, ...commands.fail.returns, ...commands.close.returns }
type Deciding =
  | ResultOf<typeof commands.complete>
  | ResultOf<typeof commands.fail>
  | ResultOf<typeof commands.close>
  | ResultOnce<typeof commands.cancel>
  | ResultOf<typeof commands.uphold>

/** What was said when a checkout came to this state, and what its client was told then. */
const ENDS: Readonly<Record<Ended['state'], readonly [kind: KindOf<'order'>, told: 'paid' | 'failed' | 'cancelled']>> =
  {
    paid: ['OrderPaid', 'paid'],
    failed: ['CheckoutFailed', 'failed'],
    cancelling: ['CheckoutCancelled', 'cancelled'],
    closed: ['CheckoutClosed', 'cancelled'],
  }
const TOLD = new Map(Object.values(ENDS).map(([kind, told]): [string, string] => [kind, told]))

/** Under a key, each of them may return what was remembered of the other. */
const beginOnce = { ...commands.begin, returns: commands.checkoutAnswers }
const joinOnce = { ...commands.join, returns: commands.checkoutAnswers }

export const openStore = (
  { redis, step, identifiers, catchUp, outOfReach, logger, retentionS }: Instruments,
  onContradicted: (contradiction: Contradiction) => void = () => undefined,
): Store => {
  const log = openLog({
    service: 'order',
    redis,
    step,
    lua: [new URL('lua/', import.meta.url), new URL('checkout/lua/', import.meta.url)],
    names,
    supplies: { things: 'worth' },
    limits: { lines_max: LINES_MAX },
    reactions,
    saga,
    emits,
    uphold: (gone) => upholdAll(gone),
    retentionS,
  })
  const { run, runOnce, runFenced, recall, refuse } = runner(log)

  /** Remembers how a checkout ended, with the entry that says so: its client is told. */
  const acknowledge = ({ id, state, order, user, total, entry }: commands.Decision): void => {
    const [kind] = ENDS[state]
    if (entry !== '')
      log.acknowledge(entry, () => [kind, `version=${VERSION} log_id=${id} order=${order} user=${user} total=${total}`])
  }

  const decisionIn = (result: Deciding): commands.Decision | undefined => {
    switch (result[0]) {
      case 'paid':
      case 'adopted':
      case 'failed':
      case 'cancelled':
      case 'decided':
        acknowledge(result[1])
        return result[1]
      case 'contradicted':
        onContradicted({ id: result[1], by: result[2], order: result[3] })
        return undefined
      case 'closed':
      case 'kept':
      case 'lost':
      case 'repeated':
      case 'unknown':
      case 'key-reused':
        return undefined
      default:
        return unreachable('order.decision', result)
    }
  }

  const decidedBy: Store['decidedBy'] = (reply) => {
    const result = knownResult(APPLIED, reply)
    return result && decisionIn(result)
  }

  /** Upholds what was told of a checkout. @returns whether it is as it was told, without that. */
  const isUpheld = async ({ kind, log_id, facts }: LogEntry): Promise<boolean> => {
    const { order = '', user = '', total = '0' } = facts
    const result = await run(commands.uphold, { log_id, order, user, total, told: TOLD.get(kind) ?? '' })
    decisionIn(result)
    return result[0] === 'kept'
  }

  /** First those whose client was told that nothing is charged, before it can be; what was paid is rebuilt once payment's log is applied. */
  const upholdAll = async (gone: readonly LogEntry[]): Promise<readonly LogEntry[]> => {
    const ends = gone.filter(({ kind }) => TOLD.has(kind))
    const { paid = [], unpaid = [] } = Object.groupBy(ends, ({ kind }) =>
      TOLD.get(kind) === 'paid' ? 'paid' : 'unpaid',
    )
    const kept = new Set<LogEntry>()
    for (const end of unpaid) if (await isUpheld(end)) kept.add(end)
    if (paid.length > 0) await catchUp()
    for (const end of paid) if (await isUpheld(end)) kept.add(end)
    return gone.filter((entry) => !kept.has(entry))
  }

  /**
   * Logs a checkout that was not decided in time, and which service kept it waiting, as far as that is known here: a listener
   * reports what it has read some seconds late.
   */
  const tellLate = async (log_id: string): Promise<void> => {
    try {
      const { fields, acked } = (await log.saga(log_id, ['payment'])).record
      const [started = '0-0'] = (fields.entries ?? '').split(' ')
      const waitedFor = outOfReach().includes('payment')
        ? 'the log of payment is out of reach'
        : compareIds(acked.payment ?? '0-0', started) < 0
          ? 'payment has not read of it'
          : 'payment has read of it; it or stock has not answered'
      logger.warn({ order: fields.order, log_id, waitedFor }, 'a checkout was cancelled: its deadline has passed')
    } catch (error) {
      logger.warn({ log_id, err: error }, 'a checkout was cancelled: its deadline has passed')
    }
  }

  /**
   * Whether or not it is late, a checkout whose end was said already is not cancelled: a Redis that came back older would
   * else undo what it has forgotten, and what its customer was told.
   */
  const cancel = async (
    args: ArgsOf<typeof commands.cancel>,
    once?: Once,
  ): Promise<ResultOnce<typeof commands.cancel>> => {
    await catchUp()
    const result = await runOnce(commands.cancel, args, once)
    if (result[0] === 'cancelled' && args.reason === undefined) void tellLate(result[1].id)
    return result
  }

  const contradictions = (): Promise<readonly string[]> =>
    step('contradictions', () => redis.smembers(names.contradictions))

  const contradictedBy = async (id: string): Promise<string | undefined> => {
    const [by, resolved] = await step('contradicted', () => redis.hmget(`saga:${id}`, 'contradicted', 'resolved'))
    return resolved == null ? (by ?? undefined) : undefined
  }

  const checkoutsOf = async (order: string): Promise<readonly string[] | undefined> => {
    const [user, last] = await step('last-saga', () => redis.hmget(names.order + order, 'user', 'saga'))
    if (user == null) return undefined
    const before = (id: string) => step('saga-before', () => redis.hget(`saga:${id}`, 'previous'))
    const ids: string[] = []
    for (let id = last; id && ids.length < CHECKOUTS_MAX; id = await before(id)) ids.push(id)
    return ids
  }

  const contradictedOf = async (order_id: string): Promise<Contradicted> => {
    const ids = (await checkoutsOf(order_id)) ?? []
    for (const id of ids) {
      const by = await contradictedBy(id)
      if (by === undefined) continue
      const last = (await log.entriesOf(id)).findLast(({ kind }) => kind === 'CheckoutContradicted')
      return { order_id, log_id: id, by, since: last?.at ?? null }
    }
    // An older version has listed the order only.
    return { order_id, log_id: ids[0] ?? null, by: '', since: null }
  }

  const readOrder = log.query('glance', glanced)

  return {
    log,
    auditor: auditor(log),
    contradictedBy,
    contradicted: async () => {
      const found = await Promise.all((await contradictions()).slice(0, LISTED_MAX).map(contradictedOf))
      return found.toSorted((a, b) => (a.since ?? '').localeCompare(b.since ?? ''))
    },
    contradictions,
    decidedBy,
    recovery: (onDecided) => {
      const cancelling: RunRepair = async (args, once) => {
        const result = await cancel(args, once)
        const decision = decisionIn(result)
        if (decision) onDecided(decision)
        return result[0]
      }
      return openRecovery({ log, saga, table: recovery, own: { cancel: cancelling }, contradictions })
    },
    find: async (order) => {
      const [user, status, total, lines] = await step('find', () =>
        redis.hmget(names.order + order, 'user', 'status', 'total', 'lines'),
      )
      if (user == null) return undefined
      return {
        order_id: order,
        paid: status === 'paid',
        items: parseLines(lines ?? ''),
        user_id: user,
        total_cost: Number(total),
        status: statusOf(status),
      }
    },
    readForCheckout: async (order) => {
      const { found, readMs } = await step('glance', () => readOrder(order))
      const [user, status, saga, lines] = found
      if (user == null) return undefined
      return {
        user,
        status: statusOf(status),
        saga: saga ?? '',
        lines: lines ?? '',
        readMs: readMs ?? (await log.readMs()),
      }
    },
    readMs: log.readMs,
    saga: async (id) => {
      const [recorded, readMs] = await Promise.all([log.recorded(id), log.readMs()])
      const { state, reason = '', item = '', order = '', user = '', token = '', total = '0', entries = '' } = recorded
      if (state === undefined) return undefined
      const { deadline = readMs } = recorded
      const more = {
        order,
        user,
        token,
        total,
        entry: entries.split(' ').at(-1) ?? '',
        leftMs: Number(deadline) - readMs,
      }
      if (state === 'checking-out') return { id, state, ...more }
      const ended = endedOf({ id, state, reason, item }) ?? impossible('order.saga', recorded)
      const saga = { ...ended, ...more }
      acknowledge(saga)
      return saga
    },
    recall,
    refuse,
    create: (order, user, once) => runOnce(commands.createOrder, { log_id: identifiers.next(), order, user }, once),
    addItem: (line, once) => runOnce(commands.addItem, { log_id: identifiers.next(), ...line }, once),
    initOrders: (batch, once) => runOnce(commands.initOrders, { log_id: identifiers.next(), ...batch }, once),
    begin: (start, once) => runFenced(beginOnce, start, once),
    join: (args, once) => runOnce(joinOnce, args, once),
    cancel: async (id) => decisionIn(await cancel({ log_id: id })),
    revoke: async (id, once) =>
      (await recall(commands.cancel.returns, once)) ?? cancel({ log_id: id, reason: 'operator' }, once),
    // An entry has no blanks.
    resolve: (id, { by, why }, once) =>
      runOnce(commands.resolve, { log_id: id, by, why: encodeURIComponent(why) }, once),
    checkoutsOf,
    watchOutcomes: (subscriber, onOutcome) => {
      subscriber.on('message', (_channel: string, message: string) => {
        const decision = commands.announced(message)
        // What another version may say is asked for by the sweep.
        if (decision === undefined) return
        acknowledge(decision)
        onOutcome(decision)
      })
      // Whenever the connection is a new one. If it breaks meanwhile, or no answer comes, the next one is.
      subscriber.on('ready', () => {
        step('subscribe', () => subscriber.subscribe(names.outcomes)).catch((error: Error) => remake(subscriber, error))
      })
    },
  }
}
