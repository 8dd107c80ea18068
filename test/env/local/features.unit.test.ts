import test from 'ava'
import { featuresByService } from '../../../env/local/features.ts'
import { ROWS } from '../../support/rows.ts'

test('every feature is told to its service alone, and to no other', (t) => {
  const features = ROWS.filter(({ scope }) => scope !== 'operator')
  const told = featuresByService(features.map(({ name }) => name).join(', '))
  for (const service of ['ids', 'order', 'payment', 'stock'] as const)
    t.deepEqual(
      told[service].split(',').toSorted(),
      features.flatMap((row) => (row.service === service ? [row.name] : [])).toSorted(),
    )
  t.deepEqual(featuresByService('pay'), { ids: '', order: '', payment: 'pay', stock: '' })
})

test('what is no feature of any service is refused', (t) => {
  t.throws(() => featuresByService('pay,parseLogOfOrder,payy,'), {
    name: 'ConfigError',
    message: 'FEATURES_OFF names what is no feature of the shop: parseLogOfOrder, payy, ',
  })
})
