import test from 'ava'
import { MalformedError } from '../../../shared/errors.ts'
import { lockTokenIn } from '../../../shared/http/lock-token.ts'

test('a token is a positive integer in plain digits that a number holds exactly', (t) => {
  for (const token of ['1', '28612916697', '9007199254740991']) t.is(lockTokenIn(token), token)
  for (const sent of [
    '',
    '0',
    '01',
    '-1',
    '+1',
    '1.0',
    '1e3',
    ' 1',
    '1, 2',
    '"1"',
    '9007199254740992',
    'token',
    ['1'],
  ]) {
    const error = t.throws(() => lockTokenIn(sent), { instanceOf: MalformedError }, String(sent))
    t.is(error?.field, 'If-Lock-Token')
  }
})

test('a customer, who holds no locks, sends no token; who may hold some does', (t) => {
  for (const scope of ['anybody', 'customer'] as const)
    t.throws(() => lockTokenIn('28612916697', { scope, subject: 'anna' }), { instanceOf: MalformedError }, scope)
  for (const scope of ['merchant', 'operator', 'service'] as const)
    t.is(lockTokenIn('28612916697', { scope, subject: 'till' }), '28612916697', scope)
})
