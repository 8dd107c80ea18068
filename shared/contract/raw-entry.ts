/**
 * How is an entry written?
 *
 * On the wire an entry is one field: its name is the kind, its value all the rest in one text,
 * `version=1 log_id=... order=... total=3 lines=tea:1,cup:2`. No name or value holds a blank. A subscriber checks that text
 * by one expression and has it applied untouched. Its stream id says when. Entries of an older version are *flat*: `kind`,
 * `version`, `log_id` and each fact are fields of their own. They are understood as well; an older version, to which one of
 * this form has no kind, puts it aside in its dead letters.
 */

/** An entry as Redis gives it: its stream id, and its fields and values in turn. */
export type RawEntry = readonly [id: string, fields: readonly string[]]

/** The text of an entry of the present form; `undefined` if it is flat. */
export const packedText = ([, fields]: RawEntry): string | undefined =>
  fields.length === 2 && fields[1]?.startsWith('version=') ? fields[1] : undefined

export const isFlat = (entry: RawEntry): boolean => packedText(entry) === undefined

/** The fields of an entry, its kind first, as names and values. A piece of its text that is neither has the name `''`. */
export const fieldsOf = (entry: RawEntry): readonly (readonly [name: string, value: string])[] => {
  const text = packedText(entry)
  const [, fields] = entry
  const pairs: [string, string][] = []
  if (text === undefined) {
    for (let at = 0; at < fields.length; at += 2) pairs.push([fields[at] ?? '', fields[at + 1] ?? ''])
    return pairs
  }
  pairs.push(['kind', fields[0] ?? ''])
  for (const piece of text.split(' ')) {
    const end = piece.indexOf('=')
    pairs.push(end < 1 ? ['', piece] : [piece.slice(0, end), piece.slice(end + 1)])
  }
  return pairs
}

/** The value of one field of an entry, read without a list of the others. */
export const field = (entry: RawEntry, name: string): string | undefined => {
  const text = packedText(entry)
  if (text === undefined) return fieldsOf(entry).find(([one]) => one === name)?.[1]
  if (name === 'kind') return entry[1][0]
  const words = `${name}=`
  const found = text.startsWith(words) ? 0 : text.indexOf(` ${words}`)
  if (found === -1) return undefined
  const from = text.indexOf('=', found) + 1
  const end = text.indexOf(' ', from)
  return end === -1 ? text.slice(from) : text.slice(from, end)
}

export const kindOf = (entry: RawEntry): string | undefined => field(entry, 'kind')
