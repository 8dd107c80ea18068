/**
 * What a log has dropped is over for everybody: whoever says it once more changes nothing, a Redis that comes back older
 * after a long time finds what it needs, and what waits for a person is found by its order.
 */
import test from 'ava'
import { type FinishedCheckouts, finishedCheckouts } from '../support/finished.ts'
import { recordsIn } from '../support/records.ts'

/** Whatever is said by now is old enough. */
const AT_ONCE = -1_000

const creditOf = async ({ benches }: FinishedCheckouts, user: string | undefined): Promise<string | null> =>
  benches.payment.redis.hget(`user:${user}`, 'credit')
/** Money is captured for the order, and order has not heard of it. */
const captured = async (shop: FinishedCheckouts, order: number): Promise<string> => {
  const id = await shop.begin(order)
  await shop.hear('payment', 'order')
  await shop.hear('stock', 'payment')
  await shop.hear('payment', 'stock')
  return id
}

test('what was paid stays paid when payment says so again after order has forgotten the checkout', async (t) => {
  await using shop = await finishedCheckouts(10)
  const id = await captured(shop, 0)
  await shop.hearAll()
  await shop.trim(AT_ONCE)
  await shop.hearAll()
  await shop.logs.order.trim(AT_ONCE, ['payment'])
  t.is((await recordsIn(shop.benches.order.redis, 'order')).size, 0)
  t.is((await shop.logs.payment.act('tell-again', { log_id: id }))[0], 'told')
  await shop.hearAll()
  const order = await shop.order.find('0')
  t.is(order?.status, 'paid')
  t.is(await creditOf(shop, order?.user_id), String(1_000_000 - (order?.total_cost ?? 0)))
})
