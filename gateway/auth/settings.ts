/** How is it set who is believed, and which settings contradict each other? */
import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import { type Auth, faultOfSecret } from '../../shared/process/auth.ts'
import { ConfigError, headerSecret, integer, text } from '../../shared/process/config.ts'
import { isLoopback } from '../../shared/process/exposure.ts'
import type { Step } from '../../shared/process/step.ts'
import { areGiven, givenApiKeys } from './api-keys.ts'
import { type Authentication, openAuthentication } from './authentication.ts'
import { type KeyFile, openKeyFile } from './key-file.ts'
import { givenKeys, type KeySet, remoteKeys } from './key-set.ts'
import { openVerify } from './token.ts'

export const tokenSettings = {
  jwksUrl: text('AUTH_JWKS_URL', ''),
  jwks: text('AUTH_JWKS', ''),
  issuer: text('AUTH_ISSUER', ''),
  audience: text('AUTH_AUDIENCE', ''),
  clockSkewS: integer('AUTH_CLOCK_SKEW_S', { min: 0, max: 300 }, 30),
  keys: text('AUTH_KEYS', ''),
  operatorToken: headerSecret('OPERATOR_TOKEN', ''),
}

export type TokenConfig = {
  readonly auth: Auth
  readonly gatewaySecret: string
  readonly host: string
  readonly jwksUrl: string
  readonly jwks: string
  readonly issuer: string
  readonly audience: string
  readonly clockSkewS: number
  /** Them or the name of their file. */
  readonly keys: string
  readonly operatorToken: string
}

/** @throws ConfigError where others than this machine could do everything, and nobody has said that they may */
const refuseOpen = ({ auth, host }: Pick<TokenConfig, 'auth' | 'host'>): void => {
  if (auth !== 'open' || isLoopback(host)) return
  throw new ConfigError(
    `it would be reached on ${host}, and whoever reaches it may do everything: AUTH=jwt wants tokens, AUTH=open! lets it be so`,
  )
}

const publicKeysIn = (jwks: string): KeySet => {
  try {
    return givenKeys(jwks)
  } catch (error) {
    throw new ConfigError(`AUTH_JWKS is no set of public keys: ${messageOf(error)}`)
  }
}

const apiKeysIn = (keys: string): ReturnType<typeof givenApiKeys> => {
  try {
    return givenApiKeys(keys)
  } catch (error) {
    throw new ConfigError(`AUTH_KEYS is no list of keys: ${messageOf(error)}`)
  }
}

/** Why it cannot be read, if it cannot. */
const faultOf = (read: () => unknown): readonly string[] => {
  try {
    read()
    return []
  } catch (error) {
    return [messageOf(error)]
  }
}

/** What is wrong with the settings by which it is known who asks, a sentence each. */
const faultsOf = (config: TokenConfig): readonly string[] => {
  const { jwksUrl, jwks, issuer, audience, keys, operatorToken } = config
  const hasIssuer = jwksUrl !== '' || jwks !== ''
  return [
    faultOfSecret(config) ?? [],
    !hasIssuer && keys === '' && operatorToken === ''
      ? 'AUTH=jwt wants AUTH_JWKS_URL or AUTH_JWKS, with AUTH_ISSUER and AUTH_AUDIENCE, and else AUTH_KEYS: nobody could bear a token'
      : [],
    jwksUrl !== '' && jwks !== '' ? 'AUTH_JWKS_URL and AUTH_JWKS exclude each other' : [],
    jwksUrl !== '' && !/^https?:$/.test(URL.parse(jwksUrl)?.protocol ?? '')
      ? 'AUTH_JWKS_URL must be an http or https URL'
      : [],
    hasIssuer && issuer === '' ? 'AUTH_ISSUER is missing' : [],
    hasIssuer && audience === '' ? 'AUTH_AUDIENCE is missing' : [],
    jwks === '' ? [] : faultOf(() => publicKeysIn(jwks)),
    areGiven(keys) ? faultOf(() => apiKeysIn(keys)) : [],
  ].flat()
}

/** @throws ConfigError naming all that is missing or wrong, as far as it can be told before anything is opened */
export const refuseWrong = (config: TokenConfig): void => {
  refuseOpen(config)
  const faults = config.auth === 'jwt' ? faultsOf(config) : []
  if (faults.length > 0) throw new ConfigError(`the settings are not right: ${faults.join('; ')}`)
}

const keySetOf = (config: TokenConfig, step: Step, log: Logger, onChange: () => void): KeySet | undefined => {
  if (config.jwksUrl !== '') return remoteKeys({ url: new URL(config.jwksUrl), step, log, onChange })
  return config.jwks === '' ? undefined : publicKeysIn(config.jwks)
}

/** The keys of programs, of a file that may change, or as they are given. */
const apiKeysOf = (setting: string, log: Logger): KeyFile => {
  if (setting !== '' && !areGiven(setting)) return openKeyFile(setting, log)
  const keys = setting === '' ? new Map() : apiKeysIn(setting)
  return { keys: () => keys, stop: () => undefined }
}

export type OpenAuthentication = Authentication & { readonly stop: () => void }

/**
 * Undefined where clients need not say who they are.
 * @throws ConfigError naming what is missing or wrong
 */
export const authenticationOf = (config: TokenConfig, step: Step, log: Logger): OpenAuthentication | undefined => {
  refuseWrong(config)
  if (config.auth !== 'jwt') return undefined
  const apiKeys = apiKeysOf(config.keys, log)
  const keySet = keySetOf(config, step, log, () => authentication.forget())
  const { issuer, audience, clockSkewS, operatorToken } = config
  const authentication = openAuthentication({
    verify: keySet && openVerify({ keyOf: keySet.keyOf, issuer, audience, clockSkewS }),
    keys: apiKeys.keys,
    operatorToken,
    log,
  })
  return {
    ...authentication,
    stop: () => {
      keySet?.stop()
      apiKeys.stop()
    },
  }
}
