/**
 * What has the own Redis forgotten?
 *
 * Whenever it was away it may have come back older. This process remembers what it knows to be done in it (see
 * `tail-loss.ts`), so it can find what is gone, have what was acknowledged made true again as far as that can be, and list the
 * rest by name.
 */
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { field, type RawEntry } from '../contract/raw-entry.ts'
import { UnavailableError } from '../errors.ts'
import { backOffMs } from '../process/backoff.ts'
import type { Step } from '../process/step.ts'
import type { ArgsOf } from '../redis/command.ts'
import type { RunOwn } from './commands.ts'
import { compareIds, type LogEntry, type LostTail } from './entry.ts'
import { lose } from './shared-commands.ts'
import { logTailLoss, type TailLossDetector } from './tail-loss.ts'

export type OwnTail = {
  /**
   * Remembers the end of a saga that this process knows, by its entry, and what that holds: a client may have been
   * answered it.
   */
  readonly acknowledge: (entry: string, read: () => RawEntry[1]) => void
  /**
   * After the own Redis was away: finds, and notes, what this process had done in it, or knew, and is gone. To be called
   * until there is no more: it may have been away more than once.
   */
  readonly checkOwnTail: () => Promise<LostTail | undefined>
  /** Notes that a publisher lost its tail, and puts the cursor back to what is left: what it appends next is applied. */
  readonly recordTailLoss: (tail: LostTail) => Promise<void>
  /** The losses that were noticed here, the oldest first, for as long as the log is kept. */
  readonly lostTails: () => Promise<readonly LostTail[]>
}

export type OwnTailOptions = {
  readonly redis: Redis
  readonly step: Step
  /** The stream of losses that were noticed. */
  readonly lost: string
  /** What this process knows to be done in the own Redis. */
  readonly memory: TailLossDetector
  readonly runOwn: RunOwn
  /** Makes what was acknowledged and is gone true again, as far as that can be. @returns what is to be listed as lost */
  readonly uphold: (gone: readonly LogEntry[]) => Promise<readonly LogEntry[]>
}

export const openOwnTail = ({ redis, step, lost, memory, runOwn, uphold }: OwnTailOptions): OwnTail => {
  /**
   * The last entries that this process knew of before its Redis was back, which may be without them: by the connection
   * that broke, and by the channel of outcomes, which may break later.
   */
  const suspects = new Set<string>()
  const suspect = (): void => {
    suspects.add(memory.seen())
  }
  redis.on('close', suspect)
  redis.on('ready', suspect)

  const recordTailLoss: OwnTail['recordTailLoss'] = async (tail) => {
    const args: ArgsOf<typeof lose> = { publisher: tail.speaker, after: tail.after, tail: JSON.stringify(tail) }
    await runOwn(lose.name, args)
  }

  /** The first loss that one of the suspects proves, the newest of them first. */
  const findLoss = async (asked: readonly string[]): Promise<LostTail | undefined> => {
    for (const until of asked.toReversed()) {
      const gone = await memory.compare('0-0', until)
      if (gone === undefined) continue
      const tail = { ...gone, entries: await uphold(gone.entries) }
      await recordTailLoss(tail)
      memory.forget(tail)
      for (const one of asked) if (compareIds(one, tail.after) <= 0) suspects.add(one)
      return tail
    }
    return undefined
  }

  return {
    acknowledge: memory.acknowledgeEnd,
    checkOwnTail: async () => {
      // Taken at once: whatever is suspected meanwhile is for the next time.
      const asked = [...suspects].toSorted(compareIds)
      suspects.clear()
      try {
        return await findLoss(asked)
      } catch (error) {
        for (const one of asked) suspects.add(one)
        throw error
      }
    },
    recordTailLoss,
    lostTails: async () => {
      const tails = await step('lost-tails', () => redis.xrange(lost, '-', '+'))
      return tails.map((entry) => JSON.parse(field(entry, 'tail') ?? 'null') as LostTail)
    },
  }
}

/** Lists what the own Redis has lost, if it came back without it; until that is known it is looked for again. */
export const listOwnLosses = (
  { checkOwnTail }: Pick<OwnTail, 'checkOwnTail'>,
  logger: Logger,
  shutdown: AbortSignal,
  attempt = 1,
): void => {
  const again = (next: number): void => listOwnLosses({ checkOwnTail }, logger, shutdown, next)
  checkOwnTail().then(
    (lost) => {
      if (lost === undefined) return
      logTailLoss(logger, 'the own Redis', lost)
      again(1)
    },
    (error: unknown) => {
      if (!(error instanceof UnavailableError)) throw error
      if (!shutdown.aborted) setTimeout(again, backOffMs(attempt), attempt + 1).unref()
    },
  )
}
