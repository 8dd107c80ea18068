/**
 * Who listens for what becomes of an order?
 *
 * Each listener is sent the entries of the log that are about its order, as they are appended, by one reader for all listeners of
 * this process: while there are any, it reads on every tenth of a second, and gives each entry to those whose order it names. It polls on
 * the connection that there is: a read that blocks would want one of its own for a service that has nobody listening most of the time.
 *
 * One that comes again says which entry it has seen last, and is sent what came since, if that is not too long ago: so much of the log is
 * looked through for it, a page at a time, in turns with others and with rests, for whoever comes again and again would else keep this
 * process busy and the others waiting. Else, and where the log does not hold that entry any more, it is told of a *gap*, and is to look at
 * its order. One that is new is sent the entries of the last checkout. What is appended meanwhile is held for it.
 */
import { setTimeout as after } from 'node:timers/promises'
import { field, type RawEntry } from '../../shared/contract/raw-entry.ts'
import { UnavailableError } from '../../shared/errors.ts'
import type { EventStream } from '../../shared/http/event-stream.ts'
import { compareIds, type LogEntry, readable } from '../../shared/log/entry.ts'
import type { Store } from '../store.ts'

/**
 * More are told to come again: in all, and to the orders of one user, who would else keep all others from listening. One whose network
 * comes and goes leaves some behind, each until its end is noticed.
 */
const LISTENERS_MAX = 1_000
const OF_USER_MAX = 100
const READ_EVERY_MS = 100
/** Shorter than a gateway waits for more of an answer. */
const COMMENT_EVERY_MS = 15_000
/** How many entries are read at once, and how many such pages are looked through for one that comes again. */
const PAGE = 1_000
const PAGES_MAX = 20
/** After a whole page no other is read for those that come again, for so many times as long as that took. */
const REST = 3
/** What operators say of a contradiction, who of them has done what, and of which trace it is, is for operators. */
const HIDDEN: readonly string[] = ['why', 'done_by', 'trace']

export type Feed = {
  /** Whether there is room for one more to an order of this user. */
  readonly hasRoom: (user: string) => boolean
  /** Sends what becomes of an order, and what came after the entry that was seen last, until the stream or the signal ends it. */
  readonly listen: (of: Heard, seen: string | undefined, stream: EventStream, closing: AbortSignal) => void
}

/** To what is listened: an order, and whose that is. */
export type Heard = { readonly order: string; readonly user: string }

export type FeedOptions = {
  readonly log: Pick<Store['log'], 'newestId' | 'has' | 'tail' | 'entriesOf'>
  readonly store: Pick<Store, 'readForCheckout'>
}

type Listener = Heard & {
  readonly stream: EventStream
  /** The last entry that it was sent. */
  last: string
  /** What was appended while it is sent what came before. */
  held: LogEntry[] | undefined
}

const shown = ({ facts, ...entry }: LogEntry) => {
  const told = Object.entries(facts).filter(([name]) => !HIDDEN.includes(name))
  return { ...entry, facts: Object.fromEntries(told) }
}

const orderOf = (entry: RawEntry): string => field(entry, 'order') ?? ''

const deliver = (listener: Listener, entry: LogEntry): void => {
  if (compareIds(entry.id, listener.last) <= 0) return
  listener.last = entry.id
  listener.stream.send({ id: entry.id, event: entry.kind, data: shown(entry) })
}

/** Reads a page once all are read that were asked for before, if it is wanted still: who wants several has a turn for each. */
const openTurns = ({ tail }: FeedOptions['log']) => {
  let last: Promise<unknown> = Promise.resolve()
  return (from: string, isWanted: () => boolean): Promise<readonly RawEntry[]> => {
    const page = last.then(async () => {
      if (!isWanted()) return { entries: [], tookMs: 0 }
      const begun = performance.now()
      const entries = await tail(from, PAGE)
      return { entries, tookMs: performance.now() - begun }
    })
    // One that fails is told to who has asked for it.
    last = page.then(
      ({ entries, tookMs }) => (entries.length < PAGE ? undefined : after(REST * tookMs)),
      () => undefined,
    )
    return page.then(({ entries }) => entries)
  }
}

/** Sends what came after the last entry that was seen, or finds what is to be sent of the last checkout. */
const openCatchUp = ({ log, store }: FeedOptions, hasGone: (listener: Listener) => boolean) => {
  const readInTurn = openTurns(log)
  /** Sends what came after the last entry that was seen. @returns whether that was all, or nobody is there any more */
  const resume = async (listener: Listener, seen: string): Promise<boolean> => {
    let from = seen
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const entries = await readInTurn(from, () => !hasGone(listener))
      for (const entry of entries) if (orderOf(entry) === listener.order) deliver(listener, readable(entry))
      if (entries.length < PAGE) return true
      from = entries.at(-1)?.[0] ?? from
    }
    return false
  }

  return async (listener: Listener, seen: string | undefined): Promise<readonly LogEntry[]> => {
    if (seen !== undefined) {
      const newest = await log.newestId()
      const isThere = await log.has(seen)
      if (isThere && (await resume(listener, seen))) return []
      listener.stream.send({ id: newest, event: 'gap', data: { after: listener.last } })
      // It was trimmed, with others behind it; or forgotten, and then its place tells nothing of what comes.
      if (!isThere) listener.last = '0-0'
    }
    const { saga = '' } = (await store.readForCheckout(listener.order)) ?? {}
    return saga === '' ? [] : log.entriesOf(saga)
  }
}

/** Reads the log from where it ends when it is started, until it is stopped. */
const openReader = (log: FeedOptions['log'], onEntry: (entry: RawEntry) => void) => {
  /** Up to where the log was read; nothing while it is not. */
  let reading: { position: string } | undefined

  const read = async (from: { position: string }): Promise<void> => {
    try {
      for (let page = PAGE; page === PAGE && reading === from; ) {
        const entries = await log.tail(from.position, PAGE)
        page = entries.length
        from.position = entries.at(-1)?.[0] ?? from.position
        for (const entry of entries) onEntry(entry)
      }
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error // it is read again
    }
    if (reading === from) setTimeout(() => void read(from), READ_EVERY_MS).unref()
  }

  return {
    /** Starts it, unless it is, or nobody wants it any more. @throws UnavailableError */
    start: async (isWanted: () => boolean): Promise<void> => {
      if (reading !== undefined) return
      const position = await log.newestId()
      if (reading !== undefined || !isWanted()) return
      reading = { position }
      void read(reading)
    },
    stop: (): void => {
      reading = undefined
    },
  }
}

export const openFeed = ({ log, store }: FeedOptions): Feed => {
  const listeners = new Map<string, Set<Listener>>()
  /** How many listen to the orders of each user. */
  const ofUsers = new Map<string, number>()
  let count = 0
  let commenter: NodeJS.Timeout | undefined

  const hasGone = (listener: Listener): boolean => listeners.get(listener.order)?.has(listener) !== true
  const catchUp = openCatchUp({ log, store }, hasGone)
  const reader = openReader(log, (raw) => {
    const all = listeners.get(orderOf(raw))
    if (all === undefined) return
    const entry = readable(raw)
    for (const listener of all)
      if (listener.held === undefined) deliver(listener, entry)
      else listener.held.push(entry)
  })

  const begin = async (listener: Listener, seen: string | undefined): Promise<void> => {
    try {
      await reader.start(() => count > 0)
      const before = await catchUp(listener, seen)
      if (hasGone(listener)) return
      // The last checkout may have begun, and gone on, since what is held.
      const all = [...before, ...(listener.held ?? [])].toSorted((one, other) => compareIds(one.id, other.id))
      listener.held = undefined
      for (const entry of all) deliver(listener, entry)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      listener.stream.end() // it comes again
    }
  }

  const leave = (listener: Listener): void => {
    const others = listeners.get(listener.order)
    others?.delete(listener)
    if (others?.size === 0) listeners.delete(listener.order)
    const left = (ofUsers.get(listener.user) ?? 0) - 1
    if (left > 0) ofUsers.set(listener.user, left)
    else ofUsers.delete(listener.user)
    count -= 1
    if (count > 0) return
    reader.stop()
    clearInterval(commenter)
  }

  const comment = (): void => {
    for (const all of listeners.values()) for (const { stream } of all) stream.comment()
  }

  return {
    hasRoom: (user) => count < LISTENERS_MAX && (ofUsers.get(user) ?? 0) < OF_USER_MAX,
    listen: ({ order, user }, seen, stream, closing) => {
      const listener: Listener = { order, user, stream, last: seen ?? '0-0', held: [] }
      const others = listeners.get(order)
      if (others) others.add(listener)
      else listeners.set(order, new Set([listener]))
      ofUsers.set(user, (ofUsers.get(user) ?? 0) + 1)
      count += 1
      if (count === 1) commenter = setInterval(comment, COMMENT_EVERY_MS).unref()
      const { end } = stream
      closing.addEventListener('abort', end)
      stream.onClose(() => {
        closing.removeEventListener('abort', end)
        leave(listener)
      })
      if (closing.aborted) return end()
      void begin(listener, seen)
    },
  }
}
