import test from 'ava'
import { isSafeToRepeat, type Kind, kindOf } from '../../../gateway/proxy/retry.ts'
import { ROWS, targetOf } from '../../support/rows.ts'

const cases: readonly [method: string, path: string, hasKey: boolean, isSafe: boolean][] = [
  ['GET', '/orders/find/7', false, true],
  ['HEAD', '/orders/find/7', false, true],
  ['GET', '/orders/checkout/7', false, true],
  ['POST', '/orders/checkout/7', false, true],
  ['POST', '/orders/checkout/7?now=yes', false, true],
  ['POST', '/orders/checkout/', false, false],
  ['POST', '/orders/checkout', false, false],
  ['POST', '/orders/checkout?x=/7', false, false],
  ['POST', '/payment/orders/checkout/7', false, false],
  ['POST', '/orders/create/7', false, false],
  ['POST', '/orders/addItem/7/8/1', false, false],
  ['POST', '/payment/pay/7/10', false, false],
  ['POST', '/payment/pay/7/10', true, true],
  ['PUT', '/stock/add/7/1', false, false],
  ['PATCH', '/stock/item/7', false, false],
  ['PATCH', '/stock/item/7', true, true],
  ['DELETE', '/orders/7', false, true],
  ['POST', '/orders/7/cancel', false, true],
  ['POST', '/orders/7/cancel?now=yes', false, true],
  ['POST', '/orders/cancel/7', false, false],
  ['POST', '/orders/7/cancel/8', false, false],
  ['get', '/orders/find/7', false, false],
  ['PUT', '/locks/a%2Fb/leases/l1', false, true],
  ['PATCH', '/locks/a/leases/l1', false, true],
  ['DELETE', '/locks/a/leases/l1?x=1', false, true],
  ['POST', '/locks/a/leases', false, false],
  ['PUT', '/locks/a', false, false],
  ['DELETE', '/locks/a', false, false],
  ['DELETE', '/locks/a?waiters=true', false, false],
  ['DELETE', '/locks/a?waiters=true&token=7', false, true],
  ['DELETE', '/locks/a', true, true],
  ['PUT', '/elections/a/candidates/c', false, true],
  ['PUT', '/jobs/a/runs/s/by/r', false, true],
]

for (const [method, path, hasKey, isSafe] of cases)
  test(`${method} ${path} ${hasKey ? 'with' : 'without'} a key ${isSafe ? 'may' : 'may not'} be repeated`, (t) => {
    t.is(isSafeToRepeat(method, path, { hasKey }), isSafe)
  })

test('what bears the token of a lock may be repeated under a key only, unless it changes nothing', (t) => {
  const isSafe = (method: string, path: string, hasKey: boolean): boolean =>
    isSafeToRepeat(method, path, { hasKey, hasLockToken: true })
  for (const [method, path] of cases) t.is(isSafe(method, path, false), method === 'GET' || method === 'HEAD', path)
  t.true(isSafe('POST', '/orders/checkout/7', true))
})

test('what the gateway repeats without a key its row says can be sent again as it is', (t) => {
  const isRepeated = (row: (typeof ROWS)[number]): boolean =>
    isSafeToRepeat(row.method, targetOf(row), { hasKey: false })
  const against = ROWS.filter((row) => isRepeated(row) && row.repeatable !== 'as-it-is')
  t.deepEqual(
    against.map(({ path }) => path),
    [],
  )
  // An operator asks again himself, and a service asks ids not through the gateway.
  const left = ROWS.filter((row) => !isRepeated(row) && row.repeatable === 'as-it-is' && row.scope !== 'operator')
  t.deepEqual(
    left.map(({ path }) => path),
    ['/internal/lease/{replica}'],
  )
})

const kinds: readonly [method: string, path: string, hasBody: boolean, kind: Kind][] = [
  ['POST', '/orders/checkout/7', false, 'checkout'],
  ['GET', '/orders/checkout/7', false, 'long'],
  ['GET', '/locks/a/events', false, 'long'],
  ['GET', '/locks/a', false, 'short'],
  ['GET', '/locks/a/leases/l1?wait_ms=20000', false, 'long'],
  ['HEAD', '/locks/a/leases/l1?wait_ms=20000', false, 'long'],
  ['HEAD', '/orders/checkout/7', false, 'long'],
  ['HEAD', '/locks/a', false, 'short'],
  ['PUT', '/locks/a/leases/l1', true, 'long'],
  ['POST', '/locks/a/leases', true, 'long'],
  ['PUT', '/locks/a/leases/l1', false, 'short'],
  ['POST', '/locks/a/leases', false, 'short'],
  ['PUT', '/elections/a/candidates/c', false, 'short'],
  ['DELETE', '/locks/a/leases/l1', true, 'short'],
]

for (const [method, path, hasBody, kind] of kinds)
  test(`${method} ${path} ${hasBody ? 'with' : 'without'} a body takes a connection as ${kind}`, (t) => {
    t.is(kindOf(method, path, hasBody), kind)
  })
