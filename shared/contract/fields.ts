/**
 * Of what form is a field of a path, of a query or of a body?
 *
 * A field comes as text; one of a JSON body may be a number or more. Its schema says how it is read and what it may be; each
 * complaint is what the field must, in words: `"user" must be 1 to 64 letters, digits, "_" or "-"`.
 */
import * as v from 'valibot'
import { IDENTIFIER, IDENTIFIER_FORM, isIdentifier } from './dictionary.ts'

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

/** How a name is called: where the schema of a name says so, one that nothing may have is refused by 422, as in a body. */
export const nameField = (schema: v.GenericSchema): string | undefined => {
  const { isName } = v.getMetadata(schema)
  return typeof isName === 'string' ? isName : undefined
}

/** The name of a thing in a path, which clients make up. @param called how it is called where the thing is shown */
export const nameIn = <const Schema extends v.GenericSchema<string, string>>(called: string, schema: Schema) =>
  v.pipe(schema, v.metadata({ isName: called }))

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
 * holds exactly stand in no log, and Redis takes some of them for a fault of the caller; nor do zeros before a number.
 */
export const entryId = v.pipe(
  v.string(MUST_BE_ENTRY_ID),
  v.regex(/^(0|[1-9]\d{0,14})(-(0|[1-9]\d{0,14}))?$/, MUST_BE_ENTRY_ID),
  v.transform((text) => (text.includes('-') ? text : `${text}-0`)),
)

/**
 * An integer in a body: a JSON number, or a text, for a form has nothing else. Prices are written with decimals in many places, so
 * a text may say that there are none: `1000.00`.
 */
export const units = (min: number, max = Number.MAX_SAFE_INTEGER) => {
  const must = `be an integer from ${min} to ${max}`
  const digits = v.pipe(v.string(), v.regex(/^(0|[1-9]\d{0,15})(\.0+)?$/, must), v.transform(Number))
  return v.pipe(v.union([v.number(), digits], must), v.safeInteger(must), v.minValue(min, must), v.maxValue(max, must))
}

/**
 * Is there the day, and the hour, with which a time of RFC 3339 begins? `Date` takes the 30th of February for the 2nd of March, and
 * 24:00 for the midnight after. A leap second is none to `Date`, nor here.
 */
export const hasMoment = (time: string): boolean => {
  const [day, hour] = [time.slice(0, 10), time.slice(11, 13)]
  const ms = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day) && Number(hour) < 24
}

/** These fields, and no other: a client that says more counts on it. */
export const exactly = <const Entries extends v.ObjectEntries>(entries: Entries) =>
  v.strictObject(entries, ({ expected }) => {
    if (expected === 'never') return 'not be given: it would not be read'
    return expected === 'Object' ? 'be an object' : 'be given'
  })
