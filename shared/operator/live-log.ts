/**
 * Who watches what is appended to the own log?
 *
 * A gateway whose console is looked at. Twice a second it is sent a *digest* of what was appended meanwhile: how many entries of
 * each kind, and some of them, whole. Where there are few, they are all; where there are many, those of some log ids, chosen by
 * the id, so that all services choose the same ones. So a shop at full speed is watched at the cost of reading its log once, and
 * one that needs no counts may ask for less: no more than so many entries are read for a digest, the newest.
 *
 * One that comes again says which entry it has seen last, and goes on behind it. What is too much for one digest is skipped, and it
 * says so.
 */
import { setTimeout as after } from 'node:timers/promises'
import { kindOf, packedText, type RawEntry } from '../contract/raw-entry.ts'
import { UnavailableError } from '../errors.ts'
import type { EventStream } from '../http/event-stream.ts'
import { compareIds, type LogEntry, readable } from '../log/entry.ts'
import type { Log } from '../log/log.ts'

/** As many gateways may watch; more are told to come again. */
const WATCHERS_MAX = 8
const EVERY_MS = 500
/** Shorter than a gateway waits for more of an answer. */
const COMMENT_EVERY = 20
const PAGE = 1_000
/** The most entries that are read for one digest. */
export const READ_MAX = 8 * PAGE
/** How many entries of a digest are whole: fewer than twice as many, for the choice is by halves. */
const WHOLE = 64

export type Digest = {
  /** Behind which entry it begins, and with which it ends. */
  readonly after: string
  readonly until: string
  /** Something between was not read. */
  readonly skipped: boolean
  readonly counts: Readonly<Record<string, number>>
  readonly entries: readonly LogEntry[]
}

export type LiveLog = {
  readonly hasRoom: () => boolean
  /** Sends digests of what comes behind the entry that was seen last, or from now on, until the stream or the signal ends it. */
  readonly watch: (asked: Asked, stream: EventStream, closing: AbortSignal) => void
}

export type Asked = {
  /** The entry that was seen last. */
  readonly seen?: string | undefined
  /** The most entries that are read for one digest; by default 8,000. */
  readonly most?: number | undefined
}

/** The log id of an entry, without reading all of it. */
const logIdOf = (entry: RawEntry): string => /(?:^| )log_id=(\S*)/.exec(packedText(entry) ?? '')?.[1] ?? ''

/** The same number for a log id everywhere. */
const numberOf = (logId: string): number => {
  let number = 0
  for (let at = 0; at < logId.length; at += 1) number = (Math.imul(number, 31) + logId.charCodeAt(at)) | 0
  return number ^ (number >>> 15)
}

/** Some of these, those of the same log ids wherever as many or more are chosen from. */
const chosenOf = (entries: readonly RawEntry[]): readonly RawEntry[] => {
  let chosen = entries
  for (let mask = 1; chosen.length >= 2 * WHOLE && mask < 0x10000; mask = mask * 2 + 1)
    chosen = chosen.filter((entry) => (numberOf(logIdOf(entry)) & mask) === 0)
  return chosen.slice(-2 * WHOLE)
}

const digestOf = (from: string, entries: readonly RawEntry[], until: string, skipped: boolean): Digest => {
  const counts: Record<string, number> = {}
  for (const entry of entries) {
    const kind = kindOf(entry) ?? ''
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return { after: from, until, skipped, counts, entries: chosenOf(entries).map(readable) }
}

type WatchedLog = Pick<Log, 'newestId' | 'newest' | 'has'>

/** What was appended behind this entry; undefined if nothing was. A log that ends before it has forgotten it: its end is told. */
const readDigest = async (log: WatchedLog, from: string, most: number): Promise<Digest | undefined> => {
  const entries: RawEntry[] = []
  // One more than is wanted tells that there is more.
  for (let isMore = true; isMore; ) {
    const limit = Math.min(PAGE, most + 1 - entries.length)
    const read = await log.newest(from, entries.at(-1)?.[0], limit)
    entries.push(...read)
    isMore = read.length === limit && entries.length <= most
  }
  const [newest] = entries
  if (newest) {
    // What came right behind an entry may be gone with it: trimmed, or forgotten.
    const skipped = entries.length > most || !(await log.has(from))
    return digestOf(from, entries.slice(0, most).reverse(), newest[0], skipped)
  }
  const end = await log.newestId()
  return compareIds(end, from) < 0 ? digestOf(from, [], end, true) : undefined
}

export const openLiveLog = (log: WatchedLog): LiveLog => {
  let watchers = 0

  const run = async ({ seen, most = READ_MAX }: Asked, stream: EventStream, ended: AbortSignal): Promise<void> => {
    let position = seen
    for (let quiet = 0; !ended.aborted; quiet += 1) {
      try {
        position ??= await log.newestId()
        const digest = await readDigest(log, position, most)
        if (digest) {
          position = digest.until
          quiet = 0
          stream.send({ id: position, event: 'appended', data: digest })
        } else if (quiet % COMMENT_EVERY === 0) stream.comment()
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error // it is read again
      }
      await after(EVERY_MS, undefined, { signal: ended, ref: false }).catch(() => undefined)
    }
  }

  return {
    hasRoom: () => watchers < WATCHERS_MAX,
    watch: (asked, stream, closing) => {
      watchers += 1
      const ended = new AbortController()
      const { end } = stream
      closing.addEventListener('abort', end)
      stream.onClose(() => {
        watchers -= 1
        closing.removeEventListener('abort', end)
        ended.abort()
      })
      if (closing.aborted) return end()
      void run(asked, stream, ended.signal)
    },
  }
}
