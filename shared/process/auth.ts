/**
 * Must clients say who they are?
 *
 * `open`: they need not, and may do everything but what wants the operators' token. `jwt`: they bear tokens, which the gateway
 * verifies, and a service listens to nobody who does not know the secret that it shares with the gateway and its peers.
 */
import { ConfigError, headerSecret, oneOf } from './config.ts'

/** `open!` is `open` where others can reach the shop, too. */
const AUTHS = ['open', 'open!', 'jwt'] as const
export type Auth = (typeof AUTHS)[number]

const SECRET_CHARACTERS_MIN = 16

export const authSettings = {
  auth: oneOf('AUTH', AUTHS, 'open'),
  gatewaySecret: headerSecret('GATEWAY_SECRET', ''),
}

type Secured = { readonly auth: Auth; readonly gatewaySecret: string }

/** What is wrong with the secret where tokens are wanted: anybody could say that it is the gateway. */
export const faultOfSecret = ({ auth, gatewaySecret }: Secured): string | undefined =>
  auth !== 'jwt' || gatewaySecret.length >= SECRET_CHARACTERS_MIN
    ? undefined
    : `AUTH=jwt wants a GATEWAY_SECRET of at least ${SECRET_CHARACTERS_MIN} characters, the same at the gateway and all services`

/** @throws ConfigError where anybody could say that it is the gateway */
export const refuseGuessable = (config: Secured): void => {
  const fault = faultOfSecret(config)
  if (fault !== undefined) throw new ConfigError(fault)
}
