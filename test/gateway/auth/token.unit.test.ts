import { createHmac } from 'node:crypto'
import test from 'ava'
import { type CryptoKey, createLocalJWKSet, exportSPKI, importJWK, type JWK } from 'jose'
import type { Reason } from '../../../gateway/auth/token.ts'
import { openVerify } from '../../../gateway/auth/token.ts'
import { AUDIENCE, type Claims, ISSUER, makeSigningKey, nowS, sign } from '../../support/shop/issuer.ts'

const CLOCK_SKEW_S = 30
const ours = await makeSigningKey('ours', 'RS256')
const others = await makeSigningKey('ours', 'RS256')
const unknown = await makeSigningKey('unknown', 'RS256')
const verify = openVerify({
  keyOf: createLocalJWKSet({ keys: [ours.shown] }),
  issuer: ISSUER,
  audience: AUDIENCE,
  clockSkewS: CLOCK_SKEW_S,
})

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'anna', exp: nowS() + 60, scope: 'operator' }
/** Signed by whatever everybody knows, for a reader that takes it for a shared secret. */
const confused = (secret: string): string => {
  const signed = `${encode({ alg: 'HS256', kid: 'ours' })}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
const spki = await exportSPKI((await importJWK(ours.shown as JWK, 'RS256')) as CryptoKey)
const token = await sign(ours)
const [head = '', body = '', signature = ''] = token.split('.')
const because = (over: Claims): Promise<string> => sign(ours, over)

const wrong: Readonly<Record<string, readonly [Reason, string]>> = {
  'has ended': ['ended', await because({ exp: nowS() - CLOCK_SKEW_S - 1 })],
  'is not valid yet': ['not-yet', await because({ nbf: nowS() + CLOCK_SKEW_S + 60 })],
  'is of another issuer': ['issuer', await because({ iss: 'https://other.example' })],
  'is of no issuer': ['issuer', await because({ iss: undefined })],
  'is for another audience': ['audience', await because({ aud: ['other', 'shop2'] })],
  'is for no audience': ['audience', await because({ aud: undefined })],
  'never ends': ['claims', await because({ exp: undefined })],
  'ends at a text': ['claims', await because({ exp: '9999999999' })],
  'has no subject': ['claims', await because({ sub: undefined })],
  'has an empty subject': ['claims', await because({ sub: '' })],
  'has a subject that is too long': ['claims', await because({ sub: 'a'.repeat(257) })],
  'has a subject that is no text': ['claims', await because({ sub: 7 })],
  'has a subject that cannot be written': ['claims', await because({ sub: '\ud800' })],
  'has a scope that is a number': ['scope', await because({ scope: 7 })],
  'has a scope that is nothing': ['scope', await because({ scope: null })],
  'has a scope of words by name': ['scope', await because({ scope: { operator: true } })],
  'has a scope of words and other things': ['scope', await because({ scope: ['operator', 7] })],
  'has a scope of lists': ['scope', await because({ scope: [['operator']] })],
  'is signed by another key of the same name': ['signature', await sign(others)],
  'is signed by a key that nobody shows': ['unknown-key', await sign(unknown)],
  'says none': ['unsigned', `${encode({ alg: 'none' })}.${encode(claims)}.`],
  'says None': ['unsigned', `${encode({ alg: 'None', kid: 'ours' })}.${encode(claims)}.`],
  'says none, with a signature': ['unsigned', `${encode({ alg: 'none', kid: 'ours' })}.${encode(claims)}.${signature}`],
  'takes the public key for a shared secret': ['unsigned', confused(spki)],
  'takes the modulus for a shared secret': ['unsigned', confused(String((ours.shown as JWK).n))],
  'has another algorithm of its key': ['unknown-key', `${encode({ alg: 'PS256', kid: 'ours' })}.${body}.${signature}`],
  'brings its own key': [
    'signature',
    `${encode({ alg: 'RS256', jwk: others.shown })}.${(await sign(others)).split('.').slice(1).join('.')}`,
  ],
  'says other than what was signed': ['signature', `${head}.${encode(claims)}.${signature}`],
  'is not encoded': [
    'signature',
    `${encode({ alg: 'RS256', kid: 'ours', crit: ['b64'], b64: false })}.${body}.${signature}`,
  ],
  'wants what nobody knows': [
    'unsigned',
    `${encode({ alg: 'RS256', kid: 'ours', crit: ['x'], x: 1 })}.${body}.${signature}`,
  ],
  'has no signature': ['signature', `${head}.${body}.`],
  'is encrypted': ['malformed', `${head}.${body}.a.b.c`],
  'has a part of none': ['malformed', '..'],
  'is a word': ['malformed', 'token'],
  'has bytes that are no text': ['signature', `${head}.%00.${signature}`],
}
for (const [what, [reason, text]] of Object.entries(wrong))
  test(`a token that ${what} is refused: ${reason}`, async (t) => {
    t.is(await verify(text), reason)
  })

test('a token is its subject’s, and known until it ends', async (t) => {
  const exp = nowS() + 60
  const untilMs = (exp + CLOCK_SKEW_S) * 1_000
  t.deepEqual(await verify(await because({ exp })), { caller: { scope: 'customer', subject: 'anna' }, untilMs })
})

for (const [scope, wanted] of [
  ['openid profile', 'customer'],
  ['openid merchant', 'merchant'],
  ['merchant operator', 'operator'],
  ['merchants operator2 service anybody', 'customer'],
  ['merchant,operator', 'customer'],
  [['openid', 'merchant'], 'merchant'],
  [['merchant', 'operator'], 'operator'],
  [['openid', 'merchant operator'], 'operator'],
  [['merchants', 'service'], 'customer'],
  [[], 'customer'],
] as const)
  test(`of the scope ${JSON.stringify(scope)} is a ${wanted}`, async (t) => {
    t.like(await verify(await because({ scope })), { caller: { scope: wanted } })
  })

test('a token is taken by a clock that is a little wrong', async (t) => {
  for (const over of [{ exp: nowS() - CLOCK_SKEW_S + 10 }, { nbf: nowS() + CLOCK_SKEW_S - 10 }])
    t.like(await verify(await because(over)), { caller: { subject: 'anna' } })
})

for (const alg of ['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'])
  test(`${alg} is taken`, async (t) => {
    const key = await makeSigningKey('one', alg)
    const keyOf = createLocalJWKSet({ keys: [ours.shown, key.shown] })
    const one = openVerify({ keyOf, issuer: ISSUER, audience: AUDIENCE, clockSkewS: 0 })
    t.like(await one(await sign(key)), { caller: { subject: 'anna' } })
    t.like(await one(await sign(ours)), { caller: { subject: 'anna' } })
  })
