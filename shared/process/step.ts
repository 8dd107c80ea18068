/**
 * What is a step that touches another process?
 *
 * Whatever this process does to another one (a command to a Redis, a request to a peer, a lock) is a *step* with a
 * name, and there is no other way to do it. A step tells a transient failure as `UnavailableError`: the other may have
 * done it or not, and it may be done again. Any other error passes unchanged.
 *
 * So each step is also a place where this process can die between two acts, and each of these places has a name: the
 * *points* `{service}.{step}.before` and `{service}.{step}.after`. A step that is many commands in one (a batch of
 * entries) passes those of its parts, too. Tests and drills make the process die at a point: see `crash-points.ts`.
 */
import { isTransient, UnavailableError } from '../errors.ts'
import type { CrashPoints } from './crash-points.ts'

/** Does a step by its name, unique within the service; `parts` names the commands that run within it, in their order. */
export type Step = <Result>(
  name: string,
  run: () => Promise<Result>,
  parts?: () => readonly string[],
) => Promise<Result>

const NO_PARTS: readonly string[] = []

/** The steps of a service. Points are passed only if there are crash points. */
export const openStep = (service: string, points?: CrashPoints): Step => {
  const step: Step = async (name, run) => {
    try {
      return await run()
    } catch (error) {
      if (isTransient(error)) throw new UnavailableError(`${service} got no answer (${name})`, { cause: error })
      throw error
    }
  }
  if (points === undefined) return step
  return (name, run, parts) =>
    step(name, async () => {
      const names = [name, ...(parts?.() ?? NO_PARTS)]
      for (const one of names) points.pass(`${service}.${one}.before`)
      const result = await run()
      for (const one of names.toReversed()) points.pass(`${service}.${one}.after`)
      return result
    })
}
