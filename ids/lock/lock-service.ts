/** What makes locks a part of the service: their verbs, their waits, their routes, and the log that tells of them. */
import type { Logger } from 'pino'
import type { Route } from '../../shared/http/route.ts'
import { compareIds } from '../../shared/log/entry.ts'
import type { Following, Listener } from '../../shared/log/follow.ts'
import type { Log } from '../../shared/log/log.ts'
import { type Holding, openHolding } from './holding.ts'
import { type Knowledge, type Known, openKnowledge } from './knowledge.ts'
import { lockRoutes } from './routes.ts'
import type { Soundly } from './sound.ts'
import { openVerbs, soundlyOver } from './store.ts'
import type { Verbs } from './verbs.ts'
import { openWaits } from './waits.ts'
import { openWatches, type Watches } from './watches.ts'

export type LockServiceOptions = {
  readonly log: Log
  readonly follow: (listener: Listener) => Following
  readonly nextLogId: () => string
  readonly logger: Logger
}

export type LockService = {
  readonly routes: readonly Route[]
  /** For what is built on locks. */
  readonly verbs: Verbs
  readonly holding: Holding
  readonly watches: Pick<Watches, 'hasRoom' | 'watch'>
  readonly soundly: Soundly
  readonly onGranted: Knowledge['onGranted']
  readonly start: () => void
  readonly stop: () => Promise<void>
}

export const openLockService = ({ log, follow, nextLogId, logger }: LockServiceOptions): LockService => {
  const knowledge = openKnowledge(compareIds)
  const onOlder = (lost: readonly Known[], restMs: number): void => {
    logger.error({ named: lost.length, restMs }, 'the Redis of locks came back older: nothing is granted for a while')
    for (const { lease: _, ...one } of lost) logger.error({ ...one }, 'the Redis of locks has forgotten who holds this')
  }
  const onSetBack = (): void =>
    logger.warn('the clock of the Redis of locks was set back: no lease is to hold longer than for its TTL from now')
  const options = { log, knowledge, onOlder, onSetBack }
  const soundly = soundlyOver(options)
  const verbs = openVerbs(options, soundly)
  const waits = openWaits(verbs)
  const watches = openWatches({ log, compare: compareIds })
  const holding = openHolding(verbs, waits)
  const following = follow({
    onEntries: (entries) => {
      for (const entry of entries) knowledge.onEntry(entry)
      waits.onEntries(entries)
      watches.onEntries(entries)
    },
    isAwaited: () => waits.count() > 0 || watches.count() > 0,
    onResumed: (newest, left) => {
      if (knowledge.seen() === '') knowledge.reset(newest)
      knowledge.onResumed(left)
      waits.lookAgain()
      watches.onResumed(left)
    },
  })
  return {
    routes: lockRoutes({ verbs, holding, waits, watches, nextLogId }),
    verbs,
    holding,
    watches,
    soundly,
    onGranted: knowledge.onGranted,
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
