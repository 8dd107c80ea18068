/**
 * Who issues tokens where there is no identity provider?
 *
 * A shop that is started with `--auth` has a key pair of its own, which nobody keeps: the shop is told the public one, and some
 * tokens are made with the other. They end with the shop, whose next start makes another pair.
 */
import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { KeyScope } from '../../gateway/auth/api-keys.ts'

const ALG = 'EdDSA'
const NAME = 'npm-start'
const AUDIENCE = 'shop'
const DAYS = 30
const SECRET_BYTES = 24

export type OwnIssuer = {
  /** The variables of all processes of the shop. */
  readonly variables: Readonly<Record<string, string>>
  readonly issue: (scope: KeyScope, subject: string) => Promise<string>
}

/** @param keyFile where keys of programs are kept */
export const makeOwnIssuer = async (keyFile: string): Promise<OwnIssuer> => {
  const { publicKey, privateKey } = await generateKeyPair(ALG)
  const shown = { ...(await exportJWK(publicKey)), kid: NAME, alg: ALG, use: 'sig' }
  return {
    variables: {
      AUTH: 'jwt',
      AUTH_JWKS: JSON.stringify({ keys: [shown] }),
      AUTH_ISSUER: NAME,
      AUTH_AUDIENCE: AUDIENCE,
      AUTH_KEYS: keyFile,
      GATEWAY_SECRET: randomBytes(SECRET_BYTES).toString('base64url'),
    },
    issue: (scope, subject) =>
      new SignJWT({ scope })
        .setProtectedHeader({ alg: ALG, kid: NAME })
        .setIssuer(NAME)
        .setAudience(AUDIENCE)
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime(`${DAYS}d`)
        .sign(privateKey),
  }
}
