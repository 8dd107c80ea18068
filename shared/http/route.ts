/** What is a route? */
import type { Answer } from './answer.ts'
import type { Request } from './request.ts'

export type Handler = (request: Request) => Promise<Answer>

/** One row of a service's routes. An operator's route wants `OPERATOR_TOKEN` as a bearer token once that is set. */
export type Route = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly handler: Handler
  readonly operator?: boolean
  /** The path that shows what this one changes, with the same parameters: there a client looks whether it was done. */
  readonly shownAt?: string
}
