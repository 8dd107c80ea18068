import test, { type ExecutionContext } from 'ava'
import { openStore } from '../../../payment/store.ts'
import { logKey } from '../../../shared/log/entry.ts'
import { tailLossDetector } from '../../../shared/log/tail-loss.ts'
import { writtenTo } from '../../support/faults/older-redis.ts'
import { comeBack, entryOf, openDurable, plainly, under } from '../../support/shop/open-store.ts'

const open = async (t: ExecutionContext) => {
  const bench = await openDurable(t)
  return { ...bench, store: openStore(bench.dependencies) }
}

test('what this process was told is done, and is gone, is listed by name, also if it did more since', async (t) => {
  const one = await open(t)
  const { store } = one
  await store.createUser('anna', plainly)
  await store.addFunds('anna', 5, under('kept'))
  const moment = await writtenTo(one.server.dir)
  await store.createUser('bert', plainly)
  await store.addFunds('bert', 7, under('gone'))
  t.deepEqual(await store.addFunds('bert', 7, under('gone')), ['added'])
  t.deepEqual(await store.pay('bert', 8, plainly), ['out-of-credit'])
  await comeBack(one, moment)
  await store.addFunds('anna', 1, plainly)
  const lost = await store.log.checkOwnTail()
  t.is(lost?.speaker, 'payment')
  t.is(lost?.unnamed_until, null)
  t.deepEqual(
    lost?.entries.map(({ kind, facts }) => [kind, facts]),
    [
      ['UserCreated', { user: 'bert' }],
      ['FundsAdded', { user: 'bert', amount: '7' }],
    ],
  )
  t.deepEqual(await store.log.lostTails(), [lost])
  t.is(await store.log.checkOwnTail(), undefined, 'it is noticed once')
  await comeBack(one, moment)
  t.deepEqual(
    (await store.log.checkOwnTail())?.entries.map(({ facts }) => facts),
    [{ user: 'anna', amount: '1' }],
  )
})

test('a Redis that was only restarted has lost nothing', async (t) => {
  const one = await open(t)
  await one.store.createUser('anna', plainly)
  await comeBack(one)
  t.is(await one.store.log.checkOwnTail(), undefined)
  t.deepEqual(await one.store.log.lostTails(), [])
})

test('a detector remembers the last commands only, and says since when', async (t) => {
  const { redis, dependencies } = await open(t)
  const said = []
  for (let number = 0; number < 5; number += 1) {
    const [, fields] = entryOf('payment', 'FundsAdded', '*', `log-${number}`, { user: 'anna', amount: number })
    said.push([(await redis.xadd(logKey('payment'), '*', ...fields)) ?? '', fields] as const)
  }
  const { remember, compare } = tailLossDetector({
    publisher: 'payment',
    redis,
    step: dependencies.step,
    commandsMax: 3,
  })
  remember(said)
  remember(said)
  t.is(await compare('0-0'), undefined)
  await redis.del(logKey('payment'))
  const lost = await compare('0-0')
  t.is(lost?.unnamed_until, said[1]?.[0])
  t.deepEqual(
    lost?.entries.map(({ log_id }) => log_id),
    ['log-2', 'log-3', 'log-4'],
  )
})

test('a log that begins anew has lost all, also once more was said; one that was trimmed has lost nothing', async (t) => {
  const { redis, dependencies } = await open(t)
  const say = async (log_id: string) => {
    const [, fields] = entryOf('payment', 'FundsAdded', '*', log_id, { user: 'anna', amount: 1 })
    return [(await redis.xadd(logKey('payment'), '*', ...fields)) ?? '', fields] as const
  }
  const before = [await say('one'), await say('two')]
  const { remember, compare } = tailLossDetector({ publisher: 'payment', redis, step: dependencies.step })
  remember(before)
  const last = before[1]?.[0] ?? ''
  await say('three')
  await redis.xtrim(logKey('payment'), 'MAXLEN', 1)
  t.is(await compare('0-0'), undefined, 'it was trimmed')
  await redis.del(logKey('payment'))
  await say('four')
  const lost = await compare('0-0')
  t.like(lost, { after: '0-0', until: last })
  t.deepEqual(
    lost?.entries.map(({ log_id }) => log_id),
    ['one', 'two'],
  )
})

test('ends of sagas have room of their own, are taken in any order, and once', async (t) => {
  const { redis, dependencies } = await open(t)
  const { acknowledge, acknowledgeEnd, compare, seen } = tailLossDetector({
    publisher: 'order',
    redis,
    step: dependencies.step,
    commandsMax: 2,
  })
  const end = (id: string) => entryOf('order', 'OrderPaid', id, `saga-${id}`, { order: 'cart', user: 'anna', total: 1 })
  const created = entryOf('order', 'OrderCreated', '1-0', 'log-1', { order: 'cart', user: 'anna' })
  acknowledge(created[0], created[1].join(' '))
  for (const id of ['5-0', '3-0', '9-0', '5-0', '2-0']) acknowledgeEnd(id, () => end(id)[1])
  t.is(seen(), '9-0')
  const lost = await compare('0-0')
  t.deepEqual(
    lost?.entries.map(({ id }) => id),
    ['1-0', '5-0', '9-0'],
  )
  t.is(lost?.unnamed_until, '3-0')
})
