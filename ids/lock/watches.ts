/**
 * Who watches what becomes of locks?
 *
 * Each watcher is sent how its locks stand first, then what happens to them, by the log that this replica follows. One that comes
 * again says which event it has seen last, and is sent what came since, if that is not too long ago: so much of the log is looked
 * through for it. Else, and where the log has lost what it was told, it is told of a *gap*, and how its locks stand. What happens
 * meanwhile is held for it. What it does not read is kept up to a bound, then its connection ends.
 */
import { field, type RawEntry } from '../../shared/contract/raw-entry.ts'
import { UnavailableError } from '../../shared/errors.ts'
import type { EventStream } from '../../shared/http/event-stream.ts'
import type { Log } from '../../shared/log/log.ts'
import { type Happened, happened } from './read-lock.ts'
import type { Told } from './shown.ts'

/** More are told to come again. */
const WATCHERS_MAX = 1_000
/** Shorter than a gateway waits for more of an answer. */
const COMMENT_EVERY_MS = 10_000
/** How many entries are read at once, and how many such pages are looked through for one that comes again. */
const PAGE = 1_000
const PAGES_MAX = 20

export type Watched = {
  /** Which locks, by name. */
  readonly isOf: (name: string) => boolean
  /** How they stand. */
  readonly state: () => Promise<unknown>
  /** How it is told what has happened to one of them. */
  readonly tell: (name: string, happened: Happened) => readonly Told[]
}

export type Watches = {
  readonly hasRoom: () => boolean
  /** How many watch. */
  readonly count: () => number
  /** Sends what happens, and what came after the entry that was seen last, until the stream or the signal ends it. */
  readonly watch: (watched: Watched, seen: string | undefined, stream: EventStream, closing: AbortSignal) => void
  readonly onEntries: (entries: readonly RawEntry[]) => void
  /** This is left of what was told: those who were told more are told of the gap. */
  readonly onResumed: (left: string) => void
  readonly stop: () => void
}

type Watcher = Watched & {
  readonly stream: EventStream
  /** The last entry that it was sent. */
  last: string
  /** What happened while it is sent what came before. */
  held: News[] | undefined
}

/** What an entry tells of a lock: read once, for all watchers. */
type News = { readonly id: string; readonly name: string; readonly happened: Happened }

const newsIn = (entry: RawEntry): News | undefined => {
  const told = happened(entry)
  return told && { id: entry[0], name: decodeURIComponent(field(entry, 'lock') ?? ''), happened: told }
}

type Compare = (a: string, b: string) => number

export type WatchesOptions = {
  readonly log: Pick<Log, 'newestId' | 'tail' | 'has'>
  /** How two ids of entries are compared. */
  readonly compare: Compare
}

/** Sends a watcher what has happened, unless it was sent that. */
const openDelivery =
  (compare: WatchesOptions['compare']) =>
  (watcher: Watcher, { id, name, happened: what }: News): void => {
    if (!watcher.isOf(name) || compare(id, watcher.last) <= 0) return
    watcher.last = id
    for (const told of watcher.tell(name, what)) watcher.stream.send({ id, ...told })
  }

/** Sends a watcher all that came after an entry. @returns whether all of it was there */
const resume = async (
  log: WatchesOptions['log'],
  watcher: Watcher,
  seen: string,
  deliver: ReturnType<typeof openDelivery>,
): Promise<boolean> => {
  let after = seen
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const entries = await log.tail(after, PAGE)
    for (const entry of entries) {
      const news = newsIn(entry)
      if (news) deliver(watcher, news)
    }
    if (entries.length < PAGE) return true
    after = entries.at(-1)?.[0] ?? after
  }
  return false
}

export const openWatches = ({ log, compare }: WatchesOptions): Watches => {
  const watchers = new Set<Watcher>()
  const deliver = openDelivery(compare)
  const commenter = setInterval(() => {
    for (const { stream } of watchers) stream.comment()
  }, COMMENT_EVERY_MS).unref()
  /** One after the other is sent what it has missed. */
  let missed: Promise<void> = Promise.resolve()

  const begin = async (watcher: Watcher, seen: string | undefined): Promise<void> => {
    if (!watchers.has(watcher)) return // it has gone
    try {
      const newest = await log.newestId()
      // What it has seen may be forgotten, or too old: then no entry tells what has become of that.
      const isThere = seen !== undefined && (await log.has(seen))
      if (!isThere || !(await resume(log, watcher, seen, deliver))) {
        const data = await watcher.state()
        if (seen !== undefined) watcher.stream.send({ id: newest, event: 'gap', data: { after: watcher.last } })
        watcher.last = newest
        watcher.stream.send({ id: newest, event: 'state', data })
      }
      for (const news of watcher.held ?? []) deliver(watcher, news)
      watcher.held = undefined
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      watcher.stream.end() // it comes again
    }
  }

  return {
    hasRoom: () => watchers.size < WATCHERS_MAX,
    count: () => watchers.size,
    watch: (watched, seen, stream, closing) => {
      const watcher: Watcher = { ...watched, stream, last: seen ?? '0-0', held: [] }
      watchers.add(watcher)
      const { end } = stream
      closing.addEventListener('abort', end)
      stream.onClose(() => {
        closing.removeEventListener('abort', end)
        watchers.delete(watcher)
      })
      if (closing.aborted) return end()
      missed = missed.then(() => begin(watcher, seen))
    },
    onEntries: (entries) => {
      if (watchers.size === 0) return
      for (const entry of entries) {
        const news = newsIn(entry)
        if (news === undefined) continue
        for (const watcher of watchers)
          if (watcher.held === undefined) deliver(watcher, news)
          else watcher.held.push(news)
      }
    },
    onResumed: (left) => {
      for (const watcher of watchers) {
        if (watcher.held !== undefined || compare(watcher.last, left) <= 0) continue
        watcher.held = []
        missed = missed.then(() => begin(watcher, watcher.last))
      }
    },
    stop: () => clearInterval(commenter),
  }
}
