/**
 * Backups of different age under the audit: a shop is stopped and its folders are copied, it sells on and is stopped again, and
 * the folders of some of its Redis are put back as they were. Whatever comes of that, the audit says what is missing, and of
 * which orders; it never says that all is there when it is not. `FAULTS=full` tries each alone, and pairs of different age.
 */

import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Redis } from 'ioredis'
import { redisFolder } from '../../env/local/data-folder.ts'
import { SERVICES, type Service } from '../../shared/contract/services.ts'
import { settle } from '../support/checker/invariants.ts'
import { type Recorded, recordsIn } from '../support/checker/records.ts'
import { FULL } from '../support/faults/daily.ts'
import { putBack } from '../support/faults/older-redis.ts'
import { behind } from '../support/shop/behind.ts'
import { type Client, whenPaid } from '../support/shop/client.ts'
import { type OpenShop, open } from '../support/shop/shop.ts'

type Sums = Readonly<Record<string, string>>
type Told = {
  readonly balanced: boolean
  readonly credit: Sums
  readonly stock: Sums
  readonly in_flight: number
  readonly mismatches: readonly { readonly what: string; readonly detail: string; readonly orders: readonly string[] }[]
}

const SETTLE_MS = 20_000
const PRICE = 5

/** Sells to customers and of items that are new, and to one and of one that were there before. */
const sell = async (client: Client, known: { user: string; item: string }): Promise<readonly string[]> => {
  const orders: string[] = []
  for (let number = 0; number < 2; number += 1) {
    const [user, item] = [await client.createUser(100), await client.createItem(PRICE, 10)]
    orders.push(await client.createOrder(user, [[item, 1]]))
  }
  orders.push(await client.createOrder(known.user, [[known.item, 1]]))
  for (const order of orders) await whenPaid(client, order)
  return orders
}

/** The folders as they were after the first sales, after the second ones, and after the last. */
let root = ''
const AGES = ['oldest', 'older', 'now'] as const
type Age = (typeof AGES)[number]
const copyAt = (age: Age): string => join(root, age)
const soldIn: Partial<Record<Age, readonly string[]>> = {}

test.before(async (t) => {
  t.timeout(120_000)
  root = await mkdtemp(join(tmpdir(), 'shop-ages-'))
  const dir = join(root, 'shop')
  let known: { user: string; item: string } | undefined
  for (const age of AGES) {
    await using opened = await open({ dir })
    const { client } = opened
    known ??= { user: await client.createUser(100), item: await client.createItem(PRICE, 10) }
    soldIn[age] = await sell(client, known)
    await settle(opened)
    await opened.close()
    await cp(dir, copyAt(age), { recursive: true })
  }
})
test.after.always(() => rm(root, { recursive: true, force: true }))

const ordersIn = async (redis: Redis): Promise<ReadonlyMap<string, Recorded>> => {
  const found = new Map<string, Recorded>()
  for (const key of await redis.keys('order:*')) found.set(key.slice('order:'.length), await redis.hgetall(key))
  return found
}

/** The orders that are paid and were not charged, or whose goods were not taken, or the other way round: read behind their backs. */
const wrongIn = async ({ shop }: OpenShop): Promise<readonly string[]> => {
  const [orders, byPayment, byStock] = await Promise.all([
    behind(shop.part('order-redis'), ordersIn),
    behind(shop.part('payment-redis'), (redis) => recordsIn(redis, 'payment')),
    behind(shop.part('stock-redis'), (redis) => recordsIn(redis, 'stock')),
  ])
  const done = new Set<string>()
  for (const [id, { state, order = '' }] of byPayment)
    if (state === 'captured' && byStock.get(id)?.state === 'taken') done.add(order)
  const half = [...byPayment, ...byStock].flatMap(([, { state, order = '' }]) =>
    (state === 'captured' || state === 'taken') && !done.has(order) ? [order] : [],
  )
  const paid = [...orders].flatMap(([id, { status }]) => (status === 'paid' ? [id] : []))
  return [...new Set([...half, ...paid.filter((id) => !done.has(id)), ...[...done].filter((id) => !paid.includes(id))])]
}

const audit = async ({ client }: OpenShop): Promise<Told> => {
  const reply = await client.get('/audit')
  if (reply.status !== 200) throw new Error(reply.text)
  return reply.json as Told
}

type Case = {
  readonly aged: Partial<Record<Service, Age>> /** Whose sales cannot be true. */
  readonly untrue: readonly Age[]
}
const THRIFTY: readonly Case[] = [
  // What payment captured is applied again, and makes the orders what they were.
  { aged: { order: 'oldest' }, untrue: [] },
  { aged: { payment: 'oldest' }, untrue: ['older', 'now'] },
  { aged: { payment: 'older', stock: 'oldest' }, untrue: ['older', 'now'] },
]
const MATRIX: readonly Case[] = [
  ...THRIFTY,
  { aged: {}, untrue: [] },
  { aged: { ids: 'oldest' }, untrue: [] },
  { aged: { stock: 'older' }, untrue: ['now'] },
  // What two of three have forgotten never was.
  { aged: { order: 'older', payment: 'older' }, untrue: [] },
  { aged: { order: 'older', payment: 'oldest' }, untrue: ['older'] },
  { aged: { order: 'oldest', stock: 'older' }, untrue: ['now'] },
  { aged: { payment: 'older', stock: 'older' }, untrue: ['now'] },
]

const titleOf = ({ aged }: Case): string =>
  Object.entries(aged)
    .map(([service, age]) => `${service} is the ${age}`)
    .join(' and ') || 'nothing is older'

for (const one of FULL ? MATRIX : THRIFTY)
  test.serial(`the audit is true when ${titleOf(one)}`, async (t) => {
    t.timeout(90_000)
    const dir = join(root, 'case')
    t.teardown(() => rm(dir, { recursive: true, force: true }))
    await cp(copyAt('now'), dir, { recursive: true })
    for (const service of SERVICES) {
      const age = one.aged[service]
      if (age) await putBack(redisFolder(dir, service), redisFolder(copyAt(age), service))
    }
    await using opened = await open({ dir })
    await settle(opened, { settleMs: SETTLE_MS, locksMs: 'unchecked' })
    const wrong = await wrongIn(opened)
    const told = await audit(opened)
    const named = new Set(told.mismatches.flatMap(({ orders }) => orders))
    t.log(told.mismatches.map(({ what, detail, orders }) => `${what}: ${detail} (${orders.length} orders)`).join('\n'))
    t.is(told.in_flight, 0, 'nothing moves any more')
    t.deepEqual([told.credit.in_flight, told.stock.in_flight], ['0', '0'])
    t.deepEqual(
      wrong.filter((order) => !named.has(order)),
      [],
      'each order that is not what was done is named',
    )
    t.deepEqual(
      [...named].filter((order) => !wrong.includes(order)),
      [],
      'and no other',
    )
    t.is(told.balanced, wrong.length === 0)
    // Those of customers and of items that were there before are charged and taken again.
    const untrue = one.untrue.flatMap((age) => soldIn[age]?.slice(0, 2) ?? [])
    t.deepEqual([...wrong].toSorted(), [...untrue].toSorted())
  })
