/**
 * May this service be reached by others?
 *
 * What is shipped for trying, passwords that everybody can read and operators' routes without a token, must not end up on a
 * network by mistake. A service that listens beyond its own machine refuses to start so, unless it is told in so many words.
 */
import { isIP } from 'node:net'
import type { Auth } from './auth.ts'
import { ConfigError } from './config.ts'

/** The passwords in `env/*.env` begin so: they are in the repository. */
export const DEV_PASSWORD = /^dev-/

export type Exposure = {
  readonly host: string
  readonly auth: Auth
  readonly operatorToken: string
  /** Every Redis address with its password, by the variable it was read from. */
  readonly redisUrls: Readonly<Record<string, string>>
  readonly allowDevPasswords: boolean
}

/** Is that an address of this machine alone? */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/** What is wrong with such a service, a sentence each. */
export const exposureFaults = ({
  host,
  auth,
  operatorToken,
  redisUrls,
  allowDevPasswords,
}: Exposure): readonly string[] => {
  if (allowDevPasswords || isLoopback(host)) return []
  const known = Object.entries(redisUrls).filter(([, url]) => DEV_PASSWORD.test(new URL(url).password))
  const faults = known.map(([variable]) => `${variable} has a password that everybody knows ("dev-...")`)
  if (operatorToken === '' && auth !== 'jwt')
    faults.push("OPERATOR_TOKEN is missing, so the operators' routes would be open")
  return faults
}

/** @throws ConfigError naming everything that must not be reached from elsewhere. */
export const refuseExposed = (exposure: Exposure): void => {
  const faults = exposureFaults(exposure)
  if (faults.length === 0) return
  throw new ConfigError(
    `it would be reached on ${exposure.host}, but ${faults.join('; ')}. Change that, or say ALLOW_DEV_PASSWORDS=yes to try it`,
  )
}
