import test from 'ava'
import { callerIn, callerText, reaches, SCOPES, SERVICE } from '../../../shared/http/caller.ts'

for (const subject of ['anna', 'auth0|7', 'Anna Müller', 'a,b service', '%', '\n'])
  test(`a caller is read as it was written: ${JSON.stringify(subject)}`, (t) => {
    const caller = { scope: 'customer', subject } as const
    t.regex(callerText(caller), /^customer [\x21-\x7e]+$/)
    t.deepEqual(callerIn(callerText(caller)), caller)
  })

test('a service has no name', (t) => {
  t.is(callerText(SERVICE), 'service')
  t.deepEqual(callerIn('service'), SERVICE)
})

for (const text of [
  '',
  ' ',
  'anna',
  'Customer anna',
  'customer%20anna',
  ' customer anna',
  'customer %',
  'service, service',
  'customer anna, operator root',
])
  test(`nobody is written so: ${JSON.stringify(text)}`, (t) => {
    t.is(callerIn(text), undefined)
  })

test('each scope may ask what those before it may, and not what those behind it may', (t) => {
  for (const [has, scope] of SCOPES.entries())
    t.deepEqual(
      SCOPES.map((wanted) => reaches({ scope, subject: '' }, wanted)),
      SCOPES.map((_, wanted) => has >= wanted),
      scope,
    )
})
