import test from 'ava'
import { isIdentifier } from '../../../shared/contract/dictionary.ts'
import { doneByOf, idOf, isAnothers, keyOf, ownerOf } from '../../../shared/http/owner.ts'

test('a subject that may be an id is its own id', (t) => {
  for (const subject of ['anna', '7', 'a_b-C', 'x'.repeat(64)]) t.is(idOf(subject), subject)
})

test('any other has an id of the right form, always the same, and no other subject has it', (t) => {
  const subjects = ['auth0|123', 'auth0|124', 'a b', 'a%20b', 'ä', 'x'.repeat(65), 'anna@shop.example', ' anna', '']
  const ids = subjects.map(idOf)
  // Who calls itself like the hash of another has a hash, too.
  const impostors = ids.map(idOf)
  t.true([...ids, ...impostors].every(isIdentifier))
  t.is(new Set([...ids, ...impostors, 'sub_', idOf('sub_')]).size, 2 * subjects.length + 2)
  t.deepEqual(subjects.map(idOf), ids)
  t.is(idOf('auth0|123'), 'sub_QENEXq3u6ypdiFrzwTP2DvV1I6H_h7og7cxbbeOS62w')
})

test('a customer owns, and everybody else who asks may touch everything', (t) => {
  t.is(ownerOf({ scope: 'customer', subject: 'anna' }), 'anna')
  for (const scope of ['merchant', 'operator', 'service'] as const) t.is(ownerOf({ scope, subject: 'anna' }), undefined)
  t.is(ownerOf(undefined), undefined)
  t.true(isAnothers('anna', 'ben'))
  t.true(isAnothers(undefined, 'ben'))
  t.false(isAnothers('anna', 'anna'))
  t.false(isAnothers('anna', undefined))
})

test('merchants and operators leave their names, without blanks', (t) => {
  t.is(doneByOf({ scope: 'merchant', subject: 'a b' }), 'merchant:a%20b')
  t.is(doneByOf({ scope: 'operator', subject: '' }), 'operator')
  for (const scope of ['anybody', 'customer', 'service'] as const) t.is(doneByOf({ scope, subject: 'x' }), undefined)
  t.is(doneByOf(undefined), undefined)
})

test('each caller has keys of its own, and no two have the same', (t) => {
  const anna = keyOf({ scope: 'customer', subject: 'anna' }, 'k')
  t.is(keyOf(undefined, 'k'), 'k')
  t.not(anna, 'k')
  t.not(anna, keyOf({ scope: 'customer', subject: 'ben' }, 'k'))
  const all = [
    ...(['customer', 'merchant', 'operator'] as const).map((scope) => keyOf({ scope, subject: 'anna' }, 'k')),
    ...['auth0|1', '', 'merchant'].map((subject) => keyOf({ scope: 'customer', subject }, 'k')),
    keyOf({ scope: 'merchant', subject: '' }, 'k'),
  ]
  t.is(new Set(all).size, all.length)
})
