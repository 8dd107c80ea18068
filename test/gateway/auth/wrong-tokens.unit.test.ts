import test from 'ava'
import { openWrongTokens } from '../../../gateway/auth/wrong-tokens.ts'

const BURST = 5
const HOUR_MS = 3_600_000
/** One that gets a token back in an hour. */
const openSlow = (atOnceMost?: number) => openWrongTokens({ burst: BURST, intervalMs: HOUR_MS }, atOnceMost)
const isWrong = (found: boolean): boolean => !found
const wrong = async (): Promise<boolean> => false
const right = async (): Promise<boolean> => true

test('what is wrong is found out so often, and then nothing is that comes from there', async (t) => {
  const { unlessTooMany } = openSlow()
  for (let times = 0; times < BURST; times += 1) t.false(await unlessTooMany('10.0.0.1', wrong, isWrong))
  const refused = await unlessTooMany('10.0.0.1', () => t.fail('it is verified'), isWrong)
  t.true(typeof refused === 'object' && refused.waitMs > 0 && refused.waitMs <= HOUR_MS)
  t.true(await unlessTooMany('10.0.0.2', right, isWrong), 'others are listened to')
})

test('an address of IPv6 is as all of its network', async (t) => {
  const { unlessTooMany } = openSlow()
  for (let times = 0; times < BURST; times += 1) await unlessTooMany(`2001:db8::${times}`, wrong, isWrong)
  t.is(typeof (await unlessTooMany('2001:db8::ffff', right, isWrong)), 'object')
})

test('what is right takes nothing, however much of it there is at once', async (t) => {
  const { unlessTooMany } = openSlow()
  const all = Array.from({ length: 1_000 }, () => unlessTooMany('10.0.0.1', right, isWrong))
  t.true((await Promise.all(all)).every((found) => found === true))
})

test('what could not be found out takes nothing', async (t) => {
  const { unlessTooMany } = openSlow()
  for (let times = 0; times <= BURST; times += 1)
    await t.throwsAsync(
      unlessTooMany('10.0.0.1', () => Promise.reject(new Error('away')), isWrong),
      { message: 'away' },
    )
  t.true(await unlessTooMany('10.0.0.1', right, isWrong))
})

test('of a thousand wrong ones at once only a few more are verified than there may be', async (t) => {
  const AT_ONCE = 3
  const { unlessTooMany } = openSlow(AT_ONCE)
  let verified = 0
  let busy = 0
  let busiest = 0
  const verify = async (): Promise<boolean> => {
    verified += 1
    busy += 1
    busiest = Math.max(busiest, busy)
    await Promise.resolve()
    busy -= 1
    return false
  }
  const all = await Promise.all(Array.from({ length: 1_000 }, () => unlessTooMany('10.0.0.1', verify, isWrong)))
  t.is(busiest, AT_ONCE)
  t.true(verified >= BURST && verified < BURST + AT_ONCE, `${verified}`)
  t.is(all.filter((found) => typeof found === 'object').length, 1_000 - verified)
})

test('an address is listened to again after a while', async (t) => {
  const { unlessTooMany } = openWrongTokens({ burst: 1, intervalMs: 20 })
  t.false(await unlessTooMany('10.0.0.1', wrong, isWrong))
  const refused = await unlessTooMany('10.0.0.1', right, isWrong)
  t.true(typeof refused === 'object' && refused.waitMs > 0 && refused.waitMs <= 20)
  for (let found: unknown = refused; found !== true; found = await unlessTooMany('10.0.0.1', right, isWrong))
    await new Promise(setImmediate)
  t.pass()
})
