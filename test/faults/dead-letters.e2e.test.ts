/**
 * An entry that cannot be applied, in the log that a service follows: it is put aside with its error within seconds, nobody
 * else is delayed, and once the cause is mended a retry finishes the saga. The log parsers run at the start only, so that it
 * is the retry that does it.
 */

import assert from 'node:assert/strict'
import test, { type ExecutionContext } from 'ava'
import type { Redis } from 'ioredis'
import type { Explanation, Letter } from '../../env/operator/explain.ts'
import type { Service } from '../../shared/contract/services.ts'
import { proveInvariants } from '../support/checker/invariants.ts'
import { packOf } from '../support/checker/records.ts'
import { eventually } from '../support/eventually.ts'
import { inParallel } from '../support/load/jobs.ts'
import { behind } from '../support/shop/behind.ts'
import type { Cart } from '../support/shop/client.ts'
import { operatorOf } from '../support/shop/operator.ts'
import { shareShop } from '../support/shop/shop.ts'

const YEARLY = '0 0 0 1 1 *'
const opened = shareShop(test, { env: { all: { LOG_PARSER_CRON: YEARLY }, order: { CHECKOUT_DEADLINE_MS: '60000' } } })

const DEAD_LETTERED_MS = 3_000
/** Ordinarily a checkout alone takes some milliseconds: a busy machine may take longer, but never waits for anybody. */
const DELAYED_MS = 2_000

const operator = () => operatorOf(opened(), '')
const lettersOf = async (service: Service): Promise<readonly Letter[]> =>
  (await operator().json<{ letters: readonly Letter[] }>('dead', 'list')).letters.filter(({ name }) =>
    name.startsWith(`${service}:`),
  )
const whenDeadLettered = (service: Service, matches: (letter: Letter) => boolean): Promise<Letter> =>
  eventually(async () => {
    const letter = (await lettersOf(service)).find(matches)
    assert.ok(letter, 'it is not a dead letter')
    return letter
  }, DEAD_LETTERED_MS)

const behindOf = <Result>(service: Service, work: (redis: Redis) => Promise<Result>): Promise<Result> =>
  behind(opened().shop.part(`${service}-redis`), work)

const seed = (): Promise<Cart> => opened().client.createCart({ quantity: 2 })

/** Checkouts of others, meanwhile: all are paid, and none waits. */
const assertNobodyDelayed = async (t: ExecutionContext): Promise<void> => {
  const { client } = opened()
  const others = await inParallel(8, 8, seed)
  const took = await inParallel(8, 8, async (index) => {
    const startedAt = performance.now()
    const { status } = await client.checkout(others[index]?.order ?? '')
    return { status, ms: performance.now() - startedAt }
  })
  t.deepEqual(
    took.filter(({ status, ms }) => status !== 200 || ms > DELAYED_MS),
    [],
  )
}

test.serial(
  'an entry that no subscriber can act on is put aside; a retry says that it cannot be, so it is dismissed',
  async (t) => {
    // Said in the name of order, behind its back.
    const forged = ['CheckoutStarted', 'version=1 log_id=forged']
    const entry = await behindOf('order', (redis) => redis.xadd('log:order', '*', ...forged))
    await assertNobodyDelayed(t)
    const letter = await whenDeadLettered('payment', (one) => one.entry === entry)
    t.is(letter.speaker, 'order')
    t.is(letter.error, 'it lacks "order"')
    const retried = await operator().saga('dead', 'retry', letter.name)
    t.is(retried.code, 1)
    t.true(retried.out.includes(letter.error))
    t.true(
      (await lettersOf('payment')).some(({ name }) => name === letter.name),
      'it stays',
    )
    // Every subscriber of the publisher has a letter of it.
    for (const service of ['order', 'payment', 'stock'] as const)
      for (const { name } of (await lettersOf(service)).filter((one) => one.entry === entry)) {
        const dismissed = await operator().saga('dead', 'dismiss', name)
        t.deepEqual([dismissed.code, dismissed.out], [0, `${name} is dismissed\n`], dismissed.said)
      }
    t.false((await lettersOf('payment')).some(({ name }) => name === letter.name))
    const { out } = await operator().saga('dead', 'list', '--all')
    t.regex(out, new RegExp(`^${letter.name} .* dismissed .*; was: it`, 'm'))
    const again = await operator().saga('dead', 'dismiss', letter.name)
    t.deepEqual([again.code, again.out], [0, `${letter.name} was dismissed before\n`])
    const late = await operator().saga('dead', 'retry', letter.name)
    t.is(late.code, 1)
    t.regex(late.out, /it was dismissed: it is never to be applied/)
  },
)

/** Puts something else under a key, so that every command that needs it fails; gives what puts it back. */
const breakKey = (service: Service, key: string): Promise<() => Promise<unknown>> =>
  behindOf(service, async (redis) => {
    await redis.rename(key, 'aside')
    await redis.set(key, 'of the wrong type')
    return () => behindOf(service, (again) => again.multi().del(key).rename('aside', key).exec())
  })

/** For each subscriber: what must be broken to make its command fail, for a checkout that was begun while stock was frozen. */
const BROKEN: readonly (readonly [subscriber: Service, kind: string, key: (seeded: Cart, logId: string) => string])[] =
  [
    ['payment', 'CheckoutStarted', ({ user }) => `user:${user}`],
    ['stock', 'CreditHeld', ({ item }) => `item:${item}`],
    ['order', 'CreditCaptured', (_seeded, logId) => packOf(logId)],
  ]
for (const [subscriber, kind, keyOf] of BROKEN)
  test.serial(
    `an entry that makes the script of ${subscriber} fail: put aside, and a retry after the mending finishes the saga`,
    async (t) => {
      const { client } = opened()
      const seeded = await seed()
      const { order, user, item } = seeded
      const isBegunFirst = subscriber === 'order'
      // The saga of order must exist before it can be broken: it is held up meanwhile.
      if (isBegunFirst) opened().shop.part('stock-1').freeze()
      const mendEarly = isBegunFirst ? undefined : await breakKey(subscriber, keyOf(seeded, ''))
      const checkout = client.checkout(order)
      const logId = await eventually(async () => {
        const [id] = await behindOf('order', (redis) => redis.hmget(`order:${order}`, 'saga'))
        assert.ok(id)
        return id
      }, DEAD_LETTERED_MS)
      const mend = mendEarly ?? (await breakKey(subscriber, keyOf(seeded, logId)))
      if (isBegunFirst) opened().shop.part('stock-1').thaw()

      const letter = await whenDeadLettered(subscriber, ({ log_id }) => log_id === logId)
      t.is(letter.kind, kind)
      t.regex(letter.error, /WRONGTYPE/)
      await assertNobodyDelayed(t)
      const early = await operator().saga('dead', 'retry', letter.name)
      t.deepEqual([early.code, /WRONGTYPE/.test(early.out)], [1, true], early.out + early.said)

      await mend()
      if (!isBegunFirst) {
        const { out } = await operator().saga('explain', order)
        t.true(out.includes(`npm run dead -- retry ${letter.name}`), out)
      }
      const retried = await operator().saga('dead', 'retry', letter.name)
      t.is(retried.code, 0, retried.out + retried.said)
      t.is((await checkout).status, 200)
      t.deepEqual([await client.credit(user), await client.stock(item)], [90, 8])
      const again = await operator().saga('dead', 'retry', letter.name)
      t.is(again.code, 0)
      t.regex(again.out, /was applied before/)
      t.deepEqual([await client.credit(user), await client.stock(item)], [90, 8])
      const { dead_letters } = await operator().json<Explanation>('explain', order)
      t.deepEqual(dead_letters, [])
      t.deepEqual(await lettersOf(subscriber), [])
      t.true((await operator().saga('dead', 'list', '--all')).out.includes(letter.name), 'the letter itself stays')
    },
  )

test.serial('afterwards all promises hold', async (t) => {
  await proveInvariants(t, opened())
})
