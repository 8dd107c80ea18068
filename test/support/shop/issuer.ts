/** Issues tokens, and shows the keys by which they are verified, as an identity provider does. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

export const ISSUER = 'https://issuer.example'
export const AUDIENCE = 'shop'

export type SigningKey = { readonly kid: string; readonly alg: string; readonly secret: CryptoKey; readonly shown: JWK }

export const makeSigningKey = async (kid: string, alg = 'ES256'): Promise<SigningKey> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, secret: privateKey, shown: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

export type Claims = Readonly<Record<string, unknown>>

const HOUR_S = 3_600
export const nowS = (): number => Math.floor(Date.now() / 1_000)

/** A token with what each has, and these claims; those that are undefined it lacks. */
export const sign = ({ kid, alg, secret }: SigningKey, claims: Claims = {}): Promise<string> => {
  const all = { iss: ISSUER, aud: AUDIENCE, sub: 'anna', exp: nowS() + HOUR_S, ...claims }
  return new SignJWT(JSON.parse(JSON.stringify(all))).setProtectedHeader({ alg, kid }).sign(secret)
}

export class Issuer {
  keys: readonly SigningKey[] = []
  /** How often its keys were asked for. */
  asked = 0
  /** What it answers instead of its keys. */
  status = 200
  readonly #server: Server
  #port = 0

  constructor() {
    this.#server = createServer((_, response) => {
      this.asked += 1
      response.writeHead(this.status, { 'Content-Type': 'application/json', Connection: 'close' })
      response.end(JSON.stringify({ keys: this.keys.map(({ shown }) => shown) }))
    })
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#port}/keys`)
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Refuses connections. */
  async leave(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

/** One that shows a key, and ends with the test. */
export const openIssuer = async (t: ExecutionContext, ...keys: readonly SigningKey[]): Promise<Issuer> => {
  const issuer = new Issuer()
  issuer.keys = keys
  await issuer.listen()
  t.teardown(() => issuer.leave())
  return issuer
}
