/** What may be done with an order by who does not own it, and who has done what? By the commands, over a real Redis. */
import test from 'ava'
import { openStore } from '../../order/store.ts'
import { invalidReason } from '../../shared/contract/dictionary.ts'
import type { Once } from '../../shared/redis/script.ts'
import { openBench, plainly, saidIn } from '../support/shop/open-store.ts'

const bench = await openBench()
const store = openStore(bench.dependencies)
test.after.always(() => bench[Symbol.asyncDispose]())
test.serial.beforeEach(() => bench.redis.flushall())

const by = (owner: string): Once => ({ ...plainly, owner })
const place = async (order: string, user: string) => {
  const lines = { total: 6, lines: 'tea:2', costs: 'tea:6' }
  await store.place({ order, user, ...lines }, plainly)
}
const submission = (order: string) => ({ log_id: `0000000000000${order}`, order, timeout_ms: 60_000, most: 100 })

/** What a customer can have done with an order, besides its checkout; and what it can see of it. */
const COMMANDS: Readonly<Record<string, (order: string, once: Once) => Promise<readonly unknown[]>>> = {
  addItem: (order, once) => store.addItem({ order, item: 'cup', quantity: 1, price: 3 }, once),
  change: (order, once) => {
    const changed = { lines: new Map([['tea', 1]]), costs: new Map([['tea', 3]]), total: 3 }
    return store.change({ order, from: 'any', since: undefined, read: 1, changed }, once)
  },
  cancel: (order, once) => store.cancelOrder({ order, from: 'any', restock: 'shelf', reason: undefined }, once),
  refund: (order, once) => store.refund({ order, from: 'any', lines: '', restock: 'shelf', reason: '' }, once),
  submit: (order, once) => store.submit(submission(order), once),
}
const LOOKS: Readonly<Record<string, (order: string, owner?: string) => Promise<unknown>>> = {
  find: store.find,
  show: store.show,
  refundsOf: store.refundsOf,
  checkoutOf: async (order, owner) => {
    const found = await store.checkoutOf(order, { owner })
    return found === 'unknown' ? undefined : 'known'
  },
}

for (const [name, run] of Object.entries(COMMANDS)) {
  test.serial(`${name} of another's order is that of one which is unknown, and changes nothing`, async (t) => {
    await place('7', 'anna')
    const before = [await bench.redis.hgetall('order:7'), await saidIn(store.log)]
    const unknown = await run('8', by('ben'))
    t.is(unknown[0], 'unknown')
    t.deepEqual(await run('7', by('ben')), unknown)
    t.deepEqual([await bench.redis.hgetall('order:7'), await saidIn(store.log)], before)
  })

  test.serial(`${name} of an order is for its owner, and for who may touch everybody's`, async (t) => {
    await place('7', 'anna')
    await place('8', 'anna')
    t.not((await run('7', by('anna')))[0], 'unknown')
    t.not((await run('8', plainly))[0], 'unknown')
  })
}

for (const [name, look] of Object.entries(LOOKS))
  test.serial(`${name} shows an order to its owner only, and to who may see everybody's`, async (t) => {
    await place('7', 'anna')
    t.is(await look('7', 'ben'), undefined)
    t.deepEqual(await look('7', 'anna'), await look('7'))
    t.not(await look('7'), undefined)
  })

test.serial('commands that run in one script each know for whom', async (t) => {
  await place('7', 'anna')
  const results = await Promise.all(
    ['ben', 'anna', undefined, 'ben'].map((owner) => COMMANDS.addItem?.('7', { ...plainly, owner })),
  )
  t.deepEqual(
    results.map((result) => result?.[0]),
    ['unknown', 'added', 'added', 'unknown'],
  )
})

test.serial('an entry says who has done it, if that was no customer for itself', async (t) => {
  await place('7', 'anna')
  await Promise.all([
    store.addItem({ order: '7', item: 'a', quantity: 1, price: 3 }, { ...plainly, doneBy: 'merchant:key-1' }),
    store.addItem({ order: '7', item: 'b', quantity: 1, price: 3 }, by('anna')),
  ])
  await store.cancelOrder(
    { order: '7', from: 'any', restock: 'shelf', reason: undefined },
    { ...plainly, doneBy: 'operator:a%20b' },
  )
  const said = await saidIn(store.log)
  const doneBy = (wanted: string) => said.filter(({ kind }) => kind === wanted).map(({ facts }) => facts.done_by)
  t.deepEqual(doneBy('OrderPlaced'), [undefined])
  t.deepEqual(doneBy('LineAdded'), ['merchant:key-1', undefined])
  t.deepEqual(doneBy('OrderCancelled'), ['operator:a%20b'])
  for (const raw of await bench.redis.xrange('log:order', '-', '+')) t.is(invalidReason('order', raw), undefined)
})
