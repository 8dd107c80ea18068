/**
 * How is the own Redis asked?
 *
 * What several requests ask at about the same time is one script call, which tells the time as well: a query and a TIME for each
 * cost 5 us of the order process.
 */
import type { Redis } from 'ioredis'
import { perTurn } from '../redis/group-commit.ts'
import type { Script } from '../redis/script.ts'
import { readSince } from './fence.ts'

/** The most questions that one script answers. */
const GROUP_MAX = 64

/** What a query found, and the time of the own Redis then, in ms; none if the answer was under way for too long. */
export type Answered = { readonly found: unknown; readonly readMs: number | undefined }

export type Queries = {
  /**
   * Asks one thing of the own Redis, with others who ask the same at about the same time.
   * @returns the answer, and when it was so if that is known soon enough: see `fence.ts`. @throws UnavailableError
   */
  readonly query: (name: string) => (about: string) => Promise<Answered>
}

export const openQueries = (redis: Redis, scriptOf: (name: string) => Script): Queries => ({
  query: (name) => {
    const by = scriptOf(name)
    return perTurn<string, Answered>(async (about) => {
      const askedAt = performance.now()
      const [time, ...found] = (await by(redis, [name, ...about])) as [[string, string], ...unknown[]]
      const readMs = readSince(askedAt, time)
      return found.map((one) => ({ found: one, readMs }))
    }, GROUP_MAX)
  },
})
