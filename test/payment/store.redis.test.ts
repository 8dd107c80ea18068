import test, { type ExecutionContext } from 'ava'
import { reactions } from '../../payment/reactions.ts'
import { openStore } from '../../payment/store.ts'
import { alternatives, type Event, type State, transitions } from '../../payment/transitions.ts'
import { UnavailableError } from '../../shared/errors.ts'
import type { Reply } from '../../shared/redis/script.ts'
import { ledgerOf, sumOver } from '../support/checker/ledgers.ts'
import { packedIn, recordsIn, unpackRecord } from '../support/checker/records.ts'
import { entryOf, plainly, saidIn, under } from '../support/shop/open-store.ts'
import { holdTransitions, openStoreForTests } from '../support/shop/store-rules.ts'

const { bench, store, tell, emitted, emittedDuring, stateOfIt, holdEveryResult } = await openStoreForTests(
  openStore,
  reactions,
)
const { log } = store
const MOST = Number.MAX_SAFE_INTEGER

test.serial.afterEach.always(
  'the ledger say what was added, and that all of it is in wallets or charged',
  async (t) => {
    const account = await ledgerOf(bench.redis)
    const wallets = await sumOver(bench.redis, 'user:', ({ credit }) => BigInt(credit ?? '0'))
    let captured = 0n
    for (const { state, total } of (await recordsIn(bench.redis, 'payment')).values())
      if (state === 'captured') captured += BigInt(total ?? '0')
    t.is(account('charged'), captured)
    t.is(account('added'), wallets + captured)
  },
)

const user = async (id: string, credit: number): Promise<void> => {
  await store.createUser(id, plainly)
  if (credit > 0) await store.addFunds(id, credit, plainly)
}

const checkout = (total: number, of = 'anna') => ({
  order: `order-of-${of}`,
  user: of,
  total,
  lines: 'tea:1',
  deadline: '1700000000000',
})
const refusedByStock = { order: 'order-of-anna', item: 'tea' }

/** What a wallet owns, and what of it is held: told by what can be paid of it. */
const wallet = async (of = 'anna') => {
  const credit = (await store.find(of))?.credit
  const held = Number(await bench.redis.hget(`user:${of}`, 'held'))
  return { credit, held }
}

test.serial('one of many users that are asked for at once is found as one that is asked for alone', async (t) => {
  await user('anna', 7)
  await user('otto', 0)
  const found = await Promise.all(['anna', 'nobody', 'otto', 'anna'].map(store.find))
  const anna = await store.find('anna')
  t.deepEqual(anna, { user_id: 'anna', credit: 7 })
  t.deepEqual(found, [anna, undefined, { user_id: 'otto', credit: 0 }, anna])
})

test.serial('a user who is there is not made anew, and keeps the credit', async (t) => {
  t.is((await store.createUser('anna', plainly))[0], 'created')
  await store.addFunds('anna', 7, plainly)
  const said = await saidIn(log)
  t.deepEqual(await store.createUser('anna', plainly), ['exists', 'anna'])
  t.deepEqual(await saidIn(log), said)
  t.is((await store.find('anna'))?.credit, 7)
})

test.serial('a batch is booked and indexed as a whole, to the unit, also if one of its entries fails', async (t) => {
  const names = ['anna', 'bert', 'carl', 'dora']
  for (const name of names) await user(name, MOST)
  const started = names.map((name, at) =>
    entryOf('order', 'CheckoutStarted', `${at + 1}-0`, `saga-${name}`, checkout(MOST, name)),
  )
  await log.apply('order', '0-0', started)
  t.deepEqual(
    (await bench.redis.zrange('sagas:open', '0', '-1')).toSorted(),
    names.map((name) => `saga-${name}`),
  )
  await unpackRecord(bench.redis, 'payment', 'saga-bert')
  await bench.redis.rename('saga:saga-bert', 'aside')
  await bench.redis.set('saga:saga-bert', 'not a hash')
  const taken = names.map((name, at) =>
    entryOf('stock', 'StockTaken', `${at + 1}-0`, `saga-${name}`, checkout(MOST, name)),
  )
  const replies = await log.apply('stock', '0-0', taken)
  await bench.redis.rename('aside', 'saga:saga-bert')
  t.deepEqual('gap' in replies || replies.map(([result]) => result), [
    'captured',
    'dead-lettered',
    'captured',
    'captured',
  ])
  t.deepEqual(await bench.redis.zrange('sagas:open', '0', '-1'), ['saga-bert'])
  t.is((await ledgerOf(bench.redis))('charged'), 3n * BigInt(MOST))
})

const STATES = Object.keys(transitions) as State[]
const taken = { order: 'order-of-anna', user: 'anna', total: 30, lines: 'tea:1' }

/** Brings a checkout of 30 of anna's 100 into a state. */
const bring = async (state: State): Promise<void> => {
  await user('anna', 100)
  if (state === 'none') return
  if (state === 'waiting') await tell('order', 'CheckoutStarted', 'another', checkout(80))
  if (state === 'refused') await store.pay('anna', 71, plainly)
  await tell('order', 'CheckoutStarted', 'it', checkout(30))
  if (state === 'refused') await store.addFunds('anna', 71, plainly)
  if (state === 'captured') await tell('stock', 'StockTaken', 'it', taken)
  if (state === 'voided') await tell('stock', 'StockRefused', 'it', refusedByStock)
  if (state === 'released') await tell('order', 'CheckoutCancelled', 'it', checkout(30))
}

const EVENTS: Readonly<Record<Event, () => Promise<Reply>>> = {
  CheckoutStarted: () => tell('order', 'CheckoutStarted', 'it', checkout(30)),
  CheckoutCancelled: () => tell('order', 'CheckoutCancelled', 'it', checkout(30)),
  StockTaken: () => tell('stock', 'StockTaken', 'it', taken),
  StockRefused: () => tell('stock', 'StockRefused', 'it', refusedByStock),
  StockReturned: () => tell('stock', 'StockReturned', 'it', taken),
  're-emit': () => log.run('tell-again', { log_id: 'it' }),
}
/** What anna owns and what of it is held while the checkout is in a state; where it waited another one holds 80. */
const walletIn = (state: State, brought: State) => ({
  credit: state === 'captured' ? 70 : 100,
  held: (state === 'held' ? 30 : 0) + (brought === 'waiting' ? 80 : 0),
})

holdTransitions({
  log,
  transitions,
  ways: STATES.map((state) => [state, state] as const),
  bring,
  events: EVENTS,
  emittedDuring,
  look: async () => ({ state: await stateOfIt(), ...(await wallet()) }),
  looksIn: (state, brought) => ({ state, ...walletIn(state, brought) }),
})

/** Each wallet in which the answer is another one: what is done to it before, and what it holds then. */
const WALLETS: Readonly<Record<(typeof alternatives)[number][2], readonly [() => Promise<unknown>, number, number]>> = {
  'too little is owned': [() => store.pay('anna', 71, plainly), 29, 0],
  'another checkout holds it': [() => tell('order', 'CheckoutStarted', 'another', checkout(80)), 100, 80],
  // As if the wallet's queue had not moved by itself.
  'the other checkout has let it go': [() => bench.redis.hset('user:anna', 'held', 0), 100, 30],
  'the other checkout has captured it': [() => bench.redis.hset('user:anna', 'held', 0, 'credit', 20), 20, 0],
}
for (const [state, event, where, [result, next, ...kinds]] of alternatives)
  test.serial(`${event} of a checkout that is ${state}, where ${where}: ${result}`, async (t) => {
    await bring(state)
    const [prepare, credit, held] = WALLETS[where]
    await prepare()
    const seen = await emittedDuring(async () => {
      t.is((await EVENTS[event]())[0], result)
    })
    t.deepEqual<readonly string[], readonly string[]>(seen, kinds)
    t.deepEqual({ state: await stateOfIt(), ...(await wallet()) }, { state: next, credit, held })
    // The ledger are told of what was done behind the store's back.
    if (credit === 20) await bench.redis.hincrby('books', 'added', -80)
  })

test.serial('StockTaken of an unknown checkout, as an older version emits it, names no user to hold for', async (t) => {
  await user('anna', 100)
  t.deepEqual(await tell('stock', 'StockTaken', 'it', { order: 'order-of-anna', lines: 'tea:1' }), ['unknown'])
  t.deepEqual(await wallet(), { credit: 100, held: 0 })
})

test.serial('a checkout of which too much was said for one piece of a pack has a record of its own', async (t) => {
  await bring('captured')
  t.deepEqual([...(await packedIn(bench.redis)).keys()], ['it'])
  await EVENTS.StockRefused()
  await EVENTS.CheckoutCancelled()
  t.is(await stateOfIt(), 'released')
  t.deepEqual([...(await packedIn(bench.redis)).keys()], [])
  t.is(await bench.redis.hget('saga:it', 'state'), 'released')
  t.deepEqual(
    (await log.entriesOf('it')).map(({ kind }) => kind),
    ['CreditHeld', 'CreditCaptured', 'CreditVoided', 'CreditReleased'],
  )
})

test.serial('CheckoutStarted: exactly all of the credit is enough', async (t) => {
  await user('anna', 100)
  t.deepEqual(await tell('order', 'CheckoutStarted', 'it', checkout(100)), ['held'])
  t.deepEqual(await wallet(), { credit: 100, held: 100 })
})

test.serial('CheckoutStarted: a total of 0 is held, captured, voided and released like any other', async (t) => {
  await user('anna', 0)
  for (const id of ['captured', 'voided', 'released', 'refunded'])
    t.deepEqual(await tell('order', 'CheckoutStarted', id, checkout(0)), ['held'])
  t.deepEqual(await tell('stock', 'StockTaken', 'captured', { order: 'o', lines: 'tea:1' }), ['captured'])
  t.deepEqual(await tell('stock', 'StockRefused', 'voided', refusedByStock), ['voided'])
  t.deepEqual(await tell('order', 'CheckoutCancelled', 'released', checkout(0)), ['released'])
  await tell('stock', 'StockTaken', 'refunded', { order: 'o', lines: 'tea:1' })
  t.deepEqual(await tell('order', 'CheckoutCancelled', 'refunded', checkout(0)), ['released'])
  t.deepEqual(await wallet(), { credit: 0, held: 0 })
})

test.serial('CheckoutStarted: the largest amounts are exact to the unit', async (t) => {
  await user('anna', MOST)
  t.deepEqual(await tell('order', 'CheckoutStarted', 'it', checkout(MOST - 1)), ['held'])
  t.deepEqual(await wallet(), { credit: MOST, held: MOST - 1 })
  t.deepEqual(await store.pay('anna', 2, plainly), ['held'])
  t.deepEqual(await store.pay('anna', 1, plainly), ['paid'])
  await tell('stock', 'StockTaken', 'it', { order: 'o', lines: 'tea:1' })
  t.deepEqual(await wallet(), { credit: 0, held: 0 })
  await tell('order', 'CheckoutCancelled', 'it', checkout(MOST - 1))
  t.deepEqual(await wallet(), { credit: MOST - 1, held: 0 })
  t.deepEqual(await store.addFunds('anna', 2, plainly), ['too-much'])
  t.deepEqual(await store.addFunds('anna', 1, plainly), ['added'])
  t.is((await store.find('anna'))?.credit, MOST)
})

const waitingOfAnna = async (t: ExecutionContext): Promise<void> => {
  await user('anna', 100)
  t.deepEqual(await tell('order', 'CheckoutStarted', 'first', checkout(80)), ['held'])
  t.deepEqual(await tell('order', 'CheckoutStarted', 'second', checkout(60)), ['waiting'])
  t.deepEqual(await emitted(), ['UserCreated', 'FundsAdded', 'CreditHeld'])
}
const answersOf = async (id: string): Promise<readonly string[]> => (await log.entriesOf(id)).map(({ kind }) => kind)

test.serial('a full Redis refuses a cancellation as a whole: what waits keeps its place in the queue', async (t) => {
  await waitingOfAnna(t)
  await bench.redis.config('SET', 'maxmemory', '1')
  await t.throwsAsync(tell('order', 'CheckoutCancelled', 'second', checkout(60)), { instanceOf: UnavailableError })
  await bench.redis.config('SET', 'maxmemory', '0')
  await tell('stock', 'StockRefused', 'first', refusedByStock)
  t.deepEqual(await answersOf('second'), ['CreditHeld'])
})

test.serial('add-funds and pay: nothing of an unknown user', async (t) => {
  t.deepEqual(await store.addFunds('nobody', 1, plainly), ['unknown'])
  t.deepEqual(await store.pay('nobody', 1, plainly), ['unknown'])
  t.is(await log.count(), 0)
})

test.serial('a refusal is remembered under its key, a passing reply is not', async (t) => {
  await user('anna', 100)
  t.deepEqual(await store.pay('anna', 200, under('dear')), ['out-of-credit'])
  await tell('order', 'CheckoutStarted', 'it', checkout(80))
  t.deepEqual(await store.pay('anna', 50, under('held')), ['held'])
  t.deepEqual(await store.initUsers(0, 2, 5, under('init')), ['initialised'])
  await store.addFunds('anna', 100, plainly)
  t.deepEqual(await store.pay('anna', 200, under('dear')), ['out-of-credit'])
  t.deepEqual(await store.pay('anna', 50, under('held')), ['paid'])
  t.deepEqual(await store.pay('anna', 50, under('held')), ['paid'])
  t.deepEqual(await wallet(), { credit: 150, held: 80 })
})

test.serial('init-users makes users anew, and says how much credit went with the old ones', async (t) => {
  await store.initUsers(0, 9, 7, plainly)
  t.deepEqual(await store.find('9'), { user_id: '9', credit: 7 })
  await store.addFunds('3', 5, plainly)
  t.deepEqual(await store.initUsers(0, 4, 2, plainly), ['initialised'])
  t.deepEqual(await Promise.all(['3', '4', '5'].map(async (id) => (await store.find(id))?.credit)), [2, 2, 7])
  t.deepEqual((await saidIn(log)).at(-1)?.facts, { first: '0', last: '4', credit: '2', replaced: '40' })
})

test.serial('the ledger is exact beyond what any number of Lua or Redis can hold', async (t) => {
  await store.initUsers(0, 999, MOST, plainly)
  await store.initUsers(1_000, 1_999, MOST - 1, plainly)
  await store.pay('7', MOST, plainly)
  await store.initUsers(3, 3, 2, plainly)
  const most = BigInt(MOST)
  t.is((await ledgerOf(bench.redis))('added'), 998n * most + 2n + 1_000n * (most - 1n))
})

test.serial('init-users does nothing while money of one of them is held or waited for', async (t) => {
  await store.initUsers(0, 2, 10, plainly)
  await tell('order', 'CheckoutStarted', 'it', checkout(6, '1'))
  t.deepEqual(await store.initUsers(0, 2, 50, under('init')), ['busy', '1'])
  t.deepEqual(await store.initUsers(2, 2, 50, plainly), ['initialised'])
  t.deepEqual(await wallet('0'), { credit: 10, held: 0 })
  await tell('stock', 'StockTaken', 'it', { order: 'o', lines: 'tea:1' })
  t.deepEqual(await store.initUsers(0, 2, 50, under('init')), ['initialised'])
  t.deepEqual(await wallet('1'), { credit: 50, held: 0 })
})

test.serial('the survey names what is held or waits, the stalest first, and nothing that is decided', async (t) => {
  await waitingOfAnna(t)
  await user('berta', 10)
  await tell('order', 'CheckoutStarted', 'refused', checkout(11, 'berta'))
  await tell('order', 'CheckoutStarted', 'captured', checkout(10, 'berta'))
  await tell('stock', 'StockTaken', 'captured', { order: 'o', lines: 'tea:1' })
  await bench.redis.zadd('sagas:open', 1, 'second', 2, 'forgotten')
  const found = (await store.recovery.survey(10)).findings
  t.deepEqual(
    found.map(({ log_id, facts, repair }) => [log_id, facts.state, facts.silent, repair]),
    [
      ['second', 'waiting', 'yes', 'tell-again'],
      ['forgotten', 'absent', 'yes', 'drop'],
      ['first', 'held', 'no', 'wait'],
    ],
  )
  const { findings, next } = await store.recovery.survey(1)
  t.is(findings.length, 1)
  t.is(next?.score, 1, 'what waits may be answered, whatever stock has applied')
})

for (const [kind, undo] of [
  ['CheckoutCancelled', () => tell('order', 'CheckoutCancelled', 'it', checkout(10))],
  ['StockRefused', () => tell('stock', 'StockRefused', 'it', { order: 'o', item: 'tea' })],
] as const)
  test.serial(`${kind}: money that its wallet has no room for any more is not given back until it has`, async (t) => {
    await user('anna', MOST)
    await tell('order', 'CheckoutStarted', 'it', checkout(10))
    await tell('stock', 'StockTaken', 'it', { order: 'o', lines: 'tea:1' })
    await store.addFunds('anna', 10, plainly)
    const { message } = await t.throwsAsync(undo())
    t.regex(message, /was dead-lettered: .*the wallet of anna has no room for 10/)
    t.deepEqual(await wallet(), { credit: MOST, held: 0 })
    const [letter] = await log.dead.page('0-0', 9)
    t.is((await log.dead.retry(letter?.id ?? '', plainly))[0], 'failed')
    await store.pay('anna', 10, plainly)
    t.is((await log.dead.retry(letter?.id ?? '', plainly))[0], 'applied')
    t.deepEqual(await wallet(), { credit: MOST, held: 0 })
  })

test.serial('no record of a checkout ends by its age, finished or not', async (t) => {
  await user('anna', 100)
  await tell('order', 'CheckoutStarted', 'it', checkout(80))
  await tell('order', 'CheckoutStarted', 'other', checkout(10))
  await tell('stock', 'StockTaken', 'it', { order: 'o', lines: 'tea:1' })
  t.deepEqual([...(await recordsIn(bench.redis, 'payment')).keys()].toSorted(), ['it', 'other'])
  for (const key of await bench.redis.keys('*')) t.is(await bench.redis.ttl(key), -1, key)
})

holdEveryResult()
