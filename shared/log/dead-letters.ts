/**
 * What could not be applied, and how is it applied at last?
 *
 * A *dead letter* is an entry of a peer that could not be applied here: with its error, it was put aside in the step
 * that moved the cursor; an entry of the same text that fails again meanwhile is the same letter. It is
 *
 * - *unresolved* until a person has mended the cause and has had it *retried*: its entry is judged by the dictionary as it
 *   is now, and its command and the mark that it was applied are one script, so that it has one effect however often and by
 *   how many it is retried. A letter that fails again stays unresolved;
 * - *applied*, by a retry, or because an entry of the same text came again and could be applied: the end;
 * - *dismissed* by a person, because its entry is never to be applied: the end, also for an entry of the same text.
 *
 * None is ever removed or rewritten. Applying an entry later than its successors is safe, as emitting it again is: every
 * command asks the saga's state.
 *
 * The log tells by an entry of its own that a person has retried a letter with success, or has dismissed it, and who, if that is known.
 */

import type { Redis } from 'ioredis'
import { field, type RawEntry } from '../contract/raw-entry.ts'
import type { Service } from '../contract/services.ts'
import type { Step } from '../process/step.ts'
import type { Once, Reply } from '../redis/script.ts'

export type DeadLetter = {
  readonly id: string
  /** When it was put aside. */
  readonly at: string
  readonly speaker: string
  /** Where the entry stands in the publisher's log. */
  readonly entry: string
  readonly error: string
  /** Its fields and values in turn, as they were read. */
  readonly fields: readonly string[]
  /** When it was applied after all, and the result of its command. */
  readonly applied: { readonly at: string; readonly word: string } | null
  /** When it was dismissed. */
  readonly dismissed: string | null
}

/** Under which log id its entry stands that says that an operator has retried or dismissed a letter: see `lua/ended-by-hand.lua`. */
export const endLogId = (letter: string): string => `letter-${letter}`

export type DeadLetters = {
  /** How many are unresolved. */
  readonly count: () => Promise<number>
  /** Up to `limit` letters after the one named, the oldest first. */
  readonly page: (after: string, limit: number) => Promise<readonly DeadLetter[]>
  /**
   * Applies the entry of a letter, once.
   * @returns `applied` and the command's reply, `repeated`, `dismissed`, `failed` with the error, `unknown`, or `key-reused`.
   */
  readonly retry: (id: string, once: Once) => Promise<Reply>
  /**
   * Gives a letter up for good.
   * @returns `dismissed` or `repeated`, each with the time in milliseconds, `applied`, `unknown`, or `key-reused`.
   */
  readonly dismiss: (id: string, once: Once) => Promise<Reply>
}

export type DeadLettersOptions = {
  readonly redis: Redis
  /** The stream of letters, and the hashes of those that were applied and dismissed. */
  readonly names: { readonly dead: string; readonly applied: string; readonly dismissed: string }
  readonly step: Step
  /** Which command follows an entry by the dictionary of now, or what is wrong with it. */
  readonly commandAfter: (publisher: Service, entry: RawEntry) => { readonly command: string; readonly reason: string }
  /** Runs the command `retry` with the commands that follow the publisher's entries. */
  readonly retry: (publisher: Service, args: Readonly<Record<string, string>>, once: Once) => Promise<Reply>
  /** Runs the command `dismiss`. */
  readonly dismiss: (args: Readonly<Record<string, string>>, once: Once) => Promise<Reply>
}

/** Milliseconds as text, or an id, which begins with them. */
const isoOf = (ms: string): string => new Date(Number.parseInt(ms, 10)).toISOString()

type Marks = { readonly applied: string | null; readonly dismissed: string | null }

const letterOf = (letter: RawEntry, { applied, dismissed }: Marks): DeadLetter => {
  const [id] = letter
  const value = (name: string): string => field(letter, name) ?? ''
  const [ms = '', word = ''] = applied?.split(' ') ?? []
  return {
    id,
    at: isoOf(id),
    speaker: value('speaker'),
    entry: value('entry'),
    error: value('error'),
    fields: JSON.parse(value('fields')) as readonly string[],
    applied: applied === null ? null : { at: isoOf(ms), word },
    dismissed: dismissed === null ? null : isoOf(dismissed),
  }
}

export const deadLetters = (options: DeadLettersOptions): DeadLetters => {
  const { redis, names, step, commandAfter } = options
  const range = async (from: string, to: string, limit: number): Promise<readonly DeadLetter[]> => {
    const letters = await step('dead', () => redis.xrange(names.dead, from, to, 'COUNT', limit))
    if (letters.length === 0) return []
    const ids = letters.map(([id]) => id)
    const [applied, dismissed] = await Promise.all([
      step('dead-applied', () => redis.hmget(names.applied, ...ids)),
      step('dead-dismissed', () => redis.hmget(names.dismissed, ...ids)),
    ])
    return letters.map((letter, at) =>
      letterOf(letter, { applied: applied[at] ?? null, dismissed: dismissed[at] ?? null }),
    )
  }
  return {
    count: async () => {
      const [all, applied, dismissed] = await Promise.all([
        step('dead-count', () => redis.xlen(names.dead)),
        step('dead-applied-count', () => redis.hlen(names.applied)),
        step('dead-dismissed-count', () => redis.hlen(names.dismissed)),
      ])
      return all - applied - dismissed
    },
    page: (after, limit) => range(`(${after}`, '+', limit),
    retry: async (id, once) => {
      const [letter] = await range(id, id, 1)
      if (letter === undefined) return ['unknown']
      const publisher = letter.speaker as Service
      return options.retry(publisher, { letter: id, ...commandAfter(publisher, [letter.entry, letter.fields]) }, once)
    },
    dismiss: (id, once) => options.dismiss({ letter: id }, once),
  }
}
