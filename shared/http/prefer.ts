/**
 * What would a client prefer?
 *
 * It says so by `Prefer` (RFC 7240), a list of preferences. A preference is no condition: what is not understood is passed over.
 */
import * as v from 'valibot'

const RETURN_REPRESENTATION = /(?:^|,)\s*return\s*=\s*(?:representation|"representation")\s*(?:;|,|$)/i
const RESPOND_ASYNC = /(?:^|,)\s*respond-async\s*(?:;|,|$)/i
const WAIT = /(?:^|,)\s*wait\s*=\s*(?:(\d{1,9})|"(\d{1,9})")\s*(?:;|,|$)/i

/** Does it want to be shown what it has changed? */
export const prefersRepresentation = (prefer: string | undefined): boolean =>
  prefer !== undefined && RETURN_REPRESENTATION.test(prefer)

/** How a client would be answered whose request takes its time. */
export type Patience = {
  /** With where to ask, instead of waiting until it is done. */
  readonly respondAsync: boolean
  /** For how many seconds it would wait, if it says so. */
  readonly waitS: number | undefined
}

const NO_PREFERENCE: Patience = { respondAsync: false, waitS: undefined }

export const patienceIn = (prefer: string | undefined): Patience => {
  if (prefer === undefined) return NO_PREFERENCE
  const [, plain, quoted] = WAIT.exec(prefer) ?? []
  const seconds = plain ?? quoted
  return { respondAsync: RESPOND_ASYNC.test(prefer), waitS: seconds === undefined ? undefined : Number(seconds) }
}

/** The header of a row that may take its time. */
export const patience = v.pipe(v.optional(v.string()), v.transform(patienceIn))
