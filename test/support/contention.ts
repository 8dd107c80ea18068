/**
 * The cases in which many want the same: one order, one wallet, one item. Each must come out to the unit, however many
 * replicas there are, whatever the locks are worth, and in whichever order the requests arrive.
 */

import type { ExecutionContext } from 'ava'
import type { Reply } from './client.ts'
import { type Expectations, proveInvariants, type Told } from './invariants.ts'
import { inParallel } from './load/jobs.ts'
import type { OpenShop } from './shop.ts'

const SEED_WIDTH = 32

const count = (replies: readonly Reply[], status: number): number =>
  replies.filter((reply) => reply.status === status).length

const others = (replies: readonly Reply[], ...expected: readonly number[]): string[] =>
  replies.filter(({ status }) => !expected.includes(status)).map(({ status, text }) => `${status} ${text}`)

const toldOf = (orders: readonly string[], replies: readonly Reply[]): Told[] =>
  replies.map(({ status }, index) => ({ order: orders[index % orders.length] ?? '', status }))

/** 50 checkouts of one order at once, every other one under a key of its own: one charge, and all are told that it is paid. */
export const chargeOneOrderOnce = async (
  t: ExecutionContext,
  opened: OpenShop,
  expectations: Expectations = {},
): Promise<void> => {
  const { client } = opened
  const { user, item, order } = await client.createCart({ price: 3, quantity: 2 })
  const replies = await inParallel(50, 50, (index) =>
    client.checkout(order, index % 2 === 0 ? {} : { 'Idempotency-Key': `${order}-${index}` }),
  )
  t.deepEqual(others(replies, 200), [])
  t.is(await client.credit(user), 94)
  t.is(await client.stock(item), 8)
  t.true((await client.order(order)).paid)
  await proveInvariants(t, opened, { ...expectations, told: toldOf([order], replies) })
}

/** 20 orders of one user, whose credit is enough for 7, at once: 7 are paid, 13 refused for credit. */
export const spendOneWalletToTheEnd = async (
  t: ExecutionContext,
  opened: OpenShop,
  expectations: Expectations = {},
): Promise<void> => {
  const { client } = opened
  const user = await client.createUser(76)
  const item = await client.createItem(5, 100)
  const orders = await inParallel(20, SEED_WIDTH, () => client.createOrder(user, [[item, 2]]))
  const replies = await Promise.all(orders.map((order) => client.checkout(order)))
  t.deepEqual(others(replies, 200, 402), [])
  t.is(count(replies, 200), 7)
  t.is(count(replies, 402), 13)
  t.is(await client.credit(user), 6)
  t.is(await client.stock(item), 86)
  await proveInvariants(t, opened, { ...expectations, told: toldOf(orders, replies) })
}

/** `many` users with credit 1 and an order each for one item, of which there are fewer, at once: as many pay as there are. */
export const sellOneItemToTheEnd = async (
  t: ExecutionContext,
  opened: OpenShop,
  { many, pieces }: { readonly many: number; readonly pieces: number },
  expectations: Expectations = {},
): Promise<void> => {
  const { client } = opened
  const item = await client.createItem(1, pieces)
  t.is((await client.post(`/payment/batch_init/${many}/1`)).status, 200)
  const orders = await inParallel(many, SEED_WIDTH, (user) => client.createOrder(String(user), [[item, 1]]))
  const replies = await Promise.all(orders.map((order) => client.checkout(order)))
  t.deepEqual(others(replies, 200, 409), [])
  t.is(count(replies, 200), pieces)
  t.is(await client.stock(item), 0)
  const credits = await inParallel(many, SEED_WIDTH, (index) => client.credit(String(index)))
  t.deepEqual(
    credits,
    replies.map(({ status }) => (status === 200 ? 0 : 1)),
    'whoever was told to have paid has paid, and nobody else',
  )
  await proveInvariants(t, opened, { ...expectations, told: toldOf(orders, replies) })
}
