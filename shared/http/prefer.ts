/**
 * What would a client prefer?
 *
 * It says so by `Prefer` (RFC 7240), a list of preferences. A preference is no condition: what is not understood is passed over.
 */

const RETURN_REPRESENTATION = /(?:^|,)\s*return\s*=\s*(?:representation|"representation")\s*(?:;|,|$)/i

/** Does it want to be shown what it has changed? */
export const prefersRepresentation = (prefer: string | undefined): boolean =>
  prefer !== undefined && RETURN_REPRESENTATION.test(prefer)
