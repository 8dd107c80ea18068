/**
 * Faults of one Redis: it is killed, freezes, sleeps, is paused, has no memory or no room on its disk, forgets its scripts
 * or its locks. Meanwhile whoever needs it is told so within 2 s, what does not need it goes on, and afterwards all works
 * again without a restart of any service.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { nanoid } from 'nanoid'
import type { Exit } from '../../env/local/launch.ts'
import type { RedisPart } from '../../env/local/parts.ts'
import { SERVICES, type Service } from '../../env/wiring.ts'
import { behind } from '../support/behind.ts'
import { answerIfAny, type Client } from '../support/client.ts'
import { away, eventually } from '../support/eventually.ts'
import { startLoad } from '../support/load.ts'
import { shareShop } from '../support/shop.ts'
import { FULL, survive } from '../support/survive.ts'

const DEADLINE_MS = 10_000
/** Within this time whoever depends on a Redis that is away says so. */
const UNAVAILABLE_MS = 2_000
const ORDERS = FULL ? 200 : 100
const AWAY_MS = 2_000
const LONG_MS = 5_000
/** A lock whose holder could not reach its masters lasts for its TTL of 3 s. */
const LOCKS_MS = 4_000
const UNRELATED_SUCCESS = 0.99
const MASTERS = ['order', 'payment', 'stock'] as const

const opened = shareShop(test, { redisArgs: ['--enable-debug-command', 'local'] })

type Fault = {
  /** What the service's own reads are answered while it lasts. */
  readonly reads: 200 | 503
  /** Resolves when it is over. `meanwhile` is to be awaited while it lasts. */
  readonly inflict: (part: RedisPart, meanwhile: () => Promise<void>, write: () => Promise<unknown>) => Promise<void>
}

const run = promisify(execFile)

const aofBytes = async (dir: string): Promise<number> => {
  const folder = join(dir, 'appendonlydir')
  const names = (await readdir(folder)).filter((name) => name.endsWith('.incr.aof'))
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
  return Math.max(...sizes)
}

const FAULTS = {
  'is killed': {
    reads: 503,
    inflict: async (part, meanwhile) => {
      await part.kill()
      await Promise.all([meanwhile(), away(AWAY_MS)])
      await part.start()
    },
  },
  'is killed again and again': {
    reads: 503,
    inflict: async (part, meanwhile) => {
      for (let time = 0; time < 4; time += 1) {
        await part.kill()
        await meanwhile()
        await part.start()
        await away(Math.random() * 400)
      }
    },
  },
  'is frozen for 5 s': {
    reads: 503,
    inflict: async (part, meanwhile) => {
      part.freeze()
      await Promise.all([meanwhile(), away(LONG_MS)])
      part.thaw()
    },
  },
  'sleeps for 5 s': {
    reads: 503,
    inflict: (part, meanwhile) =>
      behind(part, async (redis) => {
        await redis.ping()
        const asleep = redis.call('DEBUG', 'SLEEP', String(LONG_MS / 1_000))
        await away(50)
        await Promise.all([asleep, meanwhile()])
      }),
  },
  'is paused for 5 s': {
    reads: 503,
    inflict: (part, meanwhile) =>
      behind(part, async (redis) => {
        await redis.call('CLIENT', 'PAUSE', String(LONG_MS), 'ALL')
        await Promise.all([meanwhile(), away(LONG_MS)])
      }),
  },
  'is out of memory': {
    reads: 200,
    inflict: (part, meanwhile) =>
      behind(part, async (redis) => {
        await redis.config('SET', 'maxmemory', '1')
        await Promise.all([meanwhile(), away(AWAY_MS)])
        await redis.config('SET', 'maxmemory', '0')
      }),
  },
  // With `appendfsync always` a Redis that cannot write ends itself; what it wrote of its last entry is cut off at the start.
  'has no room left': {
    reads: 503,
    inflict: async (part, meanwhile, write) => {
      const limit = (await aofBytes(part.dir)) + 1_000
      await run('prlimit', ['--pid', String(part.pid), `--fsize=${limit}`])
      while (part.state === 'up') await write()
      assertOutOfRoom(await part.exited)
      await Promise.all([meanwhile(), away(AWAY_MS)])
      await part.start()
    },
  },
} as const satisfies Record<string, Fault>
type FaultName = keyof typeof FAULTS

const assertOutOfRoom = ({ code, signal }: Exit): void =>
  assert.ok(code === 1 || signal === 'SIGXFSZ', `it was ended by ${code ?? signal}`)

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

const surviveFault = async (t: ExecutionContext, service: Service, name: FaultName): Promise<void> => {
  t.timeout(100_000)
  const { client, shop } = opened()
  const { reads, inflict }: Fault = FAULTS[name]
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
      await inflict(shop.part(`${service}-redis`), meanwhile, () =>
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
}

const SHORT: readonly (readonly [Service, FaultName])[] = [
  ['order', 'has no room left'],
  ['payment', 'is paused for 5 s'],
  ['stock', 'is out of memory'],
]

for (const service of SERVICES)
  for (const name of Object.keys(FAULTS) as FaultName[])
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

test.serial('nobody notices that the scripts of all are forgotten again and again', (t) =>
  goUnnoticed(t, async () => {
    for (let time = 0; time < TIMES; time += 1) {
      for (const service of SERVICES)
        await behind(opened().shop.part(`${service}-redis`), (redis) => redis.script('FLUSH'))
      await away(20)
    }
  }),
)

const forgetLocks = (master: (typeof MASTERS)[number]): Promise<void> =>
  behind(opened().shop.part(`${master}-redis`), async (redis) => {
    const locks = await redis.keys('lock:*')
    if (locks.length > 0) await redis.del(locks)
  })

for (const [masters, name] of [
  [['payment'], 'one lock master forgets its locks'],
  [['payment', 'stock'], 'two lock masters forget their locks'],
] as const)
  test.serial(`nobody notices that ${name} again and again`, (t) =>
    goUnnoticed(t, async () => {
      for (let time = 0; time < TIMES; time += 1) {
        await Promise.all(masters.map(forgetLocks))
        await away(20)
      }
    }),
  )
