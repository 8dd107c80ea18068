/**
 * Is the gateway ready?
 *
 * It is if it is not stopping and every service has a ready replica. A service whose replicas can all do a part only is still
 * asked, at once, so the gateway can do a part, too, and says so: what sits in front may ask another gateway. `?verbose` lists
 * how each service stands, and whether all want the same operator token.
 */

import type { ServerResponse } from 'node:http'
import type { Problem } from '../shared/http/problem.ts'
import { type Check, listed } from '../shared/http/readiness.ts'
import type { OperatorTokens } from './operator-tokens.ts'
import { impaired, notReady, sendProblem, sendText } from './proxy/answers.ts'
import type { ReplicaSet } from './proxy/replica-set.ts'

export type SendReadiness = (response: ServerResponse, requestId: string, isVerbose: boolean) => void

const checkOf = ({ name, isReady, isOfUse }: ReplicaSet): Check => {
  if (isReady) return { name, grade: 'blocks', wrong: undefined }
  if (isOfUse) return { name, grade: 'impairs', wrong: 'its replicas can do a part only' }
  return { name, grade: 'blocks', wrong: 'no replica is ready' }
}

/** What is wrong with the services, by the gravest of it, with the names of all that have no ready replica. */
const faultOf = (checks: readonly Check[]): Problem | undefined => {
  const wrong = checks.filter((check) => check.wrong !== undefined)
  const blocked = wrong.filter(({ grade }) => grade === 'blocks').map(({ name }) => name)
  const services = wrong.map(({ name }) => name)
  if (blocked.length > 0) return notReady(`no replica is ready of: ${blocked.join(', ')}`, services)
  return services.length > 0 ? impaired(services) : undefined
}

export const openReadiness = (
  services: readonly ReplicaSet[],
  tokens: OperatorTokens,
  isDraining: () => boolean,
): SendReadiness => {
  return (response, requestId, isVerbose) => {
    const checks = services.map(checkOf)
    const token: Check = { name: 'operator-token', grade: 'warns', wrong: tokens.wrong() }
    const more = isVerbose ? { checks: listed([...checks, token]) } : {}
    const fault = isDraining() ? notReady('draining', []) : faultOf(checks)
    if (fault) sendProblem(response, { ...fault, ...more }, requestId)
    else if (isVerbose) sendText(response, JSON.stringify({ ready: true, ...more }), requestId, 'application/json')
    else sendText(response, 'ready', requestId)
  }
}
