/**
 * Do all services want the same operator token?
 *
 * It is set for each service by itself, so one may be forgotten: its operators' routes are then open, or closed to everybody who
 * has the others' token. Each service tells a mark of its token (`shared/http/operators.ts`) with its readiness; here the marks are
 * compared, and what differs is an error in the log, once for each change.
 */

import type { Logger } from 'pino'
import { NO_TOKEN } from '../shared/http/operators.ts'

/** What one replica of a service has told. */
export type Marked = { readonly service: string; readonly mark: string }

/** Who wants what, in words; undefined where all want the same. */
export const differenceOf = (told: readonly Marked[]): string | undefined => {
  const groups = new Map<string, Set<string>>()
  for (const { service, mark } of told) groups.set(mark, (groups.get(mark) ?? new Set()).add(service))
  if (groups.size < 2) return undefined
  const named = (services: ReadonlySet<string>): string => [...services].sort().join(', ')
  const open = groups.get(NO_TOKEN)
  groups.delete(NO_TOKEN)
  const wanted = [...groups.values()].sort((a, b) => b.size - a.size || named(a).localeCompare(named(b)))
  return [
    ...(open ? [`open without one: ${named(open)}`] : []),
    ...wanted.map((services, at) => `${at === 0 ? 'one is wanted by' : 'another one by'}: ${named(services)}`),
  ].join('; ')
}

export type OperatorTokens = {
  /** To be called whenever a service has told something new. */
  readonly compare: (told: readonly Marked[]) => void
  /** What differs now, in words. */
  readonly wrong: () => string | undefined
}

export const openOperatorTokens = (log: Logger): OperatorTokens => {
  let wrong: string | undefined
  return {
    compare: (told) => {
      const now = differenceOf(told)
      if (now === wrong) return
      wrong = now
      if (now === undefined) log.info('OPERATOR_TOKEN is the same everywhere again')
      else log.error({ services: now }, 'OPERATOR_TOKEN is not the same in all services')
    },
    wrong: () => wrong,
  }
}
