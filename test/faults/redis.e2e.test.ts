/**
 * Faults of one Redis: it is killed, freezes, sleeps, is paused, has no memory or no room on its disk, forgets its scripts
 * or its locks. Meanwhile whoever needs it is told so within 2 s, what does not need it goes on, and afterwards all works
 * again without a restart of any service.
 */

import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import { nanoid } from 'nanoid'
import type { RedisPart } from '../../env/local/parts.ts'
import { SERVICES, type Service } from '../../shared/contract/services.ts'
import { away, eventually } from '../support/eventually.ts'
import { during, type FaultName, strike } from '../support/faults/catalogue.ts'
import { FULL } from '../support/faults/daily.ts'
import { survive } from '../support/faults/survive.ts'
import { startLoad } from '../support/load/jobs.ts'
import { answerIfAny, type Client, isReady } from '../support/shop/client.ts'
import { directTo, shareShop } from '../support/shop/shop.ts'

const DEADLINE_MS = 10_000
/** Within this time whoever depends on a Redis that is away says so. */
const UNAVAILABLE_MS = 2_000
const ORDERS = FULL ? 200 : 100
const AWAY_MS = 2_000
const LONG_MS = 5_000
/** A lock whose holder could not reach its masters lasts for its TTL of 3 s. */
const LOCKS_MS = 4_000
const UNRELATED_SUCCESS = 0.99

const opened = shareShop(test, { redisArgs: ['--enable-debug-command', 'local'] })

/** Strikes the Redis of a service. `meanwhile` is to be awaited while it lasts; `write` asks for something to be written. */
type Trial = (part: RedisPart, meanwhile: () => Promise<void>, write: () => Promise<unknown>) => Promise<void>

const lasting =
  (fault: FaultName, forMs: number): Trial =>
  (part, meanwhile) =>
    during(fault, [{ part }], () => Promise.all([meanwhile(), away(forMs)]))

const TRIALS = {
  'is killed': lasting('kill', AWAY_MS),
  'is killed again and again': async (part, meanwhile) => {
    for (let time = 0; time < 4; time += 1) {
      await during('kill', [{ part }], meanwhile)
      await away(Math.random() * 400)
    }
  },
  'is frozen for 5 s': lasting('freeze', LONG_MS),
  'sleeps for 5 s': lasting('sleep', 0),
  'is paused for 5 s': lasting('pause', LONG_MS),
  'is out of memory': lasting('out-of-memory', AWAY_MS),
  'has no room left': (part, meanwhile, write) =>
    during('disk-full', [{ part }], async () => {
      while (part.state === 'up') await write()
      const { code, signal } = await part.exited
      assert.ok(code === 1 || signal === 'SIGXFSZ', `it was ended by ${code ?? signal}`)
      await Promise.all([meanwhile(), away(AWAY_MS)])
    }),
} as const satisfies Record<string, Trial>
type TrialName = keyof typeof TRIALS
/** What is still read while it lasts. */
const READABLE: readonly TrialName[] = ['is out of memory']

/** A read of each service that asks nothing but its own Redis. */
const readsOf = async (client: Client): Promise<Record<Service, string>> => {
  const user = await client.createUser(1)
  const item = await client.createItem(1, 1)
  const order = await client.createOrder(user)
  return {
    ids: '/ids/log_count',
    order: `/orders/find/${order}`,
    payment: `/payment/find_user/${user}`,
    stock: `/stock/find/${item}`,
  }
}

const surviveFault = async (t: ExecutionContext, service: Service, name: TrialName): Promise<void> => {
  t.timeout(100_000)
  const { client, shop } = opened()
  const reads = READABLE.includes(name) ? 200 : 503
  const paths = await readsOf(client)
  const others = SERVICES.filter((one) => one !== service)
  const pids = Object.values(shop.services).flatMap((parts) => parts.map(({ pid }) => pid))

  const meanwhile = async (): Promise<void> => {
    const unrelated = startLoad(t, others.length, async (number) => {
      const { status, text } = await client.get(paths[others[number % others.length] ?? 'ids'])
      if (status !== 200) throw new Error(`${status} ${text}`)
      await away(5)
    })
    try {
      for (const time of ['first', 'second']) {
        const startedAt = performance.now()
        const { status, headers } = await client.get(paths[service])
        const ms = performance.now() - startedAt
        t.is(status, reads)
        if (status === 503) t.is(headers['retry-after'], '1')
        t.true(ms < UNAVAILABLE_MS, `the ${time} was answered after ${Math.round(ms)} ms`)
      }
      await unrelated.served(100)
    } finally {
      const { failures, served } = await unrelated.stop()
      t.true(failures.length <= served * (1 - UNRELATED_SUCCESS), `${failures.length} of ${served}: ${failures[0]}`)
    }
  }
  await survive(t, opened(), {
    orders: ORDERS,
    disturb: async () => {
      await TRIALS[name](shop.part(`${service}-redis`), meanwhile, () =>
        answerIfAny(client.get('/ids/create', { 'Idempotency-Key': nanoid() })),
      )
      await eventually(async () => assert.equal((await client.get(paths[service])).status, 200), LONG_MS)
    },
    answerMs: DEADLINE_MS + UNAVAILABLE_MS,
    expectations: { locksMs: LOCKS_MS },
  })
  t.deepEqual(
    Object.values(shop.services).flatMap((parts) => parts.map(({ pid }) => pid)),
    pids,
    'no service had to be restarted',
  )
  // Whether a Redis has room is looked at once a second: until then some may refuse what the next test begins.
  const services = Object.values(shop.services).flat()
  await Promise.all(services.map((part) => isReady(directTo(t, part))))
}

const SHORT: readonly (readonly [Service, TrialName])[] = [
  ['order', 'has no room left'],
  ['payment', 'is paused for 5 s'],
  ['stock', 'is out of memory'],
]

for (const service of SERVICES)
  for (const name of Object.keys(TRIALS) as TrialName[])
    if (FULL || SHORT.some(([where, what]) => where === service && what === name))
      test.serial(`is told in time, and goes on, when the Redis of ${service} ${name}`, (t) =>
        surviveFault(t, service, name),
      )

/** What nobody should notice: all are answered at their first request. */
const goUnnoticed = async (t: ExecutionContext, disturb: () => Promise<void>): Promise<void> => {
  t.timeout(60_000)
  const told = await survive(t, opened(), { orders: ORDERS, disturb, answerMs: DEADLINE_MS })
  t.is(told.length, ORDERS * 2, 'each was asked for once, and once again at the end')
}

const TIMES = FULL ? 40 : 10

for (const [fault, services, name] of [
  ['forget-scripts', SERVICES, 'the scripts of all are forgotten'],
  ['forget-locks', ['payment'], 'one lock master forgets its locks'],
  ['forget-locks', ['payment', 'stock'], 'two lock masters forget their locks'],
] as const)
  test.serial(`nobody notices that ${name} again and again`, (t) =>
    goUnnoticed(t, async () => {
      for (let time = 0; time < TIMES; time += 1) {
        await strike(
          fault,
          services.map((service) => ({ part: opened().shop.part(`${service}-redis`) })),
        )
        await away(20)
      }
    }),
  )
