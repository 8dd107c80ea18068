/**
 * How is it said that something was refused, or failed?
 *
 * As a problem document of RFC 9457. Its `type` names the kind of problem and never changes once published; `title` is the
 * same for all of a kind, `detail` speaks of this one.
 */

/** A problem document, served as `application/problem+json`. */
export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly [extension: string]: unknown
}

/** Builds a problem; `name` becomes the last part of its `type`. */
export const problem = (
  status: number,
  name: string,
  title: string,
  detail: string,
  extensions: Record<string, unknown> = {},
): Problem => ({ type: `urn:shop:problem:${name}`, title, status, detail, ...extensions })

/** The header by which a service says that it has not begun what was asked, so that any other replica may have it instead. */
export const NOT_STARTED_HEADER = 'x-not-started'
