/** What can go wrong with a lock? */

/** The service refuses it, and would refuse it again: `status` and `problem` are of its answer. */
export class LockRefusedError extends Error {
  override readonly name: string = 'LockRefusedError'
  readonly status: number
  readonly problem: Readonly<Record<string, unknown>>
  constructor(status: number, problem: Readonly<Record<string, unknown>>) {
    super(typeof problem.detail === 'string' ? problem.detail : `the lock service has answered ${status}`)
    this.status = status
    this.problem = problem
  }
}

/** Somebody else had it for as long as the caller would wait. */
export class LockTimeoutError extends Error {
  override readonly name = 'LockTimeoutError'
  constructor(lock: string, waitMs: number) {
    super(`lock "${lock}" was not to be had within ${waitMs} ms`)
  }
}

/** It was held, and is not any more: `ended` says why, as the service does; `cause` is the error of the work that was done under it. */
export class LockLostError extends Error {
  override readonly name = 'LockLostError'
  readonly ended: string
  constructor(lock: string, ended: string, cause?: unknown) {
    super(`lock "${lock}" is lost: its lease is ${ended}`, cause === undefined ? {} : { cause })
    this.ended = ended
  }
}

/** The service could not be asked for so long. What was asked may have been done. */
export class LockUnavailableError extends Error {
  override readonly name = 'LockUnavailableError'
  constructor(cause: unknown) {
    super('the lock service does not answer', { cause })
  }
}
