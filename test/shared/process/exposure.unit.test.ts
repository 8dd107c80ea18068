import test from 'ava'
import { ConfigError } from '../../../shared/process/config.ts'
import { type Exposure, exposureFaults, refuseExposed } from '../../../shared/process/exposure.ts'

const safe: Exposure = {
  host: '0.0.0.0',
  auth: 'open',
  operatorToken: 'a-token',
  redisUrls: { REDIS_URL: 'redis://:secret@order-redis:6379', STOCK_REDIS_URL: 'redis://order:other@stock-redis:6379' },
  allowDevPasswords: false,
}

test('a service with a token and passwords of its own may be reached from everywhere', (t) => {
  t.notThrows(() => refuseExposed(safe))
})

test('a password that is in the repository is named, with its variable', (t) => {
  const redisUrls = { ...safe.redisUrls, STOCK_REDIS_URL: 'redis://order:dev-order-visits-stock@stock-redis:6379' }
  const error = t.throws(() => refuseExposed({ ...safe, redisUrls }), { instanceOf: ConfigError })
  t.regex(error.message, /STOCK_REDIS_URL has a password that everybody knows/)
  t.notRegex(error.message, /; /)
})

test('without a token the operators’ routes would be open', (t) => {
  t.regex(exposureFaults({ ...safe, operatorToken: '' }).join(), /OPERATOR_TOKEN is missing/)
})

test('where clients bear tokens the operators’ routes are not open without one of their own', (t) => {
  t.deepEqual(exposureFaults({ ...safe, auth: 'jwt', operatorToken: '' }), [])
})

for (const host of ['127.0.0.1', '127.8.0.1', 'localhost', '::1'])
  test(`whoever listens on ${host} alone needs neither`, (t) => {
    t.deepEqual(exposureFaults({ ...safe, host, operatorToken: '' }), [])
  })

test('whoever says ALLOW_DEV_PASSWORDS=yes may try it', (t) => {
  t.deepEqual(exposureFaults({ ...safe, operatorToken: '', allowDevPasswords: true }), [])
})
