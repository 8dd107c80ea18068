/**
 * Which client is an operator, and what does one leave behind?
 *
 * A client that sends `OPERATOR_TOKEN` as a bearer token; any, while none is set. Strangers leave a warning, once a second at
 * most however many come, and what an operator had done (a POST) is told in the log; the token never is.
 */
import { createHash } from 'node:crypto'
import type { Context } from 'koa'
import type { Logger } from 'pino'
import { openIsSecret } from '../process/secret.ts'
import { openTelling } from '../process/telling.ts'
import { traceIdIn } from '../process/tracing.ts'
import { ADDRESS_HEADER } from './caller.ts'
import type { Problem } from './problem.ts'
import { forbidden, unauthorised } from './problems.ts'

/** The header in which a service says by `/ready` which token it wants: see `tokenMark`. */
export const TOKEN_MARK_HEADER = 'x-operator-token-mark'
/** The same of the secret by which it knows its gateway. */
export const SECRET_MARK_HEADER = 'x-gateway-secret-mark'
/** The mark of a service that wants none. */
export const NO_TOKEN = '-'
const MARK_DIGITS = 4

const markOf = (what: string, secret: string): string =>
  secret === '' ? NO_TOKEN : createHash('sha256').update(`shop ${what} ${secret}`).digest('hex').slice(0, MARK_DIGITS)

/**
 * By this one sees whether two services want the same token, and learns nothing of it: of 65,536 guesses one has the same mark.
 */
export const tokenMark = (token: string): string => markOf('operator token', token)

/** By this a gateway sees that a service listens to it alone. @param secret `''` where the service listens to everybody */
export const secretMark = (secret: string): string => markOf('gateway secret', secret)

export type Operators = {
  /** 401 without a bearer token, 403 with another than the operator's; undefined for an operator. */
  readonly refuse: (ctx: Context) => Problem | undefined
}

/** What is told of a request in a log. */
export const aboutRequest = ({ method, path, headers }: Context): Record<string, unknown> => ({
  requestId: headers['x-request-id'],
  trace_id: traceIdIn(headers.traceparent),
  method,
  path,
})

export const openOperators = (token: string, log: Logger): Operators => {
  const tell = openTelling(log, 'no operator: a request was refused')
  const isToken = openIsSecret(token)

  const judge = (ctx: Context): Problem | undefined => {
    const given = /^Bearer (.+)$/i.exec(ctx.get('authorization'))?.[1]
    if (given === undefined) {
      ctx.set('WWW-Authenticate', 'Bearer')
      return unauthorised('OPERATOR_TOKEN')
    }
    return isToken(given) ? undefined : forbidden()
  }

  return {
    refuse: (ctx) => {
      if (token === '') return undefined
      const refusal = judge(ctx)
      if (refusal) {
        const from = ctx.get(ADDRESS_HEADER) || ctx.req.socket.remoteAddress
        tell({ ...aboutRequest(ctx), status: refusal.status, from })
      }
      return refusal
    },
  }
}
