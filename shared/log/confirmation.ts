/**
 * What must be known of the own Redis before a peer's entries are applied to it?
 *
 * At each new connection it may have come back older, and it does not know that itself. A service that gives out what must never be
 * given twice has to know before it gives out more. Three witnesses are asked, none of which lies in that Redis: the cursors that
 * this process has seen written; what this service has reported to its peers of how far it has read; and the entries of the peers
 * that it has not applied, which tell of what it did before. Meanwhile nothing is applied, as while the peers are away.
 */

import type { Redis } from 'ioredis'
import type { RawEntry } from '../contract/raw-entry.ts'
import type { Service } from '../contract/services.ts'
import type { Step } from '../process/step.ts'
import { ackedKey, compareIds, type LostTail, logKey } from './entry.ts'

/** What the witnesses say. */
export type Evidence = {
  /** By whose word the own Redis has lost what was applied; `''` if nobody says so. */
  readonly lost: '' | 'applied' | 'reported'
  /** Reads all that a peer has appended and that is not applied here, the oldest first. @throws UnavailableError */
  readonly unapplied: (publisher: Service, read: (entry: RawEntry) => void) => Promise<void>
}

export type ConfirmationOptions = {
  readonly service: Service
  readonly redis: Redis
  readonly step: Step
  readonly publishers: readonly Service[]
  readonly cursor: (publisher: Service) => Promise<string>
  /** What the peers have lost, for which the cursor was put back. */
  readonly lostTails: () => Promise<readonly LostTail[]>
  /** A connection to a peer's Redis that does not block. */
  readonly peer: (publisher: Service) => Redis
  /** Does what must be done first. @throws UnavailableError if it cannot be done now */
  readonly confirm: (evidence: Evidence) => Promise<void>
}

export type Confirmation = {
  /** Resolves once entries may be applied; undefined if they may be. */
  readonly pending: () => Promise<void> | undefined
  /** Entries were applied, and the cursor was written. */
  readonly written: (publisher: Service, cursor: string) => void
}

/** How many entries are read at once. */
const PAGE = 1_000

export const openConfirmation = (options: ConfirmationOptions): Confirmation => {
  const { service, redis, step, publishers, cursor, lostTails, peer, confirm } = options
  const written = new Map<Service, string>()
  /** How often a connection has ended, and at which of these moments the Redis was confirmed. */
  let ended = 0
  let confirmed = -1
  let confirming: Promise<void> | undefined
  redis.on('close', () => {
    ended += 1
  })

  const unapplied: Evidence['unapplied'] = async (publisher, read) => {
    let from = await cursor(publisher)
    for (;;) {
      const page = await step(`unread-${publisher}`, () =>
        peer(publisher).xrange(logKey(publisher), `(${from}`, '+', 'COUNT', PAGE),
      )
      for (const entry of page) read(entry)
      if (page.length < PAGE) return
      from = page.at(-1)?.[0] ?? from
    }
  }

  const reported = async (publisher: Service): Promise<string> =>
    (await step(`reported-${publisher}`, () => peer(publisher).get(ackedKey(publisher, service)))) ?? '0-0'

  /** Does a cursor stand before this entry because the publisher has lost it? Then it was put back. */
  const wasPutBack = async (publisher: Service, entry: string): Promise<boolean> =>
    (await lostTails()).some(({ speaker, until }) => speaker === publisher && compareIds(entry, until) <= 0)

  const lossBy = async (publisher: Service, found: string): Promise<Evidence['lost']> => {
    const witnesses = [
      ['applied', written.get(publisher) ?? '0-0'],
      ['reported', await reported(publisher)],
    ] as const
    for (const [witness, entry] of witnesses)
      if (compareIds(found, entry) < 0 && !(await wasPutBack(publisher, entry))) return witness
    return ''
  }

  const confirmNow = async (): Promise<void> => {
    const found = new Map<Service, string>()
    const losses: Evidence['lost'][] = []
    for (const publisher of publishers) {
      const position = await cursor(publisher)
      found.set(publisher, position)
      losses.push(await lossBy(publisher, position))
    }
    await confirm({ lost: losses.find((lost) => lost !== '') ?? '', unapplied })
    for (const [publisher, position] of found) written.set(publisher, position)
  }

  const untilConfirmed = async (): Promise<void> => {
    while (confirmed !== ended) {
      const at = ended
      await confirmNow()
      confirmed = at
    }
  }

  return {
    pending: () => {
      if (confirmed === ended) return undefined
      confirming ??= untilConfirmed().finally(() => {
        confirming = undefined
      })
      return confirming
    },
    written: (publisher, position) => {
      written.set(publisher, position)
    },
  }
}
