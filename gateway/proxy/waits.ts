/**
 * Which requests wait at their service until something happens, and what ends that when the gateway stops?
 *
 * A client that would wait says for how long (`Prefer: wait=20`): a preference, which need not be met. So its request is sent again
 * without it, and answered with how things stand. Others that are held for long, such as those that wait for a lock, are told that the
 * gateway stops. Either is done only with what may be sent twice.
 */

import { type Problem, problem } from '../../shared/http/problem.ts'

/** A wait is broken off towards the service, because the gateway stops. */
export class WaitOverError extends Error {
  override readonly name = 'WaitOverError'
}

const WAIT = /(^|,)\s*wait\s*=[^,]*/gi

/** The headers of a request, name, value, name, value, ..., without that it would wait; `undefined` if they do not say that. */
export const withoutWait = (headers: readonly string[]): string[] | undefined => {
  let waits = false
  const others = headers.map((text, at) => {
    if (at % 2 === 0 || headers[at - 1] !== 'prefer') return text
    const rest = text.replace(WAIT, '')
    waits ||= rest !== text
    return rest.replace(/^\s*,\s*/, '')
  })
  return waits ? others : undefined
}

export const stopping = (): Problem =>
  problem(
    503,
    'gateway-stopping',
    'The gateway is stopping',
    'it waits for nothing any more; send the same request again as it is',
  )
