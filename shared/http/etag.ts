/**
 * Which version of a thing does a client mean?
 *
 * A thing that has a version is shown with an entity tag (RFC 9110, 8.8.3), which is the version in quotes: `"3"`. The tag is
 * strong: a version stands for one state, and for no other ever. A client that wants to change the thing sends the tag of what it
 * has seen (`If-Match`), so that it overwrites nothing that it has not.
 */

/** The versions from which a client wants to change a thing. */
export type WantedVersions = 'any' | readonly number[]

type Tag = { readonly isWeak: boolean; readonly opaque: string }

/** A tag, and what separates it from the next one: elements of a list may be empty (5.6.1). */
const TAG = /[\t ,]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[\t ]*(?=,|$)[\t ,]*/y
const VERSION = /^([1-9]\d{0,15})\+?$/
/** A client has seen few versions: what it sends is kept with its `Idempotency-Key`. */
const VERSIONS_MAX = 32

/** The tags of a list; `undefined` if it is no such list. */
const tagsIn = (list: string): readonly Tag[] | undefined => {
  const tags: Tag[] = []
  const pattern = new RegExp(TAG)
  while (pattern.lastIndex < list.length) {
    const found = pattern.exec(list)
    if (found === null) return undefined
    tags.push({ isWeak: found[1] !== undefined, opaque: found[2] ?? '' })
  }
  return tags.length === 0 ? undefined : tags
}

/**
 * @param isPartial it is shown without something that follows by itself, and does not make another version of it: the tag is
 * another one
 */
export const etagOf = (version: number, isPartial = false): string => `"${version}${isPartial ? '+' : ''}"`

/**
 * Reads `If-Match`. Tags are compared by the strong comparison (8.8.3.2): a weak one matches nothing, so it is left out.
 * @returns `undefined` if one of them is none that could have been shown, or they are too many
 */
export const wantedVersions = (ifMatch: string): WantedVersions | undefined => {
  if (ifMatch.trim() === '*') return 'any'
  const tags = tagsIn(ifMatch)
  const versionOf = ({ opaque }: Tag): number => Number(VERSION.exec(opaque)?.[1])
  if (tags === undefined || tags.length > VERSIONS_MAX || !tags.map(versionOf).every(Number.isSafeInteger))
    return undefined
  return tags.flatMap((tag) => (tag.isWeak ? [] : [versionOf(tag)]))
}

/** Whether a client that sends `If-None-Match` has seen what bears this strong tag, by the weak comparison (8.8.3.2). */
export const isSeen = (ifNoneMatch: string, etag: string): boolean =>
  ifNoneMatch.trim() === '*' || (tagsIn(ifNoneMatch)?.some(({ opaque }) => `"${opaque}"` === etag) ?? false)
