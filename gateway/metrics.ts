/** What is counted of requests at the gateway, and shown of its replicas? */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { counter, gauge } from '../shared/metrics/metric.ts'
import type { Metrics } from '../shared/metrics/metrics.ts'
import { openRequestMeasure } from '../shared/metrics/requests.ts'
import { openSampling, roundedMs } from '../shared/process/request-log.ts'
import type { ReplicaSet } from './proxy/replica-set.ts'
import type { Resend } from './proxy/retry.ts'
import type { RouteNames } from './route-names.ts'

export const resendsTotal = counter(
  'shop_gateway_resends_total',
  'Requests that were sent once more: they were not sent, the replica turned them away unbegun, or it broke and they are safe to repeat',
  'service',
  'reason',
)
export const gatewayGauges = {
  waiting: gauge('shop_gateway_waiting', 'Requests that wait for a replica', 'service', 'kind'),
  replicas: gauge('shop_gateway_replicas', 'Replicas, by their condition', 'service', 'condition'),
  inFlight: gauge(
    'shop_gateway_in_flight',
    'Requests that replicas have been given and have not answered',
    'service',
    'kind',
  ),
} as const

/** Has it told what came of a request, once that is over. */
export type Measure = (request: IncomingMessage, response: ServerResponse, path: string, requestId: string) => void

export type MeasureOptions = {
  readonly metrics: Metrics
  readonly routeNames: RouteNames
  /** One in how many requests is logged; 0: none. */
  readonly logOneIn: number
  readonly log: Logger
}

/** The client had gone before it was answered. Not of a standard, but what others say then. */
const CLIENT_GONE = 499

export const openMeasure = ({ metrics, routeNames, logOneIn, log }: MeasureOptions): Measure => {
  const measure = openRequestMeasure(metrics)
  const isSampled = openSampling(logOneIn)
  return ({ method = '' }, response, path, requestId) => {
    const begunAt = performance.now()
    response.on('close', () => {
      const ms = performance.now() - begunAt
      const route = routeNames(path)
      const isTold = response.headersSent || response.statusCode !== 200
      const status = isTold ? response.statusCode : CLIENT_GONE
      measure(method, route, status, ms)
      const isLogged = isSampled(requestId)
      if (!isLogged && !log.isLevelEnabled('debug')) return
      log[isLogged ? 'info' : 'debug']({ requestId, method, route, status, ms: roundedMs(ms) }, 'answered')
    })
  }
}

export type Resent = (service: string, reason: Resend) => void

export const openResent = (metrics: Metrics): Resent => {
  const total = metrics.counter(resendsTotal)
  return (service, reason) => total(service, reason)()
}

export const openGatewayGauges = (metrics: Metrics, services: readonly ReplicaSet[]): void =>
  metrics.source('replicas', gatewayGauges, (tell) => {
    for (const service of services) {
      for (const [kind, count] of Object.entries(service.waiting)) tell.waiting(count, service.name, kind)
      for (const [condition, count] of Object.entries(service.conditions)) tell.replicas(count, service.name, condition)
      for (const [kind, count] of Object.entries(service.inFlight)) tell.inFlight(count, service.name, kind)
    }
  })
