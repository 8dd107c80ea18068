import test from 'ava'
import pino from 'pino'
import { makeKey, revocation } from '../../../gateway/auth/api-keys.ts'
import { authenticationOf, tokenSettings } from '../../../gateway/auth/settings.ts'
import { authSettings } from '../../../shared/process/auth.ts'
import { ConfigError, readConfig, text } from '../../../shared/process/config.ts'
import { openStep } from '../../../shared/process/step.ts'
import { makeSigningKey } from '../../support/shop/issuer.ts'

const { shown } = await makeSigningKey('one')
const log = pino({ level: 'silent' })
const host = { host: text('HOST', '127.0.0.1') }
const open = (environment: Readonly<Record<string, string>>) => {
  const [auth, token] = readConfig(environment, { ...authSettings, ...host }, tokenSettings)
  return authenticationOf({ ...auth, ...token }, openStep('gateway'), log)
}

for (const environment of [{}, { AUTH: 'open' }, { AUTH: 'open!' }, { AUTH: 'open!', HOST: '0.0.0.0' }])
  test(`clients need not say who they are: ${JSON.stringify(environment)}`, (t) => {
    t.is(open(environment), undefined)
  })

const TOKENS = { AUTH: 'jwt', GATEWAY_SECRET: 'what-only-the-gateway-knows' }
for (const [what, environment, complaint] of [
  ['one who says that it may be open', { HOST: '0.0.0.0' }, /it would be reached on 0\.0\.0\.0/],
  ['a token that anybody could bear', TOKENS, /AUTH=jwt wants AUTH_JWKS_URL or AUTH_JWKS, .* and else AUTH_KEYS/],
  ['a secret', { AUTH: 'jwt', AUTH_KEYS: 'keys' }, /AUTH=jwt wants a GATEWAY_SECRET of at least 16 characters/],
  ['a long secret', { ...TOKENS, AUTH_KEYS: 'keys', GATEWAY_SECRET: 'short' }, /of at least 16 characters/],
  [
    'issuer and audience',
    { ...TOKENS, AUTH_JWKS_URL: 'https://a.example' },
    /_ISSUER is missing; AUTH_AUDIENCE is missing/,
  ],
  ['an address of keys', { ...TOKENS, AUTH_JWKS_URL: 'ftp://a' }, /AUTH_JWKS_URL must be an http or https URL/],
  ['one place of keys', { ...TOKENS, AUTH_JWKS_URL: 'https://a', AUTH_JWKS: '{}' }, /exclude each other/],
  [
    'keys',
    { ...TOKENS, AUTH_JWKS: '{"keys"', AUTH_ISSUER: 'a', AUTH_AUDIENCE: 'b' },
    /AUTH_JWKS is no set of public keys/,
  ],
  [
    'a key',
    { ...TOKENS, AUTH_JWKS: '{"keys":[]}', AUTH_ISSUER: 'a', AUTH_AUDIENCE: 'b' },
    /AUTH_JWKS is no set of public keys: it has no key by which a token could be verified/,
  ],
  [
    'a key of tokens',
    {
      ...TOKENS,
      AUTH_JWKS: '{"keys":[{"kty":"RSA","use":"enc"},{"kty":"AKP"}]}',
      AUTH_ISSUER: 'a',
      AUTH_AUDIENCE: 'b',
    },
    /it has no key by which a token could be verified/,
  ],
  ['keys that are a list', { ...TOKENS, AUTH_KEYS: '[{"id"' }, /AUTH_KEYS is no list of keys: /],
  [
    'keys that are understood',
    { ...TOKENS, AUTH_KEYS: '[{"id":"a"}]' },
    /no list of keys: line 1: its scope must be one/,
  ],
  ['a word that there is', { AUTH: 'yes' }, /AUTH must be one of open, open!, jwt, not "yes"/],
] as const)
  test(`a gateway does not start without ${what}`, (t) => {
    t.throws(() => open(environment), { instanceOf: ConfigError, message: complaint })
  })

test('one way to bear a token is enough', (t) => {
  const issuer = { AUTH_ISSUER: 'a', AUTH_AUDIENCE: 'b' }
  for (const one of [
    { OPERATOR_TOKEN: 'sesame' },
    { AUTH_KEYS: '/nowhere' },
    { AUTH_KEYS: '[]' },
    { AUTH_JWKS: JSON.stringify({ keys: [shown] }), ...issuer },
  ]) {
    const authentication = open({ ...TOKENS, ...one, HOST: '0.0.0.0' })
    t.truthy(authentication)
    authentication?.stop()
  }
})

test('keys may be given by their digests, without a file', async (t) => {
  const [till, gone] = [makeKey('merchant', 'till', new Date()), makeKey('operator', 'gone', new Date())]
  const lines = [till.line, gone.line, revocation(gone.key.split('_')[1] ?? '', new Date())]
  const authentication = open({ ...TOKENS, AUTH_KEYS: ` [${lines.join(',')}]` })
  const bears = (key: string) =>
    authentication?.identify({ authorization: `Bearer ${key}`, authorizations: 1, requestId: '', address: '' })
  t.like(await bears(till.key), { caller: 'merchant till' })
  t.like(await bears(gone.key), { problem: { status: 401 } })
  authentication?.stop()
})
