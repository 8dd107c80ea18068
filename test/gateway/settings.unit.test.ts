import test from 'ava'
import { makeKey } from '../../gateway/auth/api-keys.ts'
import { checkEnvironment } from '../../gateway/settings.ts'
import { ConfigError } from '../../shared/process/config.ts'

const HERE = { HOST: '127.0.0.1' }
const { line } = makeKey('merchant', 'program', new Date())
const TOKENS = {
  ...{ AUTH: 'jwt', GATEWAY_SECRET: 'a-secret-of-the-gateway', AUTH_ISSUER: 'us', AUTH_AUDIENCE: 'shop' },
  AUTH_JWKS_URL: 'https://issuer.test/keys',
}

for (const [what, environment] of [
  ['nothing at all', HERE],
  ['tokens', TOKENS],
  ['keys of programs alone', { ...TOKENS, AUTH_JWKS_URL: '', AUTH_KEYS: JSON.stringify([JSON.parse(line)]) }],
  ['a file of keys that is not there yet', { ...TOKENS, AUTH_JWKS_URL: '', AUTH_KEYS: '/nowhere/keys' }],
  ['that all may do everything', { AUTH: 'open!', HOST: '0.0.0.0' }],
] as const)
  test(`a gateway may be told ${what}`, (t) => t.notThrows(() => checkEnvironment(environment)))

for (const [what, environment, message] of [
  [
    'that it is open to all by mistake',
    { HOST: '0.0.0.0' },
    /^it would be reached on 0\.0\.0\.0, .* AUTH=open! lets it be so$/,
  ],
  ['a limit that is none', { ...HERE, LIMIT_CREATES: '0' }, /LIMIT_CREATES must be/],
  ['proxies that are none', { ...HERE, TRUSTED_PROXIES: 'us' }, /TRUSTED_PROXIES /],
  ['a token that no header carries', { ...HERE, OPERATOR_TOKEN: 'a b' }, /OPERATOR_TOKEN must consist of/],
  [
    'to want tokens, and nothing else',
    { ...HERE, AUTH: 'jwt' },
    /wants a GATEWAY_SECRET of .*; AUTH=jwt wants AUTH_JWKS_URL or AUTH_JWKS, with AUTH_ISSUER and AUTH_AUDIENCE, and else AUTH_KEYS: /,
  ],
  [
    'of several things what is wrong',
    { ...TOKENS, GATEWAY_SECRET: '', AUTH_JWKS_URL: '', AUTH_JWKS: '{', AUTH_AUDIENCE: '', AUTH_KEYS: '[{}]' },
    /wants a GATEWAY_SECRET .*; AUTH_AUDIENCE is missing; AUTH_JWKS is no set of .*; AUTH_KEYS is no list of /,
  ],
  ['no secret', { ...TOKENS, GATEWAY_SECRET: '' }, /AUTH=jwt wants a GATEWAY_SECRET/],
  ['no issuer', { ...TOKENS, AUTH_ISSUER: '', AUTH_AUDIENCE: '' }, /AUTH_ISSUER is missing; AUTH_AUDIENCE is missing$/],
  ['nobody who could bear a token', { ...TOKENS, AUTH_JWKS_URL: '' }, /nobody could bear a token$/],
  ['two sets of keys', { ...TOKENS, AUTH_JWKS: '{}' }, /exclude each other; AUTH_JWKS is no set of /],
  [
    'a set of keys that is none',
    { ...TOKENS, AUTH_JWKS_URL: '', AUTH_JWKS: '{' },
    /: AUTH_JWKS is no set of public keys: /,
  ],
  ['keys of programs that are none', { ...TOKENS, AUTH_KEYS: '[{}]' }, /: AUTH_KEYS is no list of keys: /],
  ['what no process understands', { ...HERE, LOG_LEVEL: 'loud', AUTH: 'yes' }, /AUTH must be .*; LOG_LEVEL must be /],
] as const)
  test(`a gateway that is told ${what} is refused before it is started`, (t) => {
    const error = t.throws(() => checkEnvironment(environment), { instanceOf: ConfigError, message })
    t.false(error?.message.includes('\n'), 'one sentence')
  })
