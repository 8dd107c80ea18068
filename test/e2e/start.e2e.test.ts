/** What a service wants of its surroundings before it works, what it says when it does not get it, and how it ends. */

import assert from 'node:assert/strict'
import test from 'ava'
import axios from 'axios'
import type { Part } from '../../env/local/managed-process.ts'
import { SERVICES, type Service } from '../../shared/contract/services.ts'
import { locksLeft, proveInvariants } from '../support/checker/invariants.ts'
import { eventually } from '../support/eventually.ts'
import { run } from '../support/program.ts'
import { startRedis } from '../support/shop/redis-server.ts'
import { openShop, shareShop } from '../support/shop/shop.ts'

const START_MS = 30_000
/** A replica that was told to end says so for this long before it closes its server. */
const DRAIN_MS = 500

const UNSAFE = [
  {
    what: 'would evict',
    redisArgs: ['--maxmemory-policy', 'allkeys-lru'],
    says: 'maxmemory-policy is "allkeys-lru" and must be "noeviction"',
  },
  { what: 'keeps no AOF', redisArgs: ['--appendonly', 'no'], says: 'appendonly is "no" and must be "yes"' },
  {
    what: 'acknowledges before it is on the disk',
    redisArgs: ['--appendfsync', 'everysec'],
    says: 'appendfsync is "everysec" and must be "always"',
  },
  {
    what: 'syncs nothing while it rewrites its file',
    redisArgs: ['--no-appendfsync-on-rewrite', 'yes'],
    says: 'no-appendfsync-on-rewrite is "yes" and must be "no"',
  },
] as const

const WANTED: Readonly<Record<Service | 'gateway', readonly string[]>> = {
  ids: ['PORT', 'REDIS_URL', 'ORDER_REDIS_URL', 'PAYMENT_REDIS_URL', 'STOCK_REDIS_URL'],
  order: ['PORT', 'REDIS_URL', 'PAYMENT_REDIS_URL', 'STOCK_REDIS_URL', 'IDS_URLS', 'PAYMENT_URLS', 'STOCK_URLS'],
  payment: ['PORT', 'REDIS_URL', 'ORDER_REDIS_URL', 'STOCK_REDIS_URL', 'IDS_URLS'],
  stock: ['PORT', 'REDIS_URL', 'ORDER_REDIS_URL', 'PAYMENT_REDIS_URL', 'IDS_URLS'],
  gateway: ['ORDER_URLS', 'PAYMENT_URLS', 'STOCK_URLS', 'IDS_URLS'],
}

for (const { what, redisArgs, says } of UNSAFE)
  test(`does not start on a Redis that ${what}, and names the setting`, async (t) => {
    const redis = await startRedis({ args: redisArgs })
    t.teardown(redis.stop)
    const urls = WANTED.ids.filter((name) => name !== 'PORT').map((name) => [name, redis.url])
    const { code, errors } = await run(t, ['ids/main.ts'], {
      env: { ...process.env, ...Object.fromEntries(urls), PORT: '0', HOST: '127.0.0.1' },
    })
    t.is(code, 1)
    const sentence = `ids cannot start: this Redis may lose what it acknowledged: ${says} (ALLOW_UNSAFE_REDIS=yes overrides this)`
    t.is(errors, `${sentence}\n`, 'one sentence, and no stack')
  })

test.serial('starts on an unsafe Redis when told to, with a warning', async (t) => {
  const opened = await openShop(t, {
    redisArgs: UNSAFE.flatMap(({ redisArgs }) => redisArgs),
    env: { all: { ALLOW_UNSAFE_REDIS: 'yes' } },
  })
  const { client } = opened
  const { order } = await client.createCart({ credit: 5, stock: 1 })
  t.is((await client.checkout(order)).status, 200)
  for (const part of Object.values(opened.shop.services).flat()) {
    const log = await part.tail(1_000)
    for (const { says } of UNSAFE) t.true(log.includes(JSON.stringify(says).slice(1, -1)), `${part.name}: ${says}`)
  }
  await proveInvariants(t, opened, { seededByClientOnly: true })
})

for (const role of [...SERVICES, 'gateway'] as const)
  test(`${role} names everything that is missing in its configuration at once`, async (t) => {
    const { code, errors } = await run(t, [`${role}/main.ts`], { env: { PATH: process.env.PATH } })
    t.is(code, 1)
    t.is(errors.trim().split('\n').length, 1, errors)
    for (const variable of WANTED[role]) t.regex(errors, new RegExp(`\\b${variable} is missing`))
  })

test('order names what is missing and what is wrong together', async (t) => {
  const { code, errors } = await run(t, ['order/main.ts'], {
    env: {
      PATH: process.env.PATH,
      PORT: '80x',
      REDIS_URL: 'http://127.0.0.1',
      CHECKOUT_DEADLINE_MS: '0',
      ALLOW_UNSAFE_REDIS: 'maybe',
      STOCK_URLS: 'http://127.0.0.1:1,nonsense',
    },
  })
  t.is(code, 1)
  t.is(errors.trim().split('\n').length, 1, errors)
  for (const said of [
    'PORT must be an integer from 0 to 65535, not "80x"',
    'REDIS_URL must be a URL of the form redis://',
    'CHECKOUT_DEADLINE_MS must be an integer from 100 to 60000, not "0"',
    'ALLOW_UNSAFE_REDIS must be "yes" or "no", not "maybe"',
    'STOCK_URLS must be a URL of the form http://',
    'PAYMENT_URLS is missing',
  ])
    t.true(errors.includes(said), `${said}\n${errors}`)
})

const opened = shareShop(test)

const only = (service: Service): Part => opened().shop.part(`${service}-1`)

const status = async (url: string): Promise<{ status: number; text: string }> => {
  const reply = await axios.get<string>(url, { validateStatus: () => true, responseType: 'text', timeout: 3_000 })
  return { status: reply.status, text: reply.data }
}

const assertReady = async (url: string, text: RegExp, wanted: number): Promise<void> => {
  const ready = await status(`${url}/ready`)
  assert.equal(ready.status, wanted, ready.text)
  assert.match(ready.text, text)
}

const assertSells = async (): Promise<void> => {
  const { client } = opened()
  const { order } = await client.createCart({ credit: 5, stock: 1 })
  assert.equal((await client.checkout(order)).status, 200)
}

/** Whose Redis is away, the service's own or a peer's; the gateway names the service meanwhile. */
const AWAY: readonly (readonly [service: Service, owner: Service])[] = [
  ...SERVICES.map((service) => [service, service] as const),
  ['order', 'payment'],
  ['payment', 'stock'],
  ['stock', 'payment'],
]

for (const [service, owner] of AWAY) {
  const isOwn = owner === service
  test.serial(`${service} waits for ${isOwn ? 'its own Redis' : `the Redis of ${owner}`} and says so`, async (t) => {
    const { shop } = opened()
    const part = only(service)
    await part.stop()
    await shop.part(`${owner}-redis`).stop()
    const started = part.start()
    const reason = isOwn ? /its own Redis is away/ : new RegExp(`it has not reached the log of ${owner} yet`)
    await eventually(() => assertReady(part.url, reason, 503), START_MS)
    t.is((await status(`${part.url}/live`)).status, 200)
    const said = new RegExp(`waiting for ${isOwn ? 'its own Redis' : `the log of ${owner}`}`)
    await eventually(async () => assert.match(await part.tail(), said), START_MS)
    if (isOwn) await eventually(() => assertReady(shop.url, new RegExp(`"services":\\["${service}"\\]`), 503), START_MS)
    t.is(part.state, 'starting', 'it is not ready before')
    await shop.part(`${owner}-redis`).start()
    await started
    await assertReady(part.url, /^ready$/, 200)
    await eventually(() => assertReady(shop.url, /^ready$/, 200), START_MS)
    await eventually(assertSells, START_MS)
  })
}

const PUBLISHERS = { order: 1, payment: 2, stock: 1 }

for (const service of ['order', 'payment', 'stock'] as const)
  test.serial(`${service} is not ready as soon as it is told to end, and gives its leases back`, async (t) => {
    const part = only(service)
    const leases = [`lock:reader:${service}:*`, `lock:parser:${service}`]
    await eventually(
      async () => assert.equal((await locksLeft(opened(), leases)).length, PUBLISHERS[service]),
      START_MS,
    )
    const startedAt = performance.now()
    const ended = part.kill('SIGTERM')
    await eventually(() => assertReady(part.url, /draining/, 503), DRAIN_MS)
    t.deepEqual(await ended, { code: 0, signal: null })
    t.log(`ended after ${Math.round(performance.now() - startedAt)} ms`)
    t.deepEqual(await locksLeft(opened(), leases), [])
  })

test.serial('order, payment and stock start without ids, with identifiers of their own', async (t) => {
  const { shop } = opened()
  await only('ids').stop()
  const others = [only('order'), only('payment'), only('stock')]
  await Promise.all(others.map((part) => part.stop()))
  await Promise.all(others.map((part) => part.start()))
  await assertReady(only('order').url, /^ready$/, 200)
  await eventually(
    async () => assert.match(await only('order').tail(), /ids does not answer: using a random block/),
    START_MS,
  )
  await eventually(assertSells, START_MS)
  t.is((await status(`${shop.url}/ready`)).status, 503, 'the shop is not whole')
  await only('ids').start()
  await eventually(async () => assert.match(await only('order').tail(), /leased a block of identifiers/), START_MS)
  await eventually(() => assertReady(shop.url, /^ready$/, 200), START_MS)
  await proveInvariants(t, opened(), { locksMs: 5_000 })
})
