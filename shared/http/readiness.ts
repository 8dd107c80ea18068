/**
 * What does `/ready` tell?
 *
 * A service is ready as far as its *checks* find nothing. Each says in words what is wrong, and how grave that is:
 *
 * - `blocks`: nothing can be done here. What sits in front waits a moment, for another replica or for this one.
 * - `impairs`: a part is refused, in time and truthfully, and the rest is done (out of memory, what is there can be looked
 *   at). A gateway with a choice asks another replica, and one without asks this one at once.
 * - `warns`: nothing is amiss yet. The service is ready.
 */
import { type Problem, problem } from './problem.ts'

export type Check = {
  readonly name: string
  readonly grade: 'blocks' | 'impairs' | 'warns'
  /** In words, if anything is. */
  readonly wrong: string | undefined
}

/** What is wrong of this grade, in one line; empty if nothing is. */
export const wrongOf = (checks: readonly Check[], grade: Check['grade']): string =>
  checks.flatMap((check) => (check.grade === grade ? (check.wrong ?? []) : [])).join('; ')

/** The checks as a verbose answer lists them. */
export const listed = (checks: readonly Check[]): readonly object[] =>
  checks.map(({ name, grade, wrong = null }) => ({ name, grade, wrong }))

/** Why a service is not ready, if it is not; by the gravest of what is wrong. */
export const notReady = (checks: readonly Check[], isVerbose: boolean): Problem | undefined => {
  const more = isVerbose ? { checks: listed(checks) } : {}
  const blocked = wrongOf(checks, 'blocks')
  if (blocked !== '') return problem(503, 'not-ready', 'Not ready', blocked, more)
  const impaired = wrongOf(checks, 'impairs')
  return impaired === '' ? undefined : problem(503, 'impaired', 'Ready for a part only', impaired, more)
}
