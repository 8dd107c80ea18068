import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import test from 'ava'
import type { Limits } from '../../../gateway/limits/limits.ts'
import { limitSettings, limitsFrom, trustedProxies } from '../../../gateway/limits/settings.ts'

const { reads, creates } = limitSettings
const USUAL = { reads: 'usual', commands: 'usual', checkouts: 'usual', creates: 'usual' } as const

test('a rate is set as so many a second and so many at once, a quota as so many an hour', (t) => {
  t.deepEqual(reads.parse('20,100'), { burst: 100, intervalMs: 50 })
  t.deepEqual(creates.parse('3600'), { burst: 3_600, intervalMs: 1_000 })
})

for (const text of ['20', '20,', '0,1', '1,0', '1.5,2', '-1,2', '1,2,3', '1,1000001', 'on', 'OFF'])
  test(`"${text}" is no rate`, (t) => {
    t.throws(() => reads.parse(text), { message: /so many a second, and so many at once/ })
  })

for (const text of ['0', '1,2', 'x', '1000001'])
  test(`"${text}" is no quota`, (t) => {
    t.throws(() => creates.parse(text), { message: /so many an hour/ })
  })

const response = () => new ServerResponse(new IncomingMessage(new Socket()))
/** The limits that this request is told of. */
const metBy = (limits: Limits | undefined, method: string, path: string): string => {
  const answer = response()
  limits?.take(method, path, { address: '203.0.113.1' }, answer)
  return String(answer.getHeader('RateLimit-Policy') ?? '')
}

test('the usual limits hold where the shop is guarded, and what is set holds everywhere', (t) => {
  const usual = limitsFrom(USUAL, true)
  t.is(metBy(usual, 'GET', '/stock/find/7'), '"reads";q=200;w=4')
  t.is(metBy(usual, 'POST', '/orders'), '"commands";q=100;w=5, "creates";q=1000;w=3600')
  t.is(metBy(usual, 'POST', '/orders/checkout/7'), '"checkouts";q=50;w=5')
  t.is(limitsFrom(USUAL, false), undefined)
  const set = limitsFrom({ ...USUAL, reads: { burst: 3, intervalMs: 1_000 } }, false)
  t.is(metBy(set, 'GET', '/stock/find/7'), '"reads";q=3;w=3')
  t.is(metBy(set, 'POST', '/orders'), '')
  t.is(metBy(limitsFrom({ ...USUAL, creates: 'off' }, true), 'POST', '/orders'), '"commands";q=100;w=5')
})

test('proxies are trusted by address and by range', (t) => {
  const proxies = trustedProxies.parse('10.0.0.0/8, 2001:db8::7')
  t.deepEqual(
    ['10.9.9.9', '2001:db8::7', '11.0.0.1', '2001:db8::8'].map((address) => proxies.has(address)),
    [true, true, false, false],
  )
  t.throws(() => trustedProxies.parse('10.0.0.0/8,'), { message: /addresses or ranges/ })
})
