/**
 * Who may look at the shop?
 *
 * Operators. Where clients say who they are, the gateway knows them. Elsewhere the services judge the `OPERATOR_TOKEN`, if they want one: one that wants
 * it is asked by it; while none is there that could be asked, nobody can know. Where none wants one, anybody may look.
 */
import { CALLER_HEADER, callerIn, reaches } from '../../shared/http/caller.ts'
import { NO_TOKEN } from '../../shared/http/operators.ts'
import { type Problem, problem } from '../../shared/http/problem.ts'
import type { Step } from '../../shared/process/step.ts'
import type { ReplicaSet } from '../proxy/replica-set.ts'
import { prefixOf, SERVICES } from './questions.ts'
import { authorising } from './watchers.ts'

export type Refusal = { readonly problem: Problem; readonly challenge?: string }

/** Why one that bears these headers may not look, if it may not. */
export type RefuseToShow = (headers: readonly string[]) => Promise<Refusal | undefined>

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

const byCaller: RefuseToShow = async (headers) => {
  const said = headers[headers.indexOf(CALLER_HEADER) + 1] ?? ''
  const caller = callerIn(said)
  if (caller === undefined || caller.scope === 'anybody') return wantsToken()
  return reaches(caller, 'operator') ? undefined : wantsOperator()
}

const byServices =
  (services: ReadonlyMap<string, ReplicaSet>, step: Step): RefuseToShow =>
  async (headers) => {
    const wanting = SERVICES.filter((name) => services.get(name)?.tokenMarks.some((mark) => mark !== NO_TOKEN))
    if (wanting.length === 0) return undefined
    const borne = [...authorising(headers)]
    if (!borne.includes('authorization')) return wantsToken()
    for (const name of wanting) {
      const replica = services.get(name)?.pickReachable({ kind: 'short' })
      if (replica === undefined) continue
      try {
        const { statusCode, body } = await step(`judge-${name}`, () =>
          replica.pools.of({ kind: 'short' }).request({
            method: 'GET',
            path: `/${prefixOf(name)}/features`,
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

/** @param byToken whether clients say who they are, and the gateway knows */
export const openJudge = (byToken: boolean, services: ReadonlyMap<string, ReplicaSet>, step: Step): RefuseToShow =>
  byToken ? byCaller : byServices(services, step)
