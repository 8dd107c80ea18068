import test from 'ava'
import { createdBy, kindOf } from '../../../gateway/limits/kinds.ts'
import { ROWS, targetOf } from '../../support/rows.ts'

test('what changes nothing is a read, what asks for a checkout is one, and all else is a command', (t) => {
  const namesOf = (kind: string) =>
    ROWS.filter((row) => kindOf(row.method, targetOf(row)) === kind).map(({ method, name }) => `${method} ${name}`)
  t.deepEqual(namesOf('checkouts').sort(), ['POST checkout', 'POST placeFormOrder'])
  t.true(namesOf('reads').every((name) => name.startsWith('GET ')))
  t.deepEqual(
    namesOf('commands').filter((name) => name.startsWith('GET ')),
    ['GET createId'],
  )
  t.is(kindOf('POST', '/orders/checkout/7?wait=1'), 'checkouts')
  t.is(kindOf('GET', '/orders/checkout/7'), 'reads')
})

test('what is created counts, and a batch for each thing that it makes', (t) => {
  const created = ROWS.flatMap((row) => {
    const count = createdBy(row.method, targetOf(row, { n: '7' }))
    return count === 0 ? [] : [`${row.name} ${count}`]
  })
  t.deepEqual(created.sort(), [
    'createId 1',
    'createItem 1',
    'createOrder 1',
    'createUser 1',
    'initItems 7',
    'initOrders 7',
    'initUsers 7',
    'placeFormOrder 1',
    'placeOrder 1',
  ])
  t.is(createdBy('POST', '/orders?x=1'), 1)
  t.is(createdBy('POST', '/payment/batch_init/%31000/5'), 1_000, 'services read a parameter decoded')
  t.is(createdBy('POST', '/payment/batch_init/%zz/5'), 1, 'what is no number no service takes')
  t.is(createdBy('GET', '/orders'), 0)
  t.is(createdBy('HEAD', '/ids/create'), 1, 'it is given as by GET, though not told')
})
