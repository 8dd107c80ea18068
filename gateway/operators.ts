/**
 * Who may look at the shop: at the console, and at what the gateway measures?
 *
 * Operators. Where clients say who they are, the gateway knows them. Elsewhere who bears the `OPERATOR_TOKEN`, if the gateway was
 * given one; if not, the services judge, if one wants a token: one that does is asked by it; while none is there that could be
 * asked, nobody can know. Where nobody wants one, anybody may look.
 */

import type { ServerResponse } from 'node:http'
import { PREFIXES, SERVICES } from '../shared/contract/services.ts'
import { CALLER_HEADER, callerIn, reaches } from '../shared/http/caller.ts'
import { NO_TOKEN } from '../shared/http/operators.ts'
import { type Problem, problem } from '../shared/http/problem.ts'
import { openIsSecret } from '../shared/process/secret.ts'
import type { Step } from '../shared/process/step.ts'
import { authorising } from './console/watchers.ts'
import { sendProblem } from './proxy/answers.ts'
import type { Passed } from './proxy/headers.ts'
import type { ReplicaSet } from './proxy/replica-set.ts'

type Refusal = { readonly problem: Problem; readonly challenge?: string }

/** Why one may not look, if it may not. */
type Judge = (passed: Passed) => Promise<Refusal | undefined> | Refusal | undefined

export type OperatorsOptions = {
  /** Whether clients say who they are, and what is asked here bears that. */
  readonly byCaller: boolean
  /** `''` if the gateway was given none. */
  readonly operatorToken: string
  readonly services: ReadonlyMap<string, ReplicaSet>
  readonly step: Step
}

/** Answers those that are no operators, and goes on with the others. */
export type ForOperators = (response: ServerResponse, passed: Passed, then: () => void) => void

const LATE_MS = 3_000

const wantsToken = (): Refusal => ({
  problem: problem(401, 'unauthorised', 'A token is wanted', 'send "Authorization: Bearer <token>" of an operator'),
  challenge: 'Bearer',
})
const wantsOperator = (): Refusal => ({
  problem: problem(403, 'insufficient-scope', 'The token does not allow this', 'this wants the scope "operator"', {
    scope: 'operator',
  }),
  challenge: 'Bearer error="insufficient_scope", scope="operator"',
})
const wrongToken = (): Refusal => ({
  problem: problem(403, 'forbidden', 'This is not the operator token', 'the bearer token is not the one of this shop'),
})
const nobodyKnows = (): Refusal => ({
  problem: problem(
    503,
    'service-unavailable',
    'The service cannot be reached',
    'no service is there that could say whether this is the operator token; ask again',
  ),
})

const byCaller: Judge = ({ headers }) => {
  // Names and values stand in turn, and a client may give a header the name of this one as its value.
  const said = headers.find((_, at) => at % 2 === 1 && headers[at - 1] === CALLER_HEADER) ?? ''
  const caller = callerIn(said)
  if (caller === undefined || caller.scope === 'anybody') return wantsToken()
  return reaches(caller, 'operator') ? undefined : wantsOperator()
}

const byOwnToken = (operatorToken: string): Judge => {
  const isToken = openIsSecret(operatorToken)
  return ({ authorization = '' }) => {
    const given = /^Bearer +(.+)$/i.exec(authorization)?.[1]
    if (given === undefined) return wantsToken()
    return isToken(given) ? undefined : wrongToken()
  }
}

const byServices =
  (services: ReadonlyMap<string, ReplicaSet>, step: Step): Judge =>
  async ({ headers, authorization }) => {
    const wanting = SERVICES.filter((name) => services.get(name)?.tokenMarks.some((mark) => mark !== NO_TOKEN))
    if (wanting.length === 0) return undefined
    if (authorization === undefined) return wantsToken()
    const borne = [...authorising(headers)]
    for (const name of wanting) {
      const replica = services.get(name)?.pickReachable({ kind: 'short' })
      if (replica === undefined) continue
      try {
        const { statusCode, body } = await step(`judge-${name}`, () =>
          replica.pools.of({ kind: 'short' }).request({
            method: 'GET',
            path: `/${PREFIXES[name]}/features`,
            headers: borne,
            headersTimeout: LATE_MS,
          }),
        )
        await body.dump()
        if (statusCode === 200) return undefined
        if (statusCode === 401 || statusCode === 403) return wrongToken()
      } catch {
        // It broke off: another one may know.
      }
    }
    return nobodyKnows()
  }

const judgeOf = (options: OperatorsOptions): Judge => {
  if (options.byCaller) return byCaller
  return options.operatorToken === '' ? byServices(options.services, options.step) : byOwnToken(options.operatorToken)
}

/** What is asked comes here by `openAdmission`, which has found out who asks. */
export const openForOperators = (options: OperatorsOptions): ForOperators => {
  const judge = judgeOf(options)
  return (response, passed, then) => {
    const go = (refusal: Refusal | undefined): void => {
      if (response.destroyed) return
      if (refusal === undefined) return then()
      if (refusal.challenge !== undefined) response.setHeader('WWW-Authenticate', refusal.challenge)
      sendProblem(response, refusal.problem, passed.requestId)
    }
    const judged = judge(passed)
    if (judged instanceof Promise) void judged.then(go)
    else go(judged)
  }
}
