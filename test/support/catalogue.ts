/** Every metric that some process of the shop tells, besides those of the process itself. */
import { gatewayGauges, resendsTotal } from '../../gateway/metrics.ts'
import { lockGauges } from '../../ids/lock/gauges.ts'
import * as ofOrder from '../../order/metrics.ts'
import { deliveriesTotal, webhookGauges } from '../../order/webhooks/metrics.ts'
import { redisGauges } from '../../shared/health/redis-gauges.ts'
import { acquisitionsTotal, waitSeconds } from '../../shared/lock/redlock.ts'
import { applySeconds, batchEntries, commandSeconds, commandsTotal } from '../../shared/log/measured.ts'
import type { Metric } from '../../shared/metrics/metric.ts'
import { missing } from '../../shared/metrics/metrics.ts'
import { requestSeconds } from '../../shared/metrics/requests.ts'
import { sagaGauges } from '../../shared/saga/gauges.ts'
import { repairsTotal } from '../../shared/saga/repairs.ts'

export const metrics: readonly Metric[] = [
  missing,
  requestSeconds,
  ...[commandSeconds, commandsTotal, batchEntries, applySeconds],
  ...[acquisitionsTotal, waitSeconds, repairsTotal],
  ...Object.values(sagaGauges),
  ...Object.values(redisGauges),
  ...[ofOrder.checkoutsTotal, ofOrder.checkoutSeconds, ofOrder.amendmentsTotal],
  ...[ofOrder.refundsTotal, ofOrder.contradictionsTotal],
  ...Object.values(ofOrder.contradictionGauges),
  ...Object.values(ofOrder.admissionGauges),
  ...Object.values(ofOrder.auditGauges),
  deliveriesTotal,
  ...Object.values(webhookGauges),
  ...Object.values(lockGauges),
  resendsTotal,
  ...Object.values(gatewayGauges),
]
