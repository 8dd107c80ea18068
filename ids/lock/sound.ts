/**
 * What if ids' Redis came back older?
 *
 * Each verb says which entry this replica has seen last. A Redis that lacks it does nothing, and is told first what it has forgotten
 * (`knowledge.ts`): until the last of that has ended, nothing is granted. Then the verb runs.
 */
import { setTimeout as after } from 'node:timers/promises'
import { afterEffect, UnavailableError } from '../../shared/errors.ts'
import type { Knowledge, Known } from './knowledge.ts'

/** How often a Redis may come back older while a verb runs. */
const TRIES = 3
/** How many forgotten leases are named. */
const NAMED_MAX = 100

export type SoundOptions = {
  readonly knowledge: Knowledge
  /** The newest entry that is left of those before one that was seen. */
  readonly findLeft: (seen: string) => Promise<string>
  /** Has nothing granted until a moment, and no token up to this one. @returns for how long that is */
  readonly bar: (until: number, token: number, lost: string) => Promise<number>
  /** Called with what this Redis is known to have forgotten, and for how long nothing is granted. */
  readonly onOlder: (lost: readonly Known[], restMs: number) => void
}

type AnyResult = readonly [result: string, ...rest: unknown[]]
type Sound<Result extends AnyResult> = Exclude<Result, readonly ['older']>

/** Runs a command that says what this replica has seen. @throws UnavailableError */
export type Soundly = <Result extends AnyResult>(command: (seen: string) => Promise<Result>) => Promise<Sound<Result>>

export const openSound = ({ knowledge, findLeft, bar, onOlder }: SoundOptions): Soundly => {
  let telling: Promise<void> | undefined

  const tell = async (seen: string): Promise<void> => {
    const after = await findLeft(seen)
    const lost = knowledge.since(after)
    const until = Math.max(0, ...lost.map(({ untilMs }) => untilMs))
    const named = JSON.stringify(lost.slice(0, NAMED_MAX).map(({ lease: _, ...rest }) => rest))
    const restMs = await bar(until, knowledge.token(), named)
    knowledge.reset(after)
    onOlder(lost, restMs)
  }

  return async (command) => {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const seen = knowledge.seen()
      const result = await command(seen)
      if (result[0] !== 'older') return result as Sound<typeof result>
      if (knowledge.seen() !== seen) continue
      telling ??= tell(seen).finally(() => {
        telling = undefined
      })
      await telling
    }
    throw new UnavailableError('the Redis of locks came back older again and again', { nothingDone: true })
  }
}

/** After how long a verb is tried again whose outcome is unknown: a Redis that is started again is back in about a second. */
const PAUSES_MS = [50, 200, 800] as const

/**
 * Runs what is safe to repeat again if it is not known what came of it.
 * @throws UnavailableError, by which nothing was done only if no try may have done it
 */
export const persistently = (soundly: Soundly): Soundly => {
  const again = async <Result extends AnyResult>(
    error: unknown,
    command: (seen: string) => Promise<Result>,
    tries = 0,
  ): Promise<Sound<Result>> => {
    const pauseMs = PAUSES_MS[tries]
    if (pauseMs === undefined || !(error instanceof UnavailableError)) throw error
    await after(pauseMs)
    const isCertain = error.nothingDone
    return soundly(command).catch((next: unknown) => again(isCertain ? next : afterEffect(next), command, tries + 1))
  }
  return (command) => soundly(command).catch((error: unknown) => again(error, command))
}
