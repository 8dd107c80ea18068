/**
 * Which requests are traced?
 *
 * Those whose client wants it (`traceparent` with the flag 01), and of those whose client does not say one in so many; none whose client
 * says 00. What goes on to a service bears the span of the gateway, and by that services know that it is traced.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Setting } from '../../shared/process/config.ts'
import { sampledIn, type Tracing, traceIdIn } from '../../shared/process/tracing.ts'
import type { Passed } from './headers.ts'

/** By the variable that OpenTelemetry has for it: from 0, none, to 1, all. */
export const samplingRate: Setting<number> = {
  variable: 'OTEL_TRACES_SAMPLER_ARG',
  parse: (given) => {
    const rate = /^\d(\.\d+)?$/.test(given) ? Number(given) : Number.NaN
    if (!(rate >= 0 && rate <= 1)) throw new Error(`must be a number from 0 to 1, not "${given}"`)
    return rate
  },
  fallback: 0.01,
}

const TRACEPARENT = 'traceparent'

/** Begins a span if a request is traced, and has what goes on bear it. */
export type Sample = (passed: Passed, service: string, request: IncomingMessage, response: ServerResponse) => Passed

/** Where a header stands among names and values in turn: -1 if it was not sent, or more than once, and so says nothing. */
const placeOf = (headers: readonly string[]): number => {
  let place = -1
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] !== TRACEPARENT) continue
    if (place !== -1) return -1
    place = at
  }
  return place
}

export const noneSampled: Sample = (passed) => passed

/** @param rate of how many requests whose client does not say */
export const openSampling = (tracing: Tracing, rate: number): Sample => {
  return (passed, service, { method = '' }, response) => {
    const place = placeOf(passed.headers)
    const wanted = place === -1 ? undefined : sampledIn(passed.headers[place + 1])
    const isSampled = place === -1 ? Math.random() < rate : wanted !== undefined
    if (!isSampled) return passed
    const attributes = { 'http.request.method': method, 'shop.service': service, 'shop.request_id': passed.requestId }
    const { trace, end } = tracing.start('server', `${method} ${service}`, wanted, attributes)
    response.once('close', () => end({ 'http.response.status_code': response.statusCode }))
    const headers = passed.headers.filter((_, at) => passed.headers[at - (at % 2)] !== TRACEPARENT)
    return { ...passed, headers: [...headers, TRACEPARENT, trace], traceId: traceIdIn(trace) }
  }
}
