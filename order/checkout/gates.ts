/**
 * By which gates does a checkout come to its begin in this process?
 *
 * It lingers, and is let in: see `linger.ts` and `admission.ts`. How many are at either is told in numbers, and how many orders are contradicted.
 */
import type { Logger } from 'pino'
import type { Metrics } from '../../shared/metrics/metrics.ts'
import { admissionGauges, contradictionGauges, type OrderMetrics } from '../metrics.ts'
import type { Contradiction } from '../store/decisions.ts'
import type { Store } from '../store.ts'
import { type Admission, admission } from './admission.ts'
import { type Linger, openLinger } from './linger.ts'

export type GatesOptions = {
  readonly metrics: Metrics
  readonly store: Pick<Store, 'countContradictions'>
  /** How many checkouts may be under way. */
  readonly most: number
  readonly deadlineMs: number
}

export const openGates = (options: GatesOptions): { readonly admission: Admission; readonly linger: Linger } => {
  const { metrics, store, most, deadlineMs } = options
  const slots = admission({ most, targetMs: deadlineMs / 4, timeoutMs: deadlineMs / 4 })
  const linger = openLinger()
  metrics.source('admission', admissionGauges, (tell) => {
    const { slots: limit, taken, waiting } = slots.counts()
    tell.limit(limit)
    tell.inside(taken)
    tell.waiting(waiting)
    tell.lingering(linger.count())
  })
  metrics.source('contradictions', contradictionGauges, async (tell) =>
    tell.unresolved(await store.countContradictions()),
  )
  return { admission: slots, linger }
}

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
