/**
 * How full is the own Redis?
 *
 * One that has reached its `maxmemory` refuses every write, and the shop sells nothing. So its operator is told
 * while there is time: once, when it has passed 70 %, and again only after it had fallen well below. What takes the memory
 * are the things that a service owns, and what is kept of sagas for `LOG_RETENTION_HOURS`.
 */
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { UnavailableError } from '../errors.ts'
import type { Check } from '../http/readiness.ts'
import type { Step } from '../process/step.ts'

/** Bytes; a limit of 0 is none. */
export type Memory = { readonly used: number; readonly limit: number }

export type MemoryWatch = {
  /** As it was found last. */
  readonly check: () => Check
  readonly look: () => Promise<void>
  /** What was found last; undefined before it was looked. */
  readonly seen: () => Memory | undefined
  readonly start: () => void
  readonly stop: () => void
}

export type MemoryWatchOptions = {
  readonly redis: Redis
  readonly step: Step
  readonly logger: Logger
}

const EVERY_MS = 10_000
/** From here on it is told, and below the second it may be told again. */
const FULL_PERCENT = 70
const RELIEVED_PERCENT = 65

const memoryOf = (info: string): Memory => {
  const number = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
  return { used: number('used_memory'), limit: number('maxmemory') }
}

const percentOf = ({ used, limit }: Memory): number => (limit === 0 ? 0 : Math.floor((used / limit) * 100))

export const memoryWatch = ({ redis, step, logger }: MemoryWatchOptions): MemoryWatch => {
  let last: Memory | undefined
  let percent = 0
  let warned = false
  let timer: NodeJS.Timeout | undefined

  const look = async (): Promise<void> => {
    const seen = memoryOf(await step('memory', () => redis.info('memory')))
    last = seen
    percent = percentOf(seen)
    if (percent >= FULL_PERCENT && !warned) {
      warned = true
      logger.warn(
        { ...seen, percent },
        'the own Redis is getting full: raise its maxmemory, or keep logs for fewer hours (LOG_RETENTION_HOURS)',
      )
    }
    if (percent < RELIEVED_PERCENT && warned) {
      warned = false
      logger.info({ ...seen, percent }, 'the own Redis has room again')
    }
  }

  const lookQuietly = (): void => {
    look().catch((error: unknown) => {
      // It is away, which others tell: the next look will do.
      if (!(error instanceof UnavailableError)) throw error
    })
  }

  return {
    check: () => ({
      name: 'own-redis-memory',
      grade: 'warns',
      wrong: percent < FULL_PERCENT ? undefined : `its own Redis is ${percent} % full`,
    }),
    look,
    seen: () => last,
    start: () => {
      lookQuietly()
      timer = setInterval(lookQuietly, EVERY_MS)
      timer.unref()
    },
    stop: () => clearInterval(timer),
  }
}
