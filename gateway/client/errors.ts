/** What can a request come to that does not succeed? */
import type { ProblemKind } from './contract.ts'

/** A problem document (RFC 9457). */
export type ProblemDocument = {
  readonly type: string
  readonly title?: string
  readonly status?: number
  readonly detail?: string
  readonly [extension: string]: unknown
}

const PREFIX = 'urn:shop:problem:'

/** The shop refuses it, or cannot do it. With 502, 503 and 504 the detail says whether it may have been done. */
export class ShopProblem extends Error {
  override readonly name = 'ShopProblem'
  readonly operation: string
  readonly status: number
  /** Which kind it is. A newer shop may have others than are known here. */
  readonly kind: ProblemKind
  readonly document: ProblemDocument
  /** Under which key it was sent, if it was: the same request may be sent again under it. */
  readonly key: string | undefined
  constructor(operation: string, status: number, document: ProblemDocument, key: string | undefined) {
    super(`${operation}: ${document.detail ?? document.title ?? `the shop has answered ${status}`}`)
    this.operation = operation
    this.status = status
    this.kind = document.type.replace(PREFIX, '') as ProblemKind
    this.document = document
    this.key = key
  }
}

/** There is no answer, or none of the shop. What was asked may have been done; `cause` says what happened the last time. */
export class ShopUnreachable extends Error {
  override readonly name = 'ShopUnreachable'
  readonly operation: string
  readonly key: string | undefined
  constructor(operation: string, key: string | undefined, cause: unknown) {
    super(`${operation}: the shop does not answer; it may or may not have been done`, { cause })
    this.operation = operation
    this.key = key
  }
}
