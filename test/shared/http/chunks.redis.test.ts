import test from 'ava'
import { openStore } from '../../../payment/store.ts'
import type { Answer } from '../../../shared/http/answer.ts'
import { inChunks } from '../../../shared/http/chunks.ts'
import { queryIn } from '../../../shared/http/query.ts'
import type { Request } from '../../../shared/http/request.ts'
import { openBench, plainly, teller, under } from '../../support/shop/open-store.ts'

const bench = await openBench()
const store = openStore(bench.dependencies)
const COUNT = 2_500

let tell: ReturnType<typeof teller>
test.serial.beforeEach(async () => {
  await bench.redis.flushall()
  tell = teller(store.log)
})
test.after.always(async () => bench[Symbol.asyncDispose]())

const requestUnder = (idempotencyKey: string | undefined, fingerprint: string): Request => ({
  idempotencyKey,
  fingerprint,
  parameter: () => '',
  query: queryIn(''),
  body: undefined,
  header: () => undefined,
  caller: undefined,
  lockToken: undefined,
  authorization: undefined,
  requestId: undefined,
  isGone: () => false,
  closing: new AbortController().signal,
})
/** A batch of users, each with so much credit; it waits for nobody. */
const makeUsers = (credit: number, key?: string): Promise<Answer> =>
  inChunks(
    requestUnder(key, `POST /payment/batch_init/${COUNT}/${credit}`),
    COUNT,
    'made',
    store.log.claim,
    (first, last, once) => store.initUsers(first, last, credit, once),
    0,
  )
const credits = async (...users: readonly number[]): Promise<(number | undefined)[]> =>
  Promise.all(users.map(async (user) => (await store.find(String(user)))?.credit))
const problemIn = (answer: Answer) => ('problem' in answer ? answer.problem : undefined)

/** A checkout holds money of a user in the middle. */
const hold = (user: string, saga = 'it'): Promise<unknown> =>
  tell('order', 'CheckoutStarted', saga, { order: 'cart', user, total: 1, lines: 'tea:1', deadline: 1_700_000_000_000 })
const letGo = (user: string): Promise<unknown> =>
  tell('order', 'CheckoutCancelled', 'it', { order: 'cart', user, total: 1 })

test.serial('a batch that meets something in use says how far it came', async (t) => {
  await makeUsers(1)
  await hold('1500')
  const refused = problemIn(await makeUsers(7))
  t.like(refused, { status: 409, made: 1_000 })
  t.regex(refused?.detail ?? '', /^"1500" is in use .* 0 to 999 were made anew, the others were not/)
  t.deepEqual(await credits(0, 999, 1_000, 2_499), [7, 7, 1, 1])

  await hold('3', 'another')
  const nothing = problemIn(await makeUsers(8))
  t.like(nothing, { status: 409, made: 0 })
  t.regex(nothing?.detail ?? '', /nothing was done$/)
  t.deepEqual(await credits(0, 2_499), [7, 1])
})

test.serial('under its key the same batch goes on where it ended, and each user is made once', async (t) => {
  await makeUsers(1)
  await hold('1500')
  t.like(problemIn(await makeUsers(7, 'b')), { status: 409, made: 1_000 })
  await store.addFunds('5', 100, plainly)
  t.like(problemIn(await makeUsers(7, 'b')), { status: 409, made: 1_000 }, 'while it is in use, the same again')
  await letGo('1500')
  t.deepEqual(await makeUsers(7, 'b'), { json: { msg: 'made' } })
  t.deepEqual(await credits(5, 1_000, 1_500, 2_499), [107, 7, 7, 7])
  await store.addFunds('2000', 100, plainly)
  t.deepEqual(await makeUsers(7, 'b'), { json: { msg: 'made' } })
  t.deepEqual(await credits(5, 2_000), [107, 107])
})

test.serial('another request under the key of a batch is refused before any effect', async (t) => {
  await makeUsers(1)
  await hold('3')
  t.like(problemIn(await makeUsers(7, 'b')), { status: 409, made: 0 })
  await letGo('3')
  t.like(problemIn(await makeUsers(8, 'b')), { status: 422 })
  t.deepEqual(await store.addFunds('3', 1, under('b')), ['key-reused'])
  t.deepEqual(await credits(0, 3, 2_499), [1, 1, 1])
  await store.addFunds('3', 1, under('c'))
  t.like(problemIn(await makeUsers(8, 'c')), { status: 422 })
  t.deepEqual(await credits(0, 3, 2_499), [1, 2, 1])
})

test.serial('no key that a client may choose meets those of the chunks', async (t) => {
  await makeUsers(1, 'b')
  for (const key of await bench.redis.keys('request:b*')) {
    const name = key.slice('request:'.length)
    if (name !== 'b') t.notRegex(name, /^[\x21-\x7e]{1,128}$/)
  }
  t.deepEqual(await store.addFunds('0', 1, under('b/0', 'POST /payment/add_funds/0/1')), ['added'])
})
