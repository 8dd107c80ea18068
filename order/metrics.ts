/** What is counted of checkouts, amendments and refunds, and shown of audits? */
import { counter, gauge, histogram, SECONDS } from '../shared/metrics/metric.ts'
import { type Metrics, noMetrics } from '../shared/metrics/metrics.ts'
import { type Ended, isGivenUpBy, isRefusal } from './order.ts'

export const checkoutsTotal = counter(
  'shop_checkouts_total',
  'Checkouts that were decided by this process: paid, refused or cancelled, and why',
  'outcome',
  'reason',
)
export const checkoutSeconds = histogram(
  'shop_checkout_duration_seconds',
  'How long checkouts took that this process has begun, from when it had the lock until they were decided',
  SECONDS,
  'outcome',
)
export const amendmentsTotal = counter(
  'shop_amendments_total',
  'Amendments of paid orders that were decided by this process: made, refused or cancelled',
  'outcome',
)
export const refundsTotal = counter(
  'shop_refunds_total',
  'Refunds that were granted by this process: of what came back, of an order that was given up, or by an amendment',
  'kind',
)
export const contradictionsTotal = counter(
  'shop_contradictions_total',
  'How often this process found that what was decided cannot be true any more',
)
export const contradictionGauges = {
  unresolved: gauge('shop_contradictions_unresolved', 'Orders that are contradicted and wait for a person'),
} as const
export const admissionGauges = {
  limit: gauge('shop_admission_limit', 'How many checkouts this process has under way at most, at the moment'),
  inside: gauge('shop_admission_inside', 'How many it has'),
  waiting: gauge('shop_admission_waiting', 'How many wait to be let in'),
  lingering: gauge('shop_lingering', 'How many linger a moment, so that several begin together'),
} as const
export const auditGauges = {
  balanced: gauge('shop_audit_balanced', 'Whether the last audit that this process was asked for found everything'),
  timestamp: gauge('shop_audit_timestamp_seconds', 'When that was'),
  money: gauge('shop_money', 'Where it found money, and how much was added', 'part'),
  goods: gauge('shop_goods', 'Where it found goods, and how many were added', 'part'),
} as const

/** What was decided of a checkout, in as few words as there are. */
const outcomeOf = (ended: Ended): readonly [outcome: 'paid' | 'refused' | 'cancelled', reason: string] => {
  if (ended.state === 'paid') return ['paid', '']
  if (ended.state !== 'failed') return ['cancelled', ended.by]
  if (isGivenUpBy(ended.reason)) return ['cancelled', ended.reason]
  return ['refused', isRefusal(ended.reason) ? ended.reason : 'other']
}

type Sums = Readonly<Record<string, string>>
/** What an audit has found: see `api.ts`. */
export type Audited = { readonly balanced: boolean; readonly credit: Sums; readonly stock: Sums }
export type RefundKind = 'returned' | 'cancelled' | 'amended'

export type OrderMetrics = {
  /** To be called with each checkout or amendment that this process has decided, once. */
  readonly decided: (ended: Ended, isAmendment: boolean) => void
  readonly amended: () => void
  readonly refunded: (kind: RefundKind) => void
  readonly contradicted: () => void
  /** To be called with what this process has begun and waited for. */
  readonly took: (ended: Ended, ms: number) => void
  readonly audited: (audit: Audited) => void
}

export type OrderMetricsOptions = {
  readonly metrics: Metrics
  readonly now?: () => number
}

/** Shows the last audit, once there is one. */
const openAudited = ({ metrics, now = Date.now }: OrderMetricsOptions): OrderMetrics['audited'] => {
  let last: { readonly audit: Audited; readonly atMs: number } | undefined
  metrics.source('audit', auditGauges, (tell) => {
    if (last === undefined) return
    const { audit, atMs } = last
    tell.balanced(audit.balanced ? 1 : 0)
    tell.timestamp(atMs / 1_000)
    for (const [part, sum] of Object.entries(audit.credit)) tell.money(Number(sum), part)
    for (const [part, sum] of Object.entries(audit.stock)) tell.goods(Number(sum), part)
  })
  return (audit) => {
    last = { audit, atMs: now() }
  }
}

export const openOrderMetrics = (options: OrderMetricsOptions): OrderMetrics => {
  const { metrics } = options
  const checkouts = metrics.counter(checkoutsTotal)
  const seconds = metrics.histogram(checkoutSeconds)
  const amendments = metrics.counter(amendmentsTotal)
  const refunds = metrics.counter(refundsTotal)
  const contradicted = metrics.counter(contradictionsTotal)
  return {
    decided: (ended, isAmendment) => {
      const [outcome, reason] = outcomeOf(ended)
      if (isAmendment) amendments(outcome === 'paid' ? 'made' : outcome)()
      else checkouts(outcome, reason)()
    },
    amended: () => amendments('made')(),
    refunded: (kind) => refunds(kind)(),
    contradicted: () => contradicted()(),
    took: (ended, ms) => seconds(outcomeOf(ended)[0])(ms / 1_000),
    audited: openAudited(options),
  }
}

/** Counts nothing. */
export const unmeasured = openOrderMetrics({ metrics: noMetrics })
