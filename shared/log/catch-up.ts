/**
 * Has everything been applied that a peer has appended by now?
 *
 * By whichever replica follows the peer: so the cursor is looked at until it has come to where the peer's log ends now.
 */

import { setTimeout as after } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Service } from '../contract/services.ts'
import { isTransient } from '../errors.ts'
import type { Step } from '../process/step.ts'
import { compareIds, logKey } from './entry.ts'
import type { Log } from './log.ts'

/** How long after the lease of a process that died its successor may take to apply what there is. */
const CATCH_UP_MS = 1_000
const RETRY_MS = 20
/** How many entries are looked through for the last one that is handled. */
const UNAPPLIED_MAX = 256
/** The publisher's Redis does not answer. */
const AWAY = 'away'

export type CatchUpOptions = {
  readonly log: Pick<Log, 'cursor' | 'handles'>
  readonly publisher: Service
  /** A connection to the publisher's Redis that does not block. */
  readonly redis: Redis
  readonly step: Step
  readonly leaseTtlMs: number
}

/**
 * Resolves when all that the publisher had appended when it was asked (where others ask already, when the first of them did), and
 * that is handled here, is applied, with `true`; or with `false` after a lease and a second at the latest, and at once if the
 * publisher's Redis does not answer. The function that is returned throws UnavailableError by the own Redis.
 */
export const openCatchUp = ({ log, publisher, redis, step, leaseTtlMs }: CatchUpOptions): (() => Promise<boolean>) => {
  const stream = logKey(publisher)
  const looking = `unheard-${publisher}`

  /** The last entry that is handled and not applied yet, if any; where there are more than one looks through, simply the last one. */
  const lastUnapplied = async (): Promise<string | undefined | typeof AWAY> => {
    const cursor = await log.cursor(publisher)
    try {
      const unapplied = await step(looking, () => redis.xrange(stream, `(${cursor}`, '+', 'COUNT', UNAPPLIED_MAX))
      if (unapplied.length < UNAPPLIED_MAX) return unapplied.findLast((entry) => log.handles(publisher, entry))?.[0]
      const [last] = await step(looking, () => redis.xrevrange(stream, '+', '-', 'COUNT', 1))
      return last?.[0]
    } catch (error) {
      if (!isTransient(error)) throw error
      return AWAY
    }
  }

  const catchUp = async (): Promise<boolean> => {
    const until = performance.now() + leaseTtlMs + CATCH_UP_MS
    const last = await lastUnapplied()
    if (last === AWAY) return false
    if (last === undefined) return true
    while (compareIds(await log.cursor(publisher), last) < 0) {
      if (performance.now() >= until) return false
      await after(RETRY_MS)
    }
    return true
  }

  /** Many may ask at one deadline: they wait together. */
  let catchingUp: Promise<boolean> | undefined
  return () => {
    catchingUp ??= catchUp().finally(() => {
      catchingUp = undefined
    })
    return catchingUp
  }
}
