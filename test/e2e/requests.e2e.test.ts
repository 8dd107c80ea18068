/** A request leads to its lines in the logs and to its entries: by its own id, and by the log id of its checkout. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'ava'
import type { Part } from '../../env/local/managed-process.ts'
import { eventually } from '../support/eventually.ts'
import { problemOf } from '../support/shop/client.ts'
import { shareShop } from '../support/shop/shop.ts'

const TOKEN = 'sesame-of-the-operators'
const TOLD_MS = 5_000
const shop = shareShop(test, { env: { all: { LOG_LEVEL: 'debug', OPERATOR_TOKEN: TOKEN } } })

type Line = Readonly<Record<string, unknown>>

const linesOf = async ({ logFile }: Part): Promise<readonly Line[]> =>
  (await readFile(logFile, 'utf8'))
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)

/** What a part has told of a request, once it has. */
const toldOf = (name: string, requestId: string): Promise<Line> =>
  eventually(async () => {
    const told = (await linesOf(shop().shop.part(name))).find((line) => line.requestId === requestId)
    assert.ok(told, `${name} has told nothing of ${requestId}`)
    return told
  }, TOLD_MS)

const asOperator = { authorization: `Bearer ${TOKEN}` }

const sagasOf = async (order: string): Promise<readonly string[]> => {
  const { json } = await shop().client.get(`/orders/checkouts/${order}`, asOperator)
  return (json as { log_ids: readonly string[] }).log_ids
}

for (const [what, credit, stock, status] of [
  ['paid', 5, 1, 200],
  ['refused for credit', 4, 1, 402],
  ['refused for stock', 5, 0, 409],
] as const)
  for (const key of [undefined, `a key: ${what}`.replaceAll(' ', '-')])
    test.serial(
      `a checkout that is ${what} bears its log id, ${key === undefined ? 'without' : 'under'} a key`,
      async (t) => {
        const { client } = shop()
        const order = await client.createOrder(await client.createUser(credit), [
          [await client.createItem(5, stock), 1],
        ])
        const headers = key === undefined ? {} : { 'idempotency-key': key }
        const requestId = `of-${order}`
        const reply = await client.checkout(order, { ...headers, 'x-request-id': requestId })
        t.is(reply.status, status)
        const [saga] = await sagasOf(order)
        t.is(reply.headers['x-log-id'], saga)
        t.like(await toldOf('order-1', requestId), { msg: 'answered', status, log_id: saga, method: 'POST' })

        // Asked again, under the key the same is told; without one, or under a new one, what was paid is still that checkout's.
        if (key === undefined && status !== 200) return
        for (const asked of status === 200 ? [headers, { 'idempotency-key': `new-${order}` }] : [headers]) {
          const again = await client.checkout(order, asked)
          t.deepEqual([again.status, again.headers['x-log-id']], [status, saga])
        }
      },
    )

test.serial('what has no checkout bears no log id', async (t) => {
  const { client } = shop()
  const empty = await client.checkout(await client.createOrder(await client.createUser(5)))
  t.deepEqual([empty.status, empty.headers['x-log-id']], [409, undefined])
  t.is(problemOf(empty).type, 'urn:shop:problem:order-empty')
  const unknown = await client.checkout('nowhere')
  t.deepEqual([unknown.status, unknown.headers['x-log-id']], [404, undefined])
})

test.serial('a request is called the same by the peers that are asked because of it', async (t) => {
  const { client } = shop()
  const user = await client.createUser()
  const item = await client.createItem(5, 1)
  const created = await client.post(`/orders/create/${user}`, { 'x-request-id': 'creating-1' })
  const { order_id } = created.json as { order_id: string }
  await client.post(`/orders/addItem/${order_id}/${item}/1`, { 'x-request-id': 'adding-1' })
  await client.get('/audit', { ...asOperator, 'x-request-id': 'auditing-1' })

  t.like(await toldOf('order-1', 'creating-1'), { route: '/orders/create/{user}', status: 200 })
  t.like(await toldOf('payment-1', 'creating-1'), { route: '/payment/users', status: 200 })
  t.like(await toldOf('stock-1', 'adding-1'), { route: '/stock/items', status: 200 })
  t.like(await toldOf('payment-1', 'auditing-1'), { status: 200 })
  t.like(await toldOf('stock-1', 'auditing-1'), { status: 200 })
})

test.serial('what could not be asked is told with the request', async (t) => {
  const { client } = shop()
  const user = await client.createUser()
  const payment = shop().shop.part('payment-1')
  await payment.stop()
  const reply = await client.post(`/orders/create/${user}`, { 'x-request-id': 'in-vain-1' })
  await payment.start()
  t.is(reply.status, 424)
  t.like(await toldOf('order-1', 'in-vain-1'), { level: 40, msg: 'payment does not answer', method: 'POST' })
})

test.serial('what operators have done is told, and strangers are, but no token', async (t) => {
  const { client } = shop()
  const asked = async (requestId: string, headers: Record<string, string>): Promise<number> =>
    (await client.post('/stock/fault_tolerance', { ...headers, 'x-request-id': requestId })).status
  t.is(await asked('a-verb', asOperator), 200)
  t.is(await asked('a-stranger', { authorization: 'Bearer open-sesame' }), 403)
  const path = '/stock/fault_tolerance'
  t.like(await toldOf('stock-1', 'a-verb'), { level: 30, msg: 'answered', method: 'POST', path, status: 200 })
  t.like(await toldOf('stock-1', 'a-stranger'), { level: 40, method: 'POST', path, status: 403, times: 1 })
  const log = await readFile(shop().shop.part('stock-1').logFile, 'utf8')
  t.false(log.includes(TOKEN))
  t.false(log.includes('open-sesame'))
})

test.serial('each line names the part and its replica, and no machine', async (t) => {
  for (const part of shop().shop.parts.filter(({ name }) => !name.endsWith('-redis'))) {
    const lines = await linesOf(part)
    t.true(lines.length > 0)
    for (const { name, replica, hostname, pid } of lines)
      t.deepEqual([name, replica, hostname, pid], [part.name.replace(/-\d$/, ''), part.name, undefined, undefined])
  }
})
