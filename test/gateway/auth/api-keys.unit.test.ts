import test from 'ava'
import { bearerOf, isKey, makeKey, readKeys, revocation } from '../../../gateway/auth/api-keys.ts'

const AT = new Date('2026-11-28T04:15:01.112Z')
const one = makeKey('merchant', 'till', AT)
const other = makeKey('operator', 'night watch', AT)
const idOf = (key: string): string => key.split('_')[1] ?? ''

test('who bears a key is what it was made for, and the key is not kept', (t) => {
  const { keys, faults } = readKeys(one.line + other.line)
  t.deepEqual(faults, [])
  t.true(isKey(one.key))
  t.deepEqual(bearerOf(keys, one.key), { scope: 'merchant', subject: 'till' })
  t.deepEqual(bearerOf(keys, other.key), { scope: 'operator', subject: 'night watch' })
  t.false(one.line.includes(one.key.slice(-43)))
})

test('who bears anything else bears no key', (t) => {
  const { keys } = readKeys(one.line)
  const secret = one.key.slice(-43)
  for (const text of [
    '',
    'shop',
    one.key.slice(0, -1),
    `${one.key}a`,
    one.key.toUpperCase(),
    `${one.key.slice(0, -1)}${one.key.endsWith('a') ? 'b' : 'a'}`,
    other.key,
    `shop_${idOf(one.key)}_${other.key.slice(-43)}`,
    `shop_${idOf(other.key)}_${secret}`,
    `shop___proto____${secret}`,
  ])
    t.is(bearerOf(keys, text), undefined, text)
})

test('a key that was revoked is borne by nobody, once and for all', (t) => {
  const { keys, faults } = readKeys(
    one.line + other.line + revocation(idOf(one.key), AT) + revocation(idOf(one.key), new Date()),
  )
  t.deepEqual(faults, [])
  t.is(bearerOf(keys, one.key), undefined)
  t.is(keys.get(idOf(one.key))?.revoked, AT.toISOString())
  t.truthy(bearerOf(keys, other.key))
})

test('a line that is not understood counts as not written, and is named; the others count', (t) => {
  const broken = [
    '{',
    '7',
    'null',
    '{"id":"x"}',
    '{"id":"x","scope":"service","subject":"a"}',
    one.line.replace(/[0-9a-f]{64}/, 'x'),
    revocation('nobody', AT),
  ]
  const { keys, faults } = readKeys(
    [...broken.map((line) => line.trim()), one.line.trim(), other.line.trim(), one.line].join('\n'),
  )
  t.deepEqual(
    faults.map((fault) => fault.split(':')[0]),
    [...broken.map((_, at) => `line ${at + 1}`), `line ${broken.length + 3}`],
  )
  t.deepEqual([...keys.keys()], [idOf(one.key), idOf(other.key)])
})

test('the last line may be being written: it counts once it is whole', (t) => {
  const half = one.line.slice(0, 30)
  t.deepEqual(readKeys(other.line + half), { keys: readKeys(other.line).keys, faults: [] })
  t.is(readKeys(other.line + one.line.trim()).keys.size, 2)
})
