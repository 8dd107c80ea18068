/**
 * What could not be applied, and how is it applied at last?
 *
 * A *dead letter* is an entry of a neighbour that could not be applied here: with its error, it was put aside in the step
 * that moved the cursor; what says the same and fails again meanwhile is the same letter. It is *unresolved* until a person
 * has mended the cause and has had it *retried*: its entry is judged by the dictionary as it is now, and its deed and the
 * mark that it was applied are one script, so that it has one effect however often and by how many it is retried. A letter
 * that fails again stays unresolved. None is ever removed or rewritten. Applying an entry later than its successors is
 * safe, as telling it again is: every deed asks the saga's state.
 */
import type { Redis } from 'ioredis'
import type { RawEntry, Service } from './events.ts'
import type { Once, Reply } from './script.ts'
import type { Step } from './step.ts'

export type DeadLetter = {
  readonly id: string
  /** When it was put aside. */
  readonly at: string
  readonly speaker: string
  /** Where the entry stands in the speaker's log. */
  readonly entry: string
  readonly error: string
  /** Its fields and values in turn, as they were read. */
  readonly fields: readonly string[]
  /** When it was applied after all, and the word of its deed; `null` while it is unresolved. */
  readonly applied: { readonly at: string; readonly word: string } | null
}

export type DeadLetters = {
  /** How many are unresolved. */
  readonly count: () => Promise<number>
  /** Up to `limit` letters after the one named, the oldest first. */
  readonly page: (after: string, limit: number) => Promise<readonly DeadLetter[]>
  /**
   * Applies the entry of a letter, once.
   * @returns `applied` and the deed's reply, `repeated`, `failed` with the error, `unknown`, or `key-reused`.
   */
  readonly retry: (id: string, once: Once) => Promise<Reply>
}

export type DeadLettersOptions = {
  readonly redis: Redis
  /** The stream of letters, and the hash of those that were applied. */
  readonly names: { readonly dead: string; readonly applied: string }
  readonly step: Step
  /** Which deed follows an entry by the dictionary of now, or what is wrong with it. */
  readonly deedAfter: (speaker: Service, entry: RawEntry) => { readonly deed: string; readonly wrong: string }
  /** Does the deed `retry` with the deeds that follow what the speaker says. */
  readonly act: (speaker: Service, facts: Readonly<Record<string, string>>, once: Once) => Promise<Reply>
}

const isoOf = (id: string): string => new Date(Number.parseInt(id, 10)).toISOString()

const letterOf = ([id, pairs]: RawEntry, applied: string | null): DeadLetter => {
  const value = (name: string): string => pairs[pairs.indexOf(name) + 1] ?? ''
  const [ms = '', word = ''] = applied?.split(' ') ?? []
  return {
    id,
    at: isoOf(id),
    speaker: value('speaker'),
    entry: value('entry'),
    error: value('error'),
    fields: JSON.parse(value('fields')) as readonly string[],
    applied: applied === null ? null : { at: isoOf(ms), word },
  }
}

export const deadLetters = ({ redis, names, step, deedAfter, act }: DeadLettersOptions): DeadLetters => {
  const range = async (from: string, to: string, limit: number): Promise<readonly DeadLetter[]> => {
    const letters = await step('dead', () => redis.xrange(names.dead, from, to, 'COUNT', limit))
    if (letters.length === 0) return []
    const applied = await step('dead-applied', () => redis.hmget(names.applied, ...letters.map(([id]) => id)))
    return letters.map((letter, index) => letterOf(letter, applied[index] ?? null))
  }
  return {
    count: async () => {
      const [all, applied] = await Promise.all([
        step('dead-count', () => redis.xlen(names.dead)),
        step('dead-applied-count', () => redis.hlen(names.applied)),
      ])
      return all - applied
    },
    page: (after, limit) => range(`(${after}`, '+', limit),
    retry: async (id, once) => {
      const [letter] = await range(id, id, 1)
      if (letter === undefined) return ['unknown']
      const speaker = letter.speaker as Service
      return act(speaker, { letter: id, ...deedAfter(speaker, [letter.entry, letter.fields]) }, once)
    },
  }
}
