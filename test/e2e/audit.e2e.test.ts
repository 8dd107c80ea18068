/** The audit: over a shop that sells, refuses, cancels and is filled meanwhile, nothing is ever missing; and what is, it says. */

import test, { type ExecutionContext } from 'ava'
import type { Redis } from 'ioredis'
import { settle, violations } from '../support/checker/invariants.ts'
import { unpackRecord } from '../support/checker/records.ts'
import { away } from '../support/eventually.ts'
import { inParallel, startLoad } from '../support/load/jobs.ts'
import { behind, lookInto } from '../support/shop/behind.ts'
import { type Client, problemOf, whenPaid } from '../support/shop/client.ts'
import { terminal } from '../support/shop/operator.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test, { env: { order: { CHECKOUT_DEADLINE_MS: '400' } } })

const JSON_TYPE = { 'Content-Type': 'application/json' }

type Told = {
  readonly balanced: boolean
  readonly credit: Readonly<Record<string, string>>
  readonly stock: Readonly<Record<string, string>>
  readonly in_flight: number
  readonly mismatches: readonly { readonly what: string; readonly detail: string; readonly orders: readonly string[] }[]
}

const audit = async (client: Client): Promise<Told> => {
  const reply = await client.get('/audit')
  if (reply.status !== 200) throw new Error(`200 was wanted: ${reply.status} ${reply.text}`)
  return reply.json as Told
}

test.serial('is a 503 while a service cannot be asked, and is there again when it can', async (t) => {
  const { client } = opened()
  for (const service of ['payment', 'stock'] as const) {
    await opened().shop.part(`${service}-1`).kill()
    const reply = await client.get('/audit')
    t.is(reply.status, 503, reply.text)
    t.is(problemOf(reply).type, 'urn:shop:problem:unavailable')
    t.is(reply.headers['retry-after'], '1')
    await opened().shop.part(`${service}-1`).start()
  }
  t.true((await audit(client)).balanced)
})

/** An order that was sold, and one that was not, and the saga that has charged for the first. */
type Sale = Readonly<Record<'user' | 'item' | 'sold' | 'open' | 'saga', string>>

const sell = async (client: Client): Promise<Sale> => {
  const user = await client.createUser(50)
  const item = await client.createItem(3, 10)
  const sold = await client.createOrder(user, [[item, 2]])
  const open = await client.createOrder(user, [[item, 1]])
  // The deadline is short: on a busy machine a checkout may be cancelled, and is asked for again.
  await whenPaid(client, sold)
  await settle(opened())
  const saga = await behind(opened().shop.part('order-redis'), (redis) => redis.hget(`order:${sold}`, 'saga'))
  return { user, item, sold, open, saga: saga ?? '' }
}

type Owner = 'order' | 'payment' | 'stock'

/** What the audit says while these hashes are changed behind the back of their service. */
const whileChanged = (
  t: ExecutionContext,
  owner: Owner,
  keys: readonly string[],
  change: (redis: Redis) => Promise<unknown>,
): Promise<Told> =>
  behind(opened().shop.part(`${owner}-redis`), async (redis) => {
    const { client } = opened()
    const before = await Promise.all(keys.map((key) => redis.hgetall(key)))
    await change(redis)
    const told = await audit(client)
    t.false(told.balanced)
    for (const [index, key] of keys.entries()) {
      await redis.del(key)
      if (Object.keys(before[index] ?? {}).length > 0) await redis.hset(key, before[index] ?? {})
    }
    t.true((await audit(client)).balanced)
    return told
  })

type Damage = {
  readonly to: Owner
  /** Fields of a hash: a number is added to what is there, a word replaces it. */
  readonly changes: (sale: Sale) => Readonly<Record<string, Readonly<Record<string, number | string>>>>
  /** Every mismatch, with the orders that it names and, if it matters, how its detail ends. */
  readonly told: (sale: Sale) => readonly (readonly [what: string, orders: readonly string[], detail?: string])[]
}

const DAMAGES: Readonly<Record<string, Damage>> = {
  'a wallet that holds more than its log says': {
    to: 'payment',
    changes: ({ user }) => ({ [`user:${user}`]: { credit: 5 } }),
    told: ({ user, sold }) => [
      ['credit', [], ': 5 too much'],
      ['wallets', []],
      ['wallet', [sold], `user ${user} owns 49, but 44 by the log`],
    ],
  },
  'a shelf that holds less than its log says': {
    to: 'stock',
    changes: ({ item }) => ({ [`item:${item}`]: { stock: -1 } }),
    told: ({ item, sold }) => [
      ['stock', [], ': 1 is missing'],
      ['shelves', []],
      ['shelf', [sold], `of item ${item} there are 7, but 8 by the log`],
    ],
  },
  'a wallet with less than nothing, though the ledgers agree': {
    to: 'payment',
    changes: ({ user }) => ({ [`user:${user}`]: { credit: -46 }, books: { added: -46 } }),
    told: ({ user }) => [['wallet', [], `user ${user} owns -2: less than nothing`]],
  },
  'a shelf with less than nothing, though the ledgers agree': {
    to: 'stock',
    changes: ({ item }) => ({ [`item:${item}`]: { stock: -9 }, books: { added: -9 } }),
    told: ({ item }) => [['shelf', [], `of item ${item} there are -1: less than nothing`]],
  },
  'an order that shows that it is paid, and was not checked out': {
    to: 'order',
    changes: ({ open }) => ({ [`order:${open}`]: { status: 'paid' } }),
    told: ({ open }) => [['orders', [open]]],
  },
  'an order that shows that it is open, and is paid': {
    to: 'order',
    changes: ({ sold }) => ({ [`order:${sold}`]: { status: 'open' } }),
    told: ({ sold }) => [['orders', [sold]]],
  },
  'an order that was paid by another sum': {
    to: 'order',
    changes: ({ saga }) => ({ [`saga:${saga}`]: { total: '7' } }),
    told: ({ sold }) => [['orders', [sold]]],
  },
  'an order that was charged and is not paid': {
    to: 'payment',
    changes: ({ user }) => ({
      [`user:${user}`]: { credit: -4 },
      books: { charged: 4 },
      'saga:ghost': { state: 'captured', order: 'haunted', user, total: '4', lines: 'tea:1' },
    }),
    told: () => [
      ['credit', []],
      ['documents', []],
      ['checkout', ['haunted']],
    ],
  },
  'an order that is paid and was not charged': {
    to: 'payment',
    changes: ({ user, saga }) => ({
      [`user:${user}`]: { credit: 6 },
      books: { charged: -6 },
      [`saga:${saga}`]: { state: 'released' },
    }),
    told: ({ sold }) => [
      ['credit', []],
      ['documents', []],
      ['checkout', [sold]],
    ],
  },
}

test.serial('names what does not add up, and the order that moved it', async (t) => {
  const sale = await sell(opened().client)
  for (const [what, { to, changes, told }] of Object.entries(DAMAGES)) {
    const changed = Object.entries(changes(sale))
    if (to !== 'stock') await behind(opened().shop.part(`${to}-redis`), (redis) => unpackRecord(redis, to, sale.saga))
    const { mismatches } = await whileChanged(
      t,
      to,
      changed.map(([key]) => key),
      async (redis) => {
        for (const [key, fields] of changed)
          for (const [field, value] of Object.entries(fields))
            await (typeof value === 'number' ? redis.hincrby(key, field, value) : redis.hset(key, field, value))
      },
    )
    const named = told(sale)
    t.deepEqual(
      mismatches.map(({ what: one, orders }) => [one, orders]),
      named.map(([one, orders]) => [one, orders]),
      what,
    )
    for (const [index, [, , detail = '']] of named.entries())
      t.true(mismatches[index]?.detail.endsWith(detail), `${what}: ${mismatches[index]?.detail}`)
  }
})

test.serial('names a checkout of which less is in flight than order calls paid, whatever the sums are', async (t) => {
  const { user, sold, saga } = await sell(opened().client)
  const order = lookInto(opened().shop.part('order-redis'), t)
  await behind(opened().shop.part('payment-redis'), (redis) => unpackRecord(redis, 'payment', saga))
  // As if payment had forgotten it, and order had it open still: a sum in flight below zero makes up for it.
  await order.zadd('sagas:open', Date.now(), saga)
  const told = await whileChanged(t, 'payment', [`user:${user}`, 'books', `saga:${saga}`], async (payment) => {
    await payment.hincrby(`user:${user}`, 'credit', 6)
    await payment.hincrby('books', 'charged', -6)
    await payment.hset(`saga:${saga}`, 'state', 'released', 'entries', '')
  })
  await order.zrem('sagas:open', saga)
  t.deepEqual(
    told.mismatches.filter(({ what }) => what !== 'wallet').map(({ what, orders }) => [what, orders]),
    [
      ['documents', []],
      ['in flight', [sold]],
    ],
  )
  t.is(told.credit.in_flight, '-6')
})

test.serial('npm run audit says so to people, and in its exit code', async (t) => {
  const { shop, client } = opened()
  const run = terminal('audit.ts')
  const { item } = await sell(client)
  const good = await run('--url', shop.url)
  t.is(good.code, 0)
  t.regex(
    good.out,
    /^credit {2}\d+ added = \d+ wallets \+ \d+ paid \+ 0 in flight\n.*\ndocuments: \d+ invoiced - \d+ credited; no number is missing\n0 checkouts in flight; nothing is missing\n$/,
  )
  t.true((JSON.parse((await run('--url', shop.url, '--json')).out) as Told).balanced)
  const bad = await behind(shop.part('stock-redis'), async (redis) => {
    await redis.hincrby(`item:${item}`, 'stock', 1)
    const ran = await run('--url', shop.url)
    await redis.hincrby(`item:${item}`, 'stock', -1)
    return ran
  })
  t.is(bad.code, 1)
  t.true(bad.out.includes(`of item ${item} there are 9, but 8 by the log`), bad.out)
  const none = await run('--url', 'http://127.0.0.1:1')
  t.is(none.code, 2)
  t.regex(none.said, /^no shop answers at http:\/\/127\.0\.0\.1:1 .*\n$/)
})

/** Everything that moves money or goods, by chance; the numbers are small, so that much is refused. */
const dealing = (client: Client, users: readonly string[], items: readonly string[]) => {
  const answers = new Set<number>()
  const pick = (names: readonly string[]): string => names[Math.floor(Math.random() * names.length)] ?? ''
  /** One piece or all that is left; of an order that is made anew meanwhile perhaps nothing is. */
  const refund = async (order: string, number: number): Promise<void> => {
    const shown = (await client.get(`/orders/${order}`)).json as { items?: readonly (readonly [string, number])[] }
    const [line] = shown.items ?? []
    const lines = number % 4 === 0 || line === undefined ? {} : { lines: [{ item_id: line[0], quantity: 1 }] }
    const body = JSON.stringify({ ...lines, restock: number % 6 === 0 ? 'none' : 'shelf' })
    answers.add((await client.request('POST', `/orders/${order}/refunds`, JSON_TYPE, body)).status)
  }
  const deal = async (number: number): Promise<void> => {
    const few = 1 + (number % 3)
    const dealings = [
      `/payment/add_funds/${pick(users)}/${few * 5}`,
      `/payment/pay/${pick(users)}/${few}`,
      `/stock/add/${pick(items)}/${few}`,
      `/stock/subtract/${pick(items)}/1`,
    ]
    if (number % 3 === 0) await client.post(pick(dealings))
    if (number % 97 === 0) await client.post('/payment/batch_init/5/20')
    if (number % 101 === 0) await client.post('/stock/batch_init/5/10/3')
    if (number % 89 === 0) await client.post('/orders/batch_init/5/5/5/3')
    const order = number % 4 === 0 ? String(number % 5) : await client.createOrder(pick(users), [[pick(items), few]])
    const { status } = await client.checkout(order)
    answers.add(status)
    if (status === 200 && number % 2 === 0) await refund(order, number)
  }
  return { deal, answers }
}

// Last, because an audit takes the longer the more there is.
test.serial('adds up at every moment, with the checkouts in flight accounted for', async (t) => {
  t.timeout(180_000)
  const { client } = opened()
  await client.post('/payment/batch_init/5/50')
  await client.post('/stock/batch_init/5/50/3')
  await client.post('/orders/batch_init/5/5/5/3')
  const users = [...(await inParallel(6, 6, () => client.createUser(60))), '0', '1', '2', '3', '4']
  const items = [...(await inParallel(3, 3, () => client.createItem(2, 40))), '0', '1', '2', '3', '4']
  const { deal, answers } = dealing(client, users, items)
  const load = startLoad(t, 32, deal)
  await load.served(50)
  const seen: number[] = []
  let unbalanced: Told | undefined
  for (let asked = 0; asked < 40 && unbalanced === undefined; asked += 1) {
    // Stock is away for longer than the deadline: what is begun meanwhile is cancelled.
    if (asked === 15) opened().shop.part('stock-1').freeze()
    if (asked === 15) await away(600)
    if (asked === 15) opened().shop.part('stock-1').thaw()
    if (asked === 25) {
      await opened().shop.part('payment-1').kill()
      t.is((await client.get('/audit')).status, 503)
      await opened().shop.part('payment-1').start()
    }
    const told = await audit(client)
    seen.push(told.in_flight)
    if (!told.balanced) unbalanced = told
  }
  const { failures } = await load.stop()
  // While payment was away nobody could be asked whether a user exists.
  t.deepEqual(
    failures.filter((failure) => !/ (424|502|503) /.test(failure)),
    [],
  )
  t.is(unbalanced, undefined)
  t.true(seen.some((count) => count > 0))
  t.log(
    `in flight: ${Math.max(...seen)} at most, none in ${seen.filter((count) => count === 0).length} of ${seen.length}`,
  )
  t.deepEqual(
    [200, 201, 402, 409, 424].filter((status) => !answers.has(status)),
    [],
  )
  await settle(opened())
  // That orders 0 to 4 were paid again after they had been made anew is how it should be.
  t.deepEqual(
    (await violations(opened())).filter((one) => !/^paid-twice of order:[0-4] /.test(one)),
    [],
  )
  const rest = await audit(client)
  t.is(rest.in_flight, 0)
  t.true(rest.balanced)
})
