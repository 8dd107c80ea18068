/**
 * Who asks in a drill, where clients bear tokens?
 *
 * Every customer has a token of its own, of an issuer of the drill's own; who sells has a key of a program; an operator looks.
 * All this changes by turns: another key of the issuer signs, another key of a program is used, and the one before the last is
 * not shown any more, or revoked. What comes next is known one turn before it is used, and what was used holds for one turn
 * after, as issuers do it; so nobody who bears what is right is ever refused, whatever dies meanwhile. What was revoked, and a
 * customer who asks for another's order, is to be refused.
 */
import { randomBytes } from 'node:crypto'
import { appendFile, writeFile } from 'node:fs/promises'
import { makeKey, revocation } from '../../gateway/auth/api-keys.ts'
import { AUDIENCE, ISSUER, Issuer, makeSigningKey, type SigningKey, sign } from '../support/shop/issuer.ts'

export type Who = { readonly customer: number } | 'merchant' | 'operator'
/** With what somebody asks. */
export type Bearing = (who: Who) => Promise<Readonly<Record<string, string>>>

/** Where clients need not say who they are. */
export const bearingNothing: Bearing = async () => ({})

/** The name by which a customer is known to the issuer, which is that of its wallet. */
const subjectOf = (customer: number): string => `customer-${customer}`

/** What is used in one turn. */
type Generation = {
  readonly signing: SigningKey
  readonly program: { readonly id: string; readonly key: string; readonly line: string }
  /** The tokens of this turn. */
  readonly tokens: Map<string, Promise<string>>
}

export type Identities = {
  /** The variables of all processes of the shop. */
  readonly variables: Readonly<Record<string, string>>
  readonly bearing: Bearing
  /** What a program bears that goes on from turn to turn: the key of the present one. */
  readonly program: Readonly<{ Authorization: string }>
  /** Begins the next turn. @returns the key of a program that was revoked with it, if one was */
  readonly turn: () => Promise<string | undefined>
  /** How many turns there were after the first. */
  readonly turns: () => number
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

const SECRET_BYTES = 24
const SCOPES = { merchant: 'merchant', operator: 'operator' } as const

const makeGeneration = async (turn: number): Promise<Generation> => {
  const { key, line } = makeKey('merchant', 'drill', new Date())
  const { id } = JSON.parse(line) as { id: string }
  return {
    signing: await makeSigningKey(`turn-${turn}`, 'EdDSA'),
    program: { id, key, line },
    tokens: new Map(),
  }
}

const tokenIn = ({ signing, tokens }: Generation, sub: string, scope?: string): Promise<string> => {
  const known = tokens.get(sub)
  if (known !== undefined) return known
  const made = sign(signing, { sub, scope })
  tokens.set(sub, made)
  return made
}

/** @param keyFile where the keys of programs are kept */
export const openIdentities = async (keyFile: string): Promise<Identities> => {
  const issuer = new Issuer()
  /** The last one, the one that is used, and the next one; none was before the first. */
  let last: Generation | undefined
  let present = await makeGeneration(0)
  let next = await makeGeneration(1)
  let turns = 0

  const show = (): void => {
    issuer.keys = [...(last ? [last] : []), present, next].map(({ signing }) => signing)
  }
  await writeFile(keyFile, present.program.line + next.program.line)
  show()
  await issuer.listen()

  const secretOf = async (who: Who): Promise<string> => {
    if (who === 'merchant') return present.program.key
    if (who === 'operator') return tokenIn(present, 'root', SCOPES.operator)
    return tokenIn(present, subjectOf(who.customer))
  }
  return {
    variables: {
      AUTH: 'jwt',
      AUTH_JWKS_URL: issuer.url.href,
      AUTH_ISSUER: ISSUER,
      AUTH_AUDIENCE: AUDIENCE,
      AUTH_KEYS: keyFile,
      GATEWAY_SECRET: randomBytes(SECRET_BYTES).toString('base64url'),
    },
    bearing: async (who) => ({ Authorization: `Bearer ${await secretOf(who)}` }),
    program: {
      get Authorization() {
        return `Bearer ${present.program.key}`
      },
    },
    turn: async () => {
      const revoked = last?.program
      const after = await makeGeneration(turns + 2)
      await appendFile(keyFile, after.program.line + (revoked ? revocation(revoked.id, new Date()) : ''))
      turns += 1
      ;[last, present, next] = [present, next, after]
      show()
      return revoked?.key
    },
    turns: () => turns,
    [Symbol.asyncDispose]: () => issuer.leave(),
  }
}
