import test from 'ava'
import { merge, type Said } from '../../../env/operator/explain.ts'
import { events, type Service, single } from '../../../shared/contract/events.ts'

const saying = (service: Service, kind: string, at = '2026-01-01T00:00:00.000Z'): Said => ({
  service,
  kind,
  at,
  id: '1767225600000-0',
  version: '1',
  log_id: 'it',
  facts: {},
})
const merged = (...logs: readonly (readonly Said[])[]): readonly string[] => merge(logs).map(({ kind }) => kind)

for (const service of ['order', 'payment', 'stock'] as const)
  for (const kind of Object.keys(events[service]))
    if (!(single[service] as readonly string[]).includes(kind) && kind !== 'CheckoutStarted')
      test(`${kind} follows the start of its checkout, also in the same millisecond`, (t) => {
        const [started, other] = [saying('order', 'CheckoutStarted'), saying(service, kind)]
        t.deepEqual(merged([other], [started]), ['CheckoutStarted', kind])
        t.deepEqual(merged([started], [other]), ['CheckoutStarted', kind])
      })

test('each log keeps its order, whatever its clock says', (t) => {
  const early = '2025-12-31T23:59:59.000Z'
  const order = [saying('order', 'CheckoutStarted'), saying('order', 'OrderPaid', early)]
  t.deepEqual(merged(order, [saying('payment', 'CreditHeld')]), ['CheckoutStarted', 'OrderPaid', 'CreditHeld'])
})
