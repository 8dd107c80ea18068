/** What makes locks a part of the service: their verbs, their waits, their routes, and the log that tells of them. */
import type { Logger } from 'pino'
import type { Route } from '../../shared/http/route.ts'
import { compareIds } from '../../shared/log/entry.ts'
import type { Following, Listener } from '../../shared/log/follow.ts'
import type { Log } from '../../shared/log/log.ts'
import { openHolding } from './holding.ts'
import { type Known, openKnowledge } from './knowledge.ts'
import { lockRoutes } from './routes.ts'
import { openLocks } from './store.ts'
import { openWaits } from './waits.ts'
import { openWatches } from './watches.ts'

export type LockServiceOptions = {
  readonly log: Log
  readonly follow: (listener: Listener) => Following
  readonly nextLogId: () => string
  readonly logger: Logger
}

export type LockService = {
  readonly routes: readonly Route[]
  readonly start: () => void
  readonly stop: () => Promise<void>
}

export const openLockService = ({ log, follow, nextLogId, logger }: LockServiceOptions): LockService => {
  const knowledge = openKnowledge(compareIds)
  const onOlder = (lost: readonly Known[], restMs: number): void => {
    logger.error({ named: lost.length, restMs }, 'the Redis of locks came back older: nothing is granted for a while')
    for (const { lease: _, ...one } of lost) logger.error({ ...one }, 'the Redis of locks has forgotten who holds this')
  }
  const verbs = openLocks({ log, knowledge, onOlder })
  const waits = openWaits(verbs)
  const watches = openWatches({ log, compare: compareIds })
  const following = follow({
    onEntries: (entries) => {
      for (const entry of entries) knowledge.onEntry(entry)
      waits.onEntries(entries)
      watches.onEntries(entries)
    },
    onResumed: (newest) => {
      if (knowledge.seen() === '') knowledge.reset(newest)
      waits.wakeAll()
    },
  })
  return {
    routes: lockRoutes({ verbs, holding: openHolding(verbs, waits), waits, watches, nextLogId }),
    start: () => {
      following.start()
      waits.start()
    },
    stop: async () => {
      waits.stop()
      watches.stop()
      await following.stop()
    },
  }
}
