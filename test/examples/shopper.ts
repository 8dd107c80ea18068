/** Buys what there is, learns what it cannot have, and overwrites nobody: `node shopper.ts URL`. */
import process from 'node:process'
import { shopClient } from 'saga-shop/client'
import { ShopProblem } from 'saga-shop/client/errors'

const [url] = process.argv.slice(2)
if (url === undefined) {
  console.error('usage: node shopper.ts URL')
  process.exit(2)
}
const shop = shopClient(url)

const { user_id } = await shop.createUser()
await shop.addFunds({ params: { user: user_id, amount: 100 } })
const { item_id } = await shop.createItem({ params: { price: 30 } })
await shop.addStock({ params: { item: item_id, amount: 10 } })

const buy = async (quantity: number): Promise<string> => {
  const { order_id: order } = await shop.placeOrder({ body: { user_id, lines: [{ item_id, quantity }] } })
  try {
    await shop.checkout({ params: { order } })
  } catch (error) {
    if (error instanceof ShopProblem && error.kind === 'out-of-credit') return 'cannot pay'
    throw error
  }
  const { payment_status, total_cost } = await shop.showOrder({ params: { order } })
  return `${payment_status}: ${total_cost}`
}
console.log(await buy(2))
console.log(await buy(2))

const merchants = [shop, shopClient(url)] as const
for (const merchant of merchants) await merchant.showItem({ params: { item: item_id } })
for (const [at, merchant] of merchants.entries()) {
  try {
    const { price } = await merchant.changeItem({ params: { item: item_id }, body: { price: 40 + at } })
    console.log(`costs ${price}`)
  } catch (error) {
    if (!(error instanceof ShopProblem)) throw error
    console.log(`${error.status} ${error.kind}`)
  }
}
