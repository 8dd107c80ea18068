/** What is told of checkouts whose decision cannot be true any more? */
import type { Logger } from 'pino'
import type { Metrics } from '../shared/metrics/metrics.ts'
import { contradictionGauges, type OrderMetrics } from './metrics.ts'
import type { Contradiction } from './store/decisions.ts'
import type { Store } from './store.ts'

/** Tells that a checkout is contradicted, and counts it. */
export const contradictionTeller =
  (measured: Pick<OrderMetrics, 'contradicted'>, logger: Logger) =>
  ({ id, by, order }: Contradiction): void => {
    measured.contradicted()
    logger.error(
      { log_id: id, order, by },
      'a checkout is contradicted: npm run saga -- resolve, with --refund or --accept, ends it',
    )
  }

/** Shows how many orders are contradicted and wait for a person. */
export const showContradictions = (metrics: Metrics, store: Pick<Store, 'countContradictions'>): void =>
  metrics.source('contradictions', contradictionGauges, async (tell) =>
    tell.unresolved(await store.countContradictions()),
  )
