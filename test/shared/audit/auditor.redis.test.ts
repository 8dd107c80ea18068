/** The count of what a service owns, while that changes between its pages: over the wallets of a real payment store. */
import test from 'ava'
import { openStore } from '../../../payment/store.ts'
import { sumOf } from '../../../shared/audit/auditor.ts'
import { UnavailableError } from '../../../shared/errors.ts'
import { ledgerOf, sumOver } from '../../support/checker/ledgers.ts'
import { flat, openBench, plainly, teller } from '../../support/shop/open-store.ts'

const bench = await openBench()
const store = openStore(bench.dependencies)
const { log, auditor } = store
const { ask } = log

/** What happens after a page was read, by the number of the page; and the ids that the pages held. */
let afterPage: (page: number) => Promise<unknown> = async () => undefined
let met: string[] = []
let pages = 0
/** How many sagas were looked up at once. */
let looked: number[] = []
/** The page that holds, besides its own, what the first one held. */
let holdsAgain = 0
Object.assign(log, {
  ask: async (...asked: Parameters<typeof ask>) => {
    const reply = await ask(...asked)
    if (asked[0] === 'records') looked.push(String(asked[1].log_ids).split(' ').length)
    if (asked[0] !== 'count') return reply
    pages += 1
    const [next, ids = '', balanceLines = ''] = reply
    const first = pages === holdsAgain ? await ask('count', { cursor: 0, page: 1_000 }) : undefined
    met.push(...ids.split('\n'), ...(first?.[1]?.split('\n') ?? []))
    await afterPage(pages)
    return first ? [next, `${ids}\n${first[1]}`, `${balanceLines}\n${first[2]}`] : reply
  },
})

test.serial.beforeEach(async () => {
  await bench.redis.flushall()
  afterPage = async () => undefined
  met = []
  looked = []
  pages = 0
  holdsAgain = 0
})
test.after.always(async () => bench[Symbol.asyncDispose]())

const USERS = 5_000
const fill = async (credit = 10): Promise<void> => {
  for (let first = 0; first < USERS; first += 1_000) await store.initUsers(first, first + 999, credit, plainly)
}

/** Counts, and holds it against what there is at rest afterwards: nothing may have been said since. */
const countAndProve = async (t: { is: (a: unknown, b: unknown) => void }) => {
  const count = await auditor.count()
  const wallets = await sumOver(bench.redis, 'user:', ({ credit }) => BigInt(credit ?? '0'))
  t.is(sumOf(count.balances.values()), wallets)
  t.is(count.ledger('added'), (await ledgerOf(bench.redis))('added'))
  t.is(count.at, (await bench.redis.xrevrange('log:payment', '+', '-', 'COUNT', 1))[0]?.[0])
  return count
}

test.serial('adds up every wallet, also of a shop that has none', async (t) => {
  t.is(sumOf((await auditor.count()).balances.values()), 0n)
  await fill()
  await store.createUser('anna', plainly)
  const count = await countAndProve(t)
  t.true(pages > 4)
  t.is(count.balances.get('17'), 10)
})

test.serial('is exact beyond what a number can hold', async (t) => {
  await store.initUsers(0, 999, Number.MAX_SAFE_INTEGER, plainly)
  await store.addFunds((await store.createUser('anna', plainly))[1] as string, 7, plainly)
  t.is(sumOf((await countAndProve(t)).balances.values()), 1_000n * BigInt(Number.MAX_SAFE_INTEGER) + 7n)
})

test.serial('a wallet that changes after it was read, or before, counts as it is in the end', async (t) => {
  await fill()
  const changed: string[] = []
  afterPage = async (page) => {
    const [read = ''] = met.slice(-1)
    const unread = Array.from({ length: USERS }, (_, user) => String(user)).find((user) => !met.includes(user)) ?? read
    for (const user of [read, unread, '7']) {
      await store.addFunds(user, 100 + page, plainly)
      await store.pay(user, 3, plainly)
      changed.push(user)
    }
  }
  const count = await countAndProve(t)
  t.true(changed.length >= 15)
  t.is(count.balances.get('7'), Number((await store.find('7'))?.credit))
})

test.serial('a wallet that a checkout charges while it is counted is counted with its charge', async (t) => {
  await fill()
  const tell = teller(log)
  afterPage = async (page) => {
    const checkout = { order: 'o', user: met[0] ?? '', total: 4, lines: 'tea:1', deadline: '1700000000000' }
    await tell('order', 'CheckoutStarted', `saga${page}`, checkout)
    if (page % 2 === 0) await tell('stock', 'StockTaken', `saga${page}`, { order: 'o', lines: 'tea:1' })
    if (page === 4) await tell('order', 'CheckoutCancelled', 'saga4', checkout)
  }
  const count = await countAndProve(t)
  t.is(count.ledger('charged'), 4n)
  t.is(sumOf(count.balances.values()), BigInt(USERS) * 10n - 4n)
})

test.serial('wallets that are created, and made anew, while they are counted', async (t) => {
  await fill()
  afterPage = async (page) => {
    await store.createUser(`new${page}`, plainly)
    await store.addFunds(`new${page}`, page, plainly)
    if (page === 3) await store.initUsers(0, 1_999, 1, plainly)
    if (page === 4) await store.initUsers(6_000, 6_010, 5, plainly)
  }
  const count = await countAndProve(t)
  t.is(sumOf(count.balances.values()), 2_000n + 30_000n + 55n + BigInt((pages * (pages + 1)) / 2))
})

test.serial('a wallet that a page holds again, as pages do while the table shrinks, counts once', async (t) => {
  await fill()
  holdsAgain = 3
  const count = await countAndProve(t)
  t.is(count.balances.size, USERS)
  t.true(met.length > USERS)
})

test.serial('more is touched while it is counted than one script may read again', async (t) => {
  await fill()
  afterPage = async (page) => {
    if (page === 2) await fill(20)
    if (page === 3)
      await Promise.all(Array.from({ length: 700 }, (_, user) => store.addFunds(String(user), 1, plainly)))
  }
  await countAndProve(t)
})

/** Makes the log what an older version would have written: with flat entries. */
const flatten = async (): Promise<void> => {
  const entries = await bench.redis.xrange('log:payment', '-', '+')
  await bench.redis.del('log:payment')
  for (const entry of entries) await bench.redis.xadd('log:payment', entry[0], ...flat(entry)[1])
}

test.serial('what a replica of an older version says meanwhile is counted as well', async (t) => {
  await fill()
  afterPage = async (page) => {
    if (page !== 2) return
    await store.addFunds(met[0] ?? '', 5, plainly)
    await flatten()
  }
  t.is(sumOf((await countAndProve(t)).balances.values()), BigInt(USERS) * 10n + 5n)
})

test.serial('those who ask while it runs share it', async (t) => {
  await fill()
  const [one, other] = await Promise.all([auditor.count(), auditor.count()])
  t.is(one, other)
  t.not(await auditor.count(), one)
})

test.serial('it gives up if the Redis comes back older meanwhile', async (t) => {
  await fill()
  afterPage = async () => {
    await bench.redis.del('log:payment')
    await bench.redis.xadd('log:payment', '1-1', 'kind', 'UserCreated', 'user', '1')
  }
  await t.throwsAsync(auditor.count(), { instanceOf: UnavailableError, message: /came back older/ })
})

test.serial('a saga is told as it was at the moment of a cut', async (t) => {
  const tell = teller(log)
  const checkout = { order: 'o', user: 'anna', total: 4, lines: 'tea:1', deadline: '1700000000000' }
  await store.createUser('anna', plainly)
  await store.addFunds('anna', 9, plainly)
  const kindAt = async (at: string) => (await auditor.sagasAt(at, ['it', 'other']))[0]?.kind
  const cuts = [await auditor.cut()]
  await tell('order', 'CheckoutStarted', 'it', checkout)
  cuts.push(await auditor.cut())
  await tell('stock', 'StockTaken', 'it', { order: 'o', lines: 'tea:1' })
  cuts.push(await auditor.cut())
  await tell('stock', 'StockTaken', 'it', { order: 'o', lines: 'tea:1' })
  await tell('order', 'CheckoutCancelled', 'it', checkout)
  cuts.push(await auditor.cut())
  t.deepEqual(await Promise.all(cuts.map(({ at }) => kindAt(at))), [
    '',
    'CreditHeld',
    'CreditCaptured',
    'CreditReleased',
  ])
  t.deepEqual(
    cuts.map(({ ledger }) => ledger('charged')),
    [0n, 0n, 4n, 0n],
  )
  t.deepEqual(
    cuts.map(({ open }) => open),
    [[], ['it'], [], []],
  )
  const said = await auditor.sagasAt(cuts[2]?.at ?? '', ['it'])
  t.is(said[0]?.facts.total, '4')
  await flatten()
  t.deepEqual(await auditor.sagasAt(cuts[2]?.at ?? '', ['it']), said)
})

test.serial(
  'what is recorded of many sagas is asked for in parts, none of which keeps Redis from others',
  async (t) => {
    const ids = Array.from({ length: 250 }, (_, at) => `saga-${at}`)
    for (const id of ids) await bench.redis.hset(`saga:${id}`, 'state', id)
    t.deepEqual(
      await auditor.records(ids),
      ids.map((log_id) => ({ log_id, fields: { state: log_id } })),
    )
    t.deepEqual(looked, [100, 100, 50])
    t.deepEqual(await auditor.records([]), [])
    t.is(looked.length, 3)
  },
)
