import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import fc from 'fast-check'
import { pino } from 'pino'
import { invalidReason } from '../../../shared/contract/dictionary.ts'
import { VERSION } from '../../../shared/contract/events.ts'
import { PeerError } from '../../../shared/errors.ts'
import { identifiers, leasedBlock, logIds, randomBlock } from '../../../shared/log/log-id.ts'

const silent = pino({ level: 'silent' })
const take = (next: () => string, count: number): string[] => Array.from({ length: count }, next)
const isSorted = (ids: readonly string[]): boolean =>
  ids.every((id, index) => index === 0 || (ids[index - 1] ?? '') < id)

test('ids of one block sort by time and never repeat, whatever the clock does', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(2_000), { minLength: 2, maxLength: 300 }), (times) => {
      let at = 0
      const next = logIds('00000000', () => 1_700_000_000_000 + (times[at++] ?? 0))
      return isSorted(take(next, times.length))
    }),
  )
  t.pass()
})

test('a clock that goes back leaves the ids where they were, until it has caught up', (t) => {
  const times = [1_000, 1_000, 10, 10, 1_001]
  const next = logIds('00000000', () => times.shift() ?? 0)
  const ids = take(next, 5)
  t.true(isSorted(ids))
  t.is(new Set(ids.slice(0, 4).map((id) => id.slice(0, 9))).size, 1)
  t.not(ids[4]?.slice(0, 9), ids[3]?.slice(0, 9))
})

test('more ids than a millisecond can count go into the next one', (t) => {
  const next = logIds('00000000', () => 1_700_000_000_000)
  const ids = take(next, 100_000)
  t.true(isSorted(ids))
  t.is(new Set(ids).size, ids.length)
  t.is(new Set(ids.map((id) => id.slice(0, 9))).size, Math.ceil(ids.length / 32 ** 3))
  t.true(ids.every((id) => id.length === 20))
})

test('ids of different blocks never meet, made in the same millisecond', (t) => {
  const clock = (): number => 1_700_000_000_000
  const blocks = [0, 1, 31, 32, 1_000_000].map(leasedBlock)
  const ids = blocks.flatMap((block) => take(logIds(block, clock), 1_000))
  t.is(new Set(ids).size, ids.length)
})

test('a leased block never is a random one: they differ in length and in their first digit', (t) => {
  const LAST = 31 * 32 ** 7 - 1
  for (const number of [0, 1, 12_345, LAST]) t.regex(leasedBlock(number), /^[0-9a-hjkmnp-y][0-9a-hjkmnp-z]{7}$/)
  for (let time = 0; time < 1_000; time += 1) t.regex(randomBlock(), /^z[0-9a-hjkmnp-z]{9}$/)
  t.throws(() => leasedBlock(LAST + 1), { instanceOf: RangeError })
  t.throws(() => leasedBlock(-1), { instanceOf: RangeError })
  t.throws(() => leasedBlock(Number.NaN), { instanceOf: RangeError })
  const clock = (): number => 1_700_000_000_000
  const [leased] = take(logIds(leasedBlock(LAST), clock), 1)
  const [random] = take(logIds(randomBlock(), clock), 1)
  t.not(leased?.length, random?.length)
})

test('a leased block sorts as its number', (t) => {
  t.true(isSorted([0, 1, 31, 32, 1_023, 1_024, 32 ** 5].map(leasedBlock)))
})

test('an id can be the log id of an entry', (t) => {
  for (const block of [leasedBlock(7), randomBlock()]) {
    const fields = ['kind', 'UserCreated', 'version', VERSION, 'log_id', logIds(block)(), 'user', 'anna']
    t.is(invalidReason('payment', ['1-0', fields]), undefined)
  }
})

test('the time of an id is read from its first nine digits', (t) => {
  const digits = '0123456789abcdefghjkmnpqrstvwxyz'
  const ms = 1_763_600_000_123
  const [id = ''] = take(
    logIds('00000000', () => ms),
    1,
  )
  t.is(
    [...id.slice(0, 9)].reduce((sum, digit) => sum * 32 + digits.indexOf(digit), 0),
    ms,
  )
})

test('nobody waits for a lease: ids are of a random block until it is there', async (t) => {
  const lease = Promise.withResolvers<number>()
  const ids = identifiers(silent)
  ids.start(() => lease.promise)
  t.is(ids.next()[9], 'z')
  lease.resolve(5)
  await setImmediate()
  t.is(ids.next().slice(9, 17), '00000005')
  ids.stop()
})

test('a lease that is refused leaves the random block, which stays the same', async (t) => {
  const ids = identifiers(silent)
  const before = ids.next()
  ids.start(() => Promise.reject(new PeerError('ids does not answer')))
  await setImmediate()
  t.is(ids.next().slice(9, 19), before.slice(9, 19))
  ids.stop()
})
