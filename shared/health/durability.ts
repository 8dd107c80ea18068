/**
 * Will the own Redis keep what it acknowledges?
 *
 * That is looked at once, before anything is done in it. A Redis that may forget keeps the service from starting.
 */
import { setTimeout as after } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { UnavailableError, UnsafeRedisError } from '../errors.ts'
import type { Check } from '../http/readiness.ts'
import { backOffMs } from '../process/backoff.ts'
import type { Step } from '../process/step.ts'
import { assertDurable, whenReady } from '../redis/connection.ts'

export type Durability = {
  /** Is the own Redis there, and was it looked at? */
  readonly check: () => Check
  /** Resolves once it is there and will keep what it acknowledges. @throws UnsafeRedisError; the reason of the signal */
  readonly whenDurable: (shutdown: AbortSignal) => Promise<void>
}

export type DurabilityOptions = {
  readonly redis: Redis
  readonly step: Step
  /** Is a Redis that may forget only warned of? */
  readonly allowUnsafe: boolean
  readonly logger: Logger
}

export const openDurability = ({ redis, step, allowUnsafe, logger }: DurabilityOptions): Durability => {
  let isChecked = false

  const wrong = (): string | undefined => {
    if (redis.status !== 'ready') return 'its own Redis is away'
    return isChecked ? undefined : 'its own Redis was not checked yet'
  }

  /** Looks until the Redis answers: it is reached, but may be busy or freeze. */
  const look = async (shutdown: AbortSignal): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await step('durable', () => assertDurable(redis))
      } catch (error) {
        shutdown.throwIfAborted()
        if (!(error instanceof UnavailableError)) throw error
        await after(backOffMs(attempt), undefined, { signal: shutdown })
      }
    }
  }

  return {
    check: () => ({ name: 'own-redis', grade: 'blocks', wrong: wrong() }),
    whenDurable: async (shutdown) => {
      if (redis.status !== 'ready') logger.info('waiting for its own Redis')
      await whenReady(redis, shutdown)
      await look(shutdown).catch((error: unknown) => {
        if (!allowUnsafe || !(error instanceof UnsafeRedisError)) throw error
        logger.warn(error.message)
      })
      isChecked = true
    },
  }
}
