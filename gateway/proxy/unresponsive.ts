/** When is a replica given up that gives no sign of life? */

/**
 * A replica that is unresponsive for so long is frozen or cut off: a whole machine that is busy answers one poll or request in
 * this time. Short enough that another replica ends a checkout well within the ten seconds it may take.
 */
export const UNRESPONSIVE_REPEAT_MS = 2_000
/**
 * No request waits longer for one that is unresponsive: not even a checkout takes longer, and a batch gets its answer from one
 * that is not.
 */
export const UNRESPONSIVE_GIVE_UP_MS = 9_000

/** Is a sending to a replica broken off that is unresponsive for so long? Early only if it can be sent to another one. */
export const isToBeBrokenOff = (unresponsiveMs: number, canBeSentElsewhere: boolean): boolean =>
  unresponsiveMs >= UNRESPONSIVE_GIVE_UP_MS || (canBeSentElsewhere && unresponsiveMs >= UNRESPONSIVE_REPEAT_MS)

/** Breaks off a sending to a replica that is unresponsive. */
export class UnresponsiveError extends Error {
  override readonly name = 'UnresponsiveError'
  readonly isHopeless: boolean

  constructor(unresponsiveMs: number) {
    super(`no sign of life for ${Math.round(unresponsiveMs)} ms`)
    this.isHopeless = unresponsiveMs >= UNRESPONSIVE_GIVE_UP_MS
  }
}
