/**
 * How was a Redis some seconds ago?
 *
 * Its append-only file only grows: so how far it was written then is all that need be known. That is looked at once a second, and
 * the last of these moments are remembered. A file that was rewritten meanwhile leads back to none.
 */
import { stat, truncate } from 'node:fs/promises'
import { appendedFile } from './append-only-file.ts'
import type { RedisPart } from './parts.ts'

const EVERY_MS = 1_000
/** So far back one comes. */
const BACK_S = 5

/** A Redis of which that is looked at. */
type Watched = Pick<RedisPart, 'dir' | 'start' | 'stop'>

type Moment = { readonly file: string; readonly size: number }

export type Moments = {
  /** Has a Redis come back as it was some seconds ago. @returns why not, in words, if it was not done */
  readonly setBack: (redis: Watched) => Promise<string | null>
  readonly stop: () => void
}

const momentOf = async ({ dir }: Watched): Promise<Moment | undefined> => {
  try {
    const file = await appendedFile(dir)
    return { file, size: (await stat(file)).size }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined // it is being rewritten
    throw error
  }
}

/** @param say is told why nothing can be set back any more, if that is so */
export const openMoments = (all: readonly Watched[], say: (line: string) => void): Moments => {
  const remembered = new Map<Watched, Moment[]>(all.map((redis) => [redis, []]))
  let isStopped = false

  const look = async (): Promise<void> => {
    for (const [redis, moments] of remembered) {
      const moment = await momentOf(redis)
      if (moment === undefined) moments.length = 0
      else moments.push(moment)
      if (moments.length > BACK_S) moments.shift()
    }
  }
  const giveUp = (error: Error): void => {
    clearInterval(timer)
    for (const redis of remembered.keys()) remembered.set(redis, [])
    say(`no Redis can be set back any more: ${error.message}`)
  }
  const timer = setInterval(() => void look().catch(giveUp), EVERY_MS).unref()

  return {
    setBack: async (redis) => {
      const [then] = remembered.get(redis) ?? []
      const now = await momentOf(redis)
      if (then === undefined || now?.file !== then.file)
        return 'how it was is not known: it was started or rewritten just now'
      await redis.stop()
      // One that was stopped with the whole shop stays down.
      if (isStopped) return 'the shop is ending'
      try {
        await truncate(then.file, then.size)
      } finally {
        await redis.start()
      }
      if (isStopped) await redis.stop()
      remembered.set(redis, [])
      return null
    },
    stop: () => {
      isStopped = true
      clearInterval(timer)
    },
  }
}
