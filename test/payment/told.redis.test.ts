/** Who is told 503 is told whether nothing was done; and if that is not known, how to be sure. */

import { once } from 'node:events'
import test, { type ExecutionContext } from 'ava'
import { routesOf } from '../../payment/routes.ts'
import { openStore } from '../../payment/store.ts'
import type { Problem } from '../../shared/http/problem.ts'
import { eventually } from '../support/eventually.ts'
import { lookInto } from '../support/shop/behind.ts'
import { type Bench, openBench, plainly } from '../support/shop/open-store.ts'
import { openServiceServer } from '../support/shop/service-server.ts'

type Told = { readonly status: number; readonly location: string | null; readonly document: Problem }
type House = { readonly bench: Bench; readonly ask: (path: string, key?: string) => Promise<Told> }

/** Payment behind its server, with a user who has 100, and a Redis that knows the scripts. */
const openHouse = async (t: ExecutionContext): Promise<House> => {
  const bench = await openBench()
  const store = openStore(bench.dependencies)
  const server = await openServiceServer({
    service: 'payment',
    routes: routesOf(store),
  })
  t.teardown(async () => {
    await server.close()
    await bench[Symbol.asyncDispose]()
  })
  await store.createUser('anna', plainly)
  await store.addFunds('anna', 101, plainly)
  await store.pay('anna', 1, plainly)
  return {
    bench,
    ask: async (path, key) => {
      const reply = await fetch(`http://127.0.0.1:${server.port}${path}`, {
        method: path.includes('/find_user/') ? 'GET' : 'POST',
        headers: key === undefined ? {} : { 'Idempotency-Key': key },
      })
      return {
        status: reply.status,
        location: reply.headers.get('location'),
        document: (await reply.json()) as Problem,
      }
    },
  }
}

const assertUnknown = (t: ExecutionContext, { status, document }: Told, word: RegExp): void => {
  t.deepEqual([status, document.type], [503, 'urn:shop:problem:unavailable'])
  t.regex(document.detail, /may or may not have been done/)
  t.regex(document.detail, word)
}
const assertNotDone = (t: ExecutionContext, { status, location, document }: Told): void => {
  t.deepEqual([status, document.type], [503, 'urn:shop:problem:not-done'])
  t.regex(document.detail, /nothing was done/)
  t.is(location, null)
}

test('a Redis that does not answer may do it later: the client is told how to be sure, and where to look', async (t) => {
  const { bench, ask } = await openHouse(t)
  bench.server.freeze()
  const [added, paid, keyed, read] = (await Promise.all([
    ask('/payment/add_funds/anna/10'),
    ask('/payment/pay/anna/1'),
    ask('/payment/add_funds/anna/5', 'a'),
    ask('/payment/find_user/anna'),
  ])) as [Told, Told, Told, Told]
  bench.server.thaw()
  for (const told of [added, paid]) {
    assertUnknown(t, told, /look before you send it again; under an Idempotency-Key/)
    t.is(told.location, '/payment/find_user/anna')
  }
  assertUnknown(t, keyed, /send it again under the same Idempotency-Key/)
  t.is(read.status, 503)
  t.notRegex(read.document.detail, /done/)
  // And so it comes: all was done but what was asked under a key, which begins with a look at the clock.
  const redis = lookInto(bench.server, t)
  await eventually(async () => {
    if ((await redis.hget('user:anna', 'credit')) !== '109') throw new Error('not yet')
  }, 5_000)
})

test('a Redis that is not there, or refuses, has done nothing, and the client is told so', async (t) => {
  const { bench, ask } = await openHouse(t)
  await bench.redis.config('SET', 'maxmemory', '1')
  assertNotDone(t, await ask('/payment/add_funds/anna/10'))
  await bench.redis.config('SET', 'maxmemory', '0')

  const closed = once(bench.redis, 'close')
  await bench.server.kill()
  await closed
  assertNotDone(t, await ask('/payment/add_funds/anna/10'))
})

test('under a key it may have been done before, so the client is told how to be sure', async (t) => {
  const { bench, ask } = await openHouse(t)
  const closed = once(bench.redis, 'close')
  await bench.server.kill()
  await closed
  assertUnknown(t, await ask('/payment/add_funds/anna/10', 'a'), /send it again under the same Idempotency-Key/)
})

test('a batch of which a part was done is not told that nothing was done', async (t) => {
  const { bench, ask } = await openHouse(t)
  const redis = lookInto(bench.server, t)
  const asked = ask('/payment/batch_init/200000/7')
  await eventually(async () => {
    if ((await redis.exists('user:0')) === 0) throw new Error('not yet')
  }, 10_000)
  await redis.config('SET', 'maxmemory', '1')
  assertUnknown(t, await asked, /in part/)
})
