/**
 * What does the gateway say in its own name?
 *
 * Only what it knows: that it has no such route, that a request breaks a bound, that nothing was begun (503), or that the
 * outcome is unknown (502, 504) and how to be safe next time. Each is a problem document of RFC 9457.
 */

import type { ServerResponse } from 'node:http'
import { PROBLEM_TYPE, type Problem, problem, RETRY_AFTER_S } from '../../shared/http/problem.ts'

const BE_SAFE =
  'what was asked may or may not have been done. GET, HEAD and POST /orders/checkout/* may be repeated as they are; ' +
  'send any other request with an Idempotency-Key, so that repeating it has one effect'

/** @param hint what to do instead, if that is certain */
export const noSuchRoute = (path: string, hint = '/docs shows what there is'): Problem =>
  problem(404, 'no-such-route', 'No such route', `the shop has no ${path.slice(0, 256)}; ${hint}`)

export const methodNotAllowed = (path: string, allowed: string): Problem =>
  problem(405, 'method-not-allowed', 'Method not allowed', `${path} takes ${allowed}`)

export const bodyTooLarge = (maxBytes: number): Problem =>
  problem(413, 'body-too-large', 'The body is too large', `a body may have at most ${maxBytes} bytes`)

export const uriTooLong = (maxBytes: number): Problem =>
  problem(414, 'uri-too-long', 'The URL is too long', `a URL may have at most ${maxBytes} bytes`)

export const unframeable = (detail: string): Problem =>
  problem(400, 'malformed', 'The request is malformed', `the request cannot be passed on: ${detail}`)

export const noReplica = (service: string, waitMs: number): Problem =>
  problem(
    503,
    'service-unavailable',
    'The service cannot be reached',
    `no replica of "${service}" took the request within ${waitMs} ms; nothing was done, send it again`,
    { service },
  )

export const tooManyWaiting = (service: string): Problem =>
  problem(
    503,
    'overloaded',
    'Too many requests are waiting',
    `too many requests wait for "${service}"; nothing was done, send it again later`,
    { service },
  )

export const outcomeUnknown = (service: string): Problem =>
  problem(502, 'outcome-unknown', 'The outcome is unknown', `the connection to "${service}" broke: ${BE_SAFE}`, {
    service,
  })

export const noReplyInTime = (service: string, timeoutMs: number): Problem =>
  problem(
    504,
    'no-reply-in-time',
    'The service did not reply in time',
    `"${service}" did not reply within ${timeoutMs} ms: ${BE_SAFE}`,
    { service },
  )

export const notReady = (reason: string, services: readonly string[]): Problem =>
  problem(503, 'not-ready', 'Not ready', reason, { services })

export const impaired = (services: readonly string[]): Problem =>
  problem(503, 'impaired', 'Ready for a part only', `a part only is done by: ${services.join(', ')}`, { services })

/**
 * Sends a problem; a 503 with the time after which to ask again, and any with where to ask for the outcome, and of which trace it
 * is, if that is known.
 */
export const sendProblem = (
  response: ServerResponse,
  document: Problem,
  requestId: string,
  location?: string,
  traceId?: string,
): void => {
  const body = JSON.stringify(traceId === undefined ? document : { ...document, trace_id: traceId })
  const headers = [
    'Content-Type',
    PROBLEM_TYPE,
    'Content-Length',
    String(Buffer.byteLength(body)),
    'X-Request-Id',
    requestId,
  ]
  if (document.status === 503) headers.push('Retry-After', RETRY_AFTER_S)
  if (location !== undefined) headers.push('Location', location)
  response.writeHead(document.status, headers)
  response.end(body)
}

export const sendText = (
  response: ServerResponse,
  text: string,
  requestId: string,
  type = 'text/plain; charset=utf-8',
): void => {
  response.writeHead(200, [
    'Content-Type',
    type,
    'Content-Length',
    String(Buffer.byteLength(text)),
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    requestId,
  ])
  response.end(text)
}
