/**
 * What kinds of failure are there?
 *
 * - A *refusal* is an answer, not an error: a value that a route turns into a problem document (4xx). It is never thrown.
 * - `MalformedError`: the request cannot be understood. Thrown while reading it, before any effect; answered 400.
 * - `InvalidNameError`: it is understood, but nothing may be named as it says. Thrown likewise; answered 422.
 * - `StaleLockTokenError`: the lock under which something was to be done has another holder. Any command of a request may find so,
 *   before any effect; answered 412.
 * - `UnavailableError` (the world): a Redis, a peer or a quorum is away. Thrown with its cause; what was asked may be
 *   asked again; answered 503 (or 424 where it is a peer that does not answer).
 * - Everything else is a fault of the program. It is not caught where it happens.
 */

/** The request cannot be done as it stands: `field` names the part of it that is wrong. */
abstract class FieldError extends Error {
  readonly field: string
  constructor(field: string, detail: string) {
    super(detail)
    this.field = field
  }
}

/** The request is malformed. */
export class MalformedError extends FieldError {
  override readonly name = 'MalformedError'
}

/** The request is about a thing by a name that none may have: `field` is how the name is called. */
export class InvalidNameError extends FieldError {
  override readonly name = 'InvalidNameError'
}

/** Refuses an amount that would make a sum which a number cannot hold exactly. @throws MalformedError */
export const sumTooLarge = (field: string): never => {
  throw new MalformedError(field, `"${field}" makes a sum beyond ${Number.MAX_SAFE_INTEGER}`)
}

/** The request bears the token of a lock, and the thing that it is about has seen a higher one, `newest`. */
export class StaleLockTokenError extends Error {
  override readonly name = 'StaleLockTokenError'
  readonly newest: number
  constructor(newest: number) {
    super(`the thing has seen the token ${newest}`)
    this.newest = newest
  }
}

/** Something this process depends on does not answer, so the outcome is unknown or nothing was done. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
  /** Where the client can ask for the outcome later, as a path. */
  readonly location: string | undefined
  /** It is certain that nothing was done of what was asked; else it may have been. */
  readonly nothingDone: boolean
  constructor(detail: string, options: { cause?: unknown; location?: string; nothingDone?: boolean } = {}) {
    super(detail, { cause: options.cause })
    this.location = options.location
    this.nothingDone = options.nothingDone ?? false
  }
}

/** To be thrown instead of an error of something later, where something was done before: that nothing was cannot be said any more. */
export const afterEffect = (error: unknown): unknown =>
  error instanceof UnavailableError && error.nothingDone
    ? new UnavailableError(error.message, { cause: error.cause, ...(error.location && { location: error.location }) })
    : error

/** For what is asked after that. @throws as `afterEffect` says */
export const throwAfterEffect = (error: unknown): never => {
  throw afterEffect(error)
}

/** A peer that had to be asked before anything could be done did not answer; nothing was done. */
export class PeerError extends Error {
  override readonly name = 'PeerError'
}

/** The codes of replies of a Redis that say "not now", as opposed to "never": the same command may succeed later. */
const TRANSIENT_REPLIES =
  /^(OOM|MISCONF|READONLY|UNBLOCKED|MOVED|ASK|LOADING|BUSY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|UNKILLABLE|NOAUTH|WRONGPASS|-?NOPERM)\b|Script killed by/

/**
 * Is this failure of a command the world's (the Redis is away, full, loading), so that it may be tried again?
 * A reply that says the command itself is wrong is not.
 */
export const isTransient = (error: unknown): boolean => {
  if (error instanceof UnavailableError) return true
  if (!(error instanceof Error)) return false
  if (error.name === 'ReplyError') return TRANSIENT_REPLIES.test(error.message)
  return (
    error.name === 'MaxRetriesPerRequestError' ||
    error.name === 'AbortError' ||
    /^(Command timed out|Connection is closed|Stream isn't writeable|connect E|read E|write E|Socket )/.test(
      error.message,
    ) ||
    'errno' in error
  )
}

/** A Redis that may forget what it acknowledged: a process must not start on it. */
export class UnsafeRedisError extends Error {
  override readonly name = 'UnsafeRedisError'
}

/** The code of an error of the system, as `ENOENT`; `undefined` if it has none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** What an error says, whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The tagged "cannot be" of invariants in memory, and of what comes in and was promised otherwise. */
export const impossible = (tag: string, value?: unknown): never => {
  throw new Error(`impossible (${tag}): ${JSON.stringify(value)}`)
}

/** The same where the types have exhausted all cases: a case that is missing, or new, is an error of the compiler. */
export const unreachable = (tag: string, value: never): never => impossible(tag, value)
