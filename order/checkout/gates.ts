/**
 * By which gates does a checkout come to its begin in this process?
 *
 * It lingers, and is let in: see `linger.ts` and `admission.ts`. How many are at either is told in numbers.
 */
import type { Metrics } from '../../shared/metrics/metrics.ts'
import { admissionGauges } from '../metrics.ts'
import { type Admission, admission } from './admission.ts'
import { type Linger, openLinger } from './linger.ts'

export type GatesOptions = {
  readonly metrics: Metrics
  /** How many checkouts may be under way. */
  readonly most: number
  readonly deadlineMs: number
}

export const openGates = (options: GatesOptions): { readonly admission: Admission; readonly linger: Linger } => {
  const { metrics, most, deadlineMs } = options
  const slots = admission({ most, targetMs: deadlineMs / 4, timeoutMs: deadlineMs / 4 })
  const linger = openLinger()
  metrics.source('admission', admissionGauges, (tell) => {
    const { slots: limit, taken, waiting } = slots.counts()
    tell.limit(limit)
    tell.inside(taken)
    tell.waiting(waiting)
    tell.lingering(linger.count())
  })
  return { admission: slots, linger }
}
