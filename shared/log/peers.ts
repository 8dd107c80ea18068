/**
 * Whose logs does this service follow?
 *
 * Those of the peers whose entries its log applies, each by a subscription; and what a service asks of all of them at once.
 */

import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Service } from '../contract/services.ts'
import type { Check } from '../http/readiness.ts'
import type { RedLock } from '../lock/redlock.ts'
import type { Step } from '../process/step.ts'
import type { Tracing } from '../process/tracing.ts'
import type { Lag } from './lag.ts'
import type { Log } from './log.ts'
import { UNREACHABLE_MS } from './peer-connection.ts'
import { openSubscription, type Subscription, type SubscriptionOptions } from './subscription.ts'

/** How one peer's log is read. */
export type Reader = Lag & {
  readonly publisher: Service
  /** Is it this process that reads? */
  readonly isFollowing: boolean
  readonly unreachedMs: number
}

export type Peers = {
  /** Opens a subscription to each peer, which calls these. */
  readonly subscribe: (log: Log, callbacks: Pick<SubscriptionOptions, 'onHeard' | 'onApplied'>) => void
  /**
   * Resolves when what they have appended by now is applied; with `false` if not all can be asked.
   * @throws UnavailableError by the own Redis
   */
  readonly catchUp: () => Promise<boolean>
  /** Those that have not been reached for some seconds. */
  readonly outOfReach: () => readonly Service[]
  /** How each is read. @throws UnavailableError by the own Redis */
  readonly readers: () => Promise<readonly Reader[]>
  /** Whether the log of each can be read. */
  readonly checks: () => readonly Check[]
  /** Asks those that another replica follows whether they are there. */
  readonly probe: () => Promise<void>
  readonly start: () => void
  /** Resolves once each was reached. @throws the reason of the signal */
  readonly whenReady: (shutdown: AbortSignal) => Promise<void>
  readonly stop: () => Promise<void>
}

export type PeersOptions = {
  /** A connection to a peer's Redis that may block, for one subscription, and one that does not. */
  readonly blocking: (peer: Service) => Redis
  readonly reporting: (peer: Service) => Redis
  readonly redLock: RedLock
  readonly step: Step
  readonly tracing?: Tracing | undefined
  readonly leaseTtlMs: number
  readonly logger: Logger
}

/** After so long it is logged which one is waited for. */
const WAITING_MS = 1_000

const checkOf = ({ publisher, isReady, unreachedMs }: Subscription): Check => {
  const name = `log-of-${publisher}`
  if (!isReady()) return { name, grade: 'blocks', wrong: `it has not reached the log of ${publisher} yet` }
  const ms = unreachedMs()
  const wrong =
    ms < UNREACHABLE_MS ? undefined : `it has not reached the log of ${publisher} for ${Math.round(ms / 1_000)} s`
  return { name, grade: 'impairs', wrong }
}

const untilReady = async (
  { publisher, whenReady }: Subscription,
  shutdown: AbortSignal,
  logger: Logger,
): Promise<void> => {
  const timer = setTimeout(() => logger.info(`waiting for the log of ${publisher}`), WAITING_MS)
  const ended = Promise.withResolvers<void>()
  const reject = (): void => ended.reject(shutdown.reason)
  shutdown.addEventListener('abort', reject, { once: true })
  try {
    shutdown.throwIfAborted()
    await Promise.race([whenReady(), ended.promise])
  } finally {
    clearTimeout(timer)
    shutdown.removeEventListener('abort', reject)
  }
}

export const openPeers = ({ blocking, reporting, redLock, logger, ...common }: PeersOptions): Peers => {
  const subscriptions: Subscription[] = []
  const all = (ask: (one: Subscription) => Promise<void>) => async (): Promise<void> => {
    await Promise.all(subscriptions.map(ask))
  }
  return {
    subscribe: (log, callbacks) => {
      for (const publisher of log.publishers)
        subscriptions.push(
          openSubscription({
            ...common,
            ...callbacks,
            log,
            publisher,
            blocking: blocking(publisher),
            reporting: reporting(publisher),
            redLock: redLock.named(`reader-${publisher}`),
            logger,
          }),
        )
    },
    catchUp: async () => !(await Promise.all(subscriptions.map((one) => one.catchUp()))).includes(false),
    outOfReach: () => subscriptions.filter((one) => one.unreachedMs() >= UNREACHABLE_MS).map((one) => one.publisher),
    readers: () =>
      Promise.all(
        subscriptions.map(async ({ publisher, isFollowing, unreachedMs, lag }) => ({
          ...(await lag()),
          publisher,
          isFollowing: isFollowing(),
          unreachedMs: unreachedMs(),
        })),
      ),
    checks: () => subscriptions.map(checkOf),
    probe: all((one) => one.probe()),
    start: () => {
      for (const one of subscriptions) one.start()
    },
    whenReady: async (shutdown) => {
      for (const one of subscriptions) if (!one.isReady()) await untilReady(one, shutdown, logger)
    },
    stop: all((one) => one.stop()),
  }
}
