/**
 * How full is a Redis?
 *
 * One that has reached its `maxmemory` refuses every write, and the shop sells nothing. So the operator of a service is told of
 * its own one while there is time: once, when it has passed 70 %, and again only after it had fallen well below. What takes the
 * memory are the things that a service owns, and what is kept of sagas for `LOG_RETENTION_HOURS`. What happens when it is nearly
 * full: see `room.ts`.
 */
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { UnavailableError } from '../errors.ts'
import type { Check } from '../http/readiness.ts'
import type { Step } from '../process/step.ts'

/** Bytes; a limit of 0 is none. */
export type Memory = { readonly used: number; readonly limit: number }

export type MemoryWatch = {
  /** Asked once a second. One that is away, which others tell, is as it was found last. */
  readonly look: () => Promise<void>
  /** What was found last; undefined before it was looked. */
  readonly seen: () => Memory | undefined
  /** How full it was found last, at most 100; 0 where there is no limit. */
  readonly percent: () => number
}

/** The watch over the own Redis. */
export type OwnMemoryWatch = MemoryWatch & { readonly check: () => Check }

/** From here on it is told, and below the second it may be told again. */
const WARN_PERCENT = 70
const RELIEVED_PERCENT = 65

const memoryOf = (info: string): Memory => {
  const number = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
  return { used: number('used_memory'), limit: number('maxmemory') }
}

export const memoryWatch = ({ redis, step }: { readonly redis: Redis; readonly step: Step }): MemoryWatch => {
  let last: Memory | undefined
  return {
    look: async () => {
      if (redis.status !== 'ready') return
      try {
        last = memoryOf(await step('memory', () => redis.info('memory')))
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error
      }
    },
    seen: () => last,
    percent: () =>
      last === undefined || last.limit === 0 ? 0 : Math.min(100, Math.floor((last.used / last.limit) * 100)),
  }
}

export const ownMemoryWatch = (
  options: Parameters<typeof memoryWatch>[0] & { readonly logger: Logger },
): OwnMemoryWatch => {
  const { logger } = options
  const watch = memoryWatch(options)
  const { seen, percent } = watch
  let warned = false

  const tell = (): void => {
    if (percent() >= WARN_PERCENT && !warned) {
      warned = true
      logger.warn(
        { ...seen(), percent: percent() },
        'the own Redis is getting full: raise its maxmemory, or keep logs for fewer hours (LOG_RETENTION_HOURS)',
      )
    }
    if (percent() < RELIEVED_PERCENT && warned) {
      warned = false
      logger.info({ ...seen(), percent: percent() }, 'the own Redis has room again')
    }
  }

  return {
    ...watch,
    look: async () => {
      await watch.look()
      tell()
    },
    check: () => ({
      name: 'own-redis-memory',
      grade: 'warns',
      wrong: percent() < WARN_PERCENT ? undefined : `its own Redis is ${percent()} % full`,
    }),
  }
}
