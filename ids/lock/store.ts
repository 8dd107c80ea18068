/**
 * The verbs of locks: see `lua/lock.lua` for what is recorded of a lock.
 *
 * Names and owners are percent-encoded in Redis, so that an entry can hold them.
 */
import { hash } from 'node:crypto'
import { impossible, unreachable } from '../../shared/errors.ts'
import type { Log } from '../../shared/log/log.ts'
import { runner } from '../../shared/log/runner.ts'
import type { ArgsOf, ResultOnce } from '../../shared/redis/command.ts'
import { list, query, text, tuple } from '../../shared/redis/reply.ts'
import {
  acquireLock,
  askLease,
  attendWaiters,
  barLocks,
  checkToken,
  configureLock,
  forceLock,
  rebaseLocks,
  releaseLease,
  renewLease,
  showLock,
  type Told,
  tickLocks,
} from './commands.ts'
import type { Knowledge, Known } from './knowledge.ts'
import { type Ended, type Held, PLAIN, type Waiting, type Wish } from './lease.ts'
import { ownerOf, readLock } from './read-lock.ts'
import { openSetBack } from './set-back.ts'
import { openSound, persistently, type Soundly } from './sound.ts'
import type { Locked, Refused, Verbs } from './verbs.ts'

/** How many locks one tick looks at, so that its script stays below 10 ms in Redis. */
const TICK_MOST = 20
/** How many locks are looked at in one script after the clock was set back. */
const REBASE_MOST = 100

const listLocks = query('list-locks', ['after', 'count', 'waiters'], list(readLock))
const countLocks = query('count-locks', [], tuple(text, text, text, text, text))
const findLeft = query('find-left', ['seen'], text)

const yes = (is: boolean): string => (is ? 'yes' : 'no')
const textOf = (value: number | undefined): string => (value === undefined ? '' : `${value}`)
const tokensIn = (tokens: string): readonly number[] => (tokens === '' ? [] : tokens.split(' ').map(Number))

/**
 * Says what a request stands for, whichever the wait. Most ask for the same as the one before, and those that say nothing by the
 * same wish.
 */
const openRequests = () => {
  let last = { wish: PLAIN, text: '', request: '' }
  return (wish: Wish): string => {
    if (wish === last.wish && last.text !== '') return last.request
    const { mode, ttlMs, queue, priority, permits, limit, owner, metadata, delayMs } = wish
    const text = JSON.stringify([mode, ttlMs, queue, priority, permits, limit, owner, metadata, delayMs])
    const request = text === last.text ? last.request : hash('sha256', text, 'base64url').slice(0, 22)
    last = { wish, text, request }
    return request
  }
}

type Wished = Omit<ArgsOf<typeof acquireLock>, 'lock' | 'lease' | 'seen'>

/** The arguments of a wish: of what most want alike, what is wanted otherwise, for Redis takes longer for each. */
const wished = (wish: Wish, request: string): Wished => {
  const args: { -readonly [Name in keyof Wished]: Wished[Name] } = { request, ttl: wish.ttlMs }
  if (wish.mode !== PLAIN.mode) args.mode = wish.mode
  if (wish.waitMs !== PLAIN.waitMs) args.wait = wish.waitMs
  if (wish.queue) args.queue = yes(wish.queue)
  if (wish.priority !== PLAIN.priority) args.priority = wish.priority
  if (wish.permits !== PLAIN.permits) args.permits = wish.permits
  if (wish.limit !== undefined) args.limit = wish.limit
  if (wish.owner !== undefined) args.owner = encodeURIComponent(wish.owner)
  if (Object.keys(wish.metadata).length > 0) args.metadata = JSON.stringify(wish.metadata)
  if (wish.delayMs !== undefined) args.delay = wish.delayMs
  if (wish.comesAgain) args.comes_again = yes(wish.comesAgain)
  return args
}

type Tell = readonly ['held', Told<Held>] | readonly ['waiting', Told<Waiting>]
type Granted = Extract<ResultOnce<typeof acquireLock>, readonly ['granted', ...unknown[]]>
type Refusal = Exclude<ResultOnce<typeof acquireLock>, Tell | Granted | readonly ['ended', Ended] | readonly ['older']>

/** What a lease holds that was granted just now: what was wished. */
const heldBy = (wish: Wish, [, lease, token, at, entry]: Granted): Told<Held> => ({
  state: 'held',
  lease,
  isNew: true,
  mode: wish.mode,
  permits: wish.permits,
  token: Number(token),
  owner: wish.owner ?? null,
  ttlMs: wish.ttlMs,
  expiresInMs: wish.ttlMs,
  expiresAtMs: Number(at) + wish.ttlMs,
  acquiredAtMs: Number(at),
  metadata: wish.metadata,
  entry,
})

export const lockedBy = ([state, why, rest, waiting]: readonly ['locked', string, string, string]): Locked => ({
  state,
  why: why === 'delayed' ? why : 'held',
  restMs: Number(rest),
  waiting: Number(waiting),
})

const refused = (result: Refusal): Refused => {
  switch (result[0]) {
    case 'locked':
      return lockedBy(result)
    case 'configured':
      return { state: result[0], what: result[1], as: result[2] }
    case 'over-limit':
      return { state: result[0], limit: Number(result[1]) }
    case 'barred':
    case 'full':
      return { state: result[0], restMs: Number(result[1]) }
    case 'reused':
    case 'unlimited':
    case 'too-many':
    case 'key-reused':
      return { state: result[0] }
    default:
      return unreachable('locks.acquire', result)
  }
}

/** Remembers what a command has told of a lease, and gives the rest of it. */
const openNotes = (knowledge: Knowledge) => ({
  granted: (lock: string, lease: string, { entry, expiresAtMs, ...held }: Told<Held>): Held => {
    const owner = held.owner ?? ''
    knowledge.onGranted({ lock, lease, token: held.token, owner, untilMs: expiresAtMs, entry })
    return held
  },
  found: (lock: string, [, told]: Tell): Held | Waiting => {
    const { entry, expiresAtMs: untilMs, ...rest } = told
    knowledge.onAppended(entry)
    if (rest.state === 'held') {
      const { lease, token, owner, ttlMs } = rest
      knowledge.onFound({ lock, lease, token, owner: owner ?? '', untilMs, entry: `${untilMs - ttlMs + 1}-0` })
    }
    return rest
  },
})

export type LocksOptions = {
  readonly log: Log
  readonly knowledge: Knowledge
  /** Called with what ids' Redis is known to have forgotten, and for how long nothing is granted. */
  readonly onOlder: (lost: readonly Known[], restMs: number) => void
  /** Called when the clock of ids' Redis was set back. */
  readonly onSetBack: () => void
}

type LeaseVerbs = Pick<Verbs, 'acquire' | 'ask' | 'renew' | 'release' | 'attend'>

/** Brings leases into locks, and out of them. */
const openLeases = (log: Log, knowledge: Knowledge, soundly: Soundly): LeaseVerbs => {
  const { run, runOnce } = runner(log)
  const { granted, found } = openNotes(knowledge)
  const requestOf = openRequests()

  const ask: LeaseVerbs['ask'] = async (name, lease) => {
    const lock = encodeURIComponent(name)
    const result = await soundly((seen) => run(askLease, { lock, lease, seen }))
    if (result[0] === 'unknown') return { state: result[0] }
    return result[0] === 'ended' ? result[1] : found(lock, result)
  }

  return {
    acquire: async (name, lease, wish, once) => {
      const lock = encodeURIComponent(name)
      const args = wished(wish, requestOf(wish))
      const result = await soundly((seen) => runOnce(acquireLock, { lock, lease, seen, ...args }, once))
      const told = result[0] === 'granted' ? (['held', heldBy(wish, result)] as const) : result
      if (told[0] === 'held' || told[0] === 'waiting') {
        // Another one is that of a request before, under the same key: what has become of it since is not told.
        if (told[1].lease !== lease) return told[1]
        return told[0] === 'held' && told[1].isNew ? granted(lock, lease, told[1]) : found(lock, told)
      }
      return told[0] === 'ended' ? told[1] : refused(told)
    },
    ask,
    renew: async (name, lease, { ttlMs, metadata, priority, mode = '' }, once) => {
      const lock = encodeURIComponent(name)
      const changed = metadata === undefined ? '' : JSON.stringify(metadata)
      const args = { ttl: textOf(ttlMs), metadata: changed, priority: textOf(priority), mode }
      const result = await soundly((seen) => runOnce(renewLease, { lock, lease, seen, ...args }, once))
      switch (result[0]) {
        case 'held':
        case 'waiting': {
          const renewed = result[0] === 'held' ? granted(lock, lease, result[1]) : found(lock, result)
          // Under a key it may be what was returned when it was asked first: what has become of it since is asked.
          return once?.idempotencyKey === undefined ? renewed : ask(name, lease)
        }
        case 'ended':
          return result[1]
        default:
          return { state: result[0] }
      }
    },
    release: async (name, lease, once) => {
      const lock = encodeURIComponent(name)
      const result = await soundly((seen) => runOnce(releaseLease, { lock, lease, seen }, once))
      return result[0] === 'ended' ? result[1] : { state: result[0] }
    },
    attend: async (keys) => {
      const [, others] = await run(attendWaiters, { leases: keys.join(' ') })
      return others === '' ? [] : others.split(' ')
    },
  }
}

/** Does what is due by time; after the clock was set back, page by page, brings in what would end too late. */
const openTick = ({ log, onSetBack }: LocksOptions, soundly: Soundly): Verbs['tick'] => {
  const { run } = runner(log)
  const wasSetBack = openSetBack()
  /** Behind which lock the next page begins; nothing while there is none. */
  let page: string | undefined
  return async () => {
    const askedAt = performance.now()
    const [, rest, now] = await soundly((seen) => run(tickLocks, { seen, most: TICK_MOST }))
    const setBack = wasSetBack({ clockMs: Number(now), askedAt, answeredAt: performance.now() })
    if (setBack === 'yes') onSetBack()
    if (setBack !== 'no') page = ''
    if (page === undefined) return rest === '' ? undefined : Number(rest)
    const [, count, last] = await run(rebaseLocks, { after: page, most: REBASE_MOST })
    page = last === '' ? undefined : last
    if (page !== undefined || count !== '0') return 0
    return rest === '' ? undefined : Number(rest)
  }
}

const openOwnVerbs = (options: LocksOptions, soundly: Soundly): Omit<Verbs, keyof LeaseVerbs> => {
  const { run, runOnce, ask } = runner(options.log)
  return {
    tick: openTick(options, soundly),
    force: async (name, { token, waiters }, once) => {
      const args = { lock: encodeURIComponent(name), token: textOf(token), waiters: yes(waiters) }
      const result = await soundly((seen) => runOnce(forceLock, { ...args, seen }, once))
      if (result[0] === 'key-reused') return { state: result[0] }
      if (result[0] === 'ended') return { state: result[0], newest: Number(result[1]) }
      const [state, tokens, promoted, dropped] = result
      return { state, tokens: tokensIn(tokens), promoted: tokensIn(promoted), dropped: Number(dropped) }
    },
    configure: async (name, { limit, write = '', delayMs }, logId, once) => {
      const args = { log_id: logId, lock: encodeURIComponent(name), limit: textOf(limit), write, delay: delayMs }
      const result = await soundly((seen) => runOnce(configureLock, { ...args, seen }, once))
      if (result[0] === 'key-reused') return impossible('locks.configure', result)
      return result[0] === 'configured' ? { state: result[0], isNew: result[1] === 'yes' } : { state: result[0] }
    },
    show: async (name, waiters) => {
      const lock = encodeURIComponent(name)
      const [, shown] = await soundly((seen) => run(showLock, { lock, seen, waiters: yes(waiters) }))
      return shown
    },
    list: (after, count, waiters) => ask(listLocks, { after: encodeURIComponent(after), count, waiters: yes(waiters) }),
    checkToken: async (name, token) => {
      const lock = encodeURIComponent(name)
      const result = await soundly((seen) => run(checkToken, { lock, token, seen }))
      if (result[0] === 'ended') return { state: result[0], newest: Number(result[1]) }
      const [state, mode, owner, rest] = result
      return { state, mode, owner: ownerOf(owner), expiresInMs: Number(rest) }
    },
    count: async () => {
      const [locks, inUse, now, barred, lost] = await ask(countLocks, {})
      const barredForMs = Math.max(0, Number(barred) - Number(now))
      const named = barredForMs === 0 ? [] : (JSON.parse(lost) as readonly Omit<Known, 'lease'>[])
      return { locks: Number(locks), inUse: Number(inUse), barredForMs, lost: named }
    },
  }
}

/** Runs what is done with locks so that a Redis which came back older does nothing of it. */
export const soundlyOver = ({ log, knowledge, onOlder }: LocksOptions): Soundly => {
  const { run, ask } = runner(log)
  return openSound({
    knowledge,
    findLeft: (seen) => ask(findLeft, { seen }),
    bar: async (ends, token, lost) => Number((await run(barLocks, { ends, token, lost }))[1]),
    onOlder,
  })
}

export const openVerbs = (options: LocksOptions, soundly = soundlyOver(options)): Verbs => {
  const { log, knowledge } = options
  return { ...openLeases(log, knowledge, persistently(soundly)), ...openOwnVerbs(options, soundly) }
}
