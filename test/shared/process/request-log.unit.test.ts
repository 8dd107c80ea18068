/** Which requests are logged: one in so many, and the same ones everywhere. */
import test from 'ava'
import { logRequests, openSampling } from '../../../shared/process/request-log.ts'

test('the setting is off, or one in a number', (t) => {
  t.deepEqual(['off', '1/1', '1/100', '1/1000000'].map(logRequests.parse), [0, 1, 100, 1_000_000])
  for (const wrong of ['', '0', '1', '1/0', '2/3', '1/-1', '1/1000001', '1/1e3', '1/ 3', 'on', '1/99999999'])
    t.throws(() => logRequests.parse(wrong), { message: /must be "off", or 1\/n/ }, wrong)
  t.is(logRequests.fallback, 0)
})

test('of many requests about one in n is chosen, the same ones by every process', (t) => {
  const [one, other] = [openSampling(10), openSampling(10)]
  const ids = Array.from({ length: 20_000 }, (_, at) => `request-${at.toString(36)}-V1StGXR8`)
  const chosen = ids.filter(one)
  t.true(chosen.length > 1_600 && chosen.length < 2_400, `${chosen.length}`)
  t.deepEqual(chosen, ids.filter(other))
  t.is(ids.filter(openSampling(0)).length, 0)
  t.is(ids.filter(openSampling(1)).length, ids.length)
})
