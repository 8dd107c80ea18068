/** How does a request come to its service? Once its body was read, which is bounded, and in the trace that it is of, if it is of one. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isOver, refuse } from '../../shared/http/connections.ts'
import type { Problem } from '../../shared/http/problem.ts'
import { bodyTooLarge } from './answers.ts'
import { BODY_MAX_BYTES, readBody } from './body.ts'
import { Exchange, type ExchangeOptions } from './exchange.ts'
import type { Passed } from './headers.ts'
import type { ReplicaSet } from './replica-set.ts'
import type { Sample } from './sampling.ts'

export type Forward = (
  service: ReplicaSet,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  passed: Passed,
) => void

export const openForward =
  (options: ExchangeOptions, sample: Sample): Forward =>
  (service, request, response, path, given) => {
    const passed = sample(given, service.name, request, response)
    if (passed.bodyBytes === 0) return new Exchange(options, service, request, response, path, passed, null).send()
    readBody(request, passed.bodyBytes, (read) => {
      if (read === 'too large') return refuseWith(request, response, bodyTooLarge(BODY_MAX_BYTES), passed.requestId)
      if (!isOver(request)) new Exchange(options, service, request, response, path, passed, read.body).send()
    })
  }

/** Refuses what breaks the bounds of a request, past the response, which only remembers the status: it is counted by that. */
export const refuseWith = (
  request: IncomingMessage,
  response: ServerResponse,
  fault: Problem,
  requestId: string,
): void => {
  response.statusCode = fault.status
  refuse(request, fault, requestId)
}
