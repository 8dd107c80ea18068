/** Is a reply lost? At a crash point it may be: then its connection is broken off. */
import type { Dispatcher } from 'undici'
import { type CrashPoints, LostReplyError } from '../../shared/process/crash-points.ts'

export const isReplyLost = (
  crashPoints: CrashPoints | undefined,
  service: string,
  controller: Dispatcher.DispatchController,
): boolean => {
  if (crashPoints === undefined) return false
  try {
    crashPoints.pass(`gateway.forward-${service}.after`)
    return false
  } catch (error) {
    if (!(error instanceof LostReplyError)) throw error
    controller.abort(error)
    return true
  }
}
