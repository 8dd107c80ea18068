/**
 * How is it said that something was refused, or failed?
 *
 * As a problem document of RFC 9457. All documents of one *kind* have the same `type`, which never changes once published, and the
 * same title; those of one type have the same status. `detail` and what else a document has speak of this one.
 */

/** A problem document, served as `application/problem+json`. */
export type Problem<Name extends string = string> = {
  readonly type: `urn:shop:problem:${Name}`
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly [extension: string]: unknown
}

/** What the documents of one kind have in common. */
export type ProblemKind<Name extends string = string> = Pick<Problem<Name>, 'type' | 'title' | 'status'>

type Particulars = { readonly detail: string; readonly [extension: string]: unknown }

/** Builds a problem; `name` becomes the last part of its `type`. */
export const problem = <const Name extends string>(
  status: number,
  name: Name,
  title: string,
  detail: string,
  extensions: Readonly<Record<string, unknown>> = {},
): Problem<Name> => ({ type: `urn:shop:problem:${name}`, title, status, detail, ...extensions })

/**
 * A kind of problem, which is called to build one.
 * @param tell the detail of a document, and what else it has
 */
export const problemKind = <const Name extends string, const Args extends readonly unknown[]>(
  status: number,
  name: Name,
  title: string,
  tell: (...args: Args) => Particulars,
): ProblemKind<Name> & ((...args: Args) => Problem<Name>) => {
  const kind: ProblemKind<Name> = { type: `urn:shop:problem:${name}`, title, status }
  return Object.assign((...args: Args): Problem<Name> => ({ ...kind, ...tell(...args) }), kind)
}

/** The header by which a service says that it has not begun what was asked, so that any other replica may have it instead. */
export const NOT_STARTED_HEADER = 'x-not-started'

export const PROBLEM_TYPE = 'application/problem+json'
/** After how many seconds a client may send again what was answered 503. */
export const RETRY_AFTER_S = '1'
