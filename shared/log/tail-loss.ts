/**
 * What has a publisher forgotten?
 *
 * A Redis that comes back older has lost the end of its log, and does not know it. A service that has applied that end does, and so does
 * the process that wrote it: the last entry is no longer there, although the log was not trimmed so far. This evidence
 * stays, whatever the publisher appends next. What is lost are the entries between the newest one before it that is left, and
 * itself.
 *
 * The sagas among them are rebuilt by what the services emit again. Commands that are complete in themselves are not: so a
 * detector remembers those that this process has read or knows to be done, in memory and the last of them only, and can list by
 * name what is gone. So is it with the ends of sagas that this process knows, and may have answered a client: the publisher can
 * emit them again only if its peers still know. What was appended before it began, it cannot name.
 */

import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { single } from '../contract/events.ts'
import { kindOf, type RawEntry } from '../contract/raw-entry.ts'
import type { Service } from '../contract/services.ts'
import type { Step } from '../process/step.ts'
import { elements } from '../redis/reply.ts'
import { compareIds, type LostTail, logKey, readable } from './entry.ts'

export type TailLossDetector = {
  /** Remembers entries, in their order; those it knows are passed over. */
  readonly remember: (entries: readonly RawEntry[]) => void
  /**
   * Remembers a command that this process knows to have run, by its entry: its id, and its kind and text in one. Replies may
   * overtake each other.
   */
  readonly acknowledge: (id: string, kindAndText: string) => void
  /** The same of the end of a saga: by the id of the entry, and what it holds. */
  readonly acknowledgeEnd: (id: string, read: () => RawEntry[1]) => void
  /** The last entry that was remembered. */
  readonly seen: () => string
  /**
   * What the publisher has lost of all that was remembered here, or applied up to `cursor`; asked in the publisher's Redis.
   * Where it may have appended more since, `until` is what was seen last before that.
   */
  readonly compare: (cursor: string, until?: string) => Promise<LostTail | undefined>
  /** The loss is noted: the memory ends where the log does. */
  readonly forget: (lost: LostTail) => void
}

export type TailLossDetectorOptions = {
  readonly publisher: Service
  /** A connection to the publisher's Redis. */
  readonly redis: Redis
  readonly step: Step
  /** How many commands are remembered, and as many ends of sagas. */
  readonly commandsMax?: number
}

/** A few megabytes; at 100 such commands a second the last minute and a half, at 2,500 ends a second the last four seconds. */
const COMMANDS_MAX = 10_000

/** An entry by its id; its fields are put together when a caller wants to know. */
type Remembered = readonly [id: string, read: () => RawEntry[1]]

const apart = (kindAndText: string): RawEntry[1] => {
  const end = kindAndText.indexOf(' ')
  return [kindAndText.slice(0, end), kindAndText.slice(end + 1)]
}

type Memory = {
  /** What is remembered, in the order of the log. */
  entries: Remembered[]
  /** What lies at or before this entry is not. */
  since: string
}

/** Adds an entry, most often the newest one. What is too much is dropped by the bundle: it costs nothing so. */
const add = (memory: Memory, entry: Remembered, most: number): void => {
  const { entries } = memory
  let at = entries.length
  while (at > 0 && compareIds(entries[at - 1]?.[0] ?? '', entry[0]) > 0) at -= 1
  if (at === entries.length) entries.push(entry)
  else entries.splice(at, 0, entry)
  if (entries[at - 1]?.[0] === entry[0]) entries.splice(at, 1)
  if (entries.length > most + most / 8) memory.since = entries.splice(0, entries.length - most).at(-1)?.[0] ?? ''
}

/** Lists by name what is lost; `whose` Redis came back older. */
export const logTailLoss = (logger: Logger, whose: string, { entries, ...lost }: LostTail): void => {
  logger.error({ ...lost, named: entries.length }, `${whose} came back older: it has lost its tail`)
  for (const entry of entries) logger.error({ entry }, `${whose} has lost an entry`)
}

const isBetween = (id: string, { after, until }: Pick<LostTail, 'after' | 'until'>): boolean =>
  compareIds(id, after) > 0 && compareIds(id, until) <= 0

/** Was anything ever taken off the beginning of a log? One that is gone altogether was not trimmed. */
const isTrimmed = async (redis: Redis, stream: string): Promise<boolean> => {
  try {
    const info = elements(await redis.xinfo('STREAM', stream))
    const number = (name: string): number => Number(info[info.indexOf(name) + 1])
    return number('entries-added') > number('length')
  } catch (error) {
    // A peer may not ask whether the key exists.
    if (error instanceof Error && error.message.includes('no such key')) return false
    throw error
  }
}

/** The newest entry before this one, if this one is gone; else undefined. */
const newestLeft = async (redis: Redis, stream: string, until: string): Promise<string | undefined> => {
  if ((await redis.xrange(stream, until, until)).length > 0) return undefined
  const [left] = await redis.xrevrange(stream, `(${until}`, '-', 'COUNT', 1)
  if (left !== undefined) return left[0]
  return (await isTrimmed(redis, stream)) ? undefined : '0-0'
}

export const tailLossDetector = (options: TailLossDetectorOptions): TailLossDetector => {
  const { publisher, redis, step, commandsMax = COMMANDS_MAX } = options
  const stream = logKey(publisher)
  const comparing = `compare-${publisher}`
  const singles: ReadonlySet<string> = new Set<string>(single[publisher])
  const commands: Memory = { entries: [], since: '0-0' }
  const ends: Memory = { entries: [], since: '0-0' }
  let seen = '0-0'

  const acknowledge = (memory: Memory, id: string, read: () => RawEntry[1]): void => {
    if (compareIds(id, memory.since) <= 0) return
    add(memory, [id, read], commandsMax)
    if (compareIds(id, seen) > 0) seen = id
  }

  return {
    seen: () => seen,
    remember: (entries) => {
      const last = entries.at(-1)?.[0] ?? seen
      if (compareIds(last, seen) <= 0) return
      for (const entry of entries) {
        if (!singles.has(kindOf(entry) ?? '') || compareIds(entry[0], seen) <= 0) continue
        const [id, fields] = entry
        add(commands, [id, () => fields], commandsMax)
      }
      seen = last
    },
    acknowledge: (id, kindAndText) => acknowledge(commands, id, () => apart(kindAndText)),
    acknowledgeEnd: (id, read) => acknowledge(ends, id, read),
    compare: async (cursor, last) => {
      if (compareIds(cursor, seen) > 0) {
        // Read before this process began to, or by another replica.
        commands.since = cursor
        seen = cursor
      }
      const until = last ?? seen
      if (until === '0-0') return undefined
      const after = await step(comparing, () => newestLeft(redis, stream, until))
      if (after === undefined) return undefined
      const since = compareIds(ends.since, commands.since) > 0 ? ends.since : commands.since
      return {
        speaker: publisher,
        noticed: new Date().toISOString(),
        after,
        until,
        unnamed_until: compareIds(since, after) > 0 ? since : null,
        entries: [...commands.entries, ...ends.entries]
          .filter(([id]) => isBetween(id, { after, until }))
          .toSorted(([a], [b]) => compareIds(a, b))
          .map(([id, read]) => readable([id, read()])),
      }
    },
    forget: (lost) => {
      for (const memory of [commands, ends]) memory.entries = memory.entries.filter(([id]) => !isBetween(id, lost))
      if (seen === lost.until) seen = lost.after
    },
  }
}
