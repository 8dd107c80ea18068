/**
 * Who is let in, and what is a service told of who asks?
 *
 * Where clients say who they are, a request goes on once that is known, with the caller and the secret that makes a service
 * believe it; what the client authorised itself with stays here. Elsewhere it goes on with that, for a service to judge. What is
 * beyond the limits of the caller goes nowhere; a caller whose token is wrong is an address.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { CALLER_HEADER, GATEWAY_HEADER } from '../shared/http/caller.ts'
import { isOver } from '../shared/http/connections.ts'
import { type Authentication, type Identified, isUndecided, type Unidentified } from './auth/authentication.ts'
import type { Limits } from './limits/limits.ts'
import { sendProblem } from './proxy/answers.ts'
import type { Passed } from './proxy/headers.ts'
import type { StillHolds } from './proxy/streams.ts'

export type AdmissionOptions = {
  /** Finds out who asks; without it clients need not say. */
  readonly authentication?: Pick<Authentication, 'identify'> | undefined
  /** What tells a service that the gateway asks; `''`: nothing. */
  readonly gatewaySecret?: string
  /** How much a client may ask for; all it likes, if nothing is said. */
  readonly limits?: Limits | undefined
}

export type Admit = (
  path: string,
  passed: Passed,
  request: IncomingMessage,
  response: ServerResponse,
  then: () => void,
) => void

/** Whether what a client bears still lets it in; also while nobody can know. Undefined where clients need not say who they are. */
export const stillHoldsBy = ({ authentication }: AdmissionOptions): StillHolds | undefined =>
  authentication &&
  (async (borne) => {
    const found = await authentication.identify(borne)
    return 'caller' in found || isUndecided(found)
  })

export const openAdmission = ({ authentication, gatewaySecret = '', limits }: AdmissionOptions): Admit => {
  const bySecret = gatewaySecret === '' ? [] : [GATEWAY_HEADER, gatewaySecret]

  /** Whether the client is told that it has asked for too much. */
  const isExcess = (
    path: string,
    { address, requestId }: Passed,
    response: ServerResponse,
    caller?: string,
  ): boolean => {
    const excess = limits?.take(response.req.method ?? '', path, { address, caller }, response)
    if (excess !== undefined) sendProblem(response, excess, requestId)
    return excess !== undefined
  }

  if (authentication === undefined)
    return (path, passed, _, response, then) => {
      if (isExcess(path, passed, response)) return
      passed.headers.push(...bySecret)
      if (passed.authorization !== undefined) passed.headers.push('authorization', passed.authorization)
      then()
    }

  return (path, passed, request, response, then) => {
    const go = (found: Identified | Unidentified): void => {
      if (isOver(request) || response.destroyed) return
      const isKnown = 'caller' in found
      if (isExcess(path, passed, response, isKnown ? found.caller : undefined)) return
      if (!isKnown) {
        if (found.challenge !== undefined) response.setHeader('WWW-Authenticate', found.challenge)
        if (found.retryAfterS !== undefined) response.setHeader('Retry-After', String(found.retryAfterS))
        return sendProblem(response, found.problem, passed.requestId)
      }
      passed.headers.push(...bySecret, CALLER_HEADER, found.caller)
      then()
    }
    const found = authentication.identify(passed)
    if (found instanceof Promise) void found.then(go)
    else go(found)
  }
}
