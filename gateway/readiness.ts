/**
 * Is the gateway ready?
 *
 * It is if it is not stopping and every service has a ready replica; `?verbose` lists that, and whether all services want the same
 * operator token.
 */

import type { ServerResponse } from 'node:http'
import { type Check, listed } from '../shared/http/readiness.ts'
import { notReady, sendProblem, sendText } from './proxy/answers.ts'
import type { ReplicaSet } from './proxy/replica-set.ts'
import type { Tokens } from './tokens.ts'

export type SendReadiness = (response: ServerResponse, requestId: string, isVerbose: boolean) => void

export const openReadiness = (
  services: readonly ReplicaSet[],
  tokens: Tokens,
  isDraining: () => boolean,
): SendReadiness => {
  const checks = (): readonly Check[] => [
    ...services.map(({ name, isReady }): Check => {
      return { name, grade: 'blocks', wrong: isReady ? undefined : 'no replica is ready' }
    }),
    { name: 'operator-token', grade: 'warns', wrong: tokens.wrong() },
  ]
  return (response, requestId, isVerbose) => {
    const more = isVerbose ? { checks: listed(checks()) } : {}
    const missing = services.filter(({ isReady }) => !isReady).map(({ name }) => name)
    const wrong = isDraining() ? 'draining' : `no replica is ready of: ${missing.join(', ')}`
    if (isDraining() || missing.length > 0)
      return sendProblem(response, { ...notReady(wrong, isDraining() ? [] : missing), ...more }, requestId)
    if (isVerbose) sendText(response, JSON.stringify({ ready: true, ...more }), requestId, 'application/json')
    else sendText(response, 'ready', requestId)
  }
}
