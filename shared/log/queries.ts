/**
 * How is the own Redis asked?
 *
 * What several requests ask at about the same time is one script call, which tells the time as well: a query and a TIME for each
 * cost 5 us of the order process.
 */
import type { Redis } from 'ioredis'
import { perTurn } from '../redis/group-commit.ts'
import { elements, headed, type Reader } from '../redis/reply.ts'
import type { Script } from '../redis/script.ts'
import { readSince } from './fence.ts'

/** The most questions that one script answers, if they are small. */
const GROUP_MAX = 64

/** What a query found, and the time of the own Redis then, in ms; none if the answer was under way for too long. */
export type Answered<Found> = { readonly found: Found; readonly readMs: number | undefined }

export type Queries = {
  /**
   * Asks one thing of the own Redis, together with what others ask at about the same time.
   * @param read how what the query finds is read
   * @param most how many questions of this kind one script answers
   * @returns the answer, and when it was so if that is known soon enough: see `fence.ts`. @throws UnavailableError
   */
  readonly query: <Found>(
    name: string,
    read: Reader<Found>,
    most?: number,
  ) => (about: string) => Promise<Answered<Found>>
}

export const openQueries = (redis: Redis, scriptOf: (name: string) => Script): Queries => ({
  query: (name, read, most = GROUP_MAX) => {
    const by = scriptOf(name)
    const readAll = headed(elements, read)
    return perTurn(async (about: readonly string[]) => {
      const askedAt = performance.now()
      const [time, found] = readAll(await by(redis, [name, ...about]))
      const readMs = readSince(askedAt, time)
      return found.map((one) => ({ found: one, readMs }))
    }, most)
  },
})
