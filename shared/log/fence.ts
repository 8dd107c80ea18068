/**
 * What is not done any more, because another replica may have been asked to do it instead?
 *
 * A request that is safe to repeat (see `gateway/proxy/retry.ts`) is sent to another replica when its own is
 * unresponsive, or the connection breaks. If that one refuses, its answer must stay true, and the first one may only sleep. So
 * such a command bears its own end:
 *
 * - The time of the own Redis is *read* for the request, and only then is it looked whether its client has gone. A process that
 *   slept learns of that with what it reads next, but perhaps after a reading that was under way: a slow one is not used.
 * - The command is not begun more than `FRESH_MS` after its reading, nor if a refusal that is not remembered was returned under
 *   its key since. It is then `late`: nothing was done (see `lua/do.lua`), and a caller that still wants it reads again.
 *
 * So no process begins anything more than `READING_MAX_MS + FRESH_MS` after it was last awake, which is shorter than a gateway takes
 * a replica for unresponsive (2 s), less the age of its last sign of life. No clock but that of the Redis is compared with itself.
 */
import type { Redis } from 'ioredis'
import { UnavailableError } from '../errors.ts'
import type { Step } from '../process/step.ts'
import type { Once, Reply } from '../redis/script.ts'

/** How long after its reading a command may be begun. */
export const FRESH_MS = 1_000
/** How long a reading may be under way. */
export const READING_MAX_MS = 400
/** How often the time is read before this process, or its Redis, is known to be too slow for anything. */
const READINGS_MAX = 5
/** How often a command may be late. */
const LATE_MAX = 20

/** The result that nothing was done because it was asked for too long ago. */
export const LATE = 'late'

export type Fence = {
  /** The time of the own Redis in ms, read for all callers of this turn of the event loop. @throws UnavailableError */
  readonly read: () => Promise<number>
  /**
   * Runs a request's command under a reading, if it needs one: the one that it brings (then the result may be `late`), or
   * else one after the other, until it is done or its client has gone. @throws UnavailableError
   */
  readonly within: <Done extends readonly [Reply, ...unknown[]]>(
    once: Once | undefined,
    ask: (readMs: number | undefined) => Promise<Done>,
  ) => Promise<Done>
}

/** @throws UnavailableError if the client has gone: it may have asked another replica since. */
export const assertAwaited = (once: Pick<Once, 'isGone'>): void => {
  if (once.isGone?.()) throw new UnavailableError('whoever asked has gone; what was not begun by now is not begun')
}

/** What TIME has returned, in ms. */
export const msOf = ([seconds, microseconds]: readonly unknown[]): number =>
  Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000)

/** A reading of TIME that was asked for at `askedAt` (of `performance.now()`), in ms; `undefined` if it was under way for too long. */
export const readSince = (askedAt: number, time: readonly unknown[]): number | undefined =>
  performance.now() - askedAt <= READING_MAX_MS ? msOf(time) : undefined

export const openFence = ({ redis, step }: { readonly redis: Redis; readonly step: Step }): Fence => {
  let asked: Promise<number> | undefined
  const forget = (): void => {
    asked = undefined
  }

  const readNow = async (): Promise<number> => {
    for (let tries = 1; tries <= READINGS_MAX; tries += 1) {
      const askedAt = performance.now()
      const time = await step('clock', () => redis.time())
      const readMs = readSince(askedAt, time)
      if (readMs !== undefined) return readMs
    }
    throw new UnavailableError('the own Redis does not tell the time soon enough')
  }

  /** What is asked in one turn of the event loop goes with one write: see `shared/redis/connection.ts`. */
  const read = (): Promise<number> => {
    if (asked === undefined) {
      asked = readNow()
      setImmediate(forget)
    }
    return asked
  }

  const underReadings = async <Done extends readonly [Reply, ...unknown[]]>(
    once: Once,
    ask: (readMs: number) => Promise<Done>,
  ): Promise<Done> => {
    for (let tries = 1; tries <= LATE_MAX; tries += 1) {
      const readMs = await read()
      assertAwaited(once)
      const done = await ask(readMs)
      if (done[0][0] !== LATE) return done
    }
    throw new UnavailableError('the same was refused elsewhere again and again')
  }

  return {
    read,
    within: (once, ask) => {
      const isAskedElsewhere = once?.idempotencyKey !== undefined || once?.isRepeated === true
      return isAskedElsewhere && once.readMs === undefined ? underReadings(once, ask) : ask(once?.readMs)
    },
  }
}
