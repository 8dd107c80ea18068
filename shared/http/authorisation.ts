/**
 * May this request be served?
 *
 * Where tokens are wanted, only what comes from the gateway or a peer, and of that what the caller's scope reaches. Elsewhere
 * everything, but for operators' routes once a token is set for these.
 */
import type { Context } from 'koa'
import type { Logger } from 'pino'
import type { Auth } from '../process/auth.ts'
import { openIsSecret } from '../process/secret.ts'
import { ANYBODY, CALLER_HEADER, type Caller, callerIn, GATEWAY_HEADER, reaches, type Scope } from './caller.ts'
import { openOperators } from './operators.ts'
import type { Problem } from './problem.ts'
import { insufficientScope, pastTheGateway, unauthorised } from './problems.ts'

/** Who asks, where that is known; or why it is not served. */
export type Admitted = { readonly caller: Caller | undefined } | { readonly problem: Problem }

export type Authorisation = {
  /** Looked at before anything else of a request. */
  readonly refuse: (ctx: Context) => Problem | undefined
  readonly admit: (ctx: Context, scope: Scope) => Admitted
  /** The same of a request for metrics, which does not come by the gateway: it bears the operators' token, once there is one. */
  readonly refuseScrape: (ctx: Context) => Problem | undefined
}

export type AuthorisationOptions = {
  readonly auth?: Auth | undefined
  /** What the gateway and the peers bear; not `''` where tokens are wanted. */
  readonly gatewaySecret?: string | undefined
  readonly operatorToken: string
  readonly log: Logger
}

const openByTokens = (gatewaySecret: string): Omit<Authorisation, 'refuseScrape'> => {
  const isSecret = openIsSecret(gatewaySecret)
  const callerOf = (ctx: Context): Caller | undefined => {
    const said = ctx.get(CALLER_HEADER)
    return said === '' ? ANYBODY : callerIn(said)
  }
  return {
    refuse: (ctx) => (isSecret(ctx.get(GATEWAY_HEADER)) ? undefined : pastTheGateway()),
    admit: (ctx, scope) => {
      const caller = callerOf(ctx)
      if (caller === undefined) return { problem: pastTheGateway() }
      if (reaches(caller, scope)) return { caller }
      if (caller.scope === 'anybody') {
        ctx.set('WWW-Authenticate', 'Bearer')
        return { problem: unauthorised('token') }
      }
      ctx.set('WWW-Authenticate', `Bearer error="insufficient_scope", scope="${scope}"`)
      return { problem: insufficientScope(scope) }
    },
  }
}

export const openAuthorisation = ({
  auth = 'open',
  gatewaySecret = '',
  operatorToken,
  log,
}: AuthorisationOptions): Authorisation => {
  const operators = openOperators(operatorToken, log)
  if (auth === 'jwt') {
    const refuseScrape = operatorToken === '' ? () => pastTheGateway() : operators.refuse
    return { ...openByTokens(gatewaySecret), refuseScrape }
  }
  return {
    refuseScrape: operators.refuse,
    refuse: () => undefined,
    admit: (ctx, scope) => {
      const problem = scope === 'operator' ? operators.refuse(ctx) : undefined
      return problem ? { problem } : { caller: undefined }
    },
  }
}
