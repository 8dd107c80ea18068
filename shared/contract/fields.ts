/**
 * Of what form is a field of a path or of a query?
 *
 * A field comes as text. Its schema says how the text is read and what it may be; each complaint is what the field must, in
 * words: `"user" must be 1 to 64 letters, digits, "_" or "-"`.
 */
import * as v from 'valibot'
import { IDENTIFIER, IDENTIFIER_FORM, isIdentifier } from './events.ts'

const MUST_BE_IDENTIFIER = `be ${IDENTIFIER_FORM}`

/** The id of something. */
export const identifier = v.pipe(v.string(MUST_BE_IDENTIFIER), v.regex(IDENTIFIER, MUST_BE_IDENTIFIER))

/** Ids, separated by commas. */
export const identifiers = (most: number) => {
  const must = `be up to ${most} ids, separated by commas`
  return v.pipe(
    v.string(must),
    v.transform((text): readonly string[] => text.split(',')),
    v.check((ids) => ids.length <= most && ids.every(isIdentifier), must),
  )
}

/** An integer in decimal digits, without sign, point, exponent or leading zero; never rounded. */
export const integer = (min: number, max = Number.MAX_SAFE_INTEGER) => {
  const must = `be an integer from ${min} to ${max}`
  return v.pipe(
    v.string(must),
    v.regex(/^(0|[1-9]\d{0,15})$/, must),
    v.transform(Number),
    v.number(),
    v.minValue(min, must),
    v.maxValue(max, must),
  )
}

const MUST_BE_ENTRY_ID = 'be the id of an entry, as 1700000000000-0'

/**
 * The id of an entry as people write it; one without a sequence is the first of its millisecond. More digits than a number
 * holds exactly stand in no log, and Redis takes some of them for a fault of the caller.
 */
export const entryId = v.pipe(
  v.string(MUST_BE_ENTRY_ID),
  v.regex(/^\d{1,15}(-\d{1,15})?$/, MUST_BE_ENTRY_ID),
  v.transform((text) => (text.includes('-') ? text : `${text}-0`)),
)
