/** When is a replica given up that gives no sign of life? */

/**
 * A replica that is silent for so long is frozen or cut off: a whole machine that is busy answers one poll or request in this time. Short
 * enough that another replica ends a checkout well within the ten seconds it may take.
 */
export const SILENT_REPEAT_MS = 2_000
/** Nobody waits longer for one that is silent: not even a checkout takes longer, and a batch is answered by one that is not. */
export const SILENT_GIVE_UP_MS = 9_000

/** Breaks off a sending to a replica that is silent. */
export class SilentError extends Error {
  override readonly name = 'SilentError'
  readonly isHopeless: boolean

  constructor(silentMs: number) {
    super(`no sign of life for ${Math.round(silentMs)} ms`)
    this.isHopeless = silentMs >= SILENT_GIVE_UP_MS
  }
}
