/** An order that nobody touches any more, in a shop where such orders expire. */
import test from 'ava'
import { problemOf, whenStatus } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test, {
  env: { order: { ORDER_EXPIRY_MS: '2000', LOG_PARSER_CRON: '* * * * * *' } },
})

const EXPIRED_MS = 15_000

test.serial('an open order expires once it was not touched for so long, and is not checked out any more', async (t) => {
  const { client } = opened()
  const cart = await client.createCart()
  const paid = await client.createCart()
  t.is((await client.checkout(paid.order)).status, 200)
  await whenStatus(client, cart.order, 'expired', EXPIRED_MS)
  const refused = await client.checkout(cart.order)
  t.is(problemOf(refused).type, 'urn:shop:problem:order-expired')
  t.is(await client.credit(cart.user), 100)
  t.is((await client.order(paid.order)).status, 'paid')
  t.is((await client.request('DELETE', `/orders/${cart.order}`)).status, 204)
  t.is((await client.order(cart.order)).status, 'cancelled')
})
