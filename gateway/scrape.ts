/**
 * Who may read the metrics of the gateway?
 *
 * Operators. Where clients say who they are, one that does so as an operator; else who bears the operators' token, if the gateway knows one; and
 * if it knows none, everybody, unless a service wants one: then it was forgotten here.
 */
import { timingSafeEqual } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { callerIn, reaches } from '../shared/http/caller.ts'
import { NO_TOKEN } from '../shared/http/operators.ts'
import { type Problem, problem } from '../shared/http/problem.ts'
import type { Metrics } from '../shared/metrics/metrics.ts'
import type { Authentication } from './auth/authentication.ts'
import { sendProblem, sendText } from './proxy/answers.ts'
import type { Passed } from './proxy/headers.ts'

export const METRICS_PATH = '/metrics'

export type ScrapeOptions = {
  readonly metrics: Metrics
  readonly authentication: Pick<Authentication, 'identify'> | undefined
  /** `''` if the gateway knows none. */
  readonly operatorToken: string
  /** The marks of the tokens that services want. */
  readonly marks: () => readonly string[]
}

export type SendMetrics = (response: ServerResponse, passed: Passed) => Promise<void>

type Refusal = { readonly problem: Problem; readonly challenge?: string }

const unauthorised = (): Refusal => ({
  problem: problem(401, 'unauthorised', 'A token is wanted', 'send "Authorization: Bearer <OPERATOR_TOKEN>"'),
  challenge: 'Bearer',
})
const forbidden = (detail: string): Refusal => ({
  problem: problem(403, 'forbidden', 'This is not the operator token', detail),
})
const forOperators = (): Refusal => ({
  problem: problem(403, 'insufficient-scope', 'The token does not allow this', 'this wants the scope "operator"'),
  challenge: 'Bearer error="insufficient_scope", scope="operator"',
})
const metricsOff = (): Problem =>
  problem(404, 'metrics-off', 'No metrics', 'this process measures nothing: it was started with METRICS=no')

export const openScrape = ({ metrics, authentication, operatorToken, marks }: ScrapeOptions): SendMetrics => {
  const wanted = Buffer.from(operatorToken)

  const refuseByToken = ({ authorization = '' }: Passed): Refusal | undefined => {
    if (operatorToken === '')
      return marks().some((mark) => mark !== NO_TOKEN) ? forbidden('the gateway was started without one') : undefined
    const given = /^Bearer +(.+)$/i.exec(authorization)?.[1]
    if (given === undefined) return unauthorised()
    const bytes = Buffer.from(given)
    const isIt = bytes.length === wanted.length && timingSafeEqual(bytes, wanted)
    return isIt ? undefined : forbidden('the bearer token is not the one this shop was started with')
  }

  const refusalOf = async (passed: Passed): Promise<Refusal | undefined> => {
    if (authentication === undefined) return refuseByToken(passed)
    const found = await authentication.identify(passed)
    if ('problem' in found) return found
    const caller = callerIn(found.caller)
    if (caller !== undefined && reaches(caller, 'operator')) return undefined
    return caller?.scope === 'anybody' ? unauthorised() : forOperators()
  }

  return async (response, passed) => {
    const refusal = await refusalOf(passed)
    if (response.destroyed) return
    if (refusal !== undefined) {
      if (refusal.challenge !== undefined) response.setHeader('WWW-Authenticate', refusal.challenge)
      return sendProblem(response, refusal.problem, passed.requestId)
    }
    const scraped = await metrics.scrape()
    if (response.destroyed) return
    if (scraped === undefined) return sendProblem(response, metricsOff(), passed.requestId)
    sendText(response, scraped.text, passed.requestId, scraped.type)
  }
}
