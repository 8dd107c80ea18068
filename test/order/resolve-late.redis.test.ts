/** Who is told that a contradiction was not ended may rely on it, whichever replica says so. */
import test from 'ava'
import { routesOf } from '../../order/routes.ts'
import { openStore } from '../../order/store.ts'
import { NeighbourError, UnavailableError } from '../../shared/errors.ts'
import type { Answer } from '../../shared/http/answer.ts'
import type { Neighbour } from '../../shared/http/client.ts'
import { openBench, plainly, teller, under } from '../support/open-store.ts'

const bench = await openBench()
const store = openStore(bench.instruments)
test.after.always(() => bench[Symbol.asyncDispose]())

const CALL = 'POST /orders/resolve/it/refund'
const noCheckouts = {
  checkout: () => Promise.reject(new Error()),
  onDecided: () => undefined,
  onOutcome: () => undefined,
}
const noAudit = () => Promise.reject(new Error())

/** Has the refund done by a replica whose neighbours answer like that. */
const refund = (ask: Neighbour['ask'], isGone = false): Promise<Answer> => {
  const neighbours = { payment: { ask }, stock: { ask } }
  const checkouts = { ...noCheckouts, start: () => undefined, stop: () => undefined }
  const route = routesOf(store, checkouts, neighbours, noAudit).find(({ path }) => path.startsWith('/orders/resolve/'))
  if (route === undefined) throw new Error('there is no such route')
  return route.handler({
    ...under('k', CALL),
    parameter: (name) => (name === 'log_id' ? 'it' : 'refund'),
    query: () => undefined,
    authorization: undefined,
    requestId: '',
    isGone: () => isGone,
  })
}
const knows: Neighbour['ask'] = async () => ({ status: 200, data: { state: 'captured' } })
const isAway: Neighbour['ask'] = () => Promise.reject(new NeighbourError('payment', new Error('away')))
const forgot: Neighbour['ask'] = async () => ({ status: 404, data: {} })

/** A customer was told that nothing is charged for what is paid. */
test.serial.beforeEach(async () => {
  await bench.redis.flushall()
  await store.create('cart', 'anna', plainly)
  await store.addItem({ order: 'cart', item: 'tea', quantity: 2, price: 15 }, plainly)
  await store.begin({ log_id: 'it', order: 'cart', user: 'anna', token: '', patience_ms: 60_000 }, plainly)
  const facts = { order: 'cart', user: 'anna', total: 30, lines: 'tea:2', reason: '', item: '' }
  await teller(store.log)('payment', 'CreditCaptured', 'it', facts)
  await store.log.act('uphold', { log_id: 'it', order: 'cart', user: 'anna', total: 30, told: 'failed' })
})

test.serial('who slept while it was asked for, and whose asker has gone, resolves nothing', async (t) => {
  await t.throwsAsync(refund(knows, true), { instanceOf: UnavailableError })
  t.true((await store.find('cart'))?.paid)
  t.like(await refund(knows), { json: { done: 'refund', repeated: false } })
})

for (const [what, ask] of [
  ['a neighbour does not answer', isAway],
  ['a neighbour has forgotten the checkout', forgot],
] as const)
  test.serial(`where ${what}, it is not resolved any more by whom it was asked of before`, async (t) => {
    const readMs = await store.readMs()
    await refund(ask).catch((error) => t.true(error instanceof NeighbourError))
    const once = { ...under('k', `${CALL}?why=`), readMs }
    t.deepEqual(await store.resolve('it', { by: 'refund', why: '' }, once), ['late'])
    t.like(await refund(knows), { json: { done: 'refund' } }, 'asked again, it is judged anew')
  })
