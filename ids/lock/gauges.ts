/** How many locks there are that programs hold, in numbers? */
import { gauge } from '../../shared/metrics/metric.ts'
import type { Metrics } from '../../shared/metrics/metrics.ts'
import type { Verbs } from './verbs.ts'

export const lockGauges = {
  known: gauge('shop_locks', 'Locks that are known: in use, or with a token that counts on'),
  held: gauge('shop_locks_held', 'Locks that are in use: somebody holds them, or waits for them'),
  barred: gauge(
    'shop_locks_barred_seconds',
    'For how long nothing is granted yet, because the Redis of locks came back older',
  ),
} as const

export const openLockGauges = (metrics: Metrics, verbs: Pick<Verbs, 'count'>): void =>
  metrics.source('locks', lockGauges, async (tell) => {
    const { locks: known, inUse, barredForMs } = await verbs.count()
    tell.known(known)
    tell.held(inUse)
    tell.barred(barredForMs / 1_000)
  })
