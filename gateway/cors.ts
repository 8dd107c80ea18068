/**
 * What is a browser told of whose page it has?
 *
 * Before a page of another site may send what could change something, its browser asks whether it may (a *preflight* of CORS), and
 * after any request whether the page may see the answer. Both are granted to the origins that were allowed, and to no other.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { foreignPage, type Visitors } from '../shared/http/visitors.ts'
import { sendProblem } from './proxy/answers.ts'

const METHODS = 'GET, HEAD, POST, PATCH, PUT, DELETE'
const REQUEST_HEADERS =
  'Authorization, Content-Type, Idempotency-Key, If-Lock-Token, If-Match, If-None-Match, Prefer, X-Request-Id'
const RESPONSE_HEADERS =
  'Allow, ETag, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Log-Id, X-Request-Id'
/** How long a browser may remember that it may. */
const REMEMBERED_S = '600'

export const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined

export const sendPreflight = (
  response: ServerResponse,
  origin: string,
  { isAllowed }: Visitors,
  requestId: string,
): void => {
  if (!isAllowed(origin)) return sendProblem(response, foreignPage(origin), requestId)
  response.writeHead(204, [
    ...['Access-Control-Allow-Origin', origin, 'Vary', 'Origin', 'X-Request-Id', requestId],
    ...['Access-Control-Allow-Methods', METHODS, 'Access-Control-Allow-Headers', REQUEST_HEADERS],
    ...['Access-Control-Max-Age', REMEMBERED_S],
  ])
  response.end()
}

/** Has the answer to come say that pages of this origin may see it, if they may. */
export const showTo = (response: ServerResponse, origin: string, { isAllowed }: Visitors): void => {
  if (!isAllowed(origin)) return
  response.setHeader('Access-Control-Allow-Origin', origin)
  response.setHeader('Access-Control-Expose-Headers', RESPONSE_HEADERS)
  response.setHeader('Vary', 'Origin')
}
