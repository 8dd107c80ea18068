/** The audit: over a shop that sells, refuses, cancels and is filled meanwhile, nothing is ever missing; and what is, it says. */

import { execFile } from 'node:child_process'
import process from 'node:process'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import type { Redis } from 'ioredis'
import { settle, violations } from '../support/checker/invariants.ts'
import { recordsIn, unpackRecord } from '../support/checker/records.ts'
import { away, eventually } from '../support/eventually.ts'
import { inParallel, startLoad } from '../support/load/jobs.ts'
import { behind, lookInto } from '../support/shop/behind.ts'
import { type Client, problemOf } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test, { env: { order: { CHECKOUT_DEADLINE_MS: '400' } } })

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

/** Everything that moves money or goods, by chance; the numbers are small, so that much is refused. */
const dealing = (client: Client, users: readonly string[], items: readonly string[]) => {
  const answers = new Set<number>()
  const pick = (names: readonly string[]): string => names[Math.floor(Math.random() * names.length)] ?? ''
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
    answers.add((await client.checkout(order)).status)
  }
  return { deal, answers }
}

test.serial('adds up at every moment, with the checkouts in flight accounted for', async (t) => {
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
  for (let asked = 0; asked < 80 && unbalanced === undefined; asked += 1) {
    // Stock is away for longer than the deadline: what is begun meanwhile is cancelled.
    if (asked === 30) opened().shop.part('stock-1').freeze()
    if (asked === 30) await away(600)
    if (asked === 30) opened().shop.part('stock-1').thaw()
    if (asked === 50) {
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
    [200, 402, 409, 424].filter((status) => !answers.has(status)),
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

/** What the audit says while a value is changed behind the services' backs. */
const whileChanged = (
  t: ExecutionContext,
  service: 'order' | 'payment' | 'stock',
  change: (redis: Redis) => Promise<unknown>,
  undo: (redis: Redis) => Promise<unknown>,
): Promise<Told> =>
  behind(opened().shop.part(`${service}-redis`), async (redis) => {
    const { client } = opened()
    await change(redis)
    const told = await audit(client)
    t.false(told.balanced)
    await undo(redis)
    t.true((await audit(client)).balanced)
    return told
  })

/** The saga that has charged for an order. */
const sagaOf = async (redis: Redis, order: string): Promise<string> => {
  for (const [id, record] of await recordsIn(redis, 'payment'))
    if (record.order === order && record.state === 'captured') return id
  throw new Error(`there is no saga of ${order}`)
}

/** An order that was sold, and one that was not. */
const sell = async (client: Client) => {
  const user = await client.createUser(50)
  const item = await client.createItem(3, 10)
  const sold = await client.createOrder(user, [[item, 2]])
  const open = await client.createOrder(user, [[item, 1]])
  // The deadline is short: on a busy machine a checkout may be cancelled, and is asked for again.
  await eventually(async () => {
    const { status, text } = await client.checkout(sold)
    if (status !== 200) throw new Error(text)
  }, 10_000)
  await settle(opened())
  return { user, item, sold, open }
}

test.serial('names the wallet or the item whose value is another than its log says, and who moved it', async (t) => {
  const { user, item, sold } = await sell(opened().client)
  const wallet = await whileChanged(
    t,
    'payment',
    (redis) => redis.hincrby(`user:${user}`, 'credit', 5),
    (redis) => redis.hincrby(`user:${user}`, 'credit', -5),
  )
  t.deepEqual(
    wallet.mismatches.map(({ what, orders }) => [what, orders]),
    [
      ['credit', []],
      ['wallets', []],
      ['wallet', [sold]],
    ],
  )
  t.regex(wallet.mismatches[0]?.detail ?? '', /: 5 too much$/)
  t.is(wallet.mismatches[2]?.detail, `user ${user} owns 49, but 44 by the log`)
  const shelf = await whileChanged(
    t,
    'stock',
    (redis) => redis.hincrby(`item:${item}`, 'stock', -1),
    (redis) => redis.hincrby(`item:${item}`, 'stock', 1),
  )
  t.deepEqual(
    shelf.mismatches.map(({ what, orders }) => [what, orders]),
    [
      ['stock', []],
      ['shelves', []],
      ['shelf', [sold]],
    ],
  )
  t.is(shelf.mismatches[2]?.detail, `of item ${item} there are 7, but 8 by the log`)
})

test.serial('names an order that shows what its checkout does not say', async (t) => {
  const { sold, open } = await sell(opened().client)
  const setPaid = await whileChanged(
    t,
    'order',
    (redis) => redis.hset(`order:${open}`, 'status', 'paid'),
    (redis) => redis.hset(`order:${open}`, 'status', 'open'),
  )
  t.deepEqual(
    setPaid.mismatches.map(({ what, orders }) => [what, orders]),
    [['orders', [open]]],
  )
  const setOpen = await whileChanged(
    t,
    'order',
    (redis) => redis.hset(`order:${sold}`, 'status', 'open'),
    (redis) => redis.hset(`order:${sold}`, 'status', 'paid'),
  )
  t.deepEqual(setOpen.mismatches[0]?.orders, [sold])
  let saga = ''
  const changedRecord = await whileChanged(
    t,
    'order',
    async (redis) => {
      saga = (await redis.hget(`order:${sold}`, 'saga')) ?? ''
      await unpackRecord(redis, 'order', saga)
      await redis.hset(`saga:${saga}`, 'total', '7')
    },
    (redis) => redis.hset(`saga:${saga}`, 'total', '6'),
  )
  t.deepEqual(changedRecord.mismatches[0]?.orders, [sold])
})

test.serial('names an order that was charged and is not paid, and one that is paid and was not charged', async (t) => {
  const { user, sold } = await sell(opened().client)
  const charged = await whileChanged(
    t,
    'payment',
    async (redis) => {
      await redis.hincrby(`user:${user}`, 'credit', -4)
      await redis.hincrby('books', 'charged', 4)
      await redis.hset('saga:ghost', { state: 'captured', order: 'haunted', user, total: 4, lines: 'tea:1' })
    },
    async (redis) => {
      await redis.hincrby(`user:${user}`, 'credit', 4)
      await redis.hincrby('books', 'charged', -4)
      await redis.del('saga:ghost')
    },
  )
  t.deepEqual(
    charged.mismatches.map(({ what, orders }) => [what, orders]),
    [
      ['credit', []],
      ['checkout', ['haunted']],
    ],
  )
  let saga = ''
  const refunded = await whileChanged(
    t,
    'payment',
    async (redis) => {
      saga = await sagaOf(redis, sold)
      await redis.hincrby(`user:${user}`, 'credit', 6)
      await redis.hincrby('books', 'charged', -6)
      await unpackRecord(redis, 'payment', saga)
      await redis.hset(`saga:${saga}`, 'state', 'released')
    },
    async (redis) => {
      await redis.hincrby(`user:${user}`, 'credit', -6)
      await redis.hincrby('books', 'charged', 6)
      await redis.hset(`saga:${saga}`, 'state', 'captured')
    },
  )
  t.deepEqual(refunded.mismatches.at(-1)?.orders, [sold])
})

test.serial('names a checkout of which less is in flight than order calls paid, whatever the sums are', async (t) => {
  const { user, sold } = await sell(opened().client)
  const order = lookInto(opened().shop.part('order-redis'), t)
  let saga = ''
  let before: Record<string, string> = {}
  const told = await whileChanged(
    t,
    'payment',
    async (payment) => {
      saga = await sagaOf(payment, sold)
      await unpackRecord(payment, 'payment', saga)
      before = await payment.hgetall(`saga:${saga}`)
      // As if payment had forgotten it, and order had it open still: a sum in flight below zero makes up for it.
      await payment.hincrby(`user:${user}`, 'credit', 6)
      await payment.hincrby('books', 'charged', -6)
      await payment.hset(`saga:${saga}`, 'state', 'released', 'entries', '')
      await order.zadd('sagas:open', Date.now(), saga)
    },
    async (payment) => {
      await order.zrem('sagas:open', saga)
      await payment.hincrby(`user:${user}`, 'credit', -6)
      await payment.hincrby('books', 'charged', 6)
      await payment.hset(`saga:${saga}`, before)
    },
  )
  t.deepEqual(
    told.mismatches.filter(({ what }) => what !== 'wallet').map(({ what, orders }) => [what, orders]),
    [['in flight', [sold]]],
  )
  t.is(told.credit.in_flight, '-6')
})

test.serial('names a wallet and a shelf with less than nothing, though the ledgers agree', async (t) => {
  const { client } = opened()
  const user = await client.createUser(5)
  const item = await client.createItem(3, 5)
  const wallet = await whileChanged(
    t,
    'payment',
    async (redis) => {
      await redis.hincrby(`user:${user}`, 'credit', -7)
      await redis.hincrby('books', 'added', -7)
    },
    async (redis) => {
      await redis.hincrby(`user:${user}`, 'credit', 7)
      await redis.hincrby('books', 'added', 7)
    },
  )
  t.deepEqual(
    wallet.mismatches.map(({ what, detail }) => [what, detail]),
    [['wallet', `user ${user} owns -2: less than nothing`]],
  )
  const shelf = await whileChanged(
    t,
    'stock',
    async (redis) => {
      await redis.hincrby(`item:${item}`, 'stock', -6)
      await redis.hincrby('books', 'added', -6)
    },
    async (redis) => {
      await redis.hincrby(`item:${item}`, 'stock', 6)
      await redis.hincrby('books', 'added', 6)
    },
  )
  t.deepEqual(
    shelf.mismatches.map(({ what, detail }) => [what, detail]),
    [['shelf', `of item ${item} there are -1: less than nothing`]],
  )
})

test.serial('npm run audit says so to people, and in its exit code', async (t) => {
  const { shop, client } = opened()
  const run = async (...args: string[]): Promise<{ code: number; text: string }> => {
    const child = promisify(execFile)(process.execPath, ['env/operator/audit.ts', ...args])
    return child.then(
      ({ stdout }) => ({ code: 0, text: stdout }),
      ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, text: stdout + stderr }),
    )
  }
  const { item } = await sell(client)
  const good = await run('--url', shop.url)
  t.is(good.code, 0)
  t.regex(
    good.text,
    /^credit {2}\d+ added = \d+ wallets \+ \d+ paid \+ 0 in flight\n.*\n0 checkouts in flight; nothing is missing\n$/,
  )
  t.true((JSON.parse((await run('--url', shop.url, '--json')).text) as Told).balanced)
  const bad = await behind(shop.part('stock-redis'), async (redis) => {
    await redis.hincrby(`item:${item}`, 'stock', 1)
    const ran = await run('--url', shop.url)
    await redis.hincrby(`item:${item}`, 'stock', -1)
    return ran
  })
  t.is(bad.code, 1)
  t.true(bad.text.includes(`of item ${item} there are 9, but 8 by the log`), bad.text)
  const none = await run('--url', 'http://127.0.0.1:1')
  t.is(none.code, 2)
  t.regex(none.text, /^no shop answers at http:\/\/127\.0\.0\.1:1 .*\n$/)
  t.is((await run('--nonsense')).code, 2)
})
