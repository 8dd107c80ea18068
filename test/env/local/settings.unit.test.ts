/** A shop whose processes are set wrong is not started, and says all that is wrong in one sentence. */
import test from 'ava'
import { checkEnvironment } from '../../../env/local/settings.ts'
import { ConfigError } from '../../../shared/process/config.ts'

const HERE = { HOST: '127.0.0.1', PORT: '8000' }

for (const [what, environment] of [
  ['nothing else', {}],
  ['what the start itself says to each process', { REDIS_URL: 'none', ORDER_REDIS_URL: 'none', IDS_URLS: 'none' }],
  ['features that are off', { FEATURES_OFF: 'checkout,listOrders' }],
  ['settings of services', { LOCKS_MAX: '7', CHECKOUT_DEADLINE_MS: '200', LOG_PARSER_CRON: '* * * * *' }],
] as const)
  test(`a shop may be told ${what}`, (t) => t.notThrows(() => checkEnvironment({ ...HERE, ...environment })))

const NOT_RIGHT = 'the settings are not right: '
const AUTH = 'AUTH must be one of open, open!, jwt, not "jtw"'
for (const [what, environment, complaint] of [
  ['a word that all processes read', { AUTH: 'jtw' }, `${NOT_RIGHT}${AUTH}`],
  ['a number of ids', { LOCKS_MAX: '0' }, `${NOT_RIGHT}LOCKS_MAX must be an integer from 1 to 10000000, not "0"`],
  [
    'what the gateway would take, and services would not',
    { DRAIN_MS: '5001' },
    `${NOT_RIGHT}DRAIN_MS must be an integer from 0 to 5000, not "5001"`,
  ],
  [
    'several things',
    { AUTH: 'jtw', CHECKOUT_DEADLINE_MS: 'soon', LIMIT_CREATES: '0', LOG_LEVEL: 'loud' },
    `${NOT_RIGHT}${AUTH}; LIMIT_CREATES must be "1000": so many an hour, each from 1 to 1000000, or "off", not "0"; ` +
      'CHECKOUT_DEADLINE_MS must be an integer from 100 to 60000, not "soon"; ' +
      'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent, not "loud"',
  ],
  [
    'what goes together with nothing',
    { AUTH: 'jwt' },
    /AUTH=jwt wants a GATEWAY_SECRET .*; AUTH=jwt wants AUTH_JWKS_URL /,
  ],
  ['a feature that is none', { FEATURES_OFF: 'fly' }, 'FEATURES_OFF names what is no feature of the shop: fly'],
] as const)
  test(`a shop that is told ${what} is refused before anything is started`, (t) => {
    const error = t.throws(() => checkEnvironment({ ...HERE, ...environment }), { instanceOf: ConfigError })
    const message = error?.message ?? ''
    if (typeof complaint === 'string') t.is(message, complaint)
    else t.regex(message, complaint)
    t.false(message.includes('\n'), 'one sentence')
  })
